//! What became of a slot that is answered for, in a sentence.

use super::cause::Meanwhile;
use super::evidence::Collector;
use super::outcome::{
    NOTICED_MS, and_others, end, failure_of, how_it_went, since, stop_reason, times, waited, word,
};
use super::words::{Clocks, by, counted, inserted, length, paused};
use super::{Case, Told};
use crate::domain::automation::EpochEnd;
use crate::domain::refusal::Refusal;
use crate::domain::run::machine::StopReason;
use crate::domain::run::{Phase, Run, Skipped, SlotRange, Trigger, Waiting, WaitingFor};
use crate::domain::schedule::zone::Zone;
use crate::domain::scheduler::Limits;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::ledger::{Account, PastEpoch, RunRow};

/// How many runs before the one that answers are looked at for the one that was active then.
const RUNS_BEFORE: usize = 16;

/// Of a long chain of tries the first run and so many of the last ones are told.
const TRIES: usize = 8;

impl Case<'_, '_> {
    /// A run answers for the slot, and perhaps others have tried it again.
    pub(super) fn of_chain(
        &self,
        epoch: &PastEpoch,
        slot: Timestamp,
        (first, tries): (&RunRow, &[RunRow]),
        collector: &mut Collector<'_, '_>,
    ) -> Result<Told, Refusal> {
        let meanwhile = Meanwhile::look(self.view, slot, first.run.triggered_at)?;
        self.add_meanwhile(&meanwhile, collector);
        let newest = &tries[tries.len().saturating_sub(TRIES)..];
        for run in std::iter::once(first).chain(newest) {
            self.add_run(run, collector)?;
        }
        let last = tries.last().unwrap_or(first);
        let grace_ms = meanwhile.grace_ms().unwrap_or(Limits::default().shared.grace_ms);
        let verdict = Verdict::of_run(&last.run, slot, grace_ms);
        let was_late = first.run.triggered_at.since_ms(slot) > grace_ms;
        let summary = match verdict {
            Verdict::Ran => self.ran(slot, &last.run),
            Verdict::RanLate => {
                let why = match (tries, was_late) {
                    (_, true) => Some(meanwhile.cause(&self.clocks)),
                    ([], false) => self.waited_for(slot, &last.run, collector)?,
                    (_, false) => {
                        Some(format!("the first try could not be started{}", failure_of(&first.run)))
                    }
                };
                self.ran_late(slot, &last.run, first.run.slots, why)
            }
            Verdict::Waiting => self.waits(slot, &last.run, collector)?,
            Verdict::Missed => self.missed(epoch, slot, first, &meanwhile)?,
            Verdict::Overlapped => self.overlapped(slot, last, collector)?,
            Verdict::Busy => self.busy(slot, last, collector)?,
            Verdict::Paused => {
                let (title, due) = (&self.title, self.clocks.at(slot));
                match &epoch.ended {
                    Some(EpochEnd::Paused(pause)) => {
                        let at = format!(" at {}", self.clocks.after(slot, pause.at));
                        let how = paused(pause, &at);
                        format!("{title} was due at {due} and {how}, before that could start.")
                    }
                    Some(EpochEnd::Edited | EpochEnd::Clock | EpochEnd::Count | EpochEnd::Deleted) | None => {
                        format!("{title} was due at {due} and was paused before that could start.")
                    }
                }
            }
            Verdict::Ended => format!(
                "{} did not run at {}, because the last run that it was to have ended before this one could start.",
                self.title,
                self.clocks.at(slot)
            ),
            Verdict::NotStarted
            | Verdict::Deleted
            | Verdict::Pruned
            | Verdict::Future
            | Verdict::NotScheduled => self.not_started(slot, last, collector)?,
        };
        Ok(Told { scheduled_at: Some(slot), verdict, run: Some(last.run.clone()), summary })
    }

