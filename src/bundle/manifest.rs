//! What a bundle says of itself, after it was checked: the one form that the rest of the shell sees, whichever format
//! the file was in.
//!
//! Deliberately absent: reading (`check.rs`) and running (`process.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use ecow::EcoString;
use pipit_commands::{Effect, Example, Fill, Kind};
use pipit_grammar::usage::Usage;
use serde::{Deserialize, Serialize};

use super::argv::Template;
use crate::render;

/// A bundle that was checked.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// Its name, the namespace of its commands and permissions.
    pub name: EcoString,
    /// Its version, semver.
    pub version: EcoString,
    /// A sentence.
    pub description: EcoString,
    /// Its permissions without its name: `read` for `aws:read`.
    pub permissions: Vec<EcoString>,
    /// What a site can set.
    pub config: Vec<Setting>,
    /// What it takes of the machine.
    pub needs: Needs,
    /// Its commands, in the order of the file.
    pub commands: Vec<Entry>,
    /// Its templates by name.
    pub templates: BTreeMap<EcoString, render::Template>,
    /// Whose format it is in, which is also the protocol that its programs speak.
    pub format: Format,
}

/// Whose format a manifest is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Our own.
    Own,
    /// Cog's.
    Cog {
        /// Its `cog_bundle_version`.
        version: i64,
        /// The image that its programs were published in, `name:tag`.
        image: Option<EcoString>,
        /// What whoever sets its settings should know.
        notes: Option<EcoString>,
    },
}

/// Parts of names that speak of a secret. Cog's manifests do not say what is one.
const SECRET: [&str; 11] =
    ["KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "AUTH", "PRIVATE", "CERT", "SALT", "WEBHOOK"];

impl Manifest {
    /// What is known of a setting. A program of Cog's may read what its manifest does not name.
    pub(crate) fn setting(&self, name: &str) -> Option<Setting> {
        let named = self.config.iter().find(|setting| setting.name == name).cloned();
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let free = self.format != Format::Own
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(fine)
            && !COG_KEEPS.iter().any(|own| name.starts_with(own));
        named.or_else(|| free.then(|| Setting::unsaid(name, "")))
    }
}

/// The beginnings of variables that are the shell's own where a program speaks Cog's protocol.
pub(super) const COG_KEEPS: [&str; 3] = ["COG_", "RELAY_", "PIPIT_"];

impl Setting {
    /// One of a manifest that does not say what is secret: its name tells.
    pub(super) fn unsaid(name: &str, about: &str) -> Self {
        let secret = SECRET.iter().any(|part| name.to_ascii_uppercase().contains(part));
        Self { name: name.into(), secret, required: false, default: None, about: about.into() }
    }
}

/// A value that a site sets; programs find it in their environment under its name.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The name of the variable.
    pub name: EcoString,
    /// Whether it is sealed at rest and never printed.
    pub secret: bool,
    /// Whether no command runs without it.
    pub required: bool,
    /// What it is when nobody sets it.
    pub default: Option<EcoString>,
    /// What it is for.
    pub about: EcoString,
}

/// What a bundle takes of the machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs {
    /// Programs by name, looked up when the bundle is enabled.
    pub programs: Vec<EcoString>,
    /// Where it connects to: `host:port`, `*.` in front for all below.
    pub network: Vec<EcoString>,
    /// Paths beyond its private folder that it writes to.
    pub write: Vec<EcoString>,
    /// How tightly it is held.
    pub sandbox: Sandbox,
}

/// How tightly a program is held, from the least on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sandbox {
    /// Clean environment, limits, an end that ends all.
    Basic,
    /// And files and system calls are restricted.
    #[default]
    Restrict,
    /// And namespaces of its own, no network but what was asked for.
    Isolate,
    /// And quotas.
    Quota,
}

impl Sandbox {
    /// By its name in manifests.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Basic, Self::Restrict, Self::Isolate, Self::Quota].into_iter().find(|one| one.name() == name)
    }

    /// As manifests write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Restrict => "restrict",
            Self::Isolate => "isolate",
            Self::Quota => "quota",
        }
    }
}

/// A command of a bundle.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its name within the bundle.
    pub name: EcoString,
    /// A sentence of help.
    pub about: EcoString,
    /// What there is to say beside it, for whoever asks about the command alone; often nothing.
    pub details: EcoString,
    /// What it takes.
    pub usage: Usage,
    /// The types of parameters and options' values.
    pub kinds: Vec<(EcoString, Kind)>,
    /// The parameter that an incoming value fills.
    pub fills: Option<Fill>,
    /// The program and its arguments.
    pub run: Run,
    /// How it meets its input.
    pub input: Input,
    /// How its standard output is read.
    pub output: Output,
    /// What it may do to the world.
    pub effect: Effect,
    /// How long it may run.
    pub timeout: Duration,
    /// How many of its processes are kept for the next calls; none when each call has one of its own.
    pub warm: usize,
    /// The template that shows its values.
    pub template: Option<EcoString>,
    /// What its program finds in its environment beside the rest.
    pub environment: Vec<(EcoString, EcoString)>,
    /// The access rules, whole and canonical.
    pub rules: Vec<EcoString>,
    /// Lines that show it at work.
    pub examples: Vec<Example>,
}

/// A program and the pattern of its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// What is started.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<Template>,
}

/// What is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// A file of the bundle, as a path without `./`, inside the folder.
    Own(EcoString),
    /// One of `needs.programs`.
    Needed(EcoString),
    /// A program that speaks Cog's protocol, by the path that it had in its image (`cog.rs` says where it is here).
    Cog(EcoString),
}

/// How a program meets its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Input {
    /// Once for each value, and once without an input stage.
    #[default]
    Each,
    /// Once, over all values as they come.
    Stream,
}

/// How standard output is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Output {
    /// JSON a line when the first byte is `{` or `[`, else lines.
    #[default]
    Sniff,
    /// One JSON value.
    Json,
    /// One JSON value, and the values that a JSON path finds in it.
    JsonPath(EcoString),
    /// A JSON value a line.
    JsonLines,
    /// A text a line.
    Lines,
    /// One text.
    Text,
    /// A record for each row, named by the first.
    Csv,
}
