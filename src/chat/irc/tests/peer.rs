//! Somebody on the network: a raw client that says and expects lines.

use std::time::Duration;

use base64::Engine;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::LIMIT;

/// One connection.
pub(super) struct Peer {
    stream: BufReader<TcpStream>,
}

impl Peer {
    pub(super) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(super) async fn open(port: u16) -> Self {
        Self::over(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
    }

    /// In a room, as nobody in particular.
    pub(super) async fn join(port: u16, nick: &str, room: &str) -> Self {
        let mut peer = Self::open(port).await;
        peer.send(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}")).await;
        peer.expect(" 001 ").await;
        peer.enter(room).await;
        peer
    }

    /// In a room, logged in.
    pub(super) async fn login(port: u16, nick: &str, password: &str, room: &str) -> Self {
        let mut peer = Self::open(port).await;
        peer.send(&format!("CAP LS 302\r\nNICK {nick}\r\nUSER {nick} 0 * :{nick}\r\nCAP REQ :sasl")).await;
        peer.expect(" ACK ").await;
        peer.send("AUTHENTICATE PLAIN").await;
        peer.expect("AUTHENTICATE").await;
        let credentials = base64::prelude::BASE64_STANDARD.encode(format!("\0{nick}\0{password}"));
        peer.send(&format!("AUTHENTICATE {credentials}")).await;
        peer.expect(" 903 ").await;
        peer.send("CAP END").await;
        peer.expect(" 001 ").await;
        peer.enter(room).await;
        peer
    }

    async fn enter(&mut self, room: &str) {
        self.send(&format!("JOIN {room}")).await;
        self.expect(" 366 ").await;
    }

    pub(super) async fn send(&mut self, line: &str) {
        self.bytes(format!("{line}\r\n").as_bytes()).await;
    }

    pub(super) async fn bytes(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.unwrap();
    }

    /// Says something in `#ops`.
    pub(super) async fn say(&mut self, text: &str) {
        self.send(&format!("PRIVMSG #ops :{text}")).await;
    }

    /// The next line, whatever it is; `None` at the end.
    pub(super) async fn bytes_of_line(&mut self) -> Option<Vec<u8>> {
        loop {
            let mut line = Vec::new();
            let read = self.stream.read_until(b'\n', &mut line).await;
            if read.is_err() || line.is_empty() {
                return None;
            }
            if line.starts_with(b"PING") {
                line[1] = b'O';
                self.bytes(&line).await;
                continue;
            }
            return Some(line);
        }
    }

    pub(super) async fn line(&mut self) -> Option<String> {
        let line = self.bytes_of_line().await?;
        Some(String::from_utf8(line).expect("a broken character").trim_end().to_owned())
    }

    /// The next line that holds this.
    pub(super) async fn expect(&mut self, part: &str) -> String {
        let mut seen = Vec::new();
        let found = async {
            while let Some(line) = self.line().await {
                if line.contains(part) {
                    return Some(line);
                }
                seen.push(line);
            }
            None
        };
        let found = tokio::time::timeout(LIMIT, found).await;
        let in_time = found.is_ok();
        found.ok().flatten().unwrap_or_else(|| panic!("no {part:?} (in time: {in_time}): {seen:#?}"))
    }

    /// Asserts that a line with this does not come for a while.
    pub(super) async fn expect_no(&mut self, part: &str, time: Duration) {
        let found = async {
            while let Some(line) = self.line().await {
                assert!(!line.contains(part), "{line}");
            }
        };
        let _silence = tokio::time::timeout(time, found).await;
    }

    /// What the bot says next, and where to: the text behind the frame.
    pub(super) async fn hears(&mut self, from: &str) -> String {
        loop {
            let line = self.expect(&format!(":{from}!")).await;
            let line = if line.starts_with('@') { line.split_once(' ').unwrap().1 } else { &line };
            if line.contains(" PRIVMSG ") || line.contains(" NOTICE ") {
                return line.splitn(4, ' ').nth(3).unwrap()[1..].to_owned();
            }
        }
    }
}
