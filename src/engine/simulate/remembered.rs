//! Instants that are like others are not decided again.
//!
//! What the engine decides at an instant follows from the runs that have not ended, with their times as seen from there,
//! from the automations that are due, and from what changes of an automation with its runs. Nothing in it depends on
//! what the clock shows otherwise: that is all in the schedules, which say what is due. So the first instant of its kind
//! is played, and what has come of it is remembered: which runs there are then, and what has become of slots. Those that
//! are like it are told by that, until one comes that is like none before; then the rows are made what they would be by
//! then, and it is played. What cannot be told so is never remembered (see [`Timetable::look_again`] and [`is_quiet`]).

use std::collections::{BTreeSet, HashMap};

use super::fate::Fate;
use super::play::{Play, PutOff};
use super::timetable::{Came, Place, Standing, Timetable};
use super::told::Told;
use super::{Budget, Simulated};
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::run::WaitingFor;
use crate::domain::time::Timestamp;
use crate::ledger::{Frozen, Tx};

/// How many runs are kept in all states together: some 30 MB. What comes after that is played.
const KEPT_RUNS: usize = 10_000;

/// The runs that have not ended, as they are after an instant and seen from it.
struct State {
    frozen: Frozen,
    /// What is known of each beside its row.
    carried: Vec<Carried>,
    around: Around,
}

/// What is known of a run beside its row.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    pub(super) ends_in_ms: Option<i64>,
    /// For how long it is put off, and by which window.
    pub(super) put_off: Option<(i64, usize)>,
    pub(super) waited: Option<WaitingFor>,
}

/// What it needs to go on from a state.
#[derive(Clone)]
struct Around {
    /// The state's number, if it is kept.
    number: Option<usize>,
    /// The automations that have these runs.
    active: Vec<Place>,
    /// In how many milliseconds something happens that is no slot.
    wakes_in_ms: Option<i64>,
}

/// An instant that is like others: which state it comes after and how much later, what is due, and how the automations
/// stand that are due or have runs.
#[derive(PartialEq, Eq, Hash)]
struct Kind {
    state: usize,
    after_ms: i64,
    due: Vec<(Place, u32)>,
    active: Vec<u32>,
}

/// What comes of such an instant, with times as seen from it.
struct Step {
    leads_to: usize,
    fates: Vec<Fate>,
    standings: Vec<(Place, Standing)>,
}

#[derive(Default)]
struct Memory {
    states: Vec<State>,
    numbers: HashMap<Vec<u8>, usize>,
    steps: HashMap<Kind, Step>,
    kept_runs: usize,
}

/// Whether what follows depends only on what is remembered by: slots are claimed when they are due, none is late, and
/// nobody is about to delete an automation.
pub(super) fn is_quiet(tx: &Tx<'_>, now: Timestamp) -> Result<bool, Refusal> {
    let claims = tx
        .clock()?
        .is_none_or(|row| row.anew.is_none() && row.known.held_until().is_none_or(|until| until <= now));
    Ok(claims
        && tx.due_automations(now, 1)?.is_empty()
        && tx.void_delete_wishes(Timestamp::MAX, 1)?.is_empty())
}

/// Goes on from a quiet instant until a time is over.
pub(super) fn go_on(
    play: &mut Play<'_>,
    told: &mut Told,
    to: Timestamp,
    budget: &mut Budget,
) -> Result<Simulated, Refusal> {
    let mut timetable = Timetable::due_by(&play.tx, to)?;
    let mut memory = Memory::default();
    let mut around = memory.take_in(play, &mut timetable)?;
    // Whether the rows are those of an earlier instant.
    let mut rows_are_behind = false;
    let simulated = loop {
        let has_time = play.has_time()?;
        let wakes_at = around.wakes_in_ms.map(|ms| play.now.plus_ms(ms));
        let next = wakes_at.into_iter().chain(timetable.next_at()).min();
        let Some(at) = next.filter(|at| *at <= to) else { break Simulated::All };
        if !has_time {
            break Simulated::Before(at);
        }
        let kind = memory.kind(&around, play.now, at, &mut timetable);
        if let Some(step) = kind.as_ref().and_then(|kind| memory.steps.get(kind)) {
            let due = timetable.due_at(at);
            if !budget.take_remembered(due.len()) {
                break Simulated::Before(at);
            }
            for fate in &step.fates {
                told.tell(&fate.later_by(at.as_millis()));
            }
            for (place, standing) in &step.standings {
                timetable.stand(*place, standing);
            }
            for place in due {
                timetable.go_on(place, at);
            }
            around = memory.states[step.leads_to].around.clone();
            play.now = at;
            rows_are_behind = true;
            continue;
        }
        if !budget.take_played() {
            break Simulated::Before(at);
        }
        if std::mem::take(&mut rows_are_behind) {
            memory.bring_to_the_present(&around, play, &mut timetable)?;
        }
        let due: BTreeSet<Place> = timetable.due_at(at).into_iter().collect();
        play.have_happen(at)?;
        let fates = play.fates_of_ended(told)?;
        fates.iter().for_each(|fate| told.tell(fate));
        let before = around;
        around = memory.take_in(play, &mut timetable)?;
        let involved: BTreeSet<Place> =
            due.iter().chain(&before.active).chain(&around.active).copied().collect();
        let (mut standings, mut as_usual) = (Vec::new(), true);
        for place in involved {
            match timetable.look_again(&play.tx, place, at, due.contains(&place))? {
                Came::AsUsual(standing) => standings.push((place, standing)),
                Came::Otherwise => as_usual = false,
            }
        }
        if let (Some(kind), Some(leads_to), true) = (kind, around.number, as_usual) {
            let fates = fates.iter().map(|fate| fate.later_by(-at.as_millis())).collect();
            memory.steps.insert(kind, Step { leads_to, fates, standings });
        }
    };
    if rows_are_behind {
        memory.bring_to_the_present(&around, play, &mut timetable)?;
    }
    Ok(simulated)
}

