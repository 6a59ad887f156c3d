//! The parameters of each method, as its reader takes them.

use serde_json::{Value, json};

use super::shapes::{
    and, boolean, instant, integer, map, number_from, object, one_of, or_null, saying, text, with_default,
};
use super::{config, draft};
use crate::domain::draft::limits as most;
use crate::domain::event;
use crate::domain::run::machine::State;
use crate::rpc::api::bounds;
use crate::rpc::api::lifecycle::{KINDS, MODES};
use crate::rpc::initialize::PATH_MAX;
use crate::rpc::limits::{LIMITS, Limit};
use crate::rpc::params::ID_MAX;

pub(super) fn id() -> Value {
    text(1, ID_MAX)
}

fn automation_id() -> Value {
    saying(id(), "The automation.")
}

fn run_id() -> Value {
    saying(id(), "The run.")
}

pub(super) fn inside_run() -> (&'static str, Value) {
    let what = "The run that this request comes out of, when an application forwards an agent's call.";
    ("insideRun", saying(id(), what))
}

fn if_revision() -> Value {
    saying(number_from(1), "The revision that the change is meant for; with another one it is refused.")
}

fn key() -> (&'static str, Value) {
    let what =
        "The client's own name for this request: the same one again within 24 h gives what the first did.";
    ("key", saying(text(1, most::KEY), what))
}

pub(super) fn none() -> Value {
    object(&[], &[])
}

pub(super) fn create() -> Value {
    let dry_run = saying(with_default(boolean(), false), "Only shows what would be; nothing is stored.");
    let note = saying(text(0, most::NOTE), "What is noted on the pause; only with `paused`: true.");
    and(draft::automation(), &[("dryRun", dry_run), key(), ("note", note), inside_run()])
}

pub(super) fn get_run() -> Value {
    object(&[("id", run_id())], &["id"])
}

pub(super) fn get_automation() -> Value {
    object(&[("id", automation_id()), inside_run()], &["id"])
}

pub(super) fn list_automations() -> Value {
    let fields = [
        ("cursor", cursor()),
        ("limit", page(bounds::AUTOMATIONS_MAX, bounds::AUTOMATIONS_DEFAULT)),
        ("paused", saying(boolean(), "Only those that are paused, or only those that are not.")),
        ("query", saying(text(0, bounds::QUERY_MAX), "A part of the title, in upper or lower case.")),
        inside_run(),
    ];
    object(&fields, &[])
}

pub(super) fn rest() -> Value {
    let note = saying(text(0, most::NOTE), "Why, for people.");
    object(&[("id", automation_id()), ("note", note), inside_run()], &["id"])
}

pub(super) fn update() -> Value {
    let fields =
        [("id", automation_id()), ("ifRevision", if_revision()), ("patch", draft::patch()), inside_run()];
    object(&fields, &["id", "patch"])
}

pub(super) fn delete() -> Value {
    let what = "What becomes of its active runs: they are ended first; they go on to their end; or nothing is deleted \
        while there are any.";
    let active_run = with_default(saying(one_of(&["cancel", "finish", "refuse"]), what), "cancel");
    let fields =
        [("id", automation_id()), ("ifRevision", if_revision()), ("activeRun", active_run), inside_run()];
    object(&fields, &["id"])
}

pub(super) fn run() -> Value {
    let what = "Whether somebody is there to answer, which decides how long a question waits.";
    let attendance = with_default(saying(one_of(&["attended", "unattended"]), what), "attended");
    let what =
        "What the run does when another one is ahead of it in its directory; else its policy says that.";
    let if_busy = saying(one_of(&["queue", "skip"]), what);
    let context = saying(text(0, most::PROMPT), "What is told beside the prompt, this time.");
    let what = "Who carries it out: the window that is asked, if it can, or a participant as for a scheduled run, so \
                that whoever asks may leave. While none is open, a command waits for one.";
    let executor = saying(with_default(one_of(&["asker", "participant"]), "asker"), what);
    let fields = [
        ("id", automation_id()),
        ("attendance", attendance),
        key(),
        ("context", context),
        ("ifBusy", if_busy),
        ("executor", executor),
        inside_run(),
    ];
    object(&fields, &["id"])
}

