//! Everything that a fuzzer has found to be worth keeping, and every input that has ever broken something, is tried
//! again: `fuzz/seeds` has a directory for each kind. CONTRIBUTING.md says how more is found.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod bodies;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Tries all that was kept of one kind.
fn replay(kind: &str, check: impl Fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(kind);
    let mut paths: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "only {} inputs in {}", paths.len(), directory.display());
    let broken = paths.iter().filter(|path| {
        let input = std::fs::read(path).unwrap();
        // What it panics with has been printed.
        catch_unwind(AssertUnwindSafe(|| check(&input))).is_err()
    });
    let broken: Vec<_> = broken.map(|path| path.display().to_string()).collect();
    assert!(broken.is_empty(), "these break something:\n{}", broken.join("\n"));
}

#[test]
fn schedules() {
    replay("schedules", bodies::schedules::check);
}

#[test]
fn conversations() {
    replay("conversation", bodies::conversation::check);
}

#[test]
fn agents() {
    replay("agent", bodies::agent::check);
}

#[test]
fn params() {
    replay("params", bodies::params::check);
}

#[test]
fn stored_rows() {
    replay("stored", bodies::stored::check);
}

#[test]
fn damaged_files() {
    replay("damaged", bodies::damaged::check);
}
