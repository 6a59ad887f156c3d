//! One task per run in the sidecar: starts the guard, passes on what the sidecar wants, and reports.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::guard_protocol::{self, FromGuard, LONGEST_FROM_GUARD, ToGuard};
use super::launch::{self, Standard};
use super::leftovers::{self, Leftovers};
use super::process::{self, AgentPipes, Control, Replies};
use super::work::Work;
use super::{
    AgentWork, CommandWork, Ended, GuardProgram, OutputSize, ProcessIdentity, Report, STOP_GRACE,
    StartFailure, spool,
};
use crate::domain::id::RunId;
use crate::failpoint::{Failpoint, Failpoints};

/// How much longer than promised a guard may take before the supervisor does its work: kills it, and sweeps.
/// A guard needs some milliseconds, unless it is stopped or the machine is very busy.
const PATIENCE: Duration = Duration::from_secs(2);

/// A run's work, from `prepare` until it has ended. Dropping it kills the work at once, as does the death of
/// this process. No call blocks.
#[derive(Debug)]
pub struct Handle {
    wishes: watch::Sender<Wishes>,
}

/// What the sidecar wants. A state, not a queue: repeating a wish changes nothing, and of two stops the harder
/// one holds.
#[derive(Clone, Copy, Debug, Default)]
struct Wishes {
    go: bool,
    stop: Stop,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    #[default]
    No,
    Ask,
    Now,
}

/// Starts the guard of this work, and the task that supervises it, on the current tokio runtime (with I/O and
/// time enabled). The command itself waits for [`Handle::go`].
///
/// Reports arrive on `reports` in order; while it is full they wait (there are three at most), and the work
/// goes on. `Ended` arrives exactly once, last, also after the handle has been dropped.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn prepare(guard: &GuardProgram, work: CommandWork, reports: mpsc::Sender<(RunId, Report)>) -> Handle {
    let outbox = Outbox { run: work.run.clone(), reports, waiting: VecDeque::new() };
    begin(guard, work.into(), Standard::nothing(), outbox)
}

/// The same for an agent, whose pipes are there at once: what is written to it waits for it to be started. When it is
/// not started after all, or has ended together with all it had started, its output is at its end and nothing reads its
/// input any more.
///
/// # Errors
/// When there are no pipes to be had.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn prepare_agent(
    guard: &GuardProgram,
    work: AgentWork,
    reports: mpsc::Sender<(RunId, Report)>,
) -> io::Result<(Handle, AgentPipes)> {
    let (pipes, input, output) = process::pipes_to_agent()?;
    let outbox = Outbox { run: work.run.clone(), reports, waiting: VecDeque::new() };
    Ok((begin(guard, work.into(), Standard { input, output }, outbox), pipes))
}

fn begin(guard: &GuardProgram, work: Work, standard: Standard, outbox: Outbox) -> Handle {
    let (wishes, heard) = watch::channel(Wishes::default());
    tokio::spawn(supervise(guard.clone(), work, standard, heard, outbox));
    Handle { wishes }
}

impl Handle {
    /// Starts the precheck or the command, as soon as the guard is ready. Nothing, if a stop was asked for before.
    pub fn go(&self) {
        self.wishes.send_modify(|wishes| wishes.go = true);
    }

    /// Ends the work: SIGTERM to the command's process group, [`STOP_GRACE`] to end, then SIGKILL for
    /// everything that is left.
    pub fn stop(&self) {
        self.wishes.send_modify(|wishes| wishes.stop = wishes.stop.max(Stop::Ask));
    }

    /// Ends the work with SIGKILL at once, also when it is being stopped already.
    pub fn stop_now(&self) {
        self.wishes.send_modify(|wishes| wishes.stop = Stop::Now);
    }
}

async fn supervise(
    program: GuardProgram,
    work: Work,
    standard: Standard,
    heard: watch::Receiver<Wishes>,
    mut outbox: Outbox,
) {
    if is_withdrawn(&heard) {
        drop(standard);
        return outbox.close(Report::Ended(Ended::Withdrawn)).await;
    }
    let ended = match Supervision::begin(program, work, standard, heard).await {
        Ok(supervision) => supervision.carry_through(&mut outbox).await,
        Err(failure) => Ended::StartFailed(failure),
    };
    outbox.close(Report::Ended(ended)).await;
}

