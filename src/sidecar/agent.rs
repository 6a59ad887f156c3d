//! Carries out a prompt through an agent: a process under a guard, as a command, that is spoken to. From a guard that is
//! ready, over the fence, through the conversation, to the report of its end.

mod gone;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use gone::{Gone, Went, end_of};

use super::Sidecar;
use super::carried::{self, Carried, Release};
use super::ground::Ground;
use super::guarded::{Guarded, Passage, REPORTS, Slot, Told, precheck_work, work_end};
use super::secrets;
use crate::domain::automation::{Task, When};
use crate::domain::briefing::{self, Briefing, Repetition};
use crate::domain::configuration::{ProviderConfig, Tools};
use crate::domain::id::RunId;
use crate::domain::prompt::Prompt;
use crate::domain::provider;
use crate::domain::refusal::Refusal;
use crate::domain::run::{Run, StartFailure};
use crate::domain::schedule::zone::Zone;
use crate::domain::secrets::Secrets;
use crate::engine::agent::{self, Heard, Past, Session};
use crate::engine::report::WorkEnd;
use crate::engine::{Context, blocker};
use crate::exec::acp::{self, End, SessionChoice, ToolServer, Turn, Verdict, Wishes};
use crate::exec::{self, AgentPipes, AgentWork, Ended, Report, spool};
use crate::failpoint::Failpoint;
use crate::ledger::{Guard, Order, Ordered, RunRow, Tx};

/// Reports of one conversation on their way to the ledger; while there is no room the agent is not read.
const REPORTED: usize = 16;

/// How long an agent that is done may take to end when its input has been closed. A signal before that would leave its
/// own tools behind to be swept.
const LAST_BREATH: Duration = Duration::from_secs(4);

/// The same for one that was asked to stop, and has been given time for that: whoever waits for it has to be answered.
const STOPPED_BREATH: Duration = Duration::from_secs(2);

/// How much earlier than by the limit of the run's start a call that is not answered fails, in milliseconds.
const START_MARGIN_MS: i64 = 1500;

/// How long a call may take even if the run has hardly any time left to start.
const LEAST_CALL: Duration = Duration::from_millis(500);

/// How much is kept of what an agent and its precheck say on their standard error, in bytes.
const LOG_BYTES: u64 = 1024 * 1024;

/// How much is read of the end of what a precheck has written, in bytes: more than an agent is told of it, so that it is
/// seen that there was more.
const PRECHECK_READ: usize = 2 * briefing::TOLD_BYTES;

/// Begins to carry out a run that was given to this instance.
pub(super) fn start(sidecar: &Sidecar, order: &Order, done: mpsc::Sender<(RunId, Release)>) -> Carried {
    let (wishes, heard) = watch::channel(Wishes::default());
    let ear = Arc::new(Ear { slot: Slot::empty(), wishes });
    carried::Carrier::follow(&*ear, order);
    let carrier = Carrier { guarded: Guarded::new(sidecar, order, ear.slot.clone()), heard };
    Carried::by(ear, order, carrier.carry(), done)
}

/// What the loop says goes to the conversation, and to the guard where the agent is not to be asked.
struct Ear {
    slot: Arc<Slot>,
    wishes: watch::Sender<Wishes>,
}

impl carried::Carrier for Ear {
    fn follow(&self, order: &Order) {
        let answers = match &order.work {
            Ordered::Agent(agent) => &agent.answers[..],
            // What carries a run out never changes.
            Ordered::Guarded | Ordered::Served(_) => &[],
        };
        let answers = answers.iter().map(|pending| {
            let provider::Answer { asked, choice, .. } = pending.answer.clone();
            acp::Answer { number: pending.row, asked, choice }
        });
        let wanted = Wishes { end: order.stopping.is_some(), answers: answers.collect() };
        self.wishes.send_if_modified(|wishes| {
            let is_news = wishes.end != wanted.end || wishes.answers != wanted.answers;
            *wishes = wanted;
            is_news
        });
        if order.stopping == Some(true) {
            self.slot.tell(Told::StopNow);
        }
    }

    fn leave(&self) {
        self.slot.tell(Told::StopNow);
    }

    fn let_go(&self) {
        self.slot.tell(Told::StopNow);
    }
}

struct Carrier {
    guarded: Guarded,
    heard: watch::Receiver<Wishes>,
}

/// On what terms an agent is spoken with.
struct Terms {
    /// How long it may take for each answer before its work begins.
    call_limit: Duration,
    /// What nobody is told of that which it says.
    secrets: Secrets,
    /// What it is given beside its own tools.
    tools: Option<ToolServer>,
}

