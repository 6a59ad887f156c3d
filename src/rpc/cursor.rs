//! Positions in lists. A client gets one with a page and hands it back for the next; what it says is ours.

use crate::domain::fault::{Fault, Word};
use crate::domain::id::LedgerId;

/// The kind of list that a cursor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// `automation/list`.
    Automations,
    /// `run/list`.
    Runs,
}

impl List {
    const fn letter(self) -> char {
        match self {
            List::Automations => 'a',
            List::Runs => 'r',
        }
    }
}

/// Writes the position before this row. A cursor names its list and its ledger, so that it cannot be used for
/// another.
pub fn write(list: List, ledger: &LedgerId, row: i64) -> String {
    format!("{}{row:x}.{}", list.letter(), of_ledger(ledger))
}

/// Reads a cursor back.
///
/// # Errors
/// When it was not given out for this list of this ledger.
pub fn read(list: List, ledger: &LedgerId, cursor: &str) -> Result<i64, Fault> {
    let read = || {
        let (row, of) = cursor.strip_prefix(list.letter())?.split_once('.')?;
        let plain = row.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        (plain && of == of_ledger(ledger)).then_some(())?;
        i64::from_str_radix(row, 16).ok()
    };
    let hint = "use the `nextCursor` of the page before, of this method and this project";
    read().ok_or_else(|| Fault::with_hint("cursor", Word::UnknownValue, hint))
}

/// Enough of the ledger's identity to tell ledgers apart.
fn of_ledger(ledger: &LedgerId) -> &str {
    let id = ledger.as_str();
    id.get(id.len().saturating_sub(12)..).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_list_and_ledger_only() {
        let here = LedgerId::from_unique("0123456789abcdef");
        let there = LedgerId::from_unique("fedcba9876543210");
        let cursor = write(List::Runs, &here, 300);
        assert_eq!(read(List::Runs, &here, &cursor), Ok(300));
        assert!(read(List::Automations, &here, &cursor).is_err());
        assert!(read(List::Runs, &there, &cursor).is_err());
        for malformed in ["", "r", "r.", "r+1.456789abcdef", "x", "r1", "r1.456789abcdef0", "r\u{e9}"] {
            assert!(read(List::Runs, &here, malformed).is_err(), "{malformed:?}");
        }
    }
}
