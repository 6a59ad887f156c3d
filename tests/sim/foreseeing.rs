//! What is foretold: that it does not matter how it is found out, and what is assumed.

use serde_json::{Value, json};
use sexton::domain::automation::Actor;
use sexton::domain::draft::Draft;
use sexton::domain::id::{AutomationId, InstanceId};
use sexton::domain::policy::Money;
use sexton::domain::provider::Report;
use sexton::domain::refusal::Refusal;
use sexton::domain::run::WaitingFor;
use sexton::domain::run::machine::{ErrorCode, StopReason};
use sexton::domain::scheduler::Role;
use sexton::domain::simulation::{Fire, Reason, SimulateRequest, Simulation};
use sexton::domain::time::Timestamp;
use sexton::domain::verdict::Verdict;
use sexton::engine::explain::Foretold;
use sexton::engine::simulate::{self, Around, Means, Patience, prepare};

use crate::app::AGENT;
use crate::closer::by_hand;
use crate::drafts::{every, once, policy, prompt, reminder, with};
use crate::rng::{Rng, from_environment};
use crate::sessions::continuing;
use crate::window::exited;
use crate::world::{START, World};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An hour before clocks go forward in Berlin, and before they go back.
const CLOCK_CHANGES: [i64; 2] = [1_743_292_800_000, 1_761_436_800_000];

/// Everything that a test may want of a simulation.
struct Asked {
    span_ms: i64,
    ids: Option<Vec<AutomationId>>,
    draft: Option<Draft>,
    assume_run_ms: Option<i64>,
}

impl Default for Asked {
    fn default() -> Self {
        Asked { span_ms: DAY, ids: None, draft: None, assume_run_ms: None }
    }
}

fn foretell(world: &World, asked: Asked) -> Simulation {
    try_foretell(world, asked, Means::Memory, &|| Patience::Lasts).unwrap()
}

fn try_foretell(
    world: &World,
    asked: Asked,
    means: Means,
    patience: &dyn Fn() -> Patience,
) -> Result<Simulation, Refusal> {
    let me = Actor { instance: InstanceId::from_unique("who asks"), client: None };
    let around = Around { me: &me, patience, ..around(world, &me) };
    let Asked { span_ms, ids, draft, assume_run_ms } = asked;
    let (from, to) = (world.now, world.now.plus_ms(span_ms));
    let request = SimulateRequest { from, to, ids, draft, assume_run_ms };
    simulate::simulate(prepare(&world.view(), world.now, request)?, &around, means)
}

fn around<'a>(world: &'a World, me: &'a Actor) -> Around<'a> {
    Around {
        reading: world.machine.reading(world.now),
        boot: &world.machine.boot,
        me,
        limits: &world.limits,
        project: world.directory,
        vcs: None,
        patience: &|| Patience::Lasts,
    }
}

/// When a fire is due after now, what becomes of it, and how long after that its work starts.
fn words(world: &World, fire: &Fire) -> (i64, Verdict, Option<Reason>, Option<i64>) {
    let after = fire.started_at.map(|at| at.since_ms(fire.at));
    (fire.at.since_ms(world.now), fire.outcome, fire.reason, after)
}

fn all_words(world: &World, told: &Simulation) -> Vec<(i64, Verdict, Option<Reason>, Option<i64>)> {
    told.fires.iter().map(|fire| words(world, fire)).collect()
}

/// `SEXTON_SIM_SEED` chooses others.
#[test]
fn what_is_remembered_of_other_instants_makes_no_difference() {
    let seed = from_environment("SEXTON_SIM_SEED", 2_000_000);
    let worlds = from_environment("SEXTON_SIM_WORLDS", 8);
    for seed in seed..seed + worlds {
        let mut rng = Rng::seeded(seed);
        let world = some_world(&mut rng);
        let ask = |span_ms, assume_run_ms| Asked { span_ms, assume_run_ms, ..Asked::default() };
        let lengths = [0, 1000, 61_000, 6 * MINUTE, 22 * MINUTE, 50 * MINUTE];
        let length = rng.pick(&lengths).copied().filter(|_| !rng.one_in(6));
        let span_ms = rng.within(6 * HOUR..30 * HOUR);
        let by = |means| try_foretell(&world, ask(span_ms, length), means, &|| Patience::Lasts).unwrap();
        let (memory, decisions) = (by(Means::Memory), by(Means::Decisions));
        let to = world.now.plus_ms(span_ms);
        assert_eq!(decisions.simulated_through, to, "seed {seed}: all of it is decided");
        let differs = memory.fires.iter().zip(&decisions.fires).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(memory, decisions, "seed {seed}");
        assert_eq!(memory, by(Means::Memory), "seed {seed}: a second time");
    }
}

