//! `sexton pause` and `sexton resume`: automations that rest, and that go on.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::ago::relative_and_clock;
use super::named::{Intent, automation_named, quoted, title_of, zone_of};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::show::{Shown, Style};
use crate::client::Client;
use crate::client::model::Automation;
use crate::domain::schedule::zone::Zone;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

#[derive(Args)]
pub(super) struct PauseArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Why, for whoever finds it paused.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Which automations are meant.
#[derive(Args)]
pub(super) struct WhichArgs {
    /// The automations, by their ids or titles.
    #[arg(value_name = "ID", required = true)]
    automations: Vec<String>,
    /// Answers with the automations as they are now, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Pauses them. The exit code is 0 if all of them rest now.
pub(super) fn pause(environment: Environment, args: PauseArgs) -> ExitCode {
    let note = args.note.clone();
    let style = Style::of_stdout(&environment);
    each(environment, "pause", args.which, async |client, name| {
        let before = automation_named(client, name, Intent::Act).await?;
        let mut params = json!({"id": before.id});
        if let Some(note) = &note {
            params["note"] = json!(note);
        }
        let answer: Value = client.ask("automation/pause", params).await?;
        let automation: Automation = read(answer.clone())?;
        let title = style.strong(&quoted(&title_of(&automation)));
        let pause_of = |automation: &Automation| automation.known().and_then(|known| known.pause.clone());
        let pause_before = before.automation.as_ref().and_then(pause_of);
        let line = match pause_before {
            Some(pause) if pause_of(&automation).as_ref() == Some(&pause) => {
                let its_note = its_note(pause.note.as_deref(), note.as_deref());
                format!("{title} was paused already{its_note}\n")
            }
            Some(_) | None => format!("Paused {title}\n"),
        };
        Ok((answer, line))
    })
}

/// What is to be known of the note of one that was paused already, and keeps its own.
fn its_note(kept: Option<&str>, typed: Option<&str>) -> String {
    match (kept, typed) {
        (None, None) => String::new(),
        (Some(kept), _) => format!("; its note stays {}", quoted(kept)),
        (None, Some(_)) => "; it has no note, and gets none until it is resumed and paused again".to_owned(),
    }
}

/// Has them go on. The exit code is 0 if all of them do.
pub(super) fn resume(environment: Environment, args: WhichArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    each(environment, "resume", args, async |client, name| {
        let id = automation_named(client, name, Intent::Act).await?.id;
        let answer: Value = client.ask("automation/resume", json!({"id": id})).await?;
        let automation: Automation = read(answer.clone())?;
        let zone = zone_of(&automation).unwrap_or_else(Zone::machine);
        let next = match automation.next_fire_at() {
            Some(at) => format!("next {}", relative_and_clock(at, Clock.now(), &zone)),
            None => "never due any more".to_owned(),
        };
        Ok((answer, format!("Resumed {}: {next}\n", style.strong(&quoted(&title_of(&automation))))))
    })
}

/// Does something with each that was named. What could not be done to one of several keeps nothing from the others.
fn each(
    environment: Environment,
    client: &'static str,
    args: WhichArgs,
    act: impl AsyncFn(&Client, &str) -> Result<(Value, String), Trouble>,
) -> ExitCode {
    let WhichArgs { automations, json, chosen } = args;
    let asker = Asker { environment, client, unopened: Unopened::Refused };
    let done = ask(asker, chosen, async |client| {
        let (mut answers, mut text, mut troubles) = (Vec::new(), String::new(), Vec::new());
        for name in &automations {
            match act(client, name).await {
                Ok((answer, line)) => {
                    answers.push(answer);
                    text.push_str(&line);
                }
                Err(trouble) => troubles.push(trouble),
            }
        }
        let shown = if json { Shown::Json(Value::Array(answers)) } else { Shown::Text(text) };
        Ok((shown, troubles))
    });
    finished(done, automations.len())
}

/// Tells what was done to those that were named, and what was not. Where only one was, its trouble is the whole answer.
pub(super) fn finished(done: Result<(Shown, Vec<Trouble>), Trouble>, named: usize) -> ExitCode {
    match done {
        Ok((shown, troubles)) => match (troubles.len(), named) {
            (0, _) => shown.print(),
            (1, 1) => troubles.into_iter().map(Trouble::told).next().unwrap_or(ExitCode::FAILURE),
            (_, _) => {
                let _ = shown.print();
                for trouble in troubles {
                    let _ = trouble.told();
                }
                ExitCode::FAILURE
            }
        },
        Err(trouble) => trouble.told(),
    }
}
