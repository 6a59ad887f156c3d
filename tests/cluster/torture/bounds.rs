//! What windows may have at most, whatever is done to them.

use std::fs::read_dir;

use super::life::Life;

/// What a window may have open: its own files, a lock for each other window, and a few for each of the runs that it carries
/// out.
const DESCRIPTORS: usize = 128;

/// Its own, a small one for each other window, and those that wait for a disk or a process meanwhile.
const THREADS: usize = 96;

/// What the log of the ledger may take. While a window that was stopped still reads in it, it cannot be begun anew, and
/// grows by what is written meanwhile.
const LOG_BYTES: u64 = 64 << 20;

impl Life<'_> {
    pub(super) fn stays_within_bounds(&mut self) {
        for window in &self.windows {
            let pid = window.client.pid();
            let count = |of: &str| read_dir(format!("/proc/{pid}/{of}")).expect("a process of ours").count();
            let (descriptors, threads) = (count("fd"), count("task"));
            assert!(descriptors <= DESCRIPTORS, "{pid} has {descriptors} descriptors");
            assert!(threads <= THREADS, "{pid} has {threads} threads");
        }
        let log = std::fs::metadata(self.state.join("ledger.db-wal")).map_or(0, |metadata| metadata.len());
        assert!(log <= LOG_BYTES, "the log has {log} bytes");
        self.evidence.note(format_args!("  the log has {log} bytes"));
    }
}
