//! What a claim, a look of the loop and a page of runs cost among few runs and among many.
//!
//! In this process, through the library, on files. Each is timed on the thread of the ledger that does it, so that
//! waking that thread does not cover what is asked: whether the number of runs matters.

mod history;

use std::io;

use sexton::domain::id::AutomationId;
use sexton::domain::request::ListRuns;
use sexton::domain::run::machine::State;
use sexton::ledger::Stored;

use self::history::{History, automations, triggered_at};
use super::World;
use crate::broken;
use crate::clock::{ms_since, now};
use crate::spread::{Rounds, quantile};
use crate::table::{Row, Table, goal, number, p50_and_p99, times};

/// Runs in each ledger, in rising order: with few samples, and for the published figures. The last is compared with the
/// first; those between show that there is no step on the way.
const RUNS: ([i64; 3], [i64; 3]) = ([10_000, 50_000, 200_000], [10_000, 1_000_000, 10_000_000]);

/// A page as clients get it if they do not say how long, and the run after it that tells whether there is more.
const PAGE: usize = 50 + 1;

/// The span of a page that is bounded by times: an hour, of which a page shows the end.
const SPAN_MS: i64 = 3_600_000;

/// p99 of a page in milliseconds.
const PAGE_WITHIN_MS: f64 = 1.0;

/// What may be added by many runs.
const TIMES_FEW: f64 = 2.0;

/// What is timed.
#[derive(Clone, Copy)]
enum Deed {
    /// A tick fires one slot: deciding that.
    Claim,
    /// The same until it is on disk.
    ClaimOnDisk,
    /// When there will be something to do.
    NextAt,
    Newest,
    OfAutomation,
    InState,
    /// Beginning at a cursor that may be anywhere.
    AtCursor,
    /// Of a time that may be any.
    OfTime,
    /// Of one automation, in a state in which none of its runs is.
    OfAutomationInState,
}

impl Deed {
    const ALL: [Deed; 9] = [
        Deed::Claim,
        Deed::ClaimOnDisk,
        Deed::NextAt,
        Deed::Newest,
        Deed::OfAutomation,
        Deed::InState,
        Deed::AtCursor,
        Deed::OfTime,
        Deed::OfAutomationInState,
    ];

    fn what(self) -> &'static str {
        match self {
            Deed::Claim => "a tick that fires one slot, decided",
            Deed::ClaimOnDisk => "a tick that fires one slot, on disk",
            Deed::NextAt => "nothing due: the next time looked up",
            Deed::Newest => "a page of runs: the newest",
            Deed::OfAutomation => "a page of runs: of one automation",
            Deed::InState => "a page of runs: failed",
            Deed::AtCursor => "a page of runs: at a cursor anywhere",
            Deed::OfTime => "a page of runs: of a time anywhere",
            Deed::OfAutomationInState => "a page of runs: of one automation, stopped (none is)",
        }
    }

    fn goal(self, p99: f64, ratio: f64) -> String {
        let flat = ratio <= TIMES_FEW;
        match self {
            // That is the disk's.
            Deed::ClaimOnDisk => String::new(),
            Deed::Claim | Deed::NextAt => goal("at most 2 ×", flat),
            Deed::Newest
            | Deed::OfAutomation
            | Deed::InState
            | Deed::AtCursor
            | Deed::OfTime
            | Deed::OfAutomationInState => {
                goal("p99 within 1 ms, at most 2 ×", flat && p99 <= PAGE_WITHIN_MS)
            }
        }
    }
}

/// Quantiles of each round.
#[derive(Default)]
struct Took {
    p50: Rounds,
    p99: Rounds,
}

/// A ledger, and what it took there.
struct Side {
    history: History,
    runs: i64,
    automations: Vec<AutomationId>,
    took: [Took; Deed::ALL.len()],
    /// Counts samples, so that each looks elsewhere.
    samples: usize,
}

pub(super) fn measure(world: &World<'_>, table: &mut Table) -> io::Result<()> {
    let (fewer, usual) = RUNS;
    let place = world.tools.place("size")?;
    let make = |runs: i64| {
        let begin = now();
        let history = History::make(&place.state().join(runs.to_string()), runs)?;
        eprintln!("  {} runs were made in {} s", number(runs as f64), number(ms_since(begin) / 1e3));
        let automations = automations(&history)?;
        Ok::<_, io::Error>(Side { history, runs, automations, took: Default::default(), samples: 0 })
    };
    let mut sides = world.effort.of(fewer, usual).into_iter().map(make).collect::<io::Result<Vec<_>>>()?;
    let rounds = world.effort.of(2, 15);
    // The first round finds no page in memory, and does not count.
    for round in 0..=rounds {
        eprintln!("  round {round} of {rounds}");
        for (place, deed) in Deed::ALL.into_iter().enumerate() {
            for side in &mut sides {
                let (p50, p99) = side.round(deed, world.effort.of(20, 200))?;
                if round > 0 {
                    side.took[place].p50.push(p50);
                    side.took[place].p99.push(p99);
                }
            }
        }
    }
    let [few, .., many] = sides.as_slice() else { return Ok(()) };
    for (place, deed) in Deed::ALL.into_iter().enumerate() {
        tell(table, deed, (few.runs, &few.took[place]), (many.runs, &many.took[place]));
    }
    table.detail(detail(&sides));
    Ok(())
}

