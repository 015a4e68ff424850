//! `http`: what a server answers, as values. Deliberately absent: the way there and who may be reached (`net`).

use pipit_commands::{Call, Error, Value};
use reqwest::header::{self, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};

use super::{Host, text};
use crate::net::{Answer, Ask};

/// Headers that are the connection's, or say which host is meant: not for a line to set.
const OWN: &[HeaderName] = &[
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// How much of an answer an error shows, in characters.
const SHOWN: usize = 200;

/// Asks, and gives the answer's body: nothing for an empty one.
pub(super) async fn ask(host: &Host, call: &Call, method: Method) -> Result<Vec<Value>, Error> {
    let url = text(call, "URL")?.to_string();
    let mut headers = HeaderMap::new();
    for given in call.all("header") {
        let (name, value) = field(&given.value.to_text())?;
        headers.append(name, value);
    }
    let (body, kind) = match (call.text("body"), call.value("json")) {
        (Some(body), _) => (Some(body.to_string()), "text/plain; charset=utf-8"),
        (None, Some(json)) => (Some(json.to_json()), "application/json"),
        (None, None) => (None, ""),
    };
    if body.is_some() && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    value(host.engine.0.net.ask(Ask { method, url, headers, body }).await?)
}

/// A header as it was typed: `Name: value`.
fn field(text: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let wrong = |why: &str| Error::failed(format!("this is no header: {why}")).help("write --header='Name: value'");
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("it has no colon"))?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| wrong("its name is none"))?;
    let value = HeaderValue::try_from(value.trim()).map_err(|_| wrong("its value holds what no header can"))?;
    if OWN.contains(&name) {
        return Err(wrong(&format!("{name} is not for a line to set")));
    }
    Ok((name, value))
}

fn value(answer: Answer) -> Result<Vec<Value>, Error> {
    let Answer { status, content_type, body } = answer;
    if !status.is_success() {
        return Err(failed(status, &body));
    }
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let text = match String::from_utf8(body) {
        Ok(text) => text,
        Err(error) if kind.starts_with("text/") => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        Err(error) => {
            let size = error.as_bytes().len();
            let kind = if kind.is_empty() { "of no kind" } else { kind };
            return Err(Error::failed(format!("the answer is no text: {size} bytes, {}", plain(kind))));
        }
    };
    if kind == "application/json" || kind.ends_with("+json") {
        let value = Value::from_json(&text);
        return Ok(vec![value.map_err(|error| Error::failed(format!("the answer is no JSON: {error}")))?]);
    }
    Ok(vec![Value::from(text)])
}

fn failed(status: StatusCode, body: &[u8]) -> Error {
    let said = plain(&String::from_utf8_lossy(body));
    let said = if said.is_empty() { said } else { format!(": {said}") };
    Error::failed(format!("the server answers {status}{said}"))
}

/// One line of a server's text, shortened.
fn plain(text: &str) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.retain(|c| !c.is_control());
    if let Some((end, _)) = words.char_indices().nth(SHOWN) {
        words.truncate(end);
        words.push('…');
    }
    words
}
