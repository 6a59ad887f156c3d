//! Requests with 64 in flight and one by one.
//!
//! Every server is sent the same bytes by the same client and answers with an equal object. Ours reads it from the
//! ledger (`automation/get`) or computes it (`automation/preview`); a peer has it in memory and only has to write
//! it down.

use std::io;

use serde_json::{Value, json};

use super::World;
use crate::broken;
use crate::client::Client;
use crate::place::dormant;
use crate::requests::Requests;
use crate::servers::Server;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, median, number, p50_and_p99, times};

/// How many times as many requests as the peer on `lsp-server` ours answers, with many in flight.
const TIMES_LSP_SERVER: f64 = 3.0;

/// A server that is asked, and how it did.
struct Asked {
    server: Server,
    client: Client,
    in_flight: Rounds,
    p50: Rounds,
    p99: Rounds,
}

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let place = world.tools.place("requests")?;
    let mut servers = Vec::new();
    for server in Server::all(world.tools) {
        servers.push((server, server.open(world.tools, &place)?));
    }
    let Some((_, ours)) = servers.first_mut() else { return Ok(()) };
    let mut id = Value::Null;
    for draft in dormant(100) {
        id = ours.ask("automation/create", &draft)?["id"].take();
    }
    let rhythm = json!({"kind": "cron", "expression": "0 9 * * 1-5"});
    let preview = json!({"rhythm": rhythm, "timezone": "America/New_York", "after": 1_767_225_600_000_i64});
    for (method, params) in [("automation/get", json!({"id": id})), ("automation/preview", preview)] {
        let asked = ask(world, &mut servers, method, &params)?;
        tell(&asked, method, table);
        servers = asked.into_iter().map(|asked| (asked.server, asked.client)).collect();
    }
    servers.into_iter().try_for_each(|(_, client)| client.finish())
}

fn ask(
    world: &World<'_>,
    servers: &mut Vec<(Server, Client)>,
    method: &str,
    params: &Value,
) -> io::Result<Vec<Asked>> {
    let Some((_, ours)) = servers.first_mut() else { return Ok(Vec::new()) };
    let result = ours.ask(method, params)?;
    let least = result.to_string().len();
    let mut all: Vec<Asked> = Vec::new();
    for (server, mut client) in servers.drain(..) {
        if server != Server::Sexton {
            client.notify("peer/answer", &json!({"method": method, "result": result}))?;
        }
        let answer = client.ask(method, params)?;
        if answer != result {
            return Err(broken(format!("{} answers {answer} instead of {result}", server.name())));
        }
        let (in_flight, p50, p99) = (Rounds::default(), Rounds::default(), Rounds::default());
        all.push(Asked { server, client, in_flight, p50, p99 });
    }
    // The first round warms up what compiles while it runs, and does not count.
    for round in 0..=world.effort.of(3, 15) {
        for asked in &mut all {
            let client = &mut asked.client;
            let many = std::iter::repeat_n(params, world.effort.of(5_000, 20_000));
            let many = Requests::of(client, method, many, least).in_flight(client)?;
            let few = std::iter::repeat_n(params, world.effort.of(500, 2_000));
            let few = Requests::of(client, method, few, least).one_by_one(client)?;
            if round > 0 {
                asked.in_flight.push(many);
                asked.p50.push(few.p50 * 1e3);
                asked.p99.push(few.p99 * 1e3);
            }
        }
    }
    Ok(all)
}

fn tell(asked: &[Asked], method: &str, table: &mut Table) {
    let Some((ours, peers)) = asked.split_first() else { return };
    for theirs in peers {
        let ratio = ours.in_flight.over(&theirs.in_flight).median();
        table.row(Row {
            what: format!("`{method}`, 64 in flight"),
            ours: median(&ours.in_flight, "/s"),
            peer: format!("{}: {}", theirs.server.name(), median(&theirs.in_flight, "/s")),
            ratio: times(ratio),
            goal: match theirs.server {
                Server::LspCrate => goal("at least 3 ×", ratio >= TIMES_LSP_SERVER),
                Server::Node | Server::Sexton => String::new(),
            },
        });
    }
    for theirs in peers {
        let one_by_one = |asked: &Asked| p50_and_p99(asked.p50.median(), asked.p99.median(), "µs");
        let [p50, p99] =
            [ours.p50.over(&theirs.p50), ours.p99.over(&theirs.p99)].map(|ratio| number(ratio.median()));
        table.row(Row {
            what: format!("`{method}`, one by one"),
            ours: one_by_one(ours),
            peer: format!("{}: {}", theirs.server.name(), one_by_one(theirs)),
            ratio: format!("{p50} ×, {p99} ×"),
            goal: String::new(),
        });
    }
}
