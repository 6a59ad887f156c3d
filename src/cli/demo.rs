//! `sexton demo`: two windows at work on one project, as an editor sees them, one of which is killed.

mod show;
mod window;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};

use super::child::now;
use show::{show_ledger, text};
use window::{PATIENCE, Window};

/// How far apart the slots of the demo's recurring automation are, in milliseconds.
const EVERY_MS: i64 = 1000;

/// After how many of them the window that owns the bell is killed, at the earliest.
const BEFORE_THE_KILL: usize = 2;

/// How long before the next slot it is killed at the latest, in milliseconds: a run that is at work when its window dies
/// would be interrupted, which is another story.
const AHEAD_OF_A_SLOT: i64 = 500;

/// How long after it was asked for the one-shot is due, in milliseconds. Its window is killed long before.
const ONESHOT_IN: i64 = 1500;

/// How many runs there are in the end: three slots, and the one-shot.
const ALL: usize = 4;

pub(super) fn run() -> ExitCode {
    let mut out = io::stdout().lock();
    match demonstrate(&mut out) {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            for problem in problems {
                // The exit code tells as well.
                let _ = writeln!(out, "  NOT as it should be: {problem}");
            }
            ExitCode::FAILURE
        }
        Err(error) => super::complain(&format!("the demo could not go on: {error}")),
    }
}

fn demonstrate(out: &mut impl Write) -> io::Result<Vec<String>> {
    let scratch = Scratch::make()?;
    let project = scratch.path.join("project");
    let state = scratch.path.join("state");
    std::fs::create_dir_all(&project)?;
    let began = now();
    writeln!(out, "An editor opens two windows on {}; each spawns `sexton --stdio`.\n", project.display())?;
    let options = json!({"projectDirectory": project, "limits": {"minIntervalMs": 500}});
    let params = json!({"clientInfo": {"name": "demo"}, "initializationOptions": options});
    let mut first = Window::open(out, "A", &state, &params)?;
    let mut second = Window::open(out, "B", &state, &params)?;
    for window in [&mut first, &mut second] {
        window.follow_events(out)?;
    }
    let created = now();
    let recurring = first.ask(out, "automation/create", &recurring())?;
    let created_at = recurring["createdAt"].as_i64().unwrap_or_default();
    let time = || created_at + i64::try_from((now() - created).as_millis()).unwrap_or(i64::MAX);

    writeln!(out, "\nBoth are told what happens. What B hears (milliseconds since the demo began):\n")?;
    let names = [first.named(), second.named()];
    let mut problems = Vec::new();
    let in_time = second.show_until(out, began, &names, |window| {
        let next = window.next_slot().unwrap_or(i64::MAX);
        window.ended() >= BEFORE_THE_KILL && !window.is_at_work() && time() + AHEAD_OF_A_SLOT < next
    })?;
    problems.extend(unless(in_time, || {
        format!("{BEFORE_THE_KILL} runs should have ended, and none be at work, within {PATIENCE:?}")
    }));
    let told = first.hear_as_much_as(&second)?;
    problems.extend(unless(told, || "A and B should have been told the same".to_owned()));

    writeln!(out, "\nA promises one more:\n")?;
    let oneshot = first.ask(out, "automation/create", &oneshot(time() + ONESHOT_IN))?;
    writeln!(out, "\nkill -9 of A, between two slots. Nobody tells B, and nobody has to:\n")?;
    let killed_at = now();
    first.kill()?;
    let mut passed = None;
    let in_time = second.show_until(out, began, &names, |window| {
        passed = passed.or_else(|| window.owns_the_bell().then(|| now() - killed_at));
        window.ended() == ALL
    })?;
    problems.extend(unless(in_time, || format!("{ALL} runs should have ended within {PATIENCE:?}")));
    match passed {
        Some(after) => {
            writeln!(out, "\nB owned the bell {:.1} ms after the kill.", after.as_secs_f64() * 1000.0)?
        }
        None => problems.push("B should own the bell".to_owned()),
    }

    writeln!(out, "\nB closes and another window opens. Everything is still there, each slot once:\n")?;
    problems.extend(unless(second.shut_down()?.success(), || "B should have ended well".to_owned()));
    let mut third = Window::open(out, "C", &state, &params)?;
    let runs = third.ask(out, "run/list", &json!({}))?;
    let runs: Vec<Value> = runs["items"].as_array().into_iter().flatten().rev().cloned().collect();
    show_ledger(out, &mut third, &runs, &names)?;
    problems.extend(wrong_with(&runs, &recurring, &oneshot, &names));
    problems.extend(unless(third.shut_down()?.success(), || "C should have ended well".to_owned()));
    let verdict = if problems.is_empty() { "all as it should be" } else { "with problems" };
    writeln!(out, "\nDone in {:.1} s, {verdict}.", seconds_since(began))?;
    Ok(problems)
}

