//! What windows that serve providers do in a random world, and the people who answer them.

use serde_json::{Value, json};
use sexton::domain::id::RunId;
use sexton::domain::policy::Money;
use sexton::domain::provider::{Choice, Report, Watch};
use sexton::domain::refusal::Refusal;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{Asked, ErrorClass, Need};

use super::{Silence, Walk, expect_only_storage};
use crate::app::{AGENT, MODEL, Manners, chosen, offer, permission, question, started, step};
use crate::drafts::{prompt, with};
use crate::world::Who;

/// Another provider, and another model of the usual one.
pub(super) const OTHER: &str = "other";
const SMALL: &str = "small";

impl Walk {
    pub(super) fn serve_or_work(&mut self) {
        match self.rng.within(0..60) {
            0..8 => self.serve(),
            8 => self.unserve(),
            9 => self.change_manners(),
            10..20 => self.respond(),
            20..24 => self.report_of_some_run(),
            24..44 => (0..self.rng.within(1..4)).for_each(|_| self.report()),
            _ => self.use_manners(),
        }
    }

    /// A prompt whose limits are within reach.
    pub(super) fn for_an_agent(&mut self, draft: Value) -> Value {
        let mut draft = prompt(draft);
        if self.rng.one_in(8) {
            draft["task"]["model"]["providerID"] = json!(OTHER);
        }
        if self.rng.one_in(8) {
            draft["task"]["model"]["modelID"] = json!(SMALL);
        }
        if self.rng.one_in(3) {
            draft["task"]["context"] = json!("continue");
            if self.rng.one_in(3) {
                draft["task"]["sessionID"] = json!("s1");
            }
        }
        let mut policy = draft["policy"].take();
        let blocker_ms = |most| json!({"attended": most, "unattended": most / 2});
        let more = json!({
            "startMs": self.rng.within(1000..300_000),
            "idleMs": (self.silence == Silence::Limited).then_some(self.rng.within(1000..120_000)),
            "blockerMs": blocker_ms(self.rng.within(0..900_000)),
            "stepCap": *self.rng.pick(&[2, 4, 50]).unwrap(),
            "permissions": if self.rng.one_in(5) { "deny" } else { "ask" },
            "budget": {"perRun": {"amount": 2.0, "currency": "EUR"}},
        });
        policy = with(policy, more);
        with(draft, json!({"policy": policy}))
    }

    fn serve(&mut self) {
        if let Some(who) = self.someone() {
            self.serve_with(who);
        }
    }

    /// The application behind a window offers something.
    pub(super) fn serve_with(&mut self, who: Who) {
        let provider = if self.rng.one_in(6) { OTHER } else { AGENT };
        let models: &[(&str, &[&str])] = match self.rng.within(0..6) {
            0 => &[(SMALL, &["careful"])],
            _ => &[(MODEL, &[]), (SMALL, &[])],
        };
        let max_concurrent = self.rng.within(1..4);
        match self.world.try_serve(who, offer(provider, models, max_concurrent)) {
            // It may serve it already.
            Ok(_) | Err(Refusal::InvalidRequest(_) | Refusal::Closing { .. } | Refusal::Storage { .. }) => {}
            Err(refusal) => panic!("a window may not serve: {refusal}"),
        }
    }

    fn unserve(&mut self) {
        let Some(who) = self.someone() else { return };
        let instance = &self.world.window(who).actor.instance;
        let servings = self.world.view().servings_of(instance).unwrap();
        if let Some(serving) = self.rng.pick(&servings) {
            expect_only_storage(self.world.unserve(who, &serving.id));
        }
    }

    fn change_manners(&mut self) {
        let Some(who) = self.someone() else { return };
        let manners = [Manners::Prompt, Manners::Prompt, Manners::Stubborn, Manners::Silent];
        self.world.window_mut(who).app.manners = *self.rng.pick(&manners).unwrap();
    }

    fn use_manners(&mut self) {
        if let Some((who, run)) = self.some_served() {
            self.world.use_manners(who, &run);
        }
    }

