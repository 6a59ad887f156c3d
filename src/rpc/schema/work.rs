//! What windows that carry out prompts say, as `api/provider` and `api/report` read it.

use serde::Serialize;
use serde_json::{Value, json};

use super::draft::money;
use super::params::{id, inside_run};
use super::shapes::{
    boolean, bytes, integer, list, object, one_of, saying, text, told_apart_by, union, variant, with_default,
};
use crate::domain::draft::limits::AGENT_NAME;
use crate::domain::run::machine::ErrorCode;
use crate::rpc::api::bounds;
use crate::rpc::api::shapes::{CLASSES, OUTCOMES, PERMISSIONS, words};

fn name() -> Value {
    text(1, AGENT_NAME)
}

fn word_of<T: Copy + Serialize>(all: &[T]) -> Value {
    let words = words(all);
    one_of(&words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>())
}

fn at_least_one(mut list: Value) -> Value {
    list["minItems"] = json!(1);
    list
}

pub(super) fn serve() -> Value {
    let variants = saying(list(name(), bounds::VARIANTS_MAX), "What `task.variant` may name.");
    let variants = with_default(variants, json!([]));
    let model = [
        ("id", saying(name(), "What `task.model.modelID` names.")),
        ("name", saying(name(), "What people call it; its id if it is absent.")),
        ("variants", variants),
    ];
    let models = at_least_one(list(object(&model, &["id"]), bounds::MODELS_MAX));
    let in_all = format!("Each id once. All names together at most {} bytes.", bounds::OFFER_BYTES);
    let at_once = with_default(integer(1, bounds::CONCURRENT_MAX), 1);
    let fields = [
        ("id", saying(name(), "What `task.model.providerID` names.")),
        ("models", saying(models, &in_all)),
        ("maxConcurrent", saying(at_once, "How many runs this window carries out at once.")),
        inside_run(),
    ];
    object(&fields, &["id", "models"])
}

pub(super) fn refresh() -> Value {
    object(&[("id", saying(name(), "Only this one is asked; all, if it is absent.")), inside_run()], &[])
}

/// Exactly one of each pair.
pub(super) fn respond() -> Value {
    let fields = [
        ("id", saying(id(), "The run.")),
        ("requestID", saying(name(), "Of a permission.")),
        ("callID", saying(name(), "Of a question.")),
        ("optionID", saying(name(), "One of the options that were offered.")),
        ("text", saying(text(1, bounds::ANSWER_MAX), "An answer to a question in words.")),
        inside_run(),
    ];
    let mut params = object(&fields, &["id"]);
    let one = |first: &str, second: &str| json!({"oneOf": [{"required": [first]}, {"required": [second]}]});
    params["allOf"] = json!([one("requestID", "callID"), one("optionID", "text")]);
    params
}

pub(super) fn report() -> Value {
    let report = saying(any_report(), "What becomes of it.");
    object(&[("runID", saying(id(), "The run.")), ("report", report), inside_run()], &["runID", "report"])
}

fn any_report() -> Value {
    let of = |word: &str, fields: &[(&str, Value)], required: &[&str], what: &str| {
        saying(told_apart_by("type", word, fields, required), what)
    };
    let title = saying(text(0, bounds::STEP_MAX), "Equal titles in a row are the same step made again.");
    let written = json!({"type": "string", "maxLength": bounds::WRITTEN_BYTES,
        "description": format!("At most {} bytes of UTF-8.", bounds::WRITTEN_BYTES)});
    let finished = [
        ("text", bytes(0, bounds::RESULT_BYTES, "What the agent said at the end.")),
        ("outcome", saying(word_of(&OUTCOMES), "What the result means for the person.")),
        ("last", saying(with_default(boolean(), false), "The watch is over: the automation is paused.")),
    ];
    let failed = [
        ("code", saying(word_of(&ErrorCode::ALL), "What kind of failure it is.")),
        ("message", saying(text(1, bounds::SENTENCE_MAX), "A sentence for the person.")),
        ("class", saying(word_of(&CLASSES), "Whose fault it is; if it is absent, whose it usually is.")),
    ];
    union(&[
        of(
            "started",
            &[("sessionID", saying(name(), "The agent's session."))],
            &["sessionID"],
            "The work has really started.",
        ),
        of("step", &[("title", title)], &[], "The agent took a step."),
        of("output", &[("data", written)], &["data"], "The agent has written something."),
        of(
            "blocked",
            &[("blocker", saying(blocker(), "What it waits for a person for."))],
            &["blocker"],
            "It needs a person.",
        ),
        of("unblocked", &[], &[], "It needs nobody any more."),
        of("cost", &money(), &["amount", "currency"], "What it has cost so far, in all."),
        of("finished", &finished, &[], "The work is done."),
        of("failed", &failed, &["code", "message"], "The work has failed, or could not be started."),
    ])
}

fn blocker() -> Value {
    let option = |more: &[(&str, Value)], required: &[&str]| {
        let mut fields = vec![
            ("id", saying(name(), "What `run/respond` names.")),
            ("label", saying(text(1, bounds::LABEL_MAX), "What people read.")),
        ];
        fields.extend(more.iter().cloned());
        list(object(&fields, required), bounds::OPTIONS_MAX)
    };
    let tool = format!("What it wants to use, as it likes. At most {} bytes of JSON.", bounds::TOOL_BYTES);
    let answers = saying(word_of(&PERMISSIONS), "What the answer means.");
    let permission = [
        ("requestID", saying(name(), "The agent's request.")),
        ("title", saying(text(1, bounds::SENTENCE_MAX), "What it asks for.")),
        (
            "options",
            saying(
                at_least_one(option(&[("kind", answers)], &["id", "label", "kind"])),
                "What may be answered.",
            ),
        ),
        ("tool", json!({"type": "object", "additionalProperties": true, "description": tool})),
    ];
    let question = [
        ("callID", saying(name(), "The agent's call.")),
        ("prompt", saying(text(1, bounds::SENTENCE_MAX), "The question.")),
        ("options", saying(option(&[], &["id", "label"]), "Without any, words are wanted.")),
    ];
    union(&[
        saying(
            variant("permission", &permission, &["requestID", "title", "options"]),
            "It asks whether it may do something.",
        ),
        saying(variant("question", &question, &["callID", "prompt"]), "It asks a question."),
    ])
}
