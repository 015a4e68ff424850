//! The commands of the binary.
//!
//! Deliberately absent: what a line means. Every line goes to the engine, as from everywhere else.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod audit;
mod bundle;
mod check;
mod complete;
mod doctor;
mod expect;
mod home;
mod keyboard;
mod line;
mod rules;
mod secret;
mod serve;
mod session;
mod shell;
mod shown;
mod stdin;
mod test;
mod tree;
mod words;

pub(crate) use home::Home;

use crate::bundle::scaffold::Language;
use crate::config::Config;
use crate::engine::Engine;
use crate::scrub;

/// Pipit: the communal command line. A team types piped commands in its chat; everybody sees what was asked and what
/// came back, and nobody can run what they may not.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    /// The folder with the database, the bundles and the keys; made when it is not there
    /// [default: `PIPIT_HOME` of the environment, else pipit in the XDG data folder]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// The configuration [default: pipit.toml in the home, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one line and show what came of it
    ///
    /// Exit codes: 0 well, 1 a command failed, 2 refused before anything ran, 3 denied, 4 parked, 5 the shell is not
    /// available.
    Run {
        /// Run it as this user; the log says that the operator did
        #[arg(long = "as", value_name = "USER")]
        user: Option<String>,
        /// Run it as if it was typed in this room; without one it counts as a direct message
        #[arg(long, value_name = "ROOM")]
        room: Option<String>,
        /// Show each value as one compact JSON line, as soon as it is there
        #[arg(long)]
        json: bool,
        /// Write the pictures and files that commands make, such as the PNG of `chart`, into this folder
        #[arg(long, value_name = "DIR")]
        files: Option<PathBuf>,
        /// Let standard input flow into the first stage, line by line as text
        #[arg(long)]
        stdin: bool,
        /// With --stdin: standard input is one text, as `parse json`, `parse yaml` and `parse csv` want it
        #[arg(long, requires = "stdin")]
        whole: bool,
        /// Enable the bundle in this folder for this line; several times for several
        #[arg(long = "dev", value_name = "BUNDLE")]
        develop: Vec<PathBuf>,
        /// The line; several words are joined by blanks
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        line: Vec<String>,
    },
    /// A shell in the terminal; without one it reads lines from standard input
    Shell {
        /// Make the home one for development, where /as USER and /in ROOM play other people in other rooms; with a folder
        /// enable the bundle in it, and read it again when its files change
        #[arg(long = "dev", value_name = "BUNDLE", num_args = 0..=1)]
        development: Option<Vec<PathBuf>>,
    },
    /// Be on the chat services that the configuration names, until told to stop
    Serve {
        /// Enable the bundle in this folder, and read it again when its files change; several times for several
        #[arg(long = "dev", value_name = "BUNDLE")]
        develop: Vec<PathBuf>,
    },
    /// Tell what is missing
    Doctor,
    /// Show how a line is understood: its canonical form
    Parse {
        /// Show the tree as JSON instead
        #[arg(long)]
        json: bool,
        /// The line; several words are joined by blanks
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        line: Vec<String>,
    },
    /// Say what could stand in a line where somebody is typing
    ///
    /// A choice a line: what it is written as, a tab, and what it is. It takes the place of the word at the cursor. Only
    /// what the caller may run and see is offered, and nothing runs.
    Complete {
        /// The line as far as it is typed
        #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
        line: String,
        /// Where the cursor stands, in bytes of the UTF-8 of the line [default: at its end]
        #[arg(long, value_name = "BYTE")]
        cursor: Option<usize>,
        /// For this user; without one for the operator
        #[arg(long = "as", value_name = "USER")]
        user: Option<String>,
        /// As if it was typed in this room; without one in a direct message
        #[arg(long, value_name = "ROOM")]
        room: Option<String>,
        /// Show a JSON object: start and end of what is replaced, in bytes, and the choices with text, about and kind
        #[arg(long)]
        json: bool,
    },
    /// Play sessions: files that say who types what and what is answered
    ///
    /// Each file is played in a home of its own, which is thrown away; those who speak in it are made users. Pages of
    /// Markdown are played by their blocks marked pipit-session. Exit codes: 0 answered as written, 1 otherwise, 2 no
    /// session.
    Test {
        /// Write the answers into the files as they came
        #[arg(long)]
        bless: bool,
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Look at the audit log without a shell, also when the shell does not start
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Set the secrets of bundles: values are asked for here, or read from standard input
    #[command(subcommand)]
    Secret(secret::Command),
    /// Look at access rules without a shell
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Make, check and test bundles; other verbs are lines: `pipit bundle enable aws` is `pipit run bundle enable aws`
    #[command(subcommand)]
    Bundle(BundleCommand),
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Check that nothing in the log was altered, removed or reordered; ends with 1 when something was
    Verify {
        /// Compare the log with this file of anchors [default: `anchor-file` of the configuration]
        #[arg(long, value_name = "FILE")]
        anchors: Option<PathBuf>,
    },
    /// Go on though the end of the log is lost, or nothing proves any more that it is not; this is written down
    AcceptLoss {
        /// What happened
        #[arg(required = true)]
        reason: String,
    },
    /// Run `audit list`, `show`, `search`, `export`, `timeline` or `erase`, as a line of the operator's; --json for values
    #[command(external_subcommand)]
    Line(Vec<String>),
}

