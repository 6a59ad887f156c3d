//! Runs, what an instance has to do about them, and the processes that carry them out.

mod answering;
mod later;
mod orders;
mod page;
mod processes;
mod read;
mod row;
mod sessions;
mod write;

use crate::domain::automation::Definition;
use crate::domain::id::{InstanceId, RunId, SubscriptionId};
use crate::domain::policy::IfBusy;
use crate::domain::process::ProcessIdentity;
use crate::domain::run::{Asked, Run, Wish};
use crate::domain::time::Timestamp;
use crate::ledger::answers::PendingAnswer;
use crate::ledger::column::is_counted;
use crate::ledger::later::{LaterRunRow, Stored};
pub(super) use read::readable_runs;

/// The greatest of the numbers that the ended runs of an automation have; 0 if there are none. One that lies beyond all
/// that can be counted to was never given: it would make all others old, and nothing comes after it.
pub(super) fn newest_ended_number(automation: &str) -> String {
    format!(
        "coalesce((SELECT max(e.ended_number) FROM runs e
           WHERE e.automation = {automation} AND e.ended_number IS NOT NULL AND {}), 0)",
        is_counted("e.ended_number")
    )
}

/// The next of the numbers that ended runs of the automation of `runs` have.
fn next_ended_number() -> String {
    format!("1 + {}", newest_ended_number("runs.automation"))
}

/// A run as it is stored: what clients see, and what only the sidecars need.
#[derive(Clone, Debug)]
pub struct RunRow {
    /// Its place in the ledger's own order.
    pub row: i64,
    /// Its automation's place.
    pub automation: i64,
    /// The definition it carries out.
    pub definition: Definition,
    /// Where that is stored.
    pub definition_row: i64,
    /// The schedule epoch in which it was created.
    pub epoch: i64,
    /// What clients see.
    pub run: Run,
    /// How many runs have failed before this one, which it tries again.
    pub tries: i64,
    /// What whoever asked for it has added to the prompt.
    pub context: Option<String>,
    /// Who asked for it, or for the first of what it tries again.
    pub asker: Asker,
    /// When waiting to start is given up.
    pub wait_until: Option<Timestamp>,
    /// It does not start earlier than this.
    pub not_before: Option<Timestamp>,
    /// What it does when another run is ahead of it in its directory.
    pub if_busy: IfBusy,
    /// Whether it holds its directory against other writers.
    pub holds_directory: bool,
    /// The instance that is to execute it.
    pub given_to: Option<InstanceId>,
    /// When it was given.
    pub given_at: Option<Timestamp>,
    /// How often it was given to somebody: by this, who was given it before is told from who has it now.
    pub given_number: i64,
    /// When its start, its work, or its end once it is asked to end, has taken too long.
    pub deadline_at: Option<Timestamp>,
    /// Whether it has begun: it has a process row.
    pub begun: bool,
    /// What limits its work, and what was counted of it.
    pub work: Work,
}

/// What limits the work of a run, and what was counted of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// The last sign of life, while it works.
    pub active_at: Option<Timestamp>,
    /// When it will have taken too long, while it works.
    pub wall_at: Option<Timestamp>,
    /// How long it may still work, in milliseconds, while it waits for a person.
    pub wall_left_ms: Option<i64>,
    /// When progress is to be told that came too soon after what was told last.
    pub tell_at: Option<Timestamp>,
    /// The title of the newest step.
    pub last_step: Option<String>,
    /// How many steps in a row had that title.
    pub same_steps: i64,
    /// Whether a person was told that most of its budget is spent.
    pub warned_of_budget: bool,
    /// Whether a person was told that its budget limits nothing, because its cost is told in another currency.
    pub warned_of_currency: bool,
    /// What a person has answered last.
    pub last_answered: Option<Asked>,
}

impl RunRow {
    /// Whether somebody has asked for it, or for the run that it tries again. Other runs are there because of a schedule.
    pub fn was_asked_for(&self) -> bool {
        match self.asker {
            Asker::Nobody => false,
            Asker::Window(_) | Asker::Visitor => true,
        }
    }
}

/// Who asked for a run, which says who carries it out before all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Nobody: it is there because of a schedule.
    Nobody,
    /// A window that carries it out if it can. It stays the one when it has gone.
    Window(InstanceId),
    /// Somebody who may leave at any time, and leaves it to the participants.
    Visitor,
}

impl Asker {
    /// The window that carries it out if it can.
    pub fn window(&self) -> Option<&InstanceId> {
        match self {
            Asker::Window(window) => Some(window),
            Asker::Nobody | Asker::Visitor => None,
        }
    }
}

/// A run, whichever version wrote it.
pub type StoredRun = Stored<RunRow, LaterRunRow>;

impl StoredRun {
    /// Its place in the ledger's own order.
    pub fn row(&self) -> i64 {
        match self {
            Stored::Known(run) => run.row,
            Stored::Later(later) => later.row,
        }
    }

    /// Its automation's place.
    pub fn automation(&self) -> i64 {
        match self {
            Stored::Known(run) => run.automation,
            Stored::Later(later) => later.automation,
        }
    }
}

/// What carries out a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRow {
    /// The instance that has begun it.
    pub instance: InstanceId,
    /// What it has begun it with.
    pub begun: Begun,
}

/// With what the work of a run was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// With a process of its own, above the command.
    Guard(Guard),
    /// The window does it: it was told so on this subscription. There is no process that could be ended: the work has
    /// gone when the window says so, or when the subscription has ended.
    Served(SubscriptionId),
}

impl ProcessRow {
    /// The process above the command, if there is one.
    pub fn guard(&self) -> Option<&Guard> {
        match &self.begun {
            Begun::Guard(guard) => Some(guard),
            Begun::Served(_) => None,
        }
    }
}

/// The process above a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Which.
    pub process: ProcessIdentity,
    /// What it and everything below it carry in their environment.
    pub token: String,
}

/// What an instance has to do: the wanted state of a run that was given to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The run.
    pub run: RunId,
    /// The number of its giving, as [`RunRow::given_number`].
    pub given_number: i64,
    /// What carries it out.
    pub work: Ordered,
    /// Whether it has begun.
    pub begun: bool,
    /// Whether it is to end, or has ended without its window, and whether at once.
    pub stopping: Option<bool>,
}

/// What carries out a run that was given to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// A process of its own.
    Guarded,
    /// An agent, which is a process as well and is spoken to.
    Agent(AgentOrder),
    /// The window that serves its provider.
    Served(ServedOrder),
}

/// What an agent that carries out a run is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentOrder {
    /// What was answered to it, oldest first.
    pub answers: Vec<PendingAnswer>,
}

/// What the window that carries out a run is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedOrder {
    /// The subscription that it was told to begin on, if it has begun.
    pub serving: Option<SubscriptionId>,
    /// How the run will be recorded, or is, if it is to end.
    pub wish: Option<Wish>,
    /// What was answered to it, oldest first.
    pub answers: Vec<PendingAnswer>,
}

/// What a new row says in `seen_at`, if this is what it says in `triggered_at`.
///
/// A row never says less than one before it: it comes after all that are there, it looks at the last of them, and
/// none changes later. Pruning takes rows away and leaves the others in their order, also when it takes the newest:
/// the next row then looks at an older one, which says no less than those before it.
fn seen_at(triggered_at: &str) -> String {
    format!(
        "max({triggered_at}, coalesce((SELECT l.seen_at FROM runs l WHERE l.row = (SELECT max(row) FROM runs)),
           {triggered_at}))"
    )
}
