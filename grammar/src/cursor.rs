//! Where in a line somebody is typing: the stages before, the words before, and what is there of the word. Read from
//! the text in front of the cursor alone, so a line that is not whole yet is no error.
//!
//! Deliberately absent: what could stand there, and whether the words before are right.

use crate::line::is_blank;

/// A place in a line that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor<'t> {
    /// The lines around the place, the innermost last; at least one.
    pub around: Vec<Around<'t>>,
    /// Where the word begins that is being typed, in bytes; the cursor itself between words.
    pub start: usize,
    /// The end of that word behind the cursor, in bytes.
    pub end: usize,
    /// What is typed of the word, up to the cursor.
    pub typed: &'t str,
    /// The quote that is open there.
    pub quote: Option<Open>,
}

/// An open quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// `'` or `"`.
    pub mark: char,
    /// Where its text begins, in bytes.
    pub start: usize,
}

/// A line as far as it is typed: the whole one, or one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around<'t> {
    /// What the line stands in.
    pub within: Within,
    /// The stages of the pipeline before the one that is being typed, in order; before a redirect all of them.
    pub before: Vec<&'t str>,
    /// The stage that is being typed, without the word that is.
    pub stage: &'t str,
    /// Where that stage begins, in bytes; where the word begins when it is the first.
    pub start: usize,
    /// Whether the word names a place to post to.
    pub redirect: bool,
}

/// What a line stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Nothing: it is the line itself.
    Line,
    /// A block of the stage around it.
    Block,
    /// A substitution in a word of the stage around it.
    Substitution,
}

/// The place of a cursor, which stands at this byte; one beyond the end or inside a character stands before it.
#[must_use]
pub fn cursor(text: &str, at: usize) -> Cursor<'_> {
    let at = text.floor_char_boundary(at);
    let mut scan = Scan { text: &text[..at], at: 0, frames: vec![Frame::new(Closer::End, 0)], quote: None };
    while scan.at < at {
        scan.step();
    }
    scan.place(&text[at..])
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closer {
    End,
    Brace,
    /// `)`, while so many bare `(` wait for theirs.
    Parenthesis(usize),
    Backtick,
}

/// A line that is being read.
struct Frame<'t> {
    closer: Closer,
    /// Where the brace stands that it is in.
    from: usize,
    before: Vec<&'t str>,
    /// Where the stage begins, when one has begun.
    stage: Option<usize>,
    redirect: bool,
    /// Where the word begins, inside one.
    word: Option<usize>,
    /// Whether a quote opens here.
    opens: bool,
    /// Where the text of the double quotes begins, inside them.
    double: Option<usize>,
}

impl Frame<'_> {
    fn new(closer: Closer, from: usize) -> Self {
        Self { closer, from, before: Vec::new(), stage: None, redirect: false, word: None, opens: false, double: None }
    }
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    frames: Vec<Frame<'t>>,
    /// The single quote that is not closed.
    quote: Option<Open>,
}

