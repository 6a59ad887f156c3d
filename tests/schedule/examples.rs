//! The given cases: expression, zone, instant, and the next five fires.

use super::support::{at, cron, next, text, zone};

#[test]
fn every_example_has_its_next_five_fires() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(include_str!("../cron/examples.json")).unwrap();
    assert!(cases.len() >= 260);
    let mut wrong = Vec::new();
    for case in &cases {
        let member = |name: &str| case[name].as_str().unwrap();
        let expected: Vec<String> =
            case["next"].as_array().unwrap().iter().map(|fire| text(at(fire.as_str().unwrap()))).collect();
        assert_eq!(expected.len(), 5);
        let found = next(member("expression"), member("timezone"), member("after"), 5);
        if found != expected {
            wrong.push(format!("{case}\n  found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_example_is_monotone_around_its_fires() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(include_str!("../cron/examples.json")).unwrap();
    for case in &cases {
        let member = |name: &str| case[name].as_str().unwrap();
        let (cron, zone) = (cron(member("expression")), zone(member("timezone")));
        for fire in case["next"].as_array().unwrap() {
            let fire = at(fire.as_str().unwrap());
            assert_eq!(cron.next_after(&zone, fire.plus_ms(-1)), Some(fire), "{case}");
            assert!(cron.next_after(&zone, fire).unwrap() > fire, "{case}");
        }
    }
}
