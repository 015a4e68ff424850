//! The enabled bundles as commands of the world: read once for each content, and kept while they are enabled.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use ecow::EcoString;
use pipit_commands::{Command, Error};

use super::Engine;
use super::develop::Developed;
use crate::bundle::develop::Develop;
use crate::bundle::install::Enabled;
use crate::bundle::{self, Dial, Ready, Runner, Sources, config, install};
use crate::net::Reach;
use crate::render::Template;
use crate::seal::Seals;
use crate::store::Store;

/// What bundles need to run, for as long as the shell lives.
pub(super) struct Bundles {
    /// How what a program wants to talk to is connected.
    dial: Dial,
    /// For how tightly they are held at least.
    sources: Sources,
    runner: OnceLock<Arc<Runner>>,
    /// By name, with what was enabled when it was read.
    ready: Mutex<HashMap<String, (Enabled, Arc<Ready>)>>,
    /// Those that could not be read when it was last looked, and why: each is told of once.
    broken: Mutex<HashMap<String, String>>,
    /// Folders that are being worked on.
    pub(super) develops: OnceLock<Vec<Develop>>,
}

/// The bundles of one moment.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) commands: Vec<Command>,
    /// Templates by `bundle:name`.
    pub(super) templates: HashMap<EcoString, Template>,
    /// The template of a command, by its exact name, as `bundle:name`.
    pub(super) shown_by: HashMap<EcoString, EcoString>,
    /// Bundles that are enabled and cannot run, and why.
    pub(super) broken: Vec<(String, Error)>,
    /// The permissions that they bring, whole.
    pub(super) permissions: Vec<EcoString>,
    /// Those that are being worked on.
    pub(super) developed: Vec<Developed>,
}

impl Engine {
    /// How tightly programs of bundles can be held on this machine.
    pub(crate) async fn levels(&self) -> Result<Vec<bundle::Level>, Error> {
        Ok(self.0.bundles.runner(&self.0.home)?.levels().await.to_vec())
    }
}

impl Bundles {
    /// With what the site lets programs of bundles reach by the shell.
    pub(super) fn new(reach: &Reach, sources: Sources) -> Self {
        let reach = Arc::new(reach.clone());
        let dial: Dial = Arc::new(move |host, port| {
            let reach = Arc::clone(&reach);
            Box::pin(async move { reach.connect(&host, port).await })
        });
        Self {
            dial,
            sources,
            runner: OnceLock::default(),
            ready: Mutex::default(),
            broken: Mutex::default(),
            develops: OnceLock::new(),
        }
    }

    /// The one that starts programs; made when the first program is needed.
    pub(super) fn runner(&self, home: &Path) -> Result<Arc<Runner>, Error> {
        if let Some(runner) = self.runner.get() {
            return Ok(Arc::clone(runner));
        }
        let failed = |error: std::io::Error| Error::failed(format!("programs cannot be started: {error}"));
        let own = std::env::current_exe().map_err(failed)?;
        let made = Runner::new(own, home, Arc::clone(&self.dial)).map_err(failed)?;
        Ok(Arc::clone(self.runner.get_or_init(|| made)))
    }

    /// Waits until all programs that were started have ended.
    pub(super) async fn settle(&self) {
        if let Some(runner) = self.runner.get() {
            runner.settle().await;
        }
    }

    /// The enabled bundles. One that cannot be read is left out and told of; the others run all the same.
    pub(super) fn load(&self, home: &Path, store: &Store, seals: &Seals) -> Result<Loaded, Error> {
        config::keep_secrets(store, seals)?;
        let mut loaded = Loaded::default();
        let mut kept = HashMap::new();
        for develop in self.developing() {
            let Some(ready) = develop.good() else { continue };
            loaded.take(&ready, &self.runner(home)?);
            let (manifest, folder) = (ready.manifest.clone(), develop.folder().to_owned());
            loaded.developed.push(Developed { manifest, folder, fault: develop.fault() });
        }
        for (name, enabled) in install::enabled(store)? {
            if loaded.developed.iter().any(|developed| developed.manifest.name == name) {
                continue;
            }
            let known = self.ready().get(&name).filter(|(of, _)| *of == enabled).map(|(_, ready)| Arc::clone(ready));
            let ready = match known {
                Some(ready) => Ok(ready),
                None => install::is_signed(store, &name, &enabled.version).and_then(|signed| {
                    let least = self.sources.least(signed);
                    install::load(home, &name, &enabled, least, |manifest| config::settings(store, seals, manifest))
                }),
            };
            match ready {
                Ok(ready) => {
                    loaded.take(&ready, &self.runner(home)?);
                    kept.insert(name, (enabled, ready));
                }
                Err(error) => loaded.broken.push((name, error)),
            }
        }
        *self.ready() = kept;
        let broken = loaded.broken.iter().map(|(name, error)| (name.clone(), error.to_string())).collect();
        let before = std::mem::replace(&mut *self.broken.lock().unwrap_or_else(PoisonError::into_inner), broken);
        for (name, error) in &loaded.broken {
            let why = error.to_string();
            if before.get(name) != Some(&why) {
                tracing::error!(bundle = name, "an enabled bundle is left out: {why}");
            }
        }
        Ok(loaded)
    }

    /// The folders that are being worked on.
    pub(super) fn developing(&self) -> &[Develop] {
        self.develops.get().map(Vec::as_slice).unwrap_or_default()
    }

    fn ready(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Enabled, Arc<Ready>)>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loaded {
    fn take(&mut self, ready: &Arc<Ready>, runner: &Arc<Runner>) {
        let manifest = &ready.manifest;
        let name = &manifest.name;
        self.commands.extend(bundle::commands(ready, runner));
        self.permissions.extend(manifest.permissions.iter().map(|short| EcoString::from(format!("{name}:{short}"))));
        for (template, shown) in &manifest.templates {
            self.templates.insert(format!("{name}:{template}").into(), shown.clone());
        }
        for entry in &manifest.commands {
            if let Some(template) = &entry.template {
                self.shown_by.insert(format!("{name}:{}", entry.name).into(), format!("{name}:{template}").into());
            }
        }
    }
}
