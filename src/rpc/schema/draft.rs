//! The draft of an automation, as `domain/draft` reads it.

use serde_json::{Value, json};

use super::shapes::{
    boolean, bytes, instant, integer, list, map, object, one_of, or_null, saying, text, union, variant,
    with_default,
};
use crate::domain::draft::limits as most;
use crate::domain::policy::{PROMPT_IDLE_MS, Policy};

/// Everything that a client may say of an automation.
pub(super) fn automation() -> Value {
    let access = "Whether its runs change their directory: runs that do wait for each other there, runs that only read \
        neither wait nor are waited for.";
    let fields = [
        ("title", saying(text(1, most::TITLE), "What people call it.")),
        ("kind", saying(one_of(&["oneshot", "recurring"]), "Whether it is due once, or again and again.")),
        ("fireAt", saying(instant(), "When it is due; only with `oneshot`, and in the future.")),
        ("rhythm", rhythm()),
        ("stop", stop()),
        ("timezone", timezone()),
        ("task", task()),
        ("where", place()),
        ("access", with_default(saying(one_of(&["write", "read"]), access), "write")),
        (
            "policy",
            saying(
                policy(),
                "What happens when things are not as planned. What is left out has its default.",
            ),
        ),
        ("paused", with_default(saying(boolean(), "Whether it is created at rest."), false)),
    ];
    let mut draft = object(&fields, &["title", "kind", "task"]);
    draft["oneOf"] = json!([
        {"properties": {"kind": {"const": "oneshot"}, "rhythm": false, "stop": false}, "required": ["fireAt"]},
        {"properties": {"kind": {"const": "recurring"}, "fireAt": false}, "required": ["rhythm"]},
    ]);
    draft
}

/// What may be changed of an automation: parts of a draft, and `null` for what is to have its default again.
pub(super) fn patch() -> Value {
    let mut draft = automation();
    if let Some(fields) = draft["properties"].as_object_mut() {
        // Resting has methods of its own.
        fields.remove("paused");
    }
    let what = "A JSON merge patch (RFC 7396) over the draft. What belongs to one `kind` of an object goes when its \
        `kind` changes; the automation's own `kind` cannot change.";
    saying(part_of(&draft), what)
}

/// What a patch may hold where a draft holds this.
fn part_of(schema: &Value) -> Value {
    let mut part = schema.clone();
    if let Some(members) = part.as_object_mut() {
        // What is left out of a patch stays as it is.
        members.remove("default");
    }
    let names = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    if schema.get("properties").is_some() {
        let required = names(&schema["required"]);
        let field = |(name, field): (&String, &Value)| {
            let part = part_of(field);
            let part = if required.contains(name) { part } else { removable(part) };
            (name.clone(), part)
        };
        part["properties"] = schema["properties"].as_object().into_iter().flatten().map(field).collect();
    } else if let Some(variants) = schema["oneOf"].as_array() {
        // Which kind the other fields belong to may stand in the automation alone.
        let kinds: Vec<&str> =
            variants.iter().filter_map(|one| one["properties"]["kind"]["const"].as_str()).collect();
        let mut fields = vec![("kind", one_of(&kinds))];
        let all = variants.iter().filter_map(|one| one["properties"].as_object()).flatten();
        fields.extend(
            all.filter(|(name, _)| *name != "kind")
                .map(|(name, field)| (name.as_str(), removable(part_of(field)))),
        );
        part = object(&fields, &[]);
        if let Some(description) = schema.get("description") {
            part["description"] = description.clone();
        }
    } else if schema["additionalProperties"].is_object() {
        part["additionalProperties"] = removable(schema["additionalProperties"].clone());
    }
    for condition in ["required", "oneOf"] {
        if let Some(members) = part.as_object_mut() {
            members.remove(condition);
        }
    }
    part
}

fn removable(part: Value) -> Value {
    json!({"anyOf": [part, {"type": "null"}]})
}

/// A schedule without an automation.
pub(super) fn schedule() -> Value {
    let fields = [
        ("fireAt", saying(instant(), "When it would be due once.")),
        ("rhythm", rhythm()),
        ("stop", stop()),
        ("timezone", timezone()),
        ("after", saying(instant(), "Only fires after this; now if it is absent.")),
        ("count", with_default(saying(integer(1, most::PREVIEW_FIRES), "How many fires are wanted."), 5)),
    ];
    let mut schedule = object(&fields, &[]);
    schedule["oneOf"] = json!([
        {"properties": {"rhythm": false, "stop": false}, "required": ["fireAt"]},
        {"properties": {"fireAt": false}, "required": ["rhythm"]},
    ]);
    schedule
}

