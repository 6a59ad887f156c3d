//! What is in a work tree now, committed or not, as a tree of git's.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::{Git, NoAnswer, programs};

/// Notes down what is in the work tree in which `git` is, as it would be committed: what is ignored is left out, what
/// is untracked is not, and submodules are the commits that they stand at. Gives the tree's name.
///
/// Nothing is started that the repository's own configuration names: files count by what they hold.
///
/// The user's own index stays as it is: a copy of it, in the directory `scratch`, spares reading files that it knows.
/// Large files that are kept elsewhere (LFS) count by what they hold: what would put them there writes into the
/// repository. Objects are written into the directory `objects`, which then has what the repository has not.
pub(in crate::exec) async fn write(git: &Git, scratch: &Path, objects: &Path) -> Result<String, NoAnswer> {
    let own = git.paths(&["rev-parse", "--git-path", "index", "--git-path", "objects"]).await?;
    let [index, own_objects] = <[PathBuf; 2]>::try_from(own).map_err(|_| unreadable())?;
    let copy = scratch.join("index");
    let (from, to) = (index, copy.clone());
    let copied = tokio::task::spawn_blocking(move || copy_index(&from, &to)).await;
    copied.map_err(io::Error::from).and_then(|copied| copied).map_err(NoAnswer::Failed)?;
    let git = programs::without(git).await?;
    let mut git = beside(git, objects, &own_objects).with("GIT_INDEX_FILE", copy);
    for setting in [
        "core.splitIndex=false",
        "core.untrackedCache=false",
        "core.compression=1",
        "core.fsync=none",
        "filter.lfs.clean=",
        "filter.lfs.process=",
        "filter.lfs.required=false",
        // Otherwise git starts another one in each submodule, where another configuration holds.
        "diff.ignoreSubmodules=dirty",
    ] {
        git = git.set(setting);
    }
    match git.bytes(&["add", "--all", "--ignore-errors"]).await {
        // Exit code 1 tells of files that could not be read: they stay as they were known.
        Ok(_) | Err(NoAnswer::Refused { code: Some(1), .. }) => {}
        Err(other) => return Err(other),
    }
    git.text(&["write-tree"]).await
}

/// A file that has changed since the index was written is known by its time, so the copy has the time of the index.
pub(in crate::exec) fn copy_index(index: &Path, copy: &Path) -> io::Result<()> {
    match fs::remove_file(copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    match fs::copy(index, copy) {
        Ok(_) => {
            let written_at = fs::metadata(index)?.modified()?;
            fs::OpenOptions::new().write(true).open(copy)?.set_modified(written_at)
        }
        // Nothing was ever added.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The same git, which writes objects into this directory, and finds there those that the repository has not.
pub(in crate::exec) fn beside(git: Git, directory: &Path, own: &Path) -> Git {
    git.with("GIT_OBJECT_DIRECTORY", directory).with("GIT_ALTERNATE_OBJECT_DIRECTORIES", quoted(own))
}

/// A path in a list of paths, where colons stand between them.
fn quoted(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(text) if text.contains([':', '"', '\\', '\n']) && cfg!(unix) => {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            PathBuf::from(format!("\"{escaped}\""))
        }
        Some(_) | None => path.to_owned(),
    }
}

fn unreadable() -> NoAnswer {
    NoAnswer::Failed(io::Error::other("git tells paths that cannot be told apart"))
}
