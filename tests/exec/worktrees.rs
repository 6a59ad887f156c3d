//! Worktrees in real repositories: how they are made, that they are used as they are found, and what stands in the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sexton::domain::run::ErrorClass;
use sexton::domain::worktree::WorktreeName;
use sexton::exec::StartFailure;
use sexton::exec::worktree::ensure;

use crate::git::{Repository, commit, git, git_fails, write};
use crate::program;
use crate::support::in_time;

const LIMIT: Duration = Duration::from_secs(60);

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Place { root: tempfile::Builder::new().prefix("sexton: tree ").tempdir().expect("a directory") }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().expect("the place").join(name)
    }

    fn repository(&self) -> Option<Repository> {
        Repository::at(&self.beside("project"))
    }

    async fn ensure(&self, project: &Path, words: &str) -> Result<(), StartFailure> {
        let name = WorktreeName::from_words(words).expect("a name");
        let lock = self.beside("lock");
        in_time("a worktree", ensure(project, &name, &lock, LIMIT, None)).await
    }

    /// Ensures that there is none, and gives the reason.
    async fn refused(&self, project: &Path, words: &str) -> String {
        let failure = self.ensure(project, words).await.expect_err("something stands in the way");
        assert_eq!(failure.class, ErrorClass::Config, "{failure:?}");
        assert!(failure.message.contains(&format!("`{words}`")), "{failure:?}");
        failure.message
    }
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
}

fn branch(directory: &Path) -> String {
    git(directory, &["rev-parse", "--abbrev-ref", "HEAD"])
}

#[tokio::test]
async fn one_is_made_on_its_own_branch_from_head_and_is_ignored() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    repository.git(&["checkout", "--quiet", "-b", "topic"]);
    repository.write("kept", "kept\n");
    let head = repository.commit("second");
    repository.write("README", "not committed\n");
    // A hook of the user's is for the user's own work.
    let hook = repository.file(".git/hooks/post-checkout");
    program::write(&hook, "#!/bin/sh\ntouch hooked\n");
    for words in ["nightly", "other-one", "nightly"] {
        place.ensure(repository.top(), words).await.unwrap();
    }
    let worktree = repository.worktree("nightly");
    assert_eq!(
        (branch(&worktree).as_str(), git(&worktree, &["rev-parse", "HEAD"])),
        ("sexton/nightly", head)
    );
    assert_eq!(fs::read_to_string(worktree.join("README")).unwrap(), "first\n");
    assert!(worktree.join("kept").exists() && !worktree.join("hooked").exists());
    assert_eq!(repository.git(&["status", "--porcelain"]), " M README", "worktrees are not seen");
    assert_eq!(branch(repository.top()), "topic");
    let excluded = fs::read_to_string(repository.file(".git/info/exclude")).unwrap();
    assert_eq!(excluded.lines().filter(|line| line.contains("worktrees")).count(), 1, "{excluded}");
    assert!(excluded.contains("git ls-files"), "what was there stays: {excluded}");
}

#[tokio::test]
async fn one_is_used_as_it_is_found() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    place.ensure(repository.top(), "w").await.unwrap();
    let worktree = repository.worktree("w");
    let own = commit(&worktree, "not reviewed");
    write(&worktree.join("README"), "changed\n");
    write(&worktree.join("untracked"), "new\n");
    repository.write("README", "second\n");
    repository.commit("the project goes on");
    place.ensure(repository.top(), "w").await.unwrap();
    assert_eq!(git(&worktree, &["rev-parse", "HEAD"]), own);
    assert_eq!(git(&worktree, &["status", "--porcelain"]), " M README\n?? untracked");
    // Another branch, or none, is what somebody wanted.
    for args in [["checkout", "--quiet", "-b", "else"], ["checkout", "--quiet", "--detach", "HEAD"]] {
        git(&worktree, &args);
        let before = branch(&worktree);
        place.ensure(repository.top(), "w").await.unwrap();
        assert_eq!(branch(&worktree), before);
        assert_eq!(git(&worktree, &["status", "--porcelain"]), " M README\n?? untracked");
    }
}

