//! Where one project's ledger, locks and outputs are kept: a directory of one user, on a local disk.

use std::path::{Path, PathBuf};

use crate::domain::fault::{Fault, Word};
use crate::domain::refusal::{Refusal, StorageReason, invalid_param};

/// Makes the directory of a project below `root`, or finds it.
pub(super) fn prepare(root: &Path, project_id: &str) -> Result<PathBuf, Refusal> {
    let directory = root.join(project_id);
    let failed = |error: std::io::Error| {
        let reason = StorageReason::from(&error);
        let message = format!(
            "the state directory {} cannot be made: {error}; choose another with `initializationOptions.stateDirectory` or SEXTON_STATE_DIR",
            directory.display()
        );
        Refusal::Storage { reason, message }
    };
    for part in ["instances", "runs"] {
        make(&directory.join(part)).map_err(failed)?;
    }
    if let Some(system) = network_file_system(&directory).map_err(failed)? {
        let message = format!(
            "the state directory {} is on a network file system ({system}), where locks cannot be relied on; choose a local one with `initializationOptions.stateDirectory` or SEXTON_STATE_DIR",
            directory.display()
        );
        return Err(Refusal::Storage { reason: StorageReason::Io, message });
    }
    Ok(directory)
}

/// Nothing tells where ledgers are to be kept.
pub(super) fn unknown_root() -> Refusal {
    let hint = "name a directory here or in SEXTON_STATE_DIR: the environment has no home directory";
    invalid_param(Fault::with_hint("initializationOptions.stateDirectory", Word::Required, hint))
}

#[cfg(unix)]
fn make(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn make(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)
}

/// The name of the network file system that the directory is on.
#[cfg(target_os = "linux")]
fn network_file_system(directory: &Path) -> std::io::Result<Option<&'static str>> {
    /// Magic numbers as `statfs(2)` lists them.
    const NETWORK: [(u64, &str); 4] =
        [(0x6969, "NFS"), (0x517B, "SMB"), (0xFE53_4D42, "SMB2"), (0xFF53_4D42, "CIFS")];
    let found = rustix::fs::statfs(directory)?.f_type;
    // The field is 32 bits wide on some machines and sign-extended to 64 on others.
    let magic = u64::try_from(i128::from(found) & 0xFFFF_FFFF).unwrap_or_default();
    Ok(NETWORK.into_iter().find(|(number, _)| *number == magic).map(|(_, name)| name))
}

/// Elsewhere the kind of file system is not looked at.
#[cfg(not(target_os = "linux"))]
fn network_file_system(_directory: &Path) -> std::io::Result<Option<&'static str>> {
    Ok(None)
}
