//! The bars, the axis above them, and what can be done with both.

use super::super::cells::{Bar, Why, bars};
use super::super::kind::Kind;
use super::super::model::{Row, Standing, Timeline};
use super::super::words;
use super::clocks::Clocks;
use super::escape::escaped;
use crate::cli::ago;
use crate::domain::schedule::clock::{ClockTime, Step, round_times};
use crate::domain::time::Timestamp;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a screen may show at once, beside everything.
const ZOOMS: [(&str, i64); 10] = [
    ("13 weeks", 91 * DAY),
    ("4 weeks", 28 * DAY),
    ("1 week", 7 * DAY),
    ("1 day", DAY),
    ("12 h", 12 * HOUR),
    ("6 h", 6 * HOUR),
    ("3 h", 3 * HOUR),
    ("1 h", HOUR),
    ("15 min", 15 * MINUTE),
    ("5 min", 5 * MINUTE),
];

/// How many of them a page offers.
const OFFERED: usize = 3;

/// The most marks on one screen: each has a label.
const MARKS: i64 = 14;

/// By how much a start has to differ from when it was due so that both are told, in milliseconds.
const NOTICED_MS: i64 = 1000;

/// Less than so much of the page is slim, in percent: a few pixels, in which there is no room for an outline.
const SLIM: f64 = 0.6;

/// The zooms that are offered for a span, the widest first.
fn zooms(length_ms: i64) -> impl Iterator<Item = (&'static str, i64)> {
    ZOOMS.into_iter().filter(move |(_, shown_ms)| *shown_ms < length_ms).take(OFFERED)
}

/// How many screens the span takes at the deepest zoom.
pub(super) fn deepest_zoom(length_ms: i64) -> i64 {
    zooms(length_ms).last().map_or(1, |(_, shown_ms)| length_ms / shown_ms)
}

/// Where times are on the page.
pub(super) struct Sheet<'a> {
    timeline: &'a Timeline,
    length_ms: i64,
    apart_ms: i64,
}

