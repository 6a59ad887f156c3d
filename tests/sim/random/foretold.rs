//! What is foretold of a random world is what then happens in it.
//!
//! The walk brings a world somewhere; what a simulation assumes is made so, and nothing else: who hangs goes on, what is
//! waited for outside of the ledger is over, work takes as long as it did before, and nobody interferes any more. Then
//! the world goes on, and what becomes of each slot is compared.
//!
//! `SEXTON_SIM_SEED` chooses other worlds, and `SEXTON_SIM_WORLDS` how many: a thousand take a minute of two cores.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use sexton::domain::automation::Definition;
use sexton::domain::id::RunId;
use sexton::domain::lifecycle::Extent;
use sexton::domain::provider::Report;
use sexton::domain::run::machine::State;
use sexton::domain::run::{SlotRange, WaitingFor};
use sexton::domain::scheduler::Role;
use sexton::domain::simulation::{FIRES, Fire, Reason, SimulateRequest, Simulation};
use sexton::domain::time::Timestamp;
use sexton::domain::verdict::Verdict;
use sexton::engine::probe;
use sexton::engine::settle::COUNTED_SLOTS;
use sexton::engine::simulate::{Around, Means, Patience, prepare, simulate};
use sexton::ledger::RunRow;

use super::{Silence, Walk};
use crate::app::{Manners, permission};
use crate::rng::{Rng, from_environment};
use crate::window::Stage;
use crate::world::{START, Who, World};

const SEED: u64 = 999_900;
const WORLDS: u64 = 60;

/// How long the work of an automation takes of which nothing is known, in milliseconds.
const UNKNOWN_MS: i64 = 60_000;

/// Nights in which clocks change in Berlin, forward and back, an hour before that.
const CLOCK_CHANGES: [i64; 2] = [1_743_292_800_000, 1_761_436_800_000];

/// What becomes of slots in [`SOME_WORLDS`], whichever they are, and why.
const COMMON: [&str; 14] = [
    "(Ran, None)",
    "(Ran, Some(\"Failed(TimedOut)\"))",
    "(Ran, Some(\"Stopped(Superseded)\"))",
    "(RanLate, None)",
    "(RanLate, Some(\"Waited(CatchUp)\"))",
    "(RanLate, Some(\"Waited(Directory)\"))",
    "(RanLate, Some(\"Waited(Previous)\"))",
    "(NotStarted, Some(\"Failed(ProviderUnavailable)\"))",
    "(Missed, Some(\"Stopped(MissedSchedule)\"))",
    "(Overlapped, Some(\"Stopped(PreviousRunActive)\"))",
    "(Overlapped, Some(\"Stopped(PreviousRunAwaitingInput)\"))",
    "(Overlapped, Some(\"Stopped(Superseded)\"))",
    "(Busy, Some(\"Stopped(WriterBusy)\"))",
    "(Paused, Some(\"Stopped(Paused)\"))",
];

const SOME_WORLDS: u64 = 400;

/// The same, of this many worlds.
const RARER: [&str; 2] = ["(Waiting, Some(\"Waited(Capacity)\"))", "(Waiting, Some(\"Waited(Directory)\"))"];
const MANY_WORLDS: u64 = 5000;

