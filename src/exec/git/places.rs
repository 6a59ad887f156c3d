//! Where the git program is looked for, and where it looks for the programs that it starts.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What is searched where nothing else is to be, as the system does.
const WITHOUT_PATH: &str = "/bin:/usr/bin";

/// The directories of this list and then those of this process's `PATH`, as another such list.
///
/// Only absolute ones: another one counts from where git works, which is in the project, and **a program is run because its
/// user has it, never because a repository has one of that name**.
pub(super) fn absolute(first: Option<&str>) -> OsString {
    #[expect(clippy::disallowed_methods, reason = "it is where the child would be looked for anyway")]
    let usual = std::env::var_os("PATH").unwrap_or_else(|| WITHOUT_PATH.into());
    absolute_of(first.map(OsStr::new), &usual)
}

fn absolute_of(first: Option<&OsStr>, usual: &OsStr) -> OsString {
    let lists = first.into_iter().chain([usual]);
    let directories: Vec<PathBuf> =
        lists.flat_map(std::env::split_paths).filter(|directory| directory.is_absolute()).collect();
    match std::env::join_paths(directories) {
        Ok(list) if !list.is_empty() => list,
        // An empty list would mean the directory in which git works.
        Ok(_) | Err(_) => WITHOUT_PATH.into(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_directories_are_left_and_there_is_always_one() {
        for (first, usual, list) in [
            (None, "/usr/bin:/bin", "/usr/bin:/bin"),
            (None, ".:/usr/bin::bin:./x:../y", "/usr/bin"),
            (Some("/a:b"), "/usr/bin", "/a:/usr/bin"),
            (Some(""), "", WITHOUT_PATH),
            (None, ".", WITHOUT_PATH),
        ] {
            assert_eq!(absolute_of(first.map(OsStr::new), OsStr::new(usual)), OsStr::new(list), "{usual}");
        }
    }
}
