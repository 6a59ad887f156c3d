//! Windows in ordinary use for long: nothing that they take grows, and the log of the ledger stays short, also while
//! somebody looks at the ledger for long.
//!
//! `SEXTON_SOAK=20m` goes on for so long, with 16 windows, and compares what is taken at its beginning with what is taken at
//! its end; without it only bounds are looked at, for some seconds. `SEXTON_SOAK_WINDOWS` chooses how many windows there
//! are.

mod everyday;
mod growth;
mod samples;

use std::time::Duration;

use serde_json::json;

use crate::chosen;
use crate::killed::all_gone;
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, clock, eventually, ledger};
use everyday::Everyday;
use growth::Judge;
use samples::Samples;

/// How long the short form goes on.
const SHORT: Duration = Duration::from_secs(10);

/// How often is looked, at most: often enough that the short form has some.
const LOOK: Duration = Duration::from_secs(1);

/// How many looks there are at most, which decides how often one is made in a long soak.
const LOOKS: u32 = 400;

/// How often somebody looks at the ledger for long.
const LONG_LOOKS: usize = 8;

#[test]
fn what_windows_take_does_not_grow() {
    let chosen = chosen::span("SEXTON_SOAK");
    let (judge, usual) = if chosen.is_some() { (Judge::Growth, 16) } else { (Judge::Bounds, 5) };
    let windows = usize::try_from(chosen::number("SEXTON_SOAK_WINDOWS", usual, 3..=64)).expect("a number");
    let lasts = chosen.unwrap_or(SHORT);
    println!("{windows} windows for {lasts:?}");
    let (place, began) = (Place::new(), clock());
    let mut everyday = Everyday::begin(&place, windows);
    let mut samples = Samples::of(&everyday);
    let every = LOOK.max(lasts / LOOKS);
    let mut looks = 0;
    while began.elapsed() < lasts {
        let next = clock() + every;
        // Somebody who looks for as long as this keeps the log from being begun anew.
        let long_look = (looks % LONG_LOOKS == LONG_LOOKS - 1).then(|| everyday.look_for_long());
        while clock() < next {
            everyday.go_on();
        }
        samples.take(began.elapsed(), &everyday, long_look.is_some());
        drop(long_look);
        looks += 1;
    }
    let summary = everyday.summary();
    everyday.end();
    all_gone(place.state().to_str().expect("a path"));

    println!("{summary}");
    let judged = growth::judged(&samples, judge);
    println!("{judged}");
    assert!(judged.faults.is_empty(), "{:#?}", judged.faults);
}

/// What the log of the ledger has at most when nobody reads in it: it is begun anew then, and cut.
const SHORT_LOG: u64 = 4 << 20;

#[test]
fn the_log_is_short_again_after_somebody_has_looked_for_long() {
    let place = Place::new();
    let mut windows = [0; 3].map(|_| place.open());
    let state = ledger::directory(&windows[0]);
    let size = || std::fs::metadata(state.join("ledger.db-wal")).expect("a log").len();
    let automation = windows[0].create(dormant("large", shell("true")));
    let mut number = 0;
    let mut write = || {
        number += 1;
        let task = with(shell("true"), "stdin", json!(format!("{number} {}", "x".repeat(60_000))));
        let edit = json!({"id": automation, "patch": {"task": task}});
        windows[number % 3].get("automation/update", edit);
    };
    let look = ledger::open(state.join("ledger.db"));
    look.execute_batch("BEGIN; SELECT count(*) FROM events").expect("a look");
    // What is looked at is in the way of beginning the log anew: it grows by what is written.
    while size() < 2 * SHORT_LOG {
        write();
    }
    drop(look);
    eventually("the log is begun anew, and cut", || {
        write();
        (size() <= SHORT_LOG).then_some(())
    });
    for _ in 0..100 {
        write();
        assert!(size() <= 2 * SHORT_LOG, "it grows although nobody looks for long: {}", size());
    }
    windows.into_iter().for_each(crate::support::client::Client::finish);
}
