//! What will happen in a quarter of a year, foretold.
//!
//! Twenty automations are due each hour, all at once, so that they queue for the directory: 43,200 runs of a minute each.

use std::io;

use serde_json::{Value, json};

use super::World;
use crate::broken;
use crate::clock::{ms_since, now, wall_ms};
use crate::servers::Server;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, median};

const AUTOMATIONS: usize = 20;

/// Ninety days, in milliseconds.
const SPAN_MS: i64 = 90 * 86_400_000;

/// It takes less than this, in milliseconds.
const MOST_MS: f64 = 1000.0;

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let place = world.tools.place("foretold")?;
    let mut window = Server::Sexton.open(world.tools, &place)?;
    for number in 0..AUTOMATIONS {
        let rhythm = json!({"kind": "cron", "expression": "0 * * * *"});
        let draft = json!({
            "title": format!("Look around, part {number}"), "kind": "recurring", "rhythm": rhythm,
            "timezone": "Europe/Berlin", "task": {"kind": "command", "program": "make", "args": ["report"]},
        });
        window.ask("automation/create", &draft)?;
    }
    let mut took = Rounds::default();
    // The first round finds nothing in memory, and does not count.
    for round in 0..=world.effort.of(3, 15) {
        let from = wall_ms() as i64;
        let span = json!({"from": from, "to": from + SPAN_MS});
        let begin = now();
        let told = window.ask("automation/simulate", &span)?;
        let ms = ms_since(begin);
        check(&told)?;
        if round > 0 {
            took.push(ms);
        }
    }
    window.finish()?;
    table.row(Row {
        what: "90 days of 20 hourly automations foretold".to_owned(),
        ours: median(&took, "ms"),
        peer: String::new(),
        ratio: String::new(),
        goal: goal("less than a second", took.median() < MOST_MS),
    });
    Ok(())
}

/// All of it must have been foretold: one more or less, because an hour may be over while this goes on.
fn check(told: &Value) -> io::Result<()> {
    let outcomes = told["totals"]["outcomes"].as_object().into_iter().flatten();
    let fires: u64 = outcomes.filter_map(|(_, count)| count.as_u64()).sum();
    match fires.abs_diff(43_200) <= 2 * AUTOMATIONS as u64 {
        true => Ok(()),
        false => Err(broken(format!("{fires} slots were foretold"))),
    }
}
