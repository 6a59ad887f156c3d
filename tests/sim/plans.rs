//! How SQLite finds what is asked for: by index, whatever the ledger has grown to.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use sexton::domain::id::{AutomationId, InstanceId, ProbeId, ProviderId, RunId, SubscriptionId};
use sexton::domain::request::{ListAutomations, ListRuns};
use sexton::domain::run::machine::State;
use sexton::domain::time::Timestamp;
use sexton::domain::worktree::WorktreeName;
use sexton::engine::retention;
use sexton::ledger::{AgentRoom, EventFilter, MemoryCopy, Tx};

use crate::drafts::every;
use crate::random;
use crate::world::World;

/// Tables that grow with the age of a ledger.
const GROWING: [&str; 7] =
    ["runs", "automations", "events", "definitions", "epochs", "accounts", "disturbances"];

/// Indexes of what is going on now; walking over one is bounded by that.
const OF_THE_PRESENT: [&str; 12] = [
    "automations_deleting",
    "runs_active",
    "runs_deadline",
    "runs_given",
    "runs_hold_directory",
    "runs_in_line",
    "runs_kinds",
    "runs_to_tell",
    "runs_turns",
    "runs_ungiven",
    "runs_unplaced",
    "runs_waiting_until",
];

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let (mut rows, mut lines) = (statement.raw_query(), Vec::new());
    while let Some(row) = rows.next().unwrap() {
        lines.push(row.get(3).unwrap());
    }
    lines
}

/// The tables that names in a statement stand for.
fn table(name: &str) -> &str {
    match name {
        "r" | "h" | "o" | "b" | "n" | "l" | "me" => "runs",
        "a" => "automations",
        "d" => "definitions",
        "e" => "epochs",
        name => name,
    }
}

/// What a plan does that takes longer as a ledger grows.
fn slow(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["SCAN", name, rest @ ..] if GROWING.contains(&table(name)) => {
            !rest.iter().any(|word| OF_THE_PRESENT.contains(word))
        }
        // This would look at every run that an automation has had.
        ["SEARCH", "o", ..] if line.contains("runs_of (") && !line.contains("rowid=?") => true,
        // This would look at every scheduled run.
        ["SEARCH", "runs", ..] if line.contains("runs_in_state (state=?)") => true,
        _ => line.contains("TEMP B-TREE") || line.contains("AUTOMATIC"),
    }
}

/// Longer than anything is kept: 200 days, in milliseconds.
const LONG_MS: i64 = 200 * 86_400_000;

#[test]
fn every_statement_of_the_engine_finds_its_rows_by_index() {
    let mut world = World::new();
    let statements = world.record_statements();
    let mut world = random::walk_through(world, 7, 3000);
    // Whatever the walk has come upon, all history is too old in the end.
    world.now = world.now.plus_ms(LONG_MS);
    let last = world.open();
    world.prune(last).unwrap();
    let mut statements = std::mem::take(&mut *statements.lock().unwrap());
    assert!(statements.len() > 30, "only {} statements", statements.len());
    for rare in ["DELETE FROM events", "DELETE FROM definitions", "INSERT INTO accounts"] {
        assert!(statements.iter().any(|sql| sql.starts_with(rare)), "{rare} was never executed");
    }
    // Instances are few, and the order among them is by what they have to do.
    statements.retain(|sql| !sql.contains("FROM instances i WHERE role"));
    check(&world, statements);
}

