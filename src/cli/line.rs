//! `pipit run`: one line of the local operator's.

use std::process::ExitCode;

use pipit_commands::Stream;
use pipit_grammar::rule::{Place, Via};

use super::shown::{Followed, Shown, follow};
use super::{Home, fail};
use crate::access::Identity;
use crate::engine::Request;

/// What standard input is to the line.
pub(super) enum Input {
    /// Nothing to it.
    None,
    /// A text a line.
    Lines,
    /// One text.
    Whole,
    /// Taken before, and given to the line in its place.
    Given(Stream),
}

impl Input {
    /// As the flags say.
    pub(super) fn of(stdin: bool, whole: bool) -> Self {
        match (stdin, whole) {
            (false, _) => Self::None,
            (true, false) => Self::Lines,
            (true, true) => Self::Whole,
        }
    }
}

/// What is asked on the command line.
pub(super) struct Ask {
    pub(super) user: Option<String>,
    pub(super) room: Option<String>,
    pub(super) json: bool,
    pub(super) input: Input,
    pub(super) line: String,
}

/// Runs a line and shows what comes.
pub(super) fn run(home: &Home, ask: Ask) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(5, &format!("the runtime does not start: {error}")),
    };
    let cause = ask.user.is_some().then_some("operator");
    let request = Request {
        text: ask.line,
        identity: ask.user.map_or(Identity::Operator, |user| Identity::Named(user.into())),
        service: "shell".into(),
        place: ask.room.map_or(Place::Dm, |room| Place::Room(room.strip_prefix('#').unwrap_or(&room).into())),
        address: None,
        via: Via::Chat,
        cause,
        input: match ask.input {
            Input::None => None,
            Input::Lines => Some(super::stdin::lines()),
            Input::Whole => Some(super::stdin::whole()),
            Input::Given(values) => Some(values),
        },
        life: None,
    };
    runtime.block_on(async {
        let engine = match home.open() {
            Ok(engine) => engine,
            Err(error) => return fail(5, &error),
        };
        let shown = if ask.json { Shown::json() } else { Shown::text() };
        let Followed { reply, written, .. } = follow(&engine, request, shown, false, std::future::pending()).await;
        engine.settle().await;
        let code = reply.error.as_ref().map_or(0, |error| error.kind().exit());
        if let Some(receipt) = reply.receipt
            && let Err(error) = receipt.durable().await
        {
            return fail(5, &error);
        }
        match written {
            Err(error) if code == 0 => fail(1, &error),
            Err(_) | Ok(()) => ExitCode::from(code),
        }
    })
}
