//! A window that serves goes, or serves no more, whatever its run is doing then.

use serde_json::{Value, json};

use crate::support::app::{offer, prompted};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, kind};

/// How far a run has come when its window goes.
#[derive(Clone, Copy, Debug)]
enum Come {
    Begun,
    Running,
    Blocked,
    Stopping,
}

impl Come {
    const ALL: [Come; 4] = [Come::Begun, Come::Running, Come::Blocked, Come::Stopping];

    /// A run that has come so far.
    fn run(self, app: &mut Client, automation: &Value) -> Value {
        match self {
            Come::Begun => app.run_here(automation),
            Come::Running => app.at_work(automation),
            Come::Blocked => app.blocked(automation),
            Come::Stopping => {
                let run = app.at_work(automation);
                app.get("run/cancel", json!({"id": run}));
                run
            }
        }
    }

    /// How it ends when its window has gone without a word.
    fn lost(self) -> &'static str {
        match self {
            Come::Begun | Come::Running => "interrupted",
            Come::Blocked => "blocker_lost",
            Come::Stopping => "cancelled",
        }
    }

    /// How it ends when its window was shut down.
    fn shut_down(self) -> &'static str {
        match self {
            Come::Begun | Come::Running | Come::Blocked => "shutdown",
            Come::Stopping => "cancelled",
        }
    }
}

fn stops_as(other: &mut Client, run: &Value, reason: &str, come: Come) {
    let ended = other.wait_for_run(run, "stopped");
    assert_eq!(ended["stopReason"], reason, "{come:?}");
    let provider = other.get("provider/list", json!({}))["items"][0].clone();
    assert_eq!(provider["status"], "unavailable", "{come:?}");
}

#[test]
fn runs_of_a_window_whose_input_ends_are_interrupted() {
    for come in Come::ALL {
        let place = Place::new();
        let mut other = place.open();
        other.subscribe(json!({}));
        let mut app = place.open();
        app.serve();
        let automation = app.create(prompted(json!({})));
        let run = come.run(&mut app, &automation);
        app.close_input();
        assert_eq!(app.exit_code(), Some(0));
        stops_as(&mut other, &run, come.lost(), come);
        other.finish();
    }
}

#[test]
fn runs_of_a_window_that_is_killed_are_interrupted() {
    for come in Come::ALL {
        let place = Place::new();
        let mut other = place.open();
        other.subscribe(json!({}));
        let mut app = place.open();
        app.serve();
        let automation = app.create(prompted(json!({})));
        let run = come.run(&mut app, &automation);
        app.kill();
        stops_as(&mut other, &run, come.lost(), come);
        other.finish();
    }
}

#[test]
fn runs_of_a_window_that_is_shut_down_end_with_it() {
    for come in Come::ALL {
        let place = Place::new();
        let mut other = place.open();
        other.subscribe(json!({}));
        let mut app = place.open();
        app.serve();
        let automation = app.create(prompted(json!({})));
        let run = come.run(&mut app, &automation);
        app.finish();
        stops_as(&mut other, &run, come.shut_down(), come);
        other.finish();
    }
}

#[test]
fn runs_of_a_window_that_serves_no_more_are_interrupted_and_it_goes_on() {
    let place = Place::new();
    let mut app = place.open();
    app.subscribe(json!({}));
    for come in Come::ALL {
        let serving = app.serve();
        let automation = app.create(prompted(json!({})));
        let run = come.run(&mut app, &automation);
        assert_eq!(app.get("provider/unserve", json!({"subscription": serving})), true);
        let ended = app.look_at(&run);
        assert_eq!(ended["stopReason"], come.lost(), "{come:?}: {ended}");
        assert_eq!(kind(&app.report_in_vain(&run, json!({"type": "finished"}))), "invalid_request");
    }
    let serving = app.serve();
    let automation = app.create(prompted(json!({})));
    let run = app.at_work(&automation);
    app.report(&run, json!({"type": "finished"}));
    assert_eq!(app.look_at(&run)["state"], "succeeded");
    assert_eq!(app.get("provider/unserve", json!({"subscription": serving})), true);
    app.finish();
}

#[test]
fn a_run_that_nobody_serves_fails_at_its_turn() {
    let place = Place::new();
    let mut app = place.open();
    let serving = app.serve();
    let automation = app.create(prompted(json!({"pauseAfterFailures": null})));
    app.get("provider/unserve", json!({"subscription": serving}));
    let run = app.run(&automation);
    let ended = app.look_at(&run);
    let (code, class) = (&ended["error"]["code"], &ended["error"]["class"]);
    assert_eq!((code, class), (&json!("provider_unavailable"), &json!("transient")), "{ended}");
    app.finish();
}

#[test]
fn a_window_that_does_not_read_keeps_nobody_waiting() {
    let place = Place::new();
    let mut other = place.open();
    other.subscribe(json!({}));
    let mut app = place.sidecar().deaf().spawn();
    let params = app.initialize_params();
    app.send("initialize", params);
    let mut offer = offer();
    offer["maxConcurrent"] = json!(4);
    app.send("provider/serve", offer);
    other.wait_for_event("the provider", |event| event["provider"]["status"] == "ready");
    // More than a pipe holds.
    let mut draft = prompted(json!({}));
    draft["task"]["prompt"] = json!("x".repeat(20_000));
    draft["access"] = json!("read");
    let runs: Vec<Value> = (0..4)
        .map(|_| {
            let automation = other.create(draft.clone());
            other.run(&automation)
        })
        .collect();
    for run in &runs {
        for _ in 0..2 {
            other.get("run/cancel", json!({"id": run}));
        }
    }
    for run in &runs {
        assert_eq!(other.wait_for_run(run, "stopped")["stopReason"], "cancelled");
    }
    app.kill();
    let automation = other.create(dormant("a command", shell("true")));
    let command = other.run(&automation);
    other.wait_for_run(&command, "succeeded");
    other.finish();
}
