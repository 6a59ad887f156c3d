//! The second net: what the database itself refuses, whatever the engine believes.

use rusqlite::Connection;
use sexton::domain::id::{AutomationId, LedgerId};
use sexton::domain::refusal::Refusal;
use sexton::engine::tick::{Duty, tick};
use sexton::engine::{create, report, trigger};
use sexton::ledger::{Begun, Guard, LedgerError, Tx, open_in_memory};

use crate::support::{Ids, NOW, arrive, decide, every_minute};

const MINUTE: i64 = 60_000;

/// A ledger with an automation and a run that answers for its first slot.
fn with_one_answer() -> (Connection, AutomationId, Ids) {
    let connection = open_in_memory(LedgerId::from_unique("x")).unwrap();
    let mut ids = Ids(0);
    let tx = Tx::new(&connection);
    arrive(&tx, "me").unwrap();
    let created = decide(&tx, &mut ids, NOW, |tx, context| create::create(tx, context, every_minute()));
    decide(&tx, &mut ids, NOW.plus_ms(MINUTE), |tx, context| tick(tx, context, Duty::Owner, &[])).unwrap();
    let id = created.unwrap().id;
    (connection, id, ids)
}

fn is_constraint(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Broken(why) if why.contains("constraint failed"))
}

#[test]
fn no_two_runs_answer_for_the_same_slot() {
    let (connection, id, _) = with_one_answer();
    let tx = Tx::new(&connection);
    let automation = tx.automation(&id).unwrap().unwrap();
    let mut again = tx.oldest_active_run(automation.row).unwrap().unwrap();
    again.run.id = sexton::domain::id::RunId::from_unique("again");
    again.holds_directory = false;
    assert!(is_constraint(&tx.insert_run(&again).unwrap_err()));
    let slots = again.run.slots.as_mut().unwrap();
    slots.to_at = slots.to_at.plus_ms(MINUTE);
    tx.insert_run(&again).unwrap();
}

#[test]
fn no_two_runs_hold_the_same_directory() {
    let (connection, id, mut ids) = with_one_answer();
    let tx = Tx::new(&connection);
    let created = decide(&tx, &mut ids, NOW, |tx, context| create::create(tx, context, every_minute()));
    let request = sexton::domain::request::RunRequest {
        automation: created.unwrap().id,
        attendance: sexton::domain::run::Attendance::Attended,
        key: None,
        context: None,
        if_busy: None,
        executor: sexton::domain::request::Executor::Asker,
    };
    let waiting = decide(&tx, &mut ids, NOW, |tx, context| trigger::trigger(tx, context, request)).unwrap();
    let mut second = tx.run(&waiting.id).unwrap().unwrap();
    second.holds_directory = true;
    assert!(is_constraint(&tx.update_run(&second).unwrap_err()));
    let automation = tx.automation(&id).unwrap().unwrap();
    let mut first = tx.oldest_active_run(automation.row).unwrap().unwrap();
    first.holds_directory = false;
    tx.update_run(&first).unwrap();
    tx.update_run(&second).unwrap();
}

#[test]
fn a_watermark_moves_only_from_where_it_is() {
    let (connection, id, _) = with_one_answer();
    let tx = Tx::new(&connection);
    let mut known = tx.automation(&id).unwrap().unwrap();
    let mut stale = known.clone();
    tx.move_watermark(&mut known, NOW.plus_ms(2 * MINUTE)).unwrap();
    let refused = tx.move_watermark(&mut stale, NOW.plus_ms(2 * MINUTE)).unwrap_err();
    assert!(refused.to_string().contains("answered for by somebody else"), "{refused}");
    let stored = tx.automation(&id).unwrap().unwrap().epoch.answered_through;
    assert_eq!(stored, NOW.plus_ms(2 * MINUTE));
}

#[test]
fn a_run_begins_once() {
    let (connection, id, mut ids) = with_one_answer();
    let tx = Tx::new(&connection);
    let automation = tx.automation(&id).unwrap().unwrap();
    let run = tx.oldest_active_run(automation.row).unwrap().unwrap();
    let process = sexton::ledger::ProcessRow {
        instance: crate::support::instance("me").actor.instance,
        begun: Begun::Guard(Guard {
            process: crate::support::instance("me").process,
            token: "token".to_owned(),
        }),
    };
    tx.insert_process(run.row, &process, NOW).unwrap();
    assert!(is_constraint(&tx.insert_process(run.row, &process, NOW).unwrap_err()));
    assert_eq!(tx.process(run.row).unwrap(), Some(process.clone()));
    let begun = decide(&tx, &mut ids, NOW, |tx, context| {
        report::begin(tx, context, &run.run.id, run.given_number, &process)
    });
    assert_eq!(begun.unwrap(), report::Fence::Withdrawn);
}

#[test]
fn events_are_numbered_without_gaps_also_after_a_rollback() {
    let (connection, _, mut ids) = with_one_answer();
    let tx = Tx::new(&connection);
    let before = tx.newest_seq().unwrap();
    let mut create = || decide(&tx, &mut ids, NOW, |tx, context| create::create(tx, context, every_minute()));
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    create().unwrap();
    assert_eq!(tx.newest_seq().unwrap(), before + 1);
    connection.execute_batch("ROLLBACK").unwrap();
    create().unwrap();
    assert_eq!(tx.newest_seq().unwrap(), before + 1);
}

#[test]
fn a_row_that_cannot_be_understood_is_named_without_what_it_holds() {
    let (connection, id, _) = with_one_answer();
    let secret = "secret-that-must-not-be-shown";
    let sql = "UPDATE definitions SET body = json_set(body, '$.access', ?1)";
    connection.execute(sql, [secret]).unwrap();
    let error = Tx::new(&connection).automation(&id).unwrap_err();
    assert!(error.to_string().contains("definitions.body"), "{error}");
    assert!(!Refusal::from(error).to_string().contains(secret));
}

#[test]
fn a_search_for_a_title_takes_every_sign_literally() {
    let (connection, _, mut ids) = with_one_answer();
    let tx = Tx::new(&connection);
    for title in ["100% sure", "100 sure", "a_b", "axb"] {
        let mut params = every_minute();
        params.draft.definition.title = title.to_owned();
        decide(&tx, &mut ids, NOW, |tx, context| create::create(tx, context, params)).unwrap();
    }
    let found = |query: &str| {
        let wanted = sexton::domain::request::ListAutomations {
            limit: 10,
            query: Some(query.to_owned()),
            ..Default::default()
        };
        let rows = tx.list_automations(&wanted).unwrap();
        rows.into_iter().map(|row| row.known().unwrap().definition.title).collect::<Vec<_>>()
    };
    assert_eq!(found("0%"), ["100% sure"]);
    assert_eq!(found("A_B"), ["a_b"]);
    assert_eq!(found("\\"), Vec::<String>::new());
}
