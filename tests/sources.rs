//! Bundles from everywhere: archives, the web, git, an index, with signatures; upgraded and rolled back. With the real git,
//! minisign and a web server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "support/home.rs"]
mod home;

use home::{Beside, Home, Said, free_port, tool, until};

/// A folder that a web server shows.
struct Web {
    _server: Beside,
    folder: PathBuf,
    address: String,
}

impl Web {
    fn start(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let mut command = Command::new(tool("python3"));
        command.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string(), "--directory"]).arg(&folder);
        let server = Beside::start(command.stdout(Stdio::null()));
        until("the web server", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { _server: server, folder, address: format!("http://127.0.0.1:{port}") }
    }
}

fn done(command: &mut Command) -> String {
    Said::of(command).well()
}

/// A bundle `hi` in a folder.
fn bundle(folder: &Path, version: &str, more: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let manifest = format!(
        "bundle: 1\nname: hi\nversion: {version}\ndescription: Greet\npermissions: [greet]\n{more}commands:\n  hi:\n    about: Greet\n    \
         usage: \"hi [NAME]\"\n    run: [./hi.sh, \"{{NAME}}\"]\n    output: lines\n    effect: pure\n    rules: [must have hi:greet]\n"
    );
    std::fs::write(folder.join("bundle.yaml"), manifest).unwrap();
    std::fs::write(folder.join("hi.sh"), format!("#!/bin/sh\necho \"hi $1, {version}\"\n")).unwrap();
    done(Command::new("chmod").arg("755").arg(folder.join("hi.sh")));
}

/// The folder as an archive.
fn packed(folder: &Path, archive: &Path) {
    done(Command::new("tar").arg("-czf").arg(archive).arg("-C").arg(folder).arg("."));
}

/// Alice may greet.
fn greeters(home: &Home) {
    home.setup(&[
        "bundle enable hi",
        "user create alice",
        "group create crew",
        "group add crew alice",
        "role create greeter",
        "role grant greeter hi:greet",
        "role give greeter crew",
    ]);
}

#[test]
fn archives_and_the_web() {
    let home = Home::new();
    let web = Web::start(home.beside("web"));
    bundle(&home.beside("hi"), "1.0.0", "");
    packed(&home.beside("hi"), &web.folder.join("hi-1.0.0.tar.gz"));
    let archive = web.folder.join("hi-1.0.0.tar.gz");
    let address = format!("{}/hi-1.0.0.tar.gz", web.address);

    // nothing inside is reached unless the site says so
    home.run(&format!("bundle install {address}")).fails(3, "");
    home.configure(&format!("[net]\nallow = [\"{}\"]\n", web.address.trim_start_matches("http://")));
    home.run(&format!("bundle install {}/nothing.tar.gz", web.address)).fails(1, "there is nothing at");
    home.run(&format!("bundle install {address}")).well();
    assert!(home.run(&format!("bundle install {}", archive.display())).well().contains("hi 1.0.0 is installed"));
    greeters(&home);
    assert_eq!(home.run_as("alice", "hi ada").well(), "hi ada, 1.0.0");
    assert!(home.run("bundle list | get from").well().ends_with("hi-1.0.0.tar.gz"));

    // what is no archive, and one that was made to deceive
    std::fs::write(web.folder.join("page.html"), "<html>").unwrap();
    home.run(&format!("bundle install {}/page.html", web.address)).fails(1, "is no archive");
    std::os::unix::fs::symlink("/etc/passwd", home.beside("hi").join("link")).unwrap();
    packed(&home.beside("hi"), &archive);
    home.run(&format!("bundle install {}", archive.display())).fails(1, "link is a link");
    home.run("bundle install hi").fails(1, "no index");
    home.run("bundle install ./nowhere").fails(1, "./nowhere cannot be read");
}

