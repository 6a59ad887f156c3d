//! Worktrees of automations: made on first use, and then used as they are found, so that no work is lost that nobody
//! has looked at. Nothing here ever resets, cleans or moves one to another branch.

mod inventory;
mod list;
mod place;
pub mod prune;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::git::{Git, NoAnswer, programs};
use super::{StartFailure, private};
use crate::domain::worktree::WorktreeName;
use list::{Entry, Lock};
use place::{Place, Within};

/// How often it is looked whether somebody else is done.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Sees that the worktree is there, in the project that is the top of a git work tree at this canonical path. It is made
/// if nothing is at its place: on its own branch, which begins at the project's HEAD if there is none yet.
///
/// `lock` is a path at which a file can be made, and beside it another one (`.index`); who makes worktrees of the project holds it meanwhile. When this is
/// dropped, or takes longer than `within`, nothing goes on; what was half made is made anew by whoever needs it next.
/// `search` is where programs are looked for before the usual places.
///
/// The user's own filters of file content are at work, as they are when the user checks something out.
///
/// # Errors
/// A sentence that says what stands in the way. Nothing is tried under another name.
pub async fn ensure(
    project: &Path,
    name: &WorktreeName,
    lock: &Path,
    within: Duration,
    search: Option<&str>,
) -> Result<(), StartFailure> {
    let git = Git::at(project, within).found_in(search);
    let path = PathBuf::from(name.directory_in(&project.to_string_lossy()));
    let mut worktree = Worktree { name, path, index: lock.with_extension("index"), git };
    let held = hold_until(lock, worktree.git.until()).await.map_err(|why| worktree.transient(&why))?;
    worktree.git = worktree.git.holding(&held.file);
    worktree.ensure().await
}

/// That nobody else makes or removes worktrees of the project. It is so until this goes, and whatever git is at by then:
/// one whose sidecar was killed goes on.
#[derive(Debug)]
pub struct Held {
    file: Arc<File>,
}

/// Takes the lock of those who make or remove worktrees of a project.
///
/// # Errors
/// A sentence if it cannot be had within this time.
pub async fn hold(lock: &Path, within: Duration) -> Result<Held, String> {
    hold_until(lock, Instant::now() + within).await
}

async fn hold_until(path: &Path, until: Instant) -> Result<Held, String> {
    let unusable = |error: std::io::Error| format!("the lock {} cannot be taken: {error}", path.display());
    let file = private::open(File::options().create(true).truncate(false).write(true).read(true), path);
    let file = file.map_err(unusable)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Held { file: Arc::new(file) }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let waited = timeout_at(until, sleep(LOOK_AGAIN)).await;
        waited
            .map_err(|_| format!("somebody else makes worktrees here for too long ({})", path.display()))?;
    }
}

struct Worktree<'a> {
    name: &'a WorktreeName,
    path: PathBuf,
    /// A path for an index that nobody else uses while the lock is held.
    index: PathBuf,
    git: Git,
}

