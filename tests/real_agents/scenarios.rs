//! What a real agent is asked to do, and what has to come of it.

use serde_json::{Value, json};

use crate::bench::{Bench, PLAIN, THINKING, asking};
use crate::support::client::Client;
use crate::support::drafts::with;
use crate::support::{eventually, processes_with, signal};

type Scenario = fn(&mut Bench) -> String;

/// In the order of the table.
pub(crate) const ALL: [(&str, Scenario); 18] = [
    ("models and variants are offered", models),
    ("text", text),
    ("permission allowed", allowed),
    ("permission rejected", rejected),
    ("permission expired", expired),
    ("permission denied by the policy", denied),
    ("cancel while streaming", cancel_while_streaming),
    ("cancel before the first byte", cancel_before_the_first_byte),
    ("cancel with a pending permission", cancel_with_a_pending_permission),
    ("cancel with a running tool", cancel_with_a_running_tool),
    ("continue after a restart of the sidecar", continued),
    ("a named session that is gone", session_gone),
    ("variant reached the model endpoint", variant),
    ("a model that has vanished", model_gone),
    ("provider error", provider_error),
    ("a provider that never answers", never_answers),
    ("agent killed", killed),
    ("a watch that pauses itself", watch),
];

fn begin(client: &mut Client, prompt: &str, policy: Value) -> (Value, Value) {
    let automation = client.create(asking(prompt, policy));
    let run = client.run(&automation);
    (automation, run)
}

fn ended(client: &mut Client, run: &Value) -> Value {
    let is_over = |event: &Value| event["run"]["id"] == *run && event["run"]["completedAt"].is_i64();
    client.wait_for_event("the end of the run", is_over)["run"].clone()
}

fn words(run: &Value) -> String {
    let state = run["state"].as_str().unwrap();
    match state {
        "stopped" => format!("{state}: {}", run["stopReason"].as_str().unwrap()),
        "failed" => format!(
            "{state}: {} ({})",
            run["error"]["code"].as_str().unwrap(),
            run["error"]["class"].as_str().unwrap()
        ),
        _ => match run["result"]["outcome"].as_str() {
            Some(outcome) => format!("{state}, {outcome}"),
            None => state.to_owned(),
        },
    }
}

fn blocked(client: &mut Client, run: &Value) -> Value {
    client.wait_for_run(run, "awaiting_input")["blocker"].clone()
}

fn answer(client: &mut Client, run: &Value, blocker: &Value, kind: &str) {
    let options = blocker["options"].as_array().unwrap();
    let chosen = options.iter().find(|option| option["kind"] == kind).unwrap();
    client
        .get("run/respond", json!({"id": run, "requestID": blocker["requestID"], "optionID": chosen["id"]}));
}

fn models(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let listed = client.get("provider/list", json!({}));
    assert_eq!(listed["items"][0]["status"], "unknown");
    let asked = client.get("provider/refresh", json!({"id": "opencode"}));
    let models = asked["items"][0]["models"].as_array().unwrap();
    let variants = |id: &str| models.iter().find(|model| model["id"] == id).unwrap()["variants"].clone();
    assert!(variants(THINKING).as_array().unwrap().contains(&json!("high")), "{asked}");
    let told = format!("`{PLAIN}` {}, `{THINKING}` {}", variants(PLAIN), variants(THINKING));
    client.finish();
    told
}

fn text(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[text:hello there]", json!({}));
    let run = ended(&mut client, &run);
    assert_eq!(
        (&run["state"], &run["result"]["text"]),
        (&json!("succeeded"), &json!("hello there")),
        "{run}"
    );
    let output = client.get("run/output", json!({"id": run["id"]}));
    assert_eq!(output["data"], "hello there");
    client.finish();
    format!("{}; cost {}", words(&run), run["cost"])
}

