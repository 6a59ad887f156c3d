//! Windows that are killed, stopped and robbed of the owner's lock, again and again, while automations are due all the
//! time: every slot is answered for once, no run begins twice, and nothing is left.
//!
//! What has really been begun is told by the spawn log, into which each command writes before it does anything else.
//! `SEXTON_TORTURE_SEED` chooses another order of acts, and `SEXTON_TORTURE=long` many more of them.

mod audit;
mod life;

use serde_json::{Value, json};

use crate::killed::{all_gone, mark};
use crate::rng::{Rng, from_environment, text_from_environment};
use crate::support::drafts::{every, shell, with};
use crate::support::{Place, clock};
use life::Life;

const SEED: u64 = 1;

/// How much of everything there is.
#[derive(Clone, Copy, Debug)]
struct Plan {
    windows: usize,
    /// Windows that are killed, each of which another one takes the place of.
    kills: usize,
    /// How often the window that owns the bell is stopped in the midst of whatever it does.
    stops: usize,
    /// How often the file of the owner's lock is removed.
    deletions: usize,
}

const SHORT: Plan = Plan { windows: 6, kills: 18, stops: 4, deletions: 3 };
const LONG: Plan = Plan { windows: 16, kills: 200, stops: 20, deletions: 20 };

/// Which of them is asked for.
fn plan() -> Plan {
    match text_from_environment("SEXTON_TORTURE").as_deref() {
        None | Some("short") => SHORT,
        Some("long") => LONG,
        Some(other) => panic!("SEXTON_TORTURE={other}: write `long`, `short`, or nothing"),
    }
}

/// Something that is done to windows that are at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// A window is killed, as often as not the one that owns the bell.
    Kill,
    /// The window that owns the bell is stopped. It is continued or killed later.
    Stop,
    /// The file of the owner's lock is removed.
    Delete,
}

impl Plan {
    fn acts(self, rng: &mut Rng) -> Vec<Act> {
        let all = [(Act::Kill, self.kills), (Act::Stop, self.stops), (Act::Delete, self.deletions)];
        let mut left = all.map(|(act, times)| vec![act; times]).concat();
        let mut acts = Vec::new();
        while !left.is_empty() {
            let at = rng.within(0..i64::try_from(left.len()).expect("a number"));
            acts.push(left.swap_remove(usize::try_from(at).expect("an index")));
        }
        acts
    }
}

/// What each line of the spawn log has: the automation, the slot, the run, and the process that wrote it.
const LOG: &str = r#"echo "$SEXTON_AUTOMATION_ID $SEXTON_SCHEDULED_AT $SEXTON_RUN_ID $$" >> log"#;

/// Automations that fire and wait in different ways: title, interval, access, and what follows the line in the log.
const AUTOMATIONS: [(&str, i64, &str, &str); 5] = [
    ("ticks", 200, "read", ""),
    ("writes", 500, "write", ""),
    // It is at work when its next slot comes, and keeps the other writer waiting.
    ("takes its time", 400, "write", "; sleep 0.5"),
    // What it leaves behind has left the session as well.
    ("leaves something", 900, "read", "; setsid sleep 1000 & sleep 0.1"),
    // As many do not end by themselves before their window is killed.
    ("lasts", 1500, "read", "; sleep 3"),
];

fn drafts() -> Vec<Value> {
    let draft = |(title, every_ms, access, after): (&str, i64, &str, &str)| {
        let draft = every(title, every_ms, shell(&format!("{LOG}{after}")));
        let draft = with(draft, "access", json!(access));
        // Nothing is pruned meanwhile, and failures end nothing, so that everything can be counted at the end.
        with(draft, "policy", json!({"keep": {"runs": 100_000}, "pauseAfterFailures": null}))
    };
    AUTOMATIONS.into_iter().map(draft).collect()
}

#[test]
fn whatever_dies_stops_or_is_removed_every_slot_is_answered_for_once_and_nothing_is_left() {
    let seed = from_environment("SEXTON_TORTURE_SEED", SEED);
    // It is shown when the test fails.
    println!("SEXTON_TORTURE_SEED={seed}");
    let (plan, began) = (plan(), clock());
    let mut rng = Rng::seeded(seed);
    let acts = plan.acts(&mut rng);
    let place = Place::new();
    let mut life = Life::begin(&place, rng, plan.windows);
    for draft in drafts() {
        life.windows[0].client.create(draft);
    }
    life.goes_on();
    for (number, act) in acts.iter().enumerate() {
        match act {
            Act::Kill => life.kill_one(),
            Act::Stop => life.stop_the_owner(number),
            Act::Delete => life.delete_the_lock(),
        }
        life.let_go_of_those_stopped_before(number);
    }
    life.let_go_of_all();
    life.goes_on();
    let ended_after = began.elapsed();
    let (mut windows, deeds, told) = life.come_to_rest();
    all_gone(&mark(&place));
    let audit = audit::Audit::of(&windows[0]);
    let found = audit.check_all(&place, &windows);
    let end = audit.same_history(&place, &mut windows, &told);
    windows.into_iter().for_each(|window| window.client.finish());
    all_gone(place.state().to_str().expect("a path"));

    println!("{plan:?}: {deeds}");
    println!("{found}");
    println!("{end} events, the same in {} windows", told.len() + plan.windows);
    println!("acts took {ended_after:?}, all of it {:?}", began.elapsed());
}
