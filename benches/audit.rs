//! How fast lines are written down and checked, on the disk that holds the temporary directory. `cargo bench --bench audit`.
//! Deliberately absent: thresholds; the figures depend on the disk's flush, which is measured beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement ends where something fails")]
#![allow(dead_code, unused_imports, reason = "not every part of the rooms is measured")]

#[path = "../src"]
mod shell {
    pub(crate) mod audit;
    pub(crate) mod store;
}
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use shell::{audit, store};

use audit::{Asked, Audit, Filter, Outcome, Status, Verdict};
use store::{Change, Store};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lines the concurrent callers write together.
const LINES: i64 = 64_000;

async fn line(audit: &Audit, at: i64) {
    let text = "ec2:find --state running --region eu-west-1 | where age > 30 | sort name | head 5";
    let asked = Asked { at, who: "user:01997c5e-alice", via: "slack", room: "C024BE91L", text, cause: None };
    let ticket = audit.open(asked).await.unwrap();
    let args = r#"{"state":"running","region":"eu-west-1"}"#;
    ticket.trail().verdict(&Verdict { at, command: "ec2:find", args, allowed: true, rule: "must have ec2:read" });
    let (status, took) = (Status::Ok, Duration::from_millis(3));
    let _receipt = ticket.close(&Outcome { at, status, message: "", took, values: 5 });
}

fn opened(home: &Path) -> (Store, Audit) {
    let store = Store::open(home.join("pipit.db")).unwrap();
    let audit = Audit::start(&store, home).unwrap();
    (store, audit)
}

fn quartiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_micros();
    format!("median {} µs, p99 {} µs", at(50), at(99))
}

async fn latency(home: &Path) {
    let mut file = std::fs::File::create(home.join("flush")).unwrap();
    let mut flushes = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        flushes.push(began.elapsed());
    }
    println!("write and flush of a page:         {}", quartiles(flushes));
    let (_store, audit) = opened(home);
    line(&audit, 0).await;
    let mut times = Vec::new();
    for at in 0..2000 {
        let began = Instant::now();
        line(&audit, at).await;
        times.push(began.elapsed());
    }
    println!("one line at a time (its open):     {}", quartiles(times));
}

async fn throughput(callers: i64) {
    let home = tempfile::tempdir().unwrap();
    let (_store, audit) = opened(home.path());
    let each = if callers == 1 { 4000 } else { LINES / callers };
    line(&audit, 0).await;
    let began = Instant::now();
    let clock = Arc::new(AtomicI64::new(0));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (audit, clock) = (audit.clone(), Arc::clone(&clock));
        running.spawn(async move {
            for _ in 0..each {
                line(&audit, clock.fetch_add(1, Ordering::Relaxed)).await;
            }
        });
    }
    running.join_all().await;
    let (lines, took) = (f64::from(i32::try_from(callers * each).unwrap()), began.elapsed());
    println!("{callers} callers:                        {:.0} lines/s", lines / took.as_secs_f64());
}

async fn reading(home: &Path) {
    let (store, audit) = opened(home);
    futures_util::future::join_all((0..100_000).map(|at| line(&audit, at))).await;
    let began = Instant::now();
    let report = audit::verify(&store, home).unwrap();
    assert_eq!(report.fault, None);
    let rows = f64::from(i32::try_from(report.records).unwrap());
    println!("verify:                            {:.0} rows/s of {rows}", rows / began.elapsed().as_secs_f64());
    let rare = Filter { who: Some("user:nobody".into()), ..Filter::default() };
    let denied = Filter { command: Some("ec2:find".into()), ..Filter::default() };
    for (name, filter) in [("newest 50", Filter::default()), ("by who, none", rare), ("by command", denied)] {
        let began = Instant::now();
        let found = audit.list(filter).await.unwrap().len();
        println!("list, {name}: {found} in {} µs", began.elapsed().as_micros());
    }
    let body = "x".repeat(300);
    let role = |n| Change::Insert { kind: "role", key: format!("{n:06}"), body: body.clone() };
    store.apply((0..1000).map(role).collect()).await.unwrap();
    let began = Instant::now();
    for _ in 0..10_000 {
        store.version().unwrap();
    }
    println!("version:                           {} ns", began.elapsed().as_nanos() / 10_000);
    let began = Instant::now();
    for n in 0..10_000 {
        store.get("role", &format!("{:06}", n % 1000)).unwrap().unwrap();
    }
    println!("get:                               {} ns", began.elapsed().as_nanos() / 10_000);
    let began = Instant::now();
    assert_eq!(store.list("role").unwrap().len(), 1000);
    println!("list of 1000 documents:            {} µs", began.elapsed().as_micros());
}

/// What a process that runs one line pays: open, a policy read, a durable line, exit.
fn once(home: &Path) {
    let mut times = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        let ended = Command::new(std::env::current_exe().unwrap()).env("PIPIT_BENCH_HOME", home).status().unwrap();
        assert!(ended.success());
        times.push(began.elapsed());
    }
    println!("process: open, one line, exit:     {}", quartiles(times));
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Ok(home) = std::env::var("PIPIT_BENCH_HOME") {
        let home = Path::new(&home);
        let (store, audit) = opened(home);
        store.list("rule").unwrap();
        runtime.block_on(line(&audit, 0));
        return;
    }
    let home = tempfile::tempdir().unwrap();
    once(home.path());
    runtime.block_on(async {
        latency(home.path()).await;
        for callers in callers() {
            throughput(callers).await;
        }
        reading(home.path()).await;
    });
    once(home.path());
}

/// How many callers to measure: the numbers on the command line, or a spread of them.
fn callers() -> Vec<i64> {
    let given: Vec<i64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    if given.is_empty() { vec![1, 8, 64, 256] } else { given }
}
