//! The client for programs in Rust, with a real sidecar.

use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};
use sexton::client::model::{Automation, Run, RunState, Status};
use sexton::client::{Client, Error, Follow, Opening};
use sexton::domain::run::machine::State;
use sexton::domain::scheduler::Role;

use crate::support::drafts::{dormant, shell};
use crate::support::{DEADLINE, Place, eventually, signal};

/// Does this before anybody loses patience.
fn in_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let patience: Duration = DEADLINE * 3;
    runtime.block_on(async { tokio::time::timeout(patience, work).await.expect("it comes to an end") })
}

fn opening(place: &Place) -> Opening {
    Opening {
        project: Some(place.project()),
        state_directory: Some(place.state()),
        follow_config_file: false,
        ..Opening::new(env!("CARGO_BIN_EXE_sexton"), "a program")
    }
}

async fn create(client: &Client, title: &str, line: &str) -> Automation {
    client.ask("automation/create", dormant(title, shell(line))).await.expect("an automation")
}

#[test]
fn a_program_opens_a_project_asks_and_is_told_what_is_wrong_with_what() {
    let place = Place::new();
    in_time(async {
        let client = Client::open(opening(&place)).await.expect("a sidecar");
        assert_eq!(client.opened().project.directory, place.project());
        let made = create(&client, "Tests", "true").await;
        let known = made.known().expect("this version's own");
        assert_eq!((made.title(), known.definition.timezone.is_empty()), ("Tests", false));
        let faulty = json!({"title": "", "kind": "recurring", "rhythm": {"kind": "cron", "expression": "61 * * * *"},
            "task": {"kind": "notify", "text": "x"}});
        let refusal = client.ask::<Value>("automation/create", faulty).await.expect_err("it is faulty");
        let Error::Refused(refused) = refusal else { panic!("it is refused: {refusal}") };
        assert_eq!((refused.code, refused.kind.as_str()), (-32010, "invalid_automation"));
        let fields: Vec<String> = refused.details().into_iter().map(|detail| detail.field).collect();
        assert_eq!(fields, ["title", "rhythm.expression"]);
        let missing =
            client.ask::<Value>("run/get", json!({"id": "run_x"})).await.expect_err("there is none");
        assert_eq!(missing.kind(), Some("not_found"));
        client.close().await.expect("it ends");
    });
}

#[test]
fn lists_are_read_to_their_end_or_as_far_as_somebody_wants() {
    let place = Place::new();
    in_time(async {
        let client = Client::open(opening(&place)).await.expect("a sidecar");
        for number in 0..203 {
            create(&client, &format!("{number}"), "true").await;
        }
        let all: Vec<Automation> = client.all("automation/list", json!({})).await.expect("a list");
        let titles: Vec<&str> = all.iter().map(Automation::title).collect();
        assert_eq!((titles.len(), titles[0], titles[202]), (203, "202", "0"));
        for (most, more) in [(0, true), (100, true), (150, true), (203, false), (500, false)] {
            let first = client.first::<Value>("automation/list", json!({}), most).await.expect("a list");
            assert_eq!((first.0.len(), first.1), (most.min(203), more), "at most {most}");
        }
        client.close().await.expect("it ends");
    });
}

#[test]
fn who_reads_events_too_slowly_still_reads_each_of_them_once() {
    // More than are kept for somebody who does not read.
    const MANY: usize = 700;
    let place = Place::new();
    in_time(async {
        let client = Client::open(opening(&place)).await.expect("a sidecar");
        let mut events = client.events(Follow::default()).await.expect("events");
        for number in 0..MANY {
            create(&client, &format!("{number}"), "true").await;
        }
        let mut seen = Vec::new();
        while seen.len() < MANY {
            let event = events.next().await.expect("an event").expect("it goes on");
            if event.kind == "automation.updated" {
                seen.push((event.seq, event.automation().expect("its automation").title().to_owned()));
            }
        }
        let numbers: Vec<String> = (0..MANY).map(|number| number.to_string()).collect();
        assert_eq!(seen.iter().map(|(_, title)| title.clone()).collect::<Vec<_>>(), numbers);
        assert!(seen.windows(2).all(|two| two[0].0 + 1 == two[1].0), "no event lies between two of them");
        client.close().await.expect("it ends");
    });
}