fn allowed(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[bash:echo made > made.txt]", json!({}));
    let blocker = blocked(&mut client, &run);
    answer(&mut client, &run, &blocker, "allow_once");
    let run = ended(&mut client, &run);
    assert_eq!((&run["state"], &run["result"]["outcome"]), (&json!("succeeded"), &json!("changed")), "{run}");
    assert_eq!(run["result"]["files"], json!(["made.txt"]));
    assert!(bench.place.project().join("made.txt").exists());
    client.finish();
    format!("{}; {} step, files {}", words(&run), run["steps"], run["result"]["files"])
}

fn rejected(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[bash:echo made > made.txt]", json!({}));
    let blocker = blocked(&mut client, &run);
    answer(&mut client, &run, &blocker, "reject_once");
    let run = ended(&mut client, &run);
    assert_ne!(run["state"], "succeeded", "{run}");
    assert!(!bench.place.project().join("made.txt").exists());
    client.finish();
    words(&run)
}

fn expired(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let policy = json!({"blockerMs": {"attended": 1000, "unattended": 1000}});
    let (_, run) = begin(&mut client, "[bash:echo made > made.txt]", policy);
    let run = ended(&mut client, &run);
    assert_eq!(run["stopReason"], "expired", "{run}");
    assert!(!bench.place.project().join("made.txt").exists());
    client.finish();
    words(&run)
}

fn denied(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[bash:echo made > made.txt]", json!({"permissions": "deny"}));
    let run = ended(&mut client, &run);
    assert_eq!(run["error"]["code"], "needs_user_input", "{run}");
    client.finish();
    words(&run)
}

/// Cancels a run, and gives it as it ended.
fn cancelled(client: &mut Client, run: &Value) -> String {
    client.get("run/cancel", json!({"id": run}));
    let run = ended(client, run);
    assert_eq!(run["stopReason"], "cancelled", "{run}");
    words(&run)
}

fn cancel_while_streaming(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[hang]", json!({}));
    client.get("output/subscribe", json!({"runID": run}));
    client.wait_for_event("the first words", |chunk| {
        chunk["data"].as_str().is_some_and(|data| data.contains("thinking"))
    });
    let words = cancelled(&mut client, &run);
    client.finish();
    words
}

fn cancel_before_the_first_byte(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[hang0]", json!({}));
    eventually("the endpoint was asked", || {
        let asked = bench.asked();
        asked
            .iter()
            .any(|entry| entry["last_user"].as_str().is_some_and(|text| text.contains("[hang0]")))
            .then_some(())
    });
    let words = cancelled(&mut client, &run);
    client.finish();
    words
}

fn cancel_with_a_pending_permission(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[bash:echo made > made.txt]", json!({}));
    blocked(&mut client, &run);
    let words = cancelled(&mut client, &run);
    assert!(!bench.place.project().join("made.txt").exists());
    client.finish();
    words
}

fn cancel_with_a_running_tool(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[bash:sleep 98765]", json!({}));
    let blocker = blocked(&mut client, &run);
    answer(&mut client, &run, &blocker, "allow_once");
    eventually("the tool runs", || {
        let tools = bench.agents().into_iter().filter(|pid| {
            std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"sleep\x00"))
        });
        (tools.count() > 0).then_some(())
    });
    let words = cancelled(&mut client, &run);
    assert_eq!(processes_with("98765"), Vec::<u32>::new(), "the tool has gone with the run");
    client.finish();
    words
}

fn continued(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let mut draft = asking("[text:noted] remember the word kingfisher", json!({}));
    draft["task"] = with(draft["task"].take(), "context", json!("continue"));
    let automation = client.create(draft);
    let run = client.run(&automation);
    let first = ended(&mut client, &run);
    client.finish();
    let mut client = bench.open();
    client.get("automation/update", json!({"id": automation, "patch": {"task": {"prompt": "[recall]"}}}));
    let run = client.run(&automation);
    let second = ended(&mut client, &run);
    assert_eq!(first["sessionID"], second["sessionID"], "{second}");
    assert!(second["result"]["text"].as_str().unwrap().contains("kingfisher"), "{second}");
    assert_eq!(
        client.get("run/output", json!({"id": run}))["data"].as_str().unwrap().matches("USERS=").count(),
        1
    );
    client.finish();
    format!(
        "{}, {}; the endpoint saw the earlier message",
        words(&second),
        second["continuity"].as_str().unwrap()
    )
}

