//! A thousand timers that are due within one second.
//!
//! Ours is a sidecar with a real ledger: each timer is an automation on disk, ringing it is a run and its events on
//! disk, and a window is told afterwards. A peer calls a function in its own process; one of them has its jobs in a
//! file as well.

mod ringers;

use std::io;
use std::time::Duration;

use self::ringers::{Ringer, Rung, wait_until};
use super::World;
use crate::broken;
use crate::clock::{ms_since, now, wall_ms};
use crate::proc::Activity;
use crate::spread::{Rounds, quantile};
use crate::table::{Row, Table, number, times};

/// How many: with few samples, and as many as the figure is about.
const TIMERS: (usize, usize) = (100, 1_000);

/// When they are due within their second.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// All in its first moment, as everything is that is due at nine o'clock.
    AtOnce,
    /// One in each millisecond.
    Spread,
}

impl Way {
    const ALL: [Way; 2] = [Way::AtOnce, Way::Spread];

    fn due(self, second_ms: i64, timers: usize) -> Vec<i64> {
        let spacing = match self {
            Way::AtOnce => 0,
            Way::Spread => 1,
        };
        (0..timers as i64).map(|timer| second_ms + timer * spacing).collect()
    }
}

/// How long before the first one is due everybody has to know all, and is looked at.
const AHEAD_MS: f64 = 200.0;

/// Processor time is that of at least so long after the first one was due, so that slow ones are not ahead.
const SECOND_MS: f64 = 1_000.0;

/// Nobody is given longer to learn of all.
const MOST_LEAD_MS: f64 = 300_000.0;

/// What came of one way, a sample for each round.
#[derive(Default)]
struct Took {
    p50: Rounds,
    p99: Rounds,
    most: Rounds,
    recorded: Rounds,
    cpu_ms: Rounds,
    /// Those that rang, over all rounds.
    rang: usize,
    set: usize,
}

/// Somebody, and what it took.
struct Side {
    ringer: Box<dyn Ringer>,
    ways: [Took; Way::ALL.len()],
    /// How long ahead it is told, in milliseconds.
    lead_ms: f64,
}

/// What waiting costs.
struct Waiting {
    name: &'static str,
    cpu_ms: f64,
    wakes: f64,
}

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let (few, usual) = TIMERS;
    let timers = world.effort.of(few, usual);
    let waiting = wait(world, timers)?;
    let place = world.tools.place("timers")?;
    let side = |ringer| Side { ringer, ways: Default::default(), lead_ms: SECOND_MS };
    let mut sides: Vec<Side> = ringers::all(world, &place)?.into_iter().map(side).collect();
    let rounds = world.effort.of(1, 5);
    // The first round shows how long each takes to be told, and does not count.
    for round in 0..=rounds {
        eprintln!("  round {round} of {rounds}");
        for (place, way) in Way::ALL.into_iter().enumerate() {
            for side in &mut sides {
                if way == Way::AtOnce || side.ringer.knows_milliseconds() {
                    let (rung, cpu_ms) = side.ring(way, timers)?;
                    if round > 0 {
                        side.ways[place].take(rung, cpu_ms, timers);
                    }
                }
            }
        }
    }
    tell(table, &sides, &waiting, &number(timers as f64));
    Ok(())
}

/// What it costs to wait for timers that are due in a day.
fn wait(world: &World<'_>, timers: usize) -> io::Result<Vec<Waiting>> {
    const DAY_MS: i64 = 86_400_000;
    let place = world.tools.place("waiting")?;
    let mut ringers = ringers::all(world, &place)?;
    let second = (wall_ms() as i64 + DAY_MS) / 1000 * 1000;
    for ringer in &mut ringers {
        ringer.set(&Way::AtOnce.due(second, timers))?;
    }
    // What is done after setting them is no part of waiting.
    std::thread::sleep(world.effort.of(Duration::from_secs(2), Duration::from_secs(12)));
    let before = ringers.iter().map(|ringer| Activity::of(ringer.pid())).collect::<io::Result<Vec<_>>>()?;
    let since = now();
    std::thread::sleep(world.effort.of(Duration::from_secs(4), Duration::from_secs(20)));
    let seconds = ms_since(since) / 1e3;
    let each = ringers.iter().zip(before).map(|(ringer, before)| {
        let after = Activity::of(ringer.pid())?;
        Ok(Waiting {
            name: ringer.name(),
            cpu_ms: (after.cpu_ms - before.cpu_ms) / seconds,
            wakes: (after.wakes - before.wakes) / seconds,
        })
    });
    each.collect()
}

