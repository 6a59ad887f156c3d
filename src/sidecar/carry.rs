//! Carries out the run of a command: from a guard that is ready, over the fence, to the report of its end.
//!
//! A report is a fact, whether or not the disk is full: it is kept and written again until it is written.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::Sidecar;
use super::carried::{self, Carried, Release};
use super::health::LastTold;
use super::peers::end_one;
use crate::domain::automation::{Command, EnvValue, Task};
use crate::domain::id::RunId;
use crate::domain::policy::Precheck;
use crate::domain::refusal::Refusal;
use crate::domain::run::{Attendance, OutputSize, ProcessEnd, StartFailure};
use crate::engine::Context;
use crate::engine::ending::Remains;
use crate::engine::report::{self, Fence, NotReached, WorkEnd};
use crate::exec::{self, CommandWork, Ended, Exit, Handle, PrecheckEnd, PrecheckWork, Report};
use crate::failpoint::Failpoint;
use crate::ledger::{Begun, Guard, Order, ProcessRow, RunRow, Tx};

/// How long a report waits before it is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// Reports of one run on their way: it makes three in all.
const REPORTS: usize = 4;

/// Where the handle of the guard is put when there is one, and what it is to be told until then.
struct Slot {
    handle: std::sync::Mutex<Hand>,
}

enum Hand {
    /// The guard is not started yet.
    Empty { told: Told },
    /// It can be told.
    Full(Handle),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    Stop,
    StopNow,
}

impl carried::Carrier for Slot {
    fn follow(&self, order: &Order) {
        self.tell(match order.stopping {
            None => Told::Nothing,
            Some(false) => Told::Stop,
            Some(true) => Told::StopNow,
        });
    }

    fn leave(&self) {
        self.tell(Told::StopNow);
    }

    fn let_go(&self) {
        self.tell(Told::StopNow);
    }
}

impl Slot {
    fn tell(&self, what: Told) {
        let mut hand = self.handle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &mut *hand {
            Hand::Empty { told } => *told = (*told).max(what),
            Hand::Full(handle) => tell(handle, what),
        }
    }

    fn fill(&self, handle: Handle) {
        let mut hand = self.handle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Hand::Empty { told } = *hand {
            tell(&handle, told);
        }
        *hand = Hand::Full(handle);
    }

    fn go(&self) {
        let hand = self.handle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Hand::Full(handle) = &*hand {
            handle.go();
        }
    }
}

fn tell(handle: &Handle, what: Told) {
    match what {
        Told::Nothing => {}
        Told::Stop => handle.stop(),
        Told::StopNow => handle.stop_now(),
    }
}

/// Begins to carry out a run that was given to this instance.
pub(super) fn start(sidecar: &Sidecar, order: &Order, done: mpsc::Sender<(RunId, Release)>) -> Carried {
    in_hand(sidecar, order, done, Carrier::carry)
}

/// Ends a run that began here and that nobody here carries out: what is left of it is ended, and it has crashed.
pub(super) fn clean_up(sidecar: &Sidecar, order: &Order, done: mpsc::Sender<(RunId, Release)>) -> Carried {
    in_hand(sidecar, order, done, Carrier::clean_up)
}

fn in_hand<W, F>(sidecar: &Sidecar, order: &Order, done: mpsc::Sender<(RunId, Release)>, work: W) -> Carried
where
    W: FnOnce(Carrier) -> F,
    F: Future<Output = Release> + Send + 'static,
{
    let slot = Arc::new(Slot { handle: std::sync::Mutex::new(Hand::Empty { told: Told::Nothing }) });
    let (run, given_number) = (order.run.clone(), order.given_number);
    let carrier = Carrier { sidecar: sidecar.clone(), run, given_number, slot: slot.clone() };
    Carried::by(slot, order, work(carrier), done)
}

struct Carrier {
    sidecar: Sidecar,
    run: RunId,
    given_number: i64,
    slot: Arc<Slot>,
}

impl Carrier {
    async fn carry(self) -> Release {
        let id = self.run.clone();
        let row = match self.sidecar.parts.ledger.read(move |view| Ok(view.run(&id)?)).await {
            Ok(Some(row)) => row,
            Ok(None) => return Release::Done,
            Err(refusal) => {
                tracing::error!(%refusal, run = %self.run, "a run could not be read; trying again");
                return Release::TryAgain;
            }
        };
        let token = format!("{}", uuid::Uuid::new_v4().simple());
        let work = match &row.definition.task {
            Task::Command(command) => self.work(&row, command, &token),
            // A window does these itself.
            Task::Prompt(_) => Err(StartFailure::transient("a prompt has no command; please report it")),
            // The engine gives reminders to nobody.
            Task::Notify { .. } => Err(StartFailure::transient("a reminder has no work; please report it")),
        };
        let work = match work {
            Ok(work) => work,
            Err(failure) => {
                return self.report_end(WorkEnd::NotStarted(failure)).await;
            }
        };
        let (reports, inbox) = mpsc::channel(REPORTS);
        self.slot.fill(exec::prepare(&self.sidecar.parts.guard, work, reports));
        self.follow(inbox, token).await
    }