impl<'a> Sheet<'a> {
    pub(super) fn of(timeline: &'a Timeline, apart_ms: i64) -> Sheet<'a> {
        Sheet { timeline, length_ms: timeline.to.since_ms(timeline.from).max(1), apart_ms }
    }

    /// The filter, the zoom and the legend.
    pub(super) fn tools(&self) -> String {
        let mut text = String::from(
            "<div class=\"tools\">\n<label class=\"filter\"><span>Filter</span><input id=\"filter\" type=\"search\" \
             placeholder=\"a title, or a word such as failed\" autocomplete=\"off\"></label>\n\
             <div class=\"zoom\" role=\"group\" aria-label=\"Zoom\">\
             <button type=\"button\" data-zoom=\"1\" aria-pressed=\"true\">All</button>",
        );
        for (name, shown_ms) in zooms(self.length_ms) {
            let zoom = decimal(self.length_ms as f64 / shown_ms as f64);
            text.push_str(&format!(
                "<button type=\"button\" data-zoom=\"{zoom}\" aria-pressed=\"false\">{name}</button>"
            ));
        }
        text.push_str("</div>\n<ul class=\"legend\" aria-label=\"Legend\">");
        let occurs = |kind: &Kind| {
            self.timeline.rows.iter().any(|row| row.spans.iter().any(|span| span.kind == *kind))
        };
        for kind in Kind::LEGEND.into_iter().filter(occurs) {
            text.push_str(&format!("<li><i class=\"{}\"></i>{}</li>", class(kind), kind.word()));
        }
        if !self.timeline.sleeps.is_empty() {
            text.push_str("<li><i class=\"asleep\"></i>the machine slept</li>");
        }
        text.push_str("</ul>\n</div>\n");
        text
    }

    /// The axis and the rows.
    pub(super) fn chart(&self, rows: &[Row], clocks: &Clocks) -> String {
        let now = self.place(self.timeline.now);
        let shows_now = (self.timeline.from..=self.timeline.to).contains(&self.timeline.now);
        let mut text = format!(
            "<main class=\"chart\" aria-label=\"Timeline\">\n<div class=\"scroll\"><div class=\"sheet\" data-now=\"{now}\">\n"
        );
        text.push_str("<div class=\"under\" aria-hidden=\"true\">");
        for sleep in &self.timeline.sleeps {
            let title = format!("The machine slept\n{}", clocks.span(sleep.from, sleep.to));
            text.push_str(&format!(
                "<i class=\"sleep\" style=\"{}\" title=\"{}\"></i>",
                self.style(sleep.from, sleep.to),
                escaped(&title)
            ));
        }
        text.push_str(&self.grid());
        if shows_now {
            text.push_str(&format!("<i class=\"now\" style=\"left:{now}%\"></i>"));
        }
        text.push_str("</div>\n<div class=\"axis\" aria-hidden=\"true\"><div class=\"name\"></div><div class=\"track\">");
        if shows_now {
            let (side, time) =
                (if now_is_late(&now) { " before" } else { "" }, clocks.time_of_day(self.timeline.now));
            text.push_str(&format!("<b class=\"now{side}\" style=\"left:{now}%\">now {time}</b>"));
        }
        text.push_str("</div></div>\n");
        for row in rows {
            text.push_str(&self.row(row, clocks));
        }
        text.push_str("</div></div>\n<p class=\"none\" id=\"none\" hidden>Nothing fits that filter.</p>\n");
        if rows.is_empty() {
            text.push_str("<p class=\"none\">Nothing has run in this time, and nothing is due.</p>\n");
        }
        text.push_str("</main>\n");
        text
    }

    /// The lines of round times and their labels, once for each zoom.
    fn grid(&self) -> String {
        let mut text = String::new();
        let all = std::iter::once(("", self.length_ms)).chain(zooms(self.length_ms));
        for (_, shown_ms) in all {
            let zoom = decimal(self.length_ms as f64 / shown_ms as f64);
            text.push_str(&format!("<div class=\"grid\" data-zoom=\"{zoom}\">"));
            let step = Step::with_at_most(MARKS, shown_ms);
            for time in round_times(&self.timeline.zone, self.timeline.from, self.timeline.to, step) {
                let (classes, label) = mark(time, step);
                let (place, label) = (self.place(time.at), escaped(&label));
                let class = match classes {
                    Mark::Plain => String::new(),
                    Mark::Day => format!(" class=\"day{}\"", side(&place)),
                };
                text.push_str(&format!("<span{class} style=\"left:{place}%\">{label}</span>"));
            }
            text.push_str("</div>");
        }
        text
    }

    fn row(&self, row: &Row, clocks: &Clocks) -> String {
        let title = escaped(&row.title);
        let mut text = format!(
            "<div class=\"row\"><div class=\"name\"><bdi title=\"{title}\">{title}</bdi><small>{}</small></div>\
             <div class=\"track\" tabindex=\"0\" role=\"group\" aria-label=\"{title}: {}. Arrow keys step through it.\">",
            standing(row, self.timeline.now, clocks),
            told(row)
        );
        for bar in bars(&row.spans, self.apart_ms) {
            text.push_str(&format!(
                "<i class=\"{}{}\" style=\"{}\" title=\"{}\"></i>",
                class(bar.first.kind),
                self.shape(&bar),
                self.style(bar.from, bar.to),
                escaped(&tip(&bar, clocks))
            ));
        }
        text.push_str("</div></div>\n");
        text
    }

    /// What the styles call its shape.
    fn shape(&self, bar: &Bar<'_>) -> &'static str {
        let length_ms = bar.to.since_ms(bar.from);
        match bar.first.kind.is_to_come() {
            _ if length_ms == 0 => " point",
            true if (length_ms as f64 * 100.0) < SLIM * self.length_ms as f64 => " slim",
            true | false => "",
        }
    }

    /// Where it begins and how wide it is, as far as it is in the span.
    fn style(&self, from: Timestamp, to: Timestamp) -> String {
        let (from, to) = (from.max(self.timeline.from), to.min(self.timeline.to));
        let width = to.since_ms(from).max(0) as f64 * 100.0 / self.length_ms as f64;
        format!("left:{}%;width:{}%", self.place(from), decimal(width))
    }

    /// How far from the left an instant is, in percent.
    fn place(&self, at: Timestamp) -> String {
        decimal(at.since_ms(self.timeline.from) as f64 * 100.0 / self.length_ms as f64)
    }
}

/// Whether the label of the time that it is now stands better to the left of its line.
fn now_is_late(now: &str) -> bool {
    now.parse::<f64>().is_ok_and(|now| now > 85.0)
}

/// On which side of its line a day's label stands: to the left where there is no room to the right of it, on a narrow
/// screen earlier than on a wide one.
fn side(place: &str) -> &'static str {
    match place.parse::<f64>() {
        Ok(place) if place > 90.0 => " late last",
        Ok(place) if place > 80.0 => " late",
        Ok(_) | Err(_) => "",
    }
}

/// How a mark stands out.
enum Mark {
    Plain,
    /// A day begins, or a year where marks are months apart.
    Day,
}

/// What stands at a mark: the day where one begins.
fn mark(time: ClockTime, step: Step) -> (Mark, String) {
    let day = || format!("{} {}", time.weekday(), time.date());
    match step {
        Step::Minutes(_) if time.time() != "00:00" => (Mark::Plain, time.time()),
        Step::Minutes(_) => (Mark::Day, day()),
        Step::Days(_) => (Mark::Plain, day()),
        Step::Week => (Mark::Plain, time.date()),
        Step::Months(_) if time.month() != "Jan" => (Mark::Plain, time.month().to_owned()),
        Step::Months(_) | Step::Years(_) => (Mark::Day, time.year().to_string()),
    }
}

/// A number of a style, to three decimals.
fn decimal(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What the styles call it.
pub(super) const fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Waited => "waited",
        Kind::LeftOut => "left-out",
        Kind::WillRun => "will-run",
        Kind::WillRunLate => "will-late",
        Kind::WillNotRun => "will-not",
        Kind::Succeeded => "ran",
        Kind::Unknown => "unknown",
        Kind::Overlapped => "overlapped",
        Kind::Busy => "busy",
        Kind::Running => "running",
        Kind::Stopped => "stopped",
        Kind::Missed => "missed",
        Kind::Failed => "failed",
        Kind::Asking => "asking",
    }
}

