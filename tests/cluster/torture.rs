//! Windows that are killed, stopped and robbed of their locks, on a machine whose disk fills up and whose clock jumps, among
//! clients that behave badly and people who change things: every slot is answered for once, no run begins twice, what was
//! acknowledged is there, and nothing is left.
//!
//! What has really been begun is told by the spawn log, into which each command writes before it does anything else.
//! `SEXTON_TORTURE=10m` goes on for so long, with 16 windows; without it each kind of act is done a few times.
//! `SEXTON_TORTURE_SEED` chooses another order of acts, `SEXTON_TORTURE_WINDOWS` how many windows there are.

mod audit;
mod bad_clients;
mod bounds;
mod clocks;
mod disk;
mod edits;
mod evidence;
mod known;
mod life;
mod served;
mod storage;

use std::time::Duration;

use serde_json::{Value, json};

use crate::chosen;
use crate::killed::{all_gone, mark};
use crate::rng::Rng;
use crate::support::drafts::{every, shell, with};
use crate::support::{Place, clock};
use disk::{Disk, Ground, Voice, ground};
use evidence::Evidence;
use life::Life;

/// What is tortured, and for how long.
#[derive(Clone, Copy, Debug)]
struct Plan {
    windows: usize,
    /// Else each act of one round is done.
    lasts: Option<Duration>,
    seed: u64,
}

impl Plan {
    fn chosen() -> Plan {
        let lasts = chosen::span("SEXTON_TORTURE");
        let usual = if lasts.is_some() { 16 } else { 6 };
        let windows = chosen::number("SEXTON_TORTURE_WINDOWS", usual, 3..=64);
        let seed = chosen::number("SEXTON_TORTURE_SEED", 1, 0..=u64::MAX);
        Plan { windows: usize::try_from(windows).expect("a number"), lasts, seed }
    }
}

/// Something that is done to windows that are at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// A window is killed, as often as not the one that owns the bell.
    Kill,
    /// A window is killed that was asked for a change a moment ago.
    KillAsked,
    /// The window that owns the bell is stopped. It is continued or killed later.
    StopOwner,
    /// Any window is stopped.
    StopAny,
    /// The file of the owner's lock is removed.
    DeleteOwnerLock,
    /// The file is removed by whose lock a window shows that it lives.
    DeleteInstanceLock,
    /// The disk with the state directory is full for a while.
    FillDisk,
    /// No window may write files beyond some size for a while.
    LimitFiles,
    /// The clock is set by less than the grace.
    Nudge,
    /// The clock is set ahead by more than the grace.
    Ahead,
    /// The clock is set back by more than the grace.
    Behind,
    /// The clock is set ahead by more than a day, and back.
    DayAhead,
    /// The machine sleeps.
    Sleep,
    /// Another window comes whose client behaves badly.
    BadClient,
    /// Somebody changes something, or asks for a run.
    Edit,
}

/// How often each act is done in a round; then they come in another order.
const ROUND: [(Act, usize); 15] = [
    (Act::Kill, 5),
    (Act::KillAsked, 2),
    (Act::StopOwner, 2),
    (Act::StopAny, 1),
    (Act::DeleteOwnerLock, 1),
    (Act::DeleteInstanceLock, 1),
    (Act::FillDisk, 1),
    (Act::LimitFiles, 1),
    (Act::Nudge, 2),
    (Act::Ahead, 1),
    (Act::Behind, 1),
    (Act::DayAhead, 1),
    (Act::Sleep, 1),
    (Act::BadClient, bad_clients::KINDS.len()),
    (Act::Edit, 18),
];

/// The acts of a round, in an order that chance chooses.
fn round(rng: &mut Rng) -> Vec<Act> {
    let mut left = ROUND.map(|(act, times)| vec![act; times]).concat();
    let mut acts = Vec::new();
    while !left.is_empty() {
        let at = rng.within(0..i64::try_from(left.len()).expect("a number"));
        acts.push(left.swap_remove(usize::try_from(at).expect("an index")));
    }
    acts
}

/// What each line of the spawn log has: the automation, the slot, or 0 if somebody asked for the run, the run, and the process
/// that wrote it. A limit on the size of files is that of the window.
const LOG: &str = r#"ulimit -S -f unlimited; echo "$SEXTON_AUTOMATION_ID ${SEXTON_SCHEDULED_AT:-0} $SEXTON_RUN_ID $$" >> log"#;

