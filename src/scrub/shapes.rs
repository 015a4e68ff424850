//! What tokens and keys look like: the shapes in which well-known services hand them out, and words that say of the next one
//! that it is secret. What somebody types in such a shape is looked for from then on like a secret that was set.
//!
//! Deliberately absent: guessing. A password without a word that calls it one is a word like any other, and what programs
//! put out is not looked through.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::{Regex, RegexSet, RegexSetBuilder};

/// What is typed where it belongs, and is spent by that: nobody has to be told.
pub(crate) const LINK: &str = "link code";

/// What it is called, and how it is known. A group named `v` is the secret alone.
const SHAPES: &[(&str, &str)] = &[
    ("AWS key id", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    (
        "AWS secret key",
        r#"(?i)\baws[a-z0-9_.-]{0,30}(?:secret|key)[a-z0-9_.-]{0,20}['"]?\s*[=:]?\s*['"]?(?P<v>[A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)"#,
    ),
    ("GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    ("GitHub token", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
    ("GitLab token", r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct|oas)-[A-Za-z0-9_-]{20,}"),
    ("Slack token", r"\bxox[abceoprs]-(?:\d+-)?[A-Za-z0-9-]{10,}"),
    ("Slack token", r"\bxapp-\d-[A-Z0-9]{8,20}-\d{8,20}-[a-f0-9]{32,}\b"),
    ("Slack webhook", r"\bhooks\.slack\.com/(?:services|workflows|triggers)/(?P<v>[A-Za-z0-9/]{20,})"),
    ("Google API key", r"\bAIza[A-Za-z0-9_-]{35}(?:[^A-Za-z0-9_-]|$)"),
    ("Google token", r"\bya29\.[A-Za-z0-9_-]{20,}"),
    ("Google client secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}(?:[^A-Za-z0-9_-]|$)"),
    ("Azure key", r"\bAccountKey=(?P<v>[A-Za-z0-9+/]{86}==)"),
    ("Stripe key", r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}\b"),
    ("Stripe webhook secret", r"\bwhsec_[A-Za-z0-9]{24,}\b"),
    ("OpenAI key", r"\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}"),
    ("OpenAI key", r"\bsk-[A-Za-z0-9]{48}\b"),
    ("Anthropic key", r"\bsk-ant-[a-z0-9]{3,10}-[A-Za-z0-9_-]{40,}"),
    ("npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("PyPI token", r"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
    ("SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?:[^A-Za-z0-9_-]|$)"),
    ("DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    ("Vault token", r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}"),
    ("Telegram token", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}(?:[^A-Za-z0-9_-]|$)"),
    ("age key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b"),
    (LINK, r"\blink\s+(?P<v>[A-Z2-7]{13})\b"),
    ("JSON web token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ("private key", r"-----BEGIN (?:[A-Z0-9]{2,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?P<v>[^-]{20,})"),
    // up to the last @ before the path: the password may hold one
    ("password", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/@:]{1,}:(?P<v>[^\s/$]{6,})@"),
    ("bearer token", r"(?i)\b(?:bearer|authorization:?\s+(?:token|basic))\s+(?P<v>[A-Za-z0-9._~+/-]{20,}={0,2})"),
    (
        "password",
        r#"(?i)\b[a-z0-9_.-]{0,30}(?:password|passwd|passphrase)['"]?\s*[=:]\s*['"]?(?P<v>[^\s'"$&|;,{}()\[\]<>][^\s'"]{7,})"#,
    ),
    (
        "password",
        r#"(?i)--[a-z-]{0,30}(?:password|passwd|passphrase)\s+['"]?(?P<v>[^\s'"$&|;,{}()\[\]<>-][^\s'"]{7,})"#,
    ),
    // as variables of an environment are called
    ("password", r#"\b[A-Z0-9_]{0,30}_(?:PASS|PWD)=['"]?(?P<v>[^\s'"$&|;,{}()\[\]<>][^\s'"]{7,})"#),
    (
        "secret",
        r#"(?i)(?:^|[^a-z0-9])(?:[a-z0-9_.-]{0,30}[_.-])?(?:token|secret|credential|api[_-]?key|access[_-]?key|auth[_-]?key|private[_-]?key|client[_-]?secret|secret[_-]?key|apikey|key|pat)['"]?\s*[=:]\s*['"]?(?P<v>[A-Za-z0-9._~+/=-]{20,})"#,
    ),
    (
        "secret",
        r#"(?i)--(?:[a-z-]{0,30}-)?(?:token|secret|api-key|access-key|auth-key)\s+['"]?(?P<v>[A-Za-z0-9._~+/=-]{20,})"#,
    ),
];

/// As many letters in a row as every shape has at least: nearly no line has so many, and nearly none is looked at twice.
const RUN: usize = 13;

/// How much memory the finder of all shapes may take, in bytes.
const SIZE: usize = 32 << 20;

/// The shapes, made when the first text could have one.
struct Known {
    any: RegexSet,
    each: Vec<(&'static str, Regex)>,
}

static KNOWN: LazyLock<Option<Known>> = LazyLock::new(|| {
    let each = SHAPES.iter().map(|(name, shape)| Ok((*name, Regex::new(shape)?)));
    let known = each.collect::<Result<_, regex::Error>>().and_then(|each| {
        let any = RegexSetBuilder::new(SHAPES.iter().map(|(_, shape)| shape)).size_limit(SIZE).build()?;
        Ok(Known { any, each })
    });
    // a test reads the table; if it could not be read nothing would be found
    known.ok()
});

/// The tokens and keys in a text, and what each is.
pub(crate) fn found(text: &str) -> Vec<(&'static str, String)> {
    if !could(text) {
        return Vec::new();
    }
    let Some(known) = &*KNOWN else { return Vec::new() };
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for at in known.any.matches(text) {
        let Some((name, shape)) = known.each.get(at) else { continue };
        for captures in shape.captures_iter(text) {
            let Some(secret) = captures.name("v").or_else(|| captures.get(0)) else { continue };
            let secret = secret.as_str().trim_matches(|c: char| !c.is_ascii_graphic() || "'\"),;]".contains(c));
            let sure = !matches!(*name, "secret" | "bearer token") || is_random(secret);
            let new = found.iter().all(|(_, other)| !other.contains(secret));
            if sure && new && super::is_long_enough(secret) {
                found.push((name, secret.to_owned()));
            }
        }
    }
    // an id of a key is often followed by the key, with nothing that says so
    if found.iter().any(|(name, _)| *name == "AWS key id") {
        let alone = text.split(|c: char| !(c.is_ascii_alphanumeric() || "/+".contains(c)));
        let keys =
            alone.filter(|word| word.len() == 40 && is_random(word) && found.iter().all(|(_, other)| other != word));
        let keys: Vec<_> = keys.map(|word| ("AWS secret key", word.to_owned())).collect();
        found.extend(keys);
    }
    found
}

/// Whether a text has so many letters in a row, or a word that calls something a password.
fn could(text: &str) -> bool {
    let mut run = 0;
    let long = text.bytes().any(|byte| {
        run = if byte.is_ascii_graphic() { run + 1 } else { 0 };
        run >= RUN
    });
    long || text.contains("://") || text.as_bytes().windows(4).any(|four| four.eq_ignore_ascii_case(b"pass"))
}

/// Whether a word looks drawn by chance: digits and letters, many different ones, and no path, version or id that a person
/// would write.
fn is_random(word: &str) -> bool {
    let (mut digits, mut lower, mut upper, mut signs) = (0_usize, 0_usize, 0_usize, 0_usize);
    for c in word.chars() {
        match c {
            '0'..='9' => digits += 1,
            'a'..='z' => lower += 1,
            'A'..='Z' => upper += 1,
            _ => signs += 1,
        }
    }
    let different = word.chars().collect::<HashSet<_>>().len();
    let hex = word.len() >= 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mixed = lower > 0 && upper > 0 && digits > 1;
    signs * 6 <= word.len() && different >= 8 && (mixed || hex || (digits > 3 && lower + upper > 9 && signs == 0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::{KNOWN, LINK, SHAPES, found};

    /// Letters by chance that no service has handed out: so many of an alphabet.
    fn letters(alphabet: &str, count: usize) -> String {
        let all: Vec<char> = alphabet.chars().collect();
        (0..count).map(|at| all[(at * 7 + at * at * 3 + 5) % all.len()]).collect()
    }

    const BASE62: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const HEX: &str = "0123456789abcdef";

    #[test]
    fn the_table_can_be_read() {
        assert_eq!(KNOWN.as_ref().unwrap().each.len(), SHAPES.len());
    }

    #[test]
    fn tokens_are_known_by_their_shapes() {
        let id = format!("AKIA{}", letters(UPPER, 16));
        let key = letters(BASE62, 40);
        let jwt = format!("eyJ{}.eyJ{}.{}", letters(BASE62, 20), letters(BASE62, 60), letters(BASE62, 43));
        let pem = letters(BASE62, 64);
        let cases: Vec<(&str, String, &str, String)> = vec![
            ("AWS key id", id.clone(), "aws iam {}", id.clone()),
            ("AWS secret key", key.clone(), "echo aws_secret_access_key={}", key.clone()),
            ("AWS secret key", key.clone(), "export AWS_SECRET_ACCESS_KEY={}", key.clone()),
            ("AWS secret key", key.clone(), "aws configure AKIAIOSFODNN7EXAMPLE {}", key.clone()),
            (
                "GitHub token",
                format!("ghp_{}", letters(BASE62, 36)),
                "http get x --header 'Authorization: token {}'",
                String::new(),
            ),
            (
                "GitHub token",
                format!("github_pat_{}_{}", letters(BASE62, 22), letters(BASE62, 59)),
                "clone {}",
                String::new(),
            ),
            ("GitLab token", format!("glpat-{}", letters(BASE62, 20)), "{}", String::new()),
            (
                "Slack token",
                format!("xoxb-{}-{}-{}", letters("0123456789", 12), letters("0123456789", 12), letters(BASE62, 24)),
                "hello {} there",
                String::new(),
            ),
            ("Google API key", format!("AIza{}", letters(BASE62, 35)), "http get 'https://x/?key={}'", String::new()),
            ("Stripe key", format!("sk_live_{}", letters(BASE62, 24)), "charge --key={}", String::new()),
            ("OpenAI key", format!("sk-proj-{}", letters(BASE62, 60)), "ask {}", String::new()),
            ("npm token", format!("npm_{}", letters(BASE62, 36)), "{}", String::new()),
            ("Vault token", format!("hvs.{}", letters(BASE62, 30)), "vault login {}", String::new()),
            ("JSON web token", jwt.clone(), "whose is {}", String::new()),
            ("JSON web token", jwt, "http get x --header 'Authorization: Bearer {}'", String::new()),
            (
                "private key",
                pem.clone(),
                "my key = '-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----'",
                pem.clone(),
            ),
            (
                "private key",
                pem.clone(),
                "-----BEGIN OPENSSH PRIVATE KEY----- {} -----END OPENSSH PRIVATE KEY-----",
                pem,
            ),
            ("password", "hunter2hunter2".into(), "db connect postgres://web:{}@db/web", String::new()),
            ("password", "Tr0ub4dor&3".replace('&', ""), "login --password {}", String::new()),
            ("password", "correct.horse".into(), "db login DB_PASSWORD={} --now", String::new()),
            ("password", "Tr0u,4dor|3xyz&LONG".into(), "login DB_PASSWORD={} --now", String::new()),
            ("password", "Tr0ub4dor&3xyz".into(), "note 'password: {}'", String::new()),
            ("password", "pa$$w0rdLONG99".into(), "login \"--password={}\"", String::new()),
            ("password", "p@ssw0rdLONG77".into(), "http get https://me:{}@host/x", String::new()),
            ("password", "b4tteryStaple".into(), "start DB_PASS={} MYSQL_PWD=", String::new()),
            ("secret", letters(BASE62, 32), "deploy --api-key={}", String::new()),
            ("secret", letters(HEX, 40), "deploy --token {}", String::new()),
            ("secret", letters(BASE62, 24), "set client_secret: \"{}\"", String::new()),
            ("bearer token", letters(BASE62, 40), "http get x --header 'Authorization: Bearer {}'", String::new()),
        ];
        for (kind, token, line, secret) in cases {
            let secret = if secret.is_empty() { token.clone() } else { secret };
            let line = line.replace("{}", &token);
            let found = found(&line);
            assert!(found.iter().any(|(name, value)| *name == kind && *value == secret), "{line}: {kind}: {found:?}");
        }
    }

    #[test]
    fn a_code_that_is_spent_by_being_said_is_known_too() {
        assert_eq!(found("link ABCDEFGHIJKL2"), [(LINK, "ABCDEFGHIJKL2".to_owned())]);
        assert!(found("link").is_empty() && found("user link alice irc://net/ALICE").is_empty());
    }

    #[test]
    fn innocent_lines_have_none() {
        for line in [
            "git show 3f786850e387550fdab836ed7e6dc881de23001b",
            "where commit=3f786850e387550fdab836ed7e6dc881de23001b",
            "hash --sha256 abc | where _=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "ec2 stop i-0abc1234def567890 --region=eu-central-1",
            "where key=production-database-primary",
            "deploy api --key=/srv/keys/deploy-production-2026.pub",
            "seed '{\"key\":\"a.b.c.d.e.f.g.h.i.j.k.l\",\"token\":null}'",
            "sort name --key=value | where token!=x",
            "echo $(uuid) 123e4567-e89b-12d3-a456-426614174000",
            "where key=123e4567-e89b-12d3-a456-426614174000",
            "bundle set aws TOKEN $value",
            "secret set aws PASSWORD",
            "help password-reset",
            "my password = $reset",
            "echo 'password: ask alice'",
            "http get https://example.com/a/very/long/path/that/goes/on/and/on?token=short",
            "http get https://user@example.com:8080/x",
            "approve ABCDEFGHIJ WXYZ",
            "audit verify | where head=af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            "docker image sha256:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            "base64 decode aGVsbG8gd29ybGQsIGhvdyBhcmUgeW91",
            "render '{{ name }}: {{ password }}'",
            "where 'key == \"some-long-name-of-a-thing\" and token != null'",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
