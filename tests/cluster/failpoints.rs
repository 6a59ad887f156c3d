//! One window dies, or something in it fails, between any two of its steps: whoever comes after it finds a ledger that
//! can be gone on with, and nothing is left, lost or done twice.
//!
//! The same lives are lived again and again. The first time it is counted how often each reaches each point; a point that
//! none of them reaches fails the test, so that a new one needs a life in which it means something.

mod aftermath;
mod life;
mod serving;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::Builder;

use sexton::failpoint::{Effect, Failpoint, Process};

use crate::support::{Place, clock};
use life::Acknowledged;

/// Lives at a time. Each mostly waits for processes and for the disk.
const AT_ONCE: usize = 6;

/// Times of a point of which many mean something else, at most.
const MANY: u32 = 8;

/// The same in the life of a window that serves: its own points stand at most of its commits.
const FEW: u32 = 4;

/// How often a case is lived because its life was shorter than it was counted: what waits together shares a commit, and
/// what a busy machine is slow to begin is begun by whoever stands by.
const LIVES: usize = 4;

/// Who goes on where a window has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heir {
    /// One that is open meanwhile.
    StandsBy,
    /// One that is opened when the other has gone.
    ComesLater,
}

const HEIRS: [Heir; 2] = [Heir::ComesLater, Heir::StandsBy];

/// How a window lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Life {
    /// It carries out commands.
    Commands(Heir),
    /// It carries out prompts itself, and closes. Another one is open meanwhile, and goes on.
    Serving,
}

/// What is to fail, and when.
#[derive(Clone, Copy, Debug)]
struct Case {
    point: Failpoint,
    effect: Effect,
    at: u32,
    life: Life,
}

impl Case {
    fn choice(&self) -> String {
        format!("{}:{}:{}", self.point.name(), self.effect.name(), self.at)
    }
}

/// How often each point was reached, and whether one has failed.
struct Reached {
    times: BTreeMap<String, u32>,
    failed: bool,
}

impl Reached {
    fn read(place: &Place) -> Reached {
        let log = std::fs::read_to_string(life::log(place)).unwrap_or_default();
        let mut reached = Reached { times: BTreeMap::new(), failed: false };
        for line in log.lines() {
            let (point, effect) = line.split_once(' ').unwrap_or((line, ""));
            *reached.times.entry(point.to_owned()).or_default() += 1;
            reached.failed |= !effect.is_empty();
        }
        reached
    }

    /// Of a point of guards: how many guards reached it at most. One that carries out a precheck as well may reach it
    /// twice.
    fn times(&self, point: Failpoint) -> u32 {
        let times = |point: Failpoint| self.times.get(point.name()).copied().unwrap_or(0);
        match point.process() {
            Process::Sidecar => times(point),
            Process::Guard => times(point).min(times(Failpoint::BeforeGuard)),
        }
    }
}

/// Lives once, and looks at what comes of it.
fn live(case: Option<Case>, life: Life) -> Reached {
    let place = Place::new();
    if matches!(life, Life::Commands(_)) {
        life::leave_a_dead_window(&place);
    }
    let log = life::log(&place);
    let mut environment = vec![("SEXTON_FAILPOINT_LOG", log.to_str().expect("a path"))];
    let choice = case.as_ref().map(Case::choice);
    environment.extend(choice.as_deref().map(|choice| ("SEXTON_FAILPOINT", choice)));
    let mut window = life::spawn(&place, &environment);
    let mut noted = Acknowledged::default();
    if case.is_some() {
        window.may_fail();
    }
    let opened = life::begin(&mut window);
    // Later than the other, which is to own the bell.
    let mut heir = (life == Life::Commands(Heir::StandsBy)).then(|| life::open(&place));
    let lived = opened.and_then(|()| match life {
        Life::Commands(_) => life::live(&mut window, &mut noted),
        Life::Serving => {
            let other = heir.get_or_insert_with(|| life::open(&place));
            serving::live(&mut window, other, &mut noted)
        }
    });
    let exit_code = window.exit_code();
    serving::note_starts(&mut window, &place);
    drop(window);
    let mut heir = heir.unwrap_or_else(|| life::open(&place));
    aftermath::check(&place, &mut heir, &noted);
    heir.finish();
    aftermath::nothing_lives(&place);

    let reached = Reached::read(&place);
    let dies =
        case.is_some_and(|case| case.effect == Effect::Abort && case.point.process() == Process::Sidecar);
    if dies && reached.failed {
        assert_eq!((lived, exit_code, noted.shut_down), (None, None, false), "it ends at its point");
    } else {
        assert_eq!((lived, exit_code, noted.shut_down), (Some(()), Some(0), true), "it lives on");
    }
    reached
}

/// Lives until the point has failed, and gives what went wrong.
fn try_case(mut case: Case) -> Result<(), String> {
    for _ in 0..LIVES {
        let lived = catch_unwind(AssertUnwindSafe(|| live(Some(case), case.life)));
        let reached = lived.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("{case:?}: {}", text.unwrap_or_default())
        })?;
        if reached.failed {
            return Ok(());
        }
        let times = reached.times(case.point);
        // A guard whose run was taken back in time does not come so far.
        if times >= case.at && case.point.process() == Process::Sidecar {
            return Err(format!("{case:?}: it was reached {times} times and did not fail"));
        }
        case.at = case.at.min(times).max(1);
    }
    Err(format!("{case:?}: it is not reached so often"))
}

