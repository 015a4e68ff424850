//! One person on the network: says lines and waits for the answers.

use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// A connection with a nick.
pub(crate) struct Peer {
    read: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
    line: String,
}

impl Peer {
    /// Connects and takes a nick.
    pub(crate) async fn open(port: u16, nick: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server takes connections");
        stream.set_nodelay(true).expect("a socket");
        let (read, write) = stream.into_split();
        let mut peer = Self { read: BufReader::new(read), write, line: String::new() };
        peer.send(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n")).await;
        peer.expect(" 001 ").await;
        peer
    }

    /// The same, and goes to a room.
    pub(crate) async fn join(port: u16, nick: &str, room: &str) -> Self {
        let mut peer = Self::open(port, nick).await;
        peer.send(&format!("JOIN {room}\r\n")).await;
        peer.expect(" 366 ").await;
        peer
    }

    /// Sends what is given, in one piece.
    pub(crate) async fn send(&mut self, lines: &str) {
        self.write.write_all(lines.as_bytes()).await.expect("the server listens");
    }

    /// Waits for a line with something in it.
    pub(crate) async fn expect(&mut self, wanted: &str) {
        let limit = Duration::from_secs(20);
        let found = tokio::time::timeout(limit, self.find(wanted)).await;
        found.unwrap_or_else(|_| panic!("nothing with {wanted:?} within {limit:?}; the last line: {}", self.line));
    }

    async fn find(&mut self, wanted: &str) {
        loop {
            self.line.clear();
            let read = self.read.read_line(&mut self.line).await.expect("text");
            assert!(read > 0, "the server hung up");
            // our own late acknowledgement would make the server wait with the next line, and be taken for the bot's
            let _slower = rustix::net::sockopt::set_tcp_quickack(self.read.get_ref().as_ref(), true);
            if self.line.starts_with("PING") {
                self.write.write_all(b"PONG :here\r\n").await.expect("the server listens");
            }
            if self.line.contains(wanted) {
                return;
            }
        }
    }

    /// Asks in the room and waits for the answer, in seconds. Somebody else may say something just before.
    pub(crate) async fn ask(&mut self, prefix: &str, number: usize, chatter: Option<&mut Peer>) -> f64 {
        if let Some(other) = chatter {
            other.send("PRIVMSG #bench :as I was saying\r\n").await;
        }
        let line = format!("PRIVMSG #bench :{prefix}echo hi {number}\r\n");
        let began = Instant::now();
        self.send(&line).await;
        self.expect(&format!(" PRIVMSG #bench :hi {number}\r\n")).await;
        began.elapsed().as_secs_f64()
    }

    /// Asks a bot in a direct message and waits for the answer.
    pub(crate) async fn ask_alone(&mut self, bot: &str) {
        let prefix = if bot == "pipit" { '!' } else { '?' };
        self.send(&format!("PRIVMSG {bot} :{prefix}echo hi\r\n")).await;
        // whoever is answered often hears notices, which no bot answers
        self.expect(":hi\r\n").await;
    }
}
