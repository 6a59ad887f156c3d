//! Removes worktrees whose work is elsewhere by now, or that never had any.
//!
//! Nothing is removed that is on no other branch. What was not committed is saved as a commit first, under a name of its
//! own below `refs/sexton/`. What git ignores goes with the directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::git::tree::{self, Objects};
use super::super::git::{Git, NoAnswer};
use super::Held;
use super::list::{self, Entry, Lock};
use super::place::Within;
use crate::domain::worktree::{WORKTREES, WorktreeName};

/// How long the look at one worktree may take, and its removal.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who saves what was not committed, where git wants to know.
const SAVER: [&str; 2] = ["user.name=sexton", "user.email=sexton@localhost"];

/// Whether anything is done at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is done.
    Real,
    /// It is only told what would be done.
    DryRun,
}

/// What becomes of a worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is removed: all that was in it is elsewhere.
    Removed,
    /// It is removed, after what was not committed was saved under this name.
    RemovedAfterSaving {
        /// The full name of the reference.
        reference: String,
    },
    /// It stays, for this reason.
    Kept {
        /// A sentence, or what it lacks to be one.
        why: String,
    },
}

/// The worktrees of a project's automations.
///
/// # Errors
/// A sentence if git does not tell.
pub async fn worktrees_of(project: &Path) -> Result<Vec<WorktreeName>, String> {
    let listed = list::all(&Git::at(project, PATIENCE)).await.map_err(sentence)?;
    let above = project.join(WORKTREES.iter().collect::<PathBuf>());
    let name = |entry: &Entry| {
        let name = entry.path.strip_prefix(&above).ok()?.to_str()?.to_owned();
        WorktreeName::try_from(name).ok()
    };
    Ok(listed.iter().filter_map(name).collect())
}

/// Removes a worktree in which nobody works, if nothing is lost by that. `save_as` is the last part of the name under
/// which is saved what was not committed, and `scratch` an empty directory for what is needed meanwhile. Who holds the lock knows
/// that nobody comes to work there.
pub async fn prune(
    project: &Path,
    name: &WorktreeName,
    save_as: &str,
    scratch: &Path,
    meaning: Meaning,
    held: &Held,
) -> Fate {
    let git = Git::at(project, PATIENCE).holding(&held.file);
    let path = PathBuf::from(name.directory_in(&project.to_string_lossy()));
    let inside = git.in_directory(&path);
    let pruning = Pruning { git, inside, path, name, reference: format!("refs/sexton/{save_as}"), scratch };
    pruning.carry_out(meaning).await.unwrap_or_else(|why| Fate::Kept { why })
}

struct Pruning<'a> {
    git: Git,
    inside: Git,
    path: PathBuf,
    name: &'a WorktreeName,
    reference: String,
    scratch: &'a Path,
}

/// What there is to lose.
enum Loss {
    /// Nothing.
    None,
    /// What was not committed: this tree, on top of what was.
    Uncommitted { tree: String },
}

