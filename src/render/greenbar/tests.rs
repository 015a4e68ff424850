//! Templates as Cog's bundles have them: what they make, where they cannot be read, and that they come to an end.
#![allow(clippy::unwrap_used, reason = "a test")]

use pipit_commands::Value;

use super::Greenbar;
use crate::mutate::{Mutator, run};
use crate::render::rich::text;

fn filled(template: &str, results: &str) -> String {
    let Ok(Value::List(results)) = Value::from_json(results) else { panic!("{results}") };
    let template = Greenbar::read(template).unwrap_or_else(|error| panic!("{template:?}: {error:?}"));
    let results: Vec<Value> = results.iter().cloned().collect();
    text(&template.fill(&results), &|bold| format!("<{bold}>"))
}

#[test]
fn templates_are_filled() {
    let users = r#"[{"name":"ada","n":3,"tags":["x","y"],"at":{"zone":"eu-1"}},{"name":"bob","n":0,"tags":[]}]"#;
    let cases: &[(&str, &str)] = &[
        ("hello", "hello"),
        ("~$results[0].name~", "ada"),
        ("~$results[0].at.zone~~$results[1].at.zone~.", "eu-1."),
        ("~$nothing.here~x", "x"),
        ("~each var=$results as=user~\n* ~$user.name~\n~end~", "• ada\n• bob"),
        ("~each var=$results~\n~$item.name~\n~end~", "ada\nbob"),
        ("~each var=$results as=u~\n~each var=$u.tags as=t~\n~$u.name~=~$t~\n~end~\n~end~", "ada=x\nada=y"),
        ("Tags: ~join var=$results[0].tags with=\" / \"~~$item~~end~\nend", "Tags: x / y\nend"),
        ("~join var=$results as=u~~$u.name~~end~", "ada, bob"),
        ("~count var=$results~ of them, ~$results[0].name~ has ~length($results[0].tags)~", "2 of them, ada has 2"),
        ("a~br~b", "a\nb"),
        ("~json var=$results[0].tags~", "[\n  \"x\",\n  \"y\"\n]"),
        ("~if cond=$results[0].n > 2~many~end~ ~if cond=$results[0].n >= 4~too many~end~.", "many ."),
        ("~if cond=$results[0].name == \"ada\"~quoted~end~~if cond=$results[0].name == ada~ bare~end~", "quoted bare"),
        ("~if cond=$results[0].name != bob~not~end~", "not"),
        ("~if cond=length($results) == 2~two~end~", "two"),
        ("~if cond=$results[1].tags empty?~none~end~~if cond=$results[0].tags not_empty?~ some~end~", "none some"),
        ("~if cond=$results[1].at not_bound?~nowhere~end~~if cond=$results[0].at bound?~ there~end~", "nowhere there"),
        ("100% \\~ \\# https://example.org/a#b # a comment\nnext", "100% ~ # https://example.org/a#b next"),
        ("# whole lines\n# are comments\ntext\n# to the end", "text"),
        ("**Name:** ~$results[0].name~\n**Zone:** ~$results[0].at.zone~", "<Name:> ada\n<Zone:> eu-1"),
        (
            "| n | t |\n| - | - |\n~each var=$results as=u~\n| ~$u.name~ | ~$u.n~ |\n~end~",
            "n    t\n───  ─\nada  3\nbob  0",
        ),
        ("```~each var=$results[0].tags as=l~\n~$l~\n~end~```\n", "x\ny"),
        (
            "~attachment title=\"A head\" title_url=\"https://example.org\" color=good \"Number of\"=$results[0].n other-short=1~\nbody\n~end~",
            "<A head> (https://example.org)\nbody\n<Number of:> 3\n<other:> 1",
        ),
        (
            "~each var=$results as=u~\n~attachment color=$u.colour~\n**N:** ~$u.name~\n~end~\n~end~",
            "<N:> ada\n\n<N:> bob",
        ),
    ];
    for (template, expected) in cases {
        assert_eq!(filled(template, users), *expected, "{template}");
    }
}

