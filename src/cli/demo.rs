//! `sexton demo`: a sidecar at work, as an editor sees it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::child::{Sidecar, now};

/// How long the demo waits for what it has asked for. Everything is due within four seconds.
const PATIENCE: Duration = Duration::from_secs(10);

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
    writeln!(out, "An editor opens a window on {} and spawns `sexton --stdio`.\n", project.display())?;
    let mut window = Sidecar::spawn(&state)?;
    let options = json!({"projectDirectory": project, "limits": {"minIntervalMs": 500}});
    let params = json!({"clientInfo": {"name": "demo"}, "initializationOptions": options});
    let opened = ask(out, &mut window, "initialize", &params)?;
    let zones = &opened["timeZoneData"];
    writeln!(
        out,
        "    ledger {}, this window rings the bell: {}, zone data {} ({})",
        text(&opened["ledgerID"]),
        opened["scheduler"]["owner"],
        text(&zones["version"]),
        text(&zones["source"]),
    )?;
    ask(out, &mut window, "events/subscribe", &json!({}))?;
    let recurring = json!({
        "title": "Count to three", "kind": "recurring", "rhythm": {"kind": "interval", "everyMs": 1000},
        "stop": {"kind": "count", "count": 3},
        "task": {"kind": "command", "program": "sh", "args": ["-c", "echo \"ding, due at $SEXTON_SCHEDULED_AT\""]},
    });
    let recurring = ask(out, &mut window, "automation/create", &recurring)?;
    let due = opened_at_ms(&recurring) + 2500;
    let oneshot = json!({
        "title": "Remind me once", "kind": "oneshot", "fireAt": due,
        "task": {"kind": "command", "program": "sh", "args": ["-c", "echo dong; exit 3"]},
    });
    let oneshot = ask(out, &mut window, "automation/create", &oneshot)?;
    writeln!(out, "\nThe sidecar tells every window what happens (milliseconds since the demo began):\n")?;
    let mut problems = Vec::new();
    if !follow(out, &mut window, began, 4)? {
        problems.push(format!("four runs should have ended within {PATIENCE:?}"));
    }
    writeln!(out, "\nThe window closes and another one opens. Everything is still there:\n")?;
    let status = window.shut_down()?;
    if !status.success() {
        problems.push(format!("the sidecar ended with {status}"));
    }
    let mut window = Sidecar::spawn(&state)?;
    ask(out, &mut window, "initialize", &params)?;
    let runs = ask(out, &mut window, "run/list", &json!({}))?;
    problems.extend(show_ledger(out, &mut window, &runs, [&recurring, &oneshot])?);
    let status = window.shut_down()?;
    if !status.success() {
        problems.push(format!("the second sidecar ended with {status}"));
    }
    let verdict = if problems.is_empty() { "all as it should be" } else { "with problems" };
    writeln!(out, "\nDone in {:.1} s, {verdict}.", (now() - began).as_secs_f32())?;
    Ok(problems)
}

fn ask(out: &mut impl Write, window: &mut Sidecar, method: &str, params: &Value) -> io::Result<Value> {
    writeln!(out, "  -> {method} {}", shortened(&params.to_string()))?;
    let result = window.ask(method, params)?;
    writeln!(out, "  <- {}", shortened(&result.to_string()))?;
    Ok(result)
}

/// Shows events until so many runs have ended; false if that does not happen in time.
fn follow(out: &mut impl Write, window: &mut Sidecar, began: Instant, runs: usize) -> io::Result<bool> {
    let deadline = now() + PATIENCE;
    let mut ended = 0;
    while ended < runs {
        let Some(event) = window.next_event(deadline)? else { return Ok(false) };
        let at = (now() - began).as_millis();
        let what = match text(&event["kind"]) {
            "run.updated" => {
                let run = &event["run"];
                ended += usize::from(run["completedAt"].is_i64());
                format!("{:<15} {}{}", text(&run["automationTitle"]), text(&run["state"]), lateness(run))
            }
            "automation.updated" => {
                let automation = &event["automation"];
                let next = automation["state"]["nextFireAt"].as_i64();
                let next = next.map_or("none".to_owned(), |next| format!("due at {next}"));
                format!("{:<15} next: {next}", text(&automation["title"]))
            }
            _ => String::new(),
        };
        writeln!(out, "  {at:>6}  #{:<3} {:<19} {what}", event["seq"], text(&event["kind"]))?;
    }
    Ok(true)
}

fn lateness(run: &Value) -> String {
    match (run["scheduledAt"].as_i64(), run["startedAt"].as_i64(), text(&run["state"])) {
        (Some(due), Some(started), "running") => format!(", started {} ms after it was due", started - due),
        (_, _, _) => String::new(),
    }
}

/// Shows what is recorded, and says what is not as it should be.
fn show_ledger(
    out: &mut impl Write,
    window: &mut Sidecar,
    runs: &Value,
    [recurring, oneshot]: [&Value; 2],
) -> io::Result<Vec<String>> {
    let empty = Vec::new();
    let runs = runs["items"].as_array().unwrap_or(&empty);
    writeln!(out, "\n  {:<15} {:<10} {:>8} {:>6}  output", "automation", "ended", "late", "exit")?;
    let mut counted = [0, 0];
    for run in runs.iter().rev() {
        let late =
            run["startedAt"].as_i64().zip(run["scheduledAt"].as_i64()).map(|(started, due)| started - due);
        let late = late.map_or("-".to_owned(), |late| format!("{late} ms"));
        let output = window.ask("run/output", &json!({"id": run["id"]}))?;
        writeln!(
            out,
            "  {:<15} {:<10} {late:>8} {:>6}  {}",
            text(&run["automationTitle"]),
            text(&run["state"]),
            run["end"]["exitCode"],
            text(&output["data"]).trim_end()
        )?;
        let is = |automation: &Value, state: &str| {
            run["automationID"] == automation["id"] && text(&run["state"]) == state
        };
        counted[0] += usize::from(is(recurring, "succeeded"));
        counted[1] += usize::from(is(oneshot, "failed"));
    }
    let mut problems = Vec::new();
    if counted != [3, 1] || runs.len() != 4 {
        problems.push(format!(
            "three runs should have succeeded and one failed; {counted:?} did, of {}",
            runs.len()
        ));
    }
    Ok(problems)
}

fn opened_at_ms(automation: &Value) -> i64 {
    automation["createdAt"].as_i64().unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// The start of a long text.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 150;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
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