/// What is next of an automation, in a few words.
fn standing(row: &Row, now: Timestamp, clocks: &Clocks) -> String {
    match row.standing {
        Standing::Due(Some(next)) if row.standing.overdue_since(now).is_some() => {
            format!("overdue since {}", clocks.soon(next))
        }
        Standing::Due(Some(next)) => format!("next {}", clocks.soon(next)),
        Standing::Due(None) => "not due any more".to_owned(),
        Standing::Paused => "paused".to_owned(),
        Standing::Deleted => "deleted".to_owned(),
    }
}

/// What there is in a row: `ran 12, failed 1`.
fn told(row: &Row) -> String {
    let counts = Kind::LEGEND.iter().filter_map(|kind| Some((kind, row.tally.get(kind)?)));
    let told: Vec<String> = counts.map(|(kind, count)| format!("{} {count}", kind.word())).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

/// What a bar stands for, line by line.
fn tip(bar: &Bar<'_>, clocks: &Clocks) -> String {
    let span = bar.first;
    let mut lines = vec![match bar.count {
        0 | 1 => span.kind.word().to_owned(),
        count => format!("{} {}", span.kind.word(), words::times(count)),
    }];
    let when = clocks.span(bar.from, bar.to);
    lines.push(match bar.to.since_ms(bar.from) {
        length if length > 0 && bar.count <= 1 => format!("{when} ({})", ago::span(length)),
        _ => when,
    });
    if let Some(due) = span.due.filter(|due| bar.count <= 1 && due.since_ms(bar.from).abs() >= NOTICED_MS) {
        lines.push(format!("due {}", clocks.soon(due)));
    }
    lines.extend(words::also(bar.also));
    lines.extend(match bar.why {
        Why::Unsaid => None,
        Why::One(why) => Some(why.to_owned()),
        Why::Several => Some("not all for the same reason".to_owned()),
    });
    lines.extend(span.run.clone().filter(|_| bar.count <= 1));
    lines.join("\n")
}
