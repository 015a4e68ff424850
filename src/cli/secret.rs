//! `pipit secret`: the lines that set secrets, with their values asked for where nobody looks on, or read from standard
//! input. Deliberately absent: any way of a value into a line.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use pipit_commands::{Stream, Value};

use super::line::{self, Ask, Input};
use super::{Home, fail};

/// The longest value that is read, in bytes; longer ones are refused further on.
const LONGEST: u64 = 1 << 20;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Set a secret of a bundle
    Set(Spot),
    /// Give a secret that is set another value
    Rotate(Spot),
    /// Show which secrets are set, and since when
    List {
        /// Of this bundle alone
        bundle: Option<String>,
        /// A compact JSON value a line
        #[arg(long)]
        json: bool,
    },
    /// Take a secret away
    Remove(Spot),
    /// Seal all secrets anew, with another key
    RotateKey,
}

/// Which secret, and for whom.
#[derive(Args)]
pub(super) struct Spot {
    /// The bundle
    bundle: String,
    /// The setting
    key: String,
    /// For a room
    #[arg(long, conflicts_with = "user")]
    room: Option<String>,
    /// For a user
    #[arg(long)]
    user: Option<String>,
}

impl Spot {
    fn line(&self, verb: &str) -> Vec<String> {
        let mut words = vec!["secret".into(), verb.into(), self.bundle.clone(), self.key.clone()];
        words.extend(self.room.iter().map(|room| format!("--room={room}")));
        words.extend(self.user.iter().map(|user| format!("--user={user}")));
        words
    }
}

/// Does what is asked, as a line of the operator's.
pub(super) fn run(home: &Home, command: &Command) -> ExitCode {
    let (words, asks, json) = match command {
        Command::Set(spot) => (spot.line("set"), true, false),
        Command::Rotate(spot) => (spot.line("rotate"), true, false),
        Command::List { bundle, json } => {
            (["secret", "list"].map(str::to_owned).into_iter().chain(bundle.clone()).collect(), false, *json)
        }
        Command::Remove(spot) => (spot.line("remove"), false, false),
        Command::RotateKey => (vec!["secret".into(), "rotate-key".into()], false, false),
    };
    if let Some(word) =
        words.iter().find(|word| !word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=#.@".contains(&byte)))
    {
        return fail(2, &format!("{word:?} is no name"));
    }
    let input = if asks {
        match value(&words) {
            Ok(value) => Input::Given(Stream::once(Value::text(value))),
            Err(error) => return fail(1, &error),
        }
    } else {
        Input::None
    };
    line::run(
        home,
        Ask { user: None, room: None, json, files: None, input, develop: Vec::new(), line: words.join(" ") },
    )
}

/// From standard input, or typed twice where there is a terminal.
fn value(words: &[String]) -> Result<String, String> {
    let mut value = String::new();
    if !std::io::stdin().is_terminal() {
        let read = std::io::stdin().take(LONGEST).read_to_string(&mut value);
        return read.map(|_| value).map_err(|error| format!("standard input: {error}"));
    }
    let name = words.get(2..4).unwrap_or_default().join(" ");
    let ask = |prompt: String| rpassword::prompt_password(prompt).map_err(|error| format!("the terminal: {error}"));
    let typed = ask(format!("{name}: "))?;
    if ask(format!("{name}, once more: "))? != typed {
        return Err("the two are not the same; nothing was set".into());
    }
    Ok(typed)
}
