//! Decides. Each function is given an open transaction, an input and the time, and writes rows and events or
//! refuses. Nothing here asks for the time, draws a random number, waits, or does anything outside the
//! transaction.
//!
//! Start reading at [`tick`]: it settles what is due. [`clock`] looks at the clock before anything is decided. [`assign`] says who carries out what, [`report`] takes
//! what became of it, [`ending`] is the one way in which a run ends. [`settle`] has the rule for slots, also for
//! those of a schedule that ends. Windows that carry out prompts themselves say so in [`serve`] and report in
//! [`served`], sidecars report of their agents in [`agent`]; [`blocker`] is about what such work asks people.

pub mod agent;
pub mod agents;
pub mod assign;
pub mod audit;
pub mod blocker;
pub mod cancel;
pub mod clock;
pub mod close;
pub mod create;
pub mod deadlines;
pub mod delete;
pub mod derive;
pub mod ending;
mod epoch;
pub mod explain;
pub mod hold;
pub mod inside;
mod later;
pub mod limits;
mod overlap;
pub mod pause;
pub mod presence;
pub mod probe;
pub mod progress;
pub mod providers;
mod records;
pub mod report;
mod reported;
mod rest;
pub mod retention;
mod retry;
pub mod salvage;
pub mod serve;
pub mod served;
pub mod settle;
pub mod simulate;
pub mod standby;
mod start;
pub mod tick;
pub mod trigger;
pub mod update;

use crate::domain::automation::Actor;
use crate::domain::clock::{Boot, Reading};
use crate::domain::id::{AutomationId, IdSource, RunId};
use crate::domain::later::AnyAutomation;
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::{Limits, SharedLimits};
use crate::domain::shown::Voice;
use crate::domain::time::Timestamp;
use crate::domain::worktree::Vcs;
use crate::ledger::{AutomationRow, RunRow, View};

/// What a decision depends on beside the rows and its input.
pub struct Context<'a> {
    /// The time, read inside the transaction.
    pub now: Timestamp,
    /// Up to when slots are due: now, unless [`clock::observe`] has found that the clock is doubted.
    pub due_by: Timestamp,
    /// All that the machine's clocks show now.
    pub reading: Reading,
    /// The boot in which they show that.
    pub boot: &'a Boot,
    /// Where fresh identities come from.
    pub ids: &'a mut dyn IdSource,
    /// Who decides.
    pub me: &'a Actor,
    /// On whose behalf: what is shown in a refusal depends on it.
    pub voice: Voice,
    /// The limits of the window that decides.
    pub limits: &'a Limits,
    /// The project's directory.
    pub project: &'a str,
    /// What keeps its history.
    pub vcs: Option<Vcs>,
    /// What whoever decides should say in its log: the engine has none.
    pub troubles: &'a mut Vec<String>,
}

/// Whether a decision did all there was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It did.
    Done,
    /// There is more that is due by now: decide again.
    More,
}

/// Runs of one kind that are settled in one transaction: other windows wait for it.
const AT_ONCE: usize = 64;

/// How long a key of a request is remembered, in milliseconds.
const KEY_MEMORY_MS: i64 = 24 * 3_600_000;

/// The limits that hold for everybody: the owner's, and this window's own while nobody owns the bell.
fn shared_limits(view: &View<'_>, context: &Context<'_>) -> Result<SharedLimits, Refusal> {
    Ok(view.owner_limits()?.unwrap_or(context.limits.shared))
}

fn find_automation(view: &View<'_>, id: &AutomationId) -> Result<AutomationRow, Refusal> {
    view.automation(id)?.ok_or_else(|| no_automation(id))
}

fn no_automation(id: &AutomationId) -> Refusal {
    Refusal::NotFound { what: "automation", id: id.to_string() }
}

/// An automation that may be changed and carried out: from the wish to delete it on neither is done, unless the
/// wish has become void.
fn find_open_automation(
    view: &View<'_>,
    context: &Context<'_>,
    id: &AutomationId,
) -> Result<AutomationRow, Refusal> {
    let mut automation = find_automation(view, id)?;
    delete::forget_void_wish(&mut automation, context.now);
    match automation.deleting {
        Some(_) => Err(conflict(view, context, &automation, "it is being deleted")),
        None => Ok(automation),
    }
}

/// Refuses a change that was meant for another revision than there is.
fn check_revision(
    view: &View<'_>,
    context: &Context<'_>,
    automation: &AutomationRow,
    wanted: Option<i64>,
) -> Result<(), Refusal> {
    match wanted {
        Some(revision) if revision != automation.revision => {
            let current = derive::automation(view, automation)?.shown_to(context.voice).into();
            Err(other_revision(revision, automation.revision, current))
        }
        Some(_) | None => Ok(()),
    }
}

fn other_revision(wanted: i64, found: i64, current: AnyAutomation) -> Refusal {
    let why = format!("it has revision {found}, not {wanted}");
    Refusal::AutomationConflict { why, current: Box::new(current) }
}

fn find_run(view: &View<'_>, id: &RunId) -> Result<RunRow, Refusal> {
    view.run(id)?.ok_or_else(|| Refusal::NotFound { what: "run", id: id.to_string() })
}

/// Refuses because the automation is not as the client knows it.
fn conflict(view: &View<'_>, context: &Context<'_>, automation: &AutomationRow, why: &str) -> Refusal {
    match derive::automation(view, automation) {
        Ok(current) => {
            let current = Box::new(current.shown_to(context.voice).into());
            Refusal::AutomationConflict { why: why.to_owned(), current }
        }
        Err(refusal) => refusal,
    }
}
