//! What the windows do: they decide what is due, begin what they are given, and report what became of it. It follows the
//! sidecar's loop and its carriers, without processes: work goes on until a time is over.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fate::Fate;
use super::lengths::Lengths;
use super::told::Told;
use super::{Around, Patience, turns_after};
use crate::domain::automation::Actor;
use crate::domain::clock::Reading;
use crate::domain::id::{AutomationId, IdSource, RunId};
use crate::domain::process::ProcessIdentity;
use crate::domain::refusal::Refusal;
use crate::domain::run::WaitingFor;
use crate::domain::shown::Voice;
use crate::domain::time::Timestamp;
use crate::engine::report::{self, Fence};
use crate::engine::served::{self, Begin};
use crate::engine::tick::{self, Duty};
use crate::engine::{Context, clock, find_automation, find_run};
use crate::ledger::{Begun, FRESH, Guard, MemoryCopy, Order, Ordered, ProcessRow, Tx};

/// How often everybody looks again at one instant before something is wrong: each time something has changed.
const LOOKS: usize = 100_000;

/// After how long a window looks again whether the session is free that a run is to go on in, in milliseconds.
const LOOKS_AGAIN_MS: i64 = 1000;

/// A window that is there.
pub(super) struct Window {
    pub(super) actor: Actor,
    /// What it does for the whole project; nothing if it is about to leave.
    pub(super) duty: Option<Duty>,
}

/// That a run could not begin, and who looks again.
#[derive(Clone, Copy, Debug)]
pub(super) struct PutOff {
    pub(super) until: Timestamp,
    /// The window that had it. Another one that is given the run since looks at once.
    pub(super) by: usize,
}

/// See the module.
pub(super) struct Play<'a> {
    pub(super) copy: &'a MemoryCopy,
    pub(super) tx: Tx<'a>,
    pub(super) now: Timestamp,
    pub(super) windows: Vec<Window>,
    /// The ended runs that are kept and that nothing is to be told of any more.
    pub(super) seen: BTreeSet<RunId>,
    pub(super) lengths: Lengths,
    pub(super) ids: Ids,
    /// When the work ends that goes on.
    pub(super) work: BTreeMap<RunId, Timestamp>,
    /// When it is looked again whether these can begin.
    pub(super) put_off: BTreeMap<RunId, PutOff>,
    /// What runs have waited for that have not ended, when time passed last.
    pub(super) waited: HashMap<RunId, WaitingFor>,
    around: &'a Around<'a>,
}

/// Identities that come after all that others have made.
pub(super) struct Ids(u64);

impl IdSource for Ids {
    fn unique(&mut self) -> String {
        self.0 += 1;
        format!("{FRESH}{:012}", self.0)
    }
}

