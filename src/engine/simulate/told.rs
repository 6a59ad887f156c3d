//! What has become of the slots, as it is told: so many of them, and how many there are.

use std::collections::{BTreeMap, BTreeSet};

use super::play::Play;
use crate::domain::id::AutomationId;
use crate::domain::policy::Money;
use crate::domain::refusal::Refusal;
use crate::domain::run::{SlotRange, WaitingFor};
use crate::domain::schedule::rhythm::Schedule;
use crate::domain::simulation::{AutomationTotals, FIRES, Fire, Outcomes, Reason, Simulation, Totals};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::engine::settle::COUNTED_SLOTS;
use crate::ledger::{RunRow, View};

/// Which slots are asked for.
pub(super) struct Wanted {
    /// The first.
    pub(super) from: Timestamp,
    /// The last.
    pub(super) to: Timestamp,
    /// Of which automations, by their places; of all if there is nothing.
    pub(super) automations: Option<BTreeSet<i64>>,
    /// The draft's place.
    pub(super) draft: Option<i64>,
}

/// See the module.
pub(super) struct Told {
    wanted: Wanted,
    grace_ms: i64,
    /// The automation's place and the fire. Up to twice as many as are told, in no order.
    fires: Vec<(i64, Fire)>,
    truncated: bool,
    by_automation: BTreeMap<i64, OfAutomation>,
}

struct OfAutomation {
    id: AutomationId,
    outcomes: Outcomes,
    started: u32,
}

impl Told {
    pub(super) fn new(wanted: Wanted, grace_ms: i64) -> Told {
        Told { wanted, grace_ms, fires: Vec::new(), truncated: false, by_automation: BTreeMap::new() }
    }

    /// What has become of the slots that a run answers for, which has waited for this last.
    pub(super) fn run(
        &mut self,
        view: &View<'_>,
        run: &RunRow,
        waited: Option<WaitingFor>,
    ) -> Result<(), Refusal> {
        let Some(range) = run.run.slots.filter(|_| self.wants(run.automation)) else { return Ok(()) };
        let started_at = run.run.started_at();
        let slots = match range.count {
            1 => vec![range.to_at],
            _ => {
                let effective_at = view.epoch_effective_at(run.automation, run.epoch)?;
                self.slots_of(range, run.definition.schedule().ok(), effective_at)
            }
        };
        for at in slots {
            let outcome = Verdict::of_run(&run.run, at, self.grace_ms);
            let reason = Reason::of_run(&run.run, outcome, waited);
            self.slot(run, Fire { id: run.run.automation_id.clone(), at, outcome, reason, started_at });
        }
        if started_at.is_some()
            && self.is_in_span(range.to_at)
            && let Some(of_automation) = self.by_automation.get_mut(&run.automation)
        {
            of_automation.started += 1;
        }
        Ok(())
    }

    /// The slots that were counted on a run that is still active.
    pub(super) fn skipped_behind(&mut self, view: &View<'_>, run: &RunRow) -> Result<(), Refusal> {
        let Some(skipped) = run.run.skipped.filter(|_| self.wants(run.automation)) else { return Ok(()) };
        let automation = view.automation_at(run.automation)?;
        let schedule = automation.definition.schedule().ok();
        for at in self.slots_of(skipped.slots, schedule, automation.epoch.effective_at) {
            let outcome = Verdict::Overlapped;
            let reason = Some(Reason::Stopped(skipped.reason));
            let id = run.run.automation_id.clone();
            self.slot(run, Fire { id, at, outcome, reason, started_at: None });
        }
        Ok(())
    }

    /// The answer.
    pub(super) fn finish(mut self, simulated_through: Timestamp, play: &Play<'_>) -> Simulation {
        self.cut();
        let mut totals = Totals::default();
        let mut costs: BTreeMap<String, f64> = BTreeMap::new();
        for (automation, OfAutomation { id, outcomes, started }) in self.by_automation {
            for (verdict, count) in &outcomes {
                *totals.outcomes.entry(*verdict).or_default() += count;
            }
            if totals.automations.len() < FIRES {
                totals.automations.push(AutomationTotals { id, outcomes });
            }
            if let Some(cost) = play.cost_of(automation) {
                *costs.entry(cost.currency).or_default() += cost.amount * f64::from(started);
            }
        }
        let estimated_cost: Vec<Money> =
            costs.into_iter().map(|(currency, amount)| Money { amount, currency }).collect();
        Simulation {
            fires: self.fires.into_iter().map(|(_, fire)| fire).collect(),
            truncated: self.truncated || simulated_through < self.wanted.to,
            simulated_through,
            totals,
            estimated_cost: Some(estimated_cost).filter(|costs| !costs.is_empty()),
        }
    }

    fn wants(&self, automation: i64) -> bool {
        self.wanted.automations.as_ref().is_none_or(|wanted| wanted.contains(&automation))
    }

    fn is_in_span(&self, at: Timestamp) -> bool {
        self.wanted.from <= at && at <= self.wanted.to
    }

    /// The slots of a range that are asked for. Beyond as many as the engine counts they are not told one by one.
    fn slots_of(
        &self,
        range: SlotRange,
        schedule: Option<Schedule>,
        effective_at: Timestamp,
    ) -> Vec<Timestamp> {
        // A zone that this machine no longer knows: only the ends are known.
        let Some(schedule) = schedule else { return vec![range.to_at] };
        let before = range.from_at.max(self.wanted.from).plus_ms(-1);
        let after = |slot: &Timestamp| schedule.next_after(effective_at, *slot);
        std::iter::successors(after(&before), after)
            .take_while(|slot| *slot <= range.to_at.min(self.wanted.to))
            .take(usize::try_from(COUNTED_SLOTS).unwrap_or(usize::MAX))
            .collect()
    }

    fn slot(&mut self, run: &RunRow, mut fire: Fire) {
        if !self.is_in_span(fire.at) {
            return;
        }
        if self.wanted.draft == Some(run.automation) {
            fire.id = AutomationId::from_text("");
        }
        let of_automation = self.by_automation.entry(run.automation).or_insert_with(|| OfAutomation {
            id: fire.id.clone(),
            outcomes: Outcomes::new(),
            started: 0,
        });
        *of_automation.outcomes.entry(fire.outcome).or_default() += 1;
        self.fires.push((run.automation, fire));
        if self.fires.len() >= 2 * FIRES {
            self.cut();
        }
    }

    /// Keeps the first of them.
    fn cut(&mut self) {
        self.fires.sort_by_key(|(automation, fire)| (fire.at, *automation));
        self.truncated |= self.fires.len() > FIRES;
        self.fires.truncate(FIRES);
    }
}