fn rhythm() -> Value {
    // The least distance is a limit of the window; 1 ms is the least that any window can be given.
    let every = integer(1, most::INTERVAL_MS);
    let every = saying(every, "At least the window's `limits.minIntervalMs`, which is 30000 if not lowered.");
    let anchor = "What it is counted from, in both directions, so that no edit and no pause moves it; the beginning of \
        the schedule if it is absent.";
    let anchor = saying(instant(), anchor);
    let expression = bytes(1, most::EXPRESSION_BYTES, "Five fields as in a crontab, or a nickname.");
    let rhythm = union(&[
        saying(
            variant("interval", &[("everyMs", every), ("anchorAt", anchor)], &["everyMs"]),
            "By elapsed time.",
        ),
        saying(variant("cron", &[("expression", expression)], &["expression"]), "By the clocks of its zone."),
    ]);
    saying(rhythm, "How often it is due; only with `recurring`.")
}

fn stop() -> Value {
    let last = saying(instant(), "The last time at which it may be due.");
    let count = saying(integer(1, most::STOP_COUNT), "After how many of its runs have succeeded or failed.");
    let stop = union(&[
        saying(variant("never", &[], &[]), "It does not."),
        saying(variant("count", &[("count", count)], &["count"]), "By what it has done."),
        saying(variant("until", &[("at", last)], &["at"]), "By the time."),
    ]);
    with_default(saying(stop, "When it ends; only with `recurring`."), json!({"kind": "never"}))
}

fn timezone() -> Value {
    saying(text(1, most::TIMEZONE), "An IANA name; the machine's zone if it is absent.")
}

/// What is added to the environment of a program.
pub(super) fn environment() -> Value {
    let variable = json!({"anyOf": [any_text(),
        object(&[("from", saying(text(1, most::VARIABLE), "A variable of the executing window."))], &["from"])]});
    with_default(saying(map(variable), &together_in_bytes()), json!({}))
}

fn task() -> Value {
    let command = [
        ("program", program()),
        ("args", args()),
        ("env", environment()),
        ("stdin", bytes(0, most::STDIN_BYTES, "What it reads.")),
    ];
    let notify = [("text", saying(text(1, most::REMINDER), "What people are told; nothing is executed."))];
    let mut asked = variant("prompt", &prompt(), &["prompt", "model"]);
    asked["dependentSchemas"] =
        json!({"sessionID": {"properties": {"context": {"const": "continue"}}, "required": ["context"]}});
    let task = union(&[
        saying(variant("command", &command, &["program"]), "A program is run."),
        saying(asked, "A coding agent is asked to do something."),
        saying(variant("notify", &notify, &["text"]), "People are told something: a reminder."),
    ]);
    saying(task, "What is done. No shell takes part unless `program` is one.")
}

