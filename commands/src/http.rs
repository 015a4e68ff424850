//! HTTP: asking servers, as rows whose code is the shell's. Deliberately absent: the network, and which places may be
//! reached.

use crate::Kind;
use crate::command::Command;
use crate::family::{Row, family, row};
use crate::shell::Verb;
use crate::spec::{Effect, Flow};

pub(crate) fn families() -> Vec<Command> {
    family(
        "http",
        [
            ask(
                "get URL [--header=HEADER]…",
                "The answer of a server: JSON as a value, else a text; places that are not public are denied",
                Verb::HttpGet,
            )
            .effect(Effect::Pure)
            .shows("http get https://api.example.com/hosts | get '$[*].name'", "the names of what it lists")
            .shows("http get https://api.example.com/me --header='Accept: application/json'", "with a header"),
            ask(
                "post URL [--header=HEADER]… [--body=TEXT] [--json=JSON]",
                "Sends a text or JSON to a server, and gives its answer",
                Verb::HttpPost,
            )
            .kind("JSON", Kind::Json)
            .either(&["body", "json"])
            .shows("http post https://api.example.com/hosts --json='{\"name\":\"web1\"}'", "the answer of the server"),
            ask(
                "put URL [--header=HEADER]… [--body=TEXT] [--json=JSON]",
                "Puts a text or JSON to a place on a server, and gives its answer",
                Verb::HttpPut,
            )
            .kind("JSON", Kind::Json)
            .either(&["body", "json"])
            .shows("http put https://api.example.com/hosts/web1 --body=off", "the answer of the server"),
            ask(
                "delete URL [--header=HEADER]…",
                "Deletes what is at an address, and gives the server's answer",
                Verb::HttpDelete,
            )
            .shows("http delete https://api.example.com/hosts/web1", "the answer of the server"),
        ],
    )
}

/// A row that asks a server. Whoever may run it makes the shell's machine talk to others.
fn ask(usage: &str, about: &str, verb: Verb) -> Row {
    row(usage)
        .about(about)
        .rule("must have net:http")
        .effect(Effect::Unsafe)
        .outside("http")
        .kind("URL", Kind::Check(scheme))
        .fills("URL")
        .shell(verb, Flow::Each)
}

/// Whether the address is one of HTTP; all else is for the one who asks there.
fn scheme(url: &str) -> Result<(), String> {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.trim());
    match scheme {
        Some(scheme) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => Ok(()),
        Some(scheme) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Err(format!("{scheme}: is not reached from here; http and https are"))
        }
        Some(_) | None => Err("the address begins with https:// or http://".into()),
    }
}
