//! Which project: the canonical path of a directory. Nothing is walked up.

use std::path::{Component, Path, PathBuf};

use uuid::Uuid;

use crate::domain::fault::{Fault, Word};
use crate::domain::refusal::{Refusal, invalid_param};
use crate::domain::worktree::Vcs;
use crate::rpc::initialize::{Directory, Named};

/// A project that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Project {
    /// The same for everybody who means this directory; names it on disk.
    pub(super) id: String,
    /// Its canonical path.
    pub(super) directory: String,
    /// Whether it is the top of a git work tree.
    pub(super) vcs: Option<Vcs>,
}

/// Finds the project that a client names, the working directory if it names none.
pub(super) fn find(named: Option<&Directory>, working: &Path) -> Result<Project, Refusal> {
    let (field, path) = match named {
        None => ("initializationOptions.projectDirectory", working.to_owned()),
        Some(Directory { field, named: Named::Path(path) }) => (*field, working.join(path)),
        Some(Directory { field, named: Named::Address(address) }) => {
            let path = path_of(address).ok_or_else(|| {
                let hint = format!("{address:?} is not the address of a directory on this machine");
                invalid_param(Fault::with_hint(*field, Word::UnknownValue, hint))
            })?;
            (*field, path)
        }
    };
    let refuse = |why: String| {
        let hint = format!("{}: {why}; name an existing directory that you may read", path.display());
        invalid_param(Fault::with_hint(field, Word::UnknownValue, hint))
    };
    let canonical = path.canonicalize().map_err(|error| refuse(error.to_string()))?;
    std::fs::read_dir(&canonical).map_err(|error| refuse(error.to_string()))?;
    let Some(directory) = canonical.to_str() else {
        return Err(refuse("its path is not Unicode text".to_owned()));
    };
    let vcs = canonical.join(".git").exists().then_some(Vcs::Git);
    Ok(Project { id: id_of(&canonical, directory), directory: directory.to_owned(), vcs })
}

/// A directory as runs that work there name it: its canonical path. Relative ones count from the project. Of one that is
/// not there, or not any more, the part that is there is resolved, which is what its path was.
///
/// # Errors
/// When its path is no text.
pub(super) fn directory_key(project: &str, named: &str) -> Result<String, Fault> {
    let path = Path::new(project).join(named);
    let mut there = path.as_path();
    let mut missing = Vec::new();
    let resolved = loop {
        match (there.canonicalize(), there.parent()) {
            (Ok(resolved), _) => break resolved,
            (Err(_), Some(parent)) => {
                missing.extend(there.components().next_back());
                there = parent;
            }
            (Err(_), None) => break there.to_owned(),
        }
    };
    let mut key = resolved;
    for part in missing.into_iter().rev() {
        match part {
            Component::ParentDir => drop(key.pop()),
            Component::Normal(name) => key.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    let text = key.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        let hint = format!("{}: its path is not Unicode text", key.display());
        Fault::with_hint("", Word::NotUnicode, hint)
    })
}

/// The directory's name, for people, and a hash of its path, for the machine.
fn id_of(canonical: &Path, directory: &str) -> String {
    /// As much of the name as is kept; file names may have 255 bytes.
    const NAME: usize = 40;
    let name = canonical.file_name().and_then(|name| name.to_str()).unwrap_or("root");
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let name: String =
        name.chars().take(NAME).map(|letter| if plain(letter) { letter } else { '_' }).collect();
    let hash = Uuid::new_v5(&Uuid::NAMESPACE_URL, directory.as_bytes()).simple();
    format!("{name}-{hash}")
}

/// The path that a `file:` address names.
fn path_of(address: &str) -> Option<PathBuf> {
    let rest = address.strip_prefix("file://")?;
    let path = match rest.find('/') {
        Some(0) => rest,
        Some(slash) if rest[..slash].eq_ignore_ascii_case("localhost") => &rest[slash..],
        Some(_) | None => return None,
    };
    let path = percent_decode(path)?;
    // On Windows the path of file:///C:/x is C:/x.
    let drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if drive { &path[1..] } else { &path[..] }))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn addresses_of_directories() {
        assert_eq!(path_of("file:///a/b%20c%C3%A9"), Some("/a/b c\u{e9}".into()));
        assert_eq!(path_of("file://localhost/a"), Some("/a".into()));
        for other in
            ["http://x/a", "/a", "file:a", "file://host/a", "file:///%", "file:///%zz", "file:///%ff"]
        {
            assert_eq!(path_of(other), None, "{other}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_same_directory_is_the_same_project_however_it_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("pro ject");
        std::fs::create_dir_all(target.join(".git")).unwrap();
        std::os::unix::fs::symlink(&target, directory.path().join("link")).unwrap();
        let named = |path: &str| Directory { field: "f", named: Named::Path(path.to_owned()) };
        let by_link = find(Some(&named("link")), directory.path()).unwrap();
        let by_path = find(Some(&named("./x/../pro ject")), &target.join("..")).ok();
        let by_default = find(None, &target).unwrap();
        assert_eq!(by_link, by_default);
        assert_eq!(by_path, None, "a path through a directory that is not there");
        assert_eq!(by_link.vcs, Some(Vcs::Git));
        assert!(by_link.id.starts_with("pro_ject-"), "{}", by_link.id);
    }

    #[test]
    #[cfg(unix)]
    fn a_directory_has_one_name_whether_it_is_there_or_not() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let project = root.join("project");
        std::fs::create_dir_all(project.join("there")).unwrap();
        std::os::unix::fs::symlink(&project, root.join("link")).unwrap();
        let key = |named: &str| directory_key(project.to_str().unwrap(), named).unwrap();
        let path = |name: &str| root.join(name).to_str().unwrap().to_owned();
        for named in [".", "", "there/..", &path("link"), &path("project/"), "gone/.."] {
            assert_eq!(key(named), path("project"), "{named}");
        }
        for named in ["there", &path("link/there"), "../project/./there"] {
            assert_eq!(key(named), path("project/there"), "{named}");
        }
        for named in ["gone/deep", &path("link/gone/deep"), "there/../gone/./x/../deep"] {
            assert_eq!(key(named), path("project/gone/deep"), "{named}");
        }
        assert_eq!(key("/no/such/place"), "/no/such/place");
        assert_eq!(key("../../../../../../../../../../.."), "/");
    }

    #[test]
    fn a_file_is_no_project() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), "").unwrap();
        let named = Directory { field: "rootUri", named: Named::Path("file".to_owned()) };
        let Err(Refusal::InvalidParams(faults)) = find(Some(&named), directory.path()) else { panic!() };
        assert_eq!(faults[0].field, "rootUri");
    }
}
