//! Removing worktrees of real repositories: what only looks as if it were saved elsewhere stays, or is saved.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sexton::domain::worktree::WorktreeName;
use sexton::exec::worktree::prune::{Fate, Meaning, prune};
use sexton::exec::worktree::{ensure, hold};

use crate::git::{Repository, commit, git, git_fails, write};
use crate::support::in_time;

struct Place {
    root: tempfile::TempDir,
    repository: Repository,
}

impl Place {
    fn new() -> Option<Self> {
        let root = tempfile::Builder::new().prefix("sexton: prune ").tempdir().expect("a directory");
        let repository = Repository::at(&root.path().canonicalize().expect("the place").join("project"))?;
        repository.write("kept/file", "first\n");
        repository.write("other/file", "first\n");
        repository.commit("second");
        Some(Place { root, repository })
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().expect("the place").join(name)
    }

    /// A worktree in which something was committed that `main` has by now.
    async fn merged(&self, words: &str) -> PathBuf {
        let name = WorktreeName::from_words(words).expect("a name");
        in_time(
            "a worktree",
            ensure(self.repository.top(), &name, &self.beside("lock"), Duration::from_secs(60), None),
        )
        .await
        .expect("it is made");
        let worktree = self.repository.worktree(words);
        write(&worktree.join("own"), words);
        commit(&worktree, words);
        self.merge(words);
        worktree
    }

    fn merge(&self, words: &str) {
        self.repository.git(&["merge", "--quiet", "--no-ff", "-m", "merged", &format!("sexton/{words}")]);
    }

    async fn fates(&self, names: &[&str], meaning: Meaning) -> Vec<Fate> {
        let (mut gone, mut fates) = (BTreeSet::new(), Vec::new());
        let held = hold(&self.beside("lock"), Duration::from_secs(60)).await.expect("the lock");
        for words in names {
            let name = WorktreeName::from_words(words).expect("a name");
            let scratch = tempfile::tempdir_in(self.root.path()).expect("a directory");
            let top = self.repository.top();
            let save_as = format!("of-{words}");
            let fate = prune(top, &name, &save_as, scratch.path(), meaning, &mut gone, &held);
            fates.push(in_time("its fate", fate).await);
        }
        fates
    }

    async fn prune(&self, words: &str) -> Fate {
        self.fates(&[words], Meaning::Real).await.remove(0)
    }

    async fn assert_kept(&self, words: &str, why: &str) {
        for meaning in [Meaning::DryRun, Meaning::Real] {
            let fate = self.fates(&[words], meaning).await.remove(0);
            assert!(matches!(&fate, Fate::Kept { why: told } if told.contains(why)), "{words}: {fate:?}");
        }
        assert!(self.repository.worktree(words).exists(), "{words}");
        assert_ne!(self.repository.git(&["branch", "--list", &format!("sexton/{words}")]), "", "{words}");
    }

    /// What one file is that was saved.
    fn saved(&self, name: &str) -> String {
        self.repository.git(&["show", &format!("refs/sexton/{name}")])
    }
}

fn saved_at(words: &str) -> Fate {
    Fate::RemovedAfterSaving { reference: format!("refs/sexton/{words}") }
}

#[tokio::test]
async fn files_that_git_was_told_not_to_look_at_are_saved() {
    let Some(place) = Place::new() else { return };
    for (words, args) in [
        ("assumed", &["update-index", "--assume-unchanged", "README"][..]),
        ("skipped", &["update-index", "--skip-worktree", "README"]),
    ] {
        let worktree = place.merged(words).await;
        git(&worktree, args);
        write(&worktree.join("README"), "precious\n");
        assert_eq!(git(&worktree, &["status", "--porcelain"]), "", "as if there were nothing");
        assert_eq!(place.prune(words).await, saved_at(&format!("of-{words}")));
        assert_eq!(place.saved(&format!("of-{words}:README")), "precious");
    }
    for (words, how) in [
        ("cone", &["sparse-checkout", "set", "kept"][..]),
        ("patterns", &["sparse-checkout", "set", "--no-cone", "/kept/"]),
    ] {
        let worktree = place.merged(words).await;
        git(&worktree, how);
        assert!(!worktree.join("other").exists());
        write(&worktree.join("other/new"), "precious\n");
        assert_eq!(place.prune(words).await, saved_at(&format!("of-{words}")));
        assert_eq!(place.saved(&format!("of-{words}:other/new")), "precious");
        assert_eq!(place.saved(&format!("of-{words}:other/file")), "first", "it was not deleted");
        assert!(!worktree.exists());
    }
    // With nothing in it that is not committed, one goes as any other.
    git(&place.merged("sparse").await, &["sparse-checkout", "set", "kept"]);
    assert_eq!(place.prune("sparse").await, Fate::Removed);
    assert_eq!(place.repository.git(&["for-each-ref", "refs/sexton/of-sparse"]), "");
}

