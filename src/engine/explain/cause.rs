//! Why a slot was settled later than it was due: what was in the way, and who was there.

use super::words::{Clocks, storage, which, who};
use crate::domain::clock::{ClockSet, Suspended};
use crate::domain::disturbance::{Disturbance, Outage};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ledger::{NotedDisturbance, Term, View};

/// How much of what was in the way is looked at: what comes first after the slot.
const DISTURBANCES: usize = 24;

/// Terms that are looked at, from the one in which the slot was settled backwards.
const TERMS: usize = 24;

/// How much later than the slot something may begin and still be why that was not settled: who tries to settle it comes
/// upon it only then, in milliseconds. The same holds for how long a machine is awake that sleeps again and again.
const JUST_AFTER_MS: i64 = 30_000;

/// What is known of the time from when a slot was due to when it was settled.
pub(super) struct Meanwhile {
    slot: Timestamp,
    settled: Timestamp,
    /// In the order in which it was over.
    pub(super) disturbances: Vec<NotedDisturbance>,
    /// Who owned the bell at some moment of it, the first of them first.
    pub(super) terms: Vec<Term>,
    /// Who had owned it before that, if nobody did when the slot was due.
    pub(super) before: Option<Term>,
}

impl Meanwhile {
    pub(super) fn look(view: &View<'_>, slot: Timestamp, settled: Timestamp) -> Result<Meanwhile, Refusal> {
        let settled = settled.max(slot);
        let disturbances = view.disturbances_between(slot, settled, DISTURBANCES)?;
        let until = view.terms_until(settled, TERMS)?;
        let (mut terms, earlier): (Vec<Term>, Vec<Term>) =
            until.into_iter().partition(|term| term.ended_at.is_none_or(|ended| ended > slot));
        terms.reverse();
        let covered = terms.iter().any(|term| term.since <= slot);
        let before = if covered { None } else { earlier.into_iter().next() };
        Ok(Meanwhile { slot, settled, disturbances, terms, before })
    }

    /// Who owned the bell when the slot was due.
    pub(super) fn owner(&self) -> Option<&Term> {
        self.terms.iter().rfind(|term| term.since <= self.slot)
    }

    /// Whether somebody owns the bell who has not been found gone.
    pub(super) fn is_watched(&self) -> bool {
        self.terms.iter().any(|term| term.ended_at.is_none())
    }

    /// How late a slot could be when it was settled and fire as if it were on time.
    pub(super) fn grace_ms(&self) -> Option<i64> {
        let settled_in = self.terms.iter().rfind(|term| term.since <= self.settled)?;
        settled_in.limits.map(|limits| limits.grace_ms)
    }

    /// What was in the way first, as a clause: `the machine slept from 08:30 to 11:00`.
    pub(super) fn cause(&self, clocks: &Clocks) -> String {
        self.known_cause(clocks).unwrap_or_else(|| {
            let owner = self.owner().map_or_else(|| "the window".to_owned(), |term| who(&term.by));
            format!("{owner}, which owned the bell, did not come to it (why is not known)")
        })
    }

    /// The same, if the ledger tells it: not if somebody was there all the time and nothing is known to have been in the
    /// way.
    pub(super) fn known_cause(&self, clocks: &Clocks) -> Option<String> {
        let slot = self.slot;
        let covers = |noted: &&NotedDisturbance| {
            let (from, to) = noted.what.span();
            from <= slot.plus_ms(JUST_AFTER_MS) && to >= slot
        };
        if let Some(noted) = self.disturbances.iter().find(covers) {
            return Some(disturbance(&noted.what, slot, clocks));
        }
        let found_gone = |term: &&Term| term.last_sign_at.is_some_and(|seen| seen <= self.settled);
        Some(match (self.owner(), &self.before) {
            (Some(gone), _) if found_gone(&gone) => gone_without_a_word(gone, slot, clocks),
            (Some(_), _) => disturbance(&self.disturbances.first()?.what, slot, clocks),
            (None, before) => {
                let came = self.terms.first().map(|term| clocks.after(slot, term.since));
                let went = before.as_ref().and_then(|term| term.ended_at);
                match (went, came) {
                    (Some(went), Some(came)) => {
                        format!("nobody was there to start it from {} to {came}", clocks.after(slot, went))
                    }
                    (Some(went), None) => {
                        format!("nobody was there to start it since {}", clocks.after(slot, went))
                    }
                    (None, Some(came)) => format!("nobody was there to start it until {came}"),
                    (None, None) => "nobody was there to start it".to_owned(),
                }
            }
        })
    }
}

fn gone_without_a_word(gone: &Term, slot: Timestamp, clocks: &Clocks) -> String {
    let seen = gone.last_sign_at.map(|seen| clocks.after(slot, seen)).unwrap_or_default();
    let found = gone.ended_at.map(|ended| clocks.after(slot, ended)).unwrap_or_default();
    format!(
        "the window that owned the bell, of {}, had gone: it was last heard of at {seen} and found gone at {found}",
        who(&gone.by)
    )
}

/// What was in the way, as a clause that says from when to when.
fn disturbance(what: &Disturbance, named: Timestamp, clocks: &Clocks) -> String {
    match what {
        Disturbance::Slept(Suspended { from, to }) => {
            format!("the machine slept {}", clocks.span(named, *from, *to))
        }
        Disturbance::ClockSet(set) => clock_set(set, named, clocks),
        Disturbance::Unwritable(Outage { from, to, reason }) => {
            let span = clocks.span(named, *from, *to);
            format!("the ledger could not be written {span} ({})", storage(*reason))
        }
    }
}

fn clock_set(set: &ClockSet, named: Timestamp, clocks: &Clocks) -> String {
    let direction = if set.from < set.to { "ahead" } else { "back" };
    format!("the clock was set {direction} {}", clocks.span(named, set.from, set.to))
}

/// The same for a list in which its beginning stands beside it.
pub(super) fn in_a_list(what: &Disturbance, clocks: &Clocks) -> String {
    disturbance(what, what.span().0, clocks)
}

/// Who owned the bell, as a clause for a list in which its beginning stands beside it.
pub(super) fn term(term: &Term, clocks: &Clocks) -> String {
    let owner = format!("{} owned the bell", which(&term.by));
    match (term.ended_at, term.last_sign_at) {
        (None, _) => format!("{owner} from then on"),
        (Some(ended), None) => format!("{owner} until {}", clocks.after(term.since, ended)),
        (Some(ended), Some(seen)) => format!(
            "{owner}; it was last heard of at {} and found gone at {}",
            clocks.after(term.since, seen),
            clocks.after(seen, ended)
        ),
    }
}
