//! The work of runs: it starts as soon as it may, goes on for as long as it takes, and succeeds, unless it is asked to
//! end before.

use super::play::Play;
use crate::domain::automation::Task;
use crate::domain::id::{IdSource, RunId};
use crate::domain::provider::{Report, Watch};
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::{ErrorCode, State};
use crate::domain::run::{OutputSize, ProcessEnd, RunResult};
use crate::domain::time::Timestamp;
use crate::engine::agent::{self, Session};
use crate::engine::report::{self, Said, WorkEnd};
use crate::engine::{find_run, reported, served};
use crate::ledger::{Begun, ProcessRow, RunRow};

/// Who does the work of a run that has begun.
enum Worker {
    Command,
    Agent,
    /// The window itself.
    Application,
}

impl Play<'_> {
    /// The work of a run that has begun starts.
    pub(super) fn start(&mut self, run: &RunRow) -> Result<(), Refusal> {
        let (window, id) = (self.window_of(run), &run.run.id);
        match self.worker_of(run)? {
            Worker::Command => self.decide(window, |tx, context| report::started(tx, context, id))?,
            Worker::Agent => {
                let report = Report::Started { session_id: self.session_of_agent(run)?, continuity: None };
                self.decide(window, |tx, context| agent::report(tx, context, id, report).map(drop))?;
            }
            Worker::Application => {
                let report = Report::Started { session_id: self.session_of_served(run)?, continuity: None };
                self.decide(window, |tx, context| served::report(tx, context, id, report).map(drop))?;
            }
        }
        self.goes_on(run, self.now);
        Ok(())
    }

    /// The work of a run goes on that has started then.
    pub(super) fn goes_on(&mut self, run: &RunRow, started_at: Timestamp) {
        let ends_at = started_at.plus_ms(self.lengths.of(run.automation));
        self.work.insert(run.run.id.clone(), ends_at);
    }

    /// The work of a run ends: it has succeeded, or it ends as it was asked to.
    pub(super) fn end(&mut self, id: &RunId) -> Result<(), Refusal> {
        self.work.remove(id);
        let run = find_run(&self.tx, id)?;
        let window = self.window_of(&run);
        let (process, output) = (
            ProcessEnd { exit_code: Some(0), signal: None, tail: String::new(), swept: 0 },
            OutputSize::default(),
        );
        let end = match self.worker_of(&run)? {
            Worker::Command => WorkEnd::Exited { process, output, changes: None },
            Worker::Agent => WorkEnd::Agent { said: Said::Done(RunResult::default()), process, output },
            Worker::Application => {
                let report = match run.run.state() {
                    State::Scheduled => {
                        Report::Failed { code: ErrorCode::StartFailed, message: String::new(), class: None }
                    }
                    State::Running
                    | State::AwaitingInput
                    | State::Succeeded
                    | State::Failed
                    | State::Stopped => Report::Finished { text: None, outcome: None, last: Watch::GoesOn },
                };
                // What comes too late for a run that has ended says all the same that its work has gone.
                return self.decide(window, |tx, context| served::report(tx, context, id, report).map(drop));
            }
        };
        self.decide(window, |tx, context| report::ended(tx, context, id, end))
    }

    /// What windows carry out themselves ends before anybody looks.
    pub(super) fn end_served_work(&mut self) -> Result<(), Refusal> {
        let over = self.work.iter().filter(|(_, ends_at)| **ends_at <= self.now);
        for id in over.map(|(id, _)| id.clone()).collect::<Vec<RunId>>() {
            match self.worker_of(&find_run(&self.tx, &id)?)? {
                Worker::Application => self.end(&id)?,
                Worker::Command | Worker::Agent => {}
            }
        }
        Ok(())
    }

    /// Whether the session is free that an agent is to work in.
    pub(super) fn session_is_free(&self, id: &RunId) -> Result<bool, Refusal> {
        let run = find_run(&self.tx, id)?;
        match &run.definition.task {
            Task::Prompt(prompt) => Ok(agent::past(&self.tx, &run, prompt)?.is_some()),
            Task::Command(_) | Task::Notify { .. } => Ok(true),
        }
    }

    fn session_of_agent(&mut self, run: &RunRow) -> Result<String, Refusal> {
        let past = match &run.definition.task {
            Task::Prompt(prompt) => agent::past(&self.tx, run, prompt)?,
            Task::Command(_) | Task::Notify { .. } => None,
        };
        Ok(match past.map(|past| past.session) {
            Some(Session::Last(id) | Session::Named(id)) => id,
            Some(Session::New) | None => self.ids.unique(),
        })
    }

    fn session_of_served(&mut self, run: &RunRow) -> Result<String, Refusal> {
        let continued = match &run.definition.task {
            Task::Prompt(prompt) => reported::session_to_continue(&self.tx, run, prompt)?,
            Task::Command(_) | Task::Notify { .. } => None,
        };
        Ok(continued.unwrap_or_else(|| self.ids.unique()))
    }

    fn worker_of(&self, run: &RunRow) -> Result<Worker, Refusal> {
        Ok(match (self.tx.process(run.row)?, &run.definition.task) {
            (Some(ProcessRow { begun: Begun::Served(_), .. }), _) => Worker::Application,
            (Some(ProcessRow { begun: Begun::Guard(_), .. }) | None, Task::Prompt(_)) => Worker::Agent,
            (Some(_) | None, Task::Command(_) | Task::Notify { .. }) => Worker::Command,
        })
    }

    fn window_of(&self, run: &RunRow) -> usize {
        let has_it = |window: &super::play::Window| Some(&window.actor.instance) == run.given_to.as_ref();
        self.windows.iter().position(has_it).unwrap_or(self.leader())
    }
}
