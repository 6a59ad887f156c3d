//! What is left for looking when the torture fails: what was done and when, and the state directory as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::support::{Place, clock};

/// What was done, with its times. When a test fails, all of it is shown and everything is kept that can be looked at.
pub(super) struct Evidence<'a> {
    place: &'a Place,
    seed: u64,
    began: Instant,
    acts: std::cell::RefCell<Vec<String>>,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(place: &'a Place, seed: u64) -> Evidence<'a> {
        Evidence { place, seed, began: clock(), acts: std::cell::RefCell::default() }
    }

    pub(super) fn note(&self, act: impl std::fmt::Display) {
        let line = format!("{:9.3} s  {act}", self.began.elapsed().as_secs_f64());
        self.acts.borrow_mut().push(line);
    }

    /// Copies what the windows have left to where nobody removes it.
    fn keep(&self) -> std::io::Result<PathBuf> {
        let kept = tempfile::Builder::new().prefix("sexton-torture-").tempdir()?.keep();
        copy(&self.place.beside(""), &kept)?;
        fs::write(kept.join("acts"), self.acts.borrow().join("\n"))?;
        Ok(kept)
    }
}

impl Drop for Evidence<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!("What was done, by SEXTON_TORTURE_SEED={}:", self.seed);
        self.acts.borrow().iter().for_each(|act| eprintln!("{act}"));
        match self.keep() {
            Ok(kept) => {
                eprintln!("The state directory, the project and these acts are kept in {}", kept.display())
            }
            Err(error) => eprintln!("The state directory could not be kept: {error}"),
        }
    }
}

/// Copies a directory with what is in it, as far as that is files.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &to)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
