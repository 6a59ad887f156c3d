//! Asks agents what they offer, as the rows say, and tells what they have said. Whoever waits for an answer waits here.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Sidecar;
use super::guarded::REPORTS;
use super::health::LastTold;
use super::main_loop::LOOK_AGAIN;
use super::secrets;
use crate::domain::configuration::{ProviderConfig, QUESTION_CALLS};
use crate::domain::id::{ProbeId, ProviderId, RunId};
use crate::domain::provider::{OfferedModel, Refreshed, nameable};
use crate::domain::refusal::Refusal;
use crate::domain::secrets::Secrets;
use crate::engine::probe::{self, Refreshing};
use crate::engine::providers;
use crate::exec::{self, AgentPipes, AgentWork, Ended, Exit, Handle, Report, acp};
use crate::ledger::ProbeRow;
use crate::rpc::backend::Answer;
use crate::rpc::caller::Caller;

/// How long an agent that has answered may take to forget the session that was made for it.
const LEAVES_SESSION: Duration = Duration::from_secs(4);

/// How long an agent that has answered may take to end by itself once its input is closed.
const LAST_ENDS: Duration = Duration::from_secs(1);

/// The most that is kept of what an agent writes to its standard error while it is asked.
const LOG_BYTES: u64 = 64 * 1024;

/// The most of that which stands in a sentence, in characters.
const LOG_TOLD: usize = 500;

/// How long an answer waits before it is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// The agents that this window asks.
#[derive(Default)]
pub(super) struct Probing {
    asked: Vec<Asked>,
}

/// A question that somebody asks, until it is let go of.
struct Asked {
    row: ProbeRow,
    task: JoinHandle<()>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Probing {
    /// Asks what the rows say, and nothing else any more.
    pub(super) fn follow(&mut self, sidecar: &Sidecar, wanted: Vec<ProbeRow>) {
        self.asked.retain(|asked| wanted.iter().any(|row| probe::is_the_same_giving(row, &asked.row)));
        for row in wanted {
            if self.asked.iter().all(|asked| !probe::is_the_same_giving(&row, &asked.row)) {
                let task = tokio::spawn(ask(sidecar.clone(), row.clone()));
                self.asked.push(Asked { row, task });
            }
        }
    }

    /// Asks nobody any more: the sidecar leaves.
    pub(super) fn give_up(&mut self) {
        self.asked.clear();
    }
}

/// Asks an agent, and writes down what it has said, however often that takes.
async fn ask(sidecar: Sidecar, row: ProbeRow) {
    let answer = sidecar.ask_agent(&row).await;
    let mut told = LastTold::default();
    loop {
        let (asked, answer) = (row.clone(), answer.clone());
        let written = sidecar.decide(move |tx, context| probe::ended(tx, context, &asked, answer)).await;
        match written {
            Ok(()) => return,
            Err(refusal) => {
                if told.is_news(&refusal) {
                    tracing::warn!(%refusal, provider = %row.provider, "what an agent offers could not be written down; trying again");
                }
                sleep(WRITE_AGAIN).await;
            }
        }
    }
}

/// The hold on an agent's guard. An agent that nobody wants to hear any more ends with it.
struct Held(Handle);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.stop_now();
    }
}

/// The files of a question, which go when nobody asks it any more.
struct Files(PathBuf);

