//! `http` through the binary: what servers answer as values, and that no words lead to a place that is not public.
//! The server is the test's own, on this machine, and reached since the configuration allows it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PIPIT: &str = env!("CARGO_BIN_EXE_pipit");

/// What a server was asked: the lines of the head and the body, as one text.
type Heard = Arc<Mutex<Vec<String>>>;

/// A server that answers each path in its own way, for as long as the test runs.
struct Server {
    port: u16,
    heard: Heard,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Heard::default();
        let ours = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&ours);
                std::thread::spawn(move || serve(stream, port, &log));
            }
        });
        Self { port, heard }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

fn serve(mut stream: TcpStream, port: u16, log: &Heard) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    log.lock().unwrap().push(format!("{head}{}", String::from_utf8_lossy(&body)));
    let path = head.split(' ').nth(1).unwrap_or_default();
    let _ = answer(&mut stream, path, port);
}

fn answer(stream: &mut TcpStream, path: &str, port: u16) -> std::io::Result<()> {
    let to = |place: &str| format!("302 Found\r\nLocation: {place}\r\n");
    let typed = |kind: &str| format!("200 OK\r\nContent-Type: {kind}\r\n");
    let (head, body): (String, Vec<u8>) = match path {
        "/json" => (typed("application/json; charset=utf-8"), b"{\"n\":9223372036854775807,\"l\":[1,null]}".to_vec()),
        "/problem" => (typed("Application/Problem+JSON"), b"[1,2]".to_vec()),
        "/broken" => (typed("application/json"), b"{\"n\":".to_vec()),
        "/text" => (typed("text/plain"), "grüße\n".into()),
        "/page" => (typed("text/html; charset=utf-8"), PAGE.into()),
        "/huge-page" => (typed("text/html"), "<b><p>x".repeat(300_000).into()),
        "/empty" => ("204 No Content\r\n".into(), Vec::new()),
        "/image" => (typed("image/png"), vec![0x89, 0xff, 0xfe, 0]),
        "/missing" => ("404 Not Found\r\n".into(), b"no such\n\x1b[31mthing".to_vec()),
        "/cookie" => (format!("{}Set-Cookie: a=b\r\n", to("/text")), Vec::new()),
        "/here" => (to("/json"), Vec::new()),
        "/loop" => (to("/loop"), Vec::new()),
        "/to-localhost" => (to(&format!("http://localhost:{port}/text")), Vec::new()),
        "/to-metadata" => (to("http://169.254.169.254/latest/"), Vec::new()),
        "/to-mapped" => (to(&format!("http://[::ffff:127.0.0.1]:{port}/text")), Vec::new()),
        "/to-other-port" => (to("http://127.0.0.1:9/"), Vec::new()),
        "/to-file" => (to("file:///etc/passwd"), Vec::new()),
        "/to-user" => (to(&format!("http://user@127.0.0.1:{port}/text")), Vec::new()),
        "/to-zero" => (to(&format!("http://0x7f.0.0.1:{port}/text")), Vec::new()),
        "/large" => (typed("text/plain"), vec![b'x'; (4 << 20) + 1]),
        "/bomb" => (format!("{}Content-Encoding: gzip\r\n", typed("text/plain")), bomb()),
        "/endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 16384])?;
            }
        }
        "/slow" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")?;
            for _ in 0..100 {
                stream.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(500));
            }
            return Ok(());
        }
        _ => (typed("text/plain"), path.into()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {head}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(&body)
}

/// Tags that are not closed, scripts and letters in other words, as pages have them.
const PAGE: &str = "<!doctype html><title>T</title><h1>Hello <b>W</b>orld</h1><ul id=l><li class='a b'>one<li>two \
    <a href=/x>link</a><br>next</ul><p>T<i>e</i>xt &amp; &eacute;<script>var x = '<h1>no</h1>'</script> \
    <a HREF='/y'>2</a>";

