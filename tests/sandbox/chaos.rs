//! Programs that behave as badly as they can, one after the other in one shell, at each level: each has its answer, five
//! seconds later nothing of it is left, and the shell has grown by a few megabytes at most.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::home::{Beside, Home, PATIENCE, processes_with, sources, until};

/// How long anything of a run may be there after its answer.
const AFTER: Duration = Duration::from_secs(5);
/// How much the shell may grow, in KiB.
const GROWTH: u64 = 64 << 10;
/// Of a level: that it is not meant to hold what is tried.
const NOT_HELD: &str = "";

/// What is done, and what comes of it at `basic`, `restrict` and `isolate`.
const BAD: &[(&str, [&str; 3])] = &[
    ("try hang", [LATE; 3]),
    ("try spin", [LATE; 3]),
    ("try stop_itself", [LATE; 3]),
    ("try deaf", [LATE; 3]),
    ("try fork_bomb", [LATE; 3]),
    ("try runner", ["away"; 3]),
    ("try double_fork", ["left"; 3]),
    ("try huge_environment", ["told", "refused", "refused"]),
    ("try flood | count", ["83886"; 3]),
    ("try endless_line", ["longer than 1 MiB"; 3]),
    ("try slow", [LATE; 3]),
    ("try broken_text | count", ["2"; 3]),
    ("record broken_record", ["line 2"; 3]),
    ("record deep_record", ["line 1"; 3]),
    ("try closed", [LATE; 3]),
    ("try all_closed", [LATE; 3]),
    ("try late", ["early"; 3]),
    ("try descriptors", ["bounded"; 3]),
    ("try memory", ["bounded"; 3]),
    ("try threads", [LATE; 3]),
    ("try fill | join ' '", ["400 bounded", "400 bounded", "200 bounded"]),
    ("try many_files", [NOT_HELD, NOT_HELD, "bounded"]),
    ("try control", ["well"; 3]),
    ("try answers", ["well"; 3]),
    ("try snoop", [NOT_HELD, "nothing", "nothing"]),
    ("try signals", [NOT_HELD, "well", "well"]),
    ("try core", ["crashed with signal 6"; 3]),
    ("try code", ["exit code 137"; 3]),
    ("try claims", ["the program cannot be contained: x (exit code 126)"; 3]),
    ("try deep_folders", ["left"; 3]),
    ("try shut_folders", ["left"; 3]),
    ("try killed", ["was killed"; 3]),
];
const LATE: &str = "did not end within 2 s and was ended";

/// A shell that reads lines, and what it writes.
struct Shell {
    running: Beside,
    written: Receiver<String>,
    asked: usize,
}

impl Shell {
    fn start(home: &Home) -> Self {
        let mut command = home.command(&["shell"]);
        command.env("PIPIT_CANARY", "canary-7f3a").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = Beside::start(&mut command);
        let written = follow(running.child().stdout.take().unwrap());
        Self { running, written, asked: 0 }
    }

    /// The answer to a line, an error's text among it.
    fn ask(&mut self, line: &str) -> String {
        self.asked += 1;
        let end = format!("answered-{}", self.asked);
        self.running.types(&format!("try {{ {line} }} {{ echo failed: $message }}\necho {end}\n"));
        let mut answer = String::new();
        loop {
            let next = self.written.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{line}: {error}: {answer}"));
            if next == end {
                return answer;
            }
            answer.push_str(&next);
            answer.push('\n');
        }
    }

    /// All that comes from the shell, as the kernel sees it.
    fn family(&self) -> BTreeSet<u32> {
        let mut family = BTreeSet::from([self.running.id()]);
        let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
                let parent = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()?;
                Some((pid, parent))
            })
            .collect();
        loop {
            let before = family.len();
            family.extend(
                parents.iter().filter(|(_, parent)| family.contains(parent)).map(|(pid, _)| *pid).collect::<Vec<_>>(),
            );
            if family.len() == before {
                return family;
            }
        }
    }

    /// A figure of its memory in KiB.
    fn memory(&self, figure: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.running.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
        line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
    }
}

fn follow(out: ChildStdout) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

/// The bundle, installed at a level; where it is.
pub(crate) fn install(home: &Home, name: &str) -> PathBuf {
    let folder = home.beside("chaos");
    fs::create_dir(&folder).unwrap();
    let manifest = fs::read_to_string(sources().join("tests/chaos/bundle.yaml")).unwrap();
    fs::write(folder.join("bundle.yaml"), manifest.replace("LEVEL", name)).unwrap();
    fs::copy(sources().join("tests/chaos/chaos.py"), folder.join("chaos.py")).unwrap();
    home.setup(&[&format!("bundle install '{}'", folder.display()), "bundle enable chaos"]);
    fs::read_dir(home.path().join("bundles")).unwrap().next().unwrap().unwrap().path()
}

fn survives(level: usize) {
    let name = ["basic", "restrict", "isolate"][level];
    let home = Home::new();
    let installed = install(&home, name);
    let mut shell = Shell::start(&home);
    // the first program brings the shell's own helpers
    assert!(shell.ask("chaos:try code").contains("exit code 137"));
    let (family, memory) = (shell.family(), shell.memory("VmRSS"));
    for (how, wanted) in BAD {
        if wanted[level] == NOT_HELD {
            continue;
        }
        let answer = shell.ask(&format!("chaos:{how}"));
        assert!(answer.contains(wanted[level]), "{name}, {how}: {answer}");
        let answered = Instant::now();
        loop {
            let (now, escaped) = (shell.family(), processes_with(installed.to_str().unwrap()));
            if now == family && escaped.is_empty() {
                break;
            }
            let left: Vec<_> = now.difference(&family).collect();
            assert!(answered.elapsed() < AFTER, "{name}, {how}: there are still {left:?} {escaped:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(fs::read_dir(home.path().join("runs")).unwrap().count(), 0, "{name}, {how}: a folder is left");
    }
    let most = shell.memory("VmHWM");
    assert!(most < memory + GROWTH, "{name}: from {memory} to {most} KiB");
    assert!(shell.ask("echo well").contains("well"));
}

#[test]
fn what_behaves_badly_is_contained_at_basic() {
    survives(0);
}

#[test]
fn what_behaves_badly_is_contained_at_restrict() {
    survives(1);
}

#[test]
fn what_behaves_badly_is_contained_at_isolate() {
    survives(2);
}

/// An administrator looks into every folder, others have to open them first.
#[test]
fn folders_that_are_shut_are_taken_away_by_who_has_no_rights() {
    let home = Home::new().of_nobody();
    install(&home, "restrict");
    for how in ["shut_folders", "deep_folders"] {
        assert_eq!(home.run(&format!("chaos:try {how}")).well(), "left");
        assert_eq!(fs::read_dir(home.path().join("runs")).unwrap().count(), 0, "{how}");
    }
}

/// They took off all that says where they come from, so nobody but the kernel can find them.
#[test]
fn what_hides_dies_with_the_shell_at_isolate() {
    let home = Home::new();
    install(&home, "isolate");
    let mut shell = Shell::start(&home);
    let mark = std::process::id();
    shell.running.types(&format!("chaos:try hidden {mark}\n"));
    let hidden = format!("300.{mark}");
    let away = || processes_with(&hidden).iter().filter(|process| process.contains("innocent")).count();
    until("three that hide", || (away() == 3).then_some(()));
    shell.running.signal(Signal::KILL);
    until("their end", || processes_with(&hidden).is_empty().then_some(()));
}