    fn ran(&self, slot: Timestamp, run: &Run) -> String {
        let (title, due) = (&self.title, self.clocks.at(slot));
        let late_ms = run.started_at().map_or(0, |started| started.since_ms(slot));
        let how = how_it_went(run, &self.clocks.after(slot, since(run)));
        match run.slots.filter(|slots| slots.to_at > slot) {
            Some(slots) => format!(
                "{title} was due at {due} and had no run of its own: the one of {} stands for {}; it {how}.",
                self.clocks.after(slot, slots.to_at),
                and_others(slots),
            ),
            None if late_ms < NOTICED_MS => format!("{title} ran at {due}, as scheduled, and {how}."),
            None => format!("{title} was due at {due}, ran {} later, and {how}.", length(late_ms)),
        }
    }

    fn ran_late(&self, slot: Timestamp, run: &Run, slots: Option<SlotRange>, why: Option<String>) -> String {
        let (title, due) = (&self.title, self.clocks.at(slot));
        let started = run.started_at().unwrap_or(run.triggered_at);
        let at = self.clocks.after(slot, started);
        let how = how_it_went(run, &self.clocks.after(slot, since(run)));
        let why = why.map_or_else(String::new, |why| format!(", because {why}"));
        let late = length(started.since_ms(slot));
        match slots.filter(|slots| slots.count > 1) {
            Some(slots) => format!(
                "{title} was due at {due}: one run at {at} made up for it and {}{why}; it {how}.",
                and_others(slots)
            ),
            None => format!("{title} was due at {due} and ran {late} late, at {at}{why}; it {how}."),
        }
    }

    /// Slots are counted on an active run.
    pub(super) fn of_counted(
        &self,
        slot: Timestamp,
        active: &RunRow,
        skipped: Skipped,
        collector: &mut Collector<'_, '_>,
    ) -> Result<Told, Refusal> {
        self.add_run(active, collector)?;
        let still = match &active.run.phase {
            Phase::AwaitingInput { .. } => "still waits for a person",
            Phase::Scheduled { .. } => "has not started yet",
            Phase::Running { .. }
            | Phase::Succeeded { .. }
            | Phase::Failed { .. }
            | Phase::Stopped { .. } => "is still at work",
        };
        let summary = format!(
            "{} did not run at {}, because its previous run, of {}, {still}; {} counted on it so far.",
            self.title,
            self.clocks.at(slot),
            self.clocks.after(slot, since(&active.run)),
            match skipped.slots.count {
                1 => "this time is".to_owned(),
                _ => format!("{} are", times(skipped.slots)),
            }
        );
        let verdict = Verdict::Overlapped;
        Ok(Told { scheduled_at: Some(slot), verdict, run: Some(active.run.clone()), summary })
    }

