//! The ledger, looked at as it is on the disk.

use std::path::Path;

use super::environment::{Times, in_units};
use super::outputs;
use crate::domain::diagnosis::{Check, Finding, Subject};
use crate::domain::refusal::{Refusal, StorageReason};
use crate::engine::audit::{self, Presence};
use crate::engine::clock;
use crate::exec;
use crate::ledger::{Examination, Fault, InstanceRow, OpenError, Part, SeenMarker};
use crate::presence::instance::{self, Peer};
use crate::sidecar::clock::Clock;

/// How often a ledger is looked at that somebody opens or closes meanwhile. Both take a moment.
const ATTEMPTS: usize = 5;

/// Faults of pages and indexes that are asked for. One damaged page makes hundreds.
const FAULTS: usize = 20;

const REPAIR: &str = "restore the state directory from a backup; or close all windows and run `sexton doctor --repair`, which keeps what is damaged and takes over what can be read";

const REBUILD: &str = "close all windows and run `sexton doctor --repair`, which keeps a copy and makes indexes and triggers anew; all that was recorded stays";

/// The parts of a ledger that can only be looked at when its files are sound.
const INSIDE: [Subject; 8] = [
    Subject::Pages,
    Subject::References,
    Subject::Events,
    Subject::Automations,
    Subject::Slots,
    Subject::Runs,
    Subject::Windows,
    Subject::Outputs,
];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) checks: Vec<Check>,
    /// What it knows of the clock, if it can be read.
    pub(super) times: Option<Times>,
    /// Whether automations work in worktrees, if it can be read.
    pub(super) needs_git: Option<bool>,
    /// What a repair would be about.
    pub(super) condition: Condition,
}

/// What is known of the files, as far as a repair is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Condition {
    /// They are sound.
    #[default]
    Sound,
    /// There is no ledger, and nothing tells that there has been one.
    Absent,
    /// They need a repair.
    Damaged(Damage),
    /// They could not be looked at, because of something that a repair would not mend.
    NotLookedAt(String),
}

/// What a repair is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// Only indexes do not agree with their tables.
    Indexes,
    /// Anything else.
    Files,
}

/// Looks at the ledger of a state directory.
pub(super) fn examine(state: &Path) -> Examined {
    let mut attempt = 1;
    loop {
        match Examination::begin(state) {
            Ok(None) => return nothing_there(state),
            Err(error) => return unusable(&error),
            Ok(Some(examination)) => {
                let examined = look_into(&examination, state);
                if !examination.was_disturbed() || attempt == ATTEMPTS {
                    return examined;
                }
                attempt += 1;
            }
        }
    }
}

fn nothing_there(state: &Path) -> Examined {
    let finding = Finding::warning(
        format!("there is no ledger of this project in {}", state.display()),
        "nothing is known of its automations",
        "if windows have had the project open, they keep its ledger elsewhere: see their `stateDirectory` and SEXTON_STATE_DIR",
    );
    let files = Check::of(Subject::Files).seen("no ledger").with(finding);
    Examined { checks: vec![files], condition: Condition::Absent, ..Examined::default() }
}

fn unusable(error: &OpenError) -> Examined {
    let remedy = match error {
        OpenError::OldSqlite { .. } => "build sexton with a newer SQLite",
        OpenError::NewerVersion { .. } => "update sexton",
        OpenError::Lost { .. } | OpenError::NotALedger { .. } => REPAIR,
        OpenError::NoFile { .. } => {
            "close all windows, move away what stands there, put the file itself in its place, and look again"
        }
        OpenError::Held { .. } => "end the process that holds it, and look again",
        OpenError::Failed { source, .. } => match source.reason() {
            StorageReason::Damaged => REPAIR,
            StorageReason::Busy => "look again when nobody holds it",
            StorageReason::ReadOnly | StorageReason::Io => {
                "see that this user may read and write the state directory and that its disk works, and look again"
            }
            StorageReason::Full
            | StorageReason::Unreadable
            | StorageReason::NotUnderstood
            | StorageReason::Replaced
            | StorageReason::NewerVersion => "see whether the disk works, and look again",
        },
    };
    let matters = match error {
        // Who has opened it before may be at work with it.
        OpenError::Held { .. } | OpenError::Failed { .. } if !error.is_damage() => {
            "what is in it is not known here, and windows that open it now may fail in the same way"
        }
        OpenError::Held { .. }
        | OpenError::Failed { .. }
        | OpenError::OldSqlite { .. }
        | OpenError::NewerVersion { .. }
        | OpenError::Lost { .. }
        | OpenError::NotALedger { .. }
        | OpenError::NoFile { .. } => {
            "no window that is opened now can use it; where none is at work with it already, nothing fires"
        }
    };
    let finding = Finding::problem(error.to_string(), matters, remedy);
    let why = "the files are not what they are to be";
    let mut checks = vec![Check::of(Subject::Files).seen("not to be used").with(finding)];
    checks.extend(INSIDE.map(|subject| Check::not_made(subject, why)));
    let condition = match error.is_damage() {
        true => Condition::Damaged(Damage::Files),
        false => Condition::NotLookedAt(error.to_string()),
    };
    Examined { checks, condition, ..Examined::default() }
}