#[test]
fn what_is_foretold_is_what_happens() {
    let seed = from_environment("SEXTON_SIM_SEED", SEED);
    let worlds = from_environment("SEXTON_SIM_WORLDS", WORLDS);
    // Two walkers, for two cores: a world depends on its seed only.
    let seen: Vec<BTreeMap<(Verdict, Option<String>), u64>> = std::thread::scope(|scope| {
        let walkers = [0, 1].map(|first| {
            scope.spawn(move || {
                (first..worlds).step_by(2).map(|number| compare(seed + number)).collect::<Vec<_>>()
            })
        });
        let walked =
            walkers.into_iter().flat_map(|walker| walker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        walked.collect()
    });
    let mut all: BTreeMap<(Verdict, Option<String>), u64> = BTreeMap::new();
    for (what, times) in seen.into_iter().flatten() {
        *all.entry(what).or_default() += times;
    }
    let seen: BTreeSet<String> = all.keys().map(|what| format!("{what:?}")).collect();
    println!("{all:?}");
    let common = COMMON.iter().filter(|_| worlds >= SOME_WORLDS);
    for what in common.chain(RARER.iter().filter(|_| worlds >= MANY_WORLDS)) {
        assert!(seen.contains(*what), "{what} has never become of a slot");
    }
}

/// Compares one world, and gives what has become of its slots.
fn compare(seed: u64) -> BTreeMap<(Verdict, Option<String>), u64> {
    let compared = catch_unwind(AssertUnwindSafe(|| {
        let (mut walk, to, assume_run_ms) = somewhere(seed);
        let foretold = walk.foretell(to, assume_run_ms);
        let happened = walk.go_on_until(to);
        assert_same(&foretold, &happened);
        happened
    }));
    let happened = compared.unwrap_or_else(|panic| {
        eprintln!("to see this again: SEXTON_SIM_SEED={seed} SEXTON_SIM_WORLDS=1");
        resume_unwind(panic)
    });
    let mut counted = BTreeMap::new();
    for fire in happened {
        let reason = fire.reason.map(|reason| format!("{reason:?}"));
        *counted.entry((fire.outcome, reason)).or_default() += 1;
    }
    counted
}

fn assert_same(foretold: &Simulation, happened: &[Fire]) {
    let first = foretold.fires.iter().zip(happened).find(|(one, other)| one != other);
    if let Some((foretold, happened)) = first {
        panic!("it was foretold that\n{foretold:?}\nand happened that\n{happened:?}");
    }
    assert_eq!(foretold.fires.len(), happened.len().min(FIRES), "how many slots there are");
    assert_eq!(foretold.truncated, happened.len() > FIRES, "whether there are more");
    let told: u64 = foretold.totals.outcomes.values().sum();
    assert_eq!(told, happened.len() as u64, "how many are counted");
}

/// A world that has come somewhere, until when it is looked at, and how long all work is to take if that is said.
fn somewhere(seed: u64) -> (Walk, Timestamp, Option<i64>) {
    let mut walk = Walk { world: World::new(), rng: Rng::seeded(seed), silence: Silence::Unlimited };
    walk.world.limits.shared.event_history = 100;
    walk.world.limits.shared.max_agents = 3;
    walk.world.own_sessions = true;
    if walk.rng.one_in(4) {
        let night = Timestamp::from_millis(*walk.rng.pick(&CLOCK_CHANGES).unwrap());
        walk.world.now = walk.world.now.plus_ms(night.since_ms(START));
    }
    walk.world.open();
    for _ in 0..walk.rng.within(20..250) {
        walk.step();
    }
    walk.world.directory = "/project";
    let assume_run_ms = walk.rng.one_in(2).then(|| walk.rng.within(0..400_000));
    walk.come_to_where_it_can_be_foretold(assume_run_ms);
    let span_ms = if walk.rng.one_in(3) { 60_000 } else { 1_800_000 };
    let to = walk.world.now.plus_ms(walk.rng.within(0..span_ms));
    (walk, to, assume_run_ms)
}

impl Walk {
    fn come_to_where_it_can_be_foretold(&mut self, assume_run_ms: Option<i64>) {
        self.world.next_commit_fails = false;
        self.world.closes_fail = false;
        self.world.leftovers_resist = false;
        for who in self.world.alive() {
            let window = self.world.window_mut(who);
            window.hangs = false;
            window.agents = Manners::Prompt;
            window.app.manners = Manners::Prompt;
            let closes = self.closes(who);
            if self.world.window(who).leaving || closes {
                self.world.die(who);
            }
        }
        if !self.has_participant() {
            self.world.open();
        }
        for who in self.world.alive() {
            self.world.settle_dead_peers(who).unwrap();
            self.world.try_the_bell(who).unwrap();
            self.world.end_leftovers(who).unwrap();
        }
        self.let_go_of_what_is_assumed_to_be_over();
        self.work_takes_as_long_as_before(assume_run_ms);
        self.world.settle();
        self.ask_people();
        if self.rng.one_in(3) {
            // Nobody looks for a while, or nothing can.
            let ms = self.rng.within(0..7_200_000);
            if self.rng.one_in(2) {
                self.world.suspend(ms);
            } else {
                self.world.now = self.world.now.plus_ms(ms);
            }
        }
        self.work_takes_as_long_as_before(assume_run_ms);
    }

    /// Whether a window is about to close something, or has given up the project.
    fn closes(&self, who: Who) -> bool {
        let me = &self.world.window(who).actor.instance;
        self.world
            .view()
            .closes_of(me)
            .unwrap()
            .iter()
            .any(|close| close.is_pending() || close.extent == Extent::Project)
    }

    fn has_participant(&self) -> bool {
        self.world.alive().into_iter().any(|who| self.world.window(who).role == Role::Participant)
    }

    /// Holds, and questions to agents.
    fn let_go_of_what_is_assumed_to_be_over(&mut self) {
        for who in self.world.alive() {
            let me = self.world.window(who).actor.instance.clone();
            for hold in self.world.view().holds_of(&me).unwrap() {
                self.world.release(who, &hold.id).unwrap();
            }
            while let Some(asked) = self.world.to_ask(who).pop() {
                let nothing = Err("it said nothing".to_owned());
                self.world.decide(who, |tx, context| probe::ended(tx, context, &asked, nothing)).unwrap();
            }
        }
        self.world.connection().execute("DELETE FROM probes", []).unwrap();
    }

    /// Some of the prompts at work need a person.
    fn ask_people(&mut self) {
        for who in self.world.alive() {
            let served: Vec<RunId> = self.world.window(who).app.work.keys().cloned().collect();
            for run in served.iter().filter(|_| self.rng.one_in(2)) {
                // It may have ended, or not have started.
                let _ = self.world.report(who, run, Report::Blocked(permission("asked")));
            }
            let carried = self.world.window(who).carried.iter();
            let agents =
                carried.filter(|(_, carried)| carried.turn.is_some() && carried.stage == Stage::Working);
            for run in agents.map(|(run, _)| run.clone()).collect::<Vec<_>>() {
                if self.rng.one_in(2) {
                    let _ = self.world.say(who, &run, Report::Blocked(permission("asked")));
                }
            }
        }
    }

    /// Also the work that goes on already; what waits for a person ends no other way than by that.
    fn work_takes_as_long_as_before(&mut self, assume_run_ms: Option<i64>) {
        self.world.work_ms = assume_run_ms.or(Some(UNKNOWN_MS));
        self.world.work_ms_of.clear();
        if assume_run_ms.is_none() {
            for id in self.automations() {
                let row = self.world.view().automation(&id).unwrap().unwrap().row;
                let mut known = self.world.view().past_runs(row).unwrap().lengths_ms;
                known.sort_unstable();
                if let Some(upper) = known.get(known.len() / 2) {
                    let lower = known[(known.len() - 1) / 2];
                    self.world.work_ms_of.insert(id, lower + (upper - lower) / 2);
                }
            }
        }
        for run in self.world.work.keys().cloned().collect::<Vec<_>>() {
            let row = self.world.run_row(&run).run;
            let ms = self.world.work_ms_of.get(&row.automation_id).copied().or(self.world.work_ms);
            let began = row.started_at().unwrap_or(self.world.now);
            let ends_at = ms.map(|ms| began.plus_ms(ms)).filter(|_| row.state() != State::AwaitingInput);
            self.world.ends_at(&run, ends_at);
        }
    }

    fn foretell(&self, to: Timestamp, assume_run_ms: Option<i64>) -> Simulation {
        let world = &self.world;
        let who = world.alive()[0];
        let around = Around {
            reading: world.machine.reading(world.now),
            boot: &world.machine.boot,
            me: &world.window(who).actor,
            limits: &world.limits,
            project: world.directory,
            vcs: None,
            patience: &|| Patience::Lasts,
        };
        let from = Timestamp::EPOCH;
        let request = SimulateRequest { from, to, ids: None, draft: None, assume_run_ms };
        let simulate_by = |means| {
            let prepared = prepare(&world.view(), world.now, request.clone()).unwrap();
            simulate(prepared, &around, means).unwrap()
        };
        let foretold = simulate_by(Means::Memory);
        assert_eq!(foretold, simulate_by(Means::Decisions), "what is remembered makes no difference");
        foretold
    }

    /// Goes on, and gives what has become of each slot that was not answered for before.
    fn go_on_until(&mut self, to: Timestamp) -> Vec<Fire> {
        let over_before =
            self.world.connection().query_row("SELECT coalesce(max(row), 0) FROM runs", [], |row| row.get(0));
        let over_before: i64 = over_before.unwrap();
        let active = self.run_rows("completed_at IS NULL", 0);
        let mut waited: BTreeMap<RunId, WaitingFor> = BTreeMap::new();
        let mut next = Some(self.world.now);
        while let Some(at) = next.filter(|at| *at <= to) {
            self.world.now = at;
            self.world.settle();
            for run in self.run_rows("completed_at IS NULL", 0) {
                if let Some(waiting) = run.run.waiting() {
                    waited.insert(run.run.id.clone(), waiting.what);
                }
            }
            next = self.world.next_wake_up();
        }
        let mut fires = Vec::new();
        let known: Vec<RunRow> = active.iter().map(|run| self.world.run_row(&run.run.id)).collect();
        for run in known.into_iter().chain(self.run_rows("true", over_before)) {
            let grace_ms = self.world.limits.shared.grace_ms;
            if let Some(range) = run.run.slots {
                let waited = waited.get(&run.run.id).copied();
                for at in self.slots((run.automation, run.epoch), &run.definition, range, to) {
                    let outcome = Verdict::of_run(&run.run, at, grace_ms);
                    let reason = Reason::of_run(&run.run, outcome, waited);
                    let (id, started_at) = (run.run.automation_id.clone(), run.run.started_at());
                    fires.push((run.automation, Fire { id, at, outcome, reason, started_at }));
                }
            }
            if let Some(skipped) = run.run.skipped {
                // They may have come after an edit of the schedule.
                let now = self.world.view().automation_at(run.automation).unwrap();
                let epoch = (run.automation, now.epoch.number);
                for at in self.slots(epoch, &now.definition, skipped.slots, to) {
                    let id = run.run.automation_id.clone();
                    let reason = Some(Reason::Stopped(skipped.reason));
                    fires.push((
                        run.automation,
                        Fire { id, at, outcome: Verdict::Overlapped, reason, started_at: None },
                    ));
                }
            }
        }
        fires.sort_by_key(|(automation, fire)| (fire.at, *automation));
        fires.into_iter().map(|(_, fire)| fire).collect()
    }

    /// The runs after this row of which this is true, oldest first.
    fn run_rows(&self, condition: &str, after: i64) -> Vec<RunRow> {
        let sql = format!("SELECT id FROM runs WHERE row > ?1 AND {condition} ORDER BY row");
        let mut statement = self.world.connection().prepare(&sql).unwrap();
        let ids = statement.query_map([after], |row| row.get::<_, String>(0)).unwrap();
        ids.map(|id| self.world.run_row(&RunId::from_text(id.unwrap()))).collect()
    }

    /// The slots of a range that belong to this epoch of an automation with this definition.
    fn slots(
        &self,
        (automation, epoch): (i64, i64),
        definition: &Definition,
        range: SlotRange,
        to: Timestamp,
    ) -> Vec<Timestamp> {
        let schedule = definition.schedule().unwrap();
        let effective_at = self.world.view().epoch_effective_at(automation, epoch).unwrap();
        let after = |slot: &Timestamp| schedule.next_after(effective_at, *slot);
        std::iter::successors(after(&range.from_at.plus_ms(-1)), after)
            .take_while(|slot| *slot <= range.to_at.min(to))
            .take(usize::try_from(COUNTED_SLOTS).unwrap())
            .collect()
    }
}