    async fn follow(&self, mut inbox: mpsc::Receiver<(RunId, Report)>, token: String) -> Release {
        let mut fence_failed = false;
        let mut passed = false;
        while let Some((_, report)) = inbox.recv().await {
            match report {
                Report::Ready(process) => {
                    let instance = self.sidecar.parts.me.instance.clone();
                    let begun = Begun::Guard(Guard { process, token: token.clone() });
                    match self.begin(ProcessRow { instance, begun }).await {
                        Ok(Fence::Go) => {
                            passed = true;
                            self.slot.go();
                        }
                        Ok(Fence::Withdrawn) => self.slot.tell(Told::StopNow),
                        Err(refusal) => {
                            tracing::error!(%refusal, run = %self.run, "a run could not begin; trying again");
                            fence_failed = true;
                            self.slot.tell(Told::StopNow);
                        }
                    }
                }
                Report::Started => {
                    self.persist(Failpoint::BeforeStartReport, |run| {
                        move |tx: &Tx<'_>, context: &mut Context<'_>| report::started(tx, context, &run)
                    })
                    .await;
                }
                Report::Ended(ended) => {
                    let end = match work_end(ended) {
                        Some(end) => end,
                        // A stop can reach the guard before the go does. The run has begun, so its end is ours
                        // to report.
                        None if passed => {
                            let why = "it was stopped before its command was started; run it again";
                            WorkEnd::NotStarted(StartFailure::transient(why))
                        }
                        None if fence_failed => return Release::TryAgain,
                        None => return Release::Done,
                    };
                    return self.report_end(end).await;
                }
            }
        }
        let why = "its supervisor ended without a report; run it again";
        self.report_end(WorkEnd::NotStarted(StartFailure::transient(why))).await
    }

    /// The fence.
    async fn begin(&self, process: ProcessRow) -> Result<Fence, Refusal> {
        self.sidecar.parts.failpoints.reach(Failpoint::BeforeFence)?;
        let (id, given_number) = (self.run.clone(), self.given_number);
        let begin = move |tx: &Tx<'_>, context: &mut Context<'_>| {
            report::begin(tx, context, &id, given_number, &process)
        };
        self.sidecar.decide(begin).await
    }

    async fn clean_up(self) -> Release {
        let id = self.run.clone();
        let left = self.sidecar.parts.ledger.read(move |view| {
            Ok(match view.run(&id)? {
                Some(row) => view.process(row.row)?,
                None => None,
            })
        });
        let left = match left.await {
            Ok(Some(left)) => {
                let output = self.sidecar.output_path(&self.run);
                match tokio::task::spawn_blocking(move || end_one(&left, &output)).await {
                    Ok(left) if left.remains == Remains::Nothing => Some(left),
                    Ok(_) | Err(_) => {
                        tracing::error!(run = %self.run, "what is left of a run could not be ended; trying again");
                        return Release::TryAgain;
                    }
                }
            }
            Ok(None) => None,
            Err(refusal) => {
                tracing::error!(%refusal, run = %self.run, "a run could not be read; trying again");
                return Release::TryAgain;
            }
        };
        let message = "how it ended could not be written down, so what was left of it was ended".to_owned();
        let (process, output) =
            left.map_or((None, OutputSize::default()), |left| (left.process, left.output));
        let process = process.unwrap_or_else(|| process_end(None, 0, String::new()));
        self.report_end(WorkEnd::GuardLost { message, process, output }).await
    }

    async fn report_end(&self, end: WorkEnd) -> Release {
        let reported = self.persist(Failpoint::BeforeEndReport, |run| {
            let end = end.clone();
            move |tx: &Tx<'_>, context: &mut Context<'_>| report::ended(tx, context, &run, end)
        });
        reported.await
    }

