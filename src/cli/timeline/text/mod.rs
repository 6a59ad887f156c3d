//! A timeline as lines of a terminal.

mod glyphs;
mod layout;

use unicode_width::UnicodeWidthStr;

pub(super) use glyphs::Glyphs;

use super::kind::Kind;
use super::model::{Row, Standing, Tally, Timeline};
use super::trouble::{self, Trouble};
use super::words;
use crate::cli::ago;
use crate::cli::show::{Style, Tone};
use crate::cli::table::{cut, wrapped};
use crate::domain::schedule::clock::{ClockTime, Step, round_times};
use crate::domain::schedule::{local_time, weekday_of};
use layout::Layout;

/// How wide a timeline may be: narrower, and its bars tell nothing; wider, and nobody follows a row.
pub(super) const WIDTHS: std::ops::RangeInclusive<usize> = 40..=250;

/// The most rows: a screen or two.
const ROWS: usize = 40;

/// How much room a label of the axis takes, in columns.
const LABEL: usize = 9;

/// The room of titles, in columns: a quarter of the line, if that is among these.
const TITLES: (usize, usize) = (12, 32);

/// The least room of what is drawn, in columns: where there is less, what is next is not said beside it.
const DRAWN: usize = 24;

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// In columns; one of [`WIDTHS`].
    pub(super) width: usize,
    pub(super) glyphs: Glyphs,
    pub(super) style: Style,
}

impl Look {
    /// As much of a line as fits.
    fn cut(self, line: &str, most: usize) -> String {
        let kept = cut(line, most);
        match (self.glyphs, kept.strip_suffix('…')) {
            (Glyphs::Ascii, Some(kept)) if kept.len() < line.len() => format!("{kept}~"),
            (Glyphs::Ascii | Glyphs::Unicode, _) => kept,
        }
    }
}

/// The lines.
pub(super) fn written(timeline: &Timeline, look: Look) -> String {
    let style = look.style;
    let local = |at| format!("{} {}", weekday_of(&timeline.zone, at), local_time(&timeline.zone, at));
    let heading = format!("From {} to {}, {}", local(timeline.from), local(timeline.to), timeline.zone);
    let mut text = String::new();
    for line in wrapped(&heading, Some(look.width)) {
        text.push_str(&format!("{}\n", style.strong(&line)));
    }
    text.push('\n');
    if timeline.rows.is_empty() {
        text.push_str("Nothing has run in this time, and nothing is due.\n");
    } else {
        text.push_str(&Chart::of(timeline, look).written());
        text.push_str(&legend(&timeline.tally, timeline, look));
        for line in timeline.notice().iter().flat_map(|notice| wrapped(notice, Some(look.width))) {
            text.push_str(&format!("{}\n", style.toned(Tone::Warn, &line)));
        }
        text.push_str(&troubles(timeline, look));
    }
    let remarks = timeline.remarks(ROWS, |at| local_time(&timeline.zone, at));
    if !remarks.is_empty() {
        text.push('\n');
        for line in wrapped(&remarks.join(" "), Some(look.width)) {
            text.push_str(&format!("{}\n", style.faint(&line)));
        }
    }
    text
}

/// The rows below their axis.
struct Chart<'a> {
    timeline: &'a Timeline,
    look: Look,
    rows: &'a [Row],
    titles: usize,
    /// What is next of each row.
    nexts: Vec<String>,
    columns: usize,
    layout: Layout,
    marks: Vec<ClockTime>,
    step: Step,
}

/// What is drawn in a chart's columns.
type Columns = Vec<(char, Tone)>;

