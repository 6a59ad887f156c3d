//! The loop: decide what is due, then make the world match the rows.
//!
//! It looks again after every commit, its own or another's, when something is due, and at the latest after
//! [`LOOK_AGAIN`], because timers stand still while a machine sleeps. What to do is read from the ledger each time;
//! the only thing the loop remembers is which work it has in hand.

mod closes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use closes::{NewRole, Then};

use super::Sidecar;
use super::bell::{Bell, Wait};
use super::carried::{Carried, Release};
use super::carry;
use super::health::Part;
use super::probing::Probing;
use super::pruning::{self, Round};
use super::upkeep::{self, Upkeep};
use super::vigil::Vigil;
use super::{agent, peers, served, sweep};
use crate::domain::id::{InstanceId, RunId, SubscriptionId};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::domain::time::Timestamp;
use crate::engine::Progress;
use crate::engine::close::{self, ReadyClose};
use crate::engine::ending::Remains;
use crate::engine::limits::SignOfLife;
use crate::engine::presence::{leave, prepare_to_leave};
use crate::engine::probe;
use crate::engine::standby;
use crate::engine::tick::{self, Duty};
use crate::exec::spool;
use crate::failpoint::Failpoint;
use crate::ledger::{Glimpse, Order, Ordered, ProbeRow};
use crate::presence::lock_file::HeldLock;

/// The longest time without looking at the clock and at what other windows have written.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The shortest time between two looks when the first one could not do what was due, and between two attempts
/// to begin a run: a disk that is full must not make the loop spin.
const BREATHER: Duration = Duration::from_secs(1);

/// How long work may take to end at a shutdown before its pipes are closed, which kills it.
const LAST_ENDS: Duration = Duration::from_millis(500);

/// How long each last write may take at a shutdown. There are three, and all is to be over within a second.
const LAST_WISHES: Duration = Duration::from_millis(130);

/// Around the first of them.
const HAND_OVER: [Failpoint; 2] = [Failpoint::BeforeHandOver, Failpoint::AfterHandOver];

/// Around the second.
const DEPARTURE: [Failpoint; 2] = [Failpoint::BeforeDeparture, Failpoint::AfterDeparture];

/// Carriers that say at once that they are done. Others wait; each says it once.
const DONE: usize = 64;

/// The locks that a sidecar holds from its beginning.
pub(super) struct Locks {
    pub(super) instance: HeldLock,
    /// Whoever holds it rings the bell.
    pub(super) owner: Option<HeldLock>,
}

pub(super) fn start(
    sidecar: Sidecar,
    locks: Locks,
    role: watch::Sender<Role>,
    asked_to_leave: mpsc::Receiver<oneshot::Sender<()>>,
) {
    let (done, carriers) = mpsc::channel(DONE);
    let main = MainLoop {
        instance: locks.instance,
        bell: Bell::new(locks.owner),
        succession: None,
        role,
        sidecar,
        carried: HashMap::new(),
        done,
        carriers,
        sweep: Arc::new(Notify::new()),
        pruning: None,
        round: Round::First,
        upkeep: Upkeep::default(),
        probing: Probing::default(),
        vigil: Vigil::new(),
        a_peer_ended: false,
        slow_look_at: Instant::from_std(now()) + LOOK_AGAIN,
    };
    tokio::spawn(main.run(asked_to_leave));
}

struct MainLoop {
    sidecar: Sidecar,
    instance: HeldLock,
    /// What this window does beside answering, now: whoever else wants to know reads what is sent here.
    role: watch::Sender<Role>,
    bell: Bell,
    /// A wait for the bell that is over and that nothing was made of yet.
    succession: Option<Wait>,
    carried: HashMap<RunId, Carried>,
    done: mpsc::Sender<(RunId, Release)>,
    carriers: mpsc::Receiver<(RunId, Release)>,
    /// Has what nobody else ends ended: what dead peers left running, and what is to stop and does not.
    sweep: Arc<Notify>,
    /// Keeps the history bounded.
    pruning: Option<JoinHandle<()>>,
    round: Round,
    upkeep: Upkeep,
    /// The agents that this window asks what they offer.
    probing: Probing,
    /// Waits for the ends of peers, if this window owns the bell.
    vigil: Vigil,
    /// Whether one has ended that may not be settled yet.
    a_peer_ended: bool,
    slow_look_at: Instant,
}