fn session_gone(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let mut draft = asking("[text:x]", json!({}));
    draft["task"] =
        with(with(draft["task"].take(), "context", json!("continue")), "sessionID", json!("ses_nobodyknows"));
    let automation = client.create(draft);
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    assert_eq!(words(&run), "failed: start_failed (config)", "{run}");
    client.finish();
    words(&run)
}

fn variant(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let mut draft = asking("[text:thought]", json!({}));
    draft["task"]["model"]["modelID"] = json!(THINKING);
    draft["task"]["variant"] = json!("high");
    let automation = client.create(draft);
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    assert_eq!(run["state"], "succeeded", "{run}");
    let asked = bench.asked();
    let thought = asked.iter().find(|entry| entry["model"] == "mock-b" && entry["reasoning"] == "high");
    assert!(thought.is_some(), "{asked:?}");
    client.finish();
    format!("{}; it was asked for `reasoning_effort: high`", words(&run))
}

fn model_gone(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (automation, run) = begin(&mut client, "[text:x]", json!({}));
    ended(&mut client, &run);
    let path = bench.configuration();
    let without = std::fs::read_to_string(&path).unwrap().replace("mock-a", "mock-z");
    std::fs::write(&path, without).unwrap();
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    assert_eq!(words(&run), "failed: start_failed (config)", "{run}");
    client.finish();
    words(&run)
}

fn provider_error(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[err:400]", json!({}));
    let run = ended(&mut client, &run);
    assert_eq!(run["state"], "failed", "{run}");
    client.finish();
    words(&run)
}

fn never_answers(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[hang0]", json!({"idleMs": 5000}));
    let run = ended(&mut client, &run);
    assert_eq!(run["error"]["code"], "timed_out", "{run}");
    client.finish();
    words(&run)
}

fn killed(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let (_, run) = begin(&mut client, "[hang]", json!({}));
    client.get("output/subscribe", json!({"runID": run}));
    client.wait_for_event("the first words", |chunk| {
        chunk["data"].as_str().is_some_and(|data| data.contains("thinking"))
    });
    for pid in bench.agents() {
        signal("KILL", pid);
    }
    let run = ended(&mut client, &run);
    assert_eq!(run["error"]["code"], "crashed", "{run}");
    client.finish();
    words(&run)
}

fn watch(bench: &mut Bench) -> String {
    let mut client = bench.open();
    let mut draft = asking("[text:not yet]", json!({}));
    draft["task"]["context"] = json!("continue");
    let automation = client.create(draft);
    let run = client.run(&automation);
    ended(&mut client, &run);
    // The run's own server comes in the place of the one that the session had before.
    let prompt = "[call:sexton_automate_manage {\"action\": \"pause\", \"note\": \"it is green\"}]";
    client.get("automation/update", json!({"id": automation, "patch": {"task": {"prompt": prompt}}}));
    let run = client.run(&automation);
    let run = ended(&mut client, &run);
    assert_eq!((&run["state"], &run["continuity"]), (&json!("succeeded"), &json!("resumed")), "{run}");
    let pause = client.get("automation/get", json!({"id": automation}))["pause"].clone();
    assert_eq!((&pause["reason"], &pause["note"]), (&json!("run"), &json!("it is green")), "{run}");
    for entry in bench.asked().iter().filter(|entry| entry["tools"] != json!([])) {
        let tools = entry["tools"].as_array().unwrap();
        for name in ["sexton_automate", "sexton_automate_manage"] {
            assert!(tools.contains(&json!(name)), "{tools:?}");
        }
    }
    client.finish();
    format!("{}, {}; paused by its run, {} swept", words(&run), run["continuity"], run["end"]["swept"])
}
