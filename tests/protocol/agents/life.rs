//! A prompt from its order to its result.

use serde_json::{Value, json};

use super::{Bench, LOG, asking, begin, carried_out, ended, pause_of, says, states, subscribed};
use crate::support::agents::{AGENT, heard};
use crate::support::drafts::with;

#[test]
fn a_run_is_begun_told_of_and_ends_with_a_result() {
    let bench = Bench::new();
    let mut client = bench.sidecar().open();
    let events = client.subscribe(json!({}));
    let prompt = "[say:Looking around.][cost:0.25][tool:ls][say:All is well.\nOutcome: findings]";
    let mut draft = asking(prompt);
    draft["task"]["variant"] = json!("high");
    let automation = client.create(draft);
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    assert_eq!(run["result"], json!({"text": "All is well.", "outcome": "findings"}), "{run}");
    let said = "Looking around.\nAll is well.\nOutcome: findings";
    assert_eq!(client.get("run/output", json!({"id": run["id"]}))["data"], said);
    assert_eq!(run["end"], json!({"exitCode": 0, "tail": said, "swept": 0}));
    assert_eq!((&run["steps"], &run["cost"]), (&json!(1), &json!({"amount": 0.25, "currency": "USD"})));
    assert_eq!((&run["continuity"], &run["instanceID"]), (&json!("new"), &client.opened["instanceID"]));
    assert!(run["sessionID"].as_str().unwrap().starts_with("session-"), "{run}");
    let shown = client.get("automation/get", json!({"id": automation}));
    assert_eq!(
        (&shown["state"]["sessionID"], &shown["state"]["failureStreak"]),
        (&run["sessionID"], &json!(0))
    );
    assert_eq!(states(&client, &events, &run["id"]), ["scheduled", "running", "succeeded"]);
    let of_run = client.events(&events).into_iter().filter(|event| event["run"]["id"] == run["id"]);
    let revisions: Vec<i64> = of_run.map(|event| event["run"]["revision"].as_i64().unwrap()).collect();
    assert!(revisions.is_sorted_by(|one, other| one < other), "{revisions:?}");
    let chosen: Vec<Value> =
        bench.told(&run).iter().filter_map(|line| line["params"].get("value").cloned()).collect();
    assert_eq!(chosen, ["large", "high"]);
    let methods = bench.methods(&run);
    let option = "session/set_config_option";
    assert_eq!(methods, ["initialize", "session/new", option, option, "session/prompt"]);
    bench.finish(client, &[]);
}

#[test]
fn what_an_agent_says_is_told_while_it_is_at_work() {
    let bench = Bench::new();
    let mut client = bench.open();
    let run = begin(&mut client, asking("[say:the first words][permission][say:, and the last]"));
    says(&mut client, &run, "the first words");
    let asked = client.wait_for_run(&run, "awaiting_input")["blocker"].clone();
    assert_eq!(client.get("run/output", json!({"id": run}))["end"], false);
    client.get("run/respond", json!({"id": run, "requestID": asked["requestID"], "optionID": "allow_once"}));
    client.wait_for_event("the last words", |chunk| {
        chunk["data"].as_str().is_some_and(|data| data.contains("and the last"))
    });
    assert_eq!(ended(&mut client, &run)["result"]["text"], ", and the last");
    client.wait_for_event("the end of the output", |chunk| chunk["end"] == true);
    bench.finish(client, &[]);
}

#[test]
fn who_says_more_than_is_kept_is_not_held_up_and_that_is_told() {
    let bench = Bench::new();
    let mut client = subscribed(bench.sidecar().option("limits", json!({"outputBytes": 1000})).open());
    bench.plays(&json!({"prompt": [{"say": "the beginning"}, {"huge": 100_000}, {"tool": {"title": "ls"}}, {"say": "The end."}]}));
    let run = carried_out(&mut client, asking("Say much."));
    assert_eq!(
        (&run["result"]["text"], &run["output"]),
        (&json!("The end."), &json!({"bytes": 1000, "truncated": true}))
    );
    let output = client.get("run/output", json!({"id": run["id"]}));
    assert!(output["data"].as_str().unwrap().starts_with("the beginning"), "{output}");
    assert!(run["end"]["tail"].as_str().unwrap().ends_with("The end."), "{run}");
    client.wait_for_event("a warning", |event| {
        event["kind"] == "run.warning" && event["run"]["id"] == run["id"]
    });
    bench.finish(client, &[]);
}

#[test]
fn the_outcome_follows_from_facts_before_words() {
    let Some((bench, _repository)) = Bench::in_repository() else { return };
    let mut client = bench.open();
    let mut outcome = |prompt: &str| {
        let run = carried_out(&mut client, asking(prompt));
        assert_eq!(run["state"], "succeeded", "{run}");
        [&run["result"]["outcome"], &run["result"]["text"]].map(Value::clone)
    };
    assert_eq!(outcome("[say:Done.]"), [json!(null), json!("Done.")]);
    assert_eq!(outcome("[say:Done.\n**Outcome:** nothing]"), [json!("nothing"), json!("Done.")]);
    assert_eq!(outcome("[say:Read it.\nOutcome: findings]"), [json!("findings"), json!("Read it.")]);
    assert_eq!(outcome("[say:Look.\nOutcome: needs_human]"), [json!("needs_human"), json!("Look.")]);
    assert_eq!(outcome("[say:Shall I?\nOutcome: nothing]"), [json!("needs_human"), json!("Shall I?")]);
    assert_eq!(outcome("[tool:ls]"), [json!(null), json!(null)], "without a word");
    assert_eq!(outcome("[write:made][say:Done.\nOutcome: nothing]"), [json!("changed"), json!("Done.")]);
    assert_eq!(outcome("[write:more][say:Shall I?]"), [json!("needs_human"), json!("Shall I?")]);
    bench.finish(client, &["made", "more"]);
}