impl MainLoop {
    async fn run(mut self, mut asked_to_leave: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut commits = self.sidecar.parts.ledger.commits();
        tokio::spawn(sweep::sweep(self.sidecar.clone(), self.sweep.clone()));
        self.sweep.notify_one();
        // What fails here is known to the health, and tried again.
        let _ = self.bell.stand_in_line(&self.sidecar).await;
        let asked = loop {
            commits.mark_unchanged();
            let next = tokio::select! {
                // A look may wait for another process that writes; a window that closes does not. What the look
                // has handed to the writer by then is decided before this sidecar leaves, or not at all.
                asked = asked_to_leave.recv() => break asked,
                next = self.look_around() => next,
            };
            let (look_at, in_order) = match next {
                Next::LookAgain(at) => (at, true),
                Next::TryAgain(at) => (at, false),
                Next::Leave => break None,
            };
            tokio::select! {
                asked = asked_to_leave.recv() => break asked,
                Some((run, release)) = self.carriers.recv() => self.release(&run, release),
                // What could not be looked at is not looked at again for each commit of somebody else.
                changed = commits.changed(), if in_order => if changed.is_err() { return },
                wait = self.bell.end_of_a_wait() => self.succession = Some(wait),
                () = self.vigil.end_of_a_peer() => self.a_peer_ended = true,
                // The look finds out which.
                () = self.sidecar.parts.servings.end_of_one() => {}
                () = sleep_until(look_at) => {}
            }
        };
        self.leave().await;
        if let Some(answer) = asked {
            // Who asked may have gone; the work is done all the same.
            let _ = answer.send(());
        }
    }

    /// Looks at everything, and gives what is next.
    async fn look_around(&mut self) -> Next {
        if let Some(wait) = self.succession.take() {
            // The lock of a dead owner has been given up with it.
            self.a_peer_ended = true;
            if let Err(refusal) = self.bell.take_over(&self.sidecar, wait).await {
                tracing::warn!(%refusal, "the bell could not be taken over; it is tried again within seconds");
            }
        }
        let slow = self.slow_look_at <= Instant::from_std(now());
        if slow || self.a_peer_ended {
            self.a_peer_ended = false;
            self.look_at_peers().await;
        }
        if slow {
            self.vigil.begin_anew();
            // What fails here is known to the health, and tried again.
            let _ = self.bell.confirm(&self.sidecar).await;
            let _ = self.bell.stand_in_line(&self.sidecar).await;
            self.prune();
            self.upkeep.look_after(&self.sidecar, self.bell.is_ours());
            self.slow_look_at = Instant::from_std(now()) + LOOK_AGAIN;
        }
        match self.look().await {
            Ok(next) => {
                self.sidecar.parts.health.well(Part::Look);
                next
            }
            Err(refusal) => {
                self.sidecar.parts.health.failed(Part::Look, &refusal.to_string());
                Next::TryAgain(Instant::from_std(now()) + BREATHER)
            }
        }
    }

    /// Settles what dead peers left, so that nobody waits for what will never end.
    async fn look_at_peers(&mut self) {
        let health = &self.sidecar.parts.health;
        match peers::settle_the_dead(&self.sidecar).await {
            Ok(locked) => {
                health.well(Part::Peers);
                self.vigil.wait_again_for(&locked);
            }
            Err(refusal) => health.failed(Part::Peers, &refusal.to_string()),
        }
        self.sweep.notify_one();
    }

    /// Has the history pruned, if that is for this window to do. One such task goes on at a time.
    fn prune(&mut self) {
        let idle = self.pruning.as_ref().is_none_or(JoinHandle::is_finished);
        if self.bell.is_ours() && idle {
            self.pruning = Some(tokio::spawn(pruning::prune(self.sidecar.clone(), self.round)));
            self.round = Round::Later;
        }
    }

