//! The disk that the state directory is on: a small file system of its own, which is made full and given room again.
//!
//! Nobody may mount anything without being asked, so the test runs again in a namespace of its own, in which it may.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::rng::text_from_environment;
use crate::support::eventually;
use crate::support::missing::missing;

/// Set where the test runs in a namespace of its own.
const INSIDE: &str = "SEXTON_TORTURE_INSIDE";

/// Becomes what follows, in a namespace in which it may mount.
const NAMESPACE: [&str; 4] = ["unshare", "--map-root-user", "--mount", "--"];

/// As much as it holds at most while it is not full, in kilobytes.
const ROOMY_KB: u64 = 2 << 20;

/// Where a test runs.
pub(super) enum Ground {
    /// In a namespace of its own, in which it may mount.
    Inside,
    /// It has run there, and told this at its end.
    HasRun(String),
    /// Where nothing can be mounted.
    Bare,
}

/// How much a test that runs again in a namespace of its own tells while it does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// At its end, if it is to be shown.
    AtTheEnd,
    Meanwhile,
}

/// Has this test run again in a namespace of its own, where that can be had.
pub(super) fn ground(test: &str, voice: Voice) -> Ground {
    if text_from_environment(INSIDE).is_some() {
        return Ground::Inside;
    }
    let [unshare, rest @ ..] = NAMESPACE;
    let mut tried = Command::new(unshare);
    tried.args(rest).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    if !tried.output().is_ok_and(|output| output.status.success()) {
        missing("a full disk, for which something has to be mounted", "user namespaces, or root");
        return Ground::Bare;
    }
    #[expect(clippy::disallowed_methods, reason = "it is this test, which nobody replaces meanwhile")]
    let myself = std::env::current_exe().expect("a test binary");
    let mut again = Command::new(unshare);
    again.args(rest).arg(myself).args([test, "--exact", "--nocapture"]).env(INSIDE, "1");
    if voice == Voice::Meanwhile {
        again.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    }
    let output = again.output().expect("unshare");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "it has failed in its namespace:\n{told}\n{complained}");
    Ground::HasRun(told)
}

/// A disk for the state directory. It goes with its namespace.
pub(super) struct Disk {
    at: PathBuf,
}

impl Disk {
    pub(super) fn mount(at: &Path) -> Disk {
        std::fs::create_dir(at).expect("a directory");
        let size = format!("size={ROOMY_KB}k,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status();
        assert!(mounted.expect("mount").success(), "{} is no disk", at.display());
        Disk { at: at.to_owned() }
    }

    /// Takes away all room that nothing is in.
    pub(super) fn fill(&self) {
        // What is written meanwhile may need more than there was a moment ago.
        eventually("the disk is full", || {
            let disk = rustix::fs::statvfs(&self.at).expect("a disk");
            self.resize((disk.f_blocks - disk.f_bfree) * disk.f_frsize / 1024).then_some(())
        });
    }

    pub(super) fn give_room(&self) {
        assert!(self.resize(ROOMY_KB), "{} stays full", self.at.display());
    }

    fn resize(&self, kilobytes: u64) -> bool {
        let size = format!("remount,size={kilobytes}k");
        let resized = Command::new("mount").args(["-o", &size]).arg(&self.at).output();
        resized.expect("mount").status.success()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Where it cannot be unmounted, an empty directory stays; the disk goes with its namespace.
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).output();
    }
}
