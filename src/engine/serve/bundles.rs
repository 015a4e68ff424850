//! Bundles: brought in from where they are, enabled, upgraded, shown, removed.

use std::path::{Path, PathBuf};

use pipit_commands::{Call, Command, Error, Record, Stream, Value};

use super::super::now;
use super::{Host, ahead, text};
use crate::bundle::config::{self, Layer, Spot};
use crate::bundle::install::{self, Installed, Source};
use crate::bundle::manifest::{Format, Sandbox};
use crate::bundle::{ARCHIVE, Changes, Fault, Lent, Listed, Manifest, looks_like_one};

pub(super) async fn install(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let source = text(call, "SOURCE")?;
    let (source, from, digest) = source_of(host, &source, call.text("ref").as_deref()).await?;
    let demands = install::Demands {
        keys: host.engine.0.sources.keys.clone(),
        unsigned: call.flag("unsigned"),
        digest: call.text("digest").map(|digest| digest.to_string()).or(digest),
    };
    let (store, home) = (host.engine.store(), &host.engine.0.home);
    let (installed, warnings) = install::install(store, home, source, from, demands, now()).await?;
    let signed = installed.signed_by.map(|key| format!(", signed by {key}")).unwrap_or_default();
    let mut said = vec![Value::from(format!(
        "{} {} is installed{signed}; bundle enable {} makes its commands available",
        installed.name, installed.version, installed.name
    ))];
    said.extend(warnings.iter().map(|fault: &Fault| Value::from(format!("warning: {fault}"))));
    Ok(said)
}

/// What a bundle is installed from, where that is in full, and the digest that it must have.
async fn source_of(
    host: &Host,
    asked: &str,
    reference: Option<&str>,
) -> Result<(Source, String, Option<String>), Error> {
    let (from, path) = (asked.to_owned(), Path::new(asked));
    if let Some(reference) = reference {
        let (url, reference) = (from.clone(), reference.to_owned());
        return Ok((Source::Git { url, reference }, from, None));
    }
    if path.extension().is_some_and(|ending| ending == "git") || asked.starts_with("ssh://") {
        return Err(Error::failed(format!("which branch, tag or commit of {asked}?")).help("say it with --ref=REF"));
    }
    if asked.contains("://") {
        return Ok((fetched(host, asked).await?, from, None));
    }
    if path.exists() || asked.contains('/') {
        return Ok((local(path).await?, from, None));
    }
    let Some(index) = &host.engine.0.sources.index else {
        return Err(Error::failed(format!(
            "there is no folder or file {asked}, and the site has no index to look it up in"
        ))
        .help("index under [bundles] in pipit.toml names one"));
    };
    let (name, version) = asked.split_once('@').map_or((asked, None), |(name, version)| (name, Some(version)));
    let listed = Listed::find(&offered(host).await?, name, version)?;
    let place = listed.place(index)?;
    let source = if place.contains("://") { fetched(host, &place).await? } else { local(Path::new(&place)).await? };
    Ok((source, place, listed.digest))
}

/// An archive of the web, with the signature beside it where the site asks for signatures.
async fn fetched(host: &Host, url: &str) -> Result<Source, Error> {
    let net = &host.engine.0.net;
    let none = || Error::failed(format!("there is nothing at {url}"));
    let bytes = net.download(url, ARCHIVE).await?.ok_or_else(none)?;
    if !looks_like_one(&bytes) {
        return Err(Error::failed(format!("what is at {url} is no archive (.tar or .tar.gz)"))
            .help("a git repository is asked for with --ref=REF"));
    }
    let signature = match host.engine.0.sources.keys.as_slice() {
        [] => None,
        _ => net.download(&format!("{url}.minisig"), SIGNATURE).await?,
    };
    Ok(Source::Archive { bytes, signature: signature.map(|text| String::from_utf8_lossy(&text).into_owned()) })
}

/// The largest signature, in bytes.
const SIGNATURE: usize = 4096;

