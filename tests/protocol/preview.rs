//! `automation/preview`: what a schedule means, for every given case.

use serde_json::{Value, json};

use crate::support::{Place, faults, kind};

fn ms(text: &Value) -> i64 {
    let parsed = text.as_str().expect("a text").parse::<jiff::Timestamp>();
    parsed.expect("an instant").as_millisecond()
}

#[test]
fn every_example_fires_as_it_says() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../cron/examples.json")).unwrap();
    assert!(cases.len() >= 260);
    let place = Place::new();
    let mut client = place.open();
    let asked: Vec<String> = cases
        .iter()
        .map(|case| {
            let rhythm = json!({"kind": "cron", "expression": case["expression"]});
            let params = json!({"rhythm": rhythm, "timezone": case["timezone"], "after": ms(&case["after"])});
            client.send("automation/preview", params)
        })
        .collect();
    let mut wrong = Vec::new();
    for (case, id) in cases.iter().zip(asked) {
        let expected: Vec<i64> = case["next"].as_array().unwrap().iter().map(ms).collect();
        let answer = client.answer(&id);
        match &answer {
            Ok(preview) if preview["fires"] == json!(expected) => {}
            Ok(_) | Err(_) => wrong.push(format!("{case}\n  expected {expected:?}\n  found {answer:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    client.finish();
}

#[test]
fn every_invalid_expression_is_refused_with_a_reason() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../cron/invalid.json")).unwrap();
    assert!(cases.len() >= 34);
    let place = Place::new();
    let mut client = place.open();
    let mut wrong = Vec::new();
    for case in &cases {
        let rhythm = json!({"kind": "cron", "expression": case["expression"]});
        let error = client.refusal("automation/preview", json!({"rhythm": rhythm}));
        assert_eq!(error["code"], -32010, "{case}");
        // An expression that is blank is absent rather than wrong.
        let blank = case["expression"].as_str().unwrap().trim().is_empty();
        let word = if blank { "required" } else { "invalid_cron_expression" };
        let hint = error["data"]["details"][0]["hint"].as_str().unwrap_or_default();
        let named = blank || hint.contains(case["field"].as_str().unwrap());
        if faults(&error) != [format!("rhythm.expression {word}")] || !named {
            wrong.push(format!("{case}\n  {error}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    client.finish();
}

#[test]
fn a_preview_shows_as_many_fires_as_are_asked_for_and_as_the_stop_leaves() {
    let place = Place::new();
    let mut client = place.open();
    let rhythm = json!({"kind": "interval", "everyMs": 60_000});
    let mut fires = |more: Value| {
        let mut params = json!({"rhythm": rhythm, "after": 1_000_000});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.get("automation/preview", params)["fires"].clone()
    };
    let five = json!([1_060_000, 1_120_000, 1_180_000, 1_240_000, 1_300_000]);
    assert_eq!(fires(json!({})), five);
    assert_eq!(fires(json!({"count": 2})), json!([1_060_000, 1_120_000]));
    assert_eq!(fires(json!({"count": 1000})).as_array().unwrap().len(), 1000);
    assert_eq!(fires(json!({"stop": {"kind": "count", "count": 1}})), json!([1_060_000]));
    let until = json!({"kind": "until", "at": 1_120_000});
    assert_eq!(fires(json!({"stop": until})), json!([1_060_000, 1_120_000]), "a slot at the end fires");
    let later = client.get("automation/preview", json!({"fireAt": 5_000_000, "after": 4_999_999}));
    assert_eq!(later["fires"], json!([5_000_000]));
    let past = client.get("automation/preview", json!({"fireAt": 5_000_000, "after": 5_000_000}));
    assert_eq!(past["fires"], json!([]));
    client.finish();
}

#[test]
fn a_preview_warns_of_what_people_do_not_expect() {
    let place = Place::new();
    let mut client = place.open();
    let mut warnings = |expression: &str| {
        let rhythm = json!({"kind": "cron", "expression": expression});
        let preview = client.get("automation/preview", json!({"rhythm": rhythm, "timezone": "UTC"}));
        preview["warnings"].as_array().unwrap().len()
    };
    assert_eq!(warnings("0 9 */2 * 1"), 1, "a stepped star meets the other day field");
    assert_eq!(warnings("*/61 * * * *"), 1, "a step larger than its field");
    assert_eq!(warnings("0 9 * * 1-5"), 0);
    client.finish();
}

#[test]
fn a_preview_says_in_words_what_it_means_and_what_surprises() {
    let place = Place::new();
    let mut client = place.open();
    let mut preview = |params: Value| client.get("automation/preview", params);
    let after = ms(&json!("2025-03-29T12:00:00Z"));
    let nightly = json!({"kind": "cron", "expression": "30 2 * * *"});
    let until = json!({"kind": "until", "at": ms(&json!("2025-04-30T22:00:00Z"))});
    let night = preview(
        json!({"rhythm": nightly, "timezone": "Europe/Berlin", "stop": until, "after": after, "count": 2}),
    );
    assert_eq!(
        night["description"],
        "Every day at 02:30, Europe/Berlin, up to and including 2025-05-01 00:00"
    );
    let text = "On 2025-03-30 clocks go forward from 02:00 to 03:00 (Europe/Berlin): 02:30 does not exist and fires at \
                03:00 instead.";
    assert_eq!(night["notes"], json!([{"at": night["fires"][0], "kind": "clock_moved", "text": text}]));

    let interval = preview(json!({"rhythm": {"kind": "interval", "everyMs": 5_400_000}}));
    assert_eq!(interval["description"], "Every 90 minutes");
    let once = preview(json!({"fireAt": 1_793_606_400_000_i64, "timezone": "europe/berlin"}));
    assert_eq!(once["description"], "Once, on Monday 2026-11-02 at 09:00, Europe/Berlin");
    assert_eq!(once["notes"], json!([]));
    client.finish();
}

#[test]
fn a_preview_tells_every_fault_at_once() {
    let place = Place::new();
    let mut client = place.open();
    let error = client.refusal(
        "automation/preview",
        json!({"rhythm": {"kind": "interval", "everyMs": 29_999}, "stop": {"kind": "count", "count": 0},
            "timezone": "Mars/Olympus", "after": -1, "count": 1001, "title": "x"}),
    );
    assert_eq!(kind(&error), "invalid_automation");
    assert_eq!(
        faults(&error),
        [
            "rhythm.everyMs interval_below_minimum_30000ms",
            "stop.count out_of_range",
            "timezone invalid_timezone",
            "after out_of_range",
            "count out_of_range",
            "title unsupported_automation_field",
        ]
    );
    let error = client.refusal("automation/preview", json!({}));
    assert_eq!(faults(&error), ["rhythm required"]);
    client.finish();
}
