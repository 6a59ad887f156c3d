//! What the tests of `exec` share: work to carry out, its reports with a deadline, and an own way to count
//! what is alive, so that the code under test is not its own witness.

use std::fmt::Display;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sexton::domain::id::RunId;
use sexton::exec::{
    self, AgentPipes, AgentWork, CommandWork, Ended, GuardProgram, Handle, ProcessIdentity, Report,
    TOKEN_VARIABLE,
};
use tokio::sync::mpsc;

use crate::program;

/// Longer than anything here takes on a busy machine, shorter than anybody's patience.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn guard() -> GuardProgram {
    GuardProgram::at(env!("CARGO_BIN_EXE_sexton"))
}

/// A directory for one test, and the works that are carried out in it.
pub(crate) struct Place {
    directory: tempfile::TempDir,
    made: AtomicU32,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("sexton exec ").tempdir().expect("a directory");
        Self { directory, made: AtomicU32::new(0) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A program with arguments.
    pub(crate) fn work(&self, program: &str, args: &[&str]) -> CommandWork {
        work_in(self.path(), self.made.fetch_add(1, Ordering::Relaxed), program, args)
    }

    /// A line for the shell.
    pub(crate) fn shell(&self, line: &str) -> CommandWork {
        self.work("sh", &["-c", line])
    }

    /// An agent that is a line for the shell.
    pub(crate) fn agent(&self, line: &str) -> AgentWork {
        as_agent(self.shell(line))
    }

    /// A program of its own: a script for the shell.
    pub(crate) fn script(&self, name: &str, lines: &str) -> PathBuf {
        let path = self.file(name);
        program::write(&path, &format!("#!/bin/sh\n{lines}\n"));
        path
    }

    /// A guard that is started after these lines for the shell.
    pub(crate) fn guard_after(&self, lines: &str) -> GuardProgram {
        GuardProgram::at(
            self.script("guard.sh", &format!("{lines}\nexec '{}' guard", env!("CARGO_BIN_EXE_sexton"))),
        )
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        std::fs::read_to_string(self.file(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

/// What [`Place::work`] answers, for a process that only knows the path of the place.
pub(crate) fn work_in(directory: &Path, number: u32, program: &str, args: &[&str]) -> CommandWork {
    let unique = directory.to_string_lossy().replace(|c: char| !c.is_ascii_alphanumeric(), "");
    CommandWork {
        run: RunId::from_unique(&format!("{number}")),
        token: format!("{unique}.{number}"),
        program: program.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        environment: Vec::new(),
        precheck: None,
        stdin: None,
        directory: directory.to_owned(),
        output: directory.join(format!("runs/{number}/output.log")),
        output_limit: 1024 * 1024,
    }
}

/// The same as an agent, with files of its own beside where the command's output would be.
pub(crate) fn as_agent(work: CommandWork) -> AgentWork {
    let CommandWork {
        run,
        token,
        program,
        args,
        environment,
        precheck,
        stdin: _,
        directory,
        output,
        output_limit,
    } = work;
    AgentWork {
        run,
        token,
        program,
        args,
        environment,
        precheck,
        directory,
        log: output.with_file_name("agent.log"),
        log_limit: output_limit,
        precheck_output: output.with_file_name("precheck.out"),
    }
}

/// A prepared run and its reports.
pub(crate) struct Run {
    pub(crate) handle: Option<Handle>,
    pub(crate) token: String,
    pub(crate) output: PathBuf,
    reports: mpsc::Receiver<(RunId, Report)>,
}

impl Run {
    /// Prepares it, without a go.
    pub(crate) fn prepare(work: CommandWork) -> Self {
        Self::prepare_with(&guard(), work)
    }

    pub(crate) fn prepare_with(guard: &GuardProgram, work: CommandWork) -> Self {
        let (sender, reports) = mpsc::channel(1);
        let (token, output) = (work.token.clone(), work.output.clone());
        Self { handle: Some(exec::prepare(guard, work, sender)), token, output, reports }
    }

    /// Prepares an agent, without a go. What is said of the output is true of its log.
    pub(crate) fn prepare_agent(work: AgentWork) -> (Self, AgentPipes) {
        let (sender, reports) = mpsc::channel(1);
        let (token, output) = (work.token.clone(), work.log.clone());
        let (handle, pipes) = exec::prepare_agent(&guard(), work, sender).expect("pipes");
        (Self { handle: Some(handle), token, output, reports }, pipes)
    }

    /// Prepares an agent and lets it start.
    pub(crate) async fn start_agent(work: AgentWork) -> (Self, AgentPipes, ProcessIdentity) {
        let (mut run, pipes) = Self::prepare_agent(work);
        let identity = run.ready().await;
        run.handle().go();
        assert_eq!(run.report().await, Report::Started);
        (run, pipes, identity)
    }

    /// Prepares it and lets it start.
    pub(crate) async fn start(work: CommandWork) -> (Self, ProcessIdentity) {
        let mut run = Self::prepare(work);
        let identity = run.ready().await;
        run.handle().go();
        assert_eq!(run.report().await, Report::Started);
        (run, identity)
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.handle.as_ref().expect("the handle has not been dropped")
    }

    pub(crate) async fn report(&mut self) -> Report {
        in_time("a report", self.reports.recv()).await.expect("a report before the end of all reports").1
    }

    pub(crate) async fn ready(&mut self) -> ProcessIdentity {
        match self.report().await {
            Report::Ready(identity) => identity,
            other @ (Report::Started | Report::Ended(_)) => panic!("instead of Ready: {other:?}"),
        }
    }

    /// The end, which has to be the last report.
    pub(crate) async fn ended(&mut self) -> Ended {
        let ended = match self.report().await {
            Report::Ended(ended) => ended,
            other @ (Report::Started | Report::Ready(_)) => panic!("instead of Ended: {other:?}"),
        };
        assert_eq!(in_time("the end of all reports", self.reports.recv()).await, None);
        ended
    }

    /// How a command ended that could be started: code or signal, swept, tail.
    pub(crate) async fn exited(&mut self) -> (exec::Exit, u32, String) {
        match self.ended().await {
            Ended::Exited { exit, swept, tail, .. } => (exit, swept, tail),
            other @ (Ended::Withdrawn
            | Ended::StartFailed(_)
            | Ended::PrecheckOnly { .. }
            | Ended::GuardLost { .. }) => {
                panic!("instead of Exited: {other:?}")
            }
        }
    }
}

/// Carries it out from start to end.
pub(crate) async fn carry_out(work: CommandWork) -> Ended {
    carry_out_with(&guard(), work).await
}

pub(crate) async fn carry_out_with(guard: &GuardProgram, work: CommandWork) -> Ended {
    let mut run = Run::prepare_with(guard, work);
    run.ready().await;
    run.handle().go();
    match run.report().await {
        Report::Started => run.ended().await,
        Report::Ended(ended) => ended,
        Report::Ready(_) => panic!("ready twice"),
    }
}

pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come in time"),
    }
}

/// Waits until something that no event tells about is so: looks every few milliseconds.
pub(crate) async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut clock = tokio::time::interval(Duration::from_millis(5));
    in_time(what, async {
        loop {
            clock.tick().await;
            if let Some(found) = look() {
                return found;
            }
        }
    })
    .await
}

/// Waits for a file to have this many lines: what the work writes about itself.
pub(crate) async fn lines(place: &Place, name: &str, count: usize) -> Vec<String> {
    eventually(&format!("{count} lines in {name}"), || {
        let lines = place.lines(name);
        (lines.len() >= count).then_some(lines)
    })
    .await
}

/// Waits for this many processes of the work to have written their pids to `pids`.
pub(crate) async fn pids(place: &Place, count: usize) -> Vec<u32> {
    let lines = lines(place, "pids", count).await;
    lines.iter().map(|line| line.parse().expect("a pid")).collect()
}

/// The pids that carry a token in their environment. The environment of a zombie is empty.
pub(crate) fn carriers(token: &str) -> Vec<u32> {
    let entry = format!("{TOKEN_VARIABLE}={token}");
    let listed = std::fs::read_dir("/proc").expect("/proc");
    let pids = listed.filter_map(|one| one.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == entry.as_bytes())
    })
    .collect()
}

/// State and parent of a process, as `/proc` has it.
pub(crate) fn state_and_parent(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether a process is there and has not ended.
pub(crate) fn is_alive(pid: u32) -> bool {
    state_and_parent(pid).is_some_and(|(state, _)| state != 'Z')
}

/// Whether this is a child of the calling process that has ended and was not waited for.
pub(crate) fn is_our_zombie(pid: u32) -> bool {
    state_and_parent(pid) == Some(('Z', std::process::id()))
}

/// Sends a signal by its name, like a user would; to a process, or to `-` and a group.
pub(crate) fn signal(name: &str, whom: impl Display) {
    let status = Command::new("kill").args(["-s", name, "--", &whom.to_string()]).status();
    assert!(status.expect("kill").success(), "kill -s {name} -- {whom}");
}

pub(crate) fn clock() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test measures how long something took")]
    Instant::now()
}