    /// Decides what is due, acts, and gives what is next.
    async fn look(&mut self) -> Result<Next, Refusal> {
        let mut due = self.read_due().await?;
        if self.take_role(due.role).await? == NewRole::Taken {
            due = self.read_due().await?;
        }
        let clock = self.sidecar.parts.clock;
        let (mut overdue, mut more) = (false, false);
        if due.at.is_some_and(|at| at <= clock.now()) {
            self.bell.confirm(&self.sidecar).await?;
            let duty = self.duty();
            let signs = self.look_at(std::mem::take(&mut due.silent));
            let ticked = self.sidecar.decide(move |tx, context| tick::tick(tx, context, duty, &signs));
            let progress = ticked.await?;
            more = progress == Progress::More;
            overdue = true;
        }
        let due = if overdue { self.read_due().await? } else { due };
        self.act(due.orders);
        self.probing.follow(&self.sidecar, due.probes);
        self.sidecar.end_servings(due.servings).await?;
        if due.stops_are_overdue {
            self.sweep.notify_one();
        }
        self.vigil.keep(&self.sidecar.parts.state, due.peers);
        self.sidecar.parts.ledger.looked_at(due.glimpse);
        let closed = !due.closes.is_empty();
        for close in due.closes {
            if self.close(close).await? == Then::Leave {
                return Ok(Next::Leave);
            }
        }
        if more || closed {
            return Ok(Next::LookAgain(Instant::from_std(now())));
        }
        let wait = due.at.map_or(LOOK_AGAIN, |at| {
            let left = at.since_ms(clock.now());
            let least = if overdue && left <= 0 { BREATHER } else { Duration::ZERO };
            Duration::from_millis(u64::try_from(left).unwrap_or(0)).clamp(least, LOOK_AGAIN)
        });
        let retry = self.carried.values().filter_map(Carried::retry_at).min();
        let look_at = Instant::from_std(now()) + wait;
        Ok(Next::LookAgain(retry.map_or(look_at, |retry| look_at.min(retry))))
    }

    /// Looks at what commands have written that seem to have been silent for too long: their guards write it down, and
    /// nobody else is told of it.
    fn look_at(&self, silent: Vec<RunId>) -> Vec<SignOfLife> {
        let look = |run| {
            let written = spool::last_write(&self.sidecar.output_path(&run));
            SignOfLife { run, written: written.map(|(at, bytes)| (Timestamp::from_millis(at), bytes)) }
        };
        silent.into_iter().map(look).collect()
    }

    async fn read_due(&self) -> Result<Due, Refusal> {
        let me = self.sidecar.parts.me.instance.clone();
        let shared = self.sidecar.parts.limits.shared;
        let (duty, role) = (self.duty(), self.sidecar.role());
        let (reading, boot) = (self.sidecar.parts.clock.read(), self.sidecar.parts.boot.clone());
        let read = self.sidecar.parts.ledger.read(move |view| {
            let at = tick::next_at(view, duty, &me, shared, &boot, reading)?;
            let peers = if duty == Duty::Owner { view.peers_of(&me)? } else { Vec::new() };
            let stops_are_overdue =
                duty != Duty::Observer && !standby::overdue_stops(view, &me, &boot, reading)?.is_empty();
            let servings = view.servings_of(&me)?.into_iter().map(|serving| serving.id).collect();
            let (orders, closes) = (view.orders(&me)?, close::ready(view, &me)?);
            // A row that is gone is another window's doing and changes nothing here.
            let role = view.role_of(&me)?.unwrap_or(role);
            let probes = probe::to_ask(view, &me)?;
            let (silent, glimpse) = (view.silent_commands(reading.wall)?, view.glimpse()?);
            Ok(Due { at, silent, orders, probes, servings, closes, role, peers, stops_are_overdue, glimpse })
        });
        read.await
    }

    /// What this window does for the whole project.
    fn duty(&self) -> Duty {
        match self.sidecar.role() {
            Role::Participant if self.bell.is_ours() => Duty::Owner,
            Role::Participant => Duty::Standby,
            Role::Observer => Duty::Observer,
        }
    }

    /// Makes the world match the rows: repeating an order is harmless.
    fn act(&mut self, orders: Vec<Order>) {
        let mut wanted: HashMap<RunId, Order> =
            orders.into_iter().map(|order| (order.run.clone(), order)).collect();
        for (run, carried) in &mut self.carried {
            match wanted.remove(run) {
                // It was ended without us, or given to somebody else.
                None => carried.let_go(),
                Some(order) if carried.may_try_again() => {
                    *carried = take_up(&self.sidecar, &order, &self.done);
                }
                Some(order) => carried.follow(&order),
            }
        }
        for (run, order) in wanted {
            self.carried.insert(run, take_up(&self.sidecar, &order, &self.done));
        }
        self.carried.retain(|_, carried| !carried.is_forgotten());
    }

