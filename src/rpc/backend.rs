//! What the methods need from the rest of the program. The sidecar implements it.

use std::future::Future;

use super::caller::{Caller, Permit};
use super::initialize::{InitializeParams, InitializeResult};
use crate::domain::draft::{CreateParams, ScheduleDraft, Surroundings};
use crate::domain::event::Tombstone;
use crate::domain::explanation::Explanation;
use crate::domain::id::{AutomationId, LedgerId, ProviderId, RunId, SubscriptionId};
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
use crate::domain::status::SchedulerStatus;

/// What an answer or a refusal comes as.
pub type Answer<T> = Result<T, Refusal>;

/// Makes sidecars: a process has none before `initialize` and at most one after it.
pub trait Host: Send + Sync + 'static {
    /// What it makes.
    type Backend: Backend;

    /// Opens the project's ledger and begins to work. After a refusal nothing is left behind.
    fn initialize(
        &self,
        params: InitializeParams,
    ) -> impl Future<Output = Answer<(InitializeResult, Self::Backend)>> + Send;
}

/// A project that is open.
pub trait Backend: Send + Sync + 'static {
    /// The ledger's identity.
    fn ledger_id(&self) -> &LedgerId;

    /// This window's limits.
    fn limits(&self) -> &Limits;

    /// What reading a draft depends on, now.
    fn surroundings(&self) -> Surroundings<'_>;

    /// `automation/create`.
    fn create(
        &self,
        params: CreateParams,
        by: Caller,
    ) -> impl Future<Output = Answer<ShownAutomation>> + Send;

    /// `automation/get`, for whoever asks from inside this run if from inside one.
    fn automation(
        &self,
        id: AutomationId,
        inside_run: Option<RunId>,
    ) -> impl Future<Output = Answer<AnyAutomation>> + Send;

    /// `automation/list`, for whoever asks from inside this run if from inside one.
    fn automations(
        &self,
        wanted: ListAutomations,
        inside_run: Option<RunId>,
    ) -> impl Future<Output = Answer<Page<AnyAutomation>>> + Send;

    /// `automation/update`.
    fn update(
        &self,
        request: UpdateRequest,
        by: Caller,
    ) -> impl Future<Output = Answer<ShownAutomation>> + Send;

    /// `automation/pause`.
    fn pause(&self, request: RestRequest, by: Caller)
    -> impl Future<Output = Answer<ShownAutomation>> + Send;

    /// `automation/resume`.
    fn resume(
        &self,
        request: RestRequest,
        by: Caller,
    ) -> impl Future<Output = Answer<ShownAutomation>> + Send;

    /// `automation/delete`; answers when the work of its runs has gone.
    fn delete(&self, request: DeleteRequest, by: Caller) -> impl Future<Output = Answer<Deleted>> + Send;

    /// `automation/run`.
    fn run(&self, request: RunRequest, by: Caller) -> impl Future<Output = Answer<Run>> + Send;

    /// `automation/preview`.
    fn preview(&self, draft: ScheduleDraft) -> Answer<Preview>;

    /// `automation/explain`.
    fn explain(&self, request: ExplainRequest) -> impl Future<Output = Answer<Explanation>> + Send;

    /// `automation/simulate`. Dropped before it has come to its end, it is given up.
    fn simulate(&self, request: SimulateRequest) -> impl Future<Output = Answer<Simulation>> + Send;

    /// `run/get`.
    fn run_by_id(&self, id: RunId) -> impl Future<Output = Answer<AnyRun>> + Send;

    /// `run/list`.
    fn runs(&self, wanted: ListRuns) -> impl Future<Output = Answer<Page<AnyRun>>> + Send;

    /// `run/cancel`.
    fn cancel(&self, id: RunId, by: Caller) -> impl Future<Output = Answer<Run>> + Send;

    /// `run/respond`.
    fn respond(&self, request: RespondRequest, by: Caller) -> impl Future<Output = Answer<Run>> + Send;

    /// `run/report`.
    fn report(&self, request: ReportRequest, by: Caller) -> impl Future<Output = Answer<()>> + Send;

    /// `run/output`.
    fn output(&self, wanted: OutputRequest) -> impl Future<Output = Answer<OutputPart>> + Send;

    /// `provider/list`, in the order of their ids.
    fn providers(&self) -> impl Future<Output = Answer<Vec<Provider>>> + Send;

    /// `provider/refresh`: asks this provider, or all, what they offer.
    fn refresh(&self, only: Option<ProviderId>, by: Caller)
    -> impl Future<Output = Answer<Refreshed>> + Send;

    /// `provider/serve`: from the answer on this window is given work, which it is told by what comes of this. When
    /// that is dropped, the subscription has ended.
    fn serve(
        &self,
        offer: Offer,
        subscription: SubscriptionId,
        by: Caller,
    ) -> impl Future<Output = Answer<Self::Work>> + Send;

    /// `provider/unserve`: from the answer on this window is given no more of this work. One that was never open, or
    /// has ended, is none of it.
    fn unserve(&self, subscription: SubscriptionId) -> impl Future<Output = Answer<()>> + Send;

    /// What the work of a window that serves comes from.
    type Work: Feed;

    /// `scheduler/status`: answers whatever is wrong.
    fn scheduler_status(&self) -> impl Future<Output = SchedulerStatus> + Send;

    /// The newest event when this is called, after everything that was asked for before and before everything
    /// that is asked for later.
    fn place(&self) -> impl Future<Output = Answer<Place>> + Send;

    /// `events/subscribe`: where the events begin.
    fn follow(&self, wanted: Follow) -> impl Future<Output = Answer<Self::Feed>> + Send;

    /// What events come from.
    type Feed: Feed;

    /// `output/subscribe`: where the output comes from.
    fn follow_output(&self, wanted: FollowOutput) -> impl Future<Output = Answer<Self::OutputFeed>> + Send;

    /// What the output of a run comes from.
    type OutputFeed: OutputFeed;

    /// `lifecycle/close`; answers when it has happened, or when it is known to wait.
    fn close(&self, request: CloseParams, by: Caller) -> impl Future<Output = Answer<CloseResult>> + Send;

    /// `lifecycle/status`.
    fn lifecycle_status(&self) -> impl Future<Output = Answer<LifecycleStatus>> + Send;

    /// `directory/hold`, as the subscription with this identity.
    fn hold(
        &self,
        id: SubscriptionId,
        request: HoldParams,
        by: Caller,
    ) -> impl Future<Output = Answer<Self::Hold>> + Send;

    /// A directory that is held. It is released when this goes.
    type Hold: Send + Sync + 'static;

    /// `directory/release`: what is asked for after this finds the directory free of this hold.
    fn release(&self, id: SubscriptionId, permit: Permit) -> impl Future<Output = Answer<()>> + Send;

    /// Waits until the process that this sidecar works for has gone; for ever if none is watched.
    fn orphaned(&self) -> impl Future<Output = ()> + Send;

    /// `shutdown` that waits for the runs of this window; answers when it has happened, or when it is known to wait.
    fn close_for_good(&self) -> impl Future<Output = Answer<CloseResult>> + Send;

    /// Waits until everything of this sidecar has ended.
    fn closed(&self) -> impl Future<Output = ()> + Send;

    /// A shutdown was asked for: simulations that are worked out are given up, and answered with that.
    fn give_up_simulations(&self);

    /// The client has gone without a shutdown: what it carries out itself nobody does any more. `shutdown` follows.
    fn client_has_gone(&self);

    /// `shutdown`: everything of this sidecar ends, and what could not be ended is left to be settled.
    fn shutdown(&self) -> impl Future<Output = ()> + Send;
}

