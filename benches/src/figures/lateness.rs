//! How late fires are while 16 windows are open.
//!
//! One automation only tells something, ten times a second: the bell itself. Another has a command, once a second:
//! the bell and the start of two processes. Lateness is told by the ledger's own times, in whole milliseconds, and
//! by the moment at which a window's pipe has the event.

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::World;
use super::windows::{Heard, WINDOWS, Windows};
use crate::broken;
use crate::clock::now;
use crate::place::dormant;
use crate::requests::Requests;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, number, p50_and_p99};

/// Automations in the ledger beside the two that fire: few, and as many as the figure is about.
const AUTOMATIONS: (usize, usize) = (1_000, 100_000);

/// Longer than a window takes that nobody wakes.
const PATIENCE: Duration = Duration::from_secs(15);

/// p99 of the bell in milliseconds.
const WITHIN_MS: f64 = 5.0;

/// What was heard.
#[derive(Default)]
struct Lateness {
    /// The bell, by the ledger's times.
    recorded: Rounds,
    /// The bell, as the window that rings it tells.
    ringing: Rounds,
    /// The bell, as the others tell.
    others: Rounds,
    /// Commands, by the ledger's times.
    commands: Rounds,
    /// The windows that have told everything.
    done: usize,
}

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let place = world.tools.place("lateness")?;
    let mut windows = Windows::open(world, &place)?;
    let (few, many) = AUTOMATIONS;
    let automations = world.effort.of(few, many);
    let drafts = dormant(automations);
    let first = windows.first();
    Requests::of(first, "automation/create", &drafts, 500).in_flight(first)?;
    windows.subscribe(&["run.updated", "automation.updated"])?;
    let bell = create(&mut windows, "the bell", 100, json!({"kind": "notify", "text": "ding"}))?;
    let command = create(&mut windows, "a command", 1_000, json!({"kind": "command", "program": "true"}))?;

    let mut lateness = Lateness::default();
    let until = now() + world.effort.of(Duration::from_secs(5), Duration::from_secs(60));
    while now() < until {
        lateness.take(&windows.listen(until)?, &bell, &command)?;
    }
    windows.first().ask("automation/pause", &json!({"id": command}))?;
    windows.first().ask("automation/pause", &json!({"id": bell}))?;
    // News come in order, so a window that tells of the pause has told everything before.
    let give_up_at = now() + PATIENCE;
    while lateness.done < WINDOWS {
        lateness.take(&hear(&mut windows, give_up_at)?, &bell, &command)?;
    }
    windows.finish()?;
    lateness.tell(automations, table);
    Ok(())
}

fn create(windows: &mut Windows, title: &str, every_ms: i64, task: Value) -> io::Result<Value> {
    let rhythm = json!({"kind": "interval", "everyMs": every_ms});
    let draft = json!({"title": title, "kind": "recurring", "rhythm": rhythm, "task": task});
    Ok(windows.first().ask("automation/create", &draft)?["id"].take())
}

fn hear(windows: &mut Windows, give_up_at: Instant) -> io::Result<Vec<Heard>> {
    match windows.listen(give_up_at)? {
        heard if heard.is_empty() => Err(broken(format!("not every window was told within {PATIENCE:?}"))),
        heard => Ok(heard),
    }
}

impl Lateness {
    fn take(&mut self, heard: &[Heard], bell: &Value, command: &Value) -> io::Result<()> {
        for heard in heard {
            let event = &heard.message["params"]["result"];
            let (run, automation) = (&event["run"], &event["automation"]);
            if automation["id"] == *bell && automation["paused"] == true {
                self.done += 1;
            }
            let of = |name: &str| run[name].as_f64().ok_or_else(|| broken(format!("no {name} in {run}")));
            if run["automationID"] == *bell && run["revision"] == 1 && run["state"] == "scheduled" {
                let due = of("scheduledAt")?;
                match heard.window {
                    0 => {
                        self.recorded.push(of("triggeredAt")? - due);
                        self.ringing.push(heard.at_ms - due);
                    }
                    _ => self.others.push(heard.at_ms - due),
                }
            }
            if run["automationID"] == *command && run["state"] == "running" && heard.window == 0 {
                self.commands.push(of("startedAt")? - of("scheduledAt")?);
            }
        }
        Ok(())
    }

    fn tell(&self, automations: usize, table: &mut Table) {
        let among = number(automations as f64);
        let others = format!("the bell, as {} other windows tell", WINDOWS - 1);
        let within = goal("p99 within 5 ms", self.recorded.quantile(0.99) <= WITHIN_MS);
        let rows = [
            ("the bell, recorded", &self.recorded, within),
            ("the bell, as the ringing window tells", &self.ringing, String::new()),
            (&others, &self.others, String::new()),
            ("a command started, recorded", &self.commands, String::new()),
        ];
        for (what, rounds, goal) in rows {
            table.row(Row {
                what: format!(
                    "lateness with {WINDOWS} windows and {among} automations: {what} ({} times)",
                    rounds.count()
                ),
                ours: p50_and_p99(rounds.quantile(0.5), rounds.quantile(0.99), "ms"),
                peer: String::new(),
                ratio: String::new(),
                goal,
            });
        }
    }
}
