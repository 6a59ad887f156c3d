//! Where one project's ledger, locks and outputs are kept: a directory of one user, on a local disk.

use std::path::{Path, PathBuf};

use crate::domain::fault::{Fault, Word};
use crate::domain::refusal::{Refusal, StorageReason, invalid_param};

/// A directory for one project's ledger.
pub(super) struct StateDirectory {
    pub(super) path: PathBuf,
    /// What its user should know about it.
    pub(super) warning: Option<String>,
}

/// Makes the directory of a project below `root`, or finds it.
pub(super) fn prepare(root: &Path, project_id: &str) -> Result<StateDirectory, Refusal> {
    let directory = root.join(project_id);
    let failed_at = |path: &Path, error: std::io::Error| {
        let reason = StorageReason::from(&error);
        let message = format!(
            "the directory {} cannot be made: {error}; choose another with `initializationOptions.stateDirectory` or SEXTON_STATE_DIR",
            path.display()
        );
        Refusal::Storage { reason, message }
    };
    // Its own first: nothing is made in what belongs to somebody else.
    for part in
        [directory.clone(), directory.join("instances"), directory.join("runs"), directory.join("bell")]
    {
        make(&part).map_err(|error| failed_at(&part, error))?;
        refuse_strangers(&part)?;
        keep_private(&part).map_err(|error| failed_at(&part, error))?;
    }
    let failed = |error| failed_at(&directory, error);
    let place = directory.display().to_string();
    let ways_out = "choose a local one with `initializationOptions.stateDirectory` or SEXTON_STATE_DIR";
    match shared_file_system(&directory).map_err(failed)? {
        None => Ok(StateDirectory { path: directory, warning: None }),
        Some(Shared::Perhaps(system)) => {
            let warning =
                format!("the state directory {place} is on {system}; if other machines share it, {ways_out}");
            Ok(StateDirectory { path: directory, warning: Some(warning) })
        }
        Some(Shared::Network(system)) => {
            let message = format!(
                "the state directory {place} is on a network file system ({system}), where locks cannot be relied on; {ways_out}"
            );
            Err(Refusal::Storage { reason: StorageReason::Io, message })
        }
    }
}

/// The environment has ledgers kept at a relative path. In each project that would be another place, and a repository could
/// bring a ledger along, in which there is what is run.
pub(super) fn relative_root(root: &Path) -> Refusal {
    let message = format!(
        "the environment has ledgers kept in {root:?}, which would be another place in each directory; set SEXTON_STATE_DIR to an absolute path"
    );
    Refusal::Storage { reason: StorageReason::Io, message }
}

/// Nothing tells where ledgers are to be kept.
pub(super) fn unknown_root() -> Refusal {
    let hint = "name a directory here or in SEXTON_STATE_DIR: the environment has no home directory";
    invalid_param(Fault::with_hint("initializationOptions.stateDirectory", Word::Required, hint))
}

/// Makes a directory and those that lead to it, for this user alone.
#[cfg(unix)]
pub(super) fn make(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Who owns a directory may change what is in it, whatever its mode, and so what is run; who owns a link to it may change
/// which directory that is. Root could use both, and is not to.
#[cfg(unix)]
fn refuse_strangers(directory: &Path) -> Result<(), Refusal> {
    use std::os::unix::fs::MetadataExt;
    let me = rustix::process::geteuid().as_raw();
    let looks = [std::fs::symlink_metadata(directory), std::fs::metadata(directory)];
    match looks.into_iter().flatten().find(|look| look.uid() != me) {
        None => Ok(()),
        Some(look) => {
            let message = format!(
                "{} belongs to the user with the number {}, and this is {me}: whoever owns it says what is run; give it to this user, or choose another place with `initializationOptions.stateDirectory` or SEXTON_STATE_DIR",
                directory.display(),
                look.uid()
            );
            Err(Refusal::Storage { reason: StorageReason::Io, message })
        }
    }
}

#[cfg(not(unix))]
fn refuse_strangers(_directory: &Path) -> Result<(), Refusal> {
    Ok(())
}

/// Whoever made it with wider modes did not mean others to read what commands wrote.
#[cfg(unix)]
fn keep_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(directory)?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_private(_directory: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn make(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)
}

/// A kind of file system that several machines may share.
#[cfg_attr(not(unix), expect(dead_code, reason = "the kind of file system is not looked at there"))]
pub(super) enum Shared {
    /// Locks on it are known not to be relied on.
    Network(&'static str),
    /// It depends on what is behind it.
    Perhaps(&'static str),
}

#[cfg(target_os = "linux")]
pub(super) fn shared_file_system(directory: &Path) -> std::io::Result<Option<Shared>> {
    // Magic numbers as `statfs(2)` lists them.
    Ok(match magic(directory)? {
        0x6969 => Some(Shared::Network("NFS")),
        0x517B | 0xFE53_4D42 => Some(Shared::Network("SMB")),
        0xFF53_4D42 => Some(Shared::Network("CIFS")),
        0x0102_1997 => Some(Shared::Perhaps("9p")),
        0x6573_5546 => Some(Shared::Perhaps("FUSE")),
        _ => None,
    })
}

#[cfg(target_os = "linux")]
fn magic(directory: &Path) -> std::io::Result<u64> {
    let found = rustix::fs::statfs(directory)?.f_type;
    // The field is 32 bits wide on some machines and sign-extended to 64 on others.
    Ok(u64::try_from(i128::from(found) & 0xFFFF_FFFF).unwrap_or_default())
}

#[cfg(target_os = "macos")]
pub(super) fn shared_file_system(directory: &Path) -> std::io::Result<Option<Shared>> {
    let found = rustix::fs::statfs(directory)?.f_fstypename;
    let name = found.iter().map(|letter| letter.to_ne_bytes()[0]).take_while(|letter| *letter != 0);
    let name: Vec<u8> = name.collect();
    Ok(match name.as_slice() {
        b"nfs" => Some(Shared::Network("NFS")),
        b"smbfs" => Some(Shared::Network("SMB")),
        b"cifs" => Some(Shared::Network("CIFS")),
        b"afpfs" | b"webdav" => Some(Shared::Network("AFP or WebDAV")),
        b"macfuse" | b"osxfuse" => Some(Shared::Perhaps("FUSE")),
        _ => None,
    })
}

/// Elsewhere the kind of file system is not looked at.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn shared_file_system(_directory: &Path) -> std::io::Result<Option<Shared>> {
    Ok(None)
}
