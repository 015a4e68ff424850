//! What was said in rooms that keep it: rows that come in the order of the talk, and go when their time is over. Deliberately
//! absent: which rooms keep what and for how long, and the log, which nothing here belongs to.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::Job;
use super::sqlite::failure;
use super::{Store, StoreError};

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    /// The key of the room.
    pub(crate) room: String,
    /// When, in milliseconds since 1970.
    pub(crate) at: i64,
    /// Who, as the log names people.
    pub(crate) who: String,
    /// What.
    pub(crate) text: String,
}

/// What is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// What was said in a room before a time, in milliseconds since 1970, and the oldest beyond so many rows.
    Room {
        /// The key of the room.
        room: String,
        /// The time.
        before: i64,
        /// How many rows stay at most.
        most: i64,
    },
    /// What somebody said, anywhere.
    Person(String),
}

/// A wish for the talk.
pub(super) enum Talk {
    /// Adds it. Nobody waits for that.
    Add(Spoken),
    /// Deletes it.
    End(Over),
}

/// Does it; how many rows were added or deleted.
pub(super) fn make(connection: &Connection, talk: &Talk) -> Result<u64, StoreError> {
    let count = match talk {
        Talk::Add(Spoken { room, at, who, text }) => {
            let sql = "INSERT INTO talk (room, at, who, text) VALUES (?1, ?2, ?3, ?4)";
            let mut statement = connection.prepare_cached(sql).map_err(failure)?;
            statement.execute((room, at, who, text)).map_err(failure)?
        }
        Talk::End(Over::Room { room, before, most }) => {
            let sql = "DELETE FROM talk WHERE room = ?1 AND (at < ?2 OR seq IN \
                       (SELECT seq FROM talk WHERE room = ?1 ORDER BY seq DESC LIMIT -1 OFFSET ?3))";
            let mut statement = connection.prepare_cached(sql).map_err(failure)?;
            statement.execute((room, before, most)).map_err(failure)?
        }
        Talk::End(Over::Person(who)) => {
            let mut statement = connection.prepare_cached("DELETE FROM talk WHERE who = ?1").map_err(failure)?;
            statement.execute((who,)).map_err(failure)?
        }
    };
    Ok(count as u64)
}

impl Store {
    /// Keeps something that was said; handed over, not waited for. What cannot be written is lost, and the log of the process
    /// says so.
    pub(crate) fn spoken(&self, spoken: Spoken) -> Result<(), StoreError> {
        // nobody waits for talk, so what is too much at once is not taken
        let permit = Arc::clone(&self.0.changes).try_acquire_owned().map_err(|_| StoreError::Busy)?;
        self.push([Job::Talk { talk: Talk::Add(spoken), answer: None, permit: Some(permit) }])
    }

    /// Deletes what was said, from the disk too; how much it was.
    pub(crate) async fn end_talk(&self, over: Over) -> Result<u64, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.push([Job::Talk { talk: Talk::End(over), answer: Some(answer), permit: None }])?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// What was said from `since` on and before `until`, in order; so much at most. Blocks, a few microseconds each.
    pub(crate) fn talk(&self, since: i64, until: i64, most: i64) -> Result<Vec<Spoken>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT room, at, who, text FROM talk WHERE at >= ?1 AND at < ?2 ORDER BY at, seq LIMIT ?3";
            let mut statement = connection.prepare_cached(sql).map_err(failure)?;
            let rows = statement
                .query_map((since, until, most), |row| {
                    Ok(Spoken { room: row.get(0)?, at: row.get(1)?, who: row.get(2)?, text: row.get(3)? })
                })
                .map_err(failure)?;
            rows.collect::<Result<_, _>>().map_err(failure)
        })
    }

    /// The rooms of which anything is kept, by key.
    pub(crate) fn talked_in(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT DISTINCT room FROM talk").map_err(failure)?;
            let rows = statement.query_map((), |row| row.get(0)).map_err(failure)?;
            rows.collect::<Result<_, _>>().map_err(failure)
        })
    }
}
