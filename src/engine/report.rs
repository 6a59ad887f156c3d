//! What became of the work. The executor's side of the fence: a run is given, then begun, then running.

use super::ending::{self, Remains};
use super::{Context, agent, assign, blocker, cancel, delete, derive, find_run, limits, tick};
use crate::domain::automation::Task;
use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::domain::policy::Precheck;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{self, ErrorCode, RunEvent, State, StopReason};
use crate::domain::run::{
    Changes, ErrorClass, Outcome, OutputSize, ProcessEnd, RunError, RunResult, StartFailure,
};
use crate::domain::time::Timestamp;
use crate::ledger::{ProcessRow, RunRow, Tx};

/// What the fence says to an instance that has a guard ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// The run has begun: let the work start.
    Go,
    /// The run is no longer this instance's to begin: nothing may start.
    Withdrawn,
}

/// How the work of a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkEnd {
    /// It could not be started.
    NotStarted(StartFailure),
    /// Its precheck was carried out, and its command was never started.
    PrecheckOnly {
        /// Why not.
        why: NotReached,
        /// How the precheck ended, and what it left.
        process: ProcessEnd,
        /// How much it wrote.
        output: OutputSize,
    },
    /// Its process ended.
    Exited {
        /// How, and what it left.
        process: ProcessEnd,
        /// How much it wrote.
        output: OutputSize,
        /// What it has changed, if that was looked for.
        changes: Option<Changes>,
    },
    /// The process of an agent ended, and with it what it was told to do.
    Agent {
        /// What has come of that.
        said: Said,
        /// How the process ended, and what it left.
        process: ProcessEnd,
        /// How much the agent has said.
        output: OutputSize,
    },
    /// What guarded it ended while the sidecar lived.
    GuardLost {
        /// What is known, as a sentence.
        message: String,
        /// What was left.
        process: ProcessEnd,
        /// How much it wrote.
        output: OutputSize,
    },
}

/// What has come of what an agent was told to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It is done.
    Done(RunResult),
    /// It has failed, or could not be begun.
    Failed(RunError),
    /// The agent has gone without saying anything about it: a sentence about that.
    Nothing(String),
}

/// Why a command was not started though its precheck was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReached {
    /// The precheck ended as its exit code or signal says.
    ByExit,
    /// The precheck took longer than it may.
    TimedOut,
    /// The precheck allowed it, and it could not be started.
    NotStarted(StartFailure),
}

/// Writes down that a run begins, before anything of it starts. Whoever sets out to carry it out says by the number of
/// its giving what it was given: since then the run may have been handed back and given to the same instance anew, which
/// has somebody else carry it out then.
///
/// # Errors
/// When the ledger fails; nothing may start then.
pub fn begin(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    id: &RunId,
    given_number: i64,
    process: &ProcessRow,
) -> Result<Fence, Refusal> {
    let Some(run) = to_begin(tx, context, id, given_number)? else { return Ok(Fence::Withdrawn) };
    if let Task::Prompt(prompt) = &run.definition.task
        && agent::waits_for_its_session(tx, &run, prompt)?
    {
        return Ok(Fence::Withdrawn);
    }
    tx.insert_process(run.row, process, context.now)?;
    Ok(Fence::Go)
}

/// The run, if it is still this instance's to begin by this giving, whatever carries it out.
pub(super) fn to_begin(
    tx: &Tx<'_>,
    context: &Context<'_>,
    id: &RunId,
    given_number: i64,
) -> Result<Option<RunRow>, Refusal> {
    Ok(mine(tx, context, id)?.filter(|run| {
        let wanted = run.run.state() == State::Scheduled && run.run.stopping().is_none();
        wanted && !run.begun && run.given_number == given_number
    }))
}

