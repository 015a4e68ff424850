//! The way out of an isolated program's network: an HTTP proxy of the shell's, which takes `CONNECT` for everything and
//! whole addresses for plain HTTP. The listener was made in that network, so nobody but that run reaches it.
//!
//! Who it may talk to is what its manifest names and what the site has set, and of that only what the shell itself would
//! connect to. Deliberately absent: that second judgement, which comes in as [`Dial`], and looking into what is said.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pipit_commands::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::contain;
use super::control::{Hear, warn};
use crate::scrub;

/// The most connections of a run at once; more wait.
const CONNECTIONS: usize = 64;
/// The longest head of a request, in bytes.
const HEAD: usize = 16 * 1024;
/// The most lines of a head.
const HEADERS: usize = 100;
/// How long a program has to say where it wants to go.
const ASKING: Duration = Duration::from_secs(30);
/// How many refused places are told of; the program is told of each.
const TOLD: usize = 10;

/// Connects to a host and port as the shell would itself; the error says why it would not.
pub(crate) type Dial =
    Arc<dyn Fn(String, u16) -> Pin<Box<dyn Future<Output = Result<TcpStream, Error>> + Send>> + Send + Sync>;

/// A place that a program may connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// A name or an address, in lower case.
    host: String,
    /// Whether it stands for all names below it, and not for itself.
    below: bool,
    port: u16,
}

impl Endpoint {
    /// Reads `host:port` or `*.host:port`; an address of version 6 stands in brackets.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let (host, below) = host.strip_prefix("*.").map_or((host, false), |host| (host, true));
        Some(Self { host: plain(host), below, port: port.parse().ok().filter(|port| *port > 0)? })
    }

    fn has(&self, host: &str, port: u16) -> bool {
        let named = if self.below {
            host.strip_suffix(&self.host).is_some_and(|before| before.len() > 1 && before.ends_with('.'))
        } else {
            host == self.host
        };
        named && port == self.port
    }
}

/// A host as it is compared: without brackets, the dot of the root, and case.
fn plain(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// What is needed to let a program out.
pub(super) struct Gate {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) dial: Dial,
    pub(super) hear: Hear,
}

/// Takes the listener from the door and serves until it is dropped.
pub(super) async fn serve(door: UnixStream, gate: Gate) {
    let take = || contain::receive(door.as_fd());
    let Ok(listener) = door.async_io(Interest::READABLE, take).await.and_then(listen) else { return };
    let gate = Arc::new(Told { gate, told: Mutex::default() });
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        if open.len() >= CONNECTIONS {
            open.join_next().await;
        }
        let gate = Arc::clone(&gate);
        open.spawn(async move {
            // the program sees the end of its connection, and needs to be told no more
            let _ = gate.pass(stream).await;
        });
    }
}

fn listen(listener: OwnedFd) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::from(listener);
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

struct Told {
    gate: Gate,
    /// The refused places that were told of.
    told: Mutex<BTreeSet<(String, u16)>>,
}

impl Told {
    async fn pass(&self, mut client: TcpStream) -> io::Result<()> {
        let asked = timeout(ASKING, ask(&mut client)).await.unwrap_or(Err("408 Request Timeout"));
        let Asked { host, said, port, first } = match asked {
            Ok(asked) => asked,
            Err(status) => {
                return refuse(&mut client, status, "this is a way out for HTTP, by CONNECT or whole address").await;
            }
        };
        let mut server = match self.connect(&host, port).await {
            Ok(server) => server,
            Err(Refused { status, why }) => {
                // a secret is known as it was written
                let why = if said == host { why } else { why.replace(&host, &said) };
                self.tell(&said, port, &why);
                return refuse(&mut client, status, &why).await;
            }
        };
        match first {
            First::Tunnel(rest) => {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                server.write_all(&rest).await?;
            }
            First::Request(request) => server.write_all(&request).await?,
        }
        copy_bidirectional(&mut client, &mut server).await.map(drop)
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Refused> {
        if !self.gate.endpoints.iter().any(|one| one.has(host, port)) {
            let why = format!("{host}:{port} is not among needs.network of the bundle's manifest");
            return Err(Refused { status: "403 Forbidden", why });
        }
        (self.gate.dial)(host.to_owned(), port).await.map_err(|error| {
            let status = match error.kind() {
                pipit_commands::ErrorKind::Denied => "403 Forbidden",
                _ => "502 Bad Gateway",
            };
            Refused { status, why: error.to_string() }
        })
    }

    fn tell(&self, host: &str, port: u16, why: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD && told.insert((host.to_owned(), port)) {
            (self.gate.hear)(warn(format!("it was not connected: {why}")));
        }
    }
}

struct Refused {
    status: &'static str,
    why: String,
}

async fn refuse(client: &mut TcpStream, status: &str, why: &str) -> io::Result<()> {
    let length = why.len() + 1;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    client.write_all(format!("{head}{why}\n").as_bytes()).await
}

/// Where a program wants to go.
struct Asked {
    host: String,
    /// The host as it was written, without secrets, for whoever is told of it.
    said: String,
    port: u16,
    first: First,
}

enum First {
    /// What came behind the request already.
    Tunnel(Vec<u8>),
    /// The request as the server is to see it, with what came behind.
    Request(Vec<u8>),
}

async fn ask(client: &mut TcpStream) -> Result<Asked, &'static str> {
    const BAD: &str = "400 Bad Request";
    let mut head = Vec::with_capacity(1024);
    loop {
        if let Some(asked) = read(&head)? {
            return Ok(asked);
        }
        if head.len() >= HEAD {
            return Err("431 Request Header Fields Too Large");
        }
        match client.read_buf(&mut head).await {
            Ok(0) | Err(_) => return Err(BAD),
            Ok(_) => {}
        }
    }
}

