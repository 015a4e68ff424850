//! Bundles: installed from a folder, enabled, shown, removed.

use std::path::{Path, PathBuf};

use pipit_commands::{Call, Error, Record, Stream, Value};

use super::super::now;
use super::{Host, text};
use crate::bundle::config::{self, Layer};
use crate::bundle::{Fault, Manifest, install};

pub(super) async fn install(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let folder = text(call, "FOLDER")?;
    let from: PathBuf = Path::new(folder.as_str()).to_owned();
    let store = host.engine.store();
    let (installed, warnings) = install::install(store, &host.engine.0.home, &from, now()).await?;
    let mut said = vec![Value::from(format!(
        "{} {} is installed; bundle enable {} makes its commands available",
        installed.name, installed.version, installed.name
    ))];
    said.extend(warnings.iter().map(|fault: &Fault| Value::from(format!("warning: {fault}"))));
    Ok(said)
}

pub(super) async fn enable(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let version = call.text("VERSION");
    let others: Vec<pipit_commands::Command> =
        host.world.catalogue.all().iter().filter(|command| command.spec().bundle != name).cloned().collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let (store, home) = (host.engine.store(), &host.engine.0.home);
    let (enabled, remarks) = install::enable(store, home, &name, version.as_deref(), &path, &others).await?;
    let (_, manifest) = install::show(store, home, &name, Some(&enabled.version)).await?;
    let commands: Vec<&str> = manifest.commands.iter().map(|entry| entry.name.as_str()).collect();
    let mut said = vec![Value::from(format!("{name} {} is enabled: {}", enabled.version, commands.join(", ")))];
    said.extend(remarks.into_iter().map(Value::from));
    Ok(said)
}

pub(super) async fn disable(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    install::disable(host.engine.store(), &name).await?;
    Ok(super::done(format!("{name} is disabled")))
}

pub(super) async fn remove(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let version = call.text("VERSION");
    let removed = install::remove(host.engine.store(), &host.engine.0.home, &name, version.as_deref()).await?;
    Ok(super::done(format!("{} {} is removed", removed.name, removed.version)))
}

pub(super) fn list(host: &Host) -> Result<Vec<Value>, Error> {
    let installed = install::list(host.engine.store())?;
    let broken = &host.world.broken;
    let rows = installed.into_iter().map(|(one, enabled)| {
        let trouble = broken.iter().find(|(name, _)| *name == one.name).map(|(_, error)| error.to_string());
        let state = match (enabled, trouble) {
            (true, Some(trouble)) => format!("enabled, but {trouble}"),
            (true, None) => "enabled".to_owned(),
            (false, _) => "installed".to_owned(),
        };
        let row: Record =
            [("name", one.name), ("version", one.version), ("state", state), ("from", one.from)].into_iter().collect();
        row.into()
    });
    Ok(rows.collect())
}

pub(super) async fn show(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let (installed, manifest) = install::show(host.engine.store(), &host.engine.0.home, &name, None).await?;
    Ok(vec![about(&installed.version, &manifest).into()])
}

/// For whom a setting counts.
fn layer(call: &Call) -> Result<Layer, Error> {
    match (call.text("room"), call.text("user")) {
        (Some(_), Some(_)) => Err(Error::failed("a setting counts for a room or for a user, not for both")),
        (Some(room), None) => Ok(Layer::Room(format!("#{}", room.strip_prefix('#').unwrap_or(&room)))),
        (None, Some(user)) => Ok(Layer::User(user.into())),
        (None, None) => Ok(Layer::Base),
    }
}

/// Sets a value. That of a secret never stands in a line, for lines are seen by the room and kept in the log.
pub(super) async fn set(host: &Host, call: &Call, input: Option<Stream>) -> Result<Vec<Value>, Error> {
    let (name, key) = (text(call, "NAME")?, text(call, "KEY")?);
    let (store, home) = (host.engine.store(), &host.engine.0.home);
    let (_, manifest) = install::show(store, home, &name, None).await?;
    let secret = manifest.config.iter().any(|setting| setting.name == key && setting.secret);
    if secret && (call.text("VALUE").is_some() || !host.standard_input) {
        return Err(Error::failed(format!(
            "{key} is a secret, and a secret never stands in a line: this one is in the log now, so change it"
        ))
        .help(format!("on the shell's own machine: pipit run --stdin 'bundle set {name} {key}' < FILE")));
    }
    let value = match (call.text("VALUE"), input) {
        (Some(value), _) => value.to_string(),
        (None, Some(input)) => {
            let texts: Vec<_> = super::rooms::gather(input).await?.iter().map(Value::to_text).collect();
            texts.join("\n")
        }
        (None, None) => return Err(Error::failed(format!("a value for {key} is missing"))),
    };
    config::set(store, home, &manifest, layer(call)?, &key, &value).await?;
    Ok(super::done(format!("{key} of {name} is set")))
}

pub(super) async fn unset(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, key) = (text(call, "NAME")?, text(call, "KEY")?);
    config::unset(host.engine.store(), &name, &layer(call)?, &key).await?;
    Ok(super::done(format!("{key} of {name} is no longer set")))
}

pub(super) fn settings(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let rows = config::show(host.engine.store(), &name)?.into_iter().map(|shown| {
        let counts = match shown.layer {
            Layer::Base => "all".to_owned(),
            Layer::Room(room) => room,
            Layer::User(user) => format!("@{user}"),
        };
        let value = shown.value.unwrap_or_else(|| "(secret)".to_owned());
        let row: Record = [("key", shown.name), ("for", counts), ("value", value)].into_iter().collect();
        row.into()
    });
    Ok(rows.collect())
}

/// What a bundle may do, before one enables it.
fn about(version: &str, manifest: &Manifest) -> String {
    let mut lines = vec![format!("{} {version}: {}", manifest.name, manifest.description)];
    let listed = |what: &str, all: Vec<String>| (!all.is_empty()).then(|| format!("{what}: {}", all.join(", ")));
    lines.extend(listed(
        "permissions",
        manifest.permissions.iter().map(|short| format!("{}:{short}", manifest.name)).collect(),
    ));
    lines.extend(listed("programs", manifest.needs.programs.iter().map(ToString::to_string).collect()));
    lines.extend(listed("network", manifest.needs.network.iter().map(ToString::to_string).collect()));
    lines.extend(listed("writes", manifest.needs.write.iter().map(ToString::to_string).collect()));
    lines.push(format!("sandbox: {}", manifest.needs.sandbox.name()));
    for setting in &manifest.config {
        let must = if setting.required { ", required" } else { "" };
        lines.push(format!("setting {}{must}: {}", setting.name, setting.about));
    }
    for entry in &manifest.commands {
        lines.push(format!("{}:{}: {} ({})", manifest.name, entry.usage, entry.about, entry.effect.name()));
        if entry.rules.is_empty() {
            lines.push("  no rule, so nobody may run it".into());
        }
        let prefix = format!("when command is {}:{} ", manifest.name, entry.name);
        lines.extend(entry.rules.iter().map(|rule| format!("  {}", rule.strip_prefix(&prefix).unwrap_or(rule))));
    }
    lines.join("\n")
}