#[test]
fn every_look_of_the_loop_and_of_a_client_finds_its_rows_by_index() {
    let mut world = World::new();
    let statements = world.record_statements();
    world.recording.store(true, Ordering::Relaxed);
    let view = world.view();
    let me = InstanceId::from_unique("me");
    let (now, limit) = (world.now, 10);
    view.next_fire().unwrap();
    view.clock().unwrap();
    view.newest_event_at().unwrap();
    view.newest_suspends(limit).unwrap();
    view.disturbances_between(now, now, limit).unwrap();
    view.epochs_before(1, now, limit).unwrap();
    view.epoch(1, 1).unwrap();
    view.terms_until(now, limit).unwrap();
    view.account_of(1, 1, now).unwrap();
    view.first_event_since(now).unwrap();
    view.answering_run(1, 1, now).unwrap();
    view.retry_of(&RunId::from_unique("x")).unwrap();
    view.runs_before(1, 2, limit).unwrap();
    view.run_after(1, 2).unwrap();
    view.hold(&SubscriptionId::from_unique("x")).unwrap();
    view.automations_after(1, limit).unwrap();
    view.next_shared_deadline().unwrap();
    for room in [AgentRoom::Some, AgentRoom::None] {
        view.oldest_misplaced(room).unwrap();
        view.misplaced_runs(limit, room).unwrap();
        view.next_to_give(now, room).unwrap();
    }
    view.next_own_deadline(&me).unwrap();
    view.next_neglected(&me, 2000).unwrap();
    view.neglected_runs(&me, now, 0).unwrap();
    view.overdue_stops(&me, now).unwrap();
    view.begun_elsewhere(&me).unwrap();
    view.orders(&me).unwrap();
    view.peers_of(&me).unwrap();
    view.glimpse().unwrap();
    view.newest_seq().unwrap();
    view.pruned_through().unwrap();
    retention::is_due(&view, world.limits.shared, now).unwrap();
    view.oldest_events(1, limit).unwrap();
    view.pruned_outputs(&RunId::from_text(""), limit).unwrap();
    view.run(&RunId::from_unique("x")).unwrap();
    view.work_is_over(&RunId::from_unique("x")).unwrap();
    view.automation_of_run(&RunId::from_unique("x")).unwrap();
    view.automation(&AutomationId::from_unique("x")).unwrap();
    view.due_automations(now, limit).unwrap();
    view.waits_over(now, limit).unwrap();
    view.turns_come(now, limit).unwrap();
    view.unplaced_runs(limit).unwrap();
    view.deadlines_over(now, limit).unwrap();
    view.ahead_in_directory("/", 1, now).unwrap();
    view.next_in_line(1).unwrap();
    view.first_in_line("/").unwrap();
    view.waiting_behind_nobody().unwrap();
    view.closes_of(&me).unwrap();
    view.holds_of(&me).unwrap();
    view.use_of_worktree(&WorktreeName::from_words("x").unwrap(), "/").unwrap();
    view.work_of(&me).unwrap();
    view.previous_run(1, 2).unwrap();
    view.is_waited_for(&RunId::from_unique("x")).unwrap();
    view.latest_turn(now).unwrap();
    view.progress_to_tell(now, limit).unwrap();
    view.blocked_runs().unwrap();
    view.answers_to(1).unwrap();
    view.served_on(&SubscriptionId::from_unique("x")).unwrap();
    view.providers().unwrap();
    view.provider(&ProviderId::from_text("x")).unwrap();
    view.servings_for(&ProviderId::from_text("x")).unwrap();
    view.servings_of(&me).unwrap();
    view.session_is_at_work("s", &ProviderId::from_text("x"), 1).unwrap();
    view.spent_in_session("s", &ProviderId::from_text("x"), 1).unwrap();
    view.directory_of_session("s", &ProviderId::from_text("x")).unwrap();
    view.last_carried_out(1).unwrap();
    view.carried_by(&me, &ProviderId::from_text("x")).unwrap();
    view.agents_for(&ProviderId::from_text("x")).unwrap();
    view.agents_of(&me).unwrap();
    view.runs_of_agent(&ProviderId::from_text("x")).unwrap();
    view.agents_at_work().unwrap();
    view.is_for_an_agent(1).unwrap();
    view.said(&ProviderId::from_text("x")).unwrap();
    view.probe(&ProviderId::from_text("x")).unwrap();
    view.probes().unwrap();
    view.is_asked(&ProbeId::from_unique("x")).unwrap();
    list_pages(&view);
    view.list_automations(&ListAutomations { before: Some(5), limit, ..ListAutomations::default() }).unwrap();
    for automation in [None, Some(AutomationId::from_unique("x"))] {
        for kinds in [Vec::new(), vec!["run.updated".to_owned()]] {
            let filter = EventFilter { kinds, automation: automation.clone() };
            view.events_after(5, &filter, limit).unwrap();
        }
    }
    world.recording.store(false, Ordering::Relaxed);
    let statements = std::mem::take(&mut *statements.lock().unwrap());
    assert!(statements.len() > 25, "only {} statements", statements.len());
    check(&world, statements);
}