impl Worktree<'_> {
    async fn ensure(&mut self) -> Result<(), StartFailure> {
        self.see_that_the_project_has_a_work_tree().await?;
        self.git = programs::without_hooks(&self.git).await.map_err(|why| self.no_answer(why))?;
        let listed = list::all(&self.git).await.map_err(|why| self.no_answer(why))?;
        let mut known = listed.iter().find(|entry| entry.path == self.path);
        if known.is_some_and(|entry| entry.lock == Lock::Initializing) {
            // Whoever makes one holds the lock, so nobody does any more.
            self.see_that_nobody_worked_in_what_is_half_made().await?;
            self.ask(&["worktree", "remove", "--force", "--force", &self.path_text()]).await?;
            known = None;
        }
        let place = place::look(self.git.directory(), &self.path).map_err(|why| self.lasting(&why))?;
        match (place, known) {
            (Place::Directory, Some(_)) => self.use_as_found().await,
            (Place::Directory, None) => Err(self.lasting(&format!(
                "{} is a directory, and not one of this repository's worktrees; move it away, or name another worktree",
                self.path.display()
            ))),
            (Place::Free, Some(gone)) => {
                self.forget(gone).await?;
                self.make(&listed).await
            }
            (Place::Free, None) => self.make(&listed).await,
        }
    }

    /// The top has to be the project itself: worktrees are kept where its runs may write.
    async fn see_that_the_project_has_a_work_tree(&self) -> Result<(), StartFailure> {
        let project = self.git.directory();
        if !project.is_dir() {
            return Err(
                self.lasting(&format!("there is no directory {}; put the project back", project.display()))
            );
        }
        let top =
            self.git.paths(&["rev-parse", "--show-toplevel"]).await.map_err(|why| self.no_answer(why))?;
        let is_top = top.first().and_then(|top| top.canonicalize().ok()).is_some_and(|top| top == project);
        match is_top {
            true => Ok(()),
            false => Err(self.lasting(&format!(
                "{} is not the top of a git work tree (any more); open the project at the top, or leave `where.worktree` out",
                project.display()
            ))),
        }
    }

    /// Whatever is checked out in it, and whatever was left there, is what the work goes on with.
    async fn use_as_found(&self) -> Result<(), StartFailure> {
        let inside = self.git.in_directory(&self.path);
        let found = inside.paths(&["rev-parse", "--show-toplevel", "--git-dir"]).await;
        let found = found.map_err(|why| self.no_answer(why))?;
        let [top, own] =
            <[PathBuf; 2]>::try_from(found).map_err(|_| self.lasting("git does not tell where it is"))?;
        if top != self.path {
            let why = format!("{} is damaged; `git worktree repair` there may help", self.path.display());
            return Err(self.lasting(&why));
        }
        self.refuse_what_is_not_finished(&own, &self.path)
    }

    /// What comes after half of a rebase or a merge would begin with it, or be taken for a part of it.
    fn refuse_what_is_not_finished(
        &self,
        git_directory: &Path,
        directory: &Path,
    ) -> Result<(), StartFailure> {
        match Within::find(git_directory) {
            None => Ok(()),
            Some(within) => Err(self.lasting(&format!(
                "{} is in the middle of a {}; finish it there, or abort it (`{}`)",
                directory.display(),
                within.name(),
                within.way_out()
            ))),
        }
    }

    /// Git was ended while it made this one, so files may be missing. That there are others is somebody's doing, who may
    /// also have locked it with git's own word for that.
    async fn see_that_nobody_worked_in_what_is_half_made(&self) -> Result<(), StartFailure> {
        let others = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries.filter_map(Result::ok).filter(|entry| entry.file_name() != ".git").count(),
            // What cannot be looked into nobody can remove.
            Err(_) => 0,
        };
        match (others, self.path.join(".git").exists()) {
            (0, true) => return Ok(()),
            (0, false) => return self.clear_what_is_empty(),
            _ => {}
        }
        // Git writes the index when all files are there, so it is of no use here.
        let inside = self.git.in_directory(&self.path).with("GIT_INDEX_FILE", &self.index);
        inside.bytes(&["read-tree", "HEAD"]).await.map_err(|why| self.no_answer(why))?;
        let args = ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored"];
        let status = inside.bytes(&args).await.map_err(|why| self.no_answer(why))?;
        let mut entries = status.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
        match entries.find(|entry| !entry.starts_with(b" D ")) {
            None => Ok(()),
            Some(entry) => Err(self.lasting(&format!(
                "{} is locked as one that git has not finished making, but there is something else in it ({}); save that and remove the worktree, or unlock it (`git worktree unlock`)",
                self.path.display(),
                String::from_utf8_lossy(entry.get(3..).unwrap_or_default())
            ))),
        }
    }

    /// Somebody has deleted the directory, and git still knows of it. Its branch stays.
    async fn forget(&self, gone: &Entry) -> Result<(), StartFailure> {
        if let (None, Some(head)) = (&gone.branch, &gone.head)
            && !list::is_on_a_branch(&self.git, head, &[]).await.map_err(|why| self.no_answer(why))?
        {
            return Err(self.lasting(&format!(
                "{} was deleted while it stood at {head}, which is on no branch; keep that with `git branch NAME {head}`, or let go of it with `git worktree prune`",
                self.path.display()
            )));
        }
        self.clear_what_is_empty()?;
        self.ask(&["worktree", "remove", &self.path_text()]).await
    }

    /// Git removes no worktree whose directory is there without what it keeps in it.
    fn clear_what_is_empty(&self) -> Result<(), StartFailure> {
        match std::fs::remove_dir(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(self.lasting(&format!("{} cannot be removed: {error}", self.path.display())))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    async fn make(&self, listed: &[Entry]) -> Result<(), StartFailure> {
        let project = self.git.directory();
        let own = self.git.paths(&["rev-parse", "--git-dir"]).await.map_err(|why| self.no_answer(why))?;
        if let Some(own) = own.first() {
            self.refuse_what_is_not_finished(own, project)?;
        }
        let branch = self.name.branch();
        let reference = format!("refs/heads/{branch}");
        let elsewhere = |entry: &&Entry| entry.path != self.path && entry.branch.as_ref() == Some(&reference);
        if let Some(entry) = listed.iter().find(elsewhere) {
            return Err(self.lasting(&format!(
                "its branch {branch} is checked out in {}; have another branch there, or remove that worktree",
                entry.path.display()
            )));
        }
        let exists = |name: String| async move {
            let name = format!("{name}^{{commit}}");
            let found =
                self.git.agrees(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name]).await;
            found.map_err(|why| self.no_answer(why))
        };
        let has_branch = exists(reference.clone()).await? && !self.remove_fresh_branch(&reference).await?;
        if !has_branch && !exists("HEAD".to_owned()).await? {
            return Err(self
                .lasting(&format!("{} has no commit that it could begin at; make one", project.display())));
        }
        let excluded = place::exclude(&self.git).await;
        excluded.map_err(|why| match why {
            Ok(no_answer) => self.no_answer(no_answer),
            Err(sentence) => self.lasting(&sentence),
        })?;
        let path = self.path_text();
        match has_branch {
            true => self.ask(&["worktree", "add", "--quiet", &path, &branch]).await?,
            false => {
                self.ask(&["worktree", "add", "--quiet", "--no-track", "-b", &branch, &path, "HEAD"]).await?;
            }
        }
        match self.path.canonicalize() {
            Ok(path) if path == self.path => Ok(()),
            Ok(_) | Err(_) => Err(self.lasting(&format!("{} is not where it was made", self.path.display()))),
        }
    }

    /// A branch that was made for a worktree at HEAD, and on which nothing was ever done, is made again where HEAD is by
    /// now: whoever made it may have been killed long ago. Gives whether it was one.
    async fn remove_fresh_branch(&self, reference: &str) -> Result<bool, StartFailure> {
        let args = ["log", "--walk-reflogs", "--max-count=2", "--format=%H %gs", reference, "--"];
        let log = self.git.text(&args).await.map_err(|why| self.no_answer(why))?;
        let Some(commit) = log.strip_suffix(" branch: Created from HEAD").filter(|one| !one.contains('\n'))
        else {
            return Ok(false);
        };
        let is_elsewhere = list::is_on_a_branch(&self.git, commit, &[reference]).await;
        if !is_elsewhere.map_err(|why| self.no_answer(why))? {
            return Ok(false);
        }
        self.ask(&["update-ref", "-d", reference, commit]).await?;
        Ok(true)
    }

    async fn ask(&self, args: &[&str]) -> Result<(), StartFailure> {
        self.git.bytes(args).await.map(drop).map_err(|why| self.no_answer(why))
    }

    fn path_text(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    fn no_answer(&self, why: NoAnswer) -> StartFailure {
        why.into_failure(&format!("the worktree `{}` is not to be had", self.name))
    }

    fn lasting(&self, why: &str) -> StartFailure {
        StartFailure::config(format!("the worktree `{}` is not to be had: {why}", self.name))
    }

    fn transient(&self, why: &str) -> StartFailure {
        StartFailure::transient(format!("the worktree `{}` is not to be had: {why}; run it again", self.name))
    }
}
