//! `sexton add`: a new automation.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::ago::relative_and_clock;
use super::draft::{Around, DraftArgs, Stdin, Typed, listed, merge, read_document, told_of_flags};
use super::named::{quoted, title_of, zone_of};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::show::{Shown, Style, Tone};
use super::standing::{pause_reason, when_with_zone};
use crate::client::Client;
use crate::client::model::{Automation, Status};
use crate::domain::one_line::one_line;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "add";

/// The largest draft that is read from a file, in bytes: more than the contract lets be sent in one.
const DRAFT: u64 = 1024 * 1024;

/// The most characters of a warning.
const WARNING: usize = 1000;

#[derive(Args, Debug)]
pub(super) struct AddArgs {
    /// What it is called.
    #[arg(value_name = "TITLE")]
    title: Option<String>,
    #[command(flatten)]
    draft: DraftArgs,
    /// Begins paused.
    #[arg(long)]
    paused: bool,
    /// A draft as `automation/create` takes it, in this file, or `-` for stdin. What else is typed is put on top of it.
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
    /// A name of your own for this: the same one again within a day gives what was added first.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Only tells what would be added.
    #[arg(long)]
    dry_run: bool,
    /// Answers as `automation/create` does, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Adds it. The exit code is 2 where what was typed is to be changed, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: AddArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    let (draft, typed) = match args.read() {
        Ok(read) => read,
        Err(trouble) => return trouble.told(),
    };
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Opened };
    let chosen = args.chosen.clone();
    let added = ask(asker, chosen, async |client| {
        let answer: Value =
            client.ask("automation/create", draft).await.map_err(|error| told_of_flags(error, &typed))?;
        if args.json {
            return Ok(Shown::Json(answer));
        }
        let automation: Automation = read(answer)?;
        let done = if args.dry_run { "Would add" } else { "Added" };
        let mut text = made(done, &automation, Clock.now(), style);
        if !args.dry_run && automation.next_fire_at().is_some() {
            text.push_str(&nobody_there(client, style).await?);
        }
        Ok(Shown::Text(text))
    });
    match added {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

impl AddArgs {
    /// The parameters of `automation/create`, and what was typed of them.
    fn read(&self) -> Result<(Value, Typed), Trouble> {
        let mut stdin = Stdin::default();
        let mut draft = Map::new();
        if let Some(file) = &self.from {
            let text = stdin.file("--from", file, DRAFT);
            let document = text.and_then(|text| read_document(&text));
            draft = document.map_err(|why| Trouble::Unusable(format!("--from {file}: {why}")))?;
        }
        let named = draft.get("timezone").and_then(Value::as_str).and_then(|name| Zone::named(name).ok());
        let around =
            Around { now: Clock.now(), zone: named.unwrap_or_else(Zone::machine), stdin: &mut stdin };
        let mut typed = self.draft.read(around);
        if let Some(title) = &self.title {
            typed.say("title", "TITLE", title, json!(title));
        }
        if self.paused {
            typed.say("paused", "--paused", "", json!(true));
        }
        if let Some(key) = &self.key {
            typed.say("key", "--key", key, json!(key));
        }
        if !typed.faults.is_empty() {
            return Err(Trouble::Unusable(listed(&typed.faults)));
        }
        merge(&mut draft, &typed.patch);
        if self.dry_run {
            draft.insert("dryRun".to_owned(), json!(true));
        }
        Ok((Value::Object(draft), typed))
    }
}

/// What there is now, in a few lines.
pub(super) fn made(done: &str, automation: &Automation, now: Timestamp, style: Style) -> String {
    let id = automation.id();
    let id = if id.as_str().is_empty() { String::new() } else { format!(", {}", style.faint(id.as_str())) };
    let mut text = format!("{done} {}{id}\n", style.strong(&quoted(&title_of(automation))));
    let Some(known) = automation.known() else { return text };
    text.push_str(&format!("  {}\n", when_with_zone(known)));
    let zone = zone_of(automation).unwrap_or_else(Zone::machine);
    let next = match (&known.pause, known.state.next_fire_at) {
        (Some(pause), _) => format!("Paused, {}", pause_reason(pause.reason).0),
        (None, Some(at)) => format!("Next {}", relative_and_clock(at, now, &zone)),
        (None, None) => "Never due any more".to_owned(),
    };
    text.push_str(&format!("  {next}\n"));
    for warning in &known.state.warnings {
        let note = format!("Note: {}", one_line(warning, WARNING));
        text.push_str(&format!("  {}\n", style.toned(Tone::Warn, &note)));
    }
    text
}

/// That nothing fires as long as nobody is there, if nobody is.
async fn nobody_there(client: &Client, style: Style) -> Result<String, Trouble> {
    let status: Status = client.ask("scheduler/status", json!({})).await?;
    if status.owner.is_some() {
        return Ok(String::new());
    }
    let note = "Note: no window has this project open, and nothing fires until one has, or `sexton serve --headless` runs";
    Ok(format!("  {}\n", style.toned(Tone::Warn, note)))
}
