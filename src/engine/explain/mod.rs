//! Why something ran when it did, or why it did not: told from what the ledger knows. Nothing is changed.
//!
//! [`place`] finds the schedule that was in force and the slot that is meant, [`answer`] the run that answers for it,
//! [`cause`] what was in the way. [`sentence`] says what became of what is answered for ([`missed`] of what was missed), [`over`] and [`unscheduled`] why
//! nothing was due, [`foretold`] what a simulation tells of what is to come; [`evidence`] collects what is behind that.
//! [`recent()`] is the time that is meant if none is named.

mod answer;
mod cause;
mod evidence;
mod foretold;
mod missed;
mod outcome;
mod over;
mod place;
mod recent;
mod sentence;
mod unscheduled;
mod words;

pub use foretold::Foretold;

use crate::domain::explanation::Explanation;
use crate::domain::id::AutomationId;
use crate::domain::refusal::Refusal;
use crate::domain::run::Run;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::ledger::{AutomationRow, PastEpoch, View};
use answer::Answer;
use cause::Meanwhile;
use evidence::Collector;
use place::Place;
use words::{Clocks, by, quoted};

pub use recent::recent;

/// What became of the time that somebody names, of an automation that may have been deleted. What is said of the past
/// does not depend on how the automation is now. What is to come is told with what was foretold of it.
///
/// # Errors
/// When there is no such automation, only a later version understands it or the run that answers, or the ledger fails.
pub fn explain(
    view: &View<'_>,
    now: Timestamp,
    id: &AutomationId,
    at: Timestamp,
    foretold: &Foretold,
) -> Result<Explanation, Refusal> {
    let (row, _, _) = view.automation_fate(id)?.ok_or_else(|| super::no_automation(id))?;
    let automation = view.automation_at(row)?;
    let place = place::find(view, &automation, at)?;
    let definition = match &place {
        Place::Answered(epoch, _)
        | Place::Open(epoch, _)
        | Place::AfterEnd(epoch, _)
        | Place::AfterUntil(epoch, _, _)
        | Place::None(epoch) => &epoch.definition,
        Place::BeforeCreation => &automation.definition,
    };
    // Where this machine does not know the automation's zone, UTC is one that everybody knows.
    let zone = Zone::named(&definition.timezone).unwrap_or_else(|_| Zone::utc());
    let case = Case {
        view,
        now,
        at,
        automation: &automation,
        foretold,
        title: quoted(&automation.definition.title),
        clocks: Clocks::of(zone.clone()),
        zone,
    };
    let mut collector = Collector::new(view, id)?;
    let told = case.tell(place, &mut collector)?;
    let Told { scheduled_at, verdict, run, summary } = told;
    let run = run.map(Into::into);
    Ok(Explanation { scheduled_at, verdict, run, summary, evidence: collector.finish(at) })
}

/// So long after its time a slot is settled by whoever owns the bell, in milliseconds, if nothing is in the way.
const MOMENT_MS: i64 = 5000;

/// What is asked about, and what is known of it from the beginning.
struct Case<'a, 'c> {
    view: &'a View<'c>,
    now: Timestamp,
    at: Timestamp,
    automation: &'a AutomationRow,
    foretold: &'a Foretold,
    title: String,
    zone: Zone,
    clocks: Clocks,
}

/// An explanation without its evidence.
struct Told {
    scheduled_at: Option<Timestamp>,
    verdict: Verdict,
    run: Option<Run>,
    summary: String,
}

impl Told {
    fn of(slot: Timestamp, verdict: Verdict, summary: String) -> Told {
        Told { scheduled_at: Some(slot), verdict, run: None, summary }
    }
}

