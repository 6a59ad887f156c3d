//! `sexton import`: automations from a document.

mod fate;
mod record;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::draft::{Stdin, paths, stack, variable_of};
use super::export::FORMAT;
use super::opened::{Asker, Trouble, Unopened, ask};
use super::project::Chosen;
use super::show::{Shown, Style};
use crate::client::{Client, Detail, Error};
use crate::domain::automation::EnvValue;
use crate::domain::one_line::one_line;
use crate::sidecar::config::Environment;
use fate::{Fate, Imported, report};
use record::{Known, Record};

/// The most characters of what is said of one field.
const FAULT: usize = 1000;

/// The most characters of a name that is repeated.
const NAME: usize = 60;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "import";

/// The largest document that is read, in bytes: far more than the automations of any project, and so little that it can
/// be kept in memory.
const DOCUMENT: u64 = 64 * 1024 * 1024;

#[derive(Args)]
pub(super) struct ImportArgs {
    /// A document of `sexton export`, or `-` for stdin.
    #[arg(value_name = "FILE")]
    file: String,
    /// Only tells what would be done.
    #[arg(long)]
    dry_run: bool,
    /// All that is new begins paused.
    #[arg(long)]
    paused: bool,
    /// What becomes of an automation that is there already, which is one with the same id, or else with the same title:
    /// it is left alone, or made once more, or changed into what the document says (its pause is left alone).
    #[arg(long, value_name = "WHAT", default_value = "skip")]
    on_duplicate: OnDuplicate,
    /// A value that the document does not hold, for every automation that lacks one of this name; without a value it is
    /// taken from the window that carries a run out. What still lacks one begins paused. May be repeated.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Tells what became of each, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnDuplicate {
    Skip,
    New,
    Update,
}

