//! Text with a form: paragraphs, lists, tables, parts that stand out. Apart from any service's markup, so that each draws
//! it in its own way; here as text.

use ecow::EcoString;
use pipit_commands::Table;

/// A part of an answer that has a form. Its texts act on no terminal.
#[derive(Clone)]
pub(crate) enum Piece {
    /// Words that run on.
    Paragraph(Vec<Span>),
    /// A head.
    Heading(Vec<Span>),
    /// A text whose letters stand under each other.
    Code(String),
    /// Somebody else's words.
    Quote(Vec<Piece>),
    /// Items, numbered from a number or not at all.
    List {
        /// The number of the first.
        first: Option<u64>,
        /// What stands in each.
        items: Vec<Vec<Piece>>,
    },
    /// A table.
    Table(Table),
    /// A line between parts.
    Rule,
    /// A part that stands out.
    Attachment(Attachment),
}

/// Words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Span {
    /// As they are.
    Text(String),
    /// In bold letters.
    Bold(Vec<Span>),
    /// In slanted letters.
    Italic(Vec<Span>),
    /// Letters that stand under each other.
    Code(String),
    /// Words that lead somewhere.
    Link {
        /// The address.
        to: String,
        /// What is shown for it.
        text: Vec<Span>,
    },
    /// The end of a line.
    Break,
}

/// A part of an answer that stands out beside the others.
#[derive(Clone, Default)]
pub(crate) struct Attachment {
    /// What stands before it.
    pub(crate) before: String,
    /// Whom it is of.
    pub(crate) author: String,
    /// Its head.
    pub(crate) title: String,
    /// Where the head leads.
    pub(crate) link: String,
    /// A picture's address.
    pub(crate) picture: String,
    /// The colour of its edge: a name or `#rrggbb`.
    pub(crate) colour: String,
    /// What stands below it.
    pub(crate) footer: String,
    /// Names and texts.
    pub(crate) fields: Vec<(EcoString, String)>,
    /// What it says.
    pub(crate) body: Vec<Piece>,
}

impl Attachment {
    /// Sets what a template names so; a name that is none of an attachment's is a field.
    pub(crate) fn put(&mut self, name: &str, text: String) {
        match name {
            "pretext" => self.before = text,
            "author" => self.author = text,
            "title" => self.title = text,
            "title_url" => self.link = text,
            "image_url" | "thumb_url" => self.picture = text,
            "color" => self.colour = text,
            "footer" => self.footer = text,
            // of no use where nothing is a picture, and where the body says it all
            "author_link" | "author_icon" | "footer_icon" | "ts" | "fallback" => {}
            name => self.fields.push((name.strip_suffix("-short").unwrap_or(name).into(), text)),
        }
    }
}

impl Span {
    /// Its text alone.
    pub(crate) fn text(&self) -> String {
        self.drawn(&str::to_owned)
    }

    fn drawn(&self, bold: &dyn Fn(&str) -> String) -> String {
        match self {
            Self::Text(text) | Self::Code(text) => text.clone(),
            Self::Bold(inside) => inside.iter().map(|span| bold(&span.text())).collect(),
            Self::Italic(inside) => line(inside, bold),
            Self::Link { to, text } => {
                let text = line(text, bold);
                if text == *to || text.is_empty() {
                    to.clone()
                } else if to.is_empty() {
                    text
                } else {
                    format!("{text} ({to})")
                }
            }
            Self::Break => "\n".into(),
        }
    }
}

fn line(spans: &[Span], bold: &dyn Fn(&str) -> String) -> String {
    spans.iter().map(|span| span.drawn(bold)).collect()
}

/// The pieces as text, with `bold` for words that stand out; without a newline at the end.
pub(crate) fn text(pieces: &[Piece], bold: &dyn Fn(&str) -> String) -> String {
    let mut whole = String::new();
    let mut before: Option<&Piece> = None;
    for piece in pieces {
        let drawn = drawn(piece, bold);
        let drawn = drawn.trim_end();
        if drawn.trim().is_empty() {
            continue;
        }
        whole.push_str(match (before, piece) {
            (None, _) => "",
            (Some(Piece::Paragraph(_)), Piece::Paragraph(_))
            | (Some(Piece::Attachment(_)), _)
            | (_, Piece::Attachment(_)) => "\n\n",
            (Some(_), _) => "\n",
        });
        whole.push_str(drawn);
        before = Some(piece);
    }
    whole
}

fn drawn(piece: &Piece, bold: &dyn Fn(&str) -> String) -> String {
    match piece {
        Piece::Paragraph(spans) => line(spans, bold).lines().map(str::trim_end).collect::<Vec<_>>().join("\n"),
        Piece::Heading(spans) => bold(&line(spans, &str::to_owned)),
        Piece::Code(code) => code.clone(),
        Piece::Quote(pieces) => indented(&text(pieces, bold), "> ", "> "),
        Piece::List { first, items } => {
            let item = |(at, pieces): (u64, &Vec<Piece>)| {
                let mark = first.map_or_else(|| "• ".to_owned(), |first| format!("{}. ", first.saturating_add(at)));
                let rest = " ".repeat(mark.chars().count());
                indented(&text(pieces, bold), &mark, &rest)
            };
            (0..).zip(items).map(item).collect::<Vec<_>>().join("\n")
        }
        Piece::Table(table) => table.draw(),
        Piece::Rule => "───".into(),
        Piece::Attachment(attachment) => self::attachment(attachment, bold),
    }
}

fn attachment(of: &Attachment, bold: &dyn Fn(&str) -> String) -> String {
    let title = match (of.title.as_str(), of.link.as_str()) {
        ("", link) => link.to_owned(),
        (title, "") => bold(title),
        (title, link) => format!("{} ({link})", bold(title)),
    };
    let mut lines = vec![of.before.clone(), of.author.clone(), title, text(&of.body, bold)];
    lines.extend(of.fields.iter().map(|(name, text)| format!("{} {text}", bold(&format!("{name}:")))));
    lines.extend([of.picture.clone(), of.footer.clone()]);
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn indented(text: &str, first: &str, rest: &str) -> String {
    let line =
        |(at, line): (usize, &str)| format!("{}{line}", if at == 0 { first } else { rest }).trim_end().to_owned();
    text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
}
