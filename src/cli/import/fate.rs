//! What became of each automation of a document.

use serde_json::{Value, json};

use crate::cli::named::quoted;
use crate::cli::show::{Style, Tone};
use crate::domain::one_line::one_line;

/// The most characters of what is to be known of one: a name of a field, and what is wrong there.
const DETAIL: usize = 1500;

/// An automation of a document, and what became of it.
pub(super) struct Imported {
    pub(super) title: String,
    pub(super) fate: Fate,
}

/// What became of it.
pub(super) enum Fate {
    /// It is there now; without values for these variables it is paused.
    Created { id: String, missing: Vec<String> },
    /// It would be.
    WouldBeCreated { missing: Vec<String> },
    /// These fields of the one that was there are other ones now.
    Updated { id: String, fields: Vec<String>, missing: Vec<String> },
    /// They would be.
    WouldBeUpdated { id: String, fields: Vec<String>, missing: Vec<String> },
    /// Nothing was to be done, for this reason.
    Skipped(String),
    /// It cannot be made, for all of these reasons.
    Refused(Vec<String>),
}

impl Fate {
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Fate::Refused(_) => true,
            Fate::Created { .. }
            | Fate::WouldBeCreated { .. }
            | Fate::Updated { .. }
            | Fate::WouldBeUpdated { .. }
            | Fate::Skipped(_) => false,
        }
    }

    fn word(&self) -> (&'static str, Tone) {
        match self {
            Fate::Created { .. } => ("created", Tone::Good),
            Fate::WouldBeCreated { .. } => ("would be created", Tone::Good),
            Fate::Updated { .. } => ("changed", Tone::Good),
            Fate::WouldBeUpdated { .. } => ("would be changed", Tone::Good),
            Fate::Skipped(_) => ("skipped", Tone::Faint),
            Fate::Refused(_) => ("refused", Tone::Bad),
        }
    }

    /// What is to be known of it beside that.
    fn details(&self) -> Vec<String> {
        let beside = |fields: &[String], missing: &[String]| {
            let changed = (!fields.is_empty()).then(|| format!("other now: {}", fields.join(", ")));
            let lacks = (!missing.is_empty()).then(|| lacks(missing));
            changed.into_iter().chain(lacks).collect()
        };
        match self {
            Fate::Created { missing, .. } | Fate::WouldBeCreated { missing } => {
                let paused = (!missing.is_empty()).then(|| "it is paused".to_owned());
                paused.into_iter().chain(beside(&[], missing)).collect()
            }
            Fate::Updated { fields, missing, .. } | Fate::WouldBeUpdated { fields, missing, .. } => {
                beside(fields, missing)
            }
            Fate::Skipped(why) => vec![why.clone()],
            Fate::Refused(faults) => faults.clone(),
        }
    }

    fn id(&self) -> Option<&str> {
        match self {
            Fate::Created { id, .. } | Fate::Updated { id, .. } | Fate::WouldBeUpdated { id, .. } => Some(id),
            Fate::WouldBeCreated { .. } | Fate::Skipped(_) | Fate::Refused(_) => None,
        }
    }
}

/// That it lacks values, and how it gets them.
pub(super) fn lacks(missing: &[String]) -> String {
    format!("it lacks a value for {}: `sexton edit` gives it one with --env NAME=VALUE", missing.join(", "))
}

impl Imported {
    /// The same as an object.
    pub(super) fn for_programs(&self) -> Value {
        let mut told =
            json!({"title": self.title, "outcome": self.fate.word().0, "details": self.fate.details()});
        if let Some(id) = self.fate.id() {
            told["automationID"] = json!(id);
        }
        told
    }
}

/// A line for each, what is to be known of it below it, and the sum.
pub(super) fn report(all: &[Imported], style: Style) -> String {
    let mut text = String::new();
    let mut sums: Vec<(&str, usize)> = Vec::new();
    for Imported { title, fate } in all {
        let (word, tone) = fate.word();
        match sums.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => sums.push((word, 1)),
        }
        let id = fate.id().map(|id| format!(", {}", style.faint(id)));
        text.push_str(&format!("{} {}{}\n", style.toned(tone, word), quoted(title), id.unwrap_or_default()));
        for detail in fate.details() {
            text.push_str(&format!("  {}\n", one_line(&detail, DETAIL)));
        }
    }
    let sums: Vec<String> = sums.iter().map(|(word, count)| format!("{count} {word}")).collect();
    match sums.is_empty() {
        true => "There are no automations in it.\n".to_owned(),
        false => format!("{text}{}\n", style.faint(&sums.join(", "))),
    }
}
