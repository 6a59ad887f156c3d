//! What an agent does that a window has started: it takes up a session, works, asks, hears answers, and comes to an end
//! or is brought to one.
//!
//! Its process is one under a guard, as that of a command is; `window.rs` has what both have in common.

use std::collections::BTreeSet;

use sexton::domain::automation::Task;
use sexton::domain::id::{ProviderId, RunId};
use sexton::domain::provider::{Answer, Report};
use sexton::domain::refusal::Refusal;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{Continuity, ErrorClass, OutputSize, ProcessEnd, RunError, RunResult};
use sexton::domain::time::Timestamp;
use sexton::engine::agent::{self, Heard, Past, Session};
use sexton::engine::blocker;
use sexton::engine::report::{Said, WorkEnd};
use sexton::ledger::{AgentOrder, Order, Ordered};

use crate::app::Manners;
use crate::window::{Carried, Moved, Stage, Told, exited};
use crate::world::{Who, World};

/// How long one that was asked to end may take before its guard kills it, in milliseconds.
const KILLED_AFTER_MS: i64 = 7000;

/// How long a window waits before it looks again whether a session is free, in milliseconds.
const LOOKS_AGAIN_MS: i64 = 1000;

/// An agent that works on a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    /// What it goes by, once its window has looked that up.
    pub(crate) past: Option<Past>,
    /// The answers that it has heard, each of them once.
    pub(crate) answers: Vec<Answer>,
    taken: BTreeSet<i64>,
    /// For how long the machine had been awake when it was asked to end.
    asked_at_ms: Option<i64>,
}

/// The session that an agent works in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TakenUp {
    provider: ProviderId,
    pub(crate) session: String,
}

impl Turn {
    /// Of whoever carries out this order, if that is an agent.
    pub(crate) fn of(order: &Order) -> Option<Turn> {
        match &order.work {
            Ordered::Agent(_) => Some(Turn::default()),
            Ordered::Guarded | Ordered::Served(_) => None,
        }
    }

    /// It is asked to end, by a machine that has been awake for so long.
    pub(crate) fn ask_to_end(&mut self, awake_ms: i64) {
        self.asked_at_ms.get_or_insert(awake_ms);
    }
}

impl World {
    /// The agent at work on a run, where its window lives.
    pub(crate) fn turn(&self, run: &RunId) -> &Turn {
        let who = self.carrier_of(run).unwrap_or_else(|| panic!("nobody carries {run}"));
        self.window(who).carried[run].turn.as_ref().unwrap_or_else(|| panic!("no agent works on {run}"))
    }

    /// The next thing that an agent does by itself, or its window for it. None where it is the same as of a command.
    pub(crate) fn take_turn(&mut self, who: Who, run: &RunId, carried: &Carried) -> Option<Moved> {
        let turn = carried.turn.as_ref()?;
        let manners = self.window(who).agents;
        let next = match (&carried.stage, carried.told) {
            (Stage::Preparing, Told::Nothing) if turn.past.is_none() => self.look_up(who, run)?,
            (Stage::Spawned, Told::Nothing) if manners == Manners::Silent => return Some(Moved::No),
            (Stage::Spawned, Told::Nothing) => match self.take_up(who, run) {
                Ok(_) => Stage::Working,
                Err(Refusal::Storage { .. }) => return Some(Moved::No),
                Err(refusal) => panic!("the report of a start was refused: {refusal}"),
            },
            (Stage::Spawned | Stage::Working, Told::Stop)
                if manners != Manners::Prompt && self.killed_in_ms(turn) > 0 =>
            {
                return Some(Moved::No);
            }
            (Stage::Spawned | Stage::Working, Told::Stop | Told::StopNow) => {
                self.end_work(run, gone("it was ended"))
            }
            (Stage::Working, Told::Nothing)
            | (
                Stage::Preparing | Stage::Ready | Stage::Passed | Stage::Ended(_) | Stage::Waiting { .. },
                Told::Nothing | Told::Stop | Told::StopNow,
            ) => return None,
        };
        self.set_stage(who, run, Some(next));
        Some(Moved::Yes)
    }

    /// What it goes by; where its session is at work, its window looks again later.
    fn look_up(&mut self, who: Who, run: &RunId) -> Option<Stage> {
        let row = self.view().run(run).unwrap()?;
        let Task::Prompt(prompt) = &row.definition.task else { panic!("{run} is no prompt") };
        let Some(past) = agent::past(&self.view(), &row, prompt).unwrap() else {
            return Some(Stage::Waiting { retry_at: self.now.plus_ms(LOOKS_AGAIN_MS) });
        };
        self.turn_mut(who, run).past = Some(past);
        Some(Stage::Preparing)
    }

