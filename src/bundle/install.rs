//! Which bundles there are: installed versions, and of each bundle at most one that is enabled. Both are documents of
//! the store; the folders lie in the home under their digests. Installing changes nothing until a version is enabled.
//!
//! Deliberately absent: who may do this, and fetching over the network.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::{Command, Error};
use serde::{Deserialize, Serialize};

use super::check::check;
use super::cog;
use super::fault::Fault;
use super::folder::{self, MANIFEST};
use super::lent::Lent;
use super::manifest::{Manifest, Program, Sandbox};
use super::process::{Ready, Settings};
use super::signature::{self, Key};
use super::{archive, config, git};
use crate::store::{Change, Expect, Store, StoreError};

/// The kind of the documents of installed versions, by `name@version`.
const INSTALLED: &str = "bundle";
/// The kind of the documents of enabled bundles, by name.
const ENABLED: &str = "bundle-enabled";

/// An installed version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installed {
    /// The bundle.
    pub name: String,
    /// The version, semver.
    pub version: String,
    /// The digest of its folder, which is the folder's name in the home.
    pub digest: String,
    /// Where it came from, as the operator gave it.
    pub from: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The trusted key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
}

/// What a bundle is installed from.
pub(crate) enum Source {
    /// A folder of this machine.
    Folder(PathBuf),
    /// An archive, and its signature if it has one.
    Archive {
        /// All of it.
        bytes: Vec<u8>,
        /// The text of the file beside it that ends in `.minisig`.
        signature: Option<String>,
    },
    /// A repository and what of it: a branch, a tag or a commit.
    Git {
        /// Its address.
        url: String,
        /// The branch, tag or commit.
        reference: String,
    },
}

/// What is asked of a bundle beside that it is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands {
    /// The keys that the site trusts; when there are any, what none of them signed is refused.
    pub keys: Vec<Key>,
    /// That it may be unsigned all the same.
    pub unsigned: bool,
    /// The digest that it must have.
    pub digest: Option<String>,
}

/// The version of a bundle that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enabled {
    /// The version.
    pub version: String,
    /// The digest that it was enabled with; another content never runs.
    pub digest: String,
    /// Where the programs that it needs were found.
    pub programs: BTreeMap<String, PathBuf>,
    /// What was enabled before this, to go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
    /// What the site lends to its programs.
    #[serde(default, skip_serializing_if = "Lent::is_empty")]
    pub lent: Lent,
}

/// What was enabled once. A version that was removed and installed again may be another content, which nobody agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Earlier {
    /// The version.
    pub version: String,
    /// The digest that it had.
    pub digest: String,
}

/// Installs a bundle. `from` is where it comes from, as it was asked for. Comes back with what was kept and with the
/// manifest's warnings. A version that is there already may be installed again with the same content, never with another one.
pub(crate) async fn install(
    store: &Store,
    home: &Path,
    source: Source,
    from: String,
    demands: Demands,
    now: i64,
) -> Result<(Installed, Vec<Fault>), Error> {
    let home = home.to_owned();
    let keep = move || -> Result<(Installed, Vec<Fault>), Error> {
        let (files, from, signed_by) = files(source, from, &demands)?;
        let (read, manifest, warnings) = checked(files, &from)?;
        let digest = read.digest();
        if let Some(wanted) = demands.digest.filter(|wanted| *wanted != digest) {
            return Err(Error::failed(format!("its digest is {digest}, and not {wanted}")));
        }
        read.keep(&place(&home), &digest)?;
        let (name, version) = (manifest.name.to_string(), manifest.version.to_string());
        Ok((Installed { name, version, digest, from, at: now, signed_by }, warnings))
    };
    let (installed, warnings) = tokio::task::spawn_blocking(keep).await.map_err(|_| broken())??;
    let key = format!("{}@{}", installed.name, installed.version);
    let change = Change::Insert { kind: INSTALLED, key: key.clone(), body: json(&installed) };
    match store.apply(vec![change]).await {
        Ok(()) => Ok((installed, warnings)),
        Err(StoreError::Exists { .. }) => {
            let there: Installed = document(store, INSTALLED, &key)?.ok_or_else(broken)?;
            if there.digest == installed.digest {
                return Ok((there, warnings));
            }
            Err(Error::failed(format!("{key} is installed already, with other content"))
                .help("raise the version in the manifest, or remove the installed one"))
        }
        Err(error) => Err(stored(&error)),
    }
}

