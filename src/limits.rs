//! Every bound of the shell that is not the grammar's own ([`pipit_grammar::limits`]), in one place.

use std::time::Duration;

/// How long a line may run.
pub(crate) const LINE_TIME: Duration = Duration::from_mins(10);
/// How many rounds of loops a line may run, nested ones counted too.
pub(crate) const ROUNDS: u64 = 100_000;
/// The most a pipeline that is posted elsewhere may come to, in bytes of text.
pub(crate) const POST: usize = 64 * 1024;
/// The most values of a kept stream, and of what a reply in chat keeps for `more`.
pub(crate) const KEPT_VALUES: usize = 10_000;
/// The most bytes of a kept stream as JSON.
pub(crate) const KEPT_BYTES: usize = 1024 * 1024;
/// The most bytes of a note as JSON.
pub(crate) const NOTE_BYTES: usize = 64 * 1024;
/// The most bytes of values that an answer in chat is made of, as [`pipit_commands::limits::weight`] counts them.
pub(crate) const ANSWER: usize = 4 * 1024 * 1024;
/// How long a line may show nothing before it says that it runs.
pub(crate) const LIFE: Duration = Duration::from_secs(2);
/// How long lies at least between two reports of how far a line is, where each is a message.
pub(crate) const PROGRESS: Duration = Duration::from_secs(30);
/// How long a question about a line waits for its answer.
pub(crate) const QUESTION: Duration = Duration::from_mins(2);
/// How many questions a program may ask in one call.
pub(crate) const INQUIRIES: usize = 10;
/// How often one of them is asked again when what was said is none of its choices.
pub(crate) const ASKED_AGAIN: usize = 2;
/// How many choices a question may have.
pub(crate) const INQUIRY_CHOICES: usize = 50;
/// How long a question or one of its choices may be, in bytes; the rest is left out.
pub(crate) const INQUIRY_TEXT: usize = 500;
/// How many records of a table are awaited before it is drawn in the terminal, and for how long.
pub(crate) const TABLE_ROWS: usize = 1000;
/// See [`TABLE_ROWS`].
pub(crate) const TABLE_WAIT: Duration = Duration::from_millis(200);
/// How many lines of text a reply shows before it is cut short; `more` shows the next as many.
pub(crate) const SHOWN_LINES: usize = 15;
/// The same in bytes.
pub(crate) const SHOWN_BYTES: usize = 3000;
/// How long the whole of a long answer is kept for `more`, and how much of it, in bytes.
pub(crate) const OUTPUT_TIME: Duration = Duration::from_hours(24);
/// See [`OUTPUT_TIME`].
pub(crate) const OUTPUT_BYTES: usize = 1024 * 1024;
/// How many pictures and files a line may attach; more are left out.
pub(crate) const ATTACHED: usize = 10;
/// How many streams, notes, aliases, reminders and unread messages one person may have, each.
pub(crate) const OWN_THINGS: usize = 200;
/// How many streams, notes and aliases one room may have, each; and how many aliases the site.
pub(crate) const SHARED_THINGS: usize = 1000;
/// The longest name that something is kept under, in letters.
pub(crate) const NAME: usize = 64;
/// How old what is known of a room may be when a message is heard that may be a line, as far as other processes change it.
pub(crate) const LATELY: Duration = Duration::from_millis(250);
/// The longest text of a reminder, in letters.
pub(crate) const REMINDER: usize = 1000;
/// For how long a reminder waits for a room that cannot be reached, in milliseconds; then it goes to whoever asked.
pub(crate) const REMINDER_WAITS: i64 = 24 * 60 * 60 * 1000;
/// How many changes of karma one person may make in an hour.
pub(crate) const KARMA_CHANGES: usize = 20;
/// How many names may have karma.
pub(crate) const KARMA_NAMES: usize = 10_000;
/// How many polls may be open in one room.
pub(crate) const POLLS: usize = 20;
/// How many options a poll may have.
pub(crate) const OPTIONS: usize = 10;
/// How many posts one line may make.
pub(crate) const POSTS: usize = 20;
/// How many commands may stand in the midst of one message.
pub(crate) const EMBEDDED: usize = 5;
/// The most texts that completion offers at once.
pub(crate) const CHOICES: usize = 500;
/// How many lines run at once.
pub(crate) const RUNNING: usize = 4096;
/// How many of them one person may have; the operator may have all.
pub(crate) const RUNNING_USER: usize = 16;
/// How many of them may have been said in one room: half of what a chat service runs.
pub(crate) const RUNNING_ROOM: usize = 128;
/// How far back a start looks for lines that broke off; older ones are closed when somebody lists them.
pub(crate) const LOOK_BACK: Duration = Duration::from_hours(30 * 24);
/// After how many records of the log its next anchor is due.
pub(crate) const ANCHOR_ROWS: i64 = 1000;
/// How long a record of the log waits for its anchor at most.
pub(crate) const ANCHOR_TIME: Duration = Duration::from_mins(1);
/// How many processes of one command are kept warm at most.
pub(crate) const WARM: usize = 16;
/// How many calls a process takes that is kept warm; then another one takes its place.
pub(crate) const WARM_CALLS: u64 = 1000;
/// How old it may become.
pub(crate) const WARM_AGE: Duration = Duration::from_hours(1);
/// How long it waits for its next call.
pub(crate) const WARM_IDLE: Duration = Duration::from_mins(5);
/// How often a server looks whether a bundle that is being worked on has changed.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long fetching a bundle may take.
pub(crate) const FETCH_TIME: Duration = Duration::from_mins(2);
/// How long a program of the site's own may take.
pub(crate) const SITE_TIME: Duration = Duration::from_secs(30);
/// How much it may write, in bytes.
pub(crate) const SITE_OUTPUT: usize = 64 * 1024;
/// The fewest letters of a reason.
pub(crate) const REASON: usize = 8;
/// For how long a request for approval stands.
pub(crate) const APPROVAL: Duration = Duration::from_mins(15);
/// How many requests of one person may wait at once.
pub(crate) const WAITING: usize = 16;
/// How many calls one request may ask for.
pub(crate) const GUARDED: usize = 64;
/// The longest request that can be approved of in a chat, in letters; the console shows and takes longer ones.
pub(crate) const REQUEST: usize = 1500;
/// For how long a request that came to its end is kept, for the next one like it to be compared with.
pub(crate) const ENDED: Duration = Duration::from_hours(30 * 24);
/// For how long a second factor counts where a rule does not say how long.
pub(crate) const STEP_UP: Duration = Duration::from_mins(10);

