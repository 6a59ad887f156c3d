//! `automation/…`: what is to be done, and when.

use jsonrpsee::Extensions;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use schemars::JsonSchema;
use serde::Serialize;

use super::bounds::{AUTOMATIONS_DEFAULT, AUTOMATIONS_MAX, QUERY_MAX};
use super::looks::Look;
use super::table::Table;
use super::{handled, page_on_the_wire, refused};
use crate::domain::draft::{limits, read_create, read_if_busy, read_key, read_note, read_preview};
use crate::domain::fault::Fault;
use crate::domain::id::{AutomationId, RunId};
use crate::domain::refusal::Refusal;
use crate::domain::request::{
    ActiveRun, DeleteRequest, Executor, ExplainRequest, ListAutomations, RestRequest, RunRequest,
    UpdateRequest,
};
use crate::domain::run::{Attendance, Run};
use crate::rpc::backend::{Backend, Deleted};
use crate::rpc::caller::Caller;
use crate::rpc::cursor::{self, List};
use crate::rpc::params;

/// The methods here that look and change nothing.
pub(super) const LOOKS: &[(&str, Look)] = &[
    ("automation/get", Look::One),
    ("automation/list", Look::Page { default: AUTOMATIONS_DEFAULT }),
    ("automation/preview", Look::One),
    ("automation/explain", Look::One),
];

pub(super) fn register<B: Backend>(module: &mut Table<B>) -> Result<(), RegisterMethodError> {
    module.register_async_method("automation/create", |params, backend, extensions| async move {
        let read = || {
            let map = params::object(&params)?;
            let read =
                read_create(&map, backend.surroundings(), |fields| params::caller(fields, &extensions));
            read.map_err(|faults| blame(faults, &["dryRun", "key", "note", "insideRun"]))
        };
        let (draft, by) = read().map_err(refused)?;
        handled(backend.create(draft, by).await)
    })?;
    module.register_async_method("automation/get", |params, backend, _| async move {
        let read = params::read(&params, "`id` and `insideRun`", |fields| {
            let id = params::automation_id(fields, "id");
            let inside_run = params::inside_run(fields);
            Some((id?, inside_run))
        });
        let (id, inside_run) = read.map_err(refused)?;
        handled(backend.automation(id, inside_run).await)
    })?;
    module.register_async_method("automation/list", |params, backend, _| async move {
        let (wanted, inside_run) = read_list(&params, &*backend).map_err(refused)?;
        let page = backend.automations(wanted, inside_run).await;
        handled(page.map(|page| page_on_the_wire(List::Automations, page, &*backend)))
    })?;
    module.register_async_method("automation/update", |params, backend, extensions| async move {
        let (request, by) = read_update(&params, &extensions).map_err(refused)?;
        handled(backend.update(request, by).await)
    })?;
    module.register_async_method("automation/pause", |params, backend, extensions| async move {
        let (request, by) = read_rest(&params, &extensions).map_err(refused)?;
        handled(backend.pause(request, by).await)
    })?;
    module.register_async_method("automation/resume", |params, backend, extensions| async move {
        let (request, by) = read_rest(&params, &extensions).map_err(refused)?;
        handled(backend.resume(request, by).await)
    })?;
    module.register_async_method("automation/delete", |params, backend, extensions| async move {
        let (request, by) = read_delete(&params, &extensions).map_err(refused)?;
        handled(backend.delete(request, by).await.map(DeletedOnTheWire::from))
    })?;
    module.register_async_method("automation/run", |params, backend, extensions| async move {
        let (request, by) = read_run(&params, &extensions).map_err(refused)?;
        handled(backend.run(request, by).await)
    })?;
    module.register_method("automation/preview", |params, backend, _| {
        let read = || {
            let map = params::object(&params)?;
            let draft = read_preview(&map, backend.surroundings());
            backend.preview(draft.map_err(|faults| blame(faults, &["after", "count"]))?)
        };
        handled(read())
    })?;
    module.register_async_method("automation/explain", |params, backend, _| async move {
        let request = read_explain(&params).map_err(refused)?;
        handled(backend.explain(request).await)
    })?;
    Ok(())
}

/// Faults in a draft make the automation invalid; faults only beside it make the parameters invalid.
fn blame(faults: Vec<Fault>, beside: &[&str]) -> Refusal {
    if faults.iter().all(|fault| beside.contains(&fault.field.as_str())) {
        Refusal::InvalidParams(faults)
    } else {
        Refusal::InvalidAutomation(faults)
    }
}

