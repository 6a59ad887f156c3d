//! What a peer could have kept without end.

use serde_json::json;

use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, kind, ledger};

#[test]
fn there_are_not_more_automations_than_may_be() {
    const MOST: i64 = 200_000;
    let place = Place::new();
    let mut client = place.open();
    let first = client.create(with(dormant("first", shell("true")), "key", json!("k")));
    let database = ledger::directory(&client).join("ledger.db");
    let copies = |count: i64| {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO automations (id, title_folded, definition, revision, created_at, updated_at, created_by, epoch)
             SELECT 'copy_' || i, 'copy', a.definition, 1, a.created_at, a.updated_at, a.created_by, 1
             FROM n, (SELECT * FROM automations LIMIT 1) a"
        )
    };
    ledger::open(database.clone()).execute_batch(&copies(MOST - 2)).unwrap();
    let second = client.create(dormant("the last one", shell("true")));
    let refused = client.refusal("automation/create", dormant("one more", shell("true")));
    assert_eq!((kind(&refused), &refused["code"]), ("overloaded", &json!(-32018)), "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("200000 automations"), "{refused}");
    // What makes none is not refused.
    let again = client.get("automation/create", with(dormant("first", shell("true")), "key", json!("k")));
    assert_eq!(again["id"], first);
    client.get("automation/create", with(dormant("what if", shell("true")), "dryRun", json!(true)));
    client.get("automation/delete", json!({"id": second}));
    client.create(dormant("in its place", shell("true")));
    client.finish();
}
