//! How often memory is asked for on the hot paths. A counting allocator stands in for the binary's own, so nothing is
//! timed here.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

use std::hint::black_box;

use allocation_counter::measure;
use pipit_commands::Value;

const RECORD: &str = r#"{"id":123456,"name":"web-001234","env":"staging","cpu":0.374}"#;
const LONGER: &str = r#"{"id":123456,"name":"a-name-beyond-fifteen-bytes","env":"staging","tags":["blue","prod"]}"#;
const LINE: &str = "deploy web --env=staging --sha 4f2a91c | grep error | head 5";

fn main() {
    println!("allocations: how many for one, and their bytes");
    count("read a record of four fields", || drop(black_box(Value::from_json(RECORD))));
    count("read one with a long text and a list", || drop(black_box(Value::from_json(LONGER))));
    let record = Value::from_json(RECORD).unwrap();
    count("copy a record", || drop(black_box(record.clone())));
    count("hand out a field of it", || drop(black_box(record.field("name").cloned())));
    let mut json = String::with_capacity(256);
    count("write a record as JSON", || {
        json.clear();
        black_box(&record).write_json(&mut json);
    });
    count("read a line of the language", || drop(black_box(pipit_grammar::parse(LINE))));
    let line = pipit_grammar::parse(LINE).unwrap();
    count("print a line", || drop(black_box(line.to_string())));
}

/// The steady state: the first time may make what is kept.
fn count(name: &str, work: impl FnMut()) {
    let mut work = work;
    work();
    let used = measure(work);
    println!("  {name:<40} {:>4} {:>7} bytes", used.count_total, used.bytes_total);
}