fn look_into(examination: &Examination, state: &Path) -> Examined {
    let mut checks = vec![files(examination)];
    let (pages, damage) = pages(examination);
    checks.push(pages);
    let mut examined = Examined::default();
    match damage.is_none().then(|| inside(examination, state)) {
        Some(Ok(inside)) => {
            examined = inside;
            checks.append(&mut examined.checks);
        }
        Some(Err(refusal)) => {
            examined.condition = condition_behind(&refusal);
            let remedy = match examined.condition {
                Condition::Damaged(_) => REPAIR,
                Condition::Sound | Condition::Absent | Condition::NotLookedAt(_) => {
                    "do what is said there, and look again"
                }
            };
            let finding =
                Finding::problem(refusal.to_string(), "what is in the ledger cannot be relied on", remedy);
            checks.push(Check::of(Subject::References).seen("not to be read").with(finding));
            let why = "rows cannot be read";
            checks.extend(INSIDE.into_iter().skip(2).map(|subject| Check::not_made(subject, why)));
        }
        None => {
            let why = "pages or indexes are damaged, and what is read through them may be wrong";
            checks.extend(INSIDE.into_iter().skip(1).map(|subject| Check::not_made(subject, why)));
        }
    }
    let condition = damage.map_or(examined.condition, Condition::Damaged);
    Examined { checks, condition, ..examined }
}

/// What is known of files of which the rows cannot be read.
fn condition_behind(refusal: &Refusal) -> Condition {
    // What nobody can read is not in the way of a new ledger.
    let damaged = matches!(
        refusal,
        Refusal::Storage { reason: StorageReason::Damaged | StorageReason::Unreadable, .. }
    );
    match damaged {
        true => Condition::Damaged(Damage::Files),
        false => Condition::NotLookedAt(refusal.to_string()),
    }
}

fn files(examination: &Examination) -> Check {
    let summary =
        format!("{}, {}, format {}", examination.id(), in_units(examination.length()), examination.format());
    let check = Check::of(Subject::Files).seen(summary);
    let remedy = "open a window: it writes a new one";
    let matters = "if the ledger had lost anything, nobody would notice";
    match examination.marker() {
        SeenMarker::Agrees => check,
        SeenMarker::Missing => {
            check.with(Finding::warning("there is no marker (ledger.json) beside it", matters, remedy))
        }
        SeenMarker::Unreadable(why) => {
            let what = format!("its marker (ledger.json) cannot be read: {why}");
            check.with(Finding::warning(what, matters, remedy))
        }
    }
}

fn pages(examination: &Examination) -> (Check, Option<Damage>) {
    let found = |fault: &dyn std::fmt::Display| {
        let matters = "what was recorded may be lost, and windows may refuse to work with it";
        Finding::problem(format!("the database is damaged: {fault}"), matters, REPAIR)
    };
    let check = Check::of(Subject::Pages);
    match examination.damage(FAULTS) {
        Ok(faults) if faults.is_empty() => shape(examination, check),
        Ok(faults) => {
            // `row 7 missing from index X`, `wrong # of entries in index X`: the table itself is whole.
            let indexes = faults.iter().all(|fault| fault.contains(" index "));
            let check = faults.iter().fold(check.seen("damaged"), |check, fault| check.with(found(fault)));
            (check, Some(if indexes { Damage::Indexes } else { Damage::Files }))
        }
        Err(error) => (check.seen("damaged").with(found(&error)), Some(Damage::Files)),
    }
}

