//! Sections 4 and 6: what is kept of the past, as a client sees it.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, eventually, faults, kind, ledger};

const DAY_MS: i64 = 86_400_000;

fn keeping(title: &str, keep: Value) -> Value {
    with(dormant(title, shell("echo done")), "policy", json!({"keep": keep}))
}

/// So many runs, one after the other.
fn runs(client: &mut Client, automation: &Value, count: usize) -> Vec<Value> {
    let one = |_| {
        let run = client.run(automation);
        client.wait_for_run(&run, "succeeded");
        run
    };
    (0..count).map(one).collect()
}

/// Waits until the owner has pruned this run.
fn wait_until_pruned(client: &mut Client, run: &Value) {
    let error = eventually("a run is pruned", || client.ask("run/get", json!({"id": run})).err());
    assert_eq!(kind(&error), "not_found");
}

fn ids(page: &Value) -> Vec<Value> {
    page["items"].as_array().expect("a page").iter().map(|run| run["id"].clone()).collect()
}

#[test]
fn what_is_kept_may_be_chosen_and_either_number_alone() {
    let place = Place::new();
    let mut client = place.open();
    for (sent, stored) in [
        (json!({"runs": 7}), json!({"runs": 7, "days": 90})),
        (json!({"days": 3650}), json!({"runs": 1000, "days": 3650})),
        (json!({"runs": 1_000_000, "days": 1}), json!({"runs": 1_000_000, "days": 1})),
        (json!({}), json!({"runs": 1000, "days": 90})),
    ] {
        let made = client.get("automation/create", keeping("kept", sent));
        assert_eq!(made["policy"]["keep"], stored);
    }
    let odd = json!({"runs": 0, "days": 3651, "weeks": 1});
    let error = client.refusal("automation/create", keeping("odd", odd));
    assert_eq!(
        faults(&error),
        [
            "policy.keep.runs out_of_range",
            "policy.keep.days out_of_range",
            "policy.keep.weeks unsupported_automation_field",
        ]
    );
    let error = client.refusal("automation/create", keeping("odd", json!(5)));
    assert_eq!(faults(&error), ["policy.keep wrong_type"]);
    client.finish();
}

#[test]
fn paging_goes_on_while_runs_are_pruned_and_new_ones_come() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let bounded = client.create(keeping("bounded", json!({"runs": 2})));
    let whole = client.create(keeping("whole", json!({})));
    // Newest last: w b b w b b w, and one more b later. Of these b only the newest is kept then.
    let mut made = Vec::new();
    for (automation, count) in [(&whole, 1), (&bounded, 2), (&whole, 1), (&bounded, 2), (&whole, 1)] {
        made.extend(runs(&mut client, automation, count));
    }
    let list = |client: &mut Client, cursor: &Value| {
        let params = json!({"limit": 1});
        let params = if cursor.is_null() { params } else { with(params, "cursor", cursor.clone()) };
        client.get("run/list", params)
    };
    let first = list(&mut client, &Value::Null);
    let second = list(&mut client, &first["nextCursor"]);
    assert_eq!([ids(&first), ids(&second)].concat(), [made[6].clone(), made[5].clone()]);
    let outputs = ledger::directory(&client).join("runs");
    let output = |run: &Value| outputs.join(run.as_str().unwrap());
    let (goes, stays) = (output(&made[1]), output(&made[5]));
    assert!(goes.join("output.log").exists());
    made.extend(runs(&mut client, &bounded, 1));
    // Both pages that were seen last end at a row that is pruned now, or before one.
    for run in [&made[1], &made[2], &made[4]] {
        wait_until_pruned(&mut client, run);
    }
    let mut rest = Vec::new();
    let mut cursor = second["nextCursor"].clone();
    while !cursor.is_null() {
        let page = list(&mut client, &cursor);
        rest.extend(ids(&page));
        cursor = page["nextCursor"].clone();
    }
    assert_eq!(rest, [made[3].clone(), made[0].clone()], "nothing twice, nothing left out, nothing new");
    assert_eq!(
        ids(&client.get("run/list", json!({"automationID": bounded}))),
        [made[7].clone(), made[5].clone()]
    );
    for (method, name) in [("run/output", "id"), ("run/cancel", "id")] {
        assert_eq!(kind(&client.refusal(method, json!({name: made[1]}))), "not_found");
    }
    eventually("its output goes as well", || (!goes.exists()).then_some(()));
    assert!(stays.join("output.log").exists());
    let state = client.get("automation/get", json!({"id": bounded}))["state"].clone();
    assert_eq!((&state["completedRuns"], &state["lastRun"]), (&json!(5), &made[7]));
    client.finish();
}

#[test]
fn what_is_no_longer_kept_is_answered_with_resync() {
    let place = Place::new();
    let limits = json!({"eventHistory": 5});
    let mut client = place.open_with(limits.clone());
    client.subscribe(json!({}));
    let automation = client.create(dormant("then", shell("true")));
    runs(&mut client, &automation, 3);
    let newest = client.get("run/list", json!({}))["seq"].as_i64().unwrap();
    let state = ledger::directory(&client);
    let path = state.join("ledger.db");
    // A week goes by; what happens today is not old.
    let sql = "UPDATE events SET at = at - ?1";
    assert!(ledger::open(path).execute(sql, [8 * DAY_MS]).unwrap() > 5);
    // An owner died between a commit and the removal of what belonged to it.
    let left = state.join("runs/run_left");
    std::fs::create_dir(&left).unwrap();
    let sql = "INSERT INTO pruned_outputs (run) VALUES ('run_left')";
    ledger::open(state.join("ledger.db")).execute(sql, []).unwrap();
    client.finish();
    let mut client = place.open_with(limits);
    let kept_after = eventually("old events are pruned", || {
        let subscription = client.subscribe(json!({"after": 0}));
        let first = client.wait("the first", |client| client.events(&subscription).first().cloned());
        client.get("events/unsubscribe", json!({"subscription": subscription}));
        (first["kind"] == "resync").then(|| first["seq"].as_i64().unwrap())
    });
    assert_eq!(kept_after, newest + 2, "a window has gone, there is a new owner, and nothing else since");
    eventually("what was left goes", || (!left.exists()).then_some(()));
    // Five of all events are kept: from there on history is whole.
    let oldest = kept_after - 4;
    let subscription = client.subscribe(json!({"after": oldest - 1}));
    client.wait("history", |client| (client.events(&subscription).len() == 5).then_some(()));
    client.create(dormant("now", shell("true")));
    client.wait("news", |client| (client.events(&subscription).len() == 6).then_some(()));
    let told: Vec<i64> =
        client.events(&subscription).iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(told, (oldest..=kept_after + 1).collect::<Vec<_>>());
    // One before is too early, also for somebody who wants only some of them.
    for params in [json!({"after": oldest - 2}), json!({"after": oldest - 2, "automationID": automation})] {
        let subscription = client.subscribe(params);
        let first = client.wait("the first", |client| client.events(&subscription).first().cloned());
        assert_eq!((&first["kind"], &first["seq"]), (&json!("resync"), &json!(kept_after + 1)));
    }
    client.finish();
}
