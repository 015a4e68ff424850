//! Windows of time, as a rule writes them: `mon-fri 09:00-17:00 Europe/Zurich`.
//!
//! Deliberately absent: the clock, and what a zone's clocks show, which whoever decides knows.

use std::fmt::{self, Display, Formatter};

use ecow::EcoString;

/// A day has so many minutes, by a clock that nobody sets.
const DAY: u16 = 24 * 60;

/// The days as they are written, the first of the week first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Some hours of some days of the week, by the clocks of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// One bit a day, Monday the lowest; never none.
    days: u8,
    /// The first minute of the day that is in it.
    from: u16,
    /// The first that is not; before `from` it is of the next day.
    until: u16,
    zone: EcoString,
}

impl Window {
    /// Reads a window: days, which may be left out, from when until when, and the zone. The error says what is expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (days, hours, zone) = match words.as_slice() {
            [hours, zone] => ("mon-sun", *hours, *zone),
            [days, hours, zone] => (*days, *hours, *zone),
            _ => return Err("days, hours and a zone are expected: 'mon-fri 09:00-17:00 Europe/Zurich'"),
        };
        let days = days_of(days).ok_or("days are mon tue wed thu fri sat sun, as mon-fri or sat,sun")?;
        let hours = hours.split_once('-').and_then(|(from, until)| Some((minute(from)?, minute(until)?)));
        let (from, until) = hours
            .filter(|(from, until)| from != until && *from < DAY && *until > 0)
            .ok_or("hours are from when until when, on one day or over midnight: 09:00-17:00, 22:00-06:00")?;
        if !is_zone(zone) {
            return Err("a zone is UTC or a name such as Europe/Zurich");
        }
        Ok(Self { days, from, until, zone: zone.into() })
    }

    /// The name of the zone whose clocks count.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// Whether it is open on a day of the week, 0 for Monday, at a minute of that day.
    pub fn is_open(&self, weekday: u8, minute: u16) -> bool {
        let on = |day: u8| self.days & 1 << (day % 7) != 0;
        if self.from < self.until {
            return on(weekday) && (self.from..self.until).contains(&minute);
        }
        // what began yesterday goes on
        (on(weekday) && minute >= self.from) || (on(weekday + 6) && minute < self.until)
    }
}

/// The clause's text between its quotes. All days are left out.
impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut before = "";
        let mut at = 0;
        while self.days != 0x7f && at < DAYS.len() {
            let run = (at..DAYS.len()).take_while(|day| self.days & 1 << day != 0).count();
            if let (Some(first), true) = (DAYS.get(at), run > 0) {
                write!(f, "{before}{first}")?;
                if let (Some(last), true) = (DAYS.get(at + run - 1), run > 1) {
                    write!(f, "-{last}")?;
                }
                before = ",";
            }
            at += run.max(1);
        }
        let blank = if before.is_empty() { "" } else { " " };
        let ([from, until], zone) = ([self.from, self.until].map(|minute| (minute / 60, minute % 60)), &self.zone);
        write!(f, "{blank}{:02}:{:02}-{:02}:{:02} {zone}", from.0, from.1, until.0, until.1)
    }
}

/// `mon-fri`, `sat,sun`, `fri-mon`.
fn days_of(text: &str) -> Option<u8> {
    let day = |name: &str| DAYS.iter().position(|day| *day == name);
    text.split(',').try_fold(0, |days, item| {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (first, last) = (day(first)?, day(last)?);
        let count = (last + DAYS.len() - first) % DAYS.len();
        Some((first..=first + count).fold(days, |days, day| days | 1 << (day % DAYS.len())))
    })
}

/// `9:00`, `09:00`, `24:00` in minutes.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |text: &str, least: usize| {
        let good = (least..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| text.parse::<u16>().ok()).flatten()
    };
    let minute = digits(hours, 1)? * 60 + digits(minutes, 2).filter(|minutes| *minutes < 60)?;
    (minute <= DAY).then_some(minute)
}

/// How the names of zones are spelled.
fn is_zone(text: &str) -> bool {
    text.split('/').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))
    })
}