/// Enables an installed version with the content that it was found with. Its programs are looked up in `path` (as `PATH` is
/// written); `others` are the commands that are there without this bundle. What is lent to it replaces what was; none leaves that as it
/// is. Comes back with what was enabled and with remarks about names that are taken.
pub(crate) async fn enable(
    store: &Store,
    home: &Path,
    installed: Installed,
    path: &OsStr,
    others: &[Command],
    lent: Option<Lent>,
) -> Result<(Enabled, Vec<String>), Error> {
    let manifest = manifest(home, &installed.name, &installed.digest).await?;
    let remarks = collisions(&manifest, others)?;
    if let Some(lent) = &lent {
        lent.check(&manifest)?;
    }
    let programs = needed(&manifest, path, &place(home).join(&installed.digest))?;
    let now = document::<Enabled>(store, ENABLED, &installed.name)?;
    // enabling what is enabled looks for its programs again, and is no step
    let lent = lent.or_else(|| now.as_ref().map(|now| now.lent.clone())).unwrap_or_default();
    let step = |now: Enabled| Earlier { version: now.version, digest: now.digest };
    let earlier = now.and_then(|now| if now.version == installed.version { now.earlier } else { Some(step(now)) });
    let enabled = Enabled { version: installed.version, digest: installed.digest, programs, earlier, lent };
    let change = Change::Put { kind: ENABLED, key: installed.name, body: json(&enabled), expect: Expect::Anything };
    store.apply(vec![change]).await.map_err(|error| stored(&error))?;
    Ok((enabled, remarks))
}

/// Where the programs are that the bundle in a folder needs, by `path` as `PATH` is written.
pub(super) fn needed(manifest: &Manifest, path: &OsStr, folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let (programs, lacking): (Vec<_>, Vec<_>) =
        manifest.needs.programs.iter().map(|program| (program, found(program, path))).partition(|(_, at)| at.is_some());
    if !lacking.is_empty() {
        let names: Vec<&str> = lacking.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Error::failed(format!(
            "{} needs programs that are not there: {}",
            manifest.name,
            names.join(", ")
        ))
        .help("install them where the server finds them, then enable the bundle again"));
    }
    cog::complete(manifest, folder)?;
    Ok(programs.into_iter().filter_map(|(name, at)| Some((name.to_string(), at?))).collect())
}

/// Disables a bundle. Lines that run finish on it.
pub(crate) async fn disable(store: &Store, name: &str) -> Result<(), Error> {
    let change = Change::Delete { kind: ENABLED, key: name.to_owned(), expect: Expect::Present };
    match store.apply(vec![change]).await {
        Ok(()) => Ok(()),
        Err(StoreError::Missing { .. }) => Err(Error::failed(format!("the bundle {name} is not enabled"))),
        Err(error) => Err(stored(&error)),
    }
}

