//! Rows that somebody else has written: a later version, a program of the user's, or a disk that forgets. The input says
//! what is written over what, and what is done then. Whatever it is, an automation that nobody has touched fires, and
//! nothing fires that is not understood.

use std::cell::{Cell, RefCell};

use rusqlite::types::{Value as Column, ValueRef};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sexton::domain::id::AutomationId;
use sexton::domain::later::AnyRun;
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ListAutomations, ListRuns, RestRequest};
use sexton::domain::shown::Voice;
use sexton::domain::simulation::SimulateRequest;
use sexton::domain::time::Timestamp;
use sexton::engine::audit::{self, Presence};
use sexton::engine::explain::{Foretold, explain};
use sexton::engine::simulate::{self, Around, Means, Patience};
use sexton::engine::tick::Duty;
use sexton::engine::{Progress, cancel, derive, pause, providers, retention};
use sexton::ledger::{EventFilter, Stored};

use super::made_up::{Choices, Written};
use super::world::{START, World};

/// What belongs to automations: the columns that say whose a row is, and those whose rows are looked at.
const OF_AUTOMATIONS: [(&str, &str); 5] = [
    ("automations", "SELECT row FROM automations WHERE id <> ?1 ORDER BY row"),
    (
        "definitions",
        "SELECT d.row FROM definitions d JOIN automations a ON a.row = d.automation WHERE a.id <> ?1",
    ),
    ("runs", "SELECT row FROM runs WHERE automation_id <> ?1 ORDER BY row"),
    ("runs", "SELECT row FROM runs WHERE automation_id <> ?1 AND completed_at IS NULL ORDER BY row"),
    ("events", "SELECT seq FROM events WHERE automation_id <> ?1 ORDER BY seq DESC LIMIT 20"),
];

/// What belongs to everybody. Without it nothing can be decided, and nothing may happen but a refusal.
const OF_ALL: [&str; 9] =
    ["clock", "terms", "ledger", "processes", "closes", "disturbances", "events", "answers", "automations"];

/// The most changes of one input.
const CHANGES: usize = 8;

/// How much passes between two looks, in milliseconds.
const PASSES: [i64; 6] = [0, 61_000, 1000, 3_600_000, 86_400_000 * 40, -90_000];

pub(crate) fn check(input: &[u8]) {
    thread_local! {
        static WORLD: RefCell<World> = RefCell::new(World::full_of_life());
    }
    WORLD.with(|world| {
        let mut world = world.borrow_mut();
        world.undo();
        world.connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        go_through(&mut world, &mut Choices::of(input));
        world.undo();
    });
}

/// Whose rows were changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Touched {
    /// Only those of other automations.
    Others,
    /// Some that belong to everybody.
    All,
}

fn go_through(world: &mut World, choices: &mut Choices<'_>) {
    let mut touched = Touched::Others;
    for _ in 0..1 + choices.below(CHANGES) {
        if choices.below(8) == 7 {
            touched = Touched::All;
            change_of_all(&world.connection, choices);
        } else {
            change_of_others(world, choices);
        }
    }
    while !choices.is_over() {
        world.pass(choices.pick(&PASSES).copied().unwrap_or_default());
        let done = happens(world, choices);
        if touched == Touched::Others
            && let Err(refusal) = done
        {
            panic!("what others say keeps everybody waiting: {refusal:?}");
        }
    }
    look(world, touched);
    if touched == Touched::Others {
        check_that_control_fires(world);
    }
}

// What is changed.

fn change_of_others(world: &World, choices: &mut Choices<'_>) {
    let Some((table, sql)) = choices.pick(&OF_AUTOMATIONS) else { return };
    let connection = &world.connection;
    let mut statement = connection.prepare_cached(sql).expect("a query");
    let rows = statement.query_map([world.control.as_str()], |row| row.get::<_, i64>(0)).expect("rows");
    let rows: Vec<i64> = rows.filter_map(Result::ok).collect();
    if let Some(row) = choices.pick(&rows) {
        change(connection, table, &format!("rowid = {row}"), choices);
    }
}

fn change_of_all(connection: &Connection, choices: &mut Choices<'_>) {
    let Some(table) = choices.pick(&OF_ALL) else { return };
    change(connection, table, "true", choices);
}

