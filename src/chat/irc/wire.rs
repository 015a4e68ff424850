//! The bytes: a connection in the clear or under TLS, read in large pieces, written in one.
//!
//! Every read switches quick acknowledgement on again: a server that sends a line of talk and then a command would
//! otherwise hold the command back until our kernel's delayed acknowledgement of the talk, 40 ms later.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::chat::session::Ended;
use crate::chat::tls;

/// Bytes read at once at most.
const READ: usize = 64 * 1024;
/// The longest line believed: tags of 8191 bytes and 512 of the line are the protocol's own limit.
const LINE: usize = 16 * 1024;

/// A connected socket.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Connects to `host:port`, under TLS if asked to.
    pub(super) async fn open(server: &str, tls: bool, ca_file: Option<&Path>) -> Result<Self, Ended> {
        let tcp = TcpStream::connect(server)
            .await
            .map_err(|error| Ended::Lost(format!("no connection to {server}: {error}")))?;
        tcp.set_nodelay(true)?;
        if !tls {
            return Ok(Self::Plain(tcp));
        }
        let connector = tls::connector(ca_file).map_err(Ended::Refused)?;
        let host = server.rsplit_once(':').map_or(server, |(host, _)| host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Ended::Refused(format!("server {server}: `{host}` is neither a name nor an address")))?;
        match connector.connect(name, tcp).await {
            Ok(stream) => Ok(Self::Tls(Box::new(stream))),
            Err(error) => Err(Ended::Lost(format!("no TLS with {server}: {error}"))),
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    pub(super) fn encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    pub(super) fn peer(&self) -> io::Result<SocketAddr> {
        self.tcp().peer_addr()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }
}

/// Bytes to be sent, in whole lines.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Lines are appended here.
    pub(super) bytes: Vec<u8>,
    sent: usize,
    flushed: bool,
}

impl Output {
    /// Bytes that the socket has not taken yet.
    pub(super) fn waiting(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn poll_send(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.bytes.len() {
            self.flushed = false;
            let wrote = ready!(stream.poll_write(cx, &self.bytes[self.sent..]))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += wrote;
        }
        self.bytes.clear();
        self.sent = 0;
        if !self.flushed {
            ready!(stream.poll_flush(cx))?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }
}

/// Bytes received, cut into lines.
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Up to here there is no line end.
    searched: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        Self { buffer: vec![0; READ + LINE], start: 0, end: 0, searched: 0 }
    }

    /// The next whole line without its end.
    pub(super) fn line(&mut self) -> Option<&[u8]> {
        let Some(length) = memchr::memchr(b'\n', &self.buffer[self.searched..self.end]) else {
            self.searched = self.end;
            return None;
        };
        let line = self.start..self.searched + length;
        self.start = line.end + 1;
        self.searched = self.start;
        Some(&self.buffer[line])
    }

    fn poll_fill(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.searched -= self.start;
            self.start = 0;
        }
        if self.end > LINE {
            return Poll::Ready(Err(io::Error::other("the server sends a line without end")));
        }
        let mut buf = ReadBuf::new(&mut self.buffer[self.end..]);
        ready!(stream.poll_read(cx, &mut buf))?;
        let read = buf.filled().len();
        if read == 0 {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up")));
        }
        self.end += read;
        // only speed hangs on it, and only some systems have it
        let _slower = rustix::net::sockopt::set_tcp_quickack(stream.tcp(), true);
        Poll::Ready(Ok(()))
    }
}

/// Sends what waits and returns when something was received, or (`more`) when all is sent. Nothing is lost when the wait
/// is given up.
pub(super) async fn turn(stream: &mut Stream, input: &mut Input, output: &mut Output, more: bool) -> io::Result<()> {
    std::future::poll_fn(|cx| match output.poll_send(stream, cx) {
        Poll::Ready(Ok(())) if more => Poll::Ready(Ok(())),
        Poll::Ready(Ok(())) | Poll::Pending => input.poll_fill(stream, cx),
        Poll::Ready(Err(error)) => match input.poll_fill(stream, cx) {
            // what the server said before it hung up tells why
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Ready(Err(error)),
        },
    })
    .await
}

/// Sends what waits, and only that.
pub(super) async fn send(stream: &mut Stream, output: &mut Output) -> io::Result<()> {
    std::future::poll_fn(|cx| output.poll_send(stream, cx)).await
}
