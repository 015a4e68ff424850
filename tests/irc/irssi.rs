//! A person with irssi, in a terminal of its own.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::home::{Beside, PATIENCE, tool};

/// irssi; what it shows goes to a file.
pub(crate) struct Irssi {
    terminal: Beside,
    dir: tempfile::TempDir,
}

impl Irssi {
    /// Logged in by SASL as the account of the nick, and in a room.
    pub(crate) fn login(port: u16, nick: &str, password: &str, room: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = format!(
            "servers = ( {{ address = \"127.0.0.1\"; chatnet = \"test\"; port = \"{port}\"; autoconnect = \"yes\"; }} );\n\
             chatnets = {{ test = {{ type = \"IRC\"; nick = \"{nick}\"; sasl_mechanism = \"PLAIN\"; \
             sasl_username = \"{nick}\"; sasl_password = \"{password}\"; }}; }};\n\
             channels = ( {{ name = \"{room}\"; chatnet = \"test\"; autojoin = \"yes\"; }} );\n\
             settings = {{ \"irc/core\" = {{ cmd_queue_speed = \"10msec\"; cmds_max_at_once = \"100\"; }}; }};\n"
        );
        fs::write(dir.path().join("config"), config).unwrap();
        let screen = fs::File::create(dir.path().join("screen")).unwrap();
        let irssi = format!("{} --home={}", tool("irssi").display(), dir.path().display());
        let mut command = Command::new(tool("script"));
        command.args(["-qfc", &irssi, "/dev/null"]).envs([("TERM", "xterm"), ("LC_ALL", "C.UTF-8")]);
        Self { terminal: Beside::start(command.stdin(Stdio::piped()).stdout(screen)), dir }
    }

    /// Types a line and the return key.
    pub(crate) fn types(&mut self, line: &str) {
        self.terminal.types(&format!("{line}\n"));
    }

    /// Waits until it shows this.
    pub(crate) fn shows(&self, text: &str) {
        let mut screen = String::new();
        let end = Instant::now() + PATIENCE;
        while !screen.contains(text) {
            assert!(Instant::now() < end, "no {text:?} in irssi: {screen}");
            std::thread::sleep(Duration::from_millis(50));
            screen = String::from_utf8_lossy(&fs::read(self.dir.path().join("screen")).unwrap()).into_owned();
        }
    }
}

impl Drop for Irssi {
    fn drop(&mut self) {
        self.types("/quit");
        drop(self.terminal.child().stdin.take());
        self.terminal.ends();
    }
}
