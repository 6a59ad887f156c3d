//! A project with several windows, a clock that a test moves, and work that keeps a log of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use sexton::domain::automation::Access;
use sexton::domain::id::{AutomationId, IdSource, InstanceId, LedgerId, RunId};
use sexton::domain::process::{FileIdentity, ProcessIdentity};
use sexton::domain::refusal::{Refusal, StorageReason};
use sexton::domain::scheduler::{Limits, Role};
use sexton::domain::shown::Voice;
use sexton::domain::time::Timestamp;
use sexton::engine::presence::Left;
use sexton::engine::report::WorkEnd;
use sexton::engine::{Context, Progress, clock, presence, report, retention};
use sexton::ledger::{InstanceRow, Tx, open_in_memory};

use crate::audit::Audit;
use crate::machine::Machine;
use crate::turns::TakenUp;
use crate::window::{Moved, Stage, Window, dead_work, guard_lost};

/// Monday, 2025-01-06T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_736_121_600_000);

/// A window, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Who(pub(crate) usize);

pub(crate) struct World {
    connection: Connection,
    /// What the clock on the wall shows. Moved by itself, time passes and the machine is awake.
    pub(crate) now: Timestamp,
    pub(crate) machine: Machine,
    pub(crate) limits: Limits,
    pub(crate) audit: Audit,
    /// The next commit fails, as if the disk were full.
    pub(crate) next_commit_fails: bool,
    /// What dead windows left running does not end at once.
    pub(crate) leftovers_resist: bool,
    /// Where new runs work.
    pub(crate) directory: &'static str,
    /// What is to be done for a close cannot be done.
    pub(crate) closes_fail: bool,
    /// How long work takes that nobody ends; for ever if there is nothing.
    pub(crate) work_ms: Option<i64>,
    /// The same of what some automations do.
    pub(crate) work_ms_of: BTreeMap<AutomationId, i64>,
    /// Whether each piece of work that an application starts has a session of its own, or all of them have one.
    pub(crate) own_sessions: bool,
    /// When commands have written last, by the clock of the file system, and how much in all.
    pub(crate) written: BTreeMap<RunId, (Timestamp, u64)>,
    pub(crate) ids: SequentialIds,
    /// `None` where a window has died or left.
    windows: Vec<Option<Window>>,
    /// Who holds the owner lock.
    bell: Option<Who>,
    /// What really goes on, whatever rows say.
    pub(crate) work: BTreeMap<RunId, Work>,
    /// How many agents were at work, or about to be, after the last transaction.
    pub(crate) agents_at_work: i64,
    /// Which session the agents of runs have taken up, also of those that have gone.
    pub(crate) taken_up: BTreeMap<RunId, TakenUp>,
    /// What work itself has written down: which runs were started.
    pub(crate) spawn_log: Vec<Spawn>,
    spawned: BTreeSet<RunId>,
    /// By automation and epoch: the same time may be a slot of two schedules.
    spawned_slots: BTreeSet<(AutomationId, i64, Timestamp)>,
    /// Whether what is executed is the product's, and not a question of the tests.
    pub(crate) recording: Arc<AtomicBool>,
}

pub(crate) struct Work {
    automation: AutomationId,
    directory: String,
    access: Access,
    ends_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spawn {
    pub(crate) run: RunId,
    pub(crate) slot: Option<Timestamp>,
    pub(crate) at: Timestamp,
}

pub(crate) struct SequentialIds(u64);

impl IdSource for SequentialIds {
    fn unique(&mut self) -> String {
        self.0 += 1;
        format!("{:05}", self.0)
    }
}

impl World {
    pub(crate) fn new() -> Self {
        World {
            connection: open_in_memory(LedgerId::from_unique("sim")).unwrap(),
            now: START,
            machine: Machine::new(),
            limits: Limits::default(),
            audit: Audit::default(),
            next_commit_fails: false,
            leftovers_resist: false,
            directory: "/project",
            closes_fail: false,
            work_ms: None,
            work_ms_of: BTreeMap::new(),
            own_sessions: false,
            written: BTreeMap::new(),
            ids: SequentialIds(0),
            windows: Vec::new(),
            bell: None,
            work: BTreeMap::new(),
            agents_at_work: 0,
            taken_up: BTreeMap::new(),
            spawn_log: Vec::new(),
            spawned: BTreeSet::new(),
            spawned_slots: BTreeSet::new(),
            recording: Arc::new(AtomicBool::new(false)),
        }
    }

