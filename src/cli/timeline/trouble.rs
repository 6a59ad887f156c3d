//! What somebody should look at, and what to type for that.

use super::kind::{Kind, Weight};
use super::model::{Row, Timeline};
use super::spans::Span;
use super::words;
use crate::domain::schedule::local_time_with_offset;
use crate::domain::time::Timestamp;

/// The most that are told: more is a list, which another command shows.
const TOLD: usize = 8;

/// The same trouble of one automation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) title: String,
    /// How a command line names the automation.
    name: String,
    pub(super) kind: Kind,
    pub(super) why: Option<String>,
    pub(super) count: u64,
    /// When it was so last, or since when it is.
    pub(super) at: Timestamp,
    /// The scheduled time that was last, if it was about one.
    due: Option<Timestamp>,
    run: Option<String>,
}

/// What went wrong in a timeline, what waits for a person first and then the newest, and how much more there is.
pub(super) fn of(timeline: &Timeline) -> (Vec<Trouble>, usize) {
    let mut troubles: Vec<Trouble> = timeline.rows.iter().flat_map(of_row).collect();
    troubles.sort_by_key(|trouble| (trouble.kind != Kind::Asking, std::cmp::Reverse(trouble.at)));
    let more = troubles.len().saturating_sub(TOLD);
    troubles.truncate(TOLD);
    (troubles, more)
}

fn of_row(row: &Row) -> Vec<Trouble> {
    let mut troubles: Vec<Trouble> = Vec::new();
    for span in row.spans.iter().filter(|span| span.kind.weight() == Weight::Trouble) {
        let new = trouble(row, span);
        match troubles.iter_mut().find(|known| (known.kind, &known.why) == (new.kind, &new.why)) {
            Some(known) => *known = Trouble { count: known.count + new.count, ..new },
            None => troubles.push(new),
        }
    }
    troubles
}

fn trouble(row: &Row, span: &Span) -> Trouble {
    let is_missed = span.kind == Kind::Missed;
    let at = if is_missed { span.to } else { span.from };
    let due = if is_missed { Some(span.to) } else { span.due };
    Trouble {
        title: row.title.clone(),
        name: row.name.clone(),
        kind: span.kind,
        why: span.why.clone(),
        count: span.count,
        at,
        due,
        run: span.run.clone(),
    }
}

impl Trouble {
    /// What happened, and when: `failed 3 times, last at 2025-01-06 03:00`.
    pub(super) fn what(&self, when: impl Fn(Timestamp) -> String) -> String {
        let (word, at) = (self.kind.word(), when(self.at));
        match (self.kind, self.count) {
            (Kind::Asking, _) => format!("waits for you since {at}"),
            (_, 1) => format!("{word} at {at}"),
            (_, count) => format!("{word} {}, last at {at}", words::times(count)),
        }
    }

    /// The command that tells more, or that answers. Whoever reads it has other clocks than the timeline, so that times
    /// have their offset.
    pub(super) fn command(&self, timeline: &Timeline) -> String {
        let command = match (self.kind, &self.run, self.due) {
            (Kind::Asking, Some(run), _) => format!("sexton answer {run}"),
            (_, _, Some(due)) => {
                let due = local_time_with_offset(&timeline.zone, due);
                format!("sexton why {} '{due}'", self.name)
            }
            (_, Some(run), None) => format!("sexton show {run}"),
            (_, None, None) => format!("sexton why {}", self.name),
        };
        format!("{command}{}", timeline.chosen)
    }
}
