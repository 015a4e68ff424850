//! A timeline written down, as Markdown or as a page that needs nothing else. Deliberately absent: what happened; every
//! text comes from somebody else and is shown as text, whatever is in it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{About, Asked, Moment};
use crate::render::plain;

/// A silence that is so long is told, in milliseconds.
const GAP: i64 = 5 * 60 * 1000;

/// The two ways.
pub(super) struct Page;

impl Page {
    /// For a wiki or a repository.
    pub(super) fn markdown(about: &About, moments: &[Moment]) -> String {
        let mut page = format!("# {}\n\n{}\n", markdown_text(&title(about)), markdown_text(&summary(about, moments)));
        let mut days = Days::default();
        for moment in moments {
            let at = Clock::of(about, moment.at());
            if let Some(day) = days.next(&at) {
                page.push_str(&format!("\n## {day}\n\n"));
            }
            if let Some(gap) = days.gap(moment.at()) {
                page.push_str(&format!("- *{gap}*\n"));
            }
            match moment {
                Moment::Line(asked) => markdown_line(about, asked, &at, &mut page),
                Moment::Said(said) => page.push_str(&format!(
                    "- {} {}{}: “{}”\n",
                    at.time,
                    markdown_text(&said.who),
                    markdown_text(&place(about, &said.room)),
                    markdown_text(&said.text)
                )),
            }
        }
        page.trim_end().to_owned()
    }

    /// For a browser: one file, no script, nothing from elsewhere.
    pub(super) fn html(about: &About, moments: &[Moment]) -> String {
        let mut rows = String::new();
        let mut days = Days::default();
        for moment in moments {
            let at = Clock::of(about, moment.at());
            if let Some(day) = days.next(&at) {
                rows.push_str(&format!("<tr class=day><th colspan=4>{day}</th></tr>\n"));
            }
            if let Some(gap) = days.gap(moment.at()) {
                rows.push_str(&format!("<tr class=gap><td></td><td colspan=3>{gap}</td></tr>\n"));
            }
            match moment {
                Moment::Line(asked) => html_line(about, asked, &at, &mut rows),
                Moment::Said(said) => rows.push_str(&format!(
                    "<tr class=said><td><time>{}</time></td><td>{}{}</td><td colspan=2>{}</td></tr>\n",
                    at.time,
                    html_text(&said.who),
                    html_text(&place(about, &said.room)),
                    html_text(&said.text)
                )),
            }
        }
        let (title, summary) = (html_text(&title(about)), html_text(&summary(about, moments)));
        format!(
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\
             <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>{STYLE}</style></head>\n\
             <body><h1>{title}</h1>\n<p>{summary}</p>\n<table>\n{rows}</table></body></html>"
        )
    }
}

fn markdown_line(about: &About, asked: &Asked, at: &Clock, page: &mut String) {
    page.push_str(&format!(
        "- **{}** {}{}: {} → **{}** {} `{}`\n",
        at.time,
        markdown_text(&asked.who),
        markdown_text(&place(about, &asked.room)),
        markdown_code(&asked.text),
        markdown_text(&asked.ended),
        markdown_text(&asked.rest),
        asked.id
    ));
    for (at, what) in &asked.within {
        page.push_str(&format!("  - {} {}\n", Clock::of(about, *at).time, markdown_text(what)));
    }
}

