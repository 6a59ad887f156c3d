//! Carries out the run of a command: from a guard that is ready, over the fence, to the report of its end.

use tokio::sync::mpsc;

use super::Sidecar;
use super::carried::{Carried, Release};
use super::ground::Ground;
use super::guarded::{Guarded, Passage, REPORTS, Slot, precheck_work, work_end};
use crate::domain::automation::{Command, Task};
use crate::domain::id::RunId;
use crate::domain::run::{Run, StartFailure};
use crate::engine::Context;
use crate::engine::report::{self, WorkEnd};
use crate::exec::{self, CommandWork, Report};
use crate::failpoint::Failpoint;
use crate::ledger::{Guard, Order, RunRow, Tx};

/// Begins to carry out a run that was given to this instance.
pub(super) fn start(sidecar: &Sidecar, order: &Order, done: mpsc::Sender<(RunId, Release)>) -> Carried {
    let slot = Slot::empty();
    let carrier = Carrier { guarded: Guarded::new(sidecar, order, slot.clone()) };
    Carried::by(slot, order, carrier.carry(), done)
}

/// Ends a run that began here and that nobody here carries out: what is left of it is ended, and it has crashed.
pub(super) fn clean_up(sidecar: &Sidecar, order: &Order, done: mpsc::Sender<(RunId, Release)>) -> Carried {
    let slot = Slot::empty();
    let guarded = Guarded::new(sidecar, order, slot.clone());
    Carried::by(slot, order, guarded.clean_up(), done)
}

struct Carrier {
    guarded: Guarded,
}

impl Carrier {
    async fn carry(self) -> Release {
        let id = self.guarded.run.clone();
        let row = match self.guarded.sidecar.parts.ledger.read(move |view| Ok(view.run(&id)?)).await {
            Ok(Some(row)) => row,
            Ok(None) => return Release::Done,
            Err(refusal) => {
                tracing::error!(%refusal, run = %self.guarded.run, "a run could not be read; trying again");
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
                return self.guarded.report_end(WorkEnd::NotStarted(failure)).await;
            }
        };
        let (reports, inbox) = mpsc::channel(REPORTS);
        self.guarded.slot.fill(exec::prepare(&self.guarded.sidecar.parts.guard, work, reports));
        self.follow(inbox, token, &row.run).await
    }

    async fn follow(&self, mut inbox: mpsc::Receiver<(RunId, Report)>, token: String, run: &Run) -> Release {
        let mut passage = Passage::NotAsked;
        let mut ground = Ground::Untouched;
        loop {
            let report = tokio::select! {
                report = inbox.recv() => report,
                readiness = ground.prepared() => {
                    self.guarded.slot.set_out(readiness);
                    continue;
                }
            };
            let Some((_, report)) = report else { break };
            match report {
                Report::Ready(process) => {
                    passage = self.guarded.pass(Guard { process, token: token.clone() }).await;
                    match (passage, &run.worktree) {
                        (Passage::Open, None) => self.guarded.slot.go(),
                        (Passage::Open, Some(_)) => ground = Ground::prepare(&self.guarded.sidecar, run),
                        (Passage::NotAsked | Passage::Closed | Passage::Unknown, _) => {}
                    }
                }
                Report::Started => {
                    self.guarded
                        .persist(Failpoint::BeforeStartReport, |run| {
                            move |tx: &Tx<'_>, context: &mut Context<'_>| report::started(tx, context, &run)
                        })
                        .await;
                }
                Report::Ended(ended) => {
                    let end = match work_end(ended) {
                        Some(WorkEnd::Exited { process, output, changes: _ }) => {
                            let changes = match process.exit_code {
                                Some(0) => ground.changes(&self.guarded.slot).await,
                                Some(_) | None => None,
                            };
                            WorkEnd::Exited { process, output, changes }
                        }
                        Some(end) => end,
                        None => {
                            let why = "it was stopped before its command was started; run it again";
                            match passage.without_work(ground, why) {
                                Ok(end) => end,
                                Err(release) => return release,
                            }
                        }
                    };
                    return self.guarded.report_end(end).await;
                }
            }
        }
        let why = "its supervisor ended without a report; run it again";
        self.guarded.report_end(WorkEnd::NotStarted(StartFailure::transient(why))).await
    }

    /// What the guard is told, or why there is nothing to tell it.
    fn work(&self, row: &RunRow, command: &Command, token: &str) -> Result<CommandWork, StartFailure> {
        let parts = &self.guarded.sidecar.parts;
        let Command { program, args, env, stdin } = command;
        let run = &row.run;
        let mut environment = self.guarded.sidecar.environment_of(run);
        environment.extend(self.guarded.sidecar.resolve(env, "task.env")?);
        Ok(CommandWork {
            run: run.id.clone(),
            token: token.to_owned(),
            program: program.clone(),
            args: args.clone(),
            environment,
            precheck: row.definition.policy.precheck.as_ref().map(precheck_work),
            stdin: stdin.clone(),
            directory: run.directory.clone().into(),
            output: self.guarded.sidecar.output_path(&run.id),
            output_limit: parts.limits.output_bytes,
        })
    }
}
