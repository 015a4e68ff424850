//! The forms in which a secret is looked for. Deliberately absent: forms that nobody makes by habit; who turns a secret
//! round letter by letter gets it past this.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::limits::SHORTEST_SECRET;

/// A secret that is so long is looked for by its first and last bytes too, since long texts are cut.
const LONG: usize = 40;
/// How many bytes of it.
const END: usize = 20;
/// Lines of a secret that are so long are looked for by themselves.
const LINE: usize = 16;

/// All forms of a secret.
pub(super) fn of(secret: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    written(secret, &mut forms);
    if secret.len() >= LONG {
        written(&secret[..secret.floor_char_boundary(END)], &mut forms);
        written(&secret[secret.ceil_char_boundary(secret.len() - END)..], &mut forms);
    }
    if secret.contains('\n') {
        let lines = secret.lines().map(str::trim).filter(|line| line.len() >= LINE && !line.starts_with("-----"));
        forms.extend(lines.map(str::to_owned));
    }
    forms
}

/// The text itself, and as JSON, URLs, HTML, hexadecimal and base64 write it.
fn written(secret: &str, forms: &mut BTreeSet<String>) {
    forms.insert(secret.to_owned());
    let json = |text: &str| serde_json::to_string(text).map(|json| json.trim_matches('"').to_owned());
    // a text within a text within JSON is written twice
    for form in json(secret).and_then(|once| Ok([json(&once)?, once])).into_iter().flatten() {
        forms.insert(form);
    }
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for form in [form.replace('+', "%20"), escaped(secret, "-_.!~*'()"), escaped(secret, "-_.~"), form] {
        forms.insert(lower_escapes(&form));
        forms.insert(form);
    }
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    forms.insert(html.replace('"', "&quot;"));
    forms.insert(html.replace('"', "&quot;").replace('\'', "&#x27;").replace('/', "&#x2F;"));
    forms.insert(html.replace('"', "&quot;").replace('\'', "&#39;"));
    forms.insert(html);
    let mut hex = String::with_capacity(secret.len() * 2);
    for byte in secret.bytes() {
        hex.push_str(&format!("{byte:02x}"));
    }
    forms.insert(hex.to_uppercase());
    forms.insert(hex);
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        // the letters that only this secret makes, whatever stands before and behind it
        let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for code in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            if let Some(core) = code.get(first..end).filter(|core| core.len() >= SHORTEST_SECRET) {
                forms.insert(core.to_owned());
            }
        }
    }
}

/// With `%` escapes for all but letters, digits and these.
fn escaped(secret: &str, plain: &str) -> String {
    let byte = |byte: u8| {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || (c.is_ascii() && plain.contains(c)) {
            c.to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    secret.bytes().map(byte).collect()
}

/// The same with small letters in its escapes.
fn lower_escapes(text: &str) -> String {
    let mut since = 3;
    let lower = |c: char| {
        since = if c == '%' { 0 } else { since + 1 };
        if (1..=2).contains(&since) { c.to_ascii_lowercase() } else { c }
    };
    text.chars().map(lower).collect()
}
