//! What users asked for, one row for each content.

use serde_json::Value;

use super::automations::AutomationRow;
use super::column::{Tx, from_json, to_json};
use super::error::LedgerError;
use crate::domain::automation::{Definition, folded};

impl Tx<'_> {
    /// Stores another definition for the automation. Runs that were created before keep theirs; one that nothing
    /// refers to any more goes at once, so that edits alone do not make the ledger grow.
    ///
    /// What a later version wrote into the one before and this version does not know stays.
    pub fn replace_definition(
        &self,
        automation: &mut AutomationRow,
        definition: Definition,
    ) -> Result<(), LedgerError> {
        let sql = "SELECT body FROM definitions WHERE row = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let stored: String = statement.query_row([automation.definition_row], |row| row.get(0))?;
        let known = as_value(&automation.definition)?;
        let mut body = as_value(&definition)?;
        keep_unknown(&mut body, &from_json("definitions.body", &stored)?, &known);
        automation.definition = definition;
        let replaced = automation.definition_row;
        automation.definition_row = self.insert_definition(automation, to_json(&body)?)?;
        // Whoever could not decide about the automation as it was tries again.
        let sql = "UPDATE automations SET definition = ?2, title_folded = ?3, set_aside = 0 WHERE row = ?1";
        let title = folded(&automation.definition.title);
        self.execute(sql, (automation.row, automation.definition_row, title))?;
        let sql = "DELETE FROM definitions WHERE row = ?1
                     AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.definition = ?1)
                     AND NOT EXISTS (SELECT 1 FROM epochs e WHERE e.definition = ?1)";
        self.execute(sql, [replaced])?;
        Ok(())
    }

    pub(super) fn insert_definition(
        &self,
        automation: &AutomationRow,
        body: String,
    ) -> Result<i64, LedgerError> {
        let sql = "INSERT INTO definitions (automation, revision, body) VALUES (?1, ?2, ?3)";
        self.execute(sql, (automation.row, automation.revision, body))?;
        Ok(self.connection.last_insert_rowid())
    }
}

fn as_value(definition: &Definition) -> Result<Value, LedgerError> {
    serde_json::to_value(definition).map_err(|error| LedgerError::Broken(error.to_string()))
}

/// Takes over the members of `stored` that are not among those which this version understood of it. What belongs
/// to one kind of a union means nothing for another.
fn keep_unknown(new: &mut Value, stored: &Value, known: &Value) {
    let (Value::Object(new), Value::Object(stored), Value::Object(known)) = (new, stored, known) else {
        return;
    };
    if new.get("kind") != known.get("kind") {
        return;
    }
    for (name, value) in stored {
        match known.get(name) {
            None => drop(new.entry(name).or_insert_with(|| value.clone())),
            Some(known) => {
                if let Some(new) = new.get_mut(name) {
                    keep_unknown(new, value, known);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_later_version_wrote_stays_when_this_one_edits() {
        let stored = json!({"title": "a", "colour": "red", "task": {"kind": "command", "nice": 5, "env": {"A": "1"}},
            "stop": {"kind": "count", "count": 3, "of": "days"}, "policy": {"queueMs": 1, "quiet": [1]}});
        let known = json!({"title": "a", "task": {"kind": "command", "env": {"A": "1"}},
            "stop": {"kind": "count", "count": 3}, "policy": {"queueMs": 1}});
        let mut new = json!({"title": "b", "task": {"kind": "command", "env": {}}, "stop": {"kind": "never"},
            "policy": {"queueMs": 2}});
        keep_unknown(&mut new, &stored, &known);
        let expected = json!({"title": "b", "colour": "red", "task": {"kind": "command", "nice": 5, "env": {}},
            "stop": {"kind": "never"}, "policy": {"queueMs": 2, "quiet": [1]}});
        assert_eq!(new, expected);
    }
}
