//! The bots: Pipit as it is served, and one that only echoes, for what the network and the kernel cost alone.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A running bot. Dropped, it is ended.
pub(crate) struct Bot {
    child: Child,
    nick: &'static str,
}

impl Bot {
    /// `pipit serve` with a home.
    pub(crate) fn pipit(home: &Path, port: u16) -> Self {
        let config = home.with_extension("toml");
        let text = format!(
            "[[chat]]\nservice = 'irc'\nname = 'bench'\nserver = '127.0.0.1:{port}'\ntls = false\n\
             channels = ['#bench']\nflood = {{ burst = 0 }}\n"
        );
        fs::write(&config, text).expect("a configuration");
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipit"));
        command.arg("--home").arg(home).arg("--config").arg(config).arg("serve");
        Self::start(command, "pipit")
    }

    /// The bot below, as a process of its own.
    pub(crate) fn echoing(port: u16) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--echo", &port.to_string()]);
        Self::start(command, "echo")
    }

    fn start(mut command: Command, nick: &'static str) -> Self {
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("a bot that starts");
        Self { child, nick }
    }

    /// Its name on the network.
    pub(crate) fn nick(&self) -> &'static str {
        self.nick
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// A size that the kernel keeps of it, in MiB: `VmRSS` now, `VmHWM` the most so far.
    pub(crate) fn memory(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a size");
        let size: f64 = line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a number");
        size / 1024.0
    }

    /// The time of processors that it has used, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).expect("a number");
        (ticks(11) + ticks(12)) / 100.0
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        // it may have ended already
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Says back whatever follows `?echo `, where it was said. It remembers nothing and asks nobody.
pub(crate) async fn echo(port: u16) {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server takes connections");
    stream.set_nodelay(true).expect("a socket");
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::with_capacity(64 * 1024, read);
    write.write_all(b"NICK echo\r\nUSER echo 0 * :echo\r\n").await.expect("the server listens");
    let mut line = String::new();
    let mut out = String::new();
    loop {
        line.clear();
        if read.read_line(&mut line).await.expect("text") == 0 {
            return;
        }
        let _slower = rustix::net::sockopt::set_tcp_quickack(read.get_ref().as_ref(), true);
        let mut words = line.trim_end().splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("PING"), Some(token), ..) => out.extend(["PONG ", token, "\r\n"]),
            (Some(_), Some("001"), ..) => out.push_str("JOIN #bench\r\n"),
            (Some(from), Some("PRIVMSG"), Some(target), Some(text)) => {
                let nick = from.trim_start_matches(':').split('!').next().unwrap_or_default();
                let target = if target.starts_with('#') { target } else { nick };
                if let Some(said) = text.strip_prefix(":?echo ") {
                    out.extend(["PRIVMSG ", target, " :", said, "\r\n"]);
                }
            }
            _ => {}
        }
        // one write for all that came in one piece
        if !out.is_empty() && read.buffer().is_empty() {
            write.write_all(out.as_bytes()).await.expect("the server listens");
            out.clear();
        }
    }
}
