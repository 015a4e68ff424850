//! A connection as every part of the store uses it, and `SQLite`'s error codes in the store's own words. Deliberately
//! absent: statements on tables; each table has a file of its own.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::StoreError;

/// How long a statement waits for the lock of another process before it gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of the write-ahead log that may be left for the next start to read, a millisecond's work.
const LOG: u64 = 512 * 1024;

/// The most pages a file can have.
pub(super) const PAGES: u32 = 4_294_967_294;

/// Opens the file that may grow to so many pages, makes it if it is not there (readable by its owner alone), and sets what lasting commits need.
pub(super) fn connect(path: &Path, pages: u32) -> Result<Connection, StoreError> {
    // SQLite gives its side files the rights of the main file, so they are settled before it sees the file.
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    if let Err(error) = opened {
        return Err(StoreError::Failed(format!("{} does not open: {error}", path.display())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failure)?;
    connection.busy_timeout(PATIENCE).map_err(failure)?;
    let mode = write_ahead(&connection)?;
    if mode != "wal" {
        return Err(StoreError::Failed(format!(
            "{} cannot keep a write-ahead log (journal mode {mode}); put it on a local disk",
            path.display()
        )));
    }
    // What is erased or deleted is overwritten. FULL: a commit is on the disk when it returns. 2 MiB of pages a connection, 16 MiB of log left standing.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -2048; \
             PRAGMA journal_size_limit = 16777216; PRAGMA wal_autocheckpoint = 2000; PRAGMA trusted_schema = OFF; \
             PRAGMA secure_delete = ON;",
        )
        .map_err(failure)?;
    // A process of one line would pay for tidying up with most of its time; `tidy` does it when there is something to tidy.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failure)?;
    connection.pragma_update(None, "max_page_count", pages).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Asks for a write-ahead log and gives the mode there is. On a new file `SQLite` does not wait for another process that
/// does the same at this moment, so that is done here.
fn write_ahead(connection: &Connection) -> Result<String, StoreError> {
    let end = Instant::now() + PATIENCE;
    loop {
        let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(failure);
        match mode {
            Err(StoreError::Busy) if Instant::now() < end => std::thread::sleep(Duration::from_millis(2)),
            mode => return mode,
        }
    }
}

/// Moves the write-ahead log into the main file and empties it, as far as nobody reads there.
pub(super) fn empty_log(connection: &Connection) {
    // It may fail because others read; then the next one does it.
    let _emptied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
}

/// Moves a long write-ahead log into the main file, so that the next start need not read it.
pub(super) fn tidy(connection: &Connection, path: &Path) {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(log).is_ok_and(|about| about.len() > LOG) {
        empty_log(connection);
    }
}

/// What an error of the driver means for whoever asked.
#[expect(clippy::needless_pass_by_value, reason = "its use is `map_err(failure)`")]
pub(super) fn failure(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, _) = &error else {
        return StoreError::Failed(error.to_string());
    };
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(error.to_string()),
        ErrorCode::SystemIoFailure if is_sync(code.extended_code) => StoreError::Unsynced(error.to_string()),
        // Anything else is said in SQLite's own words; there is nothing particular to do about it.
        _ => StoreError::Failed(error.to_string()),
    }
}

/// After a failed flush the kernel may call pages clean that never reached the disk.
fn is_sync(extended: i32) -> bool {
    matches!(extended, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
}
