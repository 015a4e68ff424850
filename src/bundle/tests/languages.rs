//! The helpers that speak the protocol for programs, each in both ways of being run.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipit_commands::{ErrorKind, Level, Note, Value};

use super::stage::{Open, made, run_on};

/// A language: the helper's file, a program over it, and whether the program was given to an interpreter that is there.
const PROGRAMS: [(&str, &str); 4] = [
    (
        "pipit.py",
        r#"#!/usr/bin/env python3
import os
import pipit
@pipit.serve
def talk(call):
    print("a print is no value" if "PIPIT_WARM" in os.environ else "", end="")
    word = call.args.get("WORD")
    if word == "abort":
        raise pipit.Abort("no such host")
    if word == "ask":
        call.progress(0.5, "half")
        call.log("look out", "warn")
        call.emit({"said": call.ask("which?")})
        call.ask("again?")
    elif word:
        yield {"word": word, "who": call.user}
    for value in call.input:
        yield {"in": value["name"]}
"#,
    ),
    (
        "pipit.js",
        r#"#!/usr/bin/env node
const { serve, Abort } = require("./pipit.js");
serve(async function* (call) {
  if (process.env.PIPIT_WARM) console.log("a print is no value");
  const word = call.args.WORD;
  if (word === "abort") throw new Abort("no such host");
  if (word === "ask") {
    call.progress(0.5, "half");
    call.log("look out", "warn");
    yield { said: call.ask("which?") };
    call.ask("again?");
  } else if (word) yield { word, who: call.user };
  for (const value of call.input) yield { in: value.name };
});
"#,
    ),
    (
        "pipit.rb",
        r#"#!/usr/bin/env ruby
require_relative "pipit"
Pipit.serve do |call|
  puts "a print is no value" if ENV["PIPIT_WARM"]
  word = call.args["WORD"]
  raise Pipit::Abort, "no such host" if word == "abort"
  if word == "ask"
    call.progress(0.5, "half")
    call.log("look out", "warn")
    call.emit("said" => call.ask("which?"))
    call.ask("again?")
  elsif word
    call.emit("word" => word, "who" => call.user)
  end
  call.input.each { |value| call.emit("in" => value["name"]) }
end
"#,
    ),
    (
        "pipit.sh",
        r#"#!/bin/sh
. "$PIPIT_ROOT/pipit.sh"
talk() {
    [ -z "$PIPIT_WARM" ] || echo "a print is no value"
    word=$(pipit_get args.WORD)
    case $word in
        abort) pipit_abort "no such host" ;;
        ask)
            pipit_progress 0.5 half
            pipit_log "look out" warn
            pipit_emit said "$(pipit_ask "which?")"
            pipit_ask "again?" >/dev/null || pipit_abort "nobody knows again?" ;;
        ?*) pipit_emit word "$word" who "$(pipit_get user)" ;;
    esac
    pipit_input name | while IFS= read -r name; do pipit_emit in "$name"; done
}
pipit_serve talk
"#,
    ),
];

fn helper(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("bundles/helpers").join(name);
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_helper_says_the_same_cold_and_warm() {
    for (file, program) in PROGRAMS {
        for warm in ["", "warm: 1, "] {
            let temporary = tempfile::tempdir().unwrap();
            let commands = format!(
                "  talk: {{about: x, usage: \"talk [WORD]\", run: [./talk], output: json-lines, {warm}rules: [allow]}}\n"
            );
            let bundle = made(temporary.path(), &commands, &[("talk", program), (file, &helper(file))]);
            let case = format!("{file} {warm}");
            let run = async |words: &[&str], input: Option<Vec<Value>>| {
                let answers = Mutex::new([(Duration::ZERO, "it's \"\\\" é")].into());
                let host = Arc::new(Open { answers, ..Open::default() });
                let (values, end, notes) = run_on(&host, &bundle, words, input).await;
                (
                    values.iter().map(Value::to_json).collect::<Vec<_>>(),
                    end.map_err(|error| (error.kind(), error.to_string())),
                    notes,
                )
            };
            for odd in ["ada", "a\"b\\c é\t'$(id)", "x | y", "{\"a\":1}"] {
                let (values, end, _) = run(&["talk", odd], None).await;
                let told = Value::from_json(values.first().map_or("null", String::as_str)).unwrap();
                assert_eq!(end, Ok(()), "{case}");
                assert_eq!(told.field("word").map(Value::to_text).as_deref(), Some(odd), "{case}");
                assert_eq!(told.field("who").map(Value::to_text).as_deref(), Some("alice"), "{case}");
            }
            let value = Value::from_json(r#"{"id":1,"name":"grace \"x\"","list":[{"a":[]},null]}"#).unwrap();
            let (values, end, _) = run(&["talk"], Some(vec![value])).await;
            assert_eq!((values, end), (vec![r#"{"in":"grace \"x\""}"#.to_owned()], Ok(())), "{case}");
            let (values, end, notes) = run(&["talk", "ask"], None).await;
            assert_eq!(values, [r#"{"said":"it's \"\\\" é"}"#], "{case}");
            assert_eq!(end, Err((ErrorKind::Failed, "nobody knows again?".to_owned())), "{case}");
            let told = [
                Note::Progress { part: Some(0.5), text: "half".into() },
                Note::Log { level: Level::Warn, text: "look out".into() },
            ];
            assert_eq!(notes, told, "{case}");
            let (values, end, _) = run(&["talk", "abort"], None).await;
            assert_eq!((values, end), (Vec::new(), Err((ErrorKind::Failed, "no such host".to_owned()))), "{case}");
        }
    }
}
