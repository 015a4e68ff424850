//! What a message says, as plain text: colours and weights of the clients are taken off.

use std::borrow::Cow;

/// The text without formatting. Other control characters stay: they are for the language to refuse.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, 0x02..=0x04 | 0x0f | 0x11 | 0x16 | 0x1d..=0x1f)) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\u{2}' | '\u{f}' | '\u{11}' | '\u{16}' | '\u{1d}'..='\u{1f}' => {}
            '\u{3}' => rest = colours(rest, 2, |byte| byte.is_ascii_digit()),
            '\u{4}' => rest = colours(rest, 6, |byte| byte.is_ascii_hexdigit()),
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

/// Takes a colour and, behind a comma, the colour of the ground off the head.
fn colours(text: &str, width: usize, digit: impl Fn(u8) -> bool) -> &str {
    let count = |text: &str| text.bytes().take(width).take_while(|byte| digit(*byte)).count();
    let rest = &text[count(text)..];
    match rest.strip_prefix(',') {
        Some(ground) if rest.len() < text.len() && count(ground) > 0 => &ground[count(ground)..],
        Some(_) | None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn formatting_is_taken_off() {
        for (text, said) in [
            ("!list 1", "!list 1"),
            ("\u{3}04,12!list\u{3} 1", "!list 1"),
            ("\u{2}!li\u{2}st\u{f}", "!list"),
            ("\u{3}4,x", ",x"),
            ("\u{3},5", ",5"),
            ("\u{3}123", "3"),
            ("\u{4}ff0000é", "é"),
            ("a\u{7}b\tc", "a\u{7}b\tc"),
        ] {
            assert_eq!(plain(text), said, "{text:?}");
        }
    }
}
