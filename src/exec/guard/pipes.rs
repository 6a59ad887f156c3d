//! How a guard hears and speaks: the socket to its sidecar, and the signals as pipes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::stdio;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::low_level::pipe;

use super::super::guard_protocol::{self, FromGuard, ToGuard};

/// The longest line a guard reads. A client's message has at most 16 MiB, of which one byte takes at most six
/// when it is escaped; the rest is room for the environment.
const LONGEST_TO_GUARD: usize = 128 * 1024 * 1024;

/// What the sidecar has said.
pub(super) enum Said {
    Word(ToGuard),
    /// The sidecar has gone, has let go of the run, or says what cannot be understood.
    Closed,
}

/// The socket to the sidecar, as far as the guard hears.
pub(super) struct Control {
    socket: Arc<UnixStream>,
    heard: Vec<u8>,
    /// How much of `heard` is known to hold no end of a line.
    searched: usize,
    closed: bool,
}

/// The socket to the sidecar, as far as the guard speaks.
#[derive(Clone)]
pub(super) struct Reports(Arc<UnixStream>);

/// Takes the socket from the place of the standard error to one where nothing that is started inherits it.
///
/// # Errors
/// When there is none.
pub(super) fn take_socket() -> io::Result<(Control, Reports)> {
    let socket = UnixStream::from(io::stderr().as_fd().try_clone_to_owned()?);
    // Of all that can stand in this place only a socket has a peer.
    socket.peer_addr()?;
    stdio::dup2_stderr(nothing()?)?;
    let socket = Arc::new(socket);
    let control = Control { socket: socket.clone(), heard: Vec::new(), searched: 0, closed: false };
    Ok((control, Reports(socket)))
}

/// What the guard was given for its agent: the agent's standard input and output.
pub(super) struct OfAgent {
    pub(super) input: OwnedFd,
    pub(super) output: OwnedFd,
}

impl OfAgent {
    /// Takes both from the places of the guard's own. What is started inherits them only where it is given them; and
    /// when that has them, or they have been dropped, the guard holds them no more.
    pub(super) fn take() -> io::Result<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned()?;
        let output = io::stdout().as_fd().try_clone_to_owned()?;
        stdio::dup2_stdin(nothing()?)?;
        stdio::dup2_stdout(nothing()?)?;
        Ok(Self { input, output })
    }
}

fn nothing() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/null")
}

impl Control {
    /// The next word, if there is one. After `Closed` comes nothing but `Closed`.
    pub(super) fn next_word(&mut self) -> Option<Said> {
        loop {
            if let Some(end) = self.heard[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=self.searched + end).collect();
                self.searched = 0;
                // The work may have been megabytes; the words after it are not.
                self.heard.shrink_to_fit();
                let word = serde_json::from_slice(&line);
                self.closed |= word.is_err();
                return Some(word.map_or(Said::Closed, Said::Word));
            }
            self.searched = self.heard.len();
            if self.closed || self.searched > LONGEST_TO_GUARD {
                self.closed = true;
                return Some(Said::Closed);
            }
            let mut buffer = [0; 64 * 1024];
            // Only hearing does not wait. A report may, for room.
            match rustix::net::recv(&*self.socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) => self.closed = true,
                Ok((count, _)) => self.heard.extend_from_slice(&buffer[..count]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return None,
                Err(_) => self.closed = true,
            }
        }
    }

    /// Whether anything was said, or this process asked to end, that has not been answered. A word that is found
    /// is used up: after the work and the go, every word means the end.
    pub(super) fn has_spoken(&mut self, signals: &Signals) -> bool {
        let asked = wait([(signals.asked.as_fd(), PollFlags::IN)], Some(Duration::ZERO));
        self.next_word().is_some() || !matches!(asked, Ok([false]))
    }

    /// Sleeps until there is a word. Being asked to end by a signal counts as `Closed`.
    pub(super) fn wait_for_word(&mut self, signals: &Signals) -> Said {
        loop {
            if let Some(said) = self.next_word() {
                return said;
            }
            let ready = wait([self.as_fd(), signals.asked.as_fd()].map(|fd| (fd, PollFlags::IN)), None);
            if !matches!(ready, Ok([_, false])) {
                return Said::Closed;
            }
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Signals, as something that `poll` can wait for.
pub(super) struct Signals {
    /// A child has ended (SIGCHLD).
    pub(super) ended: Signal,
    /// Somebody asks this process to end (SIGTERM, SIGINT, SIGHUP).
    pub(super) asked: Signal,
}

/// The reading end of a pipe that a signal handler writes to.
pub(super) struct Signal(UnixStream);

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        // A spool that reaches the file size limit is an error of one write, not the end of the guard. A
        // handler, and not "ignore": handlers end with exec, so that the command has the default.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(Self { ended: Signal::catch(&[SIGCHLD])?, asked: Signal::catch(&[SIGTERM, SIGINT, SIGHUP])? })
    }
}

impl Signal {
    fn catch(signals: &[i32]) -> io::Result<Self> {
        let (heard, written) = UnixStream::pair()?;
        heard.set_nonblocking(true)?;
        for signal in signals {
            pipe::register(*signal, written.try_clone()?)?;
        }
        Ok(Self(heard))
    }

    /// Forgets what has been signalled so far; to be called *before* looking for what was signalled.
    pub(super) fn clear(&self) {
        let mut buffer = [0; 64];
        while (&self.0).read(&mut buffer).is_ok_and(|count| count == buffer.len()) {}
    }
}

impl AsFd for Signal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Reports {
    /// Reports to the sidecar. All that is reported while work is carried out fits into the socket, so that this does
    /// not wait for a sidecar that is stopped; the last word may. One that has gone is noticed by what is heard.
    pub(super) fn tell(&self, message: &FromGuard) {
        if let Ok(line) = guard_protocol::line(message) {
            let _ = (&*self.0).write_all(&line);
        }
    }
}

/// Sleeps until one of these is ready, or has an end or an error to tell, or until the time is over; `None`
/// is no limit. Tells which are ready. A signal may end it early.
pub(super) fn wait<const N: usize>(
    what: [(BorrowedFd<'_>, PollFlags); N],
    at_most: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled = what.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags));
    let timeout = at_most.map(|span| Timespec::try_from(span).unwrap_or_default());
    match rustix::event::poll(&mut polled, timeout.as_ref()) {
        Ok(_) => Ok(polled.map(|one| !one.revents().is_empty())),
        Err(Errno::INTR) => Ok([false; N]),
        Err(error) => Err(error.into()),
    }
}
