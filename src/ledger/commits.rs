//! What is known to have been committed, by this process or another, and who is told.

use tokio::sync::watch;

use super::column::View;
use super::error::LedgerError;

/// What has been committed so far, as far as this process knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// How many transactions of this process.
    pub transactions: u64,
    /// The newest event, whoever wrote it.
    pub seq: i64,
    /// The newest state of the database that somebody here has looked at.
    looked_at: i64,
}

/// How far the ledger was at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// The newest event.
    seq: i64,
    /// Differs from the one before whenever anybody has committed anything in between.
    state: i64,
}

impl View<'_> {
    /// How far the ledger is. To be had on the connection of the reader only: states of two connections cannot be
    /// compared.
    pub fn glimpse(&self) -> Result<Glimpse, LedgerError> {
        let sql = "PRAGMA data_version";
        let state = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(Glimpse { seq: self.newest_seq()?, state })
    }
}

/// Tells those who follow what is committed.
pub(super) struct Commits(watch::Sender<Committed>);

impl Commits {
    pub(super) fn new() -> Commits {
        Commits(watch::Sender::new(Committed::default()))
    }

    pub(super) fn follow(&self) -> watch::Receiver<Committed> {
        self.0.subscribe()
    }

    /// This process has committed something; everybody is told.
    pub(super) fn wrote(&self, seq: i64) {
        self.0.send_modify(|committed| {
            committed.transactions += 1;
            committed.seq = committed.seq.max(seq);
        });
    }

    /// Somebody has looked at everything there is to do in this state: only who follows events may have missed
    /// something.
    pub(super) fn looked_at(&self, glimpse: Glimpse) {
        self.notice(glimpse, |_| false);
    }

    /// There may be something to look at. Everybody is told, unless it was looked at already.
    pub(super) fn glimpsed(&self, glimpse: Glimpse) {
        self.notice(glimpse, |committed| committed.looked_at != glimpse.state);
    }

    fn notice(&self, glimpse: Glimpse, changed: impl Fn(&Committed) -> bool) {
        self.0.send_if_modified(|committed| {
            let news = glimpse.seq > committed.seq || changed(committed);
            committed.seq = committed.seq.max(glimpse.seq);
            committed.looked_at = glimpse.state;
            news
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_at_is_no_news() {
        let commits = Commits::new();
        let mut told = commits.follow();
        let mut is_told = |act: &dyn Fn(&Commits)| {
            act(&commits);
            let changed = told.has_changed().unwrap();
            told.mark_unchanged();
            changed
        };
        let at = |seq, state| Glimpse { seq, state };
        assert!(is_told(&|commits| commits.wrote(1)));
        assert!(!is_told(&|commits| commits.looked_at(at(1, 7))), "the loop, about its own commit");
        assert!(!is_told(&|commits| commits.glimpsed(at(1, 7))), "the bell that the commit has rung");
        assert!(
            is_told(&|commits| commits.glimpsed(at(1, 8))),
            "another has committed something without an event"
        );
        assert!(!is_told(&|commits| commits.glimpsed(at(1, 8))));
        assert!(is_told(&|commits| commits.looked_at(at(2, 9))), "who follows events has not seen it");
    }
}
