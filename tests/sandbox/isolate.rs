//! The sandbox `isolate`: what `restrict` leaves open is closed, the network is reached by the way out alone, and nothing
//! of a run is left when it ends. As whoever runs the tests, and as a user without rights where that is somebody else.

use std::io::{Read, Write};

use super::home::{self, Home, field};
use super::{CLOSED, LEFT_OPEN, OPEN, Site, chaos};

/// What of the closed is there after all, and is the program's own.
const OWN: &[&str] = &["write-tmp", "shell-cmdline"];

/// Not below `/tmp`, of which a program has its own.
const AWAY: &str = "/var/tmp";

#[track_caller]
fn judge(tried: &serde_json::Value, done: &[&str], decided: &[(&str, &str)]) {
    let closed = CLOSED.iter().map(|(name, _)| *name).chain(LEFT_OPEN.iter().copied()).chain(["socket-path", "udp"]);
    let closed = closed.filter(|name| !OWN.contains(name) && !done.contains(name));
    let mut odd: Vec<String> = closed.filter(|name| tried[name] == "done").map(str::to_owned).collect();
    let open = OPEN.iter().chain(OWN).chain(done);
    odd.extend(open.filter(|name| tried[name] != "done").map(|name| format!("{name}: {}", tried[name])));
    odd.extend(
        decided
            .iter()
            .filter(|(name, part)| !field(tried, name).contains(part))
            .map(|(name, _)| format!("{name}: {}", tried[name])),
    );
    assert!(odd.is_empty(), "{odd:#?}");
}

fn probed(home: Home) {
    let site = Site::of(home);
    site.bundle("alone", "{sandbox: isolate}");
    let tried = site.tried("alone:try");
    judge(&tried, &[], &[("tcp-declared", "EACCES"), ("other-host", "EACCES"), ("write-declared", "ENOENT")]);
    assert_eq!(field(&site.tried("alone:try others"), "others"), "ENOENT");
    assert!(!std::path::Path::new("/tmp/pipit-was-here").exists());
    assert!(site.home.run("bundle show alone").well().contains("\nsandbox: isolate\n"));
}

#[test]
fn what_restrict_leaves_open_is_closed() {
    probed(Home::within(AWAY));
}

#[test]
fn it_takes_no_rights_of_an_administrator() {
    probed(Home::within(AWAY).of_nobody());
}

#[test]
fn the_network_is_reached_by_the_way_out_alone() {
    let site = Site::new();
    let port = site.declared.local_addr().unwrap().port();
    let out = site.home.beside("out");
    let needs = format!(
        "{{sandbox: isolate, network: [\"127.0.0.1:{port}\", \"169.254.169.254:80\"], write: [{}]}}",
        out.display()
    );
    site.bundle("away", &needs);
    let all = "way-out way-out-undeclared way-out-other-host way-out-inner";
    // what the site does not let the shell reach is not reached for a program either
    let tried = site.tried(&format!("away:try {all}"));
    for name in all.split(' ') {
        assert!(field(&tried, name).contains("403 Forbidden"), "{tried}");
    }
    assert!(field(&tried, "way-out").contains("may not be reached from here"), "{tried}");
    assert!(field(&tried, "way-out-undeclared").contains("needs.network"), "{tried}");

    site.home.configure(&format!("[net]\nallow = [\"127.0.0.1:{port}\"]\n"));
    let tried = site.tried(&format!("away:try {all} write-declared tcp-declared udp"));
    assert_eq!(field(&tried, "way-out"), "done", "{tried}");
    for name in all.split(' ').skip(1) {
        assert!(field(&tried, name).contains("403 Forbidden"), "{tried}");
    }
    assert_eq!(field(&tried, "write-declared"), "done", "{tried}");
    assert_eq!(field(&tried, "tcp-declared"), "EACCES", "{tried}");
    assert_eq!(std::fs::read_to_string(out.join("file")).unwrap(), "x");
    // whoever reads the line sees what was refused
    let said = site.home.run("away:try way-out-undeclared");
    assert!(said.err.contains("it was not connected: 127.0.0.1:"), "{said:?}");

    let server = site.declared.try_clone().unwrap();
    let answering = std::thread::spawn(move || {
        server.incoming().map_while(Result::ok).find_map(|mut stream| {
            let mut head = [0; 4096];
            let count = stream.read(&mut head).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwell").unwrap();
            // those that came by CONNECT before said nothing
            (count > 0).then(|| String::from_utf8_lossy(&head[..count]).into_owned())
        })
    });
    assert_eq!(field(&site.tried("away:try way-out-plain"), "way-out-plain"), "done");
    let head = answering.join().unwrap().unwrap();
    assert!(head.starts_with("GET / HTTP/1.1\r\n") && head.contains("Connection: close\r\n"), "{head}");
}

#[test]
fn the_site_says_how_tight_at_least() {
    let site = Site::new();
    site.bundle("loose", "{sandbox: basic}");
    let tried = |config: &str| {
        site.home.configure(config);
        let tried = site.tried("loose:try read-file is-there");
        [field(&tried, "read-file").to_owned(), field(&tried, "is-there").to_owned()]
    };
    assert_eq!(tried(""), ["done", "done"]);
    assert_eq!(tried("[bundles]\nsandbox-at-least = \"restrict\"\n"), ["EACCES", "done"]);
    let shown = site.home.run("bundle show loose").well();
    assert!(
        shown.contains("\nsandbox: restrict, which this site asks for at least; the bundle asks for basic\n"),
        "{shown}"
    );
    let unsigned = "unsigned-sandbox-at-least = \"isolate\"\n";
    assert_eq!(tried(&format!("[bundles]\n{unsigned}")), ["ENOENT", "ENOENT"]);
    assert_eq!(tried(&format!("[bundles]\nsandbox-at-least = \"restrict\"\n{unsigned}")), ["ENOENT", "ENOENT"]);
}

/// Where the machine gives no control group to divide, what is missing is said, the same by all who say it.
#[test]
fn a_quota_is_held_or_what_is_missing_is_said() {
    let home = Home::new();
    chaos::install(&home, "quota");
    let levels = home.values("status sandbox");
    let quota = levels.iter().find(|level| level["sandbox"] == "quota").unwrap();
    let state = field(quota, "state");
    if field(quota, "reached") == "no" {
        assert!(!state.is_empty());
        let said = home.run("chaos:try code").fails(3, "runs in the sandbox quota, which this machine lacks: ");
        assert!(said.err.contains(state), "{said:?} for {state}");
        let doctor = home::Said::of(&mut home.command(&["doctor"])).well();
        assert!(doctor.contains(&format!("without  sandbox quota: {state}")), "{doctor}");
        return;
    }
    // memory that is touched, and more processes than there may be
    assert!(home.run("chaos:try touched").err.contains("was killed"));
    assert_eq!(home.run("chaos:try many_processes").well(), "bounded");
}
