//! `sexton export`: automations as a document that another project can take over.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::draft::{draft_of, written};
use super::named::{Intent, automation_named, quoted};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::show::print;
use super::tell;
use crate::client::model::Automation;
use crate::domain::automation::When;
use crate::domain::one_line::plain_json;
use crate::domain::schedule::rhythm::{Rhythm, Stop};
use crate::domain::shown::ShownAutomation;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "export";

/// Which documents these are. One that somebody could misunderstand who knows this one gets the next number.
pub(super) const FORMAT: i64 = 1;

#[derive(Args)]
pub(super) struct ExportArgs {
    /// The automations, by their ids or titles.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    automations: Vec<String>,
    /// All automations of the project.
    #[arg(long)]
    all: bool,
    /// Where to write the document [default: stdout].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
}

/// Exports them. The exit code is 2 where what was named cannot be used, and 1 where something else went wrong, or one of
/// them cannot be exported.
pub(super) fn run(environment: Environment, args: ExportArgs) -> ExitCode {
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let exported = ask(asker, chosen, async |client| {
        let mut found: Vec<Value> = if args.all {
            client.all("automation/list", json!({})).await?
        } else {
            let mut found = Vec::new();
            for name in &args.automations {
                let id = automation_named(client, name, Intent::Look).await?.id;
                found.push(client.ask("automation/get", json!({"id": id})).await?);
            }
            found
        };
        if args.all {
            // Whoever takes them over makes the oldest first.
            found.reverse();
        }
        let (mut records, mut left_out) = (Vec::new(), Vec::new());
        for automation in found {
            match read::<Automation>(automation.clone())? {
                Automation::Known(known) => records.push(record(&automation, &known)),
                Automation::Later(later) => left_out.push(format!(
                    "{} ({}) is left out: a newer version of sexton wrote it, and this one does not understand all of it",
                    quoted(&later.title),
                    later.id
                )),
            }
        }
        Ok((plain_json(&document(&records)), left_out))
    });
    let (document, left_out) = match exported {
        Ok(exported) => exported,
        Err(trouble) => return trouble.told(),
    };
    let written = match &args.output {
        None => print(&document),
        Some(file) => match std::fs::write(file, &document) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                return Trouble::Failed(format!("{} cannot be written: {error}", file.display())).told();
            }
        },
    };
    for sentence in &left_out {
        tell(sentence);
    }
    if left_out.is_empty() { written } else { ExitCode::FAILURE }
}

/// Each record in lines of its own, so that what changes from one export to the next can be seen.
fn document(records: &[Map<String, Value>]) -> String {
    let records: Vec<String> =
        records.iter().map(|record| written(record).trim_end().replace('\n', "\n    ")).collect();
    let records = match records.as_slice() {
        [] => "[]".to_owned(),
        records => format!("[\n    {}\n  ]", records.join(",\n    ")),
    };
    format!(
        "{{\n  \"sexton\": {FORMAT},\n  \"exportedAt\": {},\n  \"automations\": {records}\n}}\n",
        Clock.now()
    )
}

/// An automation as a document has it: the draft that makes one that is due at the same times from now on, without the
/// values of its environment.
pub(super) fn record(automation: &Value, known: &ShownAutomation) -> Map<String, Value> {
    let mut record = draft_of(automation);
    record.insert("id".to_owned(), json!(known.id));
    if let Some(pause) = &known.pause {
        record.insert("paused".to_owned(), json!(true));
        if let Some(note) = &pause.note {
            record.insert("note".to_owned(), json!(note));
        }
    }
    let mut over = known.pause.is_none() && known.state.next_fire_at.is_none();
    if let When::Recurring { rhythm, stop } = &known.definition.when {
        if let (Rhythm::Interval { anchor_at: None, .. }, Some(next)) = (rhythm, known.state.next_fire_at) {
            record["rhythm"]["anchorAt"] = json!(next);
        }
        if let Stop::Count(count) = stop {
            let done = u64::try_from(known.state.completed_runs).unwrap_or_default();
            match count.saturating_sub(done) {
                0 => over = true,
                left => record["stop"]["count"] = json!(left),
            }
        }
    }
    if over {
        record.insert("over".to_owned(), json!(true));
    }
    let missing = without_values(&mut record);
    if !missing.is_empty() {
        record.insert("missingEnv".to_owned(), json!(missing));
    }
    record
}

/// Takes the values of the environment out of a draft, and gives their names. Where a value is taken from is none.
fn without_values(draft: &mut Map<String, Value>) -> Vec<String> {
    let task = draft.get_mut("task").and_then(Value::as_object_mut);
    let Some(env) = task.and_then(|task| task.get_mut("env")).and_then(Value::as_object_mut) else {
        return Vec::new();
    };
    let is_value = |value: &Value| value.get("from").is_none();
    let missing: Vec<String> =
        env.iter().filter(|(_, value)| is_value(value)).map(|(name, _)| name.clone()).collect();
    env.retain(|_, value| !is_value(value));
    missing
}
