//! One window's sidecar: what its loop and its carriers do, verb by verb, without a runtime.
//!
//! This follows `sidecar::main_loop` and `sidecar::carry`. Each step is one thing that a crash may come before
//! or after.

use std::collections::BTreeMap;

use sexton::domain::automation::Actor;
use sexton::domain::id::{InstanceId, RunId};
use sexton::domain::process::ProcessIdentity;
use sexton::domain::refusal::Refusal;
use sexton::domain::run::{ErrorClass, OutputSize, ProcessEnd, StartFailure};
use sexton::domain::scheduler::Role;
use sexton::domain::time::Timestamp;
use sexton::engine::ending::Remains;
use sexton::engine::limits::SignOfLife;
use sexton::engine::presence::{Departure, Left};
use sexton::engine::report::{self, Fence, NotReached, WorkEnd};
use sexton::engine::tick::{self, Duty};
use sexton::engine::{Progress, presence, standby};
use sexton::ledger::{Begun, Guard, Order, Ordered, ProcessRow};

use crate::app::{App, Manners};
use crate::turns::Turn;
use crate::world::{Who, World};

pub(crate) struct Window {
    pub(crate) actor: Actor,
    pub(crate) role: Role,
    pub(crate) believes_to_own: bool,
    /// It is there but does nothing, as if it were stopped. Its work goes on.
    pub(crate) hangs: bool,
    pub(crate) leaving: bool,
    pub(crate) carried: BTreeMap<RunId, Carried>,
    /// What is behind it.
    pub(crate) app: App,
    /// What the agents are like that it starts.
    pub(crate) agents: Manners,
}

/// Work in hand.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    pub(crate) stage: Stage,
    pub(crate) told: Told,
    /// The giving by which its window has it.
    given_number: i64,
    fence_failed: bool,
    /// The agent that does it, if that is what it is.
    pub(crate) turn: Option<Turn>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// The guard is being started.
    Preparing,
    /// The guard is there and waits for the fence.
    Ready,
    /// The fence was passed; the guard has not heard of it yet.
    Passed,
    /// The command has been started; that is to be reported.
    Spawned,
    /// The command is at work, and that is written down.
    Working,
    /// The work has ended; that is to be reported.
    Ended(WorkEnd),
    /// It could not begin for a reason that may pass.
    Waiting { retry_at: Timestamp },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    Nothing,
    Stop,
    StopNow,
}

/// Whether a step has changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    Yes,
    No,
}

impl Window {
    pub(crate) fn new(name: &str, role: Role) -> Self {
        let instance = InstanceId::from_unique(name);
        Window {
            actor: Actor { instance, client: Some("simulation".to_owned()) },
            role,
            believes_to_own: false,
            hangs: false,
            leaving: false,
            carried: BTreeMap::new(),
            app: App::default(),
            agents: Manners::default(),
        }
    }

    /// What it does for the whole project, as far as it knows.
    pub(crate) fn duty(&self) -> Duty {
        match self.role {
            Role::Participant if self.believes_to_own => Duty::Owner,
            Role::Participant => Duty::Standby,
            Role::Observer => Duty::Observer,
        }
    }
}

fn fresh(order: &Order) -> Carried {
    let (given_number, turn) = (order.given_number, Turn::of(order));
    Carried { stage: Stage::Preparing, told: Told::Nothing, given_number, fence_failed: false, turn }
}

pub(crate) fn exited(code: i32) -> WorkEnd {
    end_of_process(Some(code), None)
}

pub(crate) fn killed(signal: i32) -> WorkEnd {
    end_of_process(None, Some(signal))
}

fn end_of_process(exit_code: Option<i32>, signal: Option<i32>) -> WorkEnd {
    let process = ProcessEnd { exit_code, signal, tail: "tail".to_owned(), swept: 0 };
    WorkEnd::Exited { process, output: OutputSize { bytes: 4, truncated: false }, changes: None }
}

pub(crate) fn guard_lost() -> WorkEnd {
    let process = ProcessEnd { exit_code: None, signal: None, tail: String::new(), swept: 1 };
    WorkEnd::GuardLost { message: "it was killed".to_owned(), process, output: OutputSize::default() }
}

