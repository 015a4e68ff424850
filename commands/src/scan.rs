//! Refuses templates that could make huge values on the way out of a small text: fuel counts steps, and one step of
//! `"x" * 100000000` is enough. Deliberately absent: reading templates, which is the template engine's.
//!
//! Where in doubt the scan takes text for an expression, never an expression for text.

use crate::Error;

/// The tags there are. `raw` is not: what is in it would look like expressions here.
const TAGS: [&str; 10] =
    ["if", "elif", "else", "endif", "for", "endfor", "break", "continue", "autoescape", "endautoescape"];
/// How many `*` a template may have; none in a loop.
const PRODUCTS: usize = 4;
/// How many `~` and `+` a template may have.
const SUMS: usize = 64;

/// Says what a template has too much of; gives the names of its filters.
pub(crate) fn bounded(template: &str) -> Result<Vec<&str>, Error> {
    let mut filters = Vec::new();
    let (mut loops, mut products, mut sums) = (0_usize, 0, 0);
    let mut rest = template;
    while let Some((_, after)) = rest.split_once('{') {
        rest = after;
        let inside = match after.as_bytes().first() {
            Some(b'#') => {
                rest = after.split_once("#}").map_or("", |(_, after)| after);
                continue;
            }
            Some(b'{') => Inside::read(after, "}}"),
            Some(b'%') => Inside::read(after, "%}"),
            Some(_) | None => continue,
        };
        rest = inside.after;
        if let Some(tag) = inside.text.strip_prefix('%') {
            match known(tag)? {
                "for" => loops += 1,
                "endfor" => loops = loops.saturating_sub(1),
                _ => {}
            }
        }
        filters.extend(inside.filters);
        products += inside.products;
        sums += inside.sums;
        if inside.products > 0 && loops > 0 {
            return Err(Error::failed("templates have no * in a loop").help("reckon before, with jq or sum"));
        }
        if products > PRODUCTS || sums > SUMS {
            return Err(Error::failed(format!("a template has at most {PRODUCTS} * and {SUMS} ~ or +")));
        }
    }
    Ok(filters)
}

/// The name of a tag, if there is such a tag.
fn known(tag: &str) -> Result<&'static str, Error> {
    let tag = tag.trim_start_matches(['-', '+']).trim_start();
    let name = tag.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap_or_default();
    TAGS.into_iter().find(|known| *known == name).ok_or_else(|| {
        Error::failed(format!("templates have no tag {name:?}")).help(format!("there are {}", TAGS.join(", ")))
    })
}

/// What stands between the marks of an expression or a tag.
struct Inside<'a> {
    /// With the second letter of the opening mark.
    text: &'a str,
    after: &'a str,
    products: usize,
    sums: usize,
    /// The names behind `|`.
    filters: Vec<&'a str>,
}

impl<'a> Inside<'a> {
    fn read(text: &'a str, close: &str) -> Self {
        let (mut products, mut sums, mut depth) = (0, 0, 0_usize);
        let mut quote = None;
        let mut filters = Vec::new();
        let mut letters = text.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            if let Some(open) = quote {
                match letter {
                    '\\' => {
                        letters.next();
                    }
                    _ if letter == open => quote = None,
                    _ => {}
                }
                continue;
            }
            let here = text.get(at..).unwrap_or_default();
            if depth == 0 && here.starts_with(close) {
                let after = here.get(close.len()..).unwrap_or_default();
                return Self { text: text.get(..at).unwrap_or_default(), after, products, sums, filters };
            }
            match letter {
                '\'' | '"' => quote = Some(letter),
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                '*' => products += 1,
                '~' | '+' => sums += 1,
                '|' => filters.extend(name(here.get(1..).unwrap_or_default())),
                _ => {}
            }
        }
        Self { text, after: "", products, sums, filters }
    }
}

/// The name that a text begins with.
fn name(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    text.get(..end).filter(|name| !name.is_empty())
}
