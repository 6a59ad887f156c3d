//! A slot that was missed: what was in the way, and what settled it.

use super::Case;
use super::cause::Meanwhile;
use super::outcome::times;
use super::words::{by, paused};
use crate::domain::automation::EpochEnd;
use crate::domain::policy::Missed;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::ledger::{PastEpoch, RunRow};

impl Case<'_, '_> {
    /// Nothing of it was started, because it was settled too late.
    pub(super) fn missed(
        &self,
        epoch: &PastEpoch,
        slot: Timestamp,
        record: &RunRow,
        meanwhile: &Meanwhile,
    ) -> Result<String, Refusal> {
        let one_of = match record.run.slots {
            Some(slots) if slots.count > 1 => format!(" It is one of {} that were missed.", times(slots)),
            Some(_) | None => String::new(),
        };
        let (title, due) = (&self.title, self.clocks.at(slot));
        if let Some((how, what)) = self.settled_by(epoch, slot, record)? {
            return Ok(match meanwhile.known_cause(&self.clocks) {
                Some(cause) => {
                    format!(
                        "{title} was missed at {due}, because {cause}; then it {how}, and {what} starts nothing.{one_of}"
                    )
                }
                None => format!(
                    "{title} was missed at {due}, because it {how} before anybody had decided about that, and {what} starts nothing.{one_of}"
                ),
            });
        }
        let cause = meanwhile.cause(&self.clocks);
        let settled = self.clocks.after(slot, record.run.triggered_at);
        let then = match record.definition.policy.missed {
            Missed::Skip => "what is missed is not made up for (policy.missed: skip)".to_owned(),
            Missed::RunOnce { .. } => format!("at {settled} it was too late to make up for it"),
        };
        Ok(format!("{title} was missed at {due}, because {cause}; {then}.{one_of}"))
    }

    /// The pause or the deletion that settled what nobody had decided about, as a clause, and what to call it.
    fn settled_by(
        &self,
        epoch: &PastEpoch,
        slot: Timestamp,
        record: &RunRow,
    ) -> Result<Option<(String, &'static str)>, Refusal> {
        let Some(ended_at) = epoch.epoch.ended_at.filter(|ended| *ended == record.run.triggered_at) else {
            return Ok(None);
        };
        let at = format!(" at {}", self.clocks.after(slot, ended_at));
        Ok(match &epoch.ended {
            Some(EpochEnd::Paused(pause)) => Some((paused(pause, &at), "a pause")),
            Some(EpochEnd::Deleted) => {
                let by = by(self.view.who_deleted(record.automation)?.as_ref());
                Some((format!("was deleted{by}, which was done{at},"), "a deletion"))
            }
            Some(EpochEnd::Edited | EpochEnd::Clock | EpochEnd::Count) | None => None,
        })
    }
}