/// Whether a run that was not told to go is not wanted any more.
fn is_withdrawn(heard: &watch::Receiver<Wishes>) -> bool {
    heard.borrow().stop != Stop::No || heard.has_changed().is_err()
}

/// Reports on their way. At most `Ready`, `Started` and `Ended`: a guard says each once.
struct Outbox {
    run: RunId,
    reports: mpsc::Sender<(RunId, Report)>,
    waiting: VecDeque<Report>,
}

impl Outbox {
    /// Hands the oldest report over when there is room. Nothing is lost when this is cancelled. If nobody
    /// receives any more, the reports are of no use; the run goes on for as long as its handle is held.
    async fn hand_over(&mut self) {
        let permit = self.reports.reserve().await;
        if let Some(report) = self.waiting.pop_front()
            && let Ok(permit) = permit
        {
            permit.send((self.run.clone(), report));
        }
    }

    async fn close(mut self, last: Report) {
        self.waiting.push_back(last);
        while !self.waiting.is_empty() {
            self.hand_over().await;
        }
    }
}

/// A guard, and what has been said so far.
struct Supervision {
    /// What the work is called in a sentence.
    what: &'static str,
    token: String,
    spool: PathBuf,
    spool_limit: u64,
    guard: Child,
    /// `None` once the sidecar has let go of the run.
    control: Option<Control>,
    replies: Replies,
    heard: watch::Receiver<Wishes>,
    /// What the guard has been told, or will have been when `outgoing` is written.
    told: Wishes,
    /// The work and at most three words after it.
    outgoing: Vec<u8>,
    written: usize,
    incoming: Vec<u8>,
    identity: Option<ProcessIdentity>,
    failpoints: Failpoints,
    /// When the guard is taken for lost.
    patience_ends_at: Option<Instant>,
}

/// What one turn of the loop has brought.
enum Turn {
    Wish(Wishes),
    LetGo,
    Written(io::Result<usize>),
    Read(io::Result<usize>),
    Reported,
    PatienceOver,
}

/// How a conversation with a guard ends.
enum LastWord {
    Ended(Ended),
    Lost(String),
}

impl LastWord {
    fn unread(error: &io::Error) -> Self {
        // So ends a guard that had not read all it was told.
        if error.kind() == io::ErrorKind::ConnectionReset {
            return LastWord::silent();
        }
        LastWord::Lost(format!("its socket could not be read: {error}"))
    }

    fn silent() -> Self {
        LastWord::Lost("it ended without a last word".to_owned())
    }
}

impl Supervision {
    async fn begin(
        program: GuardProgram,
        work: Work,
        standard: Standard,
        heard: watch::Receiver<Wishes>,
    ) -> Result<Self, StartFailure> {
        if let Some(refusal) = process::REFUSAL {
            return Err(StartFailure::config(refusal));
        }
        let (what, token) = (work.kind.name(), work.token.clone());
        let (spool, spool_limit) = (work.spool.clone(), work.spool_limit);
        let (replies, control, of_guard) = process::socket_to_guard().map_err(|error| {
            StartFailure::transient(format!(
                "there is no socket to be had for the guard: {error}; check that the limit on open files is not \
                 reached (`ulimit -n`)"
            ))
        })?;
        // On a thread that may wait: starting a process takes as long as reading its binary does, and the
        // work may carry megabytes of input.
        let failpoints = program.failpoints.clone();
        let started = spawn_blocking(move || launch::start_guard(&program, work, standard, of_guard)).await;
        let (guard, outgoing) = started.map_err(|error| {
            StartFailure::transient(format!("the guard could not be started: {error}; try again"))
        })??;
        Ok(Self {
            what,
            token,
            spool,
            spool_limit,
            guard,
            control: Some(control),
            replies,
            heard,
            told: Wishes::default(),
            outgoing,
            written: 0,
            incoming: Vec::new(),
            identity: None,
            failpoints,
            patience_ends_at: None,
        })
    }

