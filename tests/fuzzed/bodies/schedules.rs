//! Schedules and times as people type them. The input is a text of four lines: what was typed, a zone, an instant, and a
//! number for whatever needs one.

use std::str::FromStr;

use serde_json::json;
use sexton::domain::automation::When;
use sexton::domain::draft::{Surroundings, read_preview};
use sexton::domain::preview::preview;
use sexton::domain::schedule::clock::{ClockTime, Step, round_times};
use sexton::domain::schedule::cron::Cron;
use sexton::domain::schedule::notes::Span;
use sexton::domain::schedule::rhythm::{Nearest, Rhythm, Schedule, SlotSpan, Stop};
use sexton::domain::schedule::typed::{Coming, read_coming, read_span, read_time};
use sexton::domain::schedule::zone::Zone;
use sexton::domain::schedule::{local_time, local_time_with_offset, weekday_of};
use sexton::domain::scheduler::Limits;
use sexton::domain::sent::{INTEGER_MAX, Sent};
use sexton::domain::time::Timestamp;

const MINUTE_MS: i64 = 60_000;

/// How many fires in a row are looked at.
const FIRES: usize = 24;

/// The most notes that are wanted.
const NOTES: usize = 20;

pub(crate) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (typed, zone, instant, number) = (line(), line(), line(), line());
    let zone = a_zone(zone);
    let instant = Timestamp::from_millis(instant.parse().unwrap_or(1_736_121_600_000));
    let number: i64 = number.parse().unwrap_or(MINUTE_MS);
    check_what_is_typed(typed, &zone, instant);
    check_clocks(&zone, instant, number);
    if let Some(cron) = a_cron(typed) {
        check_cron(&cron, &zone, instant);
        check_rhythm(Rhythm::Cron(cron), &zone, instant, number);
    }
    let anchor_at = (number % 3 == 0).then(|| Timestamp::from_millis(number.wrapping_mul(977)));
    check_rhythm(Rhythm::Interval { every_ms: number, anchor_at }, &zone, instant, number);
    check_once(Timestamp::from_millis(number).min(Timestamp::MAX), &zone, instant);
}

/// The zone of this name, which is spelled as the database spells it.
fn a_zone(name: &str) -> Zone {
    match Zone::named(name) {
        Ok(zone) => {
            assert!(zone.name().eq_ignore_ascii_case(name), "{name:?} is {zone}");
            zone
        }
        Err(unknown) => {
            assert_one_line(&unknown.to_string());
            Zone::utc()
        }
    }
}

