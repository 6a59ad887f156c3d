//! What people do meanwhile, in any window: they create, edit, pause, resume, delete, run and cancel.

use serde_json::{Value, json};

use super::life::Life;
use super::{LOG, policy};
use crate::support::drafts::{every, once, shell, with};
use crate::support::kind;

/// Automations beside those that are there all the time, at most.
const MANY: usize = 12;

/// While there are fewer, one is created.
const FEW: usize = 3;

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Granted,
    /// Because the ledger could not be written.
    Refused,
    /// For what stands in its way.
    Otherwise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Create,
    Title,
    Rhythm,
    Task,
    Policy,
    Pause,
    Resume,
    Delete,
    Run,
    Cancel,
    Look,
}

/// How often each is made.
const CHANGES: [(Change, usize); 11] = [
    (Change::Create, 4),
    (Change::Title, 3),
    (Change::Rhythm, 3),
    (Change::Task, 2),
    (Change::Policy, 2),
    (Change::Pause, 2),
    (Change::Resume, 3),
    (Change::Delete, 2),
    (Change::Run, 5),
    (Change::Cancel, 3),
    (Change::Look, 2),
];

impl Life<'_> {
    /// Creates an automation that stays for good, and is not edited.
    pub(super) fn create(&mut self, draft: Value) {
        let at = self.any();
        self.windows[at].client.create(draft);
    }

    pub(super) fn edit_something(&mut self) {
        self.take_in();
        self.change_something();
    }

    pub(super) fn change_something(&mut self) -> Done {
        self.delete_what_may_be_deleted();
        let changes = CHANGES.map(|(change, times)| vec![change; times]).concat();
        let change = *self.rng.pick(&changes).expect("changes");
        let known: Vec<Value> = self.known.automations.iter().map(|one| one.id.clone()).collect();
        let Some(id) = self.rng.pick(&known).cloned() else { return self.ask_for_a_new_one() };
        let update = |patch: Value| ("automation/update", json!({"id": id, "patch": patch}));
        let (method, params) = match change {
            _ if known.len() < FEW => return self.ask_for_a_new_one(),
            Change::Create if known.len() < MANY => return self.ask_for_a_new_one(),
            Change::Create | Change::Delete => {
                let active = *self.rng.pick(&["cancel", "finish", "refuse"]).expect("words");
                ("automation/delete", json!({"id": id, "activeRun": active}))
            }
            Change::Title => update(json!({"title": self.title()})),
            Change::Rhythm => update(json!({"rhythm": {"kind": "interval", "everyMs": self.interval()}})),
            Change::Task => update(json!({"task": self.task()})),
            Change::Policy => {
                let overlap = *self.rng.pick(&["skip", "queueOne", "cancelPrevious"]).expect("words");
                let missed = *self.rng.pick(&["skip", "runOnce"]).expect("words");
                update(json!({"policy": {"overlap": overlap, "missed": {"kind": missed}}}))
            }
            Change::Pause => ("automation/pause", json!({"id": id})),
            Change::Resume => ("automation/resume", json!({"id": id})),
            Change::Run => {
                let executor = *self.rng.pick(&["asker", "participant"]).expect("words");
                ("automation/run", json!({"id": id, "executor": executor}))
            }
            Change::Cancel => match self.active_run() {
                Some(run) => ("run/cancel", json!({"id": run})),
                None => return Done::Otherwise,
            },
            Change::Look => ("automation/get", json!({"id": id})),
        };
        self.ask(method, params)
    }

    fn ask_for_a_new_one(&mut self) -> Done {
        let (title, task) = (self.title(), self.task());
        let draft = match self.rng.within(0..5) {
            0 => once(&title, self.machine.now() + self.rng.within(200..5000), task),
            1 => {
                let rhythm = json!({"kind": "cron", "expression": "* * * * *"});
                with(with(every(&title, 60_000, task), "rhythm", rhythm), "timezone", json!("UTC"))
            }
            _ => every(&title, self.interval(), task),
        };
        let access = if self.rng.one_in(4) { "write" } else { "read" };
        let missed = *self.rng.pick(&["skip", "runOnce"]).expect("words");
        let draft = with(with(draft, "access", json!(access)), "policy", policy(missed));
        self.ask("automation/create", draft)
    }

    fn title(&mut self) -> String {
        format!("number {}", self.rng.within(0..1_000_000_000))
    }

    fn interval(&mut self) -> i64 {
        self.rng.within(500..5000)
    }

    fn task(&mut self) -> Value {
        match self.rng.within(0..5) {
            0 => json!({"kind": "notify", "text": "look"}),
            1 => shell(&format!("{LOG}; sleep 0.3")),
            2 => shell(&format!("{LOG}; sleep 2")),
            _ => shell(LOG),
        }
    }

    /// One of the runs that are active now.
    fn active_run(&mut self) -> Option<String> {
        let mut statement = self
            .ledger
            .prepare("SELECT id FROM runs WHERE completed_at IS NULL ORDER BY row")
            .expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        let active: Vec<String> = rows.map(|row| row.expect("a run")).collect();
        drop(statement);
        self.rng.pick(&active).cloned()
    }

    /// A delete that could not be answered well may have been done or not: it is asked for again.
    fn delete_what_may_be_deleted(&mut self) {
        let Some(id) = self.known.next_that_may_be_deleted() else { return };
        let at = self.any();
        let client = &mut self.windows[at].client;
        let answer = client.ask("automation/delete", json!({"id": id}));
        self.evidence.note(format_args!("  {}: automation/delete {id} again: {answer:?}", client.pid()));
        match answer.as_ref().map_err(kind) {
            Ok(_) | Err("not_found") => self.known.is_deleted(&id),
            Err("storage_unavailable" | "active_run_still_running" | "automation_conflict") => {
                self.known.may_be_deleted(&id);
            }
            Err(other) => panic!("{other}: {answer:?}"),
        }
    }

    /// Asks any window that goes, and remembers what it was answered.
    fn ask(&mut self, method: &str, params: Value) -> Done {
        let at = self.any();
        let client = &mut self.windows[at].client;
        let id = params["id"].clone();
        let answer = match client.ask(method, params) {
            Ok(answer) => answer,
            Err(error) => {
                self.evidence.note(format_args!("  {}: {method} {id}: {error}", client.pid()));
                return self.refused(method, &id, &error);
            }
        };
        self.evidence.note(format_args!("  {}: {method} {id}: granted", client.pid()));
        self.known.is_granted(method);
        match method {
            "automation/delete" => self.known.is_deleted(&id),
            "automation/run" => {
                self.known.is_asked_for(&answer);
                self.known.is_shown(answer);
            }
            "run/cancel" => self.known.is_shown(answer),
            "automation/get" => self.known.is_seen(answer),
            _ => self.known.is_so(answer),
        }
        Done::Granted
    }

    fn refused(&mut self, method: &str, id: &Value, error: &Value) -> Done {
        self.known.is_refused(method, error);
        match (method, kind(error)) {
            ("automation/delete", "storage_unavailable" | "active_run_still_running") => {
                self.known.may_be_deleted(id)
            }
            (_, "storage_unavailable") | ("automation/run", "active_run_still_running") => {}
            // A one-shot whose time has passed.
            ("automation/resume" | "automation/create" | "automation/update", "invalid_automation") => {}
            _ => panic!("{method}: {error}"),
        }
        match kind(error) {
            "storage_unavailable" => Done::Refused,
            _ => Done::Otherwise,
        }
    }

    /// A window is asked for a change, and killed before anybody has heard the answer.
    pub(super) fn kill_one_that_was_asked(&mut self) {
        self.goes_on();
        let at = self.any();
        let known: Vec<Value> = self.known.automations.iter().map(|one| one.id.clone()).collect();
        if let Some(id) = self.rng.pick(&known).cloned() {
            let title = self.title();
            let patch = json!({"title": title});
            self.windows[at].client.send("automation/update", json!({"id": id, "patch": patch}));
            self.known.may_be_called(&id, title);
            // So that it has got anywhere between the beginning of the request and its answer.
            let until = crate::support::clock()
                + std::time::Duration::from_micros(self.rng.within(0..4000).unsigned_abs());
            while crate::support::clock() < until {}
        }
        self.replace(at);
    }

    pub(super) fn what_was_acknowledged_is_there(&mut self) {
        let at = self.any();
        self.known.everything_is_so(&mut self.windows[at].client);
    }
}
