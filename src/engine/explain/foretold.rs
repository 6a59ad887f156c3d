//! What a simulation tells of a time that is to come.

use super::outcome::{NOTICED_MS, waited};
use super::words::by;
use super::{Case, Told};
use crate::domain::automation::When;
use crate::domain::id::AutomationId;
use crate::domain::run::machine::StopReason;
use crate::domain::schedule::rhythm::Stop;
use crate::domain::simulation::{Fire, Reason, SimulateRequest, Simulation};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::ledger::PastEpoch;

/// How long after the slot it is looked what has become of it, in milliseconds: as long as runs wait unless their policy
/// says otherwise.
const LOOKED_AFTER_MS: i64 = 3_600_000;

/// What is known of a slot that is to come.
#[derive(Clone, Debug)]
pub enum Foretold {
    /// Nothing: that was not found out, or would have taken too long.
    Nothing,
    /// This will become of it, as things stand.
    Fire(Fire),
    /// By then the schedule will be over, as things stand.
    Over,
}

impl Foretold {
    /// What has to be simulated to know it.
    pub fn question(id: &AutomationId, slot: Timestamp) -> SimulateRequest {
        SimulateRequest {
            from: slot,
            to: slot.plus_ms(LOOKED_AFTER_MS).min(Timestamp::MAX),
            ids: Some(vec![id.clone()]),
            draft: None,
            assume_run_ms: None,
        }
    }

    /// What has come of that.
    pub fn by(simulation: Simulation, slot: Timestamp) -> Foretold {
        let reached = simulation.simulated_through >= slot;
        match simulation.fires.into_iter().find(|fire| fire.at == slot) {
            Some(fire) => Foretold::Fire(fire),
            None if reached => Foretold::Over,
            None => Foretold::Nothing,
        }
    }
}

impl Case<'_, '_> {
    /// A slot of the schedule that is in force and that is still to come.
    pub(super) fn to_come(&self, epoch: &PastEpoch, slot: Timestamp) -> Told {
        let (title, due) = (&self.title, self.clocks.at(slot));
        if let Some(wish) = &self.automation.deleting {
            let by = by(Some(&wish.by));
            let summary = format!("{title} would be due at {due}, and is being deleted{by}.");
            return Told::of(slot, Verdict::Future, summary);
        }
        let will_be_due = format!("{title} will be due at {due}");
        match (self.foretold, &epoch.definition.when) {
            (Foretold::Over, When::Recurring { stop: Stop::Count(_), .. }) => {
                let summary =
                    format!("{title} will be over by {due}, as things stand: it will have had all its runs.");
                Told::of(slot, Verdict::Ended, summary)
            }
            (Foretold::Nothing | Foretold::Over, _) => {
                Told::of(slot, Verdict::Future, format!("{will_be_due}."))
            }
            (Foretold::Fire(fire), _) => {
                let fate = self.fate(slot, fire);
                Told::of(slot, Verdict::Future, format!("{will_be_due}; as things stand, {fate}."))
            }
        }
    }

    /// What will become of it, as a clause.
    fn fate(&self, slot: Timestamp, fire: &Fire) -> String {
        let start = fire.started_at.map(|at| self.clocks.after(slot, at));
        let wait = match fire.reason {
            Some(Reason::Waited(what)) => Some(waited(what)),
            Some(Reason::Stopped(_) | Reason::Failed(_)) | None => None,
        };
        let starts_later = fire.started_at.is_some_and(|at| at.since_ms(slot) >= NOTICED_MS);
        match (fire.outcome, start, wait) {
            (Verdict::Ran, Some(start), _) if starts_later => format!("it will start at {start}"),
            (Verdict::Ran, _, _) => "it will run then".to_owned(),
            (Verdict::RanLate, Some(start), Some(wait)) => {
                format!("it will start only at {start}, after it has waited {wait}")
            }
            (Verdict::RanLate, Some(start), None) => format!("it will start only at {start}"),
            (Verdict::RanLate, None, _) => "it will start later than that".to_owned(),
            (Verdict::Waiting, _, Some(wait)) => format!("it will wait {wait}"),
            (Verdict::Waiting, _, None) => "it will wait".to_owned(),
            (Verdict::Overlapped, _, _) if fire.reason == Some(Reason::Stopped(StopReason::Superseded)) => {
                "its run will make way for the next one".to_owned()
            }
            (Verdict::Overlapped, _, _) => {
                "it will not run then, because its previous run will still be active".to_owned()
            }
            (Verdict::Busy, _, _) => {
                "it will not run then, because others will be at work for too long".to_owned()
            }
            (Verdict::Ended, _, _) => "it will have had all its runs by then".to_owned(),
            (
                Verdict::NotStarted
                | Verdict::Missed
                | Verdict::Paused
                | Verdict::Deleted
                | Verdict::Pruned
                | Verdict::Future
                | Verdict::NotScheduled,
                _,
                _,
            ) => "it will not be started then".to_owned(),
        }
    }
}
