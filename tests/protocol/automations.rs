//! Section 3: what can be asked for, what is refused, and how it goes.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, every, once, shell, with};
use crate::support::{Place, assert_invalid_params, faults, kind, wall_ms};

fn titles(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a page");
    items.iter().map(|one| one["title"].as_str().expect("a title")).collect()
}

/// Refused as a draft, with these faults; nothing is stored and nothing is told.
fn assert_invalid(client: &mut Client, draft: Value, expected: &[&str]) {
    let error = client.refusal("automation/create", draft.clone());
    assert_eq!((&error["code"], kind(&error)), (&json!(-32010), "invalid_automation"), "{draft}");
    assert_eq!(faults(&error), expected, "{draft}");
}

#[test]
fn what_was_left_out_is_filled_in() {
    let place = Place::new();
    let mut client = place.sidecar().env("TZ", "Europe/Berlin").open();
    let before = wall_ms();
    let made = client.get(
        "automation/create",
        json!({"title": "nightly", "kind": "recurring", "rhythm": {"kind": "cron", "expression": "0 2 * * *"},
            "task": {"kind": "command", "program": "true"}}),
    );
    let created = made["createdAt"].as_i64().unwrap();
    assert!((before..=wall_ms()).contains(&created));
    let me = json!({"instanceID": client.opened["instanceID"], "client": "test"});
    let fires = made["state"]["nextFires"].clone();
    assert_eq!(fires.as_array().unwrap().len(), 5);
    let expected = json!({
        "id": made["id"], "revision": 1, "createdAt": created, "updatedAt": created, "createdBy": me,
        "paused": false, "pause": null,
        "title": "nightly", "kind": "recurring", "rhythm": {"kind": "cron", "expression": "0 2 * * *"},
        "stop": {"kind": "never"}, "timezone": "Europe/Berlin",
        "task": {"kind": "command", "program": "true", "args": [], "env": {}},
        "where": {}, "access": "write",
        "policy": {
            "overlap": "skip", "missed": {"kind": "runOnce"}, "ifBusy": "queue", "queueMs": 3_600_000,
            "startMs": 60_000, "idleMs": null, "wallMs": 3_600_000,
            "blockerMs": {"attended": 86_400_000, "unattended": 3_600_000}, "stepCap": 50, "budget": null,
            "permissions": "ask", "retry": {"attempts": 0, "delayMs": 60_000}, "pauseAfterFailures": 5,
            "precheck": null, "keep": {"runs": 1000, "days": 90},
        },
        "state": {
            "nextFireAt": fires[0], "nextFires": fires, "failureStreak": 0, "completedRuns": 0,
            "activeRuns": [], "lastRun": null, "sessionID": null, "warnings": [],
        },
    });
    assert_eq!(made, expected);
    assert!(made["id"].as_str().unwrap().starts_with("atm_"));
    assert_eq!(client.get("automation/get", json!({"id": made["id"]})), made);
    // What was given back may be sent again, without what only the sidecar writes.
    let mut draft = made.clone();
    for name in ["id", "revision", "createdAt", "updatedAt", "createdBy", "pause", "state"] {
        draft.as_object_mut().unwrap().remove(name);
    }
    let again = client.get("automation/create", draft);
    assert_eq!((&again["policy"], &again["task"]), (&made["policy"], &made["task"]));
    client.finish();
}

