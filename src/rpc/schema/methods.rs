//! All methods: what they take and give, and how they may be refused.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::{params, work};
use crate::domain::explanation::Explanation;
use crate::domain::later::{AnyAutomation, AnyRun};
use crate::domain::lifecycle::{CloseResult, LifecycleStatus};
use crate::domain::preview::Preview;
use crate::domain::run::Run;
use crate::domain::shown::ShownAutomation;
use crate::domain::simulation::Simulation;
use crate::domain::status::SchedulerStatus;
use crate::rpc::api::shapes::{
    DeletedOnTheWire, OutputOnTheWire, PageOnTheWire, ProvidersOnTheWire, RefreshedOnTheWire, Taken,
};
use crate::rpc::errors::Kind;
use crate::rpc::initialize::InitializeResult;

/// A method of the contract.
#[derive(Clone, Debug)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a line.
    pub summary: &'static str,
    /// What it takes, as a JSON Schema of an object.
    pub params: Value,
    /// What it gives.
    result: fn(&mut SchemaGenerator) -> Schema,
    /// How it may be refused, beside what every request may be answered with ([`EVERYWHERE`]).
    pub refusals: &'static [Kind],
    /// Parameters that are in order, the shortest and others.
    pub examples: Vec<Value>,
}

impl Method {
    pub(super) fn result(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.result)(generator)
    }

    /// The name of a type that belongs to it, such as `AutomationCreateParams`.
    pub(super) fn type_name(&self, what: &str) -> String {
        let words = self.name.split(['/', '.']);
        let mut name: String = words
            .map(|word| {
                let mut letters = word.chars();
                letters
                    .next()
                    .map(|first| first.to_ascii_uppercase())
                    .into_iter()
                    .chain(letters)
                    .collect::<String>()
            })
            .collect();
        name.push_str(what);
        name
    }
}

/// How any request may be refused.
pub(super) const EVERYWHERE: [Kind; 7] = [
    Kind::NotInitialized,
    Kind::InvalidRequest,
    Kind::InvalidParams,
    Kind::Internal,
    Kind::Cancelled,
    Kind::Overloaded,
    Kind::ResponseTooLarge,
];

/// What a change of an automation may be refused with.
const CHANGE: &[Kind] =
    &[Kind::NotFound, Kind::AutomationConflict, Kind::InsideRun, Kind::StorageUnavailable];

/// The same, where the automation may come out as one that is not valid.
const EDIT: &[Kind] = &[
    Kind::InvalidAutomation,
    Kind::NotFound,
    Kind::AutomationConflict,
    Kind::InsideRun,
    Kind::StorageUnavailable,
];

/// The same, where a run of the automation may stand in the way.
const DELETE: &[Kind] = &[
    Kind::NotFound,
    Kind::AutomationConflict,
    Kind::ActiveRunStillRunning,
    Kind::InsideRun,
    Kind::StorageUnavailable,
];

/// The same, where any other run may stand in the way.
const RUN: &[Kind] = &[
    Kind::NotFound,
    Kind::AutomationConflict,
    Kind::ActiveRunStillRunning,
    Kind::WriterBusy,
    Kind::InsideRun,
    Kind::StorageUnavailable,
];

/// What a close may be refused with. What is not found is the run that the request comes out of.
const CLOSE: &[Kind] =
    &[Kind::NotFound, Kind::InsideRun, Kind::Closing, Kind::CloseFailed, Kind::StorageUnavailable];

/// The same of a hold, and of the service of a provider.
const TAKE_ON: &[Kind] = &[Kind::NotFound, Kind::InsideRun, Kind::Closing, Kind::StorageUnavailable];

const LOOK: &[Kind] = &[Kind::StorageUnavailable];
const LOOK_AT_ONE: &[Kind] = &[Kind::NotFound, Kind::StorageUnavailable];

