//! How long runs take, and what they cost, as far as it is known from those before them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::domain::policy::Money;
use crate::domain::refusal::Refusal;
use crate::domain::simulation::SimulateRequest;
use crate::ledger::{MemoryCopy, PastRuns, View};

/// How long the runs of an automation take of which none has run yet, in milliseconds.
const UNKNOWN_MS: i64 = 60_000;

/// See the module. By the places of automations.
pub(super) struct Lengths {
    past: BTreeMap<i64, PastRuns>,
    assumed_ms: Option<i64>,
}

impl Lengths {
    /// What is known of all automations that may run.
    pub(super) fn known(
        view: &View<'_>,
        copy: &MemoryCopy,
        request: &SimulateRequest,
    ) -> Result<Lengths, Refusal> {
        let mut past = BTreeMap::new();
        let due = copy.tx().due_automations(request.to, usize::MAX)?;
        let active = copy.active_runs()?.into_iter().map(|run| run.automation);
        for automation in due.into_iter().chain(active) {
            if let Entry::Vacant(unknown) = past.entry(automation) {
                unknown.insert(view.past_runs(automation)?);
            }
        }
        Ok(Lengths { past, assumed_ms: request.assume_run_ms })
    }

    /// How long a run of this automation takes, in milliseconds.
    pub(super) fn of(&self, automation: i64) -> i64 {
        let known = || median(self.past.get(&automation)?.lengths_ms.clone());
        self.assumed_ms.or_else(known).unwrap_or(UNKNOWN_MS)
    }

    /// What a run of this automation costs on the average, in the currency in which it was paid last.
    pub(super) fn cost_of(&self, automation: i64) -> Option<Money> {
        let costs = &self.past.get(&automation)?.costs;
        let currency = costs.first()?.currency.clone();
        let amounts = costs.iter().filter(|cost| cost.currency == currency).map(|cost| cost.amount);
        let (count, sum) = amounts.fold((0.0, 0.0), |(count, sum), amount| (count + 1.0, sum + amount));
        Some(Money { amount: sum / count, currency })
    }
}

/// The middle one; of two the mean.
fn median(mut lengths_ms: Vec<i64>) -> Option<i64> {
    lengths_ms.sort_unstable();
    let upper = *lengths_ms.get(lengths_ms.len() / 2)?;
    let lower = lengths_ms[(lengths_ms.len() - 1) / 2];
    Some(i64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![7]), Some(7));
        assert_eq!(median(vec![9, 1, 5]), Some(5));
        assert_eq!(median(vec![100, 1, 5, 8]), Some(6));
    }
}
