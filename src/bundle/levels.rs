//! What of the sandboxes this machine has: found out by trying, with the shell's own binary as the program.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, oneshot};

use super::control::Ears;
use super::fence::{Fence, Reached, reached};
use super::hold::Hold;
use super::manifest::Sandbox;
use super::process::Prepared;
use super::report::UNHELD;
use super::runner::{Launch, Runner};
use super::watch::Ended;
use super::{loopback, reach};

/// How long a try may take.
const LONGEST: Duration = Duration::from_secs(20);

/// A sandbox, and what it stands on here, or what is missing for it.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// As manifests write it.
    pub(crate) name: &'static str,
    /// Whether it is that of bundles that name none, or a wider one.
    pub(crate) usual: bool,
    /// What it stands on, or what is missing.
    pub(crate) state: Result<String, String>,
}

/// Kept once it was found out.
#[derive(Default)]
pub(super) struct Levels(OnceCell<Vec<Level>>);

impl Runner {
    /// All sandboxes, from the widest on. Tried once for each shell.
    pub(crate) async fn levels(self: &Arc<Self>) -> &[Level] {
        self.levels.0.get_or_init(|| look(self)).await
    }
}

async fn look(runner: &Arc<Runner>) -> Vec<Level> {
    let level = |sandbox: Sandbox, state| Level { name: sandbox.name(), usual: sandbox <= Sandbox::default(), state };
    let restrict = match reached() {
        Reached::Restrict(words) => Ok(words.clone()),
        Reached::Offline(words) => {
            Ok(format!("{words}; bundles with network are denied: Linux 6.7 fences their ports"))
        }
        Reached::Basic(missing) => Err(missing.clone()),
    };
    let isolate = match &restrict {
        Ok(_) => {
            attempt(runner, Hold::Isolate).await.map(|()| "namespaces of its own, and what restrict has".to_owned())
        }
        Err(missing) => Err(missing.clone()),
    };
    let quota = match (&isolate, runner.groups()) {
        (Ok(_), Ok(groups)) => attempt(runner, |fence| Hold::Quota(fence, groups.of(&mark())))
            .await
            .map(|()| "a control group of its own, and what isolate has".to_owned()),
        (Err(missing), _) => Err(missing.clone()),
        (_, Err(missing)) => Err(missing.to_owned()),
    };
    vec![
        level(Sandbox::Basic, Ok("limits, a clean environment, an end that ends all".into())),
        level(Sandbox::Restrict, restrict),
        level(Sandbox::Isolate, isolate),
        level(Sandbox::Quota, quota),
    ]
}

/// That of the shell's own tries, one at a time.
fn mark() -> String {
    format!("try-{}", std::process::id())
}

/// Runs the shell's own binary, which says its version, in there.
async fn attempt(runner: &Arc<Runner>, hold: impl FnOnce(Fence) -> Hold) -> Result<(), String> {
    let mut fence = reach::alone(runner.own(), runner.home());
    fence.ports.push(loopback::PORT);
    let mark = mark();
    let prepared = Prepared {
        runner: Arc::clone(runner),
        launch: Launch {
            program: runner.own().to_owned(),
            args: vec!["--version".into()],
            environment: Vec::new(),
            folder: runner.folder(&mark),
            seconds: LONGEST.as_secs(),
            memory: u64::MAX,
            hold: hold(fence),
            endpoints: Vec::new(),
            hear: Arc::new(|_| {}),
            input: false,
        },
        mark,
        longest: LONGEST,
        ears: Ears::deaf(),
        verdict: Ended::verdict,
    };
    let (_stop, stopped) = oneshot::channel();
    // what it says is not read, and fits into a pipe
    let (pipes, _given) = oneshot::channel();
    let ended = prepared.run(stopped, pipes).await;
    ended.map_err(|error| error.message().strip_prefix(UNHELD).unwrap_or(error.message()).to_owned())
}
