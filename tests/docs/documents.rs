//! The documents of the repository.

use std::path::{Path, PathBuf};

/// A document in Markdown.
pub(crate) struct Document {
    /// Its path in the repository.
    pub(crate) name: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All of them but those that come with what was installed or built.
pub(crate) fn documents() -> Vec<Document> {
    let mut found = Vec::new();
    collect(root(), &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        Document { name, text: std::fs::read_to_string(&path).unwrap() }
    };
    let found: Vec<Document> = found.into_iter().map(read).collect();
    assert!(found.iter().any(|one| one.name == "README.md"), "the repository has no README");
    found
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let foreign = name.starts_with('.') || ["node_modules", "target", "dist", "build"].contains(&&*name);
        match entry.file_type().unwrap().is_dir() {
            true if foreign => {}
            true => collect(&path, found),
            false if path.extension().is_some_and(|extension| extension == "md") => found.push(path),
            false => {}
        }
    }
}
