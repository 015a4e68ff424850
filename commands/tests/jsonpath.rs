//! RFC 9535, section by section: a path over one value, and the values that it leads to.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use pipit_commands::{JsonPath, Value};

/// A path, and the values in JSON with commas between, or `refused`.
fn paths(value: &str, cases: &[(&str, &str)]) {
    let value = Value::from_json(value).unwrap();
    let mut wrong = Vec::new();
    for (path, wanted) in cases {
        let found = JsonPath::read(path).and_then(|path| {
            let mut found = Vec::new();
            path.find(&value, &mut found).map(|()| found)
        });
        let shown = match &found {
            Ok(found) => found.iter().map(Value::to_json).collect::<Vec<_>>().join(","),
            Err(_) => String::from("refused"),
        };
        let fine = match (&found, *wanted) {
            (Err(_), "refused") => true,
            (Err(_), _) | (Ok(_), "refused") => false,
            (Ok(found), wanted) => Value::from_json(&format!("[{wanted}]")).unwrap() == Value::from(found.clone()),
        };
        if !fine {
            wrong.push(format!("{path}\n  leads to {shown}\n  not {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn names_indexes_wildcards() {
    paths(
        r#"{"a b":{"c":1},"l":[1,[2,3]],"":0,"é":5,"'":6,"\"":7,"\n":8,"😀":9,"_x":null}"#,
        &[
            ("$['a b'].c", "1"),
            ("$['a b']['c']", "1"),
            ("$[\"a b\"]", r#"{"c":1}"#),
            ("$ .l [1] [0]", "2"),
            ("$\n.l", "[1,[2,3]]"),
            ("$['']", "0"),
            ("$.é", "5"),
            (r#"$["\u00e9"]"#, "5"),
            (r#"$["\u00E9"]"#, "5"),
            (r"$['\'']", "6"),
            (r#"$["'"]"#, "6"),
            (r#"$["\""]"#, "7"),
            (r#"$['"']"#, "7"),
            (r#"$["\n"]"#, "8"),
            (r#"$["\uD83D\uDE00"]"#, "9"),
            ("$.😀", "9"),
            ("$._x", "null"),
            ("$._x.y", ""),
            ("$.nope", ""),
            ("$.l[-1]", "[2,3]"),
            ("$.l[-3]", ""),
            ("$.l.*", "1,[2,3]"),
            ("$.l[*]", "1,[2,3]"),
            ("$.l['0']", ""),
            ("$['a b'].*", "1"),
            ("$.l[0,0]", "1,1"),
            ("$.l[1,0,*]", "[2,3],1,1,[2,3]"),
            ("$.l.length", ""),
            ("$.1", "refused"),
            ("$.", "refused"),
            ("$..", "refused"),
            ("$. l", "refused"),
            ("$.l ", "refused"),
            (" $.l", "refused"),
            ("$l", "refused"),
            ("", "refused"),
            ("$.a b", "refused"),
            ("$.a\nb", "refused"),
            ("$.l[?@ == 1 0]", "refused"),
            ("$.l[?@. x == 1]", "refused"),
            ("$[ 'a b' ] .c", "1"),
            ("$['a b'", "refused"),
            ("$[]", "refused"),
            ("$[0,]", "refused"),
            ("$.l[01]", "refused"),
            ("$.l[-0]", "refused"),
            ("$.l[1.0]", "refused"),
            ("$.l[9007199254740992]", "refused"),
            (r#"$["\'"]"#, "refused"),
            (r#"$['\"']"#, "refused"),
            (r#"$["\uD83D"]"#, "refused"),
            (r#"$["\x"]"#, "refused"),
            ("$['\n']", "refused"),
            ("$.&", "refused"),
        ],
    );
}

#[test]
fn slices() {
    paths(
        r#"["a","b","c","d","e","f","g"]"#,
        &[
            ("$[1:3]", r#""b","c""#),
            ("$[5:]", r#""f","g""#),
            ("$[1:5:2]", r#""b","d""#),
            ("$[5:1:-2]", r#""f","d""#),
            ("$[::-1]", r#""g","f","e","d","c","b","a""#),
            ("$[-2:]", r#""f","g""#),
            ("$[:-5]", r#""a","b""#),
            ("$[3:1]", ""),
            ("$[1:3:0]", ""),
            ("$[:3:]", r#""a","b","c""#),
            ("$[ 1 : 3 : 1 ]", r#""b","c""#),
            ("$[100:]", ""),
            ("$[100:4:-1]", r#""g","f""#),
            ("$[-100:2]", r#""a","b""#),
            ("$[1:-100:-1]", r#""b","a""#),
            ("$[0:9007199254740991:9007199254740991]", r#""a""#),
            ("$[6:0:-9007199254740991]", r#""g""#),
            ("$[1:2,0]", r#""b","a""#),
            ("$[a:b]", "refused"),
            ("$[1:01]", "refused"),
        ],
    );
    paths(r#"{"a":1}"#, &[("$[0:1]", ""), ("$[0]", "")]);
}

#[test]
fn descendants_come_parent_first() {
    paths(
        r#"{"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]}"#,
        &[
            ("$..j", "1,4"),
            ("$..[0]", r#"5,{"j":4}"#),
            ("$.a..[0,1]", r#"5,3,{"j":4},{"k":6}"#),
            ("$.a..[*]", r#"5,3,[{"j":4},{"k":6}],{"j":4},{"k":6},4,6"#),
            ("$.o[*,*]", "1,2,1,2"),
            ("$..o..*", "1,2"),
            ("$.. j", "refused"),
            ("$...j", "refused"),
        ],
    );
}

const STORE: &str = r#"{"a":[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}],"o":{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}},"e":"f"}"#;

#[test]
fn filters() {
    paths(
        STORE,
        &[
            ("$.a[?@.b == 'kilo']", r#"{"b":"kilo"}"#),
            ("$.a[?(@.b == 'kilo')]", r#"{"b":"kilo"}"#),
            ("$.a[?@>3.5]", "5,4,6"),
            ("$.a[?@.b]", r#"{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}"#),
            ("$.a[?!@.b]", "3,5,1,2,4,6"),
            (
                "$[?@.*]",
                r#"[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}],{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}}"#,
            ),
            ("$[?@[?@.b]]", r#"[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}]"#),
            ("$.o[?@<3, ?@<3]", "1,2,1,2"),
            ("$.a[?@<2 || @.b == \"k\"]", r#"1,{"b":"k"}"#),
            ("$.o[?@>1 && @<4]", "2,3"),
            ("$.o[?@.u || @.x]", r#"{"u":6}"#),
            ("$.a[?@.b == $.x]", "3,5,1,2,4,6"),
            ("$.a[?@ == @] ", "refused"),
            ("$.a[?@ == @][?@ == 'j']", r#""j""#),
            ("$.o[?@ <= 1 || @ >= 5]", "1,5"),
            ("$.o[?!(@ > 1)]", r#"1,{"u":6}"#),
            ("$.o[?@ != 1 && @ != 2 && @ != 3 && @ != 5]", r#"{"u":6}"#),
            ("$.o[?@ == 1 || @ == 2 && @ == 3]", "1"),
            ("$.o[?(@ == 1 || @ == 2) && @ == 2]", "2"),
            ("$[?@ == 'f']", r#""f""#),
            ("$[?@.b == null]", ""),
            ("$.a[?@.b != @.c]", r#"{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}"#),
            ("$.a[?1 == @]", "1"),
            ("$.a[?@ == 1.0]", "1"),
            ("$.a[?@ == 1e0]", "1"),
            ("$.a[?@ == '1']", ""),
            ("$.a[?true]", "refused"),
            ("$.a[?@ = 1]", "refused"),
            ("$.a[?@.b == {}]", "refused"),
            ("$.a[?@.* == 1]", "refused"),
            ("$.a[?@..b == 1]", "refused"),
            ("$.a[?]", "refused"),
            ("$.a[?@ == 1 and @ == 2]", "refused"),
        ],
    );
    paths(
        r#"[{"x":null},{"x":true},{"x":[1]},{"x":[1.0]},{"x":"b"},{"x":"a"},{}]"#,
        &[
            ("$[?@.x == null]", r#"{"x":null}"#),
            ("$[?@.x == true]", r#"{"x":true}"#),
            ("$[?@.x == $[2].x]", r#"{"x":[1]},{"x":[1.0]}"#),
            ("$[?@.x < 'b']", r#"{"x":"a"}"#),
            ("$[?@.x <= 'b']", r#"{"x":"b"},{"x":"a"}"#),
            ("$[?@.x < true]", ""),
            ("$[?@.x <= true]", r#"{"x":true}"#),
            ("$[?@.x >= null]", r#"{"x":null}"#),
            ("$[?@.x < $[3].x]", ""),
            ("$[?@.y == @.z]", r#"{"x":null},{"x":true},{"x":[1]},{"x":[1.0]},{"x":"b"},{"x":"a"},{}"#),
            ("$[?@.y <= @.z]", r#"{"x":null},{"x":true},{"x":[1]},{"x":[1.0]},{"x":"b"},{"x":"a"},{}"#),
            ("$[?@.y < @.z]", ""),
        ],
    );
}

#[test]
fn functions() {
    paths(
        STORE,
        &[
            ("$.a[?match(@.b, '[jk]')]", r#"{"b":"j"},{"b":"k"}"#),
            ("$.a[?search(@.b, '[jk]')]", r#"{"b":"j"},{"b":"k"},{"b":"kilo"}"#),
            ("$.a[?!search(@.b, '.')]", r#"3,5,1,2,4,6,{"b":{}}"#),
            ("$.a[?match(@.b, 'j|k')]", r#"{"b":"j"},{"b":"k"}"#),
            ("$.a[?match(@.b, '(')]", ""),
            ("$.a[?match(@.b, $.e)]", ""),
            ("$.a[?length(@.b) == 4]", r#"{"b":"kilo"}"#),
            ("$.a[?length(@.b) < 1]", r#"{"b":{}}"#),
            ("$[?length(@) == 10].length", ""),
            ("$[?length(@) == 5]", r#"{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}}"#),
            ("$[?count(@.*) == 5]", r#"{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}}"#),
            ("$[?count(@..b) == 4].length", ""),
            ("$[?value(@..u) == 6]", r#"{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}}"#),
            ("$.a[?length(value(@.*)) == 4]", r#"{"b":"kilo"}"#),
            ("$.a[?length(@)]", "refused"),
            ("$.a[?count(@.*)]", "refused"),
            ("$.a[?match(@.b, 'x') == true]", "refused"),
            ("$.a[?length(@.*) == 1]", "refused"),
            ("$.a[?match(@.*, 'x')]", "refused"),
            ("$.a[?count(1) == 1]", "refused"),
            ("$.a[?count() == 1]", "refused"),
            ("$.a[?length(@, @) == 1]", "refused"),
            ("$.a[?in(@, $.a)]", "refused"),
            ("$.a[?nosuch(@) == 1]", "refused"),
            ("$.a[?length (@) == 1]", "refused"),
        ],
    );
    paths(
        r#"["a\nb","a\rb","axb","Ab","é😀"]"#,
        &[
            ("$[?match(@, 'a.b')]", r#""axb""#),
            ("$[?search(@, 'a')]", r#""a\nb","a\rb","axb""#),
            (r"$[?match(@, '\\p{Lu}b')]", r#""Ab""#),
            ("$[?length(@) == 2]", r#""Ab","é😀""#),
        ],
    );
}

#[test]
fn a_path_is_bounded() {
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    paths(&deep, &[("$..*..*..*..*..*..*..*", "refused"), (&format!("${}", "[?@".repeat(40)), "refused")]);
    paths("[1]", &[(&format!("$[{}0]", "0,".repeat(600)), "refused")]);
}
