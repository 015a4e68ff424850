//! Keeping secrets out of whatever leaves the shell or is kept by it: those that the shell knows are replaced by their names
//! in answers, posts, logs, errors, the audit and documents; as they are, and in the forms that `forms` makes.
//!
//! One register for the process: a way out that had to be handed it could be forgotten. While it is empty a text costs one
//! look at a flag. Deliberately absent: what is secret, which is said by whoever opens it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use pipit_commands::{Record, Value};

use crate::limits::{SECRETS, SHORTEST_SECRET, TYPED_SECRETS};

mod forms;
pub(crate) mod shapes;

/// What is known to be secret. A value that is replaced by another stays: old answers may still be on their way.
static KNOWN: RwLock<Known> =
    RwLock::new(Known { secrets: VecDeque::new(), typed: VecDeque::new(), scrubber: None, told: None });

/// Whether there is anything to look for.
static ANY: AtomicBool = AtomicBool::new(false);

struct Known {
    /// Names and values, the oldest first.
    secrets: VecDeque<(String, String)>,
    /// The same of what somebody typed into a line; many of these push out none of those.
    typed: VecDeque<(String, String)>,
    /// Finds all of them.
    scrubber: Option<Arc<Scrubber>>,
    /// Finds those that nobody typed.
    told: Option<Arc<Scrubber>>,
}

/// Finds all forms of all secrets in one pass.
struct Scrubber {
    finder: AhoCorasick,
    /// What stands in the place of each pattern.
    marks: Vec<Arc<str>>,
}

/// Whether a value is long enough to be looked for: shorter ones would be found in innocent words.
pub(crate) fn is_long_enough(value: &str) -> bool {
    value.trim().len() >= SHORTEST_SECRET
}

/// From now on this value leaves the shell as `[secret NAME]` only. Too short ones are let be.
pub(crate) fn keep(name: &str, value: &str) {
    keep_all([(name.to_owned(), value.to_owned())]);
}

/// The same for several at once, which is quicker.
pub(crate) fn keep_all(secrets: impl IntoIterator<Item = (String, String)>) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if add(&mut known.secrets, SECRETS, secrets) {
        known.make();
    }
}

/// The same for what somebody typed: `GitHub token` and its value. Whoever typed it may see it again in private; it is kept
/// nowhere and shown to nobody else. Only the newest are remembered.
pub(crate) fn keep_typed(secrets: impl IntoIterator<Item = (String, String)>) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if add(&mut known.typed, TYPED_SECRETS, secrets) {
        known.make();
    }
}

/// Adds those that are new and long enough; whether there was one.
fn add(
    known: &mut VecDeque<(String, String)>,
    most: usize,
    secrets: impl IntoIterator<Item = (String, String)>,
) -> bool {
    let mut any = false;
    for (name, value) in secrets {
        let value = value.trim().to_owned();
        if is_long_enough(&value) && known.iter().all(|(_, other)| *other != value) {
            let harmless = |c: char| if c.is_ascii_alphanumeric() || " _-.".contains(c) { c } else { '_' };
            known.push_back((name.chars().map(harmless).collect(), value));
            any = true;
        }
    }
    while known.len() > most {
        known.pop_front();
    }
    any
}

impl Known {
    fn make(&mut self) {
        let made = |all: &mut dyn Iterator<Item = &(String, String)>| {
            Scrubber::new(all.map(|(name, value)| (name.as_str(), value.as_str()))).map(Arc::new)
        };
        let told = made(&mut self.secrets.iter());
        self.scrubber = made(&mut self.secrets.iter().chain(&self.typed));
        self.told = told;
        ANY.store(self.scrubber.is_some(), Ordering::Release);
    }
}

fn known(which: fn(&Known) -> Option<&Arc<Scrubber>>) -> Option<Arc<Scrubber>> {
    if !ANY.load(Ordering::Acquire) {
        return None;
    }
    which(&KNOWN.read().unwrap_or_else(PoisonError::into_inner)).cloned()
}