    fn overlapped(
        &self,
        slot: Timestamp,
        row: &RunRow,
        collector: &mut Collector<'_, '_>,
    ) -> Result<String, Refusal> {
        let (title, due) = (&self.title, self.clocks.at(slot));
        let reason = stop_reason(&row.run);
        if reason == Some(StopReason::Superseded) {
            let next = self.view.run_after(row.automation, row.row)?;
            let of = match next {
                Some(next) => {
                    self.add_run(&next, collector)?;
                    format!(
                        ", of {}",
                        self.clocks.after(slot, next.run.scheduled_at.unwrap_or(next.run.triggered_at))
                    )
                }
                None => String::new(),
            };
            return Ok(format!("{title} did not run at {due}: its run made way for the next one{of}."));
        }
        let before = self.view.runs_before(row.automation, row.row, RUNS_BEFORE)?;
        let was_active = |run: &&RunRow| {
            let over = run.run.ended().map(|ended| ended.completed_at);
            run.run.triggered_at <= slot && over.is_none_or(|over| over >= slot)
        };
        let previous = before.iter().find(was_active);
        let which = match previous {
            Some(previous) => {
                self.add_run(previous, collector)?;
                let from = previous.run.started_at().unwrap_or(previous.run.triggered_at);
                match previous.run.ended() {
                    Some(ended) => {
                        format!(", which was there {},", self.clocks.span(slot, from, ended.completed_at))
                    }
                    None => format!(", which was there since {},", self.clocks.after(slot, from)),
                }
            }
            None => String::new(),
        };
        let waited_itself = match previous {
            Some(previous) if row.wait_until.is_none() => self.had_not_started(slot, previous, collector)?,
            Some(_) | None => None,
        };
        if let Some(waited_itself) = waited_itself {
            return Ok(format!("{title} did not run at {due}, because {waited_itself}."));
        }
        let how = match (row.wait_until, reason) {
            (Some(_), _) => {
                let until = self.clocks.after(slot, since(&row.run));
                return Ok(format!(
                    "{title} did not run at {due}: it waited for its previous run{which} until {until} and was then given up.",
                ));
            }
            (None, Some(StopReason::PreviousRunAwaitingInput)) => "was waiting for a person",
            (None, _) => "was still active",
        };
        let one_of = match row.run.slots {
            Some(slots) if slots.count > 1 => format!("; {} were skipped behind it", times(slots)),
            Some(_) | None => String::new(),
        };
        Ok(format!("{title} did not run at {due}, because its previous run{which} {how}{one_of}."))
    }

    /// That the run before had not started by then, as a clause; none if it had.
    fn had_not_started(
        &self,
        slot: Timestamp,
        previous: &RunRow,
        collector: &Collector<'_, '_>,
    ) -> Result<Option<String>, Refusal> {
        let run = &previous.run;
        if run.started_at().is_some_and(|started| started <= slot) {
            return Ok(None);
        }
        let until = match (run.started_at(), run.ended()) {
            (Some(over), _) => format!(" until {}", self.clocks.after(slot, over)),
            (None, Some(ended)) => format!(" until {}", self.clocks.after(slot, ended.completed_at)),
            (None, None) => String::new(),
        };
        let from = self.clocks.after(slot, run.triggered_at);
        let waits = collector.waits(run)?;
        let Some((waiting, _)) = waits.iter().rev().find(|(waiting, _)| waiting.since <= slot) else {
            return Ok(Some(format!("its previous run, of {from}, had not started{until}")));
        };
        let behind = match &waiting.behind {
            Some(ahead) => format!(", behind {}", collector.named(ahead)?),
            None => String::new(),
        };
        let what = waited(waiting.what);
        Ok(Some(format!("its previous run, of {from}, itself waited{until} {what}{behind}")))
    }

    fn busy(
        &self,
        slot: Timestamp,
        row: &RunRow,
        collector: &mut Collector<'_, '_>,
    ) -> Result<String, Refusal> {
        let (title, due) = (&self.title, self.clocks.at(slot));
        let waits = collector.waits(&row.run)?;
        let ahead = match waits.iter().rev().find_map(|(wait, _)| wait.behind.as_ref()) {
            Some(ahead) => format!(": {} had it, or was ahead of it there", collector.named(ahead)?),
            None => String::new(),
        };
        let what = match stop_reason(&row.run) {
            Some(StopReason::Capacity) => "as many runs were at work as may be at once".to_owned(),
            Some(_) | None => format!("its directory was busy{ahead}"),
        };
        let gave_up = since(&row.run);
        let then = match gave_up.since_ms(row.run.triggered_at) {
            0 => "; it is not to wait for that (policy.ifBusy: skip)".to_owned(),
            _ => format!("; it waited until {} and was then given up", self.clocks.after(slot, gave_up)),
        };
        Ok(format!("{title} did not run at {due}, because {what}{then}."))
    }