/// Imports them. The exit code is 2 where the document cannot be used, and 1 where one of its automations was refused or
/// something else went wrong.
pub(super) fn run(environment: Environment, args: ImportArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    let records = match read_records(&args.file) {
        Ok(records) => records,
        Err(why) => return Trouble::Unusable(format!("{}: {why}", args.file)).told(),
    };
    let values = match args.values(&records) {
        Ok(values) => values,
        Err(trouble) => return trouble.told(),
    };
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Opened };
    let chosen = args.chosen.clone();
    let imported = ask(asker, chosen, async |client| {
        let known = record::known_of_each(client, &records).await?;
        let (mut all, mut trouble) = (Vec::new(), None);
        for (record, known) in records.iter().zip(known) {
            match args.import(client, record, known, &values).await {
                Ok(fate) => all.push(Imported { title: record.title.clone(), fate }),
                // What was done is told all the same.
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
        Ok((all, trouble))
    });
    let (all, trouble) = match imported {
        Ok(imported) => imported,
        Err(trouble) => return trouble.told(),
    };
    let shown = match args.json {
        true => Shown::Json(all.iter().map(Imported::for_programs).collect()),
        false => Shown::Text(report(&all, style)),
    };
    let told = shown.print();
    match trouble {
        Some(trouble) => trouble.told(),
        None if all.iter().any(|one| one.fate.is_refusal()) => ExitCode::FAILURE,
        None => told,
    }
}

fn read_records(file: &str) -> Result<Vec<Record>, String> {
    let text = Stdin::default().file("FILE", file, DOCUMENT)?;
    let document: Value = serde_json::from_str(&text).map_err(|error| format!("it is not JSON: {error}"))?;
    match document["sexton"].as_i64() {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => {
            return Err(format!(
                "a newer version of sexton wrote it (format {newer}, and this one knows {FORMAT}); update sexton"
            ));
        }
        Some(_) | None => return Err("it is no document of `sexton export`".to_owned()),
    }
    let Some(records) = document["automations"].as_array() else {
        return Err("it has no list of `automations`".to_owned());
    };
    Ok(records.iter().enumerate().map(|(place, record)| Record::of(place, record)).collect())
}

/// Where the values come from that the document does not hold, by the names of the variables.
type Values = BTreeMap<String, EnvValue>;

impl ImportArgs {
    /// The values that were typed, each of which something lacks.
    fn values(&self, records: &[Record]) -> Result<Values, Trouble> {
        let values: Values = self
            .env
            .iter()
            .map(|typed| {
                let (name, value) = variable_of(typed);
                (name.to_owned(), value)
            })
            .collect();
        let in_vain = values.keys().find(|name| !records.iter().any(|record| record.missing.contains(name)));
        match in_vain {
            None => Ok(values),
            Some(name) => {
                let why = "no automation of the document lacks a variable of this name";
                Err(Trouble::Unusable(format!("--env {}: {why}", one_line(name, NAME))))
            }
        }
    }

    /// Makes or changes one of them, or tells why not.
    async fn import(
        &self,
        client: &Client,
        record: &Record,
        known: Option<Known>,
        values: &Values,
    ) -> Result<Fate, Trouble> {
        let members = match &record.members {
            Ok(members) => members,
            Err(why) => return Ok(Fate::Refused(vec![why.clone()])),
        };
        match (known, self.on_duplicate) {
            (Some(known), OnDuplicate::Skip) => {
                return Ok(Fate::Skipped(format!("{} is there already", known.id)));
            }
            (Some(known), OnDuplicate::Update) => return self.update(client, &known, record, values).await,
            (Some(_), OnDuplicate::New) | (None, _) => {}
        }
        if record.is_over {
            return Ok(Fate::Skipped("it was over when it was exported".to_owned()));
        }
        let mut draft = members.clone();
        let missing = give_values(&mut draft, &record.missing, values);
        if self.paused || !missing.is_empty() {
            draft.insert("paused".to_owned(), json!(true));
        }
        if !missing.is_empty() {
            draft.insert("note".to_owned(), json!(fate::lacks(&missing)));
        }
        draft.insert("dryRun".to_owned(), json!(self.dry_run));
        match client.ask::<Value>("automation/create", draft).await {
            Ok(_) if self.dry_run => Ok(Fate::WouldBeCreated { missing }),
            Ok(answer) => Ok(Fate::Created { id: id_of(&answer), missing }),
            Err(error) => refused(error),
        }
    }

    /// Changes what is there into what the document says, but for its pause.
    async fn update(
        &self,
        client: &Client,
        known: &Known,
        record: &Record,
        values: &Values,
    ) -> Result<Fate, Trouble> {
        let Some((patch, missing)) = known.patch_into(record, values) else {
            let why =
                "a newer version of sexton wrote what is there, and this one does not understand all of it";
            return Ok(Fate::Refused(vec![format!("{}: {why}", known.id)]));
        };
        if patch.is_empty() {
            return Ok(Fate::Skipped(format!("{} is like that already", known.id)));
        }
        let id = known.id.clone();
        if self.dry_run {
            return Ok(Fate::WouldBeUpdated { id, fields: paths(&patch), missing });
        }
        let params = json!({"id": id, "ifRevision": known.revision, "patch": patch});
        match client.ask::<Value>("automation/update", params).await {
            Ok(_) => Ok(Fate::Updated { id, fields: paths(&patch), missing }),
            Err(error) => refused(error),
        }
    }
}

/// Puts values into the environment of a draft, and gives the names that still lack one.
fn give_values(draft: &mut Map<String, Value>, missing: &[String], values: &Values) -> Vec<String> {
    let (given, lacking): (Vec<&String>, Vec<&String>) =
        missing.iter().partition(|name| values.contains_key(*name));
    let env: Map<String, Value> =
        given.into_iter().filter_map(|name| Some((name.clone(), json!(values.get(name)?)))).collect();
    if !env.is_empty() {
        stack(draft, &Map::from_iter([("task".to_owned(), json!({"env": env}))]));
    }
    lacking.into_iter().cloned().collect()
}

fn id_of(automation: &Value) -> String {
    automation["id"].as_str().unwrap_or_default().to_owned()
}

/// What the sidecar finds wrong with one keeps nothing from the others; anything else does.
fn refused(error: Error) -> Result<Fate, Trouble> {
    match error {
        Error::Refused(refused) if refused.kind == "invalid_automation" => {
            let details = refused.details();
            let is_late = |detail: &Detail| detail.message == "fireAt_must_be_future";
            if !details.is_empty() && details.iter().all(is_late) {
                return Ok(Fate::Skipped("its time has passed".to_owned()));
            }
            let one = |detail: Detail| {
                let word = detail.message.replace('_', " ");
                format!("{}: {}", detail.field, one_line(&detail.hint.unwrap_or(word), FAULT))
            };
            Ok(Fate::Refused(details.into_iter().map(one).collect()))
        }
        Error::Refused(refused) if refused.kind == "automation_conflict" => {
            Ok(Fate::Refused(vec![one_line(&refused.message, FAULT)]))
        }
        error @ (Error::Refused(_) | Error::Gone(_)) => Err(error.into()),
    }
}