/// A world in which the same comes again: most automations are due at round times.
fn some_world(rng: &mut Rng) -> World {
    let mut world = World::new();
    world.own_sessions = true;
    world.limits.shared.max_concurrent_runs = rng.within(1..4);
    world.limits.shared.max_agents = rng.within(1..3);
    if rng.one_in(3) {
        let night = Timestamp::from_millis(*rng.pick(&CLOCK_CHANGES).unwrap());
        world.now = world.now.plus_ms(night.since_ms(START));
    }
    let owner = world.open();
    if rng.one_in(2) {
        let other = world.open();
        world.serve(other, rng.within(1..3));
    }
    if rng.one_in(2) {
        world.has_agents(owner, &["other"]);
    }
    for _ in 0..rng.within(2..7) {
        let draft = some_draft(rng, world.now);
        // Nobody may offer the model.
        let _ = world.try_create(owner, &draft);
        world.now = world.now.plus_ms(*rng.pick(&[0, 0, MINUTE, 7000]).unwrap());
    }
    world
}

fn some_draft(rng: &mut Rng, now: Timestamp) -> Value {
    let crons = ["0 * * * *", "*/15 * * * *", "0,7,30 * * * *", "30 2 * * *", "*/5 8-11 * * 1-5"];
    let draft = match rng.within(0..8) {
        0..4 => {
            let rhythm = json!({"kind": "cron", "expression": *rng.pick(&crons).unwrap()});
            let zone = *rng.pick(&["Europe/Berlin", "UTC", "Australia/Lord_Howe"]).unwrap();
            with(every(60), json!({"rhythm": rhythm, "timezone": zone}))
        }
        4..7 => every(*rng.pick(&[300, 600, 900, 1200, 3600]).unwrap()),
        _ => once(now.as_millis() + rng.within(1..20 * HOUR)),
    };
    let draft = policy(
        draft,
        json!({
            "overlap": *rng.pick(&["skip", "queueOne", "cancelPrevious"]).unwrap(),
            "ifBusy": if rng.one_in(5) { "skip" } else { "queue" },
            "queueMs": *rng.pick(&[0, 2 * MINUTE, 10 * MINUTE, HOUR]).unwrap(),
            "missed": if rng.one_in(2) { json!({"kind": "skip"}) } else { json!({"kind": "runOnce"}) },
            "retry": {"attempts": rng.within(0..3), "delayMs": 90_000},
            "wallMs": *rng.pick(&[5 * MINUTE, HOUR, HOUR]).unwrap(),
            "pauseAfterFailures": rng.within(1..8),
            "idleMs": null,
        }),
    );
    let draft = match rng.within(0..8) {
        0 => reminder(draft),
        1..4 => {
            let mut draft = prompt(draft);
            if rng.one_in(2) {
                draft["task"]["model"]["providerID"] = json!("other");
            }
            if rng.one_in(2) {
                draft["task"]["context"] = json!("continue");
                if rng.one_in(2) {
                    draft["task"]["sessionID"] = json!("shared");
                }
            }
            draft
        }
        _ => draft,
    };
    let stop = match rng.within(0..5) {
        0 => json!({"kind": "count", "count": rng.within(1..40)}),
        1 => json!({"kind": "until", "at": now.as_millis() + rng.within(HOUR..DAY)}),
        _ => json!({"kind": "never"}),
    };
    let access = if rng.one_in(3) { "read" } else { "write" };
    let draft = with(draft, json!({"access": access}));
    if draft["kind"] == "oneshot" { draft } else { with(draft, json!({"stop": stop})) }
}

