//! Internet Relay Chat: `pipit serve` over a real `InspIRCd`, beside a bot of thirty lines that only echoes and writes
//! nothing down. Round trips, lines a second, the start and memory.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

#[path = "irc/bot.rs"]
mod bot;
#[path = "irc/peer.rs"]
mod peer;
#[path = "irc/server.rs"]
mod server;

use std::path::Path;
use std::time::{Duration, Instant};

use bot::Bot;
use measure::{Commits, Table, at, micros, millis};
use peer::Peer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 10;
const TRIPS: usize = 200;
const SENDERS: usize = 64;
const LOAD: Duration = Duration::from_secs(3);
const STARTS: usize = 10;
const ROOM: &str = "#bench";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if let [_, mode, port] = arguments.as_slice()
        && mode == "--echo"
    {
        return runtime.block_on(bot::echo(port.parse().unwrap()));
    }
    measure::machine("irc: over InspIRCd on the loopback");
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(all(folder.path()));
}

async fn all(folder: &Path) {
    let home = folder.join("home");
    let quick = measure::quick();
    let mut table = Table::new("irc", &["p50", "p99", "lines/s", "cpu %", "MiB"]);
    starts(folder, &home, &mut table).await;

    let server = server::inspircd(&folder.join("inspircd")).await;
    let mut alice = Peer::join(server.port, "alice", ROOM).await;
    let pipit = Bot::pipit(&home, server.port);
    alice.expect(" JOIN ").await;
    let echo = Bot::echoing(server.port);
    alice.expect(" JOIN ").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (name, bot) in [("at rest, echo bot", &echo), ("at rest, pipit", &pipit)] {
        table.row(name, &["-".into(), "-".into(), "-".into(), "-".into(), format!("{:.1}", bot.memory("VmRSS"))]);
    }

    let mut bob = Peer::join(server.port, "bob", ROOM).await;
    alice.expect(" JOIN ").await;
    let mut trips = [const { Vec::new() }; 5];
    let disk = Commits::open(folder);
    for round in 0..=if quick { ROUNDS / 5 } else { ROUNDS } {
        let mut times = [const { Vec::new() }; 5];
        for at in 0..TRIPS {
            times[0].push(alice.ask("?", at, None).await);
            times[1].push(alice.ask("!", at, None).await);
            // in turn with the others, since a disk is not equally fast at all times
            times[4].push(disk.one());
        }
        for at in 0..TRIPS / 10 {
            times[2].push(alice.ask("?", at, Some(&mut bob)).await);
            times[3].push(alice.ask("!", at, Some(&mut bob)).await);
        }
        // the first round warms up
        if round > 0 {
            trips.iter_mut().zip(times).for_each(|(all, new)| all.extend(new));
        }
    }
    let [echo_alone, pipit_alone, echo_chatter, pipit_chatter, commits] = trips;
    let mut say = |name: &str, all: &[f64]| {
        let of = |share| micros(at(all.iter().copied(), share));
        table.row(name, &[of(0.5), of(0.99), "-".into(), "-".into(), "-".into()]);
    };
    say("one durable commit of SQLite here", &commits);
    say("round trip, echo bot", &echo_alone);
    say("round trip, pipit", &pipit_alone);
    say("after a line of chatter, echo bot", &echo_chatter);
    say("after a line of chatter, pipit", &pipit_chatter);
    let p50 = |all: &[f64]| at(all.iter().copied(), 0.5);
    let over = (p50(&pipit_alone) - p50(&echo_alone)) / p50(&commits);
    table.row(
        "pipit over the echo bot, in commits",
        &[format!("{over:.2}"), "-".into(), "-".into(), "-".into(), "-".into()],
    );

    let mut senders = Vec::new();
    let in_flight = if quick { SENDERS / 8 } else { SENDERS };
    for at in 0..in_flight {
        senders.push(Peer::open(server.port, &format!("sender{at}")).await);
    }
    for _ in 0..2 {
        for (name, bot) in [("echo bot", &echo), ("pipit", &pipit)] {
            let before = bot.cpu();
            let (rate, back) = load(senders, bot.nick()).await;
            senders = back;
            let used = (bot.cpu() - before) / LOAD.as_secs_f64() * 100.0;
            let figures = [
                "-".into(),
                "-".into(),
                format!("{rate:.0}"),
                format!("{used:.0}"),
                format!("{:.1}", bot.memory("VmHWM")),
            ];
            table.row(&format!("{in_flight} in flight, {name}"), &figures);
        }
    }
}

/// From the start of the process to its first answer in a room, in a fresh home and then in the same.
async fn starts(folder: &Path, home: &Path, table: &mut Table) {
    let server = server::ngircd(&folder.join("ngircd")).await;
    let mut alice = Peer::join(server.port, "alice", ROOM).await;
    let mut all = Vec::new();
    for _ in 0..=STARTS {
        let began = Instant::now();
        let bot = Bot::pipit(home, server.port);
        alice.expect(" JOIN ").await;
        alice.ask("!", 0, None).await;
        all.push(began.elapsed().as_secs_f64());
        bot.stop();
        alice.expect(" QUIT ").await;
    }
    let (fresh, again) = (millis(all[0]), millis(at(all[1..].to_vec(), 0.5)));
    let mut row =
        |name: &str, figure: String| table.row(name, &[figure, "-".into(), "-".into(), "-".into(), "-".into()]);
    row("start to the first answer, fresh home", fresh);
    row("start to the first answer, again", again);
}

/// Every sender has one line on its way at any time. Lines answered a second.
async fn load(senders: Vec<Peer>, bot: &'static str) -> (f64, Vec<Peer>) {
    let until = Instant::now() + LOAD;
    let tasks: Vec<_> = senders
        .into_iter()
        .map(|mut sender| {
            tokio::spawn(async move {
                let mut lines = 0_u32;
                while Instant::now() < until {
                    sender.ask_alone(bot).await;
                    lines += 1;
                }
                (lines, sender)
            })
        })
        .collect();
    let mut lines = 0;
    let mut back = Vec::new();
    for task in tasks {
        let (of_one, sender) = task.await.unwrap();
        lines += of_one;
        back.push(sender);
    }
    (f64::from(lines) / LOAD.as_secs_f64(), back)
}