fn html_line(about: &About, asked: &Asked, at: &Clock, rows: &mut String) {
    let mut inner = String::new();
    for (at, what) in &asked.within {
        inner.push_str(&format!("<li><time>{}</time> {}</li>", Clock::of(about, *at).time, html_text(what)));
    }
    if !inner.is_empty() {
        inner = format!("<ul>{inner}</ul>");
    }
    let ended = html_text(&asked.ended);
    rows.push_str(&format!(
        "<tr class=\"line {ended}\"><td><time>{}</time></td><td>{}{}</td><td><code>{}</code>{inner}</td>\
         <td><b>{ended}</b> {}<br><small>{}</small></td></tr>\n",
        at.time,
        html_text(&asked.who),
        html_text(&place(about, &asked.room)),
        html_text(&asked.text),
        html_text(&asked.rest),
        asked.id
    ));
}

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;\
color:#1c2024;background:#fff}h1{font-size:1.4rem}table{border-collapse:collapse;width:100%}\
td{padding:.35rem .6rem;vertical-align:top;border-top:1px solid #e3e6ea;overflow-wrap:anywhere}\
td:first-child,time{white-space:nowrap;font-variant-numeric:tabular-nums;color:#5b6570}\
tr.day th{text-align:left;padding:1.2rem .6rem .4rem;font-size:1.05rem}tr.gap td{color:#8a939c;font-style:italic}\
tr.said td{border-top-color:transparent}tr.said td:nth-child(3){white-space:pre-wrap}tr.line td{background:#fafbfc}\
code{font:13px/1.5 ui-monospace,monospace;background:#f3f4f6;padding:.1rem .3rem;border-radius:3px;white-space:pre-wrap}\
ul{margin:.3rem 0 0;padding-left:1.1rem;font-size:.93em}small{color:#8a939c}tr.line td:nth-child(4){width:24%}\
.ok b{color:#137a3f}.failed b,.unknown b{color:#b3261e}.denied b,.refused b,.parked b{color:#a15c00}\
tr.unknown td{background:#fdf2f1}@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#15181b}\
td{border-color:#2b3036}code{background:#23282d}.ok b{color:#58c484}.failed b,.unknown b{color:#ff8a80}\
.denied b,.refused b,.parked b{color:#ffb95c}tr.line td{background:#1a1e22}tr.unknown td{background:#2c1a19}}";

fn title(about: &About) -> String {
    let (since, until) = (Clock::of(about, about.since), Clock::of(about, about.until));
    let until = if since.day == until.day { until.time } else { format!("{} {}", until.day, until.time) };
    let room = about.room.as_ref().map(|room| format!(" in #{room}")).unwrap_or_default();
    let user = about.user.as_ref().map(|user| format!(" by {user}")).unwrap_or_default();
    format!("What happened{room}{user}, {} {} to {until} ({})", since.day, since.time, about.zone_name)
}

/// `12 lines and 30 messages by 3 people: 9 ok, 2 denied, 1 unknown`.
fn summary(about: &About, moments: &[Moment]) -> String {
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    let mut people = std::collections::BTreeSet::new();
    let (mut lines, mut messages) = (0, 0);
    for moment in moments {
        match moment {
            Moment::Line(asked) => {
                lines += 1;
                *ends.entry(&asked.ended).or_default() += 1;
            }
            Moment::Said(_) => messages += 1,
        }
        // the bot is nobody
        people.extend(Some(moment.who()).filter(|who| *who != "pipit"));
    }
    let many = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let said = if messages == 0 { String::new() } else { format!(" and {}", many(messages, "message", "messages")) };
    let people = many(people.len(), "person", "people");
    let mut said = format!("{}{said} by {people}", many(lines, "line", "lines"));
    if !ends.is_empty() {
        let ends: Vec<String> = ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
        said.push_str(&format!(": {}", ends.join(", ")));
    }
    if about.cut {
        said.push_str("; there were more, from which a shorter time shows the rest");
    }
    said + "."
}

/// Where it was, when the page is not about one room.
fn place(about: &About, room: &str) -> String {
    match (&about.room, room) {
        (Some(_), _) => String::new(),
        (None, "") => " (direct)".to_owned(),
        (None, room) => format!(" in #{room}"),
    }
}

/// A time as the zone shows it.
struct Clock {
    day: String,
    time: String,
}

impl Clock {
    fn of(about: &About, at: i64) -> Self {
        match Timestamp::from_millisecond(at) {
            Ok(at) => {
                let at = at.to_zoned(about.zone.clone());
                Self { day: at.strftime("%Y-%m-%d").to_string(), time: at.strftime("%H:%M:%S").to_string() }
            }
            Err(_) => Self { day: String::new(), time: at.to_string() },
        }
    }
}

/// Which day was last, and when something happened last.
#[derive(Default)]
struct Days {
    day: String,
    last: Option<i64>,
}

impl Days {
    /// The day, when it is another than before.
    fn next(&mut self, at: &Clock) -> Option<String> {
        (self.day != at.day).then(|| {
            self.day.clone_from(&at.day);
            at.day.clone()
        })
    }

    /// How long nothing happened, when that was long.
    fn gap(&mut self, at: i64) -> Option<String> {
        let gap = self.last.replace(at).map_or(0, |last| at - last);
        let minutes = gap / 60_000;
        match minutes {
            _ if gap < GAP => None,
            0..120 => Some(format!("{minutes} min of silence")),
            _ => Some(format!("{} h {} min of silence", minutes / 60, minutes % 60)),
        }
    }
}

/// Nothing in it is markup, and it stays on one line.
fn markdown_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '\n' | '\t' => shown.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '@' => shown.extend(['\\', c]),
            '&' => shown.push_str("&amp;"),
            c => shown.push(c),
        }
    }
    shown
}

/// In more backticks than stand next to each other in it.
fn markdown_code(text: &str) -> String {
    let text = plain(text).replace(['\n', '\t'], " ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn html_text(text: &str) -> String {
    let text = plain(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::{html_text, markdown_code, markdown_text};

    #[test]
    fn texts_of_others_are_no_markup() {
        assert_eq!(markdown_text("a *b* [c](d)\n# <e>&f|g @all"), "a \\*b\\* \\[c\\](d) \\# \\<e\\>&amp;f\\|g \\@all");
        assert_eq!(markdown_code("list a | sort"), "`list a | sort`");
        assert_eq!(markdown_code("`a` ``b``"), "``` `a` ``b`` ```");
        assert_eq!(markdown_code(""), "`  `");
        assert_eq!(html_text("<b title='x'>\"&\u{1b}[0m"), "&lt;b title=&#39;x&#39;&gt;&quot;&amp;\u{fffd}[0m");
    }
}
