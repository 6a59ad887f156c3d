//! Whether every scheduled time is answered for exactly once: by a run, by the account of a day, or among those that an
//! active run counts.
//!
//! The slots of an epoch and what answers for them are walked through together, both in order. A range of slots belongs
//! to the day of its last one. The account of a day does not tell where in the day the runs were that have been folded
//! into it, so on such a day all answers together have to be one stretch, directly behind the one before.

use std::collections::VecDeque;

use super::counted;
use crate::domain::automation::{Definition, When};
use crate::domain::diagnosis::{Check, FINDINGS_TOLD, Finding, Subject};
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::run::SlotRange;
use crate::domain::schedule::local_time;
use crate::domain::schedule::rhythm::{Rhythm, Schedule, Stop};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::engine::settle::COUNTED_SLOTS;
use crate::ledger::{Answer, AnsweredDay, AuditedEpoch, View};

const DAY_MS: i64 = 86_400_000;

/// Looks at every epoch of every automation.
///
/// # Errors
/// When the ledger cannot be read.
pub fn check(view: &View<'_>) -> Result<Check, Refusal> {
    let mut check = Check::of(Subject::Slots);
    let mut answered = 0_u64;
    view.each_epoch(|epoch| -> Result<(), Refusal> {
        let days = view.answered_days(epoch.automation, epoch.number)?;
        let mut walk = Walk::through(&epoch, days);
        view.each_answer(epoch.automation, epoch.number, |answer| walk.meet(answer))?;
        let walked = walk.end();
        answered = answered.saturating_add(walked.slots);
        for flaw in walked.flaws {
            check.find(tell(&epoch, &flaw));
        }
        check.more_problems += walked.more_flaws;
        Ok(())
    })?;
    Ok(check.seen(format!("{} answered for", counted(answered, "scheduled time"))))
}

/// What is wrong with the slots of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Flaw {
    /// Nothing answers for these.
    Hole { first: Timestamp, last: Timestamp, count: u64 },
    /// This one answers for slots that are answered for before it.
    Twice { by: By, slots: SlotRange },
    /// This one answers for a time that the schedule does not have.
    NoSlot { by: By, at: Timestamp },
    /// This one says that it answers for so many, and there are others between its first and its last.
    Miscounted { by: By, slots: SlotRange, there: u64 },
    /// The slots up to here are answered for, and the watermark stands elsewhere.
    Watermark { stands: Timestamp, answered: Timestamp },
}

/// What answers for slots.
#[derive(Clone, Debug, PartialEq, Eq)]
enum By {
    Run(RunId),
    Day(i64),
    Counted,
}

/// What a walk through one epoch has found.
struct Walked {
    flaws: Vec<Flaw>,
    more_flaws: u64,
    slots: u64,
}

/// A walk through one epoch.
struct Walk<'e> {
    epoch: &'e AuditedEpoch,
    /// None if it is not understood, or its zone is not known here. Then only what is answered twice can be noticed.
    schedule: Option<Schedule>,
    accounts: VecDeque<AnsweredDay>,
    /// The day of an account, with the runs of that day so far, and how far those answer.
    open: Option<(AnsweredDay, Timestamp)>,
    through: Timestamp,
    slots: u64,
    /// No more than are told: a schedule that was replaced makes one of each slot.
    flaws: Vec<Flaw>,
    more_flaws: u64,
}

impl<'e> Walk<'e> {
    fn through(epoch: &'e AuditedEpoch, accounts: Vec<AnsweredDay>) -> Self {
        Walk {
            epoch,
            schedule: epoch.definition.as_ref().and_then(|definition| definition.schedule().ok()),
            accounts: accounts.into(),
            open: None,
            through: epoch.effective_at,
            slots: 0,
            flaws: Vec::new(),
            more_flaws: 0,
        }
    }

    fn note(&mut self, flaw: Flaw) {
        match self.flaws.len() < FINDINGS_TOLD {
            true => self.flaws.push(flaw),
            false => self.more_flaws += 1,
        }
    }

