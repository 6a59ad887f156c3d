//! A timeline: a row for each automation that something becomes of in a span of time.

use std::collections::{BTreeMap, HashMap};

use super::kind::Kind;
use super::known::{Gap, Known, KnownFire, KnownRun, Sleep};
use super::spans::{Span, of_fire, of_run};
use crate::domain::automation::folded;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// How long a run is taken to last of an automation of which none is known to have ended, in milliseconds. A simulation
/// takes the same.
const UNKNOWN_MS: i64 = 60_000;

/// What is shown.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) now: Timestamp,
    pub(super) zone: Zone,
    /// Those first of which a run is at work, then the next due ones, then those whose last activity is newest.
    pub(super) rows: Vec<Row>,
    /// How many automations nothing becomes of in this span.
    pub(super) quiet: usize,
    /// When the machine slept, in order, none of them outside of the span.
    pub(super) sleeps: Vec<Sleep>,
    pub(super) gaps: Vec<Gap>,
    /// How many runs and scheduled times there are of each kind.
    pub(super) tally: Tally,
    /// How many windows are open that carry out what is due.
    windows: usize,
    /// The arguments by which another command finds the same project, each after a blank.
    pub(super) chosen: String,
}

/// From so late on what is due and has not begun is overdue, in milliseconds: every start takes a moment.
const OVERDUE_MS: i64 = 1000;

/// How many there are of each kind that occurs.
pub(super) type Tally = BTreeMap<Kind, u64>;

/// An automation.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    /// As one line; of one that was deleted the last one that is known.
    pub(super) title: String,
    /// How a command line names it: by its title if no other one has it and no shell misreads it.
    pub(super) name: String,
    pub(super) standing: Standing,
    /// In order of their beginning, each with some part in the span.
    pub(super) spans: Vec<Span>,
    pub(super) tally: Tally,
}

/// How an automation is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its schedule goes on; when it is due next, also after the span.
    Due(Option<Timestamp>),
    Paused,
    Deleted,
}

impl Standing {
    /// Since when something should have begun that has not.
    pub(super) fn overdue_since(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Standing::Due(next) => next.filter(|next| now.since_ms(*next) >= OVERDUE_MS),
            Standing::Paused | Standing::Deleted => None,
        }
    }
}

impl Timeline {
    /// What becomes of what is known.
    pub(super) fn of(known: Known) -> Timeline {
        let Known { from, to, now, zone, automations, runs, fires, sleeps, windows, chosen, gaps } = known;
        let lengths = Lengths::of(&runs);
        let mut rows: Vec<Row> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut place = |rows: &mut Vec<Row>, id: &str, title: &str, standing: Standing| {
            *places.entry(id.to_owned()).or_insert_with(|| {
                rows.push(Row {
                    id: id.to_owned(),
                    title: title.to_owned(),
                    name: id.to_owned(),
                    standing,
                    spans: Vec::new(),
                    tally: Tally::new(),
                });
                rows.len() - 1
            })
        };
        let mut titled: HashMap<String, usize> = HashMap::new();
        for automation in &automations {
            *titled.entry(folded(&automation.title)).or_default() += 1;
        }
        for automation in &automations {
            let standing =
                if automation.paused { Standing::Paused } else { Standing::Due(automation.next_at) };
            let at = place(&mut rows, &automation.id, &automation.title, standing);
            let is_only = titled.get(&folded(&automation.title)) == Some(&1);
            if let Some(name) = typed(&automation.title).filter(|_| is_only) {
                rows[at].name = name;
            }
        }
        // Runs come newest first, so that the title of the first one is the last one.
        for run in &runs {
            let at = place(&mut rows, &run.automation, &run.title, Standing::Deleted);
            rows[at].spans.extend(of_run(run, now));
        }
        for (automation, fires) in by_automation(&fires) {
            let at = place(&mut rows, automation, automation, Standing::Due(None));
            let length_ms = lengths.of_automation(automation);
            for (index, fire) in fires.iter().enumerate() {
                let next = fires[index + 1..].iter().find_map(|fire| fire.started_at);
                rows[at].spans.extend(of_fire(fire, length_ms, next));
            }
        }
        let known_rows = rows.len();
        for row in &mut rows {
            row.spans.retain(|span| span.to >= from && span.from <= to);
            row.spans.sort_by_key(|span| (span.from, span.to, span.kind));
            row.tally = tally(&row.spans, from, to);
        }
        rows.retain(|row| !row.spans.is_empty());
        rows.sort_by_cached_key(|row| (order(row), row.title.clone(), row.id.clone()));
        let quiet = known_rows - rows.len();
        let mut all = Tally::new();
        for (kind, count) in rows.iter().flat_map(|row| &row.tally) {
            *all.entry(*kind).or_default() += count;
        }
        let sleeps = within(sleeps, from, to);
        Timeline { from, to, now, zone, rows, quiet, sleeps, gaps, tally: all, windows, chosen }
    }

