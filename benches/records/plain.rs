//! What one would write by hand for one question and no other, over `serde_json::Value`. `typed` knows beforehand which
//! fields there are and reads no others: nothing that is told its question while it runs can be as fast.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, BufWriter, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize)]
struct Load<'a> {
    name: &'a Value,
    load: i64,
}

#[derive(Serialize)]
struct Group<'a> {
    name: &'a str,
    count: u64,
}

/// Answers a question on standard output.
pub(crate) fn answer(question: &str) {
    let mut out = BufWriter::with_capacity(64 * 1024, std::io::stdout().lock());
    match question {
        "typed" => writeln!(out, "{}", typed()).unwrap(),
        "filter" => {
            let mut names = 0_u64;
            each(|row| names += u64::from(row["env"] == "prod" && !row["name"].is_null()));
            writeln!(out, "{names}").unwrap();
        }
        "grep" => {
            let pattern = regex::RegexBuilder::new("web-0+12[0-9]").case_insensitive(true).build().unwrap();
            let mut found = 0_u64;
            each(|row| found += u64::from(row["name"].as_str().is_some_and(|name| pattern.is_match(name))));
            writeln!(out, "{found}").unwrap();
        }
        "pipeline" => {
            let mut sum = 0;
            each(|row| {
                if row["env"] == "prod" && row["cpu"].as_f64().is_some_and(|cpu| cpu > 0.5) {
                    sum += row["id"].as_i64().unwrap();
                }
            });
            writeln!(out, "{sum}").unwrap();
        }
        "jq" => each(|row| {
            #[expect(clippy::cast_possible_truncation, reason = "a small number")]
            let load = (row["cpu"].as_f64().unwrap() * 100.0).floor() as i64;
            line(&mut out, &Load { name: &row["name"], load });
        }),
        "group" => {
            let mut places: HashMap<String, usize> = HashMap::new();
            let mut groups: Vec<(String, u64)> = Vec::new();
            each(|row| {
                let name = row["name"].as_str().unwrap();
                if let Some(at) = places.get(name) {
                    groups[*at].1 += 1;
                } else {
                    places.insert(name.to_owned(), groups.len());
                    groups.push((name.to_owned(), 1));
                }
            });
            for (name, count) in groups {
                line(&mut out, &Group { name: &name, count });
            }
        }
        "sort" => {
            let mut rows = Vec::new();
            each(|row| rows.push(row));
            rows.sort_by(|a, b| a["cpu"].as_f64().unwrap().total_cmp(&b["cpu"].as_f64().unwrap()));
            for row in rows {
                writeln!(out, "{}", row["id"]).unwrap();
            }
        }
        other => panic!("nobody wrote a loop for {other}"),
    }
}

fn line(out: &mut impl Write, row: &impl Serialize) {
    serde_json::to_writer(&mut *out, row).unwrap();
    out.write_all(b"\n").unwrap();
}

fn each(mut f: impl FnMut(Value)) {
    lines(|line| f(serde_json::from_slice(line).unwrap()));
}

fn lines(mut f: impl FnMut(&[u8])) {
    let mut input = BufReader::with_capacity(64 * 1024, std::io::stdin().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line).unwrap() > 0 {
        f(&line);
        line.clear();
    }
}

/// `filter` with the two fields it needs.
fn typed() -> u64 {
    #[derive(Deserialize)]
    struct Row<'a> {
        #[serde(borrow)]
        env: Cow<'a, str>,
        #[serde(borrow)]
        name: Option<Cow<'a, str>>,
    }
    let mut names = 0;
    lines(|line| {
        let row: Row<'_> = serde_json::from_slice(line).unwrap();
        names += u64::from(row.env == "prod" && row.name.is_some());
    });
    names
}
