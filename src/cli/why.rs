//! `sexton why`: why something ran when it did, or why it did not.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::named::{Intent, automation_named, zone_of};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::show::{Shown, Style};
use crate::client::Client;
use crate::client::model::Explanation;
use crate::domain::one_line::one_line;
use crate::domain::schedule::local_time;
use crate::domain::schedule::typed::read_time;
use crate::domain::schedule::zone::Zone;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "why";

/// The most characters of a summary or of a piece of evidence, which may hold what others wrote.
const SENTENCE: usize = 2000;

#[derive(Args)]
pub(super) struct WhyArgs {
    /// The automation, by its id or title; one that was deleted by its id.
    #[arg(value_name = "ID")]
    automation: String,
    /// The time, such as `09:00`, `yesterday 09:00`, `2025-01-06 09:00` by the automation's clocks, with an offset, or in
    /// milliseconds since 1970 [default: the last time that it was due, or else the next one].
    #[arg(value_name = "AT")]
    at: Vec<String>,
    /// Answers as `automation/explain` does, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Explains it. The exit code is 2 where something that was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: WhyArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let explained = ask(asker, chosen, async |client| {
        let (answer, zone) = explain(client, &args).await?;
        Ok(if args.json { Shown::Json(answer) } else { Shown::Text(written(&read(answer)?, &zone, style)) })
    });
    match explained {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

async fn explain(client: &Client, args: &WhyArgs) -> Result<(Value, Zone), Trouble> {
    let named = automation_named(client, &args.automation, Intent::Look).await?;
    // What was deleted is told of by the clocks of whoever asks.
    let zone = named.automation.as_ref().and_then(zone_of).unwrap_or_else(Zone::machine);
    let mut question = json!({"id": named.id});
    if !args.at.is_empty() {
        let at = read_time(&args.at.join(" "), &zone, Clock.now());
        question["at"] = json!(at.map_err(|error| Trouble::Unusable(error.to_string()))?);
    }
    Ok((client.ask("automation/explain", question).await?, zone))
}

/// The sentence, and below it what is behind it.
fn written(explanation: &Explanation, zone: &Zone, style: Style) -> String {
    let mut text = format!("{}\n", style.strong(&one_line(&explanation.summary, SENTENCE)));
    if !explanation.evidence.is_empty() {
        text.push_str(&format!(
            "\n{}\n",
            style.faint(&format!("What the ledger tells, in the time of {zone}:"))
        ));
    }
    let times: Vec<String> = explanation.evidence.iter().map(|piece| local_time(zone, piece.at)).collect();
    let width = times.iter().map(String::len).max().unwrap_or_default();
    for (time, piece) in times.iter().zip(&explanation.evidence) {
        text.push_str(&format!("{time:<width$}  {}\n", one_line(&piece.text, SENTENCE)));
    }
    if let Some(run) = &explanation.run {
        text.push_str(&format!("\n{}\n", style.faint(&format!("Run {}", run.id))));
    }
    text
}
