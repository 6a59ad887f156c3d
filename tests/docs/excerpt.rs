//! Blocks that stand elsewhere, where a test runs them.

use crate::blocks::Block;
use crate::documents::root;

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))
}

/// Whether these lines stand one after the other in that file, further in or out as a whole.
pub(crate) fn check(block: &Block, path: &str) -> Result<(), String> {
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

/// Whether that test names the document that it runs.
pub(crate) fn check_test(block: &Block, path: &str) -> Result<(), String> {
    let text = read(path)?;
    let name = block.document.rsplit('/').next().unwrap_or(&block.document);
    let names = text.contains(name);
    if names { Ok(()) } else { Err(format!("{path} does not name {name}, so it does not run this")) }
}