/// Removes a version that is not enabled, else the only one that is installed. Its folder goes with the last version
/// that has this content; with the last version of a name goes what was set for it, and how much that was comes along.
pub(crate) async fn remove(
    store: &Store,
    home: &Path,
    name: &str,
    version: Option<&str>,
) -> Result<(Installed, usize), Error> {
    let all = list(store)?;
    let of_name: Vec<&Installed> = all.iter().map(|(one, _)| one).filter(|one| one.name == name).collect();
    let installed = match (version, of_name.as_slice()) {
        (None, [_, _, ..]) => {
            let versions: Vec<&str> = of_name.iter().map(|one| one.version.as_str()).collect();
            return Err(Error::failed(format!("several versions of {name} are installed: {}", versions.join(", ")))
                .help("say which one"));
        }
        (_, _) => find(store, name, version)?,
    };
    if all.iter().any(|(one, enabled)| *enabled && one.name == name && one.version == installed.version) {
        return Err(Error::failed(format!("{name} {} is enabled", installed.version)).help("disable it first"));
    }
    let key = format!("{name}@{}", installed.version);
    let mut changes = vec![Change::Delete { kind: INSTALLED, key, expect: Expect::Present }];
    let settings = if of_name.len() == 1 { config::of_bundle(store, name)? } else { Vec::new() };
    let forgotten = settings.len();
    changes.extend(settings);
    store.apply(changes).await.map_err(|error| stored(&error))?;
    let shared = all.iter().filter(|(one, _)| one.digest == installed.digest).count() > 1;
    if !shared {
        let _ = std::fs::remove_dir_all(place(home).join(&installed.digest));
    }
    Ok((installed, forgotten))
}

/// All installed versions, by name and version from the oldest on, and whether each is the enabled one.
pub(crate) fn list(store: &Store) -> Result<Vec<(Installed, bool)>, Error> {
    let enabled = enabled(store)?;
    let mut all = Vec::new();
    for document in store.list(INSTALLED).map_err(|error| stored(&error))? {
        let one: Installed = parsed(&document.body)?;
        let runs = enabled.get(&one.name).is_some_and(|enabled| enabled.version == one.version);
        all.push((one, runs));
    }
    all.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name).then_with(|| precedence(&a.version, &b.version)));
    Ok(all)
}

/// The enabled bundles by name.
pub(crate) fn enabled(store: &Store) -> Result<BTreeMap<String, Enabled>, Error> {
    let documents = store.list(ENABLED).map_err(|error| stored(&error))?;
    documents.into_iter().map(|document| Ok((document.key, parsed(&document.body)?))).collect()
}

/// What is enabled of a bundle; an error when nothing is.
pub(crate) fn now(store: &Store, name: &str) -> Result<Enabled, Error> {
    let enabled = document::<Enabled>(store, ENABLED, name)?;
    enabled.ok_or_else(|| Error::failed(format!("the bundle {name} is not enabled")))
}

/// What was enabled of a bundle before what is now; an error when there is none, or when its version has another content
/// now than then.
pub(crate) fn earlier(store: &Store, name: &str) -> Result<Installed, Error> {
    let now = now(store, name)?;
    let none = || Error::failed(format!("no other version of {name} was enabled before {}", now.version));
    let earlier = now.earlier.ok_or_else(none)?;
    let installed = find(store, name, Some(&earlier.version))?;
    if installed.digest == earlier.digest {
        return Ok(installed);
    }
    let version = &earlier.version;
    Err(Error::failed(format!("{name} {version} was installed anew, and is not what was enabled before"))
        .help(format!("bundle diff {name} {version} says what it may do; bundle upgrade {name} {version} enables it")))
}

/// An installed version, else the newest of the name, with its manifest and what is lent to it.
pub(crate) async fn show(
    store: &Store,
    home: &Path,
    name: &str,
    version: Option<&str>,
) -> Result<(Installed, Manifest), Error> {
    let installed = find(store, name, version)?;
    let manifest = manifest(home, &installed.name, &installed.digest).await?;
    let lent = document::<Enabled>(store, ENABLED, name)?.map(|enabled| enabled.lent).unwrap_or_default();
    Ok((installed, lent.to(manifest)))
}

/// Whether a trusted key has signed a version.
pub(crate) fn is_signed(store: &Store, name: &str, version: &str) -> Result<bool, Error> {
    Ok(find(store, name, Some(version))?.signed_by.is_some())
}

