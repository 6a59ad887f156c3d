//! Which word, and which path, tells what is wrong inside a draft or a patch.

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, faults};

#[test]
fn what_is_not_available_yet_is_told_only_of_what_would_be_valid() {
    let place = Place::new();
    let mut client = place.open();
    let of_policy = [
        (r#"{"overlap":7}"#, "overlap wrong_type"),
        (r#"{"overlap":"bogus"}"#, "overlap unknown_value"),
        (r#"{"ifBusy":"a\u0000"}"#, "ifBusy contains_nul"),
        (r#"{"ifBusy":"wait"}"#, "ifBusy unknown_value"),
        (r#"{"idleMs":"x"}"#, "idleMs wrong_type"),
        (r#"{"idleMs":-1}"#, "idleMs out_of_range"),
        (r#"{"idleMs":60000}"#, "idleMs not_available_yet"),
        (r#"{"stepCap":"x"}"#, "stepCap wrong_type"),
        (r#"{"stepCap":-1}"#, "stepCap out_of_range"),
        (r#"{"stepCap":51}"#, "stepCap not_available_yet"),
        (r#"{"permissions":"maybe"}"#, "permissions unknown_value"),
        (r#"{"permissions":"deny"}"#, "permissions not_available_yet"),
        (r#"{"retry":5}"#, "retry wrong_type"),
        (r#"{"retry":null}"#, "retry wrong_type"),
        (r#"{"retry":{"bogus":1}}"#, "retry.bogus unsupported_automation_field"),
        (r#"{"retry":{"attempts":"\ud800"}}"#, "retry.attempts not_unicode"),
        (r#"{"retry":{"attempts":0,"delayMs":999}}"#, "retry.delayMs out_of_range"),
        (r#"{"retry":{"attempts":1001}}"#, "retry.attempts out_of_range"),
        (r#"{"blockerMs":{"attended":"x"}}"#, "blockerMs.attended wrong_type"),
        (r#"{"blockerMs":{"unattended":5}}"#, "blockerMs.unattended not_available_yet"),
        (r#"{"budget":7}"#, "budget wrong_type"),
        (r#"{"budget":{}}"#, "budget.perRun required"),
        (r#"{"budget":{"perRun":{"amount":1}}}"#, "budget.perRun.currency required"),
        (r#"{"budget":{"perRun":{"amount":-0.5,"currency":"EUR"}}}"#, "budget.perRun.amount out_of_range"),
        (r#"{"budget":{"perRun":{"amount":1,"currency":"euro"}}}"#, "budget.perRun.currency unknown_value"),
        (r#"{"budget":{"perRun":{"amount":0.5,"currency":"EUR"}}}"#, "budget not_available_yet"),
        (r#"{"precheck":{"program":"","timeoutMs":1000}}"#, "precheck.program required"),
        (r#"{"precheck":{"program":"p","args":[1],"timeoutMs":1000}}"#, "precheck.args[0] wrong_type"),
        (r#"{"precheck":{"program":"p"}}"#, "precheck.timeoutMs required"),
        (r#"{"precheck":{"program":"p","timeoutMs":999}}"#, "precheck.timeoutMs out_of_range"),
        (
            r#"{"precheck":{"program":"p","timeoutMs":1000,"env":{}}}"#,
            "precheck.env unsupported_automation_field",
        ),
    ];
    let id = client.create(dormant("edited", shell("true")));
    let told = |policy: &str| format!(r#""policy":{policy}"#);
    let of_policy = of_policy.iter().map(|(policy, fault)| (told(policy), format!("policy.{fault}")));
    let of_place = [
        (r#"{"worktree":5}"#, "worktree wrong_type"),
        (r#"{"worktree":""}"#, "worktree required"),
        (r#"{"worktree":null}"#, "worktree wrong_type"),
        (r#"{"worktree":"w"}"#, "worktree not_available_yet"),
    ];
    let of_place = of_place.map(|(place, fault)| (format!(r#""where":{place}"#), format!("where.{fault}")));
    for (field, fault) in of_policy.chain(of_place) {
        let draft = dormant("t", shell("true")).to_string();
        let sent = client.send_text("automation/create", &draft.replacen('{', &format!("{{{field},"), 1));
        assert_eq!(faults(&client.answer(&sent).expect_err("a refusal")), [fault.as_str()], "{field}");
        // Where null removes what is not there.
        if !field.contains("null") {
            let sent =
                client.send_text("automation/update", &format!(r#"{{"id":{id},"patch":{{{field}}}}}"#));
            assert_eq!(faults(&client.answer(&sent).expect_err("a refusal")), [fault.as_str()], "{field}");
        }
    }
    let defaults = json!({"overlap": "skip", "idleMs": null, "stepCap": 50, "retry": {"attempts": 0},
        "blockerMs": {}, "budget": null, "precheck": null, "ifBusy": "queue", "permissions": "ask"});
    client.create(with(dormant("t", shell("true")), "policy", defaults));
    client.finish();
}

#[test]
fn what_is_wrong_inside_a_schedule_is_told_without_a_kind_as_well() {
    let place = Place::new();
    let mut client = place.open();
    let expected =
        ["kind unknown_value", "fireAt wrong_type", "rhythm.everyMs required", "stop.count required"];
    let mut draft = json!({"title": "t", "task": shell("true"), "kind": "x", "fireAt": "soon",
        "rhythm": {"kind": "interval"}, "stop": {"kind": "count"}});
    assert_eq!(faults(&client.refusal("automation/create", draft.clone())), expected);
    draft.as_object_mut().expect("a draft").remove("kind");
    let error = client.refusal("automation/create", draft);
    assert_eq!(faults(&error)[1..], expected[1..]);
    let id = client.create(dormant("t", shell("true")));
    let patch = json!({"kind": "oneshot", "stop": {"kind": "count"}});
    let error = client.refusal("automation/update", json!({"id": id, "patch": patch}));
    assert_eq!(faults(&error), ["kind unsupported_kind_change", "stop.count required"]);
    client.finish();
}

#[test]
fn a_null_for_a_name_that_nobody_knows_is_told_wherever_it_is() {
    let place = Place::new();
    let mut client = place.open();
    let id = client.create(dormant("t", shell("true")));
    let patch = |patch: Value| json!({"id": id, "patch": patch});
    for (path, sent) in [
        ("task.bogus", json!({"task": {"bogus": null}})),
        ("rhythm.bogus", json!({"rhythm": {"bogus": null}})),
        ("stop.bogus", json!({"stop": {"bogus": null}})),
        ("where.worktree", json!({"where": {"worktree": null}})),
        ("where.bogus", json!({"where": {"bogus": null}})),
        ("policy.keep.bogus", json!({"policy": {"keep": {"bogus": null}}})),
        ("policy.missed.bogus", json!({"policy": {"missed": {"bogus": null}}})),
        ("policy.retry.bogus", json!({"policy": {"retry": {"bogus": null}}})),
        ("task.env.A.bogus", json!({"task": {"env": {"A": {"from": "B", "bogus": null}}}})),
    ] {
        let error = client.refusal("automation/update", patch(sent));
        assert_eq!(faults(&error), [format!("{path} unsupported_automation_field")]);
    }
    let known = json!({"task": {"env": {"anything": null}, "text": null}, "rhythm": {"expression": null},
        "stop": {"at": null}, "policy": {"keep": {"runs": null}}});
    assert_eq!(client.get("automation/update", patch(known))["revision"], 1);
    client.finish();
}

#[test]
fn limits_in_bytes_are_told_and_nul_has_its_word_in_names_too() {
    let place = Place::new();
    let mut client = place.open();
    let rhythm = json!({"kind": "cron", "expression": "*".repeat(1001)});
    let task = json!({"kind": "command", "program": "p".repeat(4097), "env": {"A\u{0}": "1", "B=": "1"}});
    let error = client.refusal("automation/create", with(dormant("t", task), "rhythm", rhythm));
    assert_eq!(
        faults(&error),
        [
            "rhythm.expression too_long",
            "task.program too_long",
            "task.env.A\u{0} contains_nul",
            "task.env.B= out_of_range"
        ]
    );
    let hints = [&error["data"]["details"][0]["hint"], &error["data"]["details"][1]["hint"]];
    assert_eq!(hints, [&json!("use at most 1000 bytes"), &json!("use at most 4096 bytes")]);
    client.finish();
}
