//! `automation/update`: what a patch changes, what it may not, and who hears of it.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, once, shell, with};
use crate::support::{Place, assert_invalid_params, eventually, faults, kind, wall_ms};

fn update(client: &mut Client, automation: &Value, patch: Value) -> Value {
    client.get("automation/update", json!({"id": automation, "patch": patch}))
}

/// Refused as an edit, with these faults.
fn assert_invalid(client: &mut Client, automation: &Value, patch: Value, expected: &[&str]) -> Value {
    let error = client.refusal("automation/update", json!({"id": automation, "patch": patch}));
    assert_eq!((&error["code"], kind(&error)), (&json!(-32010), "invalid_automation"), "{patch}");
    assert_eq!(faults(&error), expected, "{patch}");
    error
}

fn seq(client: &mut Client) -> Value {
    client.get("automation/list", json!({}))["seq"].clone()
}

#[test]
fn an_edit_is_one_revision_and_every_window_is_told() {
    let place = Place::new();
    let (mut client, mut other) = (place.open(), place.open());
    let subscription = other.subscribe(json!({}));
    let made = client.get("automation/create", dormant("before", shell("true")));
    let patch = json!({"title": "after", "task": {"stdin": "x"}, "policy": {"queueMs": 5}, "access": "read"});
    let edited = update(&mut other, &made["id"], patch.clone());
    let mut expected = with(with(made.clone(), "title", json!("after")), "access", json!("read"));
    expected["task"]["stdin"] = json!("x");
    expected["policy"]["queueMs"] = json!(5);
    expected["revision"] = json!(2);
    expected["updatedAt"] = edited["updatedAt"].clone();
    assert_eq!(edited, expected);
    assert!(edited["updatedAt"].as_i64() >= made["createdAt"].as_i64());
    assert_eq!(client.get("automation/get", json!({"id": made["id"]})), edited);
    let told = other.wait_for_event("the edit", |event| event["automation"]["revision"] == 2);
    assert_eq!((&told["kind"], &told["automation"]), (&json!("automation.updated"), &edited));
    assert_eq!(told["important"], false);
    let events = other.events(&subscription);
    assert_eq!(events.len(), 2, "created, edited");
    let all = client.subscribe(json!({"after": events[0]["seq"].as_i64().map(|seq| seq - 1)}));
    client.wait("the same news", |client| (client.events(&all) == events).then_some(()));
    let before = seq(&mut client);
    for again in [patch, json!({}), edited_form(&edited)] {
        assert_eq!(update(&mut client, &made["id"], again), edited);
    }
    assert_eq!(seq(&mut client), before, "an event about nothing");
    let methods = &client.opened["capabilities"]["methods"];
    assert!(methods.as_array().expect("methods").contains(&json!("automation/update")));
    other.finish();
    client.finish();
}

/// What a form sends that knows every field: the whole draft.
fn edited_form(automation: &Value) -> Value {
    let mut form = automation.clone();
    for name in ["id", "revision", "createdAt", "updatedAt", "createdBy", "pause", "paused", "state"] {
        form.as_object_mut().expect("an automation").remove(name);
    }
    form
}

#[test]
fn the_parameters_of_an_edit_have_faults_of_their_own() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(dormant("t", shell("true")));
    for (params, expected) in [
        (json!({}), &["id required", "patch required"][..]),
        (json!({"id": id}), &["patch required"]),
        (json!({"id": id, "patch": null}), &["patch wrong_type"]),
        (json!({"id": id, "patch": [1]}), &["patch wrong_type"]),
        (json!({"id": id, "patch": "title"}), &["patch wrong_type"]),
        (json!({"id": "", "patch": {}, "ifRevision": 0}), &["id required", "ifRevision out_of_range"]),
        (
            json!({"id": id, "patch": {"title": 7}, "ifRevision": "1", "title": "x"}),
            &["ifRevision wrong_type", "title unknown_value"],
        ),
    ] {
        assert_invalid_params(&client.refusal("automation/update", params), expected);
    }
    let gone = client.create(dormant("gone", shell("true")));
    client.get("automation/delete", json!({"id": gone}));
    for id in [gone, json!("atm_nothing")] {
        let error = client.refusal("automation/update", json!({"id": id, "patch": {"title": 7}}));
        assert_eq!((&error["code"], kind(&error), &error["data"]["id"]), (&json!(-32011), "not_found", &id));
    }
    let run = client.run(&id);
    let inside = json!({"id": id, "patch": {"title": "x"}, "insideRun": run});
    assert_eq!(kind(&client.refusal("automation/update", inside)), "inside_run");
    assert_eq!(client.get("automation/get", json!({"id": id}))["revision"], 1);
    client.finish();
}

