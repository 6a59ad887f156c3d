//! Every slot of every epoch has exactly one answer, from the beginning of the ledger on: a run, or a place in the
//! account of a day.
//!
//! Ranges of slots follow each other without gaps, and a range belongs to the day of its last slot. So a day answers
//! for one stretch of slots, whichever of its runs have been pruned: one ordered scan over days proves them all.

use std::collections::BTreeMap;

use rusqlite::Connection;
use sexton::domain::automation::{Definition, When};
use sexton::domain::schedule::rhythm::{Schedule, Stop};
use sexton::domain::time::Timestamp;

use crate::audit::{Answered, WALKED_SLOTS};

const DAY_MS: i64 = 86_400_000;

/// What answers for slots on one day.
#[derive(Default)]
struct Day {
    /// Slots that runs answer for which are still there: first, last, how many.
    kept: Vec<(i64, i64, i64)>,
    /// The same of those that have been pruned, by outcome.
    folded: Vec<(i64, i64, i64)>,
}

/// Walks through all epochs, and gives for each, by its automation's row and its number, how far it is answered for.
pub(crate) fn check_answers(connection: &Connection) -> BTreeMap<(i64, i64), Answered> {
    let sql = "SELECT e.automation, e.number, e.effective_at, d.body, e.answered_through, e.ended_at, e.number = a.epoch
               FROM epochs e JOIN definitions d ON d.row = e.definition JOIN automations a ON a.row = e.automation
               ORDER BY e.automation, e.number";
    let mut statement = connection.prepare_cached(sql).unwrap();
    let mut epochs = statement.query([]).unwrap();
    let mut answered = BTreeMap::new();
    while let Some(epoch) = epochs.next().unwrap() {
        let (automation, number, effective_at, body): (i64, i64, i64, String) =
            (epoch.get(0).unwrap(), epoch.get(1).unwrap(), epoch.get(2).unwrap(), epoch.get(3).unwrap());
        let definition: Definition = serde_json::from_str(&body).unwrap();
        let schedule = definition.schedule().unwrap();
        let begin = Timestamp::from_millis(effective_at);
        let through =
            days(connection, automation, number).into_iter().fold(begin, |through, (day, found)| {
                let what = format!("day {day} of epoch {number} of automation row {automation}");
                check_day(&schedule, begin, through, found, &what)
            });
        if !epoch.get::<_, bool>(6).unwrap() {
            let instant = |column: usize| Timestamp::from_millis(epoch.get(column).unwrap());
            let what = format!("epoch {number} of automation row {automation}");
            assert_eq!(through, instant(4), "the watermark of {what}");
            check_end(&definition, begin, through, instant(5), &what);
        }
        let sql = "SELECT coalesce(max(row), 0) FROM runs WHERE automation = ?1 AND slots_to IS NOT NULL";
        let run = connection.query_row(sql, [automation], |row| row.get(0)).unwrap();
        answered.insert((automation, number), Answered { through, run });
    }
    answered
}

/// Whatever ended an epoch has settled its slots first, by the definition that it had.
fn check_end(
    definition: &Definition,
    effective_at: Timestamp,
    through: Timestamp,
    ended_at: Timestamp,
    what: &str,
) {
    // When its count is reached, nothing is missed any more.
    let counts = matches!(definition.when, When::Recurring { stop: Stop::Count(_), .. });
    let open = definition.schedule().unwrap().next_after(effective_at, through);
    assert!(counts || open.is_none_or(|open| open > ended_at), "a slot of {what} was left open");
}

fn days(connection: &Connection, automation: i64, epoch: i64) -> BTreeMap<i64, Day> {
    let mut days = BTreeMap::<i64, Day>::new();
    let runs = "SELECT slots_to / 86400000, slots_from, slots_to, slots_count FROM runs
                WHERE automation = ?1 AND epoch = ?2 AND slots_to IS NOT NULL";
    for (day, answer) in answers(connection, runs, automation, epoch) {
        days.entry(day).or_default().kept.push(answer);
    }
    let accounts = "SELECT day, slots_from, slots_to, slots FROM accounts
                    WHERE automation = ?1 AND epoch = ?2 AND slots > 0";
    for (day, answer) in answers(connection, accounts, automation, epoch) {
        days.entry(day).or_default().folded.push(answer);
    }
    days
}

fn answers(connection: &Connection, sql: &str, automation: i64, epoch: i64) -> Vec<(i64, (i64, i64, i64))> {
    let mut statement = connection.prepare_cached(sql).unwrap();
    let answers = statement
        .query_map([automation, epoch], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?))));
    answers.unwrap().map(Result::unwrap).collect()
}

/// The answers of a day are together one stretch, directly after what was answered before. Gives its end.
fn check_day(
    schedule: &Schedule,
    effective_at: Timestamp,
    through: Timestamp,
    mut day: Day,
    what: &str,
) -> Timestamp {
    let next = |after| schedule.next_after(effective_at, after);
    let what = format!("{what}, answered through {through}");
    day.kept.sort_unstable();
    assert!(
        day.kept.windows(2).all(|pair| pair[0].1 < pair[1].0),
        "two runs answer for the same slot: {what}"
    );
    let all: Vec<_> = day.kept.iter().chain(&day.folded).copied().collect();
    let from = all.iter().map(|(from, _, _)| *from).min().unwrap();
    let to = all.iter().map(|(_, to, _)| *to).max().unwrap();
    let count: i64 = all.iter().map(|(_, _, count)| count).sum();
    assert_eq!(next(through), Some(Timestamp::from_millis(from)), "a gap or an overlap before {what}");
    if count.unsigned_abs() < WALKED_SLOTS {
        let slots = std::iter::successors(next(through), |slot| next(*slot));
        let slots: Vec<i64> = slots.map(Timestamp::as_millis).take_while(|slot| *slot <= to).collect();
        assert_eq!(i64::try_from(slots.len()).unwrap(), count, "how many slots {from}..={to} of {what}");
        assert_eq!(slots.last(), Some(&to), "the last of {what}");
    }
    for (from, to, count) in day.folded {
        assert!(from <= to && count >= 1 && (count > 1) == (from < to), "{from}..={to} x{count} of {what}");
    }
    assert!(all.iter().all(|(_, end, _)| end / DAY_MS == to / DAY_MS), "an answer of another day: {what}");
    Timestamp::from_millis(to)
}