pub(super) fn preview() -> Value {
    draft::schedule()
}

pub(super) fn explain() -> Value {
    let what = "The time in question, in the past or to come: the scheduled time in the same minute is meant. If it is \
        absent, the last time that was due, or else the next one.";
    object(&[("id", automation_id()), ("at", saying(instant(), what))], &["id"])
}

pub(super) fn simulate() -> Value {
    let ids = json!({"type": "array", "items": id(), "minItems": 1, "maxItems": most::SIMULATED});
    let wanted = "Only of these; if it is absent, only of the draft if there is one, and else of all.";
    let created = "An automation that there is not: it is created now, in thought.";
    let assumed = "How long each run takes, instead of the median of the last ones of its automation.";
    let fields = [
        ("from", saying(instant(), "The first scheduled time that is wanted.")),
        ("to", saying(instant(), "The last one; not before `from`.")),
        ("ids", saying(ids, wanted)),
        ("draft", saying(draft::automation(), created)),
        ("assumeRunMs", saying(integer(0, most::SPAN_MS), assumed)),
    ];
    object(&fields, &["from", "to"])
}

pub(super) fn cancel() -> Value {
    object(&[("id", run_id()), inside_run()], &["id"])
}

pub(super) fn list_runs() -> Value {
    let states = State::ALL.map(State::as_str);
    let mut states = json!({"type": "array", "items": {"enum": states}, "minItems": 1});
    states["description"] = json!("Only runs in one of these states.");
    let fields = [
        ("automationID", saying(id(), "Only runs of this automation, which may have been deleted.")),
        ("states", states),
        ("fromAt", saying(instant(), "Only runs created at this time or later.")),
        ("toAt", saying(instant(), "Only runs created at this time or earlier.")),
        ("cursor", cursor()),
        ("limit", page(bounds::RUNS_MAX, bounds::RUNS_DEFAULT)),
    ];
    object(&fields, &[])
}

pub(super) fn output() -> Value {
    let fields =
        [("id", run_id()), ("offset", offset()), ("limit", page(bounds::OUTPUT_MAX, bounds::OUTPUT_DEFAULT))];
    object(&fields, &["id"])
}

pub(super) fn follow_events() -> Value {
    let fields = [
        ("after", saying(number_from(0), "Only events after this one; from now on if it is absent.")),
        ("ledgerID", saying(id(), "The ledger that `after` is a place of.")),
        (
            "kinds",
            json!({"type": "array", "items": {"enum": event::KINDS},
                "description": "Only events of these kinds, and `resync`."}),
        ),
        ("automationID", saying(id(), "Only events of this automation and of its runs.")),
        inside_run(),
    ];
    object(&fields, &[])
}

pub(super) fn follow_output() -> Value {
    object(&[("runID", run_id()), ("offset", offset())], &["runID"])
}

pub(super) fn unsubscribe() -> Value {
    let what = "What the request that began it was answered with.";
    object(&[("subscription", saying(id(), what))], &["subscription"])
}

fn offset() -> Value {
    with_default(saying(number_from(0), "The byte of the output to begin with."), 0)
}

pub(super) fn shutdown() -> Value {
    let what = "What becomes of the runs of this window: they are waited for, or stopped.";
    let mode = saying(with_default(one_of(&MODES.map(|(word, _)| word)), "force"), what);
    object(&[("mode", mode)], &[])
}

