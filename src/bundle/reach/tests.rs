//! Levels, folders of programs, and ports, without starting anything.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::os::unix::fs::symlink;

use super::*;
use crate::bundle::check;

#[test]
fn a_level_that_is_not_there_denies() {
    let (all, some) = (Reached::Restrict("x".into()), Reached::Basic("Landlock is not there".into()));
    assert!(had("b", Sandbox::Isolate, &all).is_ok() && had("b", Sandbox::Basic, &some).is_ok());
    let error = had("b", Sandbox::Restrict, &some).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let text = error.to_string();
    assert!(text.contains("restrict, which this machine lacks: Landlock is not there"), "{text}");
    assert!(format!("{error:?}").contains("sandbox: basic"), "{error:?}");
    for tighter in [Sandbox::Isolate, Sandbox::Quota] {
        assert_eq!(had("b", tighter, &some).unwrap_err().kind(), ErrorKind::Denied);
    }
}

#[test]
fn ports_of_addresses() {
    for (url, wanted) in [
        ("http://127.0.0.1:4566", Some(("127.0.0.1", 4566))),
        ("https://grafana.example.com/d/x?y=:1", Some(("grafana.example.com", 443))),
        ("http://u:p@host/", Some(("host", 80))),
        ("http://[::1]:8080/x", Some(("[::1]", 8080))),
        ("http://[::1]/x", Some(("[::1]", 80))),
        ("http://host:0", None),
        ("http://host:99999", None),
        ("ftp://host", None),
        ("redis://host:6379/0", Some(("host", 6379))),
        ("postgres://reader@db/shop", Some(("db", 5432))),
        ("ldap://[::1]", Some(("[::1]", 389))),
        ("host:80", None),
    ] {
        assert_eq!(address(url), wanted, "{url}");
    }
    let settings = |name: &str| vec![(EcoString::from(name), EcoString::from("http://h:3000"))];
    let manifest = |more: &str| {
        let head = "bundle: 1\nname: b\nversion: 1.0.0\ndescription: d\ncommands: {c: {about: a, run: [./c]}}\n";
        check(&format!("{head}{more}\n")).unwrap().manifest
    };
    assert_eq!(ports(&manifest(""), &settings("API_URL")), [53, 3000]);
    assert_eq!(ports(&manifest(""), &settings("API")), Vec::<u16>::new());
    assert_eq!(ports(&manifest("needs: {network: ['*.amazonaws.com:443']}"), &[]), [53, 443]);
    // only what the site has set
    let proposes = manifest("config: [{name: API_URL, default: 'http://h:3000'}]");
    assert_eq!(ports(&proposes, &settings("API_URL")), Vec::<u16>::new());
}

fn made(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

#[test]
fn folders_of_programs() {
    let temporary = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(temporary.path()).unwrap();
    let python = root.join("base/bin/python3");
    let head = format!("#!{}\n", root.join("venv/bin/python").display());
    let config = format!("home = {}\n", root.join("copied/bin").display());
    made(
        &root,
        &[
            ("base/bin/python3", "x"),
            ("venv/bin/aws", &head),
            ("venv/pyvenv.cfg", &config),
            ("tools/kubectl", "x"),
            ("found/bin/run", "#!/usr/bin/env -S thing --flag\n"),
            ("links/thing", "x"),
            ("user/bin/own", "x"),
            ("user/share/pipit/pipit.db", "x"),
        ],
    );
    symlink(&python, root.join("venv/bin/python")).unwrap();
    let home = root.join("user/share/pipit");
    let path = root.join("links").display().to_string();
    let read = |program: &str| {
        let mut search = Search { home: &home, path: &path, read: vec!["/usr".into()] };
        search.program(&root.join(program), DEPTH);
        let mut read = search.read;
        read.remove(0);
        read.iter().map(|path| path.strip_prefix(&root).unwrap().display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(read("venv/bin/aws"), ["venv", "base", "copied"]);
    assert_eq!(read("tools/kubectl"), ["tools"]);
    assert_eq!(read("found/bin/run"), ["found", "links"]);
    // beside the home nothing but programs and libraries
    assert_eq!(read("user/bin/own"), ["user/bin", "user/sbin", "user/libexec", "user/shims", "user/lib", "user/lib64"]);
}

#[test]
fn a_home_among_the_systems_folders_is_left_out() {
    let temporary = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(temporary.path()).unwrap();
    made(&root, &[("pipit/bin/x", ""), ("pipit/home/pipit.db", ""), ("other/x", "")]);
    let mut beside = around(&root, &root.join("pipit/home"));
    beside.sort();
    assert_eq!(beside, [root.join("other"), root.join("pipit/bin")]);
    assert_eq!(around(&root, Path::new("/elsewhere")), [root]);
}
