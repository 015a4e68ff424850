//! Texts nobody would type, made of texts that somebody would: seeded, so that a failure comes again. Deliberately absent:
//! what is asked of the texts.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::time::{Duration, Instant};

/// A source of texts.
pub(crate) struct Mutator {
    state: u64,
    corpus: Vec<String>,
    pieces: Vec<String>,
}

/// Letters that readers of text have met too seldom.
const LETTERS: &[&str] = &[
    "\u{0}",
    "\t",
    "\n",
    "\r",
    "\u{7f}",
    "\u{a0}",
    "\u{ad}",
    "\u{301}",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffd}",
    "\u{1f600}",
    "\u{10ffff}",
    "ß",
    "İ",
    "日",
    "“",
    "”",
    "—",
    "9223372036854775808",
    "-9223372036854775809",
    "1e400",
    "-0.0",
    "NaN",
];
/// The longest text that is made, in bytes.
const LONGEST: usize = 4096;

impl Mutator {
    /// From texts to begin with, and pieces that mean something between them.
    pub(crate) fn new(seed: u64, corpus: Vec<String>, pieces: &[&str]) -> Self {
        assert!(!corpus.is_empty(), "there is nothing to begin with");
        Self { state: seed | 1, corpus, pieces: pieces.iter().map(|piece| (*piece).to_owned()).collect() }
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // xorshift64*
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap_or(0) % bound.max(1)
    }

    fn one(&mut self) -> String {
        let at = self.below(self.corpus.len());
        self.corpus[at].clone()
    }

    /// The next text.
    pub(crate) fn text(&mut self) -> String {
        let mut text = self.one();
        for _ in 0..self.below(6) {
            text = self.change(&text);
            if text.len() > LONGEST {
                let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                text.truncate(end);
            }
        }
        text
    }

    fn change(&mut self, text: &str) -> String {
        let (from, to) = (self.place(text), self.place(text));
        let (from, to) = (from.min(to), from.max(to));
        let (head, middle, tail) = (&text[..from], &text[from..to], &text[to..]);
        match self.below(8) {
            0 => format!("{head}{tail}"),
            1 => format!("{head}{middle}{middle}{tail}"),
            2 => format!("{tail}{middle}{head}"),
            3 => {
                let other = self.one();
                let (from, to) = (self.place(&other), self.place(&other));
                format!("{head}{}{tail}", &other[from.min(to)..from.max(to)])
            }
            4 | 5 if !self.pieces.is_empty() => {
                let at = self.below(self.pieces.len());
                format!("{head}{}{middle}{tail}", self.pieces[at])
            }
            6 => {
                let many = 1 + self.below(40);
                let at = self.below(LETTERS.len() + self.pieces.len());
                let piece = match LETTERS.get(at) {
                    Some(letter) => (*letter).to_owned(),
                    None => self.pieces[at - LETTERS.len()].clone(),
                };
                format!("{head}{}{tail}", piece.repeat(many))
            }
            _ => {
                let at = self.below(LETTERS.len());
                format!("{head}{}{middle}{tail}", LETTERS[at])
            }
        }
    }

    fn place(&mut self, text: &str) -> usize {
        let at = self.below(text.len() + 1);
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    }
}

/// Runs a check over texts: so many of them, or as long as `FUZZ_SECONDS` says. A text that fails is told.
pub(crate) fn run(count: usize, mut mutator: Mutator, mut check: impl FnMut(&str)) {
    let time = std::env::var("FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let began = Instant::now();
    let mut done = 0;
    while time.map_or(done < count, |time| began.elapsed() < time) {
        let text = mutator.text();
        let told = Told(&text);
        check(&text);
        std::mem::forget(told);
        done += 1;
    }
    if time.is_some() {
        eprintln!("{done} texts in {} s", began.elapsed().as_secs());
    }
}

/// Tells its text when a check panics over it.
struct Told<'a>(&'a str);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        eprintln!("failed over {:?}", self.0);
    }
}

/// A key of every row of a file of JSON lines, as texts.
pub(crate) fn rows(file: &str, key: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let texts = rows.filter_map(|row| match &row[key] {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    });
    texts.collect()
}