impl<'a> Chart<'a> {
    fn of(timeline: &'a Timeline, look: Look) -> Chart<'a> {
        let rows = &timeline.rows[..timeline.rows.len().min(ROWS)];
        let mut nexts: Vec<String> = rows.iter().map(|row| next(row, timeline)).collect();
        let widest = |texts: &mut dyn Iterator<Item = &str>| {
            texts.map(UnicodeWidthStr::width).max().unwrap_or_default()
        };
        let (least, most) = TITLES;
        let room = (look.width / 4).clamp(least, most);
        let titles = widest(&mut rows.iter().map(|row| row.title.as_str())).clamp(6, room);
        let next = widest(&mut nexts.iter().map(String::as_str));
        let room = look.width - titles - 2;
        let columns = match room.checked_sub(2 + next) {
            Some(columns) if columns >= DRAWN => columns,
            Some(_) | None => {
                nexts.iter_mut().for_each(String::clear);
                room
            }
        };
        let step = Step::with_at_most(
            i64::try_from(columns / LABEL).unwrap_or(i64::MAX),
            timeline.to.since_ms(timeline.from),
        );
        let marks = round_times(&timeline.zone, timeline.from, timeline.to, step);
        Chart {
            timeline,
            look,
            rows,
            titles,
            nexts,
            columns,
            layout: Layout::of(timeline, columns),
            marks,
            step,
        }
    }

    fn written(&self) -> String {
        let mut text = String::new();
        if let Some(now) = self.layout.now_column {
            let label = format!("now {}", ClockTime::of(&self.timeline.zone, self.timeline.now).time());
            let at = now.saturating_sub(label.len() / 2).min(self.columns - label.len());
            let mut line = self.blank();
            put(&mut line, at, &label, Tone::Strong);
            text.push_str(&self.line("", &line, ""));
        }
        text.push_str(&self.line("", &self.labels(), ""));
        text.push_str(&self.line("", &self.axis(), ""));
        if !self.timeline.sleeps.is_empty() {
            text.push_str(&self.line(&self.look.style.faint("asleep"), &self.asleep(), ""));
        }
        for (row, next) in self.rows.iter().zip(&self.nexts) {
            text.push_str(&self.line(&self.look.cut(&row.title, self.titles), &self.row(row), next));
        }
        text
    }

    fn line(&self, title: &str, columns: &Columns, next: &str) -> String {
        let style = self.look.style;
        // Codes that set a title apart take no room.
        let wide = if title.starts_with('\u{1b}') { "asleep".len() } else { title.width() };
        let gap = " ".repeat(self.titles - wide.min(self.titles) + 2);
        let mut drawn = String::new();
        for part in columns.chunk_by(|one, other| one.1 == other.1) {
            let letters: String = part.iter().map(|(letter, _)| *letter).collect();
            drawn.push_str(&style.toned(part[0].1, &letters));
        }
        let line = format!("{title}{gap}{drawn}  {}", style.faint(next));
        format!("{}\n", line.trim_end())
    }

    fn blank(&self) -> Columns {
        vec![(' ', Tone::Usual); self.columns]
    }

    fn labels(&self) -> Columns {
        let mut line = self.blank();
        let mut taken = vec![false; self.columns];
        // Where a day begins is said first; other labels have the room that is left.
        for wanted in [Tone::Strong, Tone::Usual] {
            for mark in &self.marks {
                let (label, tone) = label(*mark, self.step);
                let column = self.layout.column(mark.at);
                // At the right end a day's label moves to the left rather than not being there.
                let at = if tone == Tone::Strong { column.min(self.columns - label.len()) } else { column };
                let end = at + label.len();
                let around = at.saturating_sub(1)..(end + 1).min(self.columns);
                if tone == wanted && end <= self.columns && !taken[around].contains(&true) {
                    put(&mut line, at, &label, tone);
                    taken[at..end].fill(true);
                }
            }
        }
        line
    }

    fn axis(&self) -> Columns {
        let [axis, mark, _] = self.look.glyphs.axis();
        let mut line = vec![(axis, Tone::Faint); self.columns];
        for time in &self.marks {
            line[self.layout.column(time.at)].0 = mark;
        }
        if let Some(now) = self.layout.now_column {
            line[now] = (self.look.glyphs.now()[1], Tone::Strong);
        }
        line
    }

    fn asleep(&self) -> Columns {
        let mut line = self.ground();
        for sleep in &self.timeline.sleeps {
            let last = self.layout.column(sleep.to.plus_ms(-1).max(sleep.from));
            line[self.layout.column(sleep.from)..=last].fill((Glyphs::ASLEEP, Tone::Faint));
        }
        self.with_now(line)
    }

    fn row(&self, row: &Row) -> Columns {
        let mut line = self.ground();
        for (place, cell) in self.layout.cells(&row.spans).into_iter().enumerate() {
            if let Some(drawn) = self.look.glyphs.of_cell(cell) {
                line[place] = drawn;
            }
        }
        self.with_now(line)
    }

    /// What a row without anything looks like.
    fn ground(&self) -> Columns {
        let mut line = self.blank();
        for time in &self.marks {
            line[self.layout.column(time.at)] = (self.look.glyphs.axis()[2], Tone::Faint);
        }
        line
    }

    fn with_now(&self, mut line: Columns) -> Columns {
        if let Some(now) = self.layout.now_column {
            line[now] = (self.look.glyphs.now()[0], Tone::Strong);
        }
        line
    }
}

fn put(line: &mut Columns, at: usize, text: &str, tone: Tone) {
    for (column, letter) in line[at..].iter_mut().zip(text.chars()) {
        *column = (letter, tone);
    }
}

/// What stands at a mark; the day where one begins.
fn label(time: ClockTime, step: Step) -> (String, Tone) {
    let day = || format!("{} {}", time.weekday(), time.date());
    match step {
        Step::Minutes(_) if time.time() == "00:00" => (day(), Tone::Strong),
        Step::Minutes(_) => (time.time(), Tone::Usual),
        Step::Days(_) | Step::Week => (time.date(), Tone::Usual),
        Step::Months(_) if time.month() != "Jan" => (time.month().to_owned(), Tone::Usual),
        Step::Months(_) | Step::Years(_) => (time.year().to_string(), Tone::Strong),
    }
}

/// What is next of an automation.
fn next(row: &Row, timeline: &Timeline) -> String {
    match row.standing {
        Standing::Due(Some(_)) if row.standing.overdue_since(timeline.now).is_some() => "overdue".to_owned(),
        Standing::Due(Some(at)) => ago::relative(at, timeline.now, &timeline.zone),
        Standing::Due(None) => "-".to_owned(),
        Standing::Paused => "paused".to_owned(),
        Standing::Deleted => "deleted".to_owned(),
    }
}

/// The kinds that occur, with how many there are.
fn legend(tally: &Tally, timeline: &Timeline, look: Look) -> String {
    let mut entries: Vec<(String, String)> = Vec::new();
    for kind in Kind::LEGEND {
        let occurs = timeline.rows.iter().any(|row| row.spans.iter().any(|span| span.kind == kind));
        if !occurs {
            continue;
        }
        let words = match tally.get(&kind) {
            Some(count) => format!("{count} {}", kind.word()),
            None => kind.word().to_owned(),
        };
        let words = match words::also(timeline.also(kind)) {
            Some(also) => format!("{words} ({also})"),
            None => words,
        };
        let letter = look.glyphs.of_kind(kind);
        let plain = format!("{letter} {words}");
        entries
            .push((plain, format!("{} {words}", look.style.toned(glyphs::tone(kind), &letter.to_string()))));
    }
    if !timeline.sleeps.is_empty() {
        let words = "the machine slept";
        entries.push((format!("z {words}"), format!("{} {words}", look.style.faint("z"))));
    }
    let mut text = String::from("\n");
    let mut filled = 0;
    for (plain, styled) in entries {
        let wide = plain.width();
        if filled > 0 && filled + 3 + wide > look.width {
            text.push('\n');
            filled = 0;
        }
        if filled > 0 {
            text.push_str("   ");
            filled += 3;
        }
        text.push_str(&styled);
        filled += wide;
    }
    text.push('\n');
    text
}

/// What went wrong, and what to type to learn more.
fn troubles(timeline: &Timeline, look: Look) -> String {
    let (troubles, more) = trouble::of(timeline);
    if troubles.is_empty() {
        return String::new();
    }
    let style = look.style;
    let mut text = format!("\n{}\n", style.strong("What needs a look"));
    for trouble in troubles {
        let Trouble { title, kind, why, .. } = &trouble;
        let letter = style.toned(glyphs::tone(*kind), &look.glyphs.of_kind(*kind).to_string());
        let what = trouble.what(|at| ago::clock(at, timeline.now, &timeline.zone));
        let why = why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let line = look.cut(&format!("{title} {what}{why}"), look.width - 2);
        text.push_str(&format!(
            "{letter} {line}\n    {}\n",
            style.toned(Tone::Accent, &trouble.command(timeline))
        ));
    }
    if more > 0 {
        text.push_str(
            &style.faint(&format!("  and {more} more; `sexton runs{}` lists them", timeline.chosen)),
        );
        text.push('\n');
    }
    text
}
