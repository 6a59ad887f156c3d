//! Times in which nothing can be written: what is asked for is refused and changes nothing, and life goes on when they
//! are over.

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::edits::Done;
use super::life::Life;

impl Life<'_> {
    /// The disk with the state directory takes nothing more for a while.
    pub(super) fn fill_the_disk(&mut self) {
        let Some(disk) = self.disk else { return };
        self.goes_on();
        self.shorten_the_log();
        disk.fill();
        let refused = self.while_nothing_can_be_written();
        disk.give_room();
        self.deeds.full += usize::from(refused);
        self.after_that();
    }

    /// No file that a window writes may grow beyond some size for a while.
    pub(super) fn limit_files(&mut self) {
        self.goes_on();
        self.shorten_the_log();
        let log = std::fs::metadata(self.state.join("ledger.db-wal")).map_or(0, |metadata| metadata.len());
        let room = self.rng.within(0..64 << 10).unsigned_abs();
        self.limit_each(Some(log + room));
        let refused = self.while_nothing_can_be_written();
        self.limit_each(None);
        self.deeds.limited += usize::from(refused);
        self.after_that();
    }

    fn limit_each(&self, current: Option<u64>) {
        for window in &self.windows {
            let pid = Pid::from_raw(window.client.pid().cast_signed());
            prlimit(pid, Resource::Fsize, Rlimit { current, maximum: None }).expect("our own child");
        }
    }

    /// So that there is nothing in the log that could be written over, where nobody looks at it just now.
    fn shorten_the_log(&self) {
        let moved = self.ledger.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        self.evidence.note(format_args!("  the log is shortened: {moved:?}"));
    }

    /// Whether anything that was asked for meanwhile was refused because of it. A window may be killed as well; another one
    /// comes when there is room.
    fn while_nothing_can_be_written(&mut self) -> bool {
        /// More than some of which nothing comes.
        const ATTEMPTS: i64 = 12;
        let wanted = self.rng.within(1..6);
        let mut refused = 0;
        for _ in 0..ATTEMPTS {
            if refused == wanted {
                break;
            }
            refused += i64::from(self.change_something() == Done::Refused);
        }
        if self.rng.one_in(3) {
            let at = self.any();
            self.kill(at);
        }
        self.evidence.note(format_args!("  {refused} changes were refused"));
        refused > 0
    }

    fn after_that(&mut self) {
        while self.windows.len() < self.wanted_windows {
            self.open_one();
        }
        self.goes_on();
    }
}