/// Changes one column of a row. What the database refuses by itself is not done.
fn change(connection: &Connection, table: &str, which: &str, choices: &mut Choices<'_>) {
    let columns: Vec<(String, bool)> = columns(connection, table);
    let Some((column, is_text)) = choices.pick(&columns) else { return };
    let found =
        connection.query_row(&format!("SELECT \"{column}\" FROM {table} WHERE {which} LIMIT 1"), [], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => None,
            })
        });
    let json = found.ok().flatten().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let (expression, value) = match (choices.below(8), json) {
        (0, _) => ("?1", Column::Null),
        (1, _) if *is_text => ("CAST(?1 AS TEXT)", Column::Blob(choices.bytes().to_vec())),
        (2, _) if *is_text => ("?1", Column::Text(a_word(choices))),
        (_, Some(json)) => {
            let mut written = Written::from(&json);
            let names = ["kind", "until", "by", "at", "now", "for", "later"].map(str::to_owned);
            for _ in 0..1 + choices.below(3) {
                written.mutate(choices, &names, &[]);
            }
            ("?1", Column::Text(written.text()))
        }
        (3, None) => ("?1", Column::Integer(i64::from(choices.byte()))),
        (4, None) => ("?1", Column::Integer(START.as_millis() + 60_000 * i64::from(choices.byte()))),
        (_, None) => {
            let numbers = [i64::MIN, i64::MAX, -1, 253_402_128_000_001, 1 << 53, i64::MAX - 1];
            ("?1", Column::Integer(choices.pick(&numbers).copied().unwrap_or_default()))
        }
    };
    let sql = format!("UPDATE OR IGNORE {table} SET \"{column}\" = {expression} WHERE {which}");
    let _ = connection.execute(&sql, params![value]);
}

fn a_word(choices: &mut Choices<'_>) -> String {
    let words = [
        "",
        "{",
        "null",
        "[]",
        "{}",
        "later",
        "succeeded",
        "running",
        "scheduled",
        "awaiting_input",
        "stopped",
        "failed",
        "unattended",
        "skip",
        "write",
        "editor",
        "/elsewhere",
        "Nowhere/Never",
        "0 0 31 2 *",
    ];
    choices.pick(&words).copied().unwrap_or_default().to_owned()
}

/// The columns of a table, and whether they hold texts.
fn columns(connection: &Connection, table: &str) -> Vec<(String, bool)> {
    // What says whose a row is would make it one of the automation that nobody is to touch.
    let sql = "SELECT name, type = 'TEXT' FROM pragma_table_info(?1)
               WHERE name NOT IN ('row', 'seq', 'only', 'automation', 'automation_id')";
    let mut statement = connection.prepare_cached(sql).expect("a query");
    let columns = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?))).expect("columns");
    columns.map(|column| column.expect("a column")).collect()
}

// What happens then.

/// One of the things that happen by themselves, or that somebody asks for.
fn happens(world: &mut World, choices: &mut Choices<'_>) -> Result<(), Refusal> {
    let automation = world.some_automation(choices);
    let rest = RestRequest { automation, note: None };
    match choices.below(10) {
        0..=3 => look_at_what_is_due(world, Duty::Owner),
        4 => look_at_what_is_due(world, Duty::Standby),
        5 => world.decide(|tx, context| {
            while retention::is_due(tx, context.limits.shared, context.now)?
                && retention::prune(tx, context)? == Progress::More
            {}
            Ok(())
        }),
        6 => may_be_refused(world.decide(|tx, context| pause::pause(tx, context, rest))),
        7 => may_be_refused(world.decide(|tx, context| pause::resume(tx, context, rest))),
        8 => match world.some_run(choices) {
            Some(run) => may_be_refused(world.decide(|tx, context| cancel::cancel(tx, context, &run))),
            None => Ok(()),
        },
        _ => {
            let orders = world.orders()?;
            match choices.pick(&orders) {
                Some(order) => may_be_refused(world.carry(order, choices.below(3))),
                None => Ok(()),
            }
        }
    }
}

