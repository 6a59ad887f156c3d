//! Repositories of git's, for tests of what is done with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A repository with a work tree.
pub(crate) struct Repository {
    top: PathBuf,
}

impl Repository {
    /// A repository at this path with one commit, on the branch `main`. None where there is no git, which is said, and
    /// is a failure where everything is to be tested (`CI`).
    pub(crate) fn at(path: &Path) -> Option<Repository> {
        let repository = Repository::empty_at(path)?;
        repository.write("README", "first\n");
        repository.commit("first");
        Some(repository)
    }

    /// The same without a commit.
    pub(crate) fn empty_at(path: &Path) -> Option<Repository> {
        if !is_installed() {
            #[expect(clippy::disallowed_methods, reason = "CI says by its environment that it is one")]
            let everything = std::env::var_os("CI").is_some();
            assert!(!everything, "git is not installed, so this cannot be tested");
            eprintln!("NOT TESTED: git is not installed");
            return None;
        }
        std::fs::create_dir_all(path).expect("a directory");
        let top = path.canonicalize().expect("the directory");
        let repository = Repository { top };
        repository.git(&["init", "--quiet", "-b", "main"]);
        for (name, value) in
            [("user.name", "Test"), ("user.email", "test@localhost"), ("commit.gpgsign", "false")]
        {
            repository.git(&["config", name, value]);
        }
        Some(repository)
    }

    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// A path in its work tree.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.top.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        write(&self.file(name), content);
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        commit(&self.top, message)
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.top, args)
    }

    /// Where a worktree of an automation is.
    pub(crate) fn worktree(&self, name: &str) -> PathBuf {
        self.top.join(".worktrees/sexton").join(name)
    }

    /// Everything in the directory in which git keeps the repository, by path.
    pub(crate) fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        let mut unseen = vec![self.top.join(".git")];
        while let Some(path) = unseen.pop() {
            match path.is_dir() {
                true => {
                    let entries = std::fs::read_dir(&path).expect("a directory");
                    unseen.extend(entries.map(|entry| entry.expect("an entry").path()));
                    all.insert(path, Vec::new());
                }
                false => {
                    let content = std::fs::read(&path).expect("a file");
                    all.insert(path, content);
                }
            }
        }
        all
    }
}

pub(crate) fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    std::fs::write(path, content).expect("a file");
}

/// Commits everything in a work tree, and gives the commit.
pub(crate) fn commit(directory: &Path, message: &str) -> String {
    git(directory, &["add", "--all"]);
    git(directory, &["commit", "--quiet", "--allow-empty", "-m", message]);
    git(directory, &["rev-parse", "HEAD"])
}

/// What git answers.
pub(crate) fn git(directory: &Path, args: &[&str]) -> String {
    let output = run(directory, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?} in {}: {said}", directory.display());
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Has git do what it is to fail at.
pub(crate) fn git_fails(directory: &Path, args: &[&str]) {
    let output = run(directory, args);
    assert!(!output.status.success(), "git {args:?} in {} succeeds", directory.display());
}

fn run(directory: &Path, args: &[&str]) -> Output {
    // What whoever tests has configured must not change what is tested.
    let mut command = Command::new("git");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_EDITOR", "true");
    command.args(args).current_dir(directory).output().expect("git can be run")
}

fn is_installed() -> bool {
    Command::new("git").arg("--version").output().is_ok()
}
