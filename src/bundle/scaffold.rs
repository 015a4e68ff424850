//! A bundle to begin with, in a language: a manifest, a program, the helper that speaks the protocol, a session that tests it.
//!
//! Deliberately absent: anything that a bundle would have to keep.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What a new bundle is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// POSIX shell.
    Shell,
    /// Python 3.
    Python,
    /// JavaScript, for Node.js.
    Javascript,
    /// Ruby.
    Ruby,
}

impl Language {
    /// The program: its file's ending, what it needs beside itself, and its text.
    fn program(self) -> (&'static str, Option<&'static str>, &'static str) {
        match self {
            Self::Shell => ("sh", None, include_str!("scaffold/hello.sh")),
            Self::Python => ("py", Some("python3"), include_str!("scaffold/hello.py")),
            Self::Javascript => ("js", Some("node"), include_str!("scaffold/hello.js")),
            Self::Ruby => ("rb", Some("ruby"), include_str!("scaffold/hello.rb")),
        }
    }

    /// What speaks the protocol for the program, a file beside it.
    fn helper(self) -> &'static str {
        match self {
            Self::Shell => include_str!("../../bundles/helpers/pipit.sh"),
            Self::Python => include_str!("../../bundles/helpers/pipit.py"),
            Self::Javascript => include_str!("../../bundles/helpers/pipit.js"),
            Self::Ruby => include_str!("../../bundles/helpers/pipit.rb"),
        }
    }
}

/// Makes the folder of a new bundle, which must not be there yet; gives the files that it wrote.
pub(crate) fn make(folder: &Path, name: &str, language: Language) -> Result<Vec<String>, String> {
    let (ending, needs, program) = language.program();
    // the helper has the name pipit, which no bundle may have
    let own = format!("{name}.{ending}");
    let needs = needs.map(|program| format!("needs: {{programs: [{program}]}}\n")).unwrap_or_default();
    let fill = |text: &str| text.replace("{name}", name).replace("{program}", &own).replace("{needs}", &needs);
    let manifest = fill(include_str!("scaffold/bundle.yaml"));
    if let Err(faults) = super::check(&manifest) {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        return Err(format!("{name} cannot be a bundle: {}", faults.join("; ")));
    }
    let odd = |error: std::io::Error| format!("{} cannot be made: {error}", folder.display());
    fs::create_dir(folder).map_err(odd)?;
    fs::create_dir(folder.join("tests")).map_err(odd)?;
    let files = [
        ("bundle.yaml".to_owned(), manifest, 0o644),
        (own.clone(), program.to_owned(), 0o755),
        (format!("pipit.{ending}"), language.helper().to_owned(), 0o644),
        (format!("tests/{name}.txt"), fill(include_str!("scaffold/session.txt")), 0o644),
        ("README.md".to_owned(), fill(include_str!("scaffold/README.md")), 0o644),
    ];
    for (file, text, mode) in &files {
        fs::write(folder.join(file), text).map_err(odd)?;
        fs::set_permissions(folder.join(file), fs::Permissions::from_mode(*mode)).map_err(odd)?;
    }
    Ok(files.into_iter().map(|(file, _, _)| file).collect())
}
