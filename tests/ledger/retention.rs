//! What the ledger itself sees to when something is no longer kept.

use serde_json::{Value, json};
use sexton::domain::id::LedgerId;
use sexton::domain::request::UpdateRequest;
use sexton::domain::sent::Sent;
use sexton::engine::tick::{Duty, tick};
use sexton::engine::{cancel, create, update};
use sexton::ledger::{Tx, open_in_memory};

use crate::support::{Ids, NOW, arrive, decide, every_minute};

const MINUTE: i64 = 60_000;

#[test]
fn a_run_that_has_not_ended_cannot_be_pruned() {
    let connection = open_in_memory(LedgerId::from_unique("x")).unwrap();
    let (tx, mut ids) = (Tx::new(&connection), Ids(0));
    arrive(&tx, "me").unwrap();
    let created = decide(&tx, &mut ids, NOW, |tx, context| create::create(tx, context, every_minute()));
    decide(&tx, &mut ids, NOW.plus_ms(MINUTE), |tx, context| tick(tx, context, Duty::Owner, &[])).unwrap();
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
    assert_eq!((limits.grace_ms, limits.max_concurrent_runs), (5, 6));
    assert_eq!((limits.event_history, limits.max_agents), (100_000, 1));
}

#[test]
fn a_definition_that_is_replaced_stays_only_while_something_refers_to_it() {
    let connection = open_in_memory(LedgerId::from_unique("x")).unwrap();
    let (tx, mut ids) = (Tx::new(&connection), Ids(0));
    arrive(&tx, "me").unwrap();
    let created = decide(&tx, &mut ids, NOW, |tx, context| create::create(tx, context, every_minute()));
    let id = created.unwrap().id;
    let edit = |ids: &mut Ids, patch: Value| {
        let patch = Sent::from(&patch).as_object().unwrap().clone();
        let request = UpdateRequest { automation: id.clone(), if_revision: None, patch };
        decide(&tx, ids, NOW, |tx, context| update::update(tx, context, &request, "UTC")).unwrap();
    };
    let revisions = || -> Vec<i64> {
        let mut statement = connection.prepare("SELECT revision FROM definitions ORDER BY row").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for title in ["one", "two", "three"] {
        edit(&mut ids, json!({"title": title}));
    }
    assert_eq!(revisions(), [1, 4], "the first one's epoch names it");
    edit(&mut ids, json!({"rhythm": {"everyMs": 120_000}}));
    assert_eq!(revisions(), [1, 5]);
    edit(&mut ids, json!({"title": "four"}));
    edit(&mut ids, json!({"title": "five"}));
    assert_eq!(revisions(), [1, 5, 7], "so does the second one's");
    decide(&tx, &mut ids, NOW.plus_ms(2 * MINUTE), |tx, context| tick(tx, context, Duty::Owner, &[]))
        .unwrap();
    edit(&mut ids, json!({"title": "six"}));
    edit(&mut ids, json!({"title": "seven"}));
    assert_eq!(revisions(), [1, 5, 7, 9], "and a run");
}