#[test]
fn files_are_what_git_sees_and_elsewhere_what_tools_say() {
    let Some((bench, repository)) = Bench::in_repository() else { return };
    repository.write("mine", "not committed\n");
    let before = repository.git(&["for-each-ref"]);
    let mut client = bench.open();
    let run = carried_out(&mut client, asking("[write:made][edit:never-written][say:Done.]"));
    assert_eq!(run["result"]["files"], json!(["made"]), "{run}");
    assert_eq!(run["result"]["diffstat"], json!({"files": 1, "insertions": 1, "deletions": 0}));
    let run = carried_out(&mut client, asking("[edit:never-written][say:Done.]"));
    assert_eq!((&run["result"]["files"], &run["result"]["outcome"]), (&json!([]), &json!(null)), "{run}");
    bench.finish(client, &["made", "mine"]);
    assert_eq!(repository.git(&["for-each-ref"]), before);
    assert_eq!(repository.git(&["stash", "list"]), "");
    assert_eq!(repository.git(&["diff", "--cached", "--name-only"]), "", "nothing was added");

    let bench = Bench::new();
    let mut client = bench.open();
    let run = carried_out(&mut client, asking("[edit:src/lib.rs][edit:/etc/passwd][say:Done.]"));
    let result = json!({"text": "Done.", "outcome": "changed", "files": ["src/lib.rs"]});
    assert_eq!(run["result"], result, "what is elsewhere is not the project's");
    let run = carried_out(&mut client, asking("[say:Done.]"));
    assert_eq!(run["result"], json!({"text": "Done.", "outcome": null}));
    bench.finish(client, &[]);
}

#[test]
fn an_agent_knows_its_run_and_has_the_environment_that_it_was_given() {
    let bench = Bench::new();
    let mut provider = bench.provider();
    provider["env"]["OF_THE_PROVIDER"] = json!("own");
    provider["env"]["TAKEN"] = json!({"from": "OF_THE_WINDOW"});
    provider["env"]["BOTH"] = json!("of the provider");
    let sidecar = bench.place.sidecar().option("providers", json!({AGENT: provider}));
    let environment = json!({"OF_THE_WINDOW": "value", "BOTH": "of the window"});
    let mut client = subscribed(sidecar.option("environment", environment).open());
    let run = carried_out(&mut client, asking("[say:Done.]"));
    let started = bench.told(&run)[0]["started"].clone();
    assert_eq!(started["cwd"], json!(bench.place.project()));
    let found = |name: &str| started["environment"][name].clone();
    assert_eq!([found("OF_THE_WINDOW"), found("OF_THE_PROVIDER"), found("TAKEN")], ["value", "own", "value"]);
    assert_eq!(found("BOTH"), "of the provider");
    let own =
        ["SEXTON_RUN_ID", "SEXTON_AUTOMATION_ID", "SEXTON_ATTENDANCE", "SEXTON_SCHEDULED_AT"].map(found);
    assert_eq!(own, [run["id"].clone(), run["automationID"].clone(), json!("attended"), json!("")]);
    assert_eq!(found("SEXTON_PROJECT"), json!(bench.place.project()));
    bench.finish(client, &[]);
}

#[test]
fn a_variable_that_is_missing_is_named_and_pauses_the_automation() {
    let bench = Bench::new();
    let mut provider = bench.provider();
    bench.place.configure(&json!({"providers": {AGENT: provider}}).to_string());
    let mut client = subscribed(bench.place.open());
    let automation = client.create(asking("[say:Done.]"));
    provider["env"]["KEY"] = json!({"from": "NO_SUCH_VARIABLE"});
    bench.place.configure(&json!({"providers": {AGENT: provider}}).to_string());
    client.wait_for_event("a reload", |event| event["kind"] == "lifecycle.completed");
    let agents = heard(&bench.place, LOG).len();
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    assert_eq!((&run["error"]["code"], &run["error"]["class"]), (&json!("start_failed"), &json!("config")));
    let sentence = run["error"]["message"].as_str().unwrap();
    assert!(
        sentence.contains("providers.agent.env.KEY") && sentence.contains("NO_SUCH_VARIABLE"),
        "{sentence}"
    );
    assert_eq!(pause_of(&mut client, &run), "config");
    assert_eq!(heard(&bench.place, LOG).len(), agents, "nothing was started");
    bench.finish(client, &[]);
}

#[test]
fn what_an_agent_leaves_behind_is_swept_and_counted() {
    let bench = Bench::new();
    let mut client = bench.open();
    let automation = client.create(with(asking("[spawn][say:Done.]"), "access", json!("read")));
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    assert_eq!((&run["result"]["text"], &run["end"]["exitCode"]), (&json!("Done."), &json!(0)), "{run}");
    assert_eq!(run["end"]["swept"], 1, "it ignores signals, and holds the agent's output open");
    bench.finish(client, &["grandchild"]);
}
