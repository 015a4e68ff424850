//! Every rule of the language by a case of its own: what a line prints as, and which lines are refused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "trees/fixed_point.rs"]
mod trees;

use pipit_grammar::{parse, parse_alias, parse_path};

#[track_caller]
fn reads(cases: &[(&str, &str)]) {
    for (line, canonical) in cases {
        let tree = parse(line).unwrap_or_else(|error| panic!("{line:?} is refused\n{}", error.show(line)));
        assert_eq!(tree.to_string(), *canonical, "{line:?}");
        trees::assert_fixed_point(parse, &tree);
    }
}

#[track_caller]
fn same(lines: &[&str]) {
    reads(&lines.iter().map(|line| (*line, *line)).collect::<Vec<_>>());
}

#[track_caller]
fn refused(lines: &[&str]) {
    for line in lines {
        if let Ok(tree) = parse(line) {
            panic!("{line:?} should be refused, and is {tree}");
        }
    }
}

#[test]
fn blanks_are_repaired_outside_quotes() {
    reads(&[
        ("echo\u{a0}a\u{2007}b\u{202f}c\t\td\n e", "echo a b c d e"),
        ("echo 'a\u{a0}b' \"c\u{2007}\u{202f}d\"", "echo \"a\\u{a0}b\" \"c\\u{2007}\\u{202f}d\""),
        ("echo a\u{a0}|\u{a0}upper\u{a0}>\u{a0}me", "echo a | upper > me"),
        ("echo a\\\u{a0}b", "echo \"a\\u{a0}b\""),
        ("each\n{\techo a\u{a0}}", "each { echo a }"),
    ]);
}

#[test]
fn typographic_pairs_are_quotes_where_a_quote_may_open() {
    reads(&[
        ("echo “a b” „c d“ „e f” ”g h”", "echo 'a b' 'c d' 'e f' 'g h'"),
        ("echo ‘a b’ ‚c d‘ ‚e f’", "echo 'a b' 'c d' 'e f'"),
        ("echo “$x and $(y “z”) w”", "echo \"$x and $(y 'z') w\""),
        ("echo “a $(b “c” ) d”", "echo \"a $(b 'c') d\""),
        ("echo ‘$x’ “%s” “\\n”", "echo '$x' \"%s\" \"\\n\""),
        ("echo x=“a b” 'c'“d e”", "echo x='a b' 'cd e'"),
        ("echo “say \"hi\"” ‘it's’ “a”b”", "echo 'say \"hi\"' \"it's\" 'a”b'"),
        ("echo $(echo “a”) `echo “b”`", "echo $(echo 'a') $(echo 'b')"),
        ("echo “” ‘’", "echo '' ''"),
        ("each { echo “a b” }", "each { echo 'a b' }"),
    ]);
}

#[test]
fn an_unpaired_opening_mark_is_a_letter_and_quotes_its_word() {
    reads(&[
        ("echo “a „b ”c ‘d ‚e", "echo '“a' '„b' '”c' '‘d' '‚e'"),
        ("echo “a b”c", "echo '“a' b”c"),
        ("echo ‘tis x=‚y", "echo '‘tis' x='‚y'"),
        ("echo ’tis a“b” x’y’ «z»", "echo ’tis a“b” x’y’ «z»"),
        ("echo “$x", "echo \"“$x\""),
        ("echo “a $(b “c” ) d", "echo '“a' $(b 'c') d"),
        ("echo “\\u{zz}", "echo '“u{zz}'"),
    ]);
}

#[test]
fn a_dash_before_a_letter_at_the_head_is_two_hyphens() {
    reads(&[
        ("echo —force –x=1 —é", "echo --force --x=1 --é"),
        ("echo — – —5 a—b x=—y ——z —\"a\"", "echo — – —5 a—b x=—y ——z —\"a\""),
        ("echo '—a' \\—b", "echo '—a' '—b'"),
        ("echo —$x", "echo —$x"),
    ]);
    refused(&["—echo", "echo —a$x"]);
}

