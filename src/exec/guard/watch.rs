//! The guard's loop while its command or agent, or the precheck before that, runs.

use std::io::{self, PipeWriter};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::process::Pid;
use signal_hook::consts::SIGKILL;

use super::super::guard_protocol::ToGuard;
use super::super::process::{self, Reaped};
use super::super::spool::Spool;
use super::super::{Exit, STOP_GRACE};
use super::command::Started;
use super::output::Output;
use super::pipes::{self, Control, Said, Signals};
use super::sweep;

/// How long the output is read after the command has ended, if others hold the pipe. What the command itself
/// has written is in the pipe by then; this is for a filter behind it that has its last lines to write.
const DRAIN: Duration = Duration::from_millis(250);

/// How long what an agent has started for itself may take to end when the agent has: the servers of its tools hear of
/// that by the end of their input, and a sidecar of theirs takes a second at most to leave. What is killed is counted, as
/// what a run should not have left behind.
const SERVERS_END: Duration = Duration::from_secs(1);

/// A command, and what the guard holds of it.
pub(super) struct Tree {
    pub(super) pid: Pid,
    pub(super) token: String,
    /// How the command ended. Others below the guard may live on.
    pub(super) exit: Option<Exit>,
    /// Whether SIGKILL has reached it.
    pub(super) is_killed: bool,
    /// When it is asked to end; never if there is nothing.
    pub(super) ends_at: Option<Instant>,
    /// What came first of all that could end it.
    by: EndedBy,
    leaves: Leaves,
    output: Output,
    /// What is read beside that.
    aside: Option<Output>,
    /// `None` when all has been written, or nobody reads it.
    input: Option<Input>,
}

/// What is still to be written to the command's standard input.
pub(super) struct Input {
    pipe: PipeWriter,
    text: Vec<u8>,
    written: usize,
}

/// What becomes of processes that are left when what had started them has ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    /// They are killed.
    Nothing,
    /// They are given [`SERVERS_END`] to end by themselves, and then killed.
    Servers,
}

/// What ended a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndedBy {
    /// Nothing but itself.
    Itself,
    /// Its time was over.
    Time,
    /// The sidecar, its end, or a signal to the guard.
    Word,
}

/// How a command came to its end, when nothing is left below the guard.
pub(super) struct Over {
    pub(super) exit: Exit,
    pub(super) by: EndedBy,
    /// How many processes it had left behind, which were killed.
    pub(super) swept: u32,
    /// How many of them are not gone.
    pub(super) left: u32,
    pub(super) spool: Spool,
    /// What was read beside that.
    pub(super) aside: Option<Spool>,
}

/// What the guard is waiting for.
#[derive(Clone, Copy)]
enum Phase {
    /// For the command to end, or its time to be over.
    Running,
    /// For the command and its group to end, having been asked to.
    Asked { kill_at: Instant },
    /// For the end of the output, and of the servers of an agent; the command has ended by itself.
    Draining { until: Instant },
    /// For nothing: what is left is killed.
    Over,
}

/// Carries the command to its end and ends what it leaves behind.
///
/// # Errors
/// A sentence that says why the guard cannot go on. What could be ended has been.
pub(super) fn watch(mut tree: Tree, control: &mut Control, signals: &Signals) -> Result<Over, String> {
    let mut phase = Phase::Running;
    while !matches!(phase, Phase::Over) {
        phase = match step(&mut tree, phase, control, signals) {
            Ok(next) => next,
            Err(error) => {
                sweep::sweep(&mut tree, signals);
                return Err(format!("the guard could not wait: {error}"));
            }
        };
    }
    let swept = sweep::sweep(&mut tree, signals);
    let Some(exit) = tree.exit.or(tree.is_killed.then_some(Exit::Signal(SIGKILL))) else {
        let pid = tree.pid;
        return Err(format!("process {pid} runs as another user and could not be killed; end it by hand"));
    };
    let (spool, aside) = (tree.output.finish(), tree.aside.map(Output::finish));
    Ok(Over { exit, by: tree.by, swept: swept.killed, left: swept.left, spool, aside })
}

