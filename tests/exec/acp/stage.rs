//! One prompt for a scripted agent, and all that is reported of it. When the turn has ended, nothing may be left.

use std::time::Duration;

use serde_json::Value;
use sexton::domain::policy::Permissions;
use sexton::domain::provider::{Choice, OfferedModel};
use sexton::domain::run::{Continuity, Need};
use sexton::domain::secrets::Secrets;
use sexton::exec::acp::{self, Answer, AskFailure, SessionChoice, Turn, Verdict, Wishes};
use sexton::exec::{self, AgentPipes, AgentWork, Ended, Handle};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::found::scripted_agent;
use crate::support::{Place, carriers, guard, in_time, work_in};

/// How long a client waits for an agent whose stdin is closed before it has it killed.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long a call may take that the agent does not answer: long enough for any that it does.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(10);

pub(super) struct Stage {
    pub(super) place: Place,
    script: Value,
    played: u32,
}

impl Stage {
    pub(super) fn new(script: Value) -> Stage {
        Stage { place: Place::new(), script, played: 0 }
    }

    pub(super) fn turn(&self, prompt: &str) -> Turn {
        Turn {
            directory: self.place.path().to_str().expect("a path").to_owned(),
            session: SessionChoice::New,
            tools: None,
            model: "small".to_owned(),
            variant: None,
            prompt: prompt.to_owned(),
            prompt_if_new: None,
            permissions: Permissions::Ask,
            call_limit: CALL_LIMIT,
            output: self.place.file("output.log"),
            output_limit: 1024 * 1024,
            spent_before: None,
            secrets: Secrets::default(),
        }
    }

    /// The messages that the agents of this stage received, oldest first.
    pub(super) fn received(&self) -> Vec<Value> {
        let lines = self.place.lines("received.log");
        lines.iter().map(|line| serde_json::from_str(line).expect("a message")).collect()
    }

    /// The methods that they were called with.
    pub(super) fn methods(&self) -> Vec<String> {
        let received = self.received();
        received.iter().filter_map(|message| message["method"].as_str().map(str::to_owned)).collect()
    }

    /// Starts the agent.
    async fn start(&mut self) -> (Guarded, AgentPipes) {
        self.played += 1;
        let text = |path: std::path::PathBuf| path.to_str().expect("a path").to_owned();
        let command = work_in(self.place.path(), self.played, &text(scripted_agent()), &[]);
        let environment = [
            ("SCRIPTED_AGENT", self.script.to_string()),
            ("SCRIPTED_AGENT_LOG", text(self.place.file("received.log"))),
            ("SCRIPTED_AGENT_SESSIONS", text(self.place.file("sessions"))),
        ];
        let work = AgentWork {
            run: command.run,
            token: command.token.clone(),
            program: command.program,
            args: command.args,
            environment: environment.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            precheck: None,
            directory: command.directory,
            log: command.output.with_file_name("agent.log"),
            log_limit: command.output_limit,
            precheck_output: command.output.with_file_name("precheck.out"),
        };
        let (sender, mut reports) = mpsc::channel(1);
        let (handle, pipes) = exec::prepare_agent(&guard(), work, sender).expect("pipes");
        handle.go();
        for expected in ["Ready", "Started"] {
            let report = in_time(expected, reports.recv()).await.expect("a report").1;
            assert!(format!("{report:?}").starts_with(expected), "{report:?}");
        }
        (Guarded { handle, reports, token: command.token }, pipes)
    }

    /// Begins a turn.
    pub(super) async fn begin(&mut self, turn: Turn) -> Play {
        let (guarded, AgentPipes { stdin, stdout }) = self.start().await;
        let (wishes, wished) = watch::channel(Wishes::default());
        let (sender, reports) = mpsc::channel(1);
        let verdict = tokio::spawn(acp::drive(stdout, stdin, turn, wished, sender));
        Play { guarded, verdict, reports, wishes, answers: 0, told: Told::default() }
    }

    /// Carries a turn out of which nothing is wished.
    pub(super) async fn carry_out(&mut self, turn: Turn) -> Played {
        self.begin(turn).await.until_its_end().await
    }