#[test]
fn every_fault_of_a_patch_is_told_at_once_by_its_path_in_the_draft() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(dormant("t", shell("true")));
    let before = (client.get("automation/get", json!({"id": id})), seq(&mut client));
    let patch = json!({
        "policy": {"overlap": "queueAll", "missed": {"windowMs": -1}, "queueMs": "1", "surprise": 1, "typo": null},
        "access": "admin", "where": {"worktree": "x"}, "paused": false, "state": null, "revision": 2, "colour": "red",
        "task": {"program": null, "args": ["a", "b\u{0}"], "env": {"A": 1}}, "timezone": "Mars/Olympus",
        "stop": {"kind": "until"}, "rhythm": {"everyMs": 29_999}, "fireAt": 5, "title": "x".repeat(161),
    });
    let expected = [
        "title title_too_long_160",
        "fireAt unsupported_for_recurring_automation",
        "rhythm.everyMs interval_below_minimum_30000ms",
        "stop.at required",
        "timezone invalid_timezone",
        "task.program required",
        "task.args[1] contains_nul",
        "task.env.A wrong_type",
        "where.worktree unsupported_where_worktree_not_git",
        "access unknown_value",
        "policy.overlap unknown_value",
        "policy.missed.windowMs out_of_range",
        "policy.queueMs wrong_type",
        "policy.surprise unsupported_automation_field",
        "policy.typo unsupported_automation_field",
        "state unsupported_automation_field",
        "colour unsupported_automation_field",
        "paused unsupported_automation_field",
        "revision unsupported_automation_field",
    ];
    let error = assert_invalid(&mut client, &id, patch, &expected);
    let hint = |field: &str| {
        let details = error["data"]["details"].as_array().expect("details").iter();
        details
            .filter(|fault| fault["field"] == field)
            .map(|fault| fault["hint"].to_string())
            .collect::<String>()
    };
    assert!(hint("paused").contains("automation/pause"), "{error}");
    assert!(hint("state").contains("only the sidecar"), "{error}");
    for (patch, expected) in [
        (json!({"title": null}), "title required"),
        (json!({"title": " "}), "title required"),
        (json!({"rhythm": null}), "rhythm required"),
        (json!({"rhythm": {"everyMs": null}}), "rhythm.everyMs required"),
        (json!({"rhythm": {"kind": null}}), "rhythm.kind required"),
        (json!({"rhythm": {"expression": "* * * * *"}}), "rhythm.expression unsupported_automation_field"),
        (json!({"rhythm": {"kind": "cron", "everyMs": 60_000}}), "rhythm.expression required"),
        (json!({"task": null}), "task required"),
        (json!({"task": {"kind": "prompt", "prompt": "x"}}), "task.model required"),
        (json!({"kind": null}), "kind required"),
        (json!({"kind": "sometimes"}), "kind unknown_value"),
        (json!({"kind": "oneshot", "fireAt": 1, "rhythm": null}), "kind unsupported_kind_change"),
        (json!({"stop": {"kind": "condition"}}), "stop unsupported_stop_condition"),
        (json!({"policy": 1}), "policy wrong_type"),
        (json!({"id": id}), "id unsupported_automation_field"),
    ] {
        let fields: Vec<&str> = vec![expected];
        if expected.starts_with("rhythm.expression required") {
            let both = ["rhythm.expression required", "rhythm.everyMs unsupported_automation_field"];
            assert_invalid(&mut client, &id, patch, &both);
        } else {
            assert_invalid(&mut client, &id, patch, &fields);
        }
    }
    let raw = format!(
        r#"{{"jsonrpc":"2.0","id":"raw","method":"automation/update","params":
           {{"id":{id},"patch":{{"title":"\ud800","access":"read","access":"write"}}}}}}"#
    );
    client.message(&raw.replace('\n', " "));
    let error = client.answer("\"raw\"").expect_err("a flawed patch");
    assert_eq!(faults(&error), ["title not_unicode", "access duplicate_field"]);
    let once = client.create(once("o", wall_ms() + 60_000, shell("true")));
    assert_invalid(&mut client, &once, json!({"fireAt": 5}), &["fireAt fireAt_must_be_future"]);
    assert_invalid(&mut client, &once, json!({"fireAt": null}), &["fireAt required"]);
    let stop = json!({"stop": {"kind": "never"}});
    assert_invalid(&mut client, &once, stop, &["stop unsupported_for_oneshot_automation"]);
    client.get("automation/delete", json!({"id": once}));
    assert_eq!(client.get("automation/get", json!({"id": id})), before.0, "nothing was stored");
    client.finish();
}

