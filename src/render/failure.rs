//! Errors as they are shown: whole, with a mark under the place in the line, or brief for a busy room.

use pipit_commands::{Error, ErrorKind};
use pipit_grammar::SyntaxError;

use super::plain;

/// An error as it is shown: what, where in the line, and what now.
pub(super) fn whole(error: &Error, line: &str) -> String {
    match error.kind() {
        ErrorKind::Stopped => return plain(error.message()),
        ErrorKind::Parked => return waiting(error),
        ErrorKind::Refused | ErrorKind::Failed | ErrorKind::Unknown | ErrorKind::Denied | ErrorKind::Unavailable => {}
    }
    let message = plain(&error.to_string());
    match error.span() {
        // the mark under the line says which stage
        Some(span) => {
            let mut shown = SyntaxError::new(plain(error.message()), span);
            shown.help = error.help_text().map(plain);
            shown.show(line)
        }
        None => match error.help_text() {
            Some(help) => format!("error: {message}\n  {}", plain(help)),
            None => format!("error: {message}"),
        },
    }
}

/// What a line waits for: nothing has gone wrong, and all of it is to be read.
fn waiting(error: &Error) -> String {
    let mut text = plain(error.message());
    for line in error.help_text().unwrap_or_default().lines() {
        text.push_str(&format!("\n  {}", plain(line)));
    }
    text
}

/// An error in one line, as a busy room wants it: what, where, and what now.
pub(super) fn brief(error: &Error, line: &str) -> String {
    const SHOWN: usize = 24;
    match error.kind() {
        ErrorKind::Stopped => return plain(error.message()),
        ErrorKind::Parked => return waiting(error),
        ErrorKind::Refused | ErrorKind::Failed | ErrorKind::Unknown | ErrorKind::Denied | ErrorKind::Unavailable => {}
    }
    let mut text = format!("error: {}", plain(&error.to_string()));
    if error.stage().is_none()
        && let Some(place) = error.span().and_then(|span| line.get(span.start as usize..))
        && !place.is_empty()
    {
        let mut near: String = place.chars().take(SHOWN).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        if near.len() < place.len() {
            near.push('…');
        }
        text.push_str(&format!(" (at `{near}`)"));
    }
    if let Some(help) = error.help_text() {
        text.push_str(&format!(" - {}", plain(help)));
    }
    text
}
