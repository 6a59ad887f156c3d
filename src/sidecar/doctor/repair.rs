//! Mends what no window can: a ledger whose files are damaged, lost or not the right ones.
//!
//! It is done only while no window has the project open. Everything of the old ledger is kept.

use std::path::Path;

use super::Doctor;
use super::ledger::{self, Condition, Damage};
use crate::domain::automation::Actor;
use crate::domain::clock::Boot;
use crate::domain::diagnosis::{Repair, Salvaged as TakenOver};
use crate::domain::id::{IdSource, InstanceId, LedgerId};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Limits;
use crate::domain::shown::Voice;
use crate::engine::{Context, salvage as taking_over};
use crate::exec;
use crate::ledger::{Examination, Loss, OpenError, Replacement, Salvaged, Tx, rebuild_indexes, salvage};
use crate::presence::instance;
use crate::presence::lock_file::{Attempt, HeldLock, IfMissing, holder, try_take};
use crate::sidecar::FreshIds;
use crate::sidecar::clock::Clock;

impl Doctor {
    /// Repairs the ledger, if it needs that.
    pub fn repair(&self) -> Repair {
        match self.try_to_repair() {
            Ok(repair) => repair,
            Err(why) => Repair::Refused { why },
        }
    }

    fn try_to_repair(&self) -> Result<Repair, String> {
        let condition = ledger::examine(&self.state).condition;
        let begun = Replacement::unfinished(&self.state).is_some();
        let damage = match condition {
            Condition::Damaged(damage) => Some(damage),
            Condition::Sound | Condition::Absent | Condition::NotLookedAt(_) if begun => None,
            Condition::Sound => {
                let why = "the files of the ledger are sound; what else was found is mended as it says there";
                return Ok(Repair::Nothing { why: why.to_owned() });
            }
            Condition::Absent => {
                return Err(format!("there is no ledger in {}; nothing was changed", self.state.display()));
            }
            Condition::NotLookedAt(why) => {
                return Err(format!(
                    "the ledger could not be looked at, and a repair would not mend why: {why}; nothing was changed"
                ));
            }
        };
        let _alone = Alone::with(&self.state)?;
        if let Some(replacement) = Replacement::unfinished(&self.state) {
            return self.finish(&replacement, vec![
                "an earlier repair did not come to its end and was finished now; what could not be read then is not known any more".to_owned(),
            ]);
        }
        match damage {
            None => Err("somebody else has repaired the ledger meanwhile; look again".to_owned()),
            Some(Damage::Indexes) => match rebuild_indexes(&self.state, Clock.now()) {
                Ok(copies) => Ok(Repair::IndexesRebuilt { copied_to: copies.to_string_lossy().into_owned() }),
                // Rows that an index would not allow are damage of the tables as well.
                Err(_) => self.replace(),
            },
            Some(Damage::Files) => self.replace(),
        }
    }

    /// Puts a new ledger in the place of the damaged one.
    fn replace(&self) -> Result<Repair, String> {
        let less = Examination::begin(&self.state).err().and_then(|error| what_is_not_known(&error));
        let Salvaged { automations, mut lost } = salvage(&self.state);
        lost.extend(less);
        let ledger = LedgerId::from_unique(&FreshIds.unique());
        let now = Clock.now();
        let fill = |tx: &Tx<'_>| {
            self.decide(|context| {
                automations.into_iter().try_for_each(|salvage| {
                    let note = "taken over from a damaged ledger by `sexton doctor --repair`; look whether it is as it should be, and resume it. The damaged files are in `damaged` in the state directory.";
                    taking_over::take_over(tx, context, salvage, note)
                })
            })
        };
        let (replacement, ()) = Replacement::prepare(&self.state, &self.project, ledger, now, fill)
            .map_err(|refusal| cannot(&refusal))?;
        replacement.begin().map_err(|error| cannot(&error))?;
        // From here on no window opens the old ledger. One may have done so a moment before.
        if let Some(who) = who_is_there(&self.state)? {
            replacement.withdraw().map_err(|error| cannot(&error))?;
            return Err(close(&who));
        }
        self.finish(&replacement, lost)
    }

    fn finish(&self, replacement: &Replacement, lost: Vec<String>) -> Result<Repair, String> {
        let again = |error: std::io::Error| {
            format!(
                "the new ledger is made, and the old one could not be moved aside: {error}; run `sexton doctor --repair` again"
            )
        };
        replacement.finish().map_err(again)?;
        let salvaged = taken_over(&self.state).map_err(|error| cannot(&error))?;
        Ok(Repair::NewLedger { moved_to: replacement.aside().to_string_lossy().into_owned(), salvaged, lost })
    }

    fn decide<T>(&self, decision: impl FnOnce(&Context<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let me = Actor {
            instance: InstanceId::from_unique(&FreshIds.unique()),
            client: Some("sexton doctor".to_owned()),
        };
        let (reading, boot, limits) =
            (Clock.read(), Boot::from_text(exec::boot_of_clocks()), Limits::default());
        let context = Context {
            now: reading.wall,
            due_by: reading.wall,
            reading,
            boot: &boot,
            ids: &mut FreshIds,
            me: &me,
            voice: Voice::Person,
            limits: &limits,
            project: &self.project,
            vcs: None,
            troubles: &mut Vec::new(),
        };
        decision(&context)
    }
}