/// 64 MiB of nothing, packed small.
fn bomb() -> Vec<u8> {
    let mut child =
        Command::new("gzip").arg("-9").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("install gzip");
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for _ in 0..4096 {
            stdin.write_all(&[0; 16384]).unwrap();
        }
    });
    let packed = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    assert!(packed.len() < 200_000);
    packed
}

/// A home that allows a server.
fn home(server: &Server) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("pipit.toml"), format!("[net]\nallow = [\"127.0.0.1:{}\"]\n", server.port))
        .unwrap();
    home
}

/// What came of a line: the exit code, standard output, standard error.
fn play(home: &Path, line: &str) -> (i32, String, String) {
    let mut command = Command::new(PIPIT);
    command.args(["run", "--json", "--home"]).arg(home).args(["--", line]).stdin(Stdio::null());
    // a proxy of the surroundings is not to be asked
    command.env("http_proxy", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9");
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn answers_are_values() {
    let server = Server::start();
    let home = home(&server);
    let cases = [
        ("/json", "{\"n\":9223372036854775807,\"l\":[1,null]}\n"),
        ("/problem", "[1,2]\n"),
        ("/text", "\"grüße\\n\"\n"),
        ("/empty", ""),
        ("/here", "{\"n\":9223372036854775807,\"l\":[1,null]}\n"),
        ("/a?b=c%20d", "\"/a?b=c%20d\"\n"),
    ];
    for (path, wanted) in cases {
        let (code, said, error) = play(home.path(), &format!("http get '{}'", server.url(path)));
        assert_eq!((code, said.as_str()), (0, wanted), "{path}: {error}");
    }
    let line = format!("list {} {} | http:get | get '$[0]'", server.url("/problem"), server.url("/problem"));
    let (code, said, error) = play(home.path(), &line);
    assert_eq!((code, said.as_str()), (0, "1\n1\n"), "{error}");
}

#[test]
fn what_is_asked() {
    let server = Server::start();
    let home = home(&server);
    let url = server.url("/x");
    let ask = |line: &str| {
        let (code, _, error) = play(home.path(), line);
        assert_eq!(code, 0, "{line}: {error}");
        server.heard().pop().unwrap().to_ascii_lowercase()
    };
    let heard = ask(&format!("http get {url} --header='X-One: 1' --header 'X-Two:2'"));
    assert!(heard.starts_with("get /x http/1.1\r\n"), "{heard}");
    let agent = format!("user-agent: pipit/{}\r\n", env!("CARGO_PKG_VERSION"));
    for part in ["x-one: 1\r\n", "x-two: 2\r\n", agent.as_str()] {
        assert!(heard.contains(part), "{part} in {heard}");
    }
    let heard = ask(&format!("http post {url} --body='a b'"));
    assert!(heard.starts_with("post /x ") && heard.ends_with("\r\n\r\na b"), "{heard}");
    assert!(heard.contains("content-type: text/plain; charset=utf-8\r\n"), "{heard}");
    let heard = ask(&format!("http put {url} --json='{{\"a\": [1]}}'"));
    assert!(heard.starts_with("put /x ") && heard.ends_with("\r\n\r\n{\"a\":[1]}"), "{heard}");
    assert!(heard.contains("content-type: application/json\r\n"), "{heard}");
    let heard = ask(&format!("http put {url} --json='1' --header='Content-Type: application/x'"));
    assert!(heard.contains("content-type: application/x\r\n") && !heard.contains("application/json"), "{heard}");
    let heard = ask(&format!("http delete {url}"));
    assert!(heard.starts_with("delete /x "), "{heard}");
    // cookies are kept by nobody
    let heard = ask(&format!("http get {}", server.url("/cookie")));
    assert!(!heard.contains("cookie:"), "{heard}");
}

#[test]
fn failures_say_what_the_server_said() {
    let server = Server::start();
    let home = home(&server);
    let cases = [
        ("get", "/missing", "404 Not Found: no such [31mthing"),
        ("get", "/broken", "is no JSON"),
        ("get", "/image", "no text: 4 bytes, image/png"),
        ("get", "/loop", "more than 5 times"),
        ("get", "/to-file", "file: is not reached"),
        ("get", "/large", "larger than 4 MiB"),
        ("get", "/bomb", "larger than 4 MiB"),
        ("get", "/endless", "larger than 4 MiB"),
        ("post", "/here", "302 Found"),
    ];
    for (method, path, wanted) in cases {
        let (code, said, error) = play(home.path(), &format!("http {method} {}", server.url(path)));
        assert_eq!((code, said.as_str()), (1, ""), "{path}: {error}");
        assert!(error.contains(wanted), "{path}: {error}");
    }
    let (code, _, error) = play(home.path(), "http get http://127.0.0.1:1/");
    assert_eq!(code, 3, "{error}");
    let url = server.url("/x");
    for bad in ["--header=x", "--header='a b: c'", "--header='Host: other'", "--header=\"A: b\\nC: d\""] {
        let (code, _, error) = play(home.path(), &format!("http get {url} {bad}"));
        assert_eq!(code, 1, "{bad}: {error}");
        assert!(error.contains("no header"), "{bad}: {error}");
    }
    let (code, _, error) = play(home.path(), &format!("http post {url} --body=a --json=1"));
    assert_eq!(code, 2, "{error}");
}

#[test]
fn a_slow_server_is_not_waited_for() {
    let server = Server::start();
    let home = home(&server);
    let began = Instant::now();
    let (code, _, error) = play(home.path(), &format!("http get {}", server.url("/slow")));
    assert_eq!(code, 1, "{error}");
    assert!(error.contains("longer than 10 s"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn places_that_are_not_public_are_denied() {
    let server = Server::start();
    let closed = tempfile::tempdir().unwrap();
    let port = server.port;
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "metadata.google.internal",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "2852039166",
        "168.63.129.16",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "a@127.0.0.1",
        "example.com@127.0.0.1",
        "127.0.0.1\\\\@example.com",
    ];
    for host in hosts {
        for method in ["get", "post"] {
            let (code, said, error) = play(closed.path(), &format!("http {method} \"http://{host}:{port}/text\""));
            assert_eq!((code, said.as_str()), (3, ""), "{host}: {error}");
        }
    }
    // an address with somebody's name in it could seem to lead elsewhere
    let (code, _, error) = play(closed.path(), "http get http://user:secret@example.com/");
    assert_eq!(code, 3, "{error}");
    assert_eq!(server.heard(), Vec::<String>::new(), "the server was asked");
}

#[test]
fn every_redirect_passes_the_same_gate() {
    let server = Server::start();
    let home = home(&server);
    // only 127.0.0.1 and this port is allowed: the same server by another name or form is not
    for path in ["/to-localhost", "/to-metadata", "/to-mapped", "/to-other-port", "/to-user"] {
        let (code, said, error) = play(home.path(), &format!("http get {}", server.url(path)));
        assert_eq!((code, said.as_str()), (3, ""), "{path}: {error}");
        assert_eq!(server.heard().len(), 1, "{path}: the place it leads to was asked");
    }
    // this one is read as the allowed address itself
    let (code, said, error) = play(home.path(), &format!("http get {}", server.url("/to-zero")));
    assert_eq!((code, said.as_str()), (0, "\"grüße\\n\"\n"), "{error}");
}

#[test]
fn headers_stay_with_the_server_they_were_typed_for() {
    let (server, other) = (Server::start(), Server::start());
    let home = home(&server);
    let allow = format!("[net]\nallow = [\"127.0.0.1:{}\", \"localhost:{}\"]\n", server.port, server.port);
    std::fs::write(home.path().join("pipit.toml"), allow).unwrap();
    let line = format!("http get {} --header='Authorization: secret'", server.url("/to-localhost"));
    let (code, _, error) = play(home.path(), &line);
    assert_eq!(code, 0, "{error}");
    let heard = server.heard();
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard[0].contains("secret") && !heard[1].contains("secret"), "{heard:?}");
    let (code, _, error) = play(home.path(), &format!("http get {}", other.url("/text")));
    assert_eq!(code, 3, "another port is another place: {error}");
}

#[test]
fn what_is_no_address_of_http_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let urls = [
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_SET%20x",
        "ftp://example.com/",
        "data:text/plain,x",
        "example.com",
        "//example.com/",
        "http://",
        "http://exa mple.com/",
        "http://example.com:99999/",
        "javascript:alert(1)",
        "http://example.com/\\r\\nX: y",
    ];
    for url in urls {
        let (code, said, error) = play(home.path(), &format!("http get \"{url}\""));
        assert!(matches!(code, 1 | 2), "{url}: {code} {error}");
        assert_eq!(said, "", "{url}");
    }
    // a value that comes in is looked at in the same way
    let (code, _, error) = play(home.path(), "echo file:///etc/passwd | http get");
    assert_eq!(code, 1, "{error}");
}

#[test]
fn asking_takes_a_right() {
    let server = Server::start();
    let home = home(&server);
    assert_eq!(play(home.path(), "user create carol").0, 0);
    for method in ["get", "post", "put", "delete"] {
        let mut command = Command::new(PIPIT);
        command.args(["run", "--as", "carol", "--home"]).arg(home.path());
        let output = command.args(["--", &format!("http {method} {}", server.url("/text"))]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(server.heard(), Vec::<String>::new());
}

#[test]
fn a_wrong_setting_stops_the_start() {
    let home = tempfile::tempdir().unwrap();
    for setting in ["allow = [\"a b\"]", "allow = [\"host:port\"]", "alow = []"] {
        std::fs::write(home.path().join("pipit.toml"), format!("[net]\n{setting}\n")).unwrap();
        let (code, _, error) = play(home.path(), "echo hi");
        assert_eq!(code, 2, "{setting}: {error}");
        assert!(error.contains("pipit.toml:2"), "{setting}: {error}");
    }
}

#[test]
fn what_selectors_find_in_a_page() {
    let server = Server::start();
    let home = home(&server);
    let cases = [
        ("h1", "\"Hello World\"\n"),
        ("'li, h1'", "\"Hello World\"\n\"one\"\n\"two link next\"\n"),
        ("'#l > li.a'", "\"one\"\n"),
        ("'li + li a'", "\"link\"\n"),
        ("'li:first-child'", "\"one\"\n"),
        ("a --attr=href", "\"/x\"\n\"/y\"\n"),
        ("p", "\"Text & é 2\"\n"),
        ("'[class~=b]' --attr=class", "\"a b\"\n"),
        ("table", ""),
    ];
    for (words, wanted) in cases {
        let (code, said, error) = play(home.path(), &format!("scrape {} {words}", server.url("/page")));
        assert_eq!((code, said.as_str()), (0, wanted), "{words}: {error}");
    }
    let (code, said, error) = play(home.path(), &format!("echo {} | scrape h1", server.url("/page")));
    assert_eq!((code, said.as_str()), (0, "\"Hello World\"\n"), "{error}");
    let failing = [
        ("/missing", "h1", 1, "404"),
        ("/image", "h1", 1, "no page"),
        ("/page", "'h1 >'", 2, "no selector"),
        ("/page", "''", 2, "no selector"),
        ("/to-metadata", "h1", 3, "169.254.169.254"),
        // as deep as it is long: whatever comes of it comes soon, and the shell is none the worse
        ("/huge-page", "p", 1, ""),
    ];
    for (path, words, wanted, part) in failing {
        let (code, _, error) = play(home.path(), &format!("scrape {} {words}", server.url(path)));
        assert!(code == wanted && error.contains(part), "{path} {words}: {code} {error}");
    }
}
