//! `sexton run`: an automation is carried out now, by a window or right here.

mod keyboard;
mod screen;
mod typing;
mod wait;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::ago::{clock, span};
use super::changes::Changes;
use super::named::{Intent, automation_named, quoted};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::run_words::{named, outcome, took_ms, waits, why};
use super::show::{print, print_json};
use crate::client::model::{Run, RunState, Status};
use crate::domain::run::WaitingFor;
use crate::domain::run::machine::State;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "run";

/// How long somebody who does not wait for a run is kept to hear what became of its start: longer than a window that is
/// not busy takes for that.
const BEGINS_WITHIN: Duration = Duration::from_secs(3);

#[derive(Args)]
pub(super) struct RunArgs {
    /// The automation, by its id or title.
    #[arg(value_name = "ID")]
    automation: String,
    /// Carries it out right here and waits for its end: what it writes goes to stdout, what becomes of it to stderr, and
    /// its exit code is the command's own. Ctrl-C ends it, a second time at once.
    #[arg(long, short)]
    wait: bool,
    /// With --wait: tells nothing on stderr but what went wrong and what is asked.
    #[arg(long, short, requires = "wait")]
    quiet: bool,
    /// What is told to an agent beside the prompt, this time.
    #[arg(long, value_name = "TEXT")]
    context: Option<String>,
    /// What it does while its directory is in use [default: as its policy says].
    #[arg(long, value_name = "WHAT")]
    if_busy: Option<IfBusy>,
    /// A name for this request: the same within 24 h gives the run that there is.
    #[arg(long)]
    key: Option<String>,
    /// Nobody is there to answer what it asks.
    #[arg(long)]
    unattended: bool,
    /// Answers with the run, for programs. With --wait: one object in each line, what is told of the run as it happens and
    /// in the last line the run; what it has written is told by `sexton log`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum IfBusy {
    /// It waits.
    Queue,
    /// It does not run.
    Skip,
}

/// Asks for the run. Without --wait the exit code is 0 once it is there, 2 where something that was named cannot be used,
/// and 1 where something else went wrong, also if the run could not begin. With --wait it is the run's own.
pub(super) fn run(environment: Environment, args: RunArgs) -> ExitCode {
    let manner = wait::Manner::of(&environment, args.quiet, args.json);
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let done = ask(asker, chosen, async |client| {
        let named = automation_named(client, &args.automation, Intent::Act).await?;
        let mut changes = Changes::of(client, &named.id).await?;
        let run: Value = client.ask("automation/run", args.request(named.id.as_str())).await?;
        match args.wait {
            true => wait::until_its_end(client, changes, run, manner).await,
            false => {
                let (run, value) = begun(&mut changes, run).await?;
                if args.json {
                    print_json(&value);
                } else {
                    let status: Status = client.ask("scheduler/status", json!({})).await?;
                    print(&told(&run, &status, Clock.now(), &Zone::machine()));
                }
                Ok(if could_not_begin(&run) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
            }
        }
    });
    match done {
        Ok(code) => code,
        Err(trouble) => trouble.told(),
    }
}

impl RunArgs {
    fn request(&self, automation: &str) -> Value {
        let attendance = if self.unattended { "unattended" } else { "attended" };
        // Whoever does not wait is gone before the work has ended, and would take it along.
        let executor = if self.wait { "asker" } else { "participant" };
        let mut request = json!({"id": automation, "attendance": attendance, "executor": executor});
        if let Some(context) = &self.context {
            request["context"] = json!(context);
        }
        if let Some(key) = &self.key {
            request["key"] = json!(key);
        }
        match self.if_busy {
            Some(IfBusy::Queue) => request["ifBusy"] = json!("queue"),
            Some(IfBusy::Skip) => request["ifBusy"] = json!("skip"),
            None => {}
        }
        request
    }
}

/// The run when its work has started, or it waits for something, or it has ended; or as it is after a while.
async fn begun(changes: &mut Changes<'_>, value: Value) -> Result<(Run, Value), Trouble> {
    let mut run: Run = read(value.clone())?;
    let mut value = value;
    let begins = async {
        while run.waiting.is_none() && run.started_at.is_none() && !run.has_ended() {
            let (now, event) = changes.next_of(&run.id).await?;
            run = now;
            value = event.about.get("run").cloned().unwrap_or_default();
        }
        Ok(())
    };
    match tokio::time::timeout(BEGINS_WITHIN, begins).await {
        Ok(Err(trouble)) => Err(trouble),
        Ok(Ok(())) | Err(_) => Ok((run, value)),
    }
}

fn could_not_begin(run: &Run) -> bool {
    run.state == RunState::Known(State::Failed) && run.started_at.is_none()
}

/// What has become of a run that was just asked for.
fn told(run: &Run, status: &Status, now: Timestamp, zone: &Zone) -> String {
    let by = run.instance_id.as_ref().map(|instance| {
        let window = status.instances.iter().find(|there| there.id == *instance);
        let client = window.and_then(|window| window.client.as_deref()).unwrap_or("a window");
        format!(" in {} (window {instance})", quoted(client))
    });
    let (by, named, follow) = (by.unwrap_or_default(), named(run), format!("`sexton log -f {}`", run.id));
    match (&run.state, &run.waiting) {
        (_, Some(waiting)) if waiting.what == WaitingFor::Executor => {
            let until = waiting.until_at.map(|until| format!(", until {}", clock(until, now, zone)));
            format!(
                "{named} waits: no window is open that can carry it out. It begins when one opens{}.\n\
                 To carry it out here instead: sexton cancel {}, then sexton run --wait {}\n",
                until.unwrap_or_default(),
                run.id,
                run.automation_id
            )
        }
        (_, Some(waiting)) => {
            format!("{named} waits for {}.\n{follow} follows it.\n", waits(waiting, now, zone))
        }
        (RunState::Known(State::Scheduled), None) => {
            format!("{named} was given to a window and has not begun yet.\n{follow} follows it.\n")
        }
        (RunState::Known(State::Running), None) => format!("{named} is at work{by}.\n{follow} follows it.\n"),
        (RunState::Known(State::AwaitingInput), None) => {
            format!("{named} asks you something{by}.\n`sexton answer {}` shows what.\n", run.id)
        }
        (RunState::Known(State::Succeeded | State::Failed | State::Stopped) | RunState::Later(_), None) => {
            let after = took_ms(run, now).map(|took| format!(" after {}", span(took))).unwrap_or_default();
            let why = why(run, now, zone);
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            format!(
                "{named}: {}{by}{after}{why}\n`sexton log {}` shows what it wrote.\n",
                outcome(run).0,
                run.id
            )
        }
    }
}
