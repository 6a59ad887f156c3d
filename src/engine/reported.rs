//! What is reported of a prompt's run, whoever carries it out: a window, or an agent that a sidecar has started. Whether
//! it may be reported at all is asked before, by [`super::served`] and [`super::agent`].

use serde::Serialize;

use super::{Context, blocker, derive, limits, pause, progress, report, tick};
use crate::domain::automation::Task;
use crate::domain::prompt::{Prompt, SessionContext};
use crate::domain::provider::{Report, Watch};
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{self, ErrorCode, RunEvent, State};
use crate::domain::run::{Continuity, ErrorClass, Outcome, RunError, RunResult};
use crate::ledger::{RunRow, Stored, Tx, View};

/// Takes in what is reported of a run that has begun and has not ended.
///
/// # Errors
/// When this cannot happen to the run now: nothing is changed then.
pub(super) fn take(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    run: RunRow,
    report: Report,
) -> Result<(), Refusal> {
    match report {
        Report::Started { session_id, continuity } => started(tx, context, run, session_id, continuity)?,
        Report::Failed { code, message, class } => failed(tx, context, run, code, message, class)?,
        Report::Step { title } => progress::step(tx, context, at_work(run)?, title)?,
        Report::Cost(cost) => progress::cost(tx, context, at_work(run)?, cost)?,
        Report::Blocked(need) => blocker::block(tx, context, at_work(run)?, need)?,
        Report::Unblocked => blocker::unblock(tx, context, at_work(run)?)?,
        Report::Finished { text, outcome, last } => {
            finished(tx, context, at_work(run)?, RunResult { text, outcome, ..RunResult::default() }, last)?;
        }
    }
    Ok(())
}

/// The runs of one automation never overlap, so this is the same when a run begins and when it has started.
pub(super) fn session_to_continue(
    view: &View<'_>,
    run: &RunRow,
    prompt: &Prompt,
) -> Result<Option<String>, Refusal> {
    Ok(match (prompt.context, &prompt.session_id) {
        (SessionContext::Fresh, _) => None,
        (SessionContext::Continue, Some(session)) => Some(session.clone()),
        (SessionContext::Continue, None) => view.session_of(run.automation, &prompt.model.provider)?,
    })
}

/// The run, if its work is known to have started.
pub(super) fn at_work(run: RunRow) -> Result<RunRow, Refusal> {
    match run.run.state() {
        State::Running | State::AwaitingInput => Ok(run),
        State::Scheduled | State::Succeeded | State::Failed | State::Stopped => Err(Refusal::InvalidRequest(
            format!("run {} has not started; report `started` first, or `failed`", run.run.id),
        )),
    }
}

fn started(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut run: RunRow,
    session_id: String,
    continuity: Option<Continuity>,
) -> Result<(), Refusal> {
    if run.run.state() != State::Scheduled {
        let why = format!("run {} has started already; report it once", run.run.id);
        return Err(Refusal::InvalidRequest(why));
    }
    let continued = match &run.definition.task {
        Task::Prompt(prompt) => session_to_continue(tx, &run, prompt)?,
        Task::Command(_) | Task::Notify { .. } => None,
    };
    let continuity = continuity.unwrap_or(match continued.as_ref() == Some(&session_id) {
        true => Continuity::Resumed,
        false => Continuity::New,
    });
    run.run.start(context.me.instance.clone(), context.now)?;
    run.run.continuity = Some(continuity);
    run.run.session_id = Some(session_id.clone());
    limits::begin(&mut run, context.now);
    derive::publish_run(tx, &mut run, context.now)?;
    // Work that has started goes on, also where its automation cannot be read.
    tick::apart(tx, context, run.automation, |tx, context| remember(tx, context, &run, session_id)).map(drop)
}

/// The next run of the automation may go on in this session.
fn remember(tx: &Tx<'_>, context: &Context<'_>, run: &RunRow, session_id: String) -> Result<(), Refusal> {
    match tx.stored_automation_at(run.automation)? {
        // Another provider, which the automation has got meanwhile, does not know this session.
        Stored::Known(automation)
            if automation.definition.task.provider() != run.definition.task.provider() =>
        {
            Ok(())
        }
        Stored::Known(mut automation) if automation.session_id.as_ref() != Some(&session_id) => {
            automation.session_id = Some(session_id);
            derive::publish_automation(tx, &mut automation, context.now).map(drop)
        }
        // What a later version continues is its own matter.
        Stored::Known(_) | Stored::Later(_) => Ok(()),
    }
}

fn finished(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut run: RunRow,
    result: RunResult,
    last: Watch,
) -> Result<(), Refusal> {
    // Who wished first decides how the end is recorded, and then nothing has come out of it.
    if run.run.stopping().is_some() {
        return report::end(tx, context, run, Outcome::Succeeded(result), None);
    }
    if run.run.state() == State::AwaitingInput {
        blocker::withdraw(tx, context, &mut run)?;
    }
    if last == Watch::IsOver {
        let automation = run.automation;
        tick::apart(tx, context, automation, |tx, context| pause::watch_is_over(tx, context, automation))?;
        run = tx.run_at(run.row)?;
    }
    report::end(tx, context, run, Outcome::Succeeded(result), None)
}

fn failed(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    run: RunRow,
    code: ErrorCode,
    message: String,
    class: Option<ErrorClass>,
) -> Result<(), Refusal> {
    let state = run.run.state();
    let possible = |code: &ErrorCode| machine::next(state, RunEvent::Fail(*code)).is_ok();
    if !possible(&code) {
        let codes = ErrorCode::ALL.iter().filter(|code| possible(code));
        let words: Vec<String> = codes.map(|code| word(*code)).collect();
        return Err(Refusal::InvalidRequest(format!(
            "run {} is {} and cannot fail as {}; report one of: {}",
            run.run.id,
            state.as_str(),
            word(code),
            words.join(", ")
        )));
    }
    let class = class.unwrap_or_else(|| code.default_class(run.run.started_at()));
    report::end(tx, context, run, Outcome::Failed(RunError { code, message, class }), None)
}

/// The word of the contract for a code or a reason.
pub(super) fn word(of: impl Serialize) -> String {
    serde_json::to_value(of).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
