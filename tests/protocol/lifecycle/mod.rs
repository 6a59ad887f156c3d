//! Section 8: a window lets go of its project, or of some of its directories.

mod closing;
mod config_file;
mod disposing;
mod failing;
mod holding;
mod shutting_down;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::eventually;

/// Asks for a close of everything that must be accepted.
fn close(client: &mut Client, kind: &str, mode: &str) -> Value {
    client.get("lifecycle/close", json!({"kind": kind, "mode": mode}))
}

/// Asks for a close that waits for these runs and nothing else, and gives its identity.
fn deferred(client: &mut Client, kind: &str, runs: &[&Value]) -> Value {
    let closing = close(client, kind, "maintenance");
    assert_eq!(closing["status"], "deferred", "{closing}");
    assert_eq!(closing["waitingFor"], json!({"runs": runs, "holds": []}));
    closing["lifecycleActionID"].clone()
}

/// Waits until a close is told to be over, in whichever way.
fn end_of(client: &mut Client, id: &Value) -> Value {
    client.wait_for_event(&format!("the end of {id}"), |event| event["lifecycle"]["id"] == *id)
}

/// How the closes have ended that have happened so far, as `kind id`, in the order in which this subscription, which
/// leaves nothing out, tells of them.
fn ends(client: &mut Client, subscription: &str) -> Vec<String> {
    let newest = client.get("automation/list", json!({}))["seq"].as_i64();
    if newest > client.opened["seq"].as_i64() {
        client.wait("all that has happened", |client| {
            let last = client.events(subscription).last().and_then(|event| event["seq"].as_i64());
            (last >= newest).then_some(())
        });
    }
    let is_end = |event: &Value| event["lifecycle"].is_object();
    let end =
        |event: &Value| format!("{} {}", event["kind"].as_str().expect("a word"), event["lifecycle"]["id"]);
    client.events(subscription).iter().filter(|event| is_end(event)).map(end).collect()
}

/// Waits until so many closes wait, and gives them.
fn pending(client: &mut Client, count: usize) -> Vec<Value> {
    eventually(&format!("{count} pending closes"), || {
        let status = client.get("lifecycle/status", json!({}));
        let pending = status["pending"].as_array().expect("a list").clone();
        (pending.len() == count).then_some(pending)
    })
}

fn completed(id: &Value) -> String {
    format!("lifecycle.completed {id}")
}

fn failed(id: &Value) -> String {
    format!("lifecycle.failed {id}")
}

/// Nothing is about to be closed, at work or held.
fn assert_idle(client: &mut Client) {
    let status = client.get("lifecycle/status", json!({}));
    assert_eq!(status, json!({"activeRuns": [], "holds": [], "pending": []}));
}
