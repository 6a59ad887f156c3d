//! A seeded random world: requests, looks, crashes between any two verbs, failed commits, a machine that sleeps and
//! whose clock is set (`machine.rs`), and now and then two windows that both believe to own the bell.
//!
//! `SEXTON_SIM_SEED` and `SEXTON_SIM_STEPS` choose another or a longer walk.

mod agents;
mod carrying;
mod closing;
mod foretold;
mod machine;
mod reachable;
mod requests;
mod serving;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ActiveRun, ListAutomations, ListRuns};
use sexton::domain::scheduler::Role;

use crate::explaining::ask_about_random_times;
use crate::rng::{Rng, from_environment};
use crate::window::Carried;
use crate::world::{Who, World};
use reachable::RARE;

const SEED: u64 = 1;
const STEPS: u64 = 30_000;
/// In so many steps everything happens that is not rare.
const MANY_STEPS: u64 = 183_000;
/// In so many steps everything happens that can.
const ALL_STEPS: u64 = 10_000_000;
/// So many runs end in that many steps at least: by themselves, by a cancel, an answer, a limit, a close or a death.
const RUNS: u64 = 10_000;
const STEPS_BETWEEN_FULL_AUDITS: u64 = 500;

/// A world is left for a fresh one after so many steps, so that looking at everything stays quick.
const STEPS_OF_ONE_WORLD: u64 = 3000;

const AUTOMATIONS: usize = 10;
const WINDOWS: usize = 4;

