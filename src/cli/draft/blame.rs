//! What the sidecar finds wrong with a draft, told of the flags that said it.

use super::Typed;
use crate::cli::opened::Trouble;
use crate::client::{Detail, Error};
use crate::domain::automation::When;
use crate::domain::one_line::one_line;
use crate::domain::schedule::rhythm::{Rhythm, Stop};
use crate::domain::schedule::zone::Zone;
use crate::domain::scheduler::Limits;

/// The most characters of what is said of one field.
const HINT: usize = 1000;

/// A refusal, where what is wrong with the draft is told of the flags.
pub(in crate::cli) fn told_of_flags(error: Error, typed: &Typed) -> Trouble {
    match error {
        Error::Refused(refused) if refused.kind == "invalid_automation" => {
            let faults: Vec<String> = refused.details().iter().map(|detail| told(detail, typed)).collect();
            Trouble::Unusable(listed(&faults))
        }
        error @ (Error::Refused(_) | Error::Gone(_)) => error.into(),
    }
}

/// Several faults, each in a line of its own.
pub(in crate::cli) fn listed(faults: &[String]) -> String {
    faults.join("\nsexton: ")
}

fn told(detail: &Detail, typed: &Typed) -> String {
    let means_nothing = detail.message == "unsupported_automation_field";
    let is_of_another_kind = means_nothing || detail.message.starts_with("unsupported_for_");
    let hint = match &detail.hint {
        Some(hint) => one_line(hint, HINT),
        None if means_nothing => "it means nothing here".to_owned(),
        None => detail.message.replace('_', " "),
    };
    let flag = match detail.field.as_str() {
        // What else the rhythm needs, who has typed only this does not know.
        "rhythm.kind" => typed.flag_of(&detail.field).or_else(|| typed.flag_of("rhythm.anchorAt")),
        field => typed.flag_of(field),
    };
    let is_missing = detail.message == "required";
    match (detail.field.as_str(), flag) {
        ("kind", None) if is_missing => {
            "say when: --cron EXPR, --every SPAN, --at TIME or --in SPAN".to_owned()
        }
        ("task" | "task.kind", _) if is_missing => {
            "say what is to be done: `-- PROGRAM ARGS…`, --shell LINE, --prompt TEXT or --notify TEXT"
                .to_owned()
        }
        ("title", Some(_)) if is_missing => "the title is empty".to_owned(),
        ("rhythm" | "rhythm.kind" | "rhythm.anchorAt", Some((flag, _)))
            if (is_missing || is_of_another_kind) && flag.starts_with("--anchor") =>
        {
            format!("{flag}: it goes with --every")
        }
        ("stop", Some((flag, _))) if is_of_another_kind => format!("{flag}: it goes with --cron or --every"),
        ("title", None) if is_missing => "say what it is called: sexton add TITLE …".to_owned(),
        ("task.model", Some((flag, _))) if is_missing => {
            format!("{flag}: say who is asked, with --model PROVIDER/MODEL")
        }
        ("rhythm.everyMs", Some((flag, _))) if detail.message.starts_with("interval_below_minimum") => {
            let rhythm = Rhythm::Interval { every_ms: Limits::default().min_interval_ms, anchor_at: None };
            let shortest = When::Recurring { rhythm, stop: Stop::Never }.in_words(&Zone::utc());
            format!("{flag}: it is too often; the shortest interval is {}", shortest.to_lowercase())
        }
        (_, Some((flag, unit))) => format!("{flag}: {hint}{unit}"),
        (field, None) => format!("{field}: {hint}"),
    }
}