#[test]
fn a_quarter_of_a_year_is_told_though_that_is_more_than_is_decided() {
    let (mut world, owner) = World::with_owner();
    for _ in 0..20 {
        let hourly = json!({"rhythm": {"kind": "cron", "expression": "0 * * * *"}, "timezone": "UTC"});
        world.create(owner, with(every(60), hourly));
    }
    let told = foretell(&world, Asked { span_ms: 90 * DAY, ..Asked::default() });
    assert_eq!((told.simulated_through, told.truncated), (world.now.plus_ms(90 * DAY), true));
    // One after the other, a minute each. The last ones of the last hour have not had their turn.
    let outcomes: Vec<_> = told.totals.outcomes.into_iter().collect();
    let hours = 90 * 24;
    let expected =
        [(Verdict::Ran, 2 * hours - 1), (Verdict::RanLate, 18 * (hours - 1)), (Verdict::Waiting, 19)];
    assert_eq!(outcomes, expected);
    assert_eq!(told.totals.automations.len(), 20);
    assert_eq!((told.fires.len(), told.fires[0].at), (10_000, world.now.plus_ms(HOUR)));
}

#[test]
fn what_never_comes_again_is_told_as_far_as_it_is_decided() {
    let (mut world, owner) = World::with_owner();
    // Each of its runs is another one: how many there have been is a part of what decides about the next.
    let counted = json!({"stop": {"kind": "count", "count": 1_000_000}});
    world.create(owner, with(every(60), counted));
    let told = foretell(&world, Asked { span_ms: 30 * DAY, assume_run_ms: Some(1000), ..Asked::default() });
    assert!(told.truncated && told.simulated_through < world.now.plus_ms(30 * DAY));
    let last = told.fires.last().unwrap().at;
    assert!(last <= told.simulated_through && told.simulated_through.since_ms(last) < MINUTE);
    let count = told.totals.outcomes[&Verdict::Ran];
    assert_eq!(count, u64::try_from(told.simulated_through.since_ms(world.now) / MINUTE).unwrap());
}

#[test]
fn nobody_waits_for_what_is_given_up() {
    let (mut world, owner) = World::with_owner();
    world.create(owner, every(60));
    for means in [Means::Memory, Means::Decisions] {
        let asks = std::cell::Cell::new(0);
        let patience = || {
            asks.set(asks.get() + 1);
            if asks.get() > 3 { Patience::Gone } else { Patience::Lasts }
        };
        let refused = try_foretell(&world, Asked::default(), means, &patience);
        assert!(matches!(refused, Err(Refusal::Cancelled)), "{refused:?}");
        assert_eq!(asks.get(), 4, "it is asked at each instant");
    }
}

#[test]
fn what_is_found_out_until_patience_is_over_is_told() {
    let (mut world, owner) = World::with_owner();
    world.create(owner, every(60));
    let to = world.now.plus_ms(DAY);
    for means in [Means::Memory, Means::Decisions] {
        let asks = std::cell::Cell::new(0);
        let patience = || {
            asks.set(asks.get() + 1);
            if asks.get() > 30 { Patience::Over } else { Patience::Lasts }
        };
        let asked = Asked { assume_run_ms: Some(0), ..Asked::default() };
        let told = try_foretell(&world, asked, means, &patience).unwrap();
        assert!(told.truncated && told.simulated_through < to, "{}", told.simulated_through);
        let count = told.totals.outcomes[&Verdict::Ran];
        assert_eq!(count, u64::try_from(told.simulated_through.since_ms(world.now) / MINUTE).unwrap());
        assert!(count > 5, "{count}");
    }
}

#[test]
fn a_day_on_which_clocks_change_is_told_as_it_will_be() {
    let mut world = World::new();
    world.now = Timestamp::from_millis(CLOCK_CHANGES[0] - HOUR);
    let owner = world.open();
    let at_half_past_two =
        json!({"rhythm": {"kind": "cron", "expression": "30 2 * * *"}, "timezone": "Europe/Berlin"});
    world.create(owner, with(every(60), at_half_past_two));
    let told = foretell(&world, Asked { span_ms: 2 * DAY, ..Asked::default() });
    // From two to three there is nothing: it is due when clocks show three. A day later it is half past two again.
    let hours: Vec<i64> = told.fires.iter().map(|fire| fire.at.since_ms(world.now)).collect();
    assert_eq!(hours, [2 * HOUR, 2 * HOUR + 23 * HOUR + 30 * MINUTE]);
}

