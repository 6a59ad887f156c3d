//! The worktrees that a repository knows of.

use std::path::PathBuf;

use super::super::git::{Git, NoAnswer};

/// One of them, as git lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    /// The commit at which it stands; none before the first one.
    pub(super) head: Option<String>,
    /// The full name of what is checked out; none if it stands at a commit only.
    pub(super) branch: Option<String>,
    pub(super) lock: Lock,
}

/// Whether git keeps it from being removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Open,
    /// Git's own, while it makes the worktree.
    Initializing,
    /// Somebody's, with what they say about it.
    Kept {
        why: String,
    },
}

/// All of them, the main one first.
pub(super) async fn all(git: &Git) -> Result<Vec<Entry>, NoAnswer> {
    Ok(read(&git.text(&["worktree", "list", "--porcelain"]).await?))
}

/// Whether a branch has this commit, other than those that are left out. A name that only stands for another branch goes
/// with that one.
pub(super) async fn is_on_a_branch(git: &Git, commit: &str, left_out: &[&str]) -> Result<bool, NoAnswer> {
    let args = ["for-each-ref", "--format=%(refname) %(symref)", "--contains", commit, "refs/heads/"];
    let with = git.text(&args).await?;
    let mut branches = with.lines().filter_map(|line| match line.split_once(' ') {
        Some((branch, "")) => Some(branch),
        Some(_) => None,
        // Spaces at the end of the last line may be missing.
        None => Some(line),
    });
    Ok(branches.any(|branch| !left_out.contains(&branch)))
}

fn read(listed: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in listed.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "worktree" {
            let path = PathBuf::from(rest);
            entries.push(Entry { path, head: None, branch: None, lock: Lock::Open });
            continue;
        }
        let Some(entry) = entries.last_mut() else { continue };
        match word {
            "HEAD" => entry.head = Some(rest.to_owned()).filter(|head| head.bytes().any(|byte| byte != b'0')),
            "branch" => entry.branch = Some(rest.to_owned()),
            "locked" if rest == "initializing" => entry.lock = Lock::Initializing,
            "locked" => entry.lock = Lock::Kept { why: rest.to_owned() },
            // What later versions of git tell beside.
            _ => {}
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_lists_is_read() {
        let listed = "worktree /p q\nHEAD 00aa\nbranch refs/heads/main\n\n\
            worktree /p q/.worktrees/sexton/a\nHEAD 00bb\ndetached\nlocked initializing\n\n\
            worktree /w\nHEAD 0000\nbranch refs/heads/x\nlocked on a stick\nprunable gitdir file points to nowhere\n\n\
            worktree /bare\nbare\nlocked";
        let entries = read(listed);
        let one = |path: &str, head: Option<&str>, branch: Option<&str>, lock| Entry {
            path: path.into(),
            head: head.map(str::to_owned),
            branch: branch.map(str::to_owned),
            lock,
        };
        assert_eq!(
            entries,
            [
                one("/p q", Some("00aa"), Some("refs/heads/main"), Lock::Open),
                one("/p q/.worktrees/sexton/a", Some("00bb"), None, Lock::Initializing),
                one("/w", None, Some("refs/heads/x"), Lock::Kept { why: "on a stick".to_owned() }),
                one("/bare", None, None, Lock::Kept { why: String::new() }),
            ]
        );
    }
}
