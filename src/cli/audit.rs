//! `pipit audit`: the log without a shell, also when the shell does not start.

use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use super::line::{self, Ask, Input};
use super::words::quoted;
use super::{Home, fail, show};
use crate::audit;
use crate::store::Store;

/// `pipit audit verify`. Ends with 1 when something is wrong.
pub(super) fn verify(home: &Home, anchors: Option<&Path>) -> ExitCode {
    let store = match Store::open(home.database()) {
        Ok(store) => store,
        Err(error) => return fail(5, &error),
    };
    let usual = home.outside().file.as_deref().filter(|file| file.exists());
    let report = match audit::verify(&store, home.path(), anchors.or(usual)) {
        Ok(report) => report,
        Err(error) => return fail(1, &error),
    };
    if let Some(fault) = report.fault {
        return fail(1, &format!("the log was altered: {fault}; {} records before that hold", report.records));
    }
    show(&format_args!("{} records hold, up to {}", report.records, report.head));
    if let Some(held) = report.outside {
        show(&format_args!("{held} anchors from elsewhere hold"));
    }
    if report.erased > 0 {
        show(&format_args!("what {} of them said was erased, as records say", report.erased));
    }
    for loss in report.losses {
        let had = loss.anchored.map_or_else(|| "an unknown number".into(), |had| had.to_string());
        let reason = crate::render::plain(&loss.reason);
        show(&format_args!("a loss was accepted after record {} of {had}: {reason}", loss.found));
    }
    ExitCode::SUCCESS
}

/// The other verbs, which are the shell's.
pub(super) fn line(home: &Home, words: &[String]) -> ExitCode {
    const VERBS: [&str; 6] = ["list", "show", "search", "export", "timeline", "erase"];
    let (verb, rest) = match words.split_first() {
        Some((verb, rest)) if VERBS.contains(&verb.as_str()) => (verb, rest),
        Some((verb, _)) => {
            return fail(2, &format!("audit has no verb {verb}: it has verify, accept-loss, {}", VERBS.join(", ")));
        }
        None => return fail(2, &"audit takes a verb"),
    };
    let json = rest.iter().any(|word| word == "--json");
    let rest = rest.iter().filter(|word| *word != "--json").map(|word| quoted(word));
    let line = ["audit".to_owned(), verb.clone()].into_iter().chain(rest).collect::<Vec<_>>().join(" ");
    line::run(home, Ask { user: None, room: None, json, files: None, input: Input::None, develop: Vec::new(), line })
}

/// `pipit audit accept-loss`.
pub(super) fn accept_loss(home: &Home, reason: &str) -> ExitCode {
    if reason.trim().is_empty() {
        return fail(2, &"say what happened: pipit audit accept-loss 'WHAT HAPPENED'");
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(5, &format!("the runtime does not start: {error}")),
    };
    let store = match Store::open(home.database()) {
        Ok(store) => store,
        Err(error) => return fail(5, &error),
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    match runtime.block_on(audit::accept_loss(&store, home.path(), home.outside(), at, reason)) {
        Ok(loss) => {
            show(&format_args!("the log goes on after record {}; that this was lost is written down", loss.found));
            ExitCode::SUCCESS
        }
        Err(error) => fail(1, &error),
    }
}
