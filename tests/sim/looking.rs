//! How things stand in a world, and the story of an automation in words.

use serde_json::Value;
use sexton::domain::automation::Automation;
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::request::ListRuns;
use sexton::domain::run::{Phase, Run, RunError};
use sexton::engine::derive;

use crate::world::{START, World};

impl World {
    pub(crate) fn automation(&self, id: &AutomationId) -> Automation {
        let view = self.view();
        derive::automation(&view, &view.automation(id).unwrap().unwrap()).unwrap()
    }

    pub(crate) fn run_row(&self, run: &RunId) -> sexton::ledger::RunRow {
        self.view().run(run).unwrap().unwrap()
    }

    /// The runs of an automation, oldest first.
    pub(crate) fn runs(&self, id: &AutomationId) -> Vec<Run> {
        let wanted = ListRuns { automation: Some(id.clone()), limit: 10_000, ..ListRuns::default() };
        let rows = self.view().list_runs(&wanted).unwrap();
        rows.into_iter().rev().map(|row| row.known().unwrap().run).collect()
    }

    pub(crate) fn last_run(&self, id: &AutomationId) -> Run {
        self.runs(id).pop().unwrap()
    }

    /// The runs of an automation in words, oldest first; slots are in seconds since [`START`].
    pub(crate) fn story(&self, id: &AutomationId) -> Vec<String> {
        self.runs(id).iter().map(words).collect()
    }
}

/// What a run has failed of.
pub(crate) fn failure(world: &World, run: &RunId) -> RunError {
    let Phase::Failed { error, .. } = world.run_row(run).run.phase else { panic!("{run} has not failed") };
    error
}

pub(crate) fn words(run: &Run) -> String {
    let run = serde_json::to_value(run).unwrap();
    let mut words = vec![run["trigger"]["kind"].as_str().unwrap().to_owned()];
    words.push(run["state"].as_str().unwrap().to_owned());
    let reasons = [&run["stopReason"], &run["error"]["code"], &run["waiting"]["for"], &run["stopping"]["as"]];
    words.extend(reasons.into_iter().filter_map(Value::as_str).map(str::to_owned));
    for (name, slots) in [("slots", &run["slots"]), ("skipped", &run["skipped"])] {
        if let (Some(from), Some(to)) = (slots["fromAt"].as_i64(), slots["toAt"].as_i64()) {
            let seconds = |at: i64| (at - START.as_millis()) / 1000;
            words.push(format!("{name} {}..{} x{}", seconds(from), seconds(to), slots["count"]));
        }
    }
    words.join(" ")
}
