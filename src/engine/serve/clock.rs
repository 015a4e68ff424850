//! Times as people write them, in the zone of whoever asks.

use jiff::tz::TimeZone;
use pipit_commands::Error;

/// A zone by its name in the world's table: `Europe/Zurich`, `UTC`.
pub(super) fn zone(name: &str) -> Result<TimeZone, Error> {
    TimeZone::get(name).map_err(|_| {
        Error::failed(format!("there is no time zone {name:?}"))
            .help("write its name as in Europe/Zurich, America/New_York or UTC")
    })
}