#[test]
fn every_fault_is_told_at_once_in_the_order_of_the_contract() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let fault_everywhere = json!({
        "policy": {"overlap": "queueAll", "missed": {"kind": "later"}, "ifBusy": "wait", "queueMs": -1,
            "permissions": "maybe", "pauseAfterFailures": 0, "surprise": 1},
        "access": "admin", "where": {"worktree": "x"}, "paused": 1,
        "task": {"kind": "command", "program": " ", "args": ["a", "b\u{0}"],
            "env": {"A": 1, "B=": "x"}, "cwd": "/"},
        "timezone": "Mars/Olympus", "stop": {"kind": "until"},
        "rhythm": {"kind": "interval", "everyMs": 29_999}, "kind": "recurring", "fireAt": 5,
        "title": "x".repeat(161), "revision": 3, "dryRun": "yes", "key": "",
    });
    assert_invalid(
        &mut client,
        fault_everywhere,
        &[
            "title title_too_long_160",
            "fireAt unsupported_for_recurring_automation",
            "rhythm.everyMs interval_below_minimum_30000ms",
            "stop.at required",
            "timezone invalid_timezone",
            "task.program required",
            "task.args[1] contains_nul",
            "task.env.A wrong_type",
            "task.env.B= out_of_range",
            "task.cwd unsupported_automation_field",
            "where.worktree unsupported_where_worktree_not_git",
            "access unknown_value",
            "policy.overlap unknown_value",
            "policy.missed.kind unknown_value",
            "policy.ifBusy unknown_value",
            "policy.queueMs out_of_range",
            "policy.permissions unknown_value",
            "policy.pauseAfterFailures out_of_range",
            "policy.surprise unsupported_automation_field",
            "paused wrong_type",
            "dryRun wrong_type",
            "key required",
            "revision unsupported_automation_field",
        ],
    );
    assert_invalid(&mut client, json!({}), &["title required", "kind required", "task required"]);
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]), "nothing was stored");
    assert_eq!(client.events(&subscription), Vec::<Value>::new(), "nothing was told");
    client.finish();
}

#[test]
fn each_fault_has_its_word() {
    let place = Place::new();
    let mut client = place.open();
    let cron = |expression: &str| {
        json!({"title": "t", "kind": "recurring", "task": shell("true"),
            "rhythm": {"kind": "cron", "expression": expression}})
    };
    let good = dormant("t", shell("true"));
    let stop = |stop: Value| with(good.clone(), "stop", stop);
    let task = |task: Value| with(good.clone(), "task", task);
    let now = wall_ms();
    let oneshot = |extra: &str| with(once("t", now + 60_000, shell("true")), extra, json!({"kind": "never"}));
    for (draft, expected) in [
        (with(good.clone(), "title", json!("  ")), "title required"),
        (with(good.clone(), "title", json!("\u{202e}\u{1b}")), "title required"),
        (task(json!({"kind": "notify", "text": "\u{7}\u{1b}"})), "task.text required"),
        (with(good.clone(), "title", json!(7)), "title wrong_type"),
        (with(good.clone(), "title", Value::Null), "title wrong_type"),
        (with(good.clone(), "kind", json!("sometimes")), "kind unknown_value"),
        (with(good.clone(), "rhythm", json!({"kind": "lunar"})), "rhythm.kind unknown_value"),
        (with(good.clone(), "rhythm", json!({"kind": "interval"})), "rhythm.everyMs required"),
        (
            with(good.clone(), "rhythm", json!({"kind": "interval", "everyMs": 60000.5})),
            "rhythm.everyMs wrong_type",
        ),
        (cron("61 * * * *"), "rhythm.expression invalid_cron_expression"),
        (cron("0 0 31 2 *"), "rhythm.expression invalid_cron_expression"),
        (cron("@reboot"), "rhythm.expression invalid_cron_expression"),
        (stop(json!({"kind": "condition", "text": "x"})), "stop unsupported_stop_condition"),
        (stop(json!({"kind": "count", "count": 0})), "stop.count out_of_range"),
        (once("t", now - 1, shell("true")), "fireAt fireAt_must_be_future"),
        (once("t", -5, shell("true")), "fireAt out_of_range"),
        (oneshot("stop"), "stop unsupported_for_oneshot_automation"),
        (oneshot("rhythm"), "rhythm unsupported_for_oneshot_automation"),
        (task(json!({"kind": "prompt", "prompt": "x"})), "task.model required"),
        (task(json!({"kind": "dance"})), "task.kind unknown_value"),
        (task(json!({"program": "true"})), "task.kind required"),
        (with(good.clone(), "id", json!("atm_1")), "id unsupported_automation_field"),
        (with(good.clone(), "colour", json!("red")), "colour unsupported_automation_field"),
        (with(good.clone(), "where", json!({"path": "/"})), "where.path unsupported_automation_field"),
    ] {
        assert_invalid(&mut client, draft, &[expected]);
    }
    // The longest title counts characters, not bytes.
    client.create(dormant(&"\u{1F514}".repeat(160), shell("true")));
    client.finish();
}