/// All methods, in the order of the contract.
pub fn methods() -> Vec<Method> {
    vec![
        Method {
            name: "initialize",
            summary: "Opens the project. The first request of every conversation.",
            params: params::initialize(),
            result: of::<InitializeResult>,
            refusals: LOOK,
            examples: vec![json!({"processId": null, "clientInfo": {"name": "editor", "version": "1.0"},
                "rootUri": null, "initializationOptions": {"limits": {"minIntervalMs": 1000}}})],
        },
        Method {
            name: "shutdown",
            summary: "Ends everything of this window; `exit` follows. In maintenance it waits for the runs of this window, and gives what `lifecycle/close` gives.",
            params: params::shutdown(),
            result: nothing_or::<CloseResult>,
            refusals: &[Kind::Closing, Kind::CloseFailed, Kind::StorageUnavailable],
            examples: vec![json!({}), json!({"mode": "force"}), json!({"mode": "maintenance"})],
        },
        Method {
            name: "rpc.discover",
            summary: "Gives this document.",
            params: params::none(),
            result: anything,
            refusals: &[],
            examples: vec![json!({})],
        },
        Method {
            name: "automation/create",
            summary: "Creates an automation, or shows what it would be.",
            params: params::create(),
            result: of::<ShownAutomation>,
            refusals: &[Kind::InvalidAutomation, Kind::NotFound, Kind::InsideRun, Kind::StorageUnavailable],
            examples: vec![weekdays(), once(), review(), reminder()],
        },
        Method {
            name: "automation/get",
            summary: "Gives an automation.",
            params: params::get_automation(),
            result: of::<AnyAutomation>,
            refusals: LOOK_AT_ONE,
            examples: vec![json!({"id": "atm_1"})],
        },
        Method {
            name: "automation/list",
            summary: "Gives a page of automations, newest first.",
            params: params::list_automations(),
            result: of::<PageOnTheWire<AnyAutomation>>,
            refusals: LOOK,
            examples: vec![json!({}), json!({"limit": 20, "paused": false, "query": "triage"})],
        },
        Method {
            name: "automation/update",
            summary: "Changes what is to be done or when. What is due up to now is settled as it was before.",
            params: params::update(),
            result: of::<ShownAutomation>,
            refusals: EDIT,
            examples: vec![
                json!({"id": "atm_1", "ifRevision": 1,
                    "patch": {"title": "Triage", "policy": {"wallMs": 900_000, "startMs": null}}}),
                json!({"id": "atm_1", "patch": {"rhythm": {"kind": "cron", "expression": "0 8 * * 1-5"},
                    "timezone": "Europe/Berlin", "stop": {"kind": "count", "count": 10}}}),
                json!({"id": "atm_1", "patch": {"rhythm": {"kind": "interval", "everyMs": 900_000},
                    "task": {"args": ["--all"], "env": {"TOKEN": null}}}}),
                json!({"id": "atm_1", "patch": {"task": {"kind": "prompt", "prompt": "Triage the new issues.",
                    "model": {"providerID": "editor", "modelID": "large"}, "context": "continue", "sessionID": "ses_1"}}}),
            ],
        },
        Method {
            name: "automation/pause",
            summary: "Has nothing be due until the automation is resumed; nothing of that time will be missed.",
            params: params::rest(),
            result: of::<ShownAutomation>,
            refusals: CHANGE,
            examples: vec![json!({"id": "atm_1"}), json!({"id": "atm_1", "note": "on holiday"})],
        },
        Method {
            name: "automation/resume",
            summary: "Has a paused automation go on from now.",
            params: params::rest(),
            result: of::<ShownAutomation>,
            refusals: EDIT,
            examples: vec![json!({"id": "atm_1"})],
        },
        Method {
            name: "automation/delete",
            summary: "Deletes an automation; its runs stay readable. Answers when its work has gone.",
            params: params::delete(),
            result: of::<DeletedOnTheWire>,
            refusals: DELETE,
            examples: vec![
                json!({"id": "atm_1"}),
                json!({"id": "atm_1", "ifRevision": 2, "activeRun": "finish"}),
            ],
        },
        Method {
            name: "automation/run",
            summary: "Carries an automation out now; no slot is moved.",
            params: params::run(),
            result: of::<Run>,
            refusals: RUN,
            examples: vec![
                json!({"id": "atm_1"}),
                json!({"id": "atm_1", "attendance": "unattended", "key": "button-17", "ifBusy": "skip"}),
            ],
        },
        Method {
            name: "automation/preview",
            summary: "Tells when a schedule would be due, and what it says in words.",
            params: params::preview(),
            result: of::<Preview>,
            refusals: &[Kind::InvalidAutomation],
            examples: vec![
                json!({"rhythm": {"kind": "cron", "expression": "0 9 * * 1-5"}, "timezone": "Europe/Berlin",
                    "count": 10}),
                json!({"fireAt": 1_800_000_000_000_i64}),
            ],
        },
        Method {
            name: "automation/explain",
            summary: "Tells why something ran at a time, or why it did not, also of deleted automations.",
            params: params::explain(),
            result: of::<Explanation>,
            refusals: LOOK_AT_ONE,
            examples: vec![json!({"id": "atm_1", "at": 1_800_000_000_000_i64}), json!({"id": "atm_1"})],
        },
        Method {
            name: "automation/simulate",
            summary: "Tells what will become of the scheduled times of a span: of all automations, of some, or of a draft.",
            params: params::simulate(),
            result: of::<Simulation>,
            refusals: &[Kind::InvalidAutomation, Kind::NotFound, Kind::StorageUnavailable],
            examples: vec![
                json!({"from": 1_800_000_000_000_i64, "to": 1_800_086_400_000_i64}),
                json!({"from": 1_800_000_000_000_i64, "to": 1_800_086_400_000_i64, "ids": ["atm_1"],
                    "draft": weekdays(), "assumeRunMs": 600_000}),
            ],
        },
        Method {
            name: "run/list",
            summary: "Gives a page of runs, newest first, also of deleted automations.",
            params: params::list_runs(),
            result: of::<PageOnTheWire<AnyRun>>,
            refusals: LOOK_AT_ONE,
            examples: vec![json!({}), json!({"automationID": "atm_1", "states": ["failed"], "limit": 10})],
        },
        Method {
            name: "run/get",
            summary: "Gives a run.",
            params: params::get_run(),
            result: of::<AnyRun>,
            refusals: LOOK_AT_ONE,
            examples: vec![json!({"id": "run_1"})],
        },
        Method {
            name: "run/cancel",
            summary: "Asks a run to end; a second time kills it. An ended run is given as it is.",
            params: params::cancel(),
            result: of::<Run>,
            refusals: &[Kind::NotFound, Kind::InsideRun, Kind::StorageUnavailable],
            examples: vec![json!({"id": "run_1"})],
        },
        Method {
            name: "run/respond",
            summary: "Answers what a run waits for a person for, in its form: a permission by `requestID` and `optionID`, a question by `callID` and `text` or `optionID`. The first answer counts.",
            params: work::respond(),
            result: of::<Run>,
            refusals: &[Kind::NotFound, Kind::BlockerGone, Kind::InsideRun, Kind::StorageUnavailable],
            examples: vec![
                json!({"id": "run_1", "requestID": "req_1", "optionID": "allow"}),
                json!({"id": "run_1", "callID": "call_1", "text": "the second one"}),
            ],
        },
        Method {
            name: "run/output",
            summary: "Gives a part of what a run has written.",
            params: params::output(),
            result: of::<OutputOnTheWire>,
            refusals: LOOK_AT_ONE,
            examples: vec![json!({"id": "run_1"}), json!({"id": "run_1", "offset": 4096, "limit": 65_536})],
        },
        Method {
            name: "provider/list",
            summary: "Gives all providers that are known, and what they offer.",
            params: params::none(),
            result: of::<ProvidersOnTheWire>,
            refusals: LOOK,
            examples: vec![json!({})],
        },
        Method {
            name: "provider/refresh",
            summary: "Asks agents what they offer, and gives all providers; one that a run uses is asked when that has ended.",
            params: work::refresh(),
            result: of::<RefreshedOnTheWire>,
            refusals: &[Kind::NotFound, Kind::InsideRun, Kind::StorageUnavailable],
            examples: vec![json!({}), json!({"id": "editor"})],
        },
        Method {
            name: "provider/serve",
            summary: "Has this window carry out prompts itself, which it is sent as `provider/work`. Gives what `provider/unserve` takes.",
            params: work::serve(),
            result: subscription,
            refusals: TAKE_ON,
            examples: vec![
                json!({"id": "editor", "models": [{"id": "large", "name": "Large", "variants": ["careful"]}]}),
                json!({"id": "editor", "models": [{"id": "large"}], "maxConcurrent": 4}),
            ],
        },
        Method {
            name: "provider/unserve",
            summary: "Ends a subscription, and the runs that it carries out; tells whether it was open.",
            params: params::unsubscribe(),
            result: unsubscribed,
            refusals: LOOK,
            examples: vec![json!({"subscription": "sub_1"})],
        },
        Method {
            name: "run/report",
            summary: "Tells what became of work that this window was sent.",
            params: work::report(),
            result: of::<Taken>,
            refusals: &[Kind::NotFound, Kind::InsideRun, Kind::StorageUnavailable],
            examples: vec![
                json!({"runID": "run_1", "report": {"type": "step", "title": "Reads the issues"}}),
                json!({"runID": "run_1", "report": {"type": "blocked", "blocker": {"kind": "permission",
                    "requestID": "req_1", "title": "Run `make test`?", "tool": {"name": "shell"},
                    "options": [{"id": "allow", "label": "Allow", "kind": "allow_once"},
                        {"id": "reject", "label": "Reject", "kind": "reject_once"}]}}}),
                json!({"runID": "run_1",
                    "report": {"type": "finished", "text": "Two are new.", "outcome": "findings"}}),
            ],
        },
        Method {
            name: "lifecycle/close",
            summary: "Has this window reload its configuration, or give up the project or some of its directories. Answers when that has happened, or is known to wait.",
            params: params::close(),
            result: of::<CloseResult>,
            refusals: CLOSE,
            examples: vec![
                json!({"kind": "reload", "mode": "maintenance"}),
                json!({"kind": "dispose", "mode": "force", "directories": ["/home/me/project/.worktrees/a"]}),
            ],
        },
        Method {
            name: "lifecycle/status",
            summary: "Tells what this window carries out, holds and is about to close.",
            params: params::none(),
            result: of::<LifecycleStatus>,
            refusals: LOOK,
            examples: vec![json!({})],
        },
        Method {
            name: "directory/hold",
            summary: "Says that the user's own work goes on in a directory: runs that write there, and closes, wait for it. Nothing is sent; gives what `directory/release` takes.",
            params: params::hold(),
            result: subscription,
            refusals: TAKE_ON,
            examples: vec![
                json!({"title": "an agent at work"}),
                json!({"title": "an agent at work", "directory": "/home/me/project"}),
            ],
        },
        Method {
            name: "directory/release",
            summary: "Ends a hold; tells whether it was there.",
            params: params::unsubscribe(),
            result: unsubscribed,
            refusals: LOOK,
            examples: vec![json!({"subscription": "sub_1"})],
        },
        Method {
            name: "scheduler/status",
            summary: "Tells who rings the bell, who is there, and what is wrong; answers whatever is wrong.",
            params: params::none(),
            result: of::<SchedulerStatus>,
            refusals: &[],
            examples: vec![json!({})],
        },
        Method {
            name: "events/subscribe",
            summary: "Has every event sent as `events/event`, in order, from a place on. Gives what `events/unsubscribe` takes.",
            params: params::follow_events(),
            result: subscription,
            refusals: LOOK,
            examples: vec![json!({}), json!({"after": 41, "ledgerID": "ldg_1", "kinds": ["run.updated"]})],
        },
        Method {
            name: "events/unsubscribe",
            summary: "Ends a subscription; tells whether it was open.",
            params: params::unsubscribe(),
            result: unsubscribed,
            refusals: &[],
            examples: vec![json!({"subscription": "sub_1"})],
        },
        Method {
            name: "output/subscribe",
            summary: "Has what a run writes sent as `output/chunk` while it is written, from a byte on to its end.",
            params: params::follow_output(),
            result: subscription,
            refusals: LOOK_AT_ONE,
            examples: vec![json!({"runID": "run_1"}), json!({"runID": "run_1", "offset": 4096})],
        },
        Method {
            name: "output/unsubscribe",
            summary: "Ends a subscription; tells whether it was open.",
            params: params::unsubscribe(),
            result: unsubscribed,
            refusals: &[],
            examples: vec![json!({"subscription": "sub_1"})],
        },
    ]
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn nothing_or<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let something = generator.subschema_for::<T>().to_value();
    schemars::json_schema!({"anyOf": [{"type": "null"}, something]})
}

