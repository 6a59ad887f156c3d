//! What a document says of one automation, and what is there of it already.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Values, give_values};
use crate::cli::draft::difference;
use crate::cli::export;
use crate::cli::opened::{Trouble, read};
use crate::client::Client;
use crate::client::model::Automation;
use crate::domain::draft::limits;
use crate::domain::one_line::one_line;

/// An automation of a document.
pub(super) struct Record {
    /// What it is called, for people.
    pub(super) title: String,
    id: Option<String>,
    /// The parameters of `automation/create`; or why it is none.
    pub(super) members: Result<Map<String, Value>, String>,
    /// Whether nothing of it was due any more when it was exported.
    pub(super) is_over: bool,
    /// The variables whose values the document does not hold.
    pub(super) missing: Vec<String>,
}

impl Record {
    /// Reads the one at this place of the list.
    pub(super) fn of(place: usize, record: &Value) -> Record {
        let title = record["title"].as_str().or(record["id"].as_str());
        let title =
            title.map_or_else(|| format!("number {}", place + 1), |title| one_line(title, limits::TITLE));
        let id = record["id"].as_str().map(str::to_owned);
        let is_over = record["over"] == true;
        let names = match record.get("missingEnv") {
            None => Some(Vec::new()),
            Some(names) => serde_json::from_value(names.clone()).ok(),
        };
        let members = match (record.as_object(), &names) {
            (None, _) => Err("it is not an object".to_owned()),
            (Some(_), None) => Err("missingEnv: write a list of names".to_owned()),
            (Some(members), Some(_)) => {
                let beside = |name: &String| ["id", "over", "missingEnv"].contains(&name.as_str());
                Ok(members
                    .iter()
                    .filter(|(name, _)| !beside(name))
                    .map(|(n, v)| (n.clone(), v.clone()))
                    .collect())
            }
        };
        Record { title, id, members, is_over, missing: names.unwrap_or_default() }
    }
}

/// An automation that is there already.
pub(super) struct Known {
    pub(super) id: String,
    pub(super) revision: i64,
    title: String,
    /// It as a document would say it; none if a later version wrote it.
    record: Option<Map<String, Value>>,
}

/// What is there already of each: one with the same identity, or else with the same title. Each belongs to one record at
/// most, so that a document with two of one title makes two, and finds both of them the next time.
pub(super) async fn known_of_each(
    client: &Client,
    records: &[Record],
) -> Result<Vec<Option<Known>>, Trouble> {
    let answers: Vec<Value> = client.all("automation/list", json!({})).await?;
    let mut all: Vec<Option<Known>> = Vec::new();
    // The oldest first, as documents have them.
    for answer in answers.into_iter().rev() {
        let automation: Automation = read(answer.clone())?;
        let record = automation.known().map(|known| export::record(&answer, known));
        let (id, title) = (automation.id().to_string(), automation.title().to_owned());
        all.push(Some(Known { id, revision: automation.revision(), title, record }));
    }
    let ids: HashSet<&str> = records.iter().filter_map(|record| record.id.as_deref()).collect();
    let mut of_each: Vec<Option<Known>> = records
        .iter()
        .map(|record| {
            let id = record.id.as_deref()?;
            all.iter_mut().find(|known| known.as_ref().is_some_and(|known| known.id == id))?.take()
        })
        .collect();
    for (record, known) in records.iter().zip(&mut of_each) {
        let title = record.members.as_ref().ok().and_then(|members| members.get("title")?.as_str());
        if let (None, Some(title)) = (&known, title) {
            let is_it = |known: &&mut Option<Known>| {
                known.as_ref().is_some_and(|known| known.title == title && !ids.contains(known.id.as_str()))
            };
            *known = all.iter_mut().find(is_it).and_then(Option::take);
        }
    }
    Ok(of_each)
}

impl Known {
    /// What changes it into what a record says, and which variables it then lacks a value of. None if a later version wrote
    /// it.
    pub(super) fn patch_into(
        &self,
        record: &Record,
        values: &Values,
    ) -> Option<(Map<String, Value>, Vec<String>)> {
        let mut before = self.record.clone()?;
        let mut wanted = record.members.clone().ok()?;
        let kept = names(before.get("missingEnv"));
        for beside in ["id", "over", "missingEnv", "paused", "note"] {
            before.remove(beside);
            wanted.remove(beside);
        }
        let mut patch = difference(&before, &wanted);
        // Values are in neither of the two. One that is there stays if the document knows its name, and goes if not.
        let is_wanted =
            |name: &String| record.missing.contains(name) || wanted["task"]["env"].get(name).is_some();
        for name in kept.iter().filter(|name| !is_wanted(name)) {
            if patch.get("task").is_none_or(|task| task.get("kind").is_none()) {
                patch.entry("task").or_insert_with(|| json!({}))["env"][name] = Value::Null;
            }
        }
        let missing = give_values(&mut patch, &record.missing, values);
        Some((patch, missing.into_iter().filter(|name| !kept.contains(name)).collect()))
    }
}

fn names(list: Option<&Value>) -> Vec<String> {
    list.and_then(|names| serde_json::from_value(names.clone()).ok()).unwrap_or_default()
}
