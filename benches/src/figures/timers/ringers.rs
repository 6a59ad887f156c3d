//! Those who ring timers: ours, whose sidecar writes each down and tells a window, and peers that call a function.

use std::collections::HashSet;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::broken;
use crate::clock::{now, wall_ms};
use crate::figures::World;
use crate::figures::windows::Windows;
use crate::place::Place;
use crate::requests::Requests;
use crate::script::Script;
use crate::servers::Server;

/// No answer that grants an automation is shorter.
const LEAST_ANSWER: usize = 300;

/// Somebody who rings timers.
pub(super) trait Ringer {
    fn name(&self) -> &'static str;

    /// The process that does it.
    fn pid(&self) -> u32;

    /// Whether it knows times between two seconds.
    fn knows_milliseconds(&self) -> bool;

    /// Has it ring at each of these instants, in milliseconds since the Unix epoch. When this is over, it knows all.
    fn set(&mut self, due: &[i64]) -> io::Result<()>;

    /// How late each rang. Waits until all have, or until it is clear that no more will, so long after the last
    /// was due, which is within a second of this one.
    fn rung(&mut self, first_due_ms: f64) -> io::Result<Rung>;
}

/// Longer than anybody needs for all, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What looks every half second has handed over by then what it does not lose.
const PATIENCE_OF_TICKS: Duration = Duration::from_secs(5);

/// Until when somebody is waited for.
fn deadline(first_due_ms: f64, patience: Duration) -> Instant {
    now() + Duration::from_secs_f64((first_due_ms - wall_ms()).max(0.0) / 1e3) + patience
}

/// How late timers rang, in milliseconds.
#[derive(Default)]
pub(super) struct Rung {
    /// As whoever is rung for sees it. Those that did not ring are missing.
    pub(super) late_ms: Vec<f64>,
    /// As it was written down, by those that do.
    pub(super) recorded_ms: Vec<f64>,
}

/// All that this machine can run, ours first.
pub(super) fn all(world: &World<'_>, place: &Place) -> io::Result<Vec<Box<dyn Ringer>>> {
    let mut ringers: Vec<Box<dyn Ringer>> = vec![Box::new(Sexton::open(world, place)?)];
    let mut script = |name, times, command: &mut Command| -> io::Result<()> {
        let script = Script::spawn(name, command)?;
        ringers.push(Box::new(Peer { name, script, times, due: Vec::new() }));
        Ok(())
    };
    let ticking = &mut Command::new(world.tools.tokio_cron_scheduler());
    script("`tokio-cron-scheduler` (Rust)", Times::Ticks, ticking)?;
    if let Some(node) = world.tools.node() {
        script("`croner` (npm)", Times::Instants, Command::new("node").arg(node.join("timers.js")))?;
    }
    if let Some(python) = world.tools.python() {
        let timers = world.tools.python_script("timers.py");
        script("APScheduler (PyPI)", Times::Instants, Command::new(python).arg(&timers))?;
        let stored = Place::state(place).with_extension("apscheduler");
        script(
            "APScheduler in SQLite (PyPI)",
            Times::Instants,
            Command::new(python).arg(&timers).arg(stored),
        )?;
    }
    Ok(ringers)
}

/// One window on a ledger.
struct Sexton {
    window: Windows,
    pid: u32,
    set: usize,
}

impl Sexton {
    fn open(world: &World<'_>, place: &Place) -> io::Result<Sexton> {
        let mut window = Windows::some(world, place, 1)?;
        let pid = window.first().pid();
        window.subscribe(&["run.updated"])?;
        Ok(Sexton { window, pid, set: 0 })
    }
}

impl Ringer for Sexton {
    fn name(&self) -> &'static str {
        Server::Sexton.name()
    }

    fn pid(&self) -> u32 {
        self.pid
    }

    fn knows_milliseconds(&self) -> bool {
        true
    }

    fn set(&mut self, due: &[i64]) -> io::Result<()> {
        let draft = |due: &i64| {
            json!({
                "title": "Stand up", "kind": "oneshot", "fireAt": due,
                "task": {"kind": "notify", "text": "Stand up and stretch"},
            })
        };
        let drafts: Vec<Value> = due.iter().map(draft).collect();
        self.set = due.len();
        let window = self.window.first();
        Requests::of(window, "automation/create", &drafts, LEAST_ANSWER).in_flight(window).map(|_| ())
    }

    fn rung(&mut self, first_due_ms: f64) -> io::Result<Rung> {
        let deadline = deadline(first_due_ms, PATIENCE);
        let (mut rung, mut seen) = (Rung::default(), HashSet::new());
        while rung.late_ms.len() < self.set {
            let heard = self.window.listen(deadline)?;
            if heard.is_empty() {
                break;
            }
            for heard in heard {
                let run = &heard.message["params"]["result"]["run"];
                if run["state"] == "succeeded" && seen.insert(run["id"].to_string()) {
                    let of = |name| run[name].as_f64().ok_or_else(|| broken(format!("{run} has no {name}")));
                    let due = of("scheduledAt")?;
                    rung.late_ms.push(heard.at_ms - due);
                    rung.recorded_ms.push(of("triggeredAt")? - due);
                }
            }
        }
        Ok(rung)
    }
}

/// How a peer looks at time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    /// It sleeps until the next instant.
    Instants,
    /// It looks again and again, and knows whole seconds.
    Ticks,
}

/// A script that is told when, and tells when it was.
struct Peer {
    name: &'static str,
    script: Script,
    times: Times,
    due: Vec<i64>,
}

impl Ringer for Peer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn pid(&self) -> u32 {
        self.script.pid()
    }

    fn knows_milliseconds(&self) -> bool {
        self.times == Times::Instants
    }

    fn set(&mut self, due: &[i64]) -> io::Result<()> {
        self.due = due.to_vec();
        match self.script.ask(&json!({"dueMs": due}))? {
            true => Ok(()),
            false => Err(broken(format!("{} did not take its timers", self.name))),
        }
    }

    fn rung(&mut self, first_due_ms: f64) -> io::Result<Rung> {
        let patience = match self.times {
            Times::Instants => PATIENCE,
            Times::Ticks => PATIENCE_OF_TICKS,
        };
        let rang: Option<Vec<Option<f64>>> = self.script.hear_until(deadline(first_due_ms, patience))?;
        let rang = match rang {
            Some(rang) => rang,
            None => self.script.ask(&"so far")?,
        };
        let late = |(at, due): (&Option<f64>, &i64)| at.map(|at| at - *due as f64);
        Ok(Rung { late_ms: rang.iter().zip(&self.due).filter_map(late).collect(), recorded_ms: Vec::new() })
    }
}

/// Waits until this instant, in milliseconds since the Unix epoch.
pub(super) fn wait_until(ms: f64) {
    let left_ms = ms - wall_ms();
    if left_ms > 0.0 {
        std::thread::sleep(Duration::from_secs_f64(left_ms / 1e3));
    }
}