#[tokio::test]
async fn what_git_ignores_is_saved_where_it_was_committed_once() {
    let Some(place) = Place::new() else { return };
    let worktree = place.merged("tracked").await;
    write(&worktree.join("built/output"), "first\n");
    write(&worktree.join(".gitignore"), "built/\n");
    git(&worktree, &["add", "--force", "built/output", ".gitignore"]);
    git(&worktree, &["-c", "user.name=a", "-c", "user.email=b", "commit", "--quiet", "-m", "forced"]);
    place.merge("tracked");
    write(&worktree.join("built/output"), "changed\n");
    write(&worktree.join("built/more"), "goes\n");
    assert_eq!(place.prune("tracked").await, saved_at("of-tracked"));
    assert_eq!(place.saved("of-tracked:built/output"), "changed");
    let worktree = place.merged("forgotten").await;
    git(&worktree, &["rm", "--cached", "--quiet", "built/output"]);
    write(&worktree.join("built/output"), "changed\n");
    place.assert_kept("forgotten", "built/output").await;
}

#[tokio::test]
async fn what_is_only_in_the_index_is_saved_beside_what_is_in_the_directory() {
    let Some(place) = Place::new() else { return };
    let worktree = place.merged("both").await;
    for content in ["staged\n", "written\n"] {
        write(&worktree.join("README"), content);
        if content == "staged\n" {
            git(&worktree, &["add", "README"]);
        }
    }
    assert_eq!(place.prune("both").await, saved_at("of-both"));
    assert_eq!(place.saved("of-both:README"), "written");
    assert_eq!(place.saved("of-both^2:README"), "staged");
    assert_eq!(
        place.repository.git(&["rev-parse", "refs/sexton/of-both^2^"]),
        place.repository.git(&["rev-parse", "refs/sexton/of-both^"])
    );
    let worktree = place.merged("gone").await;
    write(&worktree.join("new"), "staged\n");
    git(&worktree, &["add", "new"]);
    fs::remove_file(worktree.join("new")).unwrap();
    assert_eq!(place.prune("gone").await, saved_at("of-gone"));
    assert_eq!(place.saved("of-gone^2:new"), "staged");
    // What contradicts itself cannot be saved so.
    let worktree = place.merged("torn").await;
    git(&worktree, &["checkout", "--quiet", "-b", "aside"]);
    for (branch, directory) in [("aside", worktree.as_path()), ("main", place.repository.top())] {
        write(&directory.join("README"), branch);
        commit(directory, branch);
    }
    place.repository.git(&["merge", "--quiet", "-s", "ours", "-m", "over", "aside"]);
    write(&worktree.join("README"), "stashed");
    git(&worktree, &["stash"]);
    git(&worktree, &["reset", "--quiet", "--hard", "main"]);
    git_fails(&worktree, &["stash", "apply"]);
    place.assert_kept("torn", "README").await;
}

