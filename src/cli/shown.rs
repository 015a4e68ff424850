//! An answer in the terminal: values as they come, and a line that shows life while nothing comes.
//!
//! JSON goes out value by value. Texts do as well. Records wait a moment, so that a table's columns fit more than its first
//! row; rows that come later stand under the same head. What a bundle's template shows waits for the end.

use std::io::{BufWriter, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pipit_commands::{Batch, Value};
use pipit_grammar::rule::Place;
use tokio::sync::{mpsc, watch};

use super::{keyboard, tell};
use crate::engine::{Asking, Engine, Life, Question, Reply, Request};
use crate::limits::{LIFE, TABLE_ROWS, TABLE_WAIT};
use crate::render::{self, Document, Look, Roll, Running, how_far};
use crate::scrub;

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_millis(50);
/// The columns of a terminal that does not tell.
const COLUMNS: usize = 80;

/// What became of a line.
pub(super) struct Followed {
    /// As answered.
    pub(super) reply: Reply,
    /// Whether standard output took all that was shown.
    pub(super) written: Result<(), String>,
    /// What the line lacks, when somebody is there to be asked; then the error is not shown.
    pub(super) question: Option<Question>,
}

/// Whether somebody sits there to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// Nobody does.
    Nobody,
    /// For what a program of the line wants to know while it runs.
    Programs,
    /// For that, and for what the line lacks.
    All,
}

/// Runs a request and shows what comes of it; the line is stopped when `stop` comes.
pub(super) async fn follow(
    engine: &Engine,
    mut request: Request,
    shown: Shown,
    asks: Asks,
    stop: impl Future<Output = ()>,
) -> Followed {
    let (typed, others) = (request.text.clone(), matches!(request.place, Place::Room(_)));
    let (told, life) = watch::channel(Life::default());
    request.life = Some(told);
    let (asks_them, mut asked) = mpsc::channel(1);
    request.asks = (asks != Asks::Nobody).then_some(asks_them);
    let mut answer: Option<BoxFuture<'static, ()>> = None;
    let shown = Mutex::new(shown);
    let reply = {
        let mut show = |batch| lock(&shown).take(batch, life.borrow().held);
        let running = engine.handle(request, &mut show);
        tokio::pin!(running, stop);
        let mut stopped = false;
        loop {
            tokio::select! {
                biased;
                reply = &mut running => break reply,
                () = &mut stop, if !stopped => {
                    stopped = true;
                    let id = life.borrow().id.clone();
                    // without an id yet nothing of it has begun, and the next interrupt finds one
                    if let Some(id) = id {
                        engine.stop(&id, "the keyboard");
                    }
                }
                Some(asking) = asked.recv(), if answer.is_none() => {
                    lock(&shown).asks(&asking);
                    answer = Some(keyboard::answer(asking).boxed());
                }
                () = async { match &mut answer { Some(answer) => answer.await, None => std::future::pending().await } } => {
                    answer = None;
                }
                () = tokio::time::sleep(TICK), if answer.is_none() => {
                    let life = life.borrow().clone();
                    lock(&shown).look(&life);
                }
            }
        }
    };
    let mut shown = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    let written = shown.end(&reply);
    for note in &reply.notes {
        tell(&format_args!("note: {note}"));
    }
    let question =
        reply.error.as_ref().filter(|_| asks == Asks::All).and_then(|error| Question::of(error, &typed, others));
    if question.is_none()
        && let Some(error) = reply.error.as_ref().filter(|error| error.exits_loudly())
    {
        tell(&shown.wrong(&render::error(error, &typed)));
    }
    Followed { reply, written, question }
}

