//! What the ledger itself sees to when something is no longer kept.

use sexton::domain::id::LedgerId;
use sexton::engine::tick::tick;
use sexton::engine::{cancel, create};
use sexton::ledger::{Tx, open_in_memory};

use crate::support::{Ids, NOW, arrive, decide, every_minute};

const MINUTE: i64 = 60_000;

#[test]
fn a_run_that_has_not_ended_cannot_be_pruned() {
    let connection = open_in_memory(LedgerId::from_unique("x")).unwrap();
    let (tx, mut ids) = (Tx::new(&connection), Ids(0));
    arrive(&tx, "me").unwrap();
    let created = decide(&tx, &mut ids, NOW, |tx, context| create::create(tx, context, every_minute()));
    decide(&tx, &mut ids, NOW.plus_ms(MINUTE), tick).unwrap();
    let automation = tx.automation(&created.unwrap().id).unwrap().unwrap().row;
    let run = tx.oldest_active_run(automation).unwrap().unwrap();
    let refused = tx.fold(run.row).unwrap_err();
    assert!(refused.to_string().contains("has not ended"), "{refused}");
    assert_eq!(tx.ended_runs(automation).unwrap(), None);
    decide(&tx, &mut ids, NOW, |tx, context| cancel::cancel(tx, context, &run.run.id)).unwrap();
    let ended = tx.ended_runs(automation).unwrap().unwrap();
    assert_eq!((ended.oldest, ended.newest), (1, 1));
    tx.fold(run.row).unwrap();
    assert!(tx.run(&run.run.id).unwrap().is_none());
    assert!(tx.fold(run.row).is_err(), "it is in the account once");
}

#[test]
fn an_owner_that_did_not_know_of_a_limit_has_its_default() {
    let connection = open_in_memory(LedgerId::from_unique("x")).unwrap();
    let sql = r#"INSERT INTO terms (instance, since, limits) VALUES ('x', 0, '{"graceMs": 5, "maxConcurrentRuns": 6}')"#;
    connection.execute(sql, []).unwrap();
    let limits = Tx::new(&connection).owner_limits().unwrap().unwrap();
    assert_eq!((limits.grace_ms, limits.max_concurrent_runs, limits.event_history), (5, 6, 100_000));
}