    /// A world with one window, which owns the bell.
    pub(crate) fn with_owner() -> (Self, Who) {
        let mut world = World::new();
        let owner = world.open();
        (world, owner)
    }

    pub(crate) fn view(&self) -> Tx<'_> {
        Tx::new(&self.connection)
    }

    /// Writes down the text of every statement that decisions and looks execute from now on.
    pub(crate) fn record_statements(&mut self) -> Arc<Mutex<BTreeSet<String>>> {
        let statements = Arc::new(Mutex::new(BTreeSet::new()));
        let (recorded, wanted) = (statements.clone(), self.recording.clone());
        let record = move |event: TraceEvent<'_>| {
            if let TraceEvent::Stmt(statement, _) = event
                && wanted.load(Ordering::Relaxed)
            {
                recorded.lock().unwrap().insert(statement.sql().into_owned());
            }
        };
        self.connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(record)).unwrap();
        statements
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Looks at everything from the beginning.
    pub(crate) fn audit_all(&mut self) {
        self.audit.full(&self.connection, self.now);
    }

    // Deciding.

    /// One transaction: all of it or nothing.
    pub(crate) fn decide<T>(
        &mut self,
        who: Who,
        decision: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let actor = self.window(who).actor.clone();
        self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut troubles = Vec::new();
        let mut context = Context {
            troubles: &mut troubles,
            now: self.now,
            due_by: self.now,
            reading: self.machine.reading(self.now),
            boot: &self.machine.boot,
            ids: &mut self.ids,
            me: &actor,
            voice: Voice::Person,
            limits: &self.limits,
            project: self.directory,
            vcs: None,
        };
        self.recording.store(true, Ordering::Relaxed);
        let tx = Tx::new(&self.connection);
        let decided = clock::observe(&tx, &mut context).and_then(|()| decision(&tx, &mut context));
        self.recording.store(false, Ordering::Relaxed);
        let decided = match decided {
            Ok(_) if std::mem::take(&mut self.next_commit_fails) => {
                Err(Refusal::Storage { reason: StorageReason::Full, message: "no space".to_owned() })
            }
            Err(refusal @ (Refusal::Internal(_) | Refusal::Storage { .. })) => {
                panic!("the engine failed: {refusal}")
            }
            decided => decided,
        };
        let last_word = if decided.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.connection.execute_batch(last_word).unwrap();
        if decided.is_ok() {
            self.machine.notice(self.now);
        }
        self.audit.step(&self.connection, self.now);
        self.check_room_for_agents();
        decided
    }

    // Windows.

    pub(crate) fn window(&self, who: Who) -> &Window {
        self.windows[who.0].as_ref().unwrap()
    }

    pub(crate) fn window_mut(&mut self, who: Who) -> &mut Window {
        self.windows[who.0].as_mut().unwrap()
    }

    /// The windows that do something.
    pub(crate) fn awake(&self) -> Vec<Who> {
        self.alive().into_iter().filter(|who| !self.window(*who).hangs).collect()
    }

    pub(crate) fn alive(&self) -> Vec<Who> {
        (0..self.windows.len()).filter(|place| self.windows[*place].is_some()).map(Who).collect()
    }

    /// A window opens, all the way.
    pub(crate) fn open(&mut self) -> Who {
        self.open_as(Role::Participant)
    }

    pub(crate) fn open_as(&mut self, role: Role) -> Who {
        let who = self.arrive(role).unwrap();
        self.settle_dead_peers(who).unwrap();
        self.try_the_bell(who).unwrap();
        self.end_leftovers(who).unwrap();
        who
    }

    pub(crate) fn arrive(&mut self, role: Role) -> Result<Who, Refusal> {
        let who = Who(self.windows.len());
        let window = Window::new(&format!("window{}", who.0), role);
        let instance = InstanceRow {
            actor: window.actor.clone(),
            process: ProcessIdentity {
                pid: 1,
                start_time: 1,
                boot_id: "boot".to_owned(),
                pid_namespace: String::new(),
            },
            lock: FileIdentity { device: 1, inode: 1 },
            role,
            since: self.now,
        };
        self.windows.push(Some(window));
        let arrived = self.decide(who, |tx, _| presence::arrive(tx, &instance, "0"));
        if arrived.is_err() {
            self.windows[who.0] = None;
        }
        arrived.map(|()| who)
    }

    pub(crate) fn settle_dead_peers(&mut self, who: Who) -> Result<(), Refusal> {
        let alive: BTreeSet<_> =
            self.windows.iter().flatten().map(|window| window.actor.instance.clone()).collect();
        for peer in self.view().instances().unwrap() {
            let dead = peer.actor.instance;
            if !alive.contains(&dead) {
                let ended = self.end_what_it_had_begun(&dead);
                self.decide(who, |tx, context| presence::bury(tx, context, &dead, ended))?;
            }
        }
        Ok(())
    }

    pub(crate) fn try_the_bell(&mut self, who: Who) -> Result<(), Refusal> {
        if self.bell.is_none() && self.window(who).role == Role::Participant {
            self.decide(who, presence::own)?;
            self.bell = Some(who);
            self.window_mut(who).believes_to_own = true;
        }
        Ok(())
    }

    /// Kills the work of a dead window before its end is told, unless it resists.
    fn end_what_it_had_begun(&mut self, dead: &InstanceId) -> HashMap<RunId, Left> {
        if self.leftovers_resist {
            return HashMap::new();
        }
        let begun = self.view().processes_of(dead).unwrap();
        let end = |(run, _): (RunId, _)| {
            self.work.remove(&run);
            (run, dead_work())
        };
        begun.into_iter().filter(|(_, left)| left.guard().is_some()).map(end).collect()
    }

    /// Kills what dead windows left, and frees what it held.
    pub(crate) fn end_leftovers(&mut self, who: Who) -> Result<(), Refusal> {
        for (run, left) in self.view().orphaned_processes().unwrap() {
            assert!(left.guard().is_some(), "{run} was served by a window that has gone");
            self.work.remove(&run);
            self.decide(who, |tx, context| report::gone(tx, context, &run))?;
        }
        Ok(())
    }

    /// A window dies where it stands. Its work goes on until somebody ends it.
    pub(crate) fn die(&mut self, who: Who) {
        self.client_goes(who);
        self.windows[who.0] = None;
        self.release_bell(who);
    }

    /// What the owner does now and then, until nothing is left to do.
    pub(crate) fn prune(&mut self, who: Who) -> Result<(), Refusal> {
        while retention::is_due(&self.view(), self.limits.shared, self.now)? {
            if self.decide(who, retention::prune)? == Progress::Done {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(crate) fn release_bell(&mut self, who: Who) {
        if self.bell == Some(who) {
            self.bell = None;
        }
    }

    // Work.

    /// The command of a run starts. It writes that down itself.
    pub(crate) fn spawn(&mut self, who: Who, run: &RunId) {
        let row = self.view().run(run).unwrap().unwrap();
        assert!(self.spawned.insert(run.clone()), "{run} was started twice");
        assert!(row.begun, "{run} was started before it had begun");
        assert!(row.run.state().is_active(), "{run} was started after it had ended");
        assert_eq!(row.given_to.as_ref(), Some(&self.window(who).actor.instance), "who started {run}");
        if let Some(slot) = row.run.scheduled_at {
            let first = self.spawned_slots.insert((row.run.automation_id.clone(), row.epoch, slot));
            assert!(first, "the slot {slot} of {} was started twice", row.run.automation_id);
        }
        let (access, directory) = (row.definition.access, row.run.directory.clone());
        let is_written = |work: &Work| work.access == Access::Write && work.directory == directory;
        let written = self.work.values().any(is_written);
        assert!(access == Access::Read || !written, "{run} writes where another run writes");
        let automation = row.run.automation_id.clone();
        let beside = self.work.values().any(|work| work.automation == automation);
        assert!(!beside, "{run} was started while an earlier run of {automation} was at work");
        let work_ms = self.work_ms_of.get(&automation).copied().or(self.work_ms);
        let ends_at = work_ms.map(|ms| self.now.plus_ms(ms));
        self.work.insert(run.clone(), Work { automation, directory, access, ends_at });
        self.spawn_log.push(Spawn { run: run.clone(), slot: row.run.scheduled_at, at: self.now });
    }

    pub(crate) fn end_work(&mut self, run: &RunId, end: WorkEnd) -> Stage {
        self.work.remove(run);
        Stage::Ended(end)
    }

    /// The work of a run ends by itself; its window has yet to report it.
    pub(crate) fn end_of_work(&mut self, run: &RunId, end: WorkEnd) {
        let who = self.carrier_of(run).unwrap_or_else(|| panic!("nobody carries {run}"));
        let stage = self.end_work(run, end);
        self.set_stage(who, run, Some(stage));
    }

    /// The work of a run ends by itself, and that is written down.
    pub(crate) fn finish(&mut self, run: &RunId, end: WorkEnd) {
        self.end_of_work(run, end);
        self.settle();
    }

    /// Another window has killed the guard of a run and everything below it. Who carries the run finds that out.
    pub(crate) fn end_of_work_elsewhere(&mut self, run: &RunId) {
        self.work.remove(run);
        let spawned = self.spawned.contains(run);
        if let Some(who) = self.carrier_of(run).filter(|_| spawned) {
            self.set_stage(who, run, Some(Stage::Ended(guard_lost())));
        }
    }

    /// What is at work ends then, or never by itself.
    pub(crate) fn ends_at(&mut self, run: &RunId, ends_at: Option<Timestamp>) {
        if let Some(work) = self.work.get_mut(run) {
            work.ends_at = ends_at;
        }
    }

    pub(crate) fn carrier_of(&self, run: &RunId) -> Option<Who> {
        self.alive().into_iter().find(|who| self.window(*who).carried.contains_key(run))
    }

    // Time.

    /// Time passes in which nobody looks, and then everybody does.
    pub(crate) fn advance(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
        self.settle();
    }

    /// Time passes, and everybody looks whenever something is due.
    pub(crate) fn run_for(&mut self, ms: i64) {
        let end = self.now.plus_ms(ms);
        self.settle();
        while let Some(at) = self.next_wake_up().filter(|at| *at <= end) {
            self.now = at;
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    /// When somebody has something to do next, or work ends.
    pub(crate) fn next_wake_up(&self) -> Option<Timestamp> {
        let looks = self.awake().into_iter().filter_map(|who| self.due_at(who));
        let ends = self.work.values().filter_map(|work| work.ends_at);
        looks.chain(ends).filter(|at| *at > self.now).min()
    }

    /// Everybody looks and carries on until nothing changes any more.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let before = self.connection.total_changes();
            let mut moved = self.end_what_is_done();
            for who in self.awake() {
                // A failed commit shows when nothing has changed; the next look tries again.
                let _ = self.look(who);
                for run in self.window(who).carried.keys().cloned().collect::<Vec<_>>() {
                    while self.carry(who, &run) == Moved::Yes {
                        moved = true;
                    }
                }
                moved |= self.use_all_manners(who) == Moved::Yes;
            }
            if !moved && self.connection.total_changes() == before {
                return self.check_that_nobody_looks_in_vain();
            }
        }
        panic!("the loops spin");
    }

    /// Who has looked at everything sleeps until something is due: a loop that is told that something is due now would
    /// look again and again. It does so, once a second, for what another window was given and has not begun.
    fn check_that_nobody_looks_in_vain(&self) {
        let sql = "SELECT count(*) FROM runs r WHERE completed_at IS NULL AND given_to IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = r.row)";
        for who in self.awake().into_iter().filter(|who| !self.window(*who).leaving) {
            let due_at = self.decision_due_at(who);
            if due_at.is_some_and(|at| at <= self.now) && self.awake().len() == self.alive().len() {
                let not_begun: i64 = self.connection.query_row(sql, [], |row| row.get(0)).unwrap();
                assert!(not_begun > 0, "{who:?} has looked, and is due at {due_at:?}");
            }
        }
    }

    fn end_what_is_done(&mut self) -> bool {
        let over = |work: &Work| work.ends_at.is_some_and(|at| at <= self.now);
        let done: Vec<RunId> =
            self.work.iter().filter(|(_, work)| over(work)).map(|(run, _)| run.clone()).collect();
        for run in &done {
            match self.carrier_of(run) {
                Some(_) => self.end_of_work(run, self.success_of(run)),
                None => self.finish_served(run),
            }
        }
        !done.is_empty()
    }
}
