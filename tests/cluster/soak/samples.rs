//! What is taken, looked at again and again.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::everyday::Everyday;
use crate::support::resident_kb;

/// Something that is looked at, of one window or of all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Descriptors of one window.
    Descriptors,
    /// Threads of one window.
    Threads,
    /// Memory of the machine that one window has, in kilobytes.
    Resident,
    /// The same, with its share of what it has together with others.
    Proportional,
    /// The ledger's log, in kilobytes, when nobody looks for long.
    Log,
    /// The ledger's log, in kilobytes, when somebody has looked since the look before.
    LogInLongLook,
    /// The pages of the ledger that hold something else than events, in kilobytes.
    LedgerBesideEvents,
    /// The same of events, divided by how many there are, in bytes.
    BytesPerEvent,
    /// Everything in the state directory but the ledger and its log, in kilobytes.
    OtherFiles,
    /// How many files those are.
    OtherFilesCount,
}

impl Measure {
    pub(super) const ALL: [Measure; 10] = [
        Measure::Descriptors,
        Measure::Threads,
        Measure::Resident,
        Measure::Proportional,
        Measure::Log,
        Measure::LogInLongLook,
        Measure::LedgerBesideEvents,
        Measure::BytesPerEvent,
        Measure::OtherFiles,
        Measure::OtherFilesCount,
    ];
}

/// What was seen of one thing.
pub(super) struct Series {
    pub(super) measure: Measure,
    /// When, and how much.
    pub(super) values: Vec<(Duration, f64)>,
}

pub(super) struct Samples {
    pub(super) series: Vec<Series>,
    windows: usize,
}

impl Samples {
    pub(super) fn of(everyday: &Everyday<'_>) -> Samples {
        Samples { series: Vec::new(), windows: everyday.stay.len() }
    }

    /// Where this is kept: each window has a place of its own.
    fn series(&mut self, measure: Measure, number: usize) -> &mut Series {
        let of = |one: &(usize, &Series)| one.1.measure == measure;
        let found = self.series.iter().enumerate().filter(of).nth(number).map(|(at, _)| at);
        let at = found.unwrap_or_else(|| {
            self.series.push(Series { measure, values: Vec::new() });
            self.series.len() - 1
        });
        &mut self.series[at]
    }

    pub(super) fn take(&mut self, at: Duration, everyday: &Everyday<'_>, in_long_look: bool) {
        for window in 0..self.windows {
            let pid = everyday.stay[window].pid();
            let count = |of: &str| fs::read_dir(format!("/proc/{pid}/{of}")).expect("a window").count();
            self.note(Measure::Descriptors, window, at, count("fd"));
            self.note(Measure::Threads, window, at, count("task"));
            self.note(Measure::Resident, window, at, resident_kb(pid));
            self.note(Measure::Proportional, window, at, proportional_kb(pid));
        }
        let log = size(&everyday.state.join("ledger.db-wal")) / 1024;
        let measure = if in_long_look { Measure::LogInLongLook } else { Measure::Log };
        self.note(measure, 0, at, log);
        let bytes = |which: &str| -> i64 {
            let sql =
                format!("SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND {which}");
            everyday.ledger.query_row(&sql, [], |row| row.get(0)).expect("how large the ledger is")
        };
        let count = "SELECT count(*) FROM events";
        let events: i64 = everyday.ledger.query_row(count, [], |row| row.get(0)).expect("a number");
        self.note(Measure::LedgerBesideEvents, 0, at, bytes("name NOT LIKE 'events%'") / 1024);
        self.note(Measure::BytesPerEvent, 0, at, bytes("name LIKE 'events%'") / events.max(1));
        let (files, kilobytes) = others(&everyday.state);
        self.note(Measure::OtherFiles, 0, at, kilobytes);
        self.note(Measure::OtherFilesCount, 0, at, files);
    }

    fn note(&mut self, measure: Measure, number: usize, at: Duration, value: impl TryInto<u32>) {
        let value = value.try_into().unwrap_or(u32::MAX);
        self.series(measure, number).values.push((at, f64::from(value)));
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Its share of what it has in memory together with other processes, and what it has alone.
fn proportional_kb(pid: u32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("its memory");
    let line = rollup.lines().find(|line| line.starts_with("Pss:")).expect("its share");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).expect("a number")
}

/// How many files there are beside the ledger, and how many kilobytes they have.
fn others(directory: &Path) -> (u64, u64) {
    let (mut files, mut bytes, mut left) = (0, 0, vec![directory.to_owned()]);
    while let Some(directory) = left.pop() {
        // What goes meanwhile is not there.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                Ok(_) if !name.to_string_lossy().starts_with("ledger.db") => {
                    (files, bytes) = (files + 1, bytes + size(&entry.path()));
                }
                Ok(_) | Err(_) => {}
            }
        }
    }
    (files, bytes / 1024)
}
