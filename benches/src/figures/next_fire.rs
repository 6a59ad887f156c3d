//! The next fire of cron expressions in New York.
//!
//! Everybody is asked for the same expressions after the same instants, and has read expressions and instants
//! before. What they answer is compared: where rules differ, around clock changes, some answers may; who is wrong
//! more often than that is not worth timing, and is said to be.

mod tellers;

use std::io;

use sexton::domain::time::Timestamp;

use super::World;
use crate::spread::Rounds;
use crate::table::{Row, Table, goal, number};

/// What people write, from often to hardly ever. Weekdays have names, since their numbers differ.
const EXPRESSIONS: [&str; 7] =
    ["* * * * *", "*/5 * * * *", "0 9 * * MON-FRI", "30 2 * * *", "0 0 1 * *", "15 10 * * SUN", "0 0 29 2 *"];

/// Of 1000 answers, so many have to be ours for a peer to count.
const AGREEMENT: f64 = 0.99;

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let instants = instants(world.effort.of(200, 2_000));
    let mut tellers = tellers::all(world, &EXPRESSIONS, &instants)?;
    let fires = tellers.iter_mut().map(|teller| teller.fires()).collect::<io::Result<Vec<_>>>()?;
    let mut took = vec![vec![Rounds::default(); EXPRESSIONS.len()]; tellers.len()];
    // The first round warms up, and does not count.
    for round in 0..=world.effort.of(3, 15) {
        for (teller, took) in tellers.iter_mut().zip(&mut took) {
            let nanos = teller.round()?;
            if round > 0 {
                took.iter_mut().zip(nanos).for_each(|(took, nanos)| took.push(nanos));
            }
        }
    }
    let names: Vec<&str> = tellers.iter().map(|teller| teller.name()).collect();
    let agree: Vec<f64> = fires.iter().map(|theirs| agreement(&fires[0], theirs)).collect();
    for index in 1..names.len() {
        table.row(row(names[index], &took[0], &took[index], agree[index]));
    }
    table.detail(detail(&names, &took, &agree));
    Ok(())
}

/// Instants of one year, the same in every run, in no order.
fn instants(count: usize) -> Vec<Timestamp> {
    /// The first moment of 2026, and the length of that year, in milliseconds.
    const FROM: i64 = 1_767_225_600_000;
    const YEAR: i64 = 365 * 86_400_000;
    // A step that is prime to the year's length meets each part of it equally often.
    const STEP: i64 = 19_492_836_371;
    (0..count as i64).map(|index| Timestamp::from_millis(FROM + index * STEP % YEAR)).collect()
}

/// The part of the answers that are equal.
fn agreement(ours: &[Vec<Option<i64>>], theirs: &[Vec<Option<i64>>]) -> f64 {
    let pairs = ours.iter().flatten().zip(theirs.iter().flatten());
    let (mut equal, mut all) = (0.0, 0.0);
    for (ours, theirs) in pairs {
        all += 1.0;
        equal += if ours == theirs { 1.0 } else { 0.0 };
    }
    equal / all
}

fn row(name: &str, ours: &[Rounds], theirs: &[Rounds], agreement: f64) -> Row {
    let range = |medians: &[Rounds]| {
        let mut all = Rounds::default();
        medians.iter().for_each(|rounds| all.push(rounds.median()));
        format!("{} to {} ns", number(all.least()), number(all.most()))
    };
    let mut ratios = Rounds::default();
    ours.iter().zip(theirs).for_each(|(ours, theirs)| ratios.push(ours.over(theirs).median()));
    let disagrees = if agreement < AGREEMENT { ", **often another answer**" } else { "" };
    Row {
        what: format!("next fire, New York, {} expressions", EXPRESSIONS.len()),
        ours: range(ours),
        peer: format!("{name}: {}{disagrees}", range(theirs)),
        ratio: format!("{} to {} ×", number(ratios.least()), number(ratios.most())),
        goal: goal("ahead for each", ratios.most() < 1.0),
    }
}

/// What each expression took, in a table of its own.
fn detail(names: &[&str], took: &[Vec<Rounds>], agree: &[f64]) -> String {
    let mut text = format!(
        "Next fire, nanoseconds per call:\n\n| expression | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for (index, expression) in EXPRESSIONS.iter().enumerate() {
        let each: Vec<String> = took.iter().map(|took| number(took[index].median())).collect();
        text.push_str(&format!("| `{expression}` | {} |\n", each.join(" | ")));
    }
    let each: Vec<String> = agree.iter().map(|part| format!("{:.2} %", part * 100.0)).collect();
    text.push_str(&format!("| the same answers as sexton | {} |\n", each.join(" | ")));
    text
}
