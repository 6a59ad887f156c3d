//! Linux: `/proc`, pidfd, child subreaper, PDEATHSIG.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::super::ProcessIdentity;
use super::{Key, Process, State, in_runtime, typed};

/// Where the open descriptors of this process are listed.
pub(crate) const DESCRIPTORS: &str = "/proc/self/fd";

/// The binary of this process. The link leads to the running binary itself, also when the file has been
/// replaced or deleted since.
pub(crate) fn this_binary() -> io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

/// See [`crate::exec::own_binary`]. Where nothing was put in the place of a file that has gone, the binary is found in this
/// process, as long as that lives.
#[expect(clippy::disallowed_methods, reason = "this is where others are told the path")]
pub(crate) fn own_binary() -> io::Result<PathBuf> {
    /// What the system puts behind the path of a file that has gone.
    const GONE: &str = " (deleted)";
    let path = std::env::current_exe()?;
    if path.is_file() {
        return Ok(path);
    }
    let replacement = path.to_str().and_then(|path| path.strip_suffix(GONE)).map(PathBuf::from);
    Ok(match replacement.filter(|path| path.is_file()) {
        Some(path) => path,
        None => PathBuf::from(format!("/proc/{}/exe", std::process::id())),
    })
}

/// Who this process is.
pub(crate) fn own_identity() -> io::Result<ProcessIdentity> {
    let pid = std::process::id();
    let own = find(pid).ok_or_else(|| {
        io::Error::other(format!("/proc/{pid}/stat cannot be read; mount /proc to carry out commands"))
    })?;
    Ok(ProcessIdentity {
        pid,
        start_time: own.start_time,
        boot_id: boot_id(),
        pid_namespace: pid_namespace(),
    })
}

/// Which boot of which machine this is; empty if the system does not tell.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Which boot the clocks of this process count from: a namespace may have some that count from another time. Empty if
/// the system does not tell.
pub(crate) fn boot_of_clocks() -> String {
    let boot = boot_id();
    match fs::read_link("/proc/self/ns/time") {
        Ok(namespace) if !boot.is_empty() => format!("{boot} {}", namespace.display()),
        Ok(_) | Err(_) => boot,
    }
}

/// Which pid namespace this process is in; empty if the system does not tell.
pub(crate) fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map(|link| link.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Every process there is to see.
pub(crate) fn list() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| find(entry.ok()?.file_name().to_str()?.parse().ok()?)).collect()
}

/// The process with this pid now.
pub(crate) fn find(pid: u32) -> Option<Process> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The line is `pid (name) state parent group …`, the start time being its 22nd field. A name may hold
/// spaces, parentheses and bytes that are no text, so that fields are counted from its last parenthesis.
fn parse_stat(stat: &[u8]) -> Option<Process> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let pid = std::str::from_utf8(&stat[..open]).ok()?.trim().parse().ok()?;
    let fields: Vec<&str> =
        std::str::from_utf8(stat.get(close + 1..)?).ok()?.split_ascii_whitespace().collect();
    let state = if matches!(*fields.first()?, "Z" | "X" | "x") { State::Ended } else { State::Alive };
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        start_time: fields.get(19)?.parse().ok()?,
        state,
    })
}

/// Whether a process was started with `entry` (`NAME=value`) in its environment. Processes of other users do
/// not tell, and one that has cleared its environment does not know any more.
pub(crate) fn carries(pid: u32, entry: &str) -> bool {
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|one| one == entry.as_bytes()))
}

/// Whether everything that descends from a guard stays below it, also when its parents have ended.
pub(crate) const ORPHANS_ARE_ADOPTED: bool = true;

/// Makes this process the parent of whatever its descendants leave behind.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Called in the child before it executes the command: the kernel kills it when the guard dies.
///
/// The signal is tied to the parent's *thread*. The guard has only one, and it lives as long as the process.
pub(super) fn die_with_parent() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?)
}

/// Names this process in `ps` and `top`, where it would otherwise be called `exe`.
pub(crate) fn name_this_process() {
    // Only a label.
    let _ = rustix::thread::set_name(c"sexton-guard");
}

/// One certain living process, held so that a signal cannot reach another one with the same pid.
pub(crate) struct Held {
    pid: Pid,
    /// `None` on kernels before 5.3, and when descriptors have run out: then only the start time protects.
    pidfd: Option<OwnedFd>,
}

impl Held {
    /// Takes hold of this process; `None` if it has ended.
    pub(crate) fn take((pid, start_time): Key) -> Option<Self> {
        let typed = typed(pid)?;
        let pidfd = match rustix::process::pidfd_open(typed, PidfdFlags::empty()) {
            Ok(pidfd) => Some(pidfd),
            Err(Errno::SRCH) => return None,
            Err(_) => None,
        };
        // Looked at after the descriptor was opened: if it is the right process now, the descriptor is its.
        let found = find(pid)?;
        let is_it = found.start_time == start_time && found.state == State::Alive;
        is_it.then_some(Self { pid: typed, pidfd })
    }

    /// Kills it. Whether the kernel let us.
    pub(crate) fn kill(&self) -> bool {
        match &self.pidfd {
            Some(pidfd) => rustix::process::pidfd_send_signal(pidfd, Signal::KILL),
            None => rustix::process::kill_process(self.pid, Signal::KILL),
        }
        .is_ok()
    }

    /// Waits until it has ended, at most this long; possibly shorter.
    pub(crate) fn wait(&self, at_most: Duration) {
        let Some(pidfd) = &self.pidfd else {
            std::thread::sleep(at_most.min(Duration::from_millis(5)));
            return;
        };
        let timeout = Timespec::try_from(at_most).unwrap_or_default();
        // Whatever it answers, the caller looks again.
        let _ = rustix::event::poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&timeout));
    }
}

/// A process whose end is waited for, held by its pidfd.
pub(crate) struct Watched(AsyncFd<OwnedFd>);

impl Watched {
    /// Takes hold of the process that has this pid now.
    pub(crate) fn begin(pid: u32) -> io::Result<Self> {
        let pid = typed(pid).ok_or(Errno::SRCH)?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK)?;
        Ok(Self(in_runtime(pidfd, Interest::READABLE)?))
    }

    /// Waits until it has ended: a pidfd can be read from then on.
    pub(crate) async fn ended(&self) {
        // An error means that the runtime ends, and with it everything that might have waited.
        let _ = self.0.readable().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = b"42 (a) Z (\xff b) S 7 8 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 123456 1000 2 3\n";
        let expected = Process { pid: 42, parent: 7, group: 8, start_time: 123_456, state: State::Alive };
        assert_eq!(parse_stat(stat), Some(expected));
        assert_eq!(parse_stat(b"42 (a"), None);
        assert_eq!(parse_stat(b""), None);
    }

    #[test]
    fn this_process_is_found_and_a_stranger_with_its_pid_is_not() {
        let own = own_identity().unwrap();
        assert!(!own.boot_id.is_empty() && own.pid_namespace.starts_with("pid:["));
        assert!(Held::take((own.pid, own.start_time)).is_some());
        assert!(Held::take((own.pid, own.start_time + 1)).is_none());
    }
}
