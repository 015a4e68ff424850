//! One line of the protocol: taken apart without copying, and written.
//!
//! Deliberately absent: what the commands mean, and whether the bytes are text (a server may pass on anything).

use std::borrow::Cow;

/// The most parameters a line has; the last takes the rest.
const PARAMS: usize = 15;

/// A line as received, in slices of the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The tags, as they came.
    tags: &'a [u8],
    /// Who it comes from: `nick!user@host`, or a server; empty where the line does not say.
    pub(super) source: &'a [u8],
    /// The verb or the three digits.
    pub(super) command: &'a [u8],
    params: [&'a [u8]; PARAMS],
    count: usize,
}

impl<'a> Line<'a> {
    /// Takes a line apart; `None` when there is no command in it.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
        let mut head = |sign: u8| {
            rest = blanks(rest);
            let (word, after) = word(rest.strip_prefix(&[sign])?);
            rest = after;
            Some(word)
        };
        let tags = head(b'@').unwrap_or_default();
        let source = head(b':').unwrap_or_default();
        let (command, mut rest) = word(blanks(rest));
        if command.is_empty() {
            return None;
        }
        let mut params: [&[u8]; PARAMS] = [&[]; PARAMS];
        let mut count = 0;
        while count < PARAMS {
            rest = blanks(rest);
            if rest.is_empty() {
                break;
            }
            (params[count], rest) = match rest.strip_prefix(b":") {
                Some(last) => (last, &[][..]),
                None if count == PARAMS - 1 => (rest, &[][..]),
                None => word(rest),
            };
            count += 1;
        }
        Some(Self { tags, source, command, params, count })
    }

    /// The parameter at a place; empty when there is none.
    pub(super) fn param(&self, at: usize) -> &'a [u8] {
        self.params().get(at).copied().unwrap_or_default()
    }

    /// All parameters.
    pub(super) fn params(&self) -> &[&'a [u8]] {
        &self.params[..self.count]
    }

    /// The last parameter as text to show.
    pub(super) fn last(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.params().last().copied().unwrap_or_default())
    }

    /// The name in front of `!user@host`.
    pub(super) fn nick(&self) -> &'a [u8] {
        memchr::memchr(b'!', self.source).map_or(self.source, |at| &self.source[..at])
    }

    /// The value of a tag, unescaped; empty when it has none; `None` without the tag or when it is no text. Of a tag
    /// that comes twice the last counts.
    pub(super) fn tag(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut found = None;
        for tag in self.tags.split(|&byte| byte == b';') {
            let (key, value) = memchr::memchr(b'=', tag).map_or((tag, &[][..]), |at| (&tag[..at], &tag[at + 1..]));
            if key == name.as_bytes() {
                found = Some(value);
            }
        }
        unescape(std::str::from_utf8(found?).ok()?)
    }
}

fn blanks(mut rest: &[u8]) -> &[u8] {
    while let [b' ', after @ ..] = rest {
        rest = after;
    }
    rest
}

fn word(rest: &[u8]) -> (&[u8], &[u8]) {
    memchr::memchr(b' ', rest).map_or((rest, &[][..]), |at| rest.split_at(at))
}

#[expect(clippy::unnecessary_wraps, reason = "ends the chain of `?` above in one word")]
fn unescape(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('\\') {
        return Some(Cow::Borrowed(value));
    }
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some(':') => plain.push(';'),
            Some('s') => plain.push(' '),
            Some('r') => plain.push('\r'),
            Some('n') => plain.push('\n'),
            Some(other) => plain.push(other),
            None => {}
        }
    }
    Some(Cow::Owned(plain))
}

/// Writes a line: the words, then the last parameter, which may hold blanks. None of them may hold a line end or NUL:
/// what does is cut there, so that nothing said can become a second line.
pub(super) fn write(out: &mut Vec<u8>, words: &[&str], last: Option<&str>) {
    let safe = |text: &str| text.bytes().position(|byte| matches!(byte, b'\r' | b'\n' | 0)).unwrap_or(text.len());
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(&word.as_bytes()[..safe(word)]);
    }
    if let Some(last) = last {
        out.extend_from_slice(b" :");
        out.extend_from_slice(&last.as_bytes()[..safe(last)]);
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let line =
            Line::parse(b"@account=al;msgid=a\\sb\\:c\\\\;+x;e= :nick!u@h PRIVMSG  #a :hi  there: you \r").unwrap();
        assert_eq!(line.source, b"nick!u@h");
        assert_eq!(line.nick(), b"nick");
        assert_eq!(line.command, b"PRIVMSG");
        assert_eq!(line.params(), [&b"#a"[..], b"hi  there: you "]);
        assert_eq!(line.tag("account").as_deref(), Some("al"));
        assert_eq!(line.tag("msgid").as_deref(), Some("a b;c\\"));
        assert_eq!(line.tag("+x").as_deref(), Some(""));
        assert_eq!(line.tag("e").as_deref(), Some(""));
        assert_eq!(line.tag("x"), None);
        assert_eq!(line.param(7), b"");
    }

    #[test]
    fn short_and_long_lines() {
        for empty in ["", "\r", "   ", "@a=b", ":src", "@a :b ", "@ :"] {
            assert!(Line::parse(empty.as_bytes()).is_none(), "{empty:?}");
        }
        let ping = Line::parse(b"PING x").unwrap();
        assert_eq!((ping.command, ping.source, ping.param(0)), (&b"PING"[..], &b""[..], &b"x"[..]));
        let many = (0..20).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let many = format!("X {many}");
        let line = Line::parse(many.as_bytes()).unwrap();
        assert_eq!((line.params().len(), line.last().as_ref()), (15, "14 15 16 17 18 19"));
        assert_eq!(Line::parse(b"X :").unwrap().params(), [b""]);
    }

    #[test]
    fn nothing_said_becomes_a_second_line() {
        let mut out = Vec::new();
        write(&mut out, &["PRIVMSG", "#a"], Some("hi\r\nQUIT :x"));
        write(&mut out, &["JOIN", "#a\0 0"], None);
        assert_eq!(out, b"PRIVMSG #a :hi\r\nJOIN #a\r\n");
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_parser(line in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(line) = Line::parse(&line) {
                let _ = (line.nick(), line.last(), line.tag("a"), line.params().len());
            }
        }

        #[test]
        fn lines_of_signs_neither(line in "[@:;= \\\\a\r!]{0,60}") {
            if let Some(line) = Line::parse(line.as_bytes()) {
                let _ = (line.nick(), line.last(), line.tag("a"));
            }
        }

        #[test]
        fn what_is_written_is_read(words in prop::collection::vec("[a-z#0-9]{1,9}", 1..14), last in "[^\r\n\0]{0,40}") {
            let mut out = Vec::new();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            write(&mut out, &words, Some(&last));
            let line = Line::parse(out.strip_suffix(b"\r\n").unwrap()).unwrap();
            prop_assert_eq!(line.command, words[0].as_bytes());
            let read: Vec<_> = line.params().iter().map(|p| std::str::from_utf8(p).unwrap()).collect();
            let (tail, head) = read.split_last().unwrap();
            prop_assert_eq!(head, &words[1..]);
            prop_assert_eq!(*tail, last.as_str());
        }
    }
}