impl Side {
    /// Has all timers ring, and gives the processor time of that as well.
    fn ring(&mut self, way: Way, timers: usize) -> io::Result<(Rung, f64)> {
        loop {
            let second = ((wall_ms() + self.lead_ms + 2.0 * AHEAD_MS) / 1e3).ceil() * 1e3;
            let begin = now();
            self.ringer.set(&way.due(second as i64, timers))?;
            let took_ms = ms_since(begin);
            if wall_ms() > second - AHEAD_MS {
                // It was told too late. They ring nevertheless, and then it is given more time.
                self.ringer.rung(second)?;
                self.lead_ms = took_ms * 2.0;
                if self.lead_ms > MOST_LEAD_MS {
                    return Err(broken(format!("{} takes {took_ms} ms to be told", self.ringer.name())));
                }
                continue;
            }
            wait_until(second - AHEAD_MS / 2.0);
            let before = Activity::of(self.ringer.pid())?;
            let rung = self.ringer.rung(second)?;
            wait_until(second + SECOND_MS);
            let after = Activity::of(self.ringer.pid())?;
            return Ok((rung, after.cpu_ms - before.cpu_ms));
        }
    }
}

impl Took {
    fn take(&mut self, Rung { mut late_ms, mut recorded_ms }: Rung, cpu_ms: f64, timers: usize) {
        late_ms.sort_unstable_by(f64::total_cmp);
        recorded_ms.sort_unstable_by(f64::total_cmp);
        self.p50.push(quantile(&late_ms, 0.5));
        self.p99.push(quantile(&late_ms, 0.99));
        self.most.push(quantile(&late_ms, 1.0));
        self.recorded.push(quantile(&recorded_ms, 0.99));
        self.cpu_ms.push(cpu_ms);
        self.rang += late_ms.len();
        self.set += timers;
    }

    fn late(&self) -> String {
        let [p50, p99, most] = [&self.p50, &self.p99, &self.most].map(|rounds| number(rounds.median()));
        format!("p50 {p50} ms, p99 {p99} ms, most {most} ms")
    }

    /// How many never rang, if any did not.
    fn lost(&self) -> String {
        let part = 100.0 * (self.set - self.rang) as f64 / self.set as f64;
        if part > 0.0 { format!(", **{} % never rang**", number(part)) } else { String::new() }
    }
}

fn tell(table: &mut Table, sides: &[Side], waiting: &[Waiting], all: &str) {
    let Some((ours, peers)) = sides.split_first() else { return };
    let [took, _] = &ours.ways;
    for peer in peers {
        let [theirs, _] = &peer.ways;
        let ratio = |ours: &Rounds, theirs: &Rounds| times(ours.over(theirs).median());
        table.row(Row {
            what: format!("{all} timers at once: lateness"),
            ours: took.late(),
            peer: format!("{}: {}{}", peer.ringer.name(), theirs.late(), theirs.lost()),
            ratio: [(&took.p50, &theirs.p50), (&took.p99, &theirs.p99), (&took.most, &theirs.most)]
                .map(|(ours, theirs)| ratio(ours, theirs))
                .join(", "),
            goal: String::new(),
        });
    }
    for peer in peers {
        let [theirs, _] = &peer.ways;
        table.row(Row {
            what: format!("{all} timers at once: processor time, all told"),
            ours: format!("{} ms", number(took.cpu_ms.median())),
            peer: format!("{}: {} ms", peer.ringer.name(), number(theirs.cpu_ms.median())),
            ratio: times(took.cpu_ms.over(&theirs.cpu_ms).median()),
            goal: String::new(),
        });
    }
    let Some((ours, others)) = waiting.split_first() else { return };
    for peer in others {
        let cost = |one: &Waiting| format!("{} ms/s, {} wake-ups/s", number(one.cpu_ms), number(one.wakes));
        table.row(Row {
            what: format!("{all} timers that are due in a day: waiting"),
            ours: cost(ours),
            peer: format!("{}: {}", peer.name, cost(peer)),
            ratio: if peer.cpu_ms > 0.0 { times(ours.cpu_ms / peer.cpu_ms) } else { String::new() },
            goal: String::new(),
        });
    }
    table.detail(detail(sides, all));
}

/// Both ways, in a table of its own.
fn detail(sides: &[Side], all: &str) -> String {
    let mut text = format!(
        "{all} timers within one second, milliseconds late:\n\n| who | at once: p50 | p99 | most | processor time \
         | one each millisecond: p50 | p99 | most | processor time |\n|---|{}\n",
        "---|".repeat(8)
    );
    let cells = |took: &Took| {
        let each = [&took.p50, &took.p99, &took.most, &took.cpu_ms].map(|rounds| number(rounds.median()));
        if took.set == 0 { [""; 4].join(" | ") } else { each.join(" | ") }
    };
    for Side { ringer, ways: [at_once, spread], .. } in sides {
        text.push_str(&format!("| {} | {} | {} |\n", ringer.name(), cells(at_once), cells(spread)));
    }
    if let Some(Side { ways: [at_once, spread], .. }) = sides.first() {
        let recorded = |took: &Took| number(took.recorded.median());
        text.push_str(&format!(
            "| sexton, as recorded |  | {} |  |  |  | {} |  |  |\n",
            recorded(at_once),
            recorded(spread)
        ));
    }
    text
}
