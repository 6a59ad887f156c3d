//! Agents that cannot be used, and what people are told of it.

use serde_json::{Value, json};

use super::{Bench, LOG, asking, begin, carried_out, ended, pause_of, says, words};
use crate::support::agents::heard;
use crate::support::client::Client;
use crate::support::drafts::with;
use crate::support::resident_kb;

/// A run of an automation that was created while all was well. What becomes of the agent after that is up to `spoil`.
fn after(bench: &Bench, client: &mut Client, spoil: impl FnOnce(&Bench)) -> Value {
    bench.plays(&json!({}));
    let automation = client.create(asking("[say:Done.]"));
    spoil(bench);
    let run = client.run(&automation);
    ended(client, &run)
}

/// The sentence that a run failed with, like this and before it had started.
fn not_started(run: &Value, class: &str) -> String {
    assert_eq!(words(run), format!("failed: start_failed {class}"), "{run}");
    assert_eq!(run["startedAt"], Value::Null);
    run["error"]["message"].as_str().expect("a sentence").to_owned()
}

#[test]
fn a_program_that_is_not_there_pauses_the_automation() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = after(&bench, &mut client, |bench| std::fs::remove_file(bench.program()).unwrap());
    let sentence = not_started(&run, "config");
    assert!(sentence.contains(bench.program().to_str().unwrap()), "{sentence}");
    assert_eq!(pause_of(&mut client, &run), "config");
    bench.finish(client, &[]);
}

#[test]
fn a_program_that_cannot_be_executed_pauses_the_automation() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = after(&bench, &mut client, |bench| {
        std::fs::remove_file(bench.program()).unwrap();
        std::fs::write(bench.program(), "text").unwrap();
    });
    let sentence = not_started(&run, "config");
    assert!(sentence.contains(bench.program().to_str().unwrap()), "{sentence}");
    assert_eq!(pause_of(&mut client, &run), "config");
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_exits_at_once_is_told_with_its_last_words() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = after(&bench, &mut client, |bench| bench.program_becomes("echo no license >&2; exit 7"));
    let sentence = not_started(&run, "agent");
    assert!(sentence.contains("exited with code 7") && sentence.contains("no license"), "{sentence}");
    assert_eq!(run["end"]["exitCode"], 7);
    assert_eq!(pause_of(&mut client, &run), Value::Null, "it counts as a failure");
    // Also where it has said what is wrong itself.
    let run = after(&bench, &mut client, |bench| {
        bench.plays(&json!({"calls": {"session/new": {"error": {"message": "not today"}}}}));
        bench.program_becomes("echo no disk left >&2; exec \"$AGENT\"");
    });
    let sentence = not_started(&run, "agent");
    assert!(sentence.contains("not today") && sentence.contains("no disk left"), "{sentence}");
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_prints_noise_is_understood_and_told_of_when_it_fails() {
    let bench = Bench::new();
    let mut client = bench.open();
    let noise = ["Welcome!", "{\"not\": \"of the protocol\"}", "[1, 2", ""];
    let run = after(&bench, &mut client, |bench| bench.plays(&json!({"noise": noise})));
    assert_eq!(words(&run), "succeeded");
    assert_eq!(
        client.get("run/output", json!({"id": run["id"]}))["data"],
        "Done.",
        "it is not what was said"
    );
    let refuses = json!({"error": {"message": "not today"}});
    let run = after(&bench, &mut client, |bench| {
        bench.plays(&json!({"noise": ["npm warn deprecated"], "calls": {"session/new": refuses}}));
    });
    let sentence = not_started(&run, "agent");
    assert!(sentence.contains("not today") && sentence.contains("npm warn deprecated"), "{sentence}");
    bench.finish(client, &[]);
}

#[test]
fn an_agent_of_another_version_pauses_the_automation() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = after(&bench, &mut client, |bench| bench.plays(&json!({"version": 7})));
    let sentence = not_started(&run, "config");
    assert!(sentence.contains("version 7"), "{sentence}");
    assert_eq!(pause_of(&mut client, &run), "config");
    bench.finish(client, &[]);
}