    /// The first of the accounts that are left, if it is of a day like this.
    fn next_account(&mut self, wanted: impl FnOnce(i64) -> bool) -> Option<AnsweredDay> {
        let is_wanted = self.accounts.front().is_some_and(|account| wanted(account.day));
        is_wanted.then(|| self.accounts.pop_front()).flatten()
    }

    /// A run, after all that answer for earlier slots.
    fn meet(&mut self, answer: Answer) {
        let day = answer.slots.to_at.as_millis().div_euclid(DAY_MS);
        self.pass_days_before(day);
        if let Some(account) = self.next_account(|of| of == day) {
            self.open = Some((account, self.through));
        }
        let Some((open, kept_through)) = &mut self.open else {
            return self.take(&answer.slots, By::Run(answer.run));
        };
        let again = answer.slots.from_at <= *kept_through;
        *kept_through = (*kept_through).max(answer.slots.to_at);
        if again {
            return self.note(Flaw::Twice { by: By::Run(answer.run), slots: answer.slots });
        }
        let all = &mut open.slots;
        all.from_at = all.from_at.min(answer.slots.from_at);
        all.to_at = all.to_at.max(answer.slots.to_at);
        all.count = all.count.saturating_add(answer.slots.count);
    }

    /// What is left of the days before this one is a whole.
    fn pass_days_before(&mut self, day: i64) {
        if let Some((open, _)) = self.open.take_if(|(open, _)| open.day < day) {
            self.take(&open.slots, By::Day(open.day));
        }
        while let Some(account) = self.next_account(|of| of < day) {
            self.take(&account.slots, By::Day(account.day));
        }
    }

    /// Everything that runs and accounts say has been met.
    fn end(mut self) -> Walked {
        self.pass_days_before(i64::MAX);
        if let Some(counted) = self.epoch.counted {
            self.take(&counted, By::Counted);
        }
        self.compare_watermark();
        Walked { flaws: self.flaws, more_flaws: self.more_flaws, slots: self.slots }
    }

    /// One stretch of slots, which has to begin with the next one that is not answered for.
    fn take(&mut self, slots: &SlotRange, by: By) {
        self.slots = self.slots.saturating_add(slots.count);
        if slots.from_at <= self.through {
            self.note(Flaw::Twice { by, slots: *slots });
            self.through = self.through.max(slots.to_at);
            return;
        }
        self.find_hole_before(slots.from_at);
        let before = slots.from_at.plus_ms(-1).max(self.through);
        self.through = slots.to_at;
        let Some(schedule) = &self.schedule else { return };
        let limit = slots.count.max(COUNTED_SLOTS);
        let there = schedule.slots_between(self.epoch.effective_at, before, slots.to_at, limit);
        let flaw = match there {
            Some(there) if there.first != slots.from_at => Flaw::NoSlot { by, at: slots.from_at },
            Some(there) if there.last != slots.to_at => Flaw::NoSlot { by, at: slots.to_at },
            // A count that large says "at least", and no more than it says is counted here.
            Some(there) if there.count == slots.count => return,
            Some(there) => Flaw::Miscounted { by, slots: *slots, there: there.count },
            None => Flaw::NoSlot { by, at: slots.from_at },
        };
        self.note(flaw);
    }

    /// Every slot before this instant has to be answered for by now.
    fn find_hole_before(&mut self, at: Timestamp) {
        let Some(schedule) = &self.schedule else { return };
        let hole =
            schedule.slots_between(self.epoch.effective_at, self.through, at.plus_ms(-1), COUNTED_SLOTS);
        if let Some(hole) = hole {
            self.note(Flaw::Hole { first: hole.first, last: hole.last, count: hole.count });
        }
    }

