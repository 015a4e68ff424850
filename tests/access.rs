//! Every way in, times one command that is denied: nothing runs, nothing is shown, and the log says who was refused what
//! by which rule. The witness is a note: `my:my` is guarded, and whoever got past would have left one.
//!
//! Deliberately absent: how rules are read and decided, which is tested beside `access`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::io::Write as _;
use std::process::{Command, Stdio};

#[path = "play/pipit.rs"]
mod pipit;

use pipit::{Answer, Home, Judged};

const DENIED: Option<i32> = Some(3);
const REFUSED: Option<i32> = Some(2);

/// A home where mallory may do what everybody may, but for what these rules guard.
fn world(rules: &[&str]) -> Home {
    let home = Home::new();
    home.operator("user create mallory && permission create site:guarded && role create keeper");
    home.operator("role grant keeper site:guarded && group create keepers && role give keeper keepers");
    for rule in rules {
        home.operator(&format!("rule create \"{rule}\""));
    }
    home
}

const GUARD: &str = "when command is my:my must have site:guarded";

fn mallory(home: &Home, line: &str) -> Answer {
    home.says(Some("mallory"), Some("#ops"), line)
}

fn denial(home: &Home, command: &str) -> bool {
    let judged = home.judged();
    assert!(judged.iter().all(|judged| judged.command != command || !judged.allowed), "{judged:?}");
    judged.contains(&Judged { command: command.to_owned(), allowed: false, rule: "must have site:guarded".to_owned() })
}

/// Nobody has left the note, once it may be looked at.
fn no_note(home: &Home) {
    for line in ["rule delete r1", "permission list"] {
        home.operator(line);
    }
    let answer = mallory(home, "my w");
    assert_eq!((answer.code, answer.out.as_str()), (Some(1), ""), "somebody got past: {answer:?}");
    home.operator("audit verify");
}

/// Lines of which each comes to `my:my`.
const WAYS: &[&str] = &[
    // typed, by both names
    "my w = x",
    "my:my w = x",
    "my w",
    "my my w = x",
    // in a pipe, first, in the middle, last
    "my w = x | upper",
    "list a | my w = x",
    "list a | my w = $_",
    "list w | my $_ = x | count",
    "nil | my w = x",
    // in substitutions
    "echo $(my w = x)",
    "echo \"so: $(my w = x)\"",
    "echo a$(my w = x)b",
    "echo `my w = x`",
    "echo $(list a | each { echo $(my w = x) })",
    "grep --field=$(my w = x) a",
    "list a | head $(my w = x)",
    "list a | echo $_ $(my w = $_)",
    // in blocks, taken and not
    "list a | each { my w = x }",
    "list a | each { my w = $_ }",
    "list a b c | each --parallel 3 --keep-going { my w = $_ }",
    "nil | each { my w = x }",
    "try { my w = x } { echo caught }",
    "try { echo a } { my w = x }",
    "try { try { error a } { my w = x } }",
    "list 1 | if _==1 { my w = x }",
    "list 1 | if _==2 { my w = x }",
    "list 1 | if _==1 { echo a } { my w = x }",
    "repeat 2 { my w = x }",
    "repeat 0 { my w = x }",
    "timeout 5s { my w = x }",
    "list 1 | each { each { each { my w = x } } }",
    // before and behind what joins pipelines, reached and not
    "my w = x && echo a",
    "echo a && my w = x",
    "error a && my w = x",
    "echo a || my w = x",
    "error a || my w = x",
    "echo a && echo b || echo c && my w = x",
    // as words of another command
    "list x | xargs my w =",
    "nil | xargs my:my w =",
    // where its values would go elsewhere
    "my w = x > here",
    "my w = x > me",
    "echo a > me && my w = x",
    // through aliases: one's own, one in another, with parameters, of everybody
    "note",
    "note | upper",
    "twice",
    "run w x",
    "list x | run w $_",
    "echo $(note)",
    "list a | each { note }",
    "sited",
    "first-word x",
    // the line before this one, which was one of these
    "!!",
    "!! | upper",
    "each { !! }",
];

fn with_aliases(home: &Home) {
    for line in [
        "alias note = 'my w = x'",
        "alias twice = 'note && note'",
        "alias run = 'my $1 = $2'",
        "alias first-word = 'my w ='",
        "alias sited = 'try { my w = x } { my w = y }'",
    ] {
        assert_eq!(mallory(home, line).code, Some(0), "a line may be kept by who may not run it: {line}");
    }
    home.operator("group create movers && role create mover && role grant mover alias:site");
    home.operator("role give mover movers && group add movers mallory");
    assert_eq!(mallory(home, "alias move sited site").code, Some(0));
}