/// The work has really started.
///
/// # Errors
/// When the ledger fails; the report is to be made again.
pub fn started(tx: &Tx<'_>, context: &mut Context<'_>, id: &RunId) -> Result<(), Refusal> {
    let Some(mut run) = mine(tx, context, id)? else { return Ok(()) };
    if run.run.state() != State::Scheduled || !run.begun {
        return Ok(());
    }
    run.run.start(context.me.instance.clone(), context.now)?;
    limits::begin(&mut run, context.now);
    derive::publish_run(tx, &mut run, context.now)
}

/// The work has ended and everything of it has gone. A second report of the same end changes nothing.
///
/// # Errors
/// When the ledger fails; the report is to be made again.
pub fn ended(tx: &Tx<'_>, context: &mut Context<'_>, id: &RunId, work_end: WorkEnd) -> Result<(), Refusal> {
    let Some(mut run) = mine(tx, context, id)? else { return Ok(()) };
    if !run.run.state().is_active() {
        return gone(tx, context, id);
    }
    let (process, outcome) = match work_end {
        WorkEnd::NotStarted(failure) => (None, Outcome::Failed(not_started(&run, failure))),
        WorkEnd::PrecheckOnly { why, process, output } => {
            run.run.output = output;
            let outcome = by_precheck(why, &process);
            (Some(process), outcome)
        }
        WorkEnd::Exited { process, output, changes } => {
            // A command that has exited had started, also if that could not be reported.
            if run.run.state() == State::Scheduled {
                run.run.start(context.me.instance.clone(), context.now)?;
                derive::publish_run(tx, &mut run, context.now)?;
            }
            run.run.output = output;
            let outcome = by_exit(&process, changes, run.run.started_at());
            (Some(process), outcome)
        }
        WorkEnd::Agent { said, process, output } => {
            run.run.output = output;
            let is_done = matches!(said, Said::Done(_));
            if is_done && run.run.state() == State::AwaitingInput && run.run.stopping().is_none() {
                blocker::withdraw(tx, context, &mut run)?;
            }
            let outcome = by_agent(&run, said);
            (Some(process), outcome)
        }
        WorkEnd::GuardLost { message, process, output } => {
            run.run.output = output;
            let error = RunError::of(ErrorCode::Crashed, message, run.run.started_at());
            (Some(process), Outcome::Failed(error))
        }
    };
    end(tx, context, run, outcome, process)
}

/// The work of a run has gone. Who wished first decides how the end is recorded; what became of the process, if there was
/// one, is told in any case.
pub(super) fn end(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    run: RunRow,
    outcome: Outcome,
    process: Option<ProcessEnd>,
) -> Result<(), Refusal> {
    let id = run.run.id.clone();
    let wished = run.run.stopping().map(|wish| cancel::outcome_of(wish, &run));
    ending::end(tx, context, run, wished.unwrap_or(outcome), process, Remains::Nothing)?;
    warn_of_cut_output(tx, context, &id)
}

/// Tells that not all of the output was kept. It comes after the end and all that follows from it: it shows the run
/// as it ended, and nothing may stand between an end and what that means for the automation.
fn warn_of_cut_output(tx: &Tx<'_>, context: &Context<'_>, id: &RunId) -> Result<(), Refusal> {
    let limit = context.limits.output_bytes;
    let run = find_run(tx, id)?.run;
    // Who allows no output at all wants none, and need not be told with each run.
    if run.output.truncated && limit > 0 {
        tx.publish(&Event::output_cut(run, limit), context.now)?;
    }
    Ok(())
}

/// Everything of an ended run has gone: its directory is free.
///
/// # Errors
/// When the ledger fails; the report is to be made again.
pub fn gone(tx: &Tx<'_>, context: &mut Context<'_>, id: &RunId) -> Result<(), Refusal> {
    if tx.release(id)? {
        if let Some(automation) = tx.automation_row_of_run(id)? {
            // The directory is free, also where its automation cannot be read.
            tick::apart(tx, context, automation, |tx, context| delete::go_on(tx, context, automation))?;
        }
        assign::assign(tx, context)?;
        assign::move_up(tx, context, id)?;
    }
    Ok(())
}

