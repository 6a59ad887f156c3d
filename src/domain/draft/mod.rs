//! Reads a draft as a client sends it into a [`Definition`] in which only valid things exist, or into the list
//! of everything that is wrong with it.
//!
//! An edited automation is read by the same functions: `current` is what it was, and what is as it was then is
//! taken over without a second look.

pub mod limits;
mod patch;
mod policy;
mod schedule;
mod simulate;
mod task;

use super::automation::{Access, Definition, Placement, Task, When};
use super::fault::{Fault, Word};
use super::fields::{Faults, Fields};
use super::policy::Policy;
use super::prompt::SessionContext;
use super::scheduler::Limits;
use super::sent::SentObject;
use super::time::Timestamp;
use super::worktree::{Vcs, WorktreeName};

pub use patch::{EXCEPTIONS, read_patch};
pub use policy::{read_if_busy, read_money};
pub use schedule::{ScheduleDraft, read_preview};
pub use simulate::read_simulate;
pub(in crate::domain) use task::read_env;

/// What a client wants to create.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What is to be done, and when.
    pub definition: Definition,
    /// Whether it begins paused.
    pub paused: bool,
}

/// What reading a draft depends on beside the draft.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The machine's zone, which a draft without one gets.
    pub machine_zone: &'a str,
    /// The window's limits.
    pub limits: &'a Limits,
    /// When the draft is read, so that a `fireAt` in the past is reported beside the other faults. The
    /// transaction that commits asks again with its own time.
    pub now: Timestamp,
    /// What keeps the project's history, without which there are no worktrees.
    pub vcs: Option<Vcs>,
}

/// Reads the parameters of `automation/create`: a draft, and what is said about the request itself. What every
/// change comes with is read by `read_beside`.
///
/// # Errors
/// All faults, in the order in which the contract lists the fields.
pub fn read_create<B>(
    params: &SentObject,
    around: Surroundings<'_>,
    read_beside: impl FnOnce(&mut Fields<'_>) -> B,
) -> Result<(CreateParams, B), Vec<Fault>> {
    let faults = Faults::new();
    let mut fields = Fields::root(params, &faults);
    let draft = read_draft(&mut fields, around);
    let dry_run = fields.boolean("dryRun").unwrap_or(false);
    let key = read_key(&mut fields);
    let note = read_note(&mut fields);
    if note.is_some() && draft.as_ref().is_some_and(|draft| !draft.paused) {
        let hint = "leave it out, or write `paused: true`: it is noted on the pause";
        fields.fault_hint("note", Word::UnknownValue, hint);
    }
    let beside = read_beside(&mut fields);
    fields.finish(Word::UnsupportedAutomationField, read_only_hint);
    // A time that has passed is refused by the transaction, which also knows whether this is a repeated request
    // that was fulfilled in time. Here it is told beside other faults only.
    let only_late = |faults: &[Fault]| faults.iter().all(|fault| fault.message == Word::FireAtMustBeFuture);
    match (draft, faults.take()) {
        (Some(draft), faults) if only_late(&faults) => {
            let commitment = if dry_run { Commitment::DryRun } else { Commitment::Real };
            Ok((CreateParams { draft, commitment, key, note }, beside))
        }
        (_, faults) => Err(faults),
    }
}

/// The parameters of `automation/create`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateParams {
    /// What is to be created.
    pub draft: Draft,
    /// Whether it is to be created at all.
    pub commitment: Commitment,
    /// The client's own name for its request: the same one again gives what the first one created.
    pub key: Option<String>,
    /// What is noted on the pause, if it begins paused.
    pub note: Option<String>,
}

/// Whether a request is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commitment {
    /// It is.
    Real,
    /// The client wants to see what would happen.
    DryRun,
}

/// Reads the client's own name for its request.
pub fn read_key(fields: &mut Fields<'_>) -> Option<String> {
    fields.short_text("key", limits::KEY).map(str::to_owned)
}

/// Reads what is noted on a pause.
pub fn read_note(fields: &mut Fields<'_>) -> Option<String> {
    let note = fields.text("note").and_then(|note| fields.at_most("note", note, limits::NOTE));
    note.map(str::to_owned)
}

fn read_draft(fields: &mut Fields<'_>, around: Surroundings<'_>) -> Option<Draft> {
    let definition = read_definition(fields, around, None);
    let paused = fields.boolean("paused").unwrap_or(false);
    Some(Draft { definition: definition?, paused })
}