/// That tables, indexes and triggers are those of the format.
fn shape(examination: &Examination, check: Check) -> (Check, Option<Damage>) {
    let misshapen = match examination.misshapen() {
        Ok(misshapen) if misshapen.is_empty() => {
            return (check.seen("all pages and indexes are sound"), None);
        }
        Ok(misshapen) => misshapen,
        Err(error) => {
            let matters = "whether it keeps its rules cannot be told";
            let finding = Finding::problem(error.to_string(), matters, REPAIR);
            return (check.seen("not to be read").with(finding), Some(Damage::Files));
        }
    };
    let (mut check, mut worst) = (check.seen("tables, indexes or triggers are not those of a ledger"), None);
    for misshapen in misshapen {
        let (damage, matters) = match (misshapen.part, misshapen.fault) {
            (Part::Table | Part::View, Fault::Foreign) => {
                let matters = "sexton does not use it, and it does no harm";
                check.find(Finding::warning(misshapen.to_string(), matters, "nothing has to be done"));
                continue;
            }
            (Part::Table | Part::View, Fault::Missing | Fault::Changed) => {
                (Damage::Files, "windows fail as soon as they need it")
            }
            (Part::Index, Fault::Missing | Fault::Changed) => {
                (Damage::Indexes, "what it keeps from happening twice may happen, and windows are slow")
            }
            (Part::Index, Fault::Foreign) => {
                (Damage::Indexes, "it may refuse what the ledger allows, and slows windows down")
            }
            (Part::Trigger, Fault::Missing | Fault::Changed | Fault::Foreign) => {
                (Damage::Indexes, "what is written may be something else than what was decided")
            }
        };
        let remedy = match damage {
            Damage::Indexes => REBUILD,
            Damage::Files => REPAIR,
        };
        check.find(Finding::problem(misshapen.to_string(), matters, remedy));
        if worst != Some(Damage::Files) {
            worst = Some(damage);
        }
    }
    (check, worst)
}

fn inside(examination: &Examination, state: &Path) -> Result<Examined, Refusal> {
    let view = examination.view();
    let mut references = Check::of(Subject::References).seen("every row has what it refers to");
    examination.each_unreferenced(|row| {
        let what = match row.row {
            Some(place) => format!(
                "row {place} of `{}` refers to a row of `{}` that is not there",
                row.table, row.refers_to
            ),
            None => {
                format!("a row of `{}` refers to a row of `{}` that is not there", row.table, row.refers_to)
            }
        };
        let matters = "what it belongs to cannot be shown or carried out";
        let remedy = "restore the state directory from a backup, or delete the automation that is concerned";
        references.find(Finding::problem(what, matters, remedy));
    })?;
    let mut checks = vec![references];
    checks.extend(audit::audit(&view, |row| presence(state, row))?);
    checks.push(outputs::check(&view, &state.join("runs"))?);
    let now = Clock.now();
    /// As many as the ledger may remember.
    const SUSPENDS: usize = 100_000;
    let times = Times {
        newest: view.newest_event_at()?,
        doubt: clock::trouble(&view, now)?,
        slept: view.newest_suspends(SUSPENDS)?.len(),
    };
    Ok(Examined {
        checks,
        times: Some(times),
        needs_git: Some(view.needs_git()?),
        condition: Condition::Sound,
    })
}

/// Whether a window is there. A lock that can be taken is given up again at once: whoever is to settle what the window
/// left waits for it.
fn presence(state: &Path, row: &InstanceRow) -> Presence {
    match instance::look_at(state, &row.actor.instance, row.lock) {
        Ok(Peer::Alive) => Presence::Alive,
        Ok(Peer::Dead(lock)) => {
            lock.release();
            Presence::Dead
        }
        Ok(Peer::AskItsProcess) if exec::is_alive(&row.process) => Presence::Alive,
        Ok(Peer::AskItsProcess) => Presence::Dead,
        Err(_) => Presence::Unknown,
    }
}
