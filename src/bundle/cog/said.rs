//! What a program of Cog's said on standard output: lines of data, a JSON value, and between them lines that are no data.
//!
//! Cog lost lines without a word: those before the marker `JSON` spoiled the value, those behind it were dropped. Here the
//! value is read, and what was left out is told.

use ecow::EcoString;
use pipit_commands::{Error, Level, Value};

use super::body;

/// The lines by which a program writes to the log.
const REMARKS: [(&str, Level); 5] = [
    ("COGCMD_DEBUG:", Level::Debug),
    ("COGCMD_INFO:", Level::Info),
    ("COGCMD_WARN:", Level::Warn),
    ("COGCMD_ERR:", Level::Error),
    ("COGCMD_ERROR:", Level::Error),
];
/// How much is shown of a line that was left out, in letters.
const SHOWN: usize = 60;

/// A whole standard output, read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The values that go on.
    pub(super) values: Vec<Value>,
    /// The template that shows them.
    pub(super) template: Option<EcoString>,
    /// Whether the program gives up; its values say why.
    pub(super) aborts: bool,
    /// What is for the log.
    pub(super) remarks: Vec<(Level, EcoString)>,
    /// What whoever typed the line should know.
    pub(super) odd: Vec<String>,
}

impl Said {
    /// Reads an output, without the newline at its end. An error when JSON was announced and did not come.
    pub(super) fn read(output: &str) -> Result<Self, Error> {
        let mut said = Self::default();
        let mut data: Vec<&str> = Vec::new();
        let mut rest = output;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if line.trim_end() == "JSON" {
                return said.value(&data, after);
            }
            // an empty line at the very end counts too
            let more = rest.len() > line.len();
            rest = after;
            if !said.directive(line) {
                data.push(line);
            }
            if more && rest.is_empty() {
                data.push("");
            }
        }
        if !data.is_empty() {
            said.values.push(body(data.into_iter().map(Value::text).collect()));
        }
        Ok(said)
    }

    /// Whether a line is no data.
    fn directive(&mut self, line: &str) -> bool {
        if let Some((text, level)) = REMARKS.iter().find_map(|(head, level)| Some((line.strip_prefix(head)?, *level))) {
            self.remarks.push((level, text.trim().into()));
            return true;
        }
        if let Some(name) = line.strip_prefix("COG_TEMPLATE:") {
            self.template = Some(name.trim().into());
            return true;
        }
        let Some(action) = line.strip_prefix("COGCMD_ACTION:").map(str::trim) else { return false };
        if action == "abort" {
            self.aborts = true;
        } else {
            self.remarks.push((Level::Warn, format!("the action {action:?} is not known").into()));
        }
        true
    }

    /// What stands behind the marker: a value, or a list of them.
    fn value(mut self, before: &[&str], text: &str) -> Result<Self, Error> {
        if let Some(first) = before.iter().find(|line| !line.trim().is_empty()) {
            self.odd.push(format!("lines before its JSON are left out: {}", short(first)));
        }
        let wrong = |error: &dyn std::fmt::Display| Error::failed(format!("it announced JSON, and then: {error}"));
        let value = match Value::from_json(text) {
            Ok(value) => value,
            Err(error) => {
                // one value with something behind it is a value
                let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
                let end = if values.next().is_some_and(|first| first.is_ok()) { values.byte_offset() } else { 0 };
                let (first, behind) = text.split_at(end);
                let left_out = behind.lines().find(|line| !line.trim().is_empty());
                let (Some(left_out), Ok(value)) = (left_out, Value::from_json(first)) else {
                    return Err(wrong(&error));
                };
                self.odd.push(format!("what stands behind its JSON is left out: {}", short(left_out)));
                value
            }
        };
        match value {
            Value::Null => {}
            Value::List(values) => self.values.extend(values.iter().cloned()),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Record(_) => {
                self.values.push(value);
            }
        }
        Ok(self)
    }
}

