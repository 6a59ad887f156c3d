//! What an instance has to do about the runs that it was given.

use rusqlite::Row;
use serde_json::Value;

use super::{AgentOrder, Order, Ordered, ServedOrder};
use crate::domain::id::{InstanceId, RunId, SubscriptionId};
use crate::domain::run::Wish;
use crate::domain::run::machine::StopReason;
use crate::ledger::column::{View, member};
use crate::ledger::error::LedgerError;

/// The condition that an agent is to carry out the prompt `r` with its process `p`. Before it has begun that is as the
/// window has it that the run was given to. If it has neither any more, the run is taken back.
const IS_AN_AGENTS: &str = "r.provider IS NOT NULL AND p.serving IS NULL AND (p.run IS NOT NULL OR EXISTS
    (SELECT 1 FROM servings s WHERE s.instance = r.given_to AND s.provider = r.provider AND s.kind = 'acp'))";

impl View<'_> {
    /// What an instance has to do, in the order of the runs. A run that has ended is to end at once as long as its window
    /// has not said that its work has gone: the window may not have heard of it.
    pub fn orders(&self, instance: &InstanceId) -> Result<Vec<Order>, LedgerError> {
        let columns = format!(
            "r.id, p.run IS NOT NULL, r.provider IS NOT NULL, p.serving, r.given_number, {IS_AN_AGENTS}"
        );
        let sql = format!(
            "SELECT r.row, {columns}, iif(r.stopping IS NULL, NULL, {} IS 1), {}
             FROM runs r INDEXED BY runs_given LEFT JOIN processes p ON p.run = r.row
             WHERE r.given_to = ?1 AND r.completed_at IS NULL
             UNION ALL
             SELECT p.run, {columns}, 1, coalesce(r.stop_reason, {})
             FROM processes p CROSS JOIN runs r ON r.row = p.run
             WHERE p.instance = ?1 AND p.serving IS NOT NULL AND r.completed_at IS NOT NULL
             ORDER BY 1",
            member("r.stopping", "$.now"),
            member("r.stopping", "$.as"),
            member("r.error", "$.code")
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([instance.as_str()])?;
        let mut orders = Vec::new();
        while let Some(row) = rows.next()? {
            match self.order(row) {
                // Who cannot read it has nothing to do about it, and goes on with the others.
                Err(LedgerError::Unreadable { .. }) => {}
                read => orders.push(read?),
            }
        }
        Ok(orders)
    }

    fn order(&self, row: &Row<'_>) -> Result<Order, LedgerError> {
        let stopping: Option<bool> = row.get(7)?;
        let work = match (row.get(3)?, row.get(6)?) {
            (false, _) => Ordered::Guarded,
            (true, true) => Ordered::Agent(AgentOrder { answers: self.answers_to(row.get(0)?)? }),
            (true, false) => Ordered::Served(ServedOrder {
                serving: row.get::<_, Option<String>>(4)?.map(SubscriptionId::from_text),
                wish: match stopping {
                    Some(_) => Some(wish(row.get(8)?)),
                    None => None,
                },
                answers: self.answers_to(row.get(0)?)?,
            }),
        };
        let run = RunId::from_text(row.get::<_, String>(1)?);
        Ok(Order { run, given_number: row.get(5)?, work, begun: row.get(2)?, stopping })
    }
}

/// The wish that this word stands for. One that only a later version knows is a cancel to whoever carries the run out.
fn wish(word: Option<String>) -> Wish {
    let known = word.and_then(|word| serde_json::from_value(Value::String(word)).ok());
    known.unwrap_or(Wish::Stop(StopReason::Cancelled))
}
