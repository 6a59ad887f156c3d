//! A project with a state directory of its own, on the disk that the build directory is on.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::clock::wall_ms;

/// A directory that goes with everything in it when nobody has it any more.
pub(crate) struct Place {
    root: PathBuf,
}

impl Place {
    /// An empty one below this directory.
    pub(crate) fn below(directory: &Path, name: &str) -> io::Result<Place> {
        let root = directory.join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(root.join("project"))?;
        Ok(Place { root })
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.root.join("project")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left in the build directory does no harm.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Drafts of so many automations that are due in a year, and so never while anything is measured.
pub(crate) fn dormant(count: usize) -> Vec<Value> {
    /// A year, in milliseconds.
    const YEAR: i64 = 365 * 86_400_000;
    let due = wall_ms() as i64 + YEAR;
    let draft = |number: usize| {
        json!({
            "title": format!("Look through what came in, part {number}"), "kind": "oneshot", "fireAt": due,
            "task": {"kind": "command", "program": "sh", "args": ["-c", "make report"]},
        })
    };
    (0..count).map(draft).collect()
}
