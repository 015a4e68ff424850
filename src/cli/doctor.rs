//! `pipit doctor`: what is missing, and what to do about it.

use std::path::Path;
use std::process::ExitCode;

use super::{Home, show};
use crate::bundle::Level;
use crate::config::Config;

/// Looks at everything that a start needs. Ends with 0 when nothing is missing.
pub(super) fn doctor(home: Result<Home, String>, config: Result<Config, String>) -> ExitCode {
    let mut good = true;
    let mut told = |what: &str, found: Result<String, String>| match found {
        Ok(found) => show(&format_args!("well     {what}: {found}")),
        Err(missing) => {
            good = false;
            show(&format_args!("missing  {what}: {missing}"));
        }
    };
    match home {
        Ok(home) => {
            told("home", Ok(home.path().display().to_string()));
            match found(&home) {
                Ok(Found { broken, levels }) => {
                    told("database and audit log", Ok("open and sealed".into()));
                    for (name, error) in broken {
                        told(&format!("bundle {name}"), Err(error));
                    }
                    for Level { name, state, usual } in levels {
                        match state {
                            // bundles that ask for more than the usual are denied, and all others run
                            Err(missing) if !usual => show(&format_args!("without  sandbox {name}: {missing}")),
                            state => told(&format!("sandbox {name}"), state),
                        }
                    }
                }
                Err(error) => told("database and audit log", Err(error)),
            }
        }
        Err(error) => told("home", Err(error)),
    }
    match config {
        Ok(config) if config.chat.is_empty() => {
            told("configuration", Ok("no chat service is named; pipit shell and pipit run work without".into()));
        }
        Ok(config) => {
            for entry in &config.chat {
                let found = entry.files().into_iter().find_map(|file| unreadable(file).err());
                told(&format!("chat {}", entry.name()), found.map_or_else(|| Ok("its files can be read".into()), Err));
            }
        }
        Err(error) => told("configuration", Err(error)),
    }
    if good { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

struct Found {
    /// The enabled bundles that cannot run, and why.
    broken: Vec<(String, String)>,
    levels: Vec<Level>,
}

/// Opens the shell and looks around in it.
fn found(home: &Home) -> Result<Found, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(async {
        let engine = home.open()?;
        engine.check().map_err(|error| error.to_string())?;
        let broken = engine.broken_bundles().map_err(|error| error.to_string())?;
        let broken = broken.into_iter().map(|(name, error)| (name, error.to_string())).collect();
        let levels = engine.levels().await.map_err(|error| error.to_string())?;
        Ok(Found { broken, levels })
    })
}

fn unreadable(file: &Path) -> Result<(), String> {
    std::fs::File::open(file).map(drop).map_err(|error| format!("{}: {error}", file.display()))
}
