//! Timelines of days that are made up.

mod model;
mod page;
mod text;
mod window;

use super::known::{Known, KnownAutomation, KnownFire, KnownRun, Sleep, Slots, Stage};
use super::model::Timeline;
use crate::domain::run::machine::StopReason;
use crate::domain::schedule::typed::read_time;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;

const MINUTE: i64 = 60_000;

fn berlin() -> Zone {
    Zone::named("Europe/Berlin").unwrap()
}

/// A time of Monday, 6 January 2025, in Berlin, or of the day that is named.
fn at(typed: &str) -> Timestamp {
    let noon = Timestamp::from_millis(1_736_161_200_000);
    read_time(typed, &berlin(), noon).unwrap()
}

/// That noon, with twelve hours on each side and nothing in them.
fn noon() -> Known {
    Known {
        from: at("00:00"),
        to: at("2025-01-07 00:00"),
        now: at("12:00"),
        zone: berlin(),
        automations: Vec::new(),
        runs: Vec::new(),
        fires: Vec::new(),
        sleeps: Vec::new(),
        windows: 1,
        chosen: String::new(),
        gaps: Vec::new(),
    }
}

fn automation(id: &str, title: &str, next_at: Option<&str>) -> KnownAutomation {
    let (id, title) = (id.to_owned(), title.to_owned());
    KnownAutomation { id, title, paused: false, next_at: next_at.map(at) }
}

/// A run that was due at one time and at work between two others, as far as it was.
fn run(automation: &str, due: &str, work: (Option<&str>, Option<&str>), stage: Stage) -> KnownRun {
    let due = at(due);
    KnownRun {
        id: format!("run_{automation}_{due}"),
        automation: automation.to_owned(),
        title: format!("{automation} as it was"),
        due: Some(due),
        slots: Some(Slots { from: due, to: due, count: 1 }),
        triggered_at: due,
        started_at: work.0.map(at),
        completed_at: work.1.map(at),
        stage,
        skipped: None,
    }
}

fn ran(automation: &str, from: &str, to: &str) -> KnownRun {
    run(automation, from, (Some(from), Some(to)), Stage::Succeeded { note: None })
}

fn failed(automation: &str, from: &str, to: &str) -> KnownRun {
    let why = "exit code 1".to_owned();
    run(automation, from, (Some(from), Some(to)), Stage::Failed { why })
}

/// The record of times for which nothing was started.
fn never(automation: &str, slots: (&str, &str, u64), recorded: &str, reason: StopReason) -> KnownRun {
    let (from, to, count) = (at(slots.0), at(slots.1), slots.2);
    KnownRun {
        slots: Some(Slots { from, to, count }),
        triggered_at: at(recorded),
        ..run(automation, slots.1, (None, Some(recorded)), Stage::Stopped { reason })
    }
}

fn fire(automation: &str, due: &str, outcome: Verdict, started: Option<&str>) -> KnownFire {
    let automation = automation.to_owned();
    KnownFire { automation, at: at(due), outcome, started_at: started.map(at), why: None }
}

/// A day with a bit of everything.
fn rich() -> Timeline {
    let mut known = noon();
    known.automations = vec![
        automation("atm_tests", "Nightly tests", Some("2025-01-07 02:00")),
        automation("atm_poll", "Poll the inbox", Some("12:30")),
        automation("atm_backup", "Backup", Some("18:00")),
        automation("atm_report", "Report", None),
        automation("atm_refactor", "Refactor", None),
        automation("atm_quiet", "Quiet", None),
    ];
    known.automations[3].paused = true;
    let asks = Stage::Asks { since: at("11:30"), what: "May I push?".to_owned() };
    known.runs = vec![
        run("atm_refactor", "11:00", (Some("11:00"), None), asks),
        run("atm_report", "10:00", (Some("10:45"), Some("11:15")), Stage::Succeeded { note: None }),
        never("atm_poll", ("05:00", "07:30", 6), "07:40", StopReason::MissedSchedule),
        never("atm_backup", ("08:00", "08:00", 1), "08:30", StopReason::PreviousRunActive),
        ran("atm_backup", "06:00", "08:30"),
        failed("atm_tests", "02:00", "02:40"),
        ran("atm_gone", "01:00", "01:00:20"),
    ];
    known.runs.extend((0..10).map(|half| {
        let from = format!("{:02}:{:02}", half / 2, half % 2 * 30);
        ran("atm_poll", &from, &format!("{from}:10"))
    }));
    known.fires = vec![
        fire("atm_backup", "18:00", Verdict::Ran, Some("18:00")),
        fire("atm_backup", "19:00", Verdict::Overlapped, None),
        fire("atm_poll", "12:30", Verdict::Ran, Some("12:30")),
        fire("atm_poll", "13:30", Verdict::RanLate, Some("14:30")),
    ];
    known.sleeps = vec![Sleep { from: at("04:45"), to: at("07:35") }];
    Timeline::of(known)
}
