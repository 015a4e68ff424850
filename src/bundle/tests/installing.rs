//! Installing folders: what is taken, what is refused, and the life of a version.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pipit_commands::{Command, Error};

use super::stage::{texts, world};
use crate::bundle::Fault;
use crate::bundle::install::{
    self, Demands, Enabled, Installed, Source, disable, earlier, enabled, list, load, remove, show,
};
use crate::bundle::manifest::Sandbox;
use crate::store::Store;

struct Site {
    _temporary: tempfile::TempDir,
    home: PathBuf,
    source: PathBuf,
    store: Store,
}

fn site() -> Site {
    let temporary = tempfile::tempdir().unwrap();
    let (home, source) = (temporary.path().join("home"), temporary.path().join("source"));
    fs::create_dir(&home).unwrap();
    fs::create_dir(&source).unwrap();
    let store = Store::open(home.join("store.db")).unwrap();
    Site { _temporary: temporary, home, source, store }
}

async fn install(store: &Store, home: &Path, folder: &Path, at: i64) -> Result<(Installed, Vec<Fault>), Error> {
    let (source, from) = (Source::Folder(folder.to_owned()), folder.display().to_string());
    install::install(store, home, source, from, Demands::default(), at).await
}

async fn enable(
    store: &Store,
    home: &Path,
    version: Option<&str>,
    path: &str,
    others: &[Command],
) -> Result<(Enabled, Vec<String>), Error> {
    let installed = install::find(store, "hi", version).unwrap();
    install::enable(store, home, installed, OsStr::new(path), others, None).await
}

