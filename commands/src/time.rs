//! Times: read as people and programs write them, said again for another zone or in another form, and how long since.
//! Times are RFC 3339 texts, so that they sort and compare as they stand. Deliberately absent: a clock, which is the
//! host's, and words like `tomorrow`.

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use crate::command::{Call, Command};
use crate::error::shown;
use crate::family::{Row, family, row};
use crate::stream::Batch;
use crate::{Error, Kind, Value};

pub(crate) fn families() -> Vec<Command> {
    family(
        "value",
        [
            row("now [--zone=ZONE] [--format=FORMAT]")
                .about("The time in UTC or in a zone, as a text that sorts by time, or in a form with %Y and the like")
                .shows("now", "2030-01-31T12:00:00.000Z")
                .shows("now --zone=Europe/Zurich --format='%a %H:%M'", "Thu 13:00")
                .zoned()
                .each(now),
            row("time WHEN [--zone=ZONE] [--format=FORMAT] [--add=SPAN]")
                .about(
                    "A time in UTC, or in the zone, or in another form: dates, RFC 3339, RFC 2822 or a number of seconds \
                     since 1970 are read; what names no zone is in the one that is asked for",
                )
                .example("time 2030-01-31T12:00Z --zone=Asia/Tokyo", r#""2030-01-31T21:00:00+09:00""#)
                .example("time 1900000000 --format='%Y-%m-%d'", r#""2030-03-17""#)
                .example("echo 2030-01-31 | time --add='1mo 2h'", r#""2030-02-28T02:00:00Z""#)
                .kind("WHEN", Kind::Check(|text| moment(text, None).map(drop)))
                .kind("SPAN", Kind::Check(|text| span(text).map(drop)))
                .fills("WHEN")
                .zoned()
                .each(time),
            row("since WHEN [--until=TIME]")
                .about("The seconds since a time, or from it until another")
                .example("since 2030-01-31 --until=2030-02-01", "86400")
                .example(r#"seed '{"a":"2030-01-31T12:00:00Z"}' | since $a --until=2030-01-31T12:00:01.5Z"#, "1.5")
                .kind("WHEN", Kind::Check(|text| moment(text, None).map(drop)))
                .kind("TIME", Kind::Check(|text| moment(text, None).map(drop)))
                .fills("WHEN")
                .each(since),
        ],
    )
}

impl Row {
    fn zoned(self) -> Self {
        self.kind("ZONE", Kind::Check(|text| zone(text).map(drop))).kind(
            "FORMAT",
            Kind::Check(|text| formatted(&Zoned::new(Timestamp::UNIX_EPOCH, TimeZone::UTC), text).map(drop)),
        )
    }
}

/// The point in time that somebody names, in Unix milliseconds: a span (`2h`, `1d 12h`) is so long before `now`; else a time
/// as `time` reads it, in UTC or in the zone behind it, `2030-01-31 12:00 Europe/Zurich`. The error says what was wrong.
pub fn point(text: &str, now: i64) -> Result<i64, String> {
    let text = text.trim();
    let back = |seconds: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "a span is bounded to years")]
        let milliseconds = (seconds * 1000.0) as i64;
        now.saturating_sub(milliseconds)
    };
    if let Some(seconds) = crate::kind::seconds(text) {
        return Ok(back(seconds));
    }
    if let Some(span) = text.parse::<Span>().ok().filter(|_| text.starts_with(|c: char| c.is_ascii_digit())) {
        let from = Timestamp::from_millisecond(now).map(|now| now.to_zoned(TimeZone::UTC));
        let then = from.and_then(|from| from.checked_sub(span)).map_err(|error| format!("{}: {error}", shown(text)))?;
        return Ok(then.timestamp().as_millisecond());
    }
    let (time, zoned) = match text.rsplit_once(' ') {
        // with its zone behind it, when it is not whole as it stands
        Some((time, name)) if moment(text, None).is_err() && name.contains(|c: char| c.is_ascii_alphabetic()) => {
            (time, Some(zone(name)?))
        }
        Some(_) | None => (text, None),
    };
    moment(time, zoned.as_ref()).map(Timestamp::as_millisecond)
}

/// The zone of a name (`Europe/Zurich`), or of an offset (`+02:00`).
pub fn zone(text: &str) -> Result<TimeZone, String> {
    DateTimeParser::new().parse_time_zone(text).map_err(|_| {
        format!("{} is no time zone; write a place like Europe/Zurich, or an offset like +02:00", shown(text))
    })
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|_| format!("{} is no span of time; write 2h, -3d, '1mo 2d 30m'", shown(text)))
}

/// A time in a form of its own; `%Y` and the like as everywhere.
fn formatted(time: &Zoned, format: &str) -> Result<String, String> {
    strtime::format(format, time).map_err(|error| {
        let why = error.to_string();
        let why = why.trim_start_matches("strftime formatting failed: ").trim_start_matches("invalid format string, ");
        format!("{} is no form for times: {why}", shown(format))
    })
}