/// Automations that are there all the time, and fire and wait in different ways: title, interval, access, what becomes of
/// missed slots, and what follows the line in the log.
const AUTOMATIONS: [(&str, i64, &str, &str, &str); 5] = [
    ("ticks", 200, "read", "skip", ""),
    ("writes", 500, "write", "skip", ""),
    // It is at work when its next slot comes, and keeps the other writer waiting.
    ("takes its time", 400, "write", "runOnce", "; sleep 0.5"),
    // What it leaves behind has left the session as well.
    ("leaves something", 900, "read", "skip", "; setsid sleep 1000 & sleep 0.1"),
    // As many do not end by themselves before their window is killed.
    ("lasts", 1500, "read", "skip", "; sleep 3"),
];

/// Nothing is pruned meanwhile, and failures end nothing, so that everything can be counted at the end.
fn policy(missed: &str) -> Value {
    json!({"keep": {"runs": 1_000_000, "days": 3650}, "pauseAfterFailures": null, "missed": {"kind": missed}})
}

fn drafts() -> Vec<Value> {
    let draft = |(title, every_ms, access, missed, after): (&str, i64, &str, &str, &str)| {
        let draft = every(title, every_ms, shell(&format!("{LOG}{after}")));
        with(with(draft, "access", json!(access)), "policy", policy(missed))
    };
    AUTOMATIONS.into_iter().map(draft).collect()
}

/// The name of the test, by which it runs itself again.
const TEST: &str = "torture::whatever_is_done_to_them_every_slot_is_answered_for_once_and_nothing_is_left";

#[test]
fn whatever_is_done_to_them_every_slot_is_answered_for_once_and_nothing_is_left() {
    let plan = Plan::chosen();
    let voice = if plan.lasts.is_some() { Voice::Meanwhile } else { Voice::AtTheEnd };
    let place = Place::new();
    println!("SEXTON_TORTURE_SEED={}, {} windows, {:?}", plan.seed, plan.windows, plan.lasts);
    let disk = match ground(TEST, voice) {
        Ground::HasRun(told) => return print!("{told}"),
        Ground::Inside => Some(Disk::mount(&place.state())),
        Ground::Bare => None,
    };
    println!("{}", torture(plan, &place, disk));
}

/// Gives what was done and found.
fn torture(plan: Plan, place: &Place, disk: Option<Disk>) -> String {
    let Plan { windows, lasts, seed } = plan;
    let (mut rng, began) = (Rng::seeded(seed), clock());
    let evidence = Evidence::of(place, seed);
    let mut life = Life::begin(place, &evidence, disk.as_ref(), Rng::seeded(!seed), windows);
    for draft in drafts().into_iter().chain([served::draft()]) {
        life.create(draft);
    }
    life.goes_on();
    let is_over = |acts: usize| match lasts {
        Some(lasts) => began.elapsed() >= lasts,
        None => acts >= ROUND.iter().map(|(_, times)| times).sum(),
    };
    let mut acts = 0;
    while !is_over(acts) {
        for act in round(&mut rng) {
            if is_over(acts) {
                break;
            }
            life.let_go_of_those_stopped_before(acts);
            life.act(act, acts);
            acts += 1;
        }
        life.stays_within_bounds();
    }
    life.let_go_of_all();
    life.everything_still_fires();
    life.what_was_acknowledged_is_there();
    let acts_took = began.elapsed();
    let mut rest = life.come_to_rest();
    evidence.note("at rest");
    all_gone(&mark(place));
    let audit = audit::Audit::of(place, &rest.windows[0].client);
    let found = audit.check_all(&rest);
    let end = audit.same_history(&mut rest);
    let (living, gone) = (rest.windows.len(), rest.told.len());
    std::mem::take(&mut rest.windows).into_iter().for_each(life::Window::finish);
    all_gone(place.state().to_str().expect("a path"));

    format!(
        "{acts} acts: {}\n{found}\n{end} events, the same in {} windows\nacts took {acts_took:?}, all of it {:?}",
        rest.summary,
        gone + living,
        began.elapsed()
    )
}
