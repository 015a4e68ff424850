//! The documents: a kind, a key, a text. Deliberately absent: any knowledge of what the text says.

use rusqlite::{Connection, OptionalExtension as _};

use super::sqlite::failure;
use super::{Change, Document, Expect, StoreError};

pub(super) fn get(connection: &Connection, kind: &str, key: &str) -> Result<Option<Document>, StoreError> {
    let sql = "SELECT key, revision, body FROM document WHERE kind = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    statement.query_row((kind, key), document).optional().map_err(failure)
}

pub(super) fn list(connection: &Connection, kind: &str) -> Result<Vec<Document>, StoreError> {
    let sql = "SELECT key, revision, body FROM document WHERE kind = ?1 ORDER BY key";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let rows = statement.query_map((kind,), document).map_err(failure)?;
    rows.collect::<Result<_, _>>().map_err(failure)
}

/// The first key that comes after all that begin so; keys are compared by their bytes.
fn behind(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

pub(super) fn below(connection: &Connection, kind: &str, prefix: &str) -> Result<Vec<Document>, StoreError> {
    let sql = "SELECT key, revision, body FROM document WHERE kind = ?1 AND key >= ?2 AND key < ?3 ORDER BY key";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let rows = statement.query_map((kind, prefix, behind(prefix)), document).map_err(failure)?;
    rows.collect::<Result<_, _>>().map_err(failure)
}

/// Those whose keys come before one, by key.
pub(super) fn before(connection: &Connection, kind: &str, key: &str) -> Result<Vec<Document>, StoreError> {
    let sql = "SELECT key, revision, body FROM document WHERE kind = ?1 AND key < ?2 ORDER BY key";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let rows = statement.query_map((kind, key), document).map_err(failure)?;
    rows.collect::<Result<_, _>>().map_err(failure)
}

pub(super) fn count_below(connection: &Connection, kind: &str, prefix: &str) -> Result<usize, StoreError> {
    let sql = "SELECT count(*) FROM document WHERE kind = ?1 AND key >= ?2 AND key < ?3";
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let count: i64 = statement.query_row((kind, prefix, behind(prefix)), |row| row.get(0)).map_err(failure)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Whether there is any document that is of none of these kinds.
pub(super) fn any_besides(connection: &Connection, kinds: &[&str]) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT kind FROM document").map_err(failure)?;
    let mut rows = statement.query(()).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        let kind: String = row.get(0).map_err(failure)?;
        if !kinds.contains(&kind.as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn version(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT n FROM documents_revision").map_err(failure)?;
    statement.query_row((), |row| row.get::<_, i64>(0)).map(i64::cast_unsigned).map_err(failure)
}

/// Makes all changes or stops at the first that does not hold; the caller takes back what was made until then.
pub(super) fn apply(connection: &Connection, changes: &[Change]) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE documents_revision SET n = n + 1 RETURNING n").map_err(failure)?;
    let revision: i64 = statement.query_row((), |row| row.get(0)).map_err(failure)?;
    changes.iter().try_for_each(|change| make(connection, change, revision))
}

fn make(connection: &Connection, change: &Change, revision: i64) -> Result<(), StoreError> {
    match change {
        Change::Insert { kind, key, body } => {
            let sql = "INSERT INTO document (kind, key, revision, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
            let mut statement = connection.prepare_cached(sql).map_err(failure)?;
            match statement.execute((kind, key, revision, body)).map_err(failure)? {
                0 => Err(StoreError::Exists { kind, key: key.clone() }),
                _ => Ok(()),
            }
        }
        Change::Put { kind, key, body, expect } => {
            check(connection, kind, key, *expect)?;
            let sql = "INSERT INTO document (kind, key, revision, body) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT (kind, key) DO UPDATE SET revision = excluded.revision, body = excluded.body";
            let mut statement = connection.prepare_cached(sql).map_err(failure)?;
            statement.execute((kind, key, revision, body)).map_err(failure).map(drop)
        }
        Change::Delete { kind, key, expect } => {
            check(connection, kind, key, *expect)?;
            let sql = "DELETE FROM document WHERE kind = ?1 AND key = ?2";
            let mut statement = connection.prepare_cached(sql).map_err(failure)?;
            statement.execute((kind, key)).map_err(failure).map(drop)
        }
    }
}

fn check(connection: &Connection, kind: &'static str, key: &str, expect: Expect) -> Result<(), StoreError> {
    if expect == Expect::Anything {
        return Ok(());
    }
    let found = get(connection, kind, key)?.map(|document| document.revision);
    match (expect, found) {
        (Expect::Anything, _) | (Expect::Present, Some(_)) => Ok(()),
        (Expect::Revision(wanted), Some(found)) if wanted == found => Ok(()),
        (Expect::Revision(_), Some(_)) => Err(StoreError::Stale { kind, key: key.to_owned() }),
        (Expect::Present | Expect::Revision(_), None) => Err(StoreError::Missing { kind, key: key.to_owned() }),
    }
}

fn document(row: &rusqlite::Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document { key: row.get(0)?, revision: row.get::<_, i64>(1)?.cast_unsigned(), body: row.get(2)? })
}
