//! Two versions on one ledger: what a later one has added to it neither disturbs this one nor is lost.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell, with};
use crate::support::{Place, eventually, kind, ledger};

/// An event that no version of today publishes.
const LATER_KIND: &str = "weather.changed";

/// Puts a value into what an automation's definition says.
fn say(connection: &Connection, automation: &Value, path: &str, value: &Value) {
    let sql = "UPDATE definitions SET body = json_set(body, ?2, json(?3))
               WHERE row = (SELECT definition FROM automations WHERE id = ?1)";
    let params = (automation.as_str().expect("an id"), path, value.to_string());
    assert_eq!(connection.execute(sql, params).expect("the ledger can be written"), 1);
}

/// A value of an automation's own row, as another program reads it.
fn column(connection: &Connection, automation: &Value, column: &str) -> Value {
    let sql = format!("SELECT json_quote({column}) FROM automations WHERE id = ?1");
    let text: String =
        connection.query_row(&sql, [automation.as_str()], |row| row.get(0)).expect("the automation is there");
    serde_json::from_str(&text).expect("JSON")
}

/// What is stored of an automation's definition.
fn definition(connection: &Connection, automation: &Value) -> Value {
    let sql = "SELECT d.body FROM automations a JOIN definitions d ON d.row = a.definition WHERE a.id = ?1";
    let text: String =
        connection.query_row(sql, [automation.as_str()], |row| row.get(0)).expect("the automation is there");
    serde_json::from_str(&text).expect("JSON")
}

/// As a later version with the same breaking number would leave it.
fn bring_forward(connection: &Connection) {
    let sql = "PRAGMA user_version = 1999;
        ALTER TABLE automations ADD COLUMN colour TEXT;
        ALTER TABLE runs ADD COLUMN mood TEXT;
        UPDATE automations SET colour = 'red';
        CREATE TABLE tags (automation INTEGER PRIMARY KEY, tag TEXT NOT NULL) STRICT;
        CREATE INDEX automations_by_colour ON automations (colour);
        INSERT INTO tags SELECT row, 'later' FROM automations;
        INSERT INTO events (at, kind, important, payload)
          VALUES (1, 'weather.changed', 0, '{\"sky\":{\"clouds\":3,\"env\":{\"A\":\"S3CRET\"}}}');";
    connection.execute_batch(sql).expect("the ledger can be written");
}

/// A later version stores another definition of the only automation, as an edit does; its run keeps its own.
fn store_another_definition(connection: &Connection) {
    let sql = "BEGIN IMMEDIATE;
        INSERT INTO definitions (automation, revision, body)
          SELECT automation, revision, json_set(body, '$.policy.overlap', 'alternate') FROM definitions;
        UPDATE automations SET definition = (SELECT max(row) FROM definitions);
        COMMIT";
    connection.execute_batch(sql).expect("the ledger can be written");
}

fn open(place: &Place) -> Client {
    let mut client = place.open_with(json!({"minIntervalMs": 200}));
    client.expect_kind(LATER_KIND);
    client.expect_error("does not fire");
    client
}

fn titles(client: &mut Client) -> Vec<Value> {
    let items = client.get("automation/list", json!({}))["items"].clone();
    items.as_array().expect("a list").iter().map(|item| item["title"].clone()).collect()
}