/// A bundle that was enabled, ready to run, held as tightly as the site wants at least; an error when its folder is not what
/// it was then. Reads the folder on the caller's thread.
pub(crate) fn load(
    home: &Path,
    name: &str,
    enabled: &Enabled,
    least: Sandbox,
    settings: impl FnOnce(&Manifest) -> Settings,
) -> Result<Arc<Ready>, Error> {
    let mut manifest = enabled.lent.to(content(&place(home).join(&enabled.digest), name, &enabled.digest)?);
    manifest.needs.sandbox = manifest.needs.sandbox.max(least);
    let settings = settings(&manifest);
    let programs = enabled.programs.iter().map(|(name, at)| (EcoString::from(name), at.clone())).collect();
    Ok(Arc::new(Ready {
        manifest,
        folder: place(home).join(&enabled.digest),
        programs,
        settings,
        warm: Arc::default(),
    }))
}

/// Where folders lie.
fn place(home: &Path) -> PathBuf {
    home.join("bundles")
}

/// The files of a bundle, where they come from in full, and the trusted key that signed them.
fn files(source: Source, from: String, demands: &Demands) -> Result<(folder::Read, String, Option<String>), Error> {
    let unsigned = |files| {
        if demands.keys.is_empty() || demands.unsigned {
            return Ok(files);
        }
        Err(Error::failed("nobody whom the site trusts has signed it")
            .help("an archive with its .minisig beside it is checked; --unsigned=REASON goes without"))
    };
    match source {
        Source::Folder(folder) => Ok((unsigned(folder::read(&folder)?)?, from, None)),
        Source::Archive { bytes, signature: Some(signature) } if !demands.keys.is_empty() => {
            // before anything is read of it
            let signer = signature::signer(&bytes, &signature, &demands.keys)?;
            Ok((archive::read(&bytes)?, from, Some(signer)))
        }
        Source::Archive { bytes, .. } => Ok((unsigned(archive::read(&bytes)?)?, from, None)),
        Source::Git { url, reference } => {
            let (bytes, commit) = git::archive(&url, &reference)?;
            Ok((unsigned(archive::read(&bytes)?)?, format!("{from} at {commit}"), None))
        }
    }
}

/// A folder with its manifest, whose own programs are there.
fn read(from: &Path) -> Result<(folder::Read, Manifest, Vec<Fault>), Error> {
    checked(folder::read(from)?, &from.display().to_string())
}

/// A folder that nobody has installed, with its manifest.
pub(super) fn look_into(from: &Path) -> Result<(folder::Read, Manifest), Error> {
    read(from).map(|(read, manifest, _)| (read, manifest))
}

/// Files with their manifest, whose own programs are there.
fn checked(read: folder::Read, from: &str) -> Result<(folder::Read, Manifest, Vec<Fault>), Error> {
    let Some((name, text)) = read.manifest() else {
        return Err(Error::failed(format!("{from} has no {MANIFEST}")));
    };
    let text = std::str::from_utf8(text).map_err(|_| Error::failed(format!("{name} is no UTF-8")))?;
    let checked = check(text).map_err(|faults| refused(&faults))?;
    let mut faults = Vec::new();
    for entry in &checked.manifest.commands {
        let Program::Own(path) = &entry.run.program else { continue };
        let why = match read.executable(path) {
            Some(true) if read.content(path).is_some_and(ends_as_on_windows) => {
                format!("the first line of {path} ends with CR LF, so its interpreter is not found; save it with LF")
            }
            Some(true) => continue,
            Some(false) => format!("{path} may not be executed; give it that mode (chmod +x)"),
            None => format!("the folder has no file {path}"),
        };
        faults.push(Fault::new(format!("commands.{}.run[0]", entry.name), why));
    }
    if faults.is_empty() { Ok((read, checked.manifest, checked.warnings)) } else { Err(refused(&faults)) }
}

/// Whether the line of a script that names its interpreter ends with CR LF, which would be a part of the name.
fn ends_as_on_windows(script: &[u8]) -> bool {
    let first = script.split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"#!") && first.ends_with(b"\r")
}

/// The manifest of a kept folder, whose content is still what the digest says.
async fn manifest(home: &Path, name: &str, digest: &str) -> Result<Manifest, Error> {
    let (folder, digest, name) = (place(home).join(digest), digest.to_owned(), name.to_owned());
    tokio::task::spawn_blocking(move || content(&folder, &name, &digest)).await.map_err(|_| broken())?
}

