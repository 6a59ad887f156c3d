//! What comes out of a run may look but not change anything: an agent that is told "each Monday…" must not make
//! an automation with each of its runs. This guards against accidents, not malice.
//!
//! The one exception lets a watch end itself: a run may pause the automation that it belongs to.

use crate::domain::id::{AutomationId, RunId};
use crate::domain::refusal::Refusal;
use crate::domain::shown::Voice;
use crate::ledger::View;

/// What a request is about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It leaves everything as it is.
    Look,
    /// It pauses this automation.
    Pause(AutomationId),
    /// It changes something else.
    Change,
}

/// Whether a request may do what it is about to do, given the run that it comes out of, if it does.
///
/// # Errors
/// When a run must not do this, or the ledger has no such run.
pub fn admit(view: &View<'_>, inside: Option<&RunId>, deed: &Deed) -> Result<Voice, Refusal> {
    let Some(run) = inside else { return Ok(Voice::Person) };
    let Some(own) = view.automation_of_run(run)? else {
        return Err(Refusal::NotFound { what: "run", id: run.to_string() });
    };
    match deed {
        Deed::Look => Ok(Voice::Run),
        Deed::Pause(automation) if *automation == own => Ok(Voice::Run),
        Deed::Pause(_) | Deed::Change => Err(Refusal::InsideRun { run: run.clone() }),
    }
}