/// What became of a guard that was told to start the agent.
enum Begun<'a> {
    /// The agent is there, and this is the ground on which it works.
    Started(Ground<'a>),
    /// It is not, and all that follows from that has been written down.
    Over(Release),
}

impl Carrier {
    async fn carry(self) -> Release {
        let id = self.guarded.run.clone();
        let read = self.guarded.sidecar.parts.ledger.read(move |view| {
            let Some(row) = view.run(&id)? else { return Ok(None) };
            let Task::Prompt(prompt) = row.definition.task.clone() else { return Ok(None) };
            let past = agent::past(view, &row, &prompt)?;
            Ok(Some((row, prompt, past)))
        });
        let (row, prompt, past) = match read.await {
            Ok(Some((row, prompt, Some(past)))) => (row, prompt, past),
            // Its session is at work in another run, which ends some time.
            Ok(Some((_, _, None))) => return Release::TryAgain,
            Ok(None) => return Release::Done,
            Err(refusal) => {
                tracing::error!(%refusal, run = %self.guarded.run, "a run could not be read; trying again");
                return Release::TryAgain;
            }
        };
        let token = format!("{}", uuid::Uuid::new_v4().simple());
        let (work, terms) = match self.work(&row, &prompt, &token) {
            Ok(work) => work,
            Err(failure) => return self.guarded.report_end(WorkEnd::NotStarted(failure)).await,
        };
        let program = work.program.clone();
        let (reports, mut inbox) = mpsc::channel(REPORTS);
        let pipes = match exec::prepare_agent(&self.guarded.sidecar.parts.guard, work, reports) {
            Ok((handle, pipes)) => {
                self.guarded.slot.fill(handle);
                pipes
            }
            Err(error) => {
                let why = format!("the pipes to the agent could not be made: {error}; try again");
                return self.guarded.report_end(WorkEnd::NotStarted(StartFailure::transient(why))).await;
            }
        };
        let ground = match self.begin(&mut inbox, token, &row.run, &terms.secrets).await {
            Begun::Started(ground) => ground,
            Begun::Over(release) => return release,
        };
        let turn = self.turn(&row, &prompt, past, &terms).await;
        let verdict = self.converse(pipes, turn).await;
        match verdict.end {
            End::Finished { .. } => {
                let answered =
                    |run| move |tx: &Tx<'_>, context: &mut Context<'_>| agent::answered(tx, context, &run);
                self.guarded.persist(Failpoint::BeforeReport, answered).await;
            }
            End::Failed { .. } | End::Cancelled | End::Lost => {}
        }
        match self.until_ended(&mut inbox).await {
            Some((ended, went)) => {
                let ended = secrets::without(&terms.secrets, ended);
                let changes = match verdict.end {
                    End::Finished { .. } => ground.changes(&self.guarded.slot).await,
                    End::Failed { .. } | End::Cancelled | End::Lost => None,
                };
                let gone = Gone { ended, went, changes, access: row.definition.access, program: &program };
                self.guarded.report_end(end_of(verdict, gone)).await
            }
            None => {
                let why = "its supervisor ended without a report; run it again";
                self.guarded.report_end(WorkEnd::NotStarted(StartFailure::transient(why))).await
            }
        }
    }