impl Case<'_, '_> {
    fn tell(&self, place: Place, collector: &mut Collector<'_, '_>) -> Result<Told, Refusal> {
        match place {
            Place::Answered(epoch, slot) => {
                collector.add_epoch(&epoch, &self.clocks, &self.zone)?;
                if let Some(at) = self.automation.deleted_at {
                    collector.add_deletion(self.automation.row, at)?;
                }
                self.answered(&epoch, slot, collector)
            }
            Place::Open(epoch, slot) => {
                collector.add_epoch(&epoch, &self.clocks, &self.zone)?;
                if slot > self.now { Ok(self.to_come(&epoch, slot)) } else { self.unsettled(slot, collector) }
            }
            Place::AfterEnd(epoch, slot) => {
                self.add_epoch_and_next(&epoch, collector)?;
                self.after_end(&epoch, slot, collector)
            }
            Place::AfterUntil(epoch, slot, until) => {
                self.add_epoch_and_next(&epoch, collector)?;
                self.after_until(slot, until, collector)
            }
            Place::None(epoch) => self.not_scheduled(&epoch, collector),
            Place::BeforeCreation => self.before_creation(collector),
        }
    }

    fn answered(
        &self,
        epoch: &PastEpoch,
        slot: Timestamp,
        collector: &mut Collector<'_, '_>,
    ) -> Result<Told, Refusal> {
        match answer::find(self.view, self.automation, epoch, slot)? {
            Answer::Chain(first, tries) => self.of_chain(epoch, slot, (&first, &tries), collector),
            Answer::Counted(run, skipped) => self.of_counted(slot, &run, skipped, collector),
            Answer::Account(accounts) => Ok(self.of_account(slot, &accounts, collector)),
            Answer::Unknown => {
                // Every slot that is answered for has one of the others; a ledger in which one has none is not sound.
                let slot = self.clocks.at(slot);
                Err(Refusal::Internal(format!(
                    "nothing answers for {slot} of {}; `sexton doctor` looks for what is wrong with the ledger",
                    self.automation.id
                )))
            }
        }
    }

    /// Its time has come, and nobody has settled it.
    fn unsettled(&self, slot: Timestamp, collector: &mut Collector<'_, '_>) -> Result<Told, Refusal> {
        let meanwhile = Meanwhile::look(self.view, slot, self.now)?;
        self.add_meanwhile(&meanwhile, collector);
        let due = self.clocks.at(slot);
        let summary = match &self.automation.deleting {
            Some(wish) => {
                let by = by(Some(&wish.by));
                format!("{} was due at {due} and is being deleted{by}: nothing of it is started.", self.title)
            }
            None => {
                let held = self.view.clock()?.and_then(|clock| clock.known.held_until());
                match held.filter(|until| *until > self.now) {
                    Some(until) => format!(
                        "{} was due at {due}, and what becomes of that is decided only at {}, because {}.",
                        self.title,
                        self.clocks.after(slot, until),
                        meanwhile.cause(&self.clocks)
                    ),
                    None if self.now.since_ms(slot) > MOMENT_MS || !meanwhile.is_watched() => format!(
                        "{} was due at {due}, and nobody has decided about that yet, because {}.",
                        self.title,
                        meanwhile.cause(&self.clocks)
                    ),
                    None => format!("{} is due at {due}, which is being decided just now.", self.title),
                }
            }
        };
        Ok(Told::of(slot, Verdict::Waiting, summary))
    }

    /// An epoch that is over, and how it went on.
    fn add_epoch_and_next(
        &self,
        epoch: &PastEpoch,
        collector: &mut Collector<'_, '_>,
    ) -> Result<(), Refusal> {
        collector.add_epoch(epoch, &self.clocks, &self.zone)?;
        if epoch.epoch.ended_at.is_some()
            && let Some(next) = self.view.epoch(self.automation.row, epoch.epoch.number + 1)?
        {
            collector.add_epoch(&next, &self.clocks, &self.zone)?;
        }
        Ok(())
    }

    fn add_meanwhile(&self, meanwhile: &Meanwhile, collector: &mut Collector<'_, '_>) {
        for noted in &meanwhile.disturbances {
            let text = cause::in_a_list(&noted.what, &self.clocks);
            collector.add_with(noted.what.span().0, text, noted.event);
        }
        for term in meanwhile.terms.iter().chain(&meanwhile.before) {
            collector.add(term.since, cause::term(term, &self.clocks));
        }
    }
}
