//! Collects what the ledger tells, with the events that told it where those are still kept.

use serde_json::Value;

use super::words::{Clocks, by, inserted, note, paused, quoted};
use crate::domain::automation::{EpochEnd, EpochReason};
use crate::domain::explanation::{EVIDENCE, Evidence};
use crate::domain::id::{AutomationId, LifecycleActionId, RunId};
use crate::domain::lifecycle::{CloseKind, CloseMode, Lifecycle};
use crate::domain::refusal::Refusal;
use crate::domain::run::{Ahead, Run, Waiting};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::ledger::{EventFilter, PastEpoch, StoredEvent, View};

/// Events of one moment that are looked through for the one that tells a change: more are written together only where
/// hundreds of runs end at once.
const AT_ONCE: usize = 64;

/// Events of a run's wait that are looked through.
const OF_A_WAIT: usize = 256;

/// Events after the end of a run among which the close is looked for that ended it.
const AFTER_AN_END: usize = 256;

/// What is found, one piece after the other.
pub(super) struct Collector<'a, 'c> {
    view: &'a View<'c>,
    automation: &'a AutomationId,
    kept_after: i64,
    found: Vec<Evidence>,
}

impl<'a, 'c> Collector<'a, 'c> {
    pub(super) fn new(view: &'a View<'c>, automation: &'a AutomationId) -> Result<Self, Refusal> {
        Ok(Collector { view, automation, kept_after: view.pruned_through()?, found: Vec::new() })
    }

    /// Something that no event of its own tells.
    pub(super) fn add(&mut self, at: Timestamp, text: impl Into<String>) {
        self.push(at, text.into(), None);
    }

    /// Something that this event told, if it did and is still kept.
    pub(super) fn add_with(&mut self, at: Timestamp, text: impl Into<String>, event: Option<i64>) {
        let kept = event.filter(|event| *event > self.kept_after);
        self.push(at, text.into(), kept);
    }

    fn push(&mut self, at: Timestamp, text: String, seq: Option<i64>) {
        let new = Evidence { at, text, seq };
        if !self.found.contains(&new) {
            self.found.push(new);
        }
    }

    /// A change of the automation, told at that very time.
    pub(super) fn add_change(&mut self, at: Timestamp, text: impl Into<String>) -> Result<(), Refusal> {
        let told = self.told_at(at, |kind, _| kind.starts_with("automation."))?;
        self.add_with(at, text, told);
        Ok(())
    }

    /// A step in the life of a run: the first event at that time in which it has this member.
    pub(super) fn add_step(
        &mut self,
        run: &RunId,
        member: &str,
        at: Timestamp,
        text: impl Into<String>,
    ) -> Result<(), Refusal> {
        let is_it = |_: &str, payload: &Value| {
            payload["run"]["id"] == run.as_str() && !payload["run"][member].is_null()
        };
        let told = self.told_at(at, is_it)?;
        self.add_with(at, text, told);
        Ok(())
    }

    /// The close because of which a run ended, if the event is still kept that told it: it came a moment after that end.
    pub(super) fn add_close(&mut self, close: &LifecycleActionId, ended: Timestamp) -> Result<(), Refusal> {
        let first = self.view.first_event_since(ended)?;
        let next = self.view.events_after(first - 1, &EventFilter::default(), AFTER_AN_END)?;
        let told = next.iter().filter(|event| event.kind.starts_with("lifecycle.")).find_map(|event| {
            let mut payload: Value = serde_json::from_str(&event.payload).ok()?;
            let lifecycle: Lifecycle = serde_json::from_value(payload["lifecycle"].take()).ok()?;
            (lifecycle.id == *close).then_some((lifecycle, event.seq))
        });
        if let Some((lifecycle, seq)) = told {
            let what = match lifecycle.kind {
                CloseKind::Reload => "its window was asked to reload",
                CloseKind::Dispose => "its window was asked to give up the project",
                CloseKind::Shutdown => "its window was asked to close",
            };
            let how = match lifecycle.mode {
                CloseMode::Force => " at once",
                CloseMode::Maintenance => "",
            };
            self.add_with(lifecycle.requested_at, format!("{what}{how} ({close})"), Some(seq));
        }
        Ok(())
    }

    fn told_at(&self, at: Timestamp, is_it: impl Fn(&str, &Value) -> bool) -> Result<Option<i64>, Refusal> {
        let events = self.events_since(at, AT_ONCE)?;
        let mut of_that_moment = events.iter().take_while(|event| event.at == at);
        let told = of_that_moment.find(|event| {
            let payload = serde_json::from_str(&event.payload).unwrap_or_default();
            is_it(&event.kind, &payload)
        });
        Ok(told.map(|event| event.seq))
    }

