//! Reading the log: lines newest first, and one line in full. Deliberately absent: what the bodies say.

use rusqlite::types::ToSql;
use rusqlite::{Connection, Row};

use super::StoreError;
use super::sqlite::failure;

/// Which lines are wanted; what is `None` does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// Opened at this time or later, Unix milliseconds.
    pub(crate) since: Option<i64>,
    /// Opened before this time.
    pub(crate) until: Option<i64>,
    /// By this subject.
    pub(crate) who: Option<&'a str>,
    /// And by those whose names are this one, `~` and a number.
    pub(crate) again: bool,
    /// In this room.
    pub(crate) room: Option<&'a str>,
    /// With a row about this command.
    pub(crate) command: Option<&'a str>,
    /// With this text in a row, in small or large letters of English.
    pub(crate) text: Option<&'a str>,
    /// The oldest first, where otherwise the newest are.
    pub(crate) oldest: bool,
    /// That ended so.
    pub(crate) ended: Option<Ended<'a>>,
    /// This many at most.
    pub(crate) limit: usize,
}

/// How a wanted line ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended<'a> {
    /// With this outcome.
    As(&'a str),
    /// It has not.
    NotYet,
}

/// A line: the row that opened it and, if there is one, the row that closed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The row that opened it.
    pub(crate) opened: Found,
    /// The row that closed it.
    pub(crate) closed: Option<Found>,
}

/// A row as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) seq: i64,
    pub(crate) line: i64,
    pub(crate) at: i64,
    pub(crate) kind: String,
    pub(crate) ticket: Option<String>,
    pub(crate) who: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) command: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) body: String,
}

const COLUMNS: &str = "seq, line, at, kind, ticket, who, room, command, outcome, body";

pub(super) fn lines(connection: &Connection, wanted: &Wanted<'_>) -> Result<Vec<Line>, StoreError> {
    let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
    let mut only = Only { conditions: vec!["o.ticket IS NOT NULL"], values: vec![(":limit", &limit)] };
    only.when("o.at >= :since", ":since", wanted.since.as_ref());
    only.when("o.at < :until", ":until", wanted.until.as_ref());
    let by = if wanted.again {
        // the sign behind the digits ends the span
        "(o.who = :who OR (o.who > :who || '~' AND o.who < :who || '~:'))"
    } else {
        "o.who = :who"
    };
    only.when(by, ":who", wanted.who.as_ref());
    only.when("o.room = :room", ":room", wanted.room.as_ref());
    only.when(
        "EXISTS (SELECT 1 FROM audit r WHERE r.line = o.seq AND r.ticket IS NULL AND r.command = :command)",
        ":command",
        wanted.command.as_ref(),
    );
    // as JSON writes it, with nothing in it that LIKE would take for more than itself
    let text = wanted.text.map(|text| {
        let json = serde_json::to_string(text).unwrap_or_default();
        let json = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
        format!("%{}%", json.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
    });
    only.when(
        "(o.body LIKE :text ESCAPE '\\' OR EXISTS (SELECT 1 FROM audit r WHERE r.line = o.seq AND r.ticket IS NULL \
         AND (r.body LIKE :text ESCAPE '\\' OR r.command LIKE :text ESCAPE '\\')))",
        ":text",
        text.as_ref(),
    );
    match &wanted.ended {
        Some(Ended::As(outcome)) => only.when("c.outcome = :outcome", ":outcome", Some(outcome)),
        Some(Ended::NotYet) => only.conditions.push("c.seq IS NULL"),
        None => {}
    }
    let sql = format!(
        "SELECT {}, {} FROM audit o LEFT JOIN audit c ON c.line = o.seq AND c.ticket IS NULL AND c.kind = 'closed' \
         WHERE {} ORDER BY {} LIMIT :limit",
        of("o"),
        of("c"),
        only.conditions.join(" AND "),
        if wanted.oldest { "o.at, o.seq" } else { "o.at DESC, o.seq DESC" }
    );
    let mut statement = connection.prepare(&sql).map_err(failure)?;
    let rows = statement
        .query_map(only.values.as_slice(), |row| {
            let closed = row.get::<_, Option<i64>>(10)?.is_some();
            Ok(Line { opened: found(row, 0)?, closed: if closed { Some(found(row, 10)?) } else { None } })
        })
        .map_err(failure)?;
    rows.collect::<Result<_, _>>().map_err(failure)
}

pub(super) fn line(connection: &Connection, opened: i64) -> Result<Vec<Found>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE seq = ?1 AND ticket IS NOT NULL UNION ALL \
         SELECT {COLUMNS} FROM audit WHERE line = ?1 AND ticket IS NULL ORDER BY 1"
    );
    let mut statement = connection.prepare(&sql).map_err(failure)?;
    let rows = statement.query_map((opened,), |row| found(row, 0)).map_err(failure)?;
    rows.collect::<Result<_, _>>().map_err(failure)
}

