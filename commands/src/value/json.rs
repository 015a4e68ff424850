//! Values as compact JSON, straight to a text. Deliberately absent: reading it, which is beside this.

use super::Value;

impl Value {
    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json);
        json
    }

    /// Appends compact JSON.
    pub fn write_json(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Bool(true) => json.push_str("true"),
            Self::Bool(false) => json.push_str("false"),
            Self::Int(number) => json.push_str(itoa::Buffer::new().format(*number)),
            Self::Float(number) => float_text(*number, |digits| json.push_str(digits)),
            Self::Text(text) => write_text(text, json),
            Self::List(items) => {
                json.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        json.push(',');
                    }
                    item.write_json(json);
                }
                json.push(']');
            }
            Self::Record(record) => {
                json.push('{');
                for (at, (name, value)) in record.iter().enumerate() {
                    if at > 0 {
                        json.push(',');
                    }
                    write_text(name, json);
                    json.push(':');
                    value.write_json(json);
                }
                json.push('}');
            }
        }
    }
}

/// The shortest digits that come back as the same number.
pub(crate) fn float_text<T>(number: f64, with: impl FnOnce(&str) -> T) -> T {
    let mut digits = [0_u8; 32];
    let mut left = digits.as_mut_slice();
    // a float takes 24 bytes at most
    let _ = serde_json::to_writer(&mut left, &number);
    let length = 32 - left.len();
    with(digits.get(..length).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("null"))
}

/// Appends a text in quotes.
pub(crate) fn write_text(text: &str, json: &mut String) {
    json.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        // what is escaped is one byte, so both sides of it are texts
        let (plain, behind) = rest.split_at(at);
        json.push_str(plain);
        let (one, behind) = behind.split_at(1);
        escape(one.as_bytes().first().copied().unwrap_or_default(), json);
        rest = behind;
    }
    json.push_str(rest);
    json.push('"');
}

fn escape(byte: u8, json: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    json.push('\\');
    match byte {
        b'\x08' => json.push('b'),
        b'\t' => json.push('t'),
        b'\n' => json.push('n'),
        b'\x0c' => json.push('f'),
        b'\r' => json.push('r'),
        b'"' | b'\\' => json.push(char::from(byte)),
        other => {
            json.push_str("u00");
            json.extend([other >> 4, other & 15].map(|half| HEX[usize::from(half)]));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use crate::Value;

    #[test]
    fn the_same_as_any_other_writer() {
        let every: String = ('\0'..'\u{a1}').chain(['ü', '€', '😀', '\u{2028}', '\u{ffff}']).collect();
        let numbers = [0.0, -0.0, 0.1, 1.0, 1e21, 1e-7, 123_456.789, f64::MAX, f64::MIN_POSITIVE, 5e-324, -1.5e300];
        let mut all: Vec<Value> = numbers.into_iter().map(Value::from).collect();
        all.extend([i64::MIN, -1, 0, i64::MAX].map(Value::from));
        all.extend(["", "a", "\"", "\\", "\n", "a\"b", every.as_str()].map(Value::from));
        all.extend([Value::Null, true.into(), false.into(), Value::List(all.iter().cloned().collect())]);
        all.push(Value::from_json("{}").unwrap());
        all.push(Value::from_json(r#"{"a\n":[],"b":{"":[1,2.5,null]}}"#).unwrap());
        for value in all {
            let mut json = "before".to_owned();
            value.write_json(&mut json);
            assert_eq!(json, format!("before{}", serde_json::to_string(&value).unwrap()));
            assert_eq!(Value::from_json(&value.to_json()).unwrap(), value);
        }
    }
}
