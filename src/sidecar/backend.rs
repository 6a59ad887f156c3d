//! The methods, carried out: what a client asks for becomes a decision or a look.

use std::time::Duration;

use tokio::join;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::Sidecar;
use super::feed::LedgerFeed;
use super::holding::HeldDirectory;
use super::main_loop::LOOK_AGAIN;
use super::output::{self, SpoolFeed};
use super::serving::Serving;
use crate::domain::automation::Automation;
use crate::domain::draft::{Commitment, CreateParams, ScheduleDraft, Surroundings};
use crate::domain::event::Tombstone;
use crate::domain::explanation::Explanation;
use crate::domain::id::{AutomationId, LedgerId, ProbeId, ProviderId, RunId, SubscriptionId};
use crate::domain::later::{AnyAutomation, AnyRun};
use crate::domain::lifecycle::{CloseResult, LifecycleStatus};
use crate::domain::preview::{self, Preview};
use crate::domain::provider::{Offer, Provider, Refreshed};
use crate::domain::refusal::{Refusal, invalid_param};
use crate::domain::request::{
    CloseParams, DeleteRequest, ExplainRequest, HoldParams, ListAutomations, ListRuns, OutputRequest,
    ReportRequest, RespondRequest, RestRequest, RunRequest, UpdateRequest,
};
use crate::domain::run::Run;
use crate::domain::schedule::zone::Zone;
use crate::domain::scheduler::Limits;
use crate::domain::shown::{ShownAutomation, Voice};
use crate::domain::simulation::{SimulateRequest, Simulation};
use crate::domain::status::SchedulerStatus;
use crate::domain::time::Timestamp;
use crate::engine::Context;
use crate::engine::delete::Deletion;
use crate::engine::inside::{self, Deed};
use crate::engine::{blocker, cancel, create, delete, derive, pause, providers, trigger, update};
use crate::exec::spool;
use crate::ledger::{Stored, StoredRun, Tx, View};
use crate::rpc::backend::{Answer, Backend, Deleted, Follow, FollowOutput, OutputPart, Page, Place};
use crate::rpc::caller::{Caller, Permit};

impl Backend for Sidecar {
    type Feed = LedgerFeed;
    type OutputFeed = SpoolFeed;
    type Hold = HeldDirectory;
    type Work = Serving;

    fn ledger_id(&self) -> &LedgerId {
        self.parts.ledger.id()
    }

    fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            machine_zone: Zone::machine_name(),
            limits: &self.parts.limits,
            now: self.parts.clock.now(),
            vcs: self.parts.vcs,
        }
    }

    async fn create(&self, params: CreateParams, by: Caller) -> Answer<ShownAutomation> {
        let deed = match params.commitment {
            Commitment::Real => Deed::Change,
            Commitment::DryRun => Deed::Look,
        };
        let draft = params.clone();
        let ask = move |tx: &Tx<'_>, context: &mut Context<'_>| create::ask_first(tx, context, &draft);
        self.show_after_asking(by, deed, ask, |tx, context| create::create(tx, context, params)).await
    }

    async fn automation(&self, id: AutomationId, inside_run: Option<RunId>) -> Answer<AnyAutomation> {
        let voice = self.voice(inside_run.as_ref());
        let read = self.parts.ledger.read(move |view| match view.stored_automation(&id)? {
            Some(stored) => derive::any_automation(view, stored, voice),
            None => Err(Refusal::NotFound { what: "automation", id: id.to_string() }),
        });
        read.await
    }

    async fn automations(
        &self,
        mut wanted: ListAutomations,
        inside_run: Option<RunId>,
    ) -> Answer<Page<AnyAutomation>> {
        let voice = self.voice(inside_run.as_ref());
        let limit = wanted.limit;
        // One more than wanted tells whether there is a next page.
        wanted.limit += 1;
        let read = self.parts.ledger.read(move |view| {
            let rows = view.list_automations(&wanted)?;
            let next = (rows.len() > limit).then(|| rows[limit - 1].row());
            let items = rows.into_iter().take(limit);
            let items = items.map(|stored| derive::any_automation(view, stored, voice));
            Ok(Page { items: items.collect::<Answer<_>>()?, next, seq: view.newest_seq()? })
        });
        read.await
    }

    async fn update(&self, request: UpdateRequest, by: Caller) -> Answer<ShownAutomation> {
        let (zone, wanted) = (Zone::machine_name(), request.clone());
        let ask = move |tx: &Tx<'_>, context: &mut Context<'_>| update::ask_first(tx, context, &wanted, zone);
        let edit = move |tx: &Tx<'_>, context: &mut Context<'_>| update::update(tx, context, &request, zone);
        self.show_after_asking(by, Deed::Change, ask, edit).await
    }

    async fn pause(&self, request: RestRequest, by: Caller) -> Answer<ShownAutomation> {
        let deed = Deed::Pause(request.automation.clone());
        self.show(by, deed, |tx, context| pause::pause(tx, context, request)).await
    }

    async fn resume(&self, request: RestRequest, by: Caller) -> Answer<ShownAutomation> {
        self.show(by, Deed::Change, |tx, context| pause::resume(tx, context, request)).await
    }

    async fn delete(&self, request: DeleteRequest, by: Caller) -> Answer<Deleted> {
        let mut commits = self.parts.ledger.commits();
        let mut left = self.parts.left.subscribe();
        let id = request.automation.clone();
        let permit = by.permit.clone();
        let decision = move |tx: &Tx<'_>, context: &mut Context<'_>| {
            let deletion = delete::delete(tx, context, &request)?;
            if matches!(deletion, Deletion::Pending { .. }) {
                permit.rest()?;
            }
            Ok(deletion)
        };
        let deletion = self.change(by, decision).await?;
        let (tombstone, runs) = match deletion {
            Deletion::Done { tombstone, runs } => (tombstone, runs),
            Deletion::Pending { runs, until } => loop {
                match self.fate(&id, &runs, until).await? {
                    Some(tombstone) => break (tombstone, runs),
                    None => tokio::select! {
                        changed = commits.changed() => changed.map_err(|_| leaving())?,
                        _ = left.wait_for(|left| *left) => return Err(leaving()),
                        () = sleep(self.patience(until)) => {}
                    },
                }
            },
        };
        let read = self.parts.ledger.read(move |view| {
            let ended = runs.iter().map(|run| Ok(view.run(run)?.map(|row| row.run)));
            ended.filter_map(Result::transpose).collect::<Answer<Vec<Run>>>()
        });
        Ok(Deleted { tombstone, stopped_runs: read.await? })
    }

    async fn run(&self, request: RunRequest, by: Caller) -> Answer<Run> {
        self.change(by, |tx, context| trigger::trigger(tx, context, request)).await
    }

    fn preview(&self, draft: ScheduleDraft) -> Answer<Preview> {
        preview::preview(&draft, self.parts.clock.now()).map_err(invalid_param)
    }

    async fn explain(&self, request: ExplainRequest) -> Answer<Explanation> {
        self.explain_with_what_is_to_come(request).await
    }

    async fn simulate(&self, request: SimulateRequest) -> Answer<Simulation> {
        self.foretell(request).await
    }

    async fn run_by_id(&self, id: RunId) -> Answer<AnyRun> {
        Ok(any_run(self.stored_run(id).await?))
    }

    async fn runs(&self, mut wanted: ListRuns) -> Answer<Page<AnyRun>> {
        let limit = wanted.limit;
        wanted.limit += 1;
        let read = self.parts.ledger.read(move |view| {
            if let Some(automation) = &wanted.automation
                && view.automation_fate(automation)?.is_none()
            {
                return Err(Refusal::NotFound { what: "automation", id: automation.to_string() });
            }
            let rows = view.list_runs(&wanted)?;
            let next = (rows.len() > limit).then(|| rows[limit - 1].row());
            let items = rows.into_iter().take(limit).map(any_run).collect();
            Ok(Page { items, next, seq: view.newest_seq()? })
        });
        read.await
    }

    async fn cancel(&self, id: RunId, by: Caller) -> Answer<Run> {
        self.change(by, move |tx, context| cancel::cancel(tx, context, &id)).await
    }

    async fn output(&self, wanted: OutputRequest) -> Answer<OutputPart> {
        let OutputRequest { run, offset, limit } = wanted;
        let path = self.output_path(&run);
        let ended = match self.stored_run(run).await? {
            Stored::Known(row) => !row.run.state().is_active(),
            Stored::Later(later) => later.run.completed_at.is_some(),
        };
        let read = tokio::task::spawn_blocking(move || spool::read(&path, offset, limit)).await;
        let read = read.map_err(|error| Refusal::Internal(error.to_string()))?;
        let chunk = read.map_err(|error| output::unreadable(&error))?;
        let end = ended && chunk.next_offset >= chunk.size;
        Ok(OutputPart { offset, data: chunk.data, end })
    }

    async fn respond(&self, request: RespondRequest, by: Caller) -> Answer<Run> {
        let RespondRequest { run, asked, choice } = request;
        self.change(by, move |tx, context| blocker::respond(tx, context, &run, asked, choice)).await
    }

    async fn report(&self, request: ReportRequest, by: Caller) -> Answer<()> {
        self.take_report(request, by).await
    }

    async fn providers(&self) -> Answer<Vec<Provider>> {
        self.parts.ledger.read(providers::providers).await
    }

    async fn refresh(&self, only: Option<ProviderId>, by: Caller) -> Answer<Refreshed> {
        self.have_asked(only, by).await
    }

    async fn serve(&self, offer: Offer, subscription: SubscriptionId, by: Caller) -> Answer<Serving> {
        self.open_serving(offer, subscription, by).await
    }

    async fn unserve(&self, subscription: SubscriptionId) -> Answer<()> {
        self.close_serving(subscription).await
    }

    async fn scheduler_status(&self) -> SchedulerStatus {
        self.status().await
    }

    async fn place(&self) -> Answer<Place> {
        let look = |view: &View<'_>| Ok(view.newest_seq()?);
        let ledger = &self.parts.ledger;
        // The writer takes its jobs in the order in which they were asked for, so a job that changes nothing finds the
        // place between its neighbours. It may come to it late, because another window writes, and what that commits
        // from now on comes after the place as well.
        let (seen, between) = match ledger.is_behind() {
            // Every later look waits for the changes before this, so it may wait for this too.
            true => (None, ledger.write_for_client(move |tx| look(tx)).await),
            false => {
                let (seen, between) = join!(ledger.read_now(look), ledger.write(move |tx| look(tx)));
                (Some(seen?), between)
            }
        };
        let newest = match (seen, between) {
            (Some(seen), Ok(between)) => seen.min(between),
            (None, Ok(between)) => between,
            // A ledger that cannot be written can still be read, and then there are no neighbours.
            (Some(seen), Err(Refusal::Storage { .. })) => seen,
            (None, Err(Refusal::Storage { .. })) => ledger.read(look).await?,
            (_, Err(refusal)) => return Err(refusal),
        };
        Ok(Place(newest))
    }

    async fn follow(&self, wanted: Follow) -> Answer<LedgerFeed> {
        let voice = self.voice(wanted.inside_run.as_ref());
        LedgerFeed::begin(self.parts.ledger.clone(), wanted, voice, self.parts.clock)
    }

    async fn follow_output(&self, wanted: FollowOutput) -> Answer<SpoolFeed> {
        SpoolFeed::begin(self, wanted).await
    }

    async fn orphaned(&self) {
        match &self.parts.parent {
            Some(parent) => parent.ended().await,
            None => std::future::pending().await,
        }
    }

    async fn close(&self, request: CloseParams, by: Caller) -> Answer<CloseResult> {
        self.begin_close(request, by).await
    }

    async fn lifecycle_status(&self) -> Answer<LifecycleStatus> {
        self.closes_and_holds().await
    }

    async fn hold(&self, id: SubscriptionId, request: HoldParams, by: Caller) -> Answer<HeldDirectory> {
        self.hold_directory(id, request, by).await
    }

    async fn release(&self, id: SubscriptionId, permit: Permit) -> Answer<()> {
        self.release_directory(id, permit).await
    }

    async fn close_for_good(&self) -> Answer<CloseResult> {
        self.begin_to_leave().await
    }

    async fn closed(&self) {
        // An error means that nobody is left who could tell.
        let _ = self.parts.left.subscribe().wait_for(|left| *left).await;
    }

    fn give_up_simulations(&self) {
        self.parts.simulations.give_up();
    }

    fn client_has_gone(&self) {
        self.parts.simulations.give_up();
        self.parts.servings.client_has_gone();
    }

    async fn shutdown(&self) {
        let (done, answer) = oneshot::channel();
        // An error means that the loop has ended already, which is what is wanted.
        if self.parts.leave.send(done).await.is_ok() {
            let _ = answer.await;
        }
    }
}

