//! Reads what a window reports of a run that it carries out.

use serde::Serialize;

use super::bounds::{
    LABEL_MAX, OPTIONS_MAX, RESULT_BYTES, SENTENCE_MAX, STEP_MAX, TOOL_BYTES, WRITTEN_BYTES,
};
use crate::domain::draft::limits::AGENT_NAME;
use crate::domain::draft::read_money;
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::provider::{Report, Watch};
use crate::domain::request::Reported;
use crate::domain::run::machine::ErrorCode;
use crate::domain::run::{ErrorClass, Need, PermissionKind, PermissionOption, QuestionOption, ResultOutcome};

/// What an agent's work means for the person, in the order of the contract.
pub(in crate::rpc) const OUTCOMES: [ResultOutcome; 4] =
    [ResultOutcome::Changed, ResultOutcome::Findings, ResultOutcome::Nothing, ResultOutcome::NeedsHuman];

/// Whose fault a failure may be, in the order of the contract.
pub(in crate::rpc) const CLASSES: [ErrorClass; 8] = [
    ErrorClass::Task,
    ErrorClass::Transient,
    ErrorClass::Config,
    ErrorClass::Auth,
    ErrorClass::Quota,
    ErrorClass::Permission,
    ErrorClass::Agent,
    ErrorClass::Crash,
];

/// What an answer to a request for a permission may mean, in the order of the contract.
pub(in crate::rpc) const PERMISSIONS: [PermissionKind; 4] = [
    PermissionKind::AllowOnce,
    PermissionKind::AllowAlways,
    PermissionKind::RejectOnce,
    PermissionKind::RejectAlways,
];

/// The words that these are written with, for choosing one.
pub(in crate::rpc) fn words<T: Copy + Serialize>(all: &[T]) -> Vec<(String, T)> {
    let word = |value: &T| {
        let written = serde_json::to_value(value).unwrap_or_default();
        written.as_str().unwrap_or_default().to_owned()
    };
    all.iter().map(|value| (word(value), *value)).collect()
}

/// Reads the report in the field of this name.
pub(super) fn read_report(fields: &mut Fields<'_>, name: &'static str) -> Option<Reported> {
    #[derive(Clone, Copy)]
    enum Type {
        Started,
        Step,
        Output,
        Blocked,
        Unblocked,
        Cost,
        Finished,
        Failed,
    }
    let report = fields.object(name);
    let mut report = fields.require(name, report)?;
    let types = [
        ("started", Type::Started),
        ("step", Type::Step),
        ("output", Type::Output),
        ("blocked", Type::Blocked),
        ("unblocked", Type::Unblocked),
        ("cost", Type::Cost),
        ("finished", Type::Finished),
        ("failed", Type::Failed),
    ];
    let said = report.choice("type", &types);
    let read = match report.require("type", said)? {
        Type::Started => {
            let session = report.required_short_text("sessionID", AGENT_NAME);
            session.map(|session| Report::Started { session_id: session.to_owned(), continuity: None })
        }
        Type::Step => {
            let title = report.text("title").and_then(|title| report.at_most("title", title, STEP_MAX));
            Some(Report::Step { title: title.map(str::to_owned) })
        }
        Type::Output => {
            let written = report.written("data");
            let written = report.require("data", written);
            let written = written.filter(|data| fits(&report, "data", data, WRITTEN_BYTES));
            report.finish(Word::UnknownValue, |_| None);
            return written.map(|data| Reported::Output(data.to_owned()));
        }
        Type::Blocked => read_need(&mut report, "blocker").map(Report::Blocked),
        Type::Unblocked => Some(Report::Unblocked),
        Type::Cost => read_money(&mut report).map(Report::Cost),
        Type::Finished => Some(read_finished(&mut report)),
        Type::Failed => read_failed(&mut report),
    };
    report.finish(Word::UnknownValue, |_| None);
    read.map(Reported::Other)
}

fn fits(fields: &Fields<'_>, name: &str, text: &str, most: usize) -> bool {
    let fits = text.len() <= most;
    if !fits {
        fields.fault_hint(name, Word::TooLong, format!("use at most {most} bytes"));
    }
    fits
}