    /// Writes a report down, however often that takes. One that is refused is left to be cleaned up after.
    async fn persist<D>(&self, before: Failpoint, mut decision: impl FnMut(RunId) -> D) -> Release
    where
        D: FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<(), Refusal> + Send + 'static,
    {
        let mut unwritten = None;
        let mut told = LastTold::default();
        loop {
            let written = match self.sidecar.parts.failpoints.reach(before) {
                Ok(()) => self.sidecar.decide(decision(self.run.clone())).await,
                Err(injected) => Err(injected.into()),
            };
            match written {
                Ok(()) => return Release::Done,
                Err(refusal @ Refusal::Storage { .. }) => {
                    unwritten.get_or_insert_with(|| self.sidecar.parts.health.unwritten());
                    if told.is_news(&refusal) {
                        tracing::error!(%refusal, run = %self.run, "a report could not be written; trying again");
                    }
                    sleep(WRITE_AGAIN).await;
                }
                Err(refusal) => {
                    tracing::error!(%refusal, run = %self.run, "a report was refused");
                    return Release::TryAgain;
                }
            }
        }
    }

    /// What the guard is told, or why there is nothing to tell it.
    fn work(&self, row: &RunRow, command: &Command, token: &str) -> Result<CommandWork, StartFailure> {
        let parts = &self.sidecar.parts;
        let Command { program, args, env, stdin } = command;
        let run = &row.run;
        let scheduled_at = run.scheduled_at.map(|at| at.to_string()).unwrap_or_default();
        let attendance = match run.attendance {
            Attendance::Attended => "attended",
            Attendance::Unattended => "unattended",
        };
        let own = [
            ("SEXTON_RUN_ID", run.id.as_str()),
            ("SEXTON_AUTOMATION_ID", run.automation_id.as_str()),
            ("SEXTON_SCHEDULED_AT", &scheduled_at),
            ("SEXTON_ATTENDANCE", attendance),
            ("SEXTON_PROJECT", &parts.project),
        ];
        let mut environment: Vec<(String, String)> =
            own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        environment.extend(parts.environment.clone());
        for (name, value) in env {
            let value = match value {
                EnvValue::Text(text) => text.clone(),
                EnvValue::From { from } => {
                    let found = parts.environment.get(from).or_else(|| parts.inherited.get(from));
                    found.cloned().ok_or_else(|| {
                        StartFailure::config(format!(
                            "`task.env.{name}` takes its value from {from}, which this window's environment does not have; set it where the window is started, or in `initializationOptions.environment`"
                        ))
                    })?
                }
            };
            environment.push((name.clone(), value));
        }
        Ok(CommandWork {
            run: run.id.clone(),
            token: token.to_owned(),
            program: program.clone(),
            args: args.clone(),
            environment,
            precheck: row.definition.policy.precheck.as_ref().map(precheck_work),
            stdin: stdin.clone(),
            directory: run.directory.clone().into(),
            output: self.sidecar.output_path(&run.id),
            output_limit: parts.limits.output_bytes,
        })
    }
}

fn precheck_work(precheck: &Precheck) -> PrecheckWork {
    let Precheck { program, args, timeout_ms } = precheck;
    let timeout = Duration::from_millis(u64::try_from(*timeout_ms).unwrap_or(0));
    PrecheckWork { program: program.clone(), args: args.clone(), timeout }
}

/// What the engine is told; nothing if nothing was ever started on purpose.
fn work_end(ended: Ended) -> Option<WorkEnd> {
    let size = |output: exec::OutputSize| {
        if let Some(error) = output.write_error {
            tracing::warn!("some output of a run was lost: {error}");
        }
        OutputSize { bytes: output.bytes, truncated: output.truncated }
    };
    Some(match ended {
        Ended::Withdrawn => return None,
        Ended::StartFailed(failure) => WorkEnd::NotStarted(failure),
        Ended::PrecheckOnly { end, swept, tail, output } => {
            let (exit, why) = match end {
                PrecheckEnd::Exited(exit) => (Some(exit), NotReached::ByExit),
                PrecheckEnd::TimedOut(exit) => (Some(exit), NotReached::TimedOut),
                PrecheckEnd::CommandNotStarted(failure) => (None, NotReached::NotStarted(failure)),
            };
            let process = process_end(exit, swept, tail);
            WorkEnd::PrecheckOnly { why, process, output: size(output) }
        }
        Ended::Exited { exit, swept, tail, output } => {
            WorkEnd::Exited { process: process_end(Some(exit), swept, tail), output: size(output) }
        }
        Ended::GuardLost { message, swept, tail, output } => {
            WorkEnd::GuardLost { message, process: process_end(None, swept, tail), output: size(output) }
        }
    })
}

fn process_end(exit: Option<Exit>, swept: u32, tail: String) -> ProcessEnd {
    let (exit_code, signal) = match exit {
        Some(Exit::Code(code)) => (Some(code), None),
        Some(Exit::Signal(signal)) => (None, Some(signal)),
        None => (None, None),
    };
    ProcessEnd { exit_code, signal, tail, swept }
}
