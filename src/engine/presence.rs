//! Sidecars come, own the bell, go, and die.

use std::collections::HashMap;

use super::ending::{self, Remains};
use super::serve::Parting;
use super::{Context, agents, assign, cancel, close, later, providers, serve};
use crate::domain::event::Event;
use crate::domain::id::{InstanceId, RunId};
use crate::domain::lifecycle::Extent;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{State, StopReason};
use crate::domain::run::{Outcome, OutputSize, ProcessEnd};
use crate::ledger::{InstanceRow, RunRow, Tx};

/// A sidecar has come. It holds its instance lock already.
///
/// # Errors
/// When the ledger fails.
pub fn arrive(tx: &Tx<'_>, instance: &InstanceRow, version: &str) -> Result<(), Refusal> {
    Ok(tx.insert_instance(instance, version)?)
}

/// This instance holds the owner lock: its term begins, and what nobody has been given is given.
///
/// # Errors
/// When the ledger fails.
pub fn own(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<(), Refusal> {
    let scheduler = tx.begin_term(context.me, &context.limits.shared, context.now)?;
    tx.publish(&Event::SchedulerOwner { scheduler }, context.now)?;
    tx.take_up_what_was_set_aside()?;
    assign::assign(tx, context)
}

/// This instance has lost the owner lock: its term ends, unless the next one has ended it already.
///
/// # Errors
/// When the ledger fails.
pub fn resign(tx: &Tx<'_>, context: &Context<'_>) -> Result<(), Refusal> {
    Ok(tx.end_term(&context.me.instance, context.now)?)
}

/// What whoever settles a dead sidecar has found of a run that it had begun, and has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// What is known of the end of its process, if it had one.
    pub process: Option<ProcessEnd>,
    /// How much it has written.
    pub output: OutputSize,
    /// Whether all of it has gone.
    pub remains: Remains,
}

/// A sidecar has died: whoever holds its lock now settles what it left. What had begun was interrupted; what had
/// not begun is anybody's.
///
/// What had begun was ended before, as far as it could be: work that its guard was about to start must not start when
/// its run has been told to have ended. Where something of it is still there, the directory stays held until
/// [`super::report::gone`].
///
/// # Errors
/// When the ledger fails.
pub fn bury(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    dead: &InstanceId,
    mut ended: HashMap<RunId, Left>,
) -> Result<(), Refusal> {
    // Its row goes first, so that nothing that becomes free below is given to it.
    tx.end_term_of_the_dead(dead, context.now)?;
    close::end_at_last(tx, context, dead)?;
    forget(tx, context, dead, Parting::Death)?;
    for mut run in tx.runs_given_to(dead)? {
        if !run.begun {
            hand_back(tx, run)?;
            continue;
        }
        let (process, remains) = match ended.remove(&run.run.id) {
            Some(left) => {
                run.run.output = left.output;
                (left.process, left.remains)
            }
            None => (None, Remains::Guard),
        };
        let outcome = lost(&run);
        ending::end(tx, context, run, outcome, process, remains)?;
    }
    later::settle_runs_of(tx, context, dead, &mut ended)?;
    assign::go_on(tx, context)
}

/// How a run is recorded whose instance cannot say how it ended: as it was asked to end, or as interrupted.
pub(super) fn lost(run: &RunRow) -> Outcome {
    match (run.run.stopping(), run.run.state()) {
        (Some(stopping), _) => cancel::outcome_of(stopping, run),
        (None, State::AwaitingInput) => Outcome::Stopped(StopReason::BlockerLost),
        (None, State::Scheduled | State::Running | State::Succeeded | State::Failed | State::Stopped) => {
            Outcome::Stopped(StopReason::Interrupted)
        }
    }
}

/// Why a sidecar goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// Its client has asked for it, and waits for what it carries out itself to end.
    Asked,
    /// Its client has gone, and with it whatever that carried out.
    ClientGone,
}

/// This sidecar goes: it gives up the bell, hands on what has not begun, and wishes the rest to end, as a forced shutdown
/// does.
///
/// # Errors
/// When the ledger fails.
pub fn prepare_to_leave(tx: &Tx<'_>, context: &mut Context<'_>, why: Departure) -> Result<(), Refusal> {
    tx.end_term(&context.me.instance, context.now)?;
    tx.mark_leaving(&context.me.instance, context.now)?;
    providers::role_changed(tx, context, &context.me.instance)?;
    agents::prepare_to_leave(tx, context, &context.me.instance)?;
    match why {
        Departure::Asked => {}
        Departure::ClientGone => {
            let me = context.me.instance.clone();
            serve::forget(tx, context, &me, Parting::Known)?;
        }
    }
    close::shut_down(tx, context)
}

/// This sidecar has gone, and what it was about to close has come to its end. What it could not end is settled by whoever
/// finds its row, so the row stays then, and its closes with it. Its term is over, also if that could not be written when it prepared to leave.
///
/// # Errors
/// When the ledger fails.
pub fn leave(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<Remains, Refusal> {
    let me = context.me.instance.clone();
    tx.end_term(&me, context.now)?;
    // What the client carries out itself has gone with the conversation.
    serve::forget(tx, context, &me, Parting::Known)?;
    if !tx.runs_given_to(&me)?.is_empty() {
        return Ok(Remains::Guard);
    }
    close::end_at_last(tx, context, &me)?;
    forget(tx, context, &me, Parting::Known)?;
    assign::go_on(tx, context)?;
    Ok(Remains::Nothing)
}

/// A sidecar that could not open its project goes before it has done anything. What others, or it itself as the
/// owner, have given it by then is anybody's.
///
/// # Errors
/// When the ledger fails.
pub fn withdraw(tx: &Tx<'_>, context: &mut Context<'_>, me: &InstanceId) -> Result<(), Refusal> {
    tx.end_term(me, context.now)?;
    forget(tx, context, me, Parting::Known)?;
    for run in tx.runs_given_to(me)? {
        hand_back(tx, run)?;
    }
    assign::go_on(tx, context)
}

/// A sidecar is not there any more, nor what it has told of itself: what it closes, where its user works, what it
/// serves, and which agents it has. Those who wait for that go on with [`assign::go_on`].
fn forget(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    instance: &InstanceId,
    parting: Parting,
) -> Result<(), Refusal> {
    tx.delete_closes_of(instance)?;
    tx.delete_holds_of(instance)?;
    tx.delete_instance(instance)?;
    serve::forget(tx, context, instance, parting)?;
    agents::forget(tx, context, instance)
}

/// What an instance was given in these directories and has not begun is anybody's.
pub(super) fn hand_back_in(tx: &Tx<'_>, instance: &InstanceId, extent: &Extent) -> Result<(), Refusal> {
    let given = tx.runs_given_to(instance)?.into_iter();
    for run in given.filter(|run| !run.begun && extent.has(&run.run.directory)) {
        hand_back(tx, run)?;
    }
    Ok(())
}

/// A run that has not begun belongs to no window.
pub(super) fn hand_back(tx: &Tx<'_>, mut run: RunRow) -> Result<(), Refusal> {
    run.given_to = None;
    run.given_at = None;
    run.deadline_at = None;
    run.holds_directory = false;
    tx.update_run(&run)?;
    Ok(())
}
