//! When which automation is due next, and what else of it decides about its slots.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use crate::domain::automation::{Task, When};
use crate::domain::prompt::SessionContext;
use crate::domain::refusal::Refusal;
use crate::domain::schedule::rhythm::{Schedule, Stop};
use crate::domain::time::Timestamp;
use crate::engine::derive;
use crate::ledger::{AutomationRow, Tx};

/// A place in the timetable.
pub(super) type Place = usize;

/// See the module.
#[derive(Default)]
pub(super) struct Timetable {
    entries: Vec<Entry>,
    places: HashMap<i64, Place>,
    /// The next slots, and some that are not the next ones any more.
    queue: BinaryHeap<Reverse<(Timestamp, Place)>>,
    standings: HashMap<Standing, u32>,
}

/// What is known of an automation.
struct Entry {
    automation: i64,
    /// Its schedule, and from when on it counts; none where this machine does not know the zone.
    schedule: Option<(Schedule, Timestamp)>,
    next: Option<Timestamp>,
    /// Every slot up to this one is answered for.
    answered_through: Timestamp,
    standing: Standing,
    /// Stands for all that are equal.
    standing_number: u32,
    /// Whether the rows do not say so yet.
    ahead_of_rows: bool,
}

/// What of an automation changes with its runs and decides about the next ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    epoch: i64,
    is_over: bool,
    is_paused: bool,
    failure_streak: i64,
    /// Where they are limited.
    completed_runs: Option<i64>,
    /// Where the next run goes on in it.
    session_id: Option<String>,
}

impl Standing {
    fn of(row: &AutomationRow) -> Standing {
        let is_counted = match &row.definition.when {
            When::Recurring { stop: Stop::Count(_), .. } => true,
            When::Recurring { stop: Stop::Never | Stop::Until(_), .. } | When::Oneshot { .. } => false,
        };
        let goes_on = match &row.definition.task {
            Task::Prompt(prompt) => prompt.context == SessionContext::Continue,
            Task::Command(_) | Task::Notify { .. } => false,
        };
        Standing {
            epoch: row.epoch.number,
            is_over: row.epoch.ended_at.is_some(),
            is_paused: row.pause.is_some(),
            failure_streak: row.failure_streak,
            completed_runs: is_counted.then_some(row.completed_runs),
            session_id: row.session_id.clone().filter(|_| goes_on),
        }
    }

    /// Whether the schedule goes on as it did before.
    fn goes_on_as(&self, before: &Standing) -> bool {
        (self.epoch, self.is_over, self.is_paused) == (before.epoch, before.is_over, before.is_paused)
    }
}

/// How an automation has come out of an instant.
pub(super) enum Came {
    /// Its slots go on as its schedule says, and it stands like this.
    AsUsual(Standing),
    /// Otherwise.
    Otherwise,
}

impl Timetable {
    /// All that are due by then.
    pub(super) fn due_by(tx: &Tx<'_>, to: Timestamp) -> Result<Timetable, Refusal> {
        let mut timetable = Timetable::default();
        for automation in tx.due_automations(to, usize::MAX)? {
            // What cannot be understood does not fire, here as in the ledger.
            match timetable.place_of(tx, automation) {
                Err(refusal) if refusal.is_about_the_rows() => tx.set_aside(automation)?,
                placed => drop(placed?),
            }
        }
        Ok(timetable)
    }

