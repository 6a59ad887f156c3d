//! What identifies a process beyond its number, which the system uses again.

use serde::{Deserialize, Serialize};

/// A process of this machine, told apart from every other that had or will have its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Its number.
    pub pid: u32,
    /// When it started, in the system's own unit since boot.
    pub start_time: u64,
    /// Which boot of the machine.
    pub boot_id: String,
    /// Which namespace its number is counted in; empty where the system has none.
    pub pid_namespace: String,
}

/// Tells a file apart from one that was put in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// The device it is on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

impl FileIdentity {
    /// The file that this tells of.
    #[cfg(unix)]
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        FileIdentity { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Windows does not let a file that is locked or open be replaced, so its creation time tells it apart well
    /// enough.
    #[cfg(windows)]
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        use std::os::windows::fs::MetadataExt;
        FileIdentity { device: 0, inode: metadata.creation_time() }
    }
}
