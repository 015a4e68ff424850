//! What the tests of programs stand on: a host that allows everything and hears everything, one runner, and a stage
//! made from a bundle's command and words.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use ecow::EcoString;
use pipit_commands::bind::{Head, Slot, Use, bind, fill, uses};
use pipit_commands::{
    Args, Call, Command, Error, Given, Host, How, Inquiry, Intent, Note, Origin, Stream, Value, Verb,
};

use crate::bundle::process::Settings;
use crate::bundle::{Dial, Ready, Runner, check, commands};

/// Allows everything and hears what is said.
#[derive(Default)]
pub(super) struct Open {
    pub(super) notes: Mutex<Vec<Note>>,
    /// What is said to questions, and how long that takes.
    pub(super) answers: Mutex<VecDeque<(Duration, &'static str)>>,
    /// Who asks; alice, if nobody says.
    pub(super) user: Option<&'static str>,
}

#[async_trait]
impl Host for Open {
    async fn judge(&self, _: &Command, _: &Args) -> Result<Option<Arc<dyn Intent>>, Error> {
        Ok(None)
    }
    fn judge_now(&self, _: &Command, _: &Args) -> Result<(), Error> {
        Ok(())
    }
    fn now(&self) -> i64 {
        0
    }
    fn dice(&self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        next.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(std::process::id())
    }
    fn spend(&self, _: u64) -> Result<(), Error> {
        Ok(())
    }
    async fn sleep(&self, _: f64) {}
    fn origin(&self) -> Origin {
        let user = self.user.unwrap_or("alice");
        let [user, room, adapter, line, handle] = [user, "#dev", "test", "l1", "Al"].map(Into::into);
        Origin { user, room, adapter, line, handle }
    }
    fn note(&self, _: &Command, note: Note) {
        self.notes.lock().unwrap().push(note);
    }
    async fn ask(&self, _: &Command, inquiry: Inquiry) -> Result<EcoString, Error> {
        let answer = self.answers.lock().unwrap().pop_front();
        let Some((after, said)) = answer else { return Err(Error::failed(format!("nobody knows {}", inquiry.text))) };
        tokio::time::sleep(after).await;
        Ok(said.into())
    }
    fn serve(&self, _: Verb, _: &Call, _: Option<Stream>) -> Stream {
        Stream::empty()
    }
}

/// The one runner of the test process, over the binary that the same build made.
pub(super) fn runner() -> Arc<Runner> {
    static RUNNER: OnceLock<Arc<Runner>> = OnceLock::new();
    let make = || {
        let exe = std::env::current_exe().unwrap();
        let pipit = exe.parent().and_then(Path::parent).unwrap().join("pipit");
        assert!(pipit.is_file(), "{} is not there: run cargo build first", pipit.display());
        let home = std::env::temp_dir().join(format!("pipit-test-{}", std::process::id()));
        let alone: Dial =
            Arc::new(|host, _| Box::pin(async move { Err(Error::failed(format!("{host} is not called"))) }));
        Runner::new(pipit, home, alone).unwrap()
    };
    Arc::clone(RUNNER.get_or_init(make))
}

/// A bundle in a folder, without installing it.
pub(super) fn ready(folder: impl Into<PathBuf>, settings: &[(&str, &str)], programs: &[(&str, PathBuf)]) -> Arc<Ready> {
    let folder = folder.into();
    let text = std::fs::read_to_string(folder.join("bundle.yaml")).unwrap();
    let manifest = check(&text).unwrap().manifest;
    let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let settings: Settings = Arc::new(move |_| Ok(settings.clone()));
    let programs = programs.iter().map(|(name, path)| ((*name).into(), path.clone())).collect::<BTreeMap<_, _>>();
    Arc::new(Ready { manifest, folder, programs, settings, warm: Arc::default() })
}

/// A bundle made of a manifest's commands and files.
pub(super) fn made(folder: &Path, commands: &str, files: &[(&str, &str)]) -> Arc<Ready> {
    use std::os::unix::fs::PermissionsExt as _;
    let manifest = format!("bundle: 1\nname: t\nversion: 1.0.0\ndescription: x\ncommands:\n{commands}");
    std::fs::write(folder.join("bundle.yaml"), manifest).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    ready(folder, &[], &[])
}

/// The folder of the misbehaving bundle.
pub(super) fn world(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/world/bundles").join(name);
    folder.canonicalize().expect("../shared/conformance is needed beside the repository")
}

/// Starts a command with words as they would be typed.
pub(super) async fn start(
    bundle: &Arc<Ready>,
    words: &[&str],
    input: Option<Vec<Value>>,
    host: &Arc<Open>,
) -> Result<Stream, Error> {
    let first = input.as_ref().and_then(|values| values.first().cloned());
    prepare(bundle, words, input.is_some(), first, host).await.map(|call| call.run(input.map(Stream::of)))
}

/// The same with any input, of which no parameter is filled.
pub(super) async fn start_with(
    bundle: &Arc<Ready>,
    words: &[&str],
    input: Option<Stream>,
    host: &Arc<Open>,
) -> Result<Stream, Error> {
    prepare(bundle, words, false, None, host).await.map(|call| call.run(input))
}

async fn prepare(
    bundle: &Arc<Ready>,
    words: &[&str],
    filled: bool,
    first: Option<Value>,
    host: &Arc<Open>,
) -> Result<Call, Error> {
    let (name, words) = words.split_first().unwrap();
    let found = commands(bundle, &runner()).into_iter().find(|command| command.spec().name == *name);
    let command = found.expect("no such command");
    let spec = command.spec().clone();
    let heads: Vec<Head<'_>> =
        words.iter().map(|word| if word.starts_with('-') { Head::Dash(word, true) } else { Head::Plain }).collect();
    let slot = |text: &str| Slot::Known(Given::one(Value::text(text), How::Bare));
    let (mut positional, mut options) = (Vec::new(), Vec::new());
    for (used, word) in uses(&spec.usage, name, &heads)?.into_iter().zip(words) {
        match used {
            Use::Word => positional.push(slot(word)),
            Use::Flags(flags) => options.extend(flags.into_iter().map(|at| (at, slot("")))),
            Use::OptionWith(at, from) => options.push((at, slot(&word[from..]))),
            Use::OptionNext(..) | Use::End => {}
            Use::ValueOf(at) => options.push((at, slot(word))),
        }
    }
    let mut args = bind(&spec, positional, options, filled)?.unwrap();
    if let Some(first) = first {
        fill(&spec, &mut args, &first)?;
    }
    let host = Arc::clone(host) as Arc<dyn Host>;
    Call::judged(command, args, Vec::new(), false, host).await
}

/// Runs a command to its end: the values, how it ended, and what was said.
pub(super) async fn run(
    bundle: &Arc<Ready>,
    words: &[&str],
    input: Option<Vec<Value>>,
) -> (Vec<Value>, Result<(), Error>, Vec<Note>) {
    run_on(&Arc::default(), bundle, words, input).await
}

/// The same on a host.
pub(super) async fn run_on(
    host: &Arc<Open>,
    bundle: &Arc<Ready>,
    words: &[&str],
    input: Option<Vec<Value>>,
) -> (Vec<Value>, Result<(), Error>, Vec<Note>) {
    let mut values = Vec::new();
    let mut end = Ok(());
    match start(bundle, words, input, host).await {
        Err(error) => end = Err(error),
        Ok(mut stream) => {
            while let Some(batch) = stream.next().await {
                match batch {
                    Ok(batch) => {
                        assert!(batch.len() <= pipit_commands::BATCH);
                        values.extend(batch);
                    }
                    Err(error) => end = Err(error),
                }
            }
        }
    }
    let notes = std::mem::take(&mut *host.notes.lock().unwrap());
    (values, end, notes)
}

/// The texts of what comes out, where all is well.
pub(super) async fn texts(bundle: &Arc<Ready>, words: &[&str], input: Option<Vec<Value>>) -> Vec<String> {
    let (values, end, _) = run(bundle, words, input).await;
    end.unwrap();
    values.iter().map(|value| value.to_text().to_string()).collect()
}

/// The message where it is not.
pub(super) async fn fault(bundle: &Arc<Ready>, words: &[&str]) -> String {
    let (_, end, _) = run(bundle, words, None).await;
    end.unwrap_err().to_string()
}

/// Processes that carry an invocation of these tests in their environment, by their command lines.
pub(super) fn left(root: &Path) -> Vec<String> {
    let wanted = format!("PIPIT_ROOT={}", root.display());
    let mut left = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()) {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            left.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    left
}

/// The memory of this process, in bytes.
pub(super) fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Copies the misbehaving bundle, so that its processes can be told from those of other tests.
pub(super) fn copied(name: &str, into: &Path) -> PathBuf {
    let folder = into.join(name);
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(world(name)).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    folder
}