/// How many kinds of calls `rule diff` shows at most.
pub(crate) const DIFFERENCES: usize = 200;
/// How many kinds of calls and people are compared at most, for each command, before a change of rules is said to open
/// nothing.
pub(crate) const COMPARED: usize = 200_000;
/// How many secrets are looked for in what leaves the shell; the newest.
pub(crate) const SECRETS: usize = 1000;
/// How many messages of a room that keeps its conversation are kept.
pub(crate) const TALK_ROWS: i64 = 200_000;
/// How much of one message is kept, in bytes.
pub(crate) const TALK_TEXT: usize = 4096;
/// How many messages a timeline of the log shows.
pub(crate) const TIMELINE_TALK: usize = 5000;
/// How many tokens that somebody typed into a line are looked for in what leaves the shell; the newest.
pub(crate) const TYPED_SECRETS: usize = 200;
/// How long a secret must be to be looked for, in bytes.
pub(crate) const SHORTEST_SECRET: usize = 6;
/// How many records of the log are erased in one go.
pub(crate) const ERASED_ROWS: i64 = 500;
/// How many records of the log an export holds in memory.
pub(crate) const EXPORTED_ROWS: i64 = 64;
/// How many lines a timeline shows.
pub(crate) const TIMELINE_LINES: usize = 2000;
/// How much time it shows when nobody says.
pub(crate) const TIMELINE_TIME: Duration = Duration::from_hours(1);
/// How often a server erases what is older than the site keeps.
pub(crate) const ERASE_EVERY: Duration = Duration::from_hours(24);
/// How often a server looks for lines of processes that have died, so that none is open for half a minute.
pub(crate) const LOOK_AFTER: Duration = Duration::from_secs(20);
/// How often a server forgets answers that are kept no longer.
pub(crate) const FORGET_EVERY: Duration = Duration::from_hours(1);
/// For how long people and rules decide that can no longer be read anew.
pub(crate) const POLICY_AGE: Duration = Duration::from_mins(1);
/// How many wrong codes of a second factor are looked at in [`CODE_WINDOW`].
pub(crate) const WRONG_CODES: usize = 5;
/// In which time they count together.
pub(crate) const CODE_WINDOW: Duration = Duration::from_mins(5);
/// For how long no code is looked at after that.
pub(crate) const CODE_LOCK: Duration = Duration::from_mins(15);
/// The fewest letters of a reason to break the glass.
pub(crate) const EMERGENCY_REASON: usize = 15;
/// For how long the rights of an emergency last.
pub(crate) const EMERGENCY: Duration = Duration::from_mins(30);
/// How many notices may wait until somebody who reaches the room takes them.
pub(crate) const NOTICES: usize = 1000;
/// For how long the codes count that link an account.
pub(crate) const LINK: Duration = Duration::from_mins(10);
/// How large a request to the services of a line may be, in bytes.
pub(crate) const SERVICE_BODY: usize = 1 << 20;
/// How many requests one line may make of them.
pub(crate) const SERVICE_REQUESTS: usize = 20_000;
/// How long one may take.
pub(crate) const SERVICE_TIME: Duration = Duration::from_secs(30);
/// How many connections there may be at once.
pub(crate) const SERVICE_CONNECTIONS: usize = 256;
/// How many bytes the programs of one line may keep in its memory, as JSON with their keys.
pub(crate) const MEMORY_BYTES: usize = 4 << 20;
/// Under how many keys.
pub(crate) const MEMORY_KEYS: usize = 1000;
/// How long a key may be, in bytes.
pub(crate) const MEMORY_KEY: usize = 256;