    fn waits(&self, slot: Timestamp, run: &Run, collector: &Collector<'_, '_>) -> Result<String, Refusal> {
        let (title, due) = (&self.title, self.clocks.at(slot));
        Ok(match run.waiting() {
            Some(waiting) => {
                let what = self.wait(waiting, collector)?;
                let until = match waiting.until_at {
                    Some(until) => {
                        format!("; if that lasts, it is given up at {}", self.clocks.after(slot, until))
                    }
                    None => String::new(),
                };
                format!("{title} was due at {due} and waits, because {what}{until}.")
            }
            None => format!("{title} was due at {due} and is about to start."),
        })
    }

    /// What holds a run back, as a clause.
    fn wait(&self, waiting: &Waiting, collector: &Collector<'_, '_>) -> Result<String, Refusal> {
        let ahead = match &waiting.behind {
            Some(ahead) => Some(collector.named(ahead)?),
            None => None,
        };
        Ok(match (waiting.what, ahead) {
            (WaitingFor::Directory, Some(ahead)) => {
                format!("{ahead} has its directory, or is ahead of it there")
            }
            (WaitingFor::Directory, None) => "its directory is busy".to_owned(),
            (WaitingFor::Previous, Some(ahead)) => format!("its previous run, {ahead}, has not gone"),
            (WaitingFor::Previous, None) => "its previous run has not gone".to_owned(),
            (WaitingFor::Capacity, _) => "as many runs are at work as may be at once".to_owned(),
            (WaitingFor::Close, _) => "the windows that could carry it out are being closed".to_owned(),
            (WaitingFor::CatchUp, _) => "catch-ups start one after the other".to_owned(),
            (WaitingFor::Executor, _) => "nobody who is there can carry it out now".to_owned(),
            (WaitingFor::Retry, _) => "it is tried again only after a while".to_owned(),
        })
    }

    /// What a run has waited for that has started at last, as a clause of the past.
    fn waited_for(
        &self,
        slot: Timestamp,
        run: &Run,
        collector: &Collector<'_, '_>,
    ) -> Result<Option<String>, Refusal> {
        let waits = collector.waits(run)?;
        let Some((waiting, _)) = waits.last() else {
            let from = self.clocks.after(slot, run.triggered_at);
            return Ok(Some(format!("it could not be started when it was created, at {from}")));
        };
        let behind = match &waiting.behind {
            Some(ahead) => format!(", behind {}", collector.named(ahead)?),
            None => String::new(),
        };
        Ok(Some(format!("it waited {}{behind}", waited(waiting.what))))
    }

    fn not_started(
        &self,
        slot: Timestamp,
        row: &RunRow,
        collector: &Collector<'_, '_>,
    ) -> Result<String, Refusal> {
        let (title, due) = (&self.title, self.clocks.at(slot));
        let at = self.clocks.after(slot, since(&row.run));
        let why = match &row.run.phase {
            Phase::Failed { error, .. } => {
                return Ok(format!("{title} could not be started at {due}: {}.", inserted(&error.message)));
            }
            Phase::Stopped { reason, .. } => match reason {
                // A record of a slot never waited for anything.
                StopReason::Cancelled if row.wait_until.is_none() => {
                    let by = by(self.view.who_deleted(row.automation)?.as_ref());
                    format!("it was deleted{by} before it could start")
                }
                StopReason::Cancelled => format!("it was cancelled at {at}, before it could start"),
                StopReason::Expired => match collector.waits(&row.run)?.last() {
                    Some((waiting, _)) => {
                        format!("it waited {} until {at} and was then given up", waited(waiting.what))
                    }
                    None => format!("it waited until {at} and was then given up"),
                },
                StopReason::PrecheckSkipped => "its precheck said that there was nothing to do".to_owned(),
                StopReason::Interrupted => "the window that was about to start it had gone".to_owned(),
                StopReason::Shutdown => "the window that was about to start it was closed".to_owned(),
                StopReason::MissedSchedule
                | StopReason::PreviousRunActive
                | StopReason::PreviousRunAwaitingInput
                | StopReason::Superseded
                | StopReason::WriterBusy
                | StopReason::Capacity
                | StopReason::Paused
                | StopReason::Ended
                | StopReason::BlockerLost => format!("it was stopped at {at}"),
            },
            Phase::Scheduled { .. }
            | Phase::Running { .. }
            | Phase::AwaitingInput { .. }
            | Phase::Succeeded { .. } => "its work is not known to have started".to_owned(),
        };
        Ok(format!("{title} did not run at {due}: {why}."))
    }

