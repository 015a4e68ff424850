//! Bundles: installed from a folder, enabled, shown, removed.

use std::path::{Path, PathBuf};

use pipit_commands::{Call, Error, Record, Value};

use super::super::now;
use super::{Host, text};
use crate::bundle::install;
use crate::bundle::{Fault, Manifest};

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
    let mut said =
        vec![Value::from(format!("{name} {} is enabled: {}", enabled.version, commands.join(", ")))];
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
        let row: Record = [("name", one.name), ("version", one.version), ("state", state), ("from", one.from)]
            .into_iter()
            .collect();
        row.into()
    });
    Ok(rows.collect())
}

pub(super) async fn show(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let (installed, manifest) = install::show(host.engine.store(), &host.engine.0.home, &name, None).await?;
    Ok(vec![about(&installed.version, &manifest).into()])
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
