//! Programs of Cog's bundles: a process for each value, which is told its call by its environment and by one JSON value on
//! standard input, and whose standard output is read when it has ended well.
//!
//! Here alone a program steers the shell by lines of its standard output; all others have a control descriptor for that.
//! Deliberately absent: reading the manifest (`check/cog.rs`).

mod environment;
mod said;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Call, Error, Level, Note, Pass, Record, Stream, Value};

pub(super) use environment::environment;
use said::Said;

use super::control::warn;
use super::fence::{Reached, reached};
use super::hold::Hold;
use super::manifest::{Entry, Format, Manifest, Program};
use super::output::Decoder;
use super::process::{Prepared, Ready};
use super::runner::Runner;

/// The most remarks of a call that go to the shell's log.
const REMARKS: usize = 100;

/// A call: its process is started, awaited, and what it said is read.
pub(super) async fn run(
    bundle: Arc<Ready>,
    entry: Entry,
    runner: Arc<Runner>,
    call: Call,
    input: Option<Stream>,
) -> Result<Stream, Error> {
    let element = match input {
        None => Record::new().into(),
        Some(input) => match input.collect().await?.into_iter().next() {
            Some(value) => element(value),
            None => return Ok(Stream::empty()),
        },
    };
    let prepared = Prepared::new(&bundle, &entry, &call, &runner, true)?;
    let output = prepared.stage(&call, Decoder::new(&entry.output), Some(Stream::once(element))).await?;
    let output = output.collect().await?;
    let text = output.first().map(Value::to_text).unwrap_or_default();
    let said = Said::read(&text)?;
    let (host, command) = (call.host(), call.command());
    for (level, remark) in said.remarks.iter().take(REMARKS) {
        log(command.exact(), *level, remark);
    }
    for odd in said.odd {
        host.note(command, warn(odd));
    }
    match said.template {
        Some(name) if bundle.manifest.templates.contains_key(&name) => host.note(command, Note::Template(name)),
        Some(name) => host.note(command, warn(format!("its bundle has no template {name:?}"))),
        None => {}
    }
    if said.aborts {
        let lines: Vec<EcoString> = said.values.iter().map(shown).collect();
        let text = lines.join("\n");
        return Err(Error::failed(if text.is_empty() { "the program gave up".to_owned() } else { text }));
    }
    Ok(Stream::of(said.values))
}

/// With what a program reaches the shell's services, whose port is opened for it. None where no single port can be opened,
/// and none in a network of its own.
pub(super) fn pass(entry: &Entry, call: &Call, hold: &mut Hold) -> Option<Pass> {
    if !matches!(entry.run.program, Program::Cog(_)) {
        return None;
    }
    match hold {
        Hold::Basic => call.host().services(call.command()),
        Hold::Restrict(fence) if matches!(reached(), Reached::Restrict(_)) => {
            let pass = call.host().services(call.command())?;
            fence.services = Some(pass.port);
            Some(pass)
        }
        Hold::Restrict(_) | Hold::Isolate(_) | Hold::Quota(..) => None,
    }
}

/// What a program finds on standard input: what is neither a record nor a list becomes the body of a record.
fn element(value: Value) -> Value {
    match value {
        Value::Record(_) | Value::List(_) => value,
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => body(vec![value]),
    }
}

/// The form in which texts come and go: `{"body": […]}`.
fn body(lines: Vec<Value>) -> Value {
    [("body", Value::from(lines))].into_iter().collect::<Record>().into()
}

