//! What is in a worktree, told so that nothing which its owner has set there hides any of it: files that git was told to
//! take for unchanged, or to leave out of the work tree, are looked at like all others.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use tokio::time::Instant;

use super::super::git::Git;
use super::super::git::tree::copy_index;
use super::super::private;
use super::prune::sentence;

/// How git is to look: at everything, and at the files themselves.
const EVERYTHING: [&str; 6] = [
    "core.sparseCheckout=false",
    "index.sparse=false",
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "core.ignoreStat=false",
    "diff.ignoreSubmodules=none",
];

/// What a worktree has to lose, as names of trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inventory {
    /// What is in its directory, without what git ignores.
    pub(super) found: String,
    /// What was added to its index, if that is neither committed nor in the directory.
    pub(super) staged: Option<String>,
    committed: String,
}

impl Inventory {
    pub(super) fn is_committed(&self) -> bool {
        self.found == self.committed && self.staged.is_none()
    }
}

/// Takes it in a work tree that stands at this commit. `scratch` is a directory for what is needed meanwhile.
///
/// # Errors
/// A sentence if there is something that a commit cannot hold, or that cannot be looked at.
pub(super) async fn take(git: &Git, scratch: &Path, head: &str) -> Result<Inventory, String> {
    see_no_repository(git).await?;
    let git = EVERYTHING.into_iter().fold(git.clone(), Git::set);
    let committed = git.text(&["rev-parse", "--verify", &format!("{head}^{{tree}}")]).await;
    let committed = committed.map_err(sentence)?;
    let as_staged = git.clone().with("GIT_INDEX_FILE", copied_index(&git, scratch).await?);
    let staged = as_staged.text(&["write-tree"]).await.map_err(sentence)?;
    let tagged = as_staged.bytes(&["ls-files", "-t", "-z"]).await.map_err(sentence)?;
    // What was left out of the directory on purpose was not deleted there.
    let left_out: HashSet<&[u8]> =
        names(&tagged).filter_map(|tagged| tagged.strip_prefix(b"S ".as_slice())).collect();

    // An index that knows no more than names, so that each file is read.
    let git = git.with("GIT_INDEX_FILE", scratch.join("found"));
    let found = add_all(&git, scratch, &staged, &left_out).await?;
    let status =
        ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching"];
    let status = git.bytes(&status).await.map_err(sentence)?;
    let ignored = ignored(&status, &left_out)?;
    let list = async |tree: &str| {
        let listed = git.bytes(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", tree]).await;
        listed.map(|listed| names(&listed).map(<[u8]>::to_vec).collect()).map_err(sentence)
    };
    let held = Held { found: list(&found).await?, committed: list(&committed).await?, ignored };
    let (top, until) = (git.directory().to_owned(), git.until());
    on_thread(move || walk(&top, until, &mut |entry| held.see(entry))).await?;

    let staged = (staged != committed && staged != found).then_some(staged);
    Ok(Inventory { found, staged, committed })
}

async fn copied_index(git: &Git, scratch: &Path) -> Result<PathBuf, String> {
    let own = git.paths(&["rev-parse", "--git-path", "index"]).await.map_err(sentence)?.pop();
    let (own, copy) = (own.ok_or("git does not tell where its index is")?, scratch.join("staged"));
    let to = copy.clone();
    on_thread(move || {
        copy_index(&own, &to)
            .map_err(|error| format!("its index cannot be read ({}): {error}", own.display()))
    })
    .await?;
    Ok(copy)
}

/// The tree of what is in the directory; what is known there by this tree is known also if git ignores it.
async fn add_all(
    git: &Git,
    scratch: &Path,
    known: &str,
    left_out: &HashSet<&[u8]>,
) -> Result<String, String> {
    git.bytes(&["read-tree", known]).await.map_err(sentence)?;
    git.bytes(&["add", "--sparse", "--ignore-removal", "."]).await.map_err(sentence)?;
    let deleted = git.bytes(&["ls-files", "--deleted", "-z"]).await.map_err(sentence)?;
    let deleted: Vec<&[u8]> = names(&deleted).filter(|name| !left_out.contains(name)).collect();
    if !deleted.is_empty() {
        let list = scratch.join("deleted");
        private::write(&list, &deleted.join(&0)).map_err(|error| format!("{}: {error}", list.display()))?;
        let from = format!("--pathspec-from-file={}", list.display());
        let args =
            ["--literal-pathspecs", "rm", "--cached", "--quiet", "--sparse", "--pathspec-file-nul", &from];
        git.bytes(&args).await.map_err(sentence)?;
    }
    git.text(&["write-tree"]).await.map_err(sentence)
}

/// Of a repository a commit has a name only, and what is in it can be on no branch anywhere.
async fn see_no_repository(git: &Git) -> Result<(), String> {
    let own = git.paths(&["rev-parse", "--git-dir"]).await.map_err(sentence)?;
    let modules = own.first().ok_or("git does not tell where it is")?.join("modules");
    let is_empty = match fs::read_dir(&modules) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(format!("{} cannot be looked into: {error}", modules.display())),
    };
    if !is_empty {
        return Err(format!("there are repositories of submodules of it in {}", modules.display()));
    }
    let (top, until) = (git.directory().to_owned(), git.until());
    on_thread(move || {
        walk(&top, until, &mut |entry| match entry.is_a_repository() {
            true => Err(format!("there is another repository in it ({})", show(entry.path))),
            false => Ok(()),
        })
    })
    .await
}

