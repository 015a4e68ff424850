//! Times as people write them: `in 10m`, `at 15:00`, `tomorrow 9:00`, `monday 9am`, `2026-11-21 14:30`, in the zone of whoever
//! asks.
//!
//! Deliberately absent: what happens then, and the clock itself, which is told.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};
use pipit_commands::Error;

use super::super::world::{kind, own};
use super::Host;
use super::notes::{Note, ZONE};

/// When a day is meant and no hour.
const MORNING: Time = Time::constant(9, 0, 0, 0);
/// The furthest time ahead.
const FURTHEST: SignedDuration = SignedDuration::from_hours(24 * 366 * 2);

/// A zone by its name in the world's table: `Europe/Zurich`, `UTC`.
pub(super) fn zone(name: &str) -> Result<TimeZone, Error> {
    TimeZone::get(name).map_err(|_| {
        Error::failed(format!("there is no time zone {name:?}"))
            .help("write its name as in Europe/Zurich, America/New_York or UTC")
    })
}

/// The zone of whoever asks: their note `zone`, else UTC.
pub(super) fn zone_of(host: &Host) -> TimeZone {
    let note = host.subject.owner().and_then(|me| host.engine.store().get(kind::NOTE, &own(me, ZONE)).ok().flatten());
    let note = note.and_then(|found| serde_json::from_str::<Note>(&found.body).ok());
    note.and_then(|note| zone(&note.value.to_text()).ok()).unwrap_or(TimeZone::UTC)
}

/// A time in milliseconds since 1970 as somebody reads it: the day only when it is not today.
pub(super) fn shown(at: i64, now: i64, zone: &TimeZone) -> String {
    let local = |at: i64| Timestamp::from_millisecond(at).unwrap_or_default().to_zoned(zone.clone());
    let (at, now) = (local(at), local(now));
    let format = if at.date() == now.date() {
        "%H:%M"
    } else if at.year() == now.year() {
        "%a %-d %b %H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    at.strftime(format).to_string()
}

/// A length in milliseconds, in words that are short: `40s`, `10m`, `2h`, `2h 30m`, `3d`, `3d 2h`.
pub(super) fn length(millis: i64) -> String {
    // to the nearest second: what was asked a moment ago is said as it was asked
    let seconds = millis.max(0).saturating_add(500) / 1000;
    let (large, small) = match seconds {
        0..60 => return format!("{seconds}s"),
        60..3600 => ((seconds / 60, "m"), (seconds % 60, "s")),
        3600..86_400 => ((seconds / 3600, "h"), (seconds % 3600 / 60, "m")),
        _ => ((seconds / 86_400, "d"), (seconds % 86_400 / 3600, "h")),
    };
    if small.0 == 0 {
        format!("{}{}", large.0, large.1)
    } else {
        format!("{}{} {}{}", large.0, large.1, small.0, small.1)
    }
}

/// The time that words mean at a moment, in milliseconds since 1970; none when they mean none.
pub(super) fn when(words: &str, now: i64, zone: &TimeZone) -> Option<Result<i64, Error>> {
    let now = Timestamp::from_millisecond(now).ok()?.to_zoned(zone.clone());
    let words = words.trim().to_ascii_lowercase();
    let meant = if let Some(length) = words.strip_prefix("in ") {
        span(length).and_then(|length| now.checked_add(length).ok())
    } else {
        span(&words).and_then(|length| now.checked_add(length).ok()).or_else(|| moment(&words, &now))
    }?;
    Some(ahead(&meant, &now))
}

/// Refuses what has passed and what nobody waits for.
fn ahead(meant: &Zoned, now: &Zoned) -> Result<i64, Error> {
    let length = meant.timestamp().duration_since(now.timestamp());
    if length <= SignedDuration::ZERO {
        return Err(
            Error::failed(format!("{} has passed", meant.strftime("%Y-%m-%d %H:%M"))).help("name a time to come")
        );
    }
    if length > FURTHEST {
        return Err(Error::failed("that is more than two years from now").help("name a time that is nearer"));
    }
    Ok(meant.timestamp().as_millisecond())
}

/// `10m`, `2h30m`, `1 day`, `2 hours 30 minutes`, `90 s`.
fn span(text: &str) -> Option<jiff::Span> {
    let mut span = jiff::Span::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        span = match &rest[..letters] {
            "s" | "sec" | "secs" | "second" | "seconds" => span.try_seconds(span.get_seconds().checked_add(number)?),
            "m" | "min" | "mins" | "minute" | "minutes" => span.try_minutes(span.get_minutes().checked_add(number)?),
            "h" | "hour" | "hours" => span.try_hours(i64::from(span.get_hours()).checked_add(number)?),
            "d" | "day" | "days" => span.try_days(i64::from(span.get_days()).checked_add(number)?),
            "w" | "week" | "weeks" => span.try_weeks(i64::from(span.get_weeks()).checked_add(number)?),
            _ => return None,
        }
        .ok()?;
        rest = rest[letters..].trim_start();
    }
    Some(span)
}

