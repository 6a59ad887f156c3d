//! What the ledger and the spawn log say at the end, held against each other.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use serde_json::json;

use super::life::{Told, Window, digest};
use crate::support::{Place, audit, ledger};

/// A ledger in which nothing happens any more.
pub(super) struct Audit {
    ledger: Connection,
}

/// What was found.
pub(super) struct Found {
    lines: usize,
    slots: i64,
    outcomes: BTreeMap<String, usize>,
    terms: i64,
}

impl std::fmt::Display for Found {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let runs: usize = self.outcomes.values().sum();
        write!(
            to,
            "{} slots, each answered for once by one of {runs} runs ({:?}); {} spawns, none of them twice; {} owners, one after the other",
            self.slots, self.outcomes, self.lines, self.terms
        )
    }
}

struct Run {
    outcome: String,
    automation: String,
    scheduled_at: i64,
}

struct Epoch {
    automation: i64,
    title: String,
    every_ms: i64,
    effective_at: i64,
    answered_through: i64,
    ended_at: i64,
}

impl Audit {
    pub(super) fn of(window: &Window) -> Audit {
        let state = ledger::directory(&window.client);
        Audit { ledger: ledger::open(state.join("ledger.db")) }
    }

    /// Everything that has to be so, whatever was done.
    pub(super) fn check_all(&self, place: &Place, windows: &[Window]) -> Found {
        self.nothing_is_left(place, windows);
        let slots = self.every_slot_is_answered_for_once();
        let (lines, outcomes) = self.every_line_belongs_to_a_run_of_its_own(place);
        let terms = self.number("SELECT max(term) FROM terms");
        Found { lines, slots, outcomes, terms }
    }

    fn number(&self, sql: &str) -> i64 {
        audit::number(&self.ledger, sql)
    }

    fn nothing_is_left(&self, place: &Place, windows: &[Window]) {
        let living = windows.iter().map(|window| window.client.pid()).collect();
        audit::nothing_is_left(&self.ledger, place, &living);
        audit::locks_are_of_instances(&self.ledger, 0);
        let failed = "SELECT count(*) FROM runs WHERE state = 'failed'";
        assert_eq!(self.number(failed), 0, "runs that have failed: nothing is wrong with any command");
    }

    /// The ranges of each automation follow each other without a gap, from its beginning to its end.
    fn every_slot_is_answered_for_once(&self) -> i64 {
        let sql = "SELECT e.automation, d.body ->> '$.title', d.body ->> '$.rhythm.everyMs', e.effective_at,
                          e.answered_through, e.ended_at
                   FROM epochs e JOIN definitions d ON d.row = e.definition ORDER BY e.automation";
        let mut statement = self.ledger.prepare(sql).expect("a query");
        let epochs = statement.query_map([], |row| {
            Ok(Epoch {
                automation: row.get(0)?,
                title: row.get(1)?,
                every_ms: row.get(2)?,
                effective_at: row.get(3)?,
                answered_through: row.get(4)?,
                ended_at: row.get(5)?,
            })
        });
        let epochs: Vec<Epoch> = epochs.expect("rows").map(|row| row.expect("an epoch")).collect();
        assert_eq!(epochs.len(), super::AUTOMATIONS.len(), "one epoch for each automation");
        epochs.iter().map(|epoch| self.follow(epoch)).sum()
    }

    fn follow(&self, epoch: &Epoch) -> i64 {
        let Epoch { automation, title, every_ms, effective_at, answered_through, ended_at } = epoch;
        let sql = "SELECT slots_from, slots_to, slots_count, id FROM runs
                   WHERE automation = ?1 AND slots_to IS NOT NULL ORDER BY slots_from";
        let mut statement = self.ledger.prepare(sql).expect("a query");
        let mut rows = statement.query([automation]).expect("rows");
        let (mut answered, mut slots) = (*effective_at, 0);
        while let Some(row) = rows.next().expect("a row") {
            let number = |at| row.get::<_, i64>(at).expect("a number");
            let (from, to, count, id) = (number(0), number(1), number(2), row.get::<_, String>(3));
            assert_eq!(
                from,
                answered + every_ms,
                "{title}: slots that nothing or two answer for, before {id:?} {from}..={to}"
            );
            assert_eq!((to - from) % every_ms, 0, "{title}: {id:?} {from}..={to}");
            assert_eq!((to - from) / every_ms + 1, count, "{title}: {id:?} {from}..={to}");
            (answered, slots) = (to, slots + count);
        }
        assert_eq!(answered, *answered_through, "{title}: the watermark");
        assert!(answered + every_ms > *ended_at, "{title}: slots up to its end at {ended_at}, {answered}");
        assert!(slots > 1, "{title}: {slots}");
        slots
    }

