//! Bundles that are being worked on (`--dev FOLDER`): they are enabled in this process alone, for as long as it lives, and
//! go before those of their name that are installed. Whoever starts the process has said so, and their rules hold as ever.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use pipit_commands::{Command, Error};

use super::plan::Plan;
use super::world::World;
use super::{Engine, unavailable};
use crate::bundle::config;
use crate::bundle::develop::{Around, Develop, Looked};

/// A bundle that is being worked on, as it stands in a world.
#[derive(Clone, Debug)]
pub(crate) struct Developed {
    pub(crate) manifest: crate::bundle::Manifest,
    pub(crate) folder: PathBuf,
    /// What is wrong with its folder now; the content of before runs.
    pub(crate) fault: Option<Error>,
}

impl Engine {
    /// Enables the bundles of these folders in this process; once. An error when one has faults.
    pub(crate) fn develop(&self, folders: &[PathBuf]) -> Result<(), Error> {
        let folders = folders.iter().cloned().map(Develop::new).collect();
        // a second call changes nothing, as with the outlet
        let _ = self.0.bundles.develops.set(folders);
        match self.look_again()?.into_iter().find_map(Result::err) {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// Whether folders are being worked on.
    pub(crate) fn develops(&self) -> bool {
        !self.0.bundles.developing().is_empty()
    }

    /// Looks at the folders that are being worked on, and says what has changed. Reads files on the caller's thread.
    pub(crate) fn look_again(&self) -> Result<Vec<Result<String, Error>>, Error> {
        let develops = self.0.bundles.developing();
        if develops.is_empty() {
            return Ok(Vec::new());
        }
        self.0.bundles.runner(&self.0.home)?;
        let (runs, path) = (self.0.home.join("runs"), std::env::var_os("PATH").unwrap_or_default());
        let commands: Vec<Command> = self.world()?.catalogue.all().to_vec();
        let settings = |manifest: &_| config::settings(&self.0.store, &self.0.seals, manifest);
        let least = self.0.sources.least(false);
        let around = Around { runs: &runs, path: &path, least, commands: &commands, settings: &settings };
        let mut said = Vec::new();
        for develop in develops {
            let folder = develop.folder().display();
            match develop.look(&around) {
                Looked::Same => {}
                Looked::New => {
                    let named = develop.good().map(|ready| {
                        let commands: Vec<&str> =
                            ready.manifest.commands.iter().map(|entry| entry.name.as_str()).collect();
                        format!("{} {}: {}", ready.manifest.name, ready.manifest.version, commands.join(", "))
                    });
                    said.push(Ok(format!("{folder} is enabled for this process: {}", named.unwrap_or_default())));
                }
                Looked::Faulty(error) => {
                    let goes_on = if develop.good().is_some() { "; what was there before goes on" } else { "" };
                    let whole = Error::failed(format!("{folder}: {}{goes_on}", error.message()));
                    said.push(Err(match error.help_text() {
                        Some(help) => whole.help(help),
                        None => whole,
                    }));
                }
            }
        }
        if !said.is_empty() {
            let fresh =
                World::load(&self.0.home, &self.0.store, &self.0.seals, &self.0.bundles).map_err(unavailable)?;
            *self.0.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        }
        Ok(said)
    }
}

impl World {
    /// What is wrong with the folders of bundles that a line uses.
    pub(super) fn faults(&self, plan: &Plan) -> Vec<String> {
        let mut faults = Vec::new();
        for developed in &self.developed {
            let Some(fault) = &developed.fault else { continue };
            let mut used = false;
            plan.each_command(&mut |_, stated| used |= stated.command.spec().bundle == developed.manifest.name);
            if used {
                let (name, why) = (&developed.manifest.name, fault.message().lines().collect::<Vec<_>>().join(" "));
                faults.push(format!("{name} runs as it was before its last change: {why}"));
            }
        }
        faults
    }
}