fn prompt() -> [(&'static str, Value); 5] {
    let name = || text(1, most::AGENT_NAME);
    let model = [
        ("providerID", saying(name(), "The provider's id.")),
        ("modelID", saying(name(), "The id of one of its models.")),
    ];
    let remembers = "Whether each run has a session of its own, or goes on in that of the run before.";
    let continued =
        "The session that is continued, only with `continue`; else that of the automation's last run.";
    [
        ("prompt", saying(text(1, most::PROMPT), "What an agent is asked to do.")),
        (
            "model",
            saying(object(&model, &["providerID", "modelID"]), "Who is asked; `provider/list` has all."),
        ),
        ("variant", saying(name(), "One of the variants of the model.")),
        ("context", with_default(saying(one_of(&["fresh", "continue"]), remembers), "fresh")),
        ("sessionID", saying(name(), continued)),
    ]
}

fn place() -> Value {
    let worktree = "In the worktree `.worktrees/sexton/<name>` of the project, which has to be the top of a git work \
        tree. It is made on first use, on the branch `sexton/<name>`, and used as it is found. The name is this text in \
        lower case, with one `-` in place of whatever is no letter from a to z and no digit, and at most 64 characters. \
        Not with `context: \"continue\"`.";
    let fields = [("worktree", saying(text(1, most::WORKTREE), worktree))];
    saying(object(&fields, &[]), "Where its runs work; in the project's directory if nothing else is said.")
}

fn policy() -> Value {
    let span = |least| integer(least, most::SPAN_MS);
    let window = "How late the newest missed time may be; half the distance to the next one, at most 12 h, if it is absent.";
    let missed = union(&[
        saying(variant("skip", &[], &[]), "All are recorded."),
        saying(
            variant("runOnce", &[("windowMs", saying(span(0), window))], &[]),
            "One run makes up for all, if the newest is not too old.",
        ),
    ]);
    let missed = saying(
        missed,
        "What becomes of times that passed while nobody rang: they are recorded, or one run makes up for them.",
    );
    let kept = Policy::default().keep;
    let keep = [
        ("runs", with_default(saying(integer(1, most::KEPT_RUNS), "So many, the newest."), kept.runs)),
        (
            "days",
            with_default(saying(integer(1, most::KEPT_DAYS), "So many days after their end."), kept.days),
        ),
    ];
    let retried = Policy::default().retry;
    let retry = [
        (
            "attempts",
            with_default(
                saying(integer(0, most::RETRIES), "How often, after the first time."),
                retried.attempts,
            ),
        ),
        (
            "delayMs",
            with_default(saying(span(most::RETRY_DELAY_MS), "How long after a failure."), retried.delay_ms),
        ),
    ];
    let waits = Policy::default().blocker_ms;
    let blocker = [
        ("attended", with_default(saying(span(0), "If somebody asked for the run."), waits.attended)),
        ("unattended", with_default(saying(span(0), "If a timer did."), waits.unattended)),
    ];
    let silence = format!(
        "How long a run may be silent; null for as long as it likes. {PROMPT_IDLE_MS} if the task is a prompt."
    );
    let overlap = "When the previous run is still active: the time is skipped and counted on that run; a run waits for its \
        end; or that run is asked to end first.";
    let busy = "When another run is ahead in the directory: the run waits for up to `queueMs`, or does not take place.";
    let streak = "After how many failures in a row the automation pauses itself; null for never. One of class `config`, \
        `auth` or `quota` pauses it whatever this says.";
    let chosen = [
        ("overlap", saying(one_of(&["skip", "queueOne", "cancelPrevious"]), overlap)),
        ("ifBusy", saying(one_of(&["queue", "skip"]), busy)),
        ("retry", saying(object(&retry, &[]), "Whether a run whose work never began is tried again.")),
        ("keep", saying(object(&keep, &[]), "How many ended runs are kept.")),
        ("missed", missed),
        ("queueMs", saying(span(0), "How long a run may wait before it begins.")),
        ("startMs", saying(span(1000), "How long the start of its work may take.")),
        ("idleMs", saying(or_null(span(1000)), &silence)),
        ("wallMs", saying(span(1000), "How long a run may work; what it waits for a person does not count.")),
        ("blockerMs", saying(object(&blocker, &[]), "How long a run may wait for a person.")),
        ("stepCap", saying(integer(1, most::STEPS), "How many steps an agent may take.")),
        ("budget", or_null(budget())),
        ("permissions", saying(one_of(&["ask", "deny"]), "Whether an agent's requests are put to a person.")),
        ("pauseAfterFailures", or_null(saying(integer(1, most::PAUSE_AFTER_FAILURES), streak))),
        ("precheck", or_null(precheck())),
    ];
    let defaults = serde_json::to_value(Policy::default()).unwrap_or_default();
    let mut policy = object(&chosen, &[]);
    for (name, default) in defaults.as_object().into_iter().flatten() {
        let field = policy["properties"][name].take();
        policy["properties"][name] = with_default(field, default.clone());
    }
    policy
}

fn budget() -> Value {
    let per_run = saying(object(&money(), &["amount", "currency"]), "The most.");
    saying(object(&[("perRun", per_run)], &["perRun"]), "What one run may cost.")
}

/// An amount in a currency.
pub(super) fn money() -> [(&'static str, Value); 2] {
    let amount = json!({"type": "number", "minimum": 0, "description": "How much."});
    let currency = json!({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"],
        "description": "An ISO 4217 code."});
    [("amount", amount), ("currency", currency)]
}

fn precheck() -> Value {
    let fields = [
        ("program", program()),
        ("args", args()),
        ("timeoutMs", saying(integer(1000, most::SPAN_MS), "Longer than this is a failure to start.")),
    ];
    let what = "A program that is started first, in the run's directory and environment. Exit code 0: the command \
        is started; 75: there is nothing to do, and the run ends as `stopped`; anything else: it has failed to start. \
        Not with a task of kind `notify`; an agent is told what it wrote.";
    saying(object(&fields, &["program", "timeoutMs"]), what)
}

fn program() -> Value {
    bytes(1, most::PROGRAM_BYTES, "A name in the search path, or a path.")
}

fn args() -> Value {
    let args = saying(list(any_text(), most::ARGS), &together_in_bytes());
    with_default(args, json!([]))
}

/// How long such texts may be together is said in words.
fn any_text() -> Value {
    json!({"type": "string", "pattern": "^[^\\u0000]*$"})
}

fn together_in_bytes() -> String {
    format!("Together at most {} bytes.", most::ARGS_BYTES)
}
