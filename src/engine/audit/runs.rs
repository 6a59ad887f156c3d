//! Whether runs say what can be, and whether somebody has those that have not ended.

use super::{Presence, counted};
use crate::domain::diagnosis::{Check, Finding, Subject};
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::ledger::{InstanceRow, RunRule, View};

const FORCED: &str = "close all windows, open one, and cancel it (`run/cancel`) or force the close (`lifecycle/close`); if that does not end it, restore the state directory from a backup";

/// Looks at every run.
///
/// # Errors
/// When the ledger cannot be read.
pub fn check(view: &View<'_>) -> Result<Check, Refusal> {
    let mut check = Check::of(Subject::Runs);
    view.each_run_against(&RunRule::ALL, |rule, run, automation| {
        let finding = broken(rule, &run);
        check.find(Finding { what: format!("{} (of {automation})", finding.what), ..finding }.at(run));
    })?;
    let (all, active) = view.count_runs()?;
    let summary = match active {
        0 => counted(all, "run"),
        active => format!("{}, {active} of them active", counted(all, "run")),
    };
    Ok(check.seen(summary))
}

fn broken(rule: RunRule, run: &RunId) -> Finding {
    match rule {
        RunRule::GivenToNobody => Finding::problem(
            format!("{run} was given to a window that the ledger does not know"),
            "nobody carries it out and nobody ends it, so its automation and its directory wait for it",
            FORCED,
        ),
        RunRule::WorksWithoutProcess => Finding::problem(
            format!("{run} is at work, and nothing tells what carries it out"),
            "it never ends by itself, so its automation and its directory wait for it",
            FORCED,
        ),
        RunRule::HoldsAfterItsEnd => Finding::problem(
            format!("{run} has ended with all its work, and still holds its directory"),
            "no other run that writes can begin there",
            "use another directory, or restore the state directory from a backup",
        ),
        RunRule::HoldsUngiven => Finding::problem(
            format!("{run} holds its directory, and nobody has it"),
            "no other run that writes can begin there",
            FORCED,
        ),
        RunRule::HalfEnded => Finding::problem(
            format!("{run} has ended by one part of its row, and has not by another"),
            "what is shown of it cannot be relied on, and its automation may wait for it",
            "restore the state directory from a backup, or delete its automation",
        ),
        RunRule::Unreadable => Finding::problem(
            format!("a part of what {run} says cannot be read"),
            "it is left out of lists, and cannot be shown",
            "nothing has to be done if it has ended: it goes with its automation's history; otherwise delete its automation",
        ),
    }
}

/// Looks at who has the project open.
///
/// # Errors
/// When the ledger cannot be read.
pub fn check_windows(view: &View<'_>, presence: impl Fn(&InstanceRow) -> Presence) -> Result<Check, Refusal> {
    let mut check = Check::of(Subject::Windows);
    let windows: Vec<(InstanceRow, Presence)> = view
        .instances()?
        .into_iter()
        .map(|row| (presence(&row), row))
        .map(|(seen, row)| (row, seen))
        .collect();
    let alive = windows.iter().filter(|(_, seen)| *seen == Presence::Alive);
    let takes_part = |row: &InstanceRow| row.role == Role::Participant;
    let (open, somebody) = (alive.clone().count(), alive.clone().any(|(row, _)| takes_part(row)));
    for (row, seen) in &windows {
        let who = called(row);
        let id = &row.actor.instance;
        match seen {
            Presence::Alive => {}
            Presence::Unknown => {
                let what = format!("whether {who} is still there cannot be told");
                let remedy = "see that this user may read and write the lock files in `instances`";
                let matters = "what it left, if it has died, is settled by the next window that can tell";
                check.find(Finding::warning(what, matters, remedy).at(id));
            }
            Presence::Dead => {
                let given = view.count_given(id)?;
                let left = match given {
                    0 => "it left no work".to_owned(),
                    given => format!("it had {} in hand", counted(given, "run")),
                };
                let matters = match given {
                    0 => "nothing waits for it",
                    _ => "until that is settled, their automations and directories wait for them",
                };
                let remedy = match somebody {
                    true => {
                        "windows that are open settle it within seconds; if it is still here then, open another one"
                    }
                    false => {
                        "open a window, or run `sexton serve --headless`: whoever opens the project settles it first"
                    }
                };
                let what = format!("{who} has died and is not settled yet; {left}");
                check.find(Finding::warning(what, matters, remedy).at(id));
            }
        }
    }
    let untold = windows.iter().any(|(_, seen)| *seen == Presence::Unknown);
    let summary = match (open, view.ringing_instance()?) {
        (0, _) if untold => "whether one is open cannot be told".to_owned(),
        (0, _) => "none is open".to_owned(),
        (open, Some(ringing)) => {
            format!(
                "{} open; process {} rings the bell",
                counted(u64::try_from(open).unwrap_or(u64::MAX), "window"),
                ringing.pid
            )
        }
        (open, None) => format!("{} open", counted(u64::try_from(open).unwrap_or(u64::MAX), "window")),
    };
    Ok(check.seen(summary))
}

fn called(row: &InstanceRow) -> String {
    match &row.actor.client {
        Some(client) => format!("the window of {client} (process {})", row.process.pid),
        None => format!("the window with process {}", row.process.pid),
    }
}
