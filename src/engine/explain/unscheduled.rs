//! Times that were never scheduled.

use super::evidence::Collector;
use super::{Case, Told, place};
use crate::domain::automation::When;
use crate::domain::refusal::Refusal;
use crate::domain::schedule::rhythm::{Nearest, Rhythm};
use crate::domain::verdict::Verdict;
use crate::ledger::PastEpoch;

impl Case<'_, '_> {
    /// No slot of the schedule that was in force is in that minute.
    pub(super) fn not_scheduled(
        &self,
        epoch: &PastEpoch,
        collector: &mut Collector<'_, '_>,
    ) -> Result<Told, Refusal> {
        self.add_epoch_and_next(epoch, collector)?;
        if let Some(at) = self.automation.deleted_at {
            collector.add_deletion(self.automation.row, at)?;
        }
        let why = match epoch.definition.schedule() {
            Ok(_) => epoch.definition.when.why_not(&self.zone, epoch.epoch.effective_at, self.at),
            Err(_) => {
                let zone = &epoch.definition.timezone;
                format!("this machine's zone data does not know {zone}, so that nothing of it fires here")
            }
        };
        let near = self.nearest(Some(epoch), collector)?;
        let deleted = match self.automation.deleted_at.filter(|deleted| *deleted < self.at) {
            Some(deleted) => format!(", and it had been deleted at {}", self.clocks.after(self.at, deleted)),
            None => String::new(),
        };
        let near = match &epoch.definition.when {
            When::Recurring { rhythm: Rhythm::Cron(_), .. } => near,
            // The reason names them.
            When::Recurring { rhythm: Rhythm::Interval { .. }, .. } | When::Oneshot { .. } => String::new(),
        };
        let told = self.none_because(&format!("{why}{deleted}{near}"));
        match epoch.definition.when {
            // What somebody wants to know who asks a little beside it.
            When::Oneshot { fire_at } if epoch.answers_for(fire_at) => {
                let fired = self.answered(epoch, fire_at, collector)?;
                Ok(Told { summary: format!("{} {}", told.summary, fired.summary), ..told })
            }
            When::Oneshot { .. } | When::Recurring { .. } => Ok(told),
        }
    }

    /// There was no schedule yet.
    pub(super) fn before_creation(&self, collector: &mut Collector<'_, '_>) -> Result<Told, Refusal> {
        if let Some(first) = self.view.epoch(self.automation.row, 1)? {
            collector.add_epoch(&first, &self.clocks, &self.zone)?;
        }
        let why =
            format!("it was created only at {}", self.clocks.after(self.at, self.automation.created_at));
        let near = self.nearest(None, collector)?;
        Ok(self.none_because(&format!("{why}{near}")))
    }

    fn none_because(&self, why: &str) -> Told {
        let is = if self.at > self.now { "is" } else { "was" };
        let at = self.clocks.at(self.at);
        let summary = format!("{} {is} not scheduled at {at}, because {why}.", self.title);
        Told { scheduled_at: None, verdict: Verdict::NotScheduled, run: None, summary }
    }

    /// The nearest times that were scheduled, or are, as what goes behind a reason.
    fn nearest(
        &self,
        epoch: Option<&PastEpoch>,
        collector: &mut Collector<'_, '_>,
    ) -> Result<String, Refusal> {
        let Nearest { before, after } = place::nearest(self.view, self.automation.row, epoch, self.at)?;
        for (slot, which) in [(before, "last scheduled time before"), (after, "first scheduled time after")] {
            if let Some(slot) = slot {
                collector.add(slot, format!("the {which} {}", self.clocks.at(self.at)));
            }
        }
        let near = |slot| self.clocks.after(self.at, slot);
        Ok(match (before, after) {
            (Some(before), Some(after)) => format!("; the nearest are {} and {}", near(before), near(after)),
            (Some(before), None) => format!("; the last one before is {}", near(before)),
            (None, Some(after)) => format!("; the first one after is {}", near(after)),
            (None, None) => String::new(),
        })
    }
}