    /// The run that answered is not kept any more.
    pub(super) fn of_account(
        &self,
        slot: Timestamp,
        accounts: &[Account],
        collector: &mut Collector<'_, '_>,
    ) -> Told {
        let day = accounts.first().map_or(slot, |account| account.day);
        let told: Vec<String> = accounts
            .iter()
            .map(|account| {
                let runs = counted(account.runs.unsigned_abs(), "run");
                let text = match account.outcome.split_once(':') {
                    Some((state, reason)) => format!("{runs} {state} ({reason})"),
                    None => format!("{runs} {}", account.outcome),
                };
                let slots = counted(account.slots.unsigned_abs(), "scheduled time");
                collector
                    .add(account.day, format!("no longer kept of this day, in UTC: {text}, for {slots}"));
                text
            })
            .collect();
        // The days of the account are those of UTC.
        let date = Clocks::of(Zone::utc()).date(day);
        let summary = format!(
            "What was due of {} at {} was settled, and its run is no longer kept; what is left is the account of {date}: {}.",
            self.title,
            self.clocks.at(slot),
            told.join(", ")
        );
        Told::of(slot, Verdict::Pruned, summary)
    }

    /// The steps in the life of a run.
    fn add_run(&self, row: &RunRow, collector: &mut Collector<'_, '_>) -> Result<(), Refusal> {
        let run = &row.run;
        let id = &run.id;
        let why = match &run.trigger {
            Trigger::Schedule => "was created because it was due".to_owned(),
            Trigger::CatchUp => "was created to make up for what was missed".to_owned(),
            Trigger::Manual { .. } => "was asked for by hand".to_owned(),
            Trigger::Retry { of } => format!("was created to try {of} again"),
        };
        // Such a record is born ended, so that there is nothing else to tell of it.
        if row.wait_until.is_none()
            && let Phase::Stopped { ended, reason } = &run.phase
        {
            let several = run.slots.filter(|slots| slots.count > 1);
            let times = several.map_or_else(String::new, |slots| format!(" for {}", times(slots)));
            let text = format!("{id} recorded that nothing was started{times}, because {}", word(reason));
            return collector.add_step(id, "completedAt", ended.completed_at, text);
        }
        let several = run.slots.filter(|slots| slots.count > 1);
        let times = several.map_or_else(String::new, |slots| format!(", for {}", times(slots)));
        collector.add_step(id, "id", run.triggered_at, format!("{id} {why}{times}"))?;
        for (waiting, event) in collector.waits(run)? {
            let behind = match &waiting.behind {
                Some(ahead) => format!(", behind {}", collector.named(ahead)?),
                None => String::new(),
            };
            let text = format!("{id} waited {}{behind}", waited(waiting.what));
            collector.add_with(waiting.since, text, Some(event));
        }
        if let Some(started) = run.started_at() {
            let by = run.instance_id.as_ref().map_or_else(String::new, |by| format!(" in window {by}"));
            collector.add_step(id, "startedAt", started, format!("{id} started{by}"))?;
        }
        if let Some(ended) = run.ended() {
            let close = match &ended.closed_by {
                Some(close) => {
                    collector.add_close(close, ended.completed_at)?;
                    format!(", because of {close}")
                }
                None => String::new(),
            };
            let text = format!("{id} {}{close}", end(run));
            collector.add_step(id, "completedAt", ended.completed_at, text)?;
        }
        Ok(())
    }
}