fn anything(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "object", "description": "An OpenRPC document."})
}

fn subscription(_: &mut SchemaGenerator) -> Schema {
    let what = "The subscription, which its notifications name, and the method that ends it.";
    schemars::json_schema!({"type": "string", "description": what})
}

fn unsubscribed(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({"type": "boolean", "description": "Whether there was such a subscription."})
}

/// A draft as short as it can be for something that recurs.
pub(super) fn weekdays() -> Value {
    json!({"title": "Triage new issues", "kind": "recurring",
        "rhythm": {"kind": "cron", "expression": "0 9 * * 1-5"}, "timezone": "Europe/Berlin",
        "task": {"kind": "command", "program": "./triage", "args": ["--new"], "env": {"TOKEN": {"from": "TRIAGE_TOKEN"}}},
        "policy": {"missed": {"kind": "runOnce"}, "wallMs": 600_000}})
}

/// A draft of something that an agent does.
fn review() -> Value {
    json!({"title": "Review", "kind": "recurring", "rhythm": {"kind": "interval", "everyMs": 3_600_000},
        "task": {"kind": "prompt", "prompt": "Review what was merged since the last time.",
            "model": {"providerID": "editor", "modelID": "large"}, "variant": "careful", "context": "continue"},
        "policy": {"stepCap": 30, "idleMs": 300_000, "permissions": "ask", "blockerMs": {"unattended": 600_000},
            "budget": {"perRun": {"amount": 0.5, "currency": "EUR"}}}})
}

/// A draft of something that people are told.
fn reminder() -> Value {
    json!({"title": "Stand-up", "kind": "recurring", "rhythm": {"kind": "cron", "expression": "55 9 * * 1-5"},
        "task": {"kind": "notify", "text": "The stand-up begins in five minutes."}})
}

/// A draft of something that happens once.
pub(super) fn once() -> Value {
    json!({"title": "Run the tests", "kind": "oneshot", "fireAt": 4_000_000_000_000_i64,
        "task": {"kind": "command", "program": "make", "args": ["test"]}, "access": "read", "key": "tests-1"})
}
