//! What follows from runs for their automation is told directly after them, and never together with an edit.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell, with};

/// What is known of an automation from the news of its runs.
#[derive(Default)]
struct Followed {
    active: Vec<Value>,
    last: Value,
    revision: i64,
}

/// Follows a whole stream, and gives how many changes of derived state it told.
fn follow(events: &[Value]) -> usize {
    let mut all: HashMap<String, Followed> = HashMap::new();
    let mut seen: HashMap<String, String> = HashMap::new();
    // The automation about which the news of its runs have said something that is to follow.
    let mut owed: Option<String> = None;
    let mut told = 0;
    for event in events {
        let (run, automation) = (&event["run"], &event["automation"]);
        let concerned = [&run["automationID"], &automation["id"], &event["tombstone"]["id"]];
        let concerned = concerned.into_iter().find_map(Value::as_str);
        if let Some(owed) = &owed {
            assert_eq!(concerned, Some(owed.as_str()), "told before what follows for {owed}: {event}");
        }
        let Some(id) = concerned else { continue };
        let known = all.entry(id.to_owned()).or_default();
        match event["kind"].as_str().expect("a kind") {
            "run.updated" => {
                let state = run["state"].as_str().expect("a state").to_owned();
                let is_over = ["succeeded", "failed", "stopped"].contains(&state.as_str());
                let new = seen.insert(run["id"].to_string(), state).is_none();
                if new {
                    known.last = run["id"].clone();
                    known.active.push(run["id"].clone());
                }
                if is_over {
                    known.active.retain(|active| *active != run["id"]);
                }
                if new || is_over {
                    owed = Some(id.to_owned());
                }
            }
            "automation.updated" => {
                let state = &automation["state"];
                assert_eq!(state["activeRuns"], json!(known.active), "{event}");
                assert_eq!(state["lastRun"], known.last, "{event}");
                let revision = automation["revision"].as_i64().expect("a revision");
                let follows = owed.take().is_some();
                let edited = i64::from(!follows);
                // A pause by the sidecar itself and the end of a count are no edits either.
                assert!((known.revision..=known.revision + edited).contains(&revision), "{event}");
                told += usize::from(follows);
                known.revision = revision;
            }
            "automation.deleted" => {
                owed = None;
                assert_eq!(event["tombstone"]["revision"], known.revision + 1);
            }
            other => panic!("news of {id} of kind {other}"),
        }
    }
    assert_eq!(owed, None, "something was to follow");
    told
}

fn revision(client: &mut Client, automation: &Value) -> i64 {
    client.get("automation/get", json!({"id": automation}))["revision"].as_i64().expect("a revision")
}

#[test]
fn what_follows_from_runs_is_told_directly_after_them_with_the_revision_that_was() {
    let place = Place::new();
    let limits = json!({"minIntervalMs": 50});
    let (mut client, mut other) = (place.open_with(limits.clone()), place.open_with(limits));
    let subscription = client.subscribe(json!({"after": 0}));
    let read = |draft: Value| with(draft, "access", json!("read"));
    let ticking = client.create(read(every("ticking", 50, shell(LOG))));
    let failing = with(every("failing", 50, shell("exit 1")), "policy", json!({"pauseAfterFailures": 2}));
    let failing = client.create(read(failing));
    let counted = with(every("counted", 50, shell("true")), "stop", json!({"kind": "count", "count": 3}));
    let counted = client.create(read(counted));
    let mut gate = place.gate("gate");
    let slow = client.create(read(every("slow", 50, shell("read line < gate"))));
    let skips = |client: &mut Client, slots: i64| {
        let after = client.get("automation/list", json!({}))["seq"].as_i64();
        client.wait_for_event("slots skipped", |event| {
            event["run"]["automationID"] == slow
                && event["run"]["skipped"]["count"].as_i64() >= Some(slots)
                && event["seq"].as_i64() > after
        });
    };
    skips(&mut client, 2);
    for number in 0..20 {
        let (schedule, rest) =
            (json!({"rhythm": {"everyMs": 51 + number}}), json!({"title": number.to_string()}));
        for automation in [&ticking, &slow, &counted] {
            other.get("automation/update", json!({"id": automation, "patch": schedule}));
            client.get("automation/update", json!({"id": automation, "patch": rest}));
        }
        // Twice each: the second time changes nothing.
        for method in ["automation/pause", "automation/pause", "automation/resume", "automation/resume"] {
            client.get(method, json!({"id": ticking}));
        }
        place.wait_for_lines("log", number / 4);
    }
    // What is counted on the run that is at work becomes a record before the pause.
    skips(&mut client, 1);
    client.get("automation/pause", json!({"id": slow}));
    let paused =
        |event: &Value| event["automation"]["id"] == failing && event["automation"]["paused"] == true;
    client.wait_for_event("the pause by itself", paused);
    assert_eq!(revision(&mut client, &failing), 1, "nobody has edited it");
    let by_hand = client.create(dormant("by hand", shell("read line < gate")));
    let run = client.run(&by_hand);
    client.wait_for_run(&run, "running");
    client.get("run/cancel", json!({"id": run}));
    client.wait_for_run(&run, "stopped");
    gate.open();
    let last = client.create(dormant("never carried out", shell("true")));
    for (window, automations) in
        [(&mut other, [&ticking, &failing, &counted]), (&mut client, [&slow, &by_hand, &last])]
    {
        for automation in automations {
            window.get("automation/delete", json!({"id": automation}));
        }
    }
    client.wait("all of it", |client| {
        let events = client.events(&subscription);
        let gone = events.iter().filter(|event| event["kind"] == "automation.deleted");
        (gone.count() == 6).then_some(())
    });
    assert_eq!(revision_of_last_edit(&client.events(&subscription), &ticking), 1 + 20 * 4);
    let told = follow(&client.events(&subscription));
    assert!(told > 20, "only {told} changes of derived state");
    other.finish();
    client.finish();
}

fn revision_of_last_edit(events: &[Value], automation: &Value) -> i64 {
    let of = events.iter().filter(|event| event["automation"]["id"] == *automation);
    of.filter_map(|event| event["automation"]["revision"].as_i64()).max().expect("it was told of")
}
