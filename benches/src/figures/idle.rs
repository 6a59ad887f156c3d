//! What a server costs while nothing happens, and how much memory it has.
//!
//! Ours has an open ledger with automations that are due in a year; a peer has nothing to look after.

use std::io;
use std::time::{Duration, Instant};

use serde_json::json;

use super::World;
use super::windows::{WINDOWS, Windows};
use crate::client::Client;
use crate::clock::now;
use crate::place::dormant;
use crate::proc::{Activity, Memory};
use crate::requests::Requests;
use crate::servers::Server;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, number, times};

/// Automations in the ledger.
const AUTOMATIONS: usize = 1_000;

/// Requests before memory is looked at again.
const REQUESTS: usize = 10_000;

/// Milliseconds of processor time per second, less than.
const CPU_MS: f64 = 0.5;

/// MiB resident, less than.
const MEMORY_MIB: f64 = 15.0;

/// What one process has done per second, and what memory it had.
struct Idle {
    cpu_ms: f64,
    wakes: f64,
    memory: Memory,
}

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let place = world.tools.place("idle")?;
    let mut window = Server::Sexton.open(world.tools, &place)?;
    Requests::of(&mut window, "automation/create", &dormant(AUTOMATIONS), 500).in_flight(&mut window)?;
    // What creating has taken is no part of being idle.
    window.finish()?;

    let mut servers = Vec::new();
    for server in Server::all(world.tools) {
        servers.push((server, server.open(world.tools, &place)?));
    }
    let pids: Vec<u32> = servers.iter().map(|(_, client)| client.pid()).collect();
    let idle = watch(world, &pids)?;
    let served = serve(&mut servers)?;
    tell_alone(table, &servers, &idle, &served);
    servers.into_iter().try_for_each(|(_, client)| client.finish())?;

    let windows = Windows::open(world, &place)?;
    let pids: Vec<u32> = windows.pids().collect();
    tell_many(table, &watch(world, &pids)?);
    windows.finish()
}

/// Lets nothing happen, and sees what each process has done in that time.
fn watch(world: &World<'_>, pids: &[u32]) -> io::Result<Vec<Idle>> {
    // What opening leaves to be done later is done by then.
    std::thread::sleep(world.effort.of(Duration::from_secs(2), Duration::from_secs(12)));
    let look = |pid: &u32| Ok((now(), Activity::of(*pid)?));
    let before: Vec<(Instant, Activity)> = pids.iter().map(look).collect::<io::Result<_>>()?;
    std::thread::sleep(world.effort.of(Duration::from_secs(6), Duration::from_secs(30)));
    let each = pids.iter().zip(before).map(|(pid, (since, before))| {
        let after = Activity::of(*pid)?;
        let seconds = since.elapsed().as_secs_f64();
        let per_second = |before: f64, after: f64| (after - before) / seconds;
        Ok(Idle {
            cpu_ms: per_second(before.cpu_ms, after.cpu_ms),
            wakes: per_second(before.wakes, after.wakes),
            memory: Memory::of(*pid)?,
        })
    });
    each.collect()
}

/// Has every server answer requests, and gives the memory of each after that.
fn serve(servers: &mut [(Server, Client)]) -> io::Result<Vec<Memory>> {
    let Some((_, ours)) = servers.first_mut() else { return Ok(Vec::new()) };
    let id = ours.ask("automation/list", &json!({"limit": 1}))?["items"][0]["id"].take();
    let params = json!({"id": id});
    let result = ours.ask("automation/get", &params)?;
    let least = result.to_string().len();
    let mut served = Vec::new();
    for (server, client) in servers {
        if *server != Server::Sexton {
            client.notify("peer/answer", &json!({"method": "automation/get", "result": result}))?;
        }
        let many = std::iter::repeat_n(&params, REQUESTS);
        Requests::of(client, "automation/get", many, least).in_flight(client)?;
        served.push(Memory::of(client.pid())?);
    }
    Ok(served)
}

/// Something that idleness costs every server.
struct Cost<'a> {
    what: &'a str,
    unit: &'a str,
    /// What each pays, ours first.
    each: Vec<f64>,
    /// What ours may pay, in words and as a number.
    limit: Option<(&'a str, f64)>,
}

fn tell_alone(table: &mut Table, servers: &[(Server, Client)], idle: &[Idle], served: &[Memory]) {
    let each = |of: fn(&Idle) -> f64| idle.iter().map(of).collect();
    let little_memory = Some(("under 15 MiB", MEMORY_MIB));
    let costs = [
        Cost {
            what: "idle, one window: processor time",
            unit: "ms/s",
            each: each(|idle| idle.cpu_ms),
            limit: Some(("under 0.5 ms/s", CPU_MS)),
        },
        Cost { what: "idle, one window: wake-ups", unit: "/s", each: each(|idle| idle.wakes), limit: None },
        Cost {
            what: "memory after opening",
            unit: "MiB",
            each: each(|idle| idle.memory.resident),
            limit: little_memory,
        },
        Cost {
            what: &format!("memory after {} requests", number(REQUESTS as f64)),
            unit: "MiB",
            each: served.iter().map(|memory| memory.resident).collect(),
            limit: little_memory,
        },
    ];
    for Cost { what, unit, each, limit } in costs {
        let Some((ours, peers)) = each.split_first() else { continue };
        for ((server, _), theirs) in servers.iter().skip(1).zip(peers) {
            table.row(Row {
                what: what.to_owned(),
                ours: format!("{} {unit}", number(*ours)),
                peer: format!("{}: {} {unit}", server.name(), number(*theirs)),
                ratio: if *theirs > 0.0 { times(ours / theirs) } else { String::new() },
                goal: limit.map_or_else(String::new, |(text, limit)| goal(text, *ours < limit)),
            });
        }
    }
}

/// The costliest of many windows is what counts, and what all of them need together.
fn tell_many(table: &mut Table, idle: &[Idle]) {
    let most = |of: fn(&Idle) -> f64| {
        let mut each = Rounds::default();
        idle.iter().for_each(|idle| each.push(of(idle)));
        each.most()
    };
    let cpu_ms = most(|idle| idle.cpu_ms);
    let share: f64 = idle.iter().map(|idle| idle.memory.share).sum();
    let rows = [
        (
            "processor time of the busiest",
            format!("{} ms/s", number(cpu_ms)),
            goal("under 0.5 ms/s", cpu_ms < CPU_MS),
        ),
        ("wake-ups of the busiest", format!("{} /s", number(most(|idle| idle.wakes))), String::new()),
        ("memory of all, shared pages counted once", format!("{} MiB", number(share)), String::new()),
    ];
    for (what, ours, goal) in rows {
        let what = format!("idle, {WINDOWS} windows: {what}");
        table.row(Row { what, ours, peer: String::new(), ratio: String::new(), goal });
    }
}
