//! An automation: what to do, when, and how it stands.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{AutomationId, InstanceId, ProviderId, RunId};
use super::policy::{PROMPT_IDLE_MS, Policy};
use super::prompt::Prompt;
use super::schedule::notes::{Note, Span};
use super::schedule::rhythm::{Rhythm, Schedule, Stop};
use super::schedule::zone::{UnknownZone, Zone};
use super::schedule::{describe, notes, why_not};
use super::time::Timestamp;
use super::worktree::WorktreeName;

/// What a user asked for, valid and with every default filled in. Serialises as the contract's draft. `V` is what
/// stands for a value of the environment: the value itself, or what a reader is shown of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Definition")]
pub struct Definition<V = EnvValue> {
    /// 1 to 160 characters.
    pub title: String,
    /// When it is due.
    #[serde(flatten)]
    pub when: When,
    /// The IANA name of the zone in which a cron expression is meant. Always stored.
    pub timezone: String,
    /// What is done.
    pub task: Task<V>,
    /// Where it is done.
    #[serde(rename = "where")]
    pub placement: Placement,
    /// Whether its runs change the directory.
    pub access: Access,
    /// What happens when things are not as planned.
    pub policy: Policy,
}

/// A text without the difference between upper and lower case, for comparing: `STRASSE` and `Straße` are alike.
/// Accents stay, and so does how they are composed.
pub fn folded(text: &str) -> String {
    // Letter by letter: the small letter for a capital may depend on its neighbours, as the Greek sigma does.
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

impl Definition {
    /// The schedule in its zone.
    ///
    /// # Errors
    /// When this machine's zone data no longer knows the zone.
    pub fn schedule(&self) -> Result<Schedule, UnknownZone> {
        self.when.in_zone(&self.timezone)
    }

    /// What a person should know about it although it is valid.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.when.warnings();
        match &self.task {
            Task::Command(_) | Task::Prompt(_) => warnings.extend(self.policy.warnings()),
            // A reminder waits for nothing.
            Task::Notify { .. } => {}
        }
        warnings
    }
}

/// When an automation is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum When {
    /// Once.
    #[serde(rename_all = "camelCase")]
    Oneshot {
        /// At this instant.
        fire_at: Timestamp,
    },
    /// Again and again.
    Recurring {
        /// How often.
        rhythm: Rhythm,
        /// Until when.
        stop: Stop,
    },
}

impl When {
    /// The schedule in this zone.
    ///
    /// # Errors
    /// When this machine's zone data does not know the zone.
    pub fn in_zone(&self, timezone: &str) -> Result<Schedule, UnknownZone> {
        Ok(match self {
            When::Oneshot { fire_at } => Schedule::OneShot { fire_at: *fire_at },
            When::Recurring { rhythm, stop } => {
                Schedule::Recurring { rhythm: rhythm.clone(), stop: *stop, zone: Zone::named(timezone)? }
            }
        })
    }

    /// It in words, told by the clocks of this zone.
    pub fn in_words(&self, zone: &Zone) -> String {
        match self {
            When::Oneshot { fire_at } => describe::once(*fire_at, zone),
            When::Recurring { rhythm, stop } => describe::recurring(rhythm, *stop, zone),
        }
    }

    /// What is other in these fires than its words let expect, in the order of time; where that is more than `most`
    /// notes, the last ones are left out.
    pub fn notes(&self, zone: &Zone, span: Span<'_>, most: usize) -> Vec<Note> {
        match self {
            When::Oneshot { fire_at } => notes::once(*fire_at, zone, span),
            When::Recurring { rhythm, .. } => notes::recurring(rhythm, zone, span, most),
        }
    }

    /// Why a time is no slot of it, as a clause; asked only where [`Schedule::slot_meant`] gives none.
    pub fn why_not(&self, zone: &Zone, effective_at: Timestamp, at: Timestamp) -> String {
        match self {
            When::Oneshot { fire_at } => why_not::once(*fire_at, zone, effective_at, at),
            When::Recurring { rhythm, stop } => why_not::recurring(rhythm, *stop, zone, effective_at, at),
        }
    }

    /// What a person should know about it although it is valid.
    pub fn warnings(&self) -> Vec<String> {
        match self {
            When::Recurring { rhythm: Rhythm::Cron(cron), .. } => cron.warnings(),
            When::Recurring { rhythm: Rhythm::Interval { .. }, .. } | When::Oneshot { .. } => Vec::new(),
        }
    }
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schemars(rename = "Task")]
pub enum Task<V = EnvValue> {
    /// A program is run; no shell takes part unless the program is one.
    Command(Command<V>),
    /// An agent is asked to do something.
    Prompt(Prompt),
    /// People are told something: a reminder. Nothing is executed.
    Notify {
        /// What, 1 to 2000 characters.
        text: String,
    },
}

/// A program, and how it is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Command<V = EnvValue> {
    /// Its name, looked up in the search path, or its path.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What is added to its environment.
    pub env: BTreeMap<String, V>,
    /// What it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
}

