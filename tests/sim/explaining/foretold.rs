//! What is told of a time that is to come, of each thing that may become of it.

use serde_json::json;
use sexton::domain::run::WaitingFor;
use sexton::domain::run::machine::StopReason;
use sexton::domain::simulation::{Fire, Reason};
use sexton::domain::verdict::Verdict;
use sexton::engine::explain::{Foretold, explain};

use super::{HOUR, backup};
use crate::world::{START, World};

#[test]
fn what_will_become_of_a_time_is_told_in_a_clause() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 * * * *", json!({})));
    let slot = START.plus_ms(HOUR);
    let superseded = Some(Reason::Stopped(StopReason::Superseded));
    let waited = Some(Reason::Waited(WaitingFor::Directory));
    for (outcome, reason, starts_after_ms, clause) in [
        (Verdict::Ran, None, Some(0), "it will run then"),
        (Verdict::Ran, None, Some(999), "it will run then"),
        (Verdict::Ran, None, Some(1000), "it will start at 01:00:01"),
        (Verdict::RanLate, None, Some(90_000), "it will start only at 01:01:30"),
        (
            Verdict::RanLate,
            waited,
            Some(90_000),
            "it will start only at 01:01:30, after it has waited for its directory",
        ),
        (Verdict::RanLate, None, None, "it will start later than that"),
        (Verdict::Waiting, waited, None, "it will wait for its directory"),
        (Verdict::Waiting, None, None, "it will wait"),
        (Verdict::Overlapped, superseded, None, "its run will make way for the next one"),
        (
            Verdict::Overlapped,
            Some(Reason::Stopped(StopReason::PreviousRunActive)),
            None,
            "it will not run then, because its previous run will still be active",
        ),
        (Verdict::Busy, None, None, "it will not run then, because others will be at work for too long"),
        (Verdict::Ended, None, None, "it will have had all its runs by then"),
        (Verdict::NotStarted, None, None, "it will not be started then"),
    ] {
        let started_at = starts_after_ms.map(|ms| slot.plus_ms(ms));
        let foretold = Foretold::Fire(Fire { id: id.clone(), at: slot, outcome, reason, started_at });
        let told = explain(&world.view(), world.now, &id, slot, &foretold).unwrap();
        let words = format!("“Backup” will be due at 2025-01-06 01:00; as things stand, {clause}.");
        assert_eq!(told.summary, words);
    }
}
