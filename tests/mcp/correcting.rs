//! Calls that are wrong: what a model is told, and that its next call is right.

use serde_json::{Value, json};

use super::host::{Called, Host};
use crate::support::Place;
use crate::support::agents::{AGENT, scripted};

/// A project with an agent.
fn with_agent() -> Place {
    let place = Place::new();
    place.configure(&json!({"providers": {AGENT: scripted(&place, "log", &json!({}))}}).to_string());
    place
}

fn instead(called: &Called, argument: &str) -> String {
    let problems = called.structure["problems"].as_array().unwrap();
    let of_it = problems.iter().find(|problem| problem["argument"] == argument);
    of_it.unwrap_or_else(|| panic!("{argument} in {problems:?}"))["instead"].as_str().unwrap().to_owned()
}

#[test]
fn a_model_that_is_not_offered_is_answered_with_those_that_are() {
    let place = with_agent();
    let host = Host::at(&place);
    let mut call =
        json!({"title": "Triage", "cron": "0 9 * * 1-5", "prompt": "Triage.", "model": "agent/lage"});
    let told = host.mistake("automate", call.clone());
    assert_eq!(told.problems(), ["model"]);
    assert!(instead(&told, "model").starts_with("write `agent/large` if that is meant"));
    assert_eq!(told.structure["models"], json!(["agent/large", "agent/small"]));
    call["model"] = told.structure["models"][0].clone();
    call["variant"] = json!("hihg");
    let told = host.mistake("automate", call.clone());
    assert_eq!(told.problems(), ["variant"]);
    assert_eq!(instead(&told, "variant"), "write one of `high`, `low`, or leave it out");
    call["variant"] = json!("high");
    host.automate(call).says("It asks agent/large (high): “Triage.”. Weekdays at 09:00");
    host.finish();
}

#[test]
fn which_model_is_asked_where_there_are_several_and_its_own_name_will_do() {
    let place = with_agent();
    let host = Host::at(&place);
    let mut call = json!({"title": "Triage", "every": "1h", "prompt": "Triage."});
    let told = host.mistake("automate", call.clone());
    assert_eq!(told.problems(), ["model"]);
    told.says("`model` is missing, and there are 2; write the one that the user wants, as in `agent/small`");
    call["model"] = json!("small");
    host.automate(call.clone()).says("The model is agent/small.");
    call["variant"] = json!("high");
    let told = host.mistake("automate", call);
    told.says("`variant` is none of the model's: \"high\"; leave it out: the model has none");
    host.finish();
}

#[test]
fn without_an_agent_a_prompt_is_answered_with_what_goes() {
    let place = Place::new();
    let host = Host::at(&place);
    let told = host.mistake("automate", json!({"title": "x", "every": "1h", "prompt": "x", "model": "a/b"}));
    assert_eq!(told.problems(), ["prompt"]);
    told.says("no agent is configured on this machine");
    host.finish();
}

#[test]
fn an_agent_that_cannot_be_asked_is_told_with_its_reason() {
    let place = Place::new();
    let window = place.sidecar().option("providers", json!({AGENT: {"command": ["/nowhere/agent"]}})).open();
    let host = Host::at(&place);
    for model in [json!("agent/large"), Value::Null] {
        let call = json!({"title": "x", "every": "1h", "prompt": "x", "model": model});
        let told = host.mistake("automate", call);
        assert_eq!(told.problems(), ["model"], "{}", told.text);
        told.says("/nowhere/agent");
    }
    host.finish();
    window.finish();
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let place = with_agent();
    let host = Host::at(&place);
    let told = host.mistake(
        "automate",
        json!({"title": "x", "cron": "0 25 * * *", "timezone": "Berlin", "prompt": "x", "model": "agent/huge",
            "times": "3", "schedule": "daily"}),
    );
    assert_eq!(told.problems(), ["schedule", "times", "timezone", "model", "cron"], "{}", told.text);
    told.says("Nothing was made. 5 arguments are to be changed:");
    told.says("`schedule` is no argument of this tool; write `cron` if that is meant");
    told.says("`times` is to be a whole number from 1 to 1000000000, not \"3\"; write `3`");
    told.says("`cron` is no crontab expression: \"0 25 * * *\"");
    told.says("It is now ");
    assert_eq!(host.manage(json!({"action": "list"})).structure["automations"], json!([]));
    host.finish();
}

