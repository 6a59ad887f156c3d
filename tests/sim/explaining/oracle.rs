//! Asks about random times of random automations, and holds what is told against the rows: what answers for a slot is
//! looked for there in another way, and judged by words.

use rusqlite::Params;
use sexton::domain::automation::EpochEnd;
use sexton::domain::explanation::Explanation;
use sexton::domain::id::AutomationId;
use sexton::domain::time::Timestamp;

use super::{DAY, MINUTE, SECOND};
use crate::rng::Rng;
use crate::world::World;

/// So many times are asked about at once.
const TIMES: usize = 8;

/// More epochs than any automation of a test has.
const ALL: usize = 100_000;

/// Times that were due, those around them, and any others.
pub(crate) fn ask_about_random_times(world: &World, rng: &mut Rng) {
    let count: Vec<i64> = column(world, "SELECT coalesce(max(row), 0) FROM automations", []);
    for _ in 0..TIMES {
        let row = rng.within(0..count[0] + 1);
        let Some(id) = column::<String>(world, "SELECT id FROM automations WHERE row = ?1", [row]).pop()
        else {
            continue;
        };
        let sql = "SELECT slots_from FROM runs WHERE automation = ?1
                   UNION ALL SELECT slots_to FROM runs WHERE automation = ?1
                   UNION ALL SELECT skipped ->> '$.toAt' FROM runs WHERE automation = ?1
                   UNION ALL SELECT slots_from FROM accounts WHERE automation = ?1
                   UNION ALL SELECT effective_at FROM epochs WHERE automation = ?1
                   UNION ALL SELECT ended_at FROM epochs WHERE automation = ?1
                   UNION ALL SELECT next_fire_at FROM automations WHERE row = ?1";
        let known: Vec<Option<i64>> = column(world, sql, [row]);
        let known: Vec<i64> = known.into_iter().flatten().collect();
        let any = world.now.plus_ms(rng.within(-20 * DAY..10 * DAY));
        let near = rng.pick(&known).copied().map_or(any, Timestamp::from_millis);
        let near = match rng.within(0..4) {
            0 => near.plus_ms(rng.within(-5 * MINUTE..5 * MINUTE)),
            1 => near.plus_ms(rng.within(0..30 * SECOND)),
            _ => near,
        };
        let exact = any_slot(world, row, near, rng).unwrap_or(any);
        for at in [near, any, exact] {
            Question { world, row, id: AutomationId::from_text(id.clone()), at }.check();
        }
    }
}

/// The first slot after a time of some schedule that the automation has or had.
fn any_slot(world: &World, row: i64, after: Timestamp, rng: &mut Rng) -> Option<Timestamp> {
    let epochs = world.view().epochs_before(row, Timestamp::MAX, ALL).unwrap();
    let epoch = rng.pick(&epochs)?;
    epoch.definition.schedule().ok()?.next_after(epoch.epoch.effective_at, after)
}

/// What is asked, and of which row.
struct Question<'a> {
    world: &'a World,
    row: i64,
    id: AutomationId,
    at: Timestamp,
}

