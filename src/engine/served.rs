//! Work that a window carries out itself: how it begins, and what the window reports of it.
//!
//! A window is believed only about what is its own: a run that it was given, that it has begun, and that has not ended.
//! Everything else is refused and changes nothing, so that reports may come late, twice or in disorder.

use super::ending::{self, Remains};
use super::limits;
use super::presence::lost;
use super::{Context, blocker, derive, find_run, pause, progress, report};
use crate::domain::automation::Task;
use crate::domain::id::{InstanceId, RunId, SubscriptionId};
use crate::domain::prompt::{Prompt, SessionContext};
use crate::domain::provider::{ProviderWork, Report, Watch, WorkLimits};
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{self, ErrorCode, RunEvent, State};
use crate::domain::run::{Attendance, Continuity, ErrorClass, Outcome, OutputSize, Run, RunError, RunResult};
use crate::ledger::{Begun, ProcessRow, RunRow, Stored, Tx, View};

/// What the fence says to a window that is to carry out a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Begin {
    /// The run has begun: the window is told so on this subscription.
    Go {
        /// The subscription.
        on: SubscriptionId,
        /// What it is told.
        start: Box<ProviderWork>,
    },
    /// The run is no longer this window's to begin: it is told nothing.
    Withdrawn,
}

/// What has become of a report.
#[derive(Debug)]
pub enum Reported {
    /// It was taken.
    Taken,
    /// It came too late to say how the run ended. What it says of the work, that it has gone, was taken all the same.
    TooLate(Refusal),
}

/// Writes down that a run begins, before its window is told to. The number of its giving is the one of
/// [`report::begin`].
///
/// # Errors
/// When the ledger fails; nothing may be told then.
pub fn begin(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    id: &RunId,
    given_number: i64,
) -> Result<Begin, Refusal> {
    let me = &context.me.instance;
    let Some(run) = report::to_begin(tx, context, id, given_number)? else { return Ok(Begin::Withdrawn) };
    let prompt = match &run.definition.task {
        Task::Prompt(prompt) => prompt,
        Task::Command(_) | Task::Notify { .. } => return Ok(Begin::Withdrawn),
    };
    let servings = tx.servings_of(me)?;
    let Some(serving) = servings.into_iter().find(|it| it.offer.provider == prompt.model.provider) else {
        return Ok(Begin::Withdrawn);
    };
    let begun = Begun::Served(serving.id.clone());
    tx.insert_process(run.row, &ProcessRow { instance: me.clone(), begun }, context.now)?;
    let start = Box::new(start(tx, &run, prompt)?);
    Ok(Begin::Go { on: serving.id, start })
}

fn start(view: &View<'_>, run: &RunRow, prompt: &Prompt) -> Result<ProviderWork, Refusal> {
    let policy = &run.definition.policy;
    Ok(ProviderWork::Start {
        run: Box::new(run.run.clone()),
        prompt: prompt.prompt.clone(),
        model: prompt.model.model.clone(),
        variant: prompt.variant.clone(),
        session_id: session_to_continue(view, run, prompt)?,
        step_cap: policy.step_cap,
        permissions: policy.permissions,
        limits: WorkLimits { idle_ms: policy.idle_ms, wall_ms: policy.wall_ms, blocker_ms: blocker_ms(run) },
    })
}

/// How long a person has to answer what the run asks, in milliseconds.
pub(super) fn blocker_ms(run: &RunRow) -> i64 {
    let spans = run.definition.policy.blocker_ms;
    match run.run.attendance {
        Attendance::Attended => spans.attended,
        Attendance::Unattended => spans.unattended,
    }
}

/// The runs of one automation never overlap, so this is the same when a run begins and when it has started.
fn session_to_continue(view: &View<'_>, run: &RunRow, prompt: &Prompt) -> Result<Option<String>, Refusal> {
    Ok(match (prompt.context, &prompt.session_id) {
        (SessionContext::Fresh, _) => None,
        (SessionContext::Continue, Some(session)) => Some(session.clone()),
        (SessionContext::Continue, None) => view.session_of(run.automation, &prompt.model.provider)?,
    })
}

/// A window reports of a run.
///
/// # Errors
/// When the run is not the window's to report of, or this cannot happen to it now: nothing is changed then.
pub fn report(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    id: &RunId,
    report: Report,
) -> Result<Reported, Refusal> {
    let run = match begun_here(tx, &context.me.instance, id)? {
        Whose::Mine(run) => *run,
        Whose::Over(_) if says_that_it_has_gone(&report) => {
            report::gone(tx, context, id)?;
            return Ok(Reported::TooLate(ended(&find_run(tx, id)?.run)));
        }
        Whose::Over(refusal) => return Err(refusal),
    };
    match report {
        Report::Started { session_id } => started(tx, context, run, session_id)?,
        Report::Failed { code, message, class } => failed(tx, context, run, code, message, class)?,
        Report::Step { title } => progress::step(tx, context, at_work(run)?, title)?,
        Report::Cost(cost) => progress::cost(tx, context, at_work(run)?, cost)?,
        Report::Blocked(need) => blocker::block(tx, context, at_work(run)?, need)?,
        Report::Unblocked => blocker::unblock(tx, context, at_work(run)?)?,
        Report::Finished { text, outcome, last } => {
            finished(tx, context, at_work(run)?, RunResult { text, outcome }, last)?;
        }
    }
    Ok(Reported::Taken)
}

