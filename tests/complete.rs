//! What `pipit complete` offers, and what it does not: cases of a line with the cursor at `‸`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use serde_json::Value;

#[path = "support/home.rs"]
mod home;

use home::{Home, Said, field};

/// A home with people, rooms, a bundle and things that alice keeps.
fn world() -> Home {
    let home = Home::new();
    home.setup(&[
        "user create alice && user create bob && user create mallory",
        "group create ops && group add ops alice",
        "role create poster && role give poster ops && role grant poster room:post",
        "permission create site:shout",
        "rule create 'when command is text:upper must have site:shout'",
        "room create dev",
        "bundle install bundles/hello-sh && bundle enable hello-sh",
    ]);
    for line in [
        "alias biggest = 'sort --desc | head'",
        "seed '[{\"disk\":1,\"free\":2}]' | tee disks",
        "my editor = vim",
        "our motto = x && seed '{\"name\":1}' | tee fleet --room",
    ] {
        let said = Said::of(&mut home.command(&["run", "--as", "alice", "--room", "#dev", "--", line]));
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    home
}

/// What is offered at `‸`, with what is replaced.
fn offered(home: &Home, user: Option<&str>, line: &str) -> (String, Vec<Value>) {
    let at = line.find('‸').expect("a case says where the cursor stands");
    let line = line.replacen('‸', "", 1);
    let (cursor, user) = (at.to_string(), user.map(|user| ["--as", user]).into_iter().flatten());
    let mut command = home.command(&["complete", "--json", "--cursor", &cursor, "--line", &line]);
    let said = Said::of(command.args(user).args(["--room", "#dev"]));
    let [completion] = said.values().try_into().unwrap();
    let byte = |name: &str| usize::try_from(completion[name].as_u64().unwrap()).unwrap();
    let replaced = line[byte("start")..byte("end")].to_owned();
    (replaced, completion["choices"].as_array().unwrap().clone())
}

fn texts(choices: &[Value]) -> Vec<&str> {
    choices.iter().map(|choice| field(choice, "text")).collect()
}

#[test]
fn what_fits_is_offered() {
    let home = world();
    let mut wrong = Vec::new();
    // the line, what is replaced, all that is offered
    for (line, replaced, wanted) in [
        // names, by every name and of several words
        ("lis‸", "lis", "list"),
        ("so‸ | head", "so", "sort|sortnum"),
        ("list 1 | fi‸", "fi", "fields|filter|first"),
        ("user ‸", "", ""),
        ("kee‸", "kee", "keep drop|keep list"),
        ("keep l‸", "keep l", "keep list"),
        ("text:tr‸", "text:tr", "text:trim"),
        ("hel‸", "hel", "hello|help"),
        ("hello-sh:‸", "hello-sh:", "hello-sh:hello"),
        ("big‸", "big", "biggest"),
        ("echo hi && each { low‸", "low", "lower"),
        ("echo x$(list 1 | rever‸", "rever", "reverse"),
        ("echo `uu‸`", "uu", "uuid"),
        ("echo \"now: $(no‸)\"", "no", "now"),
        ("list b | xargs low‸", "low", "lower"),
        ("explain sor‸", "sor", "sort|sortnum"),
        ("help keep d‸", "d", "drop"),
        ("'lis‸", "lis", ""),
        // options and their values
        ("sort --d‸", "--d", "--desc"),
        ("sort --desc --d‸", "--d", ""),
        ("grep x -‸", "-", "-v|-o|--case|-C|-A|-B|--field="),
        ("count --l‸ines", "--lines", "--lines"),
        ("sort -- --d‸", "--d", ""),
        ("list 1 | xargs sort --d‸", "--d", "--desc"),
        // words of a set
        ("list 1 | to j‸", "j", "json"),
        ("base64 ‸", "", "encode|decode"),
        ("alias x ‸", "", "="),
        // fields of what comes in
        ("seed '[{\"cpu\":1},{\"name\":2}]' | sort ‸", "", "cpu|name|--desc"),
        ("seed '{\"cpu\":1}' | grep 1 --field=c‸", "c", "cpu"),
        ("seed '{\"cpu\":1}' | where c‸pu>80", "cpu>80", "cpu"),
        ("seed '{\"a\":1,\"b\":2}' | select b c=a | sort ‸", "", "b|c|--desc"),
        ("seed '{\"a\":1,\"b\":2}' | drop a | put z 1 | rename b=y | sort ‸", "", "y|z|--desc"),
        ("seed '{\"a\":1}' | group a | select ‸", "", "a|count|rows"),
        ("seed '{\"cpu\":1,\"c d\":2}' | echo $‸", "", "cpu"),
        ("seed '{\"cpu\":1}' | echo \"it runs ${c‸", "c", "cpu"),
        ("seed '{\"cpu\":1}' | head | each { sort | echo $c‸", "c", "cpu"),
        ("try { error a } { echo $m‸", "m", "message"),
        ("history | select li‸", "li", "line"),
        ("cat disks | sort ‸", "", "disk|free|--desc"),
        ("echo $‸", "", ""),
        ("echo '$‸", "$", ""),
        // what the caller keeps, and places
        ("cat d‸", "d", "disks"),
        ("cat ‸ | x", "", "disks|--room"),
        ("cat --room ‸", "", "fleet"),
        ("cat fleet --room | sort n‸", "n", "name"),
        ("my e‸", "e", "editor"),
        ("our delete ‸", "", "motto"),
        ("alias delete ‸", "", "biggest|--scope="),
        ("count > ‸", "", "here|me|thread|#dev"),
        ("count *> here #‸", "#", "#dev"),
        // inside the quotes of an alias
        ("alias x = 'sort --d‸'", "--d", "--desc"),
        // beyond ASCII the offset counts bytes
        ("echo é | lowe‸", "lowe", "lower"),
    ] {
        let (found, choices) = offered(&home, Some("alice"), line);
        let wanted: Vec<&str> = wanted.split('|').filter(|text| !text.is_empty()).collect();
        if (found.as_str(), texts(&choices)) != (replaced, wanted) {
            wrong.push(format!("{line}: {found:?} {}", texts(&choices).join("|")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (_, all) = offered(&home, Some("alice"), "‸");
    assert!(all.len() > 80 && all.iter().all(|choice| !field(choice, "about").is_empty()), "{}", all.len());
}

#[test]
fn what_the_caller_may_not_see_is_not_offered() {
    let home = world();
    let none = |user: Option<&str>, line: &str| {
        let (_, choices) = offered(&home, user, line);
        assert!(choices.is_empty(), "{user:?} is offered {choices:?} for {line}");
    };
    for line in ["uppe‸", "text:up‸", "user ‸", "user delete ‸", "group add ops ‸", "bundle ‸", "audit l‸"]
    {
        none(Some("mallory"), line);
    }
    for line in ["big‸", "cat d‸", "my e‸", "upper --‸", "cat disks | sort f‸", "count > #‸", "count > @‸"]
    {
        none(Some("mallory"), line);
    }
    // nobody's rights reach into a bundle's command but by a rule
    assert_eq!(texts(&offered(&home, None, "user delete ‸").1), ["alice", "bob", "mallory"]);
    assert_eq!(texts(&offered(&home, None, "group add ops b‸").1), ["bob"]);
    assert_eq!(texts(&offered(&home, None, "role grant poster site‸").1), ["site:shout"]);
    assert_eq!(texts(&offered(&home, None, "bundle disable ‸").1), ["hello-sh"]);
    assert_eq!(texts(&offered(&home, None, "rule delete ‸").1), ["r1"]);
    assert_eq!(texts(&offered(&home, None, "count > @a‸").1), ["@alice"]);
    let unknown = Said::of(&mut home.command(&["complete", "--as", "nobody", "--line", "e"]));
    unknown.fails(3, "there is no user nobody");
    let beyond = Said::of(&mut home.command(&["complete", "--cursor", "1", "--line", "é"]));
    beyond.fails(2, "inside a character");
}

#[test]
fn the_fields_that_a_command_says_it_gives_are_those() {
    let home = world();
    for command in ["history", "user list", "group list", "role list", "rule list", "bundle list", "audit list"] {
        let (_, choices) = offered(&home, None, &format!("{command} | select ‸"));
        let rows = home.values(command);
        let mut said = texts(&choices);
        said.sort_unstable();
        let given: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
        assert_eq!(said, given, "{command}");
    }
}
