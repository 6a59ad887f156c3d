//! macOS: `libproc` and `sysctl`. Written from the documentation and type-checked, not tried.
//!
//! There is neither a subreaper nor a parent-death signal. A command whose guard is killed therefore lives
//! until the sidecar sweeps it by its token, some milliseconds later; and a child that left the tree of its
//! parents is found by its token only.

#![expect(unsafe_code, reason = "libproc and sysctl have no safe interface")]

use std::ffi::CStr;
use std::io;
use std::mem::size_of;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::ptr::null_mut;
use std::time::Duration;

use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent, kqueue};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::super::ProcessIdentity;
use super::{Key, Process, State, in_runtime, typed};

/// Where the open descriptors of this process are listed.
pub(crate) const DESCRIPTORS: &str = "/dev/fd";

/// The binary of this process.
pub(crate) fn this_binary() -> io::Result<PathBuf> {
    own_binary()
}

/// See [`crate::exec::own_binary`].
#[expect(clippy::disallowed_methods, reason = "this is where others are told the path")]
pub(crate) fn own_binary() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Who this process is.
pub(crate) fn own_identity() -> io::Result<ProcessIdentity> {
    let pid = std::process::id();
    let own = find(pid).ok_or_else(|| io::Error::other(format!("the system does not know process {pid}")))?;
    Ok(ProcessIdentity {
        pid,
        start_time: own.start_time,
        boot_id: boot_id(),
        pid_namespace: pid_namespace(),
    })
}

/// Which boot of which machine this is; empty if the system does not tell.
pub(crate) fn boot_id() -> String {
    let mut text = [0_u8; 64];
    let mut length = text.len();
    // SAFETY: the name is a C string; the system writes at most `length` bytes into `text`.
    let answer = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            text.as_mut_ptr().cast(),
            &raw mut length,
            null_mut(),
            0,
        )
    };
    if answer != 0 {
        return String::new();
    }
    CStr::from_bytes_until_nul(&text).map(|id| id.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Which boot the clocks of this process count from; empty if the system does not tell.
pub(crate) fn boot_of_clocks() -> String {
    boot_id()
}

/// Empty: there are no pid namespaces.
pub(crate) fn pid_namespace() -> String {
    String::new()
}

/// Every process there is to see.
pub(crate) fn list() -> Vec<Process> {
    // SAFETY: without a buffer the call only answers how many there are.
    let count = unsafe { libc::proc_listallpids(null_mut(), 0) };
    // Room for those that are started meanwhile.
    let mut pids = vec![0_i32; usize::try_from(count).unwrap_or(0) + 64];
    let bytes = i32::try_from(pids.len() * size_of::<i32>()).unwrap_or(i32::MAX);
    // SAFETY: the system writes at most `bytes` bytes into `pids`, which has that many.
    let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), bytes) };
    pids.truncate(usize::try_from(count).unwrap_or(0));
    pids.into_iter().filter_map(|pid| find(u32::try_from(pid).ok()?)).collect()
}

/// The process with this pid now.
pub(crate) fn find(pid: u32) -> Option<Process> {
    let mut info = std::mem::MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let bytes = i32::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    let asked = i32::try_from(pid).ok()?;
    // SAFETY: the system writes at most `bytes` bytes into `info`, which has that many.
    let written =
        unsafe { libc::proc_pidinfo(asked, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), bytes) };
    if written != bytes {
        return None;
    }
    // SAFETY: the system has filled it completely; it consists of numbers, which were zeroed before.
    let info = unsafe { info.assume_init() };
    Some(Process {
        pid,
        parent: info.pbi_ppid,
        group: info.pbi_pgid,
        start_time: info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec,
        state: if info.pbi_status == libc::SZOMB { State::Ended } else { State::Alive },
    })
}

/// Whether a process was started with `entry` (`NAME=value`) in its environment. Processes of other users and
/// the system's own protected programs do not tell.
pub(crate) fn carries(pid: u32, entry: &str) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    let mut name = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
    let mut length = 0;
    // SAFETY: `name` has the three elements that are announced; without a buffer only the length is told.
    if unsafe { libc::sysctl(name.as_mut_ptr(), 3, null_mut(), &raw mut length, null_mut(), 0) } != 0 {
        return false;
    }
    let mut area = vec![0_u8; length];
    // SAFETY: as above, and the system writes at most `length` bytes into `area`, which has that many.
    let answer = unsafe {
        libc::sysctl(name.as_mut_ptr(), 3, area.as_mut_ptr().cast(), &raw mut length, null_mut(), 0)
    };
    // The area holds the arguments too: a process that merely names the token is not told apart, but nobody
    // knows a token who does not belong to its run.
    answer == 0 && area[..length.min(area.len())].split(|byte| *byte == 0).any(|one| one == entry.as_bytes())
}

/// Whether everything that descends from a guard stays below it, also when its parents have ended.
pub(crate) const ORPHANS_ARE_ADOPTED: bool = false;

/// Nothing to do: orphans go to launchd, and are found by their token.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Nothing to do: the system has no such signal.
pub(super) fn die_with_parent() -> io::Result<()> {
    Ok(())
}

/// Nothing to do: the process is called after its binary.
pub(crate) fn name_this_process() {}

/// One certain living process. Only its start time protects another one with the same pid.
pub(crate) struct Held {
    key: Key,
    pid: Pid,
}

impl Held {
    /// Takes hold of this process; `None` if it has ended.
    pub(crate) fn take(key: Key) -> Option<Self> {
        let held = Self { key, pid: typed(key.0)? };
        held.is_alive().then_some(held)
    }

    fn is_alive(&self) -> bool {
        find(self.key.0).is_some_and(|found| found.key() == self.key && found.state == State::Alive)
    }

    /// Kills it. Whether the kernel let us.
    pub(crate) fn kill(&self) -> bool {
        self.is_alive() && rustix::process::kill_process(self.pid, Signal::KILL).is_ok()
    }

    /// Waits until it has ended, at most this long; possibly shorter.
    pub(crate) fn wait(&self, at_most: Duration) {
        if self.is_alive() {
            std::thread::sleep(at_most.min(Duration::from_millis(5)));
        }
    }
}

/// A process whose end is waited for, held by a kernel queue that it is entered in.
pub(crate) struct Watched(AsyncFd<OwnedFd>);

impl Watched {
    /// Enters the process that has this pid now.
    pub(crate) fn begin(pid: u32) -> io::Result<Self> {
        let pid = typed(pid).ok_or(Errno::SRCH)?;
        let queue = kqueue()?;
        let ends = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
        let entry = Event::new(ends, EventFlags::ADD, null_mut());
        let none: &mut [Event] = &mut [];
        // SAFETY: the entry names a process and no descriptor.
        unsafe { kevent(&queue, &[entry], none, None)? };
        Ok(Self(in_runtime(queue, Interest::READABLE)?))
    }

    /// Waits until it has ended: a queue can be read when there is something in it, and nobody takes it out.
    pub(crate) async fn ended(&self) {
        // An error means that the runtime ends, and with it everything that might have waited.
        let _ = self.0.readable().await;
    }
}
