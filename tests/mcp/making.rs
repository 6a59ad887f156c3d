//! What people say, as the calls that a model makes of it: what comes of them.

use serde_json::{Value, json};

use super::host::{Host, automation};
use crate::support::agents::{AGENT, scripted};
use crate::support::{Place, wall_ms};

const MINUTE_MS: i64 = 60_000;

/// A window whose clocks are those of the host.
fn window(place: &Place) -> crate::support::client::Client {
    place.sidecar().env("TZ", "Europe/Berlin").open()
}

#[test]
fn every_weekday_at_nine() {
    let place = Place::new();
    let mut window = window(&place);
    let host = Host::at(&place);
    let made = host.automate(json!({"title": "Tests", "cron": "0 9 * * 1-5", "command": ["npm", "test"]}));
    made.says("“Tests” (atm_");
    made.says("was made. It runs `npm test`. Weekdays at 09:00, Europe/Berlin. Next: ");
    assert_eq!(made.structure["automation"]["next"].as_array().unwrap().len(), 3);
    assert_eq!(made.structure["notes"], json!([]), "a window is open, and nothing else is to be known");
    let stored = automation(&mut window, &made.id());
    assert_eq!(stored["rhythm"], json!({"kind": "cron", "expression": "0 9 * * 1-5"}));
    assert_eq!(stored["timezone"], "Europe/Berlin");
    assert_eq!(stored["task"], json!({"kind": "command", "program": "npm", "args": ["test"], "env": {}}));
    assert_eq!(stored["createdBy"]["client"], "mcp 0.1.0");
    host.finish();
    window.finish();
}

#[test]
fn in_twenty_minutes_remind_me() {
    let place = Place::new();
    let mut window = window(&place);
    let host = Host::at(&place);
    let before = wall_ms();
    let made = host.automate(json!({"title": "Stand-up", "in": "20m", "reminder": "The stand-up begins"}));
    made.says("It reminds: “The stand-up begins”. Once, on ");
    let stored = automation(&mut window, &made.id());
    assert_eq!(stored["task"], json!({"kind": "notify", "text": "The stand-up begins"}));
    let fire_at = stored["fireAt"].as_i64().unwrap();
    let ahead = fire_at - before;
    assert!((20 * MINUTE_MS..=21 * MINUTE_MS).contains(&ahead) && fire_at % 1000 == 0, "{ahead}");
    host.finish();
    window.finish();
}

#[test]
fn remind_me_tomorrow_by_the_clocks_of_another_place() {
    let place = Place::new();
    let mut window = window(&place);
    let host = Host::at(&place);
    let made = host.automate(json!({"title": "Call", "at": "tomorrow 08:30", "timezone": "america/new_york", "reminder": "Call Ann"}));
    made.says(" at 08:30, America/New_York");
    let stored = automation(&mut window, &made.id());
    assert_eq!((&stored["kind"], &stored["timezone"]), (&json!("oneshot"), &json!("America/New_York")));
    let ahead = stored["fireAt"].as_i64().unwrap() - wall_ms();
    assert!((8 * 60 * MINUTE_MS..33 * 60 * MINUTE_MS).contains(&ahead), "{ahead}");
    host.finish();
    window.finish();
}

#[test]
fn every_two_hours_until_friday() {
    let place = Place::new();
    let mut window = window(&place);
    let host = Host::at(&place);
    let made = host.automate(json!({"title": "Tests", "every": "2 hours", "until": "friday",
        "shell": "npm test | tail -n 20", "read_only": true}));
    made.says("It runs in the shell: `npm test | tail -n 20`, changing nothing. Every 2 hours, up to and including ");
    made.says(" 23:59 (Europe/Berlin)");
    let stored = automation(&mut window, &made.id());
    assert_eq!(stored["rhythm"], json!({"kind": "interval", "everyMs": 120 * MINUTE_MS}));
    assert_eq!(stored["task"]["args"], json!(["-c", "npm test | tail -n 20"]));
    assert_eq!(stored["access"], "read");
    let ahead = stored["stop"]["at"].as_i64().unwrap() - wall_ms();
    assert!((-MINUTE_MS..7 * 24 * 60 * MINUTE_MS).contains(&ahead), "{ahead}");
    host.finish();
    window.finish();
}

