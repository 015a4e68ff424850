//! `pipit serve`: the shell with its chat services, until it is told to stop.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Home, fail, tell};
use tokio::sync::watch;

use crate::chat::{self, Link, Services, State};
use crate::config::{Config, Days};
use crate::engine::Engine;
use crate::limits;
use crate::scrub;

/// Serves until SIGINT or SIGTERM.
pub(super) fn serve(home: &Home, config: Config, develop: &[PathBuf]) -> ExitCode {
    log(&config.log);
    if config.chat.is_empty() {
        return fail(
            2,
            &"there is no chat service to serve; name one in pipit.toml ([[chat]], see docs/chat.md), or use pipit shell",
        );
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(5, &format!("the runtime does not start: {error}")),
    };
    runtime.block_on(async {
        let engine = match home.open() {
            Ok(engine) => engine,
            Err(error) => return fail(5, &error),
        };
        if let Err(error) = engine.check() {
            return fail(5, &error);
        }
        if !develop.is_empty()
            && let Err(error) = engine.develop(develop)
        {
            return fail(2, &error);
        }
        match engine.claim_code().await {
            Ok(Some(code)) => {
                tell(&format_args!(
                    "pipit: there is no administrator yet. Whoever says this to the bot in a direct message is:"
                ));
                tell(&format_args!("pipit:     claim {code}"));
                // said once, on the console; whoever says it to the bot leaves no trace of it
                scrub::keep("claim code", &code);
            }
            Ok(None) => {}
            Err(error) => return fail(5, &error),
        }
        match engine.close_broken_lines().await {
            Ok(lines) if lines.is_empty() => {}
            Ok(lines) => tell(&format_args!(
                "pipit: lines of an earlier run broke off: {}; audit show tells what they had done",
                lines.join(", ")
            )),
            Err(error) => return fail(5, &error),
        }
        let services = Services::default();
        engine.connect(Arc::new(services.clone()));
        let mut links = tokio::task::JoinSet::new();
        let mut handles = HashMap::new();
        for entry in config.chat {
            let name = entry.name().to_owned();
            let ask = chat::ask(engine.clone(), entry.kind());
            let ways = chat::ways(engine.clone(), name.as_str().into());
            let (label, rooms) = (format!("{} {name}", entry.kind()), entry.rooms().len());
            tell(&format_args!("pipit: {label}: connecting"));
            let listen = chat::listen(engine.clone(), entry.kind(), name.as_str().into());
            let handle = chat::start(entry, ask, ways, listen);
            links.spawn(tell_of(label, rooms, handle.watch()));
            handles.insert(name.as_str().into(), handle);
        }
        services.set(handles);
        let others = engine.clone();
        let approved = tokio::spawn(async move { others.take_over().await });
        let clock = tokio::spawn(engine.clone().keep_time());
        let looks = tokio::spawn(look_again(engine.clone()));
        let watch = tokio::spawn(look_after(engine.clone(), config.audit.keep));
        stopped().await;
        watch.abort();
        looks.abort();
        approved.abort();
        links.abort_all();
        clock.abort();
        tell(&format_args!("pipit: stopping"));
        services.stop().await;
        engine.settle().await;
        ExitCode::SUCCESS
    })
}

/// Says when a service is connected, when it fails, and when either changes.
async fn tell_of(label: String, rooms: usize, mut states: watch::Receiver<State>) {
    /// How long a connection has to come into its rooms before it is said where it is.
    const SETTLES: Duration = Duration::from_secs(3);
    let mut told = String::new();
    loop {
        let state = states.borrow_and_update().clone();
        let says = match &state.link {
            Link::Connected { nick, .. } => {
                let entering = state.rooms.len() < rooms && !told.starts_with("connected");
                if entering
                    && tokio::time::timeout(SETTLES, states.changed()).await.is_ok_and(|changed| changed.is_ok())
                {
                    continue;
                }
                let place = if state.rooms.is_empty() { "no room".to_owned() } else { state.rooms.join(" ") };
                let lacking = state.last_error.filter(|_| state.rooms.len() < rooms);
                let lacking = lacking.map(|error| format!(" ({error})")).unwrap_or_default();
                format!("connected as {nick}, in {place}{lacking}")
            }
            Link::Waiting { .. } => {
                let error = state.last_error.unwrap_or_default();
                format!("not connected: {error}; it is tried again")
            }
            Link::Connecting | Link::Stopped => told.clone(),
        };
        // what fails again and again in the same way is said once
        if says != told {
            tell(&format_args!("pipit: {label}: {says}"));
            told = says;
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

/// Reads bundles again that are being worked on, when their files have changed, and says so.
async fn look_again(engine: Engine) {
    while engine.develops() {
        tokio::time::sleep(limits::LOOK_AGAIN).await;
        let engine = engine.clone();
        let looked = tokio::task::spawn_blocking(move || engine.look_again()).await;
        for said in looked.map_or_else(|_| Vec::new(), |looked| looked.unwrap_or_else(|error| vec![Err(error)])) {
            match said {
                Ok(said) => tell(&format_args!("pipit: {said}")),
                Err(error) => tell(&format_args!("pipit: {error}")),
            }
        }
    }
}

/// Closes the lines that died with another process, now and again and again; forgets old answers and old talk, now and every hour;
/// erases what is older than the site keeps, now and every day.
async fn look_after(engine: Engine, keep: Option<Days>) {
    let (mut forgot, mut ended, mut erased) = (None, None, None);
    loop {
        if is_due(&mut forgot, limits::FORGET_EVERY)
            && let Err(error) = engine.forget_answers().await
        {
            tracing::warn!(%error, "old answers were not forgotten");
        }
        if is_due(&mut ended, limits::FORGET_EVERY)
            && let Err(error) = engine.end_old_talk(keep.map(|Days(days)| days)).await
        {
            tracing::warn!(%error, "old talk of rooms was not deleted");
        }
        if let Some(Days(days)) = keep
            && is_due(&mut erased, limits::ERASE_EVERY)
        {
            match engine.erase_old(days).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, days, "what old records of the log say was erased"),
                Err(error) => tracing::warn!(%error, "what old records of the log say was not erased"),
            }
        }
        if let Err(error) = engine.close_orphans().await {
            tracing::warn!(%error, "lines of processes that are gone were not closed");
        }
        tokio::time::sleep(limits::LOOK_AFTER).await;
    }
}

/// Whether something is due that was last done then; if so, it counts as done now.
fn is_due(last: &mut Option<Instant>, every: Duration) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= every);
    if due {
        *last = Some(Instant::now());
    }
    due
}

/// Waits until the process is asked to stop.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// What is told on standard error: by the configuration, or by `PIPIT_LOG`.
fn log(level: &str) {
    use tracing_subscriber::EnvFilter;
    let wanted = std::env::var("PIPIT_LOG").unwrap_or_else(|_| level.to_owned());
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| scrub::Writer(std::io::stderr()))
        .log_internal_errors(false);
    // a subscriber that is there already stays
    let _ = log.try_init();
}
