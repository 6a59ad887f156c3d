//! An application with an agent of its own: it serves a provider, hears what it is to do, and reports what becomes of
//! it.

use serde_json::{Value, json};

use super::client::Client;
use super::drafts::dormant;

/// What the application offers: one model with a variant.
pub(crate) fn offer() -> Value {
    json!({"id": "editor", "models": [{"id": "large", "name": "Large", "variants": ["careful"]}]})
}

/// A task for it.
pub(crate) fn prompt() -> Value {
    json!({"kind": "prompt", "prompt": "look around", "model": {"providerID": "editor", "modelID": "large"}})
}

/// An automation for it that is not due while a test lasts.
pub(crate) fn prompted(policy: Value) -> Value {
    let mut draft = dormant("prompted", prompt());
    draft["policy"] = policy;
    draft
}

/// A request for a permission, with two answers.
pub(crate) fn permission(id: &str) -> Value {
    json!({"kind": "permission", "requestID": id, "title": "May it?", "options": [
        {"id": "yes", "label": "Yes", "kind": "allow_once"}, {"id": "no", "label": "No", "kind": "reject_once"}]})
}

impl Client {
    /// Serves what the application offers, and gives the subscription.
    pub(crate) fn serve(&mut self) -> String {
        self.serve_with(offer())
    }

    pub(crate) fn serve_with(&mut self, offer: Value) -> String {
        self.get("provider/serve", offer).as_str().expect("a string id").to_owned()
    }

    /// Waits until the application has been told this of a run, which may have been before.
    pub(crate) fn hears(&mut self, run: &Value, what: &str) -> Value {
        let of_run = |work: &Value| [&work["runID"], &work["run"]["id"]].contains(&run);
        self.wait_for_event(&format!("{what} for {run}"), |work| work["type"] == what && of_run(work))
    }

    /// All that the application has been told of a run so far.
    pub(crate) fn heard(&mut self, subscription: &str, run: &Value) -> Vec<Value> {
        self.take_in();
        let mut heard = self.events(subscription);
        heard.retain(|work| [&work["runID"], &work["run"]["id"]].contains(&run));
        heard
    }

    /// Everything of this kind that the application has been told so far, of whichever run.
    pub(crate) fn told(&self, what: &str) -> Vec<Value> {
        let results = self.notifications().map(|message| &message["params"]["result"]);
        results.filter(|work| work["type"] == what).cloned().collect()
    }

    /// Reports something that is taken in.
    pub(crate) fn report(&mut self, run: &Value, report: Value) {
        assert_eq!(self.get("run/report", json!({"runID": run, "report": report})), json!({}));
    }

    /// Reports something that is refused, and gives why.
    pub(crate) fn report_in_vain(&mut self, run: &Value, report: Value) -> Value {
        self.refusal("run/report", json!({"runID": run, "report": report}))
    }

    /// Asks for a run of the automation, and waits until the application has been told to begin it.
    pub(crate) fn run_here(&mut self, automation: &Value) -> Value {
        let run = self.run(automation);
        self.hears(&run, "start");
        run
    }

    /// The same, and it has really started.
    pub(crate) fn at_work(&mut self, automation: &Value) -> Value {
        let run = self.run_here(automation);
        self.report(&run, json!({"type": "started", "sessionID": "ses_1"}));
        run
    }

    /// A run that waits for a person.
    pub(crate) fn blocked(&mut self, automation: &Value) -> Value {
        let run = self.at_work(automation);
        self.report(&run, json!({"type": "blocked", "blocker": permission("req_1")}));
        run
    }

    /// The run as it is now.
    pub(crate) fn look_at(&mut self, run: &Value) -> Value {
        self.get("run/get", json!({"id": run}))
    }
}
