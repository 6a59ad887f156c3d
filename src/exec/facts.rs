//! What the work of a run has changed in a directory, as git sees it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::git::Git;
use super::git::tree::{self, Extent, Stamp, Written};
use super::private;
use crate::domain::run::{Changes, Diffstat};

/// How long the look before the work may take. One that takes longer says nothing: a run is not kept for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The same for the look after it. Whoever looks has to say within five seconds how a run has ended whose guard has gone,
/// or another window says that it was lost.
const LAST_PATIENCE: Duration = Duration::from_secs(3);

/// What was in a directory before the work. Everything of it is in a directory of its own, which goes with it.
#[derive(Debug)]
pub struct Snapshot {
    directory: PathBuf,
    scratch: Scratch,
    own_objects: PathBuf,
    seen: Written,
}

/// Looks at what is in a directory now. `scratch` is a path for what has to be kept for that, at which nothing is that
/// anybody needs. Nothing is written to the repository, neither now nor later.
///
/// None if the directory is not the top of a git work tree, or if git is not there or takes too long.
pub async fn before(directory: &Path, scratch: PathBuf) -> Option<Snapshot> {
    if !directory.join(".git").exists() {
        return None;
    }
    let made = tokio::task::spawn_blocking(|| Scratch::make(scratch)).await.map_err(io::Error::from);
    let scratch = made.and_then(|made| made).inspect_err(|why| told(directory, why)).ok()?;
    let git = Git::at(directory, PATIENCE);
    let own_objects = git.paths(&["rev-parse", "--git-path", "objects"]).await;
    let own_objects = own_objects.inspect_err(|why| told(directory, why)).ok()?.pop()?;
    let written = tree::write(&git, &scratch.path, &scratch.objects()).await;
    let seen = written.inspect_err(|why| told(directory, why)).ok()?;
    Some(Snapshot { directory: directory.to_owned(), scratch, own_objects, seen })
}

impl Snapshot {
    /// What is different now. None if that cannot be seen, for the same reasons.
    pub async fn changed(self) -> Option<Changes> {
        tokio::time::timeout(LAST_PATIENCE, self.compare()).await.ok().flatten()
    }

    async fn compare(self) -> Option<Changes> {
        let git = Git::at(&self.directory, LAST_PATIENCE);
        let objects = self.scratch.objects();
        let written = tree::write(&git, &self.scratch.path, &objects).await;
        let now = written.inspect_err(|why| told(&self.directory, why)).ok()?;
        let git = tree::beside(git, &objects, &self.own_objects);
        let args = [
            "diff-tree",
            "-r",
            "-z",
            "--numstat",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            &self.seen.tree,
            &now.tree,
        ];
        let differences = git.bytes(&args).await.inspect_err(|why| told(&self.directory, why)).ok()?;
        let large = self.large(&now);
        // On a thread that may wait: there may be many objects.
        let _ = tokio::task::spawn_blocking(|| drop(self.scratch)).await;
        let changes = read(&differences, &large);
        // That nothing has changed can be told only by who has seen everything.
        let is_nothing = changes.diffstat.files == 0;
        match (self.seen.extent, now.extent) {
            (Extent::Partial, _) | (_, Extent::Partial) if is_nothing => None,
            (Extent::Whole | Extent::Partial, Extent::Whole | Extent::Partial) => Some(changes),
        }
    }

    /// The large files of both looks, and what has become of them.
    fn large(&self, now: &Written) -> BTreeMap<Vec<u8>, Since> {
        let paths = self.seen.large.keys().chain(now.large.keys());
        let since = |path: &Vec<u8>| {
            let before = self.seen.large.get(path);
            match before.is_some() && before == Stamp::of(&self.directory, path).as_ref() {
                true => Since::Same,
                false => Since::Changed,
            }
        };
        paths.map(|path| (path.clone(), since(path))).collect()
    }
}

/// What has become of a large file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Same,
    Changed,
}

/// Reads `ADDED tab REMOVED tab PATH nul`, over and over. What is no text has a `-` for both numbers. Of large files it is
/// known already whether they have changed.
fn read(differences: &[u8], large: &BTreeMap<Vec<u8>, Since>) -> Changes {
    let mut changes = Changes::default();
    let mut add = |path: &[u8], added: u64, removed: u64| {
        let Diffstat { files, insertions, deletions } = &mut changes.diffstat;
        *files += 1;
        *insertions += added;
        *deletions += removed;
        changes.files.push(String::from_utf8_lossy(path).into_owned());
    };
    for entry in differences.split(|byte| *byte == 0) {
        let mut parts = entry.splitn(3, |byte| *byte == b'\t');
        let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let number =
            |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        if !large.contains_key(path) {
            add(path, number(added), number(removed));
        }
    }
    for (path, since) in large {
        match since {
            Since::Same => {}
            Since::Changed => add(path, 0, 0),
        }
    }
    changes.files.sort_unstable();
    changes.files.truncate(Changes::FILES);
    changes
}

fn told(directory: &Path, why: &impl std::fmt::Debug) {
    tracing::info!(directory = %directory.display(), ?why, "what a run changes there cannot be seen");
}

/// A directory that goes when it is not needed any more.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn make(path: PathBuf) -> io::Result<Self> {
        // Of a process that was killed something may be left there.
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let scratch = Scratch { path };
        private::make_directory(&scratch.objects())?;
        Ok(scratch)
    }

    fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a directory that is not needed any more stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_read() {
        let changes = read(b"3\t1\tsrc/z.rs\0-\t-\tlogo.png\x000\t7\ta\tb\nc\0", &BTreeMap::new());
        assert_eq!(changes.files, ["a\tb\nc", "logo.png", "src/z.rs"]);
        assert_eq!(changes.diffstat, Diffstat { files: 3, insertions: 3, deletions: 8 });
        assert_eq!(read(b"", &BTreeMap::new()), Changes::default());
    }

    #[test]
    fn more_files_than_are_named_are_counted() {
        let many: String = (0..1500).rev().map(|number| format!("1\t0\tf{number:04}\0")).collect();
        let changes = read(many.as_bytes(), &BTreeMap::new());
        assert_eq!((changes.files.len(), changes.files[999].as_str()), (1000, "f0999"));
        assert_eq!(changes.diffstat, Diffstat { files: 1500, insertions: 1500, deletions: 0 });
    }
}