#[test]
fn no_way_leads_to_a_command_that_is_denied() {
    let home = world(&[GUARD]);
    with_aliases(&home);
    let mut wrong = Vec::new();
    for line in WAYS {
        let answer = mallory(&home, line);
        if answer.code != DENIED || !answer.out.is_empty() || !answer.err.contains("mallory may not run my:my") {
            wrong.push(format!("{line}: {answer:?}"));
        } else if !denial(&home, "my:my") {
            wrong.push(format!("{line}: no denial in the log"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    no_note(&home);
}

#[test]
fn what_is_no_name_leads_nowhere() {
    let home = world(&[GUARD]);
    let mut wrong = Vec::new();
    for line in [
        "'my' w = x",
        "\"my\" w = x",
        "\\my w = x",
        "m\\y w = x",
        "my:'my' w = x",
        "$(echo my) w = x",
        "`echo my` w = x",
        "list my | $_ w = x",
        "list my | each { $_ w = x }",
        "MY w = x",
        "My:My w = x",
        // a letter of another alphabet, a wide one, one that nobody sees
        "m\u{443} w = x",
        "\u{ff4d}y w = x",
        "m\u{200b}y w = x",
        "\u{202e}my w = x",
        "my::my w = x",
        "my: my w = x",
        ":my w = x",
        "my\u{0}w = x",
        "list my | xargs $_ w = x",
        "list x | xargs 'my' w =",
        "alias note = 'my' w",
    ] {
        // the operating system takes no NUL in an argument
        if line.contains('\0') {
            continue;
        }
        let answer = mallory(&home, line);
        if answer.code != REFUSED || !answer.out.is_empty() {
            wrong.push(format!("{line}: {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    no_note(&home);
}

#[test]
fn looking_at_a_line_and_keeping_it_runs_nothing() {
    let home = world(&[GUARD]);
    for line in [
        "explain my w = x",
        "explain { my w = x | my w = y }",
        "explain { echo $(my w = x) }",
        "help my",
        "which kept:sort || echo no",
        "alias note = 'my w = x'",
        "echo my w = x",
        "list 'my w = x' | each { echo $_ }",
        "list 'my w = x' '$(my w = x)' '`my w = x`' | xargs echo",
        "echo '| my w = x'",
        "list a | echo $_ '&& my w = x'",
    ] {
        let answer = mallory(&home, line);
        assert_eq!(answer.code, Some(0), "{line}: {answer:?}");
        assert!(home.judged().iter().all(|judged| judged.command != "my:my"), "{line}");
    }
    no_note(&home);
}

#[test]
fn every_name_of_a_command_is_guarded_by_its_rule() {
    let home = world(&["when command is list:head must have site:guarded"]);
    for name in ["head", "take", "first", "list:head", "list:take"] {
        let answer = mallory(&home, &format!("list a | {name}"));
        assert_eq!((answer.code, answer.out.as_str()), (DENIED, ""), "{name}: {answer:?}");
        assert!(denial(&home, "list:head"), "{name}");
    }
}

#[test]
fn other_ways_to_ask_are_no_other_door() {
    let home = world(&[GUARD]);
    let unknown = home.says(Some("nobody"), None, "echo hello");
    assert_eq!((unknown.code, unknown.out.as_str()), (DENIED, ""), "{unknown:?}");
    for name in ["", " ", "operator", "Mallory", "mallory ", "../mallory", "root", "?x"] {
        let answer = home.says(Some(name), None, "my w = x");
        assert_eq!((answer.code, answer.out.as_str()), (DENIED, ""), "{name:?}: {answer:?}");
    }
    let json = home.run(&["--as", "mallory", "--json", "--", "my w = x"]);
    assert_eq!((json.code, json.out.as_str()), (DENIED, ""));
    let words = home.run(&["--as", "mallory", "--", "my", "w", "=", "x"]);
    assert_eq!((words.code, words.out.as_str()), (DENIED, ""));
    // what comes in by standard input is values
    for (line, code, out) in
        [("my w = x", DENIED, ""), ("echo got", Some(0), "got my w = x\n"), ("xargs echo", Some(0), "my w = x\n")]
    {
        let mut child = home
            .command(&["--as", "mallory", "--stdin", "--", line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // a line that is denied may end before it reads
        let _ = child.stdin.take().unwrap().write_all(b"my w = x\n");
        let answer = Answer::new(&child.wait_with_output().unwrap());
        assert_eq!((answer.code, answer.out.as_str()), (code, out), "{line}: {answer:?}");
    }
    no_note(&home);
}

#[test]
fn a_condition_on_arguments_is_judged_with_each_value() {
    let home = world(&["when command is value:echo with arg[0] == 'prod' must have site:guarded"]);
    // denied before anything runs: the line alone says it
    for line in [
        "echo prod",
        "echo 'prod'",
        "echo -- prod",
        "list a | echo prod $_",
        "list a && echo prod",
        "list 1 | if _==2 { echo prod }",
        "repeat 0 { echo prod }",
        "list a | xargs echo prod",
        "echo $(echo prod)",
    ] {
        let answer = mallory(&home, line);
        assert_eq!((answer.code, answer.out.as_str()), (DENIED, ""), "{line}: {answer:?}");
    }
    assert_eq!(mallory(&home, "alias say = 'echo $1 it is'").code, Some(0));
    // known only when the value comes; what came before it was allowed
    for (line, before) in [
        ("list stage prod later | each { echo $_ it is }", "stage it is\n"),
        ("list stage prod | echo $_ it is", "stage it is\n"),
        ("list stage prod | xargs echo $_", "stage\n"),
        ("list stage prod | each { say $_ }", "stage it is stage\n"),
        ("say prod", ""),
        ("echo $(list prod) it is", ""),
        ("echo $(list prod stage) it is", ""),
        ("list pr | echo ${_}od", ""),
        ("list x | echo \"$(list prod)\"", ""),
        ("seed '{\"env\":\"prod\"}' | echo $env", ""),
        ("list prod | try { echo $_ } { nil }", ""),
        ("list prod | echo $_ || echo else", ""),
        ("list prod stage | each --keep-going { echo $_ }", ""),
        ("range 70 | each { echo $_ } | count && list prod | echo $_", "70\n"),
    ] {
        let answer = mallory(&home, line);
        assert_eq!((answer.code, answer.out.as_str()), (DENIED, before), "{line}: {answer:?}");
        let judged = home.judged();
        let rule = "with arg[0] == 'prod' must have site:guarded";
        assert!(judged.iter().any(|judged| !judged.allowed && judged.rule == rule), "{line}: {judged:?}");
    }
    // what only looks alike is something else
    for line in ["echo production", "echo stage prod", "list prod", "list stage test | each { echo $_ }"] {
        assert_eq!(mallory(&home, line).code, Some(0), "{line}");
    }
    home.operator("group add keepers mallory");
    assert_eq!(mallory(&home, "list stage prod | each { echo $_ }").code, Some(0));
}

#[test]
fn conditions_on_options_rooms_and_several_rules() {
    let home = world(&[
        "when command is list:sort with option[desc] == true must have site:guarded",
        "forbid command is list:reverse in #public",
        "guard when command is text:upper with any args == 'secret' must have site:guarded",
    ]);
    let out = |line: &str, code: Option<i32>| {
        let answer = mallory(&home, line);
        assert_eq!(answer.code, code, "{line}: {answer:?}");
    };
    out("list 1 | sort", Some(0));
    out("list 1 | sort --desc", DENIED);
    out("list 1 | sort -- --desc", Some(0));
    out("list 1 | reverse", Some(0));
    out("upper a", Some(0));
    out("upper a secret", DENIED);
    out("list a secret | each { upper $_ }", DENIED);
    // what fills a parameter is an argument like every other
    out("list a secret | upper", DENIED);
    out("list a secret | each { upper }", DENIED);
    out("list a test | upper", Some(0));
    let public = home.says(Some("mallory"), Some("#public"), "list 1 | reverse");
    assert_eq!((public.code, public.out.as_str()), (DENIED, ""));
    let direct = home.says(Some("mallory"), None, "list 1 | reverse");
    assert_eq!(direct.code, Some(0));
    // the operator holds what the shell brings, and no more than that
    assert_eq!(home.says(None, None, "upper a secret").code, DENIED);
    // padding loosens nothing
    out("upper secret a a a a a a a a", DENIED);
    out("upper a a a secret secret", DENIED);
}

#[test]
fn what_is_granted_and_taken_holds_from_the_next_line_on() {
    let home = world(&[GUARD]);
    assert_eq!(mallory(&home, "my w = x").code, DENIED);
    for (grant, take) in [
        ("group add keepers mallory", "group remove keepers mallory"),
        ("group add keepers mallory", "role take keeper keepers"),
        ("role give keeper keepers", "role revoke keeper site:guarded"),
        ("role grant keeper site:guarded", "group delete keepers"),
        ("group create keepers && role give keeper keepers && group add keepers mallory", "role delete keeper"),
    ] {
        home.operator(grant);
        assert_eq!(mallory(&home, "my w = x").code, Some(0), "{grant}");
        home.operator(take);
        assert_eq!(mallory(&home, "my w = y").code, DENIED, "{take}");
    }
    home.operator("user delete mallory");
    let gone = mallory(&home, "echo a");
    assert_eq!((gone.code, gone.out.as_str()), (DENIED, ""));
}

#[test]
fn who_manages_nothing_changes_nothing() {
    let home = world(&[]);
    let home = &home;
    for line in [
        "user create eve",
        "user delete mallory",
        "user link mallory chat://net/mallory",
        "group add keepers mallory",
        "role create mine",
        "role grant keeper rule:manage",
        "role give keeper keepers",
        "permission create site:mine",
        "rule create 'when command is user:create allow'",
        "rule delete r1",
        "room create '#mine'",
        "bundle install .",
        "audit list",
        "audit verify",
        "alias move note site",
        "echo a > #ops",
    ] {
        let answer = mallory(home, line);
        assert_eq!((answer.code, answer.out.as_str()), (DENIED, ""), "{line}: {answer:?}");
    }
    assert_eq!(home.operator("user list").len(), 1);
    assert!(home.operator("rule list").is_empty());
    assert_eq!(home.operator("role list").len(), 1);
}

/// Lines that all come to the call `echo prod`, as far as the rule can see.
const FORMS: &[&str] = &[
    "echo prod",
    "echo 'prod'",
    "echo \"prod\"",
    "echo \"pr\"'od'",
    "echo -- prod",
    "value:echo prod",
    "echo $(echo prod)",
    "echo `list prod`",
    "echo \"$(list prod)\"",
    "list prod | echo $_",
    "seed '{\"env\":\"prod\"}' | echo $env",
    "seed '[\"prod\"]' | echo ${_}",
    "list prod | each { echo $_ }",
    "list prod | xargs echo $_",
    "try { echo prod } { nil }",
    "list 1 | if _==1 { list prod | echo $_ }",
    "say prod",
    "prod",
    "!!",
];

/// Whatever way a call is written, it is decided alike: at every time of a history in which rights come and go. So what
/// an alias, a block, a substitution or a line that is run again may do is what its caller may.
#[test]
fn p12_p13_every_form_of_a_call_is_decided_alike() {
    let home = world(&["when command is value:echo with arg[0] == 'prod' must have site:guarded"]);
    for line in ["alias say = 'echo $1'", "alias prod = 'echo prod'"] {
        assert_eq!(mallory(&home, line).code, Some(0), "{line}");
    }
    for (change, may) in [
        ("permission list | nil", false),
        ("group add keepers mallory", true),
        ("role take keeper keepers", false),
        ("role give keeper keepers", true),
        ("role revoke keeper site:guarded", false),
        ("rule delete r1", true),
        ("rule create \"guard when command is value:echo with any args == prod must have site:guarded\"", false),
    ] {
        home.operator(change);
        let mut wrong = Vec::new();
        for form in FORMS {
            let answer = mallory(&home, form);
            let wanted = if may { (Some(0), "prod\n") } else { (DENIED, "") };
            if (answer.code, answer.out.as_str()) != wanted {
                wrong.push(format!("{form}: {answer:?}"));
            }
        }
        assert!(wrong.is_empty(), "after {change}:\n{}", wrong.join("\n"));
    }
}

/// A forbid and a guard hold for the operator too. Who has the home takes away a rule that shuts out everybody, and the log
/// says so.
#[test]
fn a_rule_that_shuts_everybody_out_is_taken_away_by_who_has_the_home() {
    let home = world(&["forbid command is list:shuffle", "forbid command is *:*"]);
    for line in ["rule list", "rule delete r2", "audit list", "echo a"] {
        assert_eq!(home.says(None, None, line).code, DENIED, "{line}");
    }
    let rule = |args: &[&str]| {
        let mut pipit = Command::new(env!("CARGO_BIN_EXE_pipit"));
        Answer::new(&pipit.args(["rule", "--home"]).arg(home.path()).args(args).output().unwrap())
    };
    let listed = rule(&["list"]);
    let rules = "r1: forbid command is list:shuffle\nr2: forbid command is *:*\n";
    assert_eq!((listed.code, listed.out.as_str()), (Some(0), rules), "{listed:?}");
    let gone = rule(&["delete", "r2"]);
    assert_eq!((gone.code, gone.out.as_str()), (Some(0), "the rule r2 is gone: forbid command is *:*\n"), "{gone:?}");
    let logged = home.judged();
    let by = "judged by nobody: by whoever has the home".to_owned();
    assert!(logged.contains(&Judged { command: "rule:delete".to_owned(), allowed: true, rule: by }), "{logged:?}");
    let none = rule(&["delete", "r2"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    assert_eq!(home.operator("rule list | get id").len(), 1);
    home.operator("audit verify");
}
