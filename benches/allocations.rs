//! How often memory is asked for on the hot paths: one value read, written, handed on, and what a value costs in a stage of
//! each kind. A counting allocator stands in for the binary's own, so nothing is timed here.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

#[path = "../commands/tests/play/line.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod play;

use std::hint::black_box;

use measure::Table;
use pipit_commands::Value;
use play::World;

const RECORD: &str = r#"{"id":123456,"name":"web-001234","env":"staging","cpu":0.374}"#;
const LONGER: &str = r#"{"id":123456,"name":"a-name-beyond-fifteen-bytes","env":"staging","tags":["blue","prod"]}"#;
const LINE: &str = "deploy web --env=staging --sha 4f2a91c | grep error | head 5";

const ROWS: i64 = 64_000;

/// A stage of each kind, over records that are there already; what the records themselves took does not count.
const STAGES: [&str; 13] = [
    "where env=prod",
    "where 'cpu > 0.5 and env in [\"prod\", \"dev\"]'",
    "grep web-001 --field=name",
    "grep web-001",
    "get name",
    "select id name",
    "put hot true",
    "head 32000",
    "sum id",
    "unique name",
    "group name --count",
    "group name",
    "sort cpu",
];

fn main() {
    measure::machine("allocations: how many for one, and their bytes");
    let mut table = Table::new("allocations", &["count", "bytes"]);
    count(&mut table, "read a record of four fields", || drop(black_box(Value::from_json(RECORD))));
    count(&mut table, "read one with a long text and a list", || drop(black_box(Value::from_json(LONGER))));
    let record = Value::from_json(RECORD).unwrap();
    count(&mut table, "copy a record", || drop(black_box(record.clone())));
    count(&mut table, "hand out a field of it", || drop(black_box(record.field("name").cloned())));
    let mut json = String::with_capacity(256);
    count(&mut table, "write a record as JSON", || {
        json.clear();
        black_box(&record).write_json(&mut json);
    });
    count(&mut table, "read a line of the language", || drop(black_box(pipit_grammar::parse(LINE))));
    let line = pipit_grammar::parse(LINE).unwrap();
    count(&mut table, "print a line", || drop(black_box(line.to_string())));

    let rows: Vec<Value> = (0..ROWS).map(row).collect();
    let texts: Vec<Value> = rows.iter().map(|row| Value::from(row.to_json())).collect();
    stage(&mut table, "parse json-lines", &texts);
    for line in STAGES {
        stage(&mut table, line, &rows);
    }
}

fn row(id: i64) -> Value {
    let env = ["prod", "staging", "dev", "test"][usize::try_from(id % 4).unwrap()];
    Value::from_json(&format!(
        r#"{{"id":{id},"name":"web-{:06}","env":"{env}","cpu":0.{:03}}}"#,
        id % 5000,
        id * 7919 % 1000
    ))
    .unwrap()
}

/// The steady state: the first time may make what is kept.
fn count(table: &mut Table, name: &str, work: impl FnMut()) {
    let mut work = work;
    work();
    let used = allocation_counter::measure(work);
    table.row(name, &[used.count_total.to_string(), used.bytes_total.to_string()]);
}

/// What a value costs in a stage, in the mean over many.
fn stage(table: &mut Table, line: &str, values: &[Value]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let world = World::new();
    let mut given = Some(values.to_vec());
    let used = allocation_counter::measure(|| {
        let mut stream = world.over(line, given.take().unwrap());
        runtime.block_on(async {
            while let Some(batch) = stream.next().await {
                drop(black_box(batch.unwrap()));
            }
        });
    });
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let each = [used.count_total, used.bytes_total].map(|all| all as f64 / values.len() as f64);
    table.row(&format!("{line}, a value"), &[format!("{:.3}", each[0]), format!("{:.0}", each[1])]);
}
