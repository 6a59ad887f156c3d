//! Many windows that change things at random, while some of them go, die and come: one history, the same in each.
//!
//! `SEXTON_STREAMS_SEED` chooses another walk.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::{Value, json};

use crate::rng::{Rng, from_environment};
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell, with};
use crate::support::{Place, clock, eventually, kind};

const SEED: u64 = 1;
const WINDOWS: usize = 16;
const CHANGES: usize = 1000;

/// Requests of one window that are on their way at once, at most.
const IN_FLIGHT: usize = 4;

/// Few enough that runs wait for each other, which is told as well.
const RUNS_AT_ONCE: i64 = 8;

/// Before which changes a window goes in an orderly way.
const GO: [usize; 2] = [CHANGES * 3 / 10, CHANGES * 7 / 10];

/// Before which change the window that owns the bell is killed, and another one takes its place.
const DIES: usize = CHANGES / 2;

/// What a change is refused for when another window was there first.
const REFUSALS: [&str; 3] = ["active_run_still_running", "automation_conflict", "not_found"];

fn open(place: &Place) -> Client {
    place.open_with(json!({"maxConcurrentRuns": RUNS_AT_ONCE}))
}

/// A window that follows everything.
struct Window {
    client: Client,
    subscription: String,
    /// What the window was told whose place this one has taken.
    before: Vec<Value>,
    asked: VecDeque<(String, Change)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Create,
    Update,
    Pause,
    Resume,
    Delete,
    Run,
    Cancel,
}

/// How often each is asked for.
const CHANGES_OF_TWENTY: [(Change, usize); 7] = [
    (Change::Create, 3),
    (Change::Update, 6),
    (Change::Pause, 2),
    (Change::Resume, 2),
    (Change::Delete, 1),
    (Change::Run, 4),
    (Change::Cancel, 2),
];

impl Window {
    fn following(mut client: Client, params: Value, before: Vec<Value>) -> Window {
        let subscription = client.subscribe(params);
        Window { client, subscription, before, asked: VecDeque::new() }
    }

    /// Everything that it has been told.
    fn told(&self) -> Vec<Value> {
        [self.before.clone(), self.client.events(&self.subscription)].concat()
    }

    fn ask(&mut self, change: Change, method: &str, params: Value) {
        let id = self.client.send(method, params);
        self.asked.push_back((id, change));
    }

    /// Waits until no more requests than these are on their way.
    fn settle(&mut self, at_most: usize, known: &mut Known) {
        while self.asked.len() > at_most
            && let Some((id, change)) = self.asked.pop_front()
        {
            let answer = self.client.answer(&id);
            known.learn(change, answer);
        }
    }
}

/// What the test knows from answers.
#[derive(Default)]
struct Known {
    automations: Vec<Value>,
    runs: Vec<Value>,
    granted: BTreeMap<Change, usize>,
    refused: BTreeMap<(Change, String), usize>,
}

impl Known {
    fn learn(&mut self, change: Change, answer: Result<Value, Value>) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                assert!(REFUSALS.contains(&kind(&error)), "{change:?}: {error}");
                *self.refused.entry((change, kind(&error).to_owned())).or_default() += 1;
                return;
            }
        };
        *self.granted.entry(change).or_default() += 1;
        match change {
            Change::Create => self.automations.push(answer["id"].clone()),
            Change::Run => self.runs.push(answer["id"].clone()),
            // What is on its way to it meanwhile is refused.
            Change::Delete => self.automations.retain(|id| *id != answer["id"]),
            Change::Update | Change::Pause | Change::Resume | Change::Cancel => {}
        }
    }
}

/// Something to do: reminders, commands that end at once, and some that end only when they are asked to.
fn draft(rng: &mut Rng, number: usize) -> Value {
    let task = match rng.within(0..10) {
        0..3 => json!({"kind": "notify", "text": format!("look {number}")}),
        3..8 => shell("true"),
        _ => shell("exec sleep 1000"),
    };
    let access = if rng.one_in(4) { "write" } else { "read" };
    with(dormant(&format!("made {number}"), task), "access", json!(access))
}

fn change_something(rng: &mut Rng, window: &mut Window, known: &Known, number: usize) {
    let change = CHANGES_OF_TWENTY.map(|(change, times)| vec![change; times]).concat();
    let change = *rng.pick(&change).expect("changes");
    let automation = rng.pick(&known.automations).map(|id| json!({"id": id}));
    // The newest are likelier to be at work.
    let newest = known.runs.len().saturating_sub(20);
    let run = rng.pick(&known.runs[newest..]).map(|id| json!({"id": id}));
    match (change, automation, run) {
        (Change::Create, _, _) | (_, None, _) | (Change::Cancel, _, None) => {
            window.ask(Change::Create, "automation/create", draft(rng, number));
        }
        (Change::Update, Some(automation), _) => {
            let patch = match rng.one_in(2) {
                true => json!({"title": format!("changed {number}")}),
                false => json!({"policy": {"queueMs": 60_000 + rng.within(0..1000)}}),
            };
            window.ask(change, "automation/update", with(automation, "patch", patch));
        }
        (Change::Pause, Some(automation), _) => window.ask(change, "automation/pause", automation),
        (Change::Resume, Some(automation), _) => window.ask(change, "automation/resume", automation),
        (Change::Delete, Some(automation), _) => window.ask(change, "automation/delete", automation),
        (Change::Run, Some(automation), _) => window.ask(change, "automation/run", automation),
        (Change::Cancel, Some(_), Some(run)) => window.ask(change, "run/cancel", run),
    }
}

