//! What all work under a guard has in common: the hold on its guard, the fence, and reports that are written however
//! often that takes.
//!
//! A report is a fact, whether or not the disk is full: it is kept and written again until it is written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Sidecar;
use super::carried::{self, Release};
use super::ground::{Ground, Readiness};
use super::health::LastTold;
use super::peers::end_one;
use crate::domain::automation::EnvValue;
use crate::domain::id::RunId;
use crate::domain::policy::Precheck;
use crate::domain::refusal::Refusal;
use crate::domain::run::{Attendance, OutputSize, ProcessEnd, Run, StartFailure};
use crate::engine::Context;
use crate::engine::ending::Remains;
use crate::engine::report::{self, Fence, NotReached, WorkEnd};
use crate::exec::{self, Ended, Exit, Handle, PrecheckEnd, PrecheckWork};
use crate::failpoint::Failpoint;
use crate::ledger::{Begun, Guard, Order, ProcessRow, Tx};

/// How long a report waits before it is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// Reports of one guard on their way: it makes three in all.
pub(super) const REPORTS: usize = 4;

/// Where the handle of the guard is put when there is one, and what it is told.
pub(super) struct Slot {
    /// None until the guard is started.
    handle: Mutex<Option<Handle>>,
    told: watch::Sender<Told>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Told {
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
    pub(super) fn empty() -> Arc<Slot> {
        Arc::new(Slot { handle: Mutex::default(), told: watch::Sender::new(Told::Nothing) })
    }

    pub(super) fn tell(&self, what: Told) {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        self.told.send_modify(|told| *told = (*told).max(what));
        if let Some(handle) = &*handle {
            tell(handle, what);
        }
    }

    pub(super) fn fill(&self, handle: Handle) {
        let mut place = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        tell(&handle, *self.told.borrow());
        *place = Some(handle);
    }

    /// Has the work set out if there is ground for it.
    pub(super) fn set_out(&self, readiness: Readiness) {
        match readiness {
            Readiness::Ready => self.go(),
            Readiness::Missing => self.tell(Told::StopNow),
        }
    }

    pub(super) fn go(&self) {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = &*handle {
            handle.go();
        }
    }

    /// Waits until the work is to end.
    pub(super) async fn stop_is_wished(&self) {
        // The sender is ours, so that this ends with a wish only.
        let _ = self.told.subscribe().wait_for(|told| *told > Told::Nothing).await;
    }
}

fn tell(handle: &Handle, what: Told) {
    match what {
        Told::Nothing => {}
        Told::Stop => handle.stop(),
        Told::StopNow => handle.stop_now(),
    }
}

/// What has become of a guard that was ready at the fence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// It has not come there.
    NotAsked,
    /// The run has begun: its end is to be reported.
    Open,
    /// The run is not to begin here, and the guard was told so.
    Closed,
    /// It could not be written down, so the guard was told to go, and the rows say what is still to be done.
    Unknown,
}

impl Passage {
    /// What follows where a guard has ended and nothing was ever started. A stop can reach a guard before the go does, so
    /// that also a run that has begun ends like that: for what kept its ground from being there, or else for this.
    pub(super) fn without_work(self, ground: Ground<'_>, why: &str) -> Result<WorkEnd, Release> {
        match self {
            Passage::Open => {
                let failure = ground.why_not().unwrap_or_else(|| StartFailure::transient(why));
                Ok(WorkEnd::NotStarted(failure))
            }
            Passage::Unknown => Err(Release::TryAgain),
            Passage::NotAsked | Passage::Closed => Err(Release::Done),
        }
    }
}

/// A run that is carried out under a guard.
pub(super) struct Guarded {
    pub(super) sidecar: Sidecar,
    pub(super) run: RunId,
    given_number: i64,
    pub(super) slot: Arc<Slot>,
}

impl Guarded {
    pub(super) fn new(sidecar: &Sidecar, order: &Order, slot: Arc<Slot>) -> Guarded {
        Guarded { sidecar: sidecar.clone(), run: order.run.clone(), given_number: order.given_number, slot }
    }

