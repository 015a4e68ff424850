//! Programs of the site's own, such as those that `pipit.toml` names: one is given a text and may give one back. They are the
//! operator's and run with the operator's rights, in no sandbox. Deliberately absent: any part of a line in their arguments.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::limits::{SITE_OUTPUT, SITE_TIME};

/// A program with all that it is started with.
pub(super) struct Program<'a> {
    /// Its name or path, and its arguments.
    pub(super) words: &'a [String],
    /// What it reads on standard input.
    pub(super) input: &'a [u8],
    /// The folder that it starts in; none for that of the shell.
    pub(super) folder: Option<&'a Path>,
    /// What it finds in its environment beside `PATH`, `HOME`, `LANG` and `TZ`.
    pub(super) variables: &'a [(&'a str, &'a str)],
    /// The most bytes it may write on standard output.
    pub(super) most: usize,
    /// How long it may take.
    pub(super) time: Duration,
}

/// Runs a program, its arguments behind it, with `input` on its standard input, and gives what it writes on standard output.
/// Blocks, as long as it may take at most. The error says which program and what went wrong; it holds what the program wrote
/// on standard error and nothing of the input or the output.
pub(crate) fn ask_program(words: &[String], input: &[u8]) -> Result<Vec<u8>, String> {
    program(&Program { words, input, folder: None, variables: &[], most: SITE_OUTPUT, time: SITE_TIME })
}

/// The same with other bounds.
pub(super) fn program(asked: &Program) -> Result<Vec<u8>, String> {
    let Some((program, args)) = asked.words.split_first() else { return Err("no program is named".into()) };
    let name = Path::new(program).file_name().map_or(program.as_str(), |name| name.to_str().unwrap_or(program));
    let failed = |why: String| format!("{name}: {why}");
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_clear();
    for name in ["PATH", "HOME", "LANG", "TZ"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command.envs(asked.variables.iter().copied());
    if let Some(folder) = asked.folder {
        command.current_dir(folder);
    }
    let mut child = command.spawn().map_err(|error| failed(format!("it cannot be started: {error}")))?;
    let (said, heard) = channel();
    let (pipes, input) = ((child.stdin.take(), child.stdout.take(), child.stderr.take()), asked.input.to_owned());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else { return Err(failed("it has no pipes".into())) };
    // each end in a thread of its own: none waits for another, and none outlives the program by long
    thread::spawn(move || {
        // a program that does not want it all is free not to
        let _wanted = stdin.write_all(&input);
    });
    let most = asked.most;
    let errors = thread::spawn(move || bounded(stderr, SITE_OUTPUT));
    thread::spawn(move || said.send(bounded(stdout, most)));
    let status = wait(&mut child, asked.time).map_err(failed)?;
    let errors = || errors.join().unwrap_or_default();
    let output = heard.recv_timeout(asked.time).map_err(|_| failed("its output did not end".into()))?;
    // nobody reads on beyond the bound, which is how such a program ends
    if output.len() > most {
        return Err(failed(format!("it wrote more than {most} bytes")));
    }
    if !status.success() {
        let errors = String::from_utf8_lossy(&errors()).trim().to_owned();
        return Err(failed(format!("it ended with {status}{}{errors}", if errors.is_empty() { "" } else { ": " })));
    }
    Ok(output)
}

/// The output, with one byte beyond the bound if there is more.
fn bounded(pipe: impl std::io::Read, most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    // what came until an error came all the same
    let _end = pipe.take(most as u64 + 1).read_to_end(&mut bytes);
    bytes
}

fn wait(child: &mut Child, time: Duration) -> Result<std::process::ExitStatus, String> {
    let end = Instant::now() + time;
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < end => thread::sleep(pause),
            Ok(None) => {
                // it may end this very moment, which does as well
                let _gone = child.kill();
                let _gone = child.wait();
                return Err(format!("it did not end within {} s", time.as_secs()));
            }
            Err(error) => return Err(format!("its end cannot be waited for: {error}")),
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::ask_program;

    #[test]
    fn a_program_is_given_a_text_and_gives_one_back() {
        let words = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(ask_program(&words("cat"), b"abc\n").unwrap(), b"abc\n");
        assert_eq!(ask_program(&words("true"), "x".repeat(1 << 20).as_bytes()).unwrap(), b"");
        let failed = ask_program(&words("sh|-c|echo why >&2; exit 3"), b"seed").unwrap_err();
        assert!(failed.contains("sh: it ended with exit status: 3: why") && !failed.contains("seed"), "{failed}");
        assert!(ask_program(&words("no-such-program"), b"").unwrap_err().contains("cannot be started"));
        assert!(ask_program(&words("head|-c|2000000|/dev/zero"), b"").unwrap_err().contains("more than"));
    }
}
