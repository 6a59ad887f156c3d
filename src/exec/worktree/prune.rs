//! Removes worktrees whose work is elsewhere by now, or that never had any.
//!
//! Nothing is removed that is on no other branch. What was not committed is saved as a commit first, under a name of its
//! own below `refs/sexton/`. What git ignores goes with the directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::git::{Git, NoAnswer, programs, tree};
use super::Held;
use super::inventory::{self, Inventory};
use super::list::{self, Entry, Lock};
use super::place::Within;
use crate::domain::worktree::{WORKTREES, WorktreeName};

/// How long the look at one worktree may take, and its removal.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who saves what was not committed, where git wants to know.
const SAVER: [&str; 2] = ["user.name=sexton", "user.email=sexton@localhost"];

/// The most things that are saved of one run in a worktree: a hundred times somebody has worked there after it.
const SAVED: usize = 100;

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
/// which is saved what was not committed, and `scratch` an empty directory for what is needed meanwhile. `gone` are the
/// branches that have gone with others, or would have; its own is added. Who holds the lock knows that nobody comes to
/// work there.
///
/// The user's own filters of file content are at work here, as they are when the user commits: what they encrypt is
/// saved encrypted.
pub async fn prune(
    project: &Path,
    name: &WorktreeName,
    save_as: &str,
    scratch: &Path,
    meaning: Meaning,
    gone: &mut BTreeSet<String>,
    held: &Held,
) -> Fate {
    let git = Git::at(project, PATIENCE).holding(&held.file);
    let git = match programs::without_hooks(&git).await.map_err(sentence) {
        Ok(git) => git,
        Err(why) => return Fate::Kept { why },
    };
    let path = PathBuf::from(name.directory_in(&project.to_string_lossy()));
    let inside = git.in_directory(&path);
    let reference = format!("refs/sexton/{save_as}");
    let mut pruning = Pruning { git, inside, path, name, reference, scratch, gone };
    pruning.carry_out(meaning).await.unwrap_or_else(|why| Fate::Kept { why })
}

struct Pruning<'a> {
    git: Git,
    inside: Git,
    path: PathBuf,
    name: &'a WorktreeName,
    reference: String,
    scratch: &'a Path,
    gone: &'a mut BTreeSet<String>,
}

/// What was seen of it when nothing spoke for keeping it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    head: String,
    branch: Option<String>,
    inventory: Inventory,
}

/// Where that is saved which was not committed.
enum Save {
    /// It is there already: whoever saved it did not come to remove the worktree.
    Done { reference: String },
    /// Nothing has this name.
    To { reference: String },
}

