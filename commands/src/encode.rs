//! Texts in other spellings, and values from and to the formats of other programs. Deliberately absent: bytes; what
//! does not decode to text is an error.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

use crate::command::{Call, Command};
use crate::family::{Row, family, row};
use crate::parse::parse;
use crate::spec::Flow;
use crate::stream::Batch;
use crate::text::subject;
use crate::to::to;
use crate::{Error, Kind, Value};

pub(crate) fn families() -> Vec<Command> {
    family(
        "encode",
        [
            row("parse json|json-lines|yaml|toml|csv|kv|lines")
                .about("The values that texts say in a format; a list comes value by value, cells of csv and values of kv are texts")
                .example(r#"echo '[1,{"a":2}]' | parse json"#, "1\n{\"a\":2}")
                .example(r#"echo "{\"a\":1}\n{\"a\":2}" | parse json-lines"#, "{\"a\":1}\n{\"a\":2}")
                .example("echo \"a,b\\n1,x\" | parse csv", r#"{"a":"1","b":"x"}"#)
                .example("echo 'a=x b=\"y z\"' | parse kv", r#"{"a":"x","b":"y z"}"#)
                .stream(parse)
                .flow(Flow::Value),
            row("to json|yaml|csv|table|markdown")
                .about("Texts that say the values in a format: json and yaml one for each value, the others one for all")
                .example(r#"seed '{"b":1,"a":[null]}' | to json"#, r#""{\"b\":1,\"a\":[null]}""#)
                .example(r#"seed '[{"a":1,"b":"x,y"}]' | to csv"#, r#""a,b\n1,\"x,y\"""#)
                .stream(to),
            coder("base64", "Base64 of a text, or the text of base64", |call, _, out| {
                code(call, out, |text| STANDARD.encode(text), base64_decode)
            })
            .example("base64 encode 'a b'", r#""YSBi""#),
            coder("url", "A text as part of an address (%20), or back", |call, _, out| {
                code(call, out, url_encode, url_decode)
            })
            .example("url encode 'a b&c'", r#""a%20b%26c""#),
            coder("html", "A text with &lt; and the like for its marks, or back", |call, _, out| {
                let encode = |text: &str| html_escape::encode_quoted_attribute(text).replace("&#x27;", "&#39;");
                code(call, out, encode, |text| Ok(html_escape::decode_html_entities(text).into_owned()))
            })
            .example("html encode '<b>'", r#""&lt;b&gt;""#)
            .example("html decode '&lt;b&gt; &eacute;'", r#""<b> é""#),
            coder("hex", "The bytes of a text in hexadecimal digits, or back", |call, _, out| {
                code(call, out, |text| hex(text.as_bytes()), hex_decode)
            })
            .example("hex encode abc", r#""616263""#),
            row("hash [TEXT…] [--sha256] [--sha512] [--md5]")
                .about("The hash of a text in hexadecimal digits, SHA-256 unless said; MD5 is no protection, only a check")
                .example("echo abc | hash --sha256", r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#)
                .kind("TEXT", Kind::Word)
                .fills("TEXT")
                .either(&["sha256", "sha512", "md5"])
                .each(hash),
            row("raw")
                .about("The values as they are, with their types")
                .example("list 1 a | raw", "1\n\"a\"")
                .stream(|_, input| Ok(input)),
        ],
    )
}

fn coder(name: &str, about: &str, f: fn(&Call, Option<&Value>, &mut Batch) -> Result<(), Error>) -> Row {
    row(&format!("{name} encode|decode [TEXT…]")).about(about).kind("TEXT", Kind::Word).fills("TEXT").each(f)
}

fn code(
    call: &Call,
    out: &mut Batch,
    encode: impl Fn(&str) -> String,
    decode: impl Fn(&str) -> Result<String, Error>,
) -> Result<(), Error> {
    let text = subject(call)?;
    let encodes = call.args().words().next().is_some_and(|word| *word == Value::from("encode"));
    out.push(Value::from(if encodes { encode(&text) } else { decode(&text)? }));
    Ok(())
}

fn utf8(bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|_| Error::failed("what was decoded is no text in UTF-8"))
}

fn base64_decode(text: &str) -> Result<String, Error> {
    /// Padding may be left out, as many programs do.
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &base64::alphabet::URL_SAFE } else { &base64::alphabet::STANDARD };
    let compact: String = text.split_whitespace().collect();
    let bytes = GeneralPurpose::new(alphabet, LENIENT).decode(compact).map_err(|error| {
        let why = error.to_string().to_lowercase();
        Error::failed(format!("this is no base64: {}", why.trim_end_matches('.')))
    })?;
    utf8(bytes)
}

fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // writing to a String cannot fail
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn url_decode(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let byte = byte.ok_or_else(|| Error::failed("a % is not followed by two hexadecimal digits"))?;
        bytes.push(byte);
        bytes.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
    }
    utf8(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        // writing to a String cannot fail
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn hex_decode(text: &str) -> Result<String, Error> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let wrong = || Error::failed("this is no text in hexadecimal digits: pairs of 0-9 and a-f");
    let byte = |pair: &[u8]| {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match pair {
            [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
            _ => None,
        }
    };
    utf8(digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>().ok_or_else(wrong)?)
}

fn hash(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let text = subject(call)?;
    let bytes = if call.flag("sha512") {
        Sha512::digest(text.as_bytes()).to_vec()
    } else if call.flag("md5") {
        Md5::digest(text.as_bytes()).to_vec()
    } else {
        Sha256::digest(text.as_bytes()).to_vec()
    };
    out.push(Value::from(hex(&bytes)));
    Ok(())
}
