//! What a reading shows beside what was known before.

use super::*;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const WALL: Timestamp = Timestamp::from_millis(1_736_121_600_000);

/// A machine that is looked at now and then, while nothing new is written.
struct Watched {
    known: Known,
    reading: Reading,
    newest: Timestamp,
}

impl Watched {
    fn new() -> Self {
        let reading = Reading { wall: WALL, elapsed_ms: 5 * HOUR, awake_ms: 2 * HOUR };
        let known = see(None, &boot(1), reading, around(WALL)).known;
        Watched { known, reading, newest: WALL }
    }

    fn pass(&mut self, ms: i64) {
        self.reading.wall = self.reading.wall.plus_ms(ms);
        self.reading.elapsed_ms += ms;
        self.reading.awake_ms += ms;
    }

    fn suspend(&mut self, ms: i64) {
        self.pass(ms);
        self.reading.awake_ms -= ms;
    }

    fn set(&mut self, by_ms: i64) {
        self.reading.wall = self.reading.wall.plus_ms(by_ms);
    }

    fn look(&mut self) -> Seen {
        self.look_in(&boot(1))
    }

    fn look_in(&mut self, boot: &Boot) -> Seen {
        let outdated = self.known.is_outdated(boot, self.reading);
        let seen = see(Some(&self.known), boot, self.reading, around(self.newest));
        assert_eq!(seen.known != self.known, outdated, "{seen:?}");
        assert!(!seen.known.is_outdated(boot, self.reading), "what was seen is known: {seen:?}");
        self.known = seen.known.clone();
        seen
    }

    fn held_for(&self) -> Option<i64> {
        self.known.held_until().map(|until| until.since_ms(self.reading.wall))
    }
}

fn boot(number: u32) -> Boot {
    Boot::from_text(format!("boot {number}"))
}

fn around(newest: Timestamp) -> Around {
    Around { newest: Some(newest), grace_ms: MINUTE, stable_wake_ms: 10 * SECOND }
}

fn span(seen: &Seen) -> Option<i64> {
    seen.suspended.map(|slept| slept.to.since_ms(slept.from))
}

fn set_by(seen: &Seen) -> Option<i64> {
    seen.set.map(|set| set.to.since_ms(set.from))
}

#[test]
fn time_that_passes_is_no_news() {
    let mut machine = Watched::new();
    machine.pass(400 * DAY);
    assert!(!machine.known.is_outdated(&boot(1), machine.reading));
}

#[test]
fn a_suspend_is_seen_once_and_shorter_ones_are_not() {
    let mut machine = Watched::new();
    machine.suspend(UNNOTICED_MS);
    let seen = machine.look();
    assert_eq!((span(&seen), machine.held_for()), (None, None));
    machine.suspend(1);
    let seen = machine.look();
    assert_eq!((span(&seen), machine.held_for()), (Some(1001), Some(10 * SECOND)), "both together");
    let seen = machine.look();
    assert_eq!(span(&seen), None);
    machine.pass(3 * SECOND);
    machine.suspend(8 * HOUR);
    let seen = machine.look();
    assert_eq!((span(&seen), set_by(&seen)), (Some(8 * HOUR), None));
    assert_eq!(machine.held_for(), Some(10 * SECOND), "from the last wake on");
}

#[test]
fn who_waits_for_a_stable_wake_waits_as_long_however_the_clock_is_set() {
    for by in [-HOUR, -2 * SECOND, 2 * SECOND, HOUR] {
        let mut machine = Watched::new();
        machine.suspend(HOUR);
        machine.look();
        machine.pass(4 * SECOND);
        machine.set(by);
        machine.look();
        assert_eq!(machine.held_for(), Some(6 * SECOND), "set by {by}");
    }
}

#[test]
fn a_clock_that_goes_back_before_the_newest_time_has_everybody_begin_anew() {
    let mut machine = Watched::new();
    machine.pass(HOUR);
    machine.newest = machine.reading.wall;
    machine.set(-MINUTE);
    let seen = machine.look();
    assert_eq!((seen.anew, set_by(&seen)), (None, None), "within the grace");
    machine.set(-1001);
    let seen = machine.look();
    assert_eq!(
        (seen.anew, set_by(&seen)),
        (Some(Anew::Every), None),
        "a little, and more than the grace together"
    );
    machine.newest = machine.reading.wall;
    machine.pass(2 * HOUR);
    machine.set(-HOUR);
    let seen = machine.look();
    assert_eq!((seen.anew, set_by(&seen)), (None, Some(-HOUR)), "nothing was written in that hour");
    assert_eq!(machine.known.held_until(), None);
}

#[test]
fn a_clock_that_is_set_forward_by_a_day_is_believed_and_by_more_is_doubted() {
    let mut machine = Watched::new();
    machine.set(DAY);
    let seen = machine.look();
    assert_eq!((set_by(&seen), machine.held_for()), (Some(DAY), None));
    machine.set(DAY + 1001);
    let before = machine.reading.wall.plus_ms(-DAY - 1001);
    let seen = machine.look();
    assert_eq!((set_by(&seen), machine.held_for()), (Some(DAY + 1001), Some(10 * MINUTE)));
    assert_eq!(machine.known.believed(machine.reading), before);
    machine.pass(10 * MINUTE - 1);
    assert!(!machine.known.is_outdated(&boot(1), machine.reading));
    machine.pass(1);
    machine.look();
    assert_eq!((machine.known.doubt, machine.known.believed(machine.reading)), (None, machine.reading.wall));
}

