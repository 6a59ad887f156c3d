//! A window lets go of the project, or of some directories: for a moment, to read everything anew, or for good.
//!
//! A close is asked for, waits until nothing of this window is in its way, and happens. What has to be done for it
//! outside of the ledger is done by whoever finds it among those that are [`ready`], and told to [`complete`]. From the
//! moment in which it is accepted the window is given nothing new there.

use super::{Context, assign, cancel, presence, providers};
use crate::domain::event::Event;
use crate::domain::id::{InstanceId, LifecycleActionId};
use crate::domain::lifecycle::{
    CloseKind, CloseMode, CloseRequest, Extent, Lifecycle, LifecycleStatus, PendingClose, WaitedFor,
};
use crate::domain::refusal::Refusal;
use crate::ledger::{CloseRow, Tx, View};

/// How many closes of one window may wait before it is asked for no more disposals of directories. Each is looked at
/// after every commit; an application has a few worktrees open, and closes each of them once. What concerns the whole
/// project, and a reload, is what a window gets out of this by, so that it is not counted against them.
pub const CLOSES: usize = 64;

/// A close that is asked for and has not happened yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its identity.
    pub id: LifecycleActionId,
    /// Which directories it concerns, as `Run.directory`.
    pub affected_directory_keys: Vec<String>,
    /// What it waits for.
    pub waiting_for: WaitedFor,
}

impl Accepted {
    /// Whether nothing is in its way, so that it may happen now.
    pub fn is_ready(&self) -> bool {
        self.waiting_for == WaitedFor::default()
    }
}

/// A close that may happen now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyClose {
    /// Its identity.
    pub id: LifecycleActionId,
    /// What it is for.
    pub kind: CloseKind,
    /// Where.
    pub extent: Extent,
}

/// Somebody wants this window to let go. What it was given there and has not begun is handed back; what it has begun is
/// waited for or stopped. A forced close overtakes what waits in its extent: that completes with it.
///
/// # Errors
/// When the window gives up the project, or has given it up, so that there is nothing that this could wait for; when too
/// many closes wait; or when the window has gone.
pub fn close(tx: &Tx<'_>, context: &mut Context<'_>, request: CloseRequest) -> Result<Accepted, Refusal> {
    let me = &context.me.instance;
    check_present(tx, me)?;
    let closes = tx.closes_of(me)?;
    if let Some(action) = in_the_way(&closes, &request) {
        return Err(Refusal::Closing { action });
    }
    let is_bounded = request.kind == CloseKind::Dispose && request.extent != Extent::Project;
    if is_bounded && closes.iter().filter(|close| close.is_pending()).count() >= CLOSES {
        let why =
            format!("{CLOSES} closes of this window wait; wait for one, or force the project to be reloaded");
        return Err(Refusal::Overloaded(why));
    }
    let id = accept(tx, context, request)?;
    let closes = tx.closes_of(me)?;
    let close = closes.iter().find(|close| close.id == id);
    let close = close.ok_or_else(|| Refusal::Internal(format!("{id} is not among the closes")))?;
    let waiting_for = waits(tx, me, close, &closes)?;
    Ok(Accepted { id, affected_directory_keys: close.affected.clone(), waiting_for })
}

/// The closes of a window that may happen now, in the order in which they were asked for. This changes only with
/// commits.
///
/// # Errors
/// When the ledger fails.
pub fn ready(view: &View<'_>, me: &InstanceId) -> Result<Vec<ReadyClose>, Refusal> {
    let ready = rows_that_are_ready(view, me)?.into_iter();
    Ok(ready.map(|CloseRow { id, kind, extent, .. }| ReadyClose { id, kind, extent }).collect())
}

