//! What will happen, found out by having it happen: the engine decides in a copy of the rows in memory, by a clock that
//! is moved from one thing to the next, and nothing is really done.
//!
//! [`play`] does what the windows would do, [`work`] is what they carry out, [`before`] makes of the copy what is assumed, and [`told`] keeps what becomes
//! of the slots. [`remembered`] saves most of the work. What is assumed is said where it is promised: [`Simulation`].

mod before;
mod fate;
mod lengths;
mod play;
mod remembered;
mod timetable;
mod told;
mod work;

use super::create;
use super::settle::CATCH_UP_SPACING_MS;
use crate::domain::automation::Actor;
use crate::domain::clock::{Boot, Reading};
use crate::domain::draft::{Commitment, CreateParams, Draft};
use crate::domain::id::AutomationId;
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Limits;
use crate::domain::simulation::{SimulateRequest, Simulation};
use crate::domain::time::Timestamp;
use crate::domain::worktree::Vcs;
use crate::ledger::{MemoryCopy, View};
use lengths::Lengths;
use play::Play;
use told::{Told, Wanted};

/// How many instants are decided at most at which anything happens: a few seconds of work, after which nobody waits for an
/// answer any more.
const PLAYED: u64 = 10_000;

/// How many instants and slots are told at most by what is remembered of others: a second or two more.
const REMEMBERED: u64 = 2_000_000;

/// By which means what happens is found out. It makes no difference but in how long that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Each instant is decided.
    Decisions,
    /// Those that are like others are told by what has come of these.
    Memory,
}

/// What a simulation depends on beside the rows and what is asked.
pub struct Around<'a> {
    /// What the machine's clocks show now.
    pub reading: Reading,
    /// In which boot they show that.
    pub boot: &'a Boot,
    /// Who asks: this one creates the draft.
    pub me: &'a Actor,
    /// The limits of the window that asks.
    pub limits: &'a Limits,
    /// The project's directory.
    pub project: &'a str,
    /// What keeps its history.
    pub vcs: Option<Vcs>,
    /// How long the answer is waited for; it is asked at each instant.
    pub patience: &'a dyn Fn() -> Patience,
}

/// Whether an answer is still waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It is.
    Lasts,
    /// What has been found out by now is the answer.
    Over,
    /// Nobody waits for any.
    Gone,
}

/// Everything that is read for a simulation, at one moment of the ledger.
pub struct Prepared {
    copy: MemoryCopy,
    lengths: Lengths,
    now: Timestamp,
    request: SimulateRequest,
    /// The places of the automations that are asked for by name.
    named: Option<Vec<i64>>,
}

/// Reads what a simulation from now on needs; nothing of the ledger is looked at after this.
///
/// # Errors
/// When an automation is not there, or the ledger fails.
pub fn prepare(view: &View<'_>, now: Timestamp, request: SimulateRequest) -> Result<Prepared, Refusal> {
    let place = |id: &AutomationId| match view.stored_automation(id)? {
        Some(automation) => Ok(automation.row()),
        None => Err(super::no_automation(id)),
    };
    let named = match &request.ids {
        Some(ids) => Some(ids.iter().map(place).collect::<Result<_, Refusal>>()?),
        None => None,
    };
    let copy = MemoryCopy::of(view, turns_after(now))?;
    let lengths = Lengths::known(view, &copy, &request)?;
    Ok(Prepared { copy, lengths, now, request, named })
}

/// What will become of the slots that were asked for.
///
/// # Errors
/// When the draft cannot be created, nobody waits for the answer any more, or there is no memory.
pub fn simulate(prepared: Prepared, around: &Around<'_>, means: Means) -> Result<Simulation, Refusal> {
    let Prepared { copy, lengths, now, request, named } = prepared;
    let mut play = Play::new(&copy, around, now, lengths);
    play.prepare()?;
    let draft = match request.draft {
        Some(draft) => Some(create_draft(&mut play, draft)?),
        None => None,
    };
    let automations = match (named, draft) {
        (None, None) => None,
        (named, draft) => Some(named.into_iter().flatten().chain(draft).collect()),
    };
    let wanted = Wanted { from: request.from, to: request.to, automations, draft };
    let mut told = Told::new(wanted, play.grace_ms()?);
    let simulated_through = match go_through(&mut play, &mut told, request.to, means)? {
        Simulated::All => request.to,
        // Of what is due at that instant nothing has been decided.
        Simulated::Before(at) => at.plus_ms(-1),
    };
    play.tell_active(&mut told)?;
    Ok(told.finish(simulated_through, &play.lengths))
}

/// How far a simulation has come.
enum Simulated {
    /// As far as it was to.
    All,
    /// Up to this instant, at which something would have happened.
    Before(Timestamp),
}

fn go_through(
    play: &mut Play<'_>,
    told: &mut Told,
    to: Timestamp,
    means: Means,
) -> Result<Simulated, Refusal> {
    let mut budget = Budget::default();
    let mut next = Some(play.now);
    while let Some(at) = next.filter(|at| *at <= to) {
        if !play.has_time()? || !budget.take_played() {
            return Ok(Simulated::Before(at));
        }
        play.have_happen(at)?;
        play.fates_of_ended(told)?.iter().for_each(|fate| told.tell(fate));
        if means == Means::Memory && remembered::is_quiet(&play.tx, at)? {
            return remembered::go_on(play, told, to, &mut budget);
        }
        next = play.next_at()?;
    }
    Ok(Simulated::All)
}

/// How much a simulation may still do.
#[derive(Default)]
struct Budget {
    played: u64,
    remembered: u64,
}

impl Budget {
    /// Whether one more instant may be played.
    fn take_played(&mut self) -> bool {
        self.played += 1;
        self.played <= PLAYED
    }

    /// Whether one more may be told by what is remembered, at which so many are due.
    fn take_remembered(&mut self, due: usize) -> bool {
        self.remembered += 1 + u64::try_from(due).unwrap_or(u64::MAX);
        self.remembered <= REMEMBERED
    }
}

/// Creates the draft by the rules by which it would be created, and gives its place.
fn create_draft(play: &mut Play<'_>, draft: Draft) -> Result<i64, Refusal> {
    let params = CreateParams { draft, commitment: Commitment::Real, key: None, note: None };
    let created = play.decide_as_asked(|tx, context| create::create(tx, context, params))?;
    play.place_of(&created.id)
}

/// A catch-up whose turn came before this keeps no other one waiting.
fn turns_after(now: Timestamp) -> Timestamp {
    now.plus_ms(-CATCH_UP_SPACING_MS)
}