/// The text of a value; the text or the lines of one that has only a body.
fn shown(value: &Value) -> EcoString {
    match value {
        Value::Record(record) if record.len() == 1 => match record.get("body") {
            Some(Value::List(lines)) => lines.iter().map(Value::to_text).collect::<Vec<_>>().join("\n").into(),
            Some(text @ Value::Text(_)) => text.to_text(),
            Some(_) | None => value.to_text(),
        },
        Value::Record(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::List(_) => value.to_text(),
    }
}

/// Cog showed them to nobody either.
fn log(command: &EcoString, level: Level, remark: &str) {
    match level {
        Level::Debug => tracing::debug!(%command, "{remark}"),
        Level::Info => tracing::info!(%command, "{remark}"),
        Level::Warn => tracing::warn!(%command, "{remark}"),
        Level::Error => tracing::error!(%command, "{remark}"),
    }
}

/// Where the program is that a manifest names by its path in an image: in the bundle's folder, below which the longest tail
/// of the path counts (`/home/bundle/run` is `home/bundle/run`, `bundle/run` or `run`); else at that path of this machine.
/// An error says in a few words what is missing.
pub(super) fn program(folder: &Path, executable: &str) -> Result<PathBuf, &'static str> {
    let path = Path::new(executable);
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !plain || executable.is_empty() {
        return Err("no whole path");
    }
    let below = path.strip_prefix("/").unwrap_or(path);
    let mut found = None;
    let mut parts = below.components();
    while !parts.as_path().as_os_str().is_empty() {
        let file = folder.join(parts.as_path());
        if file.is_file() {
            found = Some(file);
            break;
        }
        parts.next();
    }
    let file = found.or_else(|| path.is_absolute().then(|| path.to_owned())).ok_or("not there")?;
    match file.metadata() {
        Ok(about) if about.is_file() && about.permissions().mode() & 0o111 != 0 => Ok(file),
        Ok(about) if about.is_file() => Err("may not be executed"),
        Ok(_) | Err(_) => Err("not there"),
    }
}

/// Refuses a bundle whose programs are not all there, and says what can be done about it.
pub(super) fn complete(manifest: &Manifest, folder: &Path) -> Result<(), Error> {
    let Format::Cog { image, .. } = &manifest.format else { return Ok(()) };
    let mut lacking: Vec<String> = Vec::new();
    for entry in &manifest.commands {
        let Program::Cog(executable) = &entry.run.program else { continue };
        if let Err(why) = program(folder, executable) {
            let line = format!("{executable} ({why})");
            if !lacking.contains(&line) {
                lacking.push(line);
            }
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let name = &manifest.name;
    let image = image.as_ref().map(|image| format!("; they were published in the image {image}")).unwrap_or_default();
    Err(Error::failed(format!("{name} needs programs that are not there: {}{image}", lacking.join(", "))).help(
        format!(
            "put them, executable, into the bundle's folder, or on this machine at that path; after a change of the folder: \
         bundle remove {name}, then install it again"
        ),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::{element, program, shown};
    use pipit_commands::Value;

    #[test]
    fn what_comes_in_and_what_is_shown() {
        for (value, becomes) in [
            ("1", r#"{"body":[1]}"#),
            ("\"a\"", r#"{"body":["a"]}"#),
            ("null", r#"{"body":[null]}"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
            ("[1,[2]]", "[1,[2]]"),
            ("9007199254740993", r#"{"body":[9007199254740993]}"#),
        ] {
            assert_eq!(element(Value::from_json(value).unwrap()).to_json(), becomes);
        }
        for (value, text) in [
            (r#"{"body":["a","b"]}"#, "a\nb"),
            (r#"{"body":"a"}"#, "a"),
            (r#"{"body":["a"],"x":1}"#, r#"{"body":["a"],"x":1}"#),
            ("5", "5"),
        ] {
            assert_eq!(shown(&Value::from_json(value).unwrap()), text);
        }
    }

    #[test]
    fn the_longest_tail_of_a_path_is_looked_for_in_the_folder() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, mode| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        put("run", 0o755);
        put("bundle/run", 0o755);
        put("plain", 0o644);
        for (executable, found) in [
            ("/home/bundle/run", Ok("bundle/run")),
            ("/srv/run", Ok("run")),
            ("run", Ok("run")),
            ("/bundle/plain", Err("may not be executed")),
            ("/nowhere/at-all", Err("not there")),
            ("at-all", Err("not there")),
            ("/bundle/../run", Err("no whole path")),
            ("", Err("no whole path")),
        ] {
            let want = found.map(|found| folder.path().join(found));
            assert_eq!(program(folder.path(), executable), want, "{executable}");
        }
        assert_eq!(program(folder.path(), "/bin/sh"), Ok("/bin/sh".into()));
    }
}
