//! Whether each automation can be understood, and is due when its schedule says.

use super::counted;
use crate::domain::diagnosis::{Check, Finding, Subject};
use crate::domain::id::AutomationId;
use crate::domain::refusal::Refusal;
use crate::domain::schedule::local_time;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::engine::derive;
use crate::ledger::{AutomationRow, LedgerError, Stored, View};

/// Automations whose places are asked for at once.
const AT_ONCE: usize = 1000;

/// Looks at every automation that has not been deleted.
///
/// # Errors
/// When the ledger cannot be read.
pub fn check(view: &View<'_>) -> Result<Check, Refusal> {
    let mut check = Check::of(Subject::Automations);
    let (mut after, mut all, mut paused) = (0, 0_u64, 0_u64);
    loop {
        let rows = view.automations_after(after, AT_ONCE)?;
        for row in &rows {
            all += 1;
            match view.stored_automation_at(*row) {
                Ok(Stored::Known(automation)) => {
                    paused += u64::from(automation.pause.is_some());
                    check_one(&mut check, &automation);
                }
                Ok(Stored::Later(later)) => check.find(of_later_version(&later.automation.id)),
                Err(error @ (LedgerError::Unreadable { .. } | LedgerError::Broken(_))) => {
                    check.find(unreadable(&view.automation_id_at(*row)?, &error));
                }
                Err(error) => return Err(error.into()),
            }
        }
        match rows.last() {
            Some(last) => after = *last,
            None => break,
        }
    }
    let summary = match paused {
        0 => counted(all, "automation"),
        paused => format!("{}, {paused} of them paused", counted(all, "automation")),
    };
    Ok(check.seen(summary))
}

fn check_one(check: &mut Check, automation: &AutomationRow) {
    let title = &automation.definition.title;
    let Ok(zone) = Zone::named(&automation.definition.timezone) else {
        let what = format!(
            "the zone data of this machine does not know {}, the time zone of “{title}”",
            automation.definition.timezone
        );
        let remedy = "choose another `timezone` for it, or bring the zone data of this machine up to date";
        return check.find(Finding::warning(what, "it does not fire", remedy).at(&automation.id));
    };
    let due = derive::next_fire(automation);
    if due == automation.next_fire_at {
        return;
    }
    let told = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| local_time(&zone, at));
    let what = format!(
        "“{title}” is set to fire next {}, and by its schedule that would be {}",
        told(automation.next_fire_at),
        told(due)
    );
    let matters = match (automation.next_fire_at, due) {
        (None, Some(_)) => "it does not fire",
        (Some(_), None) => "it is looked at for nothing",
        (Some(set), Some(due)) if set > due => "it fires too late",
        (Some(_), Some(_)) | (None, None) => "it is looked at too early, for nothing",
    };
    let remedy =
        "pause it and resume it (`automation/pause`, `automation/resume`): that works the time out anew";
    check.find(Finding::problem(what, matters, remedy).at(&automation.id));
}

fn of_later_version(id: &AutomationId) -> Finding {
    let what =
        "what it is to do was written by a later version of sexton, and this one does not understand it";
    let matters = "it fires only while a window with that version owns the bell";
    Finding::warning(what, matters, "update sexton").at(id)
}

fn unreadable(id: &AutomationId, error: &LedgerError) -> Finding {
    let what = format!("what it is to do cannot be read: {error}");
    let remedy =
        "delete it (`automation/delete`) and create it again, or restore the state directory from a backup";
    Finding::problem(what, "it does not fire, and no version of sexton can carry it out", remedy).at(id)
}
