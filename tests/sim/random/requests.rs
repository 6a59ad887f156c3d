//! What people ask of a random world.

use serde_json::{Value, json};
use sexton::domain::policy::IfBusy;
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ActiveRun, Executor};

use super::{AUTOMATIONS, Walk, expect_only_storage};
use crate::drafts::{every, once, reminder, with};

impl Walk {
    pub(super) fn request(&mut self) {
        let (Some(who), Some(id)) = (self.someone(), self.some_automation()) else { return };
        let if_busy = *self.rng.pick(&[None, None, Some(IfBusy::Queue), Some(IfBusy::Skip)]).unwrap();
        let executor = *self.rng.pick(&[Executor::Participant, Executor::Asker, Executor::Asker]).unwrap();
        match self.world.try_run_by(who, &id, if_busy, executor) {
            Ok(_)
            | Err(
                Refusal::ActiveRunStillRunning { .. }
                | Refusal::WriterBusy { .. }
                | Refusal::AutomationConflict { .. }
                | Refusal::Storage { .. },
            ) => {}
            Err(refusal) => panic!("a run was refused: {refusal}"),
        }
    }

    pub(super) fn create(&mut self) {
        let Some(who) = self.someone() else { return };
        if self.automations().len() < AUTOMATIONS {
            let draft = self.some_draft();
            match self.world.try_create(who, &draft) {
                // Nobody may serve the model of a prompt.
                Err(Refusal::InvalidAutomation(_)) if draft["task"]["kind"] == "prompt" => {}
                created => expect_only_storage(created.map(drop)),
            }
        }
    }

    fn some_draft(&mut self) -> Value {
        let now = self.world.now.as_millis();
        let draft = match self.rng.within(0..6) {
            0 => once(now + self.rng.within(1..600_000)),
            1 => with(
                every(60),
                json!({"rhythm": {"kind": "cron", "expression": "*/2 * * * *"}, "timezone": "Europe/Berlin"}),
            ),
            _ => every(self.rng.within(30..600)),
        };
        let stop = match self.rng.within(0..6) {
            0 => json!({"kind": "count", "count": self.rng.within(1..5)}),
            1 => json!({"kind": "until", "at": now + self.rng.within(1..3_600_000)}),
            _ => json!({"kind": "never"}),
        };
        let missed = match self.rng.within(0..3) {
            0 => json!({"kind": "skip"}),
            1 => json!({"kind": "runOnce", "windowMs": self.rng.within(0..3_600_000)}),
            _ => json!({"kind": "runOnce"}),
        };
        let overlap = *self.rng.pick(&["skip", "queueOne", "cancelPrevious"]).unwrap();
        let if_busy = if self.rng.one_in(4) { "skip" } else { "queue" };
        let retry = json!({"attempts": self.rng.within(0..3), "delayMs": self.rng.within(1000..90_000)});
        let policy = json!({
            "overlap": overlap,
            "ifBusy": if_busy,
            "retry": retry,
            "missed": missed,
            "queueMs": self.rng.within(0..120_000),
            "startMs": self.rng.within(1000..60_000),
            "wallMs": self.rng.within(1000..300_000),
            "pauseAfterFailures": self.rng.within(1..5),
            "keep": {"runs": self.rng.within(1..12), "days": self.rng.within(1..4)},
        });
        let access = if self.rng.one_in(2) { "write" } else { "read" };
        let paused = self.rng.one_in(20);
        let draft = with(draft, json!({"policy": policy, "access": access, "paused": paused}));
        let draft = match self.rng.within(0..10) {
            0..2 => reminder(draft),
            2..7 => self.for_an_agent(draft),
            _ => draft,
        };
        if draft["kind"] == "oneshot" { draft } else { with(draft, json!({"stop": stop})) }
    }

    /// Another draft, or a part of one, becomes a patch. It may be meant for a revision that is no longer the newest.
    pub(super) fn edit(&mut self) {
        let (Some(who), Some(id)) = (self.someone(), self.some_automation()) else { return };
        let draft = self.some_draft();
        let mut patch = json!({"title": format!("edited at {}", self.world.now)});
        for field in ["rhythm", "stop", "timezone", "policy", "access", "fireAt", "task"] {
            if self.rng.one_in(3) && !draft[field].is_null() {
                patch[field] = draft[field].clone();
            }
        }
        if self.rng.one_in(3) {
            patch.as_object_mut().unwrap().remove("title");
        }
        let shown = self.world.automation(&id);
        // Somebody has it end with the run that is at work, though another one waits.
        if shown.state.active_runs.len() > 1 && self.rng.one_in(2) {
            patch["stop"] = json!({"kind": "count", "count": 1});
        }
        let if_revision = self.rng.one_in(3).then_some(shown.revision - i64::from(self.rng.one_in(4)));
        match self.world.try_update(who, &id, if_revision, &patch) {
            Ok(edited) => {
                let again = self.world.try_update(who, &id, None, &patch).map(|it| it.revision);
                assert!(again.is_err() || again.is_ok_and(|again| again == edited.revision), "{patch}");
            }
            // Some patches are for the other kind of automation.
            Err(
                Refusal::InvalidAutomation(_) | Refusal::AutomationConflict { .. } | Refusal::Storage { .. },
            ) => {}
            Err(refusal) => panic!("{patch} was refused: {refusal}"),
        }
    }

    pub(super) fn resume(&mut self) {
        let (Some(who), Some(id)) = (self.someone(), self.some_automation()) else { return };
        match self.world.resume(who, &id) {
            // The time of a one-shot may have passed.
            Ok(_)
            | Err(
                Refusal::InvalidAutomation(_) | Refusal::AutomationConflict { .. } | Refusal::Storage { .. },
            ) => {}
            Err(refusal) => panic!("a resume was refused: {refusal}"),
        }
    }

    pub(super) fn cancel(&mut self) {
        let (Some(who), Some(run)) = (self.someone(), self.some_run()) else { return };
        expect_only_storage(self.world.cancel(who, &run).map(drop));
    }

    pub(super) fn delete(&mut self) {
        let (Some(who), Some(id)) = (self.someone(), self.some_automation()) else { return };
        let active_run = *self.rng.pick(&[ActiveRun::Cancel, ActiveRun::Finish, ActiveRun::Refuse]).unwrap();
        match self.world.delete(who, &id, active_run) {
            Ok(_) | Err(Refusal::ActiveRunStillRunning { .. } | Refusal::Storage { .. }) => {}
            Err(refusal) => panic!("a delete was refused: {refusal}"),
        }
    }

    /// Somebody has an automation rest, or one of its own runs does.
    pub(super) fn pause(&mut self) {
        let (Some(who), Some(id)) = (self.someone(), self.some_automation()) else { return };
        let runs = self.world.runs(&id);
        let inside = self.rng.pick(&runs).filter(|_| self.rng.one_in(2)).map(|run| run.id.clone());
        match self.world.pause(who, &id, inside.as_ref()) {
            Ok(_) | Err(Refusal::AutomationConflict { .. } | Refusal::Storage { .. }) => {}
            Err(refusal) => panic!("a pause was refused: {refusal}"),
        }
    }
}
