//! What windows are told. An event is written in the transaction of the change that it tells.

mod sentence;

use schemars::JsonSchema;
use serde::Serialize;

use super::automation::{Automation, PublicTask};
use super::clock::{ClockSet, Suspended};
use super::id::AutomationId;
use super::later::{LaterAutomation, LaterRun};
use super::lifecycle::Lifecycle;
use super::provider::Provider;
use super::run::Run;
use super::schedule::zone::Zone;
use super::scheduler::Owner;

/// Something that happened. Its payload is the whole object as it is afterwards.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// An automation was created or edited, or what follows from its runs has changed.
    AutomationUpdated {
        /// As it is now.
        automation: Box<Automation>,
    },
    /// What follows from its runs has changed for an automation that a later version wrote.
    LaterAutomationUpdated {
        /// As it is now.
        automation: Box<LaterAutomation>,
    },
    /// The sidecar paused an automation of its own accord.
    AutomationPausedItself {
        /// As it is now.
        automation: Box<Automation>,
    },
    /// An automation is gone.
    AutomationDeleted {
        /// What is left of it.
        tombstone: Tombstone,
    },
    /// A run was created or has changed.
    RunUpdated {
        /// As it is now.
        run: Box<Run>,
    },
    /// A run that a later version wrote has changed.
    LaterRunUpdated {
        /// As it is now.
        run: Box<LaterRun>,
    },
    /// The bell has a new owner.
    SchedulerOwner {
        /// Who.
        scheduler: Owner,
    },
    /// The machine slept.
    SchedulerSuspended {
        /// From when to when.
        scheduler: Suspended,
    },
    /// The machine's clock was set.
    SchedulerClock {
        /// From what to what.
        scheduler: ClockSet,
    },
    /// Something about a run that a person should know although it may have succeeded.
    RunWarning {
        /// As it is now.
        run: Box<Run>,
        /// What, and what can be done about it: the sentence of this event, without whose run it is.
        #[serde(skip)]
        text: String,
    },
    /// A close has happened.
    LifecycleCompleted {
        /// Which.
        lifecycle: Lifecycle,
    },
    /// A close could not be carried out: nothing is closed.
    LifecycleFailed {
        /// Which, and why.
        lifecycle: Lifecycle,
    },
    /// A provider offers something else, or can be given work again, or not any more.
    ProviderUpdated {
        /// As it is now.
        provider: Box<Provider>,
    },
}

/// What is left of a deleted automation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tombstone {
    /// Its identity, which is never used again.
    pub id: AutomationId,
    /// Its last revision plus one.
    pub revision: i64,
}

/// All kinds of events that this version publishes.
pub const KINDS: [&str; 10] = [
    "automation.updated",
    "automation.deleted",
    "run.updated",
    "scheduler.owner",
    "scheduler.suspended",
    "scheduler.clock",
    "run.warning",
    "lifecycle.completed",
    "lifecycle.failed",
    "provider.updated",
];

impl Event {
    /// The warning that not all of a run's output was kept, of which at most `limit` bytes are.
    pub fn output_cut(run: Run, limit: u64) -> Event {
        let kept = run.output.bytes;
        // Only what had a process of its own has a tail.
        let last = match run.task {
            PublicTask::Command { .. } => ", and the last ones with its end (`end.tail`)",
            PublicTask::Prompt(_) | PublicTask::Notify { .. } => "",
        };
        let text = if kept >= limit {
            format!(
                "only the first {kept} bytes of the output are kept{last}; \
                 allow more where the editor starts sexton (`limits.outputBytes`)"
            )
        } else {
            format!("only {kept} bytes of the output could be written{last}; see whether the disk is full")
        };
        Event::RunWarning { run: Box::new(run), text }
    }

    /// The contract's word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::AutomationUpdated { .. }
            | Event::LaterAutomationUpdated { .. }
            | Event::AutomationPausedItself { .. } => KINDS[0],
            Event::AutomationDeleted { .. } => KINDS[1],
            Event::RunUpdated { .. } | Event::LaterRunUpdated { .. } => KINDS[2],
            Event::SchedulerOwner { .. } => KINDS[3],
            Event::SchedulerSuspended { .. } => KINDS[4],
            Event::SchedulerClock { .. } => KINDS[5],
            Event::RunWarning { .. } => KINDS[6],
            Event::LifecycleCompleted { .. } => KINDS[7],
            Event::LifecycleFailed { .. } => KINDS[8],
            Event::ProviderUpdated { .. } => KINDS[9],
        }
    }

    /// The automation it concerns.
    pub fn automation_id(&self) -> Option<&AutomationId> {
        match self {
            Event::AutomationUpdated { automation } | Event::AutomationPausedItself { automation } => {
                Some(&automation.id)
            }
            Event::LaterAutomationUpdated { automation } => Some(&automation.id),
            Event::AutomationDeleted { tombstone } => Some(&tombstone.id),
            Event::RunUpdated { run } | Event::RunWarning { run, .. } => Some(&run.automation_id),
            Event::LaterRunUpdated { run } => Some(&run.automation_id),
            Event::SchedulerOwner { .. }
            | Event::SchedulerSuspended { .. }
            | Event::SchedulerClock { .. }
            | Event::LifecycleCompleted { .. }
            | Event::LifecycleFailed { .. }
            | Event::ProviderUpdated { .. } => None,
        }
    }

    /// What a person should be shown at once, if anything: a sentence, in plain text of one line. Times in it are told by
    /// the clocks of `zone`, or as UTC where that is not known.
    pub fn text(&self, zone: Option<&Zone>) -> Option<String> {
        sentence::of(self, zone)
    }

    /// Whether a person should be shown it at once.
    pub fn is_important(&self) -> bool {
        self.text(None).is_some()
    }
}

/// An event with its sentence, as windows are told it.
#[derive(Clone, Debug, Serialize)]
pub struct Told<'a> {
    /// What happened.
    #[serde(flatten)]
    pub event: &'a Event,
    /// What a person is shown at once; there exactly if the event is important.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
