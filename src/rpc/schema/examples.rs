//! One example of each event, written by the types that write real ones.

use serde_json::{Value, json};

use super::methods::weekdays;
use crate::domain::automation::{Actor, Automation, Definition, DerivedState};
use crate::domain::clock::{ClockSet, Suspended};
use crate::domain::draft::{Surroundings, read_create};
use crate::domain::event::{Event, Told, Tombstone};
use crate::domain::id::{AutomationId, InstanceId, LifecycleActionId, ProviderId, RunId};
use crate::domain::lifecycle::{CloseKind, CloseMode, Lifecycle};
use crate::domain::provider::{OfferedModel, Provider, ProviderKind, ProviderStatus};
use crate::domain::run::machine::{ErrorCode, StopReason};
use crate::domain::run::{
    Ahead, Attendance, Ended, ErrorClass, OutputSize, Phase, ProcessEnd, Run, RunError, RunResult, SlotRange,
    Stopping, Trigger, Waiting, WaitingFor, Wish,
};
use crate::domain::schedule::zone::Zone;
use crate::domain::scheduler::{Limits, Owner};
use crate::domain::sent::Sent;
use crate::domain::time::Timestamp;

/// Monday, 2026-11-02T08:00:00Z: nine o'clock in Berlin.
const AT: Timestamp = Timestamp::from_millis(1_793_606_400_000);

/// What this version tells of this kind.
pub(super) fn of_event(kind: &str) -> Vec<Value> {
    if kind == "resync" {
        return vec![json!({"seq": 512, "at": AT, "kind": kind, "important": false})];
    }
    let all = all_events();
    let of_kind = all.iter().filter(|event| event.kind() == kind);
    of_kind.enumerate().map(|(number, event)| on_the_wire(number, event)).collect()
}

fn on_the_wire(number: usize, event: &Event) -> Value {
    let zone = definition().and_then(|definition| Zone::named(&definition.timezone).ok());
    let text = event.text(zone.as_ref());
    let mut written =
        json!({"seq": 512 + number, "at": AT, "kind": event.kind(), "important": text.is_some()});
    let members = serde_json::to_value(Told { event, text });
    if let (Value::Object(written), Ok(Value::Object(members))) = (&mut written, members) {
        written.extend(members);
    }
    written
}

fn all_events() -> Vec<Event> {
    let by = Actor { instance: InstanceId::from_unique("1"), client: Some("editor 1.0".to_owned()) };
    let id = AutomationId::from_unique("1");
    let mut events: Vec<Event> = phases().into_iter().map(run).map(|run| Event::RunUpdated { run }).collect();
    if let Some(definition) = definition() {
        let automation = Automation {
            id: id.clone(),
            definition,
            revision: 1,
            created_at: AT.plus_ms(-86_400_000),
            updated_at: AT.plus_ms(-86_400_000),
            created_by: by.clone(),
            paused: false,
            pause: None,
            state: DerivedState {
                next_fire_at: Some(AT.plus_ms(86_400_000)),
                next_fires: (1..=5).map(|day| AT.plus_ms(day * 86_400_000)).collect(),
                active_runs: vec![RunId::from_unique("1")],
                last_run: Some(RunId::from_unique("1")),
                ..DerivedState::default()
            },
        };
        events.push(Event::AutomationUpdated { automation: Box::new(automation) });
    }
    events.push(Event::AutomationDeleted { tombstone: Tombstone { id, revision: 2 } });
    let succeeded = phases().into_iter().filter(|phase| matches!(phase, Phase::Succeeded { .. }));
    events.extend(succeeded.map(|phase| {
        let output = OutputSize { bytes: 1_048_576, truncated: true };
        Event::output_cut(Run { output, ..*run(phase) }, output.bytes)
    }));
    events.push(Event::SchedulerOwner { scheduler: Owner { term: 3, by, since: AT } });
    let (from, to) = (AT, AT.plus_ms(8 * 3_600_000));
    events.push(Event::SchedulerSuspended { scheduler: Suspended { from, to } });
    events.push(Event::SchedulerClock { scheduler: ClockSet { from: to, to: from } });
    let lifecycle = Lifecycle {
        id: LifecycleActionId::from_unique("1"),
        kind: CloseKind::Reload,
        mode: CloseMode::Maintenance,
        directories: vec!["/home/me/project".to_owned()],
        requested_at: AT,
        completed_at: AT.plus_ms(2_400),
        error: None,
    };
    events.push(Event::LifecycleCompleted { lifecycle: lifecycle.clone() });
    let error = Some("the configuration could not be read: line 3 is no JSON".to_owned());
    events.push(Event::LifecycleFailed { lifecycle: Lifecycle { error, ..lifecycle } });
    let provider = Provider {
        id: ProviderId::from_text("assistant"),
        kind: ProviderKind::Served,
        status: ProviderStatus::Ready,
        reason: None,
        checked_at: Some(AT),
        models: vec![OfferedModel {
            id: "large".to_owned(),
            name: "Large".to_owned(),
            variants: vec!["careful".to_owned()],
        }],
    };
    events.push(Event::ProviderUpdated { provider: Box::new(provider) });
    events
}

