//! How many agents are at work at once, and in which window.

use serde_json::{Value, json};

use super::{Bench, asking, begin, carried_out, ended, subscribed, words};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};

/// A prompt that keeps nobody waiting for the directory.
fn beside(prompt: &str) -> Value {
    with(asking(prompt), "access", json!("read"))
}

fn open(bench: &Bench, agents: u32) -> Client {
    subscribed(bench.sidecar().option("limits", json!({"maxAgents": agents})).open())
}

/// A run that is at work until a person allows it to end.
fn at_work(client: &mut Client) -> Value {
    let run = begin(client, beside("[permission][say:Done.]"));
    client.wait_for_run(&run, "awaiting_input")
}

fn allow(client: &mut Client, blocked: &Value) {
    let request = &blocked["blocker"]["requestID"];
    client.get("run/respond", json!({"id": blocked["id"], "requestID": request, "optionID": "allow_once"}));
    assert_eq!(words(&ended(client, &blocked["id"])), "succeeded");
}

#[test]
fn one_at_a_time_in_all_windows_and_commands_go_past() {
    let bench = Bench::new();
    let (mut owner, mut other) = (open(&bench, 1), open(&bench, 1));
    let working = at_work(&mut owner);
    let automation = other.create(beside("[say:Done.]"));
    let waiting = other.get("automation/run", json!({"id": automation}));
    assert_eq!((&waiting["state"], &waiting["waiting"]["for"]), (&json!("scheduled"), &json!("capacity")));
    let command = begin(&mut other, with(dormant("command", shell("true")), "access", json!("read")));
    assert_eq!(words(&ended(&mut other, &command)), "succeeded");
    assert_eq!(other.look_at(&waiting["id"])["state"], "scheduled");
    allow(&mut owner, &working);
    let went_on = ended(&mut other, &waiting["id"]);
    assert_eq!(
        (words(&went_on).as_str(), &went_on["instanceID"]),
        ("succeeded", &other.opened["instanceID"])
    );
    assert!(went_on["startedAt"].as_i64() >= owner.look_at(&working["id"])["completedAt"].as_i64());
    bench.leave_nothing(&[&owner, &other], &[]);
    other.finish();
    owner.finish();
}

#[test]
fn as_many_as_the_owner_of_the_bell_says() {
    let bench = Bench::new();
    let (mut owner, mut other) = (open(&bench, 2), open(&bench, 1));
    let first = at_work(&mut other);
    let second = at_work(&mut other);
    let automation = owner.create(beside("[say:Done.]"));
    let third = owner.get("automation/run", json!({"id": automation}));
    assert_eq!(third["waiting"]["for"], "capacity", "{third}");
    allow(&mut owner, &first);
    assert_eq!(words(&ended(&mut owner, &third["id"])), "succeeded");
    allow(&mut owner, &second);
    bench.leave_nothing(&[&owner, &other], &[]);
    other.finish();
    owner.finish();
}

#[test]
fn a_run_goes_to_the_window_that_was_asked_if_it_has_the_agent() {
    let bench = Bench::new();
    let mut without = subscribed(bench.place.open());
    let (mut first, mut second) = (bench.open(), bench.open());
    for asked in [&mut second, &mut first] {
        let run = carried_out(asked, beside("[say:Done.]"));
        assert_eq!((words(&run).as_str(), &run["instanceID"]), ("succeeded", &asked.opened["instanceID"]));
    }
    let run = carried_out(&mut without, beside("[say:Done.]"));
    assert_eq!(words(&run), "succeeded");
    let those = [&first.opened["instanceID"], &second.opened["instanceID"]];
    assert!(those.contains(&&run["instanceID"]), "{run}");
    bench.leave_nothing(&[&without, &first, &second], &[]);
    [first, second, without].into_iter().for_each(Client::finish);
}

#[test]
fn a_run_for_an_agent_that_no_window_has_any_more_says_so() {
    let bench = Bench::new();
    let mut without = subscribed(bench.place.open());
    let mut client = bench.open();
    let automation = client.create(beside("[say:Done.]"));
    client.finish();
    let run = without.run(&automation);
    let run = ended(&mut without, &run);
    assert_eq!(run["error"]["code"], "provider_unavailable", "{run}");
    bench.finish(without, &[]);
}
