//! What limits the work of a run: how long it may be silent, how long it may work, and how long it may wait for a
//! person. While it waits for a person it does not work, so its own time stands still.
//!
//! A limit is a row: `deadline_at` is when the next of them is reached, whoever looks then.

use super::Context;
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::State;
use crate::domain::time::Timestamp;
use crate::ledger::{RunRow, Tx};

/// Which limit of a run is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// It has not started for too long.
    Start,
    /// It has been silent for too long.
    Idle,
    /// It has worked for too long.
    Wall,
    /// Nobody has answered for too long.
    Answer,
}

/// A look at what a command that seemed to be silent has written. Without one nobody can tell that it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOfLife {
    /// Whose work.
    pub run: RunId,
    /// When it wrote last, by the clock of the file system, and how much in all, in bytes; none if it has not written.
    pub written: Option<(Timestamp, u64)>,
}

/// How long an agent that has answered may take to go, in milliseconds: its own end, the signals after it and the look at
/// what has changed take half as long at most.
const GOING_MS: i64 = 30_000;

/// Its work has started.
pub(super) fn begin(run: &mut RunRow, now: Timestamp) {
    run.work.active_at = Some(now);
    run.work.wall_at = Some(now.plus_ms(run.definition.policy.wall_ms));
    set_deadline(run);
}

/// It waits for a person until then: the rest of its time is kept for later.
pub(super) fn rest(run: &mut RunRow, now: Timestamp, until: Timestamp) {
    run.work.wall_left_ms = run.work.wall_at.map(|wall_at| wall_at.since_ms(now).max(0));
    run.work.wall_at = None;
    run.work.active_at = None;
    if run.run.stopping().is_none() {
        run.deadline_at = Some(until);
    }
}

/// It works again.
pub(super) fn go_on(run: &mut RunRow, now: Timestamp) {
    let left_ms = run.work.wall_left_ms.take();
    run.work.wall_at = left_ms.map(|left_ms| now.plus_ms(left_ms));
    run.work.active_at = Some(now);
    set_deadline(run);
}

/// Its work is done, and what is left of it goes: that has a time of its own.
pub(super) fn end(run: &mut RunRow, now: Timestamp) {
    if run.run.state() == State::Running && run.run.stopping().is_none() {
        run.work.wall_at = Some(now.plus_ms(GOING_MS));
        run.work.active_at = None;
        set_deadline(run);
    }
}

/// It has given a sign of life: it is silent from then on at the earliest.
pub(super) fn stir(run: &mut RunRow, at: Timestamp) {
    if run.run.state() == State::Running && run.run.stopping().is_none() {
        run.work.active_at = run.work.active_at.max(Some(at));
        set_deadline(run);
    }
}

/// Takes note of what was seen of work that seemed to be silent.
///
/// # Errors
/// When the ledger fails.
pub(super) fn note(tx: &Tx<'_>, context: &Context<'_>, signs: &[SignOfLife]) -> Result<(), Refusal> {
    for sign in signs {
        let Some((written_at, bytes)) = sign.written else { continue };
        let Some(mut run) = tx.understood_run(&sign.run)? else { continue };
        let known = run.work.active_at;
        // What was written since the last look was written now at the latest. The file's own time is believed only
        // where it can be true: the clock may have been set meanwhile.
        let grown = run.run.output.bytes != bytes;
        let at = match known {
            Some(known) if written_at > known && written_at <= context.now => Some(written_at),
            Some(_) | None if grown => Some(context.now),
            Some(_) | None => None,
        };
        if let Some(at) = at
            && run.run.state() == State::Running
            && run.run.stopping().is_none()
        {
            run.run.output.bytes = bytes;
            stir(&mut run, at);
            tx.update_run(&run)?;
        }
    }
    Ok(())
}

/// The limit that a run has reached by `at`, if it has.
pub(super) fn reached(run: &RunRow, at: Timestamp) -> Option<Limit> {
    let over = |limit: Option<Timestamp>| limit.is_some_and(|limit| limit <= at);
    match run.run.state() {
        State::Scheduled => over(run.deadline_at).then_some(Limit::Start),
        State::Running if over(run.work.wall_at) => Some(Limit::Wall),
        State::Running => over(silent_at(run)).then_some(Limit::Idle),
        State::AwaitingInput => {
            over(run.run.blocker().map(|blocker| blocker.expires_at)).then_some(Limit::Answer)
        }
        State::Succeeded | State::Failed | State::Stopped => None,
    }
}

/// When it will have been silent for too long.
fn silent_at(run: &RunRow) -> Option<Timestamp> {
    let idle_ms = run.definition.policy.idle_ms?;
    Some(run.work.active_at?.plus_ms(idle_ms))
}

fn set_deadline(run: &mut RunRow) {
    if run.run.stopping().is_none() {
        run.deadline_at = run.work.wall_at.into_iter().chain(silent_at(run)).min();
    }
}
