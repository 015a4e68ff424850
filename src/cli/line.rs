//! `pipit run`: one line of the local operator's.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ecow::EcoString;
use pipit_commands::{Attachment, Stream};
use pipit_grammar::rule::{Place, Via};

use super::shown::{Asks, Followed, Shown, follow};
use super::{Home, fail, tell};
use crate::access::Identity;
use crate::engine::{Request, SHELL, room_of};

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
    /// The folder for pictures and files.
    pub(super) files: Option<PathBuf>,
    pub(super) input: Input,
    /// Folders of bundles that are enabled for the line.
    pub(super) develop: Vec<PathBuf>,
    pub(super) line: String,
}

/// Writes attachments into a folder, each under a name that is not taken, and tells where they are.
fn write(folder: &Path, attached: &[Attachment]) -> Result<(), String> {
    for attachment in attached {
        // the name is a command's own word
        let name = Path::new(attachment.name.as_str()).file_name().unwrap_or(OsStr::new("file"));
        let odd = |error: std::io::Error| format!("{} cannot be written: {error}", folder.display());
        std::fs::create_dir_all(folder).map_err(odd)?;
        let bytes = (attachment.bytes)();
        let place = (1..=TAKEN).map(|number| match number {
            1 => folder.join(name),
            _ => folder.join(format!("{number}-{}", name.to_string_lossy())),
        });
        let made = place.into_iter().find_map(|place| match std::fs::File::create_new(&place) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => None,
            made => Some((place, made)),
        });
        let Some((place, made)) = made else { return Err(format!("{} is full of such files", folder.display())) };
        made.and_then(|mut file| file.write_all(&bytes)).map_err(odd)?;
        tell(&format_args!("{} is written", place.display()));
    }
    Ok(())
}

/// How many files of one name a folder may have.
const TAKEN: usize = 1000;

/// The service and the room that `--room` names: one of the shell's own, unless it says of which service.
pub(super) fn seat(room: &str) -> Result<(EcoString, Place), String> {
    let (service, place) = room_of(room)
        .ok_or_else(|| format!("{room:?} is no room: write #NAME, or SERVICE://#NAME for one elsewhere"))?;
    Ok((service.unwrap_or_else(|| SHELL.into()), place))
}

/// Runs a line and shows what comes.
pub(super) fn run(home: &Home, ask: Ask) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(5, &format!("the runtime does not start: {error}")),
    };
    let (service, place) = match ask.room.as_deref().map(seat) {
        None => (SHELL.into(), Place::Dm),
        Some(Ok(there)) => there,
        Some(Err(error)) => return fail(2, &error),
    };
    let cause = ask.user.is_some().then_some("operator");
    let files = ask.files;
    let asks = match &ask.input {
        Input::None if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => Asks::Programs,
        Input::None | Input::Lines | Input::Whole | Input::Given(_) => Asks::Nobody,
    };
    let mut request = Request {
        text: ask.line,
        // whom the name means is known when the shell is open
        identity: Identity::Operator,
        service,
        place,
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
        asks: None,
    };
    runtime.block_on(async {
        let engine = match home.open() {
            Ok(engine) => engine,
            Err(error) => return fail(5, &error),
        };
        if !ask.develop.is_empty()
            && let Err(error) = engine.develop(&ask.develop)
        {
            return fail(2, &error);
        }
        if let Some(user) = &ask.user {
            request.identity = engine.named(user);
        }
        let shown = if ask.json { Shown::json() } else { Shown::text() };
        let Followed { reply, written, .. } = follow(&engine, request, shown, asks, std::future::pending()).await;
        engine.settle().await;
        let code = reply.error.as_ref().map_or(0, |error| error.kind().exit());
        if let Some(folder) = &files
            && let Err(error) = write(folder, &reply.attached)
        {
            return fail(1, &error);
        }
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