#[test]
fn each_mistake_is_answered_with_what_would_be_right() {
    let place = Place::new();
    let host = Host::at(&place);
    for (call, sentence) in [
        (json!({}), "`title` is missing: what it is called, in a few words"),
        (json!({"title": "x", "reminder": "x"}), "nothing says when; write `cron: \"0 9 * * 1-5\"`"),
        (json!({"title": "x", "in": "5m"}), "nothing says what is to happen"),
        (
            json!({"title": "x", "in": "5m", "at": "17:00", "reminder": "x"}),
            "`at` and `in` both say when; keep only one",
        ),
        (
            json!({"title": "x", "in": "5m", "shell": "x", "reminder": "x"}),
            "`reminder` and `shell` both say what",
        ),
        (
            json!({"title": "x", "in": "20", "reminder": "x"}),
            "`in` is no span of time: \"20\"; write its unit too, as in `20m`",
        ),
        (
            json!({"title": "x", "in": "soon", "reminder": "x"}),
            "`in` is no span of time: \"soon\"; write one such as `20m`",
        ),
        (
            json!({"title": "x", "every": "1s", "reminder": "x"}),
            "`every` is shorter than an interval may be; write `30s`",
        ),
        (json!({"title": "x", "at": "2020-01-01 09:00", "reminder": "x"}), "`at` has passed: it is now "),
        (
            json!({"title": "x", "at": "friday", "reminder": "x"}),
            "names a day and no time of it; write both, as in `friday 09:00`",
        ),
        (
            json!({"title": "x", "at": "noon", "reminder": "x"}),
            "`at` is no time that can be read: \"noon\"; write one such as",
        ),
        (json!({"title": "x", "every": "1h", "until": "yesterday", "reminder": "x"}), "`until` has passed"),
        (
            json!({"title": "x", "every": "1h", "until": "friday", "times": 3, "reminder": "x"}),
            "`times` and `until` both",
        ),
        (
            json!({"title": "x", "in": "5m", "times": 3, "reminder": "x"}),
            "`times` goes with `cron` or `every` only",
        ),
        (
            json!({"title": "x", "in": "5m", "reminder": "x", "model": "a/b"}),
            "`model` goes with `prompt` only; leave it out",
        ),
        (
            json!({"title": "x", "in": "5m", "reminder": "x", "worktree": "w"}),
            "`worktree` does not go with `reminder`",
        ),
        (
            json!({"title": "x", "in": "5m", "command": ["x"], "worktree": "w"}),
            "`worktree` needs a project that is a git repository",
        ),
        (json!({"title": "x", "in": "5m", "command": "npm test"}), "write `[\"npm\",\"test\"]`"),
        (
            json!({"title": "x", "in": "5m", "command": "a | b"}),
            "for a line of the shell write `shell: \"a | b\"`",
        ),
        (json!({"title": 7, "in": "5m", "reminder": "x"}), "`title` is to be a text; write `\"7\"`"),
        (
            json!({"title": "x", "in": "5m", "reminder": "x", "dry_run": "true"}),
            "`dry_run` is to be true or false, not \"true\"; write `true` or `false`",
        ),
        (
            json!({"title": "x", "in": "5m", "reminder": "x", "dry_run": "yes"}),
            "not \"yes\"; write `true` or `false`",
        ),
        (json!({"title": "x", "in": "5m", "reminder": "x", "dry_run": 1}), "not 1; write `true` or `false`"),
        (json!({"title": "x", "in": "5m", "reminder": "x", "dry_run": ""}), "write `true` or `false`"),
        (
            json!({"title": "x", "every": "5m", "reminder": "x", "times": 0}),
            "`times` is to be a whole number from 1 to 1000000000, not 0\n",
        ),
        (
            json!({"title": "x", "every": "5m", "reminder": "x", "times": "three"}),
            "`times` is to be a whole number from 1 to 1000000000, not \"three\"\n",
        ),
        (
            json!({"title": "x", "every": "5m", "reminder": "x", "times": 2.5}),
            "from 1 to 1000000000, not 2.5\n",
        ),
        (
            json!({"title": "x", "in": 20, "reminder": "x"}),
            "write `\"20m\"` for minutes or `\"20h\"` for hours",
        ),
        (json!({"title": "x", "in": "99999999w", "reminder": "x"}), "`in` is too long; write at most `"),
        (
            json!({"title": "x", "every": "600w", "reminder": "x"}),
            "`every` is too long; write at most `522w`",
        ),
        (
            json!({"title": "x", "every": "hour", "reminder": "x"}),
            "`every` is no span of time: \"hour\"; write `1h`",
        ),
        (json!({"title": "x", "every": "half an hour", "reminder": "x"}), "write one such as `20m`"),
        (
            json!({"title": "x", "at": "in 20 minutes", "reminder": "x"}),
            "`at` is a span of time, not a time; write `in: \"20 minutes\"` instead",
        ),
        (
            json!({"title": "x", "at": "17:00", "timezone": "PST", "reminder": "x"}),
            "`timezone` is no IANA time zone: \"PST\"; write a place such as `America/Los_Angeles`",
        ),
        (
            json!({"title": "x", "at": "17:00", "timezone": "UTC+1", "reminder": "x"}),
            "write a place such as `Etc/GMT-1`",
        ),
        (
            json!({"title": "x", "in": "5m", "command": [""]}),
            "`command` begins with an empty text: the program is empty",
        ),
        (
            json!({"title": "x".repeat(161), "in": "5m", "reminder": "x"}),
            "`title` is longer than 160 characters",
        ),
        (
            json!({"title": "x", "in": "5m", "remindr": "x"}),
            "`remindr` is no argument of this tool; write `reminder` if",
        ),
        (
            json!({"title": "x", "in": "5m", "reminder": "x", "qqqqqqqqqq": 1}),
            "`qqqqqqqqqq` is no argument of this tool; there are `title`,",
        ),
    ] {
        host.mistake("automate", call).says(sentence);
    }
    let whole = json!({"title": "x", "every": "1h", "times": 3.0, "reminder": "x", "dry_run": true});
    host.automate(whole).says("until 3 runs have succeeded or failed");
    for (call, sentence) in [
        (json!({}), "`action` is missing: what is to be done"),
        (json!({"action": "remove"}), "write `\"delete\"` if that is meant"),
        (json!({"action": "pase"}), "write `\"pause\"` if that is meant"),
        (json!({"action": "pause"}), "`automation` is missing; write the id or the title"),
        (
            json!({"action": "pause", "id": "x"}),
            "`id` is no argument of this tool; write `automation` if that is meant",
        ),
        (json!({"action": "pause", "automation": "x"}), "no automation is called “x”: this project has none"),
        (json!({"action": "list", "automation": "atm_x"}), "atm_x was deleted, or never was"),
        (json!({"action": "list", "confirm": "x"}), "`confirm` goes with `delete` only; leave it out"),
        (
            json!({"action": "run", "automation": "x", "wait_seconds": 600}),
            "`wait_seconds` is to be a whole number from 1 to 50, not 600",
        ),
        (
            json!({"action": "run", "automation": "x", "wait_seconds": 0}),
            "`wait_seconds` is to be a whole number from 1 to 50, not 0\n",
        ),
    ] {
        host.mistake("automate_manage", call).says(sentence);
    }
    host.finish();
}