#[test]
fn a_suspend_of_any_length_is_no_jump() {
    let mut machine = Watched::new();
    machine.suspend(30 * DAY);
    let seen = machine.look();
    assert_eq!((set_by(&seen), machine.known.doubt), (None, None));
}

#[test]
fn a_doubted_clock_that_goes_back_to_about_where_it_was_is_believed_at_once() {
    for off in [-MINUTE, 0, HOUR, DAY] {
        let mut machine = Watched::new();
        machine.set(365 * DAY);
        machine.look();
        machine.newest = machine.reading.wall;
        machine.pass(5 * MINUTE);
        machine.set(-365 * DAY + off);
        let seen = machine.look();
        assert_eq!((machine.known.doubt, machine.held_for()), (None, None), "off by {off}");
        assert_eq!(seen.anew, Some(Anew::Ahead), "off by {off}");
    }
}

#[test]
fn a_doubted_clock_that_goes_back_further_was_set_back() {
    let mut machine = Watched::new();
    machine.set(365 * DAY);
    machine.look();
    machine.set(-365 * DAY - MINUTE - 1);
    let seen = machine.look();
    assert_eq!((machine.known.doubt, seen.anew), (None, Some(Anew::Every)));
}

#[test]
fn a_doubted_clock_that_is_set_and_still_far_ahead_is_doubted_anew() {
    let mut machine = Watched::new();
    machine.set(365 * DAY);
    machine.look();
    machine.pass(9 * MINUTE);
    machine.set(-100 * DAY);
    let seen = machine.look();
    assert_eq!((seen.anew, machine.held_for()), (None, Some(10 * MINUTE)));
    assert_eq!(machine.known.believed(machine.reading), WALL.plus_ms(9 * MINUTE));
}

#[test]
fn a_clock_that_has_held_and_is_set_before_anybody_looks_was_believed_before() {
    let mut machine = Watched::new();
    machine.set(365 * DAY);
    machine.look();
    machine.newest = machine.reading.wall;
    machine.pass(11 * MINUTE);
    machine.set(-365 * DAY);
    let seen = machine.look();
    assert_eq!((machine.known.doubt, seen.anew), (None, Some(Anew::Every)));
}

#[test]
fn a_wake_is_waited_for_also_when_a_doubt_is_over() {
    let mut machine = Watched::new();
    machine.suspend(8 * HOUR);
    machine.set(365 * DAY);
    machine.look();
    assert_eq!(machine.held_for(), Some(10 * MINUTE));
    machine.pass(SECOND);
    machine.set(-365 * DAY);
    machine.look();
    assert_eq!(machine.held_for(), Some(9 * SECOND));
}

#[test]
fn after_a_restart_only_a_clock_that_is_behind_is_news() {
    let restarted = |off_ms: i64| {
        let mut machine = Watched::new();
        machine.reading = Reading { wall: WALL.plus_ms(off_ms), elapsed_ms: 40, awake_ms: 30 };
        let seen = machine.look_in(&boot(2));
        assert_eq!((span(&seen), machine.known.held_until()), (None, None), "{off_ms}");
        (seen.anew, set_by(&seen))
    };
    assert_eq!(restarted(7 * DAY), (None, None), "it was off");
    assert_eq!(restarted(-MINUTE), (None, None));
    assert_eq!(restarted(-MINUTE - 1), (Some(Anew::Every), Some(-MINUTE - 1)));
}

#[test]
fn a_doubt_outlives_a_restart() {
    let restarted = |to: Timestamp| {
        let mut machine = Watched::new();
        machine.set(365 * DAY);
        machine.look();
        machine.newest = machine.reading.wall;
        machine.reading = Reading { wall: to, elapsed_ms: 40, awake_ms: 30 };
        let seen = machine.look_in(&boot(2));
        (machine, seen)
    };
    let (mut machine, seen) = restarted(WALL.plus_ms(365 * DAY + HOUR));
    assert_eq!((seen.anew, machine.held_for()), (None, Some(10 * MINUTE)), "it may have held, or not");
    machine.pass(MINUTE);
    machine.set(-365 * DAY);
    assert_eq!(machine.look_in(&boot(2)).anew, Some(Anew::Ahead), "an hour later, as it was off");
    let (machine, seen) = restarted(WALL.plus_ms(HOUR));
    assert_eq!((seen.anew, machine.known.doubt), (Some(Anew::Ahead), None), "corrected meanwhile");
    let (_, seen) = restarted(WALL.plus_ms(-HOUR));
    assert_eq!(seen.anew, Some(Anew::Every), "and too far");
}

#[test]
fn a_doubt_is_told_in_words() {
    let mut machine = Watched::new();
    machine.set(365 * DAY);
    let doubt = machine.look().known.doubt.unwrap();
    machine.pass(9 * MINUTE + 1);
    let words = "the clock was set ahead by 8760 hours, so it may be wrong: no schedule fires for another 60 s, \
                 unless it is set back before";
    assert_eq!(doubt.told_at(machine.reading.wall), words);
}