/// What can be said of a ledger in which less is than has been: what was read of it is how things were some time ago.
fn what_is_not_known(error: &OpenError) -> Option<String> {
    let OpenError::Lost { loss, .. } = error else { return None };
    match loss {
        Loss::Missing | Loss::Empty => None,
        Loss::Behind { found, expected } => Some(format!(
            "what was changed after event {found}, up to {expected} at least, is not known: automations may be back that were deleted, and newer ones missing"
        )),
        Loss::Another { found, expected } => Some(format!(
            "the automations are those of the ledger {found}, and nothing is known of those of {expected}"
        )),
    }
}

/// What the new ledger has.
fn taken_over(state: &Path) -> Result<Vec<TakenOver>, Refusal> {
    let Some(examination) = Examination::begin(state)? else { return Ok(Vec::new()) };
    let view = examination.view();
    let mut taken_over = Vec::new();
    for row in view.automations_after(0, usize::MAX)? {
        let automation = view.automation_at(row)?;
        taken_over.push(TakenOver { id: automation.id, title: automation.definition.title });
    }
    Ok(taken_over)
}

/// No window has the project open, and none takes the bell as long as this is held.
struct Alone {
    _bell: HeldLock,
}

impl Alone {
    fn with(state: &Path) -> Result<Alone, String> {
        let path = state.join("owner.lock");
        let bell = match try_take(&path, IfMissing::Create).map_err(|error| cannot(&error))? {
            Attempt::Taken(held) => held,
            Attempt::HeldByAnother | Attempt::Missing => {
                let who = who_is_there(state)?.unwrap_or_else(|| match holder(&path) {
                    Some(pid) => format!("process {pid}"),
                    None => "another process".to_owned(),
                });
                return Err(close(&who));
            }
        };
        match who_is_there(state)? {
            Some(who) => Err(close(&who)),
            None => Ok(Alone { _bell: bell }),
        }
    }
}

fn close(who: &str) -> String {
    format!(
        "the project is open: {who}; close all of its windows, and what serves it without one, and run this again"
    )
}

fn cannot(why: &dyn std::fmt::Display) -> String {
    format!(
        "the ledger could not be repaired: {why}; everything of it is where it was, or in `damaged` beside it"
    )
}

/// Whose windows have the project open.
fn who_is_there(state: &Path) -> Result<Option<String>, String> {
    // The rows may be damaged; the locks tell who lives.
    let examination = Examination::begin(state).ok().flatten();
    let rows = examination.and_then(|examination| examination.view().instances().ok()).unwrap_or_default();
    let mut there = Vec::new();
    for id in instance::with_lock_files(state).map_err(|error| cannot(&error))? {
        let path = instance::lock_path(state, &id);
        match try_take(&path, IfMissing::Leave).map_err(|error| cannot(&error))? {
            Attempt::Taken(held) => held.release(),
            Attempt::Missing => {}
            Attempt::HeldByAnother => {
                let row = rows.iter().find(|row| row.actor.instance == id);
                let pid = row.map(|row| row.process.pid).or_else(|| holder(&path));
                let process = pid.map_or_else(
                    || format!("the holder of {}", path.display()),
                    |pid| format!("process {pid}"),
                );
                there.push(match row.and_then(|row| row.actor.client.as_deref()) {
                    Some(client) => format!("{process} of {client}"),
                    None => process,
                });
            }
        }
    }
    Ok((!there.is_empty()).then(|| there.join(", ")))
}