#[test]
fn a_random_world_keeps_every_invariant() {
    let seed = from_environment("SEXTON_SIM_SEED", SEED);
    let steps = from_environment("SEXTON_SIM_STEPS", STEPS);
    let worlds = steps.div_ceil(STEPS_OF_ONE_WORLD);
    // Two walkers, for two cores: a world depends on its seed only.
    let walked: Vec<BTreeMap<String, u64>> = std::thread::scope(|scope| {
        let walkers = [0, 1].map(|first| {
            scope.spawn(move || {
                let mine = (first..worlds).step_by(2);
                mine.map(|number| {
                    walk(seed + number, STEPS_OF_ONE_WORLD.min(steps - number * STEPS_OF_ONE_WORLD))
                })
                .collect::<Vec<_>>()
            })
        });
        walkers
            .into_iter()
            .flat_map(|walker| walker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let allowed = reachable::allowed();
    let counted = reachable::counted(&allowed, &walked);
    let unknown: Vec<_> = counted.keys().filter(|transition| !allowed.contains(*transition)).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "transitions that the table does not have");
    if steps >= MANY_STEPS {
        // Shown with `--nocapture`.
        println!("what happened in {steps} steps:");
        counted.iter().for_each(|(transition, times)| println!("{times:>10}  {transition}"));
        println!("why runs were stopped, or never begun:");
        let reasons = reachable::by_stop_reason(&counted);
        reasons.iter().for_each(|(reason, times)| println!("{times:>10}  {reason}"));
        let may_be_missing = |transition: &str| steps < ALL_STEPS && RARE.contains(&transition);
        let unseen: Vec<_> = counted
            .iter()
            .filter_map(|(transition, times)| {
                (*times == 0 && !may_be_missing(transition)).then_some(transition)
            })
            .collect();
        assert_eq!(unseen, Vec::<&String>::new(), "transitions that did not happen");
        let carried_out = |transition: &str| {
            let (from, to) = transition.split_once('>').expect("two states");
            from != "new" && ["succeeded", "failed", "stopped"].iter().any(|end| to.starts_with(end))
        };
        let ended: u64 =
            counted.iter().filter_map(|(transition, times)| carried_out(transition).then_some(times)).sum();
        println!("{ended} runs have ended, once each");
        assert!(ended >= RUNS, "only {ended} runs have ended");
    }
}

/// Walks through one world, and gives the transitions that happened in it.
fn walk(seed: u64, steps: u64) -> BTreeMap<String, u64> {
    let walk = catch_unwind(AssertUnwindSafe(|| walk_through(World::new(), seed, steps)));
    match walk {
        Ok(mut world) => std::mem::take(&mut world.audit.seen),
        Err(panic) => {
            eprintln!("to see this again: SEXTON_SIM_SEED={seed} SEXTON_SIM_STEPS={steps}");
            resume_unwind(panic)
        }
    }
}

/// Walks through a world and brings it to rest.
pub(crate) fn walk_through(world: World, seed: u64, steps: u64) -> World {
    let mut walk = Walk { world, rng: Rng::seeded(seed), silence: Silence::Limited };
    walk.world.limits.shared.event_history = 100;
    walk.world.limits.shared.max_agents = 3;
    walk.world.open();
    // Drawn apart, so that a walk is the same whatever is asked on the way.
    let mut questions = Rng::seeded(seed ^ steps);
    for step in 1..=steps {
        walk.step();
        if step % STEPS_BETWEEN_FULL_AUDITS == 0 {
            walk.world.audit_all();
            ask_about_random_times(&walk.world, &mut questions);
        }
    }
    walk.come_to_rest();
    ask_about_random_times(&walk.world, &mut questions);
    walk.world
}

struct Walk {
    world: World,
    rng: Rng,
    silence: Silence,
}

/// Whether the work of agents may be silent for as long as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    Limited,
    Unlimited,
}

impl Walk {
    fn step(&mut self) {
        self.world.next_commit_fails = self.rng.one_in(40);
        self.world.directory = if self.rng.one_in(5) { "/worktree" } else { "/project" };
        match self.rng.within(0..124) {
            0..18 => self.pass_time(),
            18..20 => self.prune(),
            20..42 => self.look(),
            42..66 => self.carry(),
            66..82 => self.serve_or_work(),
            82..92 => self.end_some_work(),
            92..97 => self.request(),
            97..100 => self.create(),
            100..102 => self.edit(),
            102 => self.resume(),
            103..105 => self.cancel(),
            105 => self.delete(),
            106 => self.pause(),
            107 => self.hang_or_go_on(),
            108 => self.notice(),
            109..111 => self.come(),
            111..113 => self.go(),
            113 => self.hold(),
            114 => self.release(),
            115..122 => self.have_agents_or_use_them(),
            _ => self.close(),
        }
        self.world.next_commit_fails = false;
    }

    fn look(&mut self) {
        let Some(who) = self.someone() else { return self.come() };
        // Looking away between the decision and the act is a crash between the two verbs.
        let looked = match self.rng.within(0..4) {
            0 => self.world.tick(who).map(drop),
            1 => {
                self.world.act(who);
                Ok(())
            }
            _ => self.world.look(who).map(drop),
        };
        expect_only_storage(looked);
    }

    fn prune(&mut self) {
        let Some(who) = self.someone() else { return };
        let pruned = self.world.prune(who);
        expect_only_storage(pruned);
        if self.rng.one_in(8) {
            self.world.audit_all();
        }
    }

    fn come(&mut self) {
        if self.world.alive().len() >= WINDOWS {
            return;
        }
        let role = if self.rng.one_in(3) { Role::Observer } else { Role::Participant };
        let Ok(who) = self.world.arrive(role) else { return };
        let dies_after = self.rng.within(0..12);
        self.world.leftovers_resist = self.rng.one_in(3);
        let opening = [World::settle_dead_peers, World::try_the_bell, World::end_leftovers];
        for (number, part) in (0..).zip(opening) {
            if number == dies_after || part(&mut self.world, who).is_err() {
                return self.world.die(who);
            }
        }
        match self.rng.within(0..8) {
            0..3 => self.serve_with(who),
            3..6 => self.configure_in(who),
            _ => {}
        }
    }

    /// A window is stopped, as by a debugger, or goes on where it was. Its work goes on all the while.
    fn hang_or_go_on(&mut self) {
        if let Some(who) = self.rng.pick(&self.world.alive()).copied() {
            let window = self.world.window_mut(who);
            window.hangs = !window.hangs;
        }
    }

    /// A window notices that another one has gone: it has the bell, settles what was left, or ends it.
    fn notice(&mut self) {
        let Some(who) = self.someone().filter(|who| !self.world.window(*who).leaving) else { return };
        for part in [World::try_the_bell, World::settle_dead_peers, World::end_leftovers] {
            if self.rng.one_in(2) {
                expect_only_storage(part(&mut self.world, who));
            }
        }
    }

    /// A window dies or leaves, or takes itself for the owner.
    fn go(&mut self) {
        let Some(who) = self.someone() else { return };
        match self.rng.within(0..8) {
            0 => {
                let window = self.world.window_mut(who);
                window.believes_to_own = window.role == Role::Participant;
            }
            1..4 => self.world.die(who),
            _ if self.world.window(who).leaving => {
                expect_only_storage(self.world.leave(who));
            }
            4 => expect_only_storage(self.world.lose_client(who)),
            _ => expect_only_storage(self.world.prepare_to_leave(who)),
        }
    }

    /// Nothing new comes, all work ends, and time passes: every run ends and every slot has its answer.
    fn come_to_rest(&mut self) {
        self.world.alive().into_iter().for_each(|who| self.world.die(who));
        let last = self.world.open();
        self.world.work_ms = Some(10);
        for id in self.automations() {
            self.world.delete(last, &id, ActiveRun::Finish).unwrap();
        }
        self.world.run_for(3 * 3_600_000);
        // Waits end when the clock says so, which may have been set back by as much as the walk sets it.
        self.world.run_for(3000 * 86_400_000);
        for sql in [
            "SELECT count(*) FROM runs WHERE completed_at IS NULL OR holds_directory = 1",
            "SELECT count(*) FROM processes",
            "SELECT count(*) FROM closes",
            "SELECT count(*) FROM holds",
            "SELECT count(*) FROM automations WHERE deleted_at IS NULL",
        ] {
            let left: i64 = self.world.connection().query_row(sql, [], |row| row.get(0)).unwrap();
            assert_eq!(left, 0, "{sql}");
        }
        self.world.audit_all();
    }

    fn someone(&mut self) -> Option<Who> {
        self.rng.pick(&self.world.awake()).copied()
    }

    fn some_carried(&mut self, wanted: impl Fn(&Carried) -> bool) -> Option<(Who, RunId)> {
        let mut carried = Vec::new();
        for who in self.world.awake() {
            let runs = self.world.window(who).carried.iter().filter(|(_, carried)| wanted(carried));
            carried.extend(runs.map(|(run, _)| (who, run.clone())));
        }
        self.rng.pick(&carried).cloned()
    }

    fn automations(&self) -> Vec<AutomationId> {
        let all = ListAutomations { limit: 1000, ..ListAutomations::default() };
        self.world
            .view()
            .list_automations(&all)
            .unwrap()
            .into_iter()
            .map(|row| row.known().unwrap().id)
            .collect()
    }

    fn some_automation(&mut self) -> Option<AutomationId> {
        let automations = self.automations();
        self.rng.pick(&automations).cloned()
    }

    /// A recent run, ended or not.
    fn some_run(&mut self) -> Option<RunId> {
        let recent = ListRuns { limit: 12, ..ListRuns::default() };
        let runs: Vec<RunId> = self
            .world
            .view()
            .list_runs(&recent)
            .unwrap()
            .into_iter()
            .map(|row| row.known().unwrap().run.id)
            .collect();
        self.rng.pick(&runs).cloned()
    }
}

/// A failing disk is part of this world; every other refusal here is a fault.
fn expect_only_storage(done: Result<(), Refusal>) {
    match done {
        Ok(()) | Err(Refusal::Storage { .. }) => {}
        Err(refusal) => panic!("refused: {refusal}"),
    }
}