    /// When anything is due next.
    pub(super) fn next_at(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((at, place))) = self.queue.peek() {
            if self.entries[*place].next == Some(*at) {
                return Some(*at);
            }
            self.queue.pop();
        }
        None
    }

    /// Those that are due at this instant, in order, and stay so.
    pub(super) fn look_at_due(&mut self, at: Timestamp) -> Vec<Place> {
        let due = self.due_at(at);
        self.queue.extend(due.iter().map(|place| Reverse((at, *place))));
        due
    }

    /// Those that are due at this instant, in order. They are due no more.
    pub(super) fn due_at(&mut self, at: Timestamp) -> Vec<Place> {
        let mut due = BTreeSet::new();
        while self.next_at() == Some(at)
            && let Some(Reverse((_, place))) = self.queue.pop()
        {
            due.insert(place);
        }
        due.into_iter().collect()
    }

    /// How it stands, as a number that stands for all that are equal.
    pub(super) fn standing(&self, place: Place) -> u32 {
        self.entries[place].standing_number
    }

    /// The place of an automation, which it is given if it has none.
    pub(super) fn place_of(&mut self, tx: &Tx<'_>, automation: i64) -> Result<Place, Refusal> {
        if let Some(place) = self.places.get(&automation) {
            return Ok(*place);
        }
        let place = self.entries.len();
        let row = tx.automation_at(automation)?;
        let standing = Standing::of(&row);
        let standing_number = self.number(&standing);
        self.entries.push(Entry {
            automation,
            schedule: None,
            next: None,
            answered_through: row.epoch.answered_through,
            standing,
            standing_number,
            ahead_of_rows: false,
        });
        self.places.insert(automation, place);
        self.read(place, &row);
        Ok(place)
    }

    /// Takes over what an instant has made of an automation, which was due then or not.
    pub(super) fn look_again(
        &mut self,
        tx: &Tx<'_>,
        place: Place,
        at: Timestamp,
        was_due: bool,
    ) -> Result<Came, Refusal> {
        let row = tx.automation_at(self.entries[place].automation)?;
        let expected = match was_due {
            true => self.entries[place].after(at),
            false => self.entries[place].next,
        };
        let before = self.entries[place].standing.clone();
        let standing = Standing::of(&row);
        self.read(place, &row);
        // What could not be decided about is set aside.
        let entry = &mut self.entries[place];
        entry.next = entry.next.filter(|next| *next > at);
        let as_usual = standing.goes_on_as(&before) && row.next_fire_at == expected;
        Ok(if as_usual { Came::AsUsual(standing) } else { Came::Otherwise })
    }

    /// An automation was due and its slot is answered for, without that in the rows.
    pub(super) fn go_on(&mut self, place: Place, at: Timestamp) {
        let entry = &mut self.entries[place];
        entry.next = entry.after(at);
        entry.answered_through = at;
        entry.ahead_of_rows = true;
        self.queue.extend(entry.next.map(|next| Reverse((next, place))));
    }

    /// An automation stands like this now, without that in the rows.
    pub(super) fn stand(&mut self, place: Place, standing: &Standing) {
        let number = self.number(standing);
        let entry = &mut self.entries[place];
        entry.standing = standing.clone();
        entry.standing_number = number;
        entry.ahead_of_rows = true;
    }

    /// Has the rows say what is so.
    pub(super) fn write(&mut self, tx: &Tx<'_>) -> Result<(), Refusal> {
        for entry in self.entries.iter_mut().filter(|entry| entry.ahead_of_rows) {
            let mut row = tx.automation_at(entry.automation)?;
            if entry.answered_through > row.epoch.answered_through {
                tx.move_watermark(&mut row, entry.answered_through)?;
            }
            row.failure_streak = entry.standing.failure_streak;
            row.completed_runs = entry.standing.completed_runs.unwrap_or(row.completed_runs);
            row.session_id = entry.standing.session_id.clone().or(row.session_id);
            row.next_fire_at = derive::next_fire(&row);
            tx.update_automation(&row)?;
            entry.ahead_of_rows = false;
        }
        Ok(())
    }

    /// Takes over what the rows say.
    fn read(&mut self, place: Place, row: &AutomationRow) {
        let standing = Standing::of(row);
        let number = self.number(&standing);
        let entry = &mut self.entries[place];
        if entry.schedule.is_none() || entry.standing.epoch != standing.epoch {
            let schedule = row.definition.schedule().ok();
            entry.schedule = schedule.map(|schedule| (schedule, row.epoch.effective_at));
        }
        entry.next = row.next_fire_at;
        entry.answered_through = row.epoch.answered_through;
        entry.standing = standing;
        entry.standing_number = number;
        self.queue.extend(entry.next.map(|next| Reverse((next, place))));
    }

    fn number(&mut self, standing: &Standing) -> u32 {
        let fresh = u32::try_from(self.standings.len()).unwrap_or(u32::MAX);
        match self.standings.get(standing) {
            Some(number) => *number,
            None => *self.standings.entry(standing.clone()).or_insert(fresh),
        }
    }
}

impl Entry {
    /// The slot after this instant.
    fn after(&self, at: Timestamp) -> Option<Timestamp> {
        let (schedule, effective_at) = self.schedule.as_ref()?;
        schedule.next_after(*effective_at, at)
    }
}
