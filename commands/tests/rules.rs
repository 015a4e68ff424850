//! What every command promises, sentence by sentence: a line, and the values or the exit code that it comes to.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "play/cases.rs"]
mod cases;

use cases::play;

const SERVERS: &str =
    r#"[{"n":"web-1","env":"prod","cpu":91},{"n":"web-2","env":"stage","cpu":15},{"n":"db-1","env":"prod","cpu":40}]"#;

/// The same with `S` for the servers.
async fn play_servers(cases: &[(&str, &str)]) {
    let lines: Vec<(String, &str)> =
        cases.iter().map(|(line, wanted)| (format!("seed '{SERVERS}' | {line}"), *wanted)).collect();
    let lines: Vec<(&str, &str)> = lines.iter().map(|(line, wanted)| (line.as_str(), *wanted)).collect();
    play(&lines).await;
}

#[tokio::test]
async fn values() {
    play(&[
        ("echo", r#""""#),
        ("list true | echo a", r#""a true""#),
        ("list 1.0 | echo a", r#""a 1.0""#),
        ("list null | echo a", r#""a""#),
        ("list a | echo $(nil)", r#""a""#),
        ("list a, b c ,d,", r#""a","b c","d""#),
        ("list ,", r#""""#),
        ("list a,,", r#""a","""#),
        ("list 'x',1", r#""x",1"#),
        ("list '1',2", r#""1",2"#),
        ("list 1 2, 3", r#""1 2",3"#),
        ("list $(echo a,b) c", r#""a,b","c""#),
        ("list $(echo a,b), 2", r#""a,b",2"#),
        ("seed '[[1],2]' | list", "[1],2"),
        ("range 0 10 3", "0,3,6,9"),
        ("range 5 1 -2", "5,3"),
        ("range 1 5 0", "exit 2"),
        ("list 0 | range 1 5 $_", "exit 1"),
        ("range 9223372036854775806 9223372036854775807 5", "9223372036854775806"),
        ("range '3'", "0,1,2"),
        ("echo 3 | range", "0,1,2"),
        ("echo 3 | range 1 5", "1,2,3,4"),
        ("random 1", "0"),
        ("random 0", "exit 2"),
        ("list 5 5 5 | random", "5"),
        ("nil | or 1 'x' true", r#"1,"x",true"#),
        ("list null | or 1", "null"),
        ("or", "exit 2"),
        ("seed '[null]' | error", "exit 1"),
        ("error", "exit 2"),
        ("seed 01", "exit 2"),
        ("seed 9223372036854775808", "exit 2"),
        (
            "seed '[45e-32,1.7976931348623157e308,5e-324,0.1]' | to json",
            r#""4.5e-31","1.7976931348623157e+308","5e-324","0.1""#,
        ),
        ("seed -9223372036854775809", "exit 2"),
        ("seed 99999999999999999999", "exit 2"),
        (r#"seed '{"a":["\\"1",-99999999999999999999]}'"#, "exit 2"),
        (r#"seed '["99999999999999999999","\\\\\"",1e19,-1E19,9223372036854775807]' | count"#, "5"),
        ("uuid | match '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'", "{}"),
        ("now", r#""2030-03-17T17:46:40.000Z""#),
    ])
    .await;
}

#[tokio::test]
async fn choosing() {
    play(&[
        ("list a b c | head 0", ""),
        ("list a b c | head -1", "exit 2"),
        ("list a b c | tail 2", r#""b","c""#),
        ("list a b c | rest 2", r#""c""#),
        ("list a b c | rest 0", r#""a","b","c""#),
        ("list a b c | skip 9", ""),
        ("list a b c | droplast 0", r#""a","b","c""#),
        ("list a b c | droplast 2", r#""a""#),
        ("list a b c | nth -1", "exit 2"),
        ("range 1000 | nth 999", "999"),
        ("range 1000 | sample 3 | count", "3"),
        ("range 5 | sample 9", "0,1,2,3,4"),
        ("range 5 | sample 0", ""),
        ("range 1000000000000 | nth 3", "3"),
        ("list 1 1.0 '1' true 'true' null 'null' | unique", r#"1,"1",true,"true",null,"null""#),
        ("seed '[[1,2],[1.0,2],[2,1]]' | unique", "[1,2],[2,1]"),
        (r#"seed '[{"a":{"b":1}},{"a":{"b":1},"c":2},{"c":1},{"c":2}]' | unique a.b"#, r#"{"a":{"b":1}},{"c":1}"#),
        ("list apple | grep APP", r#""apple""#),
        ("list apple APP | grep --case APP", r#""APP""#),
        ("list a b c d e | grep -B 1 c", r#""b","c""#),
        ("list a b c d e | grep -A 1 -B 2 d", r#""b","c","d","e""#),
        ("list a b c d e | grep -C 1 -A 0 c", r#""b","c""#),
        ("list a x b x c | grep x -A 1", r#""x","b","x","c""#),
        ("list a b c | grep -vC 1 b", r#""a","b","c""#),
        (r#"seed '{"b":true,"c":null,"d":"x"}' | grep -v '^x$'"#, ""),
        (r#"seed '{"b":true}' | grep true"#, ""),
        (r#"seed '{"b":2.5}' | grep '2\.5'"#, r#"{"b":2.5}"#),
        ("seed '[[1,\"ab\"]]' | grep AB", r#"[1,"ab"]"#),
        (r#"seed '[{"a":"x1","b":["y2",3]}]' | grep -o '[0-9]'"#, r#""1","2","3""#),
        ("list aaa | grep -o a", r#""a","a","a""#),
        ("list a | grep -o 'x*'", ""),
        ("list a | grep '('", "exit 2"),
        ("list a | grep '(?=a)'", "exit 2"),
        ("echo '(' | grep $_", "exit 1"),
        (r#"seed '[{"a":{"b":"x"}},{"a":"x"}]' | grep x --field a.b"#, r#"{"a":{"b":"x"}}"#),
        (r#"seed '[{"a":{"b":"x"}},{"a":"x"}]' | grep -v x --field a.b"#, r#"{"a":"x"}"#),
        (r#"seed '[{"a":"Xy"},{"a":"z"}]' | filter -p a -m /x/i"#, r#"{"a":"Xy"}"#),
        (r#"seed '[{"a":"Xy"}]' | filter -p a -m '/x/'"#, ""),
        (r#"seed '[{"a":[1,2]}]' | filter -p a -m '1,2'"#, r#"{"a":[1,2]}"#),
        (r#"seed '[{"a":[{"b":1}]},{"a":[{"b":null}]},{}]' | filter -p '$.a[*].b'"#, r#"{"a":[{"b":1}]}"#),
        (r#"seed '[{"a":[1,25]},{"a":[3]}]' | filter -p '$.a[*]' -m '^2'"#, r#"{"a":[1,25]}"#),
        (r#"seed '[{"a":1}]' | filter -p '$['"#, "exit 2"),
        (r#"seed '[{"a":1}]' | filter -p 'a['"#, "exit 2"),
        (r#"seed '[{"a":1}]' | filter -m 1"#, "exit 2"),
    ])
    .await;
}

#[tokio::test]
async fn conditions() {
    play_servers(&[
        ("where env=prod | get n", r#""web-1","db-1""#),
        ("where env='prod' cpu>80 | get n", r#""web-1""#),
        ("where cpu='91'", ""),
        ("where cpu!='91' | count", "3"),
        ("where nope!=1", ""),
        ("where 'not nope != 1' | count", "3"),
        ("where n~^web | count", "2"),
        ("where n!~^web | get n", r#""db-1""#),
        ("where nope!~x", ""),
        ("where cpu~9 | get n", r#""web-1""#),
        ("where n~WEB", ""),
        ("where 'cpu in [15, 40] or n == \"web-1\"' | count", "3"),
        ("where 'cpu in []'", ""),
        ("where 'cpu > 80 or cpu < 20 and env == \"prod\"' | get n", r#""web-1""#),
        ("where '(cpu > 80 or cpu < 20) and env == \"stage\"' | get n", r#""web-2""#),
        ("where \"n ~ '^db'\" | get n", r#""db-1""#),
        ("where 'n ~ \"(\"'", "exit 2"),
        ("where n~(", "exit 2"),
        ("where env=", "exit 2"),
        ("where env=''", ""),
        ("where 'a b'", "exit 2"),
        ("where _.cpu=15 | get n", r#""web-2""#),
        ("where cpu=$cpu | count", "3"),
        ("where \"cpu == $cpu\" | count", "3"),
        ("where \"n == $n and cpu >= $cpu\" | count", "3"),
        ("where \"n == '$n'\" | count", "3"),
        ("where \"n == 'x$n'\"", ""),
        ("where \"n == ${n}x\"", "exit 1"),
        ("where $n", "exit 1"),
        ("where env=$(echo prod) | count", "2"),
        ("if cpu>80 { get n }", r#""web-1""#),
        ("if cpu>80 { get n } { echo - }", r#""web-1","-","-""#),
        ("if cpu> { get n }", "exit 2"),
        ("abort-when env=stage | get n", r#""web-1""#),
        ("abort-when 'x >' | get n", "exit 2"),
    ])
    .await;
    play(&[
        (r#"echo 'x or true' | where "_ == $_""#, r#""x or true""#),
        (r#"echo '1" or "1" == "1' | where "_ == 'z' or _ == \"$_\"" | count"#, "1"),
        (r#"list v0_ | where "_ == 'v' or _ == $_""#, r#""v0_""#),
        (r#"seed '[{"a":1,"b":1.0},{"a":"1","b":1}]' | where 'a == b' | count"#, "1"),
        (r#"seed '[{"a":"b","p":"^b"},{"a":"b","p":"("}]' | where 'a ~ p' | count"#, "1"),
        ("list true 1 x | where '_ >= false'", "true"),
        ("list 1 2.5 x null | where '_ != 1'", r#"2.5,"x",null"#),
        ("seed '[[1],[2],[1,1]]' | where '_ < [2]'", "exit 2"),
        ("list 0 '' false null | where _", r#"0,"""#),
        (r#"seed '{"a":{"x y":1}}' | where 'a["x y"] == 1' | count"#, "1"),
        (r#"seed '{"a-b":1}' | where a-b=1 | count"#, "1"),
        ("where a=1", ""),
        ("if a=1 { echo }", "exit 2"),
    ])
    .await;
}

#[tokio::test]
async fn order() {
    play(&[
        (r#"seed '[{"b":1},[1],"a",1,true,null,false]' | sort"#, r#"false,true,1,"a",[1],{"b":1},null"#),
        (r#"seed '[{"b":1},[1],"a",1,true,null,false]' | sort --desc"#, r#"{"b":1},[1],"a",1,true,false,null"#),
        (r#"seed '[{"a":null,"n":1},{"a":1,"n":2},{"n":3}]' | sort a --desc | get n"#, "2,1,3"),
        (r#"seed '[{"a":1,"b":2},{"a":1,"b":1},{"a":0,"b":3}]' | sort a b | get b"#, "3,1,2"),
        ("seed '[[2],[1,5],[1]]' | sort", "[1],[1,5],[2]"),
        ("list 9007199254740993 9007199254740992.0 | sort", "9007199254740992.0,9007199254740993"),
        ("list '10 b' 9 '2.5x' x '-3' true | sortnum", r#""-3","2.5x",9,"10 b","x",true"#),
        ("list -1 '' .5 | sortnum", r#"-1,"",".5""#),
        ("range 100 | shuffle | sum", "4950"),
        ("nil | min", ""),
        ("nil | max a", ""),
        ("list 2 null 1 | max", "2"),
        ("list 2 null 1 | min", "1"),
        ("list null | max", "null"),
        ("list true 1 a | min", "true"),
        (r#"seed '[{"a":null,"n":1},{"a":1,"n":2}]' | max a | get n"#, "2"),
        (r#"seed '[{"a":1},2]' | min b"#, "exit 1"),
        (r#"seed '[{"a":1.0},{"a":1},{"a":"1"}]' | group a | get count"#, "2,1"),
        (r#"seed '[{"a":{"b":1}}]' | group a.b | select a.b"#, "{}"),
        (r#"seed '[{"a":{"b":1}}]' | group a.b | keys"#, r#""a.b","count","rows""#),
        (r#"seed '[{"a":1}]' | group a | get rows"#, r#"[{"a":1}]"#),
        ("list 1 | zip", "exit 1"),
        ("nil | zip", ""),
        ("seed '[[1,2],[]]' | zip", ""),
        ("range 4 | chunk 2", "[0,1],[2,3]"),
        ("seed '[[1,[2,[3]]],{\"a\":[4]}]' | flatten", r#"1,2,3,{"a":[4]}"#),
        ("range 1000000000000 | chunk 2 | head 1", "[0,1]"),
    ])
    .await;
}

#[tokio::test]
async fn reckoning() {
    play(&[
        ("list abc 12 | count --chars", "5"),
        ("nil | count --words", "0"),
        ("echo \"a\\nb\\n\" | count --lines", "2"),
        ("list a | count --words --chars", "exit 2"),
        ("hash a --md5 --sha256", "exit 2"),
        (r#"seed '[{"a":{"b":0}},{"a":{"b":null}}]' | count a.b"#, "1"),
        ("list 9223372036854775807 1 -1 | sum", "9223372036854775807"),
        ("list 1 true | sum", "exit 1"),
        ("list null | sum", "exit 1"),
        ("list '1e2' '2.5' | sum", "102.5"),
        ("list ' 1' | sum", "exit 1"),
        ("list 1e308 1e308 | sum", "exit 1"),
        ("list 9223372036854775807 9223372036854775807 | avg", "9223372036854775807"),
        ("list 1 2 | avg", "1.5"),
        ("nil | avg", ""),
        ("nil | median", ""),
        ("nil | percentile 50", ""),
        ("list 9007199254740993 9007199254740995 | median", "9007199254740994"),
        ("list 3 1 2 | median", "2"),
        (r#"seed '[{"a":1},{"a":null},{},{"a":"3"}]' | avg a"#, "2"),
        ("list 1 2 3 4 5 | percentile 25", "2"),
        ("list 1 2 3 4 | percentile 50", "2.5"),
        ("list 1 2 | percentile 101", "exit 2"),
        ("list 1 2 | percentile x", "exit 2"),
        (r#"seed '[{"a":1},{"a":9}]' | percentile 100 a"#, "9"),
    ])
    .await;
}

#[tokio::test]
async fn records() {
    play(&[
        (r#"seed '{"a":{"x.y":[5,6]}}' | get a['x.y'][-1]"#, "6"),
        (r#"seed '{"a":{"x.y":[5,6]}}' | get 'a."x.y"[0]'"#, "5"),
        (r#"seed '{"a":1}' | get a.b"#, ""),
        ("list 1 | get a", ""),
        ("seed '[[1,2]]' | get '$[*]'", "1,2"),
        (r#"seed '{"b":1,"a":2}' | get '$.*'"#, "1,2"),
        (r#"seed '{"l":[{"p":1},{"p":5},{"q":1}]}' | get '$.l[?@.p > 2].p'"#, "5"),
        (r#"seed '{"l":[{"p":1},{"p":5},{"q":1}]}' | get '$.l[?@.p].p'"#, "1,5"),
        (r#"seed '{"l":[0,1,2,3]}' | get '$.l[1:3]'"#, "1,2"),
        (r#"seed '{"l":[0,1,2,3]}' | get '$.l[-1,0]'"#, "3,0"),
        (r#"seed '{"l":["ab","b"]}' | get '$.l[?match(@, "a.")]'"#, r#""ab""#),
        (r#"seed '{"a":1}' | get '$'"#, r#"{"a":1}"#),
        (r#"seed '{"a":1}' | get '$.['"#, "exit 2"),
        (r#"seed '{"a":1}' | get 'a['"#, "exit 2"),
        (r#"seed '{"a":1}' | get '$..*..*..*..*..*'"#, ""),
        (r#"seed '{"a":null}' | get a"#, "null"),
        (r#"seed '{"a":1,"b":null}' | select b c a"#, r#"{"b":null,"a":1}"#),
        (r#"seed '{"a":1}' | select x=a y=a"#, r#"{"x":1,"y":1}"#),
        ("list 1 | select a", "exit 1"),
        (r#"seed '{"a":1}' | select a["#, "exit 2"),
        (r#"seed '{"a":1,"b":2,"c":3}' | drop a c"#, r#"{"b":2}"#),
        (r#"seed '{"a":1,"b":2}' | rename z=a | keys"#, r#""z","b""#),
        (r#"seed '{"a":1}' | rename a"#, "exit 2"),
        (r#"seed '{"a":1}' | put b null"#, r#"{"a":1,"b":null}"#),
        (r#"seed '{"a":1}' | put b $a"#, r#"{"a":1,"b":1}"#),
        (r#"seed '{"a":1}' | put b "$a""#, r#"{"a":1,"b":"1"}"#),
        ("list 1 | put a 1", "exit 1"),
        ("put a 1", "exit 2"),
        (r#"seed '{"a":[1],"b":null}' | vals"#, "[1],null"),
        ("list a | merge", "exit 1"),
    ])
    .await;
}

#[tokio::test]
async fn texts() {
    play(&[
        ("upper 1.50", r#""1.50""#),
        ("list 1 | upper", r#""1""#),
        ("list null true | upper", r#""NULL","TRUE""#),
        ("seed '[[1]]' | words", "exit 1"),
        ("seed '{\"a\":[1]}' | upper $a", "exit 1"),
        ("seed '{\"a\":\"x\"}' | upper $a", r#""X""#),
        ("list a b | upper c", r#""C","C""#),
        ("echo '' | words", ""),
        ("echo '' | lines", ""),
        ("letters '👩‍👩‍👧é'", r#""👩‍👩‍👧","é""#),
        ("capitalize élan", r#""Élan""#),
        ("length abc", "3"),
        ("seed '[[1,2,3]]' | length", "3"),
        (r#"seed '{"a":1}' | length"#, "1"),
        ("list 12345 | length", "5"),
        ("nil | unwords", r#""""#),
        ("nil | join ,", r#""""#),
        ("seed '[[1],{\"a\":1}]' | join ' '", r#""[1] {\"a\":1}""#),
        ("echo a,b, | split ,", r#""a","b","""#),
        ("split '/X/i' axb", r#""a","b""#),
        ("split / a/b", r#""a","b""#),
        ("split '' abc", "exit 2"),
        ("echo abc | replace b ''", r#""ac""#),
        ("echo a.b | replace . -", r#""a-b""#),
        ("seed '[[1]]' | replace a b", "exit 1"),
        ("replace a b", "exit 2"),
        ("echo foo | sed s/o/0/g", r#""f00""#),
        ("echo /a/b | sed 's,/,-,g'", r#""-a-b""#),
        (r"echo a/b | sed 's/\//-/'", r#""a-b""#),
        (r"echo 'a|b' | sed 's|a\|b|x|'", r#""x""#),
        (r"echo ab | sed 's/b/\&/'", r#""a&""#),
        (r"echo ab | sed 's/(a)(b)/\2\1$1/'", r#""ba$1""#),
        (r"echo ab | sed 's/(a)/\2/'", "exit 2"),
        ("echo ab | sed s/a/b", "exit 2"),
        ("echo ab | sed s/a/b/x", "exit 2"),
        ("echo ab | sed 's/(/b/'", "exit 2"),
        ("echo ab | match '(?P<x>a)(?P<y>z)?'", r#"{"x":"a","y":null}"#),
        ("echo ab | match '(?<x>q)'", ""),
        ("echo ab | match '('", "exit 2"),
        ("list é 日 abc | pad 3", r#""é  ","日 ","abc""#),
        ("list a | render '{{ b }}'", "exit 1"),
        (r#"seed '{"a":{}}' | render '{{ a.b.c }}'"#, "exit 1"),
        (r#"seed '{"a":null,"b":[1,"x"],"c":{"z":1,"y":2.0}}' | render '{{ a }} {{ b }} {{ c }}'"#,
         r#""null [1,\"x\"] {\"z\":1,\"y\":2.0}""#),
        (r#"seed '{"b":true,"f":1.0}' | render '{{ b }} {{ f }}'"#, r#""true 1.0""#),
        (r#"seed '{"c":{"z":1,"y":2}}' | render '{% for k in c %}{{ k }}{% endfor %}{{ c|tojson }}'"#, r#""zy{\"z\":1,\"y\":2}""#),
        (r#"seed '{"c":{"z":1}}' | render '{% for k, v in c|items %}{{ k }}={{ v }}{% endfor %}'"#, r#""z=1""#),
        (r#"seed '{"l":["b","a"]}' | render '{{ l|sort|join("-") }} {{ l[0] }} {{ l|length }}'"#, r#""a-b b 2""#),
        ("echo '<b>' | render '{{ _ }}'", r#""<b>""#),
        ("echo a | render \"{{ _ }}\\n\"", r#""a\n""#),
        ("echo a | render '{% include \"x\" %}'", "exit 2"),
        ("echo a | render '{% set x = 1 %}'", "exit 2"),
        ("list 3 | render '{{ _ * 2 + 1 }} {{ {\"a\": {\"b\": 1}}.a.b }} **{% if _ > 2 %}big{% endif %}**'", r#""7 1 **big**""#),
        ("list 3 | render '{% for i in range(3) %}{{ i }}{% endfor %}'", r#""012""#),
        ("list 3 | render '{% for i in range(3) %}{{ i * 2 }}{% endfor %}'", "exit 2"),
        ("list 3 | render '{{ \"}}\" }}{% for i in range(3) %}{{ \"*\" }}{% endfor %}'", r#""}}***""#),
        ("list 3 | render '{{ 1*1*1*1*1*1 }}'", "exit 2"),
        ("list 3 | render '{{ [1]|batch(1000000000, 0)|list }}'", "exit 1"),
        ("list 3 | render '{{ range(100000) }}'", "exit 1"),
        ("echo a | render '{# {% raw %} #}{% set x = 1 %}'", "exit 2"),
        ("echo a | render '{% for i in range(1000) %}{% for j in range(1000) %}x{% endfor %}{% endfor %}'", "exit 1"),
        (r#"echo aaaaaaaaaa | render '{{ _|replace("a","aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")|replace("a","aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")|replace("a","aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")|length }}'"#, "exit 1"),
    ])
    .await;
}

#[tokio::test]
async fn formats() {
    play(&[
        ("echo 5 | parse json", "5"),
        ("list 5 | parse json", "5"),
        ("seed '[[1]]' | parse json", "exit 1"),
        ("parse json", "exit 2"),
        (r#"echo '{"a":1,"a":2}' | parse json"#, "exit 1"),
        (r#"echo "{\"a\":1}\n\n[1,2]\n" | parse json-lines"#, r#"{"a":1},[1,2]"#),
        (r#"echo "{\"a\":1}\nx" | parse json-lines | head 1"#, r#"{"a":1}"#),
        (r#"echo "{\"a\":1}\nx" | parse json-lines"#, "exit 1"),
        (
            r#"echo "a: 1\nb: [x, 2.5, true, null]\nc: no\nd: '1'" | parse yaml"#,
            r#"{"a":1,"b":["x",2.5,true,null],"c":"no","d":"1"}"#,
        ),
        (r#"echo "- 1\n- a: b" | parse yaml"#, r#"1,{"a":"b"}"#),
        (r#"echo "a: 1\na: 2" | parse yaml"#, "exit 1"),
        (r#"echo "a: [1" | parse yaml"#, "exit 1"),
        ("echo null | parse yaml", "null"),
        (r#"echo "a: &x [1]\nb: *x" | parse yaml"#, r#"{"a":[1],"b":[1]}"#),
        (r#"echo "a: 2024-01-01\nb: 0x10\nc: ~" | parse yaml | get a"#, r#""2024-01-01""#),
        (
            r#"echo "b = 1\n[a]\nx = [1, 2.5]\nd = 2024-01-01" | parse toml"#,
            r#"{"b":1,"a":{"x":[1,2.5],"d":"2024-01-01"}}"#,
        ),
        (r#"echo "b = 1\n[a]\nx = 1" | parse toml | keys"#, r#""b","a""#),
        ("echo 'a =' | parse toml", "exit 1"),
        (r#"echo "a,b\n1" | parse csv"#, "exit 1"),
        (r#"echo "a,b" | parse csv"#, ""),
        (r#"echo "a,a\n1,2" | parse csv"#, "exit 1"),
        (r#"echo "a=1 b='x y' c=" | parse kv"#, r#"{"a":"1","b":"x y","c":""}"#),
        ("echo 'a b=1' | parse kv", "exit 1"),
        ("echo a=b=c | parse kv", r#"{"a":"b=c"}"#),
        ("list 1 a | to json", r#""1","\"a\"""#),
        (
            r#"seed '{"a":[1,{"b":"x: y"}],"c":null,"d":"true","e":"1"}' | to yaml | parse yaml"#,
            r#"{"a":[1,{"b":"x: y"}],"c":null,"d":"true","e":"1"}"#,
        ),
        (
            "list '- a' '' 'null' '1.5' \"a\\nb\" '#x' 'no' '~' ' x ' | to yaml | parse yaml",
            r##""- a","","null","1.5","a\nb","#x","no","~"," x ""##,
        ),
        (r#"seed '[{"a":1},{"b":null,"a":"x\"y"}]' | to csv"#, r#""a,b\n1,\n\"x\"\"y\",""#),
        ("list 1 | to csv", "exit 1"),
        ("nil | to csv", ""),
        ("nil | to json", ""),
        (r#"seed '[{"a":"x|y","n":1}]' | to markdown"#, r#""| a | n |\n| --- | ---: |\n| x\\|y | 1 |""#),
        (r#"seed '[{"a":"日本","n":1},{"a":"é","n":22}]' | to table"#, r#""a      n\n────  ──\n日本   1\né     22""#),
        ("to xml", "exit 2"),
        ("base64 encode", "exit 2"),
        ("echo abc | base64 encode | base64 decode", r#""abc""#),
        ("base64 decode YSBi", r#""a b""#),
        ("base64 decode YQ", r#""a""#),
        ("base64 decode _-8=", "exit 1"),
        ("url encode é~-._ a", r#""%C3%A9~-._%20a""#),
        ("url decode a+b%2B", r#""a+b+""#),
        ("url decode %4", "exit 1"),
        ("url decode %ff", "exit 1"),
        (r#"echo "<a href='x'>\"&" | html encode"#, r#""&lt;a href=&#39;x&#39;&gt;&quot;&amp;""#),
        ("html decode '&lt;&#233;&#xe9;&nope; &amp;amp;'", r#""<éé&nope; &amp;""#),
        ("hex decode 6G", "exit 1"),
        ("hex decode 616", "exit 1"),
        ("hex encode é", r#""c3a9""#),
        ("hash abc", r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#),
        ("hash --md5 abc", r#""900150983cd24fb0d6963f7d28e17f72""#),
        ("seed '[[1]]' | hash", "exit 1"),
        (r#"seed '[{"a":{"b":1}},{"a":2}]' | table B=a.b a"#, r#""B  a\n─  ───────\n1  {\"b\":1}\n   2""#),
        ("nil | table", ""),
        ("list a | table 'x['", "exit 2"),
    ])
    .await;
}

#[tokio::test]
async fn control() {
    play(&[
        ("list 1 2 3 | each { range }", "0,0,1,0,1,2"),
        ("list 1 2 3 | each { range } --parallel 2", "0,0,1,0,1,2"),
        ("list 1 2 | each { echo } --parallel 0", "exit 2"),
        ("list a b | each { nil }", ""),
        (r#"seed '[{"a":1},{},{"a":3}]' | each { echo $a } --keep-going"#, r#""1","3""#),
        (r#"seed '[{"a":1},{},{"a":3}]' | each { echo $a } --keep-going --parallel=3"#, r#""1","3""#),
        (r#"seed '[{"a":1},{},{"a":3}]' | each { echo $a } --parallel=3"#, "exit 1"),
        ("range 1000000000000 | each { echo $_ } --parallel 4 | head 2", r#""0","1""#),
        ("range 3 | repeat 2 { echo $_ && echo x }", r#""0","x 0","0","x 0","1","x 1","1","x 1","2","x 2","2","x 2""#),
        ("repeat 1001 { echo }", "exit 2"),
        ("repeat 1000 { repeat 1000 { nil } }", "exit 1"),
        ("list a b | try { error $_ } { echo $message! }", r#""a!","b!""#),
        ("list a | try { error x }", ""),
        ("try { echo a && error x } { echo b }", r#""a","b""#),
        ("list 1 2 | try { abort-when _=2 } { echo caught }", "1"),
        ("timeout 50ms { sleep 5 && echo late }", "exit 1"),
        ("timeout x { echo }", "exit 2"),
        ("sleep -1", "exit 2"),
        ("list 1 | sleep 0s", "1"),
        ("list 1 2 | xargs echo $_ and", r#""1 and","2 and""#),
    ])
    .await;
}
