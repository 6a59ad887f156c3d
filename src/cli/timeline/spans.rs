//! What a run, or a time to come, is on a timeline: stretches of time.

use super::kind::Kind;
use super::known::{KnownFire, KnownRun, Slots, Stage};
use super::words;
use crate::domain::run::machine::StopReason;
use crate::domain::time::Timestamp;

/// A stretch of an automation's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    /// Not before `from`; the same where something has no length.
    pub(super) to: Timestamp,
    pub(super) kind: Kind,
    /// How many runs or scheduled times it stands for; of a wait none, since the run is there beside it.
    pub(super) count: u64,
    /// How many missed times the run answers for too, beside the one that it stands for.
    pub(super) also: u64,
    /// Why, if there is more to say: what others wrote is one line.
    pub(super) why: Option<String>,
    /// The run that tells more.
    pub(super) run: Option<String>,
    /// The scheduled time that it is about.
    pub(super) due: Option<Timestamp>,
}

/// A wait that is shorter than this is none, in milliseconds: every start takes a moment.
const WAIT_MS: i64 = 1000;

/// The stretches of a run, in order; of one that has not ended until now.
pub(super) fn of_run(run: &KnownRun, now: Timestamp) -> Vec<Span> {
    let span = |from: Timestamp, to: Timestamp, kind, why: Option<String>| Span {
        from,
        to: to.max(from),
        kind,
        count: 1,
        also: 0,
        why,
        run: Some(run.id.clone()),
        due: run.due,
    };
    let due = run.due.unwrap_or(run.triggered_at);
    let mut spans = Vec::new();
    let waited_until = match (run.started_at, run.completed_at) {
        (Some(started), _) => started,
        (None, Some(_)) if is_record(run) => due,
        (None, Some(completed)) => completed,
        (None, None) => now,
    };
    if let Stage::Waits { why } = &run.stage {
        spans.push(Span {
            from: due,
            to: now.max(due),
            why: why.clone(),
            ..span(due, now, Kind::Waited, None)
        });
    } else if waited_until.since_ms(due) > WAIT_MS {
        spans.push(Span { count: 0, ..span(due, waited_until, Kind::Waited, None) });
    }
    let end = run.completed_at.unwrap_or(now);
    match (&run.stage, run.started_at) {
        (Stage::Waits { .. }, _) => {}
        (Stage::Runs, started) => spans.push(span(started.unwrap_or(due), end, Kind::Running, None)),
        (Stage::Asks { since, what }, started) => {
            let started = started.unwrap_or(due);
            if *since > started {
                spans.push(Span { count: 0, ..span(started, *since, Kind::Running, None) });
            }
            spans.push(span(*since, end, Kind::Asking, Some(what.clone())));
        }
        (Stage::Succeeded { note }, started) => {
            spans.push(span(started.unwrap_or(end), end, Kind::Succeeded, note.clone()));
        }
        (Stage::Failed { why }, started) => {
            spans.push(span(started.unwrap_or(end), end, Kind::Failed, Some(why.clone())));
        }
        (Stage::Stopped { reason }, Some(started)) => {
            let why = Some(words::stopped_at_work(*reason).to_owned());
            spans.push(span(started, end, Kind::Stopped, why));
        }
        (Stage::Stopped { reason }, None) => {
            let why = Some(words::never_started(*reason).to_owned());
            let Slots { from, to, count } = run.slots.unwrap_or(Slots { from: due, to: due, count: 1 });
            spans.push(Span { count, ..span(from, to, of_unstarted(*reason), why) });
        }
        (Stage::Unknown { word }, started) => {
            spans.push(span(started.unwrap_or(due), end, Kind::Unknown, Some(word.clone())));
        }
    }
    if let (Some(work), Some(answered)) = (spans.last_mut(), run.slots)
        && is_at_work(&run.stage, run.started_at)
    {
        work.also = answered.count.saturating_sub(1);
    }
    if let Some(Slots { from, to, count }) = run.skipped {
        let why = Some(words::never_started(StopReason::PreviousRunActive).to_owned());
        spans.push(Span { count, ..span(from, to, Kind::Overlapped, why) });
    }
    spans
}

/// Whether there is, or was, work that can make up for what was missed.
fn is_at_work(stage: &Stage, started: Option<Timestamp>) -> bool {
    match stage {
        Stage::Waits { .. } => false,
        Stage::Stopped { .. } | Stage::Unknown { .. } => started.is_some(),
        Stage::Runs | Stage::Asks { .. } | Stage::Succeeded { .. } | Stage::Failed { .. } => true,
    }
}

/// Whether it is the record of scheduled times for which nothing was ever to be started.
fn is_record(run: &KnownRun) -> bool {
    match &run.stage {
        Stage::Stopped { reason } => match reason {
            StopReason::MissedSchedule
            | StopReason::PreviousRunActive
            | StopReason::PreviousRunAwaitingInput
            | StopReason::Paused
            | StopReason::Ended => true,
            StopReason::Cancelled
            | StopReason::Superseded
            | StopReason::WriterBusy
            | StopReason::Capacity
            | StopReason::Expired
            | StopReason::PrecheckSkipped
            | StopReason::Interrupted
            | StopReason::Shutdown
            | StopReason::BlockerLost => false,
        },
        Stage::Waits { .. }
        | Stage::Runs
        | Stage::Asks { .. }
        | Stage::Succeeded { .. }
        | Stage::Failed { .. }
        | Stage::Unknown { .. } => false,
    }
}

/// What it is that a run was stopped before its work could start.
const fn of_unstarted(reason: StopReason) -> Kind {
    match reason {
        StopReason::MissedSchedule => Kind::Missed,
        StopReason::PreviousRunActive | StopReason::PreviousRunAwaitingInput | StopReason::Superseded => {
            Kind::Overlapped
        }
        StopReason::WriterBusy | StopReason::Capacity => Kind::Busy,
        StopReason::Paused | StopReason::Cancelled | StopReason::Ended | StopReason::PrecheckSkipped => {
            Kind::LeftOut
        }
        StopReason::Expired | StopReason::Interrupted | StopReason::Shutdown | StopReason::BlockerLost => {
            Kind::Stopped
        }
    }
}

/// The stretches of a time to come, whose run takes this long and ends before the next one of its automation.
pub(super) fn of_fire(fire: &KnownFire, length_ms: i64, next: Option<Timestamp>) -> Vec<Span> {
    let kind = Kind::of_foreseen(fire.outcome);
    let span = |from: Timestamp, to: Timestamp, kind, count| Span {
        from,
        to: to.max(from),
        kind,
        count,
        also: 0,
        why: fire.why.clone(),
        run: None,
        due: Some(fire.at),
    };
    let Some(started) = fire.started_at else { return vec![span(fire.at, fire.at, kind, 1)] };
    let end = started.plus_ms(length_ms);
    let end = next.filter(|next| *next > started).map_or(end, |next| end.min(next));
    let mut spans = Vec::new();
    if started.since_ms(fire.at) > WAIT_MS {
        spans.push(span(fire.at, started, Kind::Waited, 0));
    }
    spans.push(span(started, end, kind, 1));
    spans
}