#[derive(Subcommand)]
enum RuleCommand {
    /// Show the canonical form of a rule, or what is wrong with it
    Check {
        /// The rule; several words are joined by blanks
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        rule: Vec<String>,
    },
    /// Check who may run what against a file of expectations; ends with 1 when one does not hold
    ///
    /// Each line is `WHO [in #ROOM] may: LINE`, `… may not: LINE` or `… waits: LINE`; `operator` and `stranger` are people
    /// too. Nothing runs.
    Test {
        /// The expectations
        file: PathBuf,
    },
    /// Decide cases from standard input, a JSON object a line: {"id","rules","call","permissions"}
    Eval,
    /// Show the rules of the site, whatever they say
    List,
    /// Delete a rule of the site, whatever the rules say: for when one shuts everybody out; this is written down
    Delete {
        /// Its id, as `pipit rule list` shows it
        id: String,
    },
}

#[derive(Subcommand)]
enum BundleCommand {
    /// Check a manifest: every fault with its place
    Check {
        /// The manifest, or the folder with it
        file: PathBuf,
    },
    /// Make a bundle to begin with: a manifest, a program, a session that tests it
    New {
        /// The language of its program
        #[arg(long, value_enum, default_value_t = Language::Python)]
        lang: Language,
        /// Its name
        name: String,
        /// The folder to make [default: one with its name]
        folder: Option<PathBuf>,
    },
    /// Run a bundle's examples and the sessions in its folder `tests`, in a home that is thrown away
    ///
    /// Examples of a bundle that reaches out or changes something are only read and judged.
    Test {
        /// Write the answers into the sessions as they came
        #[arg(long)]
        bless: bool,
        /// The folders
        #[arg(required = true, value_name = "FOLDER")]
        folders: Vec<PathBuf>,
    },
    #[command(external_subcommand)]
    Verb(Vec<OsString>),
}

