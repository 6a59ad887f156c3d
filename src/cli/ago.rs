//! Times and spans as people say them.

use crate::domain::schedule::zone::Zone;
use crate::domain::schedule::{local_time, weekday_of};
use crate::domain::time::Timestamp;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How far away a time may be that is told by its distance; of others the date says more.
const FAR: i64 = 7 * DAY;

/// How far away a time is, such as `in 3 h` or `2 min ago`; the date if that is more than a week.
pub(super) fn relative(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let away = at.as_millis().saturating_sub(now.as_millis());
    if away.abs() > FAR {
        return date_and_time(zone, at).0;
    }
    match (about(away.abs()), away < 0) {
        (None, _) => "now".to_owned(),
        (Some(span), false) => format!("in {span}"),
        (Some(span), true) => format!("{span} ago"),
    }
}

/// What clocks show then, as short as can be understood now: `09:00` today, `Monday 09:00` in the next six days, and
/// with the date otherwise.
pub(super) fn clock(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let ((date, time), (today, _)) = (date_and_time(zone, at), date_and_time(zone, now));
    let away = at.as_millis().saturating_sub(now.as_millis());
    if date == today {
        time
    } else if (0..6 * DAY).contains(&away) {
        format!("{} {time}", weekday_of(zone, at))
    } else {
        format!("{date} {time}")
    }
}

/// The distance, and what clocks show then: `in 14 h (Monday 09:00)`.
pub(super) fn relative_and_clock(at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    let away = at.as_millis().saturating_sub(now.as_millis());
    match away.abs() > FAR {
        true => local_time(zone, at),
        false => format!("{} ({})", relative(at, now, zone), clock(at, now, zone)),
    }
}

/// How long something took, or may take, to two units: `850 ms`, `3.2 s`, `2 h 5 min`.
pub(super) fn span(ms: i64) -> String {
    let ms = ms.max(0);
    let two = |(unit, name): (i64, &str), (part, part_name): (i64, &str)| {
        let (whole, rest) = (ms / unit, ms % unit / part);
        match rest {
            0 => counted(whole, name),
            _ => format!("{} {}", counted(whole, name), counted(rest, part_name)),
        }
    };
    if ms < SECOND {
        format!("{ms} ms")
    } else if ms < 10 * SECOND && ms % SECOND >= 100 {
        format!("{}.{} s", ms / SECOND, ms % SECOND / 100)
    } else if ms < MINUTE {
        counted(ms / SECOND, "s")
    } else if ms < HOUR {
        two((MINUTE, "min"), (SECOND, "s"))
    } else if ms < DAY {
        two((HOUR, "h"), (MINUTE, "min"))
    } else {
        two((DAY, "day"), (HOUR, "h"))
    }
}

/// A span in one unit, rounded; `None` if it is less than half a second.
fn about(ms: i64) -> Option<String> {
    let rounded = |unit: i64| (ms + unit / 2) / unit;
    let text = if rounded(SECOND) == 0 {
        return None;
    } else if rounded(SECOND) < 60 {
        counted(rounded(SECOND), "s")
    } else if rounded(MINUTE) < 60 {
        counted(rounded(MINUTE), "min")
    } else if rounded(HOUR) < 48 {
        counted(rounded(HOUR), "h")
    } else {
        counted(rounded(DAY), "day")
    };
    Some(text)
}

fn counted(count: i64, unit: &str) -> String {
    match (unit, count) {
        ("day", count) if count != 1 => format!("{count} days"),
        (unit, count) => format!("{count} {unit}"),
    }
}

/// `2025-01-06` and `09:00`, the latter with all that [`local_time`] tells of it.
fn date_and_time(zone: &Zone, at: Timestamp) -> (String, String) {
    let local = local_time(zone, at);
    match local.split_once(' ') {
        Some((date, time)) => (date.to_owned(), time.to_owned()),
        None => (local, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, 2025-01-06 12:00 UTC.
    const NOW: Timestamp = Timestamp::from_millis(1_736_164_800_000);

    #[test]
    fn a_time_is_told_by_its_distance_up_to_a_week() {
        for (away, text) in [
            (0, "now"),
            (-499, "now"),
            (500, "in 1 s"),
            (-20 * SECOND, "20 s ago"),
            (59 * SECOND + 499, "in 59 s"),
            (59 * SECOND + 500, "in 1 min"),
            (59 * MINUTE + 30 * SECOND, "in 1 h"),
            (-2 * MINUTE, "2 min ago"),
            (3 * HOUR, "in 3 h"),
            (-47 * HOUR, "47 h ago"),
            (48 * HOUR, "in 2 days"),
            (7 * DAY, "in 7 days"),
            (-7 * DAY - 1, "2024-12-30"),
            (7 * DAY + 1, "2025-01-13"),
        ] {
            assert_eq!(relative(NOW.plus_ms(away), NOW, &Zone::utc()), text, "{away}");
        }
    }

    #[test]
    fn clocks_are_told_as_shortly_as_they_are_understood() {
        for (away, text, both) in [
            (HOUR, "13:00", "in 1 h (13:00)"),
            (-HOUR, "11:00", "1 h ago (11:00)"),
            (21 * HOUR, "Tuesday 09:00", "in 21 h (Tuesday 09:00)"),
            (-13 * HOUR, "2025-01-05 23:00", "13 h ago (2025-01-05 23:00)"),
            (6 * DAY, "2025-01-12 12:00", "in 6 days (2025-01-12 12:00)"),
            (30 * DAY, "2025-02-05 12:00", "2025-02-05 12:00"),
        ] {
            let at = NOW.plus_ms(away);
            assert_eq!(clock(at, NOW, &Zone::utc()), text, "{away}");
            assert_eq!(relative_and_clock(at, NOW, &Zone::utc()), both, "{away}");
        }
    }

    #[test]
    fn a_span_is_told_in_two_units_at_most() {
        for (ms, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1 s"),
            (1250, "1.2 s"),
            (12_900, "12 s"),
            (200 * SECOND, "3 min 20 s"),
            (2 * HOUR, "2 h"),
            (2 * HOUR + 5 * MINUTE + 7, "2 h 5 min"),
            (DAY, "1 day"),
            (90 * DAY + HOUR, "90 days 1 h"),
        ] {
            assert_eq!(span(ms), text);
        }
    }
}
