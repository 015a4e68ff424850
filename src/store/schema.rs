//! The numbered steps that bring a database file to the shape this program knows. Deliberately absent: steps back;
//! an older program refuses a newer file and leaves it as it is.

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;
use super::sqlite::failure;

/// One SQL text a step; the number of steps done is kept in the file itself.
const STEPS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// Does the steps the file still lacks, all or none of them.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    if done(connection)? == STEPS.len() {
        return Ok(());
    }
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    // Read again under the lock: another process may have been first.
    let first = done(&step)?;
    for sql in STEPS.iter().skip(first) {
        step.execute_batch(sql).map_err(failure)?;
    }
    let all = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    step.pragma_update(None, "user_version", all).map_err(failure)?;
    step.commit().map_err(failure)
}

fn done(connection: &Connection) -> Result<usize, StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failure)?;
    match usize::try_from(found) {
        Ok(done) if done <= STEPS.len() => Ok(done),
        _ => Err(StoreError::Newer { found, known: STEPS.len() }),
    }
}
