//! Windows that carry prompts out themselves: they are told to begin each run once, whatever is done to them, and say what
//! becomes of it as soon as anything can be written.

use serde_json::{Value, json};

use super::life::{Life, Window};
use crate::support::app::{permission, prompt};
use crate::support::drafts::{every, with};
use crate::support::kind;

/// What a window was told to begin, and has not told the end of.
pub(super) struct Work {
    run: Value,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Told,
    Started,
    Asks,
    Ends,
}

/// A prompt for whoever serves.
pub(super) fn draft() -> Value {
    let draft = with(every("is served", 700, prompt()), "access", json!("read"));
    // A window that is stopped for long is slow to begin.
    let policy = with(super::policy("skip"), "startMs", json!(3_600_000));
    with(draft, "policy", policy)
}

impl Window {
    /// What it has been told to begin since it was asked last.
    pub(super) fn take_starts(&mut self) -> Vec<Value> {
        let Some(serving) = &self.serving else { return Vec::new() };
        let told = self.client.take_events(serving);
        let starts = told.into_iter().filter(|work| work["type"] == "start");
        let runs: Vec<Value> = starts.map(|work| work["run"]["id"].clone()).collect();
        self.work.extend(runs.iter().map(|run| Work { run: run.clone(), stage: Stage::Told }));
        runs
    }
}

impl Life<'_> {
    /// Each window that serves and goes takes a step with all that it has at hand.
    pub(super) fn serve(&mut self) {
        for at in 0..self.windows.len() {
            if !self.goes(at) {
                continue;
            }
            for run in self.windows[at].take_starts() {
                let run = run.as_str().expect("an id").to_owned();
                self.evidence.note(format_args!("  {} is to begin {run}", self.windows[at].client.pid()));
                assert!(self.begun.insert(run.clone()), "{run} is to be begun a second time");
            }
            for work in std::mem::take(&mut self.windows[at].work) {
                let going_on = self.take_a_step(at, work);
                self.windows[at].work.extend(going_on);
            }
        }
    }

    fn take_a_step(&mut self, at: usize, work: Work) -> Option<Work> {
        let Work { run, stage } = work;
        let (report, next) = match stage {
            Stage::Told => (json!({"type": "started", "sessionID": "ses_1"}), Stage::Started),
            Stage::Started if self.rng.one_in(4) => {
                (json!({"type": "blocked", "blocker": permission("req_1")}), Stage::Asks)
            }
            Stage::Started => (json!({"type": "output", "data": "looked around\n"}), Stage::Ends),
            Stage::Asks => {
                let answers = self.any();
                let answer = json!({"id": run, "requestID": "req_1", "optionID": "yes"});
                // Somebody may have cancelled it, or nothing can be written.
                let _ = self.windows[answers].client.ask("run/respond", answer);
                return Some(Work { run, stage: Stage::Ends });
            }
            Stage::Ends => (json!({"type": "finished", "outcome": "nothing"}), Stage::Ends),
        };
        let answer = self.windows[at].client.ask("run/report", json!({"runID": run, "report": report}));
        match answer.as_ref().map_err(kind) {
            Ok(_) if stage == Stage::Ends => None,
            Ok(_) => Some(Work { run, stage: next }),
            Err("storage_unavailable") => Some(Work { run, stage }),
            // It has ended meanwhile, or is to end, which it does at once.
            Err("invalid_request" | "not_found") if stage == Stage::Ends => None,
            Err("invalid_request" | "not_found") => Some(Work { run, stage: Stage::Ends }),
            Err(other) => panic!("{other}: {answer:?}"),
        }
    }
}
