//! What a person sees when a line is refused: the whole text, for poor messages are failures too.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
use pipit_grammar::parse;
#[test]
fn dump() {
    for line in [
        "echo $(date | upper", "echo a `date", "echo 'it is", "echo \"he said \\\"", "each { echo a", "each { echo a}", "echo $(each { a )", "each { echo $(a }",
        "a|b", "list 1 2|sort", "echo x | a&&b", "cpu>80", "a||b", "where cpu > 80", "echo a > ops", "echo a > Here", "echo a > /etc/passwd", "echo a > $room", "echo a > '#ops'", "echo a > --force", "echo a > me you", "echo a > me | upper", "echo a > me > here", "echo a >", "echo a > #(x)", "each { a } > 5",
        "deploy --$flag=1", "echo $(x --$flag)", "$cmd x", "$(echo deploy) x", "echo $(`x`)", "'echo' x", "ec\\ho", "!echo", "dеploy:run", "--help", "a:b:c", "9lives", "echo $((1 + 2))",
        "| a", "a |", "a && | b", "echo $()", "each { }", "echo $( | a)", "}", "echo a } b", "{ echo a }", " ", 
        "echo a\u{200b}b", "de\u{ad}ploy", "echo \u{202e}abc", "echo a\rb", "echo a\u{2003}b",
        "echo $x.5", "echo $x.'y'", "echo $x[", "echo $x[a b]", "echo \"$x[\"a\"]\"", "echo ${", "echo ${x y}", "echo ${x", "echo $x[99999999999999999999]", "echo $x['a",
        "echo \"\\u{}\"", "echo \"\\u{0}\"", "echo \"\\u{d800}\"", "echo a\\",
        "echo 日本 👩‍👧 $(date", "echo a\nb\n$(c",
    ] {
        println!("{:?}\n{}\n", line, parse(line).unwrap_err().show(line));
    }
    let long = format!("echo {} $(x {}", "a".repeat(100), "b".repeat(100));
    println!("{}", parse(&long).unwrap_err().show(&long));
    let long = format!("echo {}", "é".repeat(9000));
    println!("{}", parse(&long).unwrap_err().show(&long));
    let long = format!("echo {}", "$(a)".repeat(65));
    println!("{}", parse(&long).unwrap_err().show(&long));
    let long = "a { ".repeat(18);
    println!("{}", parse(&long).unwrap_err().show(&long));
    let long = vec!["a"; 65].join(" | ");
    println!("{}", parse(&long).unwrap_err().show(&long));
}