#[test]
fn where_nobody_is_there_somebody_is_assumed_who_has_the_agents_that_were_known() {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 1);
    world.has_agents(owner, &["other"]);
    let served = world.create(owner, prompt(every(3600)));
    let mut draft = prompt(every(3600));
    draft["task"]["model"]["providerID"] = json!("other");
    let with_agent = world.create(owner, draft);
    let command = world.create(owner, every(3600));
    world.die(owner);
    // Only somebody looks who carries out nothing.
    world.open_as(Role::Observer);
    let outcome = |id: &AutomationId| {
        let asked = Asked { span_ms: HOUR, ids: Some(vec![id.clone()]), ..Asked::default() };
        all_words(&world, &foretell(&world, asked))
    };
    let nobody = Some(Reason::Failed(ErrorCode::ProviderUnavailable));
    assert_eq!(outcome(&served), [(HOUR, Verdict::NotStarted, nobody, None)]);
    assert_eq!(outcome(&with_agent), [(HOUR, Verdict::Ran, None, Some(0))]);
    assert_eq!(
        outcome(&command),
        [(HOUR, Verdict::Waiting, Some(Reason::Waited(WaitingFor::Directory)), None)]
    );
}

#[test]
fn what_is_at_work_now_ends_when_it_has_taken_as_long_as_others_did() {
    let (mut world, owner) = World::with_owner();
    let id = world.create(owner, every(600));
    for minutes in [3, 40, 5] {
        let run = world.run(owner, &id);
        world.settle();
        world.now = world.now.plus_ms(minutes * MINUTE);
        world.finish(&run, exited(0));
    }
    // That has taken 48 minutes; slots were skipped meanwhile. Now one is at work since two minutes.
    let run = world.run(owner, &id);
    world.settle();
    world.now = world.now.plus_ms(2 * MINUTE);
    let told = all_words(&world, &foretell(&world, Asked { span_ms: 20 * MINUTE, ..Asked::default() }));
    let skipped = Some(Reason::Stopped(StopReason::PreviousRunActive));
    assert_eq!(
        told,
        [(0, Verdict::Overlapped, skipped, None), (10 * MINUTE, Verdict::Ran, None, Some(0))]
            .into_iter()
            .chain([(20 * MINUTE, Verdict::Ran, None, Some(0))])
            .collect::<Vec<_>>()
    );
    world.finish(&run, exited(0));
}

#[test]
fn it_costs_what_it_has_cost_on_the_average() {
    let (mut world, owner) = World::with_owner();
    world.serve(owner, 4);
    let id = world.create(owner, prompt(every(7200)));
    let cheap = world.create(owner, prompt(with(every(7200), json!({"access": "read"}))));
    assert_eq!(foretell(&world, Asked::default()).estimated_cost, None);
    for (id, amounts, currency) in [(&id, [1.0, 2.0], "EUR"), (&cheap, [0.25, 0.25], "USD")] {
        for amount in amounts {
            let run = world.run(owner, id);
            world.settle();
            world.report(owner, &run, Report::Cost(Money { amount, currency: currency.to_owned() })).unwrap();
            world.finish_served(&run);
            world.settle();
        }
    }
    let money = |amount, currency: &str| Money { amount, currency: currency.to_owned() };
    let cost =
        |ids| foretell(&world, Asked { span_ms: DAY, ids, ..Asked::default() }).estimated_cost.unwrap();
    assert_eq!(cost(None), [money(18.0, "EUR"), money(3.0, "USD")]);
    assert_eq!(cost(Some(vec![cheap])), [money(3.0, "USD")]);
}

#[test]
fn what_becomes_of_one_slot_can_be_asked() {
    let (mut world, owner) = World::with_owner();
    let first = world.create(owner, every(3600));
    let second = world.create(owner, every(3600));
    let me = world.window(owner).actor.clone();
    let fate = |id, at_ms| {
        let slot = world.now.plus_ms(at_ms);
        let prepared = simulate::prepare(&world.view(), world.now, Foretold::question(id, slot)).unwrap();
        let simulated = simulate::simulate(prepared, &around(&world, &me), Means::Memory).unwrap();
        Foretold::by(simulated, slot)
    };
    let Foretold::Fire(runs) = fate(&first, 5 * HOUR) else { panic!("it is one of its slots") };
    assert_eq!((runs.outcome, runs.started_at), (Verdict::Ran, Some(runs.at)));
    let Foretold::Fire(waits) = fate(&second, 5 * HOUR) else { panic!("it is one of its slots") };
    assert_eq!((waits.outcome, waits.started_at), (Verdict::Ran, Some(waits.at.plus_ms(60_000))));
    assert!(matches!(fate(&first, HOUR + 1), Foretold::Over), "it is none of its slots");
}

