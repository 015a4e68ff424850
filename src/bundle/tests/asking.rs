//! Programs that ask whoever typed the line.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::stage::{Open, made, run_on};

const COMMANDS: &str = "
  once: {about: x, run: [./ask.py], output: lines, timeout: 1s, rules: [allow]}
  often: {about: x, run: [./often.py], output: lines, rules: [allow]}
";
const ASK: &str = "#!/usr/bin/env python3
import os, socket
control = socket.socket(fileno=int(os.environ['PIPIT_CONTROL'])).makefile('rw')
control.write('{\"ask\":\"which region?\"}\\n')
control.flush()
print(control.readline().strip())
";
const OFTEN: &str = "#!/usr/bin/env python3
import os, socket
control = socket.socket(fileno=int(os.environ['PIPIT_CONTROL'])).makefile('rw')
for n in range(12):
    control.write('{\"ask\":\"again?\"}\\n')
    control.flush()
    print(control.readline().strip())
";

async fn said(command: &str, answers: Vec<(Duration, &'static str)>) -> Vec<String> {
    let temporary = tempfile::tempdir().unwrap();
    let bundle = made(temporary.path(), COMMANDS, &[("ask.py", ASK), ("often.py", OFTEN)]);
    let host = Arc::new(Open { answers: Mutex::new(answers.into()), ..Open::default() });
    let (values, end, _) = run_on(&host, &bundle, &[command], None).await;
    end.unwrap();
    values.iter().map(|value| value.to_text().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_program_stands_still_while_somebody_is_asked() {
    assert_eq!(said("once", vec![(Duration::from_millis(1500), "eu \"1\"")]).await, [r#"{"answer":"eu \"1\""}"#]);
    assert_eq!(said("once", Vec::new()).await, [r#"{"error":"nobody knows which region?"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_asks_so_often_and_no_more() {
    let said = said("often", vec![(Duration::ZERO, "yes"); 12]).await;
    assert_eq!(said[..10], vec![r#"{"answer":"yes"}"#; 10]);
    assert_eq!(said[10..], vec![r#"{"error":"10 questions were asked, and that is all a call may ask"}"#; 2]);
}
