//! `dns` through the binary: what a name server says as values, and that nobody learns from it how a network is made
//! inside. The server is the test's own, on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::net::UdpSocket;
use std::process::{Command, Stdio};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, PTR, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

const PIPIT: &str = env!("CARGO_BIN_EXE_pipit");

fn answer(name: &str, kind: RecordType) -> Option<Vec<RData>> {
    let host = |name: &str| Name::from_ascii(name).unwrap();
    Some(match (name, kind) {
        ("web.example.com.", RecordType::A) => vec![RData::A(A::new(93, 184, 216, 34)), RData::A(A::new(8, 8, 8, 8))],
        ("web.example.com.", RecordType::AAAA) => vec![RData::AAAA(AAAA::new(0x2606, 0x4700, 0, 0, 0, 0, 0, 0x1111))],
        ("web.example.com.", RecordType::MX) => vec![RData::MX(MX::new(10, host("mail.example.com.")))],
        ("web.example.com.", RecordType::TXT) => vec![RData::TXT(TXT::new(vec!["v=spf1 -all".into()]))],
        ("8.8.8.8.in-addr.arpa.", RecordType::PTR) => vec![RData::PTR(PTR(host("dns.google.")))],
        ("xn--bcher-kva.example.", RecordType::A) => vec![RData::A(A::new(93, 184, 216, 35))],
        ("inside.example.com." | "ours.example.com.", RecordType::A) => vec![RData::A(A::new(10, 0, 0, 7))],
        ("web.example.com." | "inside.example.com.", _) => Vec::new(),
        (_, _) => return None,
    })
}

/// A name server for as long as the test runs.
fn server() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let asked = Message::from_vec(&bytes[..length]).unwrap();
            let query = asked.queries[0].clone();
            let mut said = Message::response(asked.metadata.id, asked.metadata.op_code);
            said.add_query(query.clone());
            match answer(&query.name().to_ascii().to_ascii_lowercase(), query.query_type()) {
                Some(all) => {
                    said.add_answers(all.into_iter().map(|data| Record::from_rdata(query.name().clone(), 60, data)));
                }
                None => said.metadata.response_code = ResponseCode::NXDomain,
            }
            socket.send_to(&said.to_vec().unwrap(), from).unwrap();
        }
    });
    port
}

#[test]
fn names() {
    let home = tempfile::tempdir().unwrap();
    let config = format!("[net]\nname-servers = [\"127.0.0.1:{}\"]\nallow = [\"ours.example.com\"]\n", server());
    std::fs::write(home.path().join("pipit.toml"), config).unwrap();
    let cases = [
        ("dns web.example.com | get value", 0, "\"93.184.216.34\"\n\"8.8.8.8\"\n", ""),
        (
            "dns web.example.com. --type=mx",
            0,
            "{\"name\":\"web.example.com\",\"type\":\"MX\",\"ttl\":60,\"value\":\"10 mail.example.com\"}\n",
            "",
        ),
        ("dns WEB.example.com --type=AAAA | get value", 0, "\"2606:4700::1111\"\n", ""),
        ("dns web.example.com --type=TXT | get value", 0, "\"v=spf1 -all\"\n", ""),
        ("dns web.example.com --type=NS", 0, "", ""),
        ("list 8.8.8.8 | dns | get value", 0, "\"dns.google\"\n", ""),
        ("dns bücher.example | get value", 0, "\"93.184.216.35\"\n", ""),
        ("dns ours.example.com | get value", 0, "\"10.0.0.7\"\n", ""),
        ("dns nowhere.example.com", 1, "", "no name nowhere.example.com"),
        ("dns inside.example.com", 3, "", "10.0.0.7 (a private network)"),
        ("dns 10.0.0.1", 3, "", "a private network"),
        ("dns localhost", 3, "", "this machine"),
        ("dns db.corp.internal.", 3, "", "a private network"),
        ("dns METADATA.Google.Internal", 3, "", "a private network"),
        ("dns 'a b'", 2, "", "without blanks"),
        ("dns web.example.com --type=any", 2, "", "there are records"),
        ("dns", 2, "", "NAME of dns is missing"),
    ];
    for (line, code, said, part) in cases {
        let mut command = Command::new(PIPIT);
        command.args(["run", "--json", "--home"]).arg(home.path()).args(["--", line]).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, error) = (text(output.stdout), text(output.stderr));
        assert_eq!((output.status.code(), out.as_str()), (Some(code), said), "{line}: {error}");
        assert!(error.contains(part), "{line}: {error}");
    }
}
