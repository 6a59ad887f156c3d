//! The window that rings the bell is killed while 16 windows are open, and then the next one, until one is left.
//!
//! Each owner carries out a command when it dies, and a slot comes due at that moment. From before the kill until the
//! pipe of a window that lives has the event: that there is another owner, that the run of the dead one was
//! interrupted, and that the slot was fired.

mod lease;

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::World;
use super::windows::{Heard, WINDOWS, Windows};
use crate::broken;
use crate::clock::{now, wall_ms};
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, p50_and_p99, times};

/// Windows that die in a round: all but the last one.
const DEATHS: usize = WINDOWS - 1;

/// The distance of the slots: long enough that everybody has gone to sleep again before one is due.
const SLOTS_MS: i64 = 200;

/// How long before a slot its owner is killed. By then the owner cannot have fired it.
const BEFORE_THE_SLOT_MS: f64 = 1.0;

/// Longer than a window takes that nobody wakes.
const PATIENCE: Duration = Duration::from_secs(15);

/// p99 of the next owner in milliseconds.
const OWNER_WITHIN_MS: f64 = 10.0;

/// p99 of the end of the dead window's run in milliseconds.
const SETTLED_WITHIN_MS: f64 = 50.0;

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let mut took = Took::default();
    let rounds = world.effort.of(1, 12);
    for round in 1..=rounds {
        eprintln!("  round {round} of {rounds}");
        let place = world.tools.place("takeover")?;
        let mut project = Project::open(Windows::open(world, &place)?)?;
        for _ in 0..DEATHS {
            project.carry_out()?;
            let death = project.lose_the_owner()?;
            took.take(&death);
        }
        project.windows.finish()?;
    }
    took.tell(table);
    let terms = lease::Terms::of(world);
    eprintln!("  {}", terms.said());
    took.tell_beside(&lease::measure(world, terms, DEATHS)?, &terms.said(), table);
    Ok(())
}

/// What one death led to, and when a pipe had it.
struct Death {
    killed: Instant,
    /// The next owner, as each window that lives tells.
    owner: Vec<Instant>,
    /// The end of the dead owner's run, as the first window tells.
    settled: Option<Instant>,
    /// The slot that came due, as the first window tells.
    fired: Option<Instant>,
}

/// Windows on one project, with what they ring and carry out.
struct Project {
    windows: Windows,
    /// The processes of the instances.
    pids: HashMap<String, u32>,
    owner: String,
    /// An automation that only tells something.
    bell: Value,
    /// An automation whose command never ends by itself.
    work: Value,
    /// The run of the work that goes on, once somebody has been seen to carry it out.
    running: Option<Value>,
    /// The newest slot of the bell that was fired.
    fired_at: i64,
}

