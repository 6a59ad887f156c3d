//! `sexton cancel`: a run is ended, wherever it is carried out.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::ago::{relative, span};
use super::changes::Changes;
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::run_named::{Meant, run_named};
use super::run_words::{named, outcome, took_ms, why};
use super::show::Shown;
use super::tell;
use crate::client::Client;
use crate::client::model::Run;
use crate::domain::schedule::zone::Zone;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "cancel";

/// After how long somebody is told what is waited for.
const SILENT_FOR: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(super) struct CancelArgs {
    /// The run, by its id, or an automation by its id or title: its only run that has not ended.
    #[arg(value_name = "RUN|ID")]
    run: String,
    /// Kills its work right after it was asked to end, without leaving it time for that.
    #[arg(long)]
    now: bool,
    /// Answers with the run as it has ended, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Ends it and waits until its work has gone. The exit code is 0 then, and for a run that had ended already; 2 where
/// something that was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: CancelArgs) -> ExitCode {
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let cancelled = ask(asker, chosen, async |client| {
        let run = run_named(client, &args.run, Meant::Active).await?;
        let had_ended = run.has_ended();
        let (run, value) = cancelled(client, run, args.now).await?;
        Ok(match (args.json, had_ended) {
            (true, _) => Shown::Json(value),
            (false, true) => Shown::Text(had_ended_already(&run)),
            (false, false) => Shown::Text(how_it_ended(&run)),
        })
    });
    match cancelled {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

/// Asks the run to end, and gives it when it has.
async fn cancelled(client: &Client, run: Run, now: bool) -> Result<(Run, Value), Trouble> {
    let mut changes = Changes::of(client, &run.automation_id).await?;
    let cancel = || client.ask::<Value>("run/cancel", json!({"id": run.id}));
    let mut value = cancel().await?;
    if now {
        // Whoever asks again does not want to wait.
        value = cancel().await?;
    }
    let mut run: Run = read(value.clone())?;
    let silence = tokio::time::sleep(SILENT_FOR);
    tokio::pin!(silence);
    let mut is_told = false;
    while !run.has_ended() {
        tokio::select! {
            told = changes.next_of(&run.id) => {
                let (now, event) = told?;
                value = event.about.get("run").cloned().unwrap_or_default();
                run = now;
            }
            () = &mut silence, if !is_told => {
                tell(&format!("{} is asked to end; it ends also if nobody waits for it here", run.id));
                is_told = true;
            }
        }
    }
    Ok((run, value))
}

fn had_ended_already(run: &Run) -> String {
    let (now, zone) = (Clock.now(), Zone::machine());
    let ago = relative(run.completed_at.unwrap_or(run.triggered_at), now, &zone);
    format!("{} had ended already: {} {ago}.\n", named(run), outcome(run).0)
}

/// It may have ended by itself before it could be asked to.
fn how_it_ended(run: &Run) -> String {
    let now = Clock.now();
    let after = took_ms(run, now).map(|took| format!(" after {}", span(took)));
    let after = after.unwrap_or_else(|| " before its work began".to_owned());
    match run.error {
        Some(_) => {
            format!("{}: {}{after}: {}\n", named(run), outcome(run).0, why(run, now, &Zone::machine()))
        }
        None => format!("{}: {}{after}.\n", named(run), outcome(run).0),
    }
}
