//! What Linux and macOS have in common.

use std::future::pending;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, WaitOptions};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;
use tokio::net::unix::pipe::{Receiver, Sender};
pub(crate) use tokio::net::unix::{OwnedReadHalf as Replies, OwnedWriteHalf as Control};

use super::super::Exit;
use super::{DESCRIPTORS, die_with_parent};

/// Why commands are not carried out on this system; they are.
pub(crate) const REFUSAL: Option<&str> = None;

/// A pid of the system's as the type that the calls below want.
pub(crate) fn typed(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// The sidecar's ends of an agent's standard input and output. Dropping one closes it, which the agent hears.
#[derive(Debug)]
pub struct AgentPipes {
    /// What the agent reads.
    pub stdin: Sender,
    /// What the agent writes.
    pub stdout: Receiver,
}

/// A socket to a guard: what the sidecar hears and says, and the half that the guard is started with. When `Control` is
/// dropped, the guard hears that, and can still be heard.
pub(crate) fn socket_to_guard() -> io::Result<(Replies, Control, Stdio)> {
    let (ours, of_guard) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let (replies, control) = UnixStream::from_std(ours)?.into_split();
    Ok((replies, control, OwnedFd::from(of_guard).into()))
}

/// The pipes to an agent, and its own ends of them: standard input, standard output. Those block, as every program
/// expects of them; the sidecar's do not. No other process inherits any of the four.
pub(crate) fn pipes_to_agent() -> io::Result<(AgentPipes, Stdio, Stdio)> {
    let (reads, stdin) = io::pipe()?;
    let (stdout, writes) = io::pipe()?;
    let stdin = Sender::from_owned_fd(stdin.into())?;
    let stdout = Receiver::from_owned_fd(stdout.into())?;
    Ok((AgentPipes { stdin, stdout }, reads.into(), writes.into()))
}

/// Puts the process that is about to be started into a group of its own. Editors end a sidecar by killing its
/// group; the guard has to outlive that by some milliseconds, to end its tree.
pub(crate) fn detach(guard: &mut tokio::process::Command) {
    guard.process_group(0);
    guard.arg0("sexton");
}

/// Makes this process start from a known state, whatever its parent was: every signal at its default, but
/// SIGPIPE ignored as the standard library wants it, and no signal blocked. Both would be inherited by the
/// command; `nohup` and some editors leave SIGHUP or SIGCHLD ignored.
#[expect(unsafe_code, reason = "there is no safe call that sets a signal to its default")]
pub(crate) fn reset_signals() {
    // More than any of the systems here has; a number that is none is refused, which does no harm.
    const HIGHEST_SIGNAL: i32 = 64;
    for signal in (1..=HIGHEST_SIGNAL).filter(|signal| *signal != libc::SIGPIPE) {
        // SAFETY: no handler has been installed yet in this process, and SIG_DFL runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: `set` is initialised by sigemptyset before it is read, and the old mask is not asked for.
    unsafe {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut());
    }
}

/// Closes every descriptor but the standard three. The sidecar marks its own as close-on-exec, but those that
/// an editor leaked into it are not: an inherited lock or socket would live as long as the run.
#[expect(unsafe_code, reason = "descriptors that nobody told us about have no owner to be closed through")]
pub(crate) fn close_inherited() {
    let Ok(listed) = std::fs::read_dir(DESCRIPTORS) else { return };
    let open: Vec<RawFd> = listed
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2)
        .collect();
    for descriptor in open {
        // SAFETY: this runs first thing in a process with one thread, which has opened nothing yet but the
        // directory that was just listed. That is closed by now, hence the question before the second line.
        unsafe {
            if rustix::io::fcntl_getfd(BorrowedFd::borrow_raw(descriptor)).is_ok() {
                rustix::io::close(descriptor);
            }
        }
    }
}

/// Sends SIGTERM to a process group, and SIGCONT, so that stopped members hear it.
///
/// The leader must not have been waited for yet: only until then is the number sure to be its group's.
pub(crate) fn ask_group(leader: Pid) {
    // The group may have ended in this moment; there is nothing to be done about it.
    let _ = rustix::process::kill_process_group(leader, Signal::TERM);
    let _ = rustix::process::kill_process_group(leader, Signal::CONT);
}

/// A child that has ended.
pub(crate) enum Reaped {
    /// This one, so.
    One(Pid, Exit),
    /// There are children, and all of them live.
    AllAlive,
    /// There are no children.
    NoChildren,
}

/// Asks for a child that has ended, without waiting for one.
pub(crate) fn reap() -> Reaped {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                if let Some(code) = status.exit_status() {
                    return Reaped::One(pid, Exit::Code(code));
                }
                if let Some(signal) = status.terminating_signal() {
                    return Reaped::One(pid, Exit::Signal(signal));
                }
            }
            Ok(None) => return Reaped::AllAlive,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Reaped::NoChildren,
        }
    }
}

/// Makes a command the leader of a new session, and ties its life to this process where the system can.
#[expect(unsafe_code, reason = "what a child does between fork and exec has no safe interface")]
pub(crate) fn tie_to_guard(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let guard = rustix::process::getpid();
    // SAFETY: the closure makes system calls only. It allocates nothing, takes no lock and touches nothing of
    // the parent's that another thread could hold; the guard has one thread anyway.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            die_with_parent()?;
            // If the guard died before the line above, nobody will send the signal.
            if rustix::process::getppid() == Some(guard) {
                Ok(())
            } else {
                Err(io::ErrorKind::NotFound.into())
            }
        });
    }
}

/// Has the runtime tell when something becomes of a descriptor.
#[expect(unsafe_code, reason = "the runtime has to be promised that a descriptor stays what it is")]
pub(super) fn in_runtime(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is ours, so it stays open and the same until what is made here is dropped.
    unsafe { AsyncFd::register_with_interest(descriptor, interest) }.map_err(io::Error::from)
}

/// Resolves when nobody can write to stdin any more, whether or not all of it has been read. Never if that cannot be
/// told: a file, for one, ends when it has been read.
pub(crate) async fn stdin_hung_up() {
    // A second descriptor, because the first one belongs to whoever reads.
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    // The end of a socket of which only one half was closed is told only beside what can be read. News is told once, so
    // what nobody reads does not keep this busy.
    let Ok(stdin) = stdin.and_then(|stdin| in_runtime(stdin, Interest::READABLE)) else {
        return pending().await;
    };
    loop {
        let Ok(mut ready) = stdin.ready(Interest::READABLE).await else { return pending().await };
        if ready.ready().is_read_closed() {
            return;
        }
        ready.clear_ready();
    }
}
