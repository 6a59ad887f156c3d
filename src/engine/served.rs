//! Work that a window carries out itself: how it begins, and what the window reports of it.
//!
//! A window is believed only about what is its own: a run that it was given, that it has begun, and that has not ended.
//! Everything else is refused and changes nothing, so that reports may come late, twice or in disorder.

use super::ending::{self, Remains};
use super::limits;
use super::presence::lost;
use super::reported::{self, at_work, session_to_continue};
use super::{Context, find_run, report};
use crate::domain::automation::Task;
use crate::domain::briefing;
use crate::domain::id::{InstanceId, RunId, SubscriptionId};
use crate::domain::prompt::Prompt;
use crate::domain::provider::{ProviderWork, Report, WorkLimits};
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::ErrorCode;
use crate::domain::run::{Attendance, ErrorClass, Outcome, OutputSize, Run, RunError};
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
    if run.definition.policy.precheck.is_some() {
        // It was accepted for an agent of the same name.
        let message = format!(
            "a window carries out the prompts of `{}` itself and runs no prechecks; take `policy.precheck` out",
            serving.offer.provider
        );
        let error = RunError { code: ErrorCode::StartFailed, message, class: ErrorClass::Config };
        report::end(tx, context, run, Outcome::Failed(error), None)?;
        return Ok(Begin::Withdrawn);
    }
    let begun = Begun::Served(serving.id.clone());
    tx.insert_process(run.row, &ProcessRow { instance: me.clone(), begun }, context.now)?;
    let start = Box::new(start(tx, &run, prompt)?);
    Ok(Begin::Go { on: serving.id, start })
}

fn start(view: &View<'_>, run: &RunRow, prompt: &Prompt) -> Result<ProviderWork, Refusal> {
    let policy = &run.definition.policy;
    Ok(ProviderWork::Start {
        run: Box::new(run.run.clone()),
        prompt: briefing::with_context(&prompt.prompt, run.context.as_deref()),
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
    reported::take(tx, context, run, report)?;
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
