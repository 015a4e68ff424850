//! What the compiler cannot see of the house: which room may name which, what may happen in one place only, how long a
//! file is and what it is called. Every detector is tried on small texts first, so that a rule that has gone blind fails
//! here and not in silence.
//!
//! Deliberately absent: style, which is rustfmt's and clippy's.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::path::{Path, PathBuf};

#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use source::Source;

/// The longest file, in lines: one that is longer is two.
const LONGEST: usize = 500;
/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 10] =
    ["util", "utils", "common", "helper", "helpers", "manager", "mod", "prelude", "misc", "shared_types"];
/// Roots of the crates, which forbid what the whole house forbids.
const ROOTS: [&str; 3] = ["src/main.rs", "commands/src/lib.rs", "grammar/src/lib.rs"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder with one of the endings, relative to the root; none of what is built.
fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | ".git" | "node_modules" | "corpus" | "artifacts") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|ending| endings.iter().any(|other| ending == *other)) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// All Rust files of the project.
fn sources() -> Vec<Source> {
    let all: Vec<Source> = ["src", "commands", "grammar", "tests", "benches", "fuzz"]
        .iter()
        .flat_map(|folder| files(folder, &["rs"]))
        .map(|path| {
            let text = std::fs::read_to_string(root().join(&path)).unwrap();
            Source::new(path, text)
        })
        .collect();
    assert!(all.len() > 100, "only {} files were found", all.len());
    all
}

/// The files of the product: neither tests nor benches nor fuzzing.
fn product() -> Vec<Source> {
    sources().into_iter().filter(|source| !source.is_test()).collect()
}

/// Fails with all that was found.
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn a_room_names_only_rooms_below_it() {
    let wrong: Vec<String> = product().iter().flat_map(floors::wrong).collect();
    none("a room names one that is not below it (see docs/house.md)", &wrong);
}

#[test]
fn the_crates_stand_on_each_other_in_order() {
    let dependencies = |manifest: &str| std::fs::read_to_string(root().join(manifest)).unwrap();
    let grammar = dependencies("grammar/Cargo.toml");
    assert!(!grammar.contains("pipit-commands"), "the grammar knows no command");
    assert!(!grammar.contains("tokio") && !grammar.contains("async"), "the grammar waits for nothing");
    let commands = dependencies("commands/Cargo.toml");
    let commands = commands.split("[dev-dependencies]").next().unwrap();
    for absent in ["tokio", "rusqlite", "rustls", "reqwest", "getrandom"] {
        assert!(!commands.contains(absent), "the commands have no disk, no network, no chance of their own: {absent}");
    }
}

#[test]
fn what_happens_in_one_place_only() {
    let product = product();
    for single in words::SINGLE {
        let places: Vec<String> = product.iter().flat_map(|source| single.places(source)).collect();
        let outside: Vec<String> =
            places.iter().filter(|place| !single.within.iter().any(|room| place.starts_with(room))).cloned().collect();
        none(single.what, &outside);
        if let Some(count) = single.count {
            assert_eq!(places.len(), count, "{}: {places:?}", single.what);
        }
    }
}

#[test]
fn a_chat_service_is_named_in_its_own_files_only() {
    let services: Vec<String> = files("src/chat", &["rs"])
        .iter()
        .filter_map(|path| {
            let name = Path::new(path).file_stem()?.to_str()?;
            let text = std::fs::read_to_string(root().join(path)).unwrap();
            (path.matches('/').count() == 2 && words::is_a_chat_service(&text)).then(|| name.to_owned())
        })
        .collect();
    assert!(services.contains(&"irc".to_owned()), "no chat service was found: {services:?}");
    let mut wrong = Vec::new();
    for service in &services {
        let own = format!("src/chat/{service}");
        let elsewhere = product();
        let elsewhere =
            elsewhere.iter().filter(|source| !source.path.starts_with(&own) && source.path != "src/chat.rs");
        wrong.extend(elsewhere.flat_map(|source| source.lines_with_word(&source.code, service)));
    }
    none("a chat service's name outside its own files", &wrong);
}

