//! What is kept, and for how long: events, and ended runs with their daily account.
//!
//! The owner of the bell asks now and then whether something is due, which costs a few look-ups in indexes, and
//! prunes in transactions that nobody has to wait for long.

use super::{Context, KEY_MEMORY_MS, Progress, clock, shared_limits};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::SharedLimits;
use crate::domain::time::Timestamp;
use crate::ledger::{EndedRun, EndedRuns, Need, Tx, View};

/// Events that one transaction forgets: some milliseconds of work.
pub const EVENTS_AT_ONCE: usize = 500;

/// Ended runs that are looked at together. Those of several automations share a transaction until it has looked at
/// so many.
pub const RUNS_AT_ONCE: usize = 100;

/// After how long a run is looked at again that is to be pruned but that something still needs, in milliseconds.
const NEEDED_AGAIN_MS: i64 = 60_000;

/// How long an event is kept at least, in milliseconds, however many are newer: a week, so that a client that
/// was closed over some days can follow on.
const EVENT_AGE_MS: i64 = 7 * DAY_MS;

const DAY_MS: i64 = 86_400_000;

/// Whether there is something to prune. `own` holds if nobody owns the bell.
///
/// # Errors
/// When the ledger fails.
pub fn is_due(view: &View<'_>, own: SharedLimits, now: Timestamp) -> Result<bool, Refusal> {
    let limits = view.owner_limits()?.unwrap_or(own);
    if clock::is_doubted(view, now)? {
        return Ok(false);
    }
    Ok(old_events(view, limits, now, 1)?.is_some() || !view.automations_to_prune(now, 1)?.is_empty())
}

/// Forgets what has become too old or too much, as much as one transaction may.
///
/// # Errors
/// When the ledger fails; nothing has been forgotten then.
pub fn prune(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<Progress, Refusal> {
    // What is too old is no matter of a clock that may be wrong.
    if clock::is_doubted(tx, context.now)? {
        return Ok(Progress::Done);
    }
    let events = prune_events(tx, context)?;
    let runs = prune_runs(tx, context)?;
    Ok(if events == Progress::Done { runs } else { events })
}

/// A run of an automation has ended, or what shows the last one has gone: writes down when its ended runs are to be
/// looked at. Where it cannot be read for how long they are kept, that is soon, and [`prune`] says so.
pub(super) fn note(tx: &Tx<'_>, automation: i64) -> Result<(), Refusal> {
    let at = match tx.ended_runs(automation) {
        Ok(None) => return Ok(()),
        Ok(Some(ended)) => kept_until(&ended, ended.oldest, ended.oldest_completed_at),
        Err(error) if error.reason().is_about_single_rows() => Timestamp::from_millis(0),
        Err(error) => return Err(error.into()),
    };
    Ok(tx.prune_later(automation, Some(at))?)
}

fn prune_events(tx: &Tx<'_>, context: &Context<'_>) -> Result<Progress, Refusal> {
    let limits = shared_limits(tx, context)?;
    let Some(old) = old_events(tx, limits, context.now, EVENTS_AT_ONCE)? else { return Ok(Progress::Done) };
    tx.delete_events(old.through)?;
    Ok(if old.count == EVENTS_AT_ONCE { Progress::More } else { Progress::Done })
}

/// Events at the beginning of the history that are not kept any more.
struct OldEvents {
    through: i64,
    count: usize,
}

/// An event goes when it is neither among the newest nor young. Only the beginning of the history goes, so that
/// what is left has no gaps.
fn old_events(
    view: &View<'_>,
    limits: SharedLimits,
    now: Timestamp,
    limit: usize,
) -> Result<Option<OldEvents>, Refusal> {
    let beyond = view.newest_seq()? - limits.event_history;
    let young_since = now.plus_ms(-EVENT_AGE_MS);
    // A time that lies far ahead was written by a clock that was wrong: it tells nothing, and must not keep
    // everything after it until that time has come.
    let wrong_from = now.plus_ms(EVENT_AGE_MS);
    let is_old = |at: Timestamp| at < young_since || at > wrong_from;
    let old: Vec<_> =
        view.oldest_events(beyond, limit)?.into_iter().take_while(|(_, at)| is_old(*at)).collect();
    Ok(old.last().map(|(through, _)| OldEvents { through: *through, count: old.len() }))
}

fn prune_runs(tx: &Tx<'_>, context: &mut Context<'_>) -> Result<Progress, Refusal> {
    let mut looked_at = 0;
    while looked_at < RUNS_AT_ONCE {
        let Some(automation) = tx.automations_to_prune(context.now, 1)?.first().copied() else {
            return Ok(Progress::Done);
        };
        match tx.savepoint(|| prune_runs_of(tx, context.now, automation))? {
            // One without a run costs something as well.
            Ok(count) => looked_at += count.max(1),
            Err(refusal) if refusal.is_about_the_rows() => {
                let trouble = format!("the runs of automation row {automation} are not pruned: {refusal}");
                context.troubles.push(trouble);
                tx.prune_later(automation, Some(context.now.plus_ms(DAY_MS)))?;
                looked_at += 1;
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(Progress::More)
}

/// Prunes what is to be pruned among the runs of an automation that ended first, writes down when to look again,
/// and gives how many were looked at.
///
/// Runs behind so many that are still needed wait until those are not: keys are forgotten within a day.
fn prune_runs_of(tx: &Tx<'_>, now: Timestamp, automation: i64) -> Result<usize, Refusal> {
    let Some(ended) = tx.ended_runs(automation)? else {
        tx.prune_later(automation, None)?;
        return Ok(0);
    };
    let runs = tx.oldest_ended_runs(automation, RUNS_AT_ONCE)?;
    let (mut pruned, mut next) = (0, None);
    for run in &runs {
        let Some(at) = prunable_at(&ended, run, now) else { continue };
        if at <= now {
            tx.fold(run.row)?;
            pruned += 1;
        } else {
            next = Some(next.map_or(at, |next: Timestamp| next.min(at)));
        }
    }
    if pruned > 0 {
        tx.delete_unused_definitions(automation, RUNS_AT_ONCE)?;
    }
    let more = runs.len() == RUNS_AT_ONCE && pruned > 0;
    tx.prune_later(automation, if more { Some(now) } else { next })?;
    Ok(runs.len())
}

/// Until when the policy keeps an ended run.
fn kept_until(ended: &EndedRuns, number: i64, completed_at: Timestamp) -> Timestamp {
    let one_too_many = number <= ended.newest.saturating_sub(ended.keep.runs);
    if one_too_many { completed_at } else { completed_at.plus_ms(ended.keep.days * DAY_MS) }
}

/// When a run is to be pruned, as far as can be said; none while its automation shows it.
fn prunable_at(ended: &EndedRuns, run: &EndedRun, now: Timestamp) -> Option<Timestamp> {
    let kept_until = kept_until(ended, run.number, run.completed_at);
    let key_forgotten = run.keyed_at.map(|asked_at| asked_at.plus_ms(KEY_MEMORY_MS + 1));
    let at = key_forgotten.map_or(kept_until, |forgotten| kept_until.max(forgotten));
    match run.need {
        Need::None => Some(at),
        Need::Unsettled => Some(at.max(now.plus_ms(NEEDED_AGAIN_MS))),
        Need::LastRun => None,
    }
}
