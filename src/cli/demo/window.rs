//! A window of the demo: it says what it asks, and remembers what it was told.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::child::{Sidecar, now};
use super::Named;
use super::show::{shortened, show_event, text};

/// How long the demo waits for what it has asked for. Everything is due within four seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Window {
    name: &'static str,
    sidecar: Sidecar,
    instance: String,
    told: Vec<Value>,
}

impl Window {
    /// Spawns a sidecar, has it open the project, and says what it answers.
    pub(super) fn open(
        out: &mut impl Write,
        name: &'static str,
        state: &Path,
        params: &Value,
    ) -> io::Result<Window> {
        let sidecar = Sidecar::spawn(state)?;
        let mut window = Window { name, sidecar, instance: String::new(), told: Vec::new() };
        let opened = window.ask(out, "initialize", params)?;
        window.instance = text(&opened["instanceID"]).to_owned();
        let zones = &opened["timeZoneData"];
        writeln!(
            out,
            "       ledger {}, {name} rings the bell: {}, zone data {} ({})",
            text(&opened["ledgerID"]),
            opened["scheduler"]["owner"],
            text(&zones["version"]),
            text(&zones["source"]),
        )?;
        Ok(window)
    }

    pub(super) fn named(&self) -> Named {
        Named { name: self.name, instance: self.instance.clone() }
    }

    /// Follows everything that has happened in this ledger and that will.
    pub(super) fn follow_events(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.ask(out, "events/subscribe", &json!({"after": 0})).map(drop)
    }

    /// Asks, and shows what is asked and answered.
    pub(super) fn ask(&mut self, out: &mut impl Write, method: &str, params: &Value) -> io::Result<Value> {
        writeln!(out, "  {} -> {method} {}", self.name, shortened(&params.to_string()))?;
        let result = self.look(method, params)?;
        writeln!(out, "  {} <- {}", self.name, shortened(&result.to_string()))?;
        Ok(result)
    }

    /// Asks in silence.
    pub(super) fn look(&mut self, method: &str, params: &Value) -> io::Result<Value> {
        self.sidecar.ask(method, params)
    }

    /// Shows what it is told until this is so; false if that does not happen in time.
    pub(super) fn show_until(
        &mut self,
        out: &mut impl Write,
        began: Instant,
        names: &[Named],
        mut done: impl FnMut(&Window) -> bool,
    ) -> io::Result<bool> {
        let deadline = now() + PATIENCE;
        while !done(self) {
            let Some(event) = self.sidecar.next_event(deadline)? else { return Ok(false) };
            show_event(out, now() - began, &event, names)?;
            self.told.push(event);
        }
        Ok(true)
    }

    /// Listens until it was told as much as another window. False if it was told anything else.
    pub(super) fn hear_as_much_as(&mut self, other: &Window) -> io::Result<bool> {
        let deadline = now() + PATIENCE;
        while self.told.len() < other.told.len() {
            let Some(event) = self.sidecar.next_event(deadline)? else { return Ok(false) };
            self.told.push(event);
        }
        Ok(self.told == other.told)
    }

    /// How many runs have ended, as far as it was told, and what followed from it as well.
    pub(super) fn ended(&self) -> usize {
        let ended = self.told.iter().filter(|event| event["run"]["completedAt"].is_i64()).count();
        let last = self.told.iter().rev().find(|event| event["kind"] != "scheduler.owner");
        let followed = last.is_some_and(|event| event["kind"] == "automation.updated");
        if followed { ended } else { ended.saturating_sub(1) }
    }

    /// Whether a run that it was told of has not ended yet.
    pub(super) fn is_at_work(&self) -> bool {
        let runs =
            || self.told.iter().filter(|event| event["kind"] == "run.updated").map(|event| &event["run"]);
        let ended = |id: &Value| runs().any(|run| run["id"] == *id && run["completedAt"].is_i64());
        runs().any(|run| !ended(&run["id"]))
    }

    /// When the automation that it was told of last is due next, in milliseconds since 1970.
    pub(super) fn next_slot(&self) -> Option<i64> {
        let newest = self.told.iter().rev().find(|event| event["kind"] == "automation.updated");
        newest.and_then(|event| event["automation"]["state"]["nextFireAt"].as_i64())
    }

    /// Whether it was told that it is the one that rings.
    pub(super) fn owns_the_bell(&self) -> bool {
        let newest = self.told.iter().rev().find(|event| event["kind"] == "scheduler.owner");
        newest.is_some_and(|event| text(&event["scheduler"]["instanceID"]) == self.instance)
    }

    pub(super) fn kill(self) -> io::Result<()> {
        self.sidecar.kill()
    }

    pub(super) fn shut_down(self) -> io::Result<ExitStatus> {
        self.sidecar.shut_down()
    }
}
