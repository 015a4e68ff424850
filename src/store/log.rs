//! The log that only grows: rows, each sealed with the hash of all before it. Deliberately absent: how a hash is made and
//! what a row means; the room above lends both through `Chain`.

use std::borrow::Cow;
use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::StoreError;
use super::sqlite::failure;

/// The seal of one row.
pub(crate) type Hash = [u8; 32];

/// A row before it has its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The seq of the row that opened the line; nought for that row itself.
    pub(crate) line: i64,
    /// When it happened, Unix milliseconds.
    pub(crate) at: i64,
    /// What kind of row it is.
    pub(crate) kind: Cow<'static, str>,
    /// Who asked.
    pub(crate) who: Option<String>,
    /// Where it was asked.
    pub(crate) room: Option<String>,
    /// The command it is about.
    pub(crate) command: Option<String>,
    /// How it ended or was decided.
    pub(crate) outcome: Option<Cow<'static, str>>,
    /// The rest, as JSON.
    pub(crate) body: String,
}

/// A row in its place, as it is sealed, borrowed from wherever it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed<'a> {
    pub(crate) seq: i64,
    pub(crate) line: i64,
    pub(crate) at: i64,
    pub(crate) kind: &'a [u8],
    pub(crate) ticket: Option<&'a [u8]>,
    pub(crate) who: Option<&'a [u8]>,
    pub(crate) room: Option<&'a [u8]>,
    pub(crate) command: Option<&'a [u8]>,
    pub(crate) outcome: Option<&'a [u8]>,
    pub(crate) body: &'a [u8],
    /// What is left of who, room and body when they were erased; their digest as `Chain::content` made it.
    pub(crate) digest: Option<&'a [u8]>,
}

/// The last row of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its number; nought when the log is empty.
    pub(crate) seq: i64,
    /// Its seal.
    pub(crate) hash: Hash,
}

/// Where a line was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The seq of its first row.
    pub(crate) line: i64,
    /// The id people see.
    pub(crate) ticket: String,
    /// The version of the documents in the very commit that opened it: all that was changed before is in it.
    pub(crate) version: u64,
}

/// What the room above lends to the writer. All of it runs on the writer's thread.
pub(crate) trait Chain: Send {
    /// The hash before the first row.
    fn origin(&self) -> Hash;
    /// The seal of `row` after a row sealed with `before`.
    fn seal(&mut self, before: &Hash, row: &Sealed<'_>) -> Hash;
    /// The digest of what can be erased of a row: who, room and body. The seal covers these by this digest alone.
    fn content(&self, row: &Sealed<'_>) -> Hash;
    /// The ticket of the line that the row `seq` opens; no two lines have the same.
    fn ticket(&self, seq: i64) -> String;
    /// The end of a line that nobody waited for.
    fn broke_off(&self, place: &Place, at: i64) -> Record;
    /// Rows are on the disk; `at` is the latest of their times.
    fn committed(&mut self, head: &Head, at: i64);
    /// Puts records aside that the database does not take; returns only when that is durable.
    fn put_aside(&mut self, records: &[Record]) -> Result<(), StoreError>;
    /// What was put aside, for the database now; nobody else gets it until `settled` says how that ended.
    fn aside(&mut self) -> Result<Vec<Record>, StoreError>;
    /// Whether what `aside` gave is now in the database.
    fn settled(&mut self, written: bool);
    /// The writer ends.
    fn finished(&mut self);
}

/// Rows for the writer, and how it answers. Whoever pushes one bounds how many there are.
pub(crate) enum Entry {
    /// A new line: answered when durable, or not written at all.
    Open { record: Record, answer: oneshot::Sender<Result<Place, StoreError>> },
    /// One row: answered when durable, or not written at all.
    Row { record: Record, answer: oneshot::Sender<Result<(), StoreError>> },
    /// Takes who, room and body of rows away, and adds the row that says so; all or nothing. Answered when durable.
    Erase { rows: Vec<i64>, record: Record, answer: oneshot::Sender<Result<(), StoreError>> },
    /// Rows that must not be lost: written, or put aside until they can be.
    Keep {
        records: Vec<Record>,
        /// Hears when they are durable, here or aside.
        answer: Option<oneshot::Sender<Result<(), StoreError>>>,
        /// What bounded the line or call that ends with these rows.
        permit: Option<OwnedSemaphorePermit>,
    },
}

pub(super) fn head(connection: &Connection, origin: Hash) -> Result<Head, StoreError> {
    let sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let found = statement.query_row((), |row| Ok(Head { seq: row.get(0)?, hash: row.get(1)? }));
    Ok(found.optional().map_err(failure)?.unwrap_or(Head { seq: 0, hash: origin }))
}

/// The seal of one row, if there is such a row.
pub(super) fn hash_at(connection: &Connection, seq: i64) -> Result<Option<Hash>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT hash FROM audit WHERE seq = ?1").map_err(failure)?;
    statement.query_row((seq,), |row| row.get(0)).optional().map_err(failure)
}

/// Whether this very record is written already: what was put aside may have been written just before a crash.
pub(super) fn has(connection: &Connection, record: &Record) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM audit WHERE line = ?1 AND ticket IS NULL AND at = ?2 AND kind = ?3 AND body = ?4";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    statement.exists((record.line, record.at, &record.kind, &record.body)).map_err(failure)
}

