//! Runs that are cancelled from another window, at every stage of their life: what was shown as stopped never starts.
//! One stage is of the window that works alone: no other knows of a run that is cancelled in the write that asks for it.
//!
//! Each command writes its run's id into the spawn log before it does anything else, so that what counts is what was
//! done. `SEXTON_CANCELLING_SEED` chooses another order.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::killed::{all_gone, mark};
use crate::rng::{Rng, from_environment};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Gate, Place, children_of, clock, eventually, processes_with};

const SEED: u64 = 1;

/// Runs that are cancelled at each stage.
const EACH: usize = 30;

/// More than there are runs: none waits for another.
const RUNS_AT_ONCE: usize = 1000;

/// When a run is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// With the request for the run and the one that cancels it in one write, both by the window that works. Its id is
    /// not known to anybody yet, so it is cancelled by the deletion of its automation.
    SameWrite,
    /// When the run was answered, which its guard is not ready for.
    Answered,
    /// When the window that cancels is told of the run.
    Told,
    /// When the window that works is told that it runs.
    Running,
    /// When its command has written into the log.
    Logged,
    /// While its command comes to its end by itself.
    Ending,
    /// Around the moment in which it begins.
    Beginning,
}

const STAGES: [Stage; 7] = [
    Stage::SameWrite,
    Stage::Answered,
    Stage::Told,
    Stage::Running,
    Stage::Logged,
    Stage::Ending,
    Stage::Beginning,
];

/// What a cancel found: all that can be seen from outside of how far the run had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    NotBegun,
    Begun,
    Running,
    Done,
}

struct Cancelled {
    stage: Stage,
    run: Value,
    /// None where the cancel does not tell.
    found: Option<Found>,
}

/// Does something that takes a moment, a random number of steps below this one.
fn work(rng: &mut Rng, steps: i64) {
    for _ in 0..rng.within(0..steps) {
        std::hint::black_box(rng.one_in(2));
    }
}

const ENDLESS: &str = "echo $SEXTON_RUN_ID >> log; exec sleep 1000";
const HELD: &str = "echo $SEXTON_RUN_ID >> log; read line < gate";

struct Windows {
    place: Place,
    /// The window that works.
    working: Client,
    /// Its subscription, and how much of that was looked at.
    told: (String, usize),
    /// The window that cancels what the other one does.
    cancelling: Client,
    gate: Gate,
    /// The steps of work that fit between the answer to a run and its beginning, more or less.
    begins_after: i64,
    /// The runs by their ids, with the lines that each had in the log when it was first shown as stopped.
    lines_when_stopped: HashMap<String, usize>,
}

impl Windows {
    fn open() -> Windows {
        let place = Place::new();
        let open = || place.open_with(json!({"maxConcurrentRuns": RUNS_AT_ONCE}));
        let (mut working, mut cancelling) = (open(), open());
        cancelling.subscribe(json!({}));
        let told = (working.subscribe(json!({})), 0);
        let gate = place.gate("gate");
        let lines_when_stopped = HashMap::new();
        Windows { place, working, told, cancelling, gate, begins_after: 10_000, lines_when_stopped }
    }

    fn lines_of(&self, run: &str) -> usize {
        self.place.lines("log").iter().filter(|line| *line == run).count()
    }

    /// Somebody was shown this run. If it has stopped, nothing of it is there, and nothing may come any more.
    fn shown(&mut self, run: &Value) {
        let id = run["id"].as_str().expect("an id").to_owned();
        if run["state"] == "stopped" && !self.lines_when_stopped.contains_key(&id) {
            let left = processes_with(&format!("SEXTON_RUN_ID={id}"));
            assert!(left.is_empty(), "{left:?} outlive {run}");
            self.lines_when_stopped.insert(id.clone(), self.lines_of(&id));
        }
    }

    /// Looks at what the working window has been told since the last time.
    fn look_at_news(&mut self) {
        self.working.take_in();
        let (subscription, seen) = &mut self.told;
        let news = self.working.events(subscription).split_off(*seen);
        *seen += news.len();
        for event in news.iter().filter(|event| event["run"].is_object()) {
            self.shown(&event["run"]);
        }
    }

    /// The draft of a run that keeps nobody waiting.
    fn automation(&mut self, line: &str) -> Value {
        self.working.create(with(dormant("cancelled", shell(line)), "access", json!("read")))
    }

    /// Cancels a run from the other window, and gives what had become of it by then.
    fn cancel(&mut self, run: &Value) -> Found {
        let asked = self.cancelling.get("run/cancel", json!({"id": run}));
        self.shown(&asked);
        match asked["state"].as_str() {
            Some("scheduled") => Found::Begun,
            Some("running") => Found::Running,
            Some("succeeded") => Found::Done,
            _ => Found::NotBegun,
        }
    }

