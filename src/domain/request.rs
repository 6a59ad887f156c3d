//! What a client can ask for beside a draft, understood and valid.

use serde::{Deserialize, Serialize};

use super::id::{AutomationId, RunId};
use super::lifecycle::{CloseKind, CloseMode};
use super::policy::IfBusy;
use super::provider::{Choice, Report};
use super::run::machine::State;
use super::run::{Asked, Attendance};
use super::sent::SentObject;
use super::time::Timestamp;

/// Which automations are wanted, newest first.
#[derive(Clone, Debug, Default)]
pub struct ListAutomations {
    /// Only those before this row.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
    /// Only those that are paused, or only those that are not.
    pub paused: Option<bool>,
    /// Only those whose title contains this text, in upper or lower case.
    pub query: Option<String>,
}

/// Which runs are wanted, newest first.
#[derive(Clone, Debug, Default)]
pub struct ListRuns {
    /// Only those of this automation.
    pub automation: Option<AutomationId>,
    /// Only those in one of these states; all if empty.
    pub states: Vec<State>,
    /// Only those created at or after this time.
    pub from: Option<Timestamp>,
    /// Only those created at or before this time.
    pub to: Option<Timestamp>,
    /// Only those before this row.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// A time that somebody asks about.
#[derive(Clone, Debug)]
pub struct ExplainRequest {
    /// The automation, which may have been deleted.
    pub automation: AutomationId,
    /// The time, in the past or to come: what is meant is the scheduled time in the same minute. Without one it is the
    /// last time that was due, or else the next one.
    pub at: Option<Timestamp>,
}

/// A run that is wanted now.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// The automation that is to be carried out, also if it is paused or finished.
    pub automation: AutomationId,
    /// Whether somebody is there to answer.
    pub attendance: Attendance,
    /// The client's own name for its request.
    pub key: Option<String>,
    /// What is told beside the prompt.
    pub context: Option<String>,
    /// What the run does when another one is ahead of it in its directory; as its policy says if it is absent.
    pub if_busy: Option<IfBusy>,
    /// Who carries it out before all others.
    pub executor: Executor,
}

/// Who carries out a run that somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// The window that is asked, if it can, and else another.
    Asker,
    /// A participant, as for a scheduled run: whoever asks may leave without taking the run along.
    Participant,
}

/// An automation that is to be another.
#[derive(Clone, Debug)]
pub struct UpdateRequest {
    /// The automation.
    pub automation: AutomationId,
    /// Only if it still has this revision.
    pub if_revision: Option<i64>,
    /// What is to change, as a JSON merge patch over its draft.
    pub patch: SentObject,
}

/// An automation that is to rest, or to go on.
#[derive(Clone, Debug)]
pub struct RestRequest {
    /// The automation.
    pub automation: AutomationId,
    /// Why, for people.
    pub note: Option<String>,
}

/// An automation that is to go.
#[derive(Clone, Debug)]
pub struct DeleteRequest {
    /// The automation.
    pub automation: AutomationId,
    /// Only if it still has this revision.
    pub if_revision: Option<i64>,
    /// What is to become of its active runs.
    pub active_run: ActiveRun,
}

/// What becomes of active runs when their automation is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActiveRun {
    /// They are cancelled.
    Cancel,
    /// They end normally.
    Finish,
    /// Nothing is deleted while there are any.
    Refuse,
}

/// What a window reports of a run that it carries out.
#[derive(Clone, Debug)]
pub struct ReportRequest {
    /// The run.
    pub run: RunId,
    /// What.
    pub reported: Reported,
}

/// What a window reports.
#[derive(Clone, Debug)]
pub enum Reported {
    /// The agent has written this.
    Output(String),
    /// Something else.
    Other(Report),
}

/// What somebody answers to a run that waits for a person.
#[derive(Clone, Debug)]
pub struct RespondRequest {
    /// The run.
    pub run: RunId,
    /// What is answered.
    pub asked: Asked,
    /// With what.
    pub choice: Choice,
}

/// A part of a run's output that is wanted.
#[derive(Clone, Debug)]
pub struct OutputRequest {
    /// The run.
    pub run: RunId,
    /// From this byte on.
    pub offset: u64,
    /// At most so many bytes.
    pub limit: usize,
}

/// A window that is to let go of its project, or of some of its directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseParams {
    /// What for.
    pub kind: CloseKind,
    /// What becomes of the runs in its way.
    pub mode: CloseMode,
    /// Which directories, as the client names them; all if absent.
    pub directories: Option<Vec<String>>,
}

/// A directory in which the user's own work goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldParams {
    /// Which, as the client names it; the project's if absent.
    pub directory: Option<String>,
    /// What the work is, for people.
    pub title: String,
}
