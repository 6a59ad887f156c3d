//! What a person is told at once: one sentence for each event that is important.
//!
//! An event is important if there is a sentence for it, so that the two cannot differ. Whatever stands in a sentence was
//! shown in the event before: no value of an environment is in it.

use super::Event;
use crate::domain::automation::{Automation, PauseReason, PublicTask};
use crate::domain::draft::limits;
use crate::domain::lifecycle::{CloseKind, Lifecycle};
use crate::domain::one_line::one_line;
use crate::domain::run::machine::{ErrorCode, StopReason};
use crate::domain::run::{Ended, Need, Phase, Run, RunError, SlotRange};
use crate::domain::schedule::local_time;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// The most characters of what somebody else said, such as an error: what is read at a glance. The event has all of it.
const DETAIL: usize = 300;

/// What to tell of an event, if a person should be shown it at once: plain text of one line, without an end mark. Times
/// are told by the clocks of `zone`, which is named, or as UTC where it is not known.
pub(super) fn of(event: &Event, zone: Option<&Zone>) -> Option<String> {
    match event {
        Event::RunUpdated { run } => of_run(run, zone),
        Event::AutomationPausedItself { automation } => Some(paused_itself(automation)),
        Event::RunWarning { run, text } => {
            Some(format!("{}: {}", quoted(&run.automation_title), one_line(text, DETAIL)))
        }
        Event::LifecycleFailed { lifecycle } => Some(close_failed(lifecycle)),
        Event::AutomationUpdated { .. }
        | Event::LaterAutomationUpdated { .. }
        | Event::AutomationDeleted { .. }
        | Event::LaterRunUpdated { .. }
        | Event::SchedulerOwner { .. }
        | Event::SchedulerSuspended { .. }
        | Event::SchedulerClock { .. }
        | Event::LifecycleCompleted { .. }
        | Event::ProviderUpdated { .. } => None,
    }
}

fn of_run(run: &Run, zone: Option<&Zone>) -> Option<String> {
    let title = quoted(&run.automation_title);
    match &run.phase {
        Phase::Failed { ended, error } => Some(failed(run, ended, error, zone)),
        // What is asked to end needs no answer any more.
        Phase::AwaitingInput { stopping: Some(_), .. } => None,
        Phase::AwaitingInput { blocker, stopping: None, .. } => Some(match &blocker.need {
            Need::Permission { title: wanted, .. } => {
                format!("{title} asks for permission: {}", one_line(wanted, DETAIL))
            }
            Need::Question { prompt, .. } => format!("{title} asks: {}", one_line(prompt, DETAIL)),
        }),
        Phase::Stopped { ended, reason } => match reason {
            StopReason::MissedSchedule => Some(missed(run, zone)),
            StopReason::Expired => {
                let at = at(ended.completed_at, zone);
                Some(match ended.started_at {
                    Some(_) => format!("{title} was ended at {at}: nobody answered what it asked"),
                    None => format!("{title} was given up at {at}: it had waited too long to be started"),
                })
            }
            StopReason::Cancelled
            | StopReason::Superseded
            | StopReason::WriterBusy
            | StopReason::Capacity
            | StopReason::PreviousRunActive
            | StopReason::PreviousRunAwaitingInput
            | StopReason::Ended
            | StopReason::Paused
            | StopReason::PrecheckSkipped
            | StopReason::Interrupted
            | StopReason::Shutdown
            | StopReason::BlockerLost => None,
        },
        // A reminder is there to be shown, once.
        Phase::Succeeded { .. } => match &run.task {
            PublicTask::Notify { text } => Some(one_line(text, limits::REMINDER)),
            PublicTask::Command { .. } | PublicTask::Prompt(_) => None,
        },
        Phase::Scheduled { .. } | Phase::Running { .. } => None,
    }
}

/// `“Nightly tests” failed at 2025-01-06 02:00 (Europe/Berlin): exit code 1`.
fn failed(run: &Run, ended: &Ended, error: &RunError, zone: Option<&Zone>) -> String {
    let verb = if ended.started_at.is_some() { "failed" } else { "could not be started" };
    let why = how_it_exited(run, ended)
        .filter(|_| error.code == ErrorCode::ExecutionFailed)
        .unwrap_or_else(|| one_line(error.message.trim_end_matches('.'), DETAIL));
    format!("{} {verb} at {}: {why}", quoted(&run.automation_title), at(ended.completed_at, zone))
}

