//! What a run costs. An agent tells what its session has cost, in all.

use serde_json::Value;

use crate::domain::policy::Money;

pub(super) struct Spending {
    /// What the session had cost before the prompt.
    before: Option<Money>,
    told: Option<Money>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    BeforeThePrompt,
    /// Nothing has been told since.
    JustPrompted,
    AtWork,
}

impl Spending {
    pub(super) fn new(spent_before: Option<Money>) -> Self {
        Spending { before: spent_before, told: None, phase: Phase::BeforeThePrompt }
    }

    /// The session is a new one: it has cost nothing that was not told here.
    pub(super) fn begin_anew(&mut self) {
        self.before = None;
    }

    pub(super) fn prompted(&mut self) {
        self.phase = Phase::JustPrompted;
    }

    /// Reads a usage update. Answers what the run has cost, if that is more than was known.
    pub(super) fn hear(&mut self, update: &Value) -> Option<Money> {
        let cost = read(update.get("cost")?)?;
        match self.phase {
            Phase::BeforeThePrompt => {
                self.before = Some(cost);
                return None;
            }
            Phase::JustPrompted => {
                self.phase = Phase::AtWork;
                // Some count anew with each process.
                if self.before.as_ref().is_some_and(|before| before.amount > cost.amount) {
                    self.before = None;
                }
            }
            Phase::AtWork => {}
        }
        let before = self.before.as_ref().filter(|before| before.currency == cost.currency);
        let amount = (cost.amount - before.map_or(0.0, |before| before.amount)).max(0.0);
        let is_news = match &self.told {
            None => amount > 0.0,
            Some(told) => told.currency != cost.currency || amount > told.amount,
        };
        is_news.then(|| {
            let money = Money { amount, currency: cost.currency };
            self.told = Some(money.clone());
            money
        })
    }
}

fn read(cost: &Value) -> Option<Money> {
    let amount = cost.get("amount")?.as_f64().filter(|amount| amount.is_finite() && *amount >= 0.0)?;
    let currency = cost.get("currency")?.as_str()?.trim().to_uppercase();
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then_some(Money { amount, currency })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cost(amount: f64) -> Value {
        json!({"cost": {"amount": amount, "currency": "USD"}})
    }

    fn dollars(amount: f64) -> Option<Money> {
        Some(Money { amount, currency: "USD".to_owned() })
    }

    #[test]
    fn what_the_session_had_cost_before_is_not_of_the_run() {
        let mut spending = Spending::new(dollars(1.0));
        spending.prompted();
        assert_eq!(spending.hear(&cost(1.25)), dollars(0.25));
        assert_eq!(spending.hear(&cost(1.5)), dollars(0.5));
    }

    #[test]
    fn what_the_agent_tells_before_the_prompt_is_better_than_what_was_known() {
        let mut spending = Spending::new(dollars(1.0));
        assert_eq!(spending.hear(&cost(2.0)), None);
        spending.prompted();
        assert_eq!(spending.hear(&cost(2.5)), dollars(0.5));
    }

    #[test]
    fn an_agent_that_counts_anew_is_believed() {
        let mut spending = Spending::new(dollars(1.0));
        spending.prompted();
        assert_eq!(spending.hear(&cost(0.25)), dollars(0.25));
        assert_eq!(spending.hear(&cost(1.25)), dollars(1.25));
    }

    #[test]
    fn a_new_session_has_cost_nothing() {
        let mut spending = Spending::new(dollars(1.0));
        spending.begin_anew();
        spending.prompted();
        assert_eq!(spending.hear(&cost(1.5)), dollars(1.5));
    }

    #[test]
    fn costs_only_rise_and_are_told_once() {
        let mut spending = Spending::new(None);
        spending.prompted();
        assert_eq!(spending.hear(&cost(0.0)), None);
        assert_eq!(spending.hear(&cost(0.5)), dollars(0.5));
        for known in [0.5, 0.25] {
            assert_eq!(spending.hear(&cost(known)), None);
        }
    }

    #[test]
    fn what_is_no_cost_is_none() {
        let mut spending = Spending::new(None);
        spending.prompted();
        for odd in [
            json!({"used": 1, "size": 2}),
            json!({"cost": null}),
            json!({"cost": {"amount": "1", "currency": "USD"}}),
            json!({"cost": {"amount": -1.0, "currency": "USD"}}),
            json!({"cost": {"amount": 1.0}}),
            json!({"cost": {"amount": 1.0, "currency": "credits"}}),
        ] {
            assert_eq!(spending.hear(&odd), None, "{odd}");
        }
    }
}
