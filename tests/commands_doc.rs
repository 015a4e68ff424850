//! `docs/commands.md` is made from the tables of the commands: `BLESS=1 cargo test --test commands_doc` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test")]

use std::path::Path;

use pipit_commands::{Command, Effect, Flow, Spec, built_ins};

const HEAD: &str = "# The built-in commands

Made from the tables in `commands/src` by `BLESS=1 cargo test --test commands_doc`; a test holds it to them. In chat `help`
shows the commands that you may run, and `help NAME` one of them.

How to read it. `[X]` may be left out, `X…` may come several times, `{ … }` is a block. Behind *takes* stands the
permission it takes; the others every user may run. *fills*: an incoming value fills that word when it is left out. A command works

- *on the stream*: once, over all that comes in;
- *on each value*: once for every value, and it needs one;
- *once or for each value*: once when nothing comes in, else for every value.

An example ends with the values it gives, a JSON value each; the tests run every one that has them.
";

fn entry(spec: &Spec) -> String {
    let name = spec.shown();
    let usage = spec.usage.to_string();
    let rest = usage.strip_prefix(spec.name.as_str()).unwrap_or(&usage);
    let mut text = format!("### `{name}{rest}`\n\n{}.", spec.about);
    let mut notes = vec![format!("`{}`", spec.exact())];
    if !spec.also.is_empty() {
        notes.push(format!("also {}", spec.also.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")));
    }
    notes.push(
        match spec.flow {
            Flow::Stream => "on the stream",
            Flow::Value => "on each value",
            Flow::Each => "once or for each value",
        }
        .into(),
    );
    if let Some(param) = spec.fills.as_ref().and_then(|fill| spec.usage.params.get(fill.param)) {
        notes.push(format!("fills `{}`", param.name));
    }
    let all = format!("when command is {} ", spec.exact());
    for rule in &spec.rules {
        match rule.strip_prefix(&all).unwrap_or(rule) {
            "allow" => {}
            rule => notes.push(match rule.strip_prefix("with ").and_then(|rule| rule.split_once(" must have ")) {
                Some((condition, right)) => format!("takes `{right}` where `{condition}`"),
                None => format!("takes `{}`", rule.strip_prefix("must have ").unwrap_or(rule)),
            }),
        }
    }
    notes.extend(match spec.effect {
        Effect::Pure => None,
        Effect::Idempotent => Some("changes something; may be repeated".to_owned()),
        Effect::Unsafe => Some("acts on the world".to_owned()),
    });
    text.extend([" ", &notes.join(" · "), ".\n"]);
    if !spec.examples.is_empty() {
        text.push_str("\n```\n");
        for example in &spec.examples {
            text.push_str(&example.line);
            let gives = example.gives.as_deref().map(|gives| gives.lines().collect::<Vec<_>>().join(" "));
            match gives.as_deref() {
                Some("") => text.push_str("   => nothing"),
                Some(gives) => text.extend(["   => ", gives]),
                None if example.about.is_empty() => {}
                None => text.extend(["   # ", &example.about]),
            }
            text.push('\n');
        }
        text.push_str("```\n");
    }
    text
}

fn page() -> String {
    let commands = built_ins();
    let mut families: Vec<&str> = Vec::new();
    for command in &commands {
        let family = command.spec().bundle.as_str();
        if !families.contains(&family) {
            families.push(family);
        }
    }
    let mut page = HEAD.to_owned();
    page.push_str("\n| family | commands |\n|---|---|\n");
    for family in &families {
        let of = commands.iter().map(Command::spec).filter(|spec| spec.bundle == *family);
        let names: Vec<String> = of.map(|spec| format!("`{}`", spec.shown())).collect();
        page.extend(["| ", *family, " | ", &names.join(" "), " |\n"]);
    }
    for family in families {
        page.extend(["\n## ", family, "\n"]);
        for command in commands.iter().filter(|command| command.spec().bundle == family) {
            page.push('\n');
            page.push_str(&entry(command.spec()));
        }
    }
    page
}

#[test]
fn the_page_is_what_the_tables_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "docs/commands.md is not what the tables say; run: BLESS=1 cargo test --test commands_doc"
    );
}