/// Adds one row at the end; `head` moves on to it. Gives the ticket when the row opens a line.
pub(super) fn append(
    connection: &Connection,
    chain: &mut dyn Chain,
    head: &mut Head,
    record: &Record,
) -> Result<Option<Place>, StoreError> {
    let seq = head.seq + 1;
    let opens = record.line == 0;
    let ticket = opens.then(|| chain.ticket(seq));
    let line = if opens { seq } else { record.line };
    let row = Sealed {
        seq,
        line,
        at: record.at,
        kind: record.kind.as_bytes(),
        ticket: ticket.as_deref().map(str::as_bytes),
        who: record.who.as_deref().map(str::as_bytes),
        room: record.room.as_deref().map(str::as_bytes),
        command: record.command.as_deref().map(str::as_bytes),
        outcome: record.outcome.as_deref().map(str::as_bytes),
        body: record.body.as_bytes(),
        digest: None,
    };
    let hash = chain.seal(&head.hash, &row);
    let sql = "INSERT INTO audit (seq, line, at, kind, ticket, who, room, command, outcome, body, hash) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let values = (
        seq,
        line,
        record.at,
        &*record.kind,
        &ticket,
        &record.who,
        &record.room,
        &record.command,
        record.outcome.as_deref(),
        &record.body,
        &hash[..],
    );
    statement.execute(values).map_err(failure)?;
    *head = Head { seq, hash };
    // known when all of the transaction is there
    Ok(ticket.map(|ticket| Place { line, ticket, version: 0 }))
}

/// Hands every row to `visit` in order, in constant memory, until it breaks off.
pub(super) fn walk(
    connection: &Connection,
    visit: &mut dyn FnMut(&Sealed<'_>, &[u8]) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let sql =
        "SELECT seq, line, at, kind, ticket, who, room, command, outcome, body, hash, digest FROM audit ORDER BY seq";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut rows = statement.query(()).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        if visit(&sealed(row)?, bytes(row, 10)?.unwrap_or_default()).is_break() {
            break;
        }
    }
    Ok(())
}

/// A row as `walk` reads it.
fn sealed<'a>(row: &'a Row<'_>) -> Result<Sealed<'a>, StoreError> {
    Ok(Sealed {
        seq: row.get(0).map_err(failure)?,
        line: row.get(1).map_err(failure)?,
        at: row.get(2).map_err(failure)?,
        kind: bytes(row, 3)?.unwrap_or_default(),
        ticket: bytes(row, 4)?,
        who: bytes(row, 5)?,
        room: bytes(row, 6)?,
        command: bytes(row, 7)?,
        outcome: bytes(row, 8)?,
        body: bytes(row, 9)?.unwrap_or_default(),
        digest: bytes(row, 11)?,
    })
}

/// Erases the content of these rows; those that are erased already, and those about the log itself, are left alone.
pub(super) fn erase(connection: &Connection, chain: &dyn Chain, rows: &[i64]) -> Result<(), StoreError> {
    let sql = "SELECT seq, line, at, kind, ticket, who, room, command, outcome, body, hash, digest FROM audit \
               WHERE seq = ?1 AND digest IS NULL AND kind NOT IN ('erased', 'lost')";
    let mut read = connection.prepare_cached(sql).map_err(failure)?;
    let sql = "UPDATE audit SET who = NULL, room = NULL, body = '', digest = ?2 WHERE seq = ?1";
    let mut write = connection.prepare_cached(sql).map_err(failure)?;
    for seq in rows {
        let mut found = read.query((seq,)).map_err(failure)?;
        let content = match found.next().map_err(failure)? {
            Some(row) => chain.content(&sealed(row)?),
            None => continue,
        };
        drop(found);
        write.execute((seq, &content[..])).map_err(failure)?;
    }
    Ok(())
}

fn bytes<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a [u8]>, StoreError> {
    let value = row.get_ref(column).map_err(failure)?;
    value.as_bytes_or_null().map_err(|error| StoreError::Failed(error.to_string()))
}
