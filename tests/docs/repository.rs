//! Commands for who works on the repository: run in a likeness of it, in which `cargo`, `npm` and `node` are played.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::blocks::Block;
use crate::documents::root;
use crate::reader::Reader;
use crate::shell;

/// What is installed, built or kept by git, and no part of a fresh clone's files.
const LEFT_OUT: [&str; 7] = [".git", "target", "node_modules", "artifacts", "corpus", "build", "dist"];

/// Runs the blocks of one document, one after the other.
pub(crate) fn check(tour: &[(Block, String)]) -> Result<(), String> {
    let reader = Reader::new();
    let likeness = likeness(&reader);
    tour.iter().try_for_each(|(block, directory)| {
        let ended = shell::run(&reader, &likeness.join(directory), "-eu", &shell::script(block));
        ended
            .and_then(|ended| shell::ends_well(&ended))
            .map_err(|fault| format!("{}: {fault}", block.place()))
    })
}

/// The repository, as this reader has cloned it.
pub(crate) fn likeness(reader: &Reader) -> PathBuf {
    let likeness = reader.home().join("sexton");
    copy(root(), &likeness);
    // The one command that checks everything would come by here again.
    let everything = likeness.join(".ci/run");
    if std::fs::metadata(&everything).is_ok_and(|file| file.permissions().mode() & 0o100 != 0) {
        std::fs::write(&everything, "#!/bin/sh\n[ $# = 0 ]\n").unwrap();
    }
    likeness
}

fn copy(from: &Path, to: &PathBuf) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().unwrap();
        if LEFT_OUT.iter().any(|one| name == *one) {
            continue;
        } else if kind.is_dir() {
            copy(&path, &to.join(name));
        } else if kind.is_file() {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
