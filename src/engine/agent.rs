//! Prompts that are given to an agent which a sidecar starts itself, under a guard, as it does a command: what the agent is
//! told, and what is reported of it.

use super::{Context, limits, reported};
use crate::domain::id::RunId;
use crate::domain::policy::Money;
use crate::domain::prompt::{Prompt, SessionContext};
use crate::domain::provider::Report;
use crate::domain::refusal::Refusal;
use crate::domain::run::{Phase, Run};
use crate::domain::time::Timestamp;
use crate::ledger::{Begun, RunRow, Tx, View};

/// Which session an agent is to work in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// A new one.
    New,
    /// The one of the automation's last run, if the agent can take it up; else a new one.
    Last(String),
    /// This one and no other.
    Named(String),
}

impl Session {
    /// The session that exists already.
    fn id(&self) -> Option<&str> {
        match self {
            Session::New => None,
            Session::Last(id) | Session::Named(id) => Some(id),
        }
    }
}

/// What an agent goes by, beside its prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// Where it works.
    pub session: Session,
    /// What that session has cost before this run, as far as the ledger knows.
    pub spent: Option<Money>,
    /// What the run before has come to. In the session of that one the agent remembers it itself, if it can take that up.
    pub previous: Option<PreviousRun>,
}

/// What the run before has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousRun {
    /// When it ended.
    pub completed_at: Timestamp,
    /// How, as in `succeeded` or `failed: timed_out`.
    pub ended: String,
    /// What was said at its end.
    pub text: String,
}

/// What an agent goes by in this run; none while another run is at work in the session that it is to continue.
///
/// # Errors
/// When the ledger fails.
pub fn past(view: &View<'_>, run: &RunRow, prompt: &Prompt) -> Result<Option<Past>, Refusal> {
    let session = session(view, run, prompt)?;
    if is_at_work(view, run, prompt, &session)? {
        return Ok(None);
    }
    let spent = match session.id() {
        Some(id) => view.spent_in_session(id, &prompt.model.provider, run.row)?,
        None => None,
    };
    let previous = match session {
        Session::New | Session::Last(_) => {
            view.last_carried_out(run.automation)?.and_then(|last| came_to(&last.run))
        }
        Session::Named(_) => None,
    };
    Ok(Some(Past { session, spent, previous }))
}

fn session(view: &View<'_>, run: &RunRow, prompt: &Prompt) -> Result<Session, Refusal> {
    let id = match reported::session_to_continue(view, run, prompt)? {
        // What an agent knows of one directory is of no use in another, and agents do not notice.
        Some(id) if prompt.session_id.is_none() => {
            let directory = view.directory_of_session(&id, &prompt.model.provider)?;
            directory.is_none_or(|directory| directory == run.run.directory).then_some(id)
        }
        id => id,
    };
    Ok(match (id, prompt.context, &prompt.session_id) {
        (None, _, _) | (_, SessionContext::Fresh, _) => Session::New,
        (Some(id), SessionContext::Continue, Some(_)) => Session::Named(id),
        (Some(id), SessionContext::Continue, None) => Session::Last(id),
    })
}

/// Whether the session that a run is to continue has to be waited for.
pub(super) fn waits_for_its_session(view: &View<'_>, run: &RunRow, prompt: &Prompt) -> Result<bool, Refusal> {
    is_at_work(view, run, prompt, &session(view, run, prompt)?)
}

fn is_at_work(view: &View<'_>, run: &RunRow, prompt: &Prompt, session: &Session) -> Result<bool, Refusal> {
    match session.id() {
        Some(id) => Ok(view.session_is_at_work(id, &prompt.model.provider, run.row)?),
        None => Ok(false),
    }
}

fn came_to(run: &Run) -> Option<PreviousRun> {
    let state = run.state().as_str();
    let (ended, words, text) = match &run.phase {
        Phase::Succeeded { ended, result } => {
            (ended, state.to_owned(), result.text.clone().unwrap_or_default())
        }
        Phase::Failed { ended, error } => {
            (ended, format!("{state}: {}", reported::word(error.code)), error.message.clone())
        }
        Phase::Stopped { ended, reason } => {
            (ended, format!("was {state}: {}", reported::word(reason)), String::new())
        }
        Phase::Scheduled { .. } | Phase::Running { .. } | Phase::AwaitingInput { .. } => return None,
    };
    Some(PreviousRun { completed_at: ended.completed_at, ended: words, text })
}

/// The sidecar that carries out a run says what the agent does. What comes too late, or of a run that is not its own any
/// more, changes nothing: the run was settled by somebody else meanwhile.
///
/// # Errors
/// When the ledger fails, or this cannot happen to the run now: nothing is changed then.
pub fn report(tx: &Tx<'_>, context: &mut Context<'_>, id: &RunId, report: Report) -> Result<Heard, Refusal> {
    let Some(run) = tx.run(id)? else { return Ok(Heard::TooLate) };
    let is_mine = tx.process(run.row)?.is_some_and(|process| match process.begun {
        Begun::Guard(_) => process.instance == context.me.instance,
        Begun::Served(_) => false,
    });
    if !is_mine || !run.run.state().is_active() {
        return Ok(Heard::TooLate);
    }
    if run.run.stopping().is_some() && matches!(report, Report::Blocked(_) | Report::Step { .. }) {
        // The agent has not heard yet that it is to end. Nobody is asked any more, and nothing is counted.
        return Ok(Heard::InTime);
    }
    reported::take(tx, context, run, report)?;
    Ok(Heard::InTime)
}

/// The agent has said what has come of its work, and is about to go: it is not ended any more as if it were at work.
///
/// # Errors
/// When the ledger fails; this is to be said again.
pub fn answered(tx: &Tx<'_>, context: &Context<'_>, id: &RunId) -> Result<(), Refusal> {
    match tx.run(id)? {
        Some(mut run)
            if run.given_to.as_ref() == Some(&context.me.instance) && run.run.state().is_active() =>
        {
            limits::end(&mut run, context.now);
            Ok(tx.update_run(&run)?)
        }
        Some(_) | None => Ok(()),
    }
}

/// What has become of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was taken in.
    InTime,
    /// The run is not this instance's any more, or has ended.
    TooLate,
}
