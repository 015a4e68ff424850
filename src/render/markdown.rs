//! Markdown, with data in it that is not Markdown, to pieces.
//!
//! Each text that was put in as data is a mark while the Markdown is read: two letters of no script around a number.
//! Deliberately absent: HTML and pictures, which stay the text that they are.

use pipit_commands::{Record, Table, Value};
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::rich::{Piece, Span};

/// Around the number of a text that was put in. They belong to no script, and no text in here has them but from here.
const OPEN: char = '\u{f1f00}';
const CLOSE: char = '\u{f1f01}';

/// How deep lists and quotations may stand in each other; deeper ones stand with those.
const DEPTH: usize = 16;

/// Markdown with data in it.
#[derive(Default)]
pub(crate) struct Marked {
    markdown: String,
    data: Vec<String>,
}

impl Marked {
    /// Adds Markdown.
    pub(crate) fn markdown(&mut self, text: &str) {
        self.markdown.extend(text.chars().filter(|c| !matches!(*c, OPEN | CLOSE)));
    }

    /// Adds a text that is shown as it is.
    pub(crate) fn data(&mut self, text: String) {
        self.markdown.push(OPEN);
        self.markdown.push_str(&self.data.len().to_string());
        self.markdown.push(CLOSE);
        self.data.push(text);
    }

    /// A text with what its marks stand for.
    fn whole(&self, text: &str) -> String {
        let mut whole = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            whole.push_str(before);
            let Some((number, after)) = after.split_once(CLOSE) else { break };
            whole.push_str(number.parse().ok().and_then(|at: usize| self.data.get(at)).map_or("", |data| data));
            rest = after;
        }
        whole.push_str(rest);
        whole
    }
}

/// What it says, in pieces.
pub(crate) fn read(marked: &Marked) -> Vec<Piece> {
    let mut reader = Reader { marked, open: Vec::new(), whole: Open::default(), deeper: 0 };
    for event in Parser::new_ext(&marked.markdown, Options::ENABLE_TABLES) {
        reader.event(event);
    }
    while !reader.open.is_empty() {
        reader.end();
    }
    reader.whole.done()
}

/// What stands in something that has begun.
#[derive(Default)]
struct Open {
    pieces: Vec<Piece>,
    spans: Vec<Span>,
    items: Vec<Vec<Piece>>,
    rows: Vec<Vec<String>>,
}

impl Open {
    /// Its pieces; what was said without a paragraph of its own is one.
    fn done(mut self) -> Vec<Piece> {
        self.settle();
        self.pieces
    }

    fn settle(&mut self) {
        if !self.spans.is_empty() {
            self.pieces.push(Piece::Paragraph(std::mem::take(&mut self.spans)));
        }
    }
}

struct Reader<'a> {
    marked: &'a Marked,
    /// From the outermost.
    open: Vec<(Tag<'a>, Open)>,
    whole: Open,
    /// How many have begun below the deepest.
    deeper: usize,
}

impl<'a> Reader<'a> {
    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Start(_) if self.open.len() >= DEPTH => self.deeper += 1,
            Event::Start(tag) => self.open.push((tag, Open::default())),
            Event::End(_) if self.deeper > 0 => self.deeper -= 1,
            Event::End(_) => self.end(),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                let text = self.marked.whole(&text);
                self.top().spans.push(Span::Text(text));
            }
            Event::Code(code) | Event::InlineMath(code) | Event::DisplayMath(code) => {
                let code = self.marked.whole(&code);
                self.top().spans.push(Span::Code(code));
            }
            Event::SoftBreak | Event::HardBreak => self.top().spans.push(Span::Break),
            Event::Rule => self.put(Piece::Rule),
            // not asked for
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn top(&mut self) -> &mut Open {
        self.open.last_mut().map_or(&mut self.whole, |(_, open)| open)
    }

    fn put(&mut self, piece: Piece) {
        let top = self.top();
        top.settle();
        top.pieces.push(piece);
    }

    /// The innermost has ended.
    fn end(&mut self) {
        let Some((tag, mut open)) = self.open.pop() else { return };
        match tag {
            Tag::Paragraph => self.put(Piece::Paragraph(open.spans)),
            Tag::Heading { .. } => self.put(Piece::Heading(open.spans)),
            Tag::BlockQuote(_) => self.put(Piece::Quote(open.done())),
            Tag::CodeBlock(_) => {
                let code: String = open.spans.iter().map(Span::text).collect();
                self.put(Piece::Code(code.trim_end_matches('\n').to_owned()));
            }
            Tag::List(first) => {
                open.settle();
                self.put(Piece::List { first, items: open.items });
            }
            Tag::Item => {
                let item = open.done();
                self.top().items.push(item);
            }
            Tag::TableCell => {
                let cell: String = open.spans.iter().map(Span::text).collect();
                match self.top().rows.last_mut() {
                    Some(row) => row.push(cell),
                    None => self.top().rows.push(vec![cell]),
                }
            }
            Tag::TableHead | Tag::TableRow => {
                let rows = open.rows;
                self.top().rows.extend(rows);
            }
            Tag::Table(_) => {
                if let Some(table) = table(&open.rows) {
                    self.put(Piece::Table(table));
                }
            }
            Tag::Strong => self.top().spans.push(Span::Bold(open.spans)),
            Tag::Emphasis => self.top().spans.push(Span::Italic(open.spans)),
            Tag::Link { dest_url, .. } => {
                let to = self.marked.whole(&dest_url);
                self.top().spans.push(Span::Link { to, text: open.spans });
            }
            Tag::HtmlBlock
            | Tag::Image { .. }
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {
                let top = self.top();
                top.spans.append(&mut open.spans);
                top.pieces.append(&mut open.pieces);
            }
        }
    }
}