/// How a command ended. The message of its error says the same and where its output is, which is for programs.
fn how_it_exited(run: &Run, ended: &Ended) -> Option<String> {
    match &run.task {
        PublicTask::Command { .. } => {
            let process = ended.process.as_ref()?;
            let by_signal = || process.signal.map(|signal| format!("killed by signal {signal}"));
            process.exit_code.map(|code| format!("exit code {code}")).or_else(by_signal)
        }
        PublicTask::Prompt(_) | PublicTask::Notify { .. } => None,
    }
}

/// `“Backup” did not run at 2025-01-06 09:00 (Europe/Berlin): nobody was there to start it in time`. Of a reminder it says
/// what was to be remembered, which is what it is for, also when it comes late.
fn missed(run: &Run, zone: Option<&Zone>) -> String {
    let title = quoted(&run.automation_title);
    let newest = at(run.slots.map_or(run.triggered_at, |slots| slots.to_at), zone);
    let times = match run.slots {
        Some(SlotRange { from_at, count, .. }) if count > 1 => {
            let at_least = if count >= SlotRange::COUNTED { "at least " } else { "" };
            format!(" ({at_least}{count} times missed, the first at {})", clocks(from_at, zone))
        }
        Some(_) | None => String::new(),
    };
    match &run.task {
        PublicTask::Notify { text } => {
            let text = one_line(text, limits::REMINDER);
            format!("{title} was due at {newest}, when nobody was there to show it{times}: {text}")
        }
        PublicTask::Command { .. } | PublicTask::Prompt(_) => {
            format!("{title} did not run at {newest}: nobody was there to start it in time{times}")
        }
    }
}

/// `“Report” paused itself after 5 failures in a row; resume it when that is mended`.
fn paused_itself(automation: &Automation) -> String {
    let title = quoted(&automation.definition.title);
    let note = automation.pause.as_ref().and_then(|pause| pause.note.as_deref());
    let reason = automation.pause.as_ref().map(|pause| pause.reason);
    match (reason, note) {
        (_, Some(note)) => format!("{title} paused itself: {}", one_line(note.trim_end_matches('.'), DETAIL)),
        (Some(PauseReason::Failures), None) => {
            let failures = automation.state.failure_streak;
            let failures =
                if failures == 1 { "a failure".to_owned() } else { format!("{failures} failures in a row") };
            format!("{title} paused itself after {failures}; resume it when that is mended")
        }
        (
            Some(
                PauseReason::Config
                | PauseReason::Auth
                | PauseReason::Quota
                | PauseReason::User
                | PauseReason::Run,
            )
            | None,
            None,
        ) => format!("{title} paused itself; resume it to go on"),
    }
}

fn close_failed(lifecycle: &Lifecycle) -> String {
    let what = match lifecycle.kind {
        CloseKind::Reload => "The configuration could not be read anew",
        CloseKind::Dispose => "The project could not be let go of",
        CloseKind::Shutdown => "The window could not be closed",
    };
    match &lifecycle.error {
        Some(error) => format!("{what}: {}", one_line(error.trim_end_matches('.'), DETAIL)),
        None => what.to_owned(),
    }
}

fn quoted(title: &str) -> String {
    format!("“{}”", one_line(title, limits::TITLE))
}

/// The first time of a sentence: with the zone whose clocks show it, which need not be those of whoever reads this.
fn at(time: Timestamp, zone: Option<&Zone>) -> String {
    let clocks = clocks(time, zone);
    match zone {
        // An offset tells which clocks these are.
        Some(_) if clocks.ends_with(')') => clocks,
        Some(zone) => format!("{clocks} ({zone})"),
        None => format!("{clocks} UTC"),
    }
}

/// A time in a sentence that has named its zone.
fn clocks(time: Timestamp, zone: Option<&Zone>) -> String {
    match zone {
        Some(zone) => local_time(zone, time),
        None => local_time(&Zone::utc(), time),
    }
}