impl<'a> Play<'a> {
    pub(super) fn new(
        copy: &'a MemoryCopy,
        around: &'a Around<'a>,
        now: Timestamp,
        lengths: Lengths,
    ) -> Play<'a> {
        Play {
            copy,
            tx: copy.tx(),
            now,
            windows: Vec::new(),
            seen: BTreeSet::new(),
            around,
            lengths,
            ids: Ids(0),
            work: BTreeMap::new(),
            put_off: BTreeMap::new(),
            waited: HashMap::new(),
        }
    }

    /// Everything happens that is due at an instant.
    pub(super) fn have_happen(&mut self, at: Timestamp) -> Result<(), Refusal> {
        self.now = at;
        for _ in 0..LOOKS {
            let before = self.copy.changes();
            self.end_served_work()?;
            for window in 0..self.windows.len() {
                self.look(window)?;
                self.carry(window)?;
            }
            if self.copy.changes() == before {
                self.waited.extend(self.copy.waits()?);
                return Ok(());
            }
        }
        Err(Refusal::Internal(format!("the simulation does not come to rest at {at}")))
    }

    /// When something happens next.
    pub(super) fn next_at(&self) -> Result<Option<Timestamp>, Refusal> {
        let mut next = self.next_work();
        for window in &self.windows {
            let at = self.due_at(window)?;
            next = next.into_iter().chain(at.filter(|at| *at > self.now)).min();
        }
        Ok(next)
    }

    /// The same, but for slots.
    pub(super) fn next_beside_slots(&self) -> Result<Option<Timestamp>, Refusal> {
        let mut next = self.next_work();
        for window in &self.windows {
            let Some(duty) = window.duty else { continue };
            let (me, shared) = (&window.actor.instance, self.around.limits.shared);
            let at = tick::next_beside_slots(&self.tx, duty, me, shared, self.now)?;
            next = next.into_iter().chain(at.filter(|at| *at > self.now)).min();
        }
        Ok(next)
    }

    /// When work ends next, or is looked at again that could not begin.
    fn next_work(&self) -> Option<Timestamp> {
        let looks = self.put_off.values().map(|put_off| put_off.until);
        self.work.values().copied().chain(looks).filter(|at| *at > self.now).min()
    }

    /// What has become of the slots of the runs that have ended since this was called before.
    pub(super) fn fates_of_ended(&mut self, told: &mut Told) -> Result<Vec<Fate>, Refusal> {
        let mut fates = Vec::new();
        for run in self.copy.ended_runs()? {
            let waited = self.waited.remove(&run.run.id);
            if !self.seen.contains(&run.run.id) {
                fates.extend(told.fates_of(&self.tx, &run, waited)?);
            }
        }
        self.seen = self.copy.forget_what_is_over(turns_after(self.now))?;
        Ok(fates)
    }

    /// Tells of the runs that have not ended.
    pub(super) fn tell_active(&self, told: &mut Told) -> Result<(), Refusal> {
        for run in self.copy.active_runs()? {
            let fates = told.fates_of(&self.tx, &run, self.waited.get(&run.run.id).copied())?;
            let skipped = told.fate_of_skipped(&self.tx, &run)?;
            fates.iter().chain(&skipped).for_each(|fate| told.tell(fate));
        }
        Ok(())
    }

    /// Whether more may be found out. Refuses when nobody waits for the answer any more.
    pub(super) fn has_time(&self) -> Result<bool, Refusal> {
        match (self.around.patience)() {
            Patience::Lasts => Ok(true),
            Patience::Over => Ok(false),
            Patience::Gone => Err(Refusal::Cancelled),
        }
    }

    /// How late a slot may be and still fire as if it were on time.
    pub(super) fn grace_ms(&self) -> Result<i64, Refusal> {
        Ok(self.tx.owner_limits()?.unwrap_or(self.around.limits.shared).grace_ms)
    }

    /// The place of an automation.
    pub(super) fn place_of(&self, id: &AutomationId) -> Result<i64, Refusal> {
        Ok(find_automation(&self.tx, id)?.row)
    }

    /// Who rings the bell.
    pub(super) fn leader(&self) -> usize {
        self.windows.iter().position(|window| window.duty == Some(Duty::Owner)).unwrap_or_default()
    }

    /// Has a window decide something now.
    pub(super) fn decide<T>(
        &mut self,
        window: usize,
        decision: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let actor = self.windows[window].actor.clone();
        self.decide_by(&actor, decision)
    }

    /// Has the window that asks decide something.
    pub(super) fn decide_as_asked<T>(
        &mut self,
        decision: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.decide_by(self.around.me, decision)
    }

    fn decide_by<T>(
        &mut self,
        me: &Actor,
        decision: impl FnOnce(&Tx<'_>, &mut Context<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let around = self.around;
        let mut context = Context {
            now: self.now,
            due_by: self.now,
            reading: self.reading(),
            boot: around.boot,
            ids: &mut self.ids,
            me,
            voice: Voice::Person,
            limits: around.limits,
            project: around.project,
            vcs: around.vcs,
            // What does not fire here does not fire in the ledger either, and is logged there.
            troubles: &mut Vec::new(),
        };
        clock::observe(&self.tx, &mut context)?;
        decision(&self.tx, &mut context)
    }

    /// What the clocks show: the machine stays awake, and nobody sets them.
    fn reading(&self) -> Reading {
        let Reading { wall, elapsed_ms, awake_ms } = self.around.reading;
        let passed_ms = self.now.since_ms(wall);
        Reading { wall: self.now, elapsed_ms: elapsed_ms + passed_ms, awake_ms: awake_ms + passed_ms }
    }

    fn due_at(&self, window: &Window) -> Result<Option<Timestamp>, Refusal> {
        let Some(duty) = window.duty else { return Ok(None) };
        let shared = self.around.limits.shared;
        tick::next_at(&self.tx, duty, &window.actor.instance, shared, self.around.boot, self.reading())
    }

    /// A window decides what is due.
    fn look(&mut self, window: usize) -> Result<(), Refusal> {
        let due_at = self.due_at(&self.windows[window])?;
        if let Some(duty) = self.windows[window].duty.filter(|_| due_at.is_some_and(|at| at <= self.now)) {
            self.decide(window, |tx, context| tick::tick(tx, context, duty, &[]))?;
        }
        Ok(())
    }

    /// A window does what its rows say.
    fn carry(&mut self, window: usize) -> Result<(), Refusal> {
        let orders = self.tx.orders(&self.windows[window].actor.instance)?;
        let is_served = |order: &&Order| match order.work {
            Ordered::Served(_) => true,
            Ordered::Guarded | Ordered::Agent(_) => false,
        };
        for order in orders.iter().filter(is_served).filter(|order| !order.begun) {
            self.follow(window, order)?;
        }
        for order in orders.iter().filter(|order| !is_served(order)) {
            self.follow(window, order)?;
        }
        for order in orders.iter().filter(is_served).filter(|order| order.begun) {
            self.follow(window, order)?;
        }
        Ok(())
    }

    fn follow(&mut self, window: usize, order: &Order) -> Result<(), Refusal> {
        let is_over = self.work.get(&order.run).is_some_and(|ends_at| *ends_at <= self.now);
        match (order.begun, order.stopping) {
            (false, None) => self.begin(window, order),
            // What has not begun ends at once; a window that has not heard of it begins nothing.
            (false, Some(_)) => Ok(()),
            // Whoever is asked to end does so at once.
            (true, Some(_)) => self.end(&order.run),
            (true, None) if is_over => self.end(&order.run),
            (true, None) => Ok(()),
        }
    }

    /// A window begins what it was given, and it starts at once.
    fn begin(&mut self, window: usize, order: &Order) -> Result<(), Refusal> {
        let is_put_off = |put_off: &PutOff| put_off.by == window && put_off.until > self.now;
        if self.put_off.get(&order.run).is_some_and(is_put_off) {
            return Ok(());
        }
        self.put_off.remove(&order.run);
        let begun = match &order.work {
            Ordered::Guarded => self.pass_the_fence(window, order)?,
            Ordered::Agent(_) => match self.session_is_free(&order.run)? {
                true => self.pass_the_fence(window, order)?,
                false => Fence::Withdrawn,
            },
            Ordered::Served(_) => {
                let (id, number) = (&order.run, order.given_number);
                match self.decide(window, |tx, context| served::begin(tx, context, id, number))? {
                    Begin::Go { .. } => Fence::Go,
                    Begin::Withdrawn => Fence::Withdrawn,
                }
            }
        };
        match begun {
            Fence::Go => {
                let run = find_run(&self.tx, &order.run)?;
                self.start(&run)
            }
            Fence::Withdrawn => {
                let until = self.now.plus_ms(LOOKS_AGAIN_MS);
                self.put_off.insert(order.run.clone(), PutOff { until, by: window });
                Ok(())
            }
        }
    }

    fn pass_the_fence(&mut self, window: usize, order: &Order) -> Result<Fence, Refusal> {
        let process =
            ProcessIdentity { pid: 0, start_time: 0, boot_id: String::new(), pid_namespace: String::new() };
        let begun = Begun::Guard(Guard { process, token: String::new() });
        let process = ProcessRow { instance: self.windows[window].actor.instance.clone(), begun };
        let (id, number) = (&order.run, order.given_number);
        self.decide(window, |tx, context| report::begin(tx, context, id, number, &process))
    }
}