/// What is asked of something whose rows say what nobody understands is refused. That is no reason to give up the ledger.
fn may_be_refused<T>(done: Result<T, Refusal>) -> Result<(), Refusal> {
    match done {
        Err(Refusal::Storage { reason, message }) if !reason.is_about_single_rows() => {
            Err(Refusal::Storage { reason, message })
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Decides what is due. Nothing begins that is not understood.
fn look_at_what_is_due(world: &mut World, duty: Duty) -> Result<(), Refusal> {
    let before = not_understood(world)?;
    world.tick(duty)?;
    for (id, row, runs) in before {
        let now = count_of_runs(&world.connection, row);
        let fired = now > runs && world.tx().automation(&id).is_err();
        assert!(!fired, "{id} is not understood and has fired");
    }
    Ok(())
}

/// The automations that this version does not understand, with their rows and the number of their runs.
fn not_understood(world: &World) -> Result<Vec<(AutomationId, i64, i64)>, Refusal> {
    let mut all = Vec::new();
    for id in &world.automations {
        let tx = world.tx();
        if let (Err(_), Ok(Some((row, _, _)))) = (tx.automation(id), tx.automation_fate(id)) {
            all.push((id.clone(), row, count_of_runs(&world.connection, row)));
        }
    }
    Ok(all)
}

fn count_of_runs(connection: &Connection, automation: i64) -> i64 {
    let sql = "SELECT count(*) FROM runs WHERE automation = ?1";
    connection.query_row(sql, [automation], |row| row.get(0)).expect("a number")
}

/// Time goes on, and the automation that nobody has touched has told people what it has to, for each minute.
fn check_that_control_fires(world: &mut World) {
    // The clock may have been set, and what waits for that to be believed waits for a while.
    let ahead = world.started_at().since_ms(world.now()).max(0);
    world.pass(ahead + 86_400_000);
    for _ in 0..5 {
        world.tick(Duty::Owner).expect("others keep nobody waiting");
        world.pass(60_000);
    }
    let sql = "SELECT max(slots_to) FROM runs WHERE automation_id = ?1 AND state = 'succeeded'";
    let last = world.connection.query_row(sql, [world.control.as_str()], |row| row.get::<_, Option<i64>>(0));
    let last = Timestamp::from_millis(last.expect("a row").unwrap_or_default());
    let late = world.now().since_ms(last);
    assert!(late <= 3 * 60_000, "the last fire was at {last}, {late} ms ago");
}

// What is looked at.

/// Everything is looked at in all ways. What cannot be read is told of, and nothing panics.
fn look(world: &World, touched: Touched) {
    let seen = [
        ("the list", look_at_automations(world, touched)),
        ("the runs", look_at_runs(world)),
        ("the explanations", look_at_explanations(world)),
        ("the audit", look_at_the_audit(world)),
        ("what is to come", foretell(world)),
    ];
    for (what, seen) in seen {
        if let (Touched::Others, Err(refusal)) = (touched, seen) {
            panic!("what others say keeps {what} from being shown: {refusal:?}");
        }
    }
}

fn look_at_automations(world: &World, touched: Touched) -> Result<(), Refusal> {
    let view = world.tx();
    let wanted = ListAutomations { limit: 100, ..ListAutomations::default() };
    let mut listed = Vec::new();
    for stored in view.list_automations(&wanted)? {
        let shown = derive::any_automation(&view, stored, Voice::Person);
        may_be_refused(shown.map(|shown| listed.push(json!(shown))))?;
    }
    let is_there = listed.iter().any(|shown| shown["id"] == world.control.as_str());
    assert!(is_there || touched == Touched::All, "{listed:?}");
    Ok(())
}

fn look_at_runs(world: &World) -> Result<(), Refusal> {
    let view = world.tx();
    for stored in view.list_runs(&ListRuns { limit: 100, ..ListRuns::default() })? {
        let run: AnyRun = match stored {
            Stored::Known(row) => row.run.into(),
            Stored::Later(row) => AnyRun::Later(Box::new(row.run)),
        };
        assert!(json!(run)["id"].is_string());
    }
    for event in view.events_after(0, &EventFilter::default(), 1000)? {
        assert!(event.seq > 0);
    }
    providers::providers(&view).map(drop)
}

fn look_at_explanations(world: &World) -> Result<(), Refusal> {
    for id in world.automations.iter().chain([&world.control]) {
        for at in [-61_000, 0, 3_600_000].map(|ms| world.now().plus_ms(ms)) {
            may_be_refused(explain(&world.tx(), world.now(), id, at, &Foretold::Nothing))?;
        }
    }
    Ok(())
}

fn look_at_the_audit(world: &World) -> Result<(), Refusal> {
    let checks = audit::audit(&world.tx(), |_| Presence::Alive)?;
    assert!(checks.iter().all(|check| !check.summary.is_empty()), "{checks:?}");
    Ok(())
}

fn foretell(world: &World) -> Result<(), Refusal> {
    let request = SimulateRequest {
        from: world.now(),
        to: world.now().plus_ms(600_000),
        ids: None,
        draft: None,
        assume_run_ms: None,
    };
    let looks = Cell::new(0);
    let patience = || {
        looks.set(looks.get() + 1);
        if looks.get() < 50 { Patience::Lasts } else { Patience::Over }
    };
    let around = Around {
        reading: world.reading(),
        boot: world.boot(),
        me: world.me(),
        limits: world.limits(),
        project: "/project",
        vcs: None,
        patience: &patience,
    };
    let prepared = simulate::prepare(&world.tx(), world.now(), request);
    let told = prepared.and_then(|prepared| simulate::simulate(prepared, &around, Means::Memory));
    told.map(drop)
}
