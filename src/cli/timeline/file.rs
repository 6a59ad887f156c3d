//! A file that is there as a whole or not at all.

use std::fs::{File, Metadata, OpenOptions, canonicalize, metadata, read_link, rename};
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::cli::opened::Trouble;

/// The most links that are followed to a file that is not there yet, as many as Linux follows.
const LINKS: usize = 40;

/// Where it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Into a file that can be opened now.
    File,
    /// Into a pipe or a device, which somebody reads who need not be told.
    Stream,
}

/// Writes the file beside its place and moves it there, so that nobody finds half of one, and what was there before stays
/// if there is no room. Links lead where they lead, and who may read a file that was there may read the new one. What is
/// there and no regular file, such as a pipe, is written into.
pub(super) fn write(file: &Path, content: &[u8]) -> Result<Written, Trouble> {
    if file.file_name().is_none() {
        return Err(Trouble::Unusable(format!("--html {}: name a file", file.display())));
    }
    let written = match metadata(file) {
        Ok(there) if there.is_file() => canonicalize(file).and_then(|at| replace(&at, Some(&there), content)),
        Ok(_) => {
            let opened = OpenOptions::new().write(true).open(file);
            opened.and_then(|mut stream| stream.write_all(content)).map(|()| Written::Stream)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => replace(&end_of_links(file), None, content),
        Err(error) => Err(error),
    };
    written.map_err(|error| {
        Trouble::Failed(format!(
            "{} cannot be written: {error}; name another file with --html, or `-` for stdout",
            file.display()
        ))
    })
}

/// Where a new file has to be made so that it is found by this path.
fn end_of_links(file: &Path) -> PathBuf {
    let mut at = file.to_owned();
    for _ in 0..LINKS {
        match read_link(&at) {
            Ok(target) => at = at.with_file_name(".").join(target),
            Err(_) => break,
        }
    }
    at
}

/// Puts a file in the place of what is there, or where nothing is.
fn replace(file: &Path, there: Option<&Metadata>, content: &[u8]) -> Result<Written, Error> {
    let name = file.file_name().ok_or(ErrorKind::InvalidInput)?;
    if there.is_some() {
        // Whoever may not write into it may not replace it either.
        OpenOptions::new().write(true).open(file)?;
    }
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.part", std::process::id()));
    let beside = file.with_file_name(beside);
    let made = File::create(&beside).and_then(|mut made| {
        if let Some(there) = there {
            made.set_permissions(there.permissions())?;
        }
        made.write_all(content)?;
        made.sync_all()
    });
    made.and_then(|()| rename(&beside, file)).inspect_err(|_| {
        // What there is of it helps nobody; whether it can be removed changes nothing.
        let _ = std::fs::remove_file(&beside);
    })?;
    Ok(Written::File)
}