#[tokio::test]
async fn another_repository_in_it_keeps_it_wherever_it_is() {
    let Some(place) = Place::new() else { return };
    let inner = |worktree: &Path, below: &str| Repository::empty_at(&worktree.join(below)).unwrap();
    inner(&place.merged("unborn").await, "inner").write("work", "w\n");
    place.assert_kept("unborn", "another repository in it (inner/.git)").await;
    write(&place.repository.file(".git/info/exclude"), "/.worktrees/sexton/\nvendor/\n");
    let worktree = place.merged("ignored").await;
    inner(&worktree, "vendor/lib").commit("not pushed");
    assert_eq!(git(&worktree, &["status", "--porcelain"]), "");
    place.assert_kept("ignored", "another repository in it (vendor/lib/.git)").await;
    let worktree = place.merged("bare").await;
    git(&worktree, &["init", "--quiet", "--bare", "vendor/bare"]);
    place.assert_kept("bare", "another repository in it (vendor/bare)").await;
    // A submodule whose directory has gone: its commits are in the worktree's own part of the repository.
    let library = Repository::at(&place.beside("library")).unwrap();
    let worktree = place.merged("module").await;
    let from = library.top().to_str().unwrap();
    git(&worktree, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", from, "module"]);
    git(&worktree, &["rm", "--quiet", "--force", "module", ".gitmodules"]);
    assert_eq!(git(&worktree, &["status", "--porcelain"]), "");
    place.assert_kept("module", "repositories of submodules").await;
}

#[tokio::test]
async fn only_branches_that_stay_hold_commits() {
    let Some(place) = Place::new() else { return };
    let work_on = |worktree: &Path| {
        write(&worktree.join("own"), "not merged");
        commit(worktree, "not merged")
    };
    let worktree = place.merged("alias").await;
    work_on(&worktree);
    git(&worktree, &["symbolic-ref", "refs/heads/alias", "refs/heads/sexton/alias"]);
    place.assert_kept("alias", "on no other branch").await;
    let worktree = place.merged("own-reference").await;
    let own = work_on(&worktree);
    git(&worktree, &["update-ref", "refs/worktree/mine", &own]);
    git(&worktree, &["reset", "--quiet", "--hard", "main"]);
    place.assert_kept("own-reference", "refs/worktree/mine").await;
    // Two on one commit: the first may go, for the second has it.
    let first = place.merged("first").await;
    let second = place.merged("second").await;
    let own = work_on(&first);
    git(&second, &["reset", "--quiet", "--hard", &own]);
    for meaning in [Meaning::DryRun, Meaning::Real] {
        let fates = place.fates(&["first", "second"], meaning).await;
        let [Fate::Removed, Fate::Kept { why }] = &fates[..] else { panic!("{meaning:?}: {fates:?}") };
        assert!(why.contains("on no other branch"), "{why}");
        assert_eq!(first.exists(), meaning == Meaning::DryRun);
    }
    assert!(second.exists());
}

#[tokio::test]
async fn what_cannot_be_looked_at_stays() {
    let Some(place) = Place::new() else { return };
    let worktree = place.merged("elsewhere").await;
    write(&worktree.join("new"), "precious\n");
    write(&place.beside("elsewhere/file"), "other\n");
    git(&worktree, &["config", "extensions.worktreeConfig", "true"]);
    let elsewhere = place.beside("elsewhere");
    git(&worktree, &["config", "--worktree", "core.worktree", elsewhere.to_str().unwrap()]);
    place.assert_kept("elsewhere", "git takes").await;
    // Git refuses to add a file that would come back otherwise.
    let worktree = place.merged("refused").await;
    place.repository.git(&["config", "core.safecrlf", "true"]);
    write(&place.repository.file(".git/info/attributes"), "mixed text\n");
    write(&worktree.join("mixed"), "a\r\nb\n");
    place.assert_kept("refused", "mixed").await;
    let worktree = place.merged("pipe").await;
    let made = std::process::Command::new("mkfifo").arg(worktree.join("pipe")).status().unwrap();
    assert!(made.success());
    place.assert_kept("pipe", "pipe in it cannot be saved").await;
}

#[tokio::test]
async fn what_was_saved_before_stays_as_it_is() {
    let Some(place) = Place::new() else { return };
    let worktree = place.merged("again").await;
    place.repository.git(&["update-ref", "refs/sexton/of-again", "main~1"]);
    write(&worktree.join("README"), "precious\n");
    // As if it had been killed after saving: the same, at another time, so that it is another commit.
    let tree = {
        git(&worktree, &["add", "README"]);
        git(&worktree, &["write-tree"])
    };
    git(&worktree, &["reset", "--quiet"]);
    let head = git(&worktree, &["rev-parse", "HEAD"]);
    let saved = git(&worktree, &["commit-tree", &tree, "-p", &head, "-m", "saved"]);
    place.repository.git(&["update-ref", "refs/sexton/of-again-2", &saved]);
    assert_eq!(place.fates(&["again"], Meaning::DryRun).await, [saved_at("of-again-2")]);
    write(&worktree.join("README"), "other\n");
    assert_eq!(place.fates(&["again"], Meaning::DryRun).await, [saved_at("of-again-3")]);
    write(&worktree.join("README"), "precious\n");
    assert_eq!(place.prune("again").await, saved_at("of-again-2"));
    assert_eq!(place.repository.git(&["rev-parse", "refs/sexton/of-again-2"]), saved);
    assert_eq!(place.repository.git(&["for-each-ref", "refs/sexton/of-again-3"]), "");
    assert!(!worktree.exists());
}
