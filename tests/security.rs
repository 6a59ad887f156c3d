//! What docs/security.md lists is what the source has: each place that starts a program, each that has a shell read something,
//! and each block of unsafe code; and the tests that it names are there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files_below(&path, files),
            false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            false => {}
        }
    }
}

/// The files below a directory, by their paths, as text.
fn rust_files(below: &str) -> BTreeMap<String, String> {
    let mut files = Vec::new();
    files_below(&root().join(below), &mut files);
    assert!(!files.is_empty(), "there are no files below {below}");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(path).unwrap())
    };
    files.into_iter().map(read).collect()
}

/// The lines of code of a program's file: no comments, and nothing of the tests at its end.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let tests = ["\n#[cfg(test)]\nmod ", "\n#[cfg(all(test, "];
    let end = tests.iter().filter_map(|tests| text.find(tests)).min().unwrap_or(text.len());
    text[..end].lines().map(|line| line.split("//").next().unwrap_or(""))
}

/// How often any of these stands in the code of each file that has one.
fn occurrences(words: &[&str]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (file, text) in rust_files("src") {
        if file.contains("/tests/") || file.ends_with("/tests.rs") {
            continue;
        }
        let count: usize =
            code(&text).map(|line| words.iter().map(|word| line.matches(word).count()).sum::<usize>()).sum();
        if count > 0 {
            found.insert(file, count);
        }
    }
    found
}

/// The rows of the table below this heading of the page: the file of each, and the number beside it.
fn listed(heading: &str) -> BTreeMap<String, usize> {
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let section =
        page.split(heading).nth(1).unwrap_or_else(|| panic!("{heading} is not in docs/security.md"));
    let section = section.split("\n## ").next().unwrap();
    let mut rows = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `src/")) {
        let mut cells =
            line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned());
        let (file, count) = (cells.next().unwrap(), cells.next().unwrap());
        rows.insert(file, count.parse().unwrap_or_else(|_| panic!("{count:?} in {line}")));
    }
    rows
}

#[test]
fn every_program_that_is_started_is_on_the_page() {
    let words = ["Command::new(", "process::Command::new", "posix_spawn", "libc::exec", "libc::fork"];
    let mut started = occurrences(&words[..1]);
    for word in &words[2..] {
        for (file, count) in occurrences(&[word]) {
            *started.entry(file).or_default() += count;
        }
    }
    assert_eq!(started, listed("\n## Programs that are started\n"));
}

#[test]
fn a_shell_reads_what_its_user_has_written_for_one_and_nothing_else() {
    // The names by which a program of ours could start a shell, as a text in the code.
    let names = [
        "\"sh\"",
        "\"/bin/sh\"",
        "\"bash\"",
        "\"cmd\"",
        "\"cmd.exe\"",
        "\"powershell\"",
        "\"pwsh\"",
        "\"SHELL\"",
    ];
    assert_eq!(occurrences(&names), listed("\n## Where a shell takes part\n"));
}

#[test]
fn every_block_of_unsafe_code_is_on_the_page_and_says_why() {
    let blocks = occurrences(&["unsafe {", "unsafe extern", "unsafe fn", "unsafe impl"]);
    assert_eq!(blocks, listed("\n## Unsafe code\n"));
    for (file, text) in rust_files("src").iter().filter(|(file, _)| blocks.contains_key(*file)) {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("unsafe {")) {
            let above = &lines[number.saturating_sub(5)..number];
            let says = above.iter().any(|line| line.contains("// SAFETY:"));
            assert!(says, "{file}:{}: {line} does not say why it is sound", number + 1);
        }
    }
}

#[test]
fn the_tests_that_the_page_names_are_there() {
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let mut all: String = rust_files("tests").into_values().collect();
    all.extend(rust_files("src").into_values());
    let mut named = 0;
    // Words of the contract stand in the table of limits.
    let page = page.split("\n## Limits\n").next().unwrap();
    for name in page.split('`').skip(1).step_by(2) {
        // Names of tests are sentences.
        let is_test = name.matches('_').count() >= 3
            && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
        if is_test {
            named += 1;
            assert!(all.contains(&format!("fn {name}(")), "there is no test {name}");
        }
    }
    assert!(named > 40, "{named} tests are named");
}
