//! What this sidecar cannot do at the moment, and how it tells.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::Sidecar;
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::domain::status::{Health as State, PresentInstance, SchedulerStatus};
use crate::engine;

/// Suspends that are told of: more than the nights of a week. Older ones are among the events.
const SUSPENDS: usize = 10;

/// What may fail and be well again, apart from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Looking at what is due, and doing it.
    Look,
    /// Settling what dead peers left.
    Peers,
    /// Telling whether peers live.
    PeerLocks,
    /// The lock of the owner of the bell.
    Bell,
    /// Telling other windows.
    Ring,
    /// Hearing of what other windows do.
    Ear,
    /// The marker beside the ledger.
    Marker,
    /// The directory of the outputs.
    Outputs,
    /// Keeping the history bounded.
    History,
}

/// What is wrong, until it is over.
#[derive(Default)]
pub(super) struct Health {
    troubles: Mutex<Troubles>,
}

#[derive(Default)]
struct Troubles {
    of: BTreeMap<Part, String>,
    reports: usize,
}

/// What was logged last about something that is tried again and again: the same is logged once.
#[derive(Default)]
pub(super) struct LastTold {
    words: Option<String>,
}

impl LastTold {
    /// Whether this is something else than last time.
    pub(super) fn is_news(&mut self, why: &dyn std::fmt::Display) -> bool {
        let words = Some(why.to_string());
        let news = self.words != words;
        self.words = words;
        news
    }

    /// It works, so the next failure is news.
    pub(super) fn over(&mut self) {
        self.words = None;
    }
}

/// A report that is not written yet. It counts until this goes.
pub(super) struct Unwritten<'h> {
    health: &'h Health,
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        self.health.change(|troubles| troubles.reports -= 1);
    }
}

impl Health {
    /// A part has failed. It is logged once, however often it fails in the same way.
    pub(super) fn failed(&self, part: Part, why: &str) {
        if self.change(|troubles| troubles.of.insert(part, why.to_owned())).as_deref() != Some(why) {
            tracing::error!(?part, "{why}");
        }
    }

    /// A part works.
    pub(super) fn well(&self, part: Part) {
        if self.change(|troubles| troubles.of.remove(&part)).is_some() {
            tracing::info!(?part, "what had failed works again");
        }
    }

    /// Whether a part has failed and is not known to work again.
    pub(super) fn has_failed(&self, part: Part) -> bool {
        self.change(|troubles| troubles.of.contains_key(&part))
    }

    /// A report cannot be written and will be tried again.
    pub(super) fn unwritten(&self) -> Unwritten<'_> {
        self.change(|troubles| troubles.reports += 1);
        Unwritten { health: self }
    }

    fn reasons(&self) -> Vec<String> {
        self.change(|troubles| {
            let mut reasons: Vec<String> = troubles.of.values().cloned().collect();
            match troubles.reports {
                0 => {}
                1 => reasons.push("what became of a run waits to be written".to_owned()),
                more => reasons.push(format!("what became of runs waits to be written ({more} reports)")),
            }
            reasons
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Troubles) -> T) -> T {
        change(&mut self.troubles.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Sidecar {
    /// How the scheduler is. When the ledger cannot be read, this instance tells of itself alone. It is
    /// asked for when something hangs, so it waits for nothing that is to be written.
    pub(super) async fn status(&self) -> SchedulerStatus {
        let parts = &self.parts;
        let now = parts.clock.now();
        let seen = parts.ledger.read_now(move |view| {
            let (owner, suspended) = (view.ringing_instance()?, view.newest_suspends(SUSPENDS)?);
            let seen = (owner, view.next_fire()?, view.present_instances()?, suspended);
            Ok((seen, engine::clock::trouble(view, now)?))
        });
        let mut reasons = Vec::new();
        let (owner, next_fire_at, instances, suspended) = match seen.await {
            Ok((seen, trouble)) => {
                reasons.extend(trouble);
                seen
            }
            Err(refusal) => {
                reasons.push(refusal.to_string());
                (None, None, vec![self.present()], Vec::new())
            }
        };
        reasons.extend(parts.ledger.trouble().map(|trouble| Refusal::from(trouble).to_string()));
        reasons.extend(parts.health.reasons());
        let nobody_fires = instances.iter().all(|instance| instance.role == Role::Observer);
        if nobody_fires && next_fire_at.is_some_and(|at| at <= now) {
            reasons.push("nothing fires, because only observers have the project open; open a window that takes part, or run `sexton serve --headless`".to_owned());
        }
        // The same trouble may have been come upon in several ways.
        let mut known = std::collections::HashSet::new();
        reasons.retain(|reason| known.insert(reason.clone()));
        SchedulerStatus {
            is_owner: owner.as_ref().is_some_and(|owner| owner.instance == parts.me.instance),
            owner,
            next_fire_at,
            instances,
            suspended,
            health: if reasons.is_empty() { State::Ok } else { State::Degraded },
            reasons,
        }
    }

    fn present(&self) -> PresentInstance {
        PresentInstance {
            id: self.parts.me.instance.clone(),
            pid: std::process::id(),
            client: self.parts.me.client.clone(),
            role: self.role(),
            since: self.parts.since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_failed_is_told_until_it_is_well() {
        let health = Health::default();
        assert_eq!(health.reasons(), Vec::<String>::new());
        health.failed(Part::Look, "look");
        health.failed(Part::Look, "look again");
        health.failed(Part::Bell, "bell");
        assert_eq!(health.reasons(), ["look again", "bell"]);
        assert!(health.has_failed(Part::Look) && !health.has_failed(Part::Ring));
        health.well(Part::Look);
        assert!(!health.has_failed(Part::Look));
        health.well(Part::Bell);
        assert_eq!(health.reasons(), Vec::<String>::new());
    }

    #[test]
    fn what_fails_in_the_same_way_is_logged_once() {
        let mut told = LastTold::default();
        let mut news = |why: &str| told.is_news(&why);
        assert_eq!(["a", "a", "b", "a"].map(&mut news), [true, false, true, true]);
        told.over();
        assert!(told.is_news(&"a"));
    }

    #[test]
    fn a_report_counts_while_it_waits() {
        let health = Health::default();
        let first = health.unwritten();
        assert_eq!(health.reasons(), ["what became of a run waits to be written"]);
        let second = health.unwritten();
        assert_eq!(health.reasons(), ["what became of runs waits to be written (2 reports)"]);
        drop((first, second));
        assert_eq!(health.reasons(), Vec::<String>::new());
    }
}