/// What is ignored, by the names that git tells: those of directories end with a slash.
fn ignored(status: &[u8], left_out: &HashSet<&[u8]>) -> Result<HashSet<Vec<u8>>, String> {
    let mut ignored = HashSet::new();
    for line in names(status) {
        match line {
            [b'!', b'!', b' ', name @ ..] => drop(ignored.insert(name.to_vec())),
            [_, b' ', b' ', ..] => {}
            [_, b'D', b' ', name @ ..] if left_out.contains(name) => {}
            other => return Err(format!("somebody works there ({})", show(other.get(3..).unwrap_or(other)))),
        }
    }
    Ok(ignored)
}

/// What is known of the files in a worktree.
struct Held {
    found: HashSet<Vec<u8>>,
    committed: HashSet<Vec<u8>>,
    ignored: HashSet<Vec<u8>>,
}

impl Held {
    /// A file goes with the worktree only if it is saved, or if nobody ever wanted to keep it.
    fn see(&self, entry: Entry<'_>) -> Result<(), String> {
        match entry.kind {
            Kind::Directory => Ok(()),
            Kind::Other if self.found.contains(entry.path) => Ok(()),
            Kind::Other if self.is_ignored(entry.path) && !self.committed.contains(entry.path) => Ok(()),
            Kind::Other => Err(format!("{} in it cannot be saved", show(entry.path))),
        }
    }

    fn is_ignored(&self, path: &[u8]) -> bool {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
        ends.chain([path.len()]).any(|end| self.ignored.contains(&path[..end]))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Directory,
    /// Whatever else may have a name.
    Other,
}

/// Something below a directory.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    /// From that directory on, with slashes, as git names it.
    path: &'a [u8],
    kind: Kind,
    on_disk: &'a Path,
}

impl Entry<'_> {
    /// One without a work tree is known by what it consists of.
    fn is_a_repository(&self) -> bool {
        let is_bare = || {
            self.on_disk.join("HEAD").is_file()
                && ["objects", "refs"].iter().all(|part| self.on_disk.join(part).is_dir())
        };
        self.path.ends_with(b"/.git") || (self.kind == Kind::Directory && is_bare())
    }
}

/// Shows everything below a directory but the `.git` of its own, until something is wrong with one of it.
fn walk(
    top: &Path,
    until: Instant,
    see: &mut impl FnMut(Entry<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut unseen = vec![(top.to_owned(), Vec::new())];
    while let Some((directory, below)) = unseen.pop() {
        let unreadable = |error: io::Error| format!("{} cannot be looked into: {error}", directory.display());
        for there in fs::read_dir(&directory).map_err(unreadable)? {
            if Instant::now() > until {
                return Err("there is too much in it to be looked at".to_owned());
            }
            let there = there.map_err(unreadable)?;
            let mut path = below.clone();
            path.extend_from_slice(there.file_name().as_encoded_bytes());
            if path == b".git" {
                continue;
            }
            let is_directory = there.file_type().map_err(unreadable)?.is_dir();
            let kind = if is_directory { Kind::Directory } else { Kind::Other };
            let on_disk = there.path();
            see(Entry { path: &path, kind, on_disk: &on_disk })?;
            if is_directory {
                path.push(b'/');
                unseen.push((on_disk, path));
            }
        }
    }
    Ok(())
}

/// Where it may wait for a disk.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

fn names(listed: &[u8]) -> impl Iterator<Item = &[u8]> {
    listed.split(|byte| *byte == 0).filter(|name| !name.is_empty())
}

fn show(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
