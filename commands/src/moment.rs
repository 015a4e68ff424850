//! A moment that has been, as people write it: how long ago, a day, a time of today, or a whole date.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::seconds;

/// How a moment is written, for help.
const HOW: &str = "write 2h (ago), today, yesterday, 14:30, 2026-11-20 or 2026-11-20T14:30, with Z or +01:00 for another zone than UTC";

/// The milliseconds since 1970 of a moment, seen from `now`; none when it is written in no way that is known. Without a
/// zone it is UTC's.
#[must_use]
pub fn moment(text: &str, now: i64) -> Option<i64> {
    if let Some(seconds) = seconds(text) {
        #[expect(clippy::cast_possible_truncation, reason = "a time span is bounded to a year")]
        return now.checked_sub((seconds * 1000.0) as i64);
    }
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp().as_millisecond());
    let today = Timestamp::from_millisecond(now).ok()?.to_zoned(TimeZone::UTC).date();
    match text {
        "today" => return utc(today.into()),
        "yesterday" => return utc(today.checked_sub(1.day()).ok()?.into()),
        _ => {}
    }
    let spaced = text.replacen(' ', "T", 1);
    if let Ok(zoned) = spaced.parse::<Zoned>() {
        return Some(zoned.timestamp().as_millisecond());
    }
    if let Ok(at) = spaced.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    if let Ok(date) = text.parse::<Date>()
        && text.len() <= "2026-11-20".len()
    {
        return utc(date.into());
    }
    if spaced.contains('T') {
        return spaced.parse::<DateTime>().ok().and_then(utc);
    }
    let time = text.contains(':').then(|| text.parse::<Time>().ok()).flatten()?;
    utc(today.to_datetime(time))
}

/// Refuses what is no moment.
pub(crate) fn is_moment(text: &str) -> Result<(), String> {
    // whether a text is one does not depend on when it is read
    match moment(text, 0) {
        Some(_) => Ok(()),
        None => Err(format!("{text:?} is no moment; {HOW}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_moment, moment};

    /// 2026-11-20T12:00:00Z
    const NOW: i64 = 1_795_176_000_000;
    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        let midnight = NOW - 12 * HOUR;
        for (text, at) in [
            ("2h", NOW - 2 * HOUR),
            ("90", NOW - 90_000),
            ("today", midnight),
            ("yesterday", midnight - 24 * HOUR),
            ("2026-11-20", midnight),
            ("2026-11-20T10:00", NOW - 2 * HOUR),
            ("2026-11-20 10:00:00", NOW - 2 * HOUR),
            ("2026-11-20T10:00Z", NOW - 2 * HOUR),
            ("2026-11-20T10:00+01:00", NOW - 3 * HOUR),
            ("2026-11-20T10:00[Europe/Zurich]", NOW - 3 * HOUR),
            ("09:30", NOW - 5 * HOUR / 2),
        ] {
            assert_eq!(moment(text, NOW), Some(at), "{text}");
            assert!(is_moment(text).is_ok(), "{text}");
        }
        for text in ["", "soon", "2026-13-01", "25:00", "20.11.2026", "tomorrow"] {
            assert_eq!(moment(text, NOW), None, "{text}");
        }
    }
}