#[test]
fn characters_that_cannot_be_seen_are_refused() {
    for everywhere in
        ['\0', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{61c}', '\u{200e}', '\u{202e}', '\u{2066}', '\u{2069}']
    {
        refused(&[
            &format!("echo a{everywhere}b"),
            &format!("echo 'a{everywhere}b'"),
            &format!("echo \"{everywhere}\""),
        ]);
    }
    for outside in [
        '\u{ad}',
        '\u{34f}',
        '\u{115f}',
        '\u{1160}',
        '\u{1680}',
        '\u{17b4}',
        '\u{180b}',
        '\u{180f}',
        '\u{2000}',
        '\u{2006}',
        '\u{2008}',
        '\u{200d}',
        '\u{2028}',
        '\u{2029}',
        '\u{205f}',
        '\u{2060}',
        '\u{2065}',
        '\u{206a}',
        '\u{206f}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{fffb}',
        '\u{1bca0}',
        '\u{1d17a}',
        '\u{e0000}',
        '\u{e00ff}',
        '\u{e01f0}',
        '\u{e0fff}',
    ] {
        let code = u32::from(outside);
        refused(&[&format!("echo a{outside}b"), &format!("e{outside}cho"), &format!("echo \\{outside}")]);
        refused(&[&format!("echo a > #o{outside}ps"), &format!("{outside}echo"), &format!("echo a {outside}")]);
        let quoted = format!("echo \"a\\u{{{code:x}}}b\"");
        reads(&[(format!("echo 'a{outside}b'").as_str(), quoted.as_str()), (quoted.as_str(), quoted.as_str())]);
    }
    same(&["echo \u{fe0f} \u{e0100} \u{e000} \u{378} \u{10ffff}", "echo e\u{301} é"]);
}

#[test]
fn names_are_literal() {
    same(&["a", "A-", "a_b-9:Z_", "!!", "!! x"]);
    refused(&["a:", ":a", "a:9", "a:b:c", "a::b", "9a", "_a", "!!a", "!", "a\\b", "a'b'", "a$x", "a`b`", "é", "a.b"]);
    refused(&["echo a | 'b'", "echo $('a')", "each { 'a' }", "echo a && \"b\"", "a=b", "-a", "--", "%s", "”a”"]);
}

#[test]
fn the_name_of_an_option_is_literal() {
    refused(&["a -$x", "a --x$y=1", "a --$(b)=1", "a --x`b`", "a -%s", "a --${x}", "a each { b --$x }", "a $(b -$x)"]);
    same(&["a --x=$y", "a -x=$(b)", "a -- --$x -$(y)", "a - $x", "a \"-$x\"", "a $x,$y", "a ''-$x", "a --x=y$z"]);
    refused(&["a -- b | c --$x", "a '--' --$x"]);
    reads(&[("a \\-$x", "a \"-$x\""), ("a -x\\ $y", "a \"-x $y\"")]);
}

#[test]
fn quotes_open_at_three_places_only() {
    reads(&[
        ("a 'b c' d=\"e f\" \"g\"'h'\"i\"", "a 'b c' d='e f' 'ghi'"),
        ("a b'c d' $x'y' $(z)\"w\" ''", "a b'c d' $x'y' $(z)\"w\" ''"),
        ("a ='b' =='c' x='d'='e'", "a ='b' =='c' x='d'='e'"),
        ("a ''\"\" ''b '' \"\"'c' 'd'\"\" \"\"$x \"\"\"$y\"\"\"", "a '' ''b '' 'c' 'd' ''$x \"$y\""),
        ("a k\\='b'", "a \"k='b'\""),
        ("a \\''b'", "a \"''b'\""),
        ("a b\\ c='d e'", "a 'b c=d e'"),
    ]);
    refused(&["a 'b", "a \"b", "a x='b", "a 'b''c", "a \"b\\\"", "a 'b\\'c'd 'e"]);
}

#[test]
fn double_quotes_have_escapes() {
    reads(&[
        (r#"a "\"\\\$\n\t\u{e9}\u{00e9}\u{10FFFF}""#, "a \"\\\"\\\\\\$\\n\\téé\u{10ffff}\""),
        (r#"a "\a\ \`\'\u\u00e9""#, r#"a "\\a\\ \\`\\'\\u\\u00e9""#),
        (r#"a "`b`" "$" "$5" "a$""#, "a '`b`' '$' '$5' 'a$'"),
        (r#"a "it's $5""#, r#"a "it's \$5""#),
        (r#"a "\u{25}s" "%\u{73}" "%s" "%%s%" "100%""#, r#"a '%s' '%s' "%s" "%%s%" '100%'"#),
        (r#"a "\u{25}s $x""#, r#"a "\u{25}s $x""#),
        (r#"a "\%s""#, r#"a "\\%s""#),
        ("a '\\'", "a '\\'"),
    ]);
    refused(&[r#"a "\u{}""#, r#"a "\u{0}""#, r#"a "\u{0000}""#, r#"a "\u{1234567}""#, r#"a "\u{d800}""#]);
    refused(&[r#"a "\u{110000}""#, r#"a "\u{g}""#, r#"a "\u{41""#, r#"a "\u{ 41}""#]);
}

#[test]
fn a_backslash_quotes_its_word() {
    reads(&[
        ("a b\\ c \\' \\\" \\\\ \\$x", "a 'b c' \"'\" '\"' '\\' '$x'"),
        ("a --m=a\\ b k=v=x\\ y k=v\\=w=x", "a --m='a b' k=v='x y' k='v=w=x'"),
        ("a $x\\ y $(b)\\  %s\\c", "a \"$x y\" \"$(b) \" \"%sc\""),
        ("a x=$y=\\z", "a x=$y='z'"),
        ("a \\\n b\\\t", "a \"\\n\" \"b\\t\""),
        ("a 'b c'\\d \\é", "a 'b cd' 'é'"),
        ("a \\| \\{ \\} \\&\\& \\( \\)", "a '|' '{' '}' '&&' '(' ')'"),
    ]);
    refused(&["a \\", "a b\\", "a $(b\\)"]);
}

#[test]
fn references_reach_into_the_value() {
    same(&["a $_ $_x $__ $_.x $_[0] $x._ $a-b-1.c-d", "a $x['y z'] $x[\"it's\"] $x[''] $_['9']", "a \"$x['y z']\""]);
    reads(&[
        ("a $x['y'] $x[\"y\"] $x[y-z] $x[_]", "a $x.y $x.y $x.y-z $x._"),
        ("a $x[007] $x[-0] $x[-2]", "a $x[7] $x[0] $x[-2]"),
        (
            "a ${x}y ${x}9 ${x}_ ${x}-b ${x}.b ${x}[b] ${x}/b ${x}é",
            "a ${x}y ${x}9 ${x}_ ${x}-b ${x}.b ${x}[b] $x/b $xé",
        ),
        ("a ${_} ${x.y['z w'][0]} \"${x}\"y \"$x\"", "a $_ $x.y['z w'][0] \"$x\"y \"$x\""),
        ("a $x-$y $x--y $x- $x. $x.. $x.-", "a ${x}-$y ${x}--y ${x}- ${x}. ${x}.. ${x}.-"),
        ("a \"$x.'y'\" \"$x.\"", "a \"${x}.'y'\" \"${x}.\""),
        ("a $ $5 $é $$ a$ $* $1 \"$[0]\" $[0] $.a[*]", "a $ $5 $é $$ a$ $* $1 '$[0]' $[0] $.a[*]"),
        ("a $x[\"it's\"]\\ y", "a \"$x['it\\u{27}s'] y\""),
        ("a $x['a\\b'] $x[\"a\\\"b\"] $x[\"a\\nb\"]", "a $x['a\\b'] $x['a\"b'] $x[\"a\\nb\"]"),
        ("a $x['a\u{200b}'] \"$x['a\u{200b}']\"", "a $x[\"a\\u{200b}\"] \"$x['a\\u{200b}']\""),
    ]);
    refused(&["a $x.5", "a \"$x.5\"", "a $x.'y'", "a $x.\"y\"", "a $x[", "a $x[]", "a $x[a", "a $x[ 0]", "a $x[+1]"]);
    refused(&[
        "a $x[1.5]",
        "a $x[a.b]",
        "a $x['a]",
        "a $x['a'",
        "a \"$x[\"a\"]\"",
        "a $x[9223372036854775808]",
        "a $x[-]",
    ]);
    refused(&[
        "a ${",
        "a ${}",
        "a ${x",
        "a ${x y}",
        "a ${ x}",
        "a ${x.}",
        "a ${x.5}",
        "a ${1}",
        "a ${x-}",
        "a ${x.'y'}",
    ]);
    refused(&["a $x[é]", "a $x[$y]", "a \"${x\" }", "a $x['a'b]"]);
}

#[test]
fn percent_s_binds_outside_single_quotes() {
    same(&["a %s x%sy \"%s\" '%s' %d % %%s", "a --x=%s"]);
}

#[test]
fn substitutions_balance_parentheses() {
    reads(&[
        ("a $( b ) `c` x`d`y", "a $(b) $(c) x$(d)y"),
        ("a $(b (c) ((d) e))", "a $(b '(c)' '((d)' 'e)')"),
        ("a $(b x=(c) k=(d=e))", "a $(b x='(c)' k='(d=e)')"),
        ("a $(b ($x) ($(c)))", "a $(b \"($x)\" \"($(c))\")"),
        ("a `b (c ) d` `b e)`", "a $(b '(c' ')' d) $(b 'e)')"),
        ("a $(b `c )` d)", "a $(b $(c ')') d)"),
        ("a `b $(c `d`)`", "a $(b $(c $(d)))"),
        ("a $(each { b (c) })", "a $(each { b '(c)' })"),
        ("a $(each { b })c `each { d }`", "a $(each { b })c $(each { d })"),
        ("a (b) each { b c) }", "a (b) each { b c) }"),
        ("a \"$(b \"c d\")\" \"(x)\"", "a \"$(b 'c d')\" '(x)'"),
        ("a $(b > #ops) $(c && d || e)", "a $(b > #ops) $(c && d || e)"),
        ("a $(b \\)) $(b \"(\" ')')", "a $(b ')') $(b '(' ')')"),
        ("a $(b))c)", "a $(b))c)"),
    ]);
    refused(&["a $(", "a $(b", "a `b", "a $()", "a $( )", "a ``", "a $(b (c)", "a \"$(b\"", "a $(b }", "a $(b | )"]);
    refused(&["a $(each { b)", "a `each { b`", "a each { $(b } )"]);
}

#[test]
fn operators_stand_alone() {
    same(&["a | b && c || d | e", "a |b c&& ||d x>y >> ; & {x} }{ *>>", "a {} { b }", "a '|' \"it's |\""]);
    same(&["a {{ }} { b }"]);
    refused(&[
        "a{",
        "a|b",
        "a |",
        "| a",
        "a && | b",
        "a | | b",
        "a }",
        "}",
        "{ a }",
        "a | { b }",
        "a || ",
        "a { b",
        "a { b}",
    ]);
    refused(&["a { }", "a { b | }", "a { && b }", "a {b }"]);
}

#[test]
fn a_redirect_ends_its_pipeline_with_places() {
    same(&[
        "a > here",
        "a | b > me && c > thread || d *> #x @y irc://z",
        "a { b > me } c",
        "a > #a.b:c,d=e;f",
        "a > x-9://y://z",
    ]);
    reads(&[("a >\nme", "a > me"), ("a > #é", "a > #é")]);
    refused(&[
        "a > x",
        "a >",
        "a *>",
        "a > me you",
        "a > me me",
        "a > me | b",
        "a > me > me",
        "a > me { b }",
        "a > Here",
    ]);
    refused(&[
        "a > #",
        "a > @",
        "a > x://",
        "a > X://y",
        "a > 9x://y",
        "a > ://y",
        "a > #$x",
        "a > #%s",
        "a > '#x'",
        "a > #\\x",
    ]);
    for mark in ["'", "\"", "`", "$", "\\", "(", ")", "{", "}", "|", "<", ">"] {
        refused(&[&format!("a > #x{mark}y"), &format!("a > @{mark}"), &format!("a > irc://a{mark}")]);
    }
}

#[test]
fn limits_hold_exactly() {
    let nested = |open: &str, close: &str, depth: usize| format!("a {}b{}", open.repeat(depth), close.repeat(depth));
    let stages = |count: usize| vec!["a"; count].join(" | ");
    let joined = |count: usize| vec!["a"; count].join(" && ");
    same(&[&format!("a {}", "b".repeat(16_382)), &nested("$(c ", ")", 16), &nested("c { d ", " }", 16)]);
    same(&[&stages(64), &joined(64), &format!("a {{ {} }} | b $({})", stages(64), joined(64))]);
    same(&[&format!("a {}", "$(b)".repeat(64)), &format!("{} $(d)", nested("$(c ", ")", 15))]);
    refused(&[&format!("a {}", "b".repeat(16_383)), &nested("$(c ", ")", 17), &nested("c { d ", " }", 17)]);
    refused(&[&stages(65), &joined(65), &format!("a {{ {} }}", stages(65)), &format!("a $({})", joined(65))]);
    refused(&[&format!("a {}", "$(b)".repeat(65)), &format!("a {}", "`b` ".repeat(65))]);
    refused(&["", " ", "\n\t\u{a0}"]);
}

#[test]
fn the_line_of_an_alias_has_parameters() {
    let cases = [
        ("a $1 $9 $* x$1y $10", "a $1 $9 $* x$1y $10"),
        ("a \"$1 and $*\" '$1' \\$1 \"\\$1\"", "a \"$1 and $*\" '$1' '$1' '$1'"),
        ("a $1\\ b $0 $x $$1", "a \"$1 b\" $0 $x $$1"),
        ("a \"it's \\$1 $2\"", "a \"it's \\$1 $2\""),
        ("a $(b $1) { c $2 } --x=$3 -- $1", "a $(b $1) { c $2 } --x=$3 -- $1"),
        ("a $(b ($1))", "a $(b \"($1)\")"),
    ];
    for (line, canonical) in cases {
        let tree = parse_alias(line).unwrap_or_else(|error| panic!("{}", error.show(line)));
        assert_eq!(tree.to_string(), canonical);
        trees::assert_fixed_point(parse_alias, &tree);
    }
    for line in ["$1", "a | $1", "a --$1", "a > $1", "a > #$*", "a ${1}"] {
        assert!(parse_alias(line).is_err(), "{line}");
    }
}

#[test]
fn paths_stand_alone() {
    let cases = [
        ("a", "a"),
        ("_", "_"),
        ("_.a", "_.a"),
        ("a.b[0]['x.y']", "a.b[0]['x.y']"),
        ("a[\"x.y\"].z", "a['x.y'].z"),
        ("a.\"x.y\".'z w'", "a['x.y']['z w']"),
        ("'x y'.z", "_['x y'].z"),
        ("[0].a", "_[0].a"),
        ("größe.b-1.ü", "_['größe'].b-1['ü']"),
        ("a[-1][k]", "a[-1].k"),
        ("a.\"it's\"", "a[\"it's\"]"),
    ];
    for (text, canonical) in cases {
        let path = parse_path(text).unwrap_or_else(|error| panic!("{}", error.show(text)));
        assert_eq!(path.to_string(), canonical);
        assert_eq!(parse_path(canonical).unwrap(), path);
    }
    for text in ["", ".", ".a", "a.", "a..b", "a.0", "0", "a[", "a[]", "a]", "a b", "a['b", "a.'b", "a'b'", "a[0]b"] {
        assert!(parse_path(text).is_err(), "{text}");
    }
}