#[test]
fn watch_until_the_build_is_green() {
    let place = Place::new();
    let mut window = place
        .sidecar()
        .env("TZ", "Europe/Berlin")
        .option("providers", json!({AGENT: scripted(&place, "log", &json!({}))}))
        .open();
    let host = Host::at(&place);
    let watch = json!({"title": "Watch the build", "every": "5m", "times": 100, "continue_session": true,
        "model": "agent/large", "variant": "high", "prompt": "Look whether the newest build is green."});
    let made = host.automate(watch);
    made.says(
        "It asks agent/large (high) in one session that goes on: “Look whether the newest build is green.”.",
    );
    made.says("Every 5 minutes, until 100 runs have succeeded or failed.");
    let stored = automation(&mut window, &made.id());
    let task = json!({"kind": "prompt", "prompt": "Look whether the newest build is green.", "context": "continue",
        "model": {"providerID": "agent", "modelID": "large"}, "variant": "high"});
    assert_eq!(stored["task"], task);
    assert_eq!(stored["stop"], json!({"kind": "count", "count": 100}));
    host.finish();
    window.finish();
}

#[test]
fn the_only_model_there_is_is_taken_and_told() {
    let place = Place::new();
    let script = json!({"models": {"form": "options", "list": [{"id": "one"}], "stubborn": false}});
    // Nobody has asked the agent yet, and no window is open: the server's own sidecar asks it.
    place.configure(&json!({"providers": {AGENT: scripted(&place, "log", &script)}}).to_string());
    let host = Host::at(&place);
    let made = host.automate(json!({"title": "Triage", "cron": "0 9 * * 1-5", "prompt": "Triage."}));
    made.says("The model is agent/one, the only one there is.");
    made.says("No window has this project open now");
    let shown = host.manage(json!({"action": "list", "automation": "triage"}));
    assert_eq!(shown.structure["automations"][0]["does"], "asks agent/one: “Triage.”");
    host.finish();
}

#[test]
fn a_key_makes_one_automation_and_a_dry_run_none() {
    let place = Place::new();
    let mut window = window(&place);
    let host = Host::at(&place);
    let call = json!({"title": "Once", "every": "1h", "reminder": "x", "key": "k"});
    let first = host.automate(call.clone());
    first.says(" was made.");
    let second = host.automate(call);
    second.says("Nothing new was made: this `key` was used on ");
    second.says(" for “Once” (");
    assert!(!second.text.contains("It is not what was asked for"), "{}", second.text);
    assert_eq!(first.id(), second.id());
    let other = host.automate(json!({"title": "Other", "every": "2h", "reminder": "x", "key": "k"}));
    other.says("for “Once” (");
    other.says("It is not what was asked for now: it has another title, another schedule.");
    assert_eq!(first.id(), other.id());
    let soon = json!({"title": "Soon", "in": "20m", "reminder": "x", "key": "soon"});
    host.automate(soon.clone()).says(" was made.");
    let again = host.automate(soon);
    assert!(!again.text.contains("It is not what was asked for"), "{}", again.text);
    let tried =
        host.automate(json!({"title": "Other", "every": "2h", "reminder": "x", "key": "k", "dry_run": true}));
    tried.says("A dry run does not look whether the `key` was used");
    let tried = host.automate(json!({"title": "Tried", "every": "1h", "reminder": "x", "dry_run": true}));
    tried.says("“Tried” would be made; nothing was. It reminds: “x”. Every hour. Next: ");
    assert_eq!((tried.id(), &tried.structure["dry_run"]), (json!(""), &json!(true)));
    let listed = window.get("automation/list", json!({}));
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    host.finish();
    window.finish();
}

#[test]
fn what_is_left_out_may_be_sent_as_nothing() {
    let place = Place::new();
    let mut window = window(&place);
    let host = Host::at(&place);
    let made = host
        .automate(json!({"title": "Plain", "every": "1h", "reminder": "x", "cron": "", "at": null,
        "prompt": "  ", "command": [], "timezone": null, "dry_run": false, "continue_session": null}));
    let stored = automation(&mut window, &made.id());
    assert_eq!(stored["task"], json!({"kind": "notify", "text": "x"}));
    host.finish();
    window.finish();
}

#[test]
fn what_surprises_in_a_schedule_is_told() {
    let place = Place::new();
    let host = Host::at(&place);
    let tried = |cron: &str| {
        let call = json!({"title": "x", "cron": cron, "timezone": "Europe/Berlin", "reminder": "x", "dry_run": true});
        host.automate(call).structure["notes"].as_array().cloned().unwrap()
    };
    let notes = |cron: &str| -> Vec<Value> {
        let is_about_windows = |note: &Value| note.as_str().unwrap().contains("No window");
        tried(cron).into_iter().filter(|note| !is_about_windows(note)).collect()
    };
    assert_eq!(notes("0 9 * * 1-5"), [] as [Value; 0]);
    // A day that few months have.
    assert!(!notes("0 9 31 * *").is_empty());
    host.finish();
}
