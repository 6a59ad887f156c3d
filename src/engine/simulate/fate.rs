//! What becomes of the slots that one run answers for.

use crate::domain::run::machine::StopReason;
use crate::domain::run::{SlotRange, WaitingFor};
use crate::domain::simulation::Reason;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::ledger::RunRow;

/// The same becomes of all of these slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// The automation's place.
    pub(super) automation: i64,
    /// The schedule epoch that the slots belong to.
    pub(super) epoch: i64,
    pub(super) slots: SlotRange,
    pub(super) outcome: Verdict,
    pub(super) reason: Option<Reason>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) counts: Counts,
}

/// Whether a run is counted with its slots that was started: one that answers for many is there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Run,
    Nothing,
}

impl Fate {
    /// What becomes of one of the slots of a run that has waited for this last, or of all of them if it is the same.
    pub(super) fn of_run(
        run: &RunRow,
        slots: SlotRange,
        waited: Option<WaitingFor>,
        grace_ms: i64,
        counts: Counts,
    ) -> Fate {
        let outcome = Verdict::of_run(&run.run, slots.to_at, grace_ms);
        Fate {
            automation: run.automation,
            epoch: run.epoch,
            slots,
            outcome,
            reason: Reason::of_run(&run.run, outcome, waited),
            started_at: run.run.started_at(),
            counts,
        }
    }

    /// What becomes of slots that are counted on a run which has not ended.
    pub(super) fn skipped(automation: i64, epoch: i64, slots: SlotRange, reason: StopReason) -> Fate {
        Fate {
            automation,
            epoch,
            slots,
            outcome: Verdict::Overlapped,
            reason: Some(Reason::Stopped(reason)),
            started_at: None,
            counts: Counts::Nothing,
        }
    }

    /// The same so much later.
    pub(super) fn later_by(&self, ms: i64) -> Fate {
        let SlotRange { from_at, to_at, count } = self.slots;
        Fate {
            slots: SlotRange { from_at: from_at.plus_ms(ms), to_at: to_at.plus_ms(ms), count },
            started_at: self.started_at.map(|at| at.plus_ms(ms)),
            ..self.clone()
        }
    }
}
