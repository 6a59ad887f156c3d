//! Is a ledger what it promises to be? Asked of its rows, whoever wrote them, and changing none.
//!
//! [`slots`] walks through every schedule and through everything that answers for its times, [`automations`] and
//! [`runs`] look at what is to be done and at who has it, [`events`] at what was told.

pub mod automations;
pub mod events;
pub mod runs;
pub mod slots;

use crate::domain::diagnosis::Check;
use crate::domain::refusal::Refusal;
use crate::ledger::{InstanceRow, View};

/// Whether a window that has a row is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Alive,
    /// It has died, and nobody has settled what it left.
    Dead,
    /// Nobody here can tell.
    Unknown,
}

/// Looks at everything. Takes as long as reading all rows a few times.
///
/// # Errors
/// When the ledger cannot be read.
pub fn audit(view: &View<'_>, presence: impl Fn(&InstanceRow) -> Presence) -> Result<Vec<Check>, Refusal> {
    Ok(vec![
        events::check(view)?,
        automations::check(view)?,
        slots::check(view)?,
        runs::check(view)?,
        runs::check_windows(view, presence)?,
    ])
}

/// A number with its noun.
fn counted(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        more => format!("{more} {noun}s"),
    }
}