impl<'t> Scan<'t> {
    /// Reads on; at least a character.
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        let Some(letter) = rest.chars().next() else { return };
        let (at, size) = (self.at, letter.len_utf8());
        self.at += size;
        let Some(frame) = self.frames.last_mut() else { return };
        if frame.double.is_some() {
            match letter {
                '"' => (frame.double, frame.opens) = (None, true),
                '\\' => self.skip(),
                '$' if rest.starts_with("$(") => self.open(Closer::Parenthesis(0), 1),
                _ => {}
            }
            return;
        }
        let closes = match frame.closer {
            Closer::Parenthesis(waiting) => letter == ')' && waiting == 0,
            Closer::Backtick => letter == '`',
            Closer::End | Closer::Brace => false,
        };
        if closes || is_blank(letter) {
            self.end_word(at);
            if closes {
                self.frames.pop();
                if let Some(outer) = self.frames.last_mut() {
                    outer.opens = false;
                }
            }
            return;
        }
        if frame.word.is_none() {
            (frame.word, frame.opens) = (Some(at), true);
        }
        let opened = frame.opens;
        frame.opens = letter == '=';
        match letter {
            '\'' if opened => {
                if let Some(inside) = self.text[self.at..].find('\'') {
                    frame.opens = true;
                    self.at += inside + 1;
                } else {
                    self.quote = Some(Open { mark: '\'', start: self.at });
                    self.at = self.text.len();
                }
            }
            '"' if opened => frame.double = Some(self.at),
            '\\' => self.skip(),
            '$' if rest.starts_with("$(") => self.open(Closer::Parenthesis(0), 1),
            '`' => self.open(Closer::Backtick, 0),
            '(' | ')' => {
                if let Closer::Parenthesis(waiting) = &mut frame.closer {
                    *waiting = if letter == '(' { *waiting + 1 } else { waiting.saturating_sub(1) };
                }
            }
            _ => {}
        }
    }

    /// Takes the next character as it is.
    fn skip(&mut self) {
        self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
    }

    /// A line begins inside the word or the stage.
    fn open(&mut self, closer: Closer, further: usize) {
        self.at += further;
        self.frames.push(Frame::new(closer, self.at));
    }

    /// A word ends before this byte: an operator does what it does.
    fn end_word(&mut self, end: usize) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(start) = frame.word.take() else { return };
        match &self.text[start..end] {
            operator @ ("|" | ">" | "*>") => {
                let stage = frame.stage.take().map_or("", |stage| self.text[stage..start].trim_end());
                frame.before.push(stage);
                frame.redirect = operator != "|";
            }
            "&&" | "||" => (frame.before, frame.stage, frame.redirect) = (Vec::new(), None, false),
            "{" => self.frames.push(Frame::new(Closer::Brace, start)),
            "}" if frame.closer == Closer::Brace => {
                self.frames.pop();
            }
            _ => {
                frame.stage.get_or_insert(start);
            }
        }
    }

    fn place(self, behind: &str) -> Cursor<'t> {
        let at = self.text.len();
        let innermost = self.frames.len() - 1;
        let mut quote = self.quote;
        let mut start = at;
        let mut ends: Option<char> = None;
        let mut around = Vec::with_capacity(self.frames.len());
        let inner: Vec<usize> = self.frames.iter().skip(1).map(|frame| frame.from).collect();
        for (depth, frame) in self.frames.into_iter().enumerate() {
            // a line inside stands in a word of the one around it, or in a brace behind its words
            let word = frame.word.unwrap_or(inner.get(depth).copied().unwrap_or(at));
            if depth == innermost {
                start = word;
                quote = quote.or(frame.double.map(|start| Open { mark: '"', start }));
                ends = match frame.closer {
                    Closer::Parenthesis(_) => Some(')'),
                    Closer::Backtick => Some('`'),
                    Closer::End | Closer::Brace => None,
                };
            }
            let stage = frame.stage.map_or("", |stage| self.text[stage..word.max(stage)].trim_end());
            around.push(Around {
                within: match frame.closer {
                    Closer::End => Within::Line,
                    Closer::Brace => Within::Block,
                    Closer::Parenthesis(_) | Closer::Backtick => Within::Substitution,
                },
                before: frame.before,
                stage,
                start: frame.stage.unwrap_or(word),
                redirect: frame.redirect,
            });
        }
        let typed = &self.text[start..];
        let length = match quote {
            Some(open) => behind.find(open.mark).unwrap_or(0),
            None if typed.is_empty() => 0,
            None => behind.find(|letter| is_blank(letter) || Some(letter) == ends).unwrap_or(behind.len()),
        };
        Cursor { around, start, end: at + length, typed, quote }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Within, cursor};

    /// Where `‸` stands: the stages before / the stage / the word, from its quote on, line by line outwards.
    fn at(text: &str) -> String {
        let place = text.find('‸').unwrap_or(text.len());
        let text = text.replacen('‸', "", 1);
        let Cursor { around, typed, quote, start, end } = cursor(&text, place);
        let lines: Vec<String> = around
            .iter()
            .map(|line| {
                let within = match line.within {
                    Within::Line => "",
                    Within::Block => "{",
                    Within::Substitution => "(",
                };
                let redirect = if line.redirect { ">" } else { "" };
                format!("{within}{} / {}{redirect}", line.before.join("|"), line.stage)
            })
            .collect();
        let open = quote.map_or(String::new(), |open| format!("{}{}", open.mark, &text[open.start..place]));
        assert_eq!(typed, &text[start..place]);
        let behind = &text[place..end];
        format!("{} / {typed}+{behind} {open}", lines.join(" ")).trim_end().to_owned()
    }

    #[test]
    fn a_cursor_knows_what_stands_before_it() {
        for (text, wanted) in [
            ("‸", " /  / +"),
            ("so‸", " /  / so+"),
            ("list 1 2 | so‸", "list 1 2 /  / so+"),
            ("list 1 | sort ‸", "list 1 / sort / +"),
            ("list 1 | sort --de‸sc | x", "list 1 / sort / --de+sc"),
            ("a | b | c x ‸", "a|b / c x / +"),
            ("a | b && c ‸", " / c / +"),
            ("a && b | c‸", "b /  / c+"),
            ("each { upper | lo‸ }", " / each {upper /  / lo+"),
            ("list 1 | each --parallel 2 { echo ‸", "list 1 / each --parallel 2 { / echo / +"),
            ("try { a } { b ‸", " / try { a } { / b / +"),
            ("each { a } --p‸", " / each { a } / --p+"),
            ("echo x$(list a | so‸) b", " / echo (list a /  / so+"),
            ("echo $(list a) b‸", " / echo $(list a) / b+"),
            ("echo $(calc (1 + 2‸", " / echo ( / calc (1 + / 2+"),
            ("echo `list a | c‸`", " / echo (list a /  / c+"),
            ("echo \"a $(list b ‸", " / echo ( / list b / +"),
            ("echo \"a $(list b) c‸ d\"", " / echo / \"a $(list b) c+ d \"a $(list b) c"),
            ("where 'cpu > ‸80' | x", " / where / 'cpu > +80 'cpu >"),
            ("sort --key='a b‸", " / sort / --key='a b+ 'a b"),
            ("echo don't | so‸", "echo don't /  / so+"),
            ("echo a\\ b\\| c‸", " / echo a\\ b\\| / c+"),
            ("echo '|' {x} a|b ‸", " / echo '|' {x} a|b / +"),
            ("count > ‸", "count / > / +"),
            ("count *> here #o‸", "count / here> / #o+"),
            ("echo ‸hello", " / echo / +"),
            ("echo h‸ello", " / echo / h+ello"),
        ] {
            assert_eq!(at(text), wanted, "{text}");
        }
    }

    #[test]
    fn every_place_of_every_text_is_one() {
        let texts = ["a | 'é\" { $( ` > } ) é", "\"\\", "\\", "$( ( ) ) ` ' `", "é$(é{ é"];
        for text in texts {
            for at in 0..text.len() + 2 {
                let found = cursor(text, at);
                assert!(found.start <= found.end && found.end <= text.len() && !found.around.is_empty(), "{text} {at}");
            }
        }
    }
}