/// What became of an automation that was deleted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Deleted")]
pub(in crate::rpc) struct DeletedOnTheWire {
    /// Its identity.
    id: AutomationId,
    /// That it is gone.
    deleted: bool,
    /// Its last revision plus one.
    revision: i64,
    /// The runs that were active, as they ended.
    stopped_runs: Vec<Run>,
}

impl From<Deleted> for DeletedOnTheWire {
    fn from(Deleted { tombstone, stopped_runs }: Deleted) -> Self {
        DeletedOnTheWire { id: tombstone.id, deleted: true, revision: tombstone.revision, stopped_runs }
    }
}

fn read_list(
    params: &Params<'_>,
    backend: &impl Backend,
) -> Result<(ListAutomations, Option<RunId>), Refusal> {
    params::read(params, "`cursor`, `limit`, `paused`, `query` and `insideRun`", |fields| {
        let before = fields.text("cursor").and_then(|text| {
            let row = cursor::read(List::Automations, backend.ledger_id(), text);
            row.map_err(|fault| fields.fault_hint("cursor", fault.message, fault.hint.unwrap_or_default()))
                .ok()
        });
        let limit = params::limit(fields, AUTOMATIONS_MAX, AUTOMATIONS_DEFAULT);
        let paused = fields.boolean("paused");
        let query = fields.text("query").and_then(|query| fields.at_most("query", query, QUERY_MAX));
        let query = query.filter(|query| !query.is_empty()).map(str::to_owned);
        let inside_run = params::inside_run(fields);
        Some((ListAutomations { before, limit, paused, query }, inside_run))
    })
}

/// What the patch says is read against the automation as it is when that is changed.
fn read_update(params: &Params<'_>, extensions: &Extensions) -> Result<(UpdateRequest, Caller), Refusal> {
    params::read(params, "`id`, `ifRevision`, `patch` and `insideRun`", |fields| {
        let id = params::automation_id(fields, "id");
        let if_revision = params::if_revision(fields);
        let patch = fields.required_object("patch").cloned();
        let by = params::caller(fields, extensions);
        Some((UpdateRequest { automation: id?, if_revision, patch: patch? }, by))
    })
}

fn read_rest(params: &Params<'_>, extensions: &Extensions) -> Result<(RestRequest, Caller), Refusal> {
    params::read(params, "`id`, `note` and `insideRun`", |fields| {
        let id = params::automation_id(fields, "id");
        let note = read_note(fields);
        let by = params::caller(fields, extensions);
        Some((RestRequest { automation: id?, note }, by))
    })
}

fn read_delete(params: &Params<'_>, extensions: &Extensions) -> Result<(DeleteRequest, Caller), Refusal> {
    params::read(params, "`id`, `ifRevision`, `activeRun` and `insideRun`", |fields| {
        let id = params::automation_id(fields, "id");
        let if_revision = params::if_revision(fields);
        let choices =
            [("cancel", ActiveRun::Cancel), ("finish", ActiveRun::Finish), ("refuse", ActiveRun::Refuse)];
        let active_run = fields.choice("activeRun", &choices).unwrap_or(ActiveRun::Cancel);
        let by = params::caller(fields, extensions);
        Some((DeleteRequest { automation: id?, if_revision, active_run }, by))
    })
}

fn read_explain(params: &Params<'_>) -> Result<ExplainRequest, Refusal> {
    params::read(params, "`id` and `at`", |fields| {
        let id = params::automation_id(fields, "id");
        let at = fields.instant("at");
        Some(ExplainRequest { automation: id?, at })
    })
}

fn read_run(params: &Params<'_>, extensions: &Extensions) -> Result<(RunRequest, Caller), Refusal> {
    params::read(
        params,
        "`id`, `attendance`, `key`, `context`, `ifBusy`, `executor` and `insideRun`",
        |fields| {
            let id = params::automation_id(fields, "id");
            let choices = [("attended", Attendance::Attended), ("unattended", Attendance::Unattended)];
            let attendance = fields.choice("attendance", &choices).unwrap_or(Attendance::Attended);
            let key = read_key(fields);
            let context =
                fields.text("context").and_then(|text| fields.at_most("context", text, limits::PROMPT));
            let context = context.filter(|text| !text.trim().is_empty()).map(str::to_owned);
            let if_busy = read_if_busy(fields);
            let choices = [("asker", Executor::Asker), ("participant", Executor::Participant)];
            let executor = fields.choice("executor", &choices).unwrap_or(Executor::Asker);
            let by = params::caller(fields, extensions);
            Some((RunRequest { automation: id?, attendance, key, context, if_busy, executor }, by))
        },
    )
}
