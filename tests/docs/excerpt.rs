//! Blocks that stand elsewhere, where a test runs them.

use std::path::Path;

use crate::blocks::Block;
use crate::documents::root;

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}

/// Whether these lines stand one after the other in that file, further in or out as a whole.
pub(crate) fn check(block: &Block, path: &str) -> Result<(), String> {
    if has_extension(path, "md") {
        return Err(format!("{path} is a document, and nobody runs a document"));
    }
    let text = read(path)?;
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let shown: Vec<&str> = block.content.lines().map(str::trim_end).collect();
    let shown = without_indentation(&shown);
    let stands = lines.windows(shown.len().max(1)).any(|window| without_indentation(window) == shown);
    if stands { Ok(()) } else { Err(format!("{path} has no such lines:\n{}", block.content)) }
}

/// Without what all lines are indented by.
fn without_indentation<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let written = lines.iter().filter(|line| !line.is_empty());
    let indentation = written.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    lines.iter().map(|line| line.get(indentation..).unwrap_or("")).collect()
}

fn has_extension(path: &str, wanted: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == wanted)
}

/// Whether that is a test which names the document that it runs: by its path in the repository, or, where the test
/// belongs to the directory of the document, by its name.
pub(crate) fn check_test(block: &Block, path: &str) -> Result<(), String> {
    let is_test = path == ".ci/run" || Path::new(path).iter().any(|part| part == "tests");
    if !is_test || has_extension(path, "md") {
        return Err(format!("{path} is no test: those are .ci/run and what is in a directory `tests`"));
    }
    let text = read(path)?;
    let document = block.document.as_str();
    let (directory, name) = document.rsplit_once('/').map_or(("", document), |(place, name)| (place, name));
    let inside = path.strip_prefix(directory).map(|rest| rest.trim_start_matches('/'));
    let is_beside = inside.is_some_and(|rest| rest.starts_with("tests/"));
    // By its name alone a document is only called from beside it: many directories have a README.md.
    let names = [(!directory.is_empty()).then_some(document), is_beside.then_some(name)];
    match names.into_iter().flatten().any(|name| mentions(&text, name)) {
        true => Ok(()),
        false => Err(format!("{path} does not name {document}, so it does not run this")),
    }
}

/// Whether the text has this path in it, and not only one that ends with it. One from the directory itself begins
/// with a slash.
fn mentions(text: &str, path: &str) -> bool {
    let mut befores = text.match_indices(path).map(|(at, _)| text[..at].trim_end_matches('/'));
    befores.any(|before| !before.ends_with(|letter: char| letter.is_alphanumeric() || "-_.".contains(letter)))
}