/// The run, if it is this instance's to answer for. A report of anybody else changes nothing, and neither does one
/// that comes when the run has ended and even its record has gone.
fn mine(tx: &Tx<'_>, context: &Context<'_>, id: &RunId) -> Result<Option<RunRow>, Refusal> {
    Ok(tx.run(id)?.filter(|run| run.given_to.as_ref() == Some(&context.me.instance)))
}

/// A run whose work is known to have started cannot have failed to start: what carried it out is lost.
fn not_started(run: &RunRow, StartFailure { class, message }: StartFailure) -> RunError {
    match run.run.state() {
        State::Running | State::AwaitingInput => {
            RunError::of(ErrorCode::Crashed, message, run.run.started_at())
        }
        State::Scheduled | State::Succeeded | State::Failed | State::Stopped => {
            RunError { code: ErrorCode::StartFailed, message, class }
        }
    }
}

fn by_precheck(why: NotReached, process: &ProcessEnd) -> Outcome {
    const SEE: &str = "so the work was not started; `end.tail` has its last output";
    let (message, class) = match (why, process.exit_code, process.signal) {
        (NotReached::ByExit, Some(Precheck::NOTHING_TO_DO), _) => {
            return Outcome::Stopped(StopReason::PrecheckSkipped);
        }
        (NotReached::ByExit, Some(0), _) => {
            ("it was ended before the work was started".to_owned(), ErrorClass::Task)
        }
        (NotReached::ByExit, Some(code), _) => {
            (format!("the precheck exited with code {code}, {SEE}"), ErrorClass::Task)
        }
        (NotReached::ByExit, None, Some(signal)) => {
            (format!("the precheck was killed by signal {signal}, {SEE}"), ErrorClass::Task)
        }
        (NotReached::ByExit, None, None) => {
            (format!("the precheck ended without a code or signal, {SEE}"), ErrorClass::Task)
        }
        (NotReached::TimedOut, _, _) => {
            (format!("the precheck took longer than `policy.precheck.timeoutMs`, {SEE}"), ErrorClass::Task)
        }
        (NotReached::NotStarted(StartFailure { class, message }), _, _) => (message, class),
    };
    Outcome::Failed(RunError { code: ErrorCode::StartFailed, message, class })
}

/// An agent can fail in any way that the state of the run allows; what does not fit is a failure to start before it has
/// started, and one of the work after that.
fn by_agent(run: &RunRow, said: Said) -> Outcome {
    let (state, started_at) = (run.run.state(), run.run.started_at());
    let general = if started_at.is_none() { ErrorCode::StartFailed } else { ErrorCode::ExecutionFailed };
    Outcome::Failed(match said {
        Said::Done(result) if started_at.is_some() => return Outcome::Succeeded(result),
        Said::Done(_) => {
            let message = "the agent says that it is done and had not begun".to_owned();
            RunError { code: general, message, class: ErrorClass::Agent }
        }
        Said::Failed(error) if machine::next(state, RunEvent::Fail(error.code)).is_ok() => error,
        Said::Failed(RunError { message, class, .. }) => RunError { code: general, message, class },
        Said::Nothing(message) if started_at.is_some() => {
            RunError::of(ErrorCode::Crashed, message, started_at)
        }
        Said::Nothing(message) => RunError { code: general, message, class: ErrorClass::Agent },
    })
}

fn by_exit(process: &ProcessEnd, changes: Option<Changes>, started_at: Option<Timestamp>) -> Outcome {
    let message = match (process.exit_code, process.signal) {
        (Some(0), _) => return Outcome::Succeeded(RunResult::default().with_changes(changes)),
        (Some(code), _) => format!("the command exited with code {code}; `end.tail` has its last output"),
        (None, Some(signal)) => {
            format!("the command was killed by signal {signal}; `end.tail` has its last output")
        }
        (None, None) => "the command ended without a code or signal".to_owned(),
    };
    Outcome::Failed(RunError::of(ErrorCode::ExecutionFailed, message, started_at))
}
