//! What is counted: each is played by a client that does one thing again and again.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use super::Counts;
use super::instrument::{Counted, Instrument};
use crate::broken;
use crate::client::Client;
use crate::figures::Effort;
use crate::place::{Place, dormant};
use crate::requests::Requests;
use crate::servers::Server;
use crate::tools::Tools;

/// Automations in the ledger.
const AUTOMATIONS: usize = 100;

/// How often whatever fires again and again does so, in milliseconds: slow enough for a sidecar that is counted.
const EVERY_MS: i64 = 500;

/// As long as the slow look is away.
const IDLE: Duration = Duration::from_secs(5);

/// Something that a sidecar does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Situation {
    Start,
    GetOneByOne,
    GetInFlight,
    PreviewOneByOne,
    PreviewInFlight,
    CreateOneByOne,
    CreateInFlight,
    Reminder,
    Command,
    News,
    Idle,
}

impl Situation {
    pub(super) const ALL: [Situation; 11] = [
        Situation::Start,
        Situation::GetOneByOne,
        Situation::GetInFlight,
        Situation::PreviewOneByOne,
        Situation::PreviewInFlight,
        Situation::CreateOneByOne,
        Situation::CreateInFlight,
        Situation::Reminder,
        Situation::Command,
        Situation::News,
        Situation::Idle,
    ];

    pub(super) fn what(self) -> &'static str {
        match self {
            Situation::Start => "a start, until `initialize` is answered",
            Situation::GetOneByOne => "`automation/get`, one by one",
            Situation::GetInFlight => "`automation/get`, 64 in flight",
            Situation::PreviewOneByOne => "`automation/preview`, one by one",
            Situation::PreviewInFlight => "`automation/preview`, 64 in flight",
            Situation::CreateOneByOne => "`automation/create`, one by one",
            Situation::CreateInFlight => "`automation/create`, 64 in flight",
            Situation::Reminder => "a reminder fires",
            Situation::Command => "a command fires, runs and ends",
            Situation::News => "a change in another window is told",
            Situation::Idle => "five seconds in which nothing happens",
        }
    }

    /// Plays it under an instrument, and adds what that has counted.
    pub(super) fn play(
        self,
        tools: &Tools,
        effort: Effort,
        instrument: Instrument,
        counts: &mut Counts,
    ) -> io::Result<()> {
        if self == Situation::Command && instrument == Instrument::Callgrind {
            // A guard is this program by a link of the kernel's, which leads to valgrind there.
            return Ok(());
        }
        let place = tools.place("profile")?;
        let id = fill(tools, &place)?;
        let mut counted = Counted::open(tools, &place, instrument)?;
        let few = effort.of(10, 200);
        let many = effort.of(200, 4_000);
        let get = json!({"id": id});
        let times = match self {
            // It has been counted since its first instruction.
            Situation::Start => 1,
            Situation::GetOneByOne => ask(&mut counted, "automation/get", &vec![get; few], Manner::OneByOne)?,
            Situation::GetInFlight => {
                ask(&mut counted, "automation/get", &vec![get; many], Manner::InFlight)?
            }
            Situation::PreviewOneByOne => {
                ask(&mut counted, "automation/preview", &vec![preview(); few], Manner::OneByOne)?
            }
            Situation::PreviewInFlight => {
                ask(&mut counted, "automation/preview", &vec![preview(); many], Manner::InFlight)?
            }
            Situation::CreateOneByOne => {
                ask(&mut counted, "automation/create", &dormant(few), Manner::OneByOne)?
            }
            Situation::CreateInFlight => {
                ask(&mut counted, "automation/create", &dormant(many), Manner::InFlight)?
            }
            Situation::Reminder => fire(&mut counted, effort, &json!({"kind": "notify", "text": "ding"}))?,
            Situation::Command => fire(&mut counted, effort, &json!({"kind": "command", "program": "true"}))?,
            Situation::News => return news(tools, &place, effort, counted, &id, counts),
            Situation::Idle => idle(&mut counted, effort)?,
        };
        counted.end(times, counts)
    }
}

