//! A change in one window, told in 15 others.
//!
//! From the moment at which the request is written until each of the others has the event in its pipe; and from the
//! moment at which the changing window has its answer. Changes come one at a time.

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::World;
use super::windows::{WINDOWS, Windows};
use crate::broken;
use crate::clock::{ms_since, now};
use crate::framing::frame;
use crate::place::dormant;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, p50_and_p99};

/// The windows that are told.
const OTHERS: usize = WINDOWS - 1;

/// Between two changes, so that each finds every window asleep.
const GAP: Duration = Duration::from_millis(10);

/// Longer than a window takes that nobody wakes.
const PATIENCE: Duration = Duration::from_secs(15);

/// p99 in milliseconds.
const WITHIN_MS: f64 = 10.0;

/// When what was told of one change.
struct Told {
    written: Instant,
    answered: Instant,
    others: Vec<Instant>,
}

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let place = world.tools.place("propagation")?;
    let mut windows = Windows::open(world, &place)?;
    let id = create(&mut windows)?;
    windows.subscribe(&["automation.updated"])?;
    let (mut since_written, mut since_answered) = (Rounds::default(), Rounds::default());
    // Where news take seconds there are few of them.
    let (begin, enough) = (now(), world.effort.of(10_000.0, 60_000.0));
    for number in 0..world.effort.of(20, 500) {
        let told = change(&mut windows, &id, number)?;
        for at in told.others {
            since_written.push(between(told.written, at));
            since_answered.push(between(told.answered, at));
        }
        if ms_since(begin) > enough {
            break;
        }
        std::thread::sleep(GAP);
    }
    windows.finish()?;
    let changes = since_written.count() / OTHERS;
    let within = goal("p99 within 10 ms", since_written.quantile(0.99) <= WITHIN_MS);
    let rows = [("written", &since_written, within), ("answered", &since_answered, String::new())];
    for (from, rounds, goal) in rows {
        table.row(Row {
            what: format!("a change to {OTHERS} other windows, since it was {from} ({changes} changes)"),
            ours: p50_and_p99(rounds.quantile(0.5), rounds.quantile(0.99), "ms"),
            peer: String::new(),
            ratio: String::new(),
            goal,
        });
    }
    Ok(())
}

fn create(windows: &mut Windows) -> io::Result<Value> {
    let drafts = dormant(1);
    let draft = drafts.first().ok_or_else(|| broken("no draft"))?;
    Ok(windows.first().ask("automation/create", draft)?["id"].take())
}

/// Makes one change in the first window, and waits until all were told, that one as well: what it is told late would
/// otherwise be taken for news of the next change.
fn change(windows: &mut Windows, id: &Value, number: usize) -> io::Result<Told> {
    let title = format!("change {number}");
    let params = json!({"id": id, "patch": {"title": title}});
    let client = windows.first();
    let asked = client.next_id();
    let mut framed = Vec::new();
    let request = json!({"jsonrpc": "2.0", "id": asked, "method": "automation/update", "params": params});
    frame(&request.to_string(), &mut framed);
    let written = now();
    client.write(&framed)?;
    let (mut answered, mut told_itself, mut others) = (None, None, Vec::new());
    while answered.is_none() || told_itself.is_none() || others.len() < OTHERS {
        let heard = windows.listen(written + PATIENCE)?;
        if heard.is_empty() {
            return Err(broken(format!(
                "{} of {OTHERS} windows were told within {PATIENCE:?}",
                others.len()
            )));
        }
        for heard in heard {
            let told = heard.message["params"]["result"]["automation"]["title"] == title.as_str();
            if heard.message["id"] == asked {
                answered = Some(heard.at);
            } else if !told {
                return Err(broken(format!("{} instead of {title}", heard.message)));
            } else if heard.window == 0 {
                told_itself = Some(heard.at);
            } else {
                others.push(heard.at);
            }
        }
    }
    Ok(Told { written, answered: answered.unwrap_or(written), others })
}

/// Milliseconds from one instant to another, which may be the earlier one.
fn between(from: Instant, to: Instant) -> f64 {
    let ms = |span: Duration| span.as_secs_f64() * 1e3;
    ms(to.saturating_duration_since(from)) - ms(from.saturating_duration_since(to))
}