#[test]
fn a_draft_is_created_in_thought() {
    let (world, _) = World::with_owner();
    let draft = world.read_create(&every(3600)).draft;
    let asked = Asked { span_ms: 2 * HOUR, draft: Some(draft), ..Asked::default() };
    let told = foretell(&world, asked);
    let ran = |hours| (hours * HOUR, Verdict::Ran, None, Some(0));
    assert_eq!(all_words(&world, &told), [ran(1), ran(2)]);
    assert!(told.fires.iter().all(|fire| fire.id.as_str().is_empty()), "it has no identity");
    assert_eq!(world.connection().query_row("SELECT count(*) FROM automations", [], |row| row.get(0)), Ok(0));
    let with_nobodys_model = world.read_create(&prompt(every(3600))).draft;
    let asked = Asked { draft: Some(with_nobodys_model), ..Asked::default() };
    let refused = try_foretell(&world, asked, Means::Memory, &|| Patience::Lasts);
    assert!(matches!(refused, Err(Refusal::InvalidAutomation(_))), "{refused:?}");
}

#[test]
fn whoever_is_given_a_run_in_the_place_of_another_window_looks_at_its_session_at_once() {
    let mut world = World::new();
    world.limits.shared.max_agents = 2;
    world.work_ms = Some(10_400);
    let windows = [world.open(), world.open()];
    windows.iter().for_each(|who| world.has_agents(*who, &[AGENT]));
    let (_, at_work) = by_hand(&mut world, windows[0], continuing(None));
    world.settle();
    let task = continuing(Some(&format!("session of {at_work}")))["task"].clone();
    let waits = with(once(world.now.as_millis() + 1000), json!({"access": "read", "task": task}));
    let id = world.create(windows[0], waits);
    let told = foretell(&world, Asked { span_ms: MINUTE, assume_run_ms: Some(10_400), ..Asked::default() });
    // The window that has it looks each second. The other one takes it when the session is free.
    assert_eq!(all_words(&world, &told), [(1000, Verdict::Ran, None, Some(9400))]);
    world.run_for(MINUTE);
    let run = world.automation(&id).state.last_run.expect("a run");
    assert_eq!(world.run_row(&run).run.started_at(), told.fires[0].started_at);
}

#[test]
fn what_cannot_be_read_is_left_out_and_everything_else_is_told() {
    let spoils = [
        // What the automation and its run are to do is no JSON.
        "UPDATE definitions SET body = '{' WHERE automation = ?1",
        // What it is to do is not there any more; its run keeps what it was created with.
        "UPDATE automations SET definition = 1000 WHERE row = ?1",
        // Neither has a run that is left what it is to do.
        "UPDATE runs SET definition = 1000 WHERE automation = ?1",
        // Only a later version understands it.
        "UPDATE definitions SET body = json_set(body, '$.access', 'append') WHERE automation = ?1",
        // Its run says what is no text.
        "UPDATE runs SET skipped = CAST(x'ff' AS TEXT) WHERE automation = ?1",
        "UPDATE runs SET context = CAST(x'ff' AS TEXT) WHERE automation = ?1",
        "UPDATE runs SET variant = CAST(x'ff' AS TEXT) WHERE automation = ?1",
        // It worked for longer than there are numbers for.
        "UPDATE runs SET ended_number = row, started_at = -9223372036854775807, completed_at = 9223372036854775807 WHERE automation = ?1",
    ];
    for sql in spoils {
        let (mut world, owner) = World::with_owner();
        let reading = |seconds| with(every(seconds), json!({"access": "read"}));
        let sound = world.create(owner, reading(3600));
        let id = world.create(owner, reading(1800));
        world.run(owner, &id);
        // Slots are counted on its run, which is at work.
        world.run_for(HOUR / 2 + MINUTE);
        assert_eq!(world.story(&id), ["manual running skipped 1800..1800 x1"]);
        let row = world.view().automation_fate(&id).unwrap().unwrap().0;
        world.connection().execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        assert!(world.connection().execute(sql, [row]).unwrap() > 0, "{sql}");
        for means in [Means::Memory, Means::Decisions] {
            let span_ms = 3 * HOUR;
            let asked = Asked { span_ms, ..Asked::default() };
            let told = try_foretell(&world, asked, means, &|| Patience::Lasts);
            let told = told.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
            let of_sound: Vec<_> = told.fires.iter().filter(|fire| fire.id == sound).collect();
            assert_eq!(of_sound.len(), 3, "{sql}: {told:?}");
            assert_eq!(told.simulated_through, world.now.plus_ms(span_ms), "{sql}");
        }
    }
}