    fn runs(&self) -> HashMap<String, Run> {
        let sql = "SELECT id, state, coalesce(stop_reason, error ->> '$.code', ''), automation_id,
                          coalesce(scheduled_at, 0) FROM runs";
        let mut statement = self.ledger.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| {
            let outcome = format!("{} {}", row.get::<_, String>(1)?, row.get::<_, String>(2)?);
            let outcome = outcome.trim_end().to_owned();
            Ok((row.get(0)?, Run { outcome, automation: row.get(3)?, scheduled_at: row.get(4)? }))
        });
        rows.expect("rows").map(|row| row.expect("a run")).collect()
    }

    /// Each line was written by another run, for another slot; no run that has succeeded is without one.
    fn every_line_belongs_to_a_run_of_its_own(&self, place: &Place) -> (usize, BTreeMap<String, usize>) {
        let runs = self.runs();
        let lines = place.lines("log");
        let (mut begun, mut slots) = (HashMap::new(), HashMap::new());
        for line in &lines {
            let words: Vec<&str> = line.split(' ').collect();
            let [automation, slot, run, pid] = words[..] else { panic!("{line:?}") };
            let found = runs.get(run).unwrap_or_else(|| panic!("there is no run of {line:?}"));
            assert_eq!(
                (found.automation.as_str(), found.scheduled_at.to_string().as_str()),
                (automation, slot)
            );
            let other = begun.insert(run, pid);
            assert_eq!(other, None, "the run of {line:?} was begun twice");
            let other = slots.insert((automation, slot), run);
            assert_eq!(other, None, "the slot of {line:?} was carried out twice");
            let may =
                ["succeeded", "stopped interrupted", "stopped paused"].contains(&found.outcome.as_str());
            assert!(may, "{line:?} was written, and the run is {}", found.outcome);
        }
        let mut outcomes = BTreeMap::new();
        for (id, run) in &runs {
            let done = run.outcome != "succeeded" || begun.contains_key(id.as_str());
            assert!(done, "{id} has succeeded and written nothing");
            *outcomes.entry(run.outcome.clone()).or_default() += 1;
        }
        (lines.len(), outcomes)
    }

    /// All windows were told the same, those that have gone as far as they came. Gives how many events there are.
    pub(super) fn same_history(&self, place: &Place, windows: &mut [Window], gone: &[Told]) -> i64 {
        let mut late = place.sidecar().option("role", json!("observer")).open();
        let subscription = late.subscribe(json!({"after": 0}));
        let end = self.number("SELECT max(seq) FROM events");
        let is_last = |event: &serde_json::Value| event["seq"].as_i64() >= Some(end);
        late.wait_for_event("the last event", is_last);
        let whole: Told = late.events(&subscription).iter().map(digest).collect();
        late.finish();
        assert_eq!(whole.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..=end).collect::<Vec<_>>());
        for window in &mut *windows {
            window.client.wait_for_event("the last event", is_last);
            let told = window.told();
            assert_eq!(told.last().map(|(seq, _)| *seq), Some(end), "its last event");
            part_of(&whole, &told);
        }
        gone.iter().for_each(|told| part_of(&whole, told));
        assert!(
            gone.iter().map(Vec::len).sum::<usize>() > 10 * gone.len(),
            "those that have gone were told of life"
        );
        end
    }
}

/// What a window was told is a part of the whole, without a gap.
fn part_of(whole: &Told, told: &Told) {
    let Some((first, _)) = told.first() else { return };
    let from = usize::try_from(first - 1).expect("a seq");
    let differs = told.iter().zip(&whole[from..]).find(|(one, other)| one != other);
    assert_eq!(differs, None, "a window was told otherwise");
    assert!(from + told.len() <= whole.len(), "a window was told more than there is");
}
