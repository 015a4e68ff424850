//! A person with a real client: irssi, in a terminal of its own, talks to the bot in the room and in private.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::peer::Peer;
use super::servers::Inspircd;
use super::{LIMIT, bot};

/// irssi in a pseudo-terminal; what it shows goes to a file.
struct Irssi {
    child: Child,
    dir: tempfile::TempDir,
}

impl Irssi {
    fn start(port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().display();
        let screen = fs::File::create(dir.path().join("screen")).unwrap();
        let child = Command::new("script")
            .args(["-qfc", &format!("irssi --home={home} -c 127.0.0.1 -p {port} -n human"), "/dev/null"])
            .envs([("TERM", "xterm"), ("LC_ALL", "C.UTF-8")])
            .stdin(Stdio::piped())
            .stdout(screen.try_clone().unwrap())
            .stderr(screen)
            .spawn()
            .expect("install irssi and bsdutils: run tests/setup");
        Self { child, dir }
    }

    fn types(&mut self, line: &str) {
        let _closed = self.child.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes());
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.path().join("screen")).unwrap()).into_owned()
    }

    /// Waits until it shows this, typing something again from time to time if asked to.
    async fn shows(&mut self, text: &str, again: Option<&str>) {
        let start = Instant::now();
        while !self.screen().contains(text) {
            assert!(start.elapsed() < LIMIT, "install irssi: run tests/setup; no {text:?} on {:?}", self.screen());
            if let Some(line) = again {
                self.types(line);
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

impl Drop for Irssi {
    fn drop(&mut self) {
        self.types("/quit");
        drop(self.child.stdin.take());
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[tokio::test]
async fn a_person_with_irssi_gets_answers() {
    let server = Inspircd::start().await;
    let bot = bot(&server.address(), "tls = false\nflood = { burst = 0 }");
    bot.joined().await;
    let mut watcher = Peer::join(server.port, "watcher", "#ops").await;
    let mut irssi = Irssi::start(server.port);
    irssi.shows("[#ops]", Some("/join #ops")).await;
    watcher.expect(":human!").await;
    irssi.types("pipit: who");
    assert_eq!(watcher.hears("pipit").await, "human is None");
    irssi.shows("human is None", None).await;
    irssi.types("/query pipit");
    irssi.types("lines 2");
    irssi.shows("line 1", None).await;
    irssi.types("/window goto #ops");
    // what tab completion makes of the name
    irssi.types("pipit: say größer 😀");
    assert_eq!(watcher.hears("pipit").await, "größer 😀");
}