/// A day, an hour, or both: `at 15:00`, `tomorrow`, `tomorrow at 9:00`, `fri 17:30`, `2026-11-21 9:00`, or all of RFC 3339.
fn moment(text: &str, now: &Zoned) -> Option<Zoned> {
    if let Ok(at) = text.to_ascii_uppercase().parse::<Timestamp>() {
        return Some(at.to_zoned(now.time_zone().clone()));
    }
    let words: Vec<&str> = text.split_ascii_whitespace().filter(|word| *word != "at" && *word != "on").collect();
    let (day, time) = match words.as_slice() {
        [one] => match (self::day(one, now), self::time(one)) {
            (Some(day), _) => (Some(day), None),
            (None, time) => (None, Some(time?)),
        },
        [one, two] => match (self::day(one, now), self::day(two, now)) {
            (Some(day), _) => (Some(day), Some(time(two)?)),
            (None, Some(day)) => (Some(day), Some(time(one)?)),
            (None, None) => return None,
        },
        _ => return None,
    };
    let zone = now.time_zone();
    let at = |date: Date| date.to_datetime(time.unwrap_or(MORNING)).to_zoned(zone.clone()).ok();
    match day {
        Some(Day::Date(date)) => at(date),
        // the weekday of today is today while its hour is to come
        Some(Day::Weekday(weekday)) => {
            let today = at(now.date()).filter(|at| now.weekday() == weekday && at > now);
            today.or_else(|| at(now.date().nth_weekday(1, weekday).ok()?))
        }
        None => at(now.date()).filter(|at| at > now).or_else(|| at(now.date().checked_add(1.day()).ok()?)),
    }
}

enum Day {
    Date(Date),
    Weekday(Weekday),
}

fn day(word: &str, now: &Zoned) -> Option<Day> {
    let weekday = match word {
        "today" => return Some(Day::Date(now.date())),
        "tomorrow" => return Some(Day::Date(now.date().checked_add(1.day()).ok()?)),
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ if word.len() == 10 => return word.parse().ok().map(Day::Date),
        _ => return None,
    };
    Some(Day::Weekday(weekday))
}

