//! A bundle that is being worked on: enabled for one process, read again when its files change, and what was good goes on where a
//! change has faults.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

#[path = "support/home.rs"]
mod home;

use home::{Home, Said, field, until};

const MANIFEST: &str = "bundle: 1
name: mine
version: 1.0.0
description: is being worked on
commands:
  greet: {about: x, usage: 'greet NAME', run: [./greet.sh, '{NAME}'], rules: [allow], effect: pure, output: lines}
";

fn write(folder: &Path, manifest: &str, word: &str) {
    fs::write(folder.join("bundle.yaml"), manifest).unwrap();
    fs::write(folder.join("greet.sh"), format!("#!/bin/sh\necho \"{word}, $1\"\n")).unwrap();
    fs::set_permissions(folder.join("greet.sh"), Permissions::from_mode(0o755)).unwrap();
}

/// A shell that is given lines one by one.
struct Shell {
    child: Child,
    lines: ChildStdin,
    said: std::path::PathBuf,
    lines_said: usize,
}

impl Shell {
    fn of(home: &Home, folder: &Path) -> Self {
        let said = home.file("said", "");
        let out = || fs::OpenOptions::new().append(true).open(&said).unwrap();
        let mut command = home.command(&["shell", "--dev", folder.to_str().unwrap()]);
        let mut child = command.stdin(Stdio::piped()).stdout(out()).stderr(out()).spawn().unwrap();
        let lines = child.stdin.take().unwrap();
        Self { child, lines, said, lines_said: 0 }
    }

    /// Types a line, and gives all that is said until its mark comes.
    fn types(&mut self, line: &str) -> String {
        self.lines_said += 1;
        let mark = format!("mark {}", self.lines_said);
        writeln!(self.lines, "{line}\necho {mark}").unwrap();
        let whole = until("the answer", || {
            let said = fs::read_to_string(&self.said).unwrap();
            said.contains(&format!("{mark}\n")).then_some(said)
        });
        let before = format!("mark {}\n", self.lines_said - 1);
        let from = whole.rfind(&before).map_or(0, |at| at + before.len());
        whole[from..].trim_end_matches(&format!("{mark}\n")).to_owned()
    }
}

#[test]
fn a_bundle_is_read_again_when_its_files_change() {
    let home = Home::new();
    let folder = home.beside("mine");
    fs::create_dir(&folder).unwrap();
    write(&folder, MANIFEST, "hello");
    let mut shell = Shell::of(&home, &folder);
    let said = shell.types("mine:greet ada");
    assert!(said.contains("is enabled here") && said.ends_with("hello, ada\n"), "{said}");
    write(&folder, MANIFEST, "hi");
    let said = shell.types("mine:greet ada");
    assert!(said.contains("is enabled for this process: mine 1.0.0: greet") && said.ends_with("hi, ada\n"), "{said}");
    assert_eq!(shell.types("mine:greet ada"), "hi, ada\n", "nothing has changed");
    // a change with faults: what was good goes on, and it is said where and why
    write(&folder, &MANIFEST.replace("effect: pure", "effect: none"), "bye");
    let said = shell.types("mine:greet ada");
    assert!(said.contains("commands.greet.effect") && said.contains("what was there before goes on"), "{said}");
    assert!(said.contains("hi, ada\n") && !said.contains("bye"), "{said}");
    assert!(
        said.contains("note: mine runs as it was before its last change: the manifest has faults: commands.greet"),
        "{said}"
    );
    let said = shell.types("bundle list");
    assert!(said.contains("dev, but its last change is not taken"), "{said}");
    // a file that is away for a moment is a fault, too
    write(&folder, MANIFEST, "bye");
    fs::remove_file(folder.join("greet.sh")).unwrap();
    let said = shell.types("mine:greet ada");
    assert!(said.contains("the folder has no file greet.sh") && said.contains("hi, ada\n"), "{said}");
    write(&folder, &MANIFEST.replace("greet:", "wave:").replace("'greet NAME'", "'wave NAME'"), "hey");
    assert!(shell.types("mine:wave ada").ends_with("hey, ada\n"));
    assert!(shell.types("mine:greet ada").contains("there is no command mine:greet"));
    drop(shell.lines);
    assert!(shell.child.wait().unwrap().success());
    // nothing of it is kept
    assert_eq!(home.values("bundle list"), Vec::<serde_json::Value>::new());
    assert_eq!(fs::read_dir(home.path().join("runs")).unwrap().count(), 0);
}

#[test]
fn it_goes_before_one_of_its_name_and_for_its_process_alone() {
    let home = Home::new();
    let folder = home.beside("mine");
    fs::create_dir(&folder).unwrap();
    write(&folder, MANIFEST, "hello");
    home.setup(&[&format!("bundle install '{}'", folder.display()), "bundle enable mine"]);
    write(&folder, &MANIFEST.replace("1.0.0", "2.0.0"), "hi");
    let with =
        |line: &str| Said::of(&mut home.command(&["run", "--json", "--dev", folder.to_str().unwrap(), "--", line]));
    assert_eq!(with("mine:greet ada").values(), ["hi, ada"]);
    let rows = with("bundle list").values();
    let told: Vec<_> = rows.iter().map(|row| [field(row, "version"), field(row, "state")]).collect();
    assert_eq!(told, [["1.0.0", "enabled, behind the one in development"], ["2.0.0", "dev"]]);
    assert_eq!(home.run("mine:greet ada").well(), "hello, ada");
    // one that cannot be is refused before anything runs
    write(&folder, &MANIFEST.replace("name: mine", "name: text"), "hi");
    with("echo hi").fails(2, "the name text is reserved");
    fs::remove_file(folder.join("bundle.yaml")).unwrap();
    with("echo hi").fails(2, "bundle.yaml");
}
