//! Which word, and which path, tells what is wrong inside a draft or a patch.

use serde_json::{Value, json};

use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, faults};

#[test]
fn each_fault_of_a_policy_or_a_place_has_its_word() {
    let place = Place::new();
    let mut client = place.open();
    let of_policy = [
        (r#"{"overlap":7}"#, "overlap wrong_type"),
        (r#"{"overlap":"bogus"}"#, "overlap unknown_value"),
        (r#"{"ifBusy":"a\u0000"}"#, "ifBusy contains_nul"),
        (r#"{"ifBusy":"wait"}"#, "ifBusy unknown_value"),
        (r#"{"idleMs":"x"}"#, "idleMs wrong_type"),
        (r#"{"idleMs":-1}"#, "idleMs out_of_range"),
        (r#"{"idleMs":999}"#, "idleMs out_of_range"),
        (r#"{"stepCap":"x"}"#, "stepCap wrong_type"),
        (r#"{"stepCap":-1}"#, "stepCap out_of_range"),
        (r#"{"stepCap":0}"#, "stepCap out_of_range"),
        (r#"{"permissions":"maybe"}"#, "permissions unknown_value"),
        (r#"{"permissions":null}"#, "permissions wrong_type"),
        (r#"{"retry":5}"#, "retry wrong_type"),
        (r#"{"retry":null}"#, "retry wrong_type"),
        (r#"{"retry":{"bogus":1}}"#, "retry.bogus unsupported_automation_field"),
        (r#"{"retry":{"attempts":"\ud800"}}"#, "retry.attempts not_unicode"),
        (r#"{"retry":{"attempts":0,"delayMs":999}}"#, "retry.delayMs out_of_range"),
        (r#"{"retry":{"attempts":1001}}"#, "retry.attempts out_of_range"),
        (r#"{"blockerMs":{"attended":"x"}}"#, "blockerMs.attended wrong_type"),
        (r#"{"blockerMs":{"unattended":-1}}"#, "blockerMs.unattended out_of_range"),
        (r#"{"blockerMs":{"nobody":1}}"#, "blockerMs.nobody unsupported_automation_field"),
        (r#"{"budget":7}"#, "budget wrong_type"),
        (r#"{"budget":{}}"#, "budget.perRun required"),
        (r#"{"budget":{"perRun":{"amount":1}}}"#, "budget.perRun.currency required"),
        (r#"{"budget":{"perRun":{"amount":-0.5,"currency":"EUR"}}}"#, "budget.perRun.amount out_of_range"),
        (r#"{"budget":{"perRun":{"amount":1,"currency":"euro"}}}"#, "budget.perRun.currency unknown_value"),
        (
            r#"{"budget":{"perRun":{"amount":1,"currency":"EUR","cents":5}}}"#,
            "budget.perRun.cents unsupported_automation_field",
        ),
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
        (r#"{"worktree":"\u00e4"}"#, "worktree invalid_worktree_placement"),
        (r#"{"worktree":"..."}"#, "worktree invalid_worktree_placement"),
        (r#"{"worktree":"w"}"#, "worktree unsupported_where_worktree_not_git"),
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
fn what_limits_an_agent_is_stored_whatever_the_task_is() {
    let place = Place::new();
    let mut client = place.open();
    let policy = json!({"idleMs": 1000, "stepCap": 3, "permissions": "deny", "blockerMs": {"unattended": 0},
        "budget": {"perRun": {"amount": 0.25, "currency": "EUR"}}});
    let id = client.create(with(dormant("t", shell("true")), "policy", policy.clone()));
    let stored = client.get("automation/get", json!({"id": id}))["policy"].clone();
    for name in ["idleMs", "stepCap", "permissions", "budget"] {
        assert_eq!(stored[name], policy[name], "{name}");
    }
    assert_eq!(stored["blockerMs"], json!({"attended": 86_400_000, "unattended": 0}));
    let restored =
        json!({"stepCap": null, "permissions": null, "blockerMs": null, "budget": null, "idleMs": null});
    let edited = client.get("automation/update", json!({"id": id, "patch": {"policy": restored}}));
    let defaults = client.get("automation/create", with(dormant("t", shell("true")), "dryRun", json!(true)));
    assert_eq!(edited["policy"], defaults["policy"]);
    client.finish();
}

#[test]
fn each_fault_of_a_prompt_has_its_word() {
    let place = Place::new();
    let mut client = place.open();
    let model = json!({"providerID": "p", "modelID": "m"});
    let prompt = json!({"kind": "prompt", "prompt": "x", "model": model});
    let id = client.create(dormant("edited", shell("true")));
    for (field, value, fault) in [
        ("prompt", json!("x".repeat(20_001)), "task.prompt prompt_too_long_20000"),
        ("prompt", json!(" \n"), "task.prompt required"),
        ("model", json!("p/m"), "task.model wrong_type"),
        ("model", json!({"modelID": "m"}), "task.model.providerID required"),
        ("model", json!({"providerID": "p", "modelID": "m".repeat(201)}), "task.model.modelID too_long"),
        ("variant", json!(""), "task.variant required"),
        ("context", json!("later"), "task.context unknown_value"),
        ("sessionID", json!("s"), "task.sessionID unsupported_session_with_fresh"),
        ("program", json!("sh"), "task.program unsupported_automation_field"),
    ] {
        let task = with(prompt.clone(), field, value);
        let error = client.refusal("automation/create", dormant("t", task.clone()));
        assert_eq!(faults(&error), [fault]);
        let error = client.refusal("automation/update", json!({"id": id, "patch": {"task": task}}));
        assert_eq!(faults(&error), [fault]);
    }
    let all_at_once =
        json!({"kind": "prompt", "model": {}, "variant": 1, "context": "fresh", "sessionID": "s"});
    let error = client.refusal("automation/create", dormant("t", all_at_once));
    assert_eq!(
        faults(&error),
        [
            "task.prompt required",
            "task.model.providerID required",
            "task.model.modelID required",
            "task.variant wrong_type",
            "task.sessionID unsupported_session_with_fresh",
        ]
    );
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
        "where": {"worktree": null}, "stop": {"at": null}, "policy": {"keep": {"runs": null}}});
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