#[test]
fn what_belongs_to_one_kind_of_a_union_goes_with_it() {
    let place = Place::new();
    let mut client = place.open();
    let draft =
        with(dormant("t", shell("true")), "policy", json!({"missed": {"kind": "runOnce", "windowMs": 9}}));
    let id = client.create(draft);
    // With the nulls that a library writes that compares two documents.
    for (patch, field, expected) in [
        (
            json!({"rhythm": {"kind": "cron", "expression": "0 9 * * *", "everyMs": null}}),
            "rhythm",
            json!({"kind": "cron", "expression": "0 9 * * *"}),
        ),
        (
            json!({"rhythm": {"expression": "0 8 * * *"}}),
            "rhythm",
            json!({"kind": "cron", "expression": "0 8 * * *"}),
        ),
        (
            json!({"rhythm": {"kind": "interval", "everyMs": 60_000}}),
            "rhythm",
            json!({"kind": "interval", "everyMs": 60_000}),
        ),
        (json!({"stop": {"kind": "count", "count": 3}}), "stop", json!({"kind": "count", "count": 3})),
        (json!({"stop": {"kind": "until", "at": 9}}), "stop", json!({"kind": "until", "at": 9})),
        (json!({"stop": {"kind": "never", "at": null}}), "stop", json!({"kind": "never"})),
    ] {
        assert_eq!(update(&mut client, &id, patch.clone())[field], expected, "{patch}");
    }
    let missed = |client: &mut Client, patch: Value| {
        update(client, &id, json!({"policy": {"missed": patch}}))["policy"]["missed"].clone()
    };
    assert_eq!(missed(&mut client, json!({"windowMs": 5})), json!({"kind": "runOnce", "windowMs": 5}));
    assert_eq!(missed(&mut client, json!({"kind": "skip"})), json!({"kind": "skip"}));
    assert_eq!(missed(&mut client, json!({"kind": "runOnce"})), json!({"kind": "runOnce"}));
    let task =
        json!({"task": {"args": ["-c", "false"], "env": {"A": "1", "B": {"from": "HOME"}}, "stdin": "in"}});
    let edited = update(&mut client, &id, task)["task"].clone();
    assert_eq!((&edited["program"], &edited["args"]), (&json!("sh"), &json!(["-c", "false"])));
    let edited = update(&mut client, &id, json!({"task": {"env": {"A": null, "C": "3"}, "stdin": null}}));
    let env = json!({"B": {"from": "HOME"}, "C": "3"});
    let task = json!({"kind": "command", "program": "sh", "args": ["-c", "false"], "env": env});
    assert_eq!(edited["task"], task);
    let reminder = json!({"kind": "notify", "text": "x", "program": null, "args": null, "env": null});
    assert_eq!(
        update(&mut client, &id, json!({"task": reminder}))["task"],
        json!({"kind": "notify", "text": "x"})
    );
    update(
        &mut client,
        &id,
        json!({"task": {"kind": "command", "program": "sh", "args": ["x"], "text": null}}),
    );
    let edited = update(&mut client, &id, json!({"policy": null, "task": {"args": null, "env": null}}));
    assert_eq!(edited["task"], json!({"kind": "command", "program": "sh", "args": [], "env": {}}));
    assert_eq!(edited["policy"]["missed"], json!({"kind": "runOnce"}));
    client.finish();
}

#[test]
fn what_a_patch_leaves_as_it_is_was_another_windows_business() {
    let place = Place::new();
    let (mut quick, mut slow) = (place.open_with(json!({"minIntervalMs": 1000})), place.open());
    let id = quick.create(with(every("t", 20_000, shell("true")), "paused", json!(true)));
    let edited =
        update(&mut slow, &id, json!({"title": "x", "rhythm": {"kind": "interval", "everyMs": 20_000}}));
    assert_eq!((&edited["title"], &edited["rhythm"]["everyMs"]), (&json!("x"), &json!(20_000)));
    let patch = json!({"rhythm": {"everyMs": 20_001}});
    assert_invalid(&mut slow, &id, patch.clone(), &["rhythm.everyMs interval_below_minimum_30000ms"]);
    assert_eq!(update(&mut quick, &id, patch)["revision"], 3);
    slow.finish();
    quick.finish();
}