#[test]
fn a_key_makes_creating_repeatable() {
    let place = Place::new();
    let mut client = place.open();
    let draft = with(dormant("once only", shell("true")), "key", json!("k1"));
    let first = client.get("automation/create", draft.clone());
    assert_eq!(client.get("automation/create", draft)["id"], first["id"]);
    let other = with(dormant("another title", shell("true")), "key", json!("k1"));
    assert_eq!(client.get("automation/create", other)["title"], "once only", "the first one");
    let second = client.create(with(dormant("once only", shell("true")), "key", json!("k2")));
    assert_ne!(second, first["id"]);
    assert_eq!(client.get("automation/list", json!({}))["items"].as_array().unwrap().len(), 2);
    client.finish();
}

#[test]
fn a_dry_run_shows_what_would_be_and_leaves_nothing() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let draft = with(every("what if", 60_000, shell("true")), "dryRun", json!(true));
    let shown = client.get("automation/create", with(draft.clone(), "key", json!("k")));
    assert_eq!(shown["id"], "");
    assert_eq!(shown["state"]["nextFireAt"], shown["createdAt"].as_i64().unwrap() + 60_000);
    let counted = with(draft, "stop", json!({"kind": "count", "count": 2}));
    let shown = client.get("automation/create", counted);
    assert_eq!(shown["state"]["nextFires"].as_array().unwrap().len(), 2, "no more than the stop leaves");
    assert_eq!(client.get("automation/list", json!({}))["items"], json!([]));
    assert_eq!(client.events(&subscription), Vec::<Value>::new());
    // The key is not taken by what did not happen.
    let real = client.create(with(dormant("real", shell("true")), "key", json!("k")));
    assert_eq!(client.get("automation/get", json!({"id": real}))["title"], "real");
    client.finish();
}

#[test]
fn an_automation_that_begins_paused_is_not_due() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 50}));
    let paused = client.get(
        "automation/create",
        with(every("resting", 50, shell("echo x >> rested")), "paused", json!(true)),
    );
    assert_eq!(paused["paused"], true);
    assert_eq!(paused["pause"]["reason"], "user");
    assert_eq!((&paused["state"]["nextFireAt"], &paused["state"]["nextFires"]), (&Value::Null, &json!([])));
    client.create(every("awake", 50, shell("echo x >> log")));
    place.wait_for_lines("log", 5);
    assert!(place.lines("rested").is_empty());
    for (wanted, expected) in [(true, ["resting"]), (false, ["awake"])] {
        assert_eq!(titles(&client.get("automation/list", json!({"paused": wanted}))), expected);
    }
    // By hand it runs all the same.
    client.run(&paused["id"]);
    place.wait_for_lines("rested", 1);
    client.finish();
}

#[test]
fn lists_are_paged_without_gap_or_repeat_while_others_come_and_go() {
    let place = Place::new();
    let mut client = place.open();
    let mut ids: Vec<Value> =
        (0..7).map(|number| client.create(dormant(&format!("Number {number}"), shell("true")))).collect();
    let first = client.get("automation/list", json!({"limit": 3}));
    assert_eq!(titles(&first), ["Number 6", "Number 5", "Number 4"], "newest first");
    client.create(dormant("newer", shell("true")));
    client.get("automation/delete", json!({"id": ids.remove(4)}));
    client.get("automation/delete", json!({"id": ids.remove(3)}));
    let second = client.get("automation/list", json!({"limit": 3, "cursor": first["nextCursor"]}));
    assert_eq!(titles(&second), ["Number 2", "Number 1", "Number 0"]);
    assert_eq!(second["nextCursor"], Value::Null);
    assert!(second["seq"].as_i64() > first["seq"].as_i64());
    assert_eq!(titles(&client.get("automation/list", json!({"query": "nUMBER 1"}))), ["Number 1"]);
    assert_eq!(titles(&client.get("automation/list", json!({"query": "%"}))), Vec::<&str>::new());
    assert_eq!(titles(&client.get("automation/list", json!({"query": "_"}))), Vec::<&str>::new());

    let runs = client.run(&ids[0]);
    client.run(&ids[1]);
    let runs_page = client.get("run/list", json!({"limit": 1}));
    assert_ne!(runs_page["items"][0]["id"], runs);
    let elsewhere = Place::new();
    let mut other = elsewhere.open();
    for title in ["a", "b"] {
        other.create(dormant(title, shell("true")));
    }
    let foreign = other.get("automation/list", json!({"limit": 1}))["nextCursor"].clone();
    for cursor in [json!(""), json!("nonsense"), runs_page["nextCursor"].clone(), foreign] {
        assert!(cursor.is_string());
        let error = client.refusal("automation/list", json!({"cursor": cursor}));
        assert_invalid_params(&error, &["cursor unknown_value"]);
    }
    let error = client.refusal("automation/list", json!({"limit": 501, "query": "x".repeat(161)}));
    assert_invalid_params(&error, &["limit out_of_range", "query too_long"]);
    other.finish();
    client.finish();
}