fn read_definition(
    fields: &mut Fields<'_>,
    around: Surroundings<'_>,
    current: Option<&Definition>,
) -> Option<Definition> {
    let title = kept(fields, "title", current.map(|it| &it.title)).or_else(|| read_title(fields));
    let when = schedule::read_when(fields, around, current.map(|it| &it.when));
    let timezone = kept(fields, "timezone", current.map(|it| &it.timezone))
        .or_else(|| schedule::read_timezone(fields, around.machine_zone));
    let task = kept(fields, "task", current.map(|it| &it.task)).or_else(|| task::read_task(fields));
    let placement =
        kept(fields, "where", current.map(|it| &it.placement)).or_else(|| read_placement(fields, around.vcs));
    if let (Some(task), Some(placement)) = (&task, &placement) {
        check_session(fields, task, placement);
    }
    let access = kept(fields, "access", current.map(|it| &it.access)).unwrap_or_else(|| read_access(fields));
    let policy = kept(fields, "policy", current.map(|it| &it.policy)).or_else(|| {
        let defaults = task.as_ref().map_or_else(Policy::default, Task::default_policy);
        policy::read_policy(fields, current.map(|it| &it.policy), defaults)
    });
    if let (Some(task), Some(policy)) = (&task, &policy) {
        check_precheck(fields, task, policy);
    }
    Some(Definition {
        title: title?,
        when: when?,
        timezone: timezone?,
        task: task?,
        placement: placement?,
        access,
        policy: policy?,
    })
}

/// A session belongs to the directory in which it began, and a worktree may be made anew.
fn check_session(fields: &mut Fields<'_>, task: &Task, placement: &Placement) {
    let as_it_was = fields.unchanged("task") && fields.unchanged("where");
    let continues = match task {
        Task::Prompt(prompt) => prompt.context == SessionContext::Continue,
        Task::Command(_) | Task::Notify { .. } => false,
    };
    if continues && placement.worktree.is_some() && !as_it_was {
        let hint = "leave it out, or write `context: \"fresh\"` in the task";
        fields.fault_hint("where.worktree", Word::UnsupportedContinueWithWorktree, hint);
    }
}

/// A reminder runs nothing that a precheck could hold back.
fn check_precheck(fields: &mut Fields<'_>, task: &Task, policy: &Policy) {
    let as_it_was = fields.unchanged("task") && fields.unchanged("policy");
    if policy.precheck.is_none() || as_it_was {
        return;
    }
    match task {
        Task::Command(_) | Task::Prompt(_) => {}
        Task::Notify { .. } => {
            let hint = "leave it out, or use a task of kind `command`: a reminder runs nothing";
            fields.fault_hint("policy.precheck", Word::UnsupportedAutomationField, hint);
        }
    }
}

/// What a field stands for that is as it was. It was valid when it was written, and whoever changes another field
/// is not asked about it: its time may have passed, or another window may have had other limits.
fn kept<T: Clone>(fields: &mut Fields<'_>, name: &'static str, current: Option<&T>) -> Option<T> {
    current.filter(|_| fields.unchanged(name)).cloned()
}

fn read_title(fields: &mut Fields<'_>) -> Option<String> {
    let title = fields.required_text("title")?;
    if title.chars().count() > limits::TITLE {
        fields.fault("title", Word::TitleTooLong);
        return None;
    }
    Some(title.to_owned())
}

fn read_placement(fields: &mut Fields<'_>, vcs: Option<Vcs>) -> Option<Placement> {
    if !fields.has("where") {
        return Some(Placement::default());
    }
    let mut placement = fields.object("where")?;
    let worktree = match (
        placement.short_text("worktree", limits::WORKTREE).map(WorktreeName::from_words),
        vcs,
    ) {
        (None, _) => None,
        (Some(None), _) => {
            let hint = "use letters from a to z or digits: whatever else is in it becomes a `-`";
            placement.fault_hint("worktree", Word::InvalidWorktreePlacement, hint);
            None
        }
        (Some(Some(_)), None) => {
            let hint =
                "leave it out, or open the project again when its directory is the top of a git work tree";
            placement.fault_hint("worktree", Word::UnsupportedWhereWorktreeNotGit, hint);
            None
        }
        (Some(name), Some(Vcs::Git)) => name,
    };
    placement.finish(Word::UnsupportedAutomationField, |_| None);
    Some(Placement { worktree })
}

fn read_access(fields: &mut Fields<'_>) -> Access {
    fields.choice("access", &[("write", Access::Write), ("read", Access::Read)]).unwrap_or(Access::Write)
}

/// What to do about a field that is no part of a draft.
fn read_only_hint(name: &str) -> Option<String> {
    const READ_ONLY: [&str; 7] = ["id", "revision", "createdAt", "updatedAt", "createdBy", "pause", "state"];
    READ_ONLY.contains(&name).then(|| format!("leave `{name}` out: only the sidecar writes it"))
}

/// Whether a definition may still be committed at this time: a one-shot must lie ahead.
///
/// # Errors
/// The fault of the field that has become too late.
pub fn check_time(definition: &Definition, now: Timestamp) -> Result<(), Fault> {
    match &definition.when {
        When::Oneshot { fire_at } => schedule::check_fire_at("fireAt", *fire_at, now),
        When::Recurring { .. } => Ok(()),
    }
}