/// What is known of work that another window has killed.
pub(crate) fn dead_work() -> Left {
    let process = ProcessEnd { exit_code: None, signal: None, tail: "tail".to_owned(), swept: 1 };
    Left {
        process: Some(process),
        output: OutputSize { bytes: 4, truncated: false },
        remains: Remains::Nothing,
    }
}

/// The work ends with its precheck.
pub(crate) fn precheck_only(exit_code: i32) -> WorkEnd {
    let process =
        ProcessEnd { exit_code: Some(exit_code), signal: None, tail: "checked".to_owned(), swept: 0 };
    let output = OutputSize { bytes: 7, truncated: false };
    WorkEnd::PrecheckOnly { why: NotReached::ByExit, process, output }
}

/// Something that may be gone the next time has kept it from starting.
pub(crate) fn not_started() -> WorkEnd {
    not_started_of(ErrorClass::Transient)
}

pub(crate) fn not_started_of(class: ErrorClass) -> WorkEnd {
    WorkEnd::NotStarted(StartFailure { class, message: format!("of class {class:?}; do something") })
}

fn withdrawn() -> WorkEnd {
    WorkEnd::NotStarted(StartFailure::transient("it was stopped before it started"))
}

impl World {
    /// When this window has to look again, if ever.
    pub(crate) fn due_at(&self, who: Who) -> Option<Timestamp> {
        let window = self.window(who);
        let at = self.decision_due_at(who);
        let retry = window.carried.values().filter_map(|carried| {
            let Stage::Waiting { retry_at } = carried.stage else { return None };
            Some(retry_at)
        });
        at.into_iter().chain(retry).chain(self.next_kill(who)).min()
    }

    /// When this window has to decide again, if ever.
    pub(crate) fn decision_due_at(&self, who: Who) -> Option<Timestamp> {
        let window = self.window(who);
        let reading = self.machine.reading(self.now);
        let (me, boot) = (&window.actor.instance, &self.machine.boot);
        tick::next_at(&self.view(), window.duty(), me, self.limits.shared, boot, reading).unwrap()
    }

    /// One look of the loop: decides what is due, then makes the world match the rows.
    pub(crate) fn look(&mut self, who: Who) -> Result<Progress, Refusal> {
        if self.window(who).leaving {
            return Ok(Progress::Done);
        }
        let mut progress = Progress::Done;
        if self.due_at(who).is_some_and(|at| at <= self.now) {
            progress = self.tick(who)?;
        }
        self.act(who);
        self.carry_out_closes(who)?;
        self.end_what_is_to_stop(who)?;
        Ok(progress)
    }

    /// Kills the work that others should have ended by now and have not.
    pub(crate) fn end_what_is_to_stop(&mut self, who: Who) -> Result<(), Refusal> {
        let window = self.window(who);
        if window.role == Role::Observer {
            return Ok(());
        }
        let (me, reading) = (&window.actor.instance, self.machine.reading(self.now));
        for (run, _) in standby::overdue_stops(&self.view(), me, &self.machine.boot, reading).unwrap() {
            self.end_of_work_elsewhere(&run);
            self.decide(who, |tx, context| standby::ended_for(tx, context, &run, dead_work()))?;
        }
        Ok(())
    }

    /// Decides what is due, as the loop does when something is.
    pub(crate) fn tick(&mut self, who: Who) -> Result<Progress, Refusal> {
        let duty = self.window(who).duty();
        let before = self.consumed();
        let signs = self.signs_of_life();
        let ticked = self.decide(who, |tx, context| tick::tick(tx, context, duty, &signs));
        if matches!(ticked, Ok(Progress::Done)) {
            self.check_that_limits_were_acted_on(&signs);
        }
        if let Some(why) = self.machine.must_not_claim(self.now, &self.limits.shared) {
            assert_eq!(self.consumed(), before, "slots were consumed though {why}");
        }
        ticked
    }

    /// Whoever has looked at everything has asked runs to end that have reached a limit. What has become silent only with
    /// the tick, because that has noticed that the clock was set, is looked at for the next one.
    fn check_that_limits_were_acted_on(&self, signs: &[SignOfLife]) {
        let sql = "SELECT id FROM runs WHERE completed_at IS NULL AND stopping IS NULL
                     AND (deadline_at <= ?1 OR blocker ->> '$.expiresAt' <= ?1)";
        let silent = self.view().silent_commands(self.now).unwrap();
        let is_looked_at = |run: &RunId| signs.iter().any(|sign| sign.run == *run);
        let mut statement = self.connection().prepare(sql).unwrap();
        let late = statement.query_map([self.now.as_millis()], |row| row.get::<_, String>(0)).unwrap();
        let late = late.map(|run| RunId::from_text(run.unwrap()));
        let late: Vec<RunId> = late.filter(|run| is_looked_at(run) || !silent.contains(run)).collect();
        assert_eq!(late, [], "these have reached a limit, and nobody has asked them to end");
    }

