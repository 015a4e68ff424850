//! Asking servers on the network, as rows whose code is the shell's. Deliberately absent: the network, and which places
//! may be reached.

use crate::Kind;
use crate::command::Command;
use crate::family::{Row, family, row};
use crate::html;
use crate::shell::Verb;
use crate::spec::{Effect, Flow};

pub(crate) fn families() -> Vec<Command> {
    [http(), pages()].concat()
}

/// Pages and names, each a family of its own: their names are typed as they are.
fn pages() -> Vec<Command> {
    let scrape = ask(
        "scrape URL SELECTOR [--attr=NAME]",
        "The text of what CSS selectors find in a page of the web, or an attribute of it; in a confined process of its own",
        Verb::Scrape,
    )
    .effect(Effect::Pure)
    .kind("SELECTOR", Kind::Check(html::check))
    .shows("scrape https://example.com 'h1, h2'", "the headings of a page")
    .shows("scrape https://example.com 'nav a' --attr=href", "where its links lead");
    let dns = row("dns NAME [--type=TYPE]")
        .about("What name servers say of a name, or of an address: A unless said; what is not public is denied")
        .shows("dns example.com --type=mx | get value", "who takes its mail")
        .shows("dns 192.0.2.1 | get value", "the name of an address")
        .rule("must have net:dns")
        .outside("dns")
        .kind("NAME", Kind::Check(name))
        .kind("TYPE", Kind::Check(record))
        .fills("NAME")
        .shell(Verb::Dns, Flow::Each);
    [family("scrape", [scrape]), family("dns", [dns])].concat()
}

/// Whether a name server can be asked for it.
fn name(name: &str) -> Result<(), String> {
    const LONGEST: usize = 253;
    let odd = |letter: char| letter.is_whitespace() || letter.is_control();
    if name.is_empty() || name.len() > LONGEST || name.contains(odd) {
        return Err(format!("a name has 1 to {LONGEST} bytes, without blanks"));
    }
    Ok(())
}

/// The kinds of records that are asked for.
const RECORDS: &[&str] = &["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT"];

fn record(kind: &str) -> Result<(), String> {
    if RECORDS.iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(format!("there are records {}", RECORDS.join(", ")))
}

fn http() -> Vec<Command> {
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
