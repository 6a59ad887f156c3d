//! The invariants of the design, asked of the rows.
//!
//! [`Audit::step`] looks at what a transaction has touched, [`Audit::full`] at everything from the beginning, where
//! pruned runs have left their accounts (`accounts.rs`).

mod closes;
mod sentences;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;
use serde_json::Value;
use sexton::domain::diagnosis::Outcome;
use sexton::domain::id::{AutomationId, RunId};
use sexton::domain::time::Timestamp;
use sexton::engine::audit::{self as product, Presence};
use sexton::engine::derive;
use sexton::ledger::{AutomationRow, EventFilter, Stored, StoredEvent, Tx, View};

use crate::accounts;
use crate::pauses::Pauses;
use crate::queues;
use crate::serving::{self, Asking};

/// Ranges with more slots than this are not walked again one by one.
pub(crate) const WALKED_SLOTS: u64 = 3000;

#[derive(Default)]
pub(crate) struct Audit {
    seq: i64,
    runs: HashMap<String, KnownRun>,
    automations: HashMap<String, KnownAutomation>,
    /// How far the slots of an automation's newest epoch, by both their numbers, have been seen to be answered.
    slots: BTreeMap<(i64, i64), Answered>,
    pauses: Pauses,
    closes: closes::Closes,
    pub(crate) asking: Asking,
    /// Every transition that was published, with its reason.
    pub(crate) seen: BTreeMap<String, u64>,
}

struct KnownRun {
    payload: String,
    state: String,
    revision: i64,
}

#[derive(Default)]
struct KnownAutomation {
    payload: String,
    automation: Value,
    deleted: bool,
}

#[derive(Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) through: Timestamp,
    /// The last run that has been looked at.
    pub(crate) run: i64,
}

/// What an event is about.
struct Told {
    automation: Option<String>,
    run: Option<String>,
    /// Whether a run was born or has ended: what follows for its automation is told next.
    life: bool,
}

impl Audit {
    /// Looks at everything that the last transaction has written.
    pub(crate) fn step(&mut self, connection: &Connection, now: Timestamp) {
        let view = Tx::new(connection);
        let events = view.events_after(self.seq, &EventFilter::default(), usize::MAX).unwrap();
        let told: Vec<Told> = events.iter().map(|event| self.read(event)).collect();
        check_order(&view, &told);
        for id in told.iter().filter_map(|told| told.automation.as_deref()).collect::<BTreeSet<_>>() {
            self.check_automation(connection, &view, id);
        }
        for id in told.iter().filter_map(|told| told.run.as_deref()).collect::<BTreeSet<_>>() {
            self.check_run(&view, id);
        }
        self.pauses.check(connection);
        check_custody(connection);
        self.closes.step(connection);
        serving::check(connection);
        queues::check_lines(connection, now);
    }

    /// Looks at every row from the beginning.
    pub(crate) fn full(&mut self, connection: &Connection, now: Timestamp) {
        self.step(connection, now);
        let view = Tx::new(connection);
        let kept: i64 = connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
        assert_eq!(view.newest_seq().unwrap(), self.seq, "a number was used again, or lost");
        assert_eq!(view.pruned_through().unwrap() + kept, self.seq, "events are not contiguous");
        self.slots = accounts::check_answers(connection);
        check_endings(connection);
        let ids = texts(connection, "SELECT id FROM automations ORDER BY row");
        assert_eq!(ids.len(), self.automations.len(), "an automation was never told of, or is gone");
        for id in ids {
            self.check_automation(connection, &view, &id);
        }
        let ids = texts(connection, "SELECT id FROM runs ORDER BY row");
        let folded = "SELECT coalesce(sum(runs), 0) FROM accounts";
        let folded: i64 = connection.query_row(folded, [], |row| row.get(0)).unwrap();
        assert_eq!(
            ids.len() + usize::try_from(folded).unwrap(),
            self.runs.len(),
            "a run was never told of, or is gone without an account"
        );
        for id in &ids {
            self.check_run(&view, id);
        }
        let kept: BTreeSet<String> = ids.into_iter().collect();
        let gone = self.runs.iter().filter(|(id, _)| !kept.contains(*id));
        assert!(gone.into_iter().all(|(_, run)| is_ended(&run.state)), "a run was pruned that had not ended");
        let out_of_order = "SELECT id FROM (SELECT id, triggered_at, seen_at, lag(seen_at) OVER (ORDER BY row) AS before FROM runs)
             WHERE seen_at < triggered_at OR seen_at < before";
        assert_eq!(texts(connection, out_of_order), Vec::<String>::new(), "what runs have seen falls");
        let torn = "SELECT id FROM runs WHERE completed_at IS NOT NULL AND skipped IS NOT NULL";
        assert_eq!(texts(connection, torn), Vec::<String>::new(), "ended runs still count slots");
        check_product(&view);
    }