impl Sidecar {
    /// Has the engine decide about a change that a client asked for, if it still wants it and may.
    pub(super) async fn change<T, F>(&self, by: Caller, decision: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>, &mut Context<'_>) -> Answer<T> + Send + 'static,
    {
        self.carry_out(by, Deed::Change, decision).await
    }

    /// Has the engine decide about an automation, and shows it as whoever asked may see it; an agent may be asked before
    /// that.
    async fn show_after_asking<A, F>(
        &self,
        by: Caller,
        deed: Deed,
        ask: A,
        decision: F,
    ) -> Answer<ShownAutomation>
    where
        A: FnOnce(&Tx<'_>, &mut Context<'_>) -> Answer<Option<ProbeId>> + Send + 'static,
        F: FnOnce(&Tx<'_>, &mut Context<'_>) -> Answer<Automation> + Send + 'static,
    {
        let (inside_run, permit) = (by.inside_run.clone(), by.permit.clone());
        let inside_run = inside_run.or_else(|| self.parts.inside_run.clone());
        let its_deed = deed.clone();
        let decide = move |tx: &Tx<'_>, context: &mut Context<'_>| {
            context.voice = inside::admit(tx, inside_run.as_ref(), &its_deed)?;
            if let Some(question) = ask(tx, context)? {
                // It may be cancelled as long as it only waits: nothing is changed by that.
                permit.rest()?;
                return Ok(First::Asks(question, decision));
            }
            if !permit.begin() {
                return Err(Refusal::Cancelled);
            }
            Ok(First::Decided(Box::new(decision(tx, context)?.shown_to(context.voice))))
        };
        let parts = self.parts.clone();
        let first = self.parts.ledger.write_for_client(move |tx| parts.in_transaction(tx, decide)).await?;
        match first {
            First::Decided(shown) => Ok(*shown),
            First::Asks(question, decision) => {
                self.answer_to(question).await?;
                self.show(by, deed, decision).await
            }
        }
    }

    /// Has the engine decide about an automation, and shows it as whoever asked may see it.
    async fn show<F>(&self, by: Caller, deed: Deed, decision: F) -> Answer<ShownAutomation>
    where
        F: FnOnce(&Tx<'_>, &mut Context<'_>) -> Answer<Automation> + Send + 'static,
    {
        let decide =
            |tx: &Tx<'_>, context: &mut Context<'_>| Ok(decision(tx, context)?.shown_to(context.voice));
        self.carry_out(by, deed, decide).await
    }

    /// On whose behalf somebody looks. A look changes nothing, so the run that it names may be any, also one that
    /// the ledger no longer has: who names one is shown no more than a run.
    fn voice(&self, named: Option<&RunId>) -> Voice {
        match named.or(self.parts.inside_run.as_ref()) {
            Some(_) => Voice::Run,
            None => Voice::Person,
        }
    }

    /// Has the engine decide about something that a client asked for, if it still wants it and may do this. What
    /// a request says of the run that it comes out of goes before what the environment says of this process.
    async fn carry_out<T, F>(&self, by: Caller, deed: Deed, decision: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>, &mut Context<'_>) -> Answer<T> + Send + 'static,
    {
        let inside_run = by.inside_run.or_else(|| self.parts.inside_run.clone());
        let decide = move |tx: &Tx<'_>, context: &mut Context<'_>| {
            if !by.permit.begin() {
                return Err(Refusal::Cancelled);
            }
            context.voice = inside::admit(tx, inside_run.as_ref(), &deed)?;
            decision(tx, context)
        };
        let parts = self.parts.clone();
        self.parts.ledger.write_for_client(move |tx| parts.in_transaction(tx, decide)).await
    }

    async fn stored_run(&self, id: RunId) -> Answer<StoredRun> {
        let read = self.parts.ledger.read(move |view| {
            view.stored_run(&id)?.ok_or_else(|| Refusal::NotFound { what: "run", id: id.to_string() })
        });
        read.await
    }

    /// How long to wait for an instant before looking at the clock again: timers stand still while a machine sleeps.
    fn patience(&self, until: Timestamp) -> Duration {
        let left = until.since_ms(self.parts.clock.now());
        Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(LOOK_AGAIN)
    }

    /// What became of a wish to delete: gone, still pending, or given up. Somebody else's wish may go on when the
    /// time of this one is over.
    async fn fate(&self, id: &AutomationId, runs: &[RunId], until: Timestamp) -> Answer<Option<Tombstone>> {
        let (id, runs) = (id.clone(), runs.to_vec());
        let over = until <= self.parts.clock.now();
        let read = self.parts.ledger.read_now(move |view| {
            if let Some((_, revision, true)) = view.automation_fate(&id)? {
                return Ok(Some(Tombstone { id, revision }));
            }
            let given_up = over || view.automation(&id)?.is_none_or(|row| row.deleting.is_none());
            match runs.first() {
                Some(run) if given_up => Err(Refusal::ActiveRunStillRunning { run: run.clone() }),
                Some(_) | None => Ok(None),
            }
        });
        read.await
    }
}

/// What comes of a request at first.
enum First<F> {
    /// It is decided.
    Decided(Box<ShownAutomation>),
    /// This has to be answered before it can be decided like this.
    Asks(ProbeId, F),
}

fn any_run(stored: StoredRun) -> AnyRun {
    match stored {
        Stored::Known(row) => row.run.into(),
        Stored::Later(later) => AnyRun::Later(Box::new(later.run)),
    }
}

fn leaving() -> Refusal {
    Refusal::InvalidRequest(
        "the sidecar was shut down before the work had gone; look whether the automation is still there"
            .to_owned(),
    )
}