fn recurring() -> Value {
    json!({
        "title": "Count to three", "kind": "recurring", "rhythm": {"kind": "interval", "everyMs": EVERY_MS},
        "stop": {"kind": "count", "count": 3},
        "task": {"kind": "command", "program": "sh", "args": ["-c", "echo \"ding, due at $SEXTON_SCHEDULED_AT\""]},
    })
}

fn oneshot(due: i64) -> Value {
    json!({
        "title": "Fail once, on purpose", "kind": "oneshot", "fireAt": due,
        "task": {"kind": "command", "program": "sh", "args": ["-c", "echo dong; exit 3"]},
    })
}

/// What the record should say and does not.
fn wrong_with(runs: &[Value], recurring: &Value, oneshot: &Value, names: &[Named]) -> Vec<String> {
    let of = |automation: &Value, state: &str| -> Vec<&Value> {
        let is = |run: &&Value| run["automationID"] == automation["id"] && text(&run["state"]) == state;
        runs.iter().filter(is).collect()
    };
    let (counted, failed) = (of(recurring, "succeeded"), of(oneshot, "failed"));
    let mut wrong = Vec::new();
    wrong.extend(unless(runs.len() == ALL && failed.len() == 1, || {
        format!(
            "three runs should have succeeded and one failed: {} and {} of {}",
            counted.len(),
            failed.len(),
            runs.len()
        )
    }));
    let begin = recurring["createdAt"].as_i64().unwrap_or_default();
    let slots: Vec<i64> = counted.iter().filter_map(|run| run["scheduledAt"].as_i64()).collect();
    let due = [1, 2, 3].map(|number| begin + number * EVERY_MS);
    wrong.extend(unless(slots == due, || {
        format!("the slots {due:?} should be there once each, not {slots:?}")
    }));
    let by = |runs: &[&Value]| -> Vec<&str> {
        runs.iter().map(|run| show::name_of(&run["instanceID"], names)).collect()
    };
    // On a machine that is slow the third may have been due before the kill.
    let counted_by = by(&counted);
    wrong.extend(unless(counted_by.starts_with(&["A"; BEFORE_THE_KILL]) && counted_by.is_sorted(), || {
        format!("A should have fired first and B after the kill, not {counted_by:?}")
    }));
    wrong.extend(unless(by(&failed) == ["B"], || "B should have kept what A had promised".to_owned()));
    wrong
}

fn unless(sound: bool, problem: impl FnOnce() -> String) -> Option<String> {
    (!sound).then(problem)
}

fn seconds_since(began: Instant) -> f32 {
    (now() - began).as_secs_f32()
}

/// What a window is called here, and what the ledger calls it.
struct Named {
    name: &'static str,
    instance: String,
}

/// A directory that goes when the demo is over.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn make() -> io::Result<Scratch> {
        let name = format!("sexton-demo-{}", uuid::Uuid::now_v7().simple());
        let path: PathBuf = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Scratch { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let path: &Path = &self.path;
        // What is left in the directory for temporary files does no harm.
        let _ = std::fs::remove_dir_all(path);
    }
}
