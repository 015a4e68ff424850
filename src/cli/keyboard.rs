//! What somebody types in answer to a question of a line that runs, in the terminal.
//!
//! The terminal is only read when a line of text is there: a wait that is given up takes nothing of what is typed next.

use std::io;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::engine::Asking;

/// The longest answer, in bytes; a terminal gives no more at once.
const LONGEST: usize = 4096;
/// How often it is looked whether the question is still open.
const LOOK: Duration = Duration::from_millis(100);

/// Reads the answer to a question, and gives it; the end of input takes the question back.
pub(super) async fn answer(asking: Asking) {
    let over = async {
        while !asking.is_over() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let read = tokio::select! {
        read = line() => read,
        () = over => return,
    };
    // a terminal that cannot be read gives no answer, and the question is dropped
    if let Ok(said) = read {
        asking.answer(&said);
    }
}

async fn line() -> io::Result<String> {
    #[expect(deprecated, reason = "what makes it unsound is a descriptor that is closed, and standard input never is")]
    let input = AsyncFd::with_interest(io::stdin(), Interest::READABLE)?;
    let ready = input.readable().await?;
    let mut bytes = vec![0; LONGEST];
    let count = rustix::io::read(ready.get_inner(), &mut bytes)?;
    bytes.truncate(count);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