/// A folder or an archive of this machine.
async fn local(path: &Path) -> Result<Source, Error> {
    let odd = |error: std::io::Error| Error::failed(format!("{} cannot be read: {error}", path.display()));
    if !tokio::fs::metadata(path).await.map_err(odd)?.is_file() {
        return Ok(Source::Folder(path.to_owned()));
    }
    if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
        return Err(Error::failed(format!("{} is a manifest, and a bundle is a folder", path.display()))
            .help("name the folder that it lies in"));
    }
    let bytes = read(path, ARCHIVE).await?;
    let beside = PathBuf::from(format!("{}.minisig", path.display()));
    let signature =
        if tokio::fs::try_exists(&beside).await.map_err(odd)? { Some(read(&beside, SIGNATURE).await?) } else { None };
    Ok(Source::Archive { bytes, signature: signature.map(|text| String::from_utf8_lossy(&text).into_owned()) })
}

/// A file of at most so many bytes.
async fn read(path: &Path, most: usize) -> Result<Vec<u8>, Error> {
    use tokio::io::AsyncReadExt as _;
    let odd = |error: std::io::Error| Error::failed(format!("{} cannot be read: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await.map_err(odd)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).await.map_err(odd)?;
    if bytes.len() > most {
        return Err(Error::failed(format!("{} is larger than {most} bytes", path.display())));
    }
    Ok(bytes)
}

/// The site's index, read now.
async fn offered(host: &Host) -> Result<Vec<Listed>, Error> {
    const INDEX: usize = 4 << 20;
    let Some(index) = &host.engine.0.sources.index else {
        return Err(Error::failed("the site has no index").help("index under [bundles] in pipit.toml names one"));
    };
    let bytes = if index.contains("://") {
        let none = || Error::failed(format!("there is nothing at {index}"));
        host.engine.0.net.download(index, INDEX).await?.ok_or_else(none)?
    } else {
        read(Path::new(index), INDEX).await?
    };
    Listed::read(&String::from_utf8_lossy(&bytes))
}

pub(super) async fn find(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let word = call.text("WORD").unwrap_or_default().to_lowercase();
    let installed = install::list(host.engine.store())?;
    let offered = offered(host).await?;
    let wanted =
        offered.into_iter().filter(|one| format!("{} {}", one.name, one.about).to_lowercase().contains(word.as_str()));
    let rows = wanted.map(|one| {
        let state = installed.iter().find(|(there, _)| there.name == one.name && there.version == one.version);
        let state = state.map_or("", |(_, enabled)| if *enabled { "enabled" } else { "installed" });
        let row: Record =
            [("name", one.name), ("version", one.version), ("about", one.about), ("state", state.to_owned())]
                .into_iter()
                .collect();
        row.into()
    });
    Ok(rows.collect())
}

/// What changes from the enabled version of a bundle to another, and which one that is.
async fn changes(host: &Host, name: &str, version: Option<&str>) -> Result<(Changes, String, Installed), Error> {
    let (store, home) = (host.engine.store(), &host.engine.0.home);
    let now = install::now(store, name)?.version;
    let (_, from) = install::show(store, home, name, Some(&now)).await?;
    let (installed, to) = install::show(store, home, name, version).await?;
    Ok((Changes::between(&from, &to), now, installed))
}

pub(super) async fn diff(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let (changes, from, Installed { version: to, .. }) = changes(host, &name, call.text("VERSION").as_deref()).await?;
    let head = if changes.is_empty() {
        format!("{name} {to} may do what {from} may")
    } else {
        format!("{name} {from} → {to}")
    };
    Ok(std::iter::once(head).chain(changes.lines()).map(Value::from).collect())
}

pub(super) async fn upgrade(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let (changes, from, to) = changes(host, &name, call.text("VERSION").as_deref()).await?;
    if from == to.version {
        return Ok(super::done(format!("{name} {from} is enabled already, and no newer one is installed")));
    }
    agreed(call, &changes, (&name, &from, &to.version))?;
    let mut said = switch(host, to, None).await?;
    said.extend(changes.lines().into_iter().map(Value::from));
    Ok(said)
}

/// Refuses what may do more than what is enabled now, unless whoever asks says yes to it.
fn agreed(call: &Call, changes: &Changes, (name, from, to): (&str, &str, &str)) -> Result<(), Error> {
    if !changes.wider || call.flag("accept") {
        return Ok(());
    }
    Err(Error::failed(format!("{name} {to} may do more than {from}:\n{}", changes.lines().join("\n")))
        .help(format!("bundle upgrade {name} {to} --accept enables it all the same")))
}

pub(super) async fn rollback(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    switch(host, install::earlier(host.engine.store(), &name)?, None).await
}

pub(super) async fn enable(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let version = call.text("VERSION");
    let installed = if install::enabled(host.engine.store())?.contains_key(name.as_str()) {
        let (changes, from, to) = changes(host, &name, version.as_deref()).await?;
        agreed(call, &changes, (&name, &from, &to.version))?;
        to
    } else {
        install::find(host.engine.store(), &name, version.as_deref())?
    };
    let texts = |option: &str| call.all(option).iter().map(|arg| arg.value.to_text()).collect();
    let sandbox = call.text("sandbox").and_then(|name| Sandbox::named(&name));
    let lent = Lent { network: texts("network"), write: texts("write"), sandbox };
    let lent = Some(lent).filter(|lent| !lent.is_empty());
    switch(host, installed, lent).await
}

/// Makes a version the enabled one.
async fn switch(host: &Host, installed: Installed, lent: Option<Lent>) -> Result<Vec<Value>, Error> {
    let name = &installed.name.clone();
    // what the shell brings stays, whatever a bundle calls itself
    let stays = |command: &&Command| command.spec().built_in || command.spec().bundle != **name;
    let others: Vec<Command> = host.world.catalogue.all().iter().filter(stays).cloned().collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let (store, home) = (host.engine.store(), &host.engine.0.home);
    let (enabled, remarks) = install::enable(store, home, installed, &path, &others, lent).await?;
    let (_, manifest) = install::show(store, home, name, Some(&enabled.version)).await?;
    let commands: Vec<&str> = manifest.commands.iter().map(|entry| entry.name.as_str()).collect();
    let mut said = vec![Value::from(format!("{name} {} is enabled: {}", enabled.version, commands.join(", ")))];
    said.extend(remarks.into_iter().map(Value::from));
    said.extend(ahead::overridden_of(&*host.engine.world()?, name).into_iter().map(Value::from));
    let alone = manifest.needs.network.is_empty() && manifest.needs.sandbox != Sandbox::Basic;
    if manifest.format != Format::Own && alone {
        said.push(Value::from(format!(
            "its programs reach no network; where they have to: bundle enable {name} --network=HOST:PORT"
        )));
    }
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
    let (store, home) = (host.engine.store(), &host.engine.0.home);
    let (removed, forgotten) = install::remove(store, home, &name, version.as_deref()).await?;
    let settings = match forgotten {
        0 => String::new(),
        1 => ", and what was set for it: 1 setting".to_owned(),
        many => format!(", and what was set for it: {many} settings"),
    };
    Ok(super::done(format!("{} {} is removed{settings}", removed.name, removed.version)))
}

pub(super) fn list(host: &Host) -> Result<Vec<Value>, Error> {
    let installed = install::list(host.engine.store())?;
    let broken = &host.world.broken;
    let rows = installed.into_iter().map(|(one, enabled)| {
        let trouble = broken.iter().find(|(name, _)| *name == one.name).map(|(_, error)| error.to_string());
        let state = match (enabled, trouble) {
            (true, Some(trouble)) => format!("enabled, but {trouble}"),
            (true, None) if developed(host, &one.name).is_some() => "enabled, behind the one in development".to_owned(),
            (true, None) => "enabled".to_owned(),
            (false, _) => "installed".to_owned(),
        };
        let row: Record =
            [("name", one.name), ("version", one.version), ("state", state), ("from", one.from)].into_iter().collect();
        row.into()
    });
    let worked_on = host.world.developed.iter().map(|one| {
        let state = match &one.fault {
            Some(fault) => {
                let why = fault.message().lines().collect::<Vec<_>>().join(" ");
                format!("dev, but its last change is not taken: {why}")
            }
            None => "dev".to_owned(),
        };
        let from = one.folder.display().to_string();
        let (name, version) = (one.manifest.name.to_string(), one.manifest.version.to_string());
        let row: Record =
            [("name", name), ("version", version), ("state", state), ("from", from)].into_iter().collect();
        row.into()
    });
    Ok(rows.chain(worked_on).collect())
}

/// The manifest of a bundle that is being worked on.
fn developed<'h>(host: &'h Host, name: &str) -> Option<&'h Manifest> {
    host.world.developed.iter().map(|one| &one.manifest).find(|manifest| manifest.name == name)
}