pub(super) fn close() -> Value {
    let what = "What becomes of the runs in its way: they are waited for, or stopped.";
    let mode = saying(one_of(&MODES.map(|(word, _)| word)), what);
    let most = bounds::CLOSE_DIRECTORIES;
    let directories = json!({"type": "array", "items": directory(), "minItems": 1, "maxItems": most,
        "description": "The directories that it concerns; all if it is absent. One that is not there has no runs."});
    let what = "What it is for: to read the configuration anew, or to give up the project, so that another window rings.";
    let kind = saying(one_of(&KINDS.map(|(word, _)| word)), what);
    let fields = [("kind", kind), ("mode", mode), ("directories", directories), inside_run()];
    object(&fields, &["kind", "mode"])
}

pub(super) fn hold() -> Value {
    let what = "Where the work goes on; the project's directory if it is absent.";
    let title = saying(text(1, bounds::HOLD_TITLE), "What the work is, for people.");
    object(&[("directory", saying(directory(), what)), ("title", title), inside_run()], &["title"])
}

/// A path, which counts from the project.
fn directory() -> Value {
    text(1, PATH_MAX)
}

/// What language clients send beside these is ignored.
pub(super) fn initialize() -> Value {
    let client = json!({"type": ["object", "null"], "additionalProperties": true,
        "description": "What the window belongs to. Others are told that it is its automation, its run, its bell.",
        "properties": {"name": {"type": "string", "description": "The application."},
            "version": {"type": ["string", "null"], "description": "Its version."}}});
    let folder = json!({"type": "object", "additionalProperties": true,
        "properties": {"uri": {"type": "string", "description": "A `file:` URI."}}, "required": ["uri"]});
    let ends = "The process that the sidecar works for: it ends when that does. Null, or one that is not seen from here, \
        is not watched; the end of the input tells as well.";
    let root = "The project as a `file:` URI, if `projectDirectory` does not name it.";
    let folders = "The first one is the project, if neither `projectDirectory` nor `rootUri` names it.";
    let mut params = object(
        &[
            ("processId", saying(or_null(integer(0, u32::MAX.into())), ends)),
            ("clientInfo", client),
            ("rootUri", json!({"type": ["string", "null"], "description": root})),
            ("workspaceFolders", json!({"type": ["array", "null"], "items": folder, "description": folders})),
            ("initializationOptions", or_null(options())),
        ],
        &[],
    );
    params["additionalProperties"] = json!(true);
    params
}

fn options() -> Value {
    let wins =
        "The project; wins over `rootUri` and `workspaceFolders`. The working directory if none is named.";
    let kept = "Where ledgers are kept; else SEXTON_STATE_DIR, else the platform's place for state.";
    let role = "Whether it may ring the bell and carry out what is scheduled, or only looks, changes, and carries out \
        what it is asked for itself.";
    let followed = "Whether a change of the user's configuration file is a reload of this window.";
    let added = "What processes that this window starts find in their environment. Kept in memory only.";
    let options = object(
        &[
            ("projectDirectory", saying(text(1, PATH_MAX), wins)),
            ("role", with_default(saying(one_of(&["participant", "observer"]), role), "participant")),
            ("stateDirectory", saying(text(1, PATH_MAX), kept)),
            ("environment", saying(map(json!({"type": "string", "pattern": "^[^\\u0000]*$"})), added)),
            ("providers", config::providers()),
            ("followConfigFile", saying(with_default(boolean(), true), followed)),
            ("limits", limits()),
        ],
        &[],
    );
    saying(options, "What is sexton's own.")
}

fn limits() -> Value {
    let field = |limit: &Limit| {
        let schema = integer(*limit.range.start(), *limit.range.end());
        (limit.name, with_default(saying(schema, limit.what), limit.default))
    };
    let fields: Vec<(&str, Value)> = LIMITS.iter().map(field).collect();
    saying(object(&fields, &[]), "What this window bounds otherwise than usual.")
}

fn cursor() -> Value {
    let what = "The `nextCursor` of the page before.";
    saying(json!({"type": "string"}), what)
}

fn page(most: i64, default: usize) -> Value {
    with_default(saying(integer(1, most), "How much one answer has at most."), default)
}