fn scrubber() -> Option<Arc<Scrubber>> {
    known(|known| known.scrubber.as_ref())
}

/// The one for what is shown in private to whoever typed the line: what they typed is no secret to them.
fn scrubber_in_private() -> Option<Arc<Scrubber>> {
    known(|known| known.told.as_ref())
}

/// The text without secrets.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    match scrubber() {
        Some(scrubber) => scrubber.text(text),
        None => Cow::Borrowed(text),
    }
}

/// Whether a text holds one.
pub(crate) fn is_in(text: &str) -> bool {
    matches!(self::text(text), Cow::Owned(_))
}

/// The same for a text of one's own.
pub(crate) fn owned(text: String) -> String {
    match self::text(&text) {
        Cow::Owned(clean) => clean,
        Cow::Borrowed(_) => text,
    }
}

/// Takes secrets out of values, out of names of fields too.
pub(crate) fn values(values: &mut [Value]) {
    if let Some(scrubber) = scrubber() {
        scrubber.clean(values);
    }
}

/// The same for values that are shown in private to whoever typed the line.
pub(crate) fn told(values: &mut [Value]) {
    if let Some(scrubber) = scrubber_in_private() {
        scrubber.clean(values);
    }
}

/// The same for a text.
pub(crate) fn told_text(text: String) -> String {
    match scrubber_in_private() {
        Some(scrubber) => scrubber.text(&text).into_owned(),
        None => text,
    }
}

/// The most bytes of a text that may be a part of one secret.
pub(crate) fn longest() -> usize {
    scrubber().map_or(0, |scrubber| scrubber.finder.max_pattern_len())
}

impl Scrubber {
    fn new<'a>(secrets: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let (mut patterns, mut marks) = (Vec::new(), Vec::new());
        for (name, value) in secrets {
            let mark: Arc<str> = format!("[secret {name}]").into();
            for form in forms::of(value) {
                patterns.push(form);
                marks.push(Arc::clone(&mark));
            }
        }
        match AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&patterns) {
            Ok(finder) => Some(Self { finder, marks }).filter(|_| !patterns.is_empty()),
            Err(error) => {
                // it is said without saying what was looked for
                tracing::error!(%error, "secrets cannot be looked for; there are too many or they are too long");
                None
            }
        }
    }

    fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut clean = String::new();
        let mut done = 0;
        for found in self.finder.find_iter(text) {
            // what is found is made of whole characters, since the patterns are
            clean.push_str(text.get(done..found.start()).unwrap_or_default());
            clean.push_str(self.marks.get(found.pattern().as_usize()).map_or("[secret]", |mark| mark));
            done = found.end();
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(text.get(done..).unwrap_or_default());
        Cow::Owned(clean)
    }

    fn clean(&self, values: &mut [Value]) {
        for value in values {
            if let Some(clean) = self.value(value) {
                *value = clean;
            }
        }
    }

    /// The value without secrets, when there is one in it.
    fn value(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => None,
            Value::Text(text) => match self.text(text) {
                Cow::Borrowed(_) => None,
                Cow::Owned(clean) => Some(clean.into()),
            },
            Value::List(items) => {
                let clean: Vec<Option<Value>> = items.iter().map(|item| self.value(item)).collect();
                clean.iter().any(Option::is_some).then(|| {
                    let whole = items.iter().zip(clean).map(|(item, clean)| clean.unwrap_or_else(|| item.clone()));
                    Value::List(whole.collect())
                })
            }
            Value::Record(record) => {
                let dirty = |(name, value): (&ecow::EcoString, &Value)| {
                    matches!(self.text(name), Cow::Owned(_)) || self.value(value).is_some()
                };
                record.iter().any(dirty).then(|| {
                    let whole = record.iter().map(|(name, value)| {
                        (
                            ecow::EcoString::from(self.text(name).as_ref()),
                            self.value(value).unwrap_or_else(|| value.clone()),
                        )
                    });
                    whole.collect::<Record>().into()
                })
            }
        }
    }
}

