//! Pages of runs: the same, whichever way leads to them, and as cheap among many.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, StatementStatus};
use sexton::domain::id::{AutomationId, LedgerId, RunId};
use sexton::domain::request::ListRuns;
use sexton::domain::run::machine::{ErrorCode, State, StopReason};
use sexton::domain::run::{Ended, ErrorClass, Phase, RunError};
use sexton::domain::time::Timestamp;
use sexton::engine::tick::{Duty, tick};
use sexton::engine::{cancel, create};
use sexton::ledger::{RunRow, Tx, open_in_memory};

use crate::support::{Ids, NOW, arrive, decide, every_minute};

const MINUTE: i64 = 60_000;
const YEAR: i64 = 365 * 1440 * MINUTE;

/// Where the clock stands, in minutes: forward, back by a little, set wrong by a year either way, and back again.
const CLOCK: [(i64, i64); 8] = [
    (10, 40),
    (35, 60),
    (YEAR / MINUTE, YEAR / MINUTE + 15),
    (60, 90),
    (-YEAR / MINUTE, 10 - YEAR / MINUTE),
    (90, 120),
    (119, 121),
    (115, 150),
];

/// A ledger with two automations, and the ended run of each.
struct Paged {
    connection: Connection,
    models: Vec<RunRow>,
}

impl Paged {
    fn new() -> Self {
        let connection = open_in_memory(LedgerId::from_unique("x")).unwrap();
        let (tx, mut ids) = (Tx::new(&connection), Ids(0));
        arrive(&tx, "me").unwrap();
        let mut made = Vec::new();
        for _ in 0..2 {
            let it = decide(&tx, &mut ids, NOW, |tx, context| create::create(tx, context, every_minute()));
            made.push(it.unwrap().id);
        }
        let now = NOW.plus_ms(MINUTE);
        decide(&tx, &mut ids, now, |tx, context| tick(tx, context, Duty::Owner, &[])).unwrap();
        let mut models = Vec::new();
        for id in made {
            let automation = tx.automation(&id).unwrap().unwrap().row;
            let run = tx.oldest_active_run(automation).unwrap().unwrap();
            decide(&tx, &mut ids, now, |tx, context| cancel::cancel(tx, context, &run.run.id)).unwrap();
            models.push(tx.run(&run.run.id).unwrap().unwrap());
        }
        Paged { connection, models }
    }

    /// A run like others, in one of three states.
    fn add(&self, number: usize, at: Timestamp) {
        let mut row = self.models[number % 2].clone();
        let ended = Ended { started_at: None, completed_at: at, process: None, closed_by: None };
        row.run.id = RunId::from_unique(&format!("copy{number}"));
        (row.run.slots, row.run.triggered_at) = (None, at);
        row.run.phase = match number % 5 {
            0 => Phase::Failed { ended, error: failed() },
            1 | 2 => Phase::Scheduled { waiting: None, stopping: None },
            _ => Phase::Stopped { ended, reason: StopReason::Cancelled },
        };
        Tx::new(&self.connection).insert_run(&row).unwrap();
    }

    /// Every run, read without any index.
    fn all(&self) -> Vec<RunRow> {
        let mut statement = self.connection.prepare("SELECT row FROM runs ORDER BY +row DESC").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap);
        rows.map(|row| Tx::new(&self.connection).run_at(row).unwrap()).collect()
    }

    fn fold(&self, rows: impl IntoIterator<Item = RunRow>) {
        for row in rows.into_iter().filter(|row| !row.run.state().is_active()) {
            Tx::new(&self.connection).fold(row.row).unwrap();
        }
    }
}

fn failed() -> RunError {
    RunError { code: ErrorCode::ExecutionFailed, message: "exit code 1".to_owned(), class: ErrorClass::Task }
}

fn page(paged: &Paged, wanted: &ListRuns) -> Vec<i64> {
    let rows = Tx::new(&paged.connection).list_runs(wanted).unwrap();
    rows.into_iter().map(|row| row.known().unwrap().row).collect()
}

/// What a page is, said without the ways to it.
fn expected(all: &[RunRow], wanted: &ListRuns) -> Vec<i64> {
    let matches = |row: &&RunRow| {
        wanted.automation.as_ref().is_none_or(|id| row.run.automation_id == *id)
            && (wanted.states.is_empty() || wanted.states.contains(&row.run.state()))
            && wanted.from.is_none_or(|from| row.run.triggered_at >= from)
            && wanted.to.is_none_or(|to| row.run.triggered_at <= to)
            && wanted.before.is_none_or(|before| row.row < before)
    };
    all.iter().filter(matches).map(|row| row.row).take(wanted.limit).collect()
}