impl Memory {
    /// Takes in what there is now.
    fn take_in(&mut self, play: &Play<'_>, timetable: &mut Timetable) -> Result<Around, Refusal> {
        let (mut frozen, carried) = play.freeze()?;
        let wakes_in_ms = play.next_beside_slots()?.map(|at| at.since_ms(play.now));
        let active = frozen.automations.iter().map(|automation| timetable.place_of(&play.tx, *automation));
        let active = active.collect::<Result<Vec<Place>, Refusal>>()?;
        let mut around = Around { number: None, active, wakes_in_ms };
        // What has ended and is needed on is in no state.
        if !play.seen.is_empty() {
            return Ok(around);
        }
        let mut meaning = std::mem::take(&mut frozen.meaning);
        meaning.extend(format!("{carried:?}").into_bytes());
        if let Some(number) = self.numbers.get(&meaning) {
            around.number = Some(*number);
        } else if self.kept_runs + carried.len() <= KEPT_RUNS {
            let number = self.states.len();
            self.kept_runs += carried.len();
            around.number = Some(number);
            self.numbers.insert(meaning, number);
            self.states.push(State { frozen, carried, around: around.clone() });
        }
        Ok(around)
    }

    /// Of which kind the next instant is; none if that cannot be told.
    fn kind(
        &self,
        around: &Around,
        now: Timestamp,
        at: Timestamp,
        timetable: &mut Timetable,
    ) -> Option<Kind> {
        let state = around.number?;
        // Where there is no run nothing tells how much time has passed.
        let after_ms = if self.states[state].carried.is_empty() { 0 } else { at.since_ms(now) };
        let due = timetable.look_at_due(at);
        let due = due.into_iter().map(|place| (place, timetable.standing(place))).collect();
        let active = around.active.iter().map(|place| timetable.standing(*place)).collect();
        Some(Kind { state, after_ms, due, active })
    }

    /// Has the rows say what is so now.
    fn bring_to_the_present(
        &self,
        around: &Around,
        play: &mut Play<'_>,
        timetable: &mut Timetable,
    ) -> Result<(), Refusal> {
        timetable.write(&play.tx)?;
        match around.number {
            Some(number) => {
                let State { frozen, carried, .. } = &self.states[number];
                play.thaw(frozen, carried)
            }
            // One that has come by what is remembered is kept.
            None => Err(Refusal::Internal("a simulation has lost where it was".to_owned())),
        }
    }
}

impl Play<'_> {
    /// The runs that have not ended, as seen from now, and what is known of each beside its row.
    fn freeze(&self) -> Result<(Frozen, Vec<Carried>), Refusal> {
        let frozen = self.copy.freeze(self.now)?;
        let later = |PutOff { until, by }: &PutOff| (until.since_ms(self.now), *by);
        let carried = frozen.ids.iter().map(|id: &RunId| Carried {
            ends_in_ms: self.work.get(id).map(|at| at.since_ms(self.now)),
            put_off: self.put_off.get(id).map(later).filter(|(ms, _)| *ms > 0),
            waited: self.waited.get(id).copied(),
        });
        let carried = carried.collect();
        Ok((frozen, carried))
    }

    /// Has these be the runs that have not ended, as they are seen from now.
    fn thaw(&mut self, frozen: &Frozen, carried: &[Carried]) -> Result<(), Refusal> {
        self.copy.thaw(frozen, self.now)?;
        self.work.clear();
        self.put_off.clear();
        self.waited.clear();
        for (id, Carried { ends_in_ms, put_off, waited }) in frozen.ids.iter().zip(carried) {
            let at = |ms: &i64| self.now.plus_ms(*ms);
            self.work.extend(ends_in_ms.as_ref().map(|ms| (id.clone(), at(ms))));
            let put_off = put_off.as_ref().map(|(ms, by)| PutOff { until: at(ms), by: *by });
            self.put_off.extend(put_off.map(|put_off| (id.clone(), put_off)));
            self.waited.extend(waited.map(|what| (id.clone(), what)));
        }
        Ok(())
    }
}