fn definition() -> Option<Definition> {
    let limits = Limits::default();
    let around = Surroundings { machine_zone: "UTC", limits: &limits, now: AT, vcs: None };
    let draft = Sent::from(&weekdays());
    let read = read_create(draft.as_object()?, around, |_| ());
    read.ok().map(|(params, ())| params.draft.definition)
}

fn phases() -> [Phase; 6] {
    let started_at = AT.plus_ms(8);
    let ended = Ended {
        started_at: Some(started_at),
        completed_at: AT.plus_ms(2_400),
        process: Some(ProcessEnd {
            exit_code: Some(0),
            signal: None,
            tail: "2 new issues\n".to_owned(),
            swept: 0,
        }),
        closed_by: None,
    };
    let failed = ProcessEnd { exit_code: Some(3), signal: None, tail: "no network\n".to_owned(), swept: 0 };
    let behind = Some(Ahead::Run(RunId::from_unique("0")));
    let until_at = Some(AT.plus_ms(3_600_000));
    let waiting = Waiting { what: WaitingFor::Directory, behind, since: AT, until_at };
    let stopping = Stopping {
        wish: Wish::Stop(StopReason::Cancelled),
        since: AT.plus_ms(900),
        now: false,
        closed_by: None,
    };
    let error = RunError {
        code: ErrorCode::ExecutionFailed,
        message: "the command exited with code 3; `end.tail` has its last output".to_owned(),
        class: ErrorClass::Task,
    };
    let never = Ended { started_at: None, completed_at: AT.plus_ms(60_001), process: None, closed_by: None };
    [
        Phase::Scheduled { waiting: Some(waiting), stopping: None },
        Phase::Running { started_at, stopping: None },
        Phase::Running { started_at, stopping: Some(stopping) },
        Phase::Succeeded { ended: ended.clone(), result: RunResult::default() },
        Phase::Failed { ended: Ended { process: Some(failed), ..ended }, error },
        Phase::Stopped { ended: never, reason: StopReason::MissedSchedule },
    ]
}

fn run(phase: Phase) -> Box<Run> {
    let begun = match &phase {
        Phase::Scheduled { .. } => false,
        Phase::Running { .. } | Phase::AwaitingInput { .. } => true,
        Phase::Succeeded { ended, .. } | Phase::Failed { ended, .. } | Phase::Stopped { ended, .. } => {
            ended.started_at.is_some()
        }
    };
    let task = definition().map(|definition| definition.task.without_secrets());
    Box::new(Run {
        id: RunId::from_unique("1"),
        automation_id: AutomationId::from_unique("1"),
        automation_title: "Triage new issues".to_owned(),
        task: task.unwrap_or_else(nothing_to_do),
        definition_revision: 1,
        revision: if begun { 2 } else { 1 },
        trigger: Trigger::Schedule,
        attendance: Attendance::Unattended,
        slots: Some(SlotRange { from_at: AT, to_at: AT, count: 1 }),
        scheduled_at: Some(AT),
        triggered_at: AT.plus_ms(1),
        phase,
        skipped: None,
        session_id: None,
        continuity: None,
        directory: "/home/me/project".to_owned(),
        worktree: None,
        steps: 0,
        cost: None,
        output: OutputSize { bytes: if begun { 13 } else { 0 }, truncated: false },
        instance_id: begun.then(|| InstanceId::from_unique("1")),
    })
}

fn nothing_to_do() -> crate::domain::automation::PublicTask {
    crate::domain::automation::PublicTask::Command {
        program: "true".to_owned(),
        args: Vec::new(),
        env: std::collections::BTreeMap::new(),
        stdin: None,
    }
}
