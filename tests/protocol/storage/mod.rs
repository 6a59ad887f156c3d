//! What is done when the ledger cannot be used: the documented error, a health that tells, nothing lost, and work
//! that goes on when the cause is gone.

mod bell;
mod disk;
mod doorbell;
mod lost;
mod moved;
mod status;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::{Place, eventually, kind, ledger};

/// What a client is told about its scheduler.
fn status(client: &mut Client) -> Value {
    client.get("scheduler/status", json!({}))
}

/// Waits until the scheduler's health is this, and gives its status.
fn until_health(client: &mut Client, health: &str) -> Value {
    eventually(&format!("health is {health}"), || {
        let status = status(client);
        let consistent = (status["health"] == "ok") == (status["reasons"] == json!([]));
        assert!(consistent, "{status}");
        (status["health"] == health).then_some(status)
    })
}

/// A refusal for the storage, as the contract shapes it; gives the sentence.
fn unavailable(error: &Value, reason: &str) -> String {
    assert_eq!((&error["code"], kind(error)), (&json!(-32020), "storage_unavailable"), "{error}");
    assert_eq!(error["data"]["reason"], reason, "{error}");
    error["message"].as_str().expect("a sentence").to_owned()
}

/// A change and a look are both refused for this reason, and the health tells why.
fn refuses_everything(client: &mut Client, reason: &str) {
    let draft = crate::support::drafts::dormant("lost", crate::support::drafts::shell("true"));
    unavailable(&client.refusal("automation/create", draft), reason);
    let sentence = unavailable(&client.refusal("automation/list", json!({})), reason);
    let status = until_health(client, "degraded");
    assert_eq!((&status["owner"], &status["isOwner"]), (&Value::Null, &json!(false)), "{status}");
    assert_eq!(status["instances"].as_array().map(Vec::len), Some(1), "{status}");
    let reasons = status["reasons"].as_array().expect("a list");
    assert!(reasons.iter().any(|told| *told == json!(sentence)), "{sentence} is not in {status}");
}

/// Faults of the storage are logged as errors, by whoever comes upon them.
fn expect_storage_errors(client: &mut Client) {
    for part in [
        "the ledger cannot be used",
        "a transaction failed",
        "cannot be listened for",
        // A commit may have been made just before its ledger went, and the bell with it.
        "cannot be rung",
        "not written down yet",
        "row could not be removed",
    ] {
        client.expect_error(part);
    }
}

/// The titles of all automations.
fn titles(client: &mut Client) -> Vec<String> {
    let listed = client.get("automation/list", json!({}))["items"].clone();
    let title = |item: &Value| item["title"].as_str().expect("a title").to_owned();
    listed.as_array().expect("a list").iter().map(title).collect()
}

/// The directory of the project's ledger after a window has created an automation there and closed.
fn known(place: &Place) -> PathBuf {
    let mut client = place.open();
    client.create(crate::support::drafts::dormant("kept", crate::support::drafts::shell("true")));
    let directory = ledger::directory(&client);
    client.finish();
    directory
}

/// The files of the ledger that hold what is known, and what is in them.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = ["ledger.db", "ledger.db-wal", "ledger.json"];
    let read = |name: &str| Some((name.to_owned(), std::fs::read(directory.join(name)).ok()?));
    names.into_iter().filter_map(read).collect()
}

/// The newest event that the marker tells of.
fn marked(directory: &Path) -> Option<i64> {
    let text = std::fs::read(directory.join("ledger.json")).ok()?;
    let marker: Value = serde_json::from_slice(&text).expect("a marker is whole whenever it is read");
    marker["newestSeq"].as_i64()
}

/// A namespace of its own for what is mounted, where that may be had.
const NAMESPACE: [&str; 4] = ["unshare", "--map-root-user", "--mount", "sh"];

/// Whether this machine can do something that a test needs. If not, whoever runs the tests is told.
fn can(what: &str, try_it: impl FnOnce() -> bool) -> bool {
    let can = try_it();
    if !can {
        // Not by a macro, whose words would be kept back because the test passes.
        let told = writeln!(std::io::stderr(), "SKIPPED, because this machine cannot do it: {what}");
        told.expect("stderr is open");
    }
    can
}

fn can_mount() -> bool {
    can("mounts in a namespace of one's own", || {
        let script = "mount -t tmpfs tmpfs /mnt";
        let tried =
            std::process::Command::new(NAMESPACE[0]).args(&NAMESPACE[1..]).args(["-c", script]).output();
        tried.is_ok_and(|output| output.status.success())
    })
}
