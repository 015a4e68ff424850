//! The one thread that writes. It takes whatever waits, writes it in one transaction, and answers when that is on the
//! disk. Deliberately absent: a head of the log remembered between transactions; another process may have written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::log::{Chain, Entry, Head, Place, Record};
use super::queue::{Job, Last, Queue};
use super::sqlite::{PATIENCE, failure};
use super::talk::{self, Talk};
use super::{StoreError, documents, log, sqlite};

/// Jobs in one transaction at most.
const BATCH: usize = 256;

/// How long the next transaction waits for a lock once one has waited in vain.
const IMPATIENCE: Duration = Duration::from_millis(250);

pub(super) struct Writer {
    connection: Connection,
    queue: Arc<Queue>,
    chain: Option<Box<dyn Chain>>,
    /// Records may have been put aside; nothing else is logged before them.
    owes: bool,
    /// Records that could not even be put aside.
    held: Vec<Record>,
    /// Set for good: what the disk says it holds can no longer be believed.
    broken: Option<StoreError>,
    /// A lock was waited for in vain.
    impatient: bool,
    /// The version of the documents at the last commit.
    written: Arc<AtomicU64>,
}

/// What a transaction that held came to.
struct Written {
    /// One a job.
    outcomes: Vec<Outcome>,
    /// Where the log ends now and the latest time in what was added; `None` if nothing was.
    grown: Option<(Head, i64)>,
}

/// What one job came to within a transaction that held.
type Outcome = Result<Done, StoreError>;

/// What there is to say of a job that was done.
enum Done {
    /// Nothing more.
    Well,
    /// A line was opened there.
    Opened(Place),
    /// So many rows.
    Rows(u64),
}

impl Writer {
    pub(super) fn new(connection: Connection, queue: Arc<Queue>, written: Arc<AtomicU64>) -> Self {
        let (chain, held, broken) = (None, Vec::new(), None);
        Self { connection, queue, chain, owes: false, held, broken, impatient: false, written }
    }

    /// Works until the queue is stopped and empty.
    pub(super) fn run(mut self) {
        let mut last = Last::default();
        while let Some(jobs) = self.queue.take(BATCH, last) {
            let awaited = jobs.iter().filter(|job| job.is_awaited()).count();
            let mut batch = Vec::with_capacity(jobs.len());
            for job in jobs {
                match job {
                    Job::Seal(chain) => {
                        self.chain = Some(chain);
                        self.owes = true;
                    }
                    Job::Apply { .. } | Job::Talk { .. } | Job::Append(_) => batch.push(job),
                }
            }
            if !batch.is_empty() {
                let began = Instant::now();
                self.write(batch);
                last = Last { awaited, took: began.elapsed() };
            }
        }
        if !self.held.is_empty() {
            self.write(Vec::new());
        }
        if let Some(chain) = &mut self.chain {
            chain.finished();
        }
    }