/// A table of texts, the first row its head.
fn table(rows: &[Vec<String>]) -> Option<Table> {
    let (head, rows) = rows.split_first()?;
    // columns of the same name are told apart by blanks, which nobody sees
    let label = |(at, label): (usize, &String)| {
        let before = head.iter().take(at).filter(|other| *other == label).count();
        format!("{label}{}", " ".repeat(before))
    };
    let labels: Vec<String> = head.iter().enumerate().map(label).collect();
    let record = |row: &Vec<String>| {
        let value = |text: &String| Value::number_of(text).unwrap_or_else(|| Value::from(text.as_str()));
        let cells =
            labels.iter().enumerate().map(|(at, label)| (label.clone(), row.get(at).map_or(Value::Null, value)));
        Value::from(cells.collect::<Record>())
    };
    let records: Vec<Value> = rows.iter().map(record).collect();
    Table::of(&records, &[])
}

#[cfg(test)]
mod tests {
    use super::{Marked, read};
    use crate::render::rich::text;

    fn shown(parts: &[(&str, &str)]) -> String {
        let mut marked = Marked::default();
        for (markdown, data) in parts {
            marked.markdown(markdown);
            if !data.is_empty() {
                marked.data((*data).to_owned());
            }
        }
        text(&read(&marked), &|bold| format!("<{bold}>"))
    }

    #[test]
    fn markdown_is_read_and_data_is_not() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("plain\nlines", "")], "plain\nlines"),
            (&[("one\n\ntwo", "")], "one\n\ntwo"),
            (&[("**bold** _it_ `code`", "")], "<bold> it code"),
            (&[("**a:** ", "*x* [y](z) ~~ `"), ("\n", "# no head")], "<a:> *x* [y](z) ~~ `\n# no head"),
            (&[("* ", "one"), ("\n* ", "- two")], "• one\n• - two"),
            (&[("3. c\n4. ", "d")], "3. c\n4. d"),
            (&[("```\n", "a  b\n**c**"), ("\n```", "")], "a  b\n**c**"),
            (&[("[more](", "https://example.org/a?b=*c*"), (")", "")], "more (https://example.org/a?b=*c*)"),
            (&[("<https://example.org>", "")], "https://example.org"),
            (&[("# Head\ntext", "")], "<Head>\ntext"),
            (&[("> said ", "x")], "> said x"),
            (&[("a <b>c</b> & d", "")], "a <b>c</b> & d"),
            (
                &[("| k | v |\n|---|---|\n| ", "a|b"), (" | ", "12"), (" |\n| c | 3 |", "")],
                "k     v\n───  ──\na|b  12\nc     3",
            ),
            (&[("![alt](https://example.org/x.png)", "")], "alt"),
        ];
        for (parts, expected) in cases {
            assert_eq!(shown(parts), *expected, "{parts:?}");
        }
    }

    #[test]
    fn marks_cannot_be_brought_along() {
        assert_eq!(shown(&[("\u{f1f00}0\u{f1f01} is ", "secret")]), "0 is secret");
        assert_eq!(shown(&[("x ", "\u{f1f00}0\u{f1f01}")]), "x \u{f1f00}0\u{f1f01}");
    }

    #[test]
    fn what_stands_too_deep_stands_with_the_rest() {
        let deep = format!("{} end", ">".repeat(10_000));
        assert!(shown(&[(&deep, "")]).ends_with("end"));
        let stars = format!("{}x{}", "*a ".repeat(2000), " b*".repeat(2000));
        assert!(shown(&[(&stars, "")]).contains('x'));
    }
}
