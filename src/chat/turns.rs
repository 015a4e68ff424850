//! Whose turn it is: lines of one sender run one after the other, those of different senders at the same time. A line that
//! takes long lets the next one go ahead, so that its sender can look at it, stop it, or do something else meanwhile.
//!
//! Every number is bounded: lines that run, lines that wait, answers that nobody has taken yet. A sender whose line is
//! over the bound is told so once, until their lines have run; with thousands of senders at once nobody new is told.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ecow::EcoString;
use futures_util::FutureExt;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::teller::{About, Teller, Told, Ways};
use super::{Answer, Ask, Message, Place};
use crate::engine::looks;
use crate::limits;
use crate::render::Look;

/// Lines that run at the same time.
const RUNNING: usize = 256;
/// The same for lines of those whom nobody verified, all together: whoever takes one nick after the other does not keep
/// the others from having theirs.
const STRANGERS: usize = 64;
/// How long the next line of a sender waits for the one before.
const ALONE: Duration = Duration::from_secs(2);
/// Lines of one sender that may run at the same time, when those before the last take long.
const SLOW: usize = 8;
/// Lines of one sender that look at the others, or stop them, when as many as may run do.
const LOOKING: usize = 2;
/// Lines of one sender that may wait for the one before.
const WAITING: usize = 256;
/// Senders with a lane of their own; beyond this the idle ones are forgotten, and then new ones refused.
const SENDERS: usize = 4096;
/// Answers that may wait for the connection. When it is full, lines wait with their next step.
const ANSWERS: usize = 256;
/// That many lines may say that they run while nobody has taken it yet; more do without.
const LIVES: usize = 64;

/// Whether a line has its turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It runs, or will.
    Taken,
    /// Too many wait; the sender has to be told so, there.
    Refused { sender: EcoString, place: Place },
    /// Too many wait, and the sender knows; or there are too many senders to tell one more.
    RefusedAgain,
}

/// The lanes of all senders of one entry.
pub(super) struct Turns {
    course: Arc<Course>,
    lanes: HashMap<Who, Arc<Lane>>,
}

/// Whose lane it is: an account's, whatever nicks it has, else a nick's.
#[derive(PartialEq, Eq, Hash)]
enum Who {
    Account(EcoString),
    Nick(EcoString),
}

/// What all lanes share.
struct Course {
    ask: Ask,
    running: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    ways: Ways,
    /// How long the next line of a sender waits for the one before.
    alone: Duration,
    /// Lines so far.
    lines: AtomicU64,
}

impl Course {
    fn teller(&self, message: &Message) -> Teller {
        let number = self.lines.fetch_add(1, Ordering::Relaxed);
        Teller::new(Arc::new(About::new(number, message)), self.ways.clone())
    }
}

/// The lines of one sender that wait, and whether a task sees to them.
struct Lane {
    state: Mutex<LaneState>,
    running: Arc<Semaphore>,
    looking: Arc<Semaphore>,
    /// Told of each line that comes to wait.
    arrived: Notify,
}

impl Default for Lane {
    fn default() -> Self {
        let (running, looking) = (Arc::new(Semaphore::new(SLOW)), Arc::new(Semaphore::new(LOOKING)));
        Self { state: Mutex::default(), running, looking, arrived: Notify::new() }
    }
}

#[derive(Default)]
struct LaneState {
    waiting: VecDeque<Message>,
    busy: bool,
    /// It is looked whether a line waits long, or that was told since the lane was last empty.
    watched: bool,
    /// A line was refused since the lane was last empty.
    told: bool,
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next line and its permit; none when nothing waits any more. Where as many run as may, one that only looks at
    /// them or stops them goes before the others: without it nobody could.
    async fn next(&self) -> Option<(Message, OwnedSemaphorePermit)> {
        loop {
            let free = Arc::clone(&self.running).try_acquire_owned().ok();
            {
                let mut state = self.lock();
                let next = match free {
                    Some(permit) => state.waiting.pop_front().map(|message| (message, permit)),
                    None => self.ahead(&mut state.waiting),
                };
                state.busy = next.is_some() || !state.waiting.is_empty();
                state.told &= state.busy;
                state.watched &= state.busy;
                if next.is_some() || !state.busy {
                    return next;
                }
            }
            tokio::select! {
                // nobody else takes from it, so it is there at the next round
                _ = self.running.acquire() => {}
                () = self.arrived.notified() => {}
            }
        }
    }