pub(super) async fn show(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    if let Some(manifest) = developed(host, &name) {
        return Ok(vec![about(&manifest.version, manifest, host.engine.0.sources.least(false)).into()]);
    }
    let (installed, manifest) = install::show(host.engine.store(), &host.engine.0.home, &name, None).await?;
    let least = host.engine.0.sources.least(installed.signed_by.is_some());
    Ok(vec![about(&installed.version, &manifest, least).into()])
}

/// For whom a setting counts.
pub(super) fn layer(host: &Host, call: &Call) -> Result<Layer, Error> {
    match (call.text("room"), call.text("user")) {
        (Some(_), Some(_)) => Err(Error::failed("a setting counts for a room or for a user, not for both")),
        (Some(room), None) => Ok(Layer::Room(format!("#{}", room.strip_prefix('#').unwrap_or(&room)))),
        (None, Some(user)) => Ok(Layer::User(super::user::meant(host, &user)?.into())),
        (None, None) => Ok(Layer::Base),
    }
}

/// Sets a value. That of a secret never stands in a line, for lines are seen by the room and kept in the log.
pub(super) async fn set(host: &Host, call: &Call, input: Option<Stream>) -> Result<Vec<Value>, Error> {
    let (name, key) = (text(call, "NAME")?, text(call, "KEY")?);
    let (store, home) = (host.engine.store(), &host.engine.0.home);
    let manifest = match developed(host, &name) {
        Some(manifest) => manifest.clone(),
        None => install::show(store, home, &name, None).await?.1,
    };
    let secret = manifest.setting(&key).is_some_and(|setting| setting.secret);
    if secret && (call.text("VALUE").is_some() || !host.standard_input) {
        return Err(super::secrets::only_by_standard_input(&name, &key));
    }
    let value = match (call.text("VALUE"), input) {
        (Some(value), _) => value.to_string(),
        (None, Some(input)) => super::secrets::whole(input).await?,
        (None, None) => return Err(Error::failed(format!("a value for {key} is missing"))),
    };
    if !secret {
        super::super::withheld::keeps_none("a setting that is no secret", &value)?;
    }
    let spot = Spot { manifest: &manifest, layer: layer(host, call)?, name: &key, sealed: false };
    config::set(store, &host.engine.0.seals, spot, &value, now()).await?;
    Ok(super::done(format!("{key} of {name} is set")))
}

