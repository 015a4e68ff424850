//! `jq` through the binary: what it gives, how it streams, and that no program gets out of its process, stays for long
//! or leaves anything behind.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PIPIT: &str = env!("CARGO_BIN_EXE_pipit");

/// What came of a line: the exit code, standard output, standard error.
fn play(home: &Path, line: &str) -> (i32, String, String) {
    let mut command = Command::new(PIPIT);
    command.args(["run", "--json", "--home"]).arg(home).args(["--", line]).env("SECRET_OF_THE_SHELL", "hidden");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Nothing of a run is left: no process whose private folder is in this home, and no folder.
fn nothing_is_left(home: &Path) {
    let runs = home.join("runs");
    let left: Vec<_> = std::fs::read_dir(&runs).map(|all| all.flatten().collect()).unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let folder = std::fs::read_link(process.path().join("cwd")).unwrap_or_default();
        assert!(!folder.starts_with(&runs), "{} still runs", process.path().display());
    }
}

#[test]
fn values() {
    let home = tempfile::tempdir().unwrap();
    let cases = [
        ("list 1 2 3 | jq 'select(. > 1) * 10'", "20\n30\n"),
        ("seed '{\"a\":[1,{\"b\":null}]}' | jq '.a[1].b, .a[0], .c'", "null\n1\nnull\n"),
        ("seed '{\"b\":1,\"a\":2}' | jq .", "{\"b\":1,\"a\":2}\n"),
        ("list 9223372036854775807 -9223372036854775808 | jq .", "9223372036854775807\n-9223372036854775808\n"),
        ("list 9007199254740993 | jq '. + 0'", "9007199254740993\n"),
        ("list 1.0 2.5 | jq '., . / 2'", "1.0\n0.5\n2.5\n1.25\n"),
        ("list 6 | jq '. / 2, nan'", "3\nnull\n"),
        ("list \"a\\u{1}\\\"\\\\ü\u{1f600}\" | jq '., length'", "\"a\\u0001\\\"\\\\ü\u{1f600}\"\n6\n"),
        ("seed '[{\"k\":\"x\",\"n\":1},{\"k\":\"y\",\"n\":2}]' | jq '{(.k): .n}'", "{\"x\":1}\n{\"y\":2}\n"),
        ("list a b | jq empty", ""),
        ("list 'x,y' | jq 'split(\",\") | map(ascii_upcase) | join(\"-\")'", "\"X-Y\"\n"),
        ("list 3 | jq '[limit(.; repeat(1))] | add'", "3\n"),
        ("list 1 | jq 'try error(\"x\") catch .'", "\"x\"\n"),
        ("list 'a1b2' | jq '[match(\"[0-9]\"; \"g\").string]'", "[\"1\",\"2\"]\n"),
        ("list 0 | jq 'todate'", "\"1970-01-01T00:00:00Z\"\n"),
        ("range 3 | jq '. as $x | [$x, $x]' | count", "3\n"),
    ];
    for (line, wanted) in cases {
        let (code, said, error) = play(home.path(), line);
        assert_eq!((code, said.as_str()), (0, wanted), "{line}: {error}");
    }
    nothing_is_left(home.path());
}

#[test]
fn a_program_with_a_fault_is_refused_before_anything_runs() {
    let home = tempfile::tempdir().unwrap();
    let long = "1,".repeat(2049);
    let deep = "[".repeat(4000);
    let cases = [
        (".[", "closing bracket is wanted at the end"),
        ("if . then 1", "else or end is wanted at the end"),
        ("1 + nothere", "there is no function nothere at character 5"),
        ("$x", "there is no variable $x"),
        ("import \"a\" as a; 1", "there are no modules"),
        (&long, "4096 are the most"),
        (&deep, "closing bracket is wanted"),
        ("", "term is wanted"),
    ];
    for (program, wanted) in cases {
        let (code, said, error) = play(home.path(), &format!("echo first | jq '{program}'"));
        assert_eq!((code, said.as_str()), (2, ""), "{program}: {error}");
        assert!(error.contains(wanted), "{program}: {error}");
    }
}

