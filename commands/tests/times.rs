//! Times and charts, sentence by sentence.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "play/cases.rs"]
mod cases;

use cases::play;

#[tokio::test]
async fn times() {
    play(&[
        ("now --zone=Europe/Zurich", r#""2030-03-17T18:46:40.000+01:00""#),
        ("now --zone=-03:30 --format='%Y-%m-%d %H:%M'", r#""2030-03-17 14:16""#),
        ("now --zone=Mars/Olympus", "exit 2"),
        ("now --format='%'", "exit 2"),
        ("now here", "exit 2"),
        ("time 2030-01-31", r#""2030-01-31T00:00:00Z""#),
        ("time '2030-01-31 12:00:01.250+01:00'", r#""2030-01-31T11:00:01.25Z""#),
        ("time 2030-03-31T02:30 --zone=Europe/Zurich", r#""2030-03-31T03:30:00+02:00""#),
        ("time 'Sat, 13 Jul 2024 15:09:59 -0400'", r#""2024-07-13T19:09:59Z""#),
        ("list 0 -1 1.5 1900000000000 '60' | time", r#""1970-01-01T00:00:00Z","1969-12-31T23:59:59Z","1970-01-01T00:00:01.5Z","2030-03-17T17:46:40Z","1970-01-01T00:01:00Z""#),
        ("time 2030-01-31 --add=1mo", r#""2030-02-28T00:00:00Z""#),
        ("time 2030-01-31 --add=-36h", r#""2030-01-29T12:00:00Z""#),
        ("time 2030-03-30T12:00 --add=1d --zone=Europe/Zurich", r#""2030-03-31T12:00:00+02:00""#),
        ("time 9999-12-30 --add=2d", "exit 1"),
        ("time 2030-01-31 --add=soon", "exit 2"),
        ("time yesterday", "exit 2"),
        ("time 2030-02-30", "exit 2"),
        ("echo yesterday | time", "exit 1"),
        ("list null | time", "exit 1"),
        ("list 1e300 | time", "exit 1"),
        ("time", "exit 2"),
        ("since 2030-03-17T17:46:30Z", "10"),
        ("now | since", "0"),
        ("since 2030-03-18 --until=2030-03-17", "-86400"),
        ("since 2030-03-18 --until=never", "exit 2"),
        ("list 2030-01-02 2029-12-31 | time | sort | head", r#""2029-12-31T00:00:00Z""#),
    ])
    .await;
}

#[tokio::test]
async fn charts() {
    play(&[
        ("list 3 | chart spark", r#""▁""#),
        ("range 8 | chart spark", r#""▁▂▃▄▅▆▇█""#),
        ("list 5 5 | chart spark", r#""▁▁""#),
        ("range 1000 | chart spark --width=4", r#""▁▃▆█""#),
        ("list 2 -1 | chart bar --width=6", "\"  ████   2\\n██      -1\""),
        ("list 0 0.001 10 | chart bar --width=2", "\"        0\\n▏   0.001\\n██     10\""),
        ("list 0 0 | chart bar --width=2", "\"    0\\n    0\""),
        (r#"seed '[{"e":"日本","n":1},{"e":"p","n":2}]' | chart bar --width=2"#, "\"日本  █   1\\np     ██  2\""),
        (r#"seed '[{"n":1,"a":"x","b":"y"}]' | chart bar n --label=b --width=1"#, "\"y  █  1\""),
        (r#"seed '[{"n":1},{"n":null},{},{"n":"2"}]' | chart bar n --width=2"#, "\"0  █   1\\n3  ██  2\""),
        ("list 1 1 | chart line", "\"1 ┼──\""),
        ("list 2 0 1 | chart line --height=3", "\"2 ┼─╮\\n1 ┤ │╭\\n0 ┤ ╰╯\""),
        ("list 1e308 -1e308 | chart spark", r#""█▁""#),
        ("nil | chart line", ""),
        ("list a | chart bar", "exit 1"),
        ("list true | chart spark", "exit 1"),
        (r#"seed '{"a":"x"}' | chart bar"#, "exit 1"),
        ("range 501 | chart bar", "exit 1"),
        ("list 1 | chart pie", "exit 2"),
        ("list 1 | chart bar --width=0", "exit 2"),
        ("chart spark", ""),
    ])
    .await;
}