    fn ahead(&self, waiting: &mut VecDeque<Message>) -> Option<(Message, OwnedSemaphorePermit)> {
        let at = waiting.iter().position(|message| looks(&message.text))?;
        let permit = Arc::clone(&self.looking).try_acquire_owned().ok()?;
        waiting.remove(at).map(|message| (message, permit))
    }
}

impl Turns {
    /// Nobody waits. What is said of lines that run comes out of the first receiver, answers out of the second.
    pub(super) fn new(ask: Ask, look: Look) -> (Self, mpsc::Receiver<Told>, mpsc::Receiver<Told>) {
        let (lives, life) = mpsc::channel(LIVES);
        let (answers, answer) = mpsc::channel(ANSWERS);
        let (running, strangers) = (Arc::new(Semaphore::new(RUNNING)), Arc::new(Semaphore::new(STRANGERS)));
        let ways = Ways { lives, answers, look };
        let course = Arc::new(Course { ask, running, strangers, ways, alone: ALONE, lines: AtomicU64::new(0) });
        (Self { course, lanes: HashMap::new() }, life, answer)
    }

    /// Lines up a message.
    pub(super) fn line_up(&mut self, message: Message) -> Turn {
        let who = match &message.sender.account {
            Some(account) => Who::Account(account.clone()),
            None => Who::Nick(message.sender.shown.clone()),
        };
        let lane = if let Some(lane) = self.lanes.get(&who) {
            lane
        } else {
            if self.lanes.len() >= SENDERS {
                self.lanes.retain(|_, lane| lane.lock().busy);
            }
            if self.lanes.len() >= SENDERS {
                return Turn::RefusedAgain;
            }
            self.lanes.entry(who).or_default()
        };
        let mut state = lane.lock();
        if state.waiting.len() >= WAITING {
            if state.told {
                return Turn::RefusedAgain;
            }
            state.told = true;
            return Turn::Refused { sender: message.sender.shown, place: message.place };
        }
        if state.busy && !state.watched {
            state.watched = true;
            tokio::spawn(watch(self.course.teller(&message), lane.clone()));
        }
        state.waiting.push_back(message);
        lane.arrived.notify_one();
        if !state.busy {
            state.busy = true;
            tokio::spawn(drive(self.course.clone(), lane.clone()));
        }
        Turn::Taken
    }

    /// Whether nothing runs and nothing waits.
    pub(super) fn idle(&self) -> bool {
        self.lanes.values().all(|lane| !lane.lock().busy) && self.course.running.available_permits() == RUNNING
    }
}

/// Runs the lines of one lane until none waits.
async fn drive(course: Arc<Course>, lane: Arc<Lane>) {
    while let Some((message, own)) = lane.next().await {
        let mut stranger = None;
        if message.sender.account.is_none() {
            let Ok(permit) = Arc::clone(&course.strangers).acquire_owned().await else { return };
            stranger = Some(permit);
        }
        // an error means that a semaphore was closed, which nobody does; all take them in this order
        let Ok(turn) = Arc::clone(&course.running).acquire_owned().await else { return };
        let mut answer = Box::pin(run(course.clone(), message, (own, stranger, turn)));
        // one that goes on does so by itself; most have ended before, and need no task of their own
        if timeout(course.alone, &mut answer).await.is_err() {
            tokio::spawn(answer);
        }
    }
}

/// What bounds a line: its sender's, that of those whom nobody verified, and that of all.
type Permits = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>, OwnedSemaphorePermit);

