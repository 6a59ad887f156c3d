//! Section 6: what every window is told, once and in order.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::ledger;
use crate::support::wire::BOTH;
use crate::support::{Place, assert_invalid_params};

fn seqs(events: &[Value]) -> Vec<i64> {
    events.iter().map(|event| event["seq"].as_i64().expect("a seq")).collect()
}

fn assert_without_gap(events: &[Value], after: i64) {
    let expected: Vec<i64> = (after + 1..).take(events.len()).collect();
    assert_eq!(seqs(events), expected, "a gap or a repeat");
}

/// Does something, and waits until this subscription has been told of all of it.
fn work(client: &mut Client, title: &str, subscription: &str) -> Value {
    let automation = client.create(dormant(title, shell("true")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    client.get("automation/delete", json!({"id": automation}));
    client.wait(&format!("all of {title}"), |client| {
        let told = client.events(subscription);
        told.iter().any(|event| event["tombstone"]["id"] == automation).then_some(())
    });
    automation
}

#[test]
fn a_life_is_told_once_and_in_order() {
    for framing in BOTH {
        let place = Place::new();
        let mut client = place.sidecar().framing(framing).open();
        let seq = client.opened["seq"].as_i64().unwrap();
        let subscription = client.subscribe(json!({}));
        assert!(subscription.starts_with("sub_"));
        let automation = work(&mut client, "told", &subscription);
        let events = client.events(&subscription);
        assert_without_gap(&events, seq);
        let told: Vec<String> = events
            .iter()
            .map(|event| {
                let what = event["run"]["state"].as_str().unwrap_or("-");
                format!("{} {what}", event["kind"].as_str().unwrap())
            })
            .collect();
        assert_eq!(
            told,
            [
                "automation.updated -",
                "run.updated scheduled",
                "automation.updated -",
                "run.updated running",
                "run.updated succeeded",
                "automation.updated -",
                "automation.deleted -",
            ]
        );
        for event in &events {
            assert!(event["at"].as_i64().is_some() && event["important"] == false, "{event}");
        }
        let revisions: Vec<&Value> =
            events.iter().map(|event| &event["run"]["revision"]).filter(|one| !one.is_null()).collect();
        assert_eq!(revisions, [1, 2, 3], "one for each published change");
        assert_eq!(events[0]["automation"]["id"], automation);
        assert_eq!(events[5]["automation"]["state"]["completedRuns"], 1);
        assert_eq!(events[6]["tombstone"], json!({"id": automation, "revision": 2}));
        client.finish();
    }
}

#[test]
fn two_subscriptions_and_two_windows_are_told_the_same() {
    let place = Place::new();
    let mut client = place.open();
    let mut other = place.open();
    let after = other.opened["seq"].clone();
    let first = client.subscribe(json!({"after": after}));
    let second = client.subscribe(json!({"after": after}));
    let third = other.subscribe(json!({"after": after}));
    let mut last = Value::Null;
    for round in 0..5 {
        last = work(&mut client, &format!("round {round}"), &first);
    }
    for (window, subscription) in [(&mut client, &second), (&mut other, &third)] {
        window.wait("the last of it", |window| {
            let told = window.events(subscription);
            told.iter().any(|event| event["tombstone"]["id"] == last).then_some(())
        });
    }
    let told = client.events(&first);
    assert_without_gap(&told, after.as_i64().unwrap());
    assert_eq!(client.events(&second), told);
    assert_eq!(other.events(&third), told);
    other.finish();
    client.finish();
}

#[test]
fn what_another_window_does_after_a_later_answer_is_told_however_late_the_subscription_begins() {
    let place = Place::new();
    let mut client = place.open();
    client.create(dormant("told", shell("true")));
    let other = ledger::hold(ledger::directory(&client).join("ledger.db"));
    let asked = client.send("events/subscribe", json!({}));
    client.get("scheduler/status", json!({}));
    let told_again = "INSERT INTO events (at, kind, important, payload)
                      SELECT at, kind, important, payload FROM events WHERE kind = 'automation.updated';
                      COMMIT";
    other.execute_batch(told_again).unwrap();
    let subscription = client.answer(&asked).unwrap().as_str().unwrap().to_owned();
    client.wait("what came after", |client| (!client.events(&subscription).is_empty()).then_some(()));
    client.finish();
}

#[test]
fn history_comes_first_and_then_what_happens() {
    let place = Place::new();
    let mut client = place.open();
    let live = client.subscribe(json!({"after": 0}));
    // More than is read at once.
    let drafts: Vec<String> = (0..150)
        .map(|number| client.send("automation/create", dormant(&format!("{number}"), shell("true"))))
        .collect();
    let late = client.send("events/subscribe", json!({"after": 0, "ledgerID": client.opened["ledgerID"]}));
    let more: Vec<String> = (0..50)
        .map(|number| client.send("automation/create", dormant(&format!("more {number}"), shell("true"))))
        .collect();
    let late = client.answer(&late).unwrap().as_str().unwrap().to_owned();
    for id in drafts.iter().chain(&more) {
        client.answer(id).unwrap();
    }
    work(&mut client, "the end", &late);
    let told = client.events(&late);
    assert_without_gap(&told, 0);
    assert_eq!(told[0]["kind"], "scheduler.owner", "the first event of a ledger is number 1");
    client.wait("the same in the other", |client| (client.events(&live).len() == told.len()).then_some(()));
    assert_eq!(client.events(&live), told);
    let middle = told[100]["seq"].as_i64().unwrap();
    let rest = client.subscribe(json!({"after": middle}));
    client.wait("the rest", |client| (client.events(&rest).len() == told.len() - 101).then_some(()));
    assert_eq!(client.events(&rest), told[101..]);
    // From now on there is nothing to tell.
    let newest = told.last().unwrap()["seq"].as_i64().unwrap();
    let now = client.subscribe(json!({"after": newest}));
    work(&mut client, "and on", &now);
    assert_without_gap(&client.events(&now), newest);
    client.finish();
}

#[test]
fn a_list_says_which_events_it_already_holds() {
    let place = Place::new();
    let mut client = place.open();
    client.create(dormant("before", shell("true")));
    let page = client.get("automation/list", json!({}));
    let subscription = client.subscribe(json!({"after": page["seq"]}));
    let after = client.create(dormant("after", shell("true")));
    let event = client.wait_for_event("news", |event| event["kind"] == "automation.updated");
    assert_eq!(event["automation"]["id"], after, "what is in the list is not told again");
    assert_eq!(event["seq"], page["seq"].as_i64().unwrap() + 1);
    assert_eq!(client.events(&subscription).len(), 1);
    client.finish();
}

#[test]
fn a_filtered_subscription_has_gaps_and_nothing_else() {
    let place = Place::new();
    let mut client = place.open();
    let all = client.subscribe(json!({}));
    let kinds = client.subscribe(json!({"kinds": ["automation.deleted", "scheduler.owner"]}));
    let first = work(&mut client, "first", &all);
    let of_first = client.subscribe(json!({"automationID": first, "after": 0}));
    let runs_of_first =
        client.subscribe(json!({"automationID": first, "kinds": ["run.updated"], "after": 0}));
    let second = work(&mut client, "second", &kinds);
    client.wait("all", |client| (client.events(&all).len() == 14).then_some(()));
    client.wait("history", |client| (client.events(&runs_of_first).len() == 3).then_some(()));
    client.wait("history", |client| (client.events(&of_first).len() == 7).then_some(()));
    let everything = client.events(&all);
    assert_eq!(client.events(&of_first), everything[..7]);
    let only = |wanted: fn(&Value) -> bool| {
        everything.iter().filter(|event| wanted(event)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(client.events(&kinds), only(|event| event["kind"] == "automation.deleted"));
    assert_eq!(client.events(&runs_of_first), only(|event| event["kind"] == "run.updated")[..3]);
    assert_ne!(first, second);
    let error = client.refusal("events/subscribe", json!({"kinds": ["weather"], "after": -1, "x": 1}));
    assert_invalid_params(&error, &["after out_of_range", "kinds[0] unknown_value", "x unknown_value"]);
    client.finish();
}

#[test]
fn a_place_that_is_not_in_this_ledger_is_answered_with_resync() {
    let place = Place::new();
    let mut client = place.open();
    client.create(dormant("there", shell("true")));
    let newest = client.get("automation/list", json!({}))["seq"].clone();
    let too_new = newest.as_i64().unwrap() + 1;
    for params in [json!({"after": too_new}), json!({"after": 1, "ledgerID": "of another project"})] {
        let subscription = client.subscribe(params.clone());
        client.wait("resync", |client| client.events(&subscription).first().cloned());
        let told = client.events(&subscription);
        assert_eq!((&told[0]["kind"], &told[0]["seq"]), (&json!("resync"), &newest), "{params}");
        assert_eq!(told.len(), 1);
    }
    // After it the subscription goes on.
    let subscription = client.subscribe(json!({"after": too_new}));
    let automation = client.create(dormant("news", shell("true")));
    client.wait("news", |client| {
        client.events(&subscription).iter().any(|event| event["automation"]["id"] == automation).then_some(())
    });
    assert_without_gap(&client.events(&subscription)[1..], newest.as_i64().unwrap());
    client.finish();
}

#[test]
fn after_unsubscribing_nothing_is_told() {
    let place = Place::new();
    let mut client = place.open();
    let ended = client.subscribe(json!({}));
    let goes_on = client.subscribe(json!({}));
    assert_eq!(client.get("events/unsubscribe", json!({"subscription": ended})), true);
    work(&mut client, "unheard", &goes_on);
    assert_eq!(client.events(&ended), Vec::<Value>::new());
    assert_eq!(client.events(&goes_on).len(), 7);
    assert_eq!(client.get("events/unsubscribe", json!({"subscription": ended})), false, "it is gone");
    let error = client.refusal("events/unsubscribe", json!({}));
    assert_invalid_params(&error, &["subscription required"]);
    client.finish();
}

#[test]
fn a_failure_is_important_and_a_success_is_not() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    for (command, important) in [("true", false), ("false", true)] {
        let automation = client.create(dormant(command, shell(command)));
        let run = client.run(&automation);
        let event = client.wait_for_event("the end", |event| {
            event["run"]["id"] == run && !event["run"]["completedAt"].is_null()
        });
        assert_eq!(event["important"], important, "{event}");
    }
    client.finish();
}

#[test]
fn an_event_that_is_damaged_takes_no_other_with_it() {
    let place = Place::new();
    let mut client = place.open();
    client.expect_error("an event cannot be told");
    // More than are read at once.
    let newest = 80;
    while client.get("automation/list", json!({"limit": 1}))["seq"].as_i64().unwrap() < newest {
        client.create(dormant("one", shell("true")));
    }
    let other = crate::support::ledger::open(crate::support::ledger::directory(&client).join("ledger.db"));
    // One in the midst of a page, its last, the first of the next, and the last of all.
    let damaged = [5, 6, 7, 64, 65, 70, newest];
    let how = [
        "payload = '{\"x'",
        "kind = CAST(x'b1b1' AS TEXT)",
        "kind = 'run\"updated'",
        "payload = '5'",
        "payload = ''",
        "payload = '{}'",
        "payload = CAST(x'7bff' AS TEXT)",
    ];
    for (seq, how) in damaged.into_iter().zip(how) {
        let sql = format!("UPDATE events SET {how} WHERE seq = {seq}");
        assert_eq!(other.execute(&sql, []).unwrap(), 1);
    }
    let subscription = client.subscribe(json!({"after": 0}));
    client.create(dormant("after it", shell("true")));
    client.wait("what comes after", |client| {
        seqs(&client.events(&subscription)).contains(&(newest + 1)).then_some(())
    });
    let events = client.events(&subscription);
    assert_without_gap(&events, 0);
    let again = events.iter().filter(|event| event["kind"] == "resync").cloned().collect::<Vec<_>>();
    assert_eq!(seqs(&again), damaged, "who follows lists again");
    client.finish();
}