/// `9:00`, `15:30`, `9am`, `9:30pm`, `noon`, `midnight`.
fn time(word: &str) -> Option<Time> {
    match word {
        "noon" => return Time::new(12, 0, 0, 0).ok(),
        "midnight" => return Time::new(0, 0, 0, 0).ok(),
        _ => {}
    }
    let half = word.strip_suffix("am").map(|rest| (rest, 0)).or_else(|| word.strip_suffix("pm").map(|rest| (rest, 12)));
    let (digits, half) = half.map_or((word, None), |(rest, hours)| (rest, Some(hours)));
    let (hour, minute) = match (digits.split_once(':'), half) {
        (Some((hour, minute)), _) if minute.len() == 2 => (hour, minute),
        (None, Some(_)) => (digits, "0"),
        _ => return None,
    };
    if hour.len() > 2 || !hour.bytes().chain(minute.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(hours) => hour % 12 + hours,
        None => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
    use super::*;

    /// A Friday, 13:20 in Zurich.
    const NOW: &str = "2026-11-20T12:20:00Z";

    fn meant(words: &str) -> Option<String> {
        let zone = zone("Europe/Zurich").unwrap();
        let now: Timestamp = NOW.parse().unwrap();
        let at = when(words, now.as_millisecond(), &zone)?;
        Some(match at {
            Ok(at) => {
                let at = Timestamp::from_millisecond(at).unwrap().to_zoned(zone);
                at.strftime("%Y-%m-%d %H:%M:%S").to_string()
            }
            Err(error) => error.message().to_owned(),
        })
    }

    #[test]
    fn words_mean_a_time() {
        for (words, at) in [
            ("in 10m", "2026-11-20 13:30:00"),
            ("10m", "2026-11-20 13:30:00"),
            ("in 2h30m", "2026-11-20 15:50:00"),
            ("in 2 hours 30 minutes", "2026-11-20 15:50:00"),
            ("in 90 seconds", "2026-11-20 13:21:30"),
            ("in 1 day", "2026-11-21 13:20:00"),
            ("in 2 weeks", "2026-12-04 13:20:00"),
            ("at 15:00", "2026-11-20 15:00:00"),
            ("15:00", "2026-11-20 15:00:00"),
            ("9:00", "2026-11-21 09:00:00"),
            ("3pm", "2026-11-20 15:00:00"),
            ("at 12am", "2026-11-21 00:00:00"),
            ("noon", "2026-11-21 12:00:00"),
            ("tomorrow", "2026-11-21 09:00:00"),
            ("tomorrow 9:00", "2026-11-21 09:00:00"),
            ("Tomorrow at 9:30pm", "2026-11-21 21:30:00"),
            ("9:00 tomorrow", "2026-11-21 09:00:00"),
            ("today 18:00", "2026-11-20 18:00:00"),
            ("friday 14:00", "2026-11-20 14:00:00"),
            ("friday", "2026-11-27 09:00:00"),
            ("on mon at 9:00", "2026-11-23 09:00:00"),
            ("2027-03-28", "2027-03-28 09:00:00"),
            ("2026-12-24 18:00", "2026-12-24 18:00:00"),
            ("2026-11-20T13:00:00Z", "2026-11-20 14:00:00"),
            ("today 9:00", "2026-11-20 09:00 has passed"),
            ("2025-01-01", "2025-01-01 09:00 has passed"),
            ("in 0m", "2026-11-20 13:20 has passed"),
            ("2036-01-01", "that is more than two years from now"),
        ] {
            assert_eq!(meant(words).as_deref(), Some(at), "{words}");
        }
    }

    #[test]
    fn other_words_mean_none() {
        for words in [
            "",
            "in",
            "at",
            "soon",
            "10",
            "in 10",
            "m",
            "25:00",
            "13pm",
            "0am",
            "9:5",
            "9:60",
            "tomorrow 9",
            "at 9",
            "tomorrow monday",
            "in -5m",
            "10m tea",
            "2026-13-01",
            "2026-02-30",
            "in 99999999999999999999m",
            "9:00 10:00",
        ] {
            assert_eq!(meant(words), None, "{words}");
        }
    }

    #[test]
    fn an_hour_that_the_zone_leaves_out_comes_after() {
        let zone = zone("Europe/Zurich").unwrap();
        let now: Timestamp = "2027-03-27T12:00:00Z".parse().unwrap();
        let at = when("tomorrow 2:30", now.as_millisecond(), &zone).unwrap().unwrap();
        assert_eq!(Timestamp::from_millisecond(at).unwrap().to_string(), "2027-03-28T01:30:00Z");
    }

    #[test]
    fn a_length_is_said_short() {
        for (millis, said) in [
            (0, "0s"),
            (-5, "0s"),
            (39_700, "40s"),
            (600_000, "10m"),
            (90_000, "1m 30s"),
            (9_000_000, "2h 30m"),
            (86_400_000, "1d"),
            (266_400_000, "3d 2h"),
        ] {
            assert_eq!(length(millis), said);
        }
    }

    #[test]
    fn a_time_is_shown_short() {
        let zone = zone("Europe/Zurich").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        for (text, seen) in [
            ("2026-11-20T14:00:00Z", "15:00"),
            ("2026-11-23T08:00:00Z", "Mon 23 Nov 09:00"),
            ("2027-01-04T08:00:00Z", "2027-01-04 09:00"),
        ] {
            assert_eq!(shown(at(text), at(NOW), &zone), seen);
        }
    }
}