impl Question<'_> {
    fn check(&self) {
        let Question { world, id, at, .. } = self;
        let at = *at;
        let told = world.try_explain(id, at).unwrap_or_else(|refusal| panic!("{id} at {at}: {refusal}"));
        let what = format!("{id} at {at}, now {}: {}", world.now, serde_json::to_string(&told).unwrap());
        assert!(told.evidence.is_sorted_by_key(|piece| piece.at) && told.evidence.len() <= 64, "{what}");
        assert!(told.summary.ends_with('.') && !told.summary.contains('\n'), "{what}");
        for seq in told.evidence.iter().filter_map(|piece| piece.seq) {
            let kept: Vec<i64> = column(world, "SELECT seq FROM events WHERE seq = ?1", [seq]);
            assert_eq!(kept, [seq], "{what}");
        }
        let verdict = serde_json::to_value(told.verdict).unwrap();
        let verdict = verdict.as_str().unwrap();
        if self.is_exactly_a_slot() {
            assert_eq!(told.scheduled_at, Some(at), "{what}");
        }
        match told.scheduled_at {
            None => {
                assert_eq!(verdict, "not_scheduled", "{what}");
                self.none_is_known_in_that_minute(&what);
            }
            Some(slot) => {
                assert_eq!(minute(slot), minute(at), "{what}");
                assert_ne!(verdict, "not_scheduled", "{what}");
                let expected = self.verdicts(slot);
                assert!(expected.iter().any(|expected| expected == verdict), "{expected:?}, but {what}");
                self.run_is_the_one(slot, &told, &what);
            }
        }
    }

    /// Whether it was answered for in some epoch, is due in the one that is in force, or would have been in a pause.
    fn is_exactly_a_slot(&self) -> bool {
        let at = self.at;
        let epochs = self.world.view().epochs_before(self.row, Timestamp::MAX, ALL).unwrap();
        epochs.iter().enumerate().any(|(place, epoch)| {
            let began = epoch.epoch.effective_at;
            let is_slot =
                epoch.definition.schedule().is_ok_and(|schedule| schedule.slot_meant(began, at) == Some(at));
            // They stand in the order in which they began, the last of them first.
            let next = place.checked_sub(1).map(|next| epochs[next].epoch.effective_at);
            let paused = matches!(epoch.ended, Some(EpochEnd::Paused(_)));
            is_slot
                && (at <= epoch.epoch.answered_through
                    || epoch.epoch.ended_at.is_none()
                    || (paused && next.is_none_or(|next| at <= next)))
        })
    }

    /// Both ends of what runs answer for are times that were due.
    fn none_is_known_in_that_minute(&self, what: &str) {
        let sql =
            "SELECT id FROM runs WHERE automation = ?1 AND (slots_from / 60000 = ?2 OR slots_to / 60000 = ?2
                 OR skipped ->> '$.toAt' / 60000 = ?2)";
        let runs: Vec<String> = column(self.world, sql, (self.row, minute(self.at)));
        assert_eq!(runs, Vec::<String>::new(), "{what}");
    }

    /// All that may be said of a slot. There are several words where the clock went back: then two epochs may have it.
    fn verdicts(&self, slot: Timestamp) -> Vec<String> {
        let Question { world, row, .. } = self;
        let slot_ms = slot.as_millis();
        let mut found: Vec<String> = Vec::new();
        let sql = "SELECT id FROM runs WHERE automation = ?1 AND slots_from <= ?2 AND slots_to >= ?2";
        let answers: Vec<String> = column(world, sql, (row, slot_ms));
        found.extend(answers.into_iter().map(|run| verdict_of(world, &last_of_chain(world, run), slot_ms)));
        let sql = "SELECT 'overlapped' FROM runs WHERE automation = ?1
                 AND skipped ->> '$.fromAt' <= ?2 AND skipped ->> '$.toAt' >= ?2";
        found.extend(column::<String>(world, sql, (row, slot_ms)));
        let sql = "SELECT 'pruned' FROM accounts c JOIN automations a ON a.row = c.automation
               WHERE a.row = ?1 AND c.slots_from <= ?2 AND c.slots_to >= ?2 AND c.day >= ?2 / 86400000";
        found.extend(column::<String>(world, sql, (row, slot_ms)));
        // A schedule that began when the clock had gone back may have it once more, where nothing answers for it.
        let sql = "SELECT CASE WHEN a.deleted_at < ?2 THEN 'deleted'
                 WHEN e.answered_through >= ?2 THEN NULL
                 WHEN e.ended_at IS NULL AND ?2 > ?3 THEN 'future'
                 WHEN e.ended_at IS NULL THEN 'waiting'
                 WHEN e.ended_because ->> '$.kind' = 'paused' THEN 'paused'
                 WHEN e.ended_because ->> '$.kind' = 'count' THEN 'ended'
                 WHEN e.ended_because ->> '$.kind' = 'deleted' THEN 'deleted' END
               FROM epochs e JOIN automations a ON a.row = e.automation
               WHERE a.row = ?1 AND e.effective_at < ?2
                 AND (e.number = a.epoch OR NOT EXISTS (SELECT 1 FROM epochs f WHERE f.automation = e.automation
                       AND f.effective_at > e.effective_at AND f.effective_at < ?2))";
        let words: Vec<Option<String>> = column(world, sql, (row, slot_ms, world.now.as_millis()));
        found.extend(words.into_iter().flatten());
        let sql = "SELECT 'ended' FROM epochs e JOIN automations a ON a.row = e.automation
                 JOIN definitions d ON d.row = e.definition WHERE a.row = ?1 AND d.body ->> '$.stop.at' < ?2";
        found.extend(column::<String>(world, sql, (row, slot_ms)));
        found
    }

    /// What is shown as the run answers for the slot, or counts it, or tries again one that answers for it.
    fn run_is_the_one(&self, slot: Timestamp, told: &Explanation, what: &str) {
        let shown = serde_json::to_value(&told.run).unwrap();
        let Some(run) = shown["id"].as_str() else { return };
        let sql = "WITH RECURSIVE chain (id) AS (SELECT ?2 UNION
                 SELECT r.trigger ->> '$.of' FROM chain c JOIN runs r ON r.id = c.id WHERE r.trigger ->> '$.of' IS NOT NULL)
               SELECT r.id FROM chain c JOIN runs r ON r.id = c.id WHERE r.automation = ?1
                 AND ((r.slots_from <= ?3 AND r.slots_to >= ?3)
                   OR (r.skipped ->> '$.fromAt' <= ?3 AND r.skipped ->> '$.toAt' >= ?3))";
        let of_it: Vec<String> = column(self.world, sql, (self.row, run, slot.as_millis()));
        assert!(!of_it.is_empty(), "{what}");
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(MINUTE)
}

/// The run that was tried last of those that try this one again.
fn last_of_chain(world: &World, first: String) -> String {
    let sql = "SELECT id FROM runs WHERE trigger ->> '$.of' = ?1 AND trigger ->> '$.kind' = 'retry'";
    let mut last = first;
    while let Some(next) = column::<String>(world, sql, [&last]).pop() {
        last = next;
    }
    last
}

fn verdict_of(world: &World, run: &str, slot_ms: i64) -> String {
    let sql = "SELECT CASE WHEN started_at IS NULL THEN CASE state
                   WHEN 'scheduled' THEN 'waiting' WHEN 'failed' THEN 'not_started'
                   ELSE CASE stop_reason WHEN 'missed_schedule' THEN 'missed'
                     WHEN 'previous_run_active' THEN 'overlapped'
                     WHEN 'previous_run_awaiting_input' THEN 'overlapped' WHEN 'superseded' THEN 'overlapped'
                     WHEN 'writer_busy' THEN 'busy' WHEN 'capacity' THEN 'busy'
                     WHEN 'paused' THEN 'paused' WHEN 'ended' THEN 'ended' ELSE 'not_started' END END
                 WHEN trigger ->> '$.kind' = 'catchUp' OR started_at - ?2 > 60000 THEN 'ran_late' ELSE 'ran' END
               FROM runs WHERE id = ?1";
    column::<String>(world, sql, (run, slot_ms)).remove(0)
}

fn column<T: rusqlite::types::FromSql>(world: &World, sql: &str, params: impl Params) -> Vec<T> {
    let mut statement = world.connection().prepare_cached(sql).unwrap();
    let rows = statement.query_map(params, |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}