#[tokio::test]
async fn a_place_that_is_taken_is_left_alone() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    let taken = |name: &str| repository.worktree(name);
    write(&taken("file"), "mine\n");
    assert_has(&place.refused(repository.top(), "file").await, &["is a file", "move it away"]);
    write(&taken("directory").join("notes"), "mine\n");
    let why = place.refused(repository.top(), "directory").await;
    assert_has(&why, &["is a directory", "not one of this repository's worktrees", "another worktree"]);
    assert_eq!(fs::read_to_string(taken("directory").join("notes")).unwrap(), "mine\n");
    Repository::at(&taken("repository")).unwrap();
    assert_has(&place.refused(repository.top(), "repository").await, &["not one of this repository's"]);
    let other = Repository::at(&place.beside("other")).unwrap();
    other.git(&["worktree", "add", "--quiet", taken("foreign").to_str().unwrap()]);
    assert_has(&place.refused(repository.top(), "foreign").await, &["not one of this repository's"]);
    std::os::unix::fs::symlink(place.beside("other"), taken("link")).unwrap();
    assert_has(&place.refused(repository.top(), "link").await, &["is a link"]);
    assert_eq!(repository.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(repository.git(&["branch", "--list", "sexton/*"]), "");
    // An empty directory is nobody's work.
    fs::create_dir(taken("empty")).unwrap();
    place.ensure(repository.top(), "empty").await.unwrap();
    assert_eq!(branch(&taken("empty")), "sexton/empty");
}

#[tokio::test]
async fn its_branch_may_not_be_checked_out_elsewhere() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    repository.git(&["branch", "sexton/w"]);
    let elsewhere = place.beside("elsewhere");
    repository.git(&["worktree", "add", "--quiet", elsewhere.to_str().unwrap(), "sexton/w"]);
    let why = place.refused(repository.top(), "w").await;
    assert_has(&why, &["sexton/w is checked out in", elsewhere.to_str().unwrap()]);
    assert!(!repository.worktree("w").exists());
    // A branch whose name keeps all such branches from being.
    repository.git(&["worktree", "remove", elsewhere.to_str().unwrap()]);
    repository.git(&["branch", "-D", "--quiet", "sexton/w"]);
    repository.git(&["branch", "sexton"]);
    assert_has(&place.refused(repository.top(), "w").await, &["git says", "refs/heads/sexton"]);
    assert!(!repository.worktree("w").exists());
}

/// A repository in which the branch `other` and `main` contradict each other.
fn contradicting(repository: &Repository) {
    repository.git(&["checkout", "--quiet", "-b", "other"]);
    repository.write("README", "other\n");
    repository.commit("other");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("README", "main\n");
    repository.commit("main");
}

#[tokio::test]
async fn what_is_not_finished_is_finished_first() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    contradicting(&repository);
    place.ensure(repository.top(), "there").await.unwrap();
    let worktree = repository.worktree("there");
    for (begin, abort, what) in [
        (&["rebase", "other"][..], &["rebase", "--abort"][..], "rebase"),
        (&["merge", "other"], &["merge", "--abort"], "merge"),
        (&["cherry-pick", "other"], &["cherry-pick", "--abort"], "cherry-pick"),
        (&["revert", "HEAD~1"], &["revert", "--abort"], "revert"),
    ] {
        for (directory, name) in [(repository.top(), "new"), (&worktree, "there")] {
            git_fails(directory, begin);
            let why = place.refused(repository.top(), name).await;
            assert_has(&why, &[&format!("in the middle of a {what}"), &format!("git {what} --abort")]);
            assert_has(&why, &[directory.to_str().unwrap()]);
            // The user's own work is in nobody's way who does not begin there.
            if name == "new" {
                place.ensure(repository.top(), "there").await.unwrap();
            }
            git(directory, abort);
        }
    }
    repository.git(&["bisect", "start"]);
    assert_has(&place.refused(repository.top(), "new").await, &["bisect", "git bisect reset"]);
    repository.git(&["bisect", "reset"]);
    assert!(!repository.worktree("new").exists());
    place.ensure(repository.top(), "new").await.unwrap();
}

