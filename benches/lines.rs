//! The command language: typical lines read and printed a second, and whether hostile ones cost the same for each byte
//! however long they are.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench ends where something does not work")]

mod measure;

use std::hint::black_box;

use measure::{Table, time};
use pipit_grammar::limits::LINE_BYTES;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What teams type, 60 characters each on average.
const TYPICAL: [&str; 10] = [
    "deploy web --env=staging --sha 4f2a91c | grep error | head 5",
    "ec2:find --region=eu-west-1 | where state=running | get name",
    "seed '[{\"a\":1},{\"a\":2}]' | where a>1 | put b \"x y\" | to json",
    "alerts list --service=api | sort -r cpu | head 3 > #ops-alerts",
    "list web-1 web-2 db-1 | each { check $_ --fast } | count",
    "echo \"deployed ${name} to $env by $(whoami | get user)\"",
    "tickets --mine | where 'age > 3 and not owner == \"bob\"' | table",
    "rule create 'when command is net:ping must have net:admin'",
    "restart api && echo done || echo \"it failed, ask in #infra\"",
    "history --limit 20 | grep deploy | get line *> #ops #audit @bob",
];

/// Lines that make a careless parser look again and again: what they begin with, what is repeated, what they end with.
const HOSTILE: [(&str, &str, &str, &str); 16] = [
    ("words", "echo ", "a ", ""),
    ("one word", "echo ", "a", ""),
    ("backslashes", "echo ", "\\\\", ""),
    ("escaped blanks", "echo ", "\\ ", ""),
    ("quotes side by side", "echo ", "''\"\"", ""),
    ("an open double quote", "echo \"", "a ", ""),
    ("an open single quote", "echo '", "a\" ", ""),
    ("escapes in a quote", "echo \"", "\\\"", "\""),
    ("quotes in turn", "echo ", "'a\"' \"b'\" ", ""),
    ("open substitutions", "echo ", "$(", ""),
    ("open blocks", "each ", "{ ", ""),
    ("open references", "echo ", "${a", ""),
    ("a long path", "echo $a", ".b[0]", ""),
    ("typographic quotes", "echo ", "“a” ‘b’ ", ""),
    ("open typographic quotes", "echo ", "“", ""),
    ("pipes without blanks", "echo a", "|b", ""),
];

fn main() {
    measure::machine("lines: text to tree and back");
    let bytes: usize = TYPICAL.iter().map(|line| line.len()).sum();
    println!("typical lines: {} bytes on average, one core", bytes / TYPICAL.len());
    for line in TYPICAL {
        assert!(pipit_grammar::parse(line).is_ok(), "{line}");
    }
    let mut typical = Table::new("lines", &["lines/s", "ns a line"]);
    rate(&mut typical, "parse", |line| drop(black_box(pipit_grammar::parse(line))));
    rate(&mut typical, "parse and print", |line| drop(black_box(pipit_grammar::parse(line).unwrap().to_string())));

    println!("hostile lines: nanoseconds a byte at 1, 4 and {} KiB, and the growth", LINE_BYTES / 1024);
    let mut hostile = Table::new("lines-hostile", &["1 KiB", "4 KiB", "longest", "growth", "is"]);
    for (name, head, repeated, tail) in HOSTILE {
        let costs = [1024, 4096, LINE_BYTES].map(|size| {
            let line = grown(head, repeated, tail, size);
            let rounds = (1 << 17) / line.len();
            let pass = || time(|| (0..rounds).for_each(|_| drop(black_box(pipit_grammar::parse(black_box(&line))))));
            let nanos = fastest(40, pass) * 1e9;
            #[expect(clippy::cast_precision_loss, reason = "a count of bytes")]
            let per_byte = nanos / (rounds * line.len()) as f64;
            per_byte
        });
        let read = pipit_grammar::parse(&grown(head, repeated, tail, LINE_BYTES)).is_ok();
        let [short, middle, long] = costs.map(|cost| format!("{cost:.1}"));
        let growth = format!("{:.2}", costs[2] / costs[0]);
        hostile.row(name, &[short, middle, long, growth, if read { "read" } else { "refused" }.into()]);
    }
}

fn grown(head: &str, repeated: &str, tail: &str, size: usize) -> String {
    let times = (size - head.len() - tail.len()) / repeated.len();
    [head, &repeated.repeat(times), tail].concat()
}

fn rate(table: &mut Table, name: &str, work: impl Fn(&str)) {
    const LINES: usize = 2000;
    let pass = || time(|| (0..LINES).for_each(|at| work(black_box(TYPICAL[at % TYPICAL.len()]))));
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let each = fastest(200, pass) / LINES as f64;
    table.row(name, &[format!("{:.0}", 1.0 / each), format!("{:.0}", each * 1e9)]);
}

/// The fastest of many short passes, in seconds: what the work costs when nobody else has the processor meanwhile.
fn fastest(passes: usize, pass: impl Fn() -> f64) -> f64 {
    let passes = if measure::quick() { passes / 10 } else { passes };
    (0..passes).map(|_| pass()).fold(f64::INFINITY, f64::min)
}