/// A text for people is one line, and not endless.
fn assert_one_line(text: &str) {
    assert!(!text.is_empty() && text.len() < 4096, "{} bytes: {text:.100}", text.len());
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// Whether the calendar has a date for it.
fn has_a_date(at: Timestamp) -> bool {
    (Timestamp::EPOCH..=Timestamp::MAX).contains(&at)
}

// What people type.

fn check_what_is_typed(typed: &str, zone: &Zone, now: Timestamp) {
    match read_time(typed, zone, now) {
        Ok(at) => {
            let is_now = typed.trim().eq_ignore_ascii_case("now");
            assert!(is_now || has_a_date(at), "{typed:?} is {at}");
            if has_a_date(at) {
                check_that_it_reads_back(at, zone, now);
            }
        }
        Err(error) => assert_one_line(&error.to_string()),
    }
    match read_coming(typed, zone, now) {
        Ok(Coming::At(at)) => assert!(at == now || has_a_date(at), "{typed:?} is {at}"),
        Ok(Coming::Day { first, last_minute }) => assert!(first <= last_minute, "{typed:?}"),
        Err(error) => assert_one_line(&error.to_string()),
    }
    match read_span(typed) {
        Ok(span) => assert!(span > 0, "{typed:?} is {span} ms"),
        Err(error) => assert_one_line(&error.to_string()),
    }
}

/// What is written of an instant is understood again, to the second.
fn check_that_it_reads_back(at: Timestamp, zone: &Zone, now: Timestamp) {
    let second = Timestamp::from_millis(at.as_millis().div_euclid(1000) * 1000);
    for written in [local_time(zone, at), local_time_with_offset(zone, at)] {
        let read = read_time(&written, zone, now);
        assert_eq!(read.as_ref().ok(), Some(&second), "{at} in {zone} is {written:?}, which is {read:?}");
    }
}

fn check_clocks(zone: &Zone, at: Timestamp, span_ms: i64) {
    let names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    assert!(names.contains(&weekday_of(zone, at)));
    for text in [local_time(zone, at), local_time_with_offset(zone, at), zone.written(at)] {
        assert_one_line(&text);
    }
    let time = ClockTime::of(zone, at);
    assert_one_line(&format!("{} {} {}", time.time_with_seconds(), time.weekday(), time.date()));
    let span_ms = span_ms.saturating_abs();
    let marks = 12;
    let times = round_times(zone, at, at.plus_ms(span_ms), Step::with_at_most(marks, span_ms));
    assert!(times.is_sorted_by_key(|time| time.at), "{times:?}");
    if has_a_date(at) && has_a_date(at.plus_ms(span_ms)) {
        // Twice as many, for clocks that show a day twice.
        assert!(times.len() <= 2 * 12 + 2, "{} marks", times.len());
    }
}

// Cron expressions.

fn a_cron(text: &str) -> Option<Cron> {
    match Cron::parse(text) {
        Ok(cron) => Some(cron),
        Err(fault) => {
            assert!(fault.message.ends_with('.'), "{fault}");
            assert_one_line(&fault.message);
            fault.hint.iter().for_each(|hint| assert_one_line(hint));
            None
        }
    }
}

fn check_cron(cron: &Cron, zone: &Zone, after: Timestamp) {
    assert_eq!(Cron::parse(cron.expression()).as_ref(), Ok(cron));
    let shouted = cron.expression().to_ascii_uppercase();
    if !shouted.starts_with('@') {
        let shouted = Cron::parse(&shouted).expect("names may be in capital letters");
        assert!(shouted.fires_like(cron) && cron.fires_like(&shouted), "{cron}");
        let words = |cron: &Cron| recurring(Rhythm::Cron(cron.clone()), Stop::Never).in_words(zone);
        assert_eq!(words(&shouted), words(cron));
    }
    for warning in cron.warnings() {
        assert_one_line(&warning);
    }
    let fires = fires(|after| cron.next_after(zone, after), after);
    for fire in &fires {
        assert_eq!(fire.as_millis().rem_euclid(MINUTE_MS), 0, "{cron} in {zone}");
    }
    if let Some(theirs) = other_crate(cron) {
        check_against(&theirs, cron, after);
    }
}

/// The first fires, each later than the one before, and none of them skipped.
fn fires(next: impl Fn(Timestamp) -> Option<Timestamp>, after: Timestamp) -> Vec<Timestamp> {
    let mut fires = Vec::new();
    let mut last = after;
    while fires.len() < FIRES
        && let Some(fire) = next(last)
    {
        assert!(fire > last && fire <= Timestamp::MAX, "{fire} after {last}");
        let between = last.plus_ms(fire.since_ms(last) / 2);
        assert_eq!(next(between), Some(fire), "{between} is between {last} and {fire}");
        assert_eq!(next(fire.plus_ms(-1)), Some(fire));
        fires.push(fire);
        last = fire;
    }
    fires
}

/// The same expression as the `cron` crate writes it, if it means the same by the rules of that one: it wants both days
/// where both are restricted.
fn other_crate(cron: &Cron) -> Option<cron::Schedule> {
    let fields: Vec<&str> = cron.expression().split(' ').collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return None };
    if *day != "*" && *weekday != "*" {
        return None;
    }
    let written = |field: &str, low: u32, high: u32, names: &[&str]| {
        let values = selected(field, low, high, names);
        values.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
    };
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    // Theirs are numbered from 1, Sunday.
    let mut numbers: Vec<u32> =
        selected(weekday, 0, 7, &weekdays).into_iter().map(|value| value % 7 + 1).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let text = format!(
        "0 {} {} {} {} {}",
        written(minute, 0, 59, &[]),
        written(hour, 0, 23, &[]),
        written(day, 1, 31, &[]),
        written(month, 1, 12, &months),
        numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
    );
    Some(cron::Schedule::from_str(&text).unwrap_or_else(|error| panic!("{cron} is {text:?}: {error}")))
}

/// The values of a field that our grammar has accepted, read anew.
fn selected(field: &str, low: u32, high: u32, names: &[&str]) -> Vec<u32> {
    let value = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        match named {
            Some(place) => low + u32::try_from(place).expect("a few names"),
            // A step may be as large as anybody likes to write it.
            None => text.parse().unwrap_or(u32::MAX),
        }
    };
    let mut values: Vec<u32> = Vec::new();
    for item in field.split(',') {
        let (range, step) = item.split_once('/').map_or((item, 1), |(range, step)| (range, value(step)));
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (value(first), value(last)),
            None if range == "*" => (low, high),
            None => (value(range), value(range)),
        };
        values.extend((first..=last).step_by(usize::try_from(step).expect("a step")));
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// Both find the same fires in UTC, as far as theirs reaches.
fn check_against(theirs: &cron::Schedule, cron: &Cron, after: Timestamp) {
    const YEARS: std::ops::Range<i64> = 0..2_000_000_000_000;
    if !YEARS.contains(&after.as_millis()) {
        return;
    }
    let start = chrono::DateTime::from_timestamp_millis(after.as_millis()).expect("a date");
    let theirs = theirs.after(&start).map(|fire| fire.timestamp_millis());
    let theirs: Vec<i64> = theirs.take_while(|fire| YEARS.contains(fire)).take(8).collect();
    let utc = Zone::utc();
    let next = |after: &Timestamp| cron.next_after(&utc, *after);
    let ours = std::iter::successors(next(&after), next).map(Timestamp::as_millis);
    let ours: Vec<i64> = ours.take_while(|fire| YEARS.contains(fire)).take(8).collect();
    assert_eq!(ours, theirs, "{cron} after {after}");
}

