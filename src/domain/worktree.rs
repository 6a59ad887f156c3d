//! Worktrees: directories in which the work of an automation keeps out of everybody's way, each on a branch of its own.

use std::fmt;
use std::path::MAIN_SEPARATOR_STR;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The directory that holds the worktrees of automations, seen from the top of a project.
pub const WORKTREES: [&str; 2] = [".worktrees", "sexton"];

/// The name of a worktree: 1 to 64 of `a` to `z`, `0` to `9` and `-`, neither at the ends nor twice in a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct WorktreeName(
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))] String,
);

impl WorktreeName {
    /// The most characters of a name. With what stands around it, it still fits into a name of a file everywhere.
    pub const LONGEST: usize = 64;

    /// The name that somebody means by these words: in lower case, with one `-` in place of whatever lies between
    /// letters and digits, and cut where it is too long. None if there are no letters or digits among them. What is a name
    /// already stays as it is.
    pub fn from_words(words: &str) -> Option<Self> {
        let mut name = String::with_capacity(Self::LONGEST);
        let mut gap = false;
        for letter in words.chars().map(|letter| letter.to_ascii_lowercase()) {
            if !(letter.is_ascii_lowercase() || letter.is_ascii_digit()) {
                gap = !name.is_empty();
                continue;
            }
            if name.len() + usize::from(gap) >= Self::LONGEST {
                break;
            }
            if gap {
                name.push('-');
                gap = false;
            }
            name.push(letter);
        }
        (!name.is_empty()).then_some(WorktreeName(name))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The branch that is its own.
    pub fn branch(&self) -> String {
        format!("sexton/{}", self.0)
    }

    /// Where it is in the project at this path.
    pub fn directory_in(&self, project: &str) -> String {
        let project = project.trim_end_matches(MAIN_SEPARATOR_STR);
        let [above, below] = WORKTREES;
        [project, above, below, &self.0].join(MAIN_SEPARATOR_STR)
    }
}

impl TryFrom<String> for WorktreeName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let name = WorktreeName::from_words(&text).filter(|name| name.0 == text);
        name.ok_or_else(|| format!("{text:?} is no name of a worktree"))
    }
}

impl fmt::Display for WorktreeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What keeps the history of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Vcs {
    /// The project is the top of a git work tree.
    Git,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(words: &str) -> Option<String> {
        WorktreeName::from_words(words).map(|name| name.0)
    }

    #[test]
    fn words_become_a_name() {
        for (words, expected) in [
            ("nightly", "nightly"),
            ("Nightly Fixes", "nightly-fixes"),
            ("  fix: the (odd) test!  ", "fix-the-odd-test"),
            ("a__b--c..d", "a-b-c-d"),
            ("../../etc/passwd", "etc-passwd"),
            ("-v", "v"),
            ("2026/Q1", "2026-q1"),
            ("f\u{fc}r \u{1F514} x", "f-r-x"),
        ] {
            assert_eq!(name(words).as_deref(), Some(expected), "{words}");
        }
        for words in ["", " ", "..", "---", "\u{e4}\u{f6}", "\u{1F514}"] {
            assert_eq!(name(words), None, "{words}");
        }
    }

    #[test]
    fn a_long_name_is_cut_where_a_word_or_a_gap_reaches_the_limit() {
        assert_eq!(name(&"x".repeat(65)), Some("x".repeat(64)));
        assert_eq!(name(&format!("{} y", "x".repeat(63))), Some("x".repeat(63)), "no `-` at the end");
        assert_eq!(name(&format!("{} yz", "x".repeat(62))), Some(format!("{}-y", "x".repeat(62))));
    }

    #[test]
    fn where_it_is() {
        let name = WorktreeName::from_words("a b").unwrap();
        assert_eq!(name.branch(), "sexton/a-b");
        #[cfg(unix)]
        for (project, expected) in [("/p", "/p/.worktrees/sexton/a-b"), ("/", "/.worktrees/sexton/a-b")] {
            assert_eq!(name.directory_in(project), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_name_is_sound_and_stays_as_it_is(words in "\\PC{0,100}") {
            let Some(name) = name(&words) else { return Ok(()) };
            prop_assert!(name.len() <= WorktreeName::LONGEST);
            prop_assert!(name.split('-').all(|part| !part.is_empty()), "{}", name);
            prop_assert!(name.chars().all(|letter| matches!(letter, 'a'..='z' | '0'..='9' | '-')), "{}", name);
            prop_assert_eq!(WorktreeName::try_from(name.clone()).map(|it| it.0), Ok(name));
        }
    }
}