/// The times that stand for all: the first, the second and the last, and some between where each commit is another.
fn times(point: Failpoint, count: u32) -> BTreeSet<u32> {
    let between = if is_a_commit(point) { count.div_ceil(MANY).max(1) } else { count.max(1) };
    let regular = (1..=count).step_by(usize::try_from(between).expect("a number"));
    regular.chain([1, 2, count]).filter(|at| (1..=count).contains(at)).collect()
}

/// Each time that such a point is reached means something else.
fn is_a_commit(point: Failpoint) -> bool {
    matches!(point, Failpoint::BeforeCommit | Failpoint::AfterCommit)
}

/// In which lives a point is tried, and when.
fn tried(point: Failpoint, counted: &BTreeMap<Life, Reached>) -> Vec<(u32, Life)> {
    let most = HEIRS.map(|heir| counted[&Life::Commands(heir)].times(point)).into_iter().min();
    let most = most.expect("heirs");
    let times = times(point, most);
    let mut tried = Vec::new();
    for (number, at) in times.iter().enumerate() {
        // Where one time is all, it is tried with both; else they take turns.
        let of_this = if times.len() == 1 { &HEIRS[..] } else { &HEIRS[number % 2..][..1] };
        tried.extend(of_this.iter().map(|heir| (*at, Life::Commands(*heir))));
    }
    // Where the other lives come by, they stand for this one as well; what is committed is its own.
    let most = counted[&Life::Serving].times(point);
    let times: BTreeSet<u32> = match (is_a_commit(point), times.is_empty()) {
        (true, _) => (1..=FEW).map(|part| most * part / FEW).filter(|at| *at > 0).collect(),
        (false, true) => [1, most].into_iter().filter(|at| (1..=most).contains(at)).collect(),
        (false, false) => BTreeSet::new(),
    };
    tried.extend(times.into_iter().map(|at| (at, Life::Serving)));
    tried
}

fn cases(counted: &BTreeMap<Life, Reached>) -> Vec<Case> {
    let mut cases = Vec::new();
    for point in Failpoint::ALL {
        let tried = tried(*point, counted);
        assert!(!tried.is_empty(), "{point:?} is never reached: extend a life for it");
        for effect in point.effects() {
            cases.extend(tried.iter().map(|(at, life)| Case {
                point: *point,
                effect: *effect,
                at: *at,
                life: *life,
            }));
        }
    }
    cases
}

#[test]
fn whatever_fails_between_two_steps_the_next_window_goes_on_and_nothing_is_lost_or_done_twice() {
    let began = clock();
    let lives = HEIRS.map(Life::Commands).into_iter().chain([Life::Serving]);
    let counted: BTreeMap<Life, Reached> = lives.map(|life| (life, live(None, life))).collect();
    let cases = cases(&counted);
    let (total, waiting, wrong) = (cases.len(), Mutex::new(cases), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let work = || {
                loop {
                    let next = waiting.lock().expect("the cases").pop();
                    let Some(case) = next else { return };
                    if let Err(sentence) = try_case(case) {
                        wrong.lock().expect("what went wrong").push(sentence);
                    }
                }
            };
            Builder::new().name("life".to_owned()).spawn_scoped(scope, work).expect("a thread");
        }
    });
    println!("{total} lives in {:?}", began.elapsed());
    let wrong = wrong.into_inner().expect("what went wrong");
    assert!(wrong.is_empty(), "{} of {total} lives:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_choice_that_is_none_ends_the_sidecar_with_a_sentence() {
    let place = Place::new();
    for arguments in [["--stdio"].as_slice(), &["serve", "--headless"]] {
        let mut sidecar = Command::new(env!("CARGO_BIN_EXE_sexton"));
        sidecar.args(arguments).current_dir(place.project()).stdin(Stdio::null());
        sidecar.env("SEXTON_STATE_DIR", place.state()).env("SEXTON_FAILPOINT", "before_comit:abort:1");
        let ended = sidecar.output().expect("a sidecar");
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains("there is no point") && told.contains("before_commit"), "{told}");
    }
}

#[test]
fn a_command_does_not_find_the_choice_in_its_environment() {
    let place = Place::new();
    let log = life::log(&place);
    let chosen = [
        ("SEXTON_FAILPOINT", "guard_before_last_word:abort:9"),
        ("SEXTON_FAILPOINT_LOG", log.to_str().expect("a path")),
    ];
    let mut client = life::spawn(&place, &chosen);
    client.initialize();
    client.subscribe(serde_json::json!({}));
    let environment = crate::support::drafts::shell("env > environment");
    let automation = client.create(crate::support::drafts::dormant("environment", environment));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    let environment = place.lines("environment");
    assert!(environment.iter().any(|line| line.starts_with("SEXTON_RUN_ID=")), "{environment:?}");
    let found: Vec<&String> = environment.iter().filter(|line| line.contains("FAILPOINT")).collect();
    assert!(found.is_empty(), "{found:?}");
    // The guard had been told all the same.
    assert_eq!(Reached::read(&place).times(Failpoint::GuardBeforeLastWord), 1);
    client.finish();
}