#[tokio::test]
async fn a_project_that_can_have_none_says_why() {
    let place = Place::new();
    let Some(unborn) = Repository::empty_at(&place.beside("unborn")) else { return };
    assert_has(&place.refused(unborn.top(), "w").await, &["has no commit", "make one"]);
    let plain = place.beside("plain");
    fs::create_dir(&plain).unwrap();
    assert_has(&place.refused(&plain, "w").await, &["git says", "not a git repository"]);
    assert_has(&place.refused(&place.beside("gone"), "w").await, &["there is no directory"]);
    let repository = Repository::at(&place.beside("project")).unwrap();
    repository.write("below/file", "x\n");
    assert_has(&place.refused(&repository.file("below"), "w").await, &["not the top of a git work tree"]);
    repository.git(&["config", "core.bare", "true"]);
    assert_has(&place.refused(repository.top(), "w").await, &["git says", "work tree"]);
    assert!(!repository.file(".worktrees").exists());
}

#[tokio::test]
async fn a_project_that_is_a_worktree_itself_has_its_own_below_it() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    let linked = place.beside("linked");
    repository.git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()]);
    let head = commit(&linked, "on the side");
    place.ensure(&linked, "w").await.unwrap();
    let worktree = linked.join(".worktrees/sexton/w");
    assert_eq!((branch(&worktree).as_str(), git(&worktree, &["rev-parse", "HEAD"])), ("sexton/w", head));
    assert_eq!(git(&linked, &["status", "--porcelain"]), "");
    // Two projects never work in one directory: each has a ledger of its own.
    assert_has(&place.refused(repository.top(), "w").await, &["checked out in", worktree.to_str().unwrap()]);
}

#[tokio::test]
async fn of_several_that_make_one_at_once_one_does_and_the_others_find_it() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    let ensure = || place.ensure(repository.top(), "w");
    let made = tokio::join!(ensure(), ensure(), ensure(), ensure());
    assert_eq!(made, (Ok(()), Ok(()), Ok(()), Ok(())));
    assert_eq!(git(&repository.worktree("w"), &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn one_that_was_deleted_by_hand_is_made_anew_on_its_branch() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    place.ensure(repository.top(), "w").await.unwrap();
    let worktree = repository.worktree("w");
    write(&worktree.join("work"), "done\n");
    let own = commit(&worktree, "work");
    fs::remove_dir_all(&worktree).unwrap();
    place.ensure(repository.top(), "w").await.unwrap();
    assert_eq!((branch(&worktree).as_str(), git(&worktree, &["rev-parse", "HEAD"])), ("sexton/w", own));
    assert!(worktree.join("work").exists());
    // What only the deleted one knew of is not given up.
    git(&worktree, &["checkout", "--quiet", "--detach"]);
    let lost = commit(&worktree, "on no branch");
    fs::remove_dir_all(&worktree).unwrap();
    let why = place.refused(repository.top(), "w").await;
    assert_has(&why, &[&lost, "git branch NAME", "git worktree prune"]);
    repository.git(&["branch", "kept", &lost]);
    place.ensure(repository.top(), "w").await.unwrap();
    assert_eq!(branch(&worktree), "sexton/w");
}

#[tokio::test]
async fn one_that_was_half_made_when_somebody_died_is_made_anew() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    place.ensure(repository.top(), "w").await.unwrap();
    let worktree = repository.worktree("w");
    // As git leaves it when it is killed in the midst of it.
    fs::remove_file(worktree.join("README")).unwrap();
    fs::write(repository.file(".git/worktrees/w/locked"), "initializing\n").unwrap();
    place.ensure(repository.top(), "w").await.unwrap();
    assert_eq!(
        (branch(&worktree).as_str(), git(&worktree, &["status", "--porcelain"])),
        ("sexton/w", String::new())
    );
    // One that somebody has locked is there all the same.
    repository.git(&["worktree", "lock", worktree.to_str().unwrap()]);
    fs::remove_file(worktree.join("README")).unwrap();
    place.ensure(repository.top(), "w").await.unwrap();
    assert!(!worktree.join("README").exists());
}

