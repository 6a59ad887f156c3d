//! A window gives up the project, until it is reloaded.

use serde_json::{Value, json};

use super::{assert_idle, close, completed, deferred, end_of, ends};
use crate::support::app::offer;
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, eventually, kind};

/// What this window does beside answering, and whether it rings the bell.
fn role(client: &mut Client) -> (Value, bool) {
    let me = client.opened["instanceID"].clone();
    let status = client.get("scheduler/status", json!({}));
    let instances = status["instances"].as_array().expect("a list");
    let mine = instances.iter().find(|instance| instance["id"] == me).expect("this window is there");
    (mine["role"].clone(), status["owner"]["instanceID"] == me)
}

/// What is refused while a window gives up the project.
fn assert_closing(client: &mut Client, by: &Value) {
    for (method, params) in [
        ("directory/hold", json!({"title": "an agent"})),
        ("provider/serve", offer()),
        ("lifecycle/close", json!({"kind": "dispose", "mode": "maintenance"})),
        ("lifecycle/close", json!({"kind": "dispose", "mode": "maintenance", "directories": ["."]})),
    ] {
        let error = client.refusal(method, params);
        assert_eq!((&error["code"], kind(&error)), (&json!(-32017), "closing"), "{method}");
        assert_eq!(&error["data"]["lifecycleActionID"], by);
    }
}

#[test]
fn a_disposed_window_is_an_observer_until_it_is_reloaded() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    assert_eq!(role(&mut client), (json!("participant"), true));
    let disposed = close(&mut client, "dispose", "maintenance");
    assert_eq!(disposed["status"], "completed");
    assert_eq!(role(&mut client), (json!("observer"), false));
    assert_closing(&mut client, &disposed["lifecycleActionID"]);
    // It carries out what it is asked for itself.
    let automation = client.create(dormant("asked for", shell("echo done >> log")));
    let run = client.run(&automation);
    assert_eq!(client.wait_for_run(&run, "succeeded")["instanceID"], client.opened["instanceID"]);
    let part = json!({"kind": "reload", "mode": "force", "directories": ["."]});
    assert_eq!(kind(&client.refusal("lifecycle/close", part)), "closing");
    assert_eq!(close(&mut client, "reload", "maintenance")["status"], "completed");
    eventually("it rings the bell again", || {
        (role(&mut client) == (json!("participant"), true)).then_some(())
    });
    let hold = client.get("directory/hold", json!({"title": "an agent"}));
    assert_eq!(client.get("directory/release", json!({"subscription": hold})), true);
    client.finish();
}

#[test]
fn while_it_waits_to_give_up_the_project_it_takes_on_nothing_new() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let (mut gate, _, held_up) = place.held_up(&mut client, "held up");
    let disposing = deferred(&mut client, "dispose", &[&held_up]);
    assert_closing(&mut client, &disposing);
    assert_eq!(role(&mut client), (json!("participant"), true), "it goes on until then");
    gate.open();
    end_of(&mut client, &disposing);
    assert_closing(&mut client, &disposing);
    assert_eq!(ends(&mut client, &subscription), [completed(&disposing)]);
    assert_idle(&mut client);
    client.finish();
}

#[test]
fn force_overtakes_a_disposal_that_waits() {
    let place = Place::new();
    let mut client = place.open();
    let subscription = client.subscribe(json!({}));
    let (_gate, _, held_up) = place.held_up(&mut client, "held up");
    let patient = deferred(&mut client, "dispose", &[&held_up]);
    let forced = close(&mut client, "dispose", "force");
    assert_eq!(forced["status"], "completed", "{forced}");
    let stopped = client.wait_for_run(&held_up, "stopped");
    assert_eq!(
        (&stopped["stopReason"], &stopped["closedBy"]),
        (&json!("shutdown"), &forced["lifecycleActionID"])
    );
    let mut ended = ends(&mut client, &subscription);
    ended.sort();
    let mut expected = [completed(&patient), completed(&forced["lifecycleActionID"])];
    expected.sort();
    assert_eq!(ended, expected);
    assert_eq!(role(&mut client), (json!("observer"), false));
    client.finish();
}

#[test]
fn a_directory_that_is_given_up_is_not_worked_in_until_a_reload() {
    let place = Place::new();
    let mut client = place.open();
    client.subscribe(json!({}));
    let wanted = json!({"kind": "dispose", "mode": "maintenance", "directories": ["."]});
    assert_eq!(client.get("lifecycle/close", wanted)["status"], "completed");
    assert_eq!(role(&mut client), (json!("participant"), true), "it goes on elsewhere");
    let automation = client.create(dormant("waiting", shell("echo done >> log")));
    let run = client.get("automation/run", json!({"id": automation}));
    assert_eq!(run["waiting"]["for"], "executor");
    assert!(run["waiting"]["untilAt"].is_number(), "{run}");
    let elsewhere =
        json!({"kind": "reload", "mode": "maintenance", "directories": [place.beside("elsewhere")]});
    assert_eq!(client.get("lifecycle/close", elsewhere)["status"], "completed");
    let still = client.get("run/get", json!({"id": run["id"]}));
    assert_eq!(still["waiting"]["for"], "executor");
    let here = json!({"kind": "reload", "mode": "maintenance", "directories": ["."]});
    assert_eq!(client.get("lifecycle/close", here)["status"], "completed");
    client.wait_for_run(&run["id"], "succeeded");
    client.finish();
}