/// Makes a ledger with automations in it, and gives the identity of one of them.
fn fill(tools: &Tools, place: &Place) -> io::Result<Value> {
    let mut window = Server::Sexton.open(tools, place)?;
    let mut id = Value::Null;
    for draft in dormant(AUTOMATIONS) {
        id = window.ask("automation/create", &draft)?["id"].take();
    }
    window.finish()?;
    Ok(id)
}

fn preview() -> Value {
    let rhythm = json!({"kind": "cron", "expression": "0 9 * * 1-5"});
    json!({"rhythm": rhythm, "timezone": "America/New_York", "after": 1_767_225_600_000_i64})
}

/// How requests are sent.
#[derive(Clone, Copy)]
enum Manner {
    OneByOne,
    InFlight,
}

fn ask(counted: &mut Counted, method: &str, params: &[Value], manner: Manner) -> io::Result<usize> {
    // What is done once, such as preparing a statement, is no part of a request.
    let (warm, params) = params.split_at(params.len() / 4);
    for (params, is_counted) in [(warm, false), (params, true)] {
        let requests = Requests::of(counted.client(), method, params, 100);
        if is_counted {
            counted.begin()?;
        }
        match manner {
            Manner::OneByOne => {
                requests.one_by_one(counted.client())?;
            }
            Manner::InFlight => {
                requests.in_flight(counted.client())?;
            }
        }
    }
    Ok(params.len())
}

/// Has something fire again and again, and counts from the end of one run to that of another.
fn fire(counted: &mut Counted, effort: Effort, task: &Value) -> io::Result<usize> {
    let client = counted.client();
    client.ask("events/subscribe", &json!({"kinds": ["run.updated"]}))?;
    let rhythm = json!({"kind": "interval", "everyMs": EVERY_MS});
    let draft = json!({"title": "again", "kind": "recurring", "rhythm": rhythm, "task": task});
    client.ask("automation/create", &draft)?;
    ends(client, 4)?;
    counted.begin()?;
    let times = effort.of(4, 20);
    ends(counted.client(), times)?;
    Ok(times)
}

/// Waits until so many runs have ended.
fn ends(client: &mut Client, mut times: usize) -> io::Result<()> {
    while times > 0 {
        let told = client.next_news()?;
        let run = &told["params"]["result"]["run"];
        match run["state"].as_str() {
            Some("succeeded") => times -= 1,
            Some("failed" | "stopped") => return Err(broken(format!("a run did not succeed: {run}"))),
            _ => {}
        }
    }
    Ok(())
}

/// A change that another window makes, until this one has told its client of it.
fn news(
    tools: &Tools,
    place: &Place,
    effort: Effort,
    mut counted: Counted,
    id: &Value,
    counts: &mut Counts,
) -> io::Result<()> {
    let mut other = Server::Sexton.open(tools, place)?;
    counted.client().ask("events/subscribe", &json!({"kinds": ["automation.updated"]}))?;
    let mut change = |counted: &mut Counted, times: usize| -> io::Result<()> {
        for number in 0..times {
            let patch = json!({"title": format!("Change {times}.{number}")});
            other.ask("automation/update", &json!({"id": id, "patch": patch}))?;
            counted.client().next_news()?;
        }
        Ok(())
    };
    change(&mut counted, 5)?;
    counted.begin()?;
    let times = effort.of(5, 40);
    change(&mut counted, times)?;
    counted.end(times, counts)?;
    other.finish()
}

fn idle(counted: &mut Counted, effort: Effort) -> io::Result<usize> {
    let times = effort.of(1, 4);
    // What opening leaves to be done later is done by then.
    std::thread::sleep(IDLE);
    counted.begin()?;
    std::thread::sleep(IDLE * times);
    Ok(times as usize)
}
