//! From spawn to `initialize` answered.
//!
//! Ours opens a ledger that is there already, with automations in it, takes the bell and settles the dead; a peer
//! answers from memory. In each round every server is spawned once, one after the other.

use std::io;

use super::World;
use crate::clock::{ms_since, now};
use crate::place::dormant;
use crate::servers::Server;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, median, times};

/// Automations in the ledger that is opened.
const AUTOMATIONS: usize = 100;

/// Ours takes at most this part of what Node takes.
const PART_OF_NODE: f64 = 0.1;

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let place = world.tools.place("start")?;
    let mut window = Server::Sexton.open(world.tools, &place)?;
    for draft in dormant(AUTOMATIONS) {
        window.ask("automation/create", &draft)?;
    }
    window.finish()?;

    let mut servers: Vec<(Server, Rounds)> =
        Server::all(world.tools).into_iter().map(|server| (server, Rounds::default())).collect();
    // The first round finds no file in the memory of the system, and does not count.
    for round in 0..=world.effort.of(3, 50) {
        for (server, took) in &mut servers {
            let begin = now();
            let client = server.open(world.tools, &place)?;
            let ms = ms_since(begin);
            client.finish()?;
            if round > 0 {
                took.push(ms);
            }
        }
    }
    let Some(((_, ours), peers)) = servers.split_first() else { return Ok(()) };
    for (server, theirs) in peers {
        let ratio = ours.over(theirs).median();
        table.row(Row {
            what: "spawn to `initialize` answered".to_owned(),
            ours: median(ours, "ms"),
            peer: format!("{}: {}", server.name(), median(theirs, "ms")),
            ratio: times(ratio),
            goal: match server {
                Server::Node => goal("at most a tenth", ratio <= PART_OF_NODE),
                Server::Sexton | Server::LspCrate => String::new(),
            },
        });
    }
    Ok(())
}
