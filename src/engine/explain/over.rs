//! Times at which the schedule would have been due, had it not been paused, over or deleted.

use super::evidence::Collector;
use super::words::{by, counted, paused};
use super::{Case, Told};
use crate::domain::automation::{EpochEnd, EpochReason, When};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::rhythm::Stop;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::ledger::PastEpoch;

/// Edits during one pause that are looked past.
const EDITS: usize = 64;

impl Case<'_, '_> {
    /// The schedule has said itself that it ends before.
    pub(super) fn after_until(
        &self,
        slot: Timestamp,
        until: Timestamp,
        collector: &mut Collector<'_, '_>,
    ) -> Result<Told, Refusal> {
        if let Some(told) = self.deleted_before(slot, collector)? {
            return Ok(told);
        }
        let (title, due, until) = (&self.title, self.clocks.at(slot), self.clocks.after(slot, until));
        let summary = format!("{title} was over by {due}: its schedule ended at {until}.");
        Ok(Told::of(slot, Verdict::Ended, summary))
    }

    /// The epoch had ended for another reason.
    pub(super) fn after_end(
        &self,
        epoch: &PastEpoch,
        slot: Timestamp,
        collector: &mut Collector<'_, '_>,
    ) -> Result<Told, Refusal> {
        if let Some(told) = self.deleted_before(slot, collector)? {
            return Ok(told);
        }
        let (title, due) = (&self.title, self.clocks.at(slot));
        Ok(match &epoch.ended {
            Some(EpochEnd::Paused(pause)) => {
                let how = paused(pause, &format!(" at {}", self.clocks.after(slot, pause.at)));
                let to_come = slot > self.now;
                let did = if to_come { "is not due" } else { "did not run" };
                let then = match self.resumed_after(epoch)? {
                    Some(resumed) => {
                        collector.add_epoch(&resumed, &self.clocks, &self.zone)?;
                        let at = self.clocks.after(slot, resumed.epoch.effective_at);
                        format!("; it was resumed{} at {at}", by(resumed.by.as_ref()))
                    }
                    None if self.automation.deleted_at.is_some() || self.automation.pause.is_none() => {
                        String::new()
                    }
                    None if to_come => "; nothing of it is due until it is resumed".to_owned(),
                    None => "; it is still paused".to_owned(),
                };
                let summary = format!("{title} {did} at {due}, because it {how}{then}.");
                Told::of(slot, Verdict::Paused, summary)
            }
            Some(EpochEnd::Count) => {
                let runs = match &epoch.definition.when {
                    When::Recurring { stop: Stop::Count(count), .. } => counted(*count, "run"),
                    When::Recurring { stop: Stop::Never | Stop::Until(_), .. } | When::Oneshot { .. } => {
                        "so many runs".to_owned()
                    }
                };
                let ended = self.ended_at(epoch, slot);
                let summary =
                    format!("{title} was over by {due}: it was to have {runs}, and the last ended{ended}.");
                Told::of(slot, Verdict::Ended, summary)
            }
            Some(EpochEnd::Deleted) => {
                // Its row would say so as well, unless a later version has brought it back.
                let summary = format!("{title} had been deleted by {due}.");
                Told::of(slot, Verdict::Deleted, summary)
            }
            Some(EpochEnd::Edited | EpochEnd::Clock) => {
                let summary = format!(
                    "{title} was not scheduled at {due}: the schedule that has this time had ended{}, and the next one began later.",
                    self.ended_at(epoch, slot)
                );
                Told { scheduled_at: None, ..Told::of(slot, Verdict::NotScheduled, summary) }
            }
            None => {
                let summary = format!(
                    "{title} was over by {due}: its schedule had ended{}, for a reason that only a newer version of sexton understands.",
                    self.ended_at(epoch, slot)
                );
                Told::of(slot, Verdict::Ended, summary)
            }
        })
    }

    /// The epoch that began when the automation was resumed after this one. Each edit meanwhile has one in between.
    fn resumed_after(&self, epoch: &PastEpoch) -> Result<Option<PastEpoch>, Refusal> {
        for number in (epoch.epoch.number + 1..).take(EDITS) {
            let Some(next) = self.view.epoch(self.automation.row, number)? else { return Ok(None) };
            if next.reason == Some(EpochReason::Resumed) {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    fn ended_at(&self, epoch: &PastEpoch, slot: Timestamp) -> String {
        epoch.epoch.ended_at.map_or_else(String::new, |at| format!(" at {}", self.clocks.after(slot, at)))
    }

    fn deleted_before(
        &self,
        slot: Timestamp,
        collector: &mut Collector<'_, '_>,
    ) -> Result<Option<Told>, Refusal> {
        let Some(at) = self.automation.deleted_at else { return Ok(None) };
        collector.add_deletion(self.automation.row, at)?;
        if at >= slot {
            return Ok(None);
        }
        let by = by(self.view.who_deleted(self.automation.row)?.as_ref());
        let (title, due, at) = (&self.title, self.clocks.at(slot), self.clocks.after(slot, at));
        let summary = format!("{title} was not there any more at {due}: it had been deleted{by} at {at}.");
        Ok(Some(Told::of(slot, Verdict::Deleted, summary)))
    }
}
