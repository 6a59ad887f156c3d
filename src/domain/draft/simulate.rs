//! Reads what `automation/simulate` takes: a span, and what in it is wanted.

use super::{Draft, Surroundings, limits, read_draft, read_only_hint};
use crate::domain::fault::{Fault, Word};
use crate::domain::fields::{Faults, Fields};
use crate::domain::id::AutomationId;
use crate::domain::refusal::Refusal;
use crate::domain::sent::SentObject;
use crate::domain::simulation::SimulateRequest;

/// Reads the parameters of `automation/simulate`. Those of the draft are named as in a draft by itself.
///
/// # Errors
/// All faults: an automation that is not valid if any is in the draft, parameters that are not valid otherwise.
pub fn read_simulate(
    params: &SentObject,
    around: Surroundings<'_>,
    id_max: usize,
) -> Result<SimulateRequest, Refusal> {
    let (faults, in_draft) = (Faults::new(), Faults::new());
    let mut fields = Fields::root(params, &faults);
    let from = fields.instant("from");
    let from = fields.require("from", from);
    let to = fields.instant("to");
    let to = fields.require("to", to);
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        fields.fault_hint("to", Word::OutOfRange, format!("write a time that is not before `from`, {from}"));
    }
    let ids = fields.has("ids").then(|| read_ids(&mut fields, id_max));
    let draft = if fields.has("draft") {
        fields.required_object("draft").and_then(|draft| read_one(draft, around, &in_draft))
    } else {
        None
    };
    let assume_run_ms = fields.integer("assumeRunMs", 0..=limits::SPAN_MS);
    fields.finish(Word::UnknownValue, |_| {
        Some("this method takes `from`, `to`, `ids`, `draft` and `assumeRunMs`".to_owned())
    });
    match (from, to, in_draft.take(), faults.take()) {
        (Some(from), Some(to), in_draft, beside) if in_draft.is_empty() && beside.is_empty() => {
            Ok(SimulateRequest { from, to, ids: ids.flatten(), draft, assume_run_ms })
        }
        (_, _, in_draft, beside) if in_draft.is_empty() => Err(Refusal::InvalidParams(beside)),
        (_, _, in_draft, beside) => {
            let all: Vec<Fault> = in_draft.into_iter().chain(beside).collect();
            Err(Refusal::InvalidAutomation(all))
        }
    }
}

fn read_one(draft: &SentObject, around: Surroundings<'_>, faults: &Faults) -> Option<Draft> {
    let mut fields = Fields::root(draft, faults);
    let draft = read_draft(&mut fields, around);
    fields.finish(Word::UnsupportedAutomationField, read_only_hint);
    draft
}

fn read_ids(fields: &mut Fields<'_>, id_max: usize) -> Option<Vec<AutomationId>> {
    let ids = fields.texts("ids")?;
    if ids.is_empty() {
        fields.fault_hint("ids", Word::Required, "name at least one automation, or leave `ids` out for all");
        return None;
    }
    if ids.len() > limits::SIMULATED {
        let hint = format!("name at most {}, or leave `ids` out for all", limits::SIMULATED);
        fields.fault_hint("ids", Word::TooLong, hint);
        return None;
    }
    let mut named = Vec::new();
    for (index, id) in ids.into_iter().enumerate() {
        fields.at_most(&format!("ids[{index}]"), &id, id_max)?;
        named.push(AutomationId::from_text(id));
    }
    Some(named)
}