    /// The row that is due next, and when.
    pub(super) fn next(&self) -> Option<(&Row, Timestamp)> {
        let due = |row: &'_ Row| match row.standing {
            Standing::Due(next) => next,
            Standing::Paused | Standing::Deleted => None,
        };
        self.rows.iter().filter_map(|row| Some((row, due(row)?))).min_by_key(|(_, at)| *at)
    }

    /// What has to be known of what is foretold, if anything is.
    pub(super) fn notice(&self) -> Option<&'static str> {
        let is_due = |row: &Row| {
            matches!(row.standing, Standing::Due(Some(_)))
                || row.spans.iter().any(|span| span.kind.is_to_come())
        };
        (self.windows == 0 && self.to >= self.now && self.rows.iter().any(is_due))
            .then_some("No window is open: nothing of what is to come runs until one is.")
    }

    /// How many missed times the runs of this kind answer for too.
    pub(super) fn also(&self, kind: Kind) -> u64 {
        let spans = self.rows.iter().flat_map(|row| &row.spans);
        spans.filter(|span| span.kind == kind).map(|span| span.also).sum()
    }

    /// What is not shown, a sentence each, if at most so many rows are.
    pub(super) fn remarks(&self, rows: usize, time: impl Fn(Timestamp) -> String) -> Vec<String> {
        let mut remarks = Vec::new();
        for gap in &self.gaps {
            remarks.push(match *gap {
                Gap::RunsBefore(at) => {
                    format!("There are more runs than are shown: those before {} are left out.", time(at))
                }
                Gap::ForetoldUntil(at) => format!("What is to come is worked out up to {} only.", time(at)),
                Gap::RecordedLater => {
                    "Something may have been missed that is not shown: too much was recorded later."
                        .to_owned()
                }
            });
        }
        let crosses = |span: &Span| within_span(span, self.from, self.to) < span.count;
        if self.rows.iter().flat_map(|row| &row.spans).any(crosses) {
            remarks.push(
                "Some times share a record with times outside of this span: how many lie in it is estimated."
                    .to_owned(),
            );
        }
        let hidden = self.rows.len().saturating_sub(rows);
        if hidden > 0 {
            remarks.push(format!("{hidden} more automations have something in this time and are not shown."));
        }
        match self.quiet {
            0 => {}
            1 => remarks.push("One automation has nothing in this time.".to_owned()),
            quiet => remarks.push(format!("{quiet} automations have nothing in this time.")),
        }
        remarks
    }

    /// How many there are of this kind.
    pub(super) fn count(&self, kind: Kind) -> u64 {
        self.tally.get(&kind).copied().unwrap_or_default()
    }
}

/// A title as it is typed, if it can be without thinking.
fn typed(title: &str) -> Option<String> {
    let plain = |letter: char| letter.is_alphanumeric() || " _.,:/+@%=-".contains(letter);
    let fits = title.chars().all(plain) && title.starts_with(char::is_alphanumeric);
    fits.then(|| format!("'{title}'"))
}

/// The fires of each automation, in their order.
fn by_automation(fires: &[KnownFire]) -> BTreeMap<&str, Vec<&KnownFire>> {
    let mut of: BTreeMap<&str, Vec<&KnownFire>> = BTreeMap::new();
    for fire in fires {
        of.entry(&fire.automation).or_default().push(fire);
    }
    of.values_mut().for_each(|fires| fires.sort_by_key(|fire| fire.at));
    of
}

fn tally(spans: &[Span], from: Timestamp, to: Timestamp) -> Tally {
    let mut tally = Tally::new();
    for span in spans.iter().filter(|span| span.count > 0) {
        *tally.entry(span.kind).or_default() += within_span(span, from, to);
    }
    tally
}

/// How many of those that a stretch stands for lie between two times, if they are equally far apart; at least one.
fn within_span(span: &Span, from: Timestamp, to: Timestamp) -> u64 {
    if span.count <= 1 || (span.from >= from && span.to <= to) {
        return span.count;
    }
    let length = i128::from(span.to.since_ms(span.from).max(1));
    let gaps = i128::from(span.count - 1);
    let before = |ms: i64| i128::from(ms) * gaps;
    // The first one that is not before the beginning, and the last one that is not after the end.
    let first = (before(from.since_ms(span.from).max(0)) + length - 1) / length;
    let last = (before(to.since_ms(span.from).max(0)) / length).min(gaps);
    u64::try_from((last - first + 1).max(1)).unwrap_or(span.count)
}

/// What is at work comes first, then what is due, the soonest first, then what was there, the newest first.
fn order(row: &Row) -> (u8, i64) {
    let newest = || -row.spans.iter().map(|span| span.to.as_millis()).max().unwrap_or_default();
    let has = |kind| row.spans.iter().any(|span| span.kind == kind);
    match row.standing {
        _ if has(Kind::Asking) => (0, newest()),
        _ if has(Kind::Running) => (1, newest()),
        Standing::Due(Some(next)) => (2, next.as_millis()),
        Standing::Due(None) | Standing::Paused => (3, newest()),
        Standing::Deleted => (4, newest()),
    }
}

/// The parts of the sleeps that lie in the span, in order.
fn within(sleeps: Vec<Sleep>, from: Timestamp, to: Timestamp) -> Vec<Sleep> {
    let parts = sleeps.into_iter().map(|sleep| Sleep { from: sleep.from.max(from), to: sleep.to.min(to) });
    let mut parts: Vec<Sleep> = parts.filter(|part| part.from < part.to).collect();
    parts.sort_by_key(|part| (part.from, part.to));
    parts
}

/// How long the runs of each automation took that are known.
struct Lengths<'a>(HashMap<&'a str, Vec<i64>>);

impl<'a> Lengths<'a> {
    fn of(runs: &'a [KnownRun]) -> Lengths<'a> {
        let mut known: HashMap<&str, Vec<i64>> = HashMap::new();
        for run in runs {
            if let (Some(started), Some(completed)) = (run.started_at, run.completed_at) {
                known.entry(&run.automation).or_default().push(completed.since_ms(started));
            }
        }
        known.values_mut().for_each(|lengths| lengths.sort_unstable());
        Lengths(known)
    }

    /// The one in the middle.
    fn of_automation(&self, automation: &str) -> i64 {
        let middle = |lengths: &Vec<i64>| lengths.get(lengths.len() / 2).copied();
        self.0.get(automation).and_then(middle).unwrap_or(UNKNOWN_MS)
    }
}