// Schedules.

fn recurring(rhythm: Rhythm, stop: Stop) -> When {
    When::Recurring { rhythm, stop }
}

fn check_rhythm(rhythm: Rhythm, zone: &Zone, instant: Timestamp, number: i64) {
    let stop = match number.rem_euclid(4) {
        0 => Stop::Until(instant.plus_ms(number)),
        1 => Stop::Count(number.unsigned_abs()),
        _ => Stop::Never,
    };
    assert!(rhythm.fires_like(&rhythm));
    let effective_at = instant.plus_ms(-(number.rem_euclid(7) * 11 * MINUTE_MS));
    let when = recurring(rhythm, stop);
    let schedule = when.in_zone(zone.name()).expect("a zone");
    check_schedule(&when, &schedule, zone, effective_at, instant);
    check_preview(&when, &schedule, zone, instant);
}

fn check_once(fire_at: Timestamp, zone: &Zone, instant: Timestamp) {
    let when = When::Oneshot { fire_at };
    let schedule = when.in_zone(zone.name()).expect("a zone");
    check_schedule(&when, &schedule, zone, instant.plus_ms(-MINUTE_MS), instant);
    check_preview(&when, &schedule, zone, instant);
}

fn check_schedule(when: &When, schedule: &Schedule, zone: &Zone, effective_at: Timestamp, after: Timestamp) {
    assert_one_line(&when.in_words(zone));
    when.warnings().iter().chain(&schedule.warning_from(effective_at)).for_each(|text| assert_one_line(text));
    let next = |after| schedule.next_after(effective_at, after);
    let walked = fires(next, after.max(effective_at));
    for fire in &walked {
        // No schedule has begun before 1970.
        if let Schedule::Recurring { rhythm, .. } = schedule
            && effective_at >= Timestamp::EPOCH
        {
            let why = when.why_not(zone, effective_at, *fire);
            // Of a time that clocks skip, what fires comes instead of what was written.
            let is_one = why == "it is one of its times" || why.contains(" instead");
            assert!(is_one, "{when:?} {fire}: {why}");
            if let Rhythm::Cron(_) = rhythm {
                assert_eq!(schedule.slot_meant(effective_at, *fire), Some(*fire), "{when:?} {fire}");
            }
        }
    }
    assert_one_line(&when.why_not(zone, effective_at, after));
    if let (Some(first), Some(last)) = (walked.first(), walked.last()) {
        let count = u64::try_from(walked.len()).expect("a few");
        let span = SlotSpan { first: *first, last: *last, count, at_least: false };
        let counted = |limit| schedule.slots_between(effective_at, after, *last, limit);
        assert_eq!(counted(u64::MAX), Some(span), "{when:?} in {zone} after {after}");
        let capped = SlotSpan { count: 1, at_least: count > 1, ..span };
        assert_eq!(counted(1), Some(capped), "{when:?} in {zone} after {after}");
        for pair in walked.windows(3) {
            let Nearest { before, after } = schedule.nearest(effective_at, pair[1]);
            assert_eq!((before, after), (Some(pair[0]), Some(pair[2])), "{when:?} in {zone}");
        }
    }
    let through = walked.last().copied().unwrap_or(after);
    let span = Span { after, through, fires: &walked };
    let notes = when.notes(zone, span, NOTES);
    assert!(notes.len() <= NOTES && notes.is_sorted_by_key(|note| note.at), "{notes:?}");
    notes.iter().for_each(|note| assert_one_line(&note.text));
}

/// What is foretold of a draft is what its schedule says.
fn check_preview(when: &When, schedule: &Schedule, zone: &Zone, now: Timestamp) {
    let mut params = match when {
        When::Oneshot { fire_at } => json!({"fireAt": fire_at}),
        When::Recurring { rhythm, stop } => json!({"rhythm": rhythm, "stop": stop}),
    };
    params["timezone"] = json!(zone.name());
    params["after"] = json!(now);
    let limits = Limits::default();
    let around = Surroundings { machine_zone: "UTC", limits: &limits, now, vcs: None };
    let sent = Sent::from(&params);
    let draft = match read_preview(sent.as_object().expect("an object"), around) {
        Ok(draft) => draft,
        Err(faults) => {
            assert!(!faults.is_empty(), "{params} is refused without a fault");
            return;
        }
    };
    assert!(now.as_millis().abs() <= INTEGER_MAX, "{now}");
    let told = preview(&draft, now).expect("a zone that is known");
    assert_one_line(&told.description);
    let fires = std::iter::successors(schedule.next_after(now, now), |fire| schedule.next_after(now, *fire));
    let most = match when {
        When::Recurring { stop: Stop::Count(count), .. } => usize::try_from(*count).unwrap_or(usize::MAX),
        When::Recurring { stop: Stop::Never | Stop::Until(_), .. } | When::Oneshot { .. } => usize::MAX,
    };
    let fires: Vec<Timestamp> = fires.take(draft.count.min(most)).collect();
    assert_eq!(told.fires, fires, "{params}");
}
