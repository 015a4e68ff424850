//! Usage lines: what is read, how it prints, what is refused.
#![allow(clippy::unwrap_used, reason = "a test")]

use pipit_grammar::usage::{Usage, parse_usage};
use proptest::prelude::*;

/// Reads, prints, and reads what was printed.
fn read(text: &str) -> (Usage, String) {
    let usage = parse_usage(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = usage.to_string();
    assert_eq!(parse_usage(&printed).as_ref(), Ok(&usage), "{printed}");
    (usage, printed)
}

#[test]
fn prints_back() {
    let same = [
        "sort [KEY…] [--desc]",
        "ec2 [STATE] [--region=REGION] [--tag=TAG…]",
        "echo [TEXT…]",
        "grep PATTERN [-v] [-C N] [-A N] [-B N] [-o] [--case] [--field=KEY]",
        "filter -p|--path=P [-m|--matches=RE]",
        "my KEY [= VALUE]",
        "base64 encode|decode [TEXT…]",
        "repeat N { … }",
        "try { … } [{ … }]",
        "if CONDITION { … } [{ … }]",
        "range [START] END [STEP]",
        "run SERVICE --env=ENV [--force] [--dry-run]",
        "each { … } [--parallel=N] [--keep-going]",
        "show [-v…]",
        "http get|post|put|delete URL [--header=LINE…]",
        "nil",
    ];
    for text in same {
        assert_eq!(read(text).1, text);
    }
    let regular = [
        ("sort [KEY]... [ --desc ]", "sort [KEY…] [--desc]"),
        ("sort [--desc] KEY...", "sort KEY… [--desc]"),
        ("each {} [--parallel N]", "each { … } [--parallel=N]"),
        ("filter --path P [--matches RE]", "filter --path=P [--matches=RE]"),
        ("a [--tag=TAG]… [--x Y...]", "a [--tag=TAG…] [--x=Y…]"),
    ];
    for (text, printed) in regular {
        assert_eq!(read(text).1, printed);
    }
}

#[test]
fn knows_its_parts() {
    let (usage, _) = read("filter WORD [= VALUE] -p|--path=P [-v]");
    assert_eq!(usage.name, "filter");
    assert_eq!(usage.long("path"), usage.short('p'));
    assert!(usage.short('p').unwrap().required);
    assert_eq!(usage.short('v').unwrap().key(), "v");
    assert_eq!(usage.short('p').unwrap().key(), "path");
    let joined: Vec<_> = usage.params.iter().map(|p| (p.name.as_str(), p.required, p.joined)).collect();
    assert_eq!(joined, [("WORD", true, false), ("=", false, false), ("VALUE", false, true)]);
    assert_eq!(usage.params[1].literals, ["="]);
    assert_eq!(usage.names().collect::<Vec<_>>(), ["WORD", "VALUE", "P"]);
}

#[test]
fn refused() {
    let bad = [
        "",
        "  ",
        "1a",
        "[KEY]",
        "a:b",
        "hi [--loud] [--loud]",
        "hi [-l|--loud] [-l]",
        "hi NAME… OTHER…",
        "hi NAME… OTHER",
        "hi NAME… [OTHER]",
        "hi NAME NAME",
        "hi NAME [--name=NAME]",
        "hi [NAME",
        "hi NAME]",
        "hi []",
        "hi --loud",
        "hi <name>",
        "hi Name",
        "hi [--loud=name]",
        "hi [--loud=]",
        "hi [--loud|-l]",
        "hi [-lo]",
        "hi [--]",
        "hi -",
        "hi { x }",
        "hi {",
        "hi [{ … }] { … }",
        "hi on…",
        "hi [on]…",
        "hi [A B]…",
        "hi …",
        "hi [[A]]",
        "hi [A [B]]",
        "hi a||b",
    ];
    for text in bad {
        let error = parse_usage(text).err().unwrap_or_else(|| panic!("{text} was read"));
        assert!(error.span.start <= error.span.end && error.span.end as usize <= text.len(), "{text}: {error:?}");
    }
    assert!(parse_usage(&"a ".repeat(5000)).is_err());
}

proptest! {
    #[test]
    fn any_text_ends_well(text in r"[a-c \[\]{}…|=.-]{0,40}|\PC{0,40}") {
        if let Ok(usage) = parse_usage(&text) {
            prop_assert_eq!(parse_usage(&usage.to_string()), Ok(usage));
        }
    }

    #[test]
    fn what_is_read_prints_back(text in r"h( \[?(A|B…|c\|d|--e|--f=G|-h I|\{ … \}|=)\]?(…)?){0,6}") {
        if let Ok(usage) = parse_usage(&text) {
            prop_assert_eq!(parse_usage(&usage.to_string()), Ok(usage));
        }
    }
}