    /// Has a run cancelled at this stage.
    fn cancel_at(&mut self, stage: Stage, rng: &mut Rng) -> Cancelled {
        let automation = self.automation(if stage == Stage::Ending { HELD } else { ENDLESS });
        if stage == Stage::SameWrite {
            return Cancelled { stage, run: self.cancel_in_one_write(&automation), found: None };
        }
        let run = self.working.run(&automation);
        match stage {
            Stage::SameWrite | Stage::Answered => {}
            Stage::Told => drop(self.cancelling.wait_for_run(&run, "scheduled")),
            Stage::Running => drop(self.working.wait_for_run(&run, "running")),
            Stage::Logged => self.wait_for_line(&run),
            Stage::Ending => {
                self.wait_for_line(&run);
                self.gate.open();
                work(rng, self.begins_after);
            }
            Stage::Beginning => work(rng, 2 * self.begins_after),
        }
        let found = self.cancel(&run);
        if stage == Stage::Beginning {
            // On any machine it comes before the beginning about as often as after it.
            self.begins_after = match found {
                Found::NotBegun => self.begins_after * 3 / 2,
                Found::Begun | Found::Running | Found::Done => (self.begins_after * 2 / 3).max(100),
            };
        }
        Cancelled { stage, run, found: Some(found) }
    }

    fn wait_for_line(&self, run: &Value) {
        let id = run.as_str().expect("an id");
        eventually("it has logged", || (self.lines_of(id) > 0).then_some(()));
    }

    fn cancel_in_one_write(&mut self, automation: &Value) -> Value {
        let ids = [json!(format!("run {automation}")), json!(format!("delete {automation}"))];
        let request = |id: &Value, method: &str, params: Value| {
            json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
        };
        let run = request(&ids[0], "automation/run", json!({"id": automation}));
        let delete = request(&ids[1], "automation/delete", json!({"id": automation, "activeRun": "cancel"}));
        // Framed as one message, both lines go in one write.
        self.working.message(&format!("{run}\n{delete}"));
        let run = self.working.answer(&ids[0].to_string()).expect("a run");
        let deleted = self.working.answer(&ids[1].to_string()).expect("its work has gone");
        let stopped = &deleted["stoppedRuns"][0];
        assert_eq!((&stopped["id"], &stopped["state"]), (&run["id"], &json!("stopped")));
        self.shown(stopped);
        run["id"].clone()
    }
}

#[test]
fn what_another_window_has_cancelled_never_starts_afterwards() {
    let seed = from_environment("SEXTON_CANCELLING_SEED", SEED);
    println!("SEXTON_CANCELLING_SEED={seed}");
    let (mut rng, began) = (Rng::seeded(seed), clock());
    let mut windows = Windows::open();
    let mut left = STAGES.map(|stage| vec![stage; EACH]).concat();
    let mut runs = Vec::new();
    while !left.is_empty() {
        let next = rng.within(0..i64::try_from(left.len()).expect("a number"));
        let stage = left.swap_remove(usize::try_from(next).expect("an index"));
        // What follows is not waited for: other runs begin and end meanwhile.
        runs.push(windows.cancel_at(stage, &mut rng));
        windows.look_at_news();
    }
    println!("all cancelled after {:?}", began.elapsed());
    let active = json!({"states": ["scheduled", "running"]});
    eventually("all have ended", || {
        windows.look_at_news();
        (windows.cancelling.get("run/list", active.clone())["items"] == json!([])).then_some(())
    });
    println!("all ended after {:?}", began.elapsed());
    // Nothing may be there any more that could start something, while the windows still live.
    all_gone(&mark(&windows.place));
    let guarding = windows.working.pid();
    eventually("the last guard has gone", || children_of(guarding).is_empty().then_some(()));

    let mut hit: BTreeMap<(Stage, Option<Found>, &str, usize), usize> = BTreeMap::new();
    for Cancelled { stage, run, found } in &runs {
        let ended = windows.cancelling.get("run/get", json!({"id": run}));
        windows.shown(&ended);
        let id = run.as_str().expect("an id");
        let (lines, started) = (windows.lines_of(id), !ended["startedAt"].is_null());
        assert!(lines <= 1, "{stage:?}: started {lines} times: {ended}");
        assert!(started || lines == 0, "{stage:?}: what is said never to have started did: {ended}");
        let end = match (ended["state"].as_str(), ended["stopReason"].as_str()) {
            (Some("stopped"), Some("cancelled")) => {
                assert_eq!(windows.lines_when_stopped.get(id), Some(&lines), "{stage:?}: {ended}");
                if started { "stopped" } else { "stopped before it started" }
            }
            (Some("succeeded"), None) => {
                assert_eq!(lines, 1, "{stage:?}: {ended}");
                "succeeded"
            }
            _ => panic!("{stage:?}: neither cancelled nor done: {ended}"),
        };
        *hit.entry((*stage, *found, end, lines)).or_default() += 1;
    }
    for ((stage, found, end, lines), times) in &hit {
        let found = found.map_or("nobody looked".to_owned(), |found| format!("{found:?}"));
        println!("{times:3} times: {stage:?}: {found}, then {end}, spawned {lines} times");
    }
    let with = |spawns: usize| -> usize {
        hit.iter().filter(|(key, _)| key.3 == spawns).map(|(_, times)| times).sum()
    };
    let (never, once) = (with(0), with(1));
    assert_eq!(never + once, STAGES.len() * EACH);
    assert!(never > EACH && once > EACH, "both kinds are hit: {never} times no spawn, {once} times one");
    assert_eq!(windows.place.lines("log").len(), once, "nothing else has logged");
    windows.cancelling.finish();
    windows.working.finish();
}