    /// What commands have written that seem to have been silent.
    fn signs_of_life(&self) -> Vec<SignOfLife> {
        let silent = self.view().silent_commands(self.now).unwrap();
        let look = |run| SignOfLife { written: self.written.get(&run).copied(), run };
        silent.into_iter().map(look).collect()
    }

    /// How many runs slots have led to: records are born stopped and never change. Runs that end go on meanwhile, and
    /// records follow from that.
    fn consumed(&self) -> i64 {
        let sql = "SELECT count(*) FROM runs
                   WHERE slots_to IS NOT NULL AND NOT (state = 'stopped' AND revision = 1)";
        self.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn act(&mut self, who: Who) {
        let (now, awake_ms) = (self.now, self.machine.reading(self.now).awake_ms);
        let orders = self.view().orders(&self.window(who).actor.instance).unwrap();
        let mut wanted: BTreeMap<RunId, Order> = BTreeMap::new();
        let mut for_agents = Vec::new();
        for order in orders {
            if let Ordered::Agent(agent) = &order.work {
                for_agents.push((order.run.clone(), agent.clone()));
            }
            match &order.work {
                Ordered::Guarded | Ordered::Agent(_) => drop(wanted.insert(order.run.clone(), order)),
                Ordered::Served(served) => self.act_served(who, &order, served),
            }
        }
        let carried = &mut self.window_mut(who).carried;
        carried.retain(|run, carried| {
            let order = wanted.remove(run);
            let word = match &order {
                Some(Order { stopping: Some(false), .. }) => Told::Stop,
                Some(Order { stopping: Some(true), .. }) | None => Told::StopNow,
                Some(order) if order.given_number != carried.given_number => Told::StopNow,
                Some(Order { stopping: None, .. }) => Told::Nothing,
            };
            match carried.stage {
                Stage::Waiting { .. } if word != Told::Nothing => return false,
                Stage::Waiting { retry_at } if retry_at <= now => {
                    // What has begun is cleaned up by the carrier that it has.
                    if let Some(order) = order.filter(|order| !order.begun) {
                        *carried = fresh(&order);
                    }
                }
                Stage::Preparing
                | Stage::Ready
                | Stage::Passed
                | Stage::Spawned
                | Stage::Working
                | Stage::Ended(_)
                | Stage::Waiting { .. } => carried.told = carried.told.max(word),
            }
            if let (Some(turn), Told::Stop | Told::StopNow) = (&mut carried.turn, carried.told) {
                turn.ask_to_end(awake_ms);
            }
            true
        });
        for (run, order) in wanted {
            if !order.begun && order.stopping.is_none() {
                carried.insert(run, fresh(&order));
            }
        }
        for (run, order) in for_agents {
            self.hand_answers(who, &run, &order);
        }
    }

    /// The next thing that a carrier does by itself. Work that goes on is ended by [`World::finish`].
    pub(crate) fn carry(&mut self, who: Who, run: &RunId) -> Moved {
        let Some(carried) = self.window(who).carried.get(run).cloned() else { return Moved::No };
        if let Some(moved) = self.take_turn(who, run, &carried) {
            return moved;
        }
        let stopped = carried.told != Told::Nothing;
        let next = match carried.stage.clone() {
            Stage::Preparing if self.view().run(run).unwrap().is_none() => None,
            Stage::Preparing if stopped => self.after_withdrawal(&carried),
            Stage::Preparing => Some(Stage::Ready),
            Stage::Ready if stopped => self.after_withdrawal(&carried),
            Stage::Ready => match self.begin(who, run) {
                Ok(Fence::Go) => Some(Stage::Passed),
                Ok(Fence::Withdrawn) => None,
                Err(_) => Some(Stage::Waiting { retry_at: self.now.plus_ms(1000) }),
            },
            // A stop that comes before the guard has heard of the fence replaces the go.
            Stage::Passed if stopped => Some(Stage::Ended(withdrawn())),
            // Its guard has been killed by another window before it could start anything.
            Stage::Passed if self.view().run(run).unwrap().is_none_or(|run| !run.begun) => {
                Some(Stage::Ended(guard_lost()))
            }
            Stage::Passed => {
                self.spawn(who, run);
                Some(Stage::Spawned)
            }
            Stage::Spawned => match self.report_started(who, run) {
                Ok(()) => Some(Stage::Working),
                Err(Refusal::Storage { .. }) => return Moved::No,
                Err(refusal) => panic!("the report of a start was refused: {refusal}"),
            },
            Stage::Working if stopped => Some(self.end_work(run, killed(15))),
            Stage::Working => return Moved::No,
            Stage::Ended(end) => match self.report_ended(who, run, end) {
                Ok(()) => None,
                Err(Refusal::Storage { .. }) => return Moved::No,
                Err(refusal) => panic!("the report of an end was refused: {refusal}"),
            },
            Stage::Waiting { .. } => return Moved::No,
        };
        self.set_stage(who, run, next);
        Moved::Yes
    }

    fn after_withdrawal(&self, carried: &Carried) -> Option<Stage> {
        carried.fence_failed.then(|| Stage::Waiting { retry_at: self.now.plus_ms(1000) })
    }

    /// Puts a carrier where a test wants it.
    pub(crate) fn set_stage(&mut self, who: Who, run: &RunId, stage: Option<Stage>) {
        let carried = &mut self.window_mut(who).carried;
        match stage {
            Some(stage) => {
                if let Some(carried) = carried.get_mut(run) {
                    carried.fence_failed |= matches!(stage, Stage::Waiting { .. });
                    carried.stage = stage;
                }
            }
            None => drop(carried.remove(run)),
        }
    }

    pub(crate) fn begin(&mut self, who: Who, run: &RunId) -> Result<Fence, Refusal> {
        let instance = self.window(who).actor.instance.clone();
        let process = ProcessIdentity {
            pid: 1000,
            start_time: 1,
            boot_id: "boot".to_owned(),
            pid_namespace: String::new(),
        };
        let begun = Begun::Guard(Guard { process, token: format!("token of {run}") });
        let process = ProcessRow { instance, begun };
        let carried = self.window(who).carried.get(run);
        let given_number =
            carried.map_or_else(|| self.run_row(run).given_number, |carried| carried.given_number);
        self.decide(who, |tx, context| report::begin(tx, context, run, given_number, &process))
    }

    pub(crate) fn report_started(&mut self, who: Who, run: &RunId) -> Result<(), Refusal> {
        self.decide(who, |tx, context| report::started(tx, context, run))
    }

    pub(crate) fn report_ended(&mut self, who: Who, run: &RunId, end: WorkEnd) -> Result<(), Refusal> {
        self.decide(who, |tx, context| report::ended(tx, context, run, end))
    }

    /// The first half of leaving: what has not begun is handed back, the rest is to end at once.
    pub(crate) fn prepare_to_leave(&mut self, who: Who) -> Result<(), Refusal> {
        self.prepare_because(who, Departure::Asked)
    }

    /// The same because nobody speaks with this sidecar any more, also if that cannot be written down.
    pub(crate) fn lose_client(&mut self, who: Who) -> Result<(), Refusal> {
        let prepared = self.prepare_because(who, Departure::ClientGone);
        self.client_goes(who);
        prepared
    }

    fn prepare_because(&mut self, who: Who, why: Departure) -> Result<(), Refusal> {
        let prepared = self.decide(who, |tx, context| presence::prepare_to_leave(tx, context, why));
        let window = self.window_mut(who);
        window.leaving = true;
        window.believes_to_own = false;
        window.carried.values_mut().for_each(|carried| carried.told = Told::StopNow);
        window.app.work.values_mut().for_each(|work| work.told = Told::StopNow);
        window.carried.retain(|_, carried| !matches!(carried.stage, Stage::Waiting { .. }));
        self.release_bell(who);
        prepared
    }

    /// The second half of leaving. Work that has not ended until now dies with its pipe.
    pub(crate) fn leave(&mut self, who: Who) -> Result<(), Refusal> {
        let left = self.decide(who, presence::leave);
        self.die(who);
        left.map(drop)
    }
}
