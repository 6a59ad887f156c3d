//! `sexton show`: an automation or a run in full.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::automation_card::automation_card;
use super::named::Intent;
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::run_card::run_card;
use super::run_named::{RunOrAutomation, run_or_automation};
use super::show::{Page, Shown};
use crate::client::Client;
use crate::client::model::{Automation, Run};
use crate::domain::id::AutomationId;
use crate::domain::schedule::zone::Zone;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "show";

/// The last runs that are told of with an automation.
const RUNS: usize = 5;

#[derive(Args)]
pub(super) struct ShowArgs {
    /// The automation, by its id or title, or the run, by its id.
    #[arg(value_name = "ID")]
    one: String,
    /// Answers with it as the protocol writes it, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Shows it. The exit code is 2 where what was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: ShowArgs) -> ExitCode {
    let page = Page::of_stdout(&environment);
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let shown =
        ask(asker, chosen, async |client| match run_or_automation(client, &args.one, Intent::Look).await? {
            RunOrAutomation::Run(run) => show_run(run, &args, page),
            RunOrAutomation::Automation(named) => show_automation(client, &named.id, &args, page).await,
        });
    match shown {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

fn show_run(answer: Value, args: &ShowArgs, page: Page) -> Result<Shown, Trouble> {
    if args.json {
        return Ok(Shown::Json(answer));
    }
    let run: Run = read(answer)?;
    Ok(Shown::Text(run_card(&run, Clock.now(), &Zone::machine(), page)))
}

async fn show_automation(
    client: &Client,
    id: &AutomationId,
    args: &ShowArgs,
    page: Page,
) -> Result<Shown, Trouble> {
    let answer: Value = client.ask("automation/get", json!({"id": id})).await?;
    if args.json {
        return Ok(Shown::Json(answer));
    }
    let automation: Automation = read(answer)?;
    let (runs, _): (Vec<Run>, bool) = client.first("run/list", json!({"automationID": id}), RUNS).await?;
    Ok(Shown::Text(automation_card(&automation, &runs, Clock.now(), page)))
}