/// A window was never told to begin a run: it was asked to end, or had ended, before the window has listened. Nothing of
/// it is there.
///
/// # Errors
/// When the ledger fails; this is to be said again.
pub fn never_told(tx: &Tx<'_>, context: &mut Context<'_>, id: &RunId) -> Result<(), Refusal> {
    match tx.run(id)? {
        Some(run) if run.run.state().is_active() => {
            let outcome = lost(&run);
            ending::end(tx, context, run, outcome, None, Remains::Nothing)
        }
        Some(_) | None => report::gone(tx, context, id),
    }
}

/// A window has output of a run. What writes it is called only if the window may, with how much there is by then, and
/// gives how much there is afterwards; that is told with whatever is told next. Where it fails nothing is changed.
///
/// # Errors
/// When the run is not the window's to write for: it may have ended meanwhile.
pub fn output<E>(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    id: &RunId,
    write: impl FnOnce(OutputSize) -> Result<OutputSize, E>,
) -> Result<Result<(), E>, Refusal> {
    let mut run = match begun_here(tx, &context.me.instance, id)? {
        Whose::Mine(run) => at_work(*run)?,
        Whose::Over(refusal) => return Err(refusal),
    };
    run.run.output = match write(run.run.output) {
        Ok(size) => size,
        Err(error) => return Ok(Err(error)),
    };
    limits::stir(&mut run, context.now);
    tx.update_run(&run)?;
    Ok(Ok(()))
}

/// What a run is to a window that reports of it.
enum Whose {
    /// It carries it out.
    Mine(Box<RunRow>),
    /// It has carried it out, and the run has ended.
    Over(Refusal),
}

/// The fence for reports.
fn begun_here(view: &View<'_>, me: &InstanceId, id: &RunId) -> Result<Whose, Refusal> {
    let refused = |why: String| Err(Refusal::InvalidRequest(format!("run {id} {why}")));
    let run = match view.stored_run(id)? {
        Some(Stored::Known(run)) => run,
        Some(Stored::Later(_)) => {
            return refused(
                "is of a later version, which carries it out; update this application".to_owned(),
            );
        }
        None => return Err(Refusal::NotFound { what: "run", id: id.to_string() }),
    };
    let has_ended = !run.run.state().is_active();
    let process = view.process(run.row)?;
    match process {
        Some(ProcessRow { instance, begun: Begun::Served(_) }) if instance == *me => match has_ended {
            false => Ok(Whose::Mine(Box::new(run))),
            true => Ok(Whose::Over(held(&run.run))),
        },
        Some(_) | None if has_ended => Err(ended(&run.run)),
        Some(ProcessRow { begun: Begun::Guard(_), .. }) => {
            refused("is a command, which a sidecar carries out by itself".to_owned())
        }
        Some(ProcessRow { begun: Begun::Served(_), .. }) => {
            refused("is carried out by another window".to_owned())
        }
        None => refused("has not begun: wait for `provider/work` with `type: \"start\"`".to_owned()),
    }
}

fn ended(run: &Run) -> Refusal {
    let (id, state) = (&run.id, run.state().as_str());
    Refusal::InvalidRequest(format!(
        "run {id} has {state}; leave it alone, what is reported now changes nothing"
    ))
}

/// The run has ended as it was asked to, and its window has not said that its work has gone.
fn held(run: &Run) -> Refusal {
    let (id, state) = (&run.id, run.state().as_str());
    Refusal::InvalidRequest(format!(
        "run {id} has {state}, however its work ends; its directory is held until that has been reported as `finished` or `failed`"
    ))
}

fn says_that_it_has_gone(report: &Report) -> bool {
    match report {
        Report::Finished { .. } | Report::Failed { .. } => true,
        Report::Started { .. }
        | Report::Step { .. }
        | Report::Blocked(_)
        | Report::Unblocked
        | Report::Cost(_) => false,
    }
}

/// The run, if its work is known to have started.
fn at_work(run: RunRow) -> Result<RunRow, Refusal> {
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
) -> Result<(), Refusal> {
    if run.run.state() != State::Scheduled {
        let why = format!("run {} has started already; report it once", run.run.id);
        return Err(Refusal::InvalidRequest(why));
    }
    let continued = match &run.definition.task {
        Task::Prompt(prompt) => session_to_continue(tx, &run, prompt)?,
        Task::Command(_) | Task::Notify { .. } => None,
    };
    run.run.start(context.me.instance.clone(), context.now)?;
    run.run.continuity = Some(match continued.as_ref() == Some(&session_id) {
        true => Continuity::Resumed,
        false => Continuity::New,
    });
    run.run.session_id = Some(session_id.clone());
    limits::begin(&mut run, context.now);
    derive::publish_run(tx, &mut run, context.now)?;
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
        pause::watch_is_over(tx, context, run.automation)?;
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

fn word(code: ErrorCode) -> String {
    serde_json::to_value(code).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