#[test]
fn what_a_run_writes_is_followed_to_its_end_byte_for_byte() {
    let place = Place::new();
    in_time(async {
        let client = Client::open(opening(&place)).await.expect("a sidecar");
        // Bytes that are no text, and more than fits into one message.
        let line = r"printf 'a\377b\n'; head -c 3000000 /dev/zero | tr '\0' x; echo; echo end; exit 7";
        let made = create(&client, "Writes", line).await;
        let run: Run = client.ask("automation/run", json!({"id": made.id()})).await.expect("a run");
        let mut output = client.output(run.id.as_str(), 0).await.expect("output");
        let mut bytes = Vec::new();
        while let Some(chunk) = output.next().await.expect("a part") {
            assert_eq!(chunk.offset, u64::try_from(bytes.len()).expect("a place"));
            bytes.extend(chunk.data);
        }
        assert_eq!(bytes.len(), 4 + 3_000_000 + 5);
        assert!(bytes.starts_with(b"a\xffb\nxxx") && bytes.ends_with(b"xxx\nend\n"));
        // The end is told when nothing more can be written, which is before the run has ended.
        let mut events = client.events(Follow { after: Some(0), ..Follow::default() }).await.expect("events");
        let ended = loop {
            let event = events.next().await.expect("an event").expect("it goes on");
            if let Some(run) = event.run().filter(Run::has_ended) {
                break run;
            }
        };
        assert_eq!(ended.state, RunState::Known(State::Failed));
        assert_eq!(ended.end.expect("its end").exit_code, Some(7));
        client.close().await.expect("it ends");
    });
}

#[test]
fn a_sidecar_that_dies_is_noticed_and_one_that_nobody_has_any_more_ends() {
    let place = Place::new();
    in_time(async {
        let client = Client::open(opening(&place)).await.expect("a sidecar");
        let status: Status = client.ask("scheduler/status", json!({})).await.expect("the status");
        let mut events = client.events(Follow::default()).await.expect("events");
        let ours = &client.opened().instance_id;
        let us = status.instances.iter().find(|one| one.id.as_str() == ours).expect("it is among them");
        assert_eq!((us.role, status.is_owner), (Some(Role::Participant), true));
        signal("KILL", us.pid);
        assert!(events.next().await.expect("no event").is_none(), "nothing follows");
        let gone = client.ask::<Value>("run/list", json!({})).await.expect_err("nobody answers");
        assert!(matches!(&gone, Error::Gone(why) if why.contains("has ended")), "{gone:?}");
        let missing = Opening { program: place.beside("nothing"), ..opening(&place) };
        let error = Client::open(missing).await.expect_err("there is no program");
        assert!(matches!(&error, Error::Gone(why) if why.contains("cannot be started")), "{error:?}");
        let nowhere = Opening { project: Some(place.beside("nowhere")), ..opening(&place) };
        let refused = Client::open(nowhere).await.expect_err("there is no project");
        assert_eq!(refused.kind(), Some("invalid_params"));
    });
    let dropped = in_time(async {
        let client = Client::open(opening(&place)).await.expect("another sidecar");
        let status: Status = client.ask("scheduler/status", json!({})).await.expect("the status");
        status.owner.expect("it rings").pid
    });
    eventually("its end", || {
        // What has ended has no arguments any more, also if nobody has waited for it.
        let arguments = std::fs::read(format!("/proc/{dropped}/cmdline")).unwrap_or_default();
        arguments.is_empty().then_some(())
    });
}
