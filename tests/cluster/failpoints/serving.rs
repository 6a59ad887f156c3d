//! The life of a window that carries out prompts itself, while another one is open: it holds its directory and lets go of
//! it, is answered by the other window, cancels, reloads when a run has ended, gives up the project and takes it back, and
//! leaves when its last run has ended.

use serde_json::{Value, json};

use super::life::{Acknowledged, create_and_run, demand, ended, note_spawn};
use crate::support::app::{offer, permission, prompt};
use crate::support::client::Client;
use crate::support::drafts::dormant;
use crate::support::{Place, eventually, kind};

/// Lives until it has left; `None` is death, here and below.
pub(super) fn live(window: &mut Client, other: &mut Client, noted: &mut Acknowledged) -> Option<()> {
    demand(window, "events/subscribe", &json!({}))?;
    let serving = demand(window, "provider/serve", &offer())?;

    let hold = demand(window, "directory/hold", &json!({"title": "an agent at work"}))?;
    let run = create_and_run(window, noted, "answered", &dormant("answered", prompt()))?;
    demand(window, "directory/release", &json!({"subscription": hold}))?;
    start(window, &run)?;
    report(window, &run, json!({"type": "output", "data": "may it?"}))?;
    report(window, &run, json!({"type": "blocked", "blocker": permission("req_1")}))?;
    let answer = json!({"id": run, "requestID": "req_1", "optionID": "yes"});
    if let Err(error) = other.ask("run/respond", answer) {
        // Nobody is asked any more when the window has gone.
        assert_eq!(kind(&error), "blocker_gone", "{error}");
    }
    hears(window, &run, "answer")?;
    finish(window, &run)?;

    let run = at_work(window, noted, "cancelled")?;
    demand(window, "run/cancel", &json!({"id": run}))?;
    noted.cancelled = Some(run.clone());
    hears(window, &run, "cancel")?;
    finish(window, &run)?;

    let run = at_work(window, noted, "keeps a reload waiting")?;
    let reload = close(window, noted, "lifecycle/close", "reload")?;
    finish(window, &run)?;
    end_of(window, &reload)?;
    let dispose = close(window, noted, "lifecycle/close", "dispose")?;
    end_of(window, &dispose)?;
    let reload = close(window, noted, "lifecycle/close", "reload")?;
    end_of(window, &reload)?;

    demand(window, "provider/unserve", &json!({"subscription": serving}))?;
    demand(window, "provider/serve", &offer())?;
    let run = at_work(window, noted, "keeps a shutdown waiting")?;
    let shutdown = close(window, noted, "shutdown", "shutdown")?;
    finish(window, &run)?;
    end_of(window, &shutdown)?;
    eventually("only `exit` is left", || match window.ask_mortal("lifecycle/status", json!({})) {
        None => Some(None),
        Some(Ok(_)) => None,
        Some(Err(error)) => (kind(&error) == "invalid_request").then_some(Some(())),
    })?;
    noted.shut_down = true;
    window.notify("exit");
    Some(())
}

/// Each time that the window was told to begin a run counts as a command that was started.
pub(super) fn note_starts(window: &mut Client, place: &Place) {
    window.take_in();
    for start in window.told("start") {
        note_spawn(place, &start["run"]["id"]);
    }
}

fn at_work(window: &mut Client, noted: &mut Acknowledged, title: &'static str) -> Option<Value> {
    let run = create_and_run(window, noted, title, &dormant(title, prompt()))?;
    start(window, &run)?;
    Some(run)
}

/// Waits until the window is told to begin, and says that it has.
fn start(window: &mut Client, run: &Value) -> Option<()> {
    window.mortal_event("a start", |work| work["type"] == "start" && work["run"]["id"] == *run)?;
    report(window, run, json!({"type": "started", "sessionID": "ses_1"}))
}

fn hears(window: &mut Client, run: &Value, what: &str) -> Option<Value> {
    window.mortal_event(what, |work| work["type"] == what && work["runID"] == *run)
}

fn report(window: &mut Client, run: &Value, report: Value) -> Option<()> {
    let taken = demand(window, "run/report", &json!({"runID": run, "report": report}))?;
    assert_eq!(taken, json!({}));
    Some(())
}

fn finish(window: &mut Client, run: &Value) -> Option<Value> {
    report(window, run, json!({"type": "finished", "text": "done"}))?;
    ended(window, |event| event["run"]["id"] == *run)
}

/// Asks for a close that waits for what is in its way, until it does not fail at once; gives its identity.
fn close(window: &mut Client, noted: &mut Acknowledged, method: &str, what: &str) -> Option<Value> {
    let params = match method {
        "shutdown" => json!({"mode": "maintenance"}),
        _ => json!({"kind": what, "mode": "maintenance"}),
    };
    let closing = demand(window, method, &params)?;
    let id = closing["lifecycleActionID"].clone();
    assert!(id.is_string(), "{closing}");
    noted.closes.push(id.clone());
    Some(id)
}

/// Waits until a close is told to have ended, in whichever way.
fn end_of(window: &mut Client, close: &Value) -> Option<Value> {
    window.mortal_event("the end of a close", |event| event["lifecycle"]["id"] == *close)
}