    /// Asks what the agent offers.
    pub(super) async fn ask(&mut self, first: Option<&str>) -> Result<Vec<OfferedModel>, AskFailure> {
        let (guarded, AgentPipes { stdin, stdout }) = self.start().await;
        let directory = self.place.path().to_str().expect("a path").to_owned();
        let told =
            in_time("an offer", acp::ask(stdout, stdin, &directory, first, CALL_LIMIT, Secrets::default()))
                .await;
        guarded.end().await;
        told
    }
}

/// An agent's process, and what guards it.
struct Guarded {
    handle: Handle,
    reports: mpsc::Receiver<(sexton::domain::id::RunId, exec::Report)>,
    token: String,
}

impl Guarded {
    /// Waits for the agent, whose stdin is closed, as long as agreed.
    async fn end(mut self) -> (Ended, Farewell) {
        let (report, farewell) = match timeout(FAREWELL, self.reports.recv()).await {
            Ok(report) => (report, Farewell::ByItself),
            Err(_) => {
                self.handle.stop_now();
                (in_time("the end of a killed agent", self.reports.recv()).await, Farewell::Killed)
            }
        };
        let exec::Report::Ended(ended) = report.expect("a report").1 else { panic!("instead of an end") };
        assert_eq!(carriers(&self.token), Vec::<u32>::new(), "processes are left");
        (ended, farewell)
    }
}

/// How an agent went whose stdin was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    ByItself,
    Killed,
}

/// What was reported of a turn.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) started: Option<(String, Continuity)>,
    pub(super) steps: Vec<String>,
    pub(super) costs: Vec<f64>,
    pub(super) needs: Vec<Need>,
    pub(super) withdrawn: usize,
    pub(super) handed_over: Vec<i64>,
}

/// A turn that is carried out.
pub(super) struct Play {
    guarded: Guarded,
    verdict: tokio::task::JoinHandle<Verdict>,
    reports: mpsc::Receiver<acp::Report>,
    wishes: watch::Sender<Wishes>,
    answers: i64,
    told: Told,
}

/// A turn that is over.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) verdict: Verdict,
    pub(super) told: Told,
    pub(super) ended: Ended,
    pub(super) farewell: Farewell,
}

impl Play {
    /// Takes the next report; none when there are no more.
    async fn next(&mut self) -> Option<()> {
        let report = in_time("a report or the end of them", self.reports.recv()).await?;
        match report {
            acp::Report::Started { session_id, continuity, written } => {
                self.told.started = Some((session_id, continuity));
                written.send(()).expect("it is waited for");
            }
            acp::Report::Step { title } => self.told.steps.push(title),
            acp::Report::Cost(money) => self.told.costs.push(money.amount),
            acp::Report::Blocked(need) => self.told.needs.push(need),
            acp::Report::Unblocked => self.told.withdrawn += 1,
            acp::Report::HandedOver { answer } => self.told.handed_over.push(answer),
        }
        Some(())
    }

    /// Goes on until this many things were asked for.
    pub(super) async fn needs(&mut self, count: usize) -> Need {
        while self.told.needs.len() < count {
            self.next().await.expect("it asks");
        }
        self.told.needs[count - 1].clone()
    }

    /// Goes on until the work has started.
    pub(super) async fn started(&mut self) {
        while self.told.started.is_none() {
            self.next().await.expect("it starts");
        }
    }

    /// Goes on until there has been a step.
    pub(super) async fn stepped(&mut self) {
        while self.told.steps.is_empty() {
            self.next().await.expect("a step");
        }
    }

    pub(super) fn answer(&mut self, need: &Need, choice: Choice) {
        self.answers += 1;
        let answer = Answer { number: self.answers, asked: need.asked(), choice };
        self.wishes.send_modify(|wishes| wishes.answers.push(answer));
    }

    pub(super) fn choose(&mut self, need: &Need, option: &str) {
        self.answer(need, Choice::Option { option_id: option.to_owned() });
    }

    pub(super) fn end(&mut self) {
        self.wishes.send_modify(|wishes| wishes.end = true);
    }

    pub(super) async fn until_its_end(mut self) -> Played {
        while self.next().await.is_some() {}
        let verdict = in_time("a verdict", self.verdict).await.expect("no panic");
        let (ended, farewell) = self.guarded.end().await;
        Played { verdict, told: self.told, ended, farewell }
    }
}