/// An agent that does not answer this call is given up in the time that it has.
fn hangs_in(method: &str) {
    let bench = Bench::new();
    let mut provider = bench.provider();
    provider["startMs"] = json!(2000);
    let sidecar = bench.place.sidecar().option("providers", json!({crate::support::agents::AGENT: provider}));
    let mut client = super::subscribed(sidecar.open());
    let run = after(&bench, &mut client, |bench| bench.plays(&json!({"calls": {method: "hang"}})));
    let sentence = not_started(&run, "transient");
    assert!(
        sentence.contains(&format!("`{method}` within 2 s")) && sentence.contains("startMs"),
        "{sentence}"
    );
    assert_eq!(pause_of(&mut client, &run), Value::Null);
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_hangs_when_it_is_greeted_is_given_up() {
    hangs_in("initialize");
}

#[test]
fn an_agent_that_hangs_when_its_session_is_opened_is_given_up() {
    hangs_in("session/new");
}

#[test]
fn an_agent_that_hangs_when_its_model_is_chosen_is_given_up() {
    hangs_in("session/set_config_option");
}

#[test]
fn an_agent_that_dies_is_told_with_how_it_died() {
    let bench = Bench::new();
    let mut client = bench.open();
    for method in ["initialize", "session/new", "session/set_config_option"] {
        let run = after(&bench, &mut client, |bench| bench.plays(&json!({"calls": {method: {"exit": 9}}})));
        let sentence = not_started(&run, "agent");
        assert!(sentence.contains("exited with code 9"), "{method}: {sentence}");
        assert_eq!(run["end"]["exitCode"], 9);
    }
    bench.plays(&json!({}));
    for (death, how) in [("[exit:9]", "exited with code 9"), ("[signal:9]", "was killed by signal 9")] {
        let run = carried_out(&mut client, asking(&format!("[say:begun]{death}")));
        assert_eq!(words(&run), "failed: crashed crash");
        assert!(run["error"]["message"].as_str().unwrap().contains(how), "{run}");
        assert_eq!(run["end"]["tail"], "begun", "what it had said is kept");
    }
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_stops_listening_and_stays_is_ended() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = after(&bench, &mut client, |bench| bench.program_becomes("exec <&- >&-; exec sleep 600"));
    let sentence = not_started(&run, "agent");
    assert!(sentence.contains("before it was done"), "{sentence}");
    assert_eq!(run["end"]["signal"], 15);
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_answers_twice_is_heard_once() {
    let bench = Bench::new();
    let mut client = bench.open();
    for method in ["initialize", "session/new", "session/set_config_option"] {
        let run = after(&bench, &mut client, |bench| bench.plays(&json!({"calls": {method: "twice"}})));
        assert_eq!(words(&run), "succeeded", "{method}");
        assert!(run["sessionID"].as_str().unwrap().starts_with("session-"), "{run}");
    }
    bench.plays(&json!({"prompt": [{"say": "Done."}, {"stop_twice": "end_turn"}]}));
    let run = carried_out(&mut client, asking("Work."));
    assert_eq!((words(&run).as_str(), &run["result"]["text"]), ("succeeded", &json!("Done.")));
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_floods_harms_nobody() {
    /// More than what is bounded, and far less than what is sent.
    const GROWTH_KB: u64 = 80 * 1024;
    let bench = Bench::new();
    let mut client = bench.open();
    bench.plays(&json!({"prompt": [{"say": "begun"}, {"huge": 8_000_000}, {"flood": 20_000}, {"permission": {}}, {"say": "Done."}]}));
    let before = resident_kb(client.pid());
    let run = begin(&mut client, asking("Flood."));
    says(&mut client, &run, "begun");
    let mut most = before;
    let blocked = loop {
        let now = client.look_at(&run);
        most = most.max(resident_kb(client.pid()));
        if now["state"] != "scheduled" && now["state"] != "running" {
            break now;
        }
    };
    assert!(most < before + GROWTH_KB, "{before} kB before and {most} kB while it flooded");
    let request = &blocked["blocker"]["requestID"];
    client.get("run/respond", json!({"id": run, "requestID": request, "optionID": "allow_once"}));
    let run = ended(&mut client, &run);
    assert_eq!((words(&run).as_str(), &run["result"]["text"]), ("succeeded", &json!("Done.")));
    bench.finish(client, &[]);
}

#[test]
fn an_agent_that_wants_a_login_pauses_the_automation_and_says_how() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = after(&bench, &mut client, |bench| {
        let error = json!({"code": -32000, "message": "Authentication required"});
        let methods = json!([{"id": "browser", "name": "Log in with a browser"}]);
        bench.plays(&json!({"auth_methods": methods, "calls": {"session/new": {"error": error}}}));
    });
    let sentence = not_started(&run, "auth");
    assert!(sentence.contains("in a terminal") && sentence.contains("Log in with a browser"), "{sentence}");
    assert_eq!(pause_of(&mut client, &run), "auth");
    bench.finish(client, &[]);
}

#[test]
fn an_agent_without_quota_pauses_the_automation() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = carried_out(&mut client, asking("[error:429 Too Many Requests]"));
    assert_eq!(words(&run), "failed: execution_failed quota");
    assert_eq!(pause_of(&mut client, &run), "quota");
    bench.finish(client, &[]);
}

#[test]
fn a_model_or_variant_that_has_vanished_pauses_the_automation() {
    let bench = Bench::new();
    let mut client = bench.open();
    let models = |list: Value| json!({"models": {"list": list}});
    let run = after(&bench, &mut client, |bench| bench.plays(&models(json!([{"id": "small"}]))));
    let sentence = not_started(&run, "config");
    assert!(sentence.contains("large") && sentence.contains("small"), "what there is instead: {sentence}");
    assert_eq!(pause_of(&mut client, &run), "config");

    bench.plays(&json!({}));
    let mut draft = asking("[say:Done.]");
    draft["task"]["variant"] = json!("high");
    let automation = client.create(draft);
    bench.plays(&models(json!([{"id": "large", "variants": ["low"]}])));
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    let sentence = not_started(&run, "config");
    assert!(sentence.contains("high") && sentence.contains("low"), "{sentence}");
    bench.finish(client, &[]);
}

#[test]
fn a_project_that_has_gone_starts_no_agent() {
    let bench = Bench::new();
    let mut client = bench.open();
    let automation = client.create(with(asking("[say:Done.]"), "access", json!("read")));
    let agents = heard(&bench.place, LOG).len();
    std::fs::rename(bench.place.project(), bench.place.beside("elsewhere")).unwrap();
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    let sentence = not_started(&run, "config");
    assert!(sentence.contains(bench.place.project().to_str().unwrap()), "{sentence}");
    assert_eq!(heard(&bench.place, LOG).len(), agents);
    std::fs::rename(bench.place.beside("elsewhere"), bench.place.project()).unwrap();
    bench.finish(client, &[]);
}