/// Rows behind `after` with a time from `since` on and before `until`, in order; so many at most.
pub(super) fn rows(
    connection: &Connection,
    after: i64,
    since: i64,
    until: i64,
    most: i64,
) -> Result<Vec<Found>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > ?1 AND at >= ?2 AND at < ?3 ORDER BY seq LIMIT ?4");
    let mut statement = connection.prepare_cached(&sql).map_err(failure)?;
    let rows = statement.query_map((after, since, until, most), |row| found(row, 0)).map_err(failure)?;
    rows.collect::<Result<_, _>>().map_err(failure)
}

/// The next rows behind `after` that are older than `until` and not erased; so many at most.
pub(super) fn whole(connection: &Connection, after: i64, until: i64, most: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT seq FROM audit WHERE seq > ?1 AND at < ?2 AND digest IS NULL \
               AND kind NOT IN ('erased', 'lost') ORDER BY seq LIMIT ?3";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let rows = statement.query_map((after, until, most), |row| row.get(0)).map_err(failure)?;
    rows.collect::<Result<_, _>>().map_err(failure)
}

/// All rows of some lines of `who` that have ended and are not erased; of so many lines at most.
pub(super) fn whole_of(connection: &Connection, who: &str, most: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT seq FROM audit WHERE ticket IS NOT NULL AND who = ?1 AND digest IS NULL AND EXISTS (\
               SELECT 1 FROM audit c WHERE c.line = audit.seq AND c.ticket IS NULL AND c.kind = 'closed') LIMIT ?2";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let opened = statement.query_map((who, most), |row| row.get::<_, i64>(0)).map_err(failure)?;
    let opened = opened.collect::<Result<Vec<_>, _>>().map_err(failure)?;
    let sql = "SELECT seq FROM audit WHERE line = ?1 AND ticket IS NULL AND digest IS NULL \
               AND kind NOT IN ('erased', 'lost')";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut all = Vec::new();
    for line in opened {
        all.push(line);
        let rows = statement.query_map((line,), |row| row.get::<_, i64>(0)).map_err(failure)?;
        all.extend(rows.collect::<Result<Vec<_>, _>>().map_err(failure)?);
    }
    all.sort_unstable();
    Ok(all)
}

/// The conditions of a query and the values they name.
struct Only<'a> {
    conditions: Vec<&'static str>,
    values: Vec<(&'static str, &'a dyn ToSql)>,
}

impl<'a> Only<'a> {
    fn when<T: ToSql>(&mut self, condition: &'static str, name: &'static str, value: Option<&'a T>) {
        if let Some(value) = value {
            self.conditions.push(condition);
            self.values.push((name, value));
        }
    }
}

/// The columns of one table of a join.
fn of(table: &str) -> String {
    COLUMNS.split(", ").map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
}

fn found(row: &Row<'_>, first: usize) -> rusqlite::Result<Found> {
    Ok(Found {
        seq: row.get(first)?,
        line: row.get(first + 1)?,
        at: row.get(first + 2)?,
        kind: row.get(first + 3)?,
        ticket: row.get(first + 4)?,
        who: row.get(first + 5)?,
        room: row.get(first + 6)?,
        command: row.get(first + 7)?,
        outcome: row.get(first + 8)?,
        body: row.get(first + 9)?,
    })
}
