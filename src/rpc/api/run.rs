//! `run/…`: what became of it.

use jsonrpsee::Extensions;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use schemars::JsonSchema;
use serde::Serialize;

use super::bounds::{ANSWER_MAX, OUTPUT_DEFAULT, OUTPUT_MAX, RUNS_DEFAULT, RUNS_MAX};
use super::looks::Look;
use super::report::read_report;
use super::table::Table;
use super::{handled, page_on_the_wire, refused};
use crate::domain::draft::limits::AGENT_NAME;
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::provider::Choice;
use crate::domain::refusal::Refusal;
use crate::domain::request::{ListRuns, OutputRequest, ReportRequest, RespondRequest};
use crate::domain::run::Asked;
use crate::domain::run::machine::State;
use crate::domain::sent::INTEGER_MAX;
use crate::rpc::backend::{Backend, OutputPart};
use crate::rpc::caller::Caller;
use crate::rpc::cursor::{self, List};
use crate::rpc::output::{Piece, Rest};
use crate::rpc::params;

/// The methods here that look and change nothing.
pub(super) const LOOKS: &[(&str, Look)] =
    &[("run/get", Look::One), ("run/list", Look::Page { default: RUNS_DEFAULT }), ("run/output", Look::One)];

pub(super) fn register<B: Backend>(module: &mut Table<B>) -> Result<(), RegisterMethodError> {
    module.register_async_method("run/get", |params, backend, _| async move {
        let id = params::read(&params, "`id`", |fields| params::run_id(fields, "id"));
        handled(backend.run_by_id(id.map_err(refused)?).await)
    })?;
    module.register_async_method("run/list", |params, backend, _| async move {
        let wanted = read_list(&params, &*backend).map_err(refused)?;
        let page = backend.runs(wanted).await;
        handled(page.map(|page| page_on_the_wire(List::Runs, page, &*backend)))
    })?;
    module.register_async_method("run/cancel", |params, backend, extensions| async move {
        let read = params::read(&params, "`id` and `insideRun`", |fields| {
            let id = params::run_id(fields, "id");
            let by = params::caller(fields, &extensions);
            Some((id?, by))
        });
        let (id, by) = read.map_err(refused)?;
        handled(backend.cancel(id, by).await)
    })?;
    module.register_async_method("run/respond", |params, backend, extensions| async move {
        let (request, by) = read_respond(&params, &extensions).map_err(refused)?;
        handled(backend.respond(request, by).await)
    })?;
    module.register_async_method("run/report", |params, backend, extensions| async move {
        let read = params::read(&params, "`runID`, `report` and `insideRun`", |fields| {
            let run = params::run_id(fields, "runID");
            let reported = read_report(fields, "report");
            let by = params::caller(fields, &extensions);
            Some((ReportRequest { run: run?, reported: reported? }, by))
        });
        let (request, by) = read.map_err(refused)?;
        handled(backend.report(request, by).await.map(|()| Taken {}))
    })?;
    module.register_async_method("run/output", |params, backend, _| async move {
        let wanted = read_output(&params).map_err(refused)?;
        handled(backend.output(wanted).await.map(|part| OutputOnTheWire::from(&part)))
    })?;
    Ok(())
}

/// Exactly one of each pair: which request or call, and which option or words.
fn read_respond(params: &Params<'_>, extensions: &Extensions) -> Result<(RespondRequest, Caller), Refusal> {
    let known = "`id`, `requestID` or `callID`, `optionID` or `text`, and `insideRun`";
    params::read(params, known, |fields| {
        let id = params::run_id(fields, "id");
        let request_id = fields.short_text("requestID", AGENT_NAME).map(str::to_owned);
        let call_id = fields.short_text("callID", AGENT_NAME).map(str::to_owned);
        let asked = match (request_id, call_id) {
            (Some(request_id), None) => Some(Asked::Request { request_id }),
            (None, call_id) => call_id.map(|call_id| Asked::Call { call_id }),
            (Some(_), Some(_)) => None,
        };
        one_of_both(fields, ["requestID", "callID"]);
        let option_id = fields.short_text("optionID", AGENT_NAME).map(str::to_owned);
        let text = fields.required_if_sent("text").and_then(|text| fields.at_most("text", text, ANSWER_MAX));
        let choice = match (option_id, text) {
            (Some(option_id), None) => Some(Choice::Option { option_id }),
            (None, text) => text.map(|text| Choice::Text { text: text.to_owned() }),
            (Some(_), Some(_)) => None,
        };
        one_of_both(fields, ["optionID", "text"]);
        let by = params::caller(fields, extensions);
        Some((RespondRequest { run: id?, asked: asked?, choice: choice? }, by))
    })
}