fn lock(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard output, and on a terminal the line below it that shows life.
pub(super) struct Shown {
    out: BufWriter<std::io::Stdout>,
    form: Form,
    began: Instant,
    /// When something was shown last.
    last: Instant,
    /// What the line that shows life says now; none where there is no terminal.
    live: Option<String>,
    /// What went wrong with standard output, if it was more than a reader that left.
    failed: Option<std::io::Error>,
}

/// How values are shown.
enum Form {
    /// A compact JSON value a line.
    Json(String),
    /// Drawn for people.
    Text(Text),
}

struct Text {
    roll: Roll,
    /// Records that wait to be a table, or all values for a template.
    waiting: Vec<Value>,
    /// Since when records wait.
    since: Option<Instant>,
}

impl Shown {
    /// JSON lines.
    pub(super) fn json() -> Self {
        Self::new(Form::Json(String::new()))
    }

    /// Text, as wide as the terminal, if there is one.
    pub(super) fn text() -> Self {
        let look = if std::io::stdout().is_terminal() {
            Look::Screen { width: width(), colour: colours() }
        } else {
            Look::Plain
        };
        Self::new(Form::Text(Text { roll: Roll::new(look), waiting: Vec::new(), since: None }))
    }

    fn new(form: Form) -> Self {
        let now = Instant::now();
        let out = BufWriter::with_capacity(64 * 1024, std::io::stdout());
        let live = std::io::stderr().is_terminal().then(String::new);
        Self { out, form, began: now, last: now, live, failed: None }
    }

    /// Takes values in; says when nobody reads them any more. `held` says that a template will show them.
    fn take(&mut self, batch: Batch, held: bool) -> ControlFlow<()> {
        let written = match &mut self.form {
            Form::Json(line) => {
                line.clear();
                for value in &batch {
                    value.write_json(line);
                    line.push('\n');
                }
                let text = std::mem::take(line);
                let written = self.write(&text);
                self.form = Form::Json(text);
                written
            }
            Form::Text(text) => match text.take(batch, held) {
                Some(drawn) => self.write(&drawn),
                None => Ok(()),
            },
        };
        if self.note(written) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Shows what has waited long enough, and that the line lives when nothing has come for a while.
    fn look(&mut self, life: &Life) {
        if let Form::Text(text) = &mut self.form
            && !life.held
            && text.since.is_some_and(|since| since.elapsed() >= TABLE_WAIT)
        {
            let drawn = text.flush(true);
            let written = self.write(&drawn);
            // a reader that left is told with the next batch
            self.note(written);
        }
        if self.last.elapsed() < LIFE || self.live.is_none() {
            return;
        }
        let seconds = self.began.elapsed().as_secs();
        let far = life.progress.as_ref().map(|progress| format!(": {}", how_far(progress))).unwrap_or_default();
        let mut says = format!("… {seconds} s{far} (Ctrl-C stops it)");
        if pipit_commands::columns(&says) >= width() {
            says.truncate(says.floor_char_boundary(width().saturating_sub(1)));
        }
        if self.live.as_ref() != Some(&says) {
            let _ = write!(std::io::stderr(), "\r\x1b[K{says}");
            self.live = Some(says);
        }
    }

    /// Shows a question, under what was shown before it.
    fn asks(&mut self, asking: &Asking) {
        if let Form::Text(text) = &mut self.form {
            let drawn = text.flush(true);
            let written = if drawn.is_empty() { Ok(()) } else { self.write(&drawn) };
            // a reader that left is told with the next batch
            self.note(written);
        }
        self.wipe();
        let _ = write!(std::io::stderr(), "{} ", scrub::owned(asking.text().to_owned()));
        // whoever thinks about it does not wait for the line
        self.last = Instant::now();
    }

    /// Takes the line that shows life away.
    fn wipe(&mut self) {
        if let Some(says) = self.live.as_mut().filter(|says| !says.is_empty()) {
            says.clear();
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn write(&mut self, text: &str) -> std::io::Result<()> {
        self.wipe();
        self.last = Instant::now();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Whether a write went well. A reader that has gone ends the line, and well.
    fn note(&mut self, written: std::io::Result<()>) -> bool {
        match written {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => false,
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }

    /// Shows what has waited; an error when standard output did not take all.
    fn end(&mut self, reply: &Reply) -> Result<(), String> {
        if let Form::Text(text) = &mut self.form
            && self.failed.is_none()
        {
            let drawn = text.end(reply);
            let written = if drawn.is_empty() { Ok(()) } else { self.write(&drawn) };
            self.note(written);
        }
        self.wipe();
        match self.failed.take() {
            Some(error) => Err(format!("standard output: {error}")),
            None => Ok(()),
        }
    }

    /// An error's text as standard error shows it.
    fn wrong(&self, text: &str) -> String {
        let colour = matches!(self.form, Form::Text(_)) && self.live.is_some() && colours();
        if colour { format!("\x1b[31m{text}\x1b[0m") } else { text.to_owned() }
    }
}

impl Text {
    /// What can be shown at once.
    fn take(&mut self, batch: Batch, held: bool) -> Option<String> {
        let records = batch.iter().all(|value| matches!(value, Value::Record(_)));
        let goes_on = records && self.waiting.is_empty() && self.roll.is_table();
        if held || (records && !goes_on && self.waiting.len() < TABLE_ROWS) {
            self.since.get_or_insert_with(Instant::now);
            self.waiting.extend(batch);
            return None;
        }
        let mut drawn = self.flush(records);
        drawn.push_str(&self.draw(&batch, records));
        Some(drawn)
    }

    /// What has waited. `running` says that more of its kind may follow.
    fn flush(&mut self, running: bool) -> String {
        self.since = None;
        let waiting = std::mem::take(&mut self.waiting);
        self.draw(&waiting, running)
    }

    fn draw(&mut self, values: &[Value], running: bool) -> String {
        if values.is_empty() {
            return String::new();
        }
        let document = if running { Document::running(Running::default()) } else { Document::ended(None) };
        self.roll.document(&document.values(values)) + "\n"
    }

    /// The last of it.
    fn end(&mut self, reply: &Reply) -> String {
        let waiting = std::mem::take(&mut self.waiting);
        let document = reply.document(&waiting);
        if document.blocks.is_empty() { String::new() } else { self.roll.document(&document) + "\n" }
    }
}

/// How wide the terminal is, in columns.
fn width() -> usize {
    let told = rustix::termios::tcgetwinsize(std::io::stdout()).map(|size| usize::from(size.ws_col));
    told.ok().filter(|columns| *columns > 0).unwrap_or(COLUMNS)
}

/// Whether the terminal shows colours, and its owner wants them.
fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
