//! Creates that are on disk before they are answered: 64 in flight, beside one by one.
//!
//! What is waiting while one transaction is being synced shares the next, so a client that does not wait for
//! answers has many creates on disk for one sync.

use std::io;

use super::World;
use crate::place::dormant;
use crate::requests::Requests;
use crate::servers::Server;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, median, times};

/// How many times as many creates are done with many in flight as one by one.
const TIMES_ONE_BY_ONE: f64 = 10.0;

/// An answer that grants holds the whole automation, a refusal is shorter.
const LEAST_ANSWER: usize = 500;

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let place = world.tools.place("creates")?;
    let mut client = Server::Sexton.open(world.tools, &place)?;
    let (many, few) = (dormant(world.effort.of(640, 2_560)), dormant(world.effort.of(100, 250)));
    let (mut in_flight, mut one_by_one) = (Rounds::default(), Rounds::default());
    // The first round makes the files of the ledger grow from nothing, and does not count.
    for round in 0..=world.effort.of(3, 15) {
        let grouped =
            Requests::of(&mut client, "automation/create", &many, LEAST_ANSWER).in_flight(&mut client)?;
        let single =
            Requests::of(&mut client, "automation/create", &few, LEAST_ANSWER).one_by_one(&mut client)?;
        if round > 0 {
            in_flight.push(grouped);
            one_by_one.push(single.per_second);
        }
    }
    client.finish()?;
    let ratio = in_flight.over(&one_by_one).median();
    table.row(Row {
        what: "durable creates, 64 in flight".to_owned(),
        ours: median(&in_flight, "/s"),
        peer: format!("sexton, one by one: {}", median(&one_by_one, "/s")),
        ratio: times(ratio),
        goal: goal("at least 10 ×", ratio >= TIMES_ONE_BY_ONE),
    });
    Ok(())
}