    fn read(&mut self, event: &StoredEvent) -> Told {
        assert_eq!(event.seq, self.seq + 1, "an event is missing");
        self.seq = event.seq;
        let bare = sentences::without_sentence(event);
        let payload: Value = serde_json::from_str(&bare).unwrap();
        match event.kind.as_str() {
            "run.updated" => self.read_run(&payload["run"], bare, event.important),
            "automation.updated" => {
                let id = text(&payload["automation"]["id"]);
                let known = self.automations.entry(id.clone()).or_default();
                assert!(!known.deleted, "news of a deleted automation: {payload}");
                assert_ne!(known.payload, bare, "an event that tells nothing new");
                check_revision(&known.automation, &payload["automation"]);
                let paused = self.pauses.read_automation(&known.automation, &payload["automation"], event);
                if let Some(reason) = paused {
                    *self.seen.entry(format!("automation>paused:{reason}")).or_default() += 1;
                }
                known.payload = bare;
                known.automation = payload["automation"].clone();
                Told { automation: Some(id), run: None, life: false }
            }
            "automation.deleted" => {
                let id = text(&payload["tombstone"]["id"]);
                let known = self.automations.get_mut(&id).unwrap();
                assert!(!known.deleted, "deleted twice: {payload}");
                known.deleted = true;
                Told { automation: Some(id), run: None, life: false }
            }
            "run.warning" => {
                assert!(event.important, "{payload}");
                let known = &self.runs[&text(&payload["run"]["id"])];
                let run = serde_json::from_str::<Value>(&known.payload).unwrap()["run"].take();
                assert_eq!(payload["run"], run, "a warning shows the run as it was told");
                Told { automation: None, run: None, life: false }
            }
            "scheduler.suspended" | "scheduler.clock" => {
                assert_ne!(payload["scheduler"]["from"], payload["scheduler"]["to"], "{payload}");
                Told { automation: None, run: None, life: false }
            }
            "lifecycle.completed" | "lifecycle.failed" => {
                self.closes.read(&event.kind, event.important, &payload["lifecycle"]);
                Told { automation: None, run: None, life: false }
            }
            "provider.updated" => {
                assert_eq!((event.important, payload["provider"]["id"].is_string()), (false, true));
                Told { automation: None, run: None, life: false }
            }
            "scheduler.owner" => Told { automation: None, run: None, life: false },
            other => panic!("an event of kind {other}"),
        }
    }

    fn read_run(&mut self, run: &Value, payload: String, important: bool) -> Told {
        let (id, state) = (text(&run["id"]), text(&run["state"]));
        let known = self.runs.get(&id);
        let before = known.map_or("new", |known| known.state.as_str());
        assert!(!is_ended(before), "an ended run has changed: {run}");
        let revision = run["revision"].as_i64().unwrap();
        assert_eq!(revision, known.map_or(0, |known| known.revision) + 1, "revision of {run}");
        check_fields(run, &state);
        self.pauses.read_run(run);
        self.asking.read_run(before, run);
        let reason = run["stopReason"].as_str().or(run["error"]["code"].as_str());
        let life = before == "new" || is_ended(&state);
        if before != state {
            let reason = reason.map(|reason| format!(":{reason}")).unwrap_or_default();
            *self.seen.entry(format!("{before}>{state}{reason}")).or_default() += 1;
        }
        let should_be_important = match state.as_str() {
            "failed" => true,
            // What is asked to end needs no answer any more.
            "awaiting_input" => run["stopping"].is_null(),
            "succeeded" => run["task"]["kind"] == "notify",
            _ => matches!(reason, Some("missed_schedule" | "expired")),
        };
        assert_eq!(important, should_be_important, "importance of {run}");
        self.runs.insert(id.clone(), KnownRun { payload, state, revision });
        Told { automation: Some(text(&run["automationID"])), run: Some(id), life }
    }