impl Drop for Files {
    fn drop(&mut self) {
        // There may be none, and what cannot be removed is in nobody's way.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What is there of questions. Blocks.
pub(super) fn files_of_questions(state: &Path) -> Vec<PathBuf> {
    let there = std::fs::read_dir(state.join("probes")).into_iter();
    there.flatten().flatten().map(|entry| entry.path()).collect()
}

impl Sidecar {
    /// What an agent offers, or a sentence about why it could not be asked.
    async fn ask_agent(&self, row: &ProbeRow) -> Result<Vec<OfferedModel>, String> {
        let Some(config) = self.parts.agents.of(&row.provider) else {
            return Err("no agent is configured for it in this window any more".to_owned());
        };
        let files = Files(self.probe_directory(row));
        let asked = self.converse(row, &config, files.0.clone()).await;
        // An error is a panic of the removal, which has been told.
        let _ = tokio::task::spawn_blocking(move || drop(files)).await;
        asked.map(|models| nameable(models, row.first.as_deref()))
    }

    fn probe_directory(&self, row: &ProbeRow) -> PathBuf {
        self.parts.state.join("probes").join(format!("{}-{}", row.id, row.given_number))
    }

    /// Removes what is left of questions that nobody asks any more: of windows that died, and of agents that were given up
    /// before their guard had begun to write. What cannot be removed is in nobody's way.
    ///
    /// What was there is listed before that: it belongs to a row that is there now, or to nobody.
    pub(super) async fn remove_files_of_questions(&self, there: Vec<PathBuf>) {
        if there.is_empty() {
            return;
        }
        let Ok(asked) = self.parts.ledger.read_now(|view| Ok(view.probes()?)).await else { return };
        let in_use: Vec<PathBuf> = asked.iter().map(|row| self.probe_directory(row)).collect();
        let left = there.into_iter().filter(|path| !in_use.contains(path)).map(Files).collect::<Vec<_>>();
        let _ = tokio::task::spawn_blocking(move || drop(left)).await;
    }

    async fn converse(
        &self,
        row: &ProbeRow,
        config: &ProviderConfig,
        directory: PathBuf,
    ) -> Result<Vec<OfferedModel>, String> {
        let (reports, inbox) = mpsc::channel(REPORTS);
        let (work, secrets) = self.probe_work(row, config, directory)?;
        let (handle, pipes) = exec::prepare_agent(&self.parts.guard, work, reports).map_err(|error| {
            format!("it could not be started: {error}; close some programs and ask it again")
        })?;
        let limit = Duration::from_millis(u64::try_from(config.start_ms).unwrap_or(0));
        let talk = Talk {
            project: self.parts.project.clone(),
            first: row.first.clone(),
            limit,
            secrets: secrets.clone(),
        };
        let (said, ended) = talk.carry_through(Held(handle), pipes, inbox).await;
        let ended = ended.map(|ended| secrets::without(&secrets, ended));
        said.map_err(|why| sentence(why, ended, config.start_ms))
    }

    /// What the guard is told, and what nobody is told of that which the agent says.
    fn probe_work(
        &self,
        row: &ProbeRow,
        config: &ProviderConfig,
        directory: PathBuf,
    ) -> Result<(AgentWork, Secrets), String> {
        let (program, args) = config.command.split_first().ok_or("its configuration names no program")?;
        let field = format!("providers.{}.env", row.provider);
        let added = self.resolve(&config.env, &field).map_err(|failure| failure.message)?;
        let secrets = self.secrets_of(&added, args);
        let own = [("SEXTON_PROJECT".to_owned(), self.parts.project.clone())];
        let work = AgentWork {
            run: RunId::from_text(row.id.as_str()),
            token: uuid::Uuid::new_v4().simple().to_string(),
            program: program.clone(),
            args: args.to_vec(),
            environment: own.into_iter().chain(self.parts.environment.clone()).chain(added).collect(),
            precheck: None,
            directory: PathBuf::from(&self.parts.project),
            log: directory.join("agent.log"),
            log_limit: LOG_BYTES,
            precheck_output: directory.join("precheck.out"),
        };
        Ok((work, secrets))
    }

    /// `provider/refresh`: has agents asked what they offer, and waits for those that are asked now.
    pub(super) async fn have_asked(&self, only: Option<ProviderId>, by: Caller) -> Answer<Refreshed> {
        let permit = by.permit.clone();
        let refresh = self.change(by, move |tx, context| {
            let refreshing = probe::refresh(tx, context, only.as_ref())?;
            if !refreshing.asked.is_empty() {
                permit.rest()?;
            }
            Ok(refreshing)
        });
        let Refreshing { asked, waiting_for } = refresh.await?;
        if !waiting_for.is_empty() {
            return Ok(Refreshed::Deferred(waiting_for));
        }
        for question in asked {
            self.answer_to(question).await?;
        }
        Ok(Refreshed::Done(self.parts.ledger.read_now(providers::providers).await?))
    }

    /// Waits until a question is answered, or nobody will answer it.
    pub(super) async fn answer_to(&self, question: ProbeId) -> Answer<()> {
        let mut commits = self.parts.ledger.commits();
        let mut left = self.parts.left.subscribe();
        loop {
            commits.mark_unchanged();
            let id = question.clone();
            if !self.parts.ledger.read_now(move |view| Ok(view.is_asked(&id)?)).await? {
                return Ok(());
            }
            // Whoever asks has a deadline, and whoever looks at the ledger sees that it is kept.
            tokio::select! {
                changed = commits.changed() => changed.map_err(|_| leaving())?,
                _ = left.wait_for(|left| *left) => return Err(leaving()),
                () = sleep(LOOK_AGAIN) => {}
            }
        }
    }
}

fn leaving() -> Refusal {
    let why = "the sidecar was shut down before the agent had said what it offers; nothing was changed";
    Refusal::InvalidRequest(why.to_owned())
}

/// What an agent is asked, and for how long.
struct Talk {
    project: String,
    first: Option<String>,
    limit: Duration,
    secrets: Secrets,
}

/// Why an agent has not said what it offers.
enum Unsaid {
    /// It took too long.
    TimedOut,
    /// As whoever talked to it says.
    Failed(String),
}

impl Talk {
    /// Asks, and waits until nothing is left of the agent: what it has said, and how it ended if that is known.
    async fn carry_through(
        self,
        held: Held,
        pipes: AgentPipes,
        mut inbox: mpsc::Receiver<(RunId, Report)>,
    ) -> (Result<Vec<OfferedModel>, Unsaid>, Option<Ended>) {
        // Each call has a limit of its own, as in a run.
        let AgentPipes { stdin, stdout } = pipes;
        let asking = acp::ask(stdout, stdin, &self.project, self.first.as_deref(), self.limit, self.secrets);
        let longest = self.limit * u32::from(QUESTION_CALLS) + LEAVES_SESSION;
        let mut talk = pin!(timeout(longest, asking));
        let mut said = None;
        let mut kill_at = Instant::now() + longest + LAST_ENDS;
        let ended = loop {
            tokio::select! {
                answer = &mut talk, if said.is_none() => {
                    said = Some(answer);
                    kill_at = Instant::now() + LAST_ENDS;
                }
                report = inbox.recv() => match report {
                    Some((_, Report::Ready(_))) => held.0.go(),
                    Some((_, Report::Started)) => {}
                    Some((_, Report::Ended(ended))) => break Some(ended),
                    None => break None,
                },
                () = sleep_until(kill_at) => {
                    held.0.stop_now();
                    kill_at += self.limit + LAST_ENDS;
                }
            }
        };
        // It has gone, so that this does not take long.
        let said = match said {
            Some(said) => said,
            None => talk.await,
        };
        let said = match said {
            Ok(Ok(models)) => Ok(models),
            Ok(Err(failure)) => Err(Unsaid::Failed(failure.message)),
            Err(_) => Err(Unsaid::TimedOut),
        };
        (said, ended)
    }
}

/// Why an agent has not said what it offers, and what is known beside that.
fn sentence(why: Unsaid, ended: Option<Ended>, start_ms: i64) -> String {
    let why = match why {
        Unsaid::TimedOut => format!(
            "it has not said what it offers, though each call may take {start_ms} ms; see whether it starts in a terminal, or raise its `startMs`"
        ),
        Unsaid::Failed(message) => message,
    };
    match ended {
        // It never spoke, so that whoever listened knows nothing.
        Some(Ended::StartFailed(failure)) => failure.message,
        Some(Ended::Exited { exit, tail, .. }) => match exit {
            Exit::Code(0) | Exit::Signal(_) => with_log(why, &tail),
            Exit::Code(code) => with_log(format!("{why}; it exited with code {code}"), &tail),
        },
        Some(Ended::GuardLost { message, tail, .. }) => with_log(format!("{why}; {message}"), &tail),
        Some(Ended::Withdrawn | Ended::PrecheckOnly { .. }) | None => why,
    }
}

fn with_log(why: String, tail: &str) -> String {
    let tail = tail.trim();
    let skipped = tail.chars().count().saturating_sub(LOG_TOLD);
    match tail.chars().skip(skipped).collect::<String>() {
        log if log.is_empty() => why,
        log => format!("{why}; it wrote: {log}"),
    }
}
