//! What an instance has to do about the runs that it was given.

use serde_json::Value;

use super::{Order, Ordered, ServedOrder};
use crate::domain::id::{InstanceId, RunId, SubscriptionId};
use crate::domain::run::Wish;
use crate::domain::run::machine::StopReason;
use crate::ledger::column::View;
use crate::ledger::error::LedgerError;

/// What is read of the run `r` with its process `p`, and first of all its place.
const COLUMNS: &str = "r.id, p.run IS NOT NULL, r.provider IS NOT NULL, p.serving, r.given_number";

impl View<'_> {
    /// What an instance has to do, in the order of the runs. A run that has ended is to end at once as long as its window
    /// has not said that its work has gone: the window may not have heard of it.
    pub fn orders(&self, instance: &InstanceId) -> Result<Vec<Order>, LedgerError> {
        let sql = format!(
            "SELECT r.row, {COLUMNS}, r.stopping ->> '$.now', r.stopping ->> '$.as'
             FROM runs r INDEXED BY runs_given LEFT JOIN processes p ON p.run = r.row
             WHERE r.given_to = ?1 AND r.completed_at IS NULL
             UNION ALL
             SELECT p.run, {COLUMNS}, 1, coalesce(r.stop_reason, r.error ->> '$.code')
             FROM processes p CROSS JOIN runs r ON r.row = p.run
             WHERE p.instance = ?1 AND p.serving IS NOT NULL AND r.completed_at IS NOT NULL
             ORDER BY 1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([instance.as_str()])?;
        let mut orders = Vec::new();
        while let Some(row) = rows.next()? {
            let stopping: Option<bool> = row.get(6)?;
            let work = match row.get(3)? {
                false => Ordered::Guarded,
                true => Ordered::Served(ServedOrder {
                    serving: row.get::<_, Option<String>>(4)?.map(SubscriptionId::from_text),
                    wish: match stopping {
                        Some(_) => Some(wish(row.get(7)?)),
                        None => None,
                    },
                    answers: self.answers_to(row.get(0)?)?,
                }),
            };
            let run = RunId::from_text(row.get::<_, String>(1)?);
            orders.push(Order { run, given_number: row.get(5)?, work, begun: row.get(2)?, stopping });
        }
        Ok(orders)
    }
}

/// The wish that this word stands for. One that only a later version knows is a cancel to whoever carries the run out.
fn wish(word: Option<String>) -> Wish {
    let known = word.and_then(|word| serde_json::from_value(Value::String(word)).ok());
    known.unwrap_or(Wish::Stop(StopReason::Cancelled))
}