/// A writer that is handed whole texts, such as the lines of a log, and passes them on without secrets.
pub(crate) struct Writer<W>(pub(crate) W);

impl<W: io::Write> io::Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes).map(text) {
            Ok(Cow::Owned(clean)) => self.0.write_all(clean.as_bytes())?,
            Ok(Cow::Borrowed(_)) | Err(_) => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use std::io::Write as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use pipit_commands::Value;

    use super::Scrubber;

    const SECRET: &str = "wJalr+Utn/FE&MI\"K7 é";

    fn scrubber() -> Scrubber {
        Scrubber::new([("aws KEY", SECRET), ("other", "hunter22")].into_iter()).unwrap()
    }

    #[test]
    fn a_secret_is_found_in_every_form_and_place() {
        let hex = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let url: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let json = serde_json::to_string(SECRET).unwrap();
        let twice = serde_json::to_string(&json).unwrap();
        let html = SECRET.replace('&', "&amp;").replace('"', "&quot;");
        let mut forms =
            vec![SECRET.to_owned(), hex.to_uppercase(), hex, url.replace('+', "%20"), url, json, twice, html];
        for before in ["", "x", "xy", "user:", "user:p"] {
            for after in ["", "!", "!!", "\n"] {
                let text = format!("{before}{SECRET}{after}");
                forms.push(STANDARD.encode(&text));
                forms.push(URL_SAFE_NO_PAD.encode(&text));
            }
        }
        let scrubber = scrubber();
        for form in forms {
            for text in [form.clone(), format!("a {form} b {form}"), format!("\"{form}\",")] {
                let clean = scrubber.text(&text);
                assert!(clean.contains("[secret aws KEY]"), "{text} gave {clean}");
                assert!(!clean.contains("Jalr") && !clean.contains("4a616c72"), "{clean}");
            }
        }
        assert_eq!(scrubber.text("hunter2 is no secret"), "hunter2 is no secret");
        assert_eq!(scrubber.text("ahunter22b"), "a[secret other]b");
    }

    #[test]
    fn values_are_cleaned_to_their_depth() {
        let value = Value::from_json(r#"{"a":[1,{"hunter22":"x hunter22"}],"b":null}"#).unwrap();
        let clean = scrubber().value(&value).unwrap();
        assert_eq!(clean.to_json(), r#"{"a":[1,{"[secret other]":"x [secret other]"}],"b":null}"#);
        assert_eq!(scrubber().value(&Value::from_json(r#"{"a":["b",2]}"#).unwrap()), None);
    }

    #[test]
    fn long_secrets_are_known_by_their_ends_and_lines() {
        let pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END KEY-----";
        let scrubber = Scrubber::new([("pem", pem)].into_iter()).unwrap();
        assert_eq!(scrubber.text("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"), "[secret pem]");
        assert_eq!(scrubber.text(pem), "[secret pem]");
        let long = Scrubber::new([("t", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ")].into_iter()).unwrap();
        assert!(!long.text("it is 0123456789abcdefghijklmnopqrst… and so on").contains("0123"));
        assert!(!long.text("…cdefghijklmnopqrstuvwxyzABCDEFGHIJ").contains("EFGHIJ"));
    }

    #[test]
    fn the_register_knows_what_it_was_told_and_short_values_are_let_be() {
        super::keep("a short one", "admin");
        super::keep("scrub test", " scrub-test-canary-1 \n");
        super::keep("scrub test", "scrub-test-canary-2");
        assert_eq!(
            super::text("admin: scrub-test-canary-1, scrub-test-canary-2."),
            "admin: [secret scrub test], [secret scrub test]."
        );
        let mut log = Vec::new();
        super::Writer(&mut log).write_all(b"it said scrub-test-canary-1\n").unwrap();
        assert_eq!(log, b"it said [secret scrub test]\n");
    }
}