    fn check_automation(&mut self, connection: &Connection, view: &View<'_>, id: &str) {
        let known = self.automations.get(id).unwrap_or_else(|| panic!("{id} was never told of"));
        let (place, _, deleted) = view.automation_fate(&AutomationId::from_text(id)).unwrap().unwrap();
        assert_eq!(deleted, known.deleted, "whether {id} is deleted");
        // When it is due is known to whoever understands it; where it cannot be read at all, to nobody.
        let Ok(Stored::Known(row)) = view.stored_automation_at(place) else { return };
        assert_eq!(row.next_fire_at, derive::next_fire(&row), "what is due next of {id}");
        if !deleted {
            let served = serde_json::to_string(&derive::automation(view, &row).unwrap()).unwrap();
            assert_eq!(format!("{{\"automation\":{served}}}"), known.payload, "what was told of {id}");
        }
        let begin = Answered { through: row.epoch.effective_at, run: 0 };
        let epoch = (place, row.epoch.number);
        let answered = *self.slots.get(&epoch).unwrap_or(&begin);
        self.slots.insert(epoch, check_slots(connection, &row, answered));
    }

    fn check_run(&self, view: &View<'_>, id: &str) {
        let served = match view.stored_run(&RunId::from_text(id)).unwrap().unwrap() {
            // Its progress is told now and then.
            Stored::Known(row) if is_at_work(row.run.state().as_str()) => {
                return serving::check_told(&row, &self.runs[id].payload);
            }
            Stored::Known(row) => serde_json::to_string(&row.run).unwrap(),
            Stored::Later(row) => serde_json::to_string(&row.run).unwrap(),
        };
        assert_eq!(format!("{{\"run\":{served}}}"), self.runs[id].payload, "what was told of {id}");
    }
}

/// A revision is what somebody asked for: what follows from runs is never told together with it.
fn check_revision(before: &Value, now: &Value) {
    let (Some(last), Some(new)) = (before["revision"].as_i64(), now["revision"].as_i64()) else { return };
    if new == last {
        let changed = ["title", "rhythm", "stop", "fireAt", "task", "policy", "updatedAt"];
        let edited = changed.iter().find(|field| before[**field] != now[**field]);
        assert_eq!(edited, None, "an edit without a revision: {now}");
    } else {
        assert_eq!(new, last + 1, "the revision of {now}");
        for field in ["activeRuns", "lastRun"] {
            assert_eq!(before["state"][field], now["state"][field], "{field} with a new revision: {now}");
        }
    }
}

/// What users can have looked at finds nothing where all of the above holds.
fn check_product(view: &View<'_>) {
    for check in product::audit(view, |_| Presence::Alive).unwrap() {
        assert_eq!((check.outcome, check.findings), (Outcome::Ok, Vec::new()), "{:?}", check.subject);
    }
}

/// What follows for an automation is told directly after the run that caused it, if anything can be said of it.
fn check_order(view: &View<'_>, told: &[Told]) {
    for (place, event) in told.iter().enumerate().filter(|(_, event)| event.life) {
        let follows = told[place + 1..]
            .iter()
            .take_while(|later| later.automation == event.automation)
            .any(|later| later.run.is_none());
        let is_sound = |id: &String| {
            let fate = view.automation_fate(&AutomationId::from_text(id.clone())).unwrap();
            fate.is_none_or(|(place, _, _)| view.stored_automation_at(place).is_ok())
        };
        let expected = event.automation.as_ref().is_none_or(is_sound);
        assert!(follows || !expected, "no automation.updated directly after the news of {:?}", event.run);
    }
}