/// Events or work, one after the other, for one subscriber.
pub trait Feed: Send + 'static {
    /// The next one as the contract writes it; waits until there is one. None when there will be none.
    fn next(&mut self) -> impl Future<Output = Option<Box<serde_json::value::RawValue>>> + Send;
}

/// The output of one run, for one subscriber who reads it at its own pace.
pub trait OutputFeed: Send + 'static {
    /// The output from `offset` on, as much of it as one part may hold. Waits until it is longer than `known`, or
    /// until nothing follows any more. None when nobody can tell any more.
    fn next(&mut self, offset: u64, known: u64) -> impl Future<Output = Option<OutputPart>> + Send;
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is in it, newest first.
    pub items: Vec<T>,
    /// The row before which the next page begins, if there is one.
    pub next: Option<i64>,
    /// The newest event that this page already knows of.
    pub seq: i64,
}

/// An automation that is gone.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// What is left of it.
    pub tombstone: Tombstone,
    /// The runs that were active, as they ended.
    pub stopped_runs: Vec<Run>,
}

/// A part of a run's output.
#[derive(Clone, Debug)]
pub struct OutputPart {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes.
    pub data: Vec<u8>,
    /// Whether the run has ended and this is the last of its output.
    pub end: bool,
}

/// A place in the order of events: the `seq` of the last one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub i64);

/// Which events are wanted.
#[derive(Clone, Debug)]
pub struct Follow {
    /// When it was asked for.
    pub asked_at: Place,
    /// Those after this place; none for those from now on.
    pub after: Option<i64>,
    /// The ledger that `after` is a place of.
    pub ledger: Option<String>,
    /// Only these kinds; all if empty.
    pub kinds: Vec<String>,
    /// Only those of this automation.
    pub automation: Option<AutomationId>,
    /// The run that the request comes out of, as the application that forwards it says.
    pub inside_run: Option<RunId>,
}

/// The output that is wanted as it is written.
#[derive(Clone, Debug)]
pub struct FollowOutput {
    /// Of which run.
    pub run: RunId,
    /// From this byte on.
    pub offset: u64,
}