fn write(folder: &Path, version: &str, extra: &str) {
    let manifest = format!(
        "bundle: 1\nname: hi\nversion: {version}\ndescription: x\n{extra}commands:\n  say: {{about: x, usage: \"say NAME\", run: [./say.sh, \"{{NAME}}\"], output: lines, rules: [allow]}}\n"
    );
    fs::write(folder.join("bundle.yaml"), manifest).unwrap();
    fs::write(folder.join("say.sh"), "#!/bin/sh\necho hello $1\n").unwrap();
    fs::set_permissions(folder.join("say.sh"), fs::Permissions::from_mode(0o4775)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_version() {
    let Site { home, source, store, .. } = &site();
    let path = "/usr/bin:/bin";
    write(source, "1.9.0", "");
    let (first, warnings) = install(store, home, source, 7).await.unwrap();
    assert_eq!((first.name.as_str(), first.version.as_str(), warnings.len()), ("hi", "1.9.0", 0));
    assert_eq!(install(store, home, source, 8).await.unwrap().0, first, "again with the same content");
    assert!(enabled(store).unwrap().is_empty(), "installing enables nothing");
    let kept = home.join("bundles").join(&first.digest);
    let mode = |name: &str| fs::metadata(kept.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("say.sh"), mode("bundle.yaml"), mode("")), (0o755, 0o644, 0o755));

    fs::write(source.join("more"), "x").unwrap();
    let again = install(store, home, source, 9).await.unwrap_err();
    assert_eq!(again.message(), "hi@1.9.0 is installed already, with other content");
    write(source, "1.10.0", "");
    install(store, home, source, 10).await.unwrap();

    let (newest, remarks) = enable(store, home, None, path, &[]).await.unwrap();
    assert_eq!((newest.version.as_str(), remarks.len()), ("1.10.0", 0));
    let all: Vec<_> = list(store).unwrap().into_iter().map(|(one, runs)| (one.version, runs)).collect();
    assert_eq!(all, [("1.9.0".to_owned(), false), ("1.10.0".to_owned(), true)]);
    let ready = load(home, "hi", &newest, Sandbox::Basic, |_| Arc::new(|_| Ok(Vec::new()))).unwrap();
    assert_eq!(texts(&ready, &["say", "you"], None).await, ["hello you"]);

    assert_eq!(remove(store, home, "hi", Some("1.10.0")).await.unwrap_err().message(), "hi 1.10.0 is enabled");
    enable(store, home, Some("1.9.0"), path, &[]).await.unwrap();
    assert_eq!(
        (install::now(store, "hi").unwrap().version.as_str(), earlier(store, "hi").unwrap().version.as_str()),
        ("1.9.0", "1.10.0")
    );
    remove(store, home, "hi", Some("1.10.0")).await.unwrap();
    disable(store, "hi").await.unwrap();
    assert_eq!(disable(store, "hi").await.unwrap_err().message(), "the bundle hi is not enabled");
    assert_eq!(show(store, home, "hi", None).await.unwrap().1.version, "1.9.0");
    remove(store, home, "hi", None).await.unwrap();
    assert!(!kept.exists() && list(store).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_does_not_run() {
    let Site { home, source, store, .. } = &site();
    write(source, "1.0.0", "");
    let (installed, _) = install(store, home, source, 0).await.unwrap();
    fs::write(home.join("bundles").join(&installed.digest).join("say.sh"), "#!/bin/sh\necho evil\n").unwrap();
    let error = enable(store, home, None, "/bin", &[]).await.unwrap_err();
    assert_eq!(error.message(), "the files of hi were changed after it was installed");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_looked_up_and_names_compared() {
    let Site { home, source, store, .. } = &site();
    write(source, "1.0.0", "needs: {programs: [sh, no-such-program-1, no-such-program-2]}\n");
    install(store, home, source, 0).await.unwrap();
    let error = enable(store, home, None, "/bin", &[]).await.unwrap_err();
    assert_eq!(error.message(), "hi needs programs that are not there: no-such-program-1, no-such-program-2");
    write(source, "1.0.1", "needs: {programs: [sh]}\n");
    install(store, home, source, 0).await.unwrap();
    let (found, _) = enable(store, home, None, "relative:/nowhere:/bin", &[]).await.unwrap();
    assert_eq!(found.programs.get("sh"), Some(&PathBuf::from("/bin/sh")));

    let deploy = super::stage::ready(world("deploy"), &[], &[]);
    let others = crate::bundle::commands(&deploy, &super::stage::runner());
    let manifest =
        fs::read_to_string(source.join("bundle.yaml")).unwrap().replace("say:", "run:").replace("\"say ", "\"run ");
    fs::write(source.join("bundle.yaml"), manifest.replace("1.0.1", "1.0.2")).unwrap();
    install(store, home, source, 0).await.unwrap();
    let (_, remarks) = enable(store, home, None, "/bin", &others).await.unwrap();
    assert_eq!(remarks, ["run is also deploy:run; write hi:run for this one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_refused() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil); 8] = [
        ("out is a link", |folder| symlink("/etc/passwd", folder.join("out")).unwrap()),
        ("out is a link", |folder| symlink("/etc", folder.join("out")).unwrap()),
        ("out is neither a file nor a folder", |folder| {
            rustix::fs::mknodat(
                rustix::fs::CWD,
                folder.join("out"),
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::from_raw_mode(0o600),
                0,
            )
            .unwrap();
        }),
        ("large is larger than 16 MiB", |folder| {
            fs::File::create(folder.join("large")).unwrap().set_len(17 << 20).unwrap();
        }),
        ("the folder has no file say.sh", |folder| fs::remove_file(folder.join("say.sh")).unwrap()),
        ("the first line of say.sh ends with CR LF", |folder| {
            fs::write(folder.join("say.sh"), "#!/bin/sh\r\necho hello\r\n").unwrap();
        }),
        ("say.sh may not be executed", |folder| {
            fs::set_permissions(folder.join("say.sh"), fs::Permissions::from_mode(0o644)).unwrap();
        }),
        ("has no bundle.yaml", |folder| fs::remove_file(folder.join("bundle.yaml")).unwrap()),
    ];
    for (message, spoil) in cases {
        let Site { home, source, store, .. } = &site();
        write(source, "1.0.0", "");
        spoil(source);
        let error = install(store, home, source, 0).await.unwrap_err();
        assert!(error.message().contains(message), "{message}: {error}");
        assert!(list(store).unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_enabled_before_is_known_by_its_content() {
    let Site { home, source, store, .. } = &site();
    let bring = async |version: &str, extra: &str| {
        write(source, version, extra);
        install(store, home, source, 0).await.unwrap();
    };
    bring("1.0.0", "").await;
    enable(store, home, None, "/bin", &[]).await.unwrap();
    assert_eq!(earlier(store, "hi").unwrap_err().message(), "no other version of hi was enabled before 1.0.0");
    bring("1.0.1", "").await;
    enable(store, home, None, "/bin", &[]).await.unwrap();
    assert_eq!(earlier(store, "hi").unwrap().version, "1.0.0");
    remove(store, home, "hi", Some("1.0.0")).await.unwrap();
    assert_eq!(earlier(store, "hi").unwrap_err().message(), "the bundle hi 1.0.0 is not installed");
    bring("1.0.0", "needs: {network: [\"example.com:443\"]}\n").await;
    let another = "hi 1.0.0 was installed anew, and is not what was enabled before";
    assert_eq!(earlier(store, "hi").unwrap_err().message(), another);
    // what it was is what was agreed to, wherever it comes from
    remove(store, home, "hi", Some("1.0.0")).await.unwrap();
    bring("1.0.0", "").await;
    assert_eq!(earlier(store, "hi").unwrap().version, "1.0.0");
}

#[test]
fn a_name_that_ships_is_refused_whoever_checked_the_manifest() {
    let text = fs::read_to_string(world("deploy").join("bundle.yaml")).unwrap();
    let mut manifest = crate::bundle::check(&text).unwrap().manifest;
    let ships = pipit_commands::built_ins();
    install::collisions(&manifest, &ships).unwrap();
    for command in &ships {
        manifest.name = command.spec().bundle.clone();
        let error = install::collisions(&manifest, &ships).unwrap_err();
        assert!(error.message().contains("belongs to commands that ship with pipit"), "{error}");
    }
}