/// A close has happened, or could not: for this reason, as a sentence. Gives what is told of it, and nothing if it was
/// over already, or if something has come in its way since it was [`ready`]: it waits for that then. What waited for it
/// goes on, also where that means to wait for another window.
///
/// # Errors
/// When the ledger fails; the end is to be written again.
pub fn complete(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    id: &LifecycleActionId,
    outcome: Result<(), String>,
) -> Result<Option<Lifecycle>, Refusal> {
    let closes = tx.closes_of(&context.me.instance)?;
    let Some(close) = closes.iter().find(|close| close.id == *id && close.is_pending()) else {
        return Ok(None);
    };
    if waits(tx, &context.me.instance, close, &closes)? != WaitedFor::default() {
        return Ok(None);
    }
    let told = end(tx, context, close.clone(), outcome)?;
    assign::go_on_elsewhere(tx, context)?;
    Ok(Some(told))
}

/// What an application shows before it closes this window.
///
/// # Errors
/// When the ledger fails.
pub fn status(view: &View<'_>, me: &InstanceId) -> Result<LifecycleStatus, Refusal> {
    let closes = view.closes_of(me)?;
    let mut pending = Vec::new();
    for close in closes.iter().filter(|close| close.is_pending()) {
        pending.push(PendingClose {
            id: close.id.clone(),
            kind: close.kind,
            directories: close.affected.clone(),
            requested_at: close.requested_at,
            waiting_for: waits(view, me, close, &closes)?,
        });
    }
    Ok(LifecycleStatus { active_runs: view.work_of(me)?, holds: view.holds_of(me)?, pending })
}

/// Refuses what a window does not begin any more once it gives up the whole project.
///
/// # Errors
/// When it does, has given it up, or has gone.
pub fn check_open(view: &View<'_>, me: &InstanceId) -> Result<(), Refusal> {
    check_present(view, me)?;
    let closes = view.closes_of(me)?;
    match closes.into_iter().find(gives_up_the_project) {
        Some(close) => Err(Refusal::Closing { action: close.id }),
        None => Ok(()),
    }
}

/// What a window tells of itself when its row has gone would stay for ever: nobody finds it, and others wait for it.
fn check_present(view: &View<'_>, me: &InstanceId) -> Result<(), Refusal> {
    match view.has_instance(me)? {
        true => Ok(()),
        false => {
            let why = "this sidecar has given up its project; start another one";
            Err(Refusal::InvalidRequest(why.to_owned()))
        }
    }
}

/// The window goes, whatever is in its way: the same as a forced shutdown. If it has shut down already, that is what it
/// goes by.
pub(super) fn shut_down(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    let closes = tx.closes_of(&context.me.instance)?;
    let goes_by = closes.into_iter().find(|close| {
        close.kind == CloseKind::Shutdown && (close.mode == CloseMode::Force || !close.is_pending())
    });
    if goes_by.is_none() {
        let request =
            CloseRequest { kind: CloseKind::Shutdown, mode: CloseMode::Force, extent: Extent::Project };
        accept(tx, context, request)?;
    }
    Ok(())
}

/// A window has gone, and with it all that it had still to close. If it was shut down, it has let go of everything by
/// that; but nobody has read anything anew.
pub(super) fn end_at_last(tx: &Tx<'_>, context: &Context<'_>, gone: &InstanceId) -> Result<(), Refusal> {
    let closes = tx.closes_of(gone)?;
    let was_shut_down = closes.iter().any(|close| close.kind == CloseKind::Shutdown);
    for close in closes.into_iter().filter(CloseRow::is_pending) {
        let outcome = match close.kind {
            CloseKind::Shutdown => Ok(()),
            CloseKind::Dispose if was_shut_down => Ok(()),
            CloseKind::Dispose | CloseKind::Reload => {
                Err("its window has gone before it could happen; what opens the project next is not closed"
                    .to_owned())
            }
        };
        end(tx, context, close, outcome)?;
    }
    Ok(())
}