#[test]
fn a_stale_revision_is_a_conflict_that_shows_what_there_is() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(dormant("t", shell("true")));
    let patch =
        |title: &str, revision: i64| json!({"id": id, "ifRevision": revision, "patch": {"title": title}});
    let edited = client.get("automation/update", patch("first", 1));
    for title in ["second", "first"] {
        let error = client.refusal("automation/update", patch(title, 1));
        assert_eq!((&error["code"], kind(&error)), (&json!(-32012), "automation_conflict"));
        assert_eq!(error["data"]["current"], edited);
    }
    assert_eq!(client.get("automation/update", patch("second", 2))["revision"], 3);
    client.finish();
}

#[test]
fn renaming_what_ticks_postpones_nothing() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 100}));
    let made = client.get("automation/create", every("0", 100, shell(LOG)));
    let begin = made["createdAt"].as_i64().expect("an instant");
    for number in 1..=60 {
        update(&mut client, &made["id"], json!({"title": number.to_string()}));
        if number % 20 == 0 {
            place.wait_for_lines("log", number / 20);
        }
    }
    for line in place.wait_for_lines("log", 6) {
        let slot: i64 = line.parse().expect("an instant");
        assert_eq!((slot - begin) % 100, 0, "{slot} is not on the grid from {begin}");
    }
    let runs = client.get("run/list", json!({"automationID": made["id"], "states": ["stopped"]}));
    let late =
        runs["items"].as_array().expect("runs").iter().filter(|run| run["stopReason"] == "missed_schedule");
    assert_eq!(late.count(), 0);
    client.finish();
}

#[test]
fn a_run_does_what_was_asked_for_when_it_was_created() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let (mut gate, _, _) = place.held_up(&mut client, "ahead");
    let id = client.create(dormant("first", shell("echo first >> log")));
    let waiting = client.run(&id);
    update(&mut client, &id, json!({"title": "second", "task": shell("echo second >> log")}));
    gate.open();
    let ended = client.wait_for_run(&waiting, "succeeded");
    assert_eq!((&ended["automationTitle"], &ended["definitionRevision"]), (&json!("first"), &json!(1)));
    let next = client.run(&id);
    client.wait_for_run(&next, "succeeded");
    assert_eq!(place.lines("log"), ["first", "second"]);
    client.finish();
}

#[test]
fn an_edited_time_is_kept_and_the_one_before_is_forgotten() {
    let place = Place::new();
    let mut client = place.open();
    let (early, late) = (wall_ms() + 400, wall_ms() + 900);
    let id = client.create(once("moved", early, shell(LOG)));
    assert_eq!(update(&mut client, &id, json!({"fireAt": late}))["state"]["nextFires"], json!([late]));
    assert_eq!(place.wait_for_lines("log", 1), [late.to_string()]);
    // It has had its time: another title is welcome, and so is another time.
    eventually("its run has ended", || {
        let shown = client.get("automation/get", json!({"id": id}));
        (shown["state"]["completedRuns"] == 1).then_some(())
    });
    let form = json!({"title": "spent", "kind": "oneshot", "fireAt": late});
    assert_eq!(update(&mut client, &id, form)["state"]["nextFireAt"], Value::Null);
    let again = wall_ms() + 300;
    update(&mut client, &id, json!({"fireAt": again}));
    assert_eq!(place.wait_for_lines("log", 2), [late.to_string(), again.to_string()]);
    client.finish();
}

#[test]
fn a_schedule_that_ends_before_it_begins_says_so() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(dormant("t", shell("true")));
    let over = json!({"kind": "until", "at": wall_ms() - 1000});
    let edited = update(&mut client, &id, json!({"stop": over}));
    assert_eq!(
        (&edited["state"]["nextFires"], edited["state"]["warnings"].as_array().map(Vec::len)),
        (&json!([]), Some(1))
    );
    let rhythm = json!({"kind": "interval", "everyMs": 60_000});
    let preview = client.get("automation/preview", json!({"rhythm": rhythm, "stop": over}));
    assert_eq!(preview["fires"], json!([]));
    assert!(preview["warnings"][0].as_str().expect("a warning").contains("stop.at"), "{preview}");
    let going_on = update(&mut client, &id, json!({"stop": null}));
    assert_eq!(going_on["state"]["warnings"], json!([]));
    client.finish();
}
