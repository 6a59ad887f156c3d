//! The places that worktrees need: their directory, the line that has git ignore it, and what must not be going on.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::super::git::{Git, NoAnswer};

/// What git is to ignore in the project: the worktrees of automations, and nothing that others keep beside them.
const EXCLUDED: &str = "/.worktrees/sexton/";

/// What is where a worktree belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing, or a directory with nothing in it.
    Free,
    /// A directory with something in it.
    Directory,
}

/// Looks at the place, or says what is in the way there.
pub(super) fn look(project: &Path, path: &Path) -> Result<Place, String> {
    let below = path.strip_prefix(project).map_err(|_| format!("{} is elsewhere", path.display()))?;
    let mut part = project.to_owned();
    for name in below {
        part.push(name);
        match fs::symlink_metadata(&part) {
            Ok(there) if there.is_dir() => {}
            // What is behind a link may be anybody's, and others would not know that it is the same directory.
            Ok(there) => {
                let what = if there.is_symlink() { "a link" } else { "a file" };
                return Err(format!("{} is {what}; move it away, or name another worktree", part.display()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
            Err(error) => return Err(format!("{} cannot be looked at: {error}", part.display())),
        }
    }
    let mut entries =
        fs::read_dir(path).map_err(|error| format!("{} cannot be looked into: {error}", path.display()))?;
    Ok(if entries.next().is_none() { Place::Free } else { Place::Directory })
}

/// Has git ignore the worktrees, through the repository's own file for that, of which nobody else gets to know.
///
/// # Errors
/// Git's, or a sentence.
pub(super) async fn exclude(git: &Git) -> Result<(), Result<NoAnswer, String>> {
    let files = git.paths(&["rev-parse", "--git-path", "info/exclude"]).await.map_err(Ok)?;
    let file = files.first().ok_or_else(|| Err("git does not tell where its exclude file is".to_owned()))?;
    exclude_in(file).map_err(|error| {
        Err(format!("{} cannot be written, which keeps git from seeing worktrees: {error}", file.display()))
    })
}

fn exclude_in(file: &Path) -> io::Result<()> {
    // Opening a pipe would wait for whoever has its other end.
    if fs::metadata(file).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is no file"));
    }
    let text = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        text => text?,
    };
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    if lines.any(|line| line == EXCLUDED.as_bytes()) {
        return Ok(());
    }
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let gap = if text.is_empty() || text.ends_with(b"\n") { "" } else { "\n" };
    let mut file = fs::OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(format!("{gap}{EXCLUDED}\n").as_bytes())
}

/// What can be going on in a work tree that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    Rebase,
    Patches,
    Merge,
    CherryPick,
    Revert,
    Bisect,
}

impl Within {
    const ALL: [Within; 6] =
        [Within::Rebase, Within::Patches, Within::Merge, Within::CherryPick, Within::Revert, Within::Bisect];

    /// What is going on, by what git keeps about it in the directory of the work tree's own.
    pub(super) fn find(git_directory: &Path) -> Option<Within> {
        Within::ALL.into_iter().find(|within| git_directory.join(within.trace()).exists())
    }

    const fn trace(self) -> &'static str {
        match self {
            Within::Rebase => "rebase-merge",
            Within::Patches => "rebase-apply",
            Within::Merge => "MERGE_HEAD",
            Within::CherryPick => "CHERRY_PICK_HEAD",
            Within::Revert => "REVERT_HEAD",
            Within::Bisect => "BISECT_LOG",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Within::Rebase => "rebase",
            Within::Patches => "rebase or of applying patches",
            Within::Merge => "merge",
            Within::CherryPick => "cherry-pick",
            Within::Revert => "revert",
            Within::Bisect => "bisect",
        }
    }

    pub(super) const fn way_out(self) -> &'static str {
        match self {
            Within::Rebase => "git rebase --abort",
            Within::Patches => "git rebase --abort` or `git am --abort",
            Within::Merge => "git merge --abort",
            Within::CherryPick => "git cherry-pick --abort",
            Within::Revert => "git revert --abort",
            Within::Bisect => "git bisect reset",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_added_once_and_what_is_there_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("info/exclude");
        let text = || fs::read_to_string(&file).unwrap();
        exclude_in(&file).unwrap();
        assert_eq!(text(), "/.worktrees/sexton/\n");
        for (before, after) in [
            ("# mine\n*.o", "# mine\n*.o\n/.worktrees/sexton/\n"),
            ("*.o\n", "*.o\n/.worktrees/sexton/\n"),
            ("/.worktrees/sexton/\r\n*.o", "/.worktrees/sexton/\r\n*.o"),
            ("#/.worktrees/sexton/\n", "#/.worktrees/sexton/\n/.worktrees/sexton/\n"),
        ] {
            fs::write(&file, before).unwrap();
            for _ in 0..2 {
                exclude_in(&file).unwrap();
                assert_eq!(text(), after);
            }
        }
    }
}
