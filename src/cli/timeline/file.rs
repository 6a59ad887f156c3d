//! A file that is there as a whole or not at all.

use std::fs::{File, rename};
use std::io::Write;
use std::path::Path;

use crate::cli::opened::Trouble;

/// Writes the file beside its place and moves it there, so that nobody finds half of one, and what was there before stays
/// if there is no room.
pub(super) fn write(file: &Path, content: &[u8]) -> Result<(), Trouble> {
    let Some(name) = file.file_name() else {
        return Err(Trouble::Unusable(format!("--html {}: name a file", file.display())));
    };
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.part", std::process::id()));
    let beside = file.with_file_name(beside);
    let written = File::create(&beside)
        .and_then(|mut made| made.write_all(content).and_then(|()| made.sync_all()))
        .and_then(|()| rename(&beside, file));
    written.map_err(|error| {
        // What there is of it helps nobody; whether it can be removed changes nothing.
        let _ = std::fs::remove_file(&beside);
        Trouble::Failed(format!(
            "{} cannot be written: {error}; name another file with --html, or `-` for stdout",
            file.display()
        ))
    })
}