fn one_of_both(fields: &Fields<'_>, names: [&str; 2]) {
    let [first, second] = names;
    match (fields.has(first), fields.has(second)) {
        (false, false) => {
            fields.fault_hint(first, Word::Required, format!("or `{second}`, as the blocker asks"))
        }
        (true, true) => {
            fields.fault_hint(second, Word::UnknownValue, format!("leave it out: there is `{first}`"))
        }
        (true, false) | (false, true) => {}
    }
}

/// A report was taken in.
#[derive(Serialize, JsonSchema)]
pub(in crate::rpc) struct Taken {}

fn read_list(params: &Params<'_>, backend: &impl Backend) -> Result<ListRuns, Refusal> {
    let known = "`automationID`, `states`, `fromAt`, `toAt`, `cursor` and `limit`";
    params::read(params, known, |fields| {
        let automation = match fields.has("automationID") {
            true => params::automation_id(fields, "automationID"),
            false => None,
        };
        let states = read_states(fields);
        let from = fields.instant("fromAt");
        let to = fields.instant("toAt");
        let before = fields.text("cursor").and_then(|text| {
            let row = cursor::read(List::Runs, backend.ledger_id(), text);
            row.map_err(|fault| fields.fault_hint("cursor", fault.message, fault.hint.unwrap_or_default()))
                .ok()
        });
        let limit = params::limit(fields, RUNS_MAX, RUNS_DEFAULT);
        Some(ListRuns { automation, states, from, to, before, limit })
    })
}

fn read_states(fields: &mut Fields<'_>) -> Vec<State> {
    let Some(words) = fields.texts("states") else { return Vec::new() };
    let mut states = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match State::ALL.into_iter().find(|state| state.as_str() == word) {
            Some(state) if states.contains(&state) => {}
            Some(state) => states.push(state),
            None => {
                let all = State::ALL.map(State::as_str).join(", ");
                let name = format!("states[{index}]");
                fields.fault_hint(&name, Word::UnknownValue, format!("write some of: {all}"));
            }
        }
    }
    if words.is_empty() {
        fields.fault_hint("states", Word::Required, "name at least one state, or leave it out");
    }
    states
}

fn read_output(params: &Params<'_>) -> Result<OutputRequest, Refusal> {
    params::read(params, "`id`, `offset` and `limit`", |fields| {
        let id = params::run_id(fields, "id");
        let offset = fields.integer("offset", 0..=INTEGER_MAX).unwrap_or(0).unsigned_abs();
        let limit = params::limit(fields, OUTPUT_MAX, OUTPUT_DEFAULT);
        Some(OutputRequest { run: id?, offset, limit })
    })
}

/// A part of an output as an answer tells it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Output")]
pub(in crate::rpc) struct OutputOnTheWire {
    /// The byte at which it begins.
    offset: u64,
    /// What was written there.
    data: String,
    /// How it is written here.
    #[schemars(extend("enum" = ["utf8", "base64"]))]
    encoding: &'static str,
    /// The byte at which the next part begins.
    next_offset: u64,
    /// Whether the run has ended and nothing follows.
    end: bool,
}

impl From<&OutputPart> for OutputOnTheWire {
    fn from(part: &OutputPart) -> Self {
        let rest = if part.end { Rest::Nothing } else { Rest::Follows };
        // An answer cannot wait for the rest of a character.
        let piece = Piece::of(&part.data, rest).unwrap_or_else(|| Piece::of_bytes(&part.data));
        OutputOnTheWire {
            offset: part.offset,
            data: piece.data,
            encoding: piece.encoding,
            next_offset: part.offset + piece.length as u64,
            end: part.end,
        }
    }
}