#[test]
fn data_is_no_template_and_no_markdown() {
    let evil = r##"[{"a":"~$results~ **b** ~each var=$results~","b":"# x\n* y\n```","c":"\u001b[31mred"}]"##;
    assert_eq!(filled("~$results[0].a~", evil), "~$results~ **b** ~each var=$results~");
    assert_eq!(filled("~$results[0].b~", evil), "# x\n* y\n```");
    assert!(!filled("~$results[0].c~", evil).contains('\u{1b}'));
    assert_eq!(filled("~attachment title=$results[0].a~\n~end~", evil), "<~$results~ **b** ~each var=$results~>");
}

#[test]
fn what_is_no_template_says_where() {
    let cases = [
        ("a ~nothing~", 3, "there is no tag \"nothing\""),
        ("a ~ b", 4, "there is no tag \"b\""),
        ("a ~", 3, "a tag or a $variable is missing"),
        ("~$x", 0, "does not end"),
        ("~each var=$x~\nbody", 0, "this each has no ~end~"),
        ("x ~end~", 2, "nothing to end"),
        ("~each as=x~~end~", 5, "each needs var=…"),
        ("~each var=x~~end~", 10, "a variable is missing"),
        ("~each var=$x by=y~~end~", 16, "each has no by"),
        ("~if cond=$x == $y~~end~", 15, "not with another one"),
        ("~if cond=$x~~end~", 11, "a condition is"),
        ("~$x[a]~", 4, "a number is missing"),
        ("~$x.~", 4, "the name of a field is missing"),
        ("~attachment title=\"x~~end~", 18, "a \" is missing"),
        ("~br x~", 4, "the tag should end here"),
    ];
    for (template, at, why) in cases {
        match Greenbar::read(template) {
            Err(error) => {
                assert!(error.why.contains(why), "{template:?}: {error:?}");
                assert_eq!(error.at, at, "{template:?}: {error:?}");
            }
            Ok(read) => panic!("{template:?} is read as {read:?}"),
        }
    }
}

#[test]
fn it_comes_to_an_end() {
    let deep = format!("{}{}", "~if cond=$x bound?~".repeat(40), "~end~".repeat(40));
    assert!(Greenbar::read(&deep).is_err_and(|error| error.why.contains("at most 16 deep")));
    assert!(Greenbar::read(&"x".repeat(70_000)).is_err());
    let items = format!("[{}]", vec!["1"; 400].join(","));
    let squared = "~each var=$results~~each var=$results as=b~~each var=$results as=c~x~end~~end~~end~";
    assert!(filled(squared, &items).ends_with("(the rest is left out: it is too long to be shown)"));
    let long = format!("[{{\"t\":\"{}\"}}]", "y".repeat(800_000));
    let thrice = filled("~$results[0].t~ ~$results[0].t~ ~$results[0].t~", &long);
    assert!(thrice.len() < 2_000_000 && thrice.ends_with("shown)"));
}

/// From a seed; `FUZZ_SECONDS=60` runs for so long.
#[test]
fn templates_of_any_shape() {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/conformance/cog-manifests");
    let manifests =
        std::fs::read_dir(shared).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let bodies = manifests.flat_map(|text| text.split("body: |").skip(1).map(str::to_owned).collect::<Vec<_>>());
    let pieces = [
        "~each var=$results as=x~\n",
        "~end~",
        "~$x~",
        "~$results[0].name~",
        "~if cond=$x bound?~",
        "~join var=$results with=\", \"~",
        "~attachment title=\"a\" b=$x~",
        "~json var=$results~",
        "~count var=$results~",
        "~br~",
        "~",
        "\\~",
        "#",
        "**",
        "```",
        "| a | b |\n|-|-|\n",
        "> ",
        "* ",
        "length($x)",
        "\u{f1f00}0\u{f1f01}",
        "\u{f1f00}",
        "&amp;",
        "<b>",
        "[a](~$x~)",
    ];
    let results =
        Value::from_json(r#"[{"name":"**a**","n":1,"body":["~$x~","|"]},[[]],null,"\u202e\u001b[31m"]"#).unwrap();
    let results = [results];
    run(3000, Mutator::new(13, bodies.collect(), &pieces), |template| match Greenbar::read(template) {
        Ok(read) => assert!(!text(&read.fill(&results), &str::to_owned).contains('\u{1b}')),
        Err(error) => assert!(!error.to_string(template).is_empty() && error.at <= template.len()),
    });
}
