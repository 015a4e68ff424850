//! The bundles that ship, each against a server of its own: the session in its folder is played with `pipit test`, with the
//! address in it replaced by that of the server. `BLESS=1` writes the answers anew.
//!
//! Deliberately absent: doubles of our own. The servers are the real ones; AWS is moto, and GitHub is made from GitHub's own
//! description of its interface.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::process::{Command, Stdio};

#[path = "support/home.rs"]
mod home;
#[path = "support/moto.rs"]
mod moto;
#[path = "shipped/servers.rs"]
mod servers;

use home::sources;
use servers::{cloud, directory, github, graphite, logs, names, postgres, prometheus};

/// Plays the session of a bundle. `addresses` are the texts of the session that stand for a server, and what to put there.
#[track_caller]
fn play(bundle: &str, addresses: &[(&str, &str)]) {
    let written = sources().join(format!("bundles/{bundle}/tests/{bundle}.txt"));
    let mut text = std::fs::read_to_string(&written).unwrap();
    for (usual, here) in addresses {
        assert!(text.contains(usual), "{usual} stands in the session");
        text = text.replace(usual, here);
    }
    let folder = tempfile::tempdir().unwrap();
    let session = folder.path().join(format!("{bundle}.txt"));
    std::fs::write(&session, &text).unwrap();
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipit"));
    command.current_dir(sources()).stdin(Stdio::null()).arg("test").args(bless.then_some("--bless")).arg(&session);
    command.env("PATH", servers::path());
    let said = command.output().unwrap();
    if bless {
        let mut text = std::fs::read_to_string(&session).unwrap();
        for (usual, here) in addresses {
            text = text.replace(here, usual);
        }
        std::fs::write(&written, text).unwrap();
    }
    let told = [said.stdout, said.stderr].concat();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&told));
}

#[test]
fn prometheus_and_alertmanager() {
    let server = prometheus();
    play("prometheus", &[("http://127.0.0.1:9090", &server.address), ("http://127.0.0.1:9093", &server.second)]);
}

#[test]
fn graphite_numbers() {
    let server = graphite();
    play("graphite", &[("http://127.0.0.1:8080", &server.address)]);
}

#[test]
fn postgres_is_only_read() {
    let server = postgres();
    play("postgres", &[("127.0.0.1:5432", &server.address)]);
}

#[test]
fn names_and_addresses() {
    let server = names();
    play("zone", &[("dns://127.0.0.1:53\n", &format!("{}\n", server.address))]);
}

#[test]
fn people_of_a_directory() {
    let server = directory();
    play("ldap", &[("ldap://127.0.0.1:389", &server.address)]);
}

#[test]
fn github_by_its_own_description() {
    let server = github();
    play("github", &[("http://127.0.0.1:4010", &server.address)]);
}

#[test]
fn aws_looks_and_acts() {
    let server = cloud();
    play("aws", &[("http://127.0.0.1:5000", &server.address)]);
}

#[test]
fn logs_of_cloudwatch() {
    let server = logs();
    play("logs", &[("http://127.0.0.1:5000", &server.address)]);
}