impl Pruning<'_> {
    /// Gives why it is kept as an error, so that whatever goes wrong keeps it.
    async fn carry_out(&mut self, meaning: Meaning) -> Result<Fate, String> {
        let objects = match meaning {
            Meaning::Real => None,
            Meaning::DryRun => Some(self.objects_beside().await?),
        };
        let inside = objects.unwrap_or_else(|| self.inside.clone());
        let seen = self.look(&inside).await?;
        let (how, fate): (&[&str], _) = if seen.inventory.is_committed() {
            // Git looks again by itself whether anything would be lost.
            (&[], Fate::Removed)
        } else {
            self.keep_what_was_never_committed(&seen).await?;
            let reference = match (self.place_to_save(&seen).await?, meaning) {
                (Save::Done { reference }, Meaning::Real | Meaning::DryRun)
                | (Save::To { reference }, Meaning::DryRun) => reference,
                (Save::To { reference }, Meaning::Real) => {
                    self.save(&reference, &seen).await?;
                    reference
                }
            };
            (&["--force"], Fate::RemovedAfterSaving { reference })
        };
        if meaning == Meaning::Real {
            // Somebody may have worked there since then, or have removed the branch that has its commits.
            let again = self.look(&inside).await.and_then(|now| match now == seen {
                true => Ok(()),
                false => Err("somebody works there".to_owned()),
            });
            again.map_err(|why| match &fate {
                Fate::RemovedAfterSaving { reference } => {
                    format!("{why}; what was there a moment ago is saved at {reference}")
                }
                Fate::Removed | Fate::Kept { .. } => why,
            })?;
            self.remove(how).await?;
            self.remove_branch(&seen).await?;
        }
        if seen.branch.as_ref() == Some(&self.own_branch()) {
            self.gone.insert(self.own_branch());
        }
        Ok(fate)
    }

    /// The same git, which leaves the repository as it is.
    async fn objects_beside(&self) -> Result<Git, String> {
        let objects = self.scratch.join("objects");
        std::fs::create_dir_all(&objects).map_err(|error| format!("{}: {error}", objects.display()))?;
        let own = self.git.paths(&["rev-parse", "--git-path", "objects"]).await.map_err(sentence)?;
        let own = own.first().ok_or("git does not tell where its objects are")?;
        Ok(tree::beside(self.inside.clone(), &objects, own))
    }

    async fn look(&self, inside: &Git) -> Result<Seen, String> {
        let listed = list::all(&self.git).await.map_err(sentence)?;
        let entry = listed.iter().find(|entry| entry.path == self.path).ok_or("git knows of it no more")?;
        self.keep_what_is_in_use(entry, &listed).await?;
        let head = entry.head.clone().ok_or("it has no commit yet")?;
        self.keep_what_is_on_no_other_branch(entry, &head).await?;
        let inventory = inventory::take(inside, self.scratch, &head).await?;
        Ok(Seen { head, branch: entry.branch.clone(), inventory })
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
        let told =
            self.inside.paths(&["rev-parse", "--show-toplevel", "--git-dir"]).await.map_err(sentence)?;
        let [top, own] =
            <[PathBuf; 2]>::try_from(told).map_err(|_| "git does not tell where it is".to_owned())?;
        if top != self.path {
            return Err(format!("git takes {} for its directory", top.display()));
        }
        // Commits of which only this worktree has a name.
        let refs =
            ["for-each-ref", "--format=%(refname)", "refs/worktree/", "refs/bisect/", "refs/rewritten/"];
        if let Some(own) = self.inside.text(&refs).await.map_err(sentence)?.lines().next() {
            return Err(format!("it has a reference of its own ({own})"));
        }
        match Within::find(&own) {
            Some(within) => Err(format!("it is in the middle of a {}", within.name())),
            None => Ok(()),
        }
    }

    async fn keep_what_is_on_no_other_branch(&self, entry: &Entry, head: &str) -> Result<(), String> {
        let own = self.own_branch();
        let left_out = entry.branch.as_deref().into_iter().chain([own.as_str()]);
        let left_out: Vec<&str> = left_out.chain(self.gone.iter().map(String::as_str)).collect();
        match list::is_on_a_branch(&self.git, head, &left_out).await.map_err(sentence)? {
            true => Ok(()),
            false => Err("its commits are on no other branch: merge them, or delete it yourself".to_owned()),
        }
    }

    /// Where nothing ever was committed, what is there is the work itself, which nobody has taken over.
    async fn keep_what_was_never_committed(&self, seen: &Seen) -> Result<(), String> {
        let log = seen.branch.as_deref().unwrap_or("HEAD");
        let stood_at = self.inside.text(&["log", "--walk-reflogs", "--format=%H", log, "--"]).await;
        let stood_at = stood_at.map_err(sentence)?;
        match stood_at.lines().collect::<BTreeSet<_>>().len() < 2 {
            true => Err("there is work in it that was never committed".to_owned()),
            false => Ok(()),
        }
    }

    /// What was saved under a name stays as it is; what has another content gets another name.
    async fn place_to_save(&self, seen: &Seen) -> Result<Save, String> {
        for number in 1..=SAVED {
            let reference = match number {
                1 => self.reference.clone(),
                more => format!("{}-{more}", self.reference),
            };
            let exists = self.inside.agrees(&["rev-parse", "--verify", "--quiet", &reference]).await;
            if !exists.map_err(sentence)? {
                return Ok(Save::To { reference });
            }
            if self.is_saved_at(&reference, seen).await.map_err(sentence)? {
                return Ok(Save::Done { reference });
            }
        }
        Err(format!("there are {SAVED} others saved as {} already; delete what nobody needs", self.reference))
    }

    async fn is_saved_at(&self, reference: &str, seen: &Seen) -> Result<bool, NoAnswer> {
        let parents = self.inside.text(&["rev-parse", &format!("{reference}^@")]).await?;
        let mut parents = parents.lines();
        let mut saved = vec![format!("{reference}^{{tree}}")];
        let stands_on = parents.next();
        saved.extend(parents.map(|parent| format!("{parent}^{{tree}}")));
        let saved = self.inside.text(&[vec!["rev-parse".to_owned()], saved].concat()).await?;
        let wanted = [Some(&seen.inventory.found), seen.inventory.staged.as_ref()];
        Ok(stands_on == Some(seen.head.as_str())
            && saved.lines().eq(wanted.into_iter().flatten().map(String::as_str)))
    }

    /// As git's own stash does it, what was staged is a second parent of what was there.
    async fn save(&self, reference: &str, seen: &Seen) -> Result<(), String> {
        let saver = SAVER.into_iter().fold(self.inside.clone(), Git::set);
        let message = format!("What was staged in the worktree {}", self.name);
        let staged = match &seen.inventory.staged {
            None => None,
            Some(tree) => {
                let args = ["commit-tree", tree, "-p", &seen.head, "-m", &message];
                Some(saver.text(&args).await.map_err(sentence)?)
            }
        };
        let message = format!("What was not committed in the worktree {}", self.name);
        let mut args = vec!["commit-tree", &seen.inventory.found, "-m", &message, "-p", &seen.head];
        args.extend(staged.as_deref().into_iter().flat_map(|staged| ["-p", staged]));
        let commit = saver.text(&args).await.map_err(sentence)?;
        let saved = self.inside.bytes(&["update-ref", reference, &commit, ""]).await;
        saved.map(drop).map_err(|why| {
            format!("what was not committed could not be saved at {reference}: {}", sentence(why))
        })
    }

    async fn remove(&self, how: &[&str]) -> Result<(), String> {
        let path = self.path.to_string_lossy();
        let args: Vec<&str> =
            ["worktree", "remove"].into_iter().chain(how.iter().copied()).chain([&*path]).collect();
        self.git.bytes(&args).await.map(drop).map_err(sentence)
    }

    /// Its own branch goes as well if it has not moved since, so that the next worktree of that name begins at HEAD.
    async fn remove_branch(&self, seen: &Seen) -> Result<(), String> {
        let own = self.own_branch();
        if seen.branch.as_ref() != Some(&own) {
            return Ok(());
        }
        let removed = self.git.bytes(&["update-ref", "-d", &own, &seen.head]).await;
        removed
            .map(drop)
            .map_err(|why| format!("it was removed, but its branch is still there: {}", sentence(why)))
    }

    fn own_branch(&self) -> String {
        format!("refs/heads/{}", self.name.branch())
    }
}

pub(super) fn sentence(why: NoAnswer) -> String {
    why.into_failure("it cannot be seen to").message
}