    /// Brings a guard that is ready to the fence. One that may not pass it is ended.
    pub(super) async fn pass(&self, guard: Guard) -> Passage {
        match self.begin(guard).await {
            Ok(Fence::Go) => Passage::Open,
            Ok(Fence::Withdrawn) => {
                self.slot.tell(Told::StopNow);
                Passage::Closed
            }
            Err(refusal) => {
                tracing::error!(%refusal, run = %self.run, "a run could not begin; trying again");
                self.slot.tell(Told::StopNow);
                Passage::Unknown
            }
        }
    }

    /// The fence, for a guard that is ready.
    async fn begin(&self, guard: Guard) -> Result<Fence, Refusal> {
        self.sidecar.parts.failpoints.reach(Failpoint::BeforeFence)?;
        let process =
            ProcessRow { instance: self.sidecar.parts.me.instance.clone(), begun: Begun::Guard(guard) };
        let (id, given_number) = (self.run.clone(), self.given_number);
        let begin = move |tx: &Tx<'_>, context: &mut Context<'_>| {
            report::begin(tx, context, &id, given_number, &process)
        };
        self.sidecar.decide(begin).await
    }

    /// Ends what is left of work whose end could not be written down: it has crashed.
    pub(super) async fn clean_up(self) -> Release {
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

    /// Writes down how the work has ended.
    pub(super) async fn report_end(&self, end: WorkEnd) -> Release {
        let reported = self.persist(Failpoint::BeforeEndReport, |run| {
            let end = end.clone();
            move |tx: &Tx<'_>, context: &mut Context<'_>| report::ended(tx, context, &run, end)
        });
        reported.await
    }

    /// Writes a report down, however often that takes. One that is refused is left to be cleaned up after.
    pub(super) async fn persist<D>(&self, before: Failpoint, mut decision: impl FnMut(RunId) -> D) -> Release
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
}

pub(super) fn precheck_work(precheck: &Precheck) -> PrecheckWork {
    let Precheck { program, args, timeout_ms } = precheck;
    let timeout = Duration::from_millis(u64::try_from(*timeout_ms).unwrap_or(0));
    PrecheckWork { program: program.clone(), args: args.clone(), timeout }
}

/// What the engine is told; nothing if nothing was ever started on purpose.
pub(super) fn work_end(ended: Ended) -> Option<WorkEnd> {
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
        Ended::Exited { exit, swept, tail, output } => WorkEnd::Exited {
            process: process_end(Some(exit), swept, tail),
            output: size(output),
            changes: None,
        },
        Ended::GuardLost { message, swept, tail, output } => {
            WorkEnd::GuardLost { message, process: process_end(None, swept, tail), output: size(output) }
        }
    })
}

pub(super) fn process_end(exit: Option<Exit>, swept: u32, tail: String) -> ProcessEnd {
    let (exit_code, signal) = match exit {
        Some(Exit::Code(code)) => (Some(code), None),
        Some(Exit::Signal(signal)) => (None, Some(signal)),
        None => (None, None),
    };
    ProcessEnd { exit_code, signal, tail, swept }
}

impl Sidecar {
    /// What the work of a run finds in its environment, before what its task or its agent adds.
    pub(super) fn environment_of(&self, run: &Run) -> Vec<(String, String)> {
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
            ("SEXTON_PROJECT", &self.parts.project),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(self.parts.environment.clone()).collect()
    }

    /// The values of variables, some of which are taken from this window's environment.
    ///
    /// # Errors
    /// When one of those is not there. `field` is where the variables were written.
    pub(super) fn resolve(
        &self,
        variables: &BTreeMap<String, EnvValue>,
        field: &str,
    ) -> Result<Vec<(String, String)>, StartFailure> {
        let resolve = |(name, value): (&String, &EnvValue)| {
            let value = match value {
                EnvValue::Text(text) => text.clone(),
                EnvValue::From { from } => {
                    let found = self.parts.environment.get(from).or_else(|| self.parts.inherited.get(from));
                    found.cloned().ok_or_else(|| {
                        StartFailure::config(format!(
                            "`{field}.{name}` takes its value from {from}, which this window's environment does not have; set it where the window is started, or in `initializationOptions.environment`"
                        ))
                    })?
                }
            };
            Ok((name.clone(), value))
        };
        variables.iter().map(resolve).collect()
    }
}