/// The manifest of a kept folder, if the folder is what it was when it was installed.
fn content(folder: &Path, name: &str, digest: &str) -> Result<Manifest, Error> {
    let (read, manifest, _) = read(folder)?;
    if read.digest() != digest || manifest.name != name {
        return Err(Error::failed(format!("the files of {name} were changed after it was installed"))
            .help("remove it and install it again"));
    }
    Ok(manifest)
}

fn refused(faults: &[Fault]) -> Error {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Error::failed(format!("the manifest has faults:\n{}", lines.join("\n")))
}

/// An installed version, else the newest of the name.
pub(crate) fn find(store: &Store, name: &str, version: Option<&str>) -> Result<Installed, Error> {
    let mut all = list(store)?.into_iter().map(|(one, _)| one).filter(|one| one.name == name);
    let found = match version {
        Some(version) => all.find(|one| one.version == version),
        None => all.next_back(),
    };
    found.ok_or_else(|| {
        let version = version.map(|version| format!(" {version}")).unwrap_or_default();
        Error::failed(format!("the bundle {name}{version} is not installed"))
    })
}

/// Refused is what would make two commands one; told is where a bare name goes to another command.
pub(super) fn collisions(manifest: &Manifest, others: &[Command]) -> Result<Vec<String>, Error> {
    let name = &manifest.name;
    if others.iter().any(|other| other.spec().built_in && other.spec().bundle == *name) {
        return Err(Error::failed(format!("the name {name} belongs to commands that ship with pipit"))
            .help("give the bundle another name in its manifest"));
    }
    let mut remarks = Vec::new();
    for entry in &manifest.commands {
        let taken = others.iter().map(Command::spec).filter(|other| other.bundle != *name);
        let mut taken = taken.filter(|other| other.name == entry.name || other.also.contains(&entry.name));
        if let Some(other) = taken.next() {
            let (own, other) = (format!("{name}:{}", entry.name), other.exact());
            remarks.push(format!("{} is also {other}; write {own} for this one", entry.name));
        }
    }
    Ok(remarks)
}

/// The program of this name, in the folders of a `PATH`.
fn found(name: &str, path: &OsStr) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = |file: &PathBuf| {
        file.is_absolute()
            && file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(path).map(|folder| folder.join(name)).find(executable)
}

/// Which of two versions is older, as semver.org orders them.
pub(super) fn precedence(a: &str, b: &str) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let parts = |version: &str| {
        let version = version.split('+').next().unwrap_or_default();
        let (core, pre) = version.split_once('-').map_or((version, None), |(core, pre)| (core, Some(pre)));
        let core: Vec<u64> = core.split('.').map(|part| part.parse().unwrap_or_default()).collect();
        (core, pre.map(ToOwned::to_owned))
    };
    let ((core_a, pre_a), (core_b, pre_b)) = (parts(a), parts(b));
    core_a.cmp(&core_b).then_with(|| match (pre_a, pre_b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => {
            let word = |word: &str| match word.parse::<u64>() {
                Ok(number) => (0, number, String::new()),
                Err(_) => (1, 0, word.to_owned()),
            };
            a.split('.').map(word).cmp(b.split('.').map(word))
        }
    })
}

fn document<T: for<'a> Deserialize<'a>>(store: &Store, kind: &str, key: &str) -> Result<Option<T>, Error> {
    let document = store.get(kind, key).map_err(|error| stored(&error))?;
    document.map(|document| parsed(&document.body)).transpose()
}

fn parsed<T: for<'a> Deserialize<'a>>(body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|error| Error::failed(format!("a document of a bundle cannot be read: {error}")))
}

fn json(value: &impl Serialize) -> String {
    // texts, numbers and maps with text keys have a JSON form
    serde_json::to_string(value).unwrap_or_default()
}

fn stored(error: &StoreError) -> Error {
    Error::failed(error.to_string())
}

fn broken() -> Error {
    Error::failed("the bundle's files could not be worked on; see the log")
}
