//! The memory of a sidecar in a ledger without automations, and in one with very many.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use super::World;
use super::windows::{WINDOWS, Windows};
use crate::place::{Place, dormant};
use crate::proc::Memory;
use crate::requests::Requests;
use crate::servers::Server;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, median, number, times};
use crate::{broken, client::Client};

/// Automations in the ledger that is compared with an empty one: few, and as many as the figure is about.
const AUTOMATIONS: (usize, usize) = (2_000, 100_000);

/// As many as one page may have.
const PAGE: usize = 500;

/// MiB resident, less than.
const MEMORY_MIB: f64 = 15.0;

/// What was found in one ledger, in MiB.
#[derive(Default)]
struct Found {
    /// When it has opened, and nobody has asked for anything.
    opened: OneWindow,
    /// When it has told all automations, page by page.
    listed: OneWindow,
    /// The sum of the shares of many windows.
    many: Rounds,
}

#[derive(Default)]
struct OneWindow {
    resident: Rounds,
    own: Rounds,
}

impl OneWindow {
    fn look(&mut self, world: &World<'_>, window: &Client) -> io::Result<()> {
        rest(world);
        let memory = Memory::of(window.pid())?;
        self.resident.push(memory.resident);
        self.own.push(memory.own);
        Ok(())
    }
}

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let (few, many) = AUTOMATIONS;
    let automations = world.effort.of(few, many);
    let (empty, full) = (world.tools.place("memory-empty")?, world.tools.place("memory-full")?);
    let mut window = Server::Sexton.open(world.tools, &full)?;
    Requests::of(&mut window, "automation/create", &dormant(automations), 500).in_flight(&mut window)?;
    // What creating has taken is no part of being at rest.
    window.finish()?;

    let mut found = [(&empty, 0, Found::default()), (&full, automations, Found::default())];
    for _ in 0..world.effort.of(1, 2) {
        for (place, automations, found) in &mut found {
            look(world, place, *automations, found)?;
        }
    }
    let [(_, _, beside), (_, _, found)] = &found;
    let all = number(automations as f64);
    let limit = |found: &OneWindow| goal("under 15 MiB", found.resident.median() < MEMORY_MIB);
    let shared = format!("{WINDOWS} windows, shared pages counted once");
    let rows = [
        ("one window, opened", &found.opened.resident, &beside.opened.resident, limit(&found.opened)),
        ("one window, opened: of its own", &found.opened.own, &beside.opened.own, String::new()),
        ("one window, all listed", &found.listed.resident, &beside.listed.resident, limit(&found.listed)),
        ("one window, all listed: of its own", &found.listed.own, &beside.listed.own, String::new()),
        (&shared, &found.many, &beside.many, String::new()),
    ];
    for (what, ours, beside, goal) in rows {
        table.row(Row {
            what: format!("memory with {all} automations: {what}"),
            ours: median(ours, "MiB"),
            peer: format!("sexton, with none: {}", median(beside, "MiB")),
            ratio: times(ours.over(beside).median()),
            goal,
        });
    }
    Ok(())
}

fn look(world: &World<'_>, place: &Place, automations: usize, found: &mut Found) -> io::Result<()> {
    let mut window = Server::Sexton.open(world.tools, place)?;
    found.opened.look(world, &window)?;
    list(&mut window, automations)?;
    found.listed.look(world, &window)?;
    window.finish()?;

    let windows = Windows::open(world, place)?;
    rest(world);
    let shares = windows.pids().map(|pid| Ok(Memory::of(pid)?.share)).collect::<io::Result<Vec<f64>>>()?;
    found.many.push(shares.iter().sum());
    windows.finish()
}

/// What is left to be done later is done by then: a look of the loop comes every five seconds.
fn rest(world: &World<'_>) {
    std::thread::sleep(world.effort.of(Duration::from_secs(1), Duration::from_secs(6)));
}

fn list(window: &mut Client, automations: usize) -> io::Result<()> {
    let (mut listed, mut cursor) = (0, Value::Null);
    loop {
        let mut params = json!({"limit": PAGE});
        if cursor != Value::Null {
            params["cursor"] = cursor;
        }
        let mut page = window.ask("automation/list", &params)?;
        listed += page["items"].as_array().map_or(0, Vec::len);
        cursor = page["nextCursor"].take();
        if cursor == Value::Null {
            break;
        }
    }
    match listed == automations {
        true => Ok(()),
        false => Err(broken(format!("{listed} automations were listed instead of {automations}"))),
    }
}