    /// Up to the watermark everything is answered for, and in an epoch that has ended everything that was due in it.
    fn compare_watermark(&mut self) {
        let (stands, answered) = (self.epoch.answered_through, self.through);
        let ended_at = self.epoch.ended_at.filter(|_| !self.epoch.definition.as_ref().is_some_and(counts));
        let due_through = ended_at.map_or(stands, |ended_at| ended_at.max(stands));
        self.find_hole_before(due_through.plus_ms(1));
        if stands != answered && self.flaws.is_empty() {
            self.note(Flaw::Watermark { stands, answered });
        }
    }
}

/// Whether it ends after so many runs: when those have been, nothing is missed any more.
fn counts(definition: &Definition) -> bool {
    matches!(definition.when, When::Recurring { stop: Stop::Count(_), .. })
}

fn tell(epoch: &AuditedEpoch, flaw: &Flaw) -> Finding {
    const HISTORY: &str =
        "the record of that time cannot be relied on; what fires from now on does not depend on it";
    const NOTHING: &str = "nothing has to be done for what is still to come; to have the record back, restore the state directory from a backup";
    let zone = epoch.definition.as_ref().and_then(|definition| Zone::named(&definition.timezone).ok());
    let zone = zone.unwrap_or_else(Zone::utc);
    let at = |at: Timestamp| local_time(&zone, at);
    let span = |first: Timestamp, last: Timestamp| match (at(first), at(last)) {
        (first, last) if first == last => first,
        (first, last) => format!("{first} to {last}"),
    };
    let title = match &epoch.definition {
        Some(definition) => format!("“{}”", definition.title),
        None => epoch.id.to_string(),
    };
    let by = |by: &By| match by {
        By::Run(run) => run.to_string(),
        By::Day(day) => {
            let begins = local_time(&Zone::utc(), Timestamp::from_millis(day.saturating_mul(DAY_MS)));
            format!("the account of {} (UTC)", begins.split(' ').next().unwrap_or_default())
        }
        By::Counted => "its active run".to_owned(),
    };
    // Another law for clocks makes other slots, also in the past.
    let perhaps_zone = match epoch.definition.as_ref().map(|definition| &definition.when) {
        Some(When::Recurring { rhythm: Rhythm::Cron(_), .. }) if zone != Zone::utc() => {
            "; if the zone data of this machine has changed since then, that is why"
        }
        Some(When::Recurring { .. } | When::Oneshot { .. }) | None => "",
    };
    let finding = match flaw {
        Flaw::Hole { first, last, count } => Finding::problem(
            format!(
                "nothing answers for {} of {title}: {}{perhaps_zone}",
                counted(*count, "scheduled time"),
                span(*first, *last)
            ),
            "whether something ran then cannot be told",
            NOTHING,
        ),
        Flaw::Twice { by: again, slots } => Finding::problem(
            format!(
                "{} answers for times of {title} that are answered for before it: {}",
                by(again),
                span(slots.from_at, slots.to_at)
            ),
            HISTORY,
            NOTHING,
        ),
        Flaw::NoSlot { by: who, at: when } => Finding::problem(
            format!("{} answers for {}, which is no time of {title}{perhaps_zone}", by(who), at(*when)),
            HISTORY,
            NOTHING,
        ),
        Flaw::Miscounted { by: who, slots, there } => Finding::problem(
            format!(
                "{} says that it answers for {} of {title} ({}), and there are {there}{perhaps_zone}",
                by(who),
                counted(slots.count, "time"),
                span(slots.from_at, slots.to_at)
            ),
            HISTORY,
            NOTHING,
        ),
        Flaw::Watermark { stands, answered } => Finding::problem(
            format!(
                "{title} is said to be answered for up to {}, and it is up to {}",
                at(*stands),
                at(*answered)
            ),
            match stands < answered {
                true => "times that have been answered for may be due again",
                false => "nothing follows as long as no time of the schedule lies between",
            },
            "pause it and resume it (`automation/pause`, `automation/resume`): its times are counted anew from then on",
        ),
    };
    finding.at(&epoch.id)
}
