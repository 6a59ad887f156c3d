//! The most that is taken of what an agent says. It may say anything, and as much as it likes.
//!
//! What is shown to people is as much as a window that carries prompts out itself may tell.

/// The longest line of an agent, in bytes. Diffs of whole files and images are in one line.
pub(super) const LINE_BYTES: usize = 32 * 1024 * 1024;

/// How much may wait for an agent that does not read, in bytes, before its own requests are not answered any more: it
/// would not read the answers either. What is wished of it is always said.
pub(super) const REPLIES_BYTES: usize = 256 * 1024;

/// How many reports may wait to be taken before nothing more is read of the agent.
pub(super) const REPORTS: usize = 64;

/// How much output may wait to be written, in bytes, before nothing more is read of the agent.
pub(super) const UNWRITTEN_BYTES: usize = 1024 * 1024;

/// The most of an agent's last message that is kept, in bytes: the end of it.
pub(super) const MESSAGE_BYTES: usize = 64 * 1024;

/// How many requests of an agent may wait for a person at once. Those beyond are told that nobody answers.
pub(super) const NEEDS: usize = 100;

/// How many calls of tools are known at once. Of older ones an update is taken for a new call.
pub(super) const CALLS: usize = 1000;

/// The longest identity of a call, in bytes. Longer ones are known by a digest.
pub(super) const CALL_ID_BYTES: usize = 256;

/// How many files are named, of all that an agent says it changed, and as many are known of its calls together.
pub(super) const FILES: usize = 10_000;

/// How many models, and how many variants of one, are read.
pub(super) const MODELS: usize = 1000;

/// How many fields one form may have: each is a question of its own.
pub(super) const FIELDS: usize = 20;

/// The longest title of a step, in characters, without the digest of its input.
pub(super) const TITLE: usize = 160;

/// The longest text that a person is asked with, in characters.
pub(super) const SENTENCE: usize = 4000;

/// The most answers that a person chooses from.
pub(super) const OPTIONS: usize = 20;

/// The longest name of an answer, in characters.
pub(super) const LABEL: usize = 200;

/// How many answers are read of those that an agent lets one choose from. What is not shown may still be the way to say no,
/// or be chosen in words.
pub(super) const OPTIONS_READ: usize = 200;

/// The longest path of a file, in bytes: as long as the system takes one.
pub(super) const PATH_BYTES: usize = 4096;

/// The most that is shown of what an agent wants to use, in bytes of JSON.
pub(super) const TOOL_BYTES: usize = 16 * 1024;

/// The first characters of a text, and a sign that there was more.
pub(super) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => {
            let end = text.char_indices().nth(characters.saturating_sub(1)).map_or(0, |(end, _)| end);
            format!("{}…", &text[..end])
        }
    }
}

/// A text in one line.
pub(super) fn one_line(text: &str, characters: usize) -> String {
    cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), characters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_as_long_as_it_may_be() {
        assert_eq!(cut("ähnlich", 7), "ähnlich");
        assert_eq!(cut("ähnlich", 6), "ähnli…");
        assert_eq!(one_line(" a\n\tb  c ", 9), "a b c");
    }
}
