//! Where an agent's program is found.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::super::StartFailure;
use super::unable::is_executable;

/// What is searched where nothing says what to search, as the system does.
const WITHOUT_PATH: &str = "/bin:/usr/bin";

/// The most that is told of what was searched, in characters.
const TOLD: usize = 500;

/// The program of an agent that is started with this environment on top of the guard's own.
///
/// A name is looked for in the absolute directories of `PATH` only: another one counts from where the agent works, and **a
/// program is run because its user configured it, never because a repository has one of that name**.
pub(super) fn agent(program: &str, environment: &[(String, String)]) -> Result<PathBuf, StartFailure> {
    if program.contains('/') {
        return Ok(program.into());
    }
    let own = || std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, value)| value);
    let given = environment.iter().rfind(|(name, _)| name == "PATH").map(|(_, value)| OsString::from(value));
    let path = given.or_else(own).unwrap_or_else(|| WITHOUT_PATH.into());
    find(program, &path)
}

fn find(program: &str, path: &OsStr) -> Result<PathBuf, StartFailure> {
    let (searched, passed): (Vec<PathBuf>, Vec<PathBuf>) =
        std::env::split_paths(path).partition(|directory| directory.is_absolute());
    let found: Vec<PathBuf> =
        searched.iter().map(|directory| directory.join(program)).filter(|path| path.is_file()).collect();
    // One that cannot be executed tells better than nothing what is wrong.
    match found.iter().find(|path| is_executable(path)).or(found.first()) {
        Some(found) => Ok(found.clone()),
        None => Err(StartFailure::config(not_found(program, &searched, &passed))),
    }
}

fn not_found(program: &str, searched: &[PathBuf], passed: &[PathBuf]) -> String {
    let all =
        searched.iter().map(|directory| directory.as_os_str().as_bytes()).collect::<Vec<_>>().join(&b':');
    let all = String::from_utf8_lossy(&all);
    let told: String = all.chars().take(TOLD).collect();
    let more = if told.len() < all.len() { "\u{2026}" } else { "" };
    let passed = match passed {
        [] => "",
        [..] => " (relative directories in PATH are not searched for agents)",
    };
    format!(
        "the program `{program}` was not found in PATH, {told:?}{more}{passed}; install it, give its full path, or set PATH \
         in the provider's environment"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    fn write(path: &Path, mode: u32) {
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_name_is_looked_for_in_absolute_directories_only() {
        let place = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| place.path().join(name));
        for directory in [&first, &second] {
            fs::create_dir(directory).unwrap();
        }
        let here = std::env::current_dir().unwrap();
        // From here on it would be found by a relative name.
        let depth = here.components().count() - 1;
        let relative = format!("{}{}", "../".repeat(depth), &first.display().to_string()[1..]);
        write(&first.join("agent"), 0o755);
        assert!(Path::new(&relative).join("agent").is_file());
        for path in [relative.as_str(), "", ".", ":", second.to_str().unwrap()] {
            let failure = find("agent", OsStr::new(path)).unwrap_err();
            assert!(failure.message.contains("was not found in PATH"), "{}", failure.message);
        }
        let both = format!("{}:.:{}", second.display(), first.display());
        assert_eq!(find("agent", OsStr::new(&both)).unwrap(), first.join("agent"));
        // The first that can be executed.
        write(&second.join("agent"), 0o644);
        assert_eq!(find("agent", OsStr::new(&both)).unwrap(), first.join("agent"));
        assert_eq!(find("agent", second.as_os_str()).unwrap(), second.join("agent"));
        let missing = find("other", OsStr::new("/nowhere:.")).unwrap_err().message;
        assert!(
            missing.contains("`other` was not found in PATH, \"/nowhere\" (relative directories"),
            "{missing}"
        );
    }

    #[test]
    fn the_path_of_the_provider_counts_and_a_full_path_is_taken_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        write(&place.path().join("agent"), 0o755);
        let path = |value: &Path| ("PATH".to_owned(), value.display().to_string());
        let environment = [path(Path::new("/nowhere")), path(place.path())];
        assert_eq!(agent("agent", &environment).unwrap(), place.path().join("agent"));
        assert!(agent("agent", &environment[..1]).is_err());
        assert_eq!(agent("/nowhere/agent", &environment).unwrap(), Path::new("/nowhere/agent"));
        assert!(agent("sh", &[]).unwrap().is_absolute());
    }
}
