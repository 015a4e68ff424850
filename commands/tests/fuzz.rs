//! The checks of `fuzz/` over lines and JSON from a seed, a few thousand of each: `FUZZ_SECONDS=60` runs each for so long.
//! And JSON that is made with what it says, so that what is read is known.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../../fuzz/checks/values.rs"]
mod checks;
#[path = "play/line.rs"]
mod line;
#[path = "../../fuzz/checks/mutate.rs"]
mod mutate;

use mutate::{Mutator, rows, run};
use pipit_commands::{Record, Value, built_ins};

fn shared(file: &str, key: &str) -> Vec<String> {
    rows(&format!("{}/../../shared/conformance/{file}", env!("CARGO_MANIFEST_DIR")), key)
}

#[test]
fn lines_come_to_what_their_canonical_lines_do() {
    let mut corpus = shared("eval.jsonl", "line");
    let commands = built_ins();
    for command in commands.iter().filter(|command| command.verb().is_none()) {
        corpus.extend(command.spec().examples.iter().map(|example| example.line.to_string()));
    }
    let names: Vec<String> = commands.iter().map(|command| format!(" | {} ", command.spec().name)).collect();
    let marks = [
        " | ",
        " && ",
        " || ",
        " { ",
        " } ",
        "$(",
        ")",
        "'",
        "\"",
        "$_",
        "$a",
        "%s",
        " -v",
        " --desc",
        " 0",
        " -1",
        " 9223372036854775807",
        " 1e308",
        " '{\"a\":[1,null,{\"b\":\"x\"}]}'",
        " a.b[0]",
        " '$..*'",
        " '.*'",
        " /x*/",
        "seed ",
        "list ",
        "range 3 ",
    ];
    let pieces: Vec<&str> = names.iter().map(String::as_str).chain(marks).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    run(3000, Mutator::new(5, corpus, &pieces), |text| runtime.block_on(checks::evaluation(text)));
}

#[test]
fn json_is_read_as_others_read_it() {
    let mut made = Mutator::new(6, vec![String::from("x")], &[]);
    let corpus = (0..200).map(|_| json(&mut made, 4).0).collect();
    let marks = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "\\u0000",
        "-",
        "0",
        "1",
        ".",
        "e",
        "E+",
        "true",
        "null",
        "\"a\":1,",
        "99999999999999999999",
        "-9223372036854775808",
        "1e309",
        "4.9e-324",
        " ",
        "\r\n",
    ];
    run(30_000, Mutator::new(7, corpus, &marks), checks::json);
}

#[test]
fn json_says_what_it_was_made_to_say() {
    let mut made = Mutator::new(8, vec![String::from("x")], &[]);
    for _ in 0..3000 {
        let (text, wanted) = json(&mut made, 5);
        match (Value::from_json(&text), wanted) {
            (Ok(read), Some(wanted)) => {
                assert_eq!(read, wanted, "{text}");
                assert_eq!(Value::from_json(&read.to_json()).unwrap().to_json(), read.to_json());
            }
            (Err(_), None) => {}
            (read, wanted) => panic!("{text}\n  is read as {read:?}\n  not {wanted:?}"),
        }
    }
    for (deep, fits) in [(63, true), (64, true), (65, false), (5000, false)] {
        for (open, inside, close) in [("[", "", "]"), ("{\"a\":", "1", "}"), ("[{\"a\":[", "1", "]}]")] {
            let levels = open.matches(['[', '{']).count();
            let text = format!("{}{inside}{}", open.repeat(deep / levels), close.repeat(deep / levels));
            let depth = deep / levels * levels;
            assert_eq!(Value::from_json(&text).is_ok(), depth <= 64, "{depth} of {open}, {fits}");
        }
    }
}

/// A JSON text with blanks and escapes of every kind, and the value it says; none when it says a key twice or a number
/// that is out of range.
fn json(made: &mut Mutator, depth: usize) -> (String, Option<Value>) {
    let blank = [" ", "", "", "\n", "\t "][made.below(5)];
    let (text, value) = match made.below(if depth > 0 { 9 } else { 6 }) {
        0 => (String::from("null"), Some(Value::Null)),
        1 => {
            let truth = made.below(2) == 0;
            (truth.to_string(), Some(Value::Bool(truth)))
        }
        2 => {
            let numbers = [0, 1, -1, 42, i64::MAX, i64::MIN, 9_007_199_254_740_993, -9_007_199_254_740_993];
            let number = numbers[made.below(numbers.len())];
            (number.to_string(), Some(Value::Int(number)))
        }
        3 => {
            let numbers =
                ["1.5", "-0.25", "1e3", "2.5E-3", "1e308", "-1.7976931348623157e308", "5e-324", "1e19", "-0.0"];
            let text = numbers[made.below(numbers.len())];
            (text.into(), Some(Value::Float(text.parse().unwrap())))
        }
        4 if made.below(20) == 0 => {
            let out = ["9223372036854775808", "-9223372036854775809", "99999999999999999999999", "1e309", "-1e999"];
            (out[made.below(out.len())].into(), None)
        }
        4 | 5 => {
            let (text, value) = string(made);
            (text, Some(Value::from(value)))
        }
        6 | 7 => {
            let items: Vec<_> = (0..made.below(4)).map(|_| json(made, depth - 1)).collect();
            let text: Vec<&str> = items.iter().map(|(text, _)| text.as_str()).collect();
            let values: Option<Vec<Value>> = items.iter().map(|(_, value)| value.clone()).collect();
            (format!("[{blank}{}]", text.join(",")), values.map(Value::from))
        }
        _ => {
            let fields: Vec<_> = (0..made.below(4)).map(|_| (string(made), json(made, depth - 1))).collect();
            let text: Vec<String> =
                fields.iter().map(|((key, _), (value, _))| format!("{key}{blank}:{value}")).collect();
            let mut record = Some(Record::new());
            for ((_, key), (_, value)) in &fields {
                let fresh = record.as_ref().is_some_and(|record| record.get(key).is_none());
                match (&mut record, value) {
                    (Some(record), Some(value)) if fresh => record.put(key.as_str(), value.clone()),
                    _ => record = None,
                }
            }
            (format!("{{{}{blank}}}", text.join(", ")), record.map(Value::from))
        }
    };
    (format!("{blank}{text}{blank}"), value)
}

/// A JSON string, and what it says.
fn string(made: &mut Mutator) -> (String, String) {
    let letters = [
        ("a", "a"),
        ("b", "b"),
        ("é", "é"),
        ("\\u00e9", "é"),
        ("\\ud83d\\ude00", "😀"),
        ("😀", "😀"),
        ("\\n", "\n"),
        ("\\\"", "\""),
        ("\\\\", "\\"),
        ("\\/", "/"),
        ("\\u0000", "\0"),
        ("\\b", "\u{8}"),
        ("\u{7f}", "\u{7f}"),
        ("\u{2028}", "\u{2028}"),
        ("1", "1"),
    ];
    let (mut text, mut said) = (String::from("\""), String::new());
    for _ in 0..made.below(4) {
        let (written, meant) = letters[made.below(letters.len())];
        text.push_str(written);
        said.push_str(meant);
    }
    text.push('"');
    (text, said)
}
