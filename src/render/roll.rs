//! Documents as text that goes on: what comes later stands under what came before.
//!
//! Deliberately absent: how much is shown, which is whoever's who asks.

use ecow::EcoString;
use pipit_commands::{Attached, Layout, Table, columns};

use super::document::{Block, Document, Progress, Running, State};
use super::{failure, rich};

/// For what a text is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// A file or a program: nothing is cut and nothing coloured.
    Plain,
    /// A terminal of so many columns.
    Screen {
        /// How wide it is, in columns.
        width: usize,
        /// Whether it shows colours.
        colour: bool,
    },
    /// A chat service without markup, where a line is a message.
    Room {
        /// How wide a table may be, in columns.
        width: usize,
    },
}

/// A text that goes on.
pub(crate) struct Roll {
    look: Look,
    /// The head under which further rows can stand.
    head: Option<Layout>,
}

impl Roll {
    /// Nothing yet.
    pub(crate) fn new(look: Look) -> Self {
        Self { look, head: None }
    }

    /// Whether a table stands last, so that rows can go on under its head.
    pub(crate) fn is_table(&self) -> bool {
        self.head.is_some()
    }

    /// The text of a document, or of the next part of one; without a newline at the end.
    pub(crate) fn document(&mut self, document: &Document) -> String {
        let mut text = Sum::default();
        for block in &document.blocks {
            let head = self.head.take();
            match block {
                Block::Lines(lines) => {
                    for line in lines {
                        text.add(line);
                    }
                }
                Block::Text(part) | Block::Code(part) | Block::Note(part) => text.add(part),
                Block::Link(link) => text.add(link),
                Block::Table(table) => self.table(table, head, &mut text),
                Block::Rich(pieces) => text.add(&rich::text(pieces, &|bold| self.mark(Mark::Label, bold))),
                Block::Sheet(fields) => text.add(&self.sheet(fields)),
                Block::Picture(attachment) | Block::File(attachment) => match &attachment.kind {
                    Attached::Picture { alt } => text.add(&super::plain(alt)),
                    Attached::File => text.add(&format!("(file {})", super::plain(&attachment.name))),
                },
                Block::Failure(error, line) => match self.look {
                    Look::Plain => text.add(&failure::whole(error, line)),
                    Look::Screen { .. } => text.add(&self.mark(Mark::Wrong, &failure::whole(error, line))),
                    Look::Room { .. } => text.add(&failure::brief(error, line)),
                },
            }
        }
        match &document.state {
            // a line that has nothing to show yet shows that it lives
            State::Running(running) if !text.any => life(running),
            State::Running(_) | State::Ended(_) => text.text,
        }
    }

    fn table(&mut self, table: &Table, head: Option<Layout>, text: &mut Sum) {
        if let Some(head) = head
            && let Some(rows) = table.under(&head, self.look != Look::Plain)
        {
            for row in &rows {
                text.add(row);
            }
            self.head = Some(head);
            return;
        }
        let layout = table.layout();
        match self.look {
            Look::Screen { width, .. } if layout.width() > width => {
                let sheets: Vec<String> = table.rows().map(|row| self.sheet(&fields(&layout, row))).collect();
                text.add(&sheets.join("\n\n"));
            }
            Look::Room { width } if layout.width() > width => {
                for row in table.rows() {
                    let field = |(name, value): &(EcoString, String)| format!("{name}: {value}");
                    let said = fields(&layout, row)
                        .iter()
                        .filter(|(_, value)| !value.is_empty())
                        .map(field)
                        .collect::<Vec<_>>();
                    text.add(&said.join(" · "));
                }
            }
            Look::Plain | Look::Screen { .. } | Look::Room { .. } => {
                text.add(&self.mark(Mark::Label, &layout.head()));
                text.add(&self.mark(Mark::Rule, &layout.rule()));
                let rows = table.rows().map(|row| layout.row(row.iter().map(pipit_commands::Cell::text), false));
                for row in rows {
                    text.add(&row);
                }
                self.head = Some(layout);
            }
        }
    }

    /// A field a line.
    fn sheet(&self, fields: &[(EcoString, String)]) -> String {
        let width = fields.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
        let field = |(name, value): &(EcoString, String)| {
            let blanks = " ".repeat(width + 2 - columns(name));
            // what goes on in the next line stays in its column
            let value = value.replace('\n', &format!("\n{:1$}", "", width + 2));
            format!("{}{blanks}{value}", self.mark(Mark::Label, name)).trim_end().to_owned()
        };
        let fields: Vec<String> = fields.iter().map(field).collect();
        if fields.is_empty() { "{}".into() } else { fields.join("\n") }
    }

    /// A text as a terminal with colours shows it.
    fn mark(&self, mark: Mark, text: &str) -> String {
        let code = match (self.look, mark) {
            (Look::Screen { colour: true, .. }, Mark::Label) => "1",
            (Look::Screen { colour: true, .. }, Mark::Rule) => "2",
            (Look::Screen { colour: true, .. }, Mark::Wrong) => "31",
            (Look::Plain | Look::Screen { .. } | Look::Room { .. }, _) => return text.to_owned(),
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// What stands out where there are colours.
#[derive(Clone, Copy)]
enum Mark {
    Label,
    Rule,
    Wrong,
}

/// A row of a table as a sheet's fields.
fn fields(layout: &Layout, row: &[pipit_commands::Cell]) -> Vec<(EcoString, String)> {
    layout.labels().cloned().zip(row.iter().map(|cell| cell.text().to_owned())).collect()
}

/// That a line runs, how far it is, and how it is stopped.
fn life(running: &Running) -> String {
    let Some(id) = &running.id else {
        // without a ticket nothing runs
        return "the line has not begun: it waits to be written down in the audit log".into();
    };
    let far = running.progress.as_ref().map(|progress| format!(": {}", how_far(progress))).unwrap_or_default();
    format!("{id} is running{far}; kill {id} stops it")
}

/// How far a command is, in a few words.
pub(crate) fn how_far(progress: &Progress) -> String {
    let part = progress.part.map(|part| format!("{:.0} %", part.clamp(0.0, 1.0) * 100.0));
    let text = (!progress.text.is_empty()).then(|| progress.text.to_string());
    part.into_iter().chain(text).collect::<Vec<_>>().join(", ")
}

/// Parts, each on a line of its own.
#[derive(Default)]
struct Sum {
    text: String,
    any: bool,
}

impl Sum {
    fn add(&mut self, part: &str) {
        if self.any {
            self.text.push('\n');
        }
        self.any = true;
        self.text.push_str(part);
    }
}
