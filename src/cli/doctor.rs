//! `pipit doctor`: what is missing, and what to do about it.

use std::path::Path;
use std::process::ExitCode;

use super::Home;
use crate::config::Config;

/// Looks at everything that a start needs. Ends with 0 when nothing is missing.
pub(super) fn doctor(home: Result<Home, String>, config: Result<Config, String>) -> ExitCode {
    let mut good = true;
    let mut told = |what: &str, found: Result<String, String>| match found {
        Ok(found) => println!("well     {what}: {found}"),
        Err(missing) => {
            good = false;
            println!("missing  {what}: {missing}");
        }
    };
    match home {
        Ok(home) => {
            told("home", Ok(home.path().display().to_string()));
            let opened = home.open();
            told("database and audit log", opened.as_ref().map(|_| "open and sealed".into()).map_err(Clone::clone));
            if let Ok(engine) = opened {
                let bundles = crate::bundle::doctor(engine.store());
                for (name, found) in bundles {
                    told(&format!("bundle {name}"), found);
                }
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

fn unreadable(file: &Path) -> Result<(), String> {
    std::fs::File::open(file).map(drop).map_err(|error| format!("{}: {error}", file.display()))
}
