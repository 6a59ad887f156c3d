//! What the ledger and the spawn log say at the end, held against each other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::Command;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::life::{Rest, Told, Window, digest, sidecar};
use crate::support::client::Client;
use crate::support::{DEADLINE, Place, audit, clock, ledger};

/// Why a run that has begun may have been stopped.
const STOPPED_AT_WORK: [&str; 6] = [
    "stopped interrupted",
    "stopped shutdown",
    "stopped cancelled",
    "stopped superseded",
    // It was asked to end by a delete or a pause while it began.
    "stopped paused",
    "stopped ended",
];

/// A ledger in which nothing happens any more.
pub(super) struct Audit<'a> {
    place: &'a Place,
    ledger: Connection,
}

/// What was found.
pub(super) struct Found {
    lines: usize,
    served: usize,
    epochs: usize,
    slots: i64,
    outcomes: BTreeMap<String, usize>,
    terms: i64,
}

impl std::fmt::Display for Found {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let runs: usize = self.outcomes.values().sum();
        write!(
            to,
            "{} slots in {} epochs, each answered for once by one of {runs} runs ({:?}); {} spawns and {} starts in windows, none of them twice; {} owners, one after the other",
            self.slots, self.epochs, self.outcomes, self.lines, self.served, self.terms
        )
    }
}

struct Run {
    outcome: String,
    automation: String,
    epoch: i64,
    scheduled_at: i64,
}

struct Epoch {
    automation: i64,
    number: i64,
    title: String,
    every_ms: i64,
    effective_at: i64,
    answered_through: i64,
    ended_at: Option<i64>,
}

impl<'a> Audit<'a> {
    pub(super) fn of(place: &'a Place, window: &Client) -> Audit<'a> {
        let state = ledger::directory(window);
        Audit { place, ledger: ledger::open(state.join("ledger.db")) }
    }

    /// Everything that has to be so, whatever was done.
    pub(super) fn check_all(&self, rest: &Rest) -> Found {
        let (lines, outcomes) = self.every_line_belongs_to_a_run_of_its_own(&rest.begun);
        let (epochs, slots) = self.every_slot_is_answered_for_once();
        self.nothing_is_left(&rest.windows);
        self.doctor_finds_nothing();
        let terms = self.number("SELECT max(term) FROM terms");
        Found { lines, served: rest.begun.len(), epochs, slots, outcomes, terms }
    }

    fn number(&self, sql: &str) -> i64 {
        audit::number(&self.ledger, sql)
    }

    /// What users would ask.
    fn doctor_finds_nothing(&self) {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_sexton"));
        doctor.args(["doctor", "--audit", "--json", "--project"]).arg(self.place.project());
        doctor.env("SEXTON_STATE_DIR", self.place.state());
        let output = doctor.output().expect("a doctor");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(report["sound"], true, "{report:#}");
        let findings: Vec<&Value> = report["checks"]
            .as_array()
            .expect("checks")
            .iter()
            .flat_map(|check| check["findings"].as_array().expect("findings"))
            .collect();
        assert!(findings.is_empty(), "{findings:#?}");
    }

    fn nothing_is_left(&self, windows: &[Window]) {
        let living = windows.iter().map(|window| window.client.pid()).collect();
        audit::nothing_is_left(&self.ledger, self.place, &living);
        // All windows that carry prompts out may have been killed, and others be about to.
        let failed = "SELECT count(*) FROM runs WHERE state = 'failed' AND error ->> '$.code' <> 'provider_unavailable'";
        assert_eq!(self.number(failed), 0, "runs that have failed: nothing is wrong with any of their work");
    }

    /// The ranges of each epoch of an interval follow each other without a gap, from its beginning to its end.
    fn every_slot_is_answered_for_once(&self) -> (usize, i64) {
        let sql = "SELECT e.automation, e.number, d.body ->> '$.title', d.body ->> '$.rhythm.everyMs', e.effective_at,
                          e.answered_through, e.ended_at
                   FROM epochs e JOIN definitions d ON d.row = e.definition
                   WHERE d.body ->> '$.rhythm.kind' = 'interval' ORDER BY e.automation, e.number";
        let mut statement = self.ledger.prepare(sql).expect("a query");
        let epochs = statement.query_map([], |row| {
            Ok(Epoch {
                automation: row.get(0)?,
                number: row.get(1)?,
                title: row.get(2)?,
                every_ms: row.get(3)?,
                effective_at: row.get(4)?,
                answered_through: row.get(5)?,
                ended_at: row.get(6)?,
            })
        });
        let epochs: Vec<Epoch> = epochs.expect("rows").map(|row| row.expect("an epoch")).collect();
        assert!(epochs.len() >= super::AUTOMATIONS.len(), "an epoch for each automation");
        (epochs.len(), epochs.iter().map(|epoch| self.follow(epoch)).sum())
    }

    fn follow(&self, epoch: &Epoch) -> i64 {
        let Epoch { automation, number, title, every_ms, effective_at, answered_through, ended_at } = epoch;
        let what = format!("{title}, epoch {number}");
        let sql = "SELECT slots_from, slots_to, slots_count, id FROM runs
                   WHERE automation = ?1 AND epoch = ?2 AND slots_to IS NOT NULL ORDER BY slots_from";
        let mut statement = self.ledger.prepare_cached(sql).expect("a query");
        let mut rows = statement.query([automation, number]).expect("rows");
        let (mut answered, mut slots) = (*effective_at, 0);
        while let Some(row) = rows.next().expect("a row") {
            let number = |at| row.get::<_, i64>(at).expect("a number");
            let (from, to, count, id) = (number(0), number(1), number(2), row.get::<_, String>(3));
            assert_eq!(
                from,
                answered + every_ms,
                "{what}: slots that nothing or two answer for, before {id:?} {from}..={to}"
            );
            assert_eq!((to - from) % every_ms, 0, "{what}: {id:?} {from}..={to}");
            // A count that large says "at least".
            let there = (to - from) / every_ms + 1;
            assert!(
                count == there || (count >= 10_000 && count < there),
                "{what}: {id:?} {from}..={to} {count}"
            );
            (answered, slots) = (to, slots + count);
        }
        assert!(
            answered == *answered_through || slots == 0,
            "{what}: the watermark {answered_through}, {answered}"
        );
        let through = answered.max(*answered_through);
        assert!(
            ended_at.is_none_or(|ended_at| through + every_ms > ended_at),
            "{what}: {through}, {ended_at:?}"
        );
        slots
    }

    fn runs(&self) -> HashMap<String, Run> {
        let sql = "SELECT id, state, coalesce(stop_reason, error ->> '$.code', ''), automation_id, epoch,
                          coalesce(scheduled_at, 0) FROM runs";
        let mut statement = self.ledger.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| {
            let outcome = format!("{} {}", row.get::<_, String>(1)?, row.get::<_, String>(2)?);
            let outcome = outcome.trim_end().to_owned();
            let (automation, epoch, scheduled_at) = (row.get(3)?, row.get(4)?, row.get(5)?);
            Ok((row.get(0)?, Run { outcome, automation, epoch, scheduled_at }))
        });
        rows.expect("rows").map(|row| row.expect("a run")).collect()
    }