#[test]
fn a_copy_of_what_there_is_to_do_looks_at_no_run_that_is_over() {
    let (mut world, owner) = World::with_owner();
    world.create(owner, every(60));
    let statements = world.record_statements();
    world.recording.store(true, Ordering::Relaxed);
    MemoryCopy::of(&world.view(), world.now).unwrap();
    world.view().past_runs(1).unwrap();
    world.view().epoch_effective_at(1, 1).unwrap();
    world.recording.store(false, Ordering::Relaxed);
    let statements = std::mem::take(&mut *statements.lock().unwrap());
    assert!(statements.len() > 10, "only {} statements", statements.len());
    for sql in statements {
        let plan = plan(world.connection(), &sql);
        let all_automations = |line: &&String| {
            line.starts_with("SCAN automations") || line.starts_with("SCAN a ") || *line == "SCAN a"
        };
        let slow: Vec<_> =
            plan.iter().filter(|line| slow(line)).filter(|line| !all_automations(line)).collect();
        assert_eq!(slow, Vec::<&String>::new(), "{sql}\n{}", plan.join("\n"));
    }
}

/// Pages of every kind.
fn list_pages(view: &Tx<'_>) {
    let automation = Some(AutomationId::from_unique("x"));
    let (time, limit) = (Some(Timestamp::MAX), 10);
    for states in [vec![], vec![State::Running], vec![State::Failed, State::Running, State::Stopped]] {
        for automation in [None, automation.clone()] {
            for (from, to) in [(None, None), (time, None), (None, time), (time, time)] {
                for before in [None, Some(5)] {
                    let (automation, states) = (automation.clone(), states.clone());
                    view.list_runs(&ListRuns { automation, states, from, to, before, limit }).unwrap();
                }
            }
        }
    }
}

fn check(world: &World, statements: BTreeSet<String>) {
    let mut faults = Vec::new();
    for sql in statements {
        let plan = plan(world.connection(), &sql);
        // How the rows of a subquery are found, whatever its name, is said by lines of its own.
        let is_subquery = |line: &str| {
            let name = line.strip_prefix("SCAN ").unwrap_or_default();
            ["CO-ROUTINE", "MATERIALIZE"].iter().any(|how| plan.contains(&format!("{how} {name}")))
        };
        if plan.iter().any(|line| slow(line) && !is_subquery(line)) {
            faults.push(format!("{sql}\n    {}", plan.join("\n    ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn a_page_of_runs_is_read_between_two_rows() {
    let mut world = World::new();
    let statements = world.record_statements();
    world.recording.store(true, Ordering::Relaxed);
    list_pages(&world.view());
    world.recording.store(false, Ordering::Relaxed);
    let mut statements = std::mem::take(&mut *statements.lock().unwrap());
    statements.retain(|sql| sql.ends_with(" ORDER BY 1 DESC"));
    assert_eq!(statements.len(), 3 * 2 * 4, "one for each kind");
    for sql in statements {
        let plan = plan(world.connection(), &sql);
        let ways: Vec<&String> = plan.iter().filter(|line| line.starts_with("SEARCH r ")).collect();
        assert_eq!(ways.len(), 1 + sql.matches(" UNION ALL ").count(), "{plan:?}");
        let bounds = ["row>? AND row<?)", "rowid>? AND rowid<?)"];
        assert!(ways.iter().all(|line| bounds.iter().any(|bound| line.ends_with(bound))), "{sql}\n{plan:?}");
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{sql}\n{plan:?}");
    }
}
