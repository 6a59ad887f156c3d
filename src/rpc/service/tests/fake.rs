//! A project that does what a test tells it, and a client that speaks with the conversation over pipes.

use std::io::{Write, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::domain::draft::{CreateParams, ScheduleDraft, Surroundings};
use crate::domain::event::Tombstone;
use crate::domain::explanation::Explanation;
use crate::domain::id::{AutomationId, InstanceId, LedgerId, ProviderId, RunId, SubscriptionId};
use crate::domain::later::{AnyAutomation, AnyRun};
use crate::domain::lifecycle::{CloseResult, LifecycleStatus};
use crate::domain::preview::Preview;
use crate::domain::provider::{Offer, Provider, Refreshed};
use crate::domain::refusal::Refusal;
use crate::domain::request::{
    CloseParams, DeleteRequest, ExplainRequest, HoldParams, ListAutomations, ListRuns, OutputRequest,
    ReportRequest, RespondRequest, RestRequest, RunRequest, UpdateRequest,
};
use crate::domain::run::Run;
use crate::domain::scheduler::Limits;
use crate::domain::shown::ShownAutomation;
use crate::domain::simulation::{SimulateRequest, Simulation};
use crate::domain::status::{Health, SchedulerStatus};
use crate::domain::time::Timestamp;
use crate::rpc::backend::{
    Answer, Backend, Deleted, Feed, Follow, FollowOutput, Host, OutputFeed, OutputPart, Page, Place,
};
use crate::rpc::caller::{Caller, Permit};
use crate::rpc::initialize::{
    Capabilities, InitializeParams, InitializeResult, PROTOCOL_VERSION, Project, SchedulerRole, ServerInfo,
    TimeZoneData,
};
use crate::rpc::service::serve;
use crate::rpc::session::Farewell;
use crate::rpc::transport::{Conversation, read_from, write_to};

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// What tests and the fake project share.
#[derive(Clone)]
pub(super) struct Script {
    /// Told by everything that comes to a gate.
    arrived: mpsc::Sender<&'static str>,
    /// Lets one of those that have come to a gate through.
    gate: Arc<Semaphore>,
    pub(super) committed: Arc<AtomicUsize>,
    pub(super) open_feeds: Arc<AtomicUsize>,
}

impl Script {
    async fn gate(&self, name: &'static str) {
        self.arrived.send(name).await.unwrap();
        self.gate.acquire().await.unwrap().forget();
    }
}

/// What it is asked for names what it does: `panics`, `waits`, or nothing special.
pub(super) struct Fake {
    script: Script,
    ledger: LedgerId,
    limits: Limits,
}

fn not_here<T>() -> Answer<T> {
    Err(Refusal::InvalidRequest("no test asks for this".to_owned()))
}

impl Host for Script {
    type Backend = Fake;

    async fn initialize(&self, params: InitializeParams) -> Answer<(InitializeResult, Fake)> {
        let ledger = LedgerId::from_text("ledger");
        let result = InitializeResult {
            protocol_version: PROTOCOL_VERSION,
            server_info: ServerInfo { name: "fake", version: "0" },
            capabilities: Capabilities { methods: Vec::new(), tasks: Vec::new(), features: Vec::new() },
            instance_id: InstanceId::from_text("ins"),
            ledger_id: ledger.clone(),
            project: Project { id: String::new(), directory: String::new(), vcs: None },
            state_directory: String::new(),
            scheduler: SchedulerRole { owner: false },
            seq: 0,
            time_zone_data: TimeZoneData { version: String::new(), source: String::new() },
            warnings: Vec::new(),
        };
        Ok((result, Fake { script: self.clone(), ledger, limits: params.limits }))
    }
}

impl Backend for Fake {
    type Feed = Silence;
    type OutputFeed = Silence;
    type Hold = Silence;
    type Work = Silence;

    fn ledger_id(&self) -> &LedgerId {
        &self.ledger
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings { machine_zone: "UTC", limits: &self.limits, now: Timestamp::from_millis(0), vcs: None }
    }

    async fn create(&self, _params: CreateParams, _by: Caller) -> Answer<ShownAutomation> {
        not_here()
    }

    async fn automation(&self, _id: AutomationId, _inside: Option<RunId>) -> Answer<AnyAutomation> {
        not_here()
    }

    async fn automations(
        &self,
        wanted: ListAutomations,
        _inside: Option<RunId>,
    ) -> Answer<Page<AnyAutomation>> {
        match wanted.query.as_deref() {
            Some("waits") => self.script.gate("a look").await,
            Some("panics") => panic!("a secret of the look"),
            Some(_) | None => {}
        }
        Ok(Page { items: Vec::new(), next: None, seq: 0 })
    }

    async fn update(&self, _request: UpdateRequest, _by: Caller) -> Answer<ShownAutomation> {
        not_here()
    }

    async fn pause(&self, _request: RestRequest, _by: Caller) -> Answer<ShownAutomation> {
        not_here()
    }

    async fn resume(&self, _request: RestRequest, _by: Caller) -> Answer<ShownAutomation> {
        not_here()
    }

    /// Like the real one it hands the change over to somebody who goes on, whoever still waits for it, and then
    /// may wait for runs.
    async fn delete(&self, request: DeleteRequest, by: Caller) -> Answer<Deleted> {
        let (script, id) = (self.script.clone(), request.automation.clone());
        let change = tokio::spawn(async move {
            if id.as_str() == "waits for the writer" {
                script.gate("the writer").await;
            }
            if !by.permit.begin() {
                return Err(Refusal::Cancelled);
            }
            if id.as_str() == "waits for its runs" {
                by.permit.rest()?;
            }
            script.committed.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        change.await.unwrap()?;
        if request.automation.as_str() == "waits for its runs" {
            self.script.gate("its runs").await;
        }
        Ok(Deleted { tombstone: Tombstone { id: request.automation, revision: 2 }, stopped_runs: Vec::new() })
    }

    async fn run(&self, _request: RunRequest, _by: Caller) -> Answer<Run> {
        not_here()
    }

    async fn explain(&self, _request: ExplainRequest) -> Answer<Explanation> {
        not_here()
    }

    async fn simulate(&self, _request: SimulateRequest) -> Answer<Simulation> {
        not_here()
    }

    fn preview(&self, _draft: ScheduleDraft) -> Answer<Preview> {
        not_here()
    }

    async fn scheduler_status(&self) -> SchedulerStatus {
        SchedulerStatus {
            owner: None,
            is_owner: false,
            next_fire_at: None,
            instances: Vec::new(),
            suspended: Vec::new(),
            health: Health::Ok,
            reasons: Vec::new(),
        }
    }

    async fn run_by_id(&self, _id: RunId) -> Answer<AnyRun> {
        not_here()
    }

    async fn runs(&self, _wanted: ListRuns) -> Answer<Page<AnyRun>> {
        not_here()
    }

    async fn cancel(&self, _id: RunId, _by: Caller) -> Answer<Run> {
        not_here()
    }

    async fn output(&self, _wanted: OutputRequest) -> Answer<OutputPart> {
        not_here()
    }

    async fn respond(&self, _request: RespondRequest, _by: Caller) -> Answer<Run> {
        not_here()
    }

    async fn report(&self, _request: ReportRequest, _by: Caller) -> Answer<()> {
        not_here()
    }

    async fn providers(&self) -> Answer<Vec<Provider>> {
        not_here()
    }

    async fn refresh(&self, _only: Option<ProviderId>, _by: Caller) -> Answer<Refreshed> {
        not_here()
    }

    async fn serve(&self, _offer: Offer, _subscription: SubscriptionId, by: Caller) -> Answer<Silence> {
        if !by.permit.begin() {
            return Err(Refusal::Cancelled);
        }
        self.script.open_feeds.fetch_add(1, Ordering::SeqCst);
        Ok(Silence(self.script.open_feeds.clone()))
    }

    async fn unserve(&self, _subscription: SubscriptionId) -> Answer<()> {
        self.script.gate("an unserve").await;
        Ok(())
    }

    async fn place(&self) -> Answer<Place> {
        Ok(Place(0))
    }

    async fn follow(&self, wanted: Follow) -> Answer<Silence> {
        match wanted.automation.as_ref().map(AutomationId::as_str) {
            Some("waits") => self.script.gate("a subscription").await,
            Some("panics") => panic!("a secret of the subscription"),
            Some(_) | None => {}
        }
        self.script.open_feeds.fetch_add(1, Ordering::SeqCst);
        Ok(Silence(self.script.open_feeds.clone()))
    }

    async fn follow_output(&self, _wanted: FollowOutput) -> Answer<Silence> {
        not_here()
    }

    async fn orphaned(&self) {
        std::future::pending().await
    }

    async fn close(&self, _request: CloseParams, _by: Caller) -> Answer<CloseResult> {
        not_here()
    }

    async fn lifecycle_status(&self) -> Answer<LifecycleStatus> {
        not_here()
    }

    async fn hold(&self, _id: SubscriptionId, _request: HoldParams, _by: Caller) -> Answer<Silence> {
        not_here()
    }

    async fn release(&self, _id: SubscriptionId, _permit: Permit) -> Answer<()> {
        not_here()
    }

    async fn close_for_good(&self) -> Answer<CloseResult> {
        not_here()
    }

    async fn closed(&self) {
        std::future::pending().await
    }

    fn give_up_simulations(&self) {}

    fn client_has_gone(&self) {}

    async fn shutdown(&self) {}
}

/// Events that never come.
pub(super) struct Silence(Arc<AtomicUsize>);

impl Feed for Silence {
    async fn next(&mut self) -> Option<Box<RawValue>> {
        std::future::pending().await
    }
}

impl OutputFeed for Silence {
    async fn next(&mut self, _offset: u64, _known: u64) -> Option<OutputPart> {
        std::future::pending().await
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A conversation with a client.
pub(super) struct Talk {
    pub(super) script: Script,
    pub(super) conversation: Arc<Conversation>,
    arrivals: mpsc::Receiver<&'static str>,
    /// What is said goes through a thread, because a pipe that is full makes its writer wait.
    input: SyncSender<String>,
    written: thread::JoinHandle<()>,
    heard: mpsc::Receiver<String>,
    served: JoinHandle<Farewell>,
    _signal: oneshot::Sender<()>,
}

/// Where the conversation's messages go, line by line.
struct Ears(mpsc::Sender<String>, Vec<u8>);

impl Write for Ears {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1.extend_from_slice(bytes);
        while let Some(end) = self.1.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.1.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            self.0.blocking_send(line).map_err(|_| std::io::ErrorKind::BrokenPipe)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Talk {
    /// A client that hears at most so many messages before it has looked at them, with a project that is open.
    pub(super) async fn open(unheard: usize) -> Talk {
        let (arrived, arrivals) = mpsc::channel(1 << 13);
        let script = Script {
            arrived,
            gate: Arc::new(Semaphore::new(0)),
            committed: Arc::default(),
            open_feeds: Arc::default(),
        };
        let conversation = Conversation::new(1 << 24);
        let (stdin, mut pipe) = pipe().unwrap();
        let (input, said) = sync_channel::<String>(1 << 14);
        let write = move || {
            for message in said {
                // A conversation that has ended hears nothing more.
                let _ = writeln!(pipe, "{message}");
            }
        };
        let written = thread::Builder::new().name("client".to_owned()).spawn(write).unwrap();
        let (ears, heard) = mpsc::channel(unheard);
        let inbox = read_from(stdin, conversation.clone()).unwrap();
        let (output, _written) = write_to(Ears(ears, Vec::new()), conversation.clone()).unwrap();
        let (signal, stop) = oneshot::channel::<()>();
        let stop = async move { drop(stop.await) };
        let served = tokio::spawn(serve(script.clone(), conversation.clone(), inbox, output, stop));
        let mut talk =
            Talk { script, conversation, arrivals, input, written, heard, served, _signal: signal };
        talk.asks(0, "initialize", "{}");
        let opened: Value = serde_json::from_str(&talk.hears().await).unwrap();
        assert!(opened["result"].is_object(), "{opened}");
        talk
    }

    pub(super) fn says(&mut self, message: &str) {
        self.input.send(message.to_owned()).unwrap();
    }

    pub(super) fn asks(&mut self, id: usize, method: &str, params: &str) {
        self.says(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
    }

    pub(super) fn cancels(&mut self, id: &str) {
        self.says(&format!(r#"{{"jsonrpc":"2.0","method":"$/cancelRequest","params":{{"id":{id}}}}}"#));
    }

    pub(super) async fn hears(&mut self) -> String {
        timeout(DEADLINE, self.heard.recv()).await.unwrap().unwrap()
    }

    /// The next answer, as `id code` or `id result`.
    pub(super) async fn hears_shortly(&mut self) -> String {
        let heard = self.hears().await;
        let shortly = |answer: &Value| match answer["error"]["code"].as_i64() {
            Some(code) => format!("{} {code}", answer["id"]),
            None => format!("{} {}", answer["id"], answer["result"]),
        };
        let answer: Value = serde_json::from_str(&heard).unwrap();
        match answer.as_array() {
            Some(answers) => format!("[{}]", answers.iter().map(shortly).collect::<Vec<_>>().join(", ")),
            None => shortly(&answer),
        }
    }

    /// Waits until no subscription is open.
    pub(super) async fn feeds_have_ended(&self) {
        let ended = async {
            while self.script.open_feeds.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, ended).await.unwrap();
    }

    /// Waits until something has come to a gate.
    pub(super) async fn arrives(&mut self) -> &'static str {
        timeout(DEADLINE, self.arrivals.recv()).await.unwrap().unwrap()
    }

    /// How many have come to a gate and were not waited for.
    pub(super) fn arrived(&self) -> usize {
        self.arrivals.len()
    }

    /// Lets so many through.
    pub(super) fn lets_through(&self, count: usize) {
        self.script.gate.add_permits(count);
    }

    /// A question and its answer: what was said before has been taken in by then.
    pub(super) async fn is_understood(&mut self) {
        self.says("nonsense");
        assert_eq!(self.hears_shortly().await, "null -32700");
    }

    /// Closes the input when all that was said is in the pipe, and waits until the conversation has ended.
    pub(super) async fn hangs_up(self) -> Farewell {
        let Talk { input, written, conversation, served, heard: _heard, .. } = self;
        drop(input);
        // Looked at and not waited for: a test must not wait for a pipe that stays full.
        let all_written = async {
            while !written.is_finished() {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, all_written).await.unwrap();
        // As the system tells it.
        conversation.hang_up();
        timeout(DEADLINE, served).await.unwrap().unwrap()
    }
}