#[test]
fn a_program_sees_its_input_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let absent = [
        "env",
        "$ENV",
        "$ENV.SECRET_OF_THE_SHELL",
        "input",
        "inputs",
        "debug",
        "debug(1)",
        "stderr",
        "now",
        "halt",
        "halt_error",
        "halt_error(1)",
        "input_filename",
        "input_line_number",
        "$__prog_args",
        "localtime",
        "get_search_list",
        "modulemeta",
    ];
    for program in absent {
        let (code, said, error) = play(home.path(), &format!("echo 1 | jq '{program}'"));
        assert_eq!((code, said.as_str()), (2, ""), "{program}: {error}");
    }
}

#[test]
fn a_value_that_the_program_fails_on_ends_the_line() {
    let home = tempfile::tempdir().unwrap();
    let cases = [
        ("seed '{\"a\":1}' | jq '.a.b'", "", "cannot index 1 with \"b\""),
        ("list 1 2 x 3 | jq '. * 2 | tostring | tonumber + 1'", "3\n5\n", "cannot"),
        ("list 1 | jq 'error(\"own words\")'", "", "own words"),
        ("list 1 | jq '{(1): 2}'", "", "is no text"),
        ("list 9223372036854775807 | jq '. + 1'", "", "beyond 64 bits"),
        ("list 1 | jq 'tobytes'", "", "bytes"),
        ("list 1 | jq 'reduce range(100) as $i (null; [.])'", "", "more than 64 deep"),
    ];
    for (line, shown, wanted) in cases {
        let (code, said, error) = play(home.path(), line);
        assert_eq!((code, said.as_str()), (1, shown), "{line}: {error}");
        assert!(error.contains(wanted), "{line}: {error}");
    }
    let (code, said, _) = play(home.path(), "try { list 1 | jq '.a' } { echo caught }");
    assert_eq!((code, said.as_str()), (0, "\"caught\"\n"));
    let (_, _, error) = play(home.path(), "list 1 | jq '\"x\" * 100000 | error'");
    assert!(error.len() < 1000, "a message is as long as the value: {}", error.len());
}

#[test]
fn hostile_programs_end_within_their_limits() {
    let home = tempfile::tempdir().unwrap();
    let cases = [
        ("last(repeat(1))", "processor time"),
        ("def f: 1 + f; f", "too deep"),
        ("def f: [f]; f", "too deep"),
        ("[range(1e12)]", "MiB of memory"),
        ("\"x\" * 1000000000000", ""),
        ("[limit(100; repeat(\"x\" * 10000000))]", ""),
        ("\"x\" * 2000000", "longer than 1 MiB"),
        ("repeat(\"x\" * 100000)", "larger than 64 MiB"),
        ("reduce range(10000000) as $i (null; [.])", ""),
    ];
    std::thread::scope(|scope| {
        for (program, wanted) in cases {
            let home = home.path();
            scope.spawn(move || {
                let began = Instant::now();
                let (code, _, error) = play(home, &format!("list 1 | jq '{program}' | count"));
                assert_eq!(code, 1, "{program}: {error}");
                assert!(error.contains(wanted), "{program}: {error}");
                assert!(began.elapsed() < Duration::from_mins(2), "{program} took {:?}", began.elapsed());
            });
        }
    });
    nothing_is_left(home.path());
}

#[test]
fn results_come_as_they_are_made_and_an_early_end_ends_the_process() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(PIPIT);
    command.args(["run", "--json", "--home"]).arg(home.path()).args(["--", "list 1 | jq '1, last(repeat(2))'"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, "1\n");
    assert!(began.elapsed() < Duration::from_secs(5), "the first result took {:?}", began.elapsed());
    // the reader has gone; the program would go on for long
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    child.wait().unwrap();

    let began = Instant::now();
    let (code, said, error) = play(home.path(), "list 1 | jq 'repeat(7)' | head 3");
    assert_eq!((code, said.as_str()), (0, "7\n7\n7\n"), "{error}");
    let (code, said, error) = play(home.path(), "range 100000000 | jq '. + 1' | head 2");
    assert_eq!((code, said.as_str()), (0, "1\n2\n"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(8), "it took {:?}", began.elapsed());
    nothing_is_left(home.path());
}

#[test]
fn many_values_go_through_one_process() {
    let home = tempfile::tempdir().unwrap();
    let (code, said, error) = play(home.path(), "range 50000 | jq '. * 2' | sum");
    assert_eq!((code, said.as_str()), (0, "2499950000\n"), "{error}");
}
