//! What is in a work tree now, committed or not, as a tree of git's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use super::super::private;
use super::{Git, NoAnswer, programs};

/// The largest file that is not known to git whose content is looked at, in bytes. Others are told apart by their size
/// and time: what is stored of them would be as large again.
const LARGE: u64 = 32 * 1024 * 1024;

/// The longest index that is copied, in bytes: what some millions of files need.
const INDEX: u64 = 512 * 1024 * 1024;

/// What is in a work tree.
#[derive(Debug)]
pub(in crate::exec) struct Written {
    /// The name of the tree.
    pub(in crate::exec) tree: String,
    /// Files that are not in it because they are large, by their paths.
    pub(in crate::exec) large: BTreeMap<Vec<u8>, Stamp>,
    pub(in crate::exec) extent: Extent,
}

/// How much of it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exec) enum Extent {
    Whole,
    /// Something could not be read.
    Partial,
}

/// By what a large file is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exec) struct Stamp {
    size: u64,
    written_at: Option<SystemTime>,
}

impl Stamp {
    /// None if there is no such file.
    pub(in crate::exec) fn of(directory: &Path, path: &[u8]) -> Option<Self> {
        let found = fs::symlink_metadata(directory.join(&*String::from_utf8_lossy(path))).ok()?;
        found.is_file().then(|| Stamp { size: found.len(), written_at: found.modified().ok() })
    }
}

/// Notes down what is in the work tree in which `git` is, as it would be committed: what is ignored is left out, what
/// is untracked is not, and submodules are the commits that they stand at. ///
/// Nothing is started that the repository's own configuration names: files count by what they hold.
///
/// The user's own index stays as it is: a copy of it, in the directory `scratch`, spares reading files that it knows.
/// Large files that are kept elsewhere (LFS) count by what they hold: what would put them there writes into the
/// repository. Objects are written into the directory `objects`, which then has what the repository has not.
pub(in crate::exec) async fn write(git: &Git, scratch: &Path, objects: &Path) -> Result<Written, NoAnswer> {
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
    let large = large(&git).await?;
    let list = scratch.join("paths");
    let paths = large.keys().flat_map(|path| [b"\0:(top,exclude,literal)", path.as_slice()].concat());
    let paths: Vec<u8> = b".".iter().copied().chain(paths).collect();
    private::write(&list, &paths).map_err(NoAnswer::Failed)?;
    let from = format!("--pathspec-from-file={}", list.display());
    let add = ["add", "--all", "--sparse", "--ignore-errors", "--pathspec-file-nul", &from];
    let extent = match git.bytes(&add).await {
        Ok(_) => Extent::Whole,
        // They stay as they were known.
        Err(NoAnswer::Refused { code: Some(1), .. }) => Extent::Partial,
        Err(other) => return Err(other),
    };
    Ok(Written { tree: git.text(&["write-tree"]).await?, large, extent })
}

/// The large files that are not in the index. Those that are known were stored once, so they can be again.
async fn large(git: &Git) -> Result<BTreeMap<Vec<u8>, Stamp>, NoAnswer> {
    let listed = git.bytes(&["ls-files", "--others", "--exclude-standard", "-z"]).await?;
    let directory = git.directory().to_owned();
    let stamped = tokio::task::spawn_blocking(move || {
        let paths = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        let stamped = paths.filter_map(|path| Some((path.to_vec(), Stamp::of(&directory, path)?)));
        stamped.filter(|(_, stamp)| stamp.size > LARGE).collect()
    });
    stamped.await.map_err(|error| NoAnswer::Failed(error.into()))
}

/// A file that has changed since the index was written is known by its time, so the copy has the time of the index.
pub(in crate::exec) fn copy_index(index: &Path, copy: &Path) -> io::Result<()> {
    match fs::remove_file(copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let before = match fs::metadata(index) {
        Ok(before) => before,
        // Nothing was ever added.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    // A pipe would have the run wait for whoever writes to it, and a device has no end.
    if !before.is_file() || before.len() > INDEX {
        return Err(io::Error::other(format!("{} is no index of git's, or too long", index.display())));
    }
    fs::copy(index, copy)?;
    fs::OpenOptions::new().write(true).open(copy)?.set_modified(before.modified()?)
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
