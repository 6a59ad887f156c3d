//! What windows that have agents do in a random world, and what their agents do.

use sexton::domain::policy::Money;
use sexton::domain::provider::{OfferedModel, Report};
use sexton::domain::refusal::Refusal;
use sexton::domain::run::ErrorClass;
use sexton::domain::run::machine::ErrorCode;
use sexton::engine::agents::Start;
use sexton::engine::probe;
use sexton::engine::report::WorkEnd;

use super::serving::OTHER;
use super::{Walk, expect_only_storage};
use crate::app::{AGENT, MODEL, Manners, step};
use crate::turns::{done, gave_up, gone};
use crate::window::{Carried, Stage, guard_lost};
use crate::world::Who;

impl Walk {
    pub(super) fn have_agents_or_use_them(&mut self) {
        match self.rng.within(0..24) {
            0..4 => self.configure(),
            4 => self.change_agents(),
            5 => self.let_other_numbers_work(),
            6 => self.ask_agents(),
            7..10 => self.answer_of_an_agent(),
            _ => (0..self.rng.within(1..3)).for_each(|_| self.say()),
        }
    }

    fn configure(&mut self) {
        if let Some(who) = self.someone().filter(|who| !self.world.window(*who).leaving) {
            self.configure_in(who);
        }
    }

    /// A window has other agents than before, or none.
    pub(super) fn configure_in(&mut self, who: Who) {
        let sets: [&[&str]; 5] = [&[AGENT], &[AGENT], &[AGENT, OTHER], &[AGENT, OTHER], &[]];
        let providers = *self.rng.pick(&sets).unwrap();
        let start = *self.rng.pick(&[Start::AsBefore, Start::AsBefore, Start::Otherwise]).unwrap();
        let way = *self.rng.pick(&["usual", "usual", "other"]).unwrap();
        match self.world.try_configure_as(who, way, providers, start) {
            // It may serve one of them.
            Ok(()) | Err(Refusal::InvalidRequest(_) | Refusal::Storage { .. }) => {}
            Err(refusal) => panic!("agents were refused: {refusal}"),
        }
    }

    fn change_agents(&mut self) {
        let Some(who) = self.someone() else { return };
        let manners = [Manners::Prompt, Manners::Prompt, Manners::Prompt, Manners::Stubborn, Manners::Silent];
        self.world.window_mut(who).agents = *self.rng.pick(&manners).unwrap();
    }

    /// Whoever owns the bell next lets so many agents work at once.
    fn let_other_numbers_work(&mut self) {
        self.world.limits.shared.max_agents = self.rng.within(1..5);
    }

    fn ask_agents(&mut self) {
        let Some(who) = self.someone().filter(|who| !self.world.window(*who).leaving) else { return };
        let asked = self.world.decide(who, |tx, context| probe::refresh(tx, context, None));
        expect_only_storage(asked.map(drop));
    }

    /// An agent says what it offers, or says nothing.
    fn answer_of_an_agent(&mut self) {
        let Some(who) = self.someone().filter(|who| !self.world.window(*who).leaving) else { return };
        let Some(asked) = self.rng.pick(&self.world.to_ask(who)).cloned() else { return };
        let model = OfferedModel { id: MODEL.to_owned(), name: MODEL.to_owned(), variants: Vec::new() };
        let answer = if self.rng.one_in(5) { Err("it said nothing".to_owned()) } else { Ok(vec![model]) };
        let told = self.world.decide(who, |tx, context| probe::ended(tx, context, &asked, answer));
        expect_only_storage(told);
    }

    /// An agent at work does something.
    fn say(&mut self) {
        let at_work = |carried: &Carried| carried.stage == Stage::Working && carried.turn.is_some();
        let Some((who, run)) = self.some_carried(at_work) else { return };
        let report = match self.rng.within(0..16) {
            0..6 => step(if self.rng.one_in(9) { "read" } else { "write" }),
            6..9 => {
                let amount = *self.rng.pick(&[0.5, 1.7, 2.0]).unwrap();
                Report::Cost(Money { amount, currency: "EUR".to_owned() })
            }
            9..15 => Report::Blocked(self.some_need()),
            _ => Report::Unblocked,
        };
        match self.world.say(who, &run, report) {
            // It may need a person twice, or when it is to end.
            Ok(_) | Err(Refusal::InvalidRequest(_) | Refusal::Storage { .. }) => {}
            Err(refusal) => panic!("a report was refused: {refusal}"),
        }
    }

    /// How the work of an agent ends by itself.
    pub(super) fn some_end_of_a_turn(&mut self) -> WorkEnd {
        match self.rng.within(0..10) {
            0..5 => done("done"),
            5..8 => {
                let code = *self.rng.pick(&ErrorCode::ALL).unwrap();
                let classes = [ErrorClass::Task, ErrorClass::Transient, ErrorClass::Agent, ErrorClass::Quota];
                gave_up(code, *self.rng.pick(&classes).unwrap())
            }
            8 => gone("it has gone"),
            _ => guard_lost(),
        }
    }
}