impl Project {
    fn open(mut windows: Windows) -> io::Result<Project> {
        let status = windows.first().ask("scheduler/status", &json!({}))?;
        let owner = text(&status["owner"]["instanceID"])?;
        let mut pids = HashMap::new();
        for instance in status["instances"].as_array().into_iter().flatten() {
            let pid = instance["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
            pids.insert(text(&instance["id"])?, pid.ok_or_else(|| broken("an instance has no pid"))?);
        }
        windows.subscribe(&["scheduler.owner", "run.updated"])?;
        let bell = create(&mut windows, SLOTS_MS, json!({"kind": "notify", "text": "ding"}))?;
        let command = json!({"kind": "command", "program": "sleep", "args": ["86400"]});
        // Its slots are a day away: it is carried out when it is asked for.
        let work = create(&mut windows, 86_400_000, command)?;
        Ok(Project { windows, pids, owner, bell, work, running: None, fired_at: 0 })
    }

    /// Has the owner carry out the work, and waits until a slot has been fired since.
    fn carry_out(&mut self) -> io::Result<()> {
        let owner = self.place_of_the_owner()?;
        let asked = self.windows.window(owner).ask("automation/run", &json!({"id": self.work}))?;
        let give_up_at = now() + PATIENCE;
        (self.running, self.fired_at) = (None, 0);
        while self.running.as_ref() != Some(&asked["id"]) || self.fired_at == 0 {
            self.hear(give_up_at, "the work to be carried out")?;
        }
        Ok(())
    }

    /// Kills the owner a moment before a slot, and listens until everything that follows has been told.
    fn lose_the_owner(&mut self) -> io::Result<Death> {
        let slot = self.wait_for_a_slot()?;
        let owner = self.place_of_the_owner()?;
        let mut dead = self.windows.take_out(owner);
        let before = self.owner.clone();
        let killed = now();
        dead.kill()?;
        let mut death = Death { killed, owner: Vec::new(), settled: None, fired: None };
        let give_up_at = killed + PATIENCE;
        let living = self.windows.pids().count();
        while death.owner.len() < living || death.settled.is_none() || death.fired.is_none() {
            for heard in self.hear(give_up_at, "everything that follows from a death")? {
                let event = &heard.message["params"]["result"];
                let run = &event["run"];
                if event["kind"] == "scheduler.owner" {
                    death.owner.push(heard.at);
                } else if self.running.as_ref() == Some(&run["id"]) && run["stopReason"] == "interrupted" {
                    death.settled.get_or_insert(heard.at);
                } else if run["automationID"] == self.bell
                    && run["scheduledAt"].as_i64() >= Some(slot)
                    && run["state"] == "succeeded"
                {
                    if run["instanceID"] == before.as_str() {
                        return Err(broken("a window fired a slot after it was killed"));
                    }
                    death.fired.get_or_insert(heard.at);
                }
            }
        }
        Ok(death)
    }

    /// Waits until the next slot is as good as due, and gives it.
    fn wait_for_a_slot(&mut self) -> io::Result<i64> {
        loop {
            let slot = self.fired_at + SLOTS_MS;
            let left_ms = slot as f64 - BEFORE_THE_SLOT_MS - wall_ms();
            if left_ms < 0.0 {
                // It was missed; the one after it will do.
                self.hear(now() + PATIENCE, "the next slot")?;
                continue;
            }
            let until = now() + Duration::from_secs_f64(left_ms / 1e3);
            while !self.listen(until)?.is_empty() {}
            if wall_ms() < slot as f64 {
                return Ok(slot);
            }
        }
    }

    fn place_of_the_owner(&self) -> io::Result<usize> {
        let pid = self.pids.get(&self.owner);
        let place = self.windows.pids().position(|window| Some(&window) == pid);
        place.ok_or_else(|| broken(format!("{} owns the bell and is none of the windows", self.owner)))
    }

    fn hear(&mut self, give_up_at: Instant, what: &str) -> io::Result<Vec<Heard>> {
        match self.listen(give_up_at)? {
            heard if heard.is_empty() => Err(broken(format!("waited {PATIENCE:?} for {what}"))),
            heard => Ok(heard),
        }
    }

    fn listen(&mut self, until: Instant) -> io::Result<Vec<Heard>> {
        let heard = self.windows.listen(until)?;
        for heard in &heard {
            let event = &heard.message["params"]["result"];
            let run = &event["run"];
            if event["kind"] == "scheduler.owner" {
                self.owner = text(&event["scheduler"]["instanceID"])?;
            } else if run["automationID"] == self.work && run["state"] == "running" {
                self.running = Some(run["id"].clone());
            } else if run["automationID"] == self.bell {
                self.fired_at = self.fired_at.max(run["scheduledAt"].as_i64().unwrap_or(0));
            }
        }
        Ok(heard)
    }
}

fn create(windows: &mut Windows, every_ms: i64, task: Value) -> io::Result<Value> {
    let rhythm = json!({"kind": "interval", "everyMs": every_ms});
    let draft = json!({"title": "what is rung", "kind": "recurring", "rhythm": rhythm, "task": task});
    Ok(windows.first().ask("automation/create", &draft)?["id"].take())
}

fn text(value: &Value) -> io::Result<String> {
    value.as_str().map(str::to_owned).ok_or_else(|| broken(format!("{value} is no text")))
}

/// Milliseconds since the kill, over all deaths.
#[derive(Default)]
struct Took {
    first_owner: Rounds,
    every_owner: Rounds,
    settled: Rounds,
    fired: Rounds,
}

impl Took {
    fn take(&mut self, death: &Death) {
        let since = |at: &Instant| at.saturating_duration_since(death.killed).as_secs_f64() * 1e3;
        death.owner.iter().min().map(since).into_iter().for_each(|ms| self.first_owner.push(ms));
        death.owner.iter().map(since).for_each(|ms| self.every_owner.push(ms));
        death.settled.iter().map(since).for_each(|ms| self.settled.push(ms));
        death.fired.iter().map(since).for_each(|ms| self.fired.push(ms));
    }

    fn tell(&self, table: &mut Table) {
        let within = |rounds: &Rounds, ms: f64| rounds.quantile(0.99) <= ms;
        let owner = goal("p99 within 10 ms", within(&self.first_owner, OWNER_WITHIN_MS));
        let settled = goal("p99 within 50 ms", within(&self.settled, SETTLED_WITHIN_MS));
        let rows = [
            ("the next owner, as a window tells", &self.first_owner, owner),
            ("the next owner, as all windows tell", &self.every_owner, String::new()),
            ("its run told as interrupted", &self.settled, settled),
            ("a slot fired that came due then", &self.fired, String::new()),
        ];
        for (what, rounds, goal) in rows {
            table.row(Row {
                what: format!("the owner of {WINDOWS} windows is killed: {what} ({} times)", rounds.count()),
                ours: p50_and_p99(rounds.quantile(0.5), rounds.quantile(0.99), "ms"),
                peer: String::new(),
                ratio: String::new(),
                goal,
            });
        }
    }

    fn tell_beside(&self, lease: &Rounds, said: &str, table: &mut Table) {
        let quantiles = |rounds: &Rounds| [0.5, 0.99].map(|part| rounds.quantile(part));
        let ([p50, p99], [theirs_p50, theirs_p99]) = (quantiles(&self.first_owner), quantiles(lease));
        table.row(Row {
            what: format!("the owner of {WINDOWS} windows is killed: the next owner, beside a lease"),
            ours: p50_and_p99(p50, p99, "ms"),
            peer: format!("{said}: {} ({} times)", p50_and_p99(theirs_p50, theirs_p99, "ms"), lease.count()),
            ratio: format!("{}, {}", times(p50 / theirs_p50), times(p99 / theirs_p99)),
            goal: String::new(),
        });
    }
}