/// Every slot of the newest epoch up to the watermark has exactly one answer: walks over the schedule and over the answers at once.
fn check_slots(connection: &Connection, row: &AutomationRow, known: Answered) -> Answered {
    let schedule = row.definition.schedule().unwrap();
    let effective_at = row.epoch.effective_at;
    let mut answered = known;
    let sql = "SELECT row, slots_from, slots_to, slots_count FROM runs
               WHERE automation = ?1 AND row > ?2 AND epoch = ?3 AND slots_to IS NOT NULL ORDER BY row";
    let walk = |through: Timestamp, from: i64, to: i64, count: i64| {
        let next = |after| schedule.next_after(effective_at, after);
        let what = format!("{} slots {from}..={to} of {}, answered through {through}", count, row.id);
        assert_eq!(next(through), Some(Timestamp::from_millis(from)), "a gap or an overlap before {what}");
        let walked = std::iter::successors(next(through), |slot| next(*slot))
            .take_while(|slot| slot.as_millis() <= to)
            .take(usize::try_from(WALKED_SLOTS).unwrap());
        let slots: Vec<Timestamp> = walked.collect();
        if count.unsigned_abs() < WALKED_SLOTS {
            assert_eq!(slots.len(), usize::try_from(count).unwrap(), "how many are {what}");
            assert_eq!(slots.last().map(|slot| slot.as_millis()), Some(to), "the last of {what}");
        }
        Timestamp::from_millis(to)
    };
    let mut statement = connection.prepare_cached(sql).unwrap();
    let mut rows = statement.query((row.row, known.run, row.epoch.number)).unwrap();
    while let Some(run) = rows.next().unwrap() {
        let (place, from, to, count) =
            (run.get(0).unwrap(), run.get(1).unwrap(), run.get(2).unwrap(), run.get(3).unwrap());
        answered = Answered { through: walk(answered.through, from, to, count), run: place };
    }
    let sql = "SELECT skipped FROM runs WHERE automation = ?1 AND completed_at IS NULL ORDER BY row";
    let mut statement = connection.prepare_cached(sql).unwrap();
    let active: Vec<Option<String>> =
        statement.query_map([row.row], |run| run.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(active.iter().skip(1).all(Option::is_none), "only the oldest active run counts slots");
    let counted = active.into_iter().next().flatten().map(|skipped| {
        let skipped: Value = serde_json::from_str(&skipped).unwrap();
        let number = |name: &str| skipped[name].as_i64().unwrap();
        walk(answered.through, number("fromAt"), number("toAt"), number("count"))
    });
    assert_eq!(row.epoch.answered_through, counted.unwrap_or(answered.through), "watermark of {}", row.id);
    if let Some(ended_at) = row.epoch.ended_at
        && derive::runs_left(row) != Some(0)
    {
        let open = schedule.next_after(effective_at, row.epoch.answered_through);
        assert!(open.is_none_or(|open| open > ended_at), "a slot of {} was left open", row.id);
    }
    answered
}

/// What has ended says why, and whose doing that was.
fn check_endings(connection: &Connection) {
    for sql in [
        "SELECT count(*) FROM epochs WHERE (ended_at IS NULL) <> (ended_because IS NULL)",
        "SELECT count(*) FROM automations WHERE (deleted_at IS NULL) <> (deleted_by IS NULL)",
        "SELECT count(*) FROM epochs e JOIN automations a ON a.row = e.automation
         WHERE e.ended_at IS NULL AND (e.number < a.epoch OR a.deleted_at IS NOT NULL OR a.pause IS NOT NULL)",
    ] {
        let faults: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(faults, 0, "{sql}");
    }
}

/// Who has what: given to somebody who is there, one writer for each directory, held exactly as long as needed.
fn check_custody(connection: &Connection) {
    let rules = [
        (
            "is given to nobody",
            "completed_at IS NULL AND given_to IS NOT NULL AND given_to NOT IN (SELECT id FROM instances)",
        ),
        (
            "is given to an observer that did not ask for it",
            "completed_at IS NULL AND asked_by IS NOT given_to
               AND given_to IN (SELECT id FROM instances WHERE role = 'observer')",
        ),
        (
            "is given but does not hold its directory",
            "completed_at IS NULL AND given_to IS NOT NULL AND (access = 'write') <> holds_directory",
        ),
        ("holds a directory though nobody has it", "holds_directory = 1 AND given_to IS NULL"),
        (
            "holds a directory though nothing of it is left",
            "holds_directory = 1 AND completed_at IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = runs.row)",
        ),
        (
            "runs without a process",
            "state = 'running' AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = runs.row)",
        ),
        (
            "is a reminder that has not ended",
            "completed_at IS NULL AND
               (SELECT body ->> '$.task.kind' FROM definitions d WHERE d.row = runs.definition) = 'notify'",
        ),
        (
            "is given while the work of an earlier run of its automation has not gone",
            "completed_at IS NULL AND given_to IS NOT NULL AND EXISTS (SELECT 1 FROM runs o
               WHERE o.automation = runs.automation AND o.row < runs.row AND (o.completed_at IS NULL
                 OR EXISTS (SELECT 1 FROM processes p WHERE p.run = o.row)))",
        ),
        (
            "waits for an earlier run that has gone, or behind another than the one directly ahead",
            "waiting ->> '$.for' = 'previous' AND behind IS NOT coalesce(
               (SELECT id FROM runs o WHERE o.automation = runs.automation AND o.row < runs.row
                  AND o.completed_at IS NULL ORDER BY o.row DESC),
               (SELECT id FROM runs o JOIN processes p ON p.run = o.row
                  WHERE o.automation = runs.automation AND o.row < runs.row ORDER BY o.row DESC))",
        ),
        (
            "waits for something later than its previous run",
            "state = 'scheduled' AND given_to IS NULL
               AND coalesce(waiting ->> '$.for', '') IN ('', 'directory', 'capacity')
               AND EXISTS (SELECT 1 FROM runs o WHERE o.automation = runs.automation AND o.row < runs.row
                 AND (o.completed_at IS NULL OR EXISTS (SELECT 1 FROM processes p WHERE p.run = o.row)))",
        ),
        (
            "is the third of its automation that has not ended",
            "completed_at IS NULL AND 2 <= (SELECT count(*) FROM runs o
               WHERE o.automation = runs.automation AND o.row < runs.row AND o.completed_at IS NULL)",
        ),
        (
            "waits for its directory though it is not to",
            "if_busy = 'skip' AND waiting ->> '$.for' = 'directory'",
        ),
        (
            "tries again beside another run of its automation that is older",
            "completed_at IS NULL AND trigger ->> '$.kind' = 'retry' AND EXISTS (SELECT 1 FROM runs o
               WHERE o.automation = runs.automation AND o.row < runs.row AND o.completed_at IS NULL)",
        ),
        (
            "is still to begin though its automation is paused and nobody has asked for it",
            "state = 'scheduled' AND NOT asked_for
               AND NOT EXISTS (SELECT 1 FROM processes p WHERE p.run = runs.row)
               AND EXISTS (SELECT 1 FROM automations a WHERE a.row = runs.automation AND a.pause IS NOT NULL)",
        ),
        ("waits though it is given", "state = 'scheduled' AND given_to IS NOT NULL AND waiting IS NOT NULL"),
        (
            "shares its directory with another writer",
            "holds_directory = 1 AND EXISTS (SELECT 1 FROM runs o
               WHERE o.directory = runs.directory AND o.holds_directory = 1 AND o.row <> runs.row)",
        ),
    ];
    for (what, rule) in rules {
        let sql = format!("SELECT id FROM runs WHERE {rule}");
        let mut statement = connection.prepare_cached(&sql).unwrap();
        if let Some(run) = statement.query([]).unwrap().next().unwrap() {
            panic!("{} {what}", run.get::<_, String>(0).unwrap());
        }
    }
}

