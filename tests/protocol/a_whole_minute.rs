//! The one thing that only the clock on the wall can show: a cron expression fires when the minute begins.

use std::time::Duration;

use serde_json::json;

use crate::support::drafts::{LOG, shell};
use crate::support::{Place, clock};

const MINUTE_MS: i64 = 60_000;

/// A minute and a bit is longer than the usual patience.
const PATIENCE: Duration = Duration::from_secs(61);

#[test]
fn every_minute_fires_when_the_minute_begins() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let created = client.get(
        "automation/create",
        json!({"title": "every minute", "kind": "recurring", "timezone": "Europe/Berlin",
            "rhythm": {"kind": "cron", "expression": "* * * * *"}, "task": shell(LOG)}),
    );
    let due = created["state"]["nextFireAt"].as_i64().unwrap();
    assert_eq!(due % MINUTE_MS, 0);
    assert!((1..=MINUTE_MS).contains(&(due - created["createdAt"].as_i64().unwrap())), "{created}");
    let give_up_at = clock() + PATIENCE;
    while place.lines("log").is_empty() {
        assert!(clock() < give_up_at, "nothing fired within a minute");
        // Between two looks nothing is to be done but to listen.
        client.listen_for(Duration::from_millis(500));
    }
    let run = client.wait_for_event("success", |event| event["run"]["state"] == "succeeded")["run"].clone();
    assert_eq!(place.lines("log"), [due.to_string()]);
    assert_eq!(run["scheduledAt"], due);
    let lateness = run["triggeredAt"].as_i64().unwrap() - due;
    println!(
        "* * * * * fired {lateness} ms late, its command started {} ms late",
        run["startedAt"].as_i64().unwrap() - due
    );
    assert!((0..2000).contains(&lateness), "{lateness} ms late");
    let next = client.get("automation/get", json!({"id": created["id"]}))["state"]["nextFireAt"].clone();
    assert_eq!(next, due + MINUTE_MS, "the next minute is due");
    client.finish();
}