    async fn carry_through(mut self, outbox: &mut Outbox) -> Ended {
        let last_word = loop {
            match self.turn(outbox).await {
                Turn::Wish(wishes) => self.tell(wishes),
                Turn::LetGo => self.let_go(),
                Turn::Written(Ok(count)) => {
                    self.written += count;
                    if self.go_is_written()
                        && let Err(injected) = self.failpoints.reach(Failpoint::AfterGo)
                    {
                        break LastWord::unread(&injected.into());
                    }
                }
                // Its end has closed: what it has said before that is still to be read.
                Turn::Written(Err(_)) => self.let_go(),
                Turn::Read(Ok(0)) => break LastWord::silent(),
                Turn::Read(Err(error)) => break LastWord::unread(&error),
                Turn::Read(Ok(_)) => {
                    if let Some(last_word) = self.listen(&mut outbox.waiting) {
                        break last_word;
                    }
                }
                Turn::Reported => {}
                Turn::PatienceOver => break LastWord::Lost("it did not end the run in time".to_owned()),
            }
        };
        match last_word {
            LastWord::Ended(ended) => {
                self.see_off().await;
                ended
            }
            LastWord::Lost(how) => self.after_loss(&how).await,
        }
    }

    /// Waits for whatever comes first. Each of these can be given up without losing anything.
    async fn turn(&mut self, outbox: &mut Outbox) -> Turn {
        let writes = self.written < self.outgoing.len();
        let reports = !outbox.waiting.is_empty();
        let patience_ends_at = self.patience_ends_at;
        let holds_on = self.control.is_some();
        tokio::select! {
            wish = self.heard.changed(), if holds_on => match wish {
                Ok(()) => Turn::Wish(*self.heard.borrow_and_update()),
                Err(_) => Turn::LetGo,
            },
            written = write(&mut self.control, &self.outgoing[self.written..]), if writes && holds_on => {
                Turn::Written(written)
            }
            read = self.replies.read_buf(&mut self.incoming) => Turn::Read(read),
            () = outbox.hand_over(), if reports => Turn::Reported,
            () = until(patience_ends_at), if patience_ends_at.is_some() => Turn::PatienceOver,
        }
    }

    /// Turns wishes into words. A stop that is wished for before the guard was told to go replaces the go.
    fn tell(&mut self, wishes: Wishes) {
        if wishes.go && !self.told.go && wishes.stop == Stop::No {
            self.told.go = true;
            match self.failpoints.reach(Failpoint::BeforeGo) {
                Ok(()) => self.say(&ToGuard::Go),
                // As if the socket had broken.
                Err(_) => self.let_go(),
            }
        }
        if wishes.stop > self.told.stop {
            self.told.stop = wishes.stop;
            match wishes.stop {
                Stop::No => {}
                Stop::Ask => {
                    self.say(&ToGuard::Stop);
                    self.be_patient(STOP_GRACE);
                }
                Stop::Now => {
                    self.say(&ToGuard::Kill);
                    self.be_patient(Duration::ZERO);
                }
            }
        }
    }

    fn say(&mut self, word: &ToGuard) {
        self.outgoing.drain(..std::mem::take(&mut self.written));
        // A word without a path in it always has a line.
        self.outgoing.extend(guard_protocol::line(word).unwrap_or_default());
    }

    /// Whether the go has just gone out, and nothing after it.
    fn go_is_written(&self) -> bool {
        self.told.go && self.told.stop == Stop::No && self.written == self.outgoing.len()
    }

    /// Says no more, with which the guard ends everything.
    fn let_go(&mut self) {
        self.control = None;
        self.be_patient(Duration::ZERO);
    }

    fn be_patient(&mut self, span: Duration) {
        let ends_at = Instant::now() + span + PATIENCE;
        self.patience_ends_at = Some(self.patience_ends_at.map_or(ends_at, |earlier| earlier.min(ends_at)));
    }