/// Says that lines of a lane wait, when they do for long: a line that has not begun cannot say that it runs.
async fn watch(teller: Teller, lane: Arc<Lane>) {
    tokio::time::sleep(limits::LIFE).await;
    let waiting = lane.lock().waiting.len();
    if waiting > 0 {
        let lines =
            if waiting == 1 { "a line of yours waits".to_owned() } else { format!("{waiting} of your lines wait") };
        teller.life(format!("{lines} for the one before; ps shows what runs"));
    }
}

/// Runs one line; its permits go when its answer is on the way.
async fn run(course: Arc<Course>, message: Message, _permits: Permits) {
    let teller = Arc::new(course.teller(&message));
    // a panic ends the line and is told like any other end
    let answer = match AssertUnwindSafe((course.ask)(message, Arc::clone(&teller))).catch_unwind().await {
        Ok(answer) => answer,
        Err(_panic) => {
            Some(Answer { text: "the line broke off by a fault of mine".into(), notice: false, question: None })
        }
    };
    teller.answer(answer).await;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::*;
    use crate::chat::teller::What;
    use crate::chat::{Sender, Stands};

    fn message(nick: &str, account: Option<&str>) -> Message {
        let sender = Sender { shown: nick.into(), account: account.map(EcoString::from) };
        let place = Place::Room("#a".into());
        Message {
            service: "net".into(),
            place,
            sender,
            text: "x".into(),
            stands: Stands::Alone,
            key: None,
            at: 0,
            heard: 0,
            spoken: 0,
        }
    }

    #[tokio::test]
    async fn strangers_under_many_nicks_leave_room_for_the_others() {
        // a stranger's line never ends, another's does at once
        let ask: Ask = Arc::new(|message: Message, _| {
            Box::pin(async move {
                if message.sender.account.is_none() {
                    std::future::pending::<()>().await;
                }
                Some(Answer { text: message.sender.shown.into(), notice: false, question: None })
            })
        });
        let (mut turns, _lives, mut answers) = Turns::new(ask, Look::Plain);
        for nick in 0..RUNNING {
            turns.line_up(message(&format!("n{nick}"), None));
        }
        tokio::task::yield_now().await;
        turns.line_up(message("alice", Some("alice")));
        let told = timeout(ALONE, answers.recv()).await.expect("an answer").unwrap();
        let What::Answer(Some(answer)) = told.what else { panic!("{told:?}") };
        assert_eq!(answer.text, "alice");
    }

    #[tokio::test]
    async fn whoever_has_too_many_lines_can_look_at_them() {
        let ask: Ask = Arc::new(|message: Message, _| {
            Box::pin(async move {
                if message.text == "x" {
                    std::future::pending::<()>().await;
                }
                Some(Answer { text: message.text.to_string(), notice: false, question: None })
            })
        });
        let (mut turns, _lives, mut answers) = Turns::new(ask, Look::Plain);
        Arc::get_mut(&mut turns.course).unwrap().alone = Duration::from_millis(1);
        for _ in 0..2 * SLOW {
            turns.line_up(message("alice", Some("alice")));
        }
        for line in ["echo 1", "ps", "kill ABC"] {
            turns.line_up(Message { text: line.into(), ..message("alice", Some("alice")) });
        }
        for line in ["ps", "kill ABC"] {
            let told = answers.recv().await.unwrap();
            let What::Answer(Some(answer)) = told.what else { panic!("{told:?}") };
            assert_eq!(answer.text, line);
        }
    }

    #[tokio::test]
    async fn an_account_has_one_lane_under_all_its_nicks() {
        let ask: Ask = Arc::new(|_, _| Box::pin(std::future::pending()));
        let (mut turns, _lives, _answers) = Turns::new(ask, Look::Plain);
        for nick in 0..64 {
            turns.line_up(message(&format!("n{nick}"), Some("alice")));
        }
        assert_eq!(turns.lanes.len(), 1);
    }
}
