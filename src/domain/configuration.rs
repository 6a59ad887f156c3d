//! What a user configures once for all projects, in a file of their own.
//!
//! This version takes nothing from it, because it starts no agents itself. What it cannot do it says, so that nobody
//! waits for an agent that is never started.

use super::fault::{Fault, Word};
use super::fields::{Faults, Fields};
use super::sent::SentObject;

/// Reads what the file says.
///
/// # Errors
/// All faults at once.
pub fn read(file: &SentObject) -> Result<(), Vec<Fault>> {
    let faults = Faults::new();
    let mut fields = Fields::root(file, &faults);
    read_providers(&mut fields);
    fields.finish(Word::UnknownValue, |_| Some("the configuration file has `providers` only".to_owned()));
    match faults.take() {
        faults if faults.is_empty() => Ok(()),
        faults => Err(faults),
    }
}

/// Reads the agents that prompts are to be given to.
pub fn read_providers(fields: &mut Fields<'_>) {
    let Some(providers) = fields.object("providers") else { return };
    for (id, _) in providers.entries() {
        let hint = "this version starts no agents; leave it out, and have a window serve the provider";
        providers.fault_hint(id, Word::NotAvailableYet, hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<(), Vec<Fault>> {
        read(&SentObject::parse(text).unwrap())
    }

    #[test]
    fn what_asks_for_nothing_is_in_order() {
        assert_eq!(read_text("{}"), Ok(()));
        assert_eq!(read_text(r#"{"providers": {}}"#), Ok(()));
    }

    #[test]
    fn every_fault_is_told() {
        let text = r#"{"providers": {"a": {"command": ["agent"]}, "b": 1}, "theme": "dark", "twice": 1, "twice": 2}"#;
        let faults = read_text(text).unwrap_err();
        let told: Vec<String> =
            faults.iter().map(|fault| format!("{} {:?}", fault.field, fault.message)).collect();
        assert_eq!(
            told,
            [
                "providers.a NotAvailableYet",
                "providers.b NotAvailableYet",
                "theme UnknownValue",
                "twice UnknownValue"
            ]
        );
        let faults = read_text(r#"{"providers": []}"#).unwrap_err();
        assert_eq!((faults[0].field.as_str(), faults[0].message), ("providers", Word::WrongType));
    }
}
