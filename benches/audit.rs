//! The audit: one durable entry, what 64 callers at once write a second, and how fast the log is verified. The two rooms
//! are taken in as source, since they are inside the binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

#[path = "../src"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "a part of the rooms is used, and their tests are not")]
mod shell {
    pub(crate) mod audit;
    pub(crate) mod limits;
    pub(crate) mod scrub;
    pub(crate) mod store;
}
use shell::{audit, limits, scrub, store};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use audit::{Asked, Audit, Outcome, Status, Verdict};
use measure::{Commits, Table, at, micros, time};
use store::Store;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ALONE: usize = 500;
const CALLERS: usize = 64;
const SECONDS: u64 = 3;

fn main() {
    measure::machine("audit: rows on the disk");
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(home.path().join("pipit.db")).unwrap();
    let log = Audit::start(&store, home.path(), &audit::Outside::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();

    let disk = Commits::open(home.path());
    let mut commits = Vec::new();
    let mut opens = Vec::new();
    runtime.block_on(async {
        for _ in 0..if measure::quick() { ALONE / 10 } else { ALONE } {
            let began = Instant::now();
            let ticket = log.open(asked()).await.unwrap();
            opens.push(began.elapsed().as_secs_f64());
            ticket.close(&outcome()).durable().await.unwrap();
            commits.push(disk.one());
        }
    });
    let mut table = Table::new("audit", &["p50", "p99", "a second"]);
    let mut say = |name: &str, all: &[f64]| {
        let of = |share| micros(at(all.iter().copied(), share));
        table.row(name, &[of(0.5), of(0.99), "-".into()]);
    };
    say("one durable commit of SQLite here", &commits);
    say("one durable entry, nobody else", &opens);

    let lines = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    runtime.block_on(async {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (log, lines) = (log.clone(), Arc::clone(&lines));
                tokio::spawn(async move {
                    while began.elapsed() < Duration::from_secs(SECONDS) {
                        let ticket = log.open(asked()).await.unwrap();
                        ticket.trail().verdict(&verdict());
                        drop(ticket.close(&outcome()));
                        lines.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    });
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count of lines")]
    let rate = lines.load(Ordering::Relaxed) as f64 / took;
    let mut many = |name: &str, rate: f64| table.row(name, &["-".into(), "-".into(), format!("{rate:.0}")]);
    many(&format!("{CALLERS} callers at once, lines"), rate);
    many("the same, rows", rate * 3.0);

    drop(log);
    drop(store);
    let store = Store::open(home.path().join("pipit.db")).unwrap();
    let mut records = 0;
    let took = time(|| {
        let report = audit::verify(&store, home.path(), None).unwrap();
        assert!(report.fault.is_none(), "{report:?}");
        records = report.records;
    });
    #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
    let rate = records as f64 / took;
    many(&format!("verify, of {records} rows"), rate);
}

fn asked() -> Asked<'static> {
    let text = "deploy web --env=staging | grep error | head 5";
    Asked { at: 1_700_000_000_000, who: "alice", via: "irc", room: "ops", text, cause: None }
}

fn verdict() -> Verdict<'static> {
    let rule = "when command is ops:deploy must have ops:deploy";
    Verdict { at: 1_700_000_000_000, command: "ops:deploy", args: r#"{"ENV":"staging"}"#, allowed: true, rule }
}

fn outcome() -> Outcome<'static> {
    let took = Duration::from_micros(1500);
    Outcome { at: 1_700_000_000_001, status: Status::Ok, message: "", took, values: 3 }
}
