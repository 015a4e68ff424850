//! Windows of time: how they are read and printed, and when they are open.
#![allow(clippy::unwrap_used, reason = "a test")]

use pipit_grammar::rule::Window;

#[test]
fn windows_are_printed_as_they_are_read() {
    for (typed, canonical) in [
        ("mon-fri 09:00-17:00 Europe/Zurich", "mon-fri 09:00-17:00 Europe/Zurich"),
        ("  9:00-17:30   UTC ", "09:00-17:30 UTC"),
        ("mon-sun 00:00-24:00 UTC", "00:00-24:00 UTC"),
        ("sun,sat 22:00-06:00 America/Argentina/Buenos_Aires", "sat-sun 22:00-06:00 America/Argentina/Buenos_Aires"),
        ("fri-mon 8:05-9:10 Etc/GMT+5", "mon,fri-sun 08:05-09:10 Etc/GMT+5"),
        ("wed,mon,mon 8:00-9:00 UTC", "mon,wed 08:00-09:00 UTC"),
    ] {
        let window = Window::parse(typed).unwrap();
        assert_eq!(window.to_string(), canonical);
        assert_eq!(Window::parse(canonical).unwrap(), window);
    }
    for wrong in [
        "",
        "09:00-17:00",
        "mon-fri 09:00-17:00",
        "monday 09:00-17:00 UTC",
        "mon- 09:00-17:00 UTC",
        "mon,,tue 09:00-17:00 UTC",
        "09:00 UTC",
        "09:00-09:00 UTC",
        "24:00-06:00 UTC",
        "22:00-00:00 UTC",
        "22:00-24:01 UTC",
        "9-17 UTC",
        "09:60-10:00 UTC",
        "009:00-10:00 UTC",
        "9:0-10:00 UTC",
        "+9:00-10:00 UTC",
        "09:00-17:00 Europe/",
        "09:00-17:00 ../etc",
        "09:00-17:00 5",
        "mon 09:00-17:00 UTC x",
    ] {
        assert!(Window::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn windows_open_and_close() {
    let open = |text: &str, weekday: u8, hour: u16, minute: u16| {
        Window::parse(text).unwrap().is_open(weekday, hour * 60 + minute)
    };
    let office = "mon-fri 09:00-17:00 UTC";
    for (weekday, hour, minute, wanted) in
        [(0, 8, 59, false), (0, 9, 0, true), (4, 16, 59, true), (4, 17, 0, false), (5, 12, 0, false), (6, 12, 0, false)]
    {
        assert_eq!(open(office, weekday, hour, minute), wanted, "{weekday} {hour}:{minute}");
    }
    let night = "fri,sun 22:00-06:00 UTC";
    for (weekday, hour, wanted) in [
        (4, 21, false),
        (4, 22, true),
        (5, 5, true),
        (5, 6, false),
        (5, 22, false),
        (6, 23, true),
        (0, 0, true),
        (0, 6, false),
        (6, 3, false),
    ] {
        assert_eq!(open(night, weekday, hour, 0), wanted, "{weekday} {hour}");
    }
    assert!(open("00:00-24:00 UTC", 6, 23, 59) && open("00:00-24:00 UTC", 0, 0, 0));
}