fn short(line: &str) -> String {
    let mut letters = line.trim().chars();
    let head: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() { format!("{head}…") } else { head }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::Said;
    use crate::mutate::{Mutator, run};
    use pipit_commands::Value;

    /// The values as JSON, with a newline at the end of the output taken away as the reader of the pipe does.
    fn values(output: &str) -> String {
        let said = Said::read(output.strip_suffix('\n').unwrap_or(output)).unwrap();
        said.values.iter().map(Value::to_json).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn outputs_and_their_values() {
        for (output, becomes) in [
            ("COGCMD_DEBUG: x\nabc\n123\n", r#"{"body":["abc","123"]}"#),
            ("COGCMD_INFO: x\nJSON\n{\"foo\": 123}", r#"{"foo":123}"#),
            ("", ""),
            ("\n", ""),
            ("abc", r#"{"body":["abc"]}"#),
            ("abc\n\n", r#"{"body":["abc",""]}"#),
            ("\nabc\n", r#"{"body":["","abc"]}"#),
            ("a\n\nb\n", r#"{"body":["a","","b"]}"#),
            (" JSON\n{}\n", r#"{"body":[" JSON","{}"]}"#),
            ("COG_TEMPLATE: t\nCOGCMD_ERR: x\n", ""),
            ("JSON\n[{\"a\":1},{\"a\":2}]\n", r#"{"a":1} {"a":2}"#),
            ("JSON\n[[1,2],[3]]\n", "[1,2] [3]"),
            ("JSON\nnull\n", ""),
            ("JSON\n\"COG_TEMPLATE: t\"\n", r#""COG_TEMPLATE: t""#),
            ("JSON\n{\n  \"a\":\n  12345678901234567\n}\n", r#"{"a":12345678901234567}"#),
            ("stray\nJSON\n{\"a\":1}\n", r#"{"a":1}"#),
            ("JSON\n{\"a\":1}\ntrailing\n", r#"{"a":1}"#),
            ("JSON\r\n{\"a\":1}\n", r#"{"a":1}"#),
            ("COGCMD_DEBUGX: a\n", r#"{"body":["COGCMD_DEBUGX: a"]}"#),
        ] {
            assert_eq!(values(output), becomes, "{output:?}");
        }
    }

    #[test]
    fn what_is_no_value() {
        let said =
            Said::read("COG_TEMPLATE: a\nCOG_TEMPLATE:b\nCOGCMD_WARN: careful\nCOGCMD_ACTION: dance\nno\nJSON\n1 2")
                .unwrap();
        assert_eq!(said.template.as_deref(), Some("b"));
        let remarks: Vec<_> = said.remarks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(remarks, ["careful", "the action \"dance\" is not known"]);
        assert_eq!(said.odd, ["lines before its JSON are left out: no", "what stands behind its JSON is left out: 2"]);
        assert!(!said.aborts);
        assert!(Said::read("COGCMD_ACTION: abort\nno such host").unwrap().aborts);
        for output in ["JSON", "JSON\n", "JSON\n{", "JSON\nnot json", "JSON\n{\"a\":1,\"a\":2}"] {
            let error = Said::read(output).unwrap_err().to_string();
            assert!(error.starts_with("it announced JSON, and then: "), "{output:?}: {error}");
        }
    }

    /// From a seed; `FUZZ_SECONDS=60` runs for so long.
    #[test]
    fn outputs_of_any_shape() {
        let corpus = ["COGCMD_INFO: x\nJSON\n[{\"a\": 1}]\n", "COG_TEMPLATE: t\na\n\nb\n", "COGCMD_ACTION: abort\nwhy"];
        let marks =
            ["JSON\n", "\nJSON\n", "COG_TEMPLATE:", "COGCMD_ERR:", "\n", "\r\n", "{", "}", "[", "\"", ",", "null", "é"];
        run(3000, Mutator::new(11, corpus.map(str::to_owned).to_vec(), &marks), |output| match Said::read(output) {
            Ok(said) => {
                let lines = output.lines().count() + 1;
                let texts = said.values.iter().map(super::super::shown).map(|text| text.lines().count()).sum::<usize>();
                assert!(said.remarks.len() + said.odd.len() <= lines && texts <= lines.max(output.len()), "{output:?}");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        });
    }
}