/// What keeps a close from being accepted: giving up everything is the last that a window does, until it is reloaded as
/// a whole. Force overtakes what waits; but nothing comes after a shutdown, and part of what is given up as a whole
/// cannot be brought back.
fn in_the_way(closes: &[CloseRow], request: &CloseRequest) -> Option<LifecycleActionId> {
    let is_patient = request.mode == CloseMode::Maintenance;
    let is_in_the_way = |close: &&CloseRow| {
        gives_up_the_project(close)
            && match (close.kind, request.kind) {
                (CloseKind::Shutdown, CloseKind::Reload | CloseKind::Dispose) => true,
                (CloseKind::Shutdown, CloseKind::Shutdown) => is_patient,
                (CloseKind::Dispose | CloseKind::Reload, CloseKind::Dispose) => is_patient,
                (CloseKind::Dispose | CloseKind::Reload, CloseKind::Reload) => match close.is_pending() {
                    true => is_patient,
                    false => request.extent != Extent::Project,
                },
                (CloseKind::Dispose | CloseKind::Reload, CloseKind::Shutdown) => false,
            }
    };
    closes.iter().find(is_in_the_way).map(|close| close.id.clone())
}

fn gives_up_the_project(close: &CloseRow) -> bool {
    match (close.kind, &close.extent) {
        (CloseKind::Reload, _) | (CloseKind::Dispose, Extent::Directories(_)) => false,
        (CloseKind::Shutdown, _) | (CloseKind::Dispose, Extent::Project) => true,
    }
}

/// From now on the window is given nothing there. That is written first, so that nothing which becomes free below comes
/// back.
fn accept(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    request: CloseRequest,
) -> Result<LifecycleActionId, Refusal> {
    let me = &context.me.instance;
    let close = CloseRow {
        row: 0,
        id: context.ids.lifecycle_action(),
        instance: me.clone(),
        kind: request.kind,
        mode: request.mode,
        affected: affected(tx, context, &request.extent)?,
        extent: request.extent,
        requested_at: context.now,
        overtaken_by: None,
        completed_at: None,
    };
    let before = tx.closes_of(me)?;
    tx.insert_close(&close)?;
    presence::hand_back_in(tx, me, &close.extent)?;
    if close.mode == CloseMode::Force {
        overtake(tx, &close, before)?;
        stop(tx, context, &close)?;
    }
    assign::go_on_elsewhere(tx, context)?;
    Ok(close.id)
}

/// The directories that a close concerns.
fn affected(view: &View<'_>, context: &Context<'_>, extent: &Extent) -> Result<Vec<String>, Refusal> {
    match extent {
        Extent::Directories(directories) => Ok(directories.clone()),
        Extent::Project => {
            let me = &context.me.instance;
            let given = view.runs_given_to(me)?.into_iter().map(|run| run.run.directory);
            let work = view.work_of(me)?.into_iter().map(|work| work.directory);
            let mut all: Vec<String> = given.chain(work).chain([context.project.to_owned()]).collect();
            all.sort();
            all.dedup();
            Ok(all)
        }
    }
}

/// What was waited for there is stopped now, so that those who wait for it complete with the close that has it stopped.
fn overtake(tx: &Tx<'_>, by: &CloseRow, closes: Vec<CloseRow>) -> Result<(), Refusal> {
    let overtaken = closes.into_iter().filter(|close| {
        close.is_pending()
            && close.mode == CloseMode::Maintenance
            && close.overtaken_by.is_none()
            && by.extent.covers(&close.extent)
    });
    for close in overtaken {
        tx.update_close(&CloseRow { overtaken_by: Some(by.id.clone()), ..close })?;
    }
    Ok(())
}

fn stop(tx: &Tx<'_>, context: &mut Context<'_>, close: &CloseRow) -> Result<(), Refusal> {
    // One that this version does not understand is stopped by whoever carries it out when this window goes.
    for run in tx.runs_given_to(&close.instance)? {
        if run.begun && close.extent.has(&run.run.directory) {
            cancel::close(tx, context, run, &close.id)?;
        }
    }
    Ok(())
}

fn rows_that_are_ready(view: &View<'_>, me: &InstanceId) -> Result<Vec<CloseRow>, Refusal> {
    let closes = view.closes_of(me)?;
    let mut ready = Vec::new();
    for close in closes.iter().filter(|close| close.is_pending()) {
        if waits(view, me, close, &closes)? == WaitedFor::default() {
            ready.push(close.clone());
        }
    }
    Ok(ready)
}

