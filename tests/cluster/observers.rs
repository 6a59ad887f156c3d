//! Observers beside windows that fire, and alone when those have gone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::killed::at_work;
use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell};
use crate::support::{Place, clock, nothing_happens};
use crate::unreadable::worked_ms;

/// Long enough for many slots, and for a loop that spins to show.
const A_WHILE: Duration = Duration::from_secs(1);

fn observer(place: &Place) -> Client {
    let mut observer = place.sidecar().option("role", json!("observer")).open();
    assert_eq!(observer.opened["scheduler"], json!({"owner": false}));
    observer.subscribe(json!({}));
    observer
}

/// For a while nothing is written into the log of the commands, and the sidecar has next to nothing to do.
fn nothing_fires(place: &Place, client: &mut Client) {
    let (lines, began, worked) = (place.lines("log"), clock(), worked_ms(client));
    nothing_happens(A_WHILE, || client.take_in());
    assert_eq!(place.lines("log"), lines);
    let (took, worked) = (began.elapsed().as_millis(), worked_ms(client) - worked);
    assert!(8 * worked < took, "{worked} ms of work in {took} ms");
}

#[test]
fn an_observer_fires_nothing_however_much_is_due() {
    let place = Place::new();
    let limits = json!({"minIntervalMs": 20});
    let mut first = place.open_with(limits.clone());
    first.create(every("ticking", 20, shell(LOG)));
    place.wait_for_lines("log", 3);
    first.finish();
    let mut observer = observer(&place);
    nothing_fires(&place, &mut observer);
    let fired = place.lines("log").len();
    let next = place.open_with(limits);
    assert_eq!(next.opened["scheduler"]["owner"], true, "an observer keeps nobody from owning the bell");
    let lines = place.wait_for_lines("log", fired + 3);
    let mut unique = lines.clone();
    unique.dedup();
    assert_eq!(unique, lines, "no slot twice");
    // It is told of everything all the same.
    let by_next = |event: &Value| event["run"]["instanceID"] == next.opened["instanceID"];
    observer.wait_for_event("a run of the other window", by_next);
    next.finish();
    observer.finish();
}

#[test]
fn what_a_killed_window_left_waits_for_somebody_while_only_an_observer_is_there() {
    let place = Place::new();
    let (mut killed, run) = at_work(&place);
    let waiting = killed.create(dormant("waiting", shell("echo went on >> log")));
    let waiting = killed.get("automation/run", json!({"id": waiting}))["id"].clone();
    let mut observer = observer(&place);
    killed.kill();
    assert_eq!(
        observer.wait_for_run(&run, "stopped")["stopReason"],
        "interrupted",
        "settled by the observer"
    );
    let for_somebody =
        |event: &Value| event["run"]["id"] == waiting && event["run"]["waiting"]["for"] == "executor";
    let told = observer.wait_for_event("that nobody can carry it out", for_somebody)["run"].clone();
    assert_eq!(
        (&told["waiting"].get("behind"), &told["waiting"]["untilAt"].is_i64()),
        (&None, &true),
        "{told}"
    );
    nothing_fires(&place, &mut observer);
    // What it is asked for itself is carried out by it, past what waits for somebody else.
    let own = observer.create(dormant("own", shell("echo own >> log")));
    let own = observer.run(&own);
    let own = observer.wait_for_run(&own, "succeeded");
    assert_eq!(own["instanceID"], observer.opened["instanceID"]);
    let mut next = place.open();
    next.subscribe(json!({"after": 0}));
    let went_on = next.wait_for_run(&waiting, "succeeded");
    assert_eq!(went_on["instanceID"], next.opened["instanceID"]);
    assert_eq!(place.lines("log"), ["begun", "own", "went on"]);
    next.finish();
    observer.finish();
}

#[test]
fn an_observer_has_settled_the_dead_before_it_answers() {
    let place = Place::new();
    let (killed, run) = at_work(&place);
    killed.kill();
    let mut observer = observer(&place);
    let ended = observer.get("run/get", json!({"id": run}));
    assert_eq!((&ended["state"], &ended["stopReason"]), (&json!("stopped"), &json!("interrupted")));
    observer.finish();
}

#[test]
fn what_an_observer_was_asked_for_ends_with_it() {
    let place = Place::new();
    let mut gate = place.gate("gate");
    let mut owner = place.open();
    owner.subscribe(json!({}));
    let mut observer = observer(&place);
    let line = "echo begun >> log; read line < gate; echo ended >> log";
    let automation = observer.create(dormant("held", shell(line)));
    let run = observer.run(&automation);
    observer.wait_for_run(&run, "running");
    place.wait_for_lines("log", 1);
    let waiting = observer.create(dormant("waiting", shell("echo went on >> log")));
    let waiting = observer.run(&waiting);
    observer.kill();
    assert_eq!(owner.wait_for_run(&run, "stopped")["stopReason"], "interrupted");
    let went_on = owner.wait_for_run(&waiting, "succeeded");
    assert_eq!(went_on["instanceID"], owner.opened["instanceID"], "what had not begun is anybody's");
    gate.open();
    assert_eq!(place.lines("log"), ["begun", "went on"]);
    owner.finish();
}
