//! `scrape` and `dns`: what pages and name servers say, as values. Deliberately absent: the way there and what may be
//! reached (`net`), and the reading of pages (the commands have it, in a process of its own).

use pipit_commands::html::Wanted;
use pipit_commands::{Call, Error, Record, Stream, Value};
use reqwest::Method;
use reqwest::header::HeaderMap;

use super::{Host, text};
use crate::bundle::confined::{self, Work};
use crate::net::Ask;

/// What a selector finds in a page.
pub(super) async fn scrape(host: &Host, call: &Call) -> Result<Stream, Error> {
    let inner = &host.engine.0;
    let ask = Ask { method: Method::GET, url: text(call, "URL")?.to_string(), headers: HeaderMap::new(), body: None };
    let answer = inner.net.ask(ask).await?;
    if !answer.status.is_success() {
        return Err(Error::failed(format!("the server answers {}", answer.status)));
    }
    let kind = answer.content_type.split(';').next().unwrap_or_default().trim();
    if !(kind.is_empty() || kind.starts_with("text/") || kind.contains("html") || kind.contains("xml")) {
        return Err(Error::failed("this is no page, but another kind of file").help("http get reads JSON and texts"));
    }
    let wanted = Wanted {
        selector: text(call, "SELECTOR")?.to_string(),
        attribute: call.text("attr").map(|name| name.to_string()),
    };
    let wanted = serde_json::to_string(&wanted).map_err(|error| Error::failed(error.to_string()))?;
    let page = Stream::once(Value::from(String::from_utf8_lossy(&answer.body).as_ref()));
    let runner = inner.bundles.runner(&inner.home)?;
    confined::run(Work::Scrape, &runner, call, &wanted, page).await
}

/// The records of a name.
pub(super) async fn dns(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let kind = call.text("type").map(|kind| kind.to_ascii_uppercase());
    let said = host.engine.0.net.look_up(&text(call, "NAME")?, kind.as_deref()).await?;
    let record = |said: crate::net::Said| -> Value {
        let mut record = Record::new();
        record.put("name", said.name);
        record.put("type", said.kind);
        record.put("ttl", i64::from(said.seconds));
        record.put("value", said.value);
        record.into()
    };
    Ok(said.into_iter().map(record).collect())
}
