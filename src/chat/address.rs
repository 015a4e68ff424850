//! Which message is a command, and where its line begins.
//!
//! Deliberately absent: who said it and whether they may, which is asked elsewhere; commands embedded in talk.

/// The line that a message asks to run; `None` is talk.
///
/// A command begins with the prefix, or addresses the bot (`pipit: …`, `pipit, …`, `@pipit …`), or is said to nobody
/// else (`direct`). A prefix followed by nothing but punctuation is an exclamation. `!!` runs the last line again: with
/// the prefix `!` a message that begins with `!!` means that name, and `!!!` is prefix and name.
pub(super) fn line<'a>(text: &'a str, prefix: &str, nick: &str, direct: bool) -> Option<&'a str> {
    let text = text.trim();
    let said = match addressed(text, nick) {
        Some(rest) => rest,
        None if direct || text.starts_with(prefix) => text,
        None => return None,
    };
    let Some(rest) = said.strip_prefix(prefix) else {
        return (!said.is_empty()).then_some(said);
    };
    if prefix == "!" && again(said) {
        return Some(said);
    }
    let rest = rest.trim_start();
    let says_something = again(rest) || rest.chars().any(char::is_alphanumeric);
    says_something.then_some(rest)
}

/// Whether a bot or a service in the room could take a line of a text for a command: a sign and a letter, as `!op` is,
/// or `!!`. Whoever may run commands decides what is answered, and an answer must not be an order of ours: it is said in
/// the form that no bot answers.
pub(super) fn rouses(text: &str) -> bool {
    const SIGNS: &str = "!.@~`$%&?+-^=,;:/\\|*#<>_'";
    text.split(['\n', '\r']).any(|line| {
        let mut chars = line.trim_start().chars().filter(|c| !c.is_control());
        match chars.next() {
            Some(sign) if SIGNS.contains(sign) => {
                let behind = chars.find(|c| !SIGNS.contains(*c) && !c.is_whitespace());
                behind.is_some_and(char::is_alphabetic) || line.contains("!!")
            }
            Some(_) | None => false,
        }
    })
}

/// Whether a line begins with the name `!!`.
fn again(text: &str) -> bool {
    text.strip_prefix("!!").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '|', ';', '&', '>']))
}

fn addressed<'a>(text: &'a str, nick: &str) -> Option<&'a str> {
    let (name, mention) = text.strip_prefix('@').map_or((text, false), |name| (name, true));
    let (head, rest) = name.split_at_checked(nick.len())?;
    if nick.is_empty() || !head.eq_ignore_ascii_case(nick) {
        return None;
    }
    match rest.strip_prefix([':', ',']) {
        Some(rest) => Some(rest.trim_start()),
        None if mention && rest.starts_with(char::is_whitespace) => Some(rest.trim_start()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::{line, rouses};

    #[test]
    fn an_answer_is_no_order() {
        for text in ["!op mallory", "well\n  .voice x", "! op", "!!", "..list", "@bot x", "!\u{2}op"] {
            assert!(rouses(text), "{text:?}");
        }
        for text in
            ["hello", "-5", ".5", "a !b", "{\"a\":1}", "[1]", "error: no", "… 3 more lines", "──────", "!", "- 5", ""]
        {
            assert!(!rouses(text), "{text:?}");
        }
    }

    #[test]
    fn a_room_hears_the_prefix_and_its_name() {
        for (text, heard) in [
            ("!list 1 2", Some("list 1 2")),
            ("  !list", Some("list")),
            ("! list", Some("list")),
            ("hello !list", None),
            ("!", None),
            ("! ", None),
            ("!?", None),
            ("!!!!", None),
            ("!!", Some("!!")),
            ("!!!", Some("!!")),
            ("!! | sort", Some("!! | sort")),
            ("pipit: list", Some("list")),
            ("Pipit, list", Some("list")),
            ("pipit:list", Some("list")),
            ("pipit: !list", Some("list")),
            ("pipit: !!", Some("!!")),
            ("@pipit list", Some("list")),
            ("@pipit: list", Some("list")),
            ("pipit list", None),
            ("pipit:", None),
            ("pipit", None),
            ("pipits: list", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(line(text, "!", "pipit", false), heard, "{text:?}");
        }
    }

    #[test]
    fn another_prefix_leaves_exclamations_alone() {
        for (text, heard) in [
            ("!!", None),
            ("..!!", Some("!!")),
            ("..list", Some("list")),
            (".list", None),
            ("...", None),
            ("..é", Some("é")),
        ] {
            assert_eq!(line(text, "..", "pipit", false), heard, "{text:?}");
        }
    }

    #[test]
    fn a_direct_message_is_all_line() {
        for (text, heard) in [
            ("list 1", Some("list 1")),
            ("!list 1", Some("list 1")),
            ("!!", Some("!!")),
            ("pipit: list", Some("list")),
            ("!", None),
            (" ", None),
            ("@other x", Some("@other x")),
        ] {
            assert_eq!(line(text, "!", "pipit", true), heard, "{text:?}");
        }
    }
}
