//! What a person sees when a line is refused: the whole text, for poor messages are failures too.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use pipit_grammar::parse;

/// A line, and what is shown for it.
const SHOWN: &[(&str, &str)] = &[
    (
        "echo $(date | upper",
        r#"error: $( is never closed
  echo $(date | upper
       ^^
  close it with )"#,
    ),
    (
        "echo a `date",
        r#"error: ` is never closed
  echo a `date
         ^
  close it with `"#,
    ),
    (
        "echo 'it is",
        r#"error: ' is never closed
  echo 'it is
       ^
  close it with ', or write \' for the mark itself"#,
    ),
    (
        "echo \"he said \\\"",
        r#"error: " is never closed
  echo "he said \"
       ^
  close it with ", or write \" for the mark itself"#,
    ),
    (
        "each { echo a",
        r#"error: { is never closed
  each { echo a
       ^
  close it with }, a blank before it"#,
    ),
    (
        "each { echo a}",
        r#"error: { is never closed
  each { echo a}
       ^
  close it with }, blanks around it; one that is glued to a word is a letter"#,
    ),
    (
        "echo $(each { a )",
        r#"error: { is never closed
  echo $(each { a )
              ^
  close it with }, a blank before it"#,
    ),
    (
        "each { echo $(a }",
        r#"error: $( is never closed
  each { echo $(a }
              ^^
  close it with )"#,
    ),
    (
        "a|b",
        r#"error: a|b is not a command's name
  a|b
  ^^^
  a pipe stands alone; write blanks around it: a | b"#,
    ),
    (
        "echo x | a&&b",
        r#"error: a&&b is not a command's name
  echo x | a&&b
           ^^^^
  && stands alone; write blanks around it: a && b"#,
    ),
    (
        "cpu>80",
        r#"error: cpu>80 is not a command's name
  cpu>80
  ^^^^^^
  to compare, write where cpu>80; to post to a place, write blanks around >"#,
    ),
    (
        "a||b",
        r#"error: a||b is not a command's name
  a||b
  ^^^^
  || stands alone; write blanks around it: a || b"#,
    ),
    (
        "where cpu > 80",
        r#"error: "80" is not a place; to compare, write cpu>80
  where cpu > 80
              ^^
  a place is here, me, thread, #room, @user or adapter://place"#,
    ),
    (
        "echo a > ops",
        r#"error: "ops" is not a place; for a room, write #ops; to compare, write a>ops
  echo a > ops
           ^^^
  a place is here, me, thread, #room, @user or adapter://place"#,
    ),
    (
        "echo a > Here",
        r#"error: "Here" is not a place; write here
  echo a > Here
           ^^^^
  a place is here, me, thread, #room, @user or adapter://place"#,
    ),
    (
        "echo a > /etc/passwd",
        r#"error: "/etc/passwd" is not a place; values are not written to files
  echo a > /etc/passwd
           ^^^^^^^^^^^
  a place is here, me, thread, #room, @user or adapter://place"#,
    ),
    (
        "echo a > $room",
        r#"error: "$room" is not a place; a place is never computed
  echo a > $room
           ^^^^^
  a place is here, me, thread, #room, @user or adapter://place"#,
    ),
    (
        "echo a > '#ops'",
        r#"error: "'#ops'" is not a place; a place is a bare word, such as #ops
  echo a > '#ops'
           ^^^^^^
  a place is here, me, thread, #room, @user or adapter://place"#,
    ),
    (
        "echo a > --force",
        r#"error: "--force" is not a place; options stand before the redirect
  echo a > --force
           ^^^^^^^
  a place is here, me, thread, #room, @user or adapter://place"#,
    ),
    (
        "echo a > me you",
        r#"error: > takes one place
  echo a > me you
              ^^^
  for several write *> here #ops; words and options stand before the redirect"#,
    ),
    (
        "echo a > me | upper",
        r#"error: a redirect ends its pipeline
  echo a > me | upper
              ^
  write the redirect at the end"#,
    ),
    (
        "echo a > me > here",
        r#"error: a redirect ends its pipeline
  echo a > me > here
              ^
  for several places write *> here #ops"#,
    ),
    (
        "echo a >",
        r#"error: a place is missing after >
  echo a >
         ^
  a place is here, me, thread, #room, @user or adapter://place; for the mark itself write '>'"#,
    ),
    (
        "echo a > #(x)",
        r##"error: "#(x)" is not a place
  echo a > #(x)
           ^^^^
  a place is here, me, thread, #room, @user or adapter://place, and has no quotes, brackets or marks of the language"##,
    ),
    (
        "each { a } > 5",
        r#"error: "5" is not a place; to compare, write _>5
  each { a } > 5
               ^
  a place is here, me, thread, #room, @user or adapter://place"#,
    ),
    (
        "deploy --$flag=1",
        r#"error: the name of an option is never computed
  deploy --$flag=1
           ^
  write the name in full, as in --name=$x, or put -- before the word"#,
    ),
    (
        "echo $(x --$flag)",
        r#"error: the name of an option is never computed
  echo $(x --$flag)
             ^
  write the name in full, as in --name=$x, or put -- before the word"#,
    ),
    (
        "$cmd x",
        r#"error: $cmd is not a command's name
  $cmd x
  ^^^^
  a name is never computed, so that the line can be judged before it runs; write it out"#,
    ),
    (
        "$(echo deploy) x",
        r#"error: $(echo is not a command's name
  $(echo deploy) x
  ^^^^^^
  a name is never computed, so that the line can be judged before it runs; write it out"#,
    ),
    (
        "echo $(`x`)",
        r#"error: `x is not a command's name
  echo $(`x`)
         ^^
  a name is never computed, so that the line can be judged before it runs; write it out"#,
    ),
    (
        "'echo' x",
        r#"error: 'echo' is not a command's name
  'echo' x
  ^^^^^^
  a name is never quoted; write echo"#,
    ),
    (
        "ec\\ho",
        r#"error: ec\ho is not a command's name
  ec\ho
  ^^^^^
  a name has no escapes; write it out"#,
    ),
    (
        "!echo",
        r#"error: !echo is not a command's name
  !echo
  ^^^^^
  leave out the !, write echo"#,
    ),
    (
        "dеploy:run",
        r#"error: dеploy:run is not a command's name
  dеploy:run
  ^^^^^^^^^^
  names are of ASCII letters and digits; е is U+0435"#,
    ),
    (
        "--help",
        r#"error: --help is not a command's name
  --help
  ^^^^^^
  an option follows the name of its command"#,
    ),
    (
        "a:b:c",
        r#"error: a:b:c is not a command's name
  a:b:c
  ^^^^^
  a name has one colon at most, with a name on both sides: bundle:command"#,
    ),
    (
        "9lives",
        r#"error: 9lives is not a command's name
  9lives
  ^^^^^^
  a name is of letters, digits, _ and -, and begins with a letter"#,
    ),
    (
        "echo $((1 + 2))",
        r#"error: (1 is not a command's name
  echo $((1 + 2))
         ^^
  every line begins with a command, inside $( ) too"#,
    ),
    (
        "| a",
        r#"error: a command is missing before |
  | a
  ^
  every stage begins with a command's name"#,
    ),
    (
        "a |",
        r#"error: a command is missing after |
  a |
    ^
  every stage begins with a command's name"#,
    ),
    (
        "a && | b",
        r#"error: a command is missing before |
  a && | b
       ^
  every stage begins with a command's name"#,
    ),
    (
        "echo $()",
        r#"error: nothing stands inside the substitution
  echo $()
       ^^
  every stage begins with a command's name"#,
    ),
    (
        "each { }",
        r#"error: nothing stands inside the block
  each { }
       ^^
  every stage begins with a command's name"#,
    ),
    (
        "echo $( | a)",
        r#"error: a command is missing before |
  echo $( | a)
          ^
  every stage begins with a command's name"#,
    ),
    (
        "}",
        r#"error: } closes nothing
  }
  ^
  for the mark itself write '}'"#,
    ),
    (
        "echo a } b",
        r#"error: } closes nothing
  echo a } b
         ^
  for the mark itself write '}'"#,
    ),
    (
        "{ echo a }",
        r#"error: a command is missing before the block
  { echo a }
  ^
  as in each { echo $_ }"#,
    ),
    (
        " ",
        r#"error: nothing was said
  
  ^
  type a command, such as help"#,
    ),
    (
        "echo a\u{200b}b",
        r#"error: U+200B is a zero-width space, which nobody sees
  echo a�b
        ^
  take it out, or put the word in quotes; in double quotes it can be written \u{200b}"#,
    ),
    (
        "de\u{ad}ploy",
        r#"error: U+00AD is a soft hyphen, which nobody sees
  de�ploy
    ^
  take it out, or put the word in quotes; in double quotes it can be written \u{ad}"#,
    ),
    (
        "echo \u{202e}abc",
        r#"error: U+202E is a bidi control: it can show another line
  echo �abc
       ^
  take it out; in double quotes it can be written \u{202e}"#,
    ),
    (
        "echo a\rb",
        r#"error: U+000D is a control character
  echo a�b
        ^
  take it out; in double quotes it can be written \u{d}"#,
    ),
    (
        "echo a\u{2003}b",
        r#"error: U+2003 is a blank that separates no words
  echo a�b
        ^
  type a plain one, or put the word in quotes; in double quotes it can be written \u{2003}"#,
    ),
    (
        "echo $x.5",
        r#"error: a key begins with a letter
  echo $x.5
         ^^
  for a place in a list write $x[5]; to end the reference, ${x}"#,
    ),
    (
        "echo $x.'y'",
        r#"error: a quoted key stands in brackets
  echo $x.'y'
         ^^
  write $x['a key']; to end the reference, ${x}"#,
    ),
    (
        "echo $x[",
        r#"error: [ ] after a reference holds an index or a key
  echo $x[
         ^
  write [0], [key] or ['any key']; to end the reference before the bracket, ${name}"#,
    ),
    (
        "echo $x[a b]",
        r#"error: [ ] after a reference holds an index or a key
  echo $x[a b]
         ^^^^^
  write [0], [key] or ['any key']; to end the reference before the bracket, ${name}"#,
    ),
    (
        "echo \"$x[\"a\"]\"",
        r#"error: [ ] after a reference holds an index or a key
  echo "$x["a"]"
          ^^^^^
  inside double quotes write [0], [key] or ['any key']; to end the reference, ${name}"#,
    ),
    (
        "echo ${",
        r#"error: ${ wants the name of a field
  echo ${
       ^^
  write ${name}, ${name.key} or ${name[0]}, without blanks"#,
    ),
    (
        "echo ${x y}",
        r#"error: ${ } holds nothing but a path
  echo ${x y}
          ^
  write ${name}, ${name.key} or ${name[0]}, without blanks"#,
    ),
    (
        "echo ${x",
        r#"error: ${ is never closed
  echo ${x
       ^^
  close it with }"#,
    ),
    (
        "echo $x[99999999999999999999]",
        r#"error: no list is so long
  echo $x[99999999999999999999]
          ^^^^^^^^^^^^^^^^^^^^"#,
    ),
    (
        "echo $x['a",
        r#"error: ' is never closed
  echo $x['a
          ^
  close the key with ']"#,
    ),
    (
        "echo \"\\u{}\"",
        r#"error: \u{ } holds no code point
  echo "\u{}"
        ^^^
  write 1 to 6 hexadecimal digits, as in \u{e9}; for the mark itself write \\u{"#,
    ),
    (
        "echo \"\\u{0}\"",
        r#"error: the null character stands in no text
  echo "\u{0}"
        ^^^^^
  write 1 to 6 hexadecimal digits, as in \u{e9}; for the mark itself write \\u{"#,
    ),
    (
        "echo \"\\u{d800}\"",
        r#"error: no character has this code point
  echo "\u{d800}"
        ^^^^^^^^
  write 1 to 6 hexadecimal digits, as in \u{e9}; for the mark itself write \\u{"#,
    ),
    (
        "echo a\\",
        r#"error: a backslash with nothing after it
  echo a\
        ^
  write \\ for the mark itself"#,
    ),
    (
        "echo 日本 👩\u{200d}👧 $(date",
        r#"error: U+200D is a joiner, which nobody sees
  echo 日本 👩‍👧 $(date
              ^
  take it out, or put the word in quotes; in double quotes it can be written \u{200d}"#,
    ),
    (
        "echo a\nb\n$(c",
        r#"error: $( is never closed
  echo a b $(c
           ^^
  close it with )"#,
    ),
];

#[test]
fn a_refused_line_shows_what_where_and_what_now() {
    let mut wrong = String::new();
    for (line, expected) in SHOWN {
        let shown = parse(line).map_or_else(|error| error.show(line), |tree| format!("{line:?} is read as {tree}"));
        if shown != *expected {
            wrong.push_str(&format!("\n{line:?} shows\n{shown}\n  expected\n{expected}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn of_a_long_line_the_part_around_the_place_is_shown() {
    let long = format!("echo {} $(x {}", "a".repeat(100), "b".repeat(100));
    let expected = format!(
        "error: $( is never closed\n  …{} $(x {}…\n  {}^^\n  close it with )",
        "a".repeat(35),
        "b".repeat(32),
        " ".repeat(37)
    );
    assert_eq!(parse(&long).unwrap_err().show(&long), expected);
}

#[test]
fn carets_stand_under_wide_characters() {
    let line = "echo 日本語 '👩\u{200d}👧' $x[é]";
    let shown = parse(line).unwrap_err().show(line);
    assert!(shown.contains("\n                    ^^^\n"), "{shown}");
}

#[test]
fn limits_say_their_number() {
    let cases = [
        (format!("a {}", "é".repeat(9_000)), "a line holds at most 16384 bytes; this one has 18002"),
        (format!("a {}", "$(b)".repeat(65)), "a line holds at most 64 substitutions"),
        ("a { ".repeat(17), "blocks and substitutions stand in each other at most 16 deep"),
        (vec!["a"; 65].join(" && "), "a line holds at most 64 stages"),
    ];
    for (line, message) in cases {
        assert_eq!(parse(&line).unwrap_err().message, message);
    }
}

/// House style: a message is lower case but for code, without a full stop, and every error knows a next step.
#[test]
fn every_message_is_short_and_helps() {
    for (line, _) in SHOWN {
        let error = parse(line).unwrap_err();
        let help = error.help.as_deref().unwrap_or_default();
        assert!(!help.is_empty() || error.message == "no list is so long", "{line:?}: {error}");
        for text in [error.message.as_str(), help] {
            assert!(!text.ends_with('.') && text.len() <= 200, "{line:?}: {text}");
        }
    }
}