    /// Reads the lines that are complete.
    fn listen(&mut self, reports: &mut VecDeque<Report>) -> Option<LastWord> {
        while let Some(end) = self.incoming.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.incoming.drain(..=end).collect();
            let word = match serde_json::from_slice(&line) {
                Ok(word) => word,
                Err(error) => {
                    return Some(LastWord::Lost(format!("it said what cannot be understood: {error}")));
                }
            };
            match word {
                FromGuard::Ready { identity } if self.identity.is_none() => {
                    self.identity = Some(identity.clone());
                    reports.push_back(Report::Ready(identity));
                }
                FromGuard::Ready { .. } => {
                    return Some(LastWord::Lost("it said that it is ready twice".to_owned()));
                }
                FromGuard::Started => reports.push_back(Report::Started),
                FromGuard::Withdrawn => return Some(LastWord::Ended(Ended::Withdrawn)),
                FromGuard::StartFailed(failure) => {
                    return Some(LastWord::Ended(Ended::StartFailed(failure)));
                }
                FromGuard::PrecheckOnly { end, swept, left, tail, output } => {
                    warn_of(left);
                    return Some(LastWord::Ended(Ended::PrecheckOnly { end, swept, tail, output }));
                }
                FromGuard::Exited { exit, swept, left, tail, output } => {
                    warn_of(left);
                    return Some(LastWord::Ended(Ended::Exited { exit, swept, tail, output }));
                }
                FromGuard::Broken { message } => return Some(LastWord::Lost(message)),
            }
        }
        let too_long = self.incoming.len() > LONGEST_FROM_GUARD;
        too_long.then(|| LastWord::Lost("it said more than a guard has to say".to_owned()))
    }

    /// Waits for a guard that has said its last word to be gone, so that it leaves no zombie.
    async fn see_off(&mut self) {
        if tokio::time::timeout(PATIENCE, self.guard.wait()).await.is_err() {
            self.end_guard().await;
        }
    }

    /// Kills the guard and reaps it. Answers how it ended.
    async fn end_guard(&mut self) -> String {
        // Fails only if it has ended already.
        let _ = self.guard.start_kill();
        match self.guard.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Does what the guard cannot do any more.
    async fn after_loss(mut self, how: &str) -> Ended {
        self.control = None;
        let identity = self.identity.take();
        let token = std::mem::take(&mut self.token);
        let (path, limit) = (std::mem::take(&mut self.spool), self.spool_limit);
        // First, while the guard still stands: what hangs below it can then be found by that, too.
        let swept = spawn_blocking(move || sweep_and_look(identity.as_ref(), &token, &path, limit)).await;
        let status = self.end_guard().await;
        let (leftovers, tail, output) = swept.unwrap_or_else(|_| {
            (Leftovers { swept: 0, all_gone: false }, String::new(), OutputSize::default())
        });
        if !self.told.go {
            return if is_withdrawn(&self.heard) {
                Ended::Withdrawn
            } else {
                let message = format!("the guard was lost ({how}; {status}); run it again");
                Ended::StartFailed(StartFailure::transient(message))
            };
        }
        let rest = if leftovers.all_gone { "" } else { "; some of its processes could not be killed" };
        let message = format!("the guard of the {} was lost ({how}; {status}){rest}", self.what);
        Ended::GuardLost { message, swept: leftovers.swept, tail, output }
    }
}

/// Tells of processes that a guard could not end.
fn warn_of(left: u32) {
    if left > 0 {
        tracing::warn!(
            left,
            "processes of a run are not gone: they run as another user, or hang in the kernel"
        );
    }
}

/// Blocking.
fn sweep_and_look(
    identity: Option<&ProcessIdentity>,
    token: &str,
    path: &std::path::Path,
    limit: u64,
) -> (Leftovers, String, OutputSize) {
    let leftovers = match identity {
        Some(identity) => leftovers::end_leftovers(identity, token),
        None => leftovers::end_carriers(token),
    };
    let bytes = spool::read(path, 0, 0).map_or(0, |chunk| chunk.size);
    // What the guard threw away it cannot tell any more; a full spool is taken for a truncated output.
    let output = OutputSize { bytes, truncated: bytes >= limit, write_error: None };
    (leftovers, spool::tail(path).unwrap_or_default(), output)
}

async fn write(control: &mut Option<Control>, bytes: &[u8]) -> io::Result<usize> {
    match control {
        Some(control) => control.write(bytes).await,
        None => std::future::pending().await,
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
