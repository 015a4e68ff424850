//! Questions of running programs, put to whoever typed the line: in one line, again when the answer is none of the choices,
//! and written down with what was said.

use ecow::EcoString;
use pipit_commands::{Command, Error, Inquiry, Value};
use tokio::time::timeout;

use super::LineHost;
use crate::audit::{Event, Happened};
use crate::engine::asking::{Asking, Said};
use crate::engine::now;
use crate::limits;
use crate::render;

impl LineHost {
    /// Asks, and waits for the answer; an error when nobody can be asked, nobody answers, or the answer is none of the
    /// choices.
    pub(super) async fn inquire(&self, command: &Command, inquiry: &Inquiry) -> Result<EcoString, Error> {
        let asked = line_of(&inquiry.text);
        let choices: Vec<EcoString> = inquiry.one_of.iter().map(|choice| line_of(choice)).collect();
        if choices.len() > limits::INQUIRY_CHOICES {
            return Err(Error::failed(format!("a question has at most {} choices", limits::INQUIRY_CHOICES)));
        }
        let open = asked.trim_end_matches(['?', ':', '.', ' ']);
        let among = if choices.is_empty() { String::new() } else { format!(": {}", choices.join(", ")) };
        let mut text = format!("{} asks: {open}{among}?", command.spec().shown());
        for _ in 0..=limits::ASKED_AGAIN {
            let said = self.heard(text).await;
            self.write_down(command, &asked, said.as_ref().ok());
            let said = match said? {
                Said::Answer(said) => said,
                Said::Cancelled => return Err(Error::failed("cancelled")),
            };
            if choices.is_empty() {
                return Ok(said);
            }
            // what a person types for a choice is not always in its letters
            let same = |choice: &&EcoString| choice.as_str() == said || choice.eq_ignore_ascii_case(&said);
            if let Some(chosen) = choices.iter().position(|choice| same(&choice)) {
                return Ok(inquiry.one_of.get(chosen).cloned().unwrap_or(said));
            }
            text = format!("{said:?} is no choice; {open}{among}?");
        }
        Err(Error::failed("what was said is none of its choices"))
    }

    async fn heard(&self, text: String) -> Result<Said, Error> {
        let nobody = || Error::failed("nobody can be asked here");
        let asks = self.asks.as_ref().ok_or_else(nobody)?;
        let (asking, heard) = Asking::new(text);
        asks.send(asking).await.map_err(|_| nobody())?;
        match timeout(limits::QUESTION, heard).await {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(_)) => Err(Error::failed("nobody answered")),
            Err(_) => Err(Error::failed(format!("nobody answered within {} minutes", limits::QUESTION.as_secs() / 60))),
        }
    }

    fn write_down(&self, command: &Command, asked: &str, said: Option<&Said>) {
        let mut body = vec![("question", Value::from(asked))];
        let outcome = match said {
            Some(Said::Answer(said)) => {
                body.push(("answer", Value::from(said.clone())));
                "answered"
            }
            Some(Said::Cancelled) => "cancelled",
            None => "not answered",
        };
        let body = Value::from(body.into_iter().collect::<pipit_commands::Record>()).to_json();
        let (at, kind) = (now(), Happened::Asked);
        self.trail.event(&Event { at, kind, command: command.exact(), outcome, body: &body });
    }
}

/// A program's text as one line of bounded length, without what could steer a terminal.
fn line_of(text: &str) -> EcoString {
    let text = render::plain(text);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.get(..line.floor_char_boundary(limits::INQUIRY_TEXT)).unwrap_or_default().into()
}