    /// All jobs in one transaction; if that fails and may be the fault of one of them, each in its own.
    fn write(&mut self, jobs: Vec<Job>) {
        match self.commit(&jobs) {
            Ok(Written { outcomes, grown }) => {
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    self.answer(job, outcome);
                }
                // After the answers: nobody waits for the anchor.
                if let (Some(chain), Some((head, latest))) = (&mut self.chain, grown) {
                    chain.committed(&head, latest);
                }
            }
            Err(error) if jobs.len() > 1 && error != StoreError::Busy && self.broken.is_none() => {
                for job in jobs {
                    self.write(vec![job]);
                }
            }
            Err(error) => self.fail(jobs, &error),
        }
    }

    fn commit(&mut self, jobs: &[Job]) -> Result<Written, StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        // Changes alone go ahead of what is owed: a deletion may be what makes room for it.
        let pays = self.owes && (jobs.is_empty() || !jobs.iter().all(is_change));
        let written = self.transact(jobs, pays);
        if let (Some(chain), true) = (&mut self.chain, pays) {
            chain.settled(written.is_ok());
        }
        match written {
            Ok(written) => {
                if pays {
                    self.owes = false;
                    self.held.clear();
                }
                if self.impatient {
                    self.wait_up_to(PATIENCE);
                }
                Ok(written)
            }
            Err(error) => {
                match error {
                    StoreError::Busy => self.wait_up_to(IMPATIENCE),
                    StoreError::Unsynced(_) | StoreError::Damaged(_) => self.broken = Some(error.clone()),
                    StoreError::Exists { .. }
                    | StoreError::Missing { .. }
                    | StoreError::Stale { .. }
                    | StoreError::Newer { .. }
                    | StoreError::Full
                    | StoreError::Failed(_)
                    | StoreError::Closed => {}
                }
                Err(error)
            }
        }
    }

    /// One transaction, with what was put aside before everything else if it `pays`.
    fn transact(&mut self, jobs: &[Job], pays: bool) -> Result<Written, StoreError> {
        let mut transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
        let mut log = match &mut self.chain {
            Some(chain) => {
                let head = log::head(&transaction, chain.origin())?;
                Some(Tail { chain: chain.as_mut(), head, began: head.seq, latest: i64::MIN })
            }
            None => None,
        };
        if let (Some(log), true) = (&mut log, pays) {
            let aside = log.chain.aside()?;
            for record in aside.iter().chain(&self.held) {
                if !log::has(&transaction, record)? {
                    log.append(&transaction, record)?;
                }
            }
        }
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(match job {
                Job::Apply { changes, .. } => apply(&mut transaction, changes)?,
                Job::Talk { talk, .. } => Ok(Done::Rows(talk::make(&transaction, talk)?)),
                Job::Append(Entry::Open { record, .. } | Entry::Row { record, .. }) => match &mut log {
                    Some(log) => Ok(log.append(&transaction, record)?.map_or(Done::Well, Done::Opened)),
                    None => Err(StoreError::Closed),
                },
                Job::Append(Entry::Erase { rows, record, .. }) => match &mut log {
                    Some(log) => {
                        log::erase(&transaction, log.chain, rows)?;
                        log.append(&transaction, record)?;
                        Ok(Done::Well)
                    }
                    None => Err(StoreError::Closed),
                },
                Job::Append(Entry::Keep { records, .. }) => match &mut log {
                    Some(log) => {
                        for record in records {
                            log.append(&transaction, record)?;
                        }
                        Ok(Done::Well)
                    }
                    None => Err(StoreError::Closed),
                },
                Job::Seal(_) => Ok(Done::Well),
            });
        }
        let grown = log.filter(|log| log.head.seq > log.began).map(|log| (log.head, log.latest));
        let version = documents::version(&transaction)?;
        for outcome in &mut outcomes {
            if let Ok(Done::Opened(place)) = outcome {
                place.version = version;
            }
        }
        transaction.commit().map_err(failure)?;
        self.written.store(version, Ordering::Release);
        let erases = |job: &Job| matches!(job, Job::Append(Entry::Erase { .. }) | Job::Talk { talk: Talk::End(_), .. });
        if jobs.iter().any(erases) {
            // what is erased does not wait in the write-ahead log either
            sqlite::empty_log(&self.connection);
        }
        Ok(Written { outcomes, grown })
    }

    /// Nothing was written: those who asked hear it, what must not be lost is put aside.
    fn fail(&mut self, jobs: Vec<Job>, error: &StoreError) {
        for job in jobs {
            match job {
                Job::Append(Entry::Keep { records, answer, permit }) => {
                    self.owes = true;
                    let aside = match &mut self.chain {
                        Some(chain) => chain.put_aside(&records),
                        None => Err(StoreError::Closed),
                    };
                    if aside.is_err() {
                        self.held.extend(records);
                    }
                    if let Some(answer) = answer {
                        let _gone = answer.send(aside);
                    }
                    drop(permit);
                }
                Job::Apply { .. }
                | Job::Talk { .. }
                | Job::Append(Entry::Open { .. } | Entry::Row { .. } | Entry::Erase { .. })
                | Job::Seal(_) => {
                    self.answer(job, Err(error.clone()));
                }
            }
        }
    }

    /// Whoever no longer listens has gone for reasons of its own; a line must not stay open for that.
    fn answer(&self, job: Job, outcome: Outcome) {
        match job {
            Job::Apply { answer, .. } | Job::Append(Entry::Row { answer, .. } | Entry::Erase { answer, .. }) => {
                let _gone = answer.send(outcome.map(drop));
            }
            Job::Talk { answer: Some(answer), .. } => {
                let rows = |done| match done {
                    Done::Rows(count) => count,
                    Done::Well | Done::Opened(_) => 0,
                };
                let _gone = answer.send(outcome.map(rows));
            }
            Job::Talk { answer: None, .. } => {
                if let Err(error) = outcome {
                    tracing::warn!(%error, "something that was said in a room is not kept");
                }
            }
            Job::Append(Entry::Keep { answer, .. }) => {
                if let Some(answer) = answer {
                    let _gone = answer.send(outcome.map(drop));
                }
            }
            Job::Append(Entry::Open { answer, record }) => {
                let opened = outcome.and_then(|done| match done {
                    Done::Opened(place) => Ok(place),
                    Done::Well | Done::Rows(_) => Err(StoreError::Closed),
                });
                if let (Err(Ok(place)), Some(chain)) = (answer.send(opened), &self.chain) {
                    let records = vec![chain.broke_off(&place, record.at)];
                    self.queue.push([Job::Append(Entry::Keep { records, answer: None, permit: None })]);
                }
            }
            Job::Seal(_) => {}
        }
    }

    fn wait_up_to(&mut self, patience: Duration) {
        self.impatient = patience != PATIENCE;
        // It can only fail on a closed connection, and then the next transaction says so.
        let _set = self.connection.busy_timeout(patience);
    }
}

fn is_change(job: &Job) -> bool {
    match job {
        Job::Apply { .. } | Job::Talk { .. } => true,
        Job::Append(_) | Job::Seal(_) => false,
    }
}

/// The end of the log while a transaction makes it grow.
struct Tail<'a> {
    chain: &'a mut dyn Chain,
    head: Head,
    began: i64,
    latest: i64,
}

impl Tail<'_> {
    fn append(&mut self, connection: &Connection, record: &Record) -> Result<Option<Place>, StoreError> {
        self.latest = self.latest.max(record.at);
        log::append(connection, self.chain, &mut self.head, record)
    }
}

/// Changes that do not hold are taken back alone; an error of the disk ends the whole transaction.
fn apply(transaction: &mut rusqlite::Transaction<'_>, changes: &[super::Change]) -> Result<Outcome, StoreError> {
    let savepoint = transaction.savepoint().map_err(failure)?;
    match documents::apply(&savepoint, changes) {
        Ok(()) => savepoint.commit().map_err(failure).map(|()| Ok(Done::Well)),
        // Dropping the savepoint rolls it back.
        Err(own @ (StoreError::Exists { .. } | StoreError::Missing { .. } | StoreError::Stale { .. })) => Ok(Err(own)),
        Err(error) => Err(error),
    }
}