#[test]
fn what_does_not_exist_is_not_found() {
    let place = Place::new();
    let mut client = place.open();
    let gone = client.create(dormant("gone", shell("true")));
    client.get("automation/delete", json!({"id": gone}));
    for id in [json!("atm_nothing"), gone] {
        for method in ["automation/get", "automation/delete", "automation/run"] {
            let error = client.refusal(method, json!({"id": id}));
            assert_eq!((&error["code"], kind(&error)), (&json!(-32011), "not_found"), "{method}");
            assert_eq!((&error["data"]["what"], &error["data"]["id"]), (&json!("automation"), &id));
        }
    }
    for method in ["run/get", "run/cancel", "run/output"] {
        let error = client.refusal(method, json!({"id": "run_nothing"}));
        assert_eq!((kind(&error), &error["data"]["what"]), ("not_found", &json!("run")), "{method}");
    }
    client.finish();
}

#[test]
fn a_title_is_found_in_upper_or_lower_case_of_any_alphabet() {
    let place = Place::new();
    let mut client = place.open();
    for title in ["Straße kehren", "ΟΔΟΣ", "100 % {done}", "İstanbul", "50% off_"] {
        client.create(dormant(title, shell("true")));
    }
    let mut found = |query: &str| {
        let page = client.get("automation/list", json!({"query": query}));
        titles(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("STRASSE"), ["Straße kehren"]);
    assert_eq!(found("straße KEHREN"), ["Straße kehren"]);
    for sigma in ["οδος", "οδοσ", "ΟΔΟΣ"] {
        assert_eq!(found(sigma), ["ΟΔΟΣ"], "{sigma}");
    }
    assert_eq!(found("STANBUL"), ["İstanbul"]);
    assert_eq!(found("%"), ["50% off_", "100 % {done}"], "no sign stands for others");
    assert_eq!(found("_"), ["50% off_"]);
    assert_eq!(found("\\"), Vec::<String>::new());
    client.finish();
}

#[test]
fn filtered_pages_neither_repeat_nor_skip_while_titles_and_pauses_change() {
    let place = Place::new();
    let mut client = place.open();
    let ids: Vec<Value> = (0..9)
        .map(|number| {
            let draft = dormant(&format!("Nightly {number}"), shell("true"));
            client.create(with(draft, "paused", json!(number % 3 == 0)))
        })
        .collect();
    let page = |client: &mut Client, cursor: &Value| {
        let mut params = json!({"query": "nightly", "paused": false, "limit": 2});
        if cursor.is_string() {
            params["cursor"] = cursor.clone();
        }
        client.get("automation/list", params)
    };
    let first = page(&mut client, &Value::Null);
    assert_eq!(titles(&first), ["Nightly 8", "Nightly 7"]);
    // The one that the cursor stands at goes, one that comes next rests, and one that rested goes on.
    client.get("automation/delete", json!({"id": ids[7]}));
    client.get("automation/pause", json!({"id": ids[5]}));
    client.get("automation/resume", json!({"id": ids[3]}));
    client.get("automation/update", json!({"id": ids[4], "patch": {"title": "4 is NIGHTLY too"}}));
    client.get("automation/update", json!({"id": ids[2], "patch": {"title": "daily"}}));
    client.create(dormant("nightly and newer", shell("true")));
    let second = page(&mut client, &first["nextCursor"]);
    assert_eq!(titles(&second), ["4 is NIGHTLY too", "Nightly 3"]);
    client.get("automation/delete", json!({"id": ids[3]}));
    let third = page(&mut client, &second["nextCursor"]);
    assert_eq!((titles(&third), &third["nextCursor"]), (vec!["Nightly 1"], &Value::Null));
    client.finish();
}
