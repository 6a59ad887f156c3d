//! A run needs a person: it asks, and somebody answers, or nobody does in time.

use super::{Context, cancel, derive, find_run, limits, served};
use crate::domain::fault::{Fault, Word};
use crate::domain::id::RunId;
use crate::domain::policy::Permissions;
use crate::domain::provider::{Answer, Choice};
use crate::domain::refusal::{Refusal, invalid_param};
use crate::domain::run::machine::{ErrorCode, State, StopReason};
use crate::domain::run::{Asked, Blocker, Need, PermissionKind, Run, Urgency, Wish};
use crate::ledger::{RunRow, Tx};

/// The work needs a person. Where nobody is to be asked, the run is asked to end.
pub(super) fn block(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut run: RunRow,
    need: Need,
) -> Result<(), Refusal> {
    let refused = |why: &str| Err(Refusal::InvalidRequest(format!("run {} {why}", run.run.id)));
    match run.run.blocker() {
        Some(known) if known.need == need => return Ok(()),
        Some(_) => return refused("waits for a person already; report `unblocked` before it asks for more"),
        None => {}
    }
    if run.run.stopping().is_some() {
        return refused("is to end, so that nobody is asked any more; end it and report `failed`");
    }
    if run.work.last_answered == Some(need.asked()) {
        return refused("was answered that already; ask under another id if it needs a person once more");
    }
    if run.definition.policy.permissions == Permissions::Deny {
        return cancel::wish(tx, context, run, Wish::Fail(ErrorCode::NeedsUserInput), Urgency::Ask);
    }
    let expires_at = context.now.plus_ms(served::blocker_ms(&run));
    run.run.block(Blocker { need, since: context.now, expires_at })?;
    limits::rest(&mut run, context.now, expires_at);
    derive::publish_run(tx, &mut run, context.now)
}

/// The work needs nobody any more. A run that was answered, or never asked, is at work already. One that is to end
/// shows what it waited for until it has: it ends as what it was when that was wished.
pub(super) fn unblock(tx: &Tx<'_>, context: &Context<'_>, mut run: RunRow) -> Result<(), Refusal> {
    match run.run.state() {
        State::AwaitingInput if run.run.stopping().is_none() => withdraw(tx, context, &mut run),
        State::AwaitingInput
        | State::Running
        | State::Scheduled
        | State::Succeeded
        | State::Failed
        | State::Stopped => {
            limits::stir(&mut run, context.now);
            Ok(tx.update_run(&run)?)
        }
    }
}

/// The run goes on without an answer, or with one that was just given.
pub(super) fn withdraw(tx: &Tx<'_>, context: &Context<'_>, run: &mut RunRow) -> Result<(), Refusal> {
    run.run.unblock()?;
    limits::go_on(run, context.now);
    derive::publish_run(tx, run, context.now)
}

/// Somebody answers. The first answer counts; the window that carries the run out is handed it.
///
/// # Errors
/// When there is no such run, it does not wait for this answer any more, or this was not offered or asked for in this
/// form: it goes on waiting then.
pub fn respond(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    id: &RunId,
    asked: Asked,
    choice: Choice,
) -> Result<Run, Refusal> {
    let mut run = find_run(tx, id)?;
    let waits = run
        .run
        .blocker()
        .filter(|blocker| run.run.stopping().is_none() && blocker.expires_at > context.now)
        .map(|blocker| (blocker, blocker.need.asked()));
    let blocker = match waits {
        Some((blocker, wanted)) if wanted == asked => blocker,
        Some((blocker, wanted)) if wanted.id() == asked.id() => {
            return Err(Refusal::InvalidParams(of_another_form(&blocker.need, &choice)));
        }
        Some(_) | None => return Err(Refusal::BlockerGone { run: id.clone() }),
    };
    if let Some(fault) = not_offered(&blocker.need, &choice) {
        return Err(invalid_param(fault));
    }
    run.work.last_answered = Some(asked.clone());
    withdraw(tx, context, &mut run)?;
    tx.insert_answer(run.row, &Answer { run: id.clone(), asked, choice })?;
    Ok(run.run)
}

/// What is wrong with an answer that names what the run waits for by the other name. One that names something else may
/// have been overtaken by another answer, and is no fault of who sent it.
fn of_another_form(need: &Need, choice: &Choice) -> Vec<Fault> {
    let (wrong, right, hint) = match need {
        Need::Permission { .. } => (
            "callID",
            "requestID",
            "the run waits for a permission: write its `requestID`, and an `optionID`",
        ),
        Need::Question { .. } => (
            "requestID",
            "callID",
            "the run asks a question: write its `callID`, and a `text` or an `optionID`",
        ),
    };
    let names =
        [Fault::new(wrong, Word::UnknownValue), Fault::with_hint(right, Word::Required, hint)].into_iter();
    names.chain(not_offered(need, choice)).collect()
}

/// What is wrong with an answer, if anything is. Whoever asks a question can be told anything; a permission is one of
/// those that were offered.
fn not_offered(need: &Need, choice: &Choice) -> Option<Fault> {
    let ids: Vec<&str> = match need {
        Need::Permission { options, .. } => options.iter().map(|option| option.id.as_str()).collect(),
        Need::Question { options, .. } => options.iter().map(|option| option.id.as_str()).collect(),
    };
    match (need, choice) {
        (_, Choice::Option { option_id }) if ids.contains(&option_id.as_str()) => None,
        (_, Choice::Option { .. }) if ids.is_empty() => {
            let hint = "nothing is offered to choose from; write `text`";
            Some(Fault::with_hint("optionID", Word::UnknownValue, hint))
        }
        (_, Choice::Option { .. }) => {
            let hint = format!("write one of: {}", ids.join(", "));
            Some(Fault::with_hint("optionID", Word::UnknownValue, hint))
        }
        (Need::Permission { .. }, Choice::Text { .. }) => {
            let hint = format!("a permission is answered with one of: {}", ids.join(", "));
            Some(Fault::with_hint("optionID", Word::Required, hint))
        }
        (Need::Question { .. }, Choice::Text { .. }) => None,
    }
}

/// Nobody has answered in time. Who asked for a permission is told no, this once, if that was offered: nobody has
/// decided for later.
pub(super) fn expire(tx: &Tx<'_>, context: &mut Context<'_>, run: RunRow) -> Result<(), Refusal> {
    if let Some(Blocker { need: need @ Need::Permission { options, .. }, .. }) = run.run.blocker()
        && let Some(no) = options.iter().find(|option| option.kind == PermissionKind::RejectOnce)
    {
        let choice = Choice::Option { option_id: no.id.clone() };
        tx.insert_answer(run.row, &Answer { run: run.run.id.clone(), asked: need.asked(), choice })?;
    }
    cancel::wish(tx, context, run, Wish::Stop(StopReason::Expired), Urgency::Ask)
}

/// The window that carries the run out has been handed this answer.
///
/// # Errors
/// When the ledger fails; the answer is handed over once more then, which does no harm.
pub fn handed_over(tx: &Tx<'_>, answer: i64) -> Result<(), Refusal> {
    Ok(tx.delete_answer(answer)?)
}