#[tokio::test]
async fn work_in_one_that_is_said_to_be_half_made_is_not_lost() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    repository.write("second", "second\n");
    repository.commit("second");
    write(&repository.file(".git/info/exclude"), "ignored\n");
    for (name, file, content) in
        [("new", "work", "mine\n"), ("changed", "README", "mine\n"), ("hidden", "ignored", "mine\n")]
    {
        place.ensure(repository.top(), name).await.unwrap();
        let worktree = repository.worktree(name);
        let path = worktree.to_str().unwrap();
        repository.git(&["worktree", "lock", "--reason", "initializing", path]);
        write(&worktree.join(file), content);
        let why = place.refused(repository.top(), name).await;
        assert_has(&why, &[&format!("({file})"), "git worktree unlock"]);
        assert_eq!(fs::read_to_string(worktree.join(file)).unwrap(), content);
        repository.git(&["worktree", "unlock", path]);
        place.ensure(repository.top(), name).await.unwrap();
    }
    // Git writes the index last of all.
    place.ensure(repository.top(), "halfway").await.unwrap();
    let worktree = repository.worktree("halfway");
    let own = repository.file(".git/worktrees/halfway");
    fs::remove_file(worktree.join("second")).unwrap();
    fs::rename(own.join("index"), own.join("index.lock")).unwrap();
    fs::write(own.join("locked"), "initializing\n").unwrap();
    place.ensure(repository.top(), "halfway").await.unwrap();
    assert_eq!(git(&worktree, &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn what_was_begun_in_vain_does_not_decide_where_one_begins() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    // Git makes the branch first of all, and may be killed then.
    repository.git(&["branch", "sexton/begun", "HEAD"]);
    repository.git(&["branch", "sexton/chosen", "main"]);
    repository.git(&["branch", "sexton/worked", "HEAD"]);
    let worked = commit(repository.top(), "goes to the branch");
    repository.git(&["update-ref", "refs/heads/sexton/worked", &worked]);
    repository.git(&["branch", "also", &worked]);
    let chosen = repository.git(&["rev-parse", "main~1"]);
    let head = commit(repository.top(), "the project goes on");
    for (name, expected) in [("begun", &head), ("chosen", &chosen), ("worked", &worked)] {
        place.ensure(repository.top(), name).await.unwrap();
        assert_eq!(git(&repository.worktree(name), &["rev-parse", "HEAD"]), *expected, "{name}");
    }
    // One whose content was deleted.
    let worktree = repository.worktree("worked");
    fs::remove_dir_all(&worktree).unwrap();
    fs::create_dir(&worktree).unwrap();
    place.ensure(repository.top(), "worked").await.unwrap();
    assert_eq!(git(&worktree, &["rev-parse", "HEAD"]), worked);
    assert!(worktree.join("README").exists());
}

#[tokio::test]
async fn making_one_is_bounded_and_git_is_looked_for_where_the_window_says() {
    let place = Place::new();
    let Some(repository) = place.repository() else { return };
    let lock = place.beside("lock");
    // A list of places cannot name one with a colon.
    let programs = tempfile::tempdir().unwrap();
    let bin = programs.path();
    let name = WorktreeName::from_words("w").unwrap();
    // A git that never ends.
    program::write(&bin.join("git"), "#!/bin/sh\nexec tail -f /dev/null\n");
    let short = Duration::from_millis(300);
    let made = ensure(repository.top(), &name, &lock, short, bin.to_str());
    let failure = in_time("an end", made).await.unwrap_err();
    assert_eq!(failure.class, ErrorClass::Transient, "{failure:?}");
    assert_has(&failure.message, &["git took too long"]);
    let elsewhere = place.beside("no such place");
    in_time("a worktree", ensure(repository.top(), &name, &lock, LIMIT, elsewhere.to_str())).await.unwrap();
}