/// What belongs to a state is there, and only there; times never decrease.
fn check_fields(run: &Value, state: &str) {
    let times = [&run["triggeredAt"], &run["startedAt"], &run["completedAt"]].map(Value::as_i64);
    let known: Vec<i64> = times.into_iter().flatten().collect();
    assert!(known.is_sorted(), "times decrease in {run}");
    let scheduled_at = run["slots"]["toAt"].as_i64();
    assert_eq!(run["scheduledAt"].as_i64(), scheduled_at, "scheduledAt of {run}");
    let ended = is_ended(state);
    let rules = [
        ("completedAt", ended, true),
        ("startedAt", is_at_work(state), state != "scheduled"),
        ("instanceID", is_at_work(state), state != "scheduled"),
        ("blocker", state == "awaiting_input", state == "awaiting_input"),
        ("waiting", false, state == "scheduled"),
        ("stopping", false, !ended),
        ("skipped", false, !ended),
        ("result", state == "succeeded", true),
        ("error", state == "failed", true),
        ("stopReason", state == "stopped", true),
        ("end", false, ended),
        ("closedBy", false, run["stopReason"] == "shutdown"),
    ];
    for (field, must, may) in rules {
        let there = !run[field].is_null();
        assert!(there || !must, "{field} is missing in {run}");
        assert!(!there || may, "{field} does not belong in {run}");
    }
    for (field, only_in) in
        [("completedAt", ended), ("result", state == "succeeded"), ("error", state == "failed")]
    {
        assert!(run[field].is_null() || only_in, "{field} does not belong in {run}");
    }
}

fn is_at_work(state: &str) -> bool {
    matches!(state, "running" | "awaiting_input")
}

fn is_ended(state: &str) -> bool {
    matches!(state, "succeeded" | "failed" | "stopped")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare_cached(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}