    /// Waits until the guard has started the agent, which may take a precheck.
    async fn begin<'a>(
        &'a self,
        inbox: &mut mpsc::Receiver<(RunId, Report)>,
        token: String,
        run: &'a Run,
        secrets: &Secrets,
    ) -> Begun<'a> {
        let mut ground = Ground::Untouched;
        let mut passage = Passage::NotAsked;
        let mut heard = self.heard.clone();
        let mut asked_to_end = false;
        loop {
            let report = tokio::select! {
                report = inbox.recv() => report,
                readiness = ground.prepared() => {
                    self.guarded.slot.set_out(readiness);
                    continue;
                }
                _ = heard.wait_for(|wishes| wishes.end), if !asked_to_end => {
                    asked_to_end = true;
                    self.guarded.slot.tell(Told::Stop);
                    continue;
                }
            };
            let end = match report {
                Some((_, Report::Ready(process))) => {
                    passage = self.guarded.pass(Guard { process, token: token.clone() }).await;
                    match passage {
                        Passage::Open => ground = Ground::prepare(&self.guarded.sidecar, run),
                        Passage::NotAsked | Passage::Closed | Passage::Unknown => {}
                    }
                    continue;
                }
                Some((_, Report::Started)) => return Begun::Started(ground),
                Some((_, Report::Ended(ended))) => work_end(secrets::without(secrets, ended)),
                None => None,
            };
            let why = "it was stopped before its agent was started; run it again";
            return Begun::Over(match end.map_or_else(|| passage.without_work(ground, why), Ok) {
                Ok(end) => self.guarded.report_end(end).await,
                Err(release) => release,
            });
        }
    }

    /// What the guard is told, and on what terms the agent is spoken with.
    fn work(&self, row: &RunRow, prompt: &Prompt, token: &str) -> Result<(AgentWork, Terms), StartFailure> {
        let sidecar = &self.guarded.sidecar;
        let id = &prompt.model.provider;
        let Some(ProviderConfig { command, env, start_ms, tools }) = sidecar.parts.agents.of(id) else {
            return Err(StartFailure::config(format!(
                "`{id}` is not configured in this window any more; configure it, or choose another model"
            )));
        };
        let mut words = command.into_iter();
        let Some(program) = words.next() else {
            return Err(StartFailure::config(format!(
                "`providers.{id}.command` names no program; write one into the configuration"
            )));
        };
        let mut environment = sidecar.environment_of(&row.run);
        let own = sidecar.resolve(&env, &format!("providers.{id}.env"))?;
        let args: Vec<String> = words.collect();
        let secrets = sidecar.secrets_of(&own, &args);
        environment.extend(own);
        let work = AgentWork {
            run: row.run.id.clone(),
            token: token.to_owned(),
            program,
            args,
            environment,
            precheck: row.definition.policy.precheck.as_ref().map(precheck_work),
            directory: row.run.directory.clone().into(),
            log: self.file("agent.log"),
            log_limit: LOG_BYTES,
            precheck_output: self.file("precheck.out"),
        };
        let call_limit = Duration::from_millis(u64::try_from(start_ms).unwrap_or(0));
        let tools = match tools {
            Tools::Given => sidecar.tools_of(&row.run),
            Tools::Withheld => None,
        };
        Ok((work, Terms { call_limit, secrets, tools }))
    }

    /// A file that belongs to the run.
    fn file(&self, name: &str) -> PathBuf {
        self.guarded.sidecar.run_directory(&self.guarded.run).join(name)
    }

    async fn turn(&self, row: &RunRow, prompt: &Prompt, past: Past, terms: &Terms) -> Turn {
        let parts = &self.guarded.sidecar.parts;
        let (run, definition) = (&row.run, &row.definition);
        let precheck = match &definition.policy.precheck {
            Some(_) => {
                let path = self.file("precheck.out");
                // What cannot be read is left out: the precheck has said what decides by its exit code.
                spawn_blocking(move || said_by_precheck(&path)).await.ok().and_then(Result::ok)
            }
            None => None,
        };
        // An agent that does not answer is told of with its method and its log, before the run's own limit ends it.
        let now = parts.clock.now();
        let left_ms = row.deadline_at.map_or(i64::MAX, |at| at.since_ms(now) - START_MARGIN_MS);
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).max(LEAST_CALL);
        let zone = Zone::named(&definition.timezone).unwrap_or_else(|_| Zone::utc());
        let all = Briefing {
            prompt: &prompt.prompt,
            title: &run.automation_title,
            scheduled_at: run.scheduled_at,
            zone: &zone,
            now,
            attendance: run.attendance,
            context: row.context.as_deref(),
            precheck: precheck.as_deref(),
            previous: past.previous.as_ref().map(|previous| briefing::Previous {
                completed_at: previous.completed_at,
                ended: &previous.ended,
                text: &previous.text,
            }),
            repetition: match (&definition.when, &terms.tools) {
                (When::Recurring { .. }, Some(_)) => Repetition::EndsByTool,
                (When::Recurring { .. }, None) | (When::Oneshot { .. }, _) => Repetition::NotForIt,
            },
        };
        // Who goes on where the run before has ended remembers it; where that cannot be, it is told after all.
        let (prompt_text, prompt_if_new) = match past.session {
            Session::New | Session::Named(_) => (all.text(), None),
            Session::Last(_) => (Briefing { previous: None, ..all.clone() }.text(), Some(all.text())),
        };
        Turn {
            directory: run.directory.clone(),
            session: match past.session {
                Session::New => SessionChoice::New,
                Session::Last(id) => SessionChoice::Last(id),
                Session::Named(id) => SessionChoice::Named(id),
            },
            tools: terms.tools.clone(),
            model: prompt.model.model.clone(),
            variant: prompt.variant.clone(),
            prompt: prompt_text,
            prompt_if_new,
            permissions: definition.policy.permissions,
            call_limit: terms.call_limit.min(left),
            output: self.guarded.sidecar.output_path(&run.id),
            output_limit: parts.limits.output_bytes,
            spent_before: past.spent,
            secrets: terms.secrets.clone(),
        }
    }

    /// Has the agent do its work. What it reports is written down in its order, and nobody waits for that to hear of a
    /// stop.
    async fn converse(&self, pipes: AgentPipes, turn: Turn) -> Verdict {
        let (reports, mut reported) = mpsc::channel(REPORTED);
        let AgentPipes { stdin, stdout } = pipes;
        let conversation = tokio::spawn(acp::drive(stdout, stdin, turn, self.heard.clone(), reports));
        while let Some(report) = reported.recv().await {
            self.write_down(report).await;
        }
        match conversation.await {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::error!(%error, run = %self.guarded.run, "the conversation with an agent has failed");
                Verdict {
                    end: End::Lost,
                    output: exec::OutputSize::default(),
                    tail: String::new(),
                    files: BTreeSet::new(),
                }
            }
        }
    }

    async fn write_down(&self, report: acp::Report) {
        match report {
            acp::Report::Started { session_id, continuity, written } => {
                let started = provider::Report::Started { session_id, continuity: Some(continuity) };
                if self.tell(Failpoint::BeforeStartReport, started).await == Heard::InTime {
                    // An error means that the conversation is over already.
                    let _ = written.send(());
                }
            }
            acp::Report::Step { title } => {
                self.tell_more(provider::Report::Step { title: Some(title) }).await;
            }
            acp::Report::Cost(cost) => self.tell_more(provider::Report::Cost(cost)).await,
            acp::Report::Blocked(need) => self.tell_more(provider::Report::Blocked(need)).await,
            acp::Report::Unblocked => self.tell_more(provider::Report::Unblocked).await,
            acp::Report::HandedOver { answer } => {
                self.guarded
                    .persist(Failpoint::BeforeAnswerForgotten, |_| {
                        move |tx, _| blocker::handed_over(tx, answer)
                    })
                    .await;
            }
        }
    }

    async fn tell_more(&self, report: provider::Report) {
        self.tell(Failpoint::BeforeReport, report).await;
    }

    /// Tells what the agent does. If the run is not this instance's any more, its work is ended.
    async fn tell(&self, before: Failpoint, report: provider::Report) -> Heard {
        let (heard, mut hears) = watch::channel(Heard::TooLate);
        self.guarded
            .persist(before, |run| {
                let (report, heard) = (report.clone(), heard.clone());
                move |tx, context| {
                    match agent::report(tx, context, &run, report) {
                        Ok(became) => heard.send_replace(became),
                        Err(refusal @ Refusal::Storage { .. }) => return Err(refusal),
                        Err(refusal) => {
                            tracing::warn!(%refusal, %run, "what an agent does could not be taken in");
                            heard.send_replace(Heard::InTime)
                        }
                    };
                    Ok(())
                }
            })
            .await;
        let heard = *hears.borrow_and_update();
        if heard == Heard::TooLate {
            self.guarded.slot.tell(Told::StopNow);
        }
        heard
    }

    /// Waits until everything of the agent has gone. Its input is closed, which is how it is told that nothing more comes.
    async fn until_ended(&self, inbox: &mut mpsc::Receiver<(RunId, Report)>) -> Option<(Ended, Went)> {
        let mut heard = self.heard.clone();
        let began = Instant::now();
        let mut told = Told::Nothing;
        loop {
            let is_to_stop = heard.borrow_and_update().end;
            let (breath, last) = match is_to_stop {
                true => (STOPPED_BREATH, Told::StopNow),
                false => (LAST_BREATH, Told::Stop),
            };
            tokio::select! {
                report = inbox.recv() => match report? {
                    (_, Report::Ended(ended)) if told == Told::Nothing => return Some((ended, Went::ByItself)),
                    (_, Report::Ended(ended)) => return Some((ended, Went::WhenTold)),
                    (_, Report::Ready(_) | Report::Started) => {}
                },
                () = sleep_until(began + breath), if told < last => {
                    told = last;
                    self.guarded.slot.tell(last);
                }
                _ = heard.wait_for(|wishes| wishes.end), if !is_to_stop => {}
            }
        }
    }
}

/// The end of what a precheck has written to its standard output.
fn said_by_precheck(path: &Path) -> io::Result<String> {
    let kept = spool::read(path, 0, 0)?.size;
    let end = spool::read(path, kept.saturating_sub(PRECHECK_READ as u64), PRECHECK_READ)?;
    let mut said = String::from_utf8_lossy(&end.data).into_owned();
    if kept >= exec::PRECHECK_OUTPUT_BYTES {
        said.push_str(&format!(
            "\n(more than {kept} bytes were written; what came after those was not kept)"
        ));
    }
    Ok(said)
}