fn read_finished(report: &mut Fields<'_>) -> Report {
    let text = report.text("text").filter(|text| fits(report, "text", text, RESULT_BYTES));
    let outcome = report.choice("outcome", &words(&OUTCOMES));
    let last = match report.boolean("last") {
        Some(true) => Watch::IsOver,
        Some(false) | None => Watch::GoesOn,
    };
    Report::Finished { text: text.map(str::to_owned), outcome, last }
}

fn read_failed(report: &mut Fields<'_>) -> Option<Report> {
    let code = report.choice("code", &words(&ErrorCode::ALL));
    let code = report.require("code", code);
    let message = report.required_short_text("message", SENTENCE_MAX);
    let class = report.choice("class", &words(&CLASSES));
    Some(Report::Failed { code: code?, message: message?.to_owned(), class })
}

/// Since when and until when it waits is for the sidecar to say.
fn read_need(report: &mut Fields<'_>, name: &'static str) -> Option<Need> {
    #[derive(Clone, Copy)]
    enum Kind {
        Permission,
        Question,
    }
    let blocker = report.object(name);
    let mut blocker = report.require(name, blocker)?;
    let kind = blocker.choice("kind", &[("permission", Kind::Permission), ("question", Kind::Question)]);
    let read = match blocker.require("kind", kind)? {
        Kind::Permission => read_permission(&mut blocker),
        Kind::Question => read_question(&mut blocker),
    };
    blocker.finish(Word::UnknownValue, |_| None);
    read
}

fn read_permission(blocker: &mut Fields<'_>) -> Option<Need> {
    let request_id = blocker.required_short_text("requestID", AGENT_NAME).map(str::to_owned);
    let title = blocker.required_short_text("title", SENTENCE_MAX).map(str::to_owned);
    let options = read_options(blocker, |option| {
        let kind = option.choice("kind", &words(&PERMISSIONS));
        option.require("kind", kind)
    });
    let options = blocker.require("options", options).filter(|options| {
        if options.is_empty() {
            blocker.fault_hint("options", Word::Required, "offer at least one");
        }
        !options.is_empty()
    });
    let tool = blocker.kept_object("tool").filter(|tool| {
        let written = serde_json::to_string(tool).unwrap_or_default();
        fits(blocker, "tool", &written, TOOL_BYTES)
    });
    let options =
        options?.into_iter().map(|(id, label, kind)| PermissionOption { id, label, kind }).collect();
    Some(Need::Permission { request_id: request_id?, title: title?, options, tool })
}

fn read_question(blocker: &mut Fields<'_>) -> Option<Need> {
    let call_id = blocker.required_short_text("callID", AGENT_NAME).map(str::to_owned);
    let prompt = blocker.required_short_text("prompt", SENTENCE_MAX).map(str::to_owned);
    let options = read_options(blocker, |_| Some(())).unwrap_or_default();
    let options = options.into_iter().map(|(id, label, ())| QuestionOption { id, label }).collect();
    Some(Need::Question { call_id: call_id?, prompt: prompt?, options })
}

/// The options: each has an identity of its own, a label, and what else belongs to it.
fn read_options<T>(
    blocker: &mut Fields<'_>,
    read_beside: impl Fn(&mut Fields<'_>) -> Option<T>,
) -> Option<Vec<(String, String, T)>> {
    let sent = blocker.objects("options", OPTIONS_MAX)?;
    let mut options: Vec<Option<(String, String, T)>> = Vec::new();
    for mut option in sent {
        let id = option.required_short_text("id", AGENT_NAME).map(str::to_owned);
        if options.iter().flatten().any(|(other, _, _)| Some(other) == id.as_ref()) {
            option.fault_hint("id", Word::DuplicateField, "give each option an id of its own");
        }
        let label = option.required_short_text("label", LABEL_MAX).map(str::to_owned);
        let beside = read_beside(&mut option);
        option.finish(Word::UnknownValue, |_| None);
        options.push(id.zip(label).zip(beside).map(|((id, label), beside)| (id, label, beside)));
    }
    options.into_iter().collect()
}
