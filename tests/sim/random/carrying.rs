//! What becomes of work under a guard in a random world.

use sexton::domain::run::ErrorClass;
use sexton::engine::report::WorkEnd;

use super::Walk;
use crate::window::{Carried, Moved, Stage, exited, guard_lost, killed, not_started_of, precheck_only};

impl Walk {
    pub(super) fn carry(&mut self) {
        let Some((who, run)) = self.some_carried(|_| true) else { return };
        let stage = self.world.window(who).carried[&run].stage.clone();
        if stage == Stage::Preparing && self.rng.one_in(12) {
            let end = self.some_failed_start();
            self.world.set_stage(who, &run, Some(Stage::Ended(end)));
        } else if stage == Stage::Passed && self.rng.one_in(25) {
            // The guard dies, or finds that there is no such program, before it has started the command.
            let end = match self.rng.within(0..4) {
                0 => guard_lost(),
                1 => self.some_failed_start(),
                // Or there was a precheck before it.
                2 => precheck_only(75),
                _ => precheck_only(1),
            };
            self.world.set_stage(who, &run, Some(Stage::Ended(end)));
        } else {
            // There is more to do until an agent is at work.
            let is_agent = self.world.window(who).carried[&run].turn.is_some();
            let most = if is_agent { self.rng.within(1..7) } else { self.rng.within(1..3) };
            let _ = (0..most).find(|_| self.world.carry(who, &run) == Moved::No);
        }
    }

    fn some_failed_start(&mut self) -> WorkEnd {
        let passes = ErrorClass::Transient;
        let classes = [
            passes,
            passes,
            passes,
            ErrorClass::Task,
            ErrorClass::Config,
            ErrorClass::Auth,
            ErrorClass::Quota,
        ];
        not_started_of(*self.rng.pick(&classes).unwrap())
    }

    pub(super) fn end_some_work(&mut self) {
        let at_work = |carried: &Carried| matches!(carried.stage, Stage::Working | Stage::Spawned);
        let Some((who, run)) = self.some_carried(at_work) else { return };
        let end = match self.world.window(who).carried[&run].turn {
            Some(_) => self.some_end_of_a_turn(),
            None => self.some_end(),
        };
        self.world.end_of_work(&run, end);
    }

    fn some_end(&mut self) -> WorkEnd {
        match self.rng.within(0..10) {
            0..5 => exited(0),
            5..8 => exited(1),
            8 => killed(9),
            _ => guard_lost(),
        }
    }
}
