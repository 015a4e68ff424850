//! The home: one folder with everything that is kept. Made on the first start, for its owner alone.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::audit::{Audit, Outside, Send};
use crate::bundle::{Sources, ask_program};
use crate::config;
use crate::engine::{Engine, Notices};
use crate::net::{Net, Reach};
use crate::seal::{Seals, Source};
use crate::store::Store;

/// The file that marks a home for development.
const DEVELOPMENT: &str = "development";

/// A home that is there.
pub(crate) struct Home {
    path: PathBuf,
    reach: Reach,
    outside: Outside,
    sources: Sources,
    seals: Seals,
    notices: Notices,
}

impl Home {
    /// The home that was named, or that of the environment, or the one in the XDG data folder. Makes it when it is not
    /// there.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self, String> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => default().ok_or("there is no HOME in the environment; name a folder: --home DIR")?,
        };
        // programs of bundles are started in a folder of their own, from where a relative path leads elsewhere
        let path = std::path::absolute(&path).map_err(|error| format!("the home {}: {error}", path.display()))?;
        let failed = |error: std::io::Error| format!("the home {} cannot be used: {error}", path.display());
        if !path.exists() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed)?;
        }
        let meta = fs::metadata(&path).map_err(failed)?;
        if !meta.is_dir() {
            return Err(format!("the home {} is no folder", path.display()));
        }
        let open = meta.permissions().mode() & 0o077;
        if open != 0 && path.join("pipit.db").exists() {
            return Err(format!(
                "the home {} is open to others (mode {:03o}); close it: chmod 700 {}",
                path.display(),
                meta.permissions().mode() & 0o777,
                path.display()
            ));
        }
        if open != 0 {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        let seals = Seals::of(&path);
        let (reach, outside, sources) = (Reach::default(), Outside::default(), Sources::default());
        Ok(Self { path, reach, outside, sources, seals, notices: Notices::default() })
    }

    /// The same, with hosts that its shell may reach beside the public internet.
    pub(crate) fn reaching(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// The same, with a room for notices.
    pub(crate) fn telling(self, notices: Notices) -> Self {
        Self { notices, ..self }
    }

    /// The same, with places outside it for the anchors of its log.
    pub(crate) fn anchoring(self, audit: &config::Audit) -> Self {
        let config::Audit { anchor_file, anchor_command, keep: _ } = audit.clone();
        let send = (!anchor_command.is_empty())
            .then(|| -> Send { Arc::new(move |anchor| ask_program(&anchor_command, anchor.as_bytes()).map(drop)) });
        Self { outside: Outside { file: anchor_file, send }, ..self }
    }

    /// The same, with where its bundles come from.
    pub(crate) fn sourcing(self, sources: Sources) -> Self {
        Self { sources, ..self }
    }

    /// The same, with another place for the key that seals secrets, where one is named.
    pub(crate) fn sealing(self, secrets: &config::Secrets) -> Self {
        let config::Secrets { key_file, key_command, old_key_file } = secrets.clone();
        let source = match (key_file, key_command.is_empty()) {
            (Some(file), _) => Source::File(file),
            (None, false) => Source::Program(Arc::new(move || ask_program(&key_command, b""))),
            (None, true) => Source::File(self.path.join("config.key")),
        };
        Self { seals: Seals::new(source, old_key_file), ..self }
    }

    /// Where anchors of its log go besides it.
    pub(crate) fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database in it.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("pipit.db")
    }

    /// Makes it a home for development. One that is in use for real cannot become one.
    pub(crate) fn develop(&self) -> Result<(), String> {
        if self.is_for_development() {
            return Ok(());
        }
        if self.path.join("pipit.db").exists() {
            return Err(format!(
                "the home {} is in use and cannot become one for development; name another: --home DIR",
                self.path.display()
            ));
        }
        fs::write(self.path.join(DEVELOPMENT), "").map_err(|error| format!("the home cannot be written: {error}"))
    }

    /// Whether it was made for development.
    pub(crate) fn is_for_development(&self) -> bool {
        self.path.join(DEVELOPMENT).exists()
    }

    /// Opens the shell.
    pub(crate) fn open(&self) -> Result<Engine, String> {
        let store = Store::open(self.database()).map_err(|error| error.to_string())?;
        let audit = Audit::start(&store, &self.path, &self.outside).map_err(|error| error.to_string())?;
        let (net, seals) = (Net::new(self.reach.clone()), self.seals.clone());
        let engine = Engine::open(&self.path, store, audit, seals, net, self.sources.clone());
        let engine = engine.map_err(|error| error.to_string())?;
        engine.tell_in(self.notices.clone());
        Ok(engine)
    }
}

fn default() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("PIPIT_HOME")
        .or_else(|| set("XDG_DATA_HOME").filter(|path| path.is_absolute()).map(|path| path.join("pipit")))
        .or_else(|| set("HOME").map(|path| path.join(".local/share/pipit")))
}
