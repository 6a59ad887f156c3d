//! What an agent does while it works: its steps, and what they cost.
//!
//! Progress is gathered for a second and then told, all at once, or with whatever is told of the run before that: an
//! agent may take many steps a second, and everybody who has the project open is told.

use super::{Context, cancel, derive, limits};
use crate::domain::event::Event;
use crate::domain::policy::{Budget, Money};
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::ErrorCode;
use crate::domain::run::{Urgency, Wish};
use crate::ledger::{RunRow, Tx};

/// How long progress is gathered before it is told, in milliseconds.
pub const GATHERED_MS: i64 = 1000;

/// How many steps in a row may have the same title before they are taken for the same step made again and again.
pub const LOOP_GATE: i64 = 10;

/// From which part of its budget on a run is worth a warning.
const WARNED_FROM: f64 = 0.8;

/// The agent took a step.
pub(super) fn step(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut run: RunRow,
    title: Option<String>,
) -> Result<(), Refusal> {
    run.run.steps += 1;
    let work = &mut run.work;
    work.same_steps = match &title {
        Some(_) if work.last_step == title => work.same_steps + 1,
        Some(_) => 1,
        // A step without a title is like no other.
        None => 0,
    };
    work.last_step = title;
    keep(tx, context, &mut run)?;
    let code = if run.run.steps > run.definition.policy.step_cap {
        ErrorCode::StepCap
    } else if run.work.same_steps >= LOOP_GATE {
        ErrorCode::LoopGate
    } else {
        return Ok(());
    };
    cancel::wish(tx, context, run, Wish::Fail(code), Urgency::Ask)
}

/// The run has cost so much, in all.
pub(super) fn cost(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    mut run: RunRow,
    cost: Money,
) -> Result<(), Refusal> {
    run.run.cost = Some(cost.clone());
    keep(tx, context, &mut run)?;
    let Some(Budget { per_run }) = run.definition.policy.budget.clone() else { return Ok(()) };
    // What is to end costs no more than it must, and a person has nothing to decide about it.
    if run.run.stopping().is_some() {
        return Ok(());
    }
    let work = &mut run.work;
    let (warned, text) = if cost.currency != per_run.currency {
        let text = format!(
            "it tells its cost in {}, so its budget in {} limits nothing; set one in {} (`policy.budget.perRun`)",
            cost.currency, per_run.currency, cost.currency
        );
        (&mut work.warned_of_currency, text)
    } else if cost.amount >= per_run.amount {
        let over_budget = Wish::Fail(ErrorCode::BudgetExceeded);
        return cancel::wish(tx, context, run, over_budget, Urgency::Ask);
    } else if cost.amount >= per_run.amount * WARNED_FROM {
        let text = format!(
            "it has cost {} of the {} {} that it may cost, and is ended when it has cost all of that; allow more if it is worth it (`policy.budget.perRun`)",
            cost.amount, per_run.amount, per_run.currency
        );
        (&mut work.warned_of_budget, text)
    } else {
        return Ok(());
    };
    if std::mem::replace(warned, true) {
        return Ok(());
    }
    derive::publish_run(tx, &mut run, context.now)?;
    tx.publish(&Event::RunWarning { run: Box::new(run.run), text }, context.now)?;
    Ok(())
}

/// Stores progress, which is a sign of life, to be told soon.
fn keep(tx: &Tx<'_>, context: &Context<'_>, run: &mut RunRow) -> Result<(), Refusal> {
    limits::stir(run, context.now);
    run.work.tell_at.get_or_insert(context.now.plus_ms(GATHERED_MS));
    Ok(tx.update_run(run)?)
}

/// Tells progress that was held back.
pub(super) fn tell(tx: &Tx<'_>, context: &Context<'_>, row: i64) -> Result<(), Refusal> {
    let mut run = tx.run_at(row)?;
    match run.work.tell_at {
        Some(tell_at) if tell_at <= context.now => derive::publish_run(tx, &mut run, context.now),
        Some(_) | None => Ok(()),
    }
}