    fn release(&mut self, run: &RunId, release: Release) {
        match release {
            Release::Done => drop(self.carried.remove(run)),
            Release::TryAgain => {
                if let Some(carried) = self.carried.get_mut(run) {
                    carried.wait_until(Instant::from_std(now()) + BREATHER);
                }
            }
        }
    }

    /// Gives up the bell, gives back what has not begun, ends the rest, and goes: within a second, also when
    /// another process keeps the ledger from being written. What is not written then is settled by whoever
    /// comes next.
    async fn leave(mut self) {
        if let Some(pruning) = self.pruning.take() {
            pruning.abort();
        }
        let why = self.sidecar.parts.servings.departure();
        let leaving =
            self.sidecar.decide_between(HAND_OVER, move |tx, context| prepare_to_leave(tx, context, why));
        let wished = timeout(LAST_WISHES, leaving).await;
        match wished {
            Ok(Ok(())) => {}
            // A slow disk is nothing that anybody has to act on.
            Err(_) => tracing::info!("leaving is not written down yet; whoever comes next settles it"),
            Ok(Err(refusal)) => {
                tracing::error!(%refusal, "leaving is not written down; whoever comes next settles it");
            }
        }
        let owned = self.bell.is_ours();
        // A wait that is over may hold the lock as well.
        self.succession = None;
        self.bell.give_up();
        self.carried.retain(|_, carried| carried.leave());
        self.probing.give_up();
        let all_ended = async {
            while !self.carried.is_empty()
                && let Some((run, _)) = self.carriers.recv().await
            {
                self.carried.remove(&run);
            }
        };
        if timeout(LAST_ENDS, all_ended).await.is_err() {
            tracing::warn!("some work did not end in time; closing its pipe kills it");
        }
        let departure = self.sidecar.decide_between(DEPARTURE, leave);
        let left = timeout(LAST_WISHES, departure).await;
        match left {
            Ok(Ok(Remains::Nothing)) => self.instance.remove(),
            // The row stays, and with it the file whose lock tells that nobody is behind it any more.
            Ok(Ok(Remains::Guard)) => self.instance.release(),
            // As above.
            Err(_) => tracing::info!("this instance's row is not removed yet; whoever comes next does it"),
            Ok(Err(refusal)) => {
                tracing::error!(%refusal, "this instance's row could not be removed; whoever comes next does it");
            }
        }
        let tidy_up = async {
            self.sidecar.parts.ledger.checkpoint().await;
            if owned {
                upkeep::mark_at_last(&self.sidecar).await;
            }
        };
        if timeout(LAST_WISHES, tidy_up).await.is_err() {
            tracing::info!("the ledger's log was not moved into its database, or the marker is behind");
        }
        self.sidecar.parts.left.send_replace(true);
    }
}

/// Begins to carry out a run that was given to this instance and that it does not have in hand.
fn take_up(sidecar: &Sidecar, order: &Order, done: &mpsc::Sender<(RunId, Release)>) -> Carried {
    let done = done.clone();
    match &order.work {
        Ordered::Served(served) => served::start(sidecar, order, served, done),
        // It began here, and who carried it out could not say how it ended.
        Ordered::Guarded | Ordered::Agent(_) if order.begun => carry::clean_up(sidecar, order, done),
        Ordered::Agent(_) => agent::start(sidecar, order, done),
        Ordered::Guarded => carry::start(sidecar, order, done),
    }
}

/// What the loop does next.
#[derive(Clone, Copy)]
enum Next {
    /// It looks again then, or when something was committed.
    LookAgain(Instant),
    /// It could not look; it tries again then.
    TryAgain(Instant),
    /// It ends: this window has been closed.
    Leave,
}

struct Due {
    at: Option<Timestamp>,
    /// The commands that seem to have been silent for too long.
    silent: Vec<RunId>,
    orders: Vec<Order>,
    /// The agents that this window is to ask what they offer.
    probes: Vec<ProbeRow>,
    /// The closes that nothing is in the way of.
    closes: Vec<ReadyClose>,
    /// What this window does beside answering, as its row says.
    role: Role,
    /// The subscriptions with which this window serves, as far as is written down.
    servings: Vec<SubscriptionId>,
    /// Whose ends are to be waited for.
    peers: Vec<InstanceId>,
    /// Whether another window has not carried out a stop in time.
    stops_are_overdue: bool,
    glimpse: Glimpse,
}

#[expect(
    clippy::disallowed_methods,
    reason = "timers of the runtime count from its own clock, not the wall's"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
