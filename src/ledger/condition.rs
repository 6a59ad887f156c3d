//! What is wrong with the ledger at the moment, for those who ask how it is.

use std::sync::Mutex;

use super::error::Trouble;
use crate::domain::refusal::{Refusal, StorageReason};

/// Remembers the last trouble with the disk or the files until it is over.
#[derive(Default)]
pub(super) struct Condition {
    trouble: Mutex<Option<Trouble>>,
}

/// Whether something was known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Known,
    New,
}

impl Condition {
    /// Something could not be done. What single rows say is no trouble of the ledger.
    pub(super) fn failed(&self, trouble: &Trouble) -> News {
        if trouble.reason.is_about_single_rows() {
            return News::Known;
        }
        let mut known = self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.as_ref() == Some(trouble) {
            return News::Known;
        }
        // Damage stays until the whole database has been looked through, whatever happens beside it.
        if known.as_ref().is_some_and(|known| known.reason == StorageReason::Damaged) {
            return News::New;
        }
        *known = Some(trouble.clone());
        News::New
    }

    /// The same for what was refused, for whatever reason.
    pub(super) fn refused(&self, refusal: &Refusal) {
        if let Some(trouble) = Trouble::behind(refusal) {
            self.failed(&trouble);
        }
    }

    /// Something was written. That says nothing about damage elsewhere.
    pub(super) fn wrote(&self) {
        let mut known = self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.as_ref().is_some_and(|known| known.reason != StorageReason::Damaged) {
            *known = None;
        }
    }

    /// The whole database was looked through and is sound.
    pub(super) fn sound(&self) {
        *self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Refuses while the database is known to be damaged. The way out of damage is a backup, which would not have
    /// what is committed from then on.
    pub(super) fn refuse_damaged(&self) -> Result<(), Trouble> {
        match self.trouble() {
            Some(trouble) if trouble.reason == StorageReason::Damaged => Err(trouble),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reason: StorageReason) -> Trouble {
        Trouble { reason, message: format!("{reason:?}") }
    }

    #[test]
    fn trouble_passes_with_a_write_and_damage_only_with_a_look_through() {
        let condition = Condition::default();
        assert_eq!(condition.failed(&of(StorageReason::Full)), News::New);
        assert_eq!(condition.failed(&of(StorageReason::Full)), News::Known);
        condition.wrote();
        assert_eq!(condition.trouble(), None);
        condition.failed(&of(StorageReason::Full));
        condition.failed(&of(StorageReason::Damaged));
        condition.failed(&of(StorageReason::Full));
        condition.wrote();
        assert_eq!(condition.trouble(), Some(of(StorageReason::Damaged)));
        assert_eq!(condition.refuse_damaged(), Err(of(StorageReason::Damaged)));
        condition.sound();
        assert_eq!(condition.refuse_damaged(), Ok(()));
        assert_eq!(condition.trouble(), None);
    }

    #[test]
    fn what_single_rows_say_is_no_trouble() {
        let condition = Condition::default();
        condition.failed(&of(StorageReason::Unreadable));
        condition.refused(&Refusal::Internal("x".to_owned()));
        assert_eq!(condition.trouble(), None);
    }
}