fn quantiles(took: &Took) -> String {
    p50_and_p99(took.p50.median() * 1e3, took.p99.median() * 1e3, "µs")
}

fn tell(table: &mut Table, deed: Deed, (few, beside): (i64, &Took), (many, took): (i64, &Took)) {
    let (p50, p99) = (took.p50.over(&beside.p50).median(), took.p99.over(&beside.p99).median());
    table.row(Row {
        what: format!("among {} runs, {}", number(many as f64), deed.what()),
        ours: quantiles(took),
        peer: format!("sexton, among {}: {}", number(few as f64), quantiles(beside)),
        ratio: format!("{}, {}", times(p50), times(p99)),
        goal: deed.goal(took.p99.median(), p50.max(p99)),
    });
}

/// What everything took in each of the ledgers, in a table of its own.
fn detail(sides: &[Side]) -> String {
    let heads: Vec<String> = sides.iter().map(|side| format!("{} runs", number(side.runs as f64))).collect();
    let mut text = format!(
        "Claims and looks by the number of runs:\n\n| among | {} |\n|---|{}\n",
        heads.join(" | "),
        "---|".repeat(sides.len())
    );
    for (place, deed) in Deed::ALL.into_iter().enumerate() {
        let each: Vec<String> = sides.iter().map(|side| quantiles(&side.took[place])).collect();
        text.push_str(&format!("| {} | {} |\n", deed.what(), each.join(" | ")));
    }
    text
}

impl Side {
    /// The quantiles of so many samples.
    fn round(&mut self, deed: Deed, samples: usize) -> io::Result<(f64, f64)> {
        let mut took = (0..samples).map(|_| self.sample(deed)).collect::<io::Result<Vec<f64>>>()?;
        took.sort_unstable_by(f64::total_cmp);
        Ok((quantile(&took, 0.5), quantile(&took, 0.99)))
    }

    fn sample(&mut self, deed: Deed) -> io::Result<f64> {
        self.samples += 1;
        let wanted = ListRuns { limit: PAGE, ..ListRuns::default() };
        match deed {
            Deed::Claim => self.history.claim().map(|claim| claim.decided),
            Deed::ClaimOnDisk => self.history.claim().map(|claim| claim.on_disk),
            Deed::NextAt => self.history.next_at(),
            Deed::Newest => self.page(PAGE, wanted),
            Deed::OfAutomation => {
                let automation = self.automations[self.samples % self.automations.len()].clone();
                self.page(PAGE, ListRuns { automation: Some(automation), ..wanted })
            }
            Deed::InState => self.page(PAGE, ListRuns { states: vec![State::Failed], ..wanted }),
            Deed::AtCursor => {
                let before = self.somewhere();
                self.page(PAGE, ListRuns { before: Some(before), ..wanted })
            }
            Deed::OfTime => {
                let to = triggered_at(self.runs, self.somewhere());
                let from = to.plus_ms(-SPAN_MS);
                self.page(PAGE, ListRuns { from: Some(from), to: Some(to), ..wanted })
            }
            Deed::OfAutomationInState => {
                let automation = self.automations[self.samples % self.automations.len()].clone();
                let states = vec![State::Stopped];
                self.page(0, ListRuns { automation: Some(automation), states, ..wanted })
            }
        }
    }

    /// A place that has a page before it: another one each time, evenly all over the ledger.
    fn somewhere(&self) -> i64 {
        /// The golden section puts each place far from those before it.
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let part = (self.samples as f64 * GOLDEN).fract();
        // Rows count from 1, and those before the cursor are shown.
        let first = PAGE as f64 + 1.0;
        (first + part * (self.runs as f64 - first)) as i64
    }

    /// How long a page takes that is to have so many runs.
    fn page(&self, runs: usize, wanted: ListRuns) -> io::Result<f64> {
        let (found, ms) = self.history.look_again(move |view| {
            let rows = view.list_runs(&wanted)?;
            Ok((rows.into_iter().filter_map(Stored::known).count(), view.newest_seq()?))
        })?;
        match found.0 == runs {
            true => Ok(ms),
            false => Err(broken(format!("a page has {} runs instead of {runs}", found.0))),
        }
    }
}
