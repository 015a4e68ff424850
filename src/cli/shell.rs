//! `pipit shell`: a room of one's own in the terminal. In a home made for development one may also play other people
//! in other rooms.
//!
//! Deliberately absent: what a line means, and who may run it: the engine judges here as everywhere.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use pipit_grammar::rule::{Place, Via};
use tokio::runtime::Runtime;

use super::shown::{Asks, Shown, follow};
use super::{Home, fail, show, tell};
use crate::access::Identity;
use crate::engine::{Engine, Question, Request, SHELL};
use crate::render;

mod edit;

/// Who is at the keyboard, and where.
struct Seat {
    identity: Identity,
    place: Place,
    /// What the last line lacks: the next line is that word.
    question: Option<Question>,
}

impl Seat {
    fn prompt(&self) -> String {
        if let Some(question) = &self.question {
            return format!("{}? ", question.name());
        }
        let who = match &self.identity {
            Identity::Operator => "operator",
            Identity::Named(name) | Identity::Account(name) | Identity::Stranger(name) => name,
        };
        match &self.place {
            Place::Dm => format!("{who}> "),
            Place::Room(room) => format!("{who} #{room}> "),
        }
    }
}

/// Reads lines and answers them until the end.
pub(super) fn shell(home: &Home, development: Option<&[PathBuf]>) -> ExitCode {
    let made = match development {
        None => Ok(()),
        // a bundle is worked on in a home that is in use, too
        Some([_, ..]) if home.database().exists() => Ok(()),
        Some(_) => home.develop(),
    };
    if let Err(error) = made {
        return fail(2, &error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(5, &format!("the runtime does not start: {error}")),
    };
    let engine = match home.open() {
        Ok(engine) => engine,
        Err(error) => return fail(5, &error),
    };
    if let Some(folders @ [_, ..]) = development {
        // what is wrong can be mended while the shell runs
        match runtime.block_on(async { engine.develop(folders) }) {
            Ok(()) => {
                for folder in folders {
                    tell(&format_args!("{} is enabled here, and read again when its files change", folder.display()));
                }
            }
            Err(error) => tell(&render::error(&error, "")),
        }
    }
    runtime.spawn(engine.clone().keep_time());
    let mut seat = Seat { identity: Identity::Operator, place: Place::Dm, question: None };
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let play = home.is_for_development();
    let read = if terminal {
        typed(home, &engine, &runtime, &mut seat, play)
    } else {
        script(&engine, &runtime, &mut seat, play)
    };
    // what waits for its next call is ended
    runtime.block_on(engine.settle());
    match read {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(1, &error),
    }
}

/// Takes lines as they are typed, with completion.
fn typed(home: &Home, engine: &Engine, runtime: &Runtime, seat: &mut Seat, play: bool) -> Result<(), String> {
    show(&format_args!("pipit {}: help shows what there is, /quit ends", env!("CARGO_PKG_VERSION")));
    if play {
        show(&format_args!("a home for development: /as USER, /as (the operator), /in #ROOM, /in (a direct message)"));
    }
    let mut editor = edit::Editor::new(home.path());
    loop {
        let (inside, identity, place) = (engine.clone(), seat.identity.clone(), seat.place.clone());
        let complete = move |line: &str, at: usize| {
            // a store that cannot be read is told of when the line is run
            inside.complete(&identity, (SHELL, &place), line, at).unwrap_or_default()
        };
        match editor.line(&seat.prompt(), Box::new(complete))? {
            Some(line) if turn(engine, runtime, seat, play, &line) => {}
            Some(_) | None => return Ok(()),
        }
    }
}

/// Takes lines from standard input.
fn script(engine: &Engine, runtime: &Runtime, seat: &mut Seat, play: bool) -> Result<(), String> {
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("standard input: {error}"))?;
        if !turn(engine, runtime, seat, play, &line) {
            break;
        }
    }
    Ok(())
}

/// The name of a room as it is typed, its `#` left away.
fn room(typed: &str) -> Option<&str> {
    let name = typed.strip_prefix('#').unwrap_or(typed);
    let good = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    good.then_some(name)
}

/// Takes a line; false ends the shell.
fn turn(engine: &Engine, runtime: &Runtime, seat: &mut Seat, play: bool, line: &str) -> bool {
    let line = line.trim();
    let terminal = std::io::stdin().is_terminal();
    if let Some(question) = seat.question.take()
        && !line.starts_with('/')
    {
        if line.is_empty() || line.eq_ignore_ascii_case("cancel") {
            show(&format_args!("cancelled; nothing ran"));
        } else {
            runtime.block_on(answer(engine, seat, &question.completed(line), terminal));
        }
        return true;
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "" => {}
        "/quit" | "/exit" => return false,
        // whoever types this in a terminal means the terminal, and no command has the name
        "exit" | "quit" | "logout" if rest.is_empty() => return false,
        "/as" | "/in" if !play => {
            tell(&format_args!(
                "error: {word} works in a home made for development only: pipit shell --dev --home DIR"
            ));
        }
        "/as" if rest.is_empty() => seat.identity = Identity::Operator,
        "/as" => {
            let identity = engine.named(rest);
            match engine.knows(&identity) {
                Ok(()) => seat.identity = identity,
                Err(error) => tell(&render::error(&error, line)),
            }
        }
        "/in" if rest.is_empty() => seat.place = Place::Dm,
        "/in" => match room(rest) {
            Some(name) => seat.place = Place::room(name),
            None => tell(&format_args!("error: {rest:?} is no room's name: letters, digits, ., _ and -, such as #ops")),
        },
        _ if word.starts_with('/') => tell(&format_args!("error: there is no {word}; there are /as, /in and /quit")),
        _ => {
            for looked in runtime.block_on(async { engine.look_again() }).unwrap_or_else(|error| vec![Err(error)]) {
                match looked {
                    Ok(said) => tell(&format_args!("note: {said}")),
                    Err(error) => tell(&render::error(&error, "")),
                }
            }
            runtime.block_on(answer(engine, seat, line, terminal));
            if let Some(waiting) = engine.waiting(&seat.identity) {
                tell(&format_args!("note: {waiting}"));
            }
        }
    }
    true
}

/// Runs a line; an interrupt stops it. What it lacks is asked for where somebody sits: a script's next line is no answer.
async fn answer(engine: &Engine, seat: &mut Seat, line: &str, terminal: bool) {
    let asks = if terminal { Asks::All } else { Asks::Nobody };
    let request = Request {
        text: line.to_owned(),
        identity: seat.identity.clone(),
        service: "shell".into(),
        place: seat.place.clone(),
        address: None,
        via: Via::Chat,
        cause: matches!(seat.identity, Identity::Named(_)).then_some("operator"),
        input: None,
        life: None,
        asks: None,
    };
    let stop = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let followed = follow(engine, request, Shown::text(), asks, stop).await;
    if let Err(error) = followed.written {
        tell(&format_args!("error: {error}"));
    }
    if let Some(question) = &followed.question {
        show(&format_args!("{} cancel stops", question.text()));
    }
    seat.question = followed.question;
}