#[test]
fn repositories() {
    let home = Home::new();
    let source = home.beside("source");
    bundle(&source, "1.0.0", "");
    let git = |words: &str| {
        let mut command = Command::new(tool("git"));
        command.current_dir(&source).args(["-c", "user.name=a", "-c", "user.email=a@localhost"]);
        done(command.env("GIT_CONFIG_GLOBAL", "/dev/null").args(words.split(' ')))
    };
    git("init -q -b main .");
    // neither a hook nor a filter of the repository is ever run
    let trap = home.beside("trapped");
    std::fs::write(source.join(".gitattributes"), "* filter=trap\n").unwrap();
    let smudge = format!("touch {}", trap.display());
    done(Command::new(tool("git")).current_dir(&source).args(["config", "filter.trap.smudge", &smudge]));
    git("add -A");
    git("commit -qm one");
    git("tag v1.0.0");
    bundle(&source, "1.1.0", "");
    git("add -A");
    git("commit -qm two");
    let url = format!("file://{}", source.display());

    home.run(&format!("bundle install {url}.git")).fails(1, "which branch, tag or commit");
    home.run(&format!("bundle install {url} --ref=v9")).fails(1, "v9");
    home.run(&format!("bundle install {url} --ref=-x")).fails(1, "is no branch");
    home.run("bundle install ext::sh --ref=main").fails(1, "is no repository");
    assert!(home.run(&format!("bundle install {url} --ref=v1.0.0")).well().contains("hi 1.0.0 is installed"));
    assert!(home.run(&format!("bundle install {url} --ref=main")).well().contains("hi 1.1.0 is installed"));
    let commit = git("rev-parse main");
    assert!(home.run("bundle list | get from").well().ends_with(&format!("at {commit}")));
    assert!(!trap.exists());
    greeters(&home);
    assert_eq!(home.run_as("alice", "hi ada").well(), "hi ada, 1.1.0");
}

#[test]
fn only_what_is_signed_and_offered() {
    let home = Home::new();
    let shelf = home.beside("shelf");
    std::fs::create_dir(&shelf).unwrap();
    let minisign = |words: &[&str]| {
        done(Command::new(tool("minisign")).current_dir(home.beside("")).stdin(Stdio::null()).args(words))
    };
    minisign(&["-G", "-W", "-p", "site.pub", "-s", "site.key"]);
    minisign(&["-G", "-W", "-p", "other.pub", "-s", "other.key"]);
    let key = std::fs::read_to_string(home.beside("site.pub")).unwrap().lines().nth(1).unwrap().to_owned();
    for version in ["1.0.0", "1.1.0"] {
        bundle(&home.beside("hi"), version, "");
        packed(&home.beside("hi"), &shelf.join(format!("hi-{version}.tar.gz")));
        minisign(&["-S", "-W", "-s", "site.key", "-m", &format!("shelf/hi-{version}.tar.gz")]);
    }
    let listed = |version: &str, digest: &str| {
        format!(
            r#"{{"name":"hi","version":"{version}","source":"hi-{version}.tar.gz","digest":"{digest}","about":"Greet"}}"#
        )
    };
    std::fs::write(shelf.join("index.jsonl"), format!("# ours\n{}\n", listed("1.0.0", "0"))).unwrap();
    home.configure(&format!("[bundles]\nkeys = [\"{key}\"]\nindex = \"shelf/index.jsonl\"\n"));

    home.run("bundle install hi").fails(1, "its digest is");
    let told = home.run("bundle install hi").err;
    let digest = told.split("its digest is ").nth(1).unwrap().split(',').next().unwrap();
    std::fs::write(shelf.join("index.jsonl"), format!("{}\n", listed("1.0.0", digest))).unwrap();
    assert!(home.run("bundle install hi").well().contains(&format!("signed by {key}")));
    assert_eq!(
        home.run("bundle find gree | select name version state").well(),
        "name     hi\nversion  1.0.0\nstate    installed"
    );
    home.run("bundle install hi@2.0.0").fails(1, "the index has no bundle hi 2.0.0");

    // a folder is signed by nobody; another's key, another's bytes and none at all are refused
    home.run(&format!("bundle install {}", home.beside("hi").display())).fails(1, "nobody whom the site trusts");
    let newer = shelf.join("hi-1.1.0.tar.gz");
    let install = |options: &str| home.run(&format!("bundle install {} {options}", newer.display()));
    minisign(&["-S", "-W", "-s", "other.key", "-m", "shelf/hi-1.1.0.tar.gz"]);
    install("").fails(1, "not of these bytes by a key");
    std::fs::copy(shelf.join("hi-1.0.0.tar.gz.minisig"), shelf.join("hi-1.1.0.tar.gz.minisig")).unwrap();
    install("").fails(1, "not of these bytes by a key");
    std::fs::remove_file(shelf.join("hi-1.1.0.tar.gz.minisig")).unwrap();
    install("").fails(1, "nobody whom the site trusts");
    install("--unsigned='the key is at home'").well();
}