    fn events_since(&self, at: Timestamp, limit: usize) -> Result<Vec<StoredEvent>, Refusal> {
        let filter = EventFilter { kinds: Vec::new(), automation: Some(self.automation.clone()) };
        let first = self.view.first_event_since(at)?;
        Ok(self.view.events_after(first - 1, &filter, limit)?)
    }

    /// What a run has waited for before it started or ended, as far as events still tell it.
    pub(super) fn waits(&self, run: &Run) -> Result<Vec<(Waiting, i64)>, Refusal> {
        let over = run.started_at().or(run.ended().map(|ended| ended.completed_at));
        let mut waits: Vec<(Waiting, i64)> = Vec::new();
        for event in self.events_since(run.triggered_at, OF_A_WAIT)? {
            if over.is_some_and(|over| event.at > over) {
                break;
            }
            let mut payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
            if payload["run"]["id"] != run.id.as_str() {
                continue;
            }
            let Ok(waiting) = serde_json::from_value::<Waiting>(payload["run"]["waiting"].take()) else {
                continue;
            };
            let is_news = waits
                .last()
                .is_none_or(|(last, _)| (last.what, &last.behind) != (waiting.what, &waiting.behind));
            if is_news {
                waits.push((waiting, event.seq));
            }
        }
        Ok(waits)
    }

    /// How an epoch began and, if it did, ended.
    pub(super) fn add_epoch(
        &mut self,
        epoch: &PastEpoch,
        clocks: &Clocks,
        zone: &Zone,
    ) -> Result<(), Refusal> {
        let began = epoch.epoch.effective_at;
        let words = epoch.definition.when.in_words(zone);
        let (by, note) = (by(epoch.by.as_ref()), note(epoch.note.as_deref()));
        let how = match epoch.reason {
            Some(EpochReason::Created) => format!("it was created{by}{note}: {words}"),
            Some(EpochReason::Edited) => format!("its schedule was edited{by}{note}: {words}"),
            Some(EpochReason::Resumed) => format!("it was resumed{by}{note}: {words}"),
            Some(EpochReason::Clock) => {
                format!("its schedule began anew, because the clock had been set back: {words}")
            }
            None => format!("its schedule began anew: {words}"),
        };
        self.add_change(began, how)?;
        let Some(ended_at) = epoch.epoch.ended_at else { return Ok(()) };
        match &epoch.ended {
            Some(EpochEnd::Paused(pause)) => {
                self.add_change(pause.at, format!("it {}", paused(pause, "")))?
            }
            Some(EpochEnd::Count) => self.add_change(ended_at, "the last run ended that it was to have")?,
            // What came next says so as well.
            Some(EpochEnd::Edited | EpochEnd::Clock | EpochEnd::Deleted) => {}
            None => self.add(
                ended_at,
                format!(
                    "its schedule ended at {}, for a reason that only a newer version of sexton understands",
                    clocks.at(ended_at)
                ),
            ),
        }
        Ok(())
    }

    /// Who has deleted the automation, and when.
    pub(super) fn add_deletion(&mut self, automation: i64, at: Timestamp) -> Result<(), Refusal> {
        let by = by(self.view.who_deleted(automation)?.as_ref());
        self.add_change(at, format!("it was deleted{by}"))
    }

    /// What a run or a hold is called, as something that is ahead of another run.
    pub(super) fn named(&self, ahead: &Ahead) -> Result<String, Refusal> {
        Ok(match ahead {
            Ahead::Run(run) => match self.view.understood_run(run)? {
                Some(row) => format!("{run} of {}", quoted(&row.run.automation_title)),
                None => run.to_string(),
            },
            Ahead::Hold(hold) => match self.view.hold(hold)? {
                Some(hold) => format!("work of the user's own ({})", quoted(&inserted(&hold.title))),
                None => "work of the user's own".to_owned(),
            },
        })
    }

    /// All that was found, oldest first: of too much what is nearest to the time in question.
    pub(super) fn finish(self, asked: Timestamp) -> Vec<Evidence> {
        let mut found = self.found;
        found.sort_by_key(|evidence| evidence.at.since_ms(asked).abs());
        found.truncate(EVIDENCE);
        found.sort_by_key(|evidence| (evidence.at, evidence.seq.unwrap_or(i64::MAX)));
        found
    }
}
