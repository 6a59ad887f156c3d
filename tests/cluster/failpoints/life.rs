//! The life of a window that carries out commands: it settles what a dead one left, rings for a slot, has runs that
//! end and one that is cancelled, and leaves while another is at work.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, once, shell, with};
use crate::support::{Place, faults, kind, wall_ms};

/// Each run tells, before anything else, that its command was started.
const TELL: &str = r#"echo "$SEXTON_RUN_ID" >> spawns"#;

/// A command that does not end by itself, and has a child that has left its session.
const LASTS: &str = "; setsid sleep 1000 & exec sleep 1000";

/// How often a request is sent that could not be granted. One point fails once.
const TRIES: usize = 5;

/// When the slot is due.
const SOON_MS: i64 = 100;

/// What a window has acknowledged.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    /// Automations, by their titles, which are their keys as well.
    pub(super) automations: Vec<(&'static str, Value)>,
    pub(super) runs: Vec<Value>,
    /// The run that was to be stopped, if it had not ended.
    pub(super) cancelled: Option<Value>,
    /// Closes that were begun.
    pub(super) closes: Vec<Value>,
    /// Whether the window said that it has left.
    pub(super) shut_down: bool,
}

/// The automation that has one slot.
pub(super) const SLOT: &str = "slot";

/// A sidecar that is told quickly when others neglect something.
pub(super) fn spawn(place: &Place, environment: &[(&str, &str)]) -> Client {
    let sidecar = place.sidecar().option("limits", json!({"standbyMs": 500}));
    environment.iter().fold(sidecar, |sidecar, (name, value)| sidecar.env(name, value)).spawn()
}

/// A window that is open, and follows what happens.
pub(super) fn open(place: &Place) -> Client {
    let mut client = spawn(place, &[]);
    client.initialize();
    client.subscribe(json!({}));
    client
}

/// A window that owned the bell has died with a run at work.
pub(super) fn leave_a_dead_window(place: &Place) {
    let mut client = open(place);
    let automation = client.create(dormant("left behind", shell(&format!("{TELL}{LASTS}"))));
    let run = client.run(&automation);
    client.wait_for_run(&run, "running");
    place.wait_for_lines("spawns", 1);
    client.kill();
}

/// Adds a line to the spawn log.
pub(super) fn note_spawn(place: &Place, run: &Value) {
    let mut log = OpenOptions::new().append(true).create(true).open(place.file("spawns")).expect("the log");
    writeln!(log, "{}", run.as_str().expect("a run")).expect("the log");
}

/// Where a point that fails is told, and the ones that were reached.
pub(super) fn log(place: &Place) -> PathBuf {
    place.beside("failpoints")
}

/// Opens the project; `None` is death, here and below.
pub(super) fn begin(client: &mut Client) -> Option<()> {
    let params = client.initialize_params();
    client.opened = demand(client, "initialize", &params)?;
    Some(())
}

/// Lives until it has left. What it acknowledges is noted as soon as it does.
pub(super) fn live(client: &mut Client, noted: &mut Acknowledged) -> Option<()> {
    demand(client, "events/subscribe", &json!({}))?;
    let slot = create_due(client, noted)?;
    ended(client, |event| event["run"]["automationID"] == slot)?;

    let endless = shell(&format!("{TELL}{LASTS}"));
    let run = create_and_run(client, noted, "cancelled", &dormant("cancelled", endless.clone()))?;
    begun(client, &run)?;
    let answer = demand(client, "run/cancel", &json!({"id": run}))?;
    if answer["completedAt"].is_null() || answer["stopReason"] == "cancelled" {
        noted.cancelled = Some(run.clone());
    }
    ended(client, |event| event["run"]["id"] == run)?;

    let precheck = json!({"precheck": {"program": "true", "timeoutMs": 10_000}});
    let run = create_and_run(client, noted, "ends", &with(dormant("ends", shell(TELL)), "policy", precheck))?;
    ended(client, |event| event["run"]["id"] == run)?;

    let run = create_and_run(client, noted, "lasts", &dormant("lasts", endless))?;
    begun(client, &run)?;
    client.ask_mortal("shutdown", json!({}))?.unwrap_or_else(|error| panic!("shutdown was refused: {error}"));
    noted.shut_down = true;
    client.notify("exit");
    Some(())
}

/// Asks until it is granted: the ledger may not take it, and what a close takes may fail.
pub(super) fn demand(client: &mut Client, method: &str, params: &Value) -> Option<Value> {
    for _ in 1..TRIES {
        match client.ask_mortal(method, params.clone())? {
            Ok(answer) => return Some(answer),
            Err(error) => {
                let may_pass = ["storage_unavailable", "close_failed"].contains(&kind(&error));
                assert!(may_pass, "{method}: {error}");
            }
        }
    }
    let answer = client.ask_mortal(method, params.clone())?;
    Some(answer.unwrap_or_else(|error| panic!("{method} was refused again and again: {error}")))
}

/// Creates the automation that is due in a moment. On a busy machine that is over sometimes before it is read.
fn create_due(client: &mut Client, noted: &mut Acknowledged) -> Option<Value> {
    for _ in 0..TRIES {
        let draft = with(once(SLOT, wall_ms() + SOON_MS, shell(TELL)), "key", json!(SLOT));
        match client.ask_mortal("automation/create", draft)? {
            Ok(created) => {
                noted.automations.push((SLOT, created["id"].clone()));
                return Some(created["id"].clone());
            }
            Err(error) => {
                let late = kind(&error) == "invalid_automation" && faults(&error)[0].starts_with("fireAt ");
                assert!(late || kind(&error) == "storage_unavailable", "{error}");
            }
        }
    }
    panic!("a slot could not be created within {SOON_MS} ms, again and again");
}

fn create(
    client: &mut Client,
    noted: &mut Acknowledged,
    title: &'static str,
    draft: &Value,
) -> Option<Value> {
    let keyed = with(draft.clone(), "key", json!(title));
    let id = demand(client, "automation/create", &keyed)?["id"].clone();
    noted.automations.push((title, id.clone()));
    Some(id)
}

pub(super) fn create_and_run(
    client: &mut Client,
    noted: &mut Acknowledged,
    title: &'static str,
    draft: &Value,
) -> Option<Value> {
    let automation = create(client, noted, title, draft)?;
    let run = demand(client, "automation/run", &json!({"id": automation}))?["id"].clone();
    noted.runs.push(run.clone());
    Some(run)
}

pub(super) fn ended(client: &mut Client, of: impl Fn(&Value) -> bool) -> Option<Value> {
    client.mortal_event("its end", |event| of(event) && event["run"]["completedAt"].is_i64())
}

/// Waits until a run is at work, or has failed to come so far.
fn begun(client: &mut Client, run: &Value) -> Option<Value> {
    client.mortal_event("its beginning", |event| {
        event["run"]["id"] == *run && event["run"]["state"] != "scheduled"
    })
}