#[test]
fn two_windows_work_on_the_ledger_of_a_later_version_and_lose_nothing_of_it() {
    let place = Place::new();
    let mut first = open(&place);
    let extended = first.create(dormant("extended", shell("echo extended >> by_hand")));
    let resting = first.create(with(dormant("resting", shell("true")), "paused", json!(true)));
    let later = first.create(every("later", 200, shell("echo later >> never")));
    let path = ledger::directory(&first).join("ledger.db");
    first.finish();
    let written = place.lines("never").len();
    let connection = ledger::open(path);
    bring_forward(&connection);
    say(&connection, &extended, "$.note", &json!({"text": "kept"}));
    say(&connection, &extended, "$.policy.quiet", &json!(["22:00", "06:00"]));
    say(&connection, &extended, "$.task.nice", &json!(5));
    say(
        &connection,
        &later,
        "$.task",
        &json!({"kind": "pipeline", "env": {"TOKEN": "S3CRET"}, "steps": [1]}),
    );
    connection
        .execute("UPDATE automations SET pause = json_set(pause, '$.until', 17) WHERE pause IS NOT NULL", [])
        .expect("the ledger can be written");

    let (mut one, mut other) = (open(&place), open(&place));
    let subscriptions = [&mut one, &mut other].map(|client| client.subscribe(json!({"after": 0})));
    assert_eq!(titles(&mut other), ["later", "resting", "extended"]);
    let fired = other.create(every("fired", 200, shell(LOG)));
    place.wait_for_lines("log", 3);
    // The run that follows may have to wait for one of `fired`.
    let edit = json!({"id": extended, "patch": {"title": "edited", "policy": {"queueMs": 90_000}, "task": {"args": ["-c", "echo edited >> by_hand"]}}});
    assert_eq!(one.get("automation/update", edit)["revision"], 2);
    let run = other.run(&extended);
    other.wait_for_run(&run, "succeeded");
    assert_eq!(place.lines("by_hand"), ["edited"]);
    let noted = other.get("automation/resume", json!({"id": resting}));
    assert_eq!(noted["paused"], false);
    one.get("automation/pause", json!({"id": fired}));
    connection
        .execute("UPDATE automations SET pause = json_set(pause, '$.until', 18) WHERE pause IS NOT NULL", [])
        .expect("the ledger can be written");
    // Its row is stored again by the end of a run, and the pause is not touched.
    eventually("what had begun before the pause has ended", || {
        let state = one.get("automation/get", json!({"id": fired}))["state"].clone();
        (state["activeRuns"] == json!([])).then_some(())
    });
    let run = one.run(&fired);
    one.wait_for_run(&run, "succeeded");
    let newest = one.get("run/list", json!({}))["seq"].as_i64().expect("a place");
    let told =
        [(&mut one, &subscriptions[0]), (&mut other, &subscriptions[1])].map(|(client, subscription)| {
            client.wait("all events", |client| {
                let events = client.events(subscription);
                (events.last().and_then(|event| event["seq"].as_i64()) >= Some(newest)).then_some(events)
            })
        });
    let weather =
        told[0].iter().find(|event| event["kind"] == LATER_KIND).expect("what is not known is passed on");
    assert_eq!(weather["sky"]["clouds"], 3);
    let seqs =
        |events: &[Value]| events.iter().map(|event| event["seq"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(seqs(&told[0])[..usize::try_from(newest).unwrap()], (1..=newest).collect::<Vec<_>>());
    assert_eq!(told[0][..told[1].len().min(told[0].len())], told[1][..told[1].len().min(told[0].len())]);
    assert_eq!(place.lines("never").len(), written, "nobody here knows what it is to do");

    let kept = definition(&connection, &extended);
    assert_eq!(kept["note"], json!({"text": "kept"}));
    assert_eq!(
        (&kept["policy"]["quiet"], &kept["policy"]["queueMs"]),
        (&json!(["22:00", "06:00"]), &json!(90_000))
    );
    assert_eq!(
        (&kept["task"]["nice"], &kept["task"]["args"][1]),
        (&json!(5), &json!("echo edited >> by_hand"))
    );
    assert_eq!(column(&connection, &fired, "pause ->> '$.until'"), 18);
    assert_eq!(
        column(&connection, &resting, "pause"),
        Value::Null,
        "resumed, with all that belonged to the pause"
    );
    assert_eq!(definition(&connection, &later)["task"]["env"]["TOKEN"], "S3CRET");
    for automation in [&extended, &resting, &later] {
        assert_eq!(column(&connection, automation, "colour"), "red");
    }
    let left: (i64, i64) = connection
        .query_row(
            "SELECT (SELECT count(*) FROM tags), (SELECT user_version FROM pragma_user_version)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("the ledger can be read");
    assert_eq!(left, (3, 1999));
    one.finish();
    other.finish();
}

#[test]
fn what_is_not_understood_is_shown_as_it_is_stored_and_can_only_be_deleted() {
    let place = Place::new();
    let mut client = open(&place);
    client.subscribe(json!({}));
    let later = client.create(dormant("later", shell("echo ran >> log")));
    let ended = client.run(&later);
    client.wait_for_run(&ended, "succeeded");
    let connection = ledger::open(ledger::directory(&client).join("ledger.db"));
    let task = json!({"kind": "pipeline", "env": {"TOKEN": "S3CRET"}, "steps": [{"program": "a", "env": {"B": "S3CRET"}}]});
    say(&connection, &later, "$.task", &task);
    say(&connection, &later, "$.state", &json!("a member of the same name"));

    let shown = client.get("automation/get", json!({"id": later}));
    assert_eq!(
        (&shown["ofLaterVersion"], &shown["title"], &shown["task"]),
        (&json!(true), &json!("later"), &task)
    );
    assert_eq!(
        (&shown["revision"], &shown["paused"], &shown["pause"]),
        (&json!(1), &json!(false), &Value::Null)
    );
    let state = &shown["state"];
    assert_eq!(
        (&state["lastRun"], &state["completedRuns"], &state["nextFireAt"]),
        (&ended, &json!(1), &Value::Null)
    );
    assert!(state["warnings"][0].as_str().unwrap().contains("newer version of sexton"), "{shown}");
    assert_eq!(
        client.get("automation/list", json!({"query": "LATER", "paused": false}))["items"],
        json!([shown])
    );
    let inside = json!({"id": later, "insideRun": "run_x"});
    let hidden = client.get("automation/get", inside);
    assert!(!hidden.to_string().contains("S3CRET"), "{hidden}");
    assert_eq!(hidden["task"]["steps"], json!([{"program": "a", "env": {"B": {}}}]));

    let run = client.get("run/get", json!({"id": ended}));
    assert_eq!((&run["ofLaterVersion"], &run["state"]), (&json!(true), &json!("succeeded")));
    assert_eq!((&run["end"]["exitCode"], &run["automationTitle"]), (&json!(0), &json!("later")));
    assert_eq!(run["task"]["env"], json!({"TOKEN": {}}), "of a run nobody is shown more than the names");
    assert!(!run.to_string().contains("S3CRET"), "{run}");
    assert_eq!(client.get("run/list", json!({"automationID": later}))["items"], json!([run]));
    assert_eq!(client.get("run/output", json!({"id": ended}))["end"], true);

    for (method, params) in [
        ("automation/update", json!({"id": later, "patch": {"title": "other"}})),
        ("automation/pause", json!({"id": later})),
        ("automation/resume", json!({"id": later})),
        ("automation/run", json!({"id": later})),
    ] {
        let refused = client.refusal(method, params);
        assert_eq!(
            (kind(&refused), &refused["data"]["reason"]),
            ("storage_unavailable", &json!("newer_version"))
        );
        let sentence = refused["message"].as_str().unwrap();
        assert!(
            sentence.contains("newer version of sexton") && sentence.contains("update sexton"),
            "{sentence}"
        );
    }
    assert_eq!(client.get("automation/get", json!({"id": later})), shown, "nothing was changed");
    assert_eq!(client.get("scheduler/status", json!({}))["health"], "ok", "it concerns nothing else");

    let conflict = client.refusal("automation/delete", json!({"id": later, "ifRevision": 7}));
    assert_eq!((kind(&conflict), &conflict["data"]["current"]), ("automation_conflict", &shown));
    let deleted = client.get("automation/delete", json!({"id": later, "ifRevision": 1}));
    assert_eq!((&deleted["revision"], &deleted["stoppedRuns"]), (&json!(2), &json!([])));
    client.wait_for_event("the tombstone", |event| event["tombstone"]["id"] == later);
    assert_eq!(kind(&client.refusal("automation/get", json!({"id": later}))), "not_found");
    assert_eq!(client.get("run/get", json!({"id": ended})), run, "its runs stay");
    client.finish();
}

#[test]
fn a_run_that_was_begun_ends_as_it_does_though_its_automation_is_of_a_later_version_by_then() {
    let place = Place::new();
    let mut client = open(&place);
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let automation =
        client.create(every("edited meanwhile", 200, shell("echo up >> up; read line < gate; exit 3")));
    place.wait_for_lines("up", 1);
    let run =
        client.wait_for_event("slots behind it", |event| !event["run"]["skipped"].is_null())["run"].clone();
    let connection = ledger::open(ledger::directory(&client).join("ledger.db"));
    store_another_definition(&connection);
    assert_eq!(client.refusal("automation/delete", json!({"id": automation}))["data"]["runID"], run["id"]);
    gate.open();
    let ended = client.wait_for_run(&run["id"], "failed");
    assert_eq!((&ended["error"]["code"], &ended["end"]["exitCode"]), (&json!("execution_failed"), &json!(3)));
    let told = client.wait_for_event("what follows", |event| event["automation"]["ofLaterVersion"] == true);
    let state = &told["automation"]["state"];
    assert_eq!((&state["failureStreak"], &state["activeRuns"]), (&json!(1), &json!([])));
    let runs = client.get("run/list", json!({"automationID": automation}))["items"].clone();
    assert_eq!((&runs[0]["stopReason"], &runs[1]["id"]), (&json!("previous_run_active"), &run["id"]));
    let (next, slots) = (&runs[0]["slots"], &ended["slots"]);
    assert_eq!(
        next["fromAt"].as_i64().unwrap(),
        slots["toAt"].as_i64().unwrap() + 200,
        "every slot is answered for"
    );
    assert_eq!(client.get("scheduler/status", json!({}))["health"], "ok");
    assert_eq!(client.get("automation/delete", json!({"id": automation}))["deleted"], true);
    let sql = "SELECT ended_at = answered_through FROM epochs";
    let closed: bool = connection.query_row(sql, [], |row| row.get(0)).expect("one epoch");
    assert!(closed, "no slot is left that nothing answers for");
    client.finish();
}

#[test]
fn nothing_is_paused_here_that_only_a_later_version_understands() {
    let place = Place::new();
    let mut client = open(&place);
    client.subscribe(json!({}));
    let mut gate = place.gate("gate");
    let wait =
        json!({"program": "sh", "args": ["-c", "echo up >> up; read line < gate"], "timeoutMs": 60_000});
    let missing = json!({"kind": "command", "program": "./no-such-program"});
    let draft = with(dormant("edited meanwhile", missing), "policy", json!({"precheck": wait}));
    let automation = client.create(draft);
    let run = client.run(&automation);
    place.wait_for_lines("up", 1);
    store_another_definition(&ledger::open(ledger::directory(&client).join("ledger.db")));
    gate.open();
    let failed = client.wait_for_run(&run, "failed");
    assert_eq!(failed["error"]["class"], "config");
    let told = client.wait_for_event("what follows", |event| event["automation"]["ofLaterVersion"] == true);
    assert_eq!((&told["automation"]["pause"], &told["important"]), (&Value::Null, &json!(false)));
    assert_eq!(told["automation"]["state"]["failureStreak"], 1, "whoever understands it finds it counted");
    client.finish();
}