#[test]
fn upgraded_and_rolled_back() {
    let home = Home::new();
    let install = |version: &str, more: &str| {
        bundle(&home.beside("hi"), version, more);
        home.run(&format!("bundle install {}", home.beside("hi").display())).well();
    };
    install("1.0.0", "");
    greeters(&home);
    home.run("bundle rollback hi").fails(1, "no other version of hi was enabled");
    assert!(home.run("bundle upgrade hi").well().contains("no newer one"));
    install("1.1.0", "");
    assert_eq!(home.run("bundle diff hi").well(), "hi 1.1.0 may do what 1.0.0 may");
    home.run("bundle upgrade hi").well();
    assert_eq!(home.run_as("alice", "hi ada").well(), "hi ada, 1.1.0");
    install("1.2.0", "needs: {network: [\"example.com:443\"]}\n");
    assert_eq!(home.run("bundle diff hi 1.2.0").well(), "hi 1.1.0 → 1.2.0\n+ network example.com:443");
    let refused = home.run("bundle upgrade hi").fails(1, "+ network example.com:443");
    assert!(refused.err.contains("--accept"), "{refused:?}");
    assert_eq!(home.run_as("alice", "hi ada").well(), "hi ada, 1.1.0");
    home.run("bundle upgrade hi --accept").well();
    assert_eq!(home.run_as("alice", "hi ada").well(), "hi ada, 1.2.0");
    assert!(home.run("bundle rollback hi").well().contains("hi 1.1.0 is enabled"));
    assert_eq!(home.run_as("alice", "hi ada").well(), "hi ada, 1.1.0");
    assert!(home.run("bundle rollback hi").well().contains("hi 1.2.0 is enabled"));
    // enabling a version is no way around
    install("1.3.0", "needs: {network: [\"example.com:443\", \"example.org:443\"]}\n");
    for line in ["bundle enable hi", "bundle enable hi 1.3.0", "bundle upgrade hi 1.3.0"] {
        home.run(line).fails(1, "+ network example.org:443");
    }
    assert_eq!(home.run_as("alice", "hi ada").well(), "hi ada, 1.2.0");
    home.run("bundle enable hi 1.3.0 --accept").well();
    // nor is another content under the number that was enabled before
    home.run("bundle remove hi 1.2.0").well();
    install("1.2.0", "needs: {network: [\"example.net:443\"]}\n");
    home.run("bundle rollback hi").fails(1, "hi 1.2.0 was installed anew");
    assert_eq!(home.run_as("alice", "hi ada").well(), "hi ada, 1.3.0");
}

#[test]
fn a_new_bundle_works_in_every_language() {
    for (language, program) in [("shell", "sh"), ("python", "python3"), ("javascript", "node"), ("ruby", "ruby")] {
        let home = Home::new().with_path(tool(program).parent().unwrap());
        let folder = home.beside("mine").display().to_string();
        let made = Said::of(&mut home.command(&["bundle", "new", "mine", "--lang", language, &folder])).well();
        assert!(made.contains("bundle.yaml") && made.ends_with(&format!("pipit bundle test {folder}")), "{made}");
        let manifest = home.beside("mine/bundle.yaml");
        let cold = std::fs::read_to_string(&manifest).unwrap();
        let warm = cold.replace("# warm: 2 ", "warm: 2 # ");
        assert_ne!(warm, cold);
        // the same program is kept for many calls
        for text in [warm, cold] {
            std::fs::write(&manifest, text).unwrap();
            let tested = Said::of(&mut home.command(&["bundle", "test", &folder])).well();
            assert_eq!(
                tested,
                "2 lines of the examples of mine: answered as written\n3 lines of 1 file: answered as written"
            );
        }
        let again = Said::of(&mut home.command(&["bundle", "new", "mine", &folder]));
        again.fails(2, "cannot be made");

        // the shell's verbs, typed shorter
        Said::of(&mut home.command(&["bundle", "install", &folder])).well();
        let enabled = Said::of(&mut home.command(&["bundle", "enable", "mine"])).well();
        assert_eq!(enabled, "mine 0.1.0 is enabled: hello");
        Said::of(&mut home.command(&["bundle", "enable", "it is none"])).fails(1, "it is none");
        Said::of(&mut home.command(&["bundle", "nonsense"])).fails(2, "nonsense");

        // what fails is said, with its place
        let session = home.beside("mine/tests/mine.txt");
        let written = std::fs::read_to_string(&session).unwrap();
        std::fs::write(&session, written.replace("HELLO, ADA", "BYE, ADA")).unwrap();
        let said = Said::of(&mut home.command(&["bundle", "test", &folder]));
        assert!(
            said.code == Some(1) && said.out.contains("- BYE, ADA") && said.out.contains("+ HELLO, ADA"),
            "{said:?}"
        );
        let wrong = Said::of(&mut home.command(&["bundle", "new", "Not_A_Name", &format!("{folder}2")]));
        wrong.fails(2, "Not_A_Name cannot be a bundle");
    }
}