/// None while the head is not whole.
fn read(head: &[u8]) -> Result<Option<Asked>, &'static str> {
    const BAD: &str = "400 Bad Request";
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(head).map_err(|_| BAD)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let (Some(method), Some(target)) = (request.method, request.path) else { return Err(BAD) };
    let rest = head.get(length..).unwrap_or_default();
    if method == "CONNECT" {
        let (host, port) = target.rsplit_once(':').ok_or(BAD)?;
        let port = port.parse().map_err(|_| BAD)?;
        return Ok(Some(Asked { host: plain(host), said: said(host), port, first: First::Tunnel(rest.to_vec()) }));
    }
    let url = url::Url::parse(target).map_err(|_| BAD)?;
    let host = url.host_str().filter(|_| url.scheme() == "http").ok_or(BAD)?;
    let port = url.port_or_known_default().ok_or(BAD)?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut first = format!("{method} {}{query} HTTP/1.1\r\n", url.path()).into_bytes();
    // the connection leads to this server alone, so the next request comes by another one
    for header in request.headers.iter().filter(|header| !own(header.name)) {
        first.extend_from_slice(header.name.as_bytes());
        first.extend_from_slice(b": ");
        first.extend_from_slice(header.value);
        first.extend_from_slice(b"\r\n");
    }
    first.extend_from_slice(b"Connection: close\r\n\r\n");
    first.extend_from_slice(rest);
    let written = target.split_once("://").map_or(target, |(_, rest)| rest);
    let written = written.split(['/', '?', '#']).next().unwrap_or_default();
    let written = written.rsplit_once('@').map_or(written, |(_, host)| host);
    let written =
        written.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(written, |(host, _)| host);
    Ok(Some(Asked { host: plain(host), said: said(written), port, first: First::Request(first) }))
}

/// A host as it is told of: one that holds a secret as it was written without that, any other as it is compared.
fn said(host: &str) -> String {
    let clean = scrub::text(host);
    if clean == host { plain(host) } else { clean.to_string() }
}

/// Whether a header is between the program and the way out.
fn own(name: &str) -> bool {
    ["connection", "proxy-connection", "proxy-authorization", "keep-alive"]
        .iter()
        .any(|one| name.eq_ignore_ascii_case(one))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn places_are_compared_whole() {
        for (endpoint, host, port, has) in [
            ("api.example.com:443", "api.example.com", 443, true),
            ("api.example.com:443", "API.example.com.", 443, true),
            ("api.example.com:443", "api.example.com", 80, false),
            ("api.example.com:443", "evil-api.example.com", 443, false),
            ("api.example.com:443", "api.example.com.evil.test", 443, false),
            ("*.amazonaws.com:443", "ec2.eu-west-1.amazonaws.com", 443, true),
            ("*.amazonaws.com:443", "amazonaws.com", 443, false),
            ("*.amazonaws.com:443", "evilamazonaws.com", 443, false),
            ("[::1]:80", "[::1]", 80, true),
            ("127.0.0.1:80", "127.0.0.1", 80, true),
        ] {
            assert_eq!(Endpoint::read(endpoint).unwrap().has(&plain(host), port), has, "{endpoint} {host}:{port}");
        }
        for text in ["host", "host:", "host:0", "host:70000"] {
            assert_eq!(Endpoint::read(text), None, "{text}");
        }
    }

    fn asked(head: &str) -> (String, u16, String) {
        let Asked { host, port, first, .. } = read(head.as_bytes()).ok().flatten().unwrap();
        let (First::Tunnel(bytes) | First::Request(bytes)) = first;
        (host, port, String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_secret_in_a_host_is_known_as_it_was_written() {
        scrub::keep("gate-test", "AbCdEf-GateTest");
        for head in [
            "CONNECT AbCdEf-GateTest.evil.test:443 HTTP/1.1\r\n\r\n",
            "GET http://me@AbCdEf-GateTest.evil.test:81/x?y HTTP/1.1\r\n\r\n",
        ] {
            let asked = read(head.as_bytes()).ok().flatten().unwrap();
            assert_eq!(
                (asked.host.as_str(), asked.said.as_str()),
                ("abcdef-gatetest.evil.test", "[secret gate-test].evil.test")
            );
        }
        let asked = read(b"GET http://API.test/ HTTP/1.1\r\n\r\n").ok().flatten().unwrap();
        assert_eq!(asked.said, "api.test");
    }

    #[test]
    fn requests_are_read() {
        assert_eq!(asked("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\nhi"), ("a.test".into(), 443, "hi".into()));
        assert_eq!(asked("CONNECT [::1]:1 HTTP/1.0\r\n\r\n"), ("::1".into(), 1, String::new()));
        let plain = "GET http://A.test:81/x?y=1#z HTTP/1.1\r\nHost: A.test:81\r\nProxy-Connection: keep-alive\r\n\r\n";
        let request = "GET /x?y=1 HTTP/1.1\r\nHost: A.test:81\r\nConnection: close\r\n\r\n";
        assert_eq!(asked(plain), ("a.test".into(), 81, request.into()));
        assert_eq!(asked("GET http://a.test HTTP/1.1\r\n\r\n").2, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
        assert!(read(b"CONNECT a.test:443 HTTP/1.1\r\n").is_ok_and(|asked| asked.is_none()));
        for bad in
            ["GET / HTTP/1.1\r\n\r\n", "CONNECT a HTTP/1.1\r\n\r\n", "GET https://a/ HTTP/1.1\r\n\r\n", "\x01\r\n\r\n"]
        {
            assert!(read(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
