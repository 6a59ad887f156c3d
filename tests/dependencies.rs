//! What this program is made of: each dependency has a licence that `deny.toml` allows, and comes from the registry; and
//! what is uploaded has every file that it is built from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The packages that this machine's build is made of, as cargo tells.
fn packages() -> Vec<Value> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).expect("cargo tells in JSON");
    told["packages"].as_array().expect("packages").clone()
}

/// The licences in `deny.toml`, each on a line of its own.
fn allowed() -> Vec<String> {
    let text = include_str!("../deny.toml");
    let list = text.split("\nallow = [\n").nth(1).and_then(|rest| rest.split(']').next()).expect("a list");
    list.lines()
        .map(|line| line.trim().trim_matches([',', '"']).to_owned())
        .filter(|one| !one.is_empty())
        .collect()
}

/// Whether one of the choices is allowed, and every part of it.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    plain
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|one| allowed.iter().any(|known| known == one.trim())))
}

#[test]
#[cfg(target_os = "linux")]
fn every_dependency_may_be_used_and_comes_from_the_registry() {
    let allowed = allowed();
    assert!(allowed.len() > 3, "{allowed:?}");
    let packages = packages();
    assert!(packages.len() > 50, "{} packages", packages.len());
    for package in &packages {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_allowed(licence, &allowed), "{name}: {licence:?} is not in deny.toml");
        if let Some(source) = package["source"].as_str() {
            assert!(source.starts_with("registry+"), "{name} comes from {source}");
        }
    }
}

/// The files below a folder, by their paths from the repository's root.
fn files(folder: &Path) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = folder.join(entry.file_name());
        match entry.file_type().expect("a kind").is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// The files that a source file takes in when it is compiled, by their paths from the repository's root.
fn taken_in(source: &Path, text: &str) -> Vec<PathBuf> {
    let after = ["include_str!(\"", "include_bytes!(\"", "include!(\""]
        .into_iter()
        .flat_map(|call| text.split(call).skip(1));
    after
        .map(|rest| {
            let mut path = source.parent().expect("a folder").to_path_buf();
            for part in rest.split('"').next().expect("a path").split('/') {
                match part {
                    ".." => assert!(path.pop(), "{} takes in what is outside", source.display()),
                    part => path.push(part),
                }
            }
            path
        })
        .collect()
}

// Building what `cargo publish` uploads would compile everything once more, only to show this.
#[test]
fn what_is_uploaded_has_every_file_that_it_is_built_from() {
    let told = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let uploaded: BTreeSet<PathBuf> =
        String::from_utf8_lossy(&told.stdout).lines().map(PathBuf::from).collect();
    let mut needed = vec!["Cargo.toml".into(), "Cargo.lock".into(), "README.md".into(), "LICENSE-MIT".into()];
    for source in files(Path::new("src")) {
        if source.extension().is_some_and(|extension| extension == "rs") {
            let text =
                std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&source)).expect("text");
            needed.extend(taken_in(&source, &text));
        }
        needed.push(source);
    }
    assert!(needed.iter().any(|path| path.starts_with("schema/ledger")), "the ledger's tables are taken in");
    let missing: Vec<_> = needed.iter().filter(|path| !uploaded.contains(*path)).collect();
    assert_eq!(missing, Vec::<&PathBuf>::new(), "`include` in Cargo.toml leaves them out");
}

#[test]
fn a_licence_is_allowed_if_one_of_its_choices_is() {
    let allowed = ["MIT".to_owned(), "Unicode-3.0".to_owned()];
    for expression in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(is_allowed(expression, &allowed), "{expression}");
    }
    for expression in ["GPL-3.0", "MIT AND GPL-3.0", ""] {
        assert!(!is_allowed(expression, &allowed), "{expression}");
    }
}