impl<V> Task<V> {
    /// The policy of an automation with such a task that says nothing else.
    pub fn default_policy(&self) -> Policy {
        let idle_ms = match self {
            Task::Prompt(_) => Some(PROMPT_IDLE_MS),
            Task::Command(_) | Task::Notify { .. } => None,
        };
        Policy { idle_ms, ..Policy::default() }
    }
}

impl Task {
    /// Who carries it out, if that is a provider.
    pub fn provider(&self) -> Option<&ProviderId> {
        match self {
            Task::Prompt(prompt) => Some(&prompt.model.provider),
            Task::Command(_) | Task::Notify { .. } => None,
        }
    }

    /// The task as runs show it: the names in `env` without their values.
    pub fn without_secrets(&self) -> PublicTask {
        match self {
            Task::Command(Command { program, args, env, stdin }) => PublicTask::Command {
                program: program.clone(),
                args: args.clone(),
                env: env.keys().map(|name| (name.clone(), Hidden {})).collect(),
                stdin: stdin.clone(),
            },
            Task::Prompt(prompt) => PublicTask::Prompt(prompt.clone()),
            Task::Notify { text } => PublicTask::Notify { text: text.clone() },
        }
    }
}

/// A value in a task's environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EnvValue {
    /// The value itself.
    Text(String),
    /// The name of a variable in the environment of the window that executes the run.
    From {
        /// The name.
        from: String,
    },
}

/// A task as a run shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum PublicTask {
    /// A program that is run.
    Command {
        /// Its name or path.
        program: String,
        /// Its arguments.
        args: Vec<String>,
        /// The names in its environment.
        env: BTreeMap<String, Hidden>,
        /// What it reads.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stdin: Option<String>,
    },
    /// An agent that is asked to do something.
    Prompt(Prompt),
    /// A reminder.
    Notify {
        /// What people are told.
        text: String,
    },
}

impl PublicTask {
    /// Whether an agent is asked to do something.
    pub fn is_prompt(&self) -> bool {
        match self {
            PublicTask::Prompt(_) => true,
            PublicTask::Command { .. } | PublicTask::Notify { .. } => false,
        }
    }
}

/// Stands where a value is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hidden {}

/// Where the runs of an automation work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// The worktree in which they work, on a branch of its own: `.worktrees/sexton/<name>` in the project. Without
    /// one they work in the project's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<WorktreeName>,
}

/// Whether a run changes its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// It may: no other such run works there at the same time.
    Write,
    /// It does not: it neither holds the directory nor waits for it.
    Read,
}

/// Who did something: a window, and the application that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The sidecar.
    #[serde(rename = "instanceID")]
    pub instance: InstanceId,
    /// What the client called itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// That an automation is paused, since when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// Since when.
    pub at: Timestamp,
    /// What the person who paused it wrote; or, if it paused itself, what is wrong and what to do. At most 1000
    /// characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

/// Why an automation is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PauseReason {
    /// Somebody asked for it.
    User,
    /// Too many failures in a row: `policy.pauseAfterFailures`.
    Failures,
    /// A run has failed of how it is configured, and the next would as well.
    Config,
    /// A run has failed of a login that is missing or not good any more.
    Auth,
    /// A run has failed of a quota that is used up.
    Quota,
    /// One of its runs asked for it.
    Run,
}

/// Why a schedule epoch began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EpochReason {
    /// The automation was created.
    Created,
    /// Its schedule was edited.
    Edited,
    /// It was resumed.
    Resumed,
    /// The machine's clock was set back.
    Clock,
}

/// Why a schedule epoch ended: no later slot of it is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum EpochEnd {
    /// The automation was paused.
    Paused(Pause),
    /// Its schedule was edited; the next epoch says by whom.
    Edited,
    /// The machine's clock was set back.
    Clock,
    /// As many runs have ended as a stop by count allows.
    Count,
    /// The automation was deleted.
    Deleted,
}

/// An automation as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Automation")]
pub struct Automation<V = EnvValue> {
    /// Its identity.
    pub id: AutomationId,
    /// What the user asked for.
    #[serde(flatten)]
    pub definition: Definition<V>,
    /// Counts what users changed, nothing else.
    pub revision: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When a user last changed it.
    pub updated_at: Timestamp,
    /// Who created it.
    pub created_by: Actor,
    /// Whether `pause` is there.
    pub paused: bool,
    /// Why and since when it is paused.
    pub pause: Option<Pause>,
    /// What follows from its runs and its schedule; never counts as a revision.
    pub state: DerivedState,
}

/// What follows from an automation's runs and its schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DerivedState {
    /// The next scheduled time that nothing answers for yet.
    pub next_fire_at: Option<Timestamp>,
    /// The next scheduled times, at most five and no more than a stop by count leaves.
    pub next_fires: Vec<Timestamp>,
    /// Failed runs since the last that succeeded.
    pub failure_streak: i64,
    /// Runs that count towards a stop by count.
    pub completed_runs: i64,
    /// Runs that have not ended, oldest first.
    pub active_runs: Vec<RunId>,
    /// The newest run.
    pub last_run: Option<RunId>,
    /// The agent's session that the next run may continue.
    #[serde(rename = "sessionID")]
    pub session_id: Option<String>,
    /// What a person should know about the definition although it is valid.
    pub warnings: Vec<String>,
}