    /// Each line was written by another run, for another slot; no run has succeeded without one, or without a window that
    /// was told to begin it.
    fn every_line_belongs_to_a_run_of_its_own(
        &self,
        served: &HashSet<String>,
    ) -> (usize, BTreeMap<String, usize>) {
        let runs = self.runs();
        let lines = self.place.lines("log");
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
            let other = slots.insert((automation, found.epoch, slot), run).filter(|_| slot != "0");
            assert_eq!(other, None, "the slot of {line:?} was carried out twice");
            let may = found.outcome == "succeeded" || STOPPED_AT_WORK.contains(&found.outcome.as_str());
            assert!(may, "{line:?} was written, and the run is {}", found.outcome);
        }
        let mut outcomes = BTreeMap::new();
        let silent = self.runs_of_reminders();
        for (id, run) in &runs {
            let done = run.outcome != "succeeded" || begun.contains_key(id.as_str()) || silent.contains(id);
            assert!(done || served.contains(id), "{id} has succeeded, and nobody has begun it");
            *outcomes.entry(run.outcome.clone()).or_default() += 1;
        }
        assert!(served.iter().all(|run| runs.contains_key(run)), "runs that were begun and are not there");
        (lines.len(), outcomes)
    }

    /// Nothing is executed for them.
    fn runs_of_reminders(&self) -> HashSet<String> {
        let sql = "SELECT r.id FROM runs r JOIN definitions d ON d.row = r.definition
                   WHERE d.body ->> '$.task.kind' = 'notify'";
        let mut statement = self.ledger.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a run")).collect()
    }

    /// All windows were told the same, those that have gone as far as they came. Gives how many events there are.
    pub(super) fn same_history(&self, rest: &mut Rest) -> i64 {
        let (windows, gone) = (&mut rest.windows, &rest.told);
        let mut late = sidecar(self.place, &rest.machine).option("role", json!("observer")).open();
        // The windows have held each of them against it.
        late.check_share(0, 1000);
        let subscription = late.subscribe(json!({"after": 0}));
        let end = self.number("SELECT max(seq) FROM events");
        let mut whole = Told::new();
        until_the_end(end, || {
            late.listen_for(DEADLINE / 100);
            late.take_in();
            whole.extend(late.take_events(&subscription).iter().map(digest));
            last(&whole)
        });
        assert!(whole.iter().map(|(seq, _)| *seq).eq(1..=end), "the whole history has every event once");
        for window in &mut *windows {
            until_the_end(end, || {
                window.client.listen_for(DEADLINE / 100);
                window.take_in();
                last(window.told())
            });
            part_of(&whole, window.told());
        }
        gone.iter().for_each(|told| part_of(&whole, told));
        let told: usize = gone.iter().map(Vec::len).sum();
        assert!(told > 10 * gone.len(), "those that have gone were told of life");
        // That it goes is an event as well.
        late.finish();
        end
    }
}

fn last(told: &Told) -> Option<i64> {
    told.last().map(|(seq, _)| *seq)
}

fn until_the_end(end: i64, mut hear: impl FnMut() -> Option<i64>) {
    let (mut heard, mut heard_at) = (None, clock());
    while heard < Some(end) {
        let now = hear();
        assert!(now <= Some(end), "more than there is");
        if now > heard {
            (heard, heard_at) = (now, clock());
        }
        assert!(heard_at.elapsed() < DEADLINE, "the events end with {heard:?}, and there are {end}");
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
