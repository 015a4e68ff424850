//! Secrets: settings of bundles that are kept sealed. Their values come by the operator's standard input, which stands in no
//! log and is seen by no room.

use pipit_commands::{Call, Error, Record, Stream, Value};

use super::super::now;
use super::bundles::layer;
use super::{Host, done, text};
use crate::bundle::config::{self, Layer, Spot};
use crate::bundle::install;
use crate::bundle::manifest::Format;
use crate::scrub;

/// Whether there must be a value already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// There may be one or none.
    Anything,
    /// There must be one.
    Value,
}

/// The refusal of a value that comes by any way but standard input.
pub(super) fn only_by_standard_input(bundle: &str, key: &str) -> Error {
    Error::failed(format!("{key} is a secret, and a secret never stands in a line"))
        .help(format!("on the shell's own machine: pipit secret set {bundle} {key}"))
}

pub(super) async fn set(host: &Host, call: &Call, input: Option<Stream>, before: Before) -> Result<Vec<Value>, Error> {
    let (bundle, key) = (text(call, "BUNDLE")?, text(call, "KEY")?);
    let Some(input) = input.filter(|_| host.standard_input) else {
        return Err(only_by_standard_input(&bundle, &key));
    };
    let layer = layer(host, call)?;
    let (store, seals) = (host.engine.store(), &host.engine.0.seals);
    let (_, manifest) = install::show(store, &host.engine.0.home, &bundle, None).await?;
    // Cog's manifests do not say what is secret, so whoever sets it does
    if manifest.format == Format::Own && manifest.setting(&key).is_some_and(|setting| !setting.secret) {
        return Err(Error::failed(format!("{key} of {bundle} is no secret"))
            .help(format!("set it in the open: bundle set {bundle} {key} VALUE")));
    }
    if before == Before::Value && !config::is_set(store, &bundle, &layer, &key)? {
        return Err(Error::failed(format!("{key} of {bundle} is not set there"))
            .help(format!("pipit secret set {bundle} {key}")));
    }
    let value = whole(input).await?;
    if value.is_empty() {
        return Err(Error::failed("the value is empty"));
    }
    config::set(store, seals, Spot { manifest: &manifest, layer, name: &key, sealed: true }, &value, now()).await?;
    let mut said = format!("{key} of {bundle} is set");
    if !scrub::is_long_enough(&value) {
        said.push_str("; it is so short that it cannot be kept out of what the program says");
    }
    Ok(done(said))
}

/// Standard input without the line break at its end.
pub(super) async fn whole(input: Stream) -> Result<String, Error> {
    let texts: Vec<_> = super::rooms::gather(input).await?.iter().map(Value::to_text).collect();
    let mut value = texts.join("\n");
    if value.ends_with('\n') {
        value.pop();
    }
    if value.ends_with('\r') {
        value.pop();
    }
    Ok(value)
}

pub(super) fn list(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let store = host.engine.store();
    let bundles = match call.text("BUNDLE") {
        Some(bundle) => vec![bundle.to_string()],
        None => config::bundles(store)?,
    };
    let mut rows = Vec::new();
    for bundle in bundles {
        for shown in config::show(store, &bundle)? {
            if shown.value.is_some() {
                continue;
            }
            let row: Record = [
                ("bundle", bundle.clone()),
                ("key", shown.name),
                ("for", shown.layer.for_whom()),
                ("set", super::log::time(shown.at)),
            ]
            .into_iter()
            .collect();
            rows.push(row.into());
        }
    }
    Ok(rows)
}

pub(super) async fn remove(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (bundle, key) = (text(call, "BUNDLE")?, text(call, "KEY")?);
    let layer: Layer = layer(host, call)?;
    let store = host.engine.store();
    let open = config::show(store, &bundle)?
        .into_iter()
        .any(|shown| shown.name == key && shown.layer == layer && shown.value.is_some());
    if open {
        return Err(
            Error::failed(format!("{key} of {bundle} is no secret")).help(format!("bundle unset {bundle} {key}"))
        );
    }
    config::unset(store, &bundle, &layer, &key).await?;
    Ok(done(format!("{key} of {bundle} is no longer set")))
}

pub(super) async fn rotate_key(host: &Host) -> Result<Vec<Value>, Error> {
    let count =
        config::rotate(host.engine.store(), &host.engine.0.seals, |next| super::totp::sealed_anew(host, next)).await?;
    Ok(done(format!("{count} secrets are sealed with another key")))
}
