//! A home of its own for a test, and the binary at work in it.
//!
//! Deliberately absent: anything that a user of the binary could not do.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The longest wait for anything on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// The folder of the sources.
pub(crate) fn sources() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The binary with nothing of the caller's own homes in its environment.
pub(crate) fn pipit() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_pipit")))
}

fn clean(mut command: Command) -> Command {
    command.stdin(Stdio::null()).current_dir(sources());
    for name in ["PIPIT_HOME", "XDG_DATA_HOME", "PIPIT_LOG"] {
        command.env_remove(name);
    }
    command
}

/// A program of the test tools, else of `PATH`.
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(sources().join("target/test-tools/venv/bin")).chain(std::env::split_paths(&path));
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: run tests/setup"))
}

/// A port of loopback that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Looks again and again until there is something, at most as long as the patience lasts.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("only UTF-8 is written");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Asserts the exit code, and that the error holds this.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, part: &str) -> Self {
        assert!(self.code == Some(code) && self.err.contains(part), "wanted exit {code} with {part:?}: {self:?}");
        self
    }

    /// Asserts that it went well, and gives the output without the last line break.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out.trim_end().to_owned()
    }

    /// Asserts that it went well, and gives the output's JSON lines.
    #[track_caller]
    pub(crate) fn values(self) -> Vec<Value> {
        self.well().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A home in a folder that goes with it.
pub(crate) struct Home {
    dir: tempfile::TempDir,
    /// A folder of programs, before those of the caller.
    programs: Option<PathBuf>,
    /// The user that owns it and runs the binary there, and that user's copy of the binary.
    user: Option<(u32, PathBuf)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), programs: None, user: None }
    }

    /// One in a folder of this one.
    pub(crate) fn within(folder: &str) -> Self {
        Self { dir: tempfile::tempdir_in(folder).unwrap(), ..Self::new() }
    }

    /// The home of a user without any rights; of the test's own when that has none already.
    pub(crate) fn of_nobody(self) -> Self {
        const NOBODY: u32 = 65534;
        let mut home = self;
        if rustix::process::getuid().is_root() {
            std::os::unix::fs::chown(home.dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            let (built, own) = (Path::new(env!("CARGO_BIN_EXE_pipit")), home.beside("pipit"));
            if std::fs::hard_link(built, &own).is_err() {
                std::fs::copy(built, &own).unwrap();
            }
            home.user = Some((NOBODY, own));
        }
        home
    }

    /// Makes a file beside the home that of the home's user.
    pub(crate) fn hand_over(&self, name: &str) {
        if let Some((user, _)) = self.user {
            std::os::unix::fs::chown(self.beside(name), Some(user), Some(user)).unwrap();
        }
    }

    /// Writes a file beside the home that is its user's.
    pub(crate) fn own_file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name, text);
        self.hand_over(name);
        path
    }

    /// With the programs of a folder in the `PATH`, before the others.
    pub(crate) fn with_path(mut self, programs: &Path) -> Self {
        self.programs = Some(programs.to_owned());
        self
    }

    /// The home itself; made by the first start.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A place beside the home.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file beside the home.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.beside(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes the configuration, which every later start reads.
    pub(crate) fn configure(&self, text: &str) {
        self.file("pipit.toml", text);
    }

    /// The binary on this home, by its configuration if there is one.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = pipit();
        if let Some((user, own)) = &self.user {
            command = clean(Command::new(own));
            command.uid(*user).gid(*user).current_dir(self.dir.path());
        }
        command.arg("--home").arg(self.path());
        if let Some(programs) = &self.programs {
            let usual = std::env::var_os("PATH").unwrap_or_default();
            let folders = std::iter::once(programs.clone()).chain(std::env::split_paths(&usual));
            command.env("PATH", std::env::join_paths(folders).unwrap());
        }
        let config = self.beside("pipit.toml");
        if config.exists() {
            command.arg("--config").arg(config);
        }
        command.args(args);
        command
    }

    /// `pipit run LINE` as the operator.
    pub(crate) fn run(&self, line: &str) -> Said {
        Said::of(&mut self.command(&["run", "--", line]))
    }

    /// `pipit run --as USER LINE`.
    /// Runs a line of the operator's with this on standard input.
    pub(crate) fn run_with(&self, line: &str, input: &str) -> Said {
        let file = self.file("standard-input", input);
        let mut command = self.command(&["run", "--stdin", "--", line]);
        Said::of(command.stdin(std::fs::File::open(file).unwrap()))
    }

    pub(crate) fn run_as(&self, user: &str, line: &str) -> Said {
        Said::of(&mut self.command(&["run", "--as", user, "--", line]))
    }

    /// The values of a line as JSON.
    #[track_caller]
    pub(crate) fn values(&self, line: &str) -> Vec<Value> {
        Said::of(&mut self.command(&["run", "--json", "--", line])).values()
    }

    /// Runs lines that must end well.
    #[track_caller]
    pub(crate) fn setup(&self, lines: &[&str]) {
        for line in lines {
            let said = self.run(line);
            assert_eq!(said.code, Some(0), "{line}: {said:?}");
        }
    }

    /// The audit log as its own command tells it, the newest line last and without that command's own.
    pub(crate) fn log(&self) -> Vec<Value> {
        let mut rows = self.values("audit list --count=1000");
        rows.pop();
        rows
    }
}

/// The text of a record's field.
pub(crate) fn field<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("no text {name} in {row}"))
}

/// A program that runs beside the test, with what it writes on standard error; ended with it.
pub(crate) struct Beside {
    child: Child,
    written: Arc<Mutex<String>>,
}

impl Beside {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let written = Arc::new(Mutex::new(String::new()));
        let (errors, kept) = (child.stderr.take().unwrap(), Arc::clone(&written));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self { child, written }
    }

    pub(crate) fn written(&self) -> String {
        self.written.lock().unwrap().clone()
    }

    /// Waits until it has written this on standard error; gives all of it.
    pub(crate) fn writes(&mut self, part: &str) -> String {
        until(&format!("{part:?}"), || {
            let written = self.written();
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() || written.contains(part), "ended with {ended:?}: {written}");
            written.contains(part).then_some(written)
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it ends by itself.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        until("the end of a program", || self.child.try_wait().unwrap())
    }

    /// Writes to its standard input, which must be a pipe.
    pub(crate) fn types(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// The processes whose command line or environment holds a text.
pub(crate) fn processes_with(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let path = entry.path();
        if !entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let read =
            |name: &str| String::from_utf8_lossy(&std::fs::read(path.join(name)).unwrap_or_default()).into_owned();
        let (words, environment) = (read("cmdline"), read("environ"));
        if words.contains(mark) || environment.contains(mark) {
            found.push(format!("{}: {}", path.display(), words.replace('\0', " ")));
        }
    }
    found
}