#[test]
fn files_are_named_short_and_open_with_what_they_are_for() {
    let mut wrong = Vec::new();
    for source in sources() {
        let name = Path::new(&source.path).file_stem().unwrap().to_string_lossy().into_owned();
        if EMPTY_NAMES.contains(&name.as_str()) {
            wrong.push(format!("{}: a name that says nothing", source.path));
        }
        let lines = source.text.lines().count();
        if lines > LONGEST {
            wrong.push(format!("{}: {lines} lines, and {LONGEST} are the most", source.path));
        }
        let opens = source.text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
        if !opens.starts_with("//!") && !source.path.contains("compile_fail/") {
            wrong.push(format!("{}: does not open with //!", source.path));
        }
        for module in source.modules() {
            if EMPTY_NAMES.contains(&module.as_str()) {
                wrong.push(format!("{}: the module {module} has a name that says nothing", source.path));
            }
        }
    }
    none("files", &wrong);
}

#[test]
fn nothing_is_left_to_be_done_and_nothing_panics() {
    let mut wrong = Vec::new();
    for source in sources() {
        wrong.extend(words::unfinished(&source));
        if !source.is_test() {
            wrong.extend(words::panics(&source));
        }
    }
    none("left over", &wrong);
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let wrong: Vec<String> = ROOTS
        .iter()
        .filter(|path| !std::fs::read_to_string(root().join(path)).unwrap().contains("#![forbid(unsafe_code)]"))
        .map(|path| (*path).to_owned())
        .collect();
    none("does not forbid unsafe code", &wrong);
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let mut wrong = Vec::new();
    let mut all: Vec<PathBuf> = Vec::new();
    let folders = ["src", "commands", "grammar", "tests", "benches", "fuzz", "docs", "bundles", ".ci"];
    let endings = ["rs", "md", "txt", "toml", "sql", "yaml", "yml", "sh", "py", "go", "js", "json", "dict", "stderr"];
    for folder in folders {
        all.extend(files(folder, &endings).into_iter().map(PathBuf::from));
    }
    all.extend(["README.md", "Cargo.toml", "CHANGELOG.md"].map(PathBuf::from));
    for path in all {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        if path.starts_with("tests/tidy") {
            continue;
        }
        wrong.extend(words::foreign(&path.to_string_lossy(), &text));
    }
    none("speaks of where it was made", &wrong);
}

#[test]
fn links_lead_somewhere() {
    let mut pages = files("docs", &["md"]);
    pages.extend(files("bundles", &["md"]));
    pages.extend(files("benches", &["md"]));
    pages.extend(files("fuzz", &["md"]));
    pages.extend(["README.md".to_owned()].into_iter().filter(|page| root().join(page).exists()));
    let mut wrong = Vec::new();
    for page in &pages {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let folder = root().join(page).parent().unwrap().to_owned();
        for link in words::links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { root().join(page) } else { folder.join(file) };
            if !target.exists() {
                wrong.push(format!("{page}: {link} is not there"));
            } else if !heading.is_empty()
                && target.extension().is_some_and(|ending| ending == "md")
                && !words::headings(&std::fs::read_to_string(&target).unwrap()).contains(&heading.to_owned())
            {
                wrong.push(format!("{page}: {link}: there is no such heading"));
            }
        }
    }
    none("links", &wrong);
}

#[test]
fn every_row_says_what_it_is_and_shows_it() {
    let commands = pipit_commands::built_ins();
    let wrong: Vec<String> = commands
        .iter()
        .filter_map(|command| {
            let spec = command.spec();
            let bare = spec.usage.params.is_empty() && spec.usage.options.is_empty() && spec.usage.blocks.is_empty();
            match (spec.about.is_empty(), spec.examples.is_empty() && !bare) {
                (true, _) => Some(format!("{} says nothing about itself", command.exact())),
                (_, true) => Some(format!("{} takes words and shows no line", command.exact())),
                (false, false) => None,
            }
        })
        .collect();
    none("rows", &wrong);
}

#[test]
fn every_verb_has_a_row() {
    let text = std::fs::read_to_string(root().join("commands/src/shell.rs")).unwrap();
    let verbs = words::variants(&text, "Verb");
    assert!(verbs.len() > 40, "only {} verbs were read", verbs.len());
    let commands = pipit_commands::built_ins();
    let rows: Vec<String> = commands.iter().filter_map(|command| Some(format!("{:?}", command.verb()?))).collect();
    let missing: Vec<String> = verbs.into_iter().filter(|verb| !rows.contains(verb)).collect();
    none("a verb without a row", &missing);
}
