//! The questions that are asked of a million records, as each contender spells them. Deliberately absent: how they are
//! run, and the hand-written loops.

/// One question. Every contender has to answer with the same lines.
pub(crate) struct Question {
    /// What is asked, in a few words; the loop written by hand goes by the same name.
    pub(crate) name: &'static str,
    pub(crate) pipit: &'static str,
    /// For jq and jaq, with `-nc`.
    pub(crate) jq: &'static str,
    /// What nushell does with the records.
    pub(crate) nu: &'static str,
}

pub(crate) const QUESTIONS: [Question; 6] = [
    Question {
        name: "filter",
        pipit: "parse json-lines | where env=prod | get name | count",
        jq: r#"reduce (inputs | select(.env == "prod") | .name) as $name (0; . + 1)"#,
        nu: "where env == prod | get name | length",
    },
    Question {
        name: "grep",
        pipit: "parse json-lines | grep 'web-0+12[0-9]' --field=name | count",
        jq: r#"reduce (inputs | select(.name | test("web-0+12[0-9]"; "i"))) as $row (0; . + 1)"#,
        nu: "where name =~ '(?i)web-0+12[0-9]' | length",
    },
    Question {
        name: "pipeline",
        pipit: "parse json-lines | where env=prod | select id name cpu | put hot true | where cpu>0.5 | sum id",
        jq: r#"reduce (inputs | select(.env == "prod") | {id, name, cpu} | .hot = true | select(.cpu > 0.5) | .id) as $id
            (0; . + $id)"#,
        nu: "where env == prod | select id name cpu | insert hot true | where cpu > 0.5 | get id | math sum",
    },
    Question {
        name: "jq",
        pipit: "parse json-lines | jq '{name, load: (.cpu * 100 | floor)}'",
        jq: "inputs | {name, load: (.cpu * 100 | floor)}",
        nu: "each {|row| {name: $row.name, load: ($row.cpu * 100 | math floor)} | to json --raw } | to text",
    },
    Question {
        name: "group",
        pipit: "parse json-lines | group name --count",
        jq: "[inputs | .name] | group_by(.)[] | {name: .[0], count: length}",
        nu: "get name | uniq --count | each {|group| {name: $group.value, count: $group.count} | to json --raw } | to text",
    },
    Question {
        name: "sort",
        pipit: "parse json-lines | sort cpu | get id",
        jq: "[inputs] | sort_by(.cpu)[] | .id",
        nu: "sort-by cpu | get id | to text",
    },
];
