//! What the demo shows of messages and of the record.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::Named;
use super::window::Window;

/// One event, a line.
pub(super) fn show_event(
    out: &mut impl Write,
    at: Duration,
    event: &Value,
    names: &[Named],
) -> io::Result<()> {
    let what = match text(&event["kind"]) {
        "run.updated" => {
            let run = &event["run"];
            format!("{:<15} {}{}", text(&run["automationTitle"]), text(&run["state"]), begin_of(run, names))
        }
        "automation.updated" => {
            let automation = &event["automation"];
            let next = automation["state"]["nextFireAt"].as_i64();
            let next = next.map_or("none".to_owned(), |next| format!("due at {next}"));
            format!("{:<15} next: {next}", text(&automation["title"]))
        }
        "scheduler.owner" => {
            let scheduler = &event["scheduler"];
            format!("term {}: {} rings the bell", scheduler["term"], name_of(&scheduler["instanceID"], names))
        }
        _ => String::new(),
    };
    writeln!(
        out,
        "  {:>6}  #{:<3} {:<19} {what}",
        at.as_millis(),
        event["seq"].to_string(),
        text(&event["kind"])
    )
}

fn begin_of(run: &Value, names: &[Named]) -> String {
    match (late_ms(run), text(&run["state"])) {
        (Some(late), "running") => {
            format!(" in {}, started {late} ms after it was due", name_of(&run["instanceID"], names))
        }
        (_, _) => String::new(),
    }
}

fn late_ms(run: &Value) -> Option<i64> {
    Some(run["startedAt"].as_i64()? - run["scheduledAt"].as_i64()?)
}

/// Shows what is recorded, oldest first.
pub(super) fn show_ledger(
    out: &mut impl Write,
    window: &mut Window,
    runs: &[Value],
    names: &[Named],
) -> io::Result<()> {
    writeln!(
        out,
        "\n  {:<15} {:<10} {:>2} {:>8} {:>6}  output",
        "automation", "ended", "in", "late", "exit"
    )?;
    for run in runs {
        let late = late_ms(run).map_or("-".to_owned(), |late| format!("{late} ms"));
        let output = window.look("run/output", &json!({"id": run["id"]}))?;
        writeln!(
            out,
            "  {:<15} {:<10} {:>2} {late:>8} {:>6}  {}",
            text(&run["automationTitle"]),
            text(&run["state"]),
            name_of(&run["instanceID"], names),
            run["end"]["exitCode"].to_string(),
            text(&output["data"]).trim_end()
        )?;
    }
    Ok(())
}

/// What a window is called here.
pub(super) fn name_of(instance: &Value, names: &[Named]) -> &'static str {
    names.iter().find(|named| named.instance == text(instance)).map_or("-", |named| named.name)
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// The start of a long text.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 150;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}