/// What an option says, which was looked at when it was bound.
fn option<T>(call: &Call, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Error> {
    call.text(name).map(|text| read(&text).map_err(Error::failed)).transpose()
}

fn clock(call: &Call) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(call.host().now())
        .map_err(|error| Error::failed(format!("the clock is out of range: {error}")))
}

fn now(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let zone = option(call, "zone", zone)?;
    let time = clock(call)?;
    out.push(match (call.text("format"), zone) {
        (None, None) => Value::from(format!("{time:.3}")),
        (None, Some(zone)) => Value::from(format!("{:.3}", time.display_with_offset(zone.to_offset(time)))),
        (Some(format), zone) => {
            let time = time.to_zoned(zone.unwrap_or(TimeZone::UTC));
            Value::from(formatted(&time, &format).map_err(Error::failed)?)
        }
    });
    Ok(())
}

fn time(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let zone = option(call, "zone", zone)?;
    let Some(when) = option(call, "WHEN", |text| moment(text, zone.as_ref()))? else { return Ok(()) };
    let mut time = when.to_zoned(zone.clone().unwrap_or(TimeZone::UTC));
    if let Some(span) = option(call, "add", span)? {
        time = time.checked_add(span).map_err(|error| Error::failed(format!("this is no time any more: {error}")))?;
    }
    out.push(match (call.text("format"), zone) {
        (Some(format), _) => Value::from(formatted(&time, &format).map_err(Error::failed)?),
        (None, None) => Value::from(time.timestamp().to_string()),
        (None, Some(_)) => Value::from(time.timestamp().display_with_offset(time.offset()).to_string()),
    });
    Ok(())
}

fn since(call: &Call, _: Option<&Value>, out: &mut Batch) -> Result<(), Error> {
    let read = |text: &str| moment(text, None);
    let Some(from) = option(call, "WHEN", read)? else { return Ok(()) };
    let until = option(call, "until", read)?.map_or_else(|| clock(call), Ok)?;
    let passed = until.duration_since(from);
    out.push(if passed.subsec_nanos() == 0 { passed.as_secs().into() } else { passed.as_secs_f64().into() });
    Ok(())
}

/// Reads a time; one that names no zone is in this one, or in UTC.
fn moment(text: &str, zone: Option<&TimeZone>) -> Result<Timestamp, String> {
    /// More seconds than any year of four digits has; such a number counts milliseconds.
    const SECONDS: u64 = 100_000_000_000;
    let text = text.trim();
    let read = match Value::number_of(text) {
        Some(Value::Int(number)) if number.unsigned_abs() < SECONDS => Timestamp::from_second(number).ok(),
        Some(Value::Int(number)) => Timestamp::from_millisecond(number).ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float beyond the range becomes its end, which is refused"
        )]
        Some(Value::Float(number)) => Timestamp::from_millisecond((number * 1000.0).round() as i64).ok(),
        Some(Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Record(_)) | None => {
            let civil = |time: DateTime| time.to_zoned(zone.cloned().unwrap_or(TimeZone::UTC)).ok();
            let read = text.parse::<Timestamp>().ok();
            let read = read.or_else(|| text.parse().ok().and_then(civil).map(|time| time.timestamp()));
            read.or_else(|| rfc2822::parse(text).ok().map(|time| time.timestamp()))
        }
    };
    read.ok_or_else(|| {
        let text = shown(text);
        format!("{text} is no time; write 2030-01-31, 2030-01-31T12:00, 2030-01-31T12:00+01:00, or seconds since 1970")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::{moment, point};

    #[test]
    fn points_in_time() {
        let now = moment("2030-01-31T12:00:00Z", None).unwrap().as_millisecond();
        for (said, meant) in [
            ("2h", "2030-01-31T10:00:00Z"),
            ("90", "2030-01-31T11:58:30Z"),
            ("1d", "2030-01-30T12:00:00Z"),
            ("1w 2h", "2030-01-24T10:00:00Z"),
            ("1mo", "2029-12-31T12:00:00Z"),
            ("2030-01-30", "2030-01-30T00:00:00Z"),
            ("2030-01-30 09:30", "2030-01-30T09:30:00Z"),
            ("2030-01-30T09:30:00+02:00", "2030-01-30T07:30:00Z"),
            ("2030-01-30 09:30 Europe/Zurich", "2030-01-30T08:30:00Z"),
            ("2030-07-30T09:30 Europe/Zurich", "2030-07-30T07:30:00Z"),
            ("2030-01-30 09:30 UTC", "2030-01-30T09:30:00Z"),
            ("Wed, 30 Jan 2030 09:30:00 GMT", "2030-01-30T09:30:00Z"),
            ("1900000000", "2030-03-17T17:46:40Z"),
        ] {
            let meant = moment(meant, None).unwrap().as_millisecond();
            assert_eq!(point(said, now), Ok(meant), "{said}");
        }
        for wrong in ["", "yesterday", "-2h", "2030-13-01", "2030-01-30 09:30 Europe/Nowhere", "12 parsecs"] {
            assert!(point(wrong, now).is_err(), "{wrong}");
        }
    }
}
