//! `sexton rm`: automations that are not wanted any more.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::named::{Intent, automation_named, quoted, title_of};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::rest::finished;
use super::show::{Shown, Style};
use crate::client::model::Run;
use crate::domain::id::AutomationId;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "rm";

#[derive(Args)]
pub(super) struct RemoveArgs {
    /// The automations, by their ids or titles. Their runs stay readable.
    #[arg(value_name = "ID", required = true)]
    automations: Vec<String>,
    /// Lets a run that is at work end as it likes, instead of cancelling it.
    #[arg(long, conflicts_with = "refuse")]
    finish: bool,
    /// Deletes nothing of which a run is at work.
    #[arg(long)]
    refuse: bool,
    /// Does not ask.
    #[arg(long, short)]
    yes: bool,
    /// Answers as `automation/delete` does, for each, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Deletes them. The exit code is 0 if all of them are gone.
pub(super) fn run(environment: Environment, args: RemoveArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    let named = args.automations.len();
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let done = ask(asker, chosen, async |client| {
        let (mut found, mut troubles) = (Vec::new(), Vec::new());
        for name in &args.automations {
            match automation_named(client, name, Intent::Act).await {
                Ok(named) => {
                    let title = named.automation.as_ref().map_or_else(|| named.id.to_string(), title_of);
                    found.push((named.id, title));
                }
                Err(trouble) => troubles.push(trouble),
            }
        }
        if !found.is_empty() && !args.yes {
            confirm(&found)?;
        }
        let (mut answers, mut text) = (Vec::new(), String::new());
        for (id, title) in found {
            let params = json!({"id": id, "activeRun": args.active_run()});
            match client.ask::<Value>("automation/delete", params).await {
                Ok(answer) => {
                    let stopped: Vec<Run> = read(answer["stoppedRuns"].clone())?;
                    text.push_str(&format!("Deleted {}\n", style.strong(&quoted(&title))));
                    for run in stopped {
                        text.push_str(&format!("  Stopped its run {}\n", run.id));
                    }
                    answers.push(answer);
                }
                Err(error) => troubles.push(error.into()),
            }
        }
        let shown = if args.json { Shown::Json(Value::Array(answers)) } else { Shown::Text(text) };
        Ok((shown, troubles))
    });
    finished(done, named)
}

impl RemoveArgs {
    /// What becomes of a run that is at work, in the contract's word.
    fn active_run(&self) -> &'static str {
        match (self.finish, self.refuse) {
            (true, _) => "finish",
            (false, true) => "refuse",
            (false, false) => "cancel",
        }
    }
}

/// Asks whether these are really meant.
fn confirm(found: &[(AutomationId, String)]) -> Result<(), Trouble> {
    let titles: Vec<String> = found.iter().map(|(_, title)| quoted(title)).collect();
    let titles = titles.join(", ");
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Trouble::Unusable(format!("say --yes to delete {titles}: nobody can be asked here")));
    }
    let mut err = io::stderr().lock();
    write!(err, "Delete {titles}? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Trouble::Failed("nothing was deleted".to_owned())),
    }
}
