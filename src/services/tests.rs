//! The services over a real socket: what is answered, to whom, and until when.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pipit_commands::{Error, ErrorKind, Pass};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Line, Services, Session};
use crate::limits;

/// A line that may post to #ops only, and keeps what was posted.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

#[async_trait]
impl Line for Heard {
    async fn send(&self, command: &str, to: &str, text: &str) -> Result<(), Error> {
        match to {
            "#ops" => {
                self.0.lock().unwrap().push(format!("{command} {text}"));
                Ok(())
            }
            "#secret" => Err(Error::new(ErrorKind::Denied, "bob may not post to #secret")),
            _ => Err(Error::refused("there is no such place")),
        }
    }
}

/// Sends a request as it stands; gives the status and the body.
async fn raw(port: u16, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn ask(pass: &Pass, request: &str, body: &str) -> (u16, String) {
    let (token, length) = (&pass.token, body.len());
    let head = "HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json";
    let (method, path) = request.split_once(' ').unwrap();
    let text = format!(
        "{method} /v1/services/{path} {head}\r\nAuthorization: pipeline {token}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    raw(pass.port, &text).await
}

fn open(services: &Services, line: &Arc<Heard>) -> Session {
    let line = Arc::downgrade(line) as std::sync::Weak<dyn Line>;
    services.session(line).unwrap()
}

#[tokio::test]
async fn requests_and_their_answers() {
    let (services, line) = (Services::default(), Arc::new(Heard::default()));
    let session = open(&services, &line);
    let pass = session.pass(&"tell:say".into()).unwrap();
    let send = "POST chat/1.0.0/send_message";
    let long = "k".repeat(limits::MEMORY_KEY + 1);
    let large = format!("\"{}\"", "x".repeat(limits::SERVICE_BODY));
    for (request, body, status, part) in [
        ("GET memory/1.0.0/a", "", 404, r#"{"error":"key not found"}"#),
        ("POST memory/1.0.0/a", r#"{"op":"accum","value":1}"#, 200, "[1]"),
        ("POST memory/1.0.0/a", r#"{"op":"join","value":[2]}"#, 200, "[1,2]"),
        ("POST memory/1.0.0/a", r#"{"op":"join","value":2}"#, 422, "list"),
        ("POST memory/1.0.0/a", r#"{"op":"replace","value":2}"#, 400, "PUT"),
        ("POST memory/1.0.0/a", r#"{"op":"accum"}"#, 400, "value"),
        ("POST memory/1.0.0/a", "[]", 400, "object"),
        ("PUT memory/1.0.0/a%20b", "12345678901234567", 200, "12345678901234567"),
        ("GET memory/1.0.0/a%20b", "", 200, "12345678901234567"),
        ("PUT memory/1.0.0/a", "{", 400, "no JSON"),
        ("PUT memory/1.0.0/a", &large, 413, ""),
        (&format!("PUT memory/1.0.0/{long}"), "1", 400, "256 bytes"),
        ("DELETE memory/1.0.0/a", "", 200, "[1,2]"),
        ("DELETE memory/1.0.0/a", "", 404, "key not found"),
        ("PATCH memory/1.0.0/a", "", 405, ""),
        (send, r##"{"destination":"#ops","message":"hi"}"##, 200, r#"{"status":"sent"}"#),
        (send, r##"{"destination":"#secret","message":"hi"}"##, 403, "may not post"),
        (send, r##"{"destination":"#gone","message":"hi"}"##, 404, "no such place"),
        (send, r##"{"destination":"#ops"}"##, 400, "message"),
        ("GET meta", "", 200, r#""name":"memory""#),
        ("GET meta/deployed/chat", "", 200, r#"{"name":"chat","version":"1.0.0"}"#),
        ("GET meta/deployed/exec", "", 404, "no such service"),
        ("POST approve", "{}", 404, "no such service"),
    ] {
        let (code, answer) = ask(&pass, request, body).await;
        assert!(code == status && answer.contains(part), "{request} {body:.60}: {code} {answer}");
    }
    assert_eq!(*line.0.lock().unwrap(), ["tell:say hi"]);
}

#[tokio::test]
async fn a_token_is_of_one_line_and_dies_with_it() {
    let (services, line) = (Services::default(), Arc::new(Heard::default()));
    let (one, other) = (open(&services, &line), open(&services, &line));
    let [a, b] = ["tell:say", "tell:env"].map(|command| one.pass(&command.into()).unwrap());
    let c = other.pass(&"tell:say".into()).unwrap();
    assert!(a.token != b.token && a.token != c.token && a.token == one.pass(&"tell:say".into()).unwrap().token);
    assert_eq!(ask(&a, "PUT memory/1.0.0/k", "1").await.0, 200);
    // the commands of a line share its memory, and no other line has it
    assert_eq!(ask(&b, "GET memory/1.0.0/k", "").await, (200, "1".to_owned()));
    assert_eq!(ask(&c, "GET memory/1.0.0/k", "").await.0, 404);
    drop(one);
    assert_eq!(ask(&a, "GET memory/1.0.0/k", "").await.0, 401);
    assert_eq!(ask(&b, "GET meta", "").await.0, 401);
    assert_eq!(ask(&c, "GET meta", "").await.0, 200);
    // nor does anything else let in
    for header in ["", "Authorization: pipeline\r\n", "Authorization: Bearer x\r\n", "Authorization: pipeline x\r\n"] {
        let text = format!("GET /v1/services/meta HTTP/1.1\r\nHost: a\r\n{header}Connection: close\r\n\r\n");
        assert_eq!(raw(c.port, &text).await.0, 401, "{header}");
    }
    // a line that is gone posts nothing, though its session is still there
    drop(line);
    let message = r##"{"destination":"#ops","message":"hi"}"##;
    assert_eq!(ask(&c, "POST chat/1.0.0/send_message", message).await.0, 401);
    drop((other, services));
    tokio::task::yield_now().await;
    assert!(TcpStream::connect(("127.0.0.1", c.port)).await.is_err());
}

#[tokio::test]
async fn a_line_makes_so_many_requests() {
    let (services, line) = (Services::default(), Arc::new(Heard::default()));
    let session = open(&services, &line);
    let pass = session.pass(&"tell:say".into()).unwrap();
    session.shared.requests.store(limits::SERVICE_REQUESTS - 1, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(ask(&pass, "GET meta", "").await.0, 200);
    let (code, answer) = ask(&pass, "GET meta", "").await;
    assert!(code == 429 && answer.contains("20000 requests"), "{code} {answer}");
}
