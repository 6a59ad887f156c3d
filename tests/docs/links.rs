//! Links inside the repository: the file is there, and so is the heading.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::blocks::prose;
use crate::documents::{Document, root};

/// The anchors of each document, by its name.
pub(crate) type Headings = HashMap<String, Vec<String>>;

pub(crate) fn headings(all: &[Document]) -> Headings {
    all.iter().map(|one| (one.name.clone(), anchors(&one.text))).collect()
}

/// All links of a document that lead nowhere.
pub(crate) fn check(document: &Document, headings: &Headings) -> Result<(), String> {
    let mut faults = Vec::new();
    for (number, line) in prose(&document.text).into_iter().enumerate() {
        for target in targets(line) {
            if let Err(fault) = leads_somewhere(&target, document, headings) {
                faults.push(format!("line {}: {target}: {fault}", number + 1));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn leads_somewhere(target: &str, document: &Document, headings: &Headings) -> Result<(), String> {
    let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
    if is_elsewhere {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let name = match path.is_empty() {
        true => document.name.clone(),
        false => {
            let beside = Path::new(&document.name).parent().unwrap_or(Path::new("")).join(path);
            let inside = normal(&beside).ok_or("it leads out of the repository")?;
            if !root().join(&inside).exists() {
                return Err("there is no such file".to_owned());
            }
            inside.to_string_lossy().into_owned()
        }
    };
    let Some(anchor) = anchor else { return Ok(()) };
    let known = headings.get(&name).ok_or("anchors are looked for in documents only")?;
    match known.iter().any(|one| one == anchor) {
        true => Ok(()),
        false => Err(format!("{name} has no such heading; it has {}", known.join(", "))),
    }
}

/// The path without `.` and `..`; none if it leads out.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => normal.push(name),
            Component::CurDir => {}
            Component::ParentDir => normal.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(normal)
}

/// What a line links to: `[text](target)`, `[name]: target`, and attributes of HTML.
fn targets(line: &str) -> Vec<String> {
    let line = &without_code(line);
    let mut found = Vec::new();
    for (at, _) in line.match_indices("](") {
        found.extend(line[at + 2..].split([')', ' ']).next());
    }
    let definition = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    found.extend(definition.and_then(|(_, target)| target.split_whitespace().next()));
    for attribute in ["href=\"", "src=\"", "srcset=\""] {
        for (at, _) in line.match_indices(attribute) {
            found.extend(line[at + attribute.len()..].split('"').next());
        }
    }
    found.into_iter().map(str::to_owned).collect()
}

/// A line without what stands between backticks: it is shown, not meant.
fn without_code(line: &str) -> String {
    let mut left = line;
    let mut kept = String::new();
    while let Some((before, rest)) = left.split_once('`') {
        let ticks = 1 + rest.len() - rest.trim_start_matches('`').len();
        let inside = &rest[ticks - 1..];
        let Some((_, after)) = inside.split_once(&"`".repeat(ticks)) else { break };
        kept.push_str(before);
        // Something stays, so that `[`x`](y)` is still a link.
        kept.push('x');
        left = after;
    }
    kept + left
}

/// The anchors of a document, as GitHub names them.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for line in prose(text) {
        for (at, _) in line.match_indices("<a id=\"") {
            found.extend(line[at + 7..].split('"').next().map(str::to_owned));
        }
        let level = line.len() - line.trim_start_matches('#').len();
        if !(1..=6).contains(&level) || !line[level..].starts_with(' ') {
            continue;
        }
        let anchor = anchor(line[level..].trim());
        let count = seen.entry(anchor.clone()).or_insert(0);
        found.push(if *count == 0 { anchor.clone() } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    found
}

/// The anchor of a heading: in lower case, a hyphen for each space, and nothing else but letters and digits.
pub(crate) fn anchor(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    // Of a link, the text is what is read.
    while let Some((before, (label, after))) = rest.split_once('[').and_then(|(before, link)| {
        let (label, target) = link.split_once("](")?;
        Some((before, (label, target.split_once(')')?.1)))
    }) {
        text.push_str(before);
        text.push_str(label);
        rest = after;
    }
    text.push_str(rest);
    let letters = text.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ if letter.is_alphanumeric() => Some(letter),
        _ => None,
    });
    letters.flat_map(char::to_lowercase).collect()
}