    /// A window reports of a run that may be anybody's.
    fn report_of_some_run(&mut self) {
        let run = if self.rng.one_in(2) { self.some_run() } else { self.some_served().map(|(_, run)| run) };
        // Nobody speaks any more with a window that leaves because of that.
        let Some(who) = self.someone().filter(|who| !self.world.window(*who).leaving) else { return };
        let Some(run) = run else { return };
        let report = self.some_report();
        self.expect_sense(who, &run, report);
    }

    fn report(&mut self) {
        let Some((who, run)) = self.some_served() else { return };
        if self.rng.one_in(10) {
            let written = self.world.output(who, &run, 7);
            expect_taken_or_refused(written);
        } else {
            let report = self.some_report();
            // Steps seldom come alone.
            let times = if matches!(report, Report::Step { .. }) { self.rng.within(1..8) } else { 1 };
            (0..times).for_each(|_| self.expect_sense(who, &run, report.clone()));
        }
    }

    fn expect_sense(&mut self, who: Who, run: &RunId, report: Report) {
        let reported = self.world.report(who, run, report);
        expect_taken_or_refused(reported);
    }

    fn some_report(&mut self) -> Report {
        match self.rng.within(0..36) {
            0..3 => started(if self.rng.one_in(2) { "s1" } else { "s2" }),
            3..14 => step(if self.rng.one_in(9) { "read" } else { "write" }),
            14 => Report::Step { title: None },
            15..19 => {
                let amount = *self.rng.pick(&[0.5, 1.7, 2.0, 2.0]).unwrap();
                let currency = if self.rng.one_in(9) { "USD" } else { "EUR" };
                Report::Cost(Money { amount, currency: currency.to_owned() })
            }
            19..28 => Report::Blocked(self.some_need()),
            28 => Report::Unblocked,
            29..33 => {
                let last = if self.rng.one_in(5) { Watch::IsOver } else { Watch::GoesOn };
                Report::Finished { text: None, outcome: None, last }
            }
            _ => {
                let code = *self.rng.pick(&ErrorCode::ALL).unwrap();
                let classes = [None, None, Some(ErrorClass::Quota), Some(ErrorClass::Auth)];
                let class = *self.rng.pick(&classes).unwrap();
                Report::Failed { code, message: "it said so".to_owned(), class }
            }
        }
    }

    pub(super) fn some_need(&mut self) -> Need {
        let id = *self.rng.pick(&["1", "2"]).unwrap();
        if self.rng.one_in(2) { permission(id) } else { question(id) }
    }

    /// Somebody answers something, wherever they sit.
    fn respond(&mut self) {
        let Some(who) = self.someone() else { return };
        let blocked: Vec<(RunId, Asked)> = self
            .world
            .view()
            .blocked_runs()
            .unwrap()
            .into_iter()
            .map(|row| (row.run.id.clone(), row.run.blocker().unwrap().need.asked()))
            .collect();
        let Some((run, asked)) = self.rng.pick(&blocked).cloned() else { return };
        if self.rng.one_in(8) {
            return expect_only_storage(self.world.cancel(who, &run).map(drop));
        }
        let asked = if self.rng.one_in(6) { self.some_need().asked() } else { asked };
        let choice = match self.rng.within(0..6) {
            0 => Choice::Text { text: "green".to_owned() },
            1..3 => chosen("blue"),
            _ => chosen("yes"),
        };
        match self.world.respond(who, &run, asked, choice) {
            Ok(_)
            | Err(Refusal::BlockerGone { .. } | Refusal::InvalidParams(_) | Refusal::Storage { .. }) => {}
            Err(refusal) => panic!("an answer was refused: {refusal}"),
        }
    }

    fn some_served(&mut self) -> Option<(Who, RunId)> {
        let mut served = Vec::new();
        for who in self.world.awake() {
            served.extend(self.world.window(who).app.work.keys().map(|run| (who, run.clone())));
        }
        self.rng.pick(&served).cloned()
    }
}

/// A report may come too early, too late, or of a run that is somebody else's.
fn expect_taken_or_refused(done: Result<(), Refusal>) {
    match done {
        Ok(()) | Err(Refusal::InvalidRequest(_) | Refusal::NotFound { .. } | Refusal::Storage { .. }) => {}
        Err(refusal) => panic!("a report was refused: {refusal}"),
    }
}