    /// The session that it goes by is taken up, or a new one.
    fn take_up(&mut self, who: Who, run: &RunId) -> Result<Heard, Refusal> {
        let past = self.window(who).carried[run].turn.as_ref().and_then(|turn| turn.past.clone());
        let session = past.unwrap_or_else(|| panic!("{run} was begun by nothing")).session;
        let (session_id, continuity) = match session {
            Session::New => (format!("session of {run}"), Continuity::New),
            Session::Last(id) | Session::Named(id) => (id, Continuity::Resumed),
        };
        let taken_up = TakenUp {
            provider: self.run_row(run).definition.task.provider().unwrap().clone(),
            session: session_id.clone(),
        };
        let others =
            self.taken_up.iter().filter(|(other, _)| *other != run && self.work.contains_key(*other));
        for (other, at_work) in others {
            assert_ne!(*at_work, taken_up, "{run} and {other} are at work in one session");
        }
        self.taken_up.insert(run.clone(), taken_up);
        self.say(who, run, Report::Started { session_id, continuity: Some(continuity) })
    }

    /// The window of an agent tells what that does.
    pub(crate) fn say(&mut self, who: Who, run: &RunId, report: Report) -> Result<Heard, Refusal> {
        self.decide(who, |tx, context| agent::report(tx, context, run, report))
    }

    /// An agent is handed what was answered to it. What it has heard before it does not hear again.
    pub(crate) fn hand_answers(&mut self, who: Who, run: &RunId, order: &AgentOrder) {
        for pending in &order.answers {
            let Some(carried) = self.window(who).carried.get(run) else { return };
            if carried.stage != Stage::Working {
                return;
            }
            let turn = self.turn_mut(who, run);
            if turn.taken.insert(pending.row) {
                turn.answers.push(pending.answer.clone());
            }
            self.audit.asking.hand_over(run, pending);
            // If this fails it is handed over again, which does no harm.
            let _ = self.decide(who, |tx, _| blocker::handed_over(tx, pending.row));
        }
    }

    /// When a guard of this window has to kill an agent that was asked to end, by what the clock will show.
    pub(crate) fn next_kill(&self, who: Who) -> Option<Timestamp> {
        let carried = self.window(who).carried.values();
        let asked = carried.filter(|carried| matches!(carried.stage, Stage::Spawned | Stage::Working));
        let turns = asked.filter_map(|carried| carried.turn.as_ref());
        turns
            .filter(|turn| turn.asked_at_ms.is_some())
            .map(|turn| self.now.plus_ms(self.killed_in_ms(turn).max(0)))
            .min()
    }

    fn killed_in_ms(&self, turn: &Turn) -> i64 {
        let awake_ms = self.machine.reading(self.now).awake_ms;
        turn.asked_at_ms.unwrap_or(awake_ms) + KILLED_AFTER_MS - awake_ms
    }

    /// No agent is given work while as many are at work, or about to be, as there may be. The limit may be lowered while
    /// they are.
    pub(crate) fn check_room_for_agents(&mut self) {
        let sql = "SELECT count(*) FROM runs r LEFT JOIN processes p ON p.run = r.row
                   WHERE r.provider IS NOT NULL AND p.serving IS NULL
                     AND (p.run IS NOT NULL OR (r.completed_at IS NULL AND EXISTS
                       (SELECT 1 FROM servings s
                        WHERE s.instance = r.given_to AND s.provider = r.provider AND s.kind = 'acp')))";
        let count: i64 = self.connection().query_row(sql, [], |row| row.get(0)).unwrap();
        let most = self.view().owner_limits().unwrap().unwrap_or(self.limits.shared).max_agents;
        let before = std::mem::replace(&mut self.agents_at_work, count);
        assert!(count <= before.max(most), "there were {before} agents and are {count}, of at most {most}");
    }

    /// The end of the work of a run that has done what it was told.
    pub(crate) fn success_of(&self, run: &RunId) -> WorkEnd {
        match self.run_row(run).run.task.is_prompt() {
            true => done("done"),
            false => exited(0),
        }
    }

    fn turn_mut(&mut self, who: Who, run: &RunId) -> &mut Turn {
        let carried = self.window_mut(who).carried.get_mut(run).unwrap();
        carried.turn.as_mut().unwrap_or_else(|| panic!("no agent works on {run}"))
    }
}

fn agent_end(said: Said, exit_code: Option<i32>) -> WorkEnd {
    let process = ProcessEnd { exit_code, signal: None, tail: "tail".to_owned(), swept: 0 };
    WorkEnd::Agent { said, process, output: OutputSize { bytes: 4, truncated: false } }
}

/// What it was told to do is done.
pub(crate) fn done(text: &str) -> WorkEnd {
    agent_end(Said::Done(RunResult { text: Some(text.to_owned()), ..RunResult::default() }), Some(0))
}

/// It says that it has failed.
pub(crate) fn gave_up(code: ErrorCode, class: ErrorClass) -> WorkEnd {
    agent_end(Said::Failed(RunError { code, message: "it said so".to_owned(), class }), Some(0))
}

/// It has gone, and nobody knows what has come of what it was told.
pub(crate) fn gone(why: &str) -> WorkEnd {
    agent_end(Said::Nothing(why.to_owned()), None)
}