impl Pruning<'_> {
    /// Gives why it is kept as an error, so that whatever goes wrong keeps it.
    async fn carry_out(&self, meaning: Meaning) -> Result<Fate, String> {
        let listed = list::all(&self.git).await.map_err(sentence)?;
        let entry = listed.iter().find(|entry| entry.path == self.path).ok_or("git knows of it no more")?;
        self.keep_what_is_in_use(entry, &listed).await?;
        let head = entry.head.as_deref().ok_or("it has no commit yet")?;
        self.keep_what_is_on_no_other_branch(entry, head).await?;
        let loss = self.loss(entry, meaning).await?;
        match (meaning, loss) {
            (Meaning::DryRun, Loss::None) => Ok(Fate::Removed),
            (Meaning::DryRun, Loss::Uncommitted { .. }) => {
                Ok(Fate::RemovedAfterSaving { reference: self.reference.clone() })
            }
            (Meaning::Real, Loss::None) => {
                // Git looks again by itself whether anything would be lost.
                self.remove(&[]).await?;
                self.remove_branch(entry, head).await?;
                Ok(Fate::Removed)
            }
            (Meaning::Real, Loss::Uncommitted { tree }) => {
                self.save(&tree, head).await?;
                // Somebody may have written there since then.
                let now = self.tree(Objects::Within).await?;
                if now != tree {
                    return Err(format!(
                        "somebody works there; what was there a moment ago is saved at {}",
                        self.reference
                    ));
                }
                self.remove(&["--force"]).await?;
                self.remove_branch(entry, head).await?;
                Ok(Fate::RemovedAfterSaving { reference: self.reference.clone() })
            }
        }
    }

    async fn keep_what_is_in_use(&self, entry: &Entry, listed: &[Entry]) -> Result<(), String> {
        match &entry.lock {
            Lock::Open => {}
            Lock::Initializing => {
                return Err("it was never finished; the next run there makes it anew".to_owned());
            }
            Lock::Kept { why } if why.is_empty() => {
                return Err("it is locked (`git worktree unlock`)".to_owned());
            }
            Lock::Kept { why } => return Err(format!("it is locked (`git worktree unlock`): {why}")),
        }
        if !self.path.exists() {
            return Err(
                "its directory was deleted; the next run there makes it anew on its branch".to_owned()
            );
        }
        if listed.iter().any(|other| other.path != self.path && other.path.starts_with(&self.path)) {
            return Err("there are other worktrees in it".to_owned());
        }
        let own = self.inside.paths(&["rev-parse", "--git-dir"]).await.map_err(sentence)?;
        match own.first().and_then(|own| Within::find(own)) {
            Some(within) => Err(format!("it is in the middle of a {}", within.name())),
            None => Ok(()),
        }
    }

    async fn keep_what_is_on_no_other_branch(&self, entry: &Entry, head: &str) -> Result<(), String> {
        let own = format!("refs/heads/{}", self.name.branch());
        let left_out: Vec<&str> = entry.branch.as_deref().into_iter().chain([own.as_str()]).collect();
        match list::is_on_a_branch(&self.git, head, &left_out).await.map_err(sentence)? {
            true => Ok(()),
            false => Err("its commits are on no other branch: merge them, or delete it yourself".to_owned()),
        }
    }

    /// What is not committed in it. Where nothing ever was, that is the work itself, which nobody has taken over.
    async fn loss(&self, entry: &Entry, meaning: Meaning) -> Result<Loss, String> {
        let status = self.inside.text(&["status", "--porcelain", "--untracked-files=normal"]).await;
        if status.map_err(sentence)?.is_empty() {
            return Ok(Loss::None);
        }
        let log = entry.branch.as_deref().unwrap_or("HEAD");
        let stood_at = self.inside.text(&["log", "--walk-reflogs", "--format=%H", log, "--"]).await;
        let stood_at = stood_at.map_err(sentence)?;
        if stood_at.lines().collect::<BTreeSet<_>>().len() < 2 {
            return Err("there is work in it that was never committed".to_owned());
        }
        let objects = self.scratch.join("objects");
        let tree = match meaning {
            Meaning::Real => self.tree(Objects::Within).await?,
            Meaning::DryRun => {
                std::fs::create_dir_all(&objects)
                    .map_err(|error| format!("{}: {error}", objects.display()))?;
                self.tree(Objects::Beside(&objects)).await?
            }
        };
        let mut git = self.inside.clone();
        if meaning == Meaning::DryRun {
            let own = git.paths(&["rev-parse", "--git-path", "objects"]).await.map_err(sentence)?;
            git = tree::beside(git, &objects, own.first().ok_or("git does not tell where its objects are")?);
        }
        let entries = git.text(&["ls-tree", "-r", &tree]).await.map_err(sentence)?;
        // Of a repository inside there is a commit's name only.
        match entries.lines().any(|entry| entry.starts_with("160000 ")) {
            true => Err("there is another repository in it, and something that is not committed".to_owned()),
            false => Ok(Loss::Uncommitted { tree }),
        }
    }

    async fn tree(&self, objects: Objects<'_>) -> Result<String, String> {
        tree::write(&self.inside, self.scratch, objects).await.map_err(sentence)
    }

    /// What is saved under a name stays as it is: a second time it is refused.
    async fn save(&self, tree: &str, head: &str) -> Result<(), String> {
        let message = format!("What was not committed in the worktree {}", self.name);
        let saver = SAVER.into_iter().fold(self.inside.clone(), Git::set);
        let commit =
            saver.text(&["commit-tree", tree, "-p", head, "-m", &message]).await.map_err(sentence)?;
        let saved = saver.bytes(&["update-ref", &self.reference, &commit, ""]).await;
        saved.map(drop).map_err(|why| {
            format!("what was not committed could not be saved at {}: {}", self.reference, sentence(why))
        })
    }

    async fn remove(&self, how: &[&str]) -> Result<(), String> {
        let path = self.path.to_string_lossy();
        let args: Vec<&str> =
            ["worktree", "remove"].into_iter().chain(how.iter().copied()).chain([&*path]).collect();
        self.git.bytes(&args).await.map(drop).map_err(sentence)
    }

    /// Its own branch goes as well if it has not moved since, so that the next worktree of that name begins at HEAD.
    async fn remove_branch(&self, entry: &Entry, head: &str) -> Result<(), String> {
        let own = format!("refs/heads/{}", self.name.branch());
        if entry.branch.as_ref() != Some(&own) {
            return Ok(());
        }
        let removed = self.git.bytes(&["update-ref", "-d", &own, head]).await;
        removed
            .map(drop)
            .map_err(|why| format!("it was removed, but its branch is still there: {}", sentence(why)))
    }
}

fn sentence(why: NoAnswer) -> String {
    why.into_failure("it cannot be seen to").message
}
