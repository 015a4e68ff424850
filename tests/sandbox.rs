//! The sandboxes through the binary: a program that tries to get out, and what it still can do.
//!
//! Deliberately absent: what all levels have in common (limits, environment, ends), which `bundle.rs` looks at.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixListener};

use serde_json::{Value, json};

#[path = "sandbox/chaos.rs"]
mod chaos;
#[path = "support/home.rs"]
mod home;
#[path = "sandbox/isolate.rs"]
mod isolate;

use home::{Home, field};

/// A home, and what a program may look for around it.
struct Site {
    home: Home,
    declared: TcpListener,
    at: Value,
    _sockets: (TcpListener, UdpSocket, UnixListener, UnixListener),
}

impl Site {
    fn new() -> Self {
        Self::of(Home::new())
    }

    fn of(home: Home) -> Self {
        // copied, since not every user reaches the sources
        let hello = home.beside("hello-sh");
        fs::create_dir(&hello).unwrap();
        for name in ["bundle.yaml", "hello.sh"] {
            fs::copy(home::sources().join("bundles/hello-sh").join(name), hello.join(name)).unwrap();
        }
        home.setup(&[&format!("bundle install '{}'", hello.display()), "bundle enable hello-sh"]);
        let (declared, undeclared) =
            (TcpListener::bind("0.0.0.0:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let name = format!("pipit-test-{}", declared.local_addr().unwrap().port());
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let by_path = UnixListener::bind(home.beside("socket")).unwrap();
        home.hand_over("socket");
        let other = home.path().join("runs/other");
        fs::create_dir_all(&other).unwrap();
        fs::write(other.join("secret"), "secret").unwrap();
        fs::create_dir(home.beside("out")).unwrap();
        for name in ["home/runs", "home/runs/other", "out"] {
            home.hand_over(name);
        }
        let bundles = fs::read_dir(home.path().join("bundles")).unwrap();
        let other_bundle = bundles.flatten().map(|entry| entry.path().join("hello.sh")).find(|file| file.is_file());
        let at = json!({
            "outside": home.beside("outside"),
            "declared-file": home.beside("out/file"),
            "file": home.own_file("file", "text"),
            "database": home.path().join("pipit.db"),
            "other-bundle": other_bundle.unwrap(),
            "other-run": other.join("secret"),
            "declared": declared.local_addr().unwrap().port(),
            "undeclared": undeclared.local_addr().unwrap().port(),
            "udp": udp.local_addr().unwrap().port(),
            "abstract": name,
            "socket": home.beside("socket"),
            "process": std::process::id(),
        });
        Self { home, declared, at, _sockets: (undeclared, udp, listener, by_path) }
    }

    /// A bundle of the probes.
    fn bundle(&self, name: &str, needs: &str) {
        let folder = self.home.beside(name);
        fs::create_dir(&folder).unwrap();
        let command =
            "{about: Try, usage: \"try [NAME…]\", run: [./probe.py, \"{NAME}\"], rules: [allow], output: json}";
        let head = format!("bundle: 1\nname: {name}\nversion: 1.0.0\ndescription: Tries\nneeds: {needs}\n");
        fs::write(folder.join("bundle.yaml"), format!("{head}commands:\n  try: {command}\n")).unwrap();
        fs::copy(home::sources().join("tests/support/probe.py"), folder.join("probe.py")).unwrap();
        fs::set_permissions(folder.join("probe.py"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("at.json"), self.at.to_string()).unwrap();
        self.home.setup(&[&format!("bundle install '{}'", folder.display()), &format!("bundle enable {name}")]);
    }

    /// What came of all probes, or of those that are named.
    #[track_caller]
    fn tried(&self, line: &str) -> Value {
        let mut values = self.home.values(line);
        assert_eq!(values.len(), 1, "{values:?}");
        values.remove(0)
    }
}

/// Inside every fence, declared or not.
const CLOSED: &[(&str, &str)] = &[
    ("write-outside", "EACCES"),
    ("write-above", "EACCES"),
    ("write-system", "EACCES"),
    ("write-etc", "EACCES"),
    ("write-tmp", "EACCES"),
    ("truncate", "EACCES"),
    ("unlink", "EACCES"),
    ("hard-link", "EXDEV EACCES"),
    ("symbolic-link", "EACCES"),
    ("device", "EACCES EPERM"),
    ("read-file", "EACCES"),
    ("read-shadow", "EACCES"),
    ("read-database", "EACCES"),
    ("read-bundle", "EACCES"),
    ("read-run", "EACCES"),
    ("list-runs", "EACCES"),
    ("list-home", "EACCES"),
    ("list-root", "EACCES"),
    ("shell-environ", "EACCES"),
    ("shell-memory", "EACCES"),
    ("shell-maps", "EACCES"),
    ("shell-cmdline", "EACCES"),
    ("shell-files", "EACCES"),
    ("shell-signal", "EPERM"),
    ("shell-limits", "EPERM"),
    ("shell-priority", "EPERM"),
    ("user-priority", "EPERM"),
    ("shell-scheduler", "EPERM"),
    ("shell-parameters", "EPERM"),
    ("shell-attributes", "EPERM"),
    ("shell-processors", "EPERM"),
    ("shell-disk-turn", "EPERM"),
    ("shared-memory", "EPERM"),
    ("queue", "EPERM"),
    ("semaphore", "EPERM"),
    ("named-queue", "EPERM"),
    ("where-its-environment-is", "EPERM"),
    ("shell-trace", "EPERM"),
    ("shell-peek", "EPERM"),
    ("trace-me", "EPERM"),
    ("tcp-undeclared", "EACCES"),
    ("tcp-fast", "EPERM"),
    ("tcp-listen", "EACCES"),
    ("mptcp", "EPERM"),
    ("icmp", "EPERM"),
    ("raw", "EPERM"),
    ("netlink", "EPERM"),
    ("packet", "EPERM"),
    ("vsock", "EPERM"),
    ("abstract", "EPERM"),
    ("user-namespace", "EPERM"),
    ("clone-namespace", "EPERM"),
    ("clone3", "ENOSYS"),
    ("set-namespace", "EPERM"),
    ("mount", "EPERM"),
    ("chroot", "EPERM"),
    ("personality", "EPERM"),
    ("io-uring", "EPERM"),
    ("pidfd-getfd", "EPERM"),
    ("bpf", "EPERM"),
    ("perf", "EPERM"),
    ("userfaultfd", "EPERM"),
    ("keyctl", "EPERM"),
    ("second-number", "ENOSYS"),
];
/// Inside every fence all the same.
const OPEN: &[&str] = &[
    "write-own",
    "write-null",
    "read-system",
    "read-passwd",
    "read-self",
    "pair",
    "names",
    "personality-query",
    "own-turn",
    "threads",
    "child",
];

/// What the fence alone leaves open, as `docs/bundles.md` says; the port is another matter where it is not declared.
const LEFT_OPEN: &[&str] = &["is-there", "modes", "times", "process-is-there"];

/// Sockets with a path are closed from Linux 7.1 on.
const BY_PATH: &str = "done EACCES";

/// Looks at every probe; those that the declaration decides are given.
#[track_caller]
fn judge(tried: &Value, decided: &[(&str, &str)]) {
    let all = tried.as_object().unwrap();
    let open = OPEN.iter().chain(LEFT_OPEN).map(|name| (*name, "done"));
    let wanted: Vec<(&str, &str)> = CLOSED.iter().copied().chain(open).chain(decided.iter().copied()).collect();
    let odd: Vec<_> =
        wanted.iter().filter(|(name, wanted)| !wanted.split(' ').any(|one| one == field(tried, name))).collect();
    let found: Vec<_> = odd.iter().map(|(name, wanted)| format!("{name}: {} for {wanted}", tried[name])).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(all.len(), wanted.len(), "a probe is not looked at");
}

#[test]
fn a_program_stays_inside_what_its_bundle_declares() {
    let site = Site::new();
    site.bundle("closed", "{}");
    judge(
        &site.tried("closed:try"),
        &[
            ("write-declared", "EACCES"),
            ("tcp-declared", "EACCES"),
            ("other-host", "EACCES"),
            ("udp", "EPERM"),
            ("socket-path", BY_PATH),
        ],
    );

    let port = site.declared.local_addr().unwrap().port();
    let out = site.home.beside("out");
    site.bundle("open", &format!("{{network: [\"localhost:{port}\"], write: [{}]}}", out.display()));
    judge(
        &site.tried("open:try"),
        &[
            ("write-declared", "done"),
            ("tcp-declared", "done"),
            ("other-host", "done"),
            ("udp", "done"),
            ("socket-path", BY_PATH),
        ],
    );
    assert_eq!(fs::read_to_string(out.join("file")).unwrap(), "x");
    assert_eq!(fs::read_to_string(site.home.beside("file")).unwrap(), "text");
    assert!(!site.home.beside("outside").exists());
    assert_eq!(site.home.run("hello-sh:hello ada").well(), "hello, ada");
}

#[test]
fn basic_is_without_a_fence_and_the_probes_find_that() {
    let site = Site::new();
    site.bundle("loose", "{sandbox: basic}");
    let names = "write-outside read-file read-database read-run tcp-undeclared udp abstract shell-signal";
    let tried = site.tried(&format!("loose:try {names}"));
    let held: Vec<_> = names.split(' ').filter(|name| field(&tried, name) != "done").collect();
    assert!(held.is_empty(), "{held:?} of {tried}");
    assert!(site.home.beside("outside").exists());
    // whoever enables it sees that
    assert!(site.home.run("bundle show loose").well().contains("\nsandbox: basic\n"));
}

#[test]
fn what_cannot_be_had_is_denied() {
    let site = Site::new();
    fs::create_dir(site.home.beside("out/below")).unwrap();
    symlink(site.home.beside("out"), site.home.beside("link")).unwrap();
    for (name, needs, why) in [
        ("relative", "{write: [out]}".to_owned(), "a path begins with /"),
        ("gone", "{write: [/nothing/is/here]}".into(), "it is not there"),
        (
            "greedy",
            format!("{{write: [{}]}}", site.home.path().join("runs").display()),
            "the home of the shell is its own",
        ),
        ("all", "{write: [/]}".into(), "the home of the shell is its own"),
        ("linked", format!("{{write: [{}]}}", site.home.beside("link/below").display()), "it leads over a link"),
    ] {
        site.bundle(name, &needs);
        site.home.run(&format!("{name}:try")).fails(3, why);
    }
    let rows = site.home.values("status sandbox");
    let level = |name: &str| rows.iter().find(|row| row["sandbox"] == name).unwrap();
    assert!(field(level("restrict"), "state").starts_with("Landlock "), "{rows:?}");
    for name in ["basic", "restrict", "isolate"] {
        assert_eq!(field(level(name), "reached"), "yes", "{rows:?}");
    }
    let doctor = home::Said::of(&mut site.home.command(&["doctor"])).well();
    assert!(doctor.contains("well     sandbox restrict: Landlock "), "{doctor}");
}