/// Compares pages of every kind; gives how many of them had something to show.
fn compare(paged: &Paged) -> usize {
    let all = paged.all();
    let automations: Vec<Option<AutomationId>> = [None]
        .into_iter()
        .chain(paged.models.iter().map(|row| Some(row.run.automation_id.clone())))
        .collect();
    let states = [
        vec![],
        vec![State::Scheduled],
        vec![State::Failed],
        vec![State::Stopped, State::Running, State::Scheduled],
    ];
    let minutes = [-YEAR / MINUTE + 3, 0, 37, 62, 119, YEAR / MINUTE + 4, 2 * YEAR / MINUTE];
    let times: Vec<Option<Timestamp>> =
        [None].into_iter().chain(minutes.map(|minute| Some(NOW.plus_ms(minute * MINUTE)))).collect();
    let mut shown = 0;
    for automation in &automations {
        for states in &states {
            for (from, to) in times.iter().flat_map(|from| times.iter().map(move |to| (*from, *to))) {
                for (before, limit) in [(None, 40), (Some(all[all.len() / 2].row), 7)] {
                    let (automation, states) = (automation.clone(), states.clone());
                    let wanted = ListRuns { automation, states, from, to, before, limit };
                    let found = page(paged, &wanted);
                    assert_eq!(found, expected(&all, &wanted), "{wanted:?}");
                    shown += usize::from(!found.is_empty());
                }
            }
        }
    }
    shown
}

#[test]
fn a_page_of_runs_is_the_same_whichever_way_it_is_found() {
    let paged = Paged::new();
    for (turn, (from, to)) in CLOCK.into_iter().enumerate() {
        for minute in from..to {
            let number = turn * 1000 + usize::try_from(minute - from).unwrap();
            paged.add(number, NOW.plus_ms(minute * MINUTE));
        }
        assert!(compare(&paged) > 100);
        match turn {
            // The newest ones, which the clock that is a year ahead has left.
            2 => paged.fold(paged.all().into_iter().take(9)),
            // Some from everywhere, so that the first and the last of a time are gone as well.
            1 | 5 => paged.fold(paged.all().into_iter().step_by(3)),
            _ => {}
        }
    }
    assert!(compare(&paged) > 300);
}

#[test]
fn times_are_found_when_every_run_that_saw_a_wrong_clock_is_gone() {
    let paged = Paged::new();
    // Numbers of runs that have ended.
    for number in [3, 4, 5] {
        paged.add(number, NOW.plus_ms(YEAR));
    }
    paged.fold(paged.all());
    assert_eq!(paged.all().len(), 0);
    assert_eq!(
        page(&paged, &ListRuns { from: Some(NOW), limit: 9, ..Default::default() }),
        Vec::<i64>::new()
    );
    paged.add(8, NOW);
    paged.add(9, NOW.plus_ms(MINUTE));
    let set_back = "SELECT count(*) FROM runs WHERE triggered_at < seen_at";
    assert_eq!(paged.connection.query_row(set_back, [], |row| row.get(0)), Ok(0));
    compare(&paged);
}

/// The most steps that SQLite's machine takes for one of these pages among so many runs, a minute apart.
fn steps_among(runs: i64) -> i64 {
    let mut paged = Paged::new();
    for number in 0..runs {
        // Now and then a clock is corrected by a little.
        let back = if number % 100 == 0 { 3 } else { 0 };
        // Failures are rare, and the newest one of the first automation is old.
        let kind = if number == 10 { 0 } else { 3 + number % 2 };
        let copy = usize::try_from(10 * number + kind).unwrap();
        paged.add(copy, NOW.plus_ms((number - back) * MINUTE));
    }
    let steps = Arc::new(AtomicI64::new(0));
    let counted = steps.clone();
    let count = move |event: TraceEvent<'_>| {
        if let TraceEvent::Profile(statement, _) = event {
            counted.fetch_add(statement.get_status(StatementStatus::VmStep).into(), Ordering::Relaxed);
        }
    };
    paged.connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(count)).unwrap();
    let at = |minute: i64| Some(NOW.plus_ms(minute * MINUTE));
    let first = Some(paged.models[0].run.automation_id.clone());
    let rare = vec![State::Failed, State::Scheduled];
    let everything = ListRuns { limit: 5, ..Default::default() };
    let pages = [
        ListRuns { to: at(50), ..everything.clone() },
        ListRuns { from: at(30), to: at(32), ..everything.clone() },
        ListRuns { from: at(runs - 2), ..everything.clone() },
        ListRuns { from: at(runs + 2), ..everything.clone() },
        ListRuns { to: at(-60), ..everything.clone() },
        ListRuns { automation: first.clone(), to: at(50), ..everything.clone() },
        ListRuns { automation: first.clone(), from: at(runs - 2), ..everything.clone() },
        ListRuns { automation: first.clone(), states: rare.clone(), ..everything.clone() },
        ListRuns { states: vec![State::Stopped], to: at(50), ..everything.clone() },
        ListRuns { automation: first, states: rare, from: at(20), before: Some(runs), ..everything },
    ];
    let (all, mut most) = (paged.all(), 0);
    for wanted in pages {
        // Counters are those of a statement, as long as it is kept.
        paged.connection.flush_prepared_statement_cache();
        steps.store(0, Ordering::Relaxed);
        let found = page(&paged, &wanted);
        most = most.max(steps.load(Ordering::Relaxed));
        assert_eq!(found, expected(&all, &wanted), "{wanted:?}");
    }
    most
}

#[test]
fn a_page_of_runs_takes_as_many_steps_among_many() {
    let (few, many) = (steps_among(200), steps_among(3000));
    assert!(few > 0 && many < 2 * few, "{many} steps among 3000 runs, {few} among 200");
}
