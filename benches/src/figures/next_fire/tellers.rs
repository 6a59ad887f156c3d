//! Those who tell next fires: ours and two crates in this process, and scripts for Node and Python.

use std::hint::black_box;
use std::io;
use std::process::Command;
use std::str::FromStr;

use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use serde_json::{Value, json};
use sexton::domain::schedule::cron::Cron;
use sexton::domain::schedule::zone::Zone;
use sexton::domain::time::Timestamp;

use crate::broken;
use crate::clock::{ms_since, now};
use crate::figures::World;
use crate::script::Script;

const ZONE: &str = "America/New_York";

/// Somebody who tells next fires.
pub(super) trait Teller {
    fn name(&self) -> &'static str;

    /// The next fire after each instant, for each expression, in milliseconds.
    fn fires(&mut self) -> io::Result<Vec<Vec<Option<i64>>>>;

    /// Nanoseconds per call, for each expression.
    fn round(&mut self) -> io::Result<Vec<f64>>;
}

/// All that this machine can run, ours first.
pub(super) fn all(
    world: &World<'_>,
    expressions: &[&str],
    instants: &[Timestamp],
) -> io::Result<Vec<Box<dyn Teller>>> {
    let mut tellers: Vec<Box<dyn Teller>> = vec![
        Box::new(ours(expressions, instants)?),
        Box::new(cron_crate(expressions, instants)?),
        Box::new(croner_crate(expressions, instants)?),
    ];
    let mut script = |name, command: &mut Command| -> io::Result<()> {
        tellers.push(Box::new(Timed::spawn(name, command, expressions, instants)?));
        Ok(())
    };
    if let Some(node) = world.tools.node() {
        script("`croner` (npm)", Command::new("node").arg(node.join("next_fire.js")))?;
    }
    if let Some(python) = world.tools.python() {
        script("`croniter` (PyPI)", Command::new(python).arg(world.tools.python_script("next_fire.py")))?;
    }
    Ok(tellers)
}

/// A library that is called directly.
struct InProcess<C, I, F> {
    name: &'static str,
    crons: Vec<C>,
    instants: Vec<I>,
    /// The next fire of an expression after an instant, in milliseconds.
    next: F,
}

fn ours(expressions: &[&str], instants: &[Timestamp]) -> io::Result<impl Teller + use<>> {
    let zone = Zone::named(ZONE).map_err(io::Error::other)?;
    Ok(InProcess {
        name: "sexton",
        crons: read(expressions, Cron::parse)?,
        instants: instants.to_vec(),
        next: move |cron: &Cron, after: &Timestamp| cron.next_after(&zone, *after).map(Timestamp::as_millis),
    })
}

/// The `cron` crate, whose expressions begin with seconds.
fn cron_crate(expressions: &[&str], instants: &[Timestamp]) -> io::Result<impl Teller + use<>> {
    Ok(InProcess {
        name: "`cron` (Rust)",
        crons: read(expressions, |expression| cron::Schedule::from_str(&format!("0 {expression}")))?,
        instants: in_zone(instants)?,
        next: |schedule: &cron::Schedule, after: &DateTime<Tz>| {
            schedule.after(after).next().map(|fire| fire.timestamp_millis())
        },
    })
}

/// The `croner` crate.
fn croner_crate(expressions: &[&str], instants: &[Timestamp]) -> io::Result<impl Teller + use<>> {
    Ok(InProcess {
        name: "`croner` (Rust)",
        crons: read(expressions, croner::Cron::from_str)?,
        instants: in_zone(instants)?,
        next: |cron: &croner::Cron, after: &DateTime<Tz>| {
            cron.find_next_occurrence(after, false).ok().map(|fire| fire.timestamp_millis())
        },
    })
}

fn read<C, E>(expressions: &[&str], read: impl Fn(&str) -> Result<C, E>) -> io::Result<Vec<C>>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    expressions.iter().map(|expression| read(expression).map_err(io::Error::other)).collect()
}

/// Instants as the two other crates take them.
fn in_zone(instants: &[Timestamp]) -> io::Result<Vec<DateTime<Tz>>> {
    let zone = Tz::from_str(ZONE).map_err(io::Error::other)?;
    let one = |instant: &Timestamp| zone.timestamp_millis_opt(instant.as_millis()).single();
    instants
        .iter()
        .map(one)
        .collect::<Option<_>>()
        .ok_or_else(|| broken("an instant that chrono does not know"))
}

impl<C, I, F: Fn(&C, &I) -> Option<i64>> Teller for InProcess<C, I, F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fires(&mut self) -> io::Result<Vec<Vec<Option<i64>>>> {
        let all = |cron| self.instants.iter().map(|after| (self.next)(cron, after)).collect();
        Ok(self.crons.iter().map(all).collect())
    }

    fn round(&mut self) -> io::Result<Vec<f64>> {
        let one = |cron: &C| {
            let begin = now();
            for after in &self.instants {
                black_box((self.next)(black_box(cron), black_box(after)));
            }
            ms_since(begin) * 1e6 / self.instants.len() as f64
        };
        Ok(self.crons.iter().map(one).collect())
    }
}

/// A script that times itself: it is told what to do, and then, line by line, to do a round.
struct Timed {
    name: &'static str,
    script: Script,
    asked: Value,
}

impl Timed {
    fn spawn(
        name: &'static str,
        command: &mut Command,
        expressions: &[&str],
        instants: &[Timestamp],
    ) -> io::Result<Timed> {
        let script = Script::spawn(name, command)?;
        let instants: Vec<i64> = instants.iter().map(|instant| instant.as_millis()).collect();
        let asked = json!({"zone": ZONE, "expressions": expressions, "instantsMs": instants});
        Ok(Timed { name, script, asked })
    }
}

impl Teller for Timed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fires(&mut self) -> io::Result<Vec<Vec<Option<i64>>>> {
        self.script.ask(&self.asked)
    }

    fn round(&mut self) -> io::Result<Vec<f64>> {
        self.script.ask(&"again")
    }
}
