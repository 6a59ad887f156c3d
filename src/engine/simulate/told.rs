//! What becomes of the slots, as it is told: so many of them, and how many there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fate::{Counts, Fate};
use super::lengths::Lengths;
use crate::domain::id::AutomationId;
use crate::domain::policy::Money;
use crate::domain::refusal::Refusal;
use crate::domain::run::{SlotRange, WaitingFor};
use crate::domain::schedule::rhythm::Schedule;
use crate::domain::simulation::{AutomationTotals, FIRES, Fire, Outcomes, Simulation, Totals};
use crate::domain::time::Timestamp;
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
    /// Up to twice as many as are told, in no order.
    fires: Vec<(Timestamp, Fate)>,
    truncated: bool,
    automations: BTreeMap<i64, OfAutomation>,
    /// What the slots of ranges are found by: the schedules of epochs, and from when on they count. None if this machine
    /// does not know the zone.
    schedules: HashMap<(i64, i64), Option<(Schedule, Timestamp)>>,
}

struct OfAutomation {
    id: AutomationId,
    outcomes: Outcomes,
    started: u32,
}

impl Told {
    pub(super) fn new(wanted: Wanted, grace_ms: i64) -> Told {
        Told {
            wanted,
            grace_ms,
            fires: Vec::new(),
            truncated: false,
            automations: BTreeMap::new(),
            schedules: HashMap::new(),
        }
    }

    /// What has become of the slots that a run answers for, which has waited for this last.
    pub(super) fn fates_of(
        &mut self,
        view: &View<'_>,
        run: &RunRow,
        waited: Option<WaitingFor>,
    ) -> Result<Vec<Fate>, Refusal> {
        self.know(view, run)?;
        let Some(range) = run.run.slots else { return Ok(Vec::new()) };
        let fate = |slots, counts| Fate::of_run(run, slots, waited, self.grace_ms, counts);
        if range.count == 1 || run.run.started_at().is_none() {
            return Ok(vec![fate(range, Counts::Run)]);
        }
        // How late each of them is taken care of is another matter.
        let each = self.slots_of((run.automation, run.epoch), range).into_iter().map(|at| {
            let counts = if at == range.to_at { Counts::Run } else { Counts::Nothing };
            fate(SlotRange { from_at: at, to_at: at, count: 1 }, counts)
        });
        Ok(each.collect())
    }

    /// What becomes of the slots that are counted on a run which has not ended.
    pub(super) fn fate_of_skipped(&mut self, view: &View<'_>, run: &RunRow) -> Result<Option<Fate>, Refusal> {
        let Some(skipped) = run.run.skipped else { return Ok(None) };
        // They may have come after an edit of the schedule.
        let automation = view.automation_at(run.automation)?;
        let epoch = automation.epoch.number;
        let schedule = automation.definition.schedule().ok();
        let schedule = schedule.map(|schedule| (schedule, automation.epoch.effective_at));
        self.schedules.entry((automation.row, epoch)).or_insert(schedule);
        Ok(Some(Fate::skipped(automation.row, epoch, skipped.slots, skipped.reason)))
    }

    /// Tells of slots as far as they are asked for.
    pub(super) fn tell(&mut self, fate: &Fate) {
        if !self.wants(fate.automation) {
            return;
        }
        let one = [fate.slots.to_at];
        let many;
        let slots = match fate.slots.count {
            1 => one.as_slice(),
            _ => {
                many = self.slots_of((fate.automation, fate.epoch), fate.slots);
                many.as_slice()
            }
        };
        let Some(of_automation) = self.automations.get_mut(&fate.automation) else { return };
        let span = self.wanted.from..=self.wanted.to;
        for at in slots.iter().filter(|at| span.contains(at)) {
            *of_automation.outcomes.entry(fate.outcome).or_default() += 1;
            self.fires.push((*at, fate.clone()));
        }
        if fate.started_at.is_some() && fate.counts == Counts::Run && span.contains(&fate.slots.to_at) {
            of_automation.started += 1;
        }
        if self.fires.len() >= 2 * FIRES {
            self.cut();
        }
    }

    /// The answer.
    pub(super) fn finish(mut self, simulated_through: Timestamp, lengths: &Lengths) -> Simulation {
        self.cut();
        let fire = |(at, fate): &(Timestamp, Fate)| Fire {
            id: self.automations[&fate.automation].id.clone(),
            at: *at,
            outcome: fate.outcome,
            reason: fate.reason,
            started_at: fate.started_at,
        };
        let fires = self.fires.iter().map(fire).collect();
        let mut totals = Totals::default();
        let mut costs: BTreeMap<String, f64> = BTreeMap::new();
        for (automation, OfAutomation { id, outcomes, started }) in self.automations {
            if outcomes.is_empty() {
                continue;
            }
            for (verdict, count) in &outcomes {
                *totals.outcomes.entry(*verdict).or_default() += count;
            }
            if totals.automations.len() < FIRES {
                totals.automations.push(AutomationTotals { id, outcomes });
            }
            if let Some(cost) = lengths.cost_of(automation) {
                *costs.entry(cost.currency).or_default() += cost.amount * f64::from(started);
            }
        }
        let costs: Vec<Money> =
            costs.into_iter().map(|(currency, amount)| Money { amount, currency }).collect();
        Simulation {
            fires,
            truncated: self.truncated || simulated_through < self.wanted.to,
            simulated_through,
            totals,
            estimated_cost: Some(costs).filter(|costs| !costs.is_empty()),
        }
    }

    fn wants(&self, automation: i64) -> bool {
        self.wanted.automations.as_ref().is_none_or(|wanted| wanted.contains(&automation))
    }

    /// Takes down what is needed to tell of a run.
    fn know(&mut self, view: &View<'_>, run: &RunRow) -> Result<(), Refusal> {
        let draft = self.wanted.draft == Some(run.automation);
        self.automations.entry(run.automation).or_insert_with(|| OfAutomation {
            id: if draft { AutomationId::from_text("") } else { run.run.automation_id.clone() },
            outcomes: Outcomes::new(),
            started: 0,
        });
        let epoch = (run.automation, run.epoch);
        if run.run.slots.is_some_and(|slots| slots.count > 1) && !self.schedules.contains_key(&epoch) {
            let effective_at = view.epoch_effective_at(run.automation, run.epoch)?;
            let schedule = run.definition.schedule().ok();
            self.schedules.insert(epoch, schedule.map(|schedule| (schedule, effective_at)));
        }
        Ok(())
    }

    /// The slots of a range, as far as they may be asked for. Beyond as many as the engine counts they are not told one by
    /// one.
    fn slots_of(&self, epoch: (i64, i64), range: SlotRange) -> Vec<Timestamp> {
        // Without the schedule only the end is known.
        let Some(Some((schedule, effective_at))) = self.schedules.get(&epoch) else {
            return vec![range.to_at];
        };
        let after = |slot: &Timestamp| schedule.next_after(*effective_at, *slot);
        std::iter::successors(after(&range.from_at.max(self.wanted.from).plus_ms(-1)), after)
            .take_while(|slot| *slot <= range.to_at.min(self.wanted.to))
            .take(usize::try_from(COUNTED_SLOTS).unwrap_or(usize::MAX))
            .collect()
    }

    /// Keeps the first of them.
    fn cut(&mut self) {
        self.fires.sort_by_key(|(at, fate)| (*at, fate.automation));
        self.truncated |= self.fires.len() > FIRES;
        self.fires.truncate(FIRES);
    }
}
