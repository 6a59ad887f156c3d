//! What a later version has written is left out, or refused where nothing can be said without it.

use serde_json::json;
use sexton::domain::refusal::{Refusal, StorageReason};

use super::{DAY, HOUR, backup};
use crate::world::{START, World};

fn write(world: &World, sql: &str) {
    assert!(world.connection().execute(sql, []).unwrap() > 0, "{sql}");
}

#[test]
fn words_of_a_later_version_are_told_as_such() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(HOUR);
    world.pause(owner, &id, None).unwrap();
    world.run_for(DAY);
    write(
        &world,
        r#"UPDATE epochs SET ended_because = '{"kind":"rained"}', reason = 'sprouted', began_by = '{}'"#,
    );
    write(&world, "UPDATE terms SET limits = '{}'");
    insta::assert_snapshot!(world.explained(&id, 9 * HOUR), @r"
    ended, 2025-01-06 09:00, no run
    “Backup” was over by 2025-01-06 09:00: its schedule had ended at 01:00, for a reason that only a newer version of sexton understands.
    2025-01-06 00:00 its schedule began anew: Every day at 09:00, UTC [2]
    2025-01-06 01:00 its schedule ended at 2025-01-06 01:00, for a reason that only a newer version of sexton understands
    ");
}

#[test]
fn what_only_a_later_version_understands_is_refused() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(10 * HOUR);
    write(&world, "UPDATE definitions SET body = json_set(body, '$.policy.overlap', 'alternate')");
    let refused = world.try_explain(&id, START.plus_ms(9 * HOUR)).unwrap_err();
    let newer = matches!(refused, Refusal::Storage { reason: StorageReason::NotUnderstood, .. });
    assert!(newer, "{refused}");
}

#[test]
fn a_zone_that_this_machine_does_not_know_fires_nothing() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, backup("0 9 * * *", json!({})));
    world.run_for(HOUR);
    write(&world, "UPDATE definitions SET body = json_set(body, '$.timezone', 'Mars/Olympus_Mons')");
    insta::assert_snapshot!(world.summary(&id, 9 * HOUR), @"“Backup” is not scheduled at 2025-01-06 09:00, because this machine's zone data does not know Mars/Olympus_Mons, so that nothing of it fires here.");
}