/// Sleeps until something happens, and answers it.
fn step(tree: &mut Tree, phase: Phase, control: &mut Control, signals: &Signals) -> io::Result<Phase> {
    let due = match phase {
        Phase::Running => tree.ends_at,
        Phase::Over => None,
        Phase::Asked { kill_at } => Some(kill_at),
        Phase::Draining { until } => Some(until),
    };
    let at_most = due.map(|due| due.saturating_duration_since(now()));
    if at_most == Some(Duration::ZERO) {
        return Ok(match phase {
            Phase::Running => tree.ask(phase, EndedBy::Time),
            Phase::Asked { .. } | Phase::Draining { .. } | Phase::Over => Phase::Over,
        });
    }
    // The end of a server is not signalled to the guard on every system.
    let awaits_servers = matches!(phase, Phase::Draining { .. }) && tree.leaves == Leaves::Servers;
    let at_most = if awaits_servers { at_most.map(|span| span.min(sweep::LOOK_AGAIN)) } else { at_most };
    // What is not there any more is replaced by what is waited for anyway.
    let output = tree.output.readable().unwrap_or(control.as_fd());
    let aside = tree.aside.as_ref().and_then(Output::readable).unwrap_or(control.as_fd());
    let (input, writable) = match &tree.input {
        Some(input) => (input.pipe.as_fd(), PollFlags::OUT),
        None => (control.as_fd(), PollFlags::IN),
    };
    let [spoke, ended, asked, wrote, wrote_aside, reads] = pipes::wait(
        [
            (control.as_fd(), PollFlags::IN),
            (signals.ended.as_fd(), PollFlags::IN),
            (signals.asked.as_fd(), PollFlags::IN),
            (output, PollFlags::IN),
            (aside, PollFlags::IN),
            (input, writable),
        ],
        at_most,
    )?;

    let mut phase = phase;
    if asked {
        signals.asked.clear();
        phase = tree.ask(phase, EndedBy::Word);
    }
    while spoke && let Some(said) = control.next_word() {
        phase = match said {
            Said::Word(ToGuard::Stop) => tree.ask(phase, EndedBy::Word),
            Said::Word(ToGuard::Kill | ToGuard::Go | ToGuard::Work(_)) | Said::Closed => {
                tree.note(EndedBy::Word);
                return Ok(Phase::Over);
            }
        };
    }
    if reads
        && let Some(input) = &mut tree.input
        && !input.write()
    {
        tree.input = None;
    }
    if wrote {
        tree.output.read();
    }
    if wrote_aside && let Some(aside) = &mut tree.aside {
        aside.read();
    }
    if ended {
        signals.ended.clear();
        tree.reap();
    }
    Ok(tree.next_phase(phase))
}

impl Tree {
    pub(super) fn new(
        started: Started,
        spool: Spool,
        aside: Option<Spool>,
        token: &str,
        leaves: Leaves,
    ) -> Self {
        let Started { pid, output, aside: pipe_aside, input } = started;
        Self {
            pid,
            token: token.to_owned(),
            exit: None,
            is_killed: false,
            ends_at: None,
            by: EndedBy::Itself,
            leaves,
            output: Output::new(output, spool),
            aside: pipe_aside.zip(aside).map(|(pipe, spool)| Output::new(pipe, spool)),
            input,
        }
    }

    /// Asks the command and its group to end. One that has ended by itself is not asked: what it left behind
    /// is killed at once.
    fn ask(&mut self, phase: Phase, by: EndedBy) -> Phase {
        self.note(by);
        match phase {
            Phase::Running => {
                process::ask_group(self.pid);
                Phase::Asked { kill_at: now() + STOP_GRACE }
            }
            // Asked again, in the same words: the grace is the same.
            Phase::Asked { .. } => phase,
            Phase::Draining { .. } | Phase::Over => Phase::Over,
        }
    }

    fn note(&mut self, by: EndedBy) {
        if self.by == EndedBy::Itself {
            self.by = by;
        }
    }

    fn next_phase(&self, phase: Phase) -> Phase {
        if self.exit.is_none() {
            return phase;
        }
        match phase {
            Phase::Running if self.has_servers() => Phase::Draining { until: now() + SERVERS_END },
            Phase::Running if self.may_be_written_to() => Phase::Draining { until: now() + DRAIN },
            // A shell ends at once when it is asked to; what it had started is given its grace as well.
            Phase::Asked { .. } if self.group_lives() => phase,
            Phase::Draining { .. } if self.has_servers() || self.may_be_written_to() => phase,
            Phase::Running | Phase::Asked { .. } | Phase::Draining { .. } | Phase::Over => Phase::Over,
        }
    }

    /// Whether anybody still holds what the guard reads.
    fn may_be_written_to(&self) -> bool {
        [Some(&self.output), self.aside.as_ref()].into_iter().flatten().any(|one| one.readable().is_some())
    }

    /// Whether anything is left of which an end is to be expected.
    fn has_servers(&self) -> bool {
        match self.leaves {
            Leaves::Nothing => false,
            Leaves::Servers => !sweep::below(self).is_empty(),
        }
    }

    fn group_lives(&self) -> bool {
        let group = self.pid.as_raw_nonzero().get().cast_unsigned();
        process::descendants(std::process::id(), &process::list()).iter().any(|one| one.group == group)
    }

    /// Collects the children that have ended, adopted ones too. Whether there are others.
    pub(super) fn reap(&mut self) -> bool {
        loop {
            match process::reap() {
                Reaped::One(pid, exit) if pid == self.pid && self.exit.is_none() => {
                    self.exit = Some(exit);
                    self.input = None;
                }
                Reaped::One(..) => {}
                Reaped::AllAlive => return true,
                Reaped::NoChildren => return false,
            }
        }
    }
}

impl Input {
    pub(super) fn new(pipe: PipeWriter, text: Vec<u8>) -> Self {
        Self { pipe, text, written: 0 }
    }

    /// Writes what the pipe takes. Whether there is more to be written.
    fn write(&mut self) -> bool {
        while self.written < self.text.len() {
            match rustix::io::write(&self.pipe, &self.text[self.written..]) {
                Ok(count) => self.written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                // Nobody reads it any more, which is the command's affair.
                Err(_) => return false,
            }
        }
        false
    }
}

#[expect(clippy::disallowed_methods, reason = "a grace is a span; no decision of the engine depends on it")]
pub(super) fn now() -> Instant {
    Instant::now()
}