/// Has everything end that is still at work or waits, and gives the last seq: nothing follows.
fn come_to_rest(client: &mut Client) -> i64 {
    let active = json!({"states": ["scheduled", "running"], "limit": 100});
    // A second wish would kill what the first one ends.
    let mut cancelled = HashSet::new();
    eventually("every run has ended", || {
        let listed = client.get("run/list", active.clone());
        let runs = listed["items"].as_array().expect("runs");
        for run in runs {
            if cancelled.insert(run["id"].clone()) {
                client.get("run/cancel", json!({"id": run["id"]}));
            }
        }
        runs.is_empty().then(|| listed["seq"].as_i64().expect("a seq"))
    })
}

fn seq(event: &Value) -> i64 {
    event["seq"].as_i64().expect("a seq")
}

/// What lists show now is what was told last.
fn compare_with_lists(client: &mut Client, whole: &[Value]) {
    let mut newest = HashMap::new();
    for event in whole {
        for object in [&event["automation"], &event["run"]] {
            newest.insert(object["id"].clone(), object);
        }
    }
    for method in ["automation/list", "run/list"] {
        let (mut cursor, mut shown) = (None, 0);
        loop {
            let mut params = json!({"limit": 100});
            if let Some(cursor) = &cursor {
                params = with(params, "cursor", json!(cursor));
            }
            let page = client.get(method, params);
            for item in page["items"].as_array().expect("items") {
                assert_eq!(newest.get(&item["id"]), Some(&item), "as it was told last");
                shown += 1;
            }
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert!(shown > 20, "{method}: {shown}");
    }
}

#[test]
fn sixteen_windows_are_told_the_same_history() {
    let seed = from_environment("SEXTON_STREAMS_SEED", SEED);
    // It is shown when the test fails.
    println!("SEXTON_STREAMS_SEED={seed}");
    let (mut rng, began) = (Rng::seeded(seed), clock());
    let place = Place::new();
    // All are there before the first change, so that each is told of every one.
    let clients: Vec<Client> = (0..WINDOWS).map(|_| open(&place)).collect();
    assert_eq!(clients[0].opened["scheduler"]["owner"], true);
    let follow = |client| Window::following(client, json!({}), Vec::new());
    let mut windows: Vec<Window> = clients.into_iter().map(follow).collect();
    let (mut known, mut gone) = (Known::default(), Vec::new());
    println!("opened after {:?}", began.elapsed());
    for number in 0..CHANGES {
        if GO.contains(&number) {
            let mut window = windows.remove(windows.len() / 2);
            window.settle(0, &mut known);
            gone.push(window.told());
            window.client.finish();
        }
        if number == DIES {
            let mut window = windows.remove(0);
            // Some of what it was asked for may be done or not: nobody waits for it.
            window.client.take_in();
            let told = window.told();
            window.client.kill();
            let after = told.last().map_or(0, seq);
            println!("it died after {after}, with {} requests on their way", window.asked.len());
            windows.push(Window::following(open(&place), json!({"after": after}), told));
        }
        let at = rng.within(0..i64::try_from(windows.len()).expect("a number"));
        let window = &mut windows[usize::try_from(at).expect("an index")];
        window.settle(IN_FLIGHT - 1, &mut known);
        change_something(&mut rng, window, &known, number);
    }
    windows.iter_mut().for_each(|window| window.settle(0, &mut known));
    println!("changed after {:?}", began.elapsed());
    let end = come_to_rest(&mut windows[0].client);
    println!("at rest after {:?}; granted {:?}; refused {:?}", began.elapsed(), known.granted, known.refused);

    let mut late = Window::following(open(&place), json!({"after": 0}), Vec::new());
    for window in windows.iter_mut().chain([&mut late]) {
        window.client.wait_for_event("the last event", |event| event["seq"].as_i64() >= Some(end));
    }
    println!("{end} events told after {:?}", began.elapsed());
    let whole = late.told();
    assert_eq!(whole.iter().map(seq).collect::<Vec<_>>(), (1..=end).collect::<Vec<_>>());
    // What those were told that have gone is the beginning of it, and a good part.
    let after_opening = windows[0].told().first().map_or(0, seq);
    let of = |from: i64, count: usize| &whole[usize::try_from(from - 1).expect("a seq")..][..count];
    for (part, at) in gone.iter().zip(GO) {
        assert!(part.len() > at / 2, "{} events of {at} changes", part.len());
        assert!(part == of(after_opening, part.len()), "a window that has gone was told otherwise");
    }
    let all = of(after_opening, whole.len() + 1 - usize::try_from(after_opening).expect("a seq"));
    for (number, window) in windows.iter().enumerate() {
        let told = window.told();
        let differs = told.iter().zip(all).find(|(one, other)| one != other);
        assert!(told.len() == all.len() && differs.is_none(), "{number}: {} events, {differs:?}", told.len());
    }
    compare_with_lists(&mut late.client, &whole);
    for id in known.automations.iter().chain(&known.runs) {
        let of = |event: &Value| event["automation"]["id"] == *id || event["run"]["id"] == *id;
        assert!(whole.iter().any(of), "{id} was granted and never told");
    }
    for window in windows.into_iter().chain([late]) {
        window.client.finish();
    }
    println!("over after {:?}", began.elapsed());
}