/// Does what the command line asks.
pub(crate) fn main() -> ExitCode {
    keep_memory_in();
    let cli = Cli::parse();
    match &cli.command {
        Command::Run { user, room, json, files, stdin, whole, develop, line } => {
            let ask = line::Ask {
                user: user.clone(),
                room: room.clone(),
                json: *json,
                files: files.clone(),
                input: line::Input::of(*stdin, *whole),
                develop: develop.clone(),
                line: line.join(" "),
            };
            with(&cli, |home, _| line::run(home, ask))
        }
        Command::Shell { development } => with(&cli, |home, _| shell::shell(home, development.as_deref())),
        Command::Serve { develop } => with(&cli, |home, config| serve::serve(home, config, develop)),
        Command::Doctor => {
            let home = Home::find(cli.home.as_deref());
            let config = home.as_ref().map_err(Clone::clone).and_then(|home| config(&cli, home));
            doctor::doctor(home, config)
        }
        Command::Complete { line, cursor, user, room, json } => {
            with(&cli, |home, _| complete::complete(home, line, *cursor, user.as_deref(), room.as_deref(), *json))
        }
        Command::Test { bless, files } => {
            match cli.config.as_deref().map_or_else(|| Ok(Config::default()), Config::read) {
                Ok(config) => test::files(files, &[], *bless, &config.net),
                Err(error) => fail(2, &error),
            }
        }
        Command::Parse { json, line } => check::parse(&line.join(" "), *json),
        Command::Audit(AuditCommand::Verify { anchors }) => {
            with(&cli, |home, _| audit::verify(home, anchors.as_deref()))
        }
        Command::Audit(AuditCommand::Line(words)) => with(&cli, |home, _| audit::line(home, words)),
        Command::Audit(AuditCommand::AcceptLoss { reason }) => with(&cli, |home, _| audit::accept_loss(home, reason)),
        Command::Secret(command) => with(&cli, |home, _| secret::run(home, command)),
        Command::Rule(RuleCommand::Check { rule }) => check::rule(&rule.join(" ")),
        Command::Rule(RuleCommand::Test { file }) => with(&cli, |home, _| expect::test(home, file)),
        Command::Rule(RuleCommand::Eval) => check::eval(),
        Command::Rule(RuleCommand::List) => with(&cli, |home, _| rules::list(home)),
        Command::Rule(RuleCommand::Delete { id }) => with(&cli, |home, _| rules::delete(home, id)),
        Command::Bundle(BundleCommand::Check { file }) => check::bundle(file),
        Command::Bundle(BundleCommand::New { lang, name, folder }) => bundle::new(name, *lang, folder.as_deref()),
        Command::Bundle(BundleCommand::Test { bless, folders }) => {
            with(&cli, |_, config| bundle::test(folders, *bless, &config.net))
        }
        Command::Bundle(BundleCommand::Verb(words)) => {
            let line = bundle::line(words);
            let input = line::Input::of(false, false);
            let ask = line::Ask { user: None, room: None, json: false, files: None, input, develop: Vec::new(), line };
            with(&cli, |home, _| line::run(home, ask))
        }
    }
}

/// What the shell keeps in memory is written to no core file and read by no other process of the same user; what it says
/// when a part of it breaks holds no secret.
fn keep_memory_in() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let kept = setrlimit(Resource::Core, none).and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable));
    if let Err(error) = kept {
        tell(&format_args!("pipit: its memory cannot be kept from core files: {error}"));
    }
    std::panic::set_hook(Box::new(|fault| tell(&format_args!("pipit: a fault within: {fault}"))));
}

/// Does something in the home and by the configuration.
fn with(cli: &Cli, f: impl FnOnce(&Home, Config) -> ExitCode) -> ExitCode {
    let home = match Home::find(cli.home.as_deref()) {
        Ok(home) => home,
        Err(error) => return fail(5, &error),
    };
    match config(cli, &home) {
        Ok(config) => {
            let home = home.reaching(config.net.clone()).anchoring(&config.audit).sealing(&config.secrets);
            let home = home.telling(config.notices.clone());
            f(&home.sourcing(config.bundles.clone()), config)
        }
        Err(error) => fail(2, &error),
    }
}

/// The configuration that was named, or that of the home, or none.
fn config(cli: &Cli, home: &Home) -> Result<Config, String> {
    let usual = home.path().join("pipit.toml");
    match &cli.config {
        Some(file) => Config::read(file),
        None if usual.exists() => Config::read(&usual),
        None => Ok(Config::default()),
    }
}

/// Does something with the engine of a home, on this thread.
fn with_engine(home: &Home, work: impl AsyncFnOnce(Engine) -> ExitCode) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(5, &format!("the runtime does not start: {error}")),
    };
    runtime.block_on(async {
        match home.open() {
            Ok(engine) => work(engine).await,
            Err(error) => fail(5, &error),
        }
    })
}

/// Says what went wrong and ends with a code.
fn fail(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    tell(&format_args!("pipit: {error}"));
    ExitCode::from(code)
}

/// Writes a line on standard error. Whoever closed it does not want to know, and a shell does not end for that.
fn tell(text: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{}", scrub::owned(text.to_string()));
}

/// The same on standard output, which is for whoever typed the line.
fn show(text: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{}", scrub::told_text(text.to_string()));
}