/// What is in the way of a close. One that was overtaken waits for what the other one waits for.
fn waits(
    view: &View<'_>,
    me: &InstanceId,
    close: &CloseRow,
    closes: &[CloseRow],
) -> Result<WaitedFor, Refusal> {
    let overtaken_by = closes.iter().find(|other| close.overtaken_by.as_ref() == Some(&other.id));
    let extent = &overtaken_by.unwrap_or(close).extent;
    let work = view.work_of(me)?.into_iter().filter(|work| extent.has(&work.directory));
    let runs = work.map(|work| work.run).collect();
    let holds = match (close.mode, &close.overtaken_by) {
        (CloseMode::Maintenance, None) => {
            let holds = view.holds_of(me)?.into_iter().filter(|hold| extent.has(&hold.directory));
            holds.map(|hold| hold.id).collect()
        }
        (CloseMode::Maintenance | CloseMode::Force, _) => Vec::new(),
    };
    Ok(WaitedFor { runs, holds })
}

/// The one way in which a close ends.
fn end(
    tx: &Tx<'_>,
    context: &Context<'_>,
    close: CloseRow,
    outcome: Result<(), String>,
) -> Result<Lifecycle, Refusal> {
    let completed_at = context.now.max(close.requested_at);
    let lifecycle = Lifecycle {
        id: close.id.clone(),
        kind: close.kind,
        mode: close.mode,
        directories: close.affected.clone(),
        requested_at: close.requested_at,
        completed_at,
        error: outcome.err(),
    };
    let instance = close.instance.clone();
    match (&lifecycle.error, close.kind) {
        // A window that could not read its configuration goes on with the one that it has.
        (Some(_) | None, CloseKind::Reload) => {
            reopen(tx, &close)?;
            tx.delete_close(close.row)?;
        }
        (Some(_), CloseKind::Dispose | CloseKind::Shutdown) => tx.delete_close(close.row)?,
        (None, CloseKind::Dispose | CloseKind::Shutdown) => {
            reopen(tx, &close)?;
            if close.extent == Extent::Project {
                tx.end_term(&close.instance, context.now)?;
            }
            put_in_force(tx, CloseRow { completed_at: Some(completed_at), ..close })?;
        }
    }
    tx.set_role(&instance)?;
    providers::role_changed(tx, context, &instance)?;
    let event = match lifecycle.error {
        None => Event::LifecycleCompleted { lifecycle: lifecycle.clone() },
        Some(_) => Event::LifecycleFailed { lifecycle: lifecycle.clone() },
    };
    tx.publish(&event, context.now)?;
    Ok(lifecycle)
}

/// A close stays, as what it says is in force now. Disposals of directories are one row together, so that there are never
/// more of them than reloads that wait and that concern some of them and not others.
fn put_in_force(tx: &Tx<'_>, mut close: CloseRow) -> Result<(), Refusal> {
    let closes = tx.closes_of(&close.instance)?;
    for other in closes.iter().filter(|other| !other.is_pending()) {
        let (first, last) = (other.row.min(close.row), other.row.max(close.row));
        let is_told_apart = closes
            .iter()
            .any(|between| between.kind == CloseKind::Reload && first < between.row && between.row < last);
        if let (Extent::Directories(mine), Extent::Directories(theirs)) = (&mut close.extent, &other.extent)
            && !is_told_apart
        {
            mine.extend_from_slice(theirs);
            mine.sort_unstable();
            mine.dedup();
            tx.delete_close(other.row)?;
        }
    }
    Ok(tx.update_close(&close)?)
}

/// What was disposed before and belongs to this close is not in force any more: it is open again, or closed by this
/// one. What was asked for later than this close stays as it is.
fn reopen(tx: &Tx<'_>, by: &CloseRow) -> Result<(), Refusal> {
    let earlier = tx
        .closes_of(&by.instance)?
        .into_iter()
        .filter(|close| close.kind == CloseKind::Dispose && !close.is_pending() && close.row < by.row);
    for disposal in earlier {
        match disposal.extent.without(&by.extent) {
            Some(extent) => tx.update_close(&CloseRow { extent, ..disposal })?,
            None => tx.delete_close(disposal.row)?,
        }
    }
    Ok(())
}