pub(super) async fn unset(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let (name, key) = (text(call, "NAME")?, text(call, "KEY")?);
    config::unset(host.engine.store(), &name, &layer(host, call)?, &key).await?;
    Ok(super::done(format!("{key} of {name} is no longer set")))
}

pub(super) fn settings(host: &Host, call: &Call) -> Result<Vec<Value>, Error> {
    let name = text(call, "NAME")?;
    let rows = config::show(host.engine.store(), &name)?.into_iter().map(|shown| {
        let value = shown.value.unwrap_or_else(|| "(secret)".to_owned());
        let row: Record =
            [("key", shown.name), ("for", shown.layer.for_whom()), ("value", value)].into_iter().collect();
        row.into()
    });
    Ok(rows.collect())
}

/// What a bundle may do, before one enables it.
fn about(version: &str, manifest: &Manifest, least: Sandbox) -> String {
    let mut lines = vec![format!("{} {version}: {}", manifest.name, manifest.description)];
    if let Format::Cog { version, image, notes } = &manifest.format {
        let image = image.as_ref().map(|image| format!(", published in the image {image}")).unwrap_or_default();
        lines.push(format!("a bundle of Cog, version {version} of its format{image}"));
        lines.push("  what its programs write on standard output also steers them".into());
        lines.extend(notes.iter().map(|notes| format!("  {}", notes.replace("\n", "\n  "))));
    }
    let listed = |what: &str, all: Vec<String>| (!all.is_empty()).then(|| format!("{what}: {}", all.join(", ")));
    lines.extend(listed(
        "permissions",
        manifest.permissions.iter().map(|short| format!("{}:{short}", manifest.name)).collect(),
    ));
    lines.extend(listed("programs", manifest.needs.programs.iter().map(ToString::to_string).collect()));
    lines.extend(listed("network", manifest.needs.network.iter().map(ToString::to_string).collect()));
    lines.extend(listed("writes", manifest.needs.write.iter().map(ToString::to_string).collect()));
    let own = manifest.needs.sandbox;
    lines.push(if own < least {
        format!("sandbox: {}, which this site asks for at least; the bundle asks for {}", least.name(), own.name())
    } else {
        format!("sandbox: {}", own.name())
    });
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
