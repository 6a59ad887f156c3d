//! The calls of an agent's tools: which of them are steps, how they ended, and which files they changed.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::bounds::{CALL_ID_BYTES, CALLS, FILES, PATH_BYTES, TITLE, one_line};
use crate::domain::secrets::Secrets;

pub(super) struct Tools {
    directory: PathBuf,
    /// What nobody is told of what the calls are called.
    secrets: Secrets,
    known: HashMap<String, Call>,
    /// The known ones, oldest first.
    order: VecDeque<String>,
    files: BTreeSet<String>,
    /// How many paths are known of calls that have not completed.
    paths: usize,
    /// How many there have been.
    begun: u64,
}

#[derive(Default)]
struct Call {
    /// Its place among all calls, from 1.
    number: u64,
    title: Option<String>,
    kind: Option<String>,
    status: Status,
    /// A digest of what it was given.
    input: Option<u64>,
    is_told: bool,
    /// What it says it changes.
    diffs: BTreeSet<String>,
    /// What it says it works on.
    locations: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Status {
    #[default]
    Pending,
    InProgress,
    Completed,
    Failed,
}

/// What an update of a call means.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) is_new: bool,
    /// It is a step, with this title.
    pub(super) step: Option<String>,
    pub(super) end: Option<CallEnd>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum CallEnd {
    /// With its place among all calls, from 1.
    Completed {
        number: u64,
    },
    Failed {
        title: String,
    },
}

impl Tools {
    pub(super) fn of(directory: &str, secrets: Secrets) -> Tools {
        Tools {
            directory: directory.into(),
            secrets,
            known: HashMap::new(),
            order: VecDeque::new(),
            files: BTreeSet::new(),
            paths: 0,
            begun: 0,
        }
    }

    /// How many calls there have been.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// The files that completed calls changed, relative to the directory.
    pub(super) fn into_files(self) -> BTreeSet<String> {
        self.files
    }

    /// Hears of a call: what is told anew replaces what was known.
    pub(super) fn hear(&mut self, update: &Value) -> Meaning {
        let Some(id) = update.get("toolCallId").and_then(Value::as_str) else { return Meaning::default() };
        let id = &match id.len() {
            0..=CALL_ID_BYTES => id.to_owned(),
            _ => format!("#{:016x}", digest(&Value::from(id))),
        };
        let is_new = !self.known.contains_key(id);
        if is_new {
            if self.order.len() == CALLS
                && let Some(oldest) = self.order.pop_front()
            {
                self.paths -= self.known.remove(&oldest).map_or(0, |call| call.paths());
            }
            self.order.push_back(id.clone());
            self.begun += 1;
        }
        let number = self.begun;
        let call = self.known.entry(id.clone()).or_insert_with(|| Call { number, ..Call::default() });
        let had_ended = call.status.has_ended();
        self.paths -= call.paths();
        call.take(update, &self.secrets, FILES - self.paths);
        self.paths += call.paths();
        let step = call.becomes_a_step().then(|| call.step_title());
        let end = (call.status.has_ended() && !had_ended).then(|| match call.status {
            Status::Failed => CallEnd::Failed { title: call.words() },
            Status::Completed | Status::InProgress | Status::Pending => {
                CallEnd::Completed { number: call.number }
            }
        });
        if matches!(end, Some(CallEnd::Completed { .. })) {
            let changed = call.changed();
            let inside = changed.iter().filter_map(|path| inside(&self.directory, path));
            let room = FILES.saturating_sub(self.files.len());
            self.files.extend(inside.take(room));
            self.paths -= call.paths();
            (call.diffs, call.locations) = Default::default();
        }
        Meaning { is_new, step, end }
    }
}

impl Call {
    /// How many paths are known of it.
    fn paths(&self) -> usize {
        self.diffs.len() + self.locations.len()
    }

    /// Takes in what is told of it, with no more paths than there is room for.
    fn take(&mut self, update: &Value, secrets: &Secrets, mut room: usize) {
        let text = |name: &str| update.get(name).and_then(Value::as_str);
        let words = |text: &str| one_line(&secrets.hide(text), TITLE);
        self.title = text("title").or_else(|| text("name")).map(words).or(self.title.take());
        self.kind = text("kind").map(words).or(self.kind.take());
        if let Some(status) = update.get("status").and_then(Value::as_str).and_then(Status::read)
            && !self.status.has_ended()
        {
            self.status = status;
        }
        if let Some(input) = update.get("rawInput").filter(|input| !is_empty(input)) {
            self.input = Some(digest(input));
        }
        for (name, kept) in [("content", &mut self.diffs), ("locations", &mut self.locations)] {
            let listed = update.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let counts =
                |one: &&Value| name != "content" || one.get("type").is_some_and(|kind| kind == "diff");
            let paths =
                listed.iter().filter(counts).filter_map(|one| one.get("path").and_then(Value::as_str));
            room = room.saturating_sub(kept.len());
            for path in paths.filter(|path| path.len() <= PATH_BYTES) {
                if room > 0 && kept.insert(path.to_owned()) {
                    room -= 1;
                }
            }
        }
    }

    /// Whether it is known now what it does: some tell the input of a call only with an update of it.
    fn becomes_a_step(&mut self) -> bool {
        let is_known = self.input.is_some() || self.status != Status::Pending;
        is_known && !std::mem::replace(&mut self.is_told, true)
    }

    fn step_title(&self) -> String {
        match self.input {
            Some(input) => format!("{} #{input:016x}", self.words()),
            None => self.words(),
        }
    }

    fn words(&self) -> String {
        let words = self.title.as_deref().or(self.kind.as_deref()).unwrap_or_default();
        match one_line(words, TITLE) {
            empty if empty.is_empty() => "a tool".to_owned(),
            words => words,
        }
    }

    fn changed(&self) -> BTreeSet<String> {
        let mut changed = self.diffs.clone();
        if let Some("edit" | "delete" | "move") = self.kind.as_deref() {
            changed.extend(self.locations.iter().cloned());
        }
        changed
    }
}

impl Status {
    fn read(text: &str) -> Option<Status> {
        match text {
            "pending" => Some(Status::Pending),
            "in_progress" => Some(Status::InProgress),
            "completed" => Some(Status::Completed),
            "failed" => Some(Status::Failed),
            _ => None,
        }
    }

    fn has_ended(self) -> bool {
        matches!(self, Status::Completed | Status::Failed)
    }
}

fn is_empty(input: &Value) -> bool {
    match input {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// FNV-1a over the input as JSON, whose names are in order: equal inputs have equal digests.
fn digest(input: &Value) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    input.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The path relative to the directory, if it is inside of it.
fn inside(directory: &Path, path: &str) -> Option<String> {
    let path = Path::new(path.strip_prefix("file://").unwrap_or(path));
    let mut absolute = PathBuf::new();
    for component in directory.join(path).components() {
        match component {
            Component::ParentDir => {
                absolute.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => absolute.push(component),
        }
    }
    let relative = absolute.strip_prefix(directory).ok()?.to_str()?;
    (!relative.is_empty()).then(|| relative.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools() -> Tools {
        Tools::of("/work/project", Secrets::default())
    }

    #[test]
    fn a_call_is_one_step_as_soon_as_its_input_is_known() {
        let mut tools = tools();
        let begun =
            tools.hear(&json!({"toolCallId": "1", "title": "Run", "status": "pending", "rawInput": {}}));
        assert_eq!(begun, Meaning { is_new: true, ..Meaning::default() });
        let known = tools.hear(&json!({"toolCallId": "1", "title": "Run ls", "rawInput": {"command": "ls"}}));
        assert!(known.step.as_deref().is_some_and(|title| title.starts_with("Run ls #")), "{known:?}");
        let ended =
            tools.hear(&json!({"toolCallId": "1", "status": "completed", "rawInput": {"command": "ls"}}));
        assert_eq!(ended, Meaning { end: Some(CallEnd::Completed { number: 1 }), ..Meaning::default() });
        assert_eq!(tools.hear(&json!({"toolCallId": "1", "status": "failed"})), Meaning::default());
    }

    #[test]
    fn a_call_without_input_is_a_step_when_it_runs() {
        let mut tools = tools();
        let step = |update: Value, tools: &mut Tools| tools.hear(&update).step;
        assert_eq!(step(json!({"toolCallId": "1", "kind": "think"}), &mut tools), None);
        assert_eq!(
            step(json!({"toolCallId": "1", "status": "in_progress"}), &mut tools).as_deref(),
            Some("think")
        );
        assert_eq!(
            step(json!({"toolCallId": "2", "status": "completed"}), &mut tools).as_deref(),
            Some("a tool")
        );
    }

    #[test]
    fn equal_calls_have_equal_titles_and_others_have_others() {
        let title = |input: Value| {
            tools().hear(&json!({"toolCallId": "1", "title": "Run", "rawInput": input})).step.unwrap()
        };
        assert_eq!(title(json!({"a": 1, "b": [2]})), title(json!({"b": [2], "a": 1})));
        assert_ne!(title(json!({"a": 1})), title(json!({"a": 2})));
    }

    #[test]
    fn files_are_those_that_completed_calls_changed_inside_of_the_directory() {
        let mut tools = tools();
        let diff = |path: &str| json!([{"type": "diff", "path": path, "newText": ""}]);
        let at = |path: &str| json!([{"path": path}, {"line": 3}]);
        for (id, update) in [
            ("1", json!({"kind": "edit", "content": diff("/work/project/src/a.rs"), "status": "completed"})),
            ("2", json!({"kind": "edit", "content": diff("/work/project/failed"), "status": "failed"})),
            ("3", json!({"kind": "read", "locations": at("/work/project/read"), "status": "completed"})),
            ("4", json!({"kind": "delete", "locations": at("gone/../old.txt"), "status": "completed"})),
            ("5", json!({"kind": "edit", "content": diff("/work/project/../other"), "status": "completed"})),
            ("6", json!({"kind": "edit", "locations": at("/work/project"), "status": "completed"})),
            ("7", json!({"kind": "edit", "content": diff("never"), "status": "in_progress"})),
        ] {
            let mut update = update;
            update["toolCallId"] = json!(id);
            tools.hear(&update);
        }
        assert_eq!(tools.into_files().into_iter().collect::<Vec<_>>(), ["old.txt", "src/a.rs"]);
    }

    #[test]
    fn what_is_known_of_calls_is_bounded_however_long_their_words_and_lists_are() {
        let mut tools = Tools::of("/work", Secrets::of(["hush-hush-17"], []));
        let long = "x".repeat(1_000_000);
        let told = tools.hear(&json!({"toolCallId": long, "kind": long, "status": "in_progress"}));
        assert_eq!(told.step.map(|title| title.chars().count()), Some(TITLE));
        assert_eq!(tools.hear(&json!({"toolCallId": long, "status": "in_progress"})), Meaning::default());
        assert!(tools.known.keys().all(|id| id.len() <= CALL_ID_BYTES), "its identity is kept");
        let told = tools.hear(&json!({"toolCallId": "2", "kind": "hush-hush-17", "status": "in_progress"}));
        assert_eq!(told.step.as_deref(), Some("…"));
        for call in 0..10 {
            let paths: Vec<Value> =
                (0..FILES / 4).map(|number| json!({"path": format!("{call}/{number}")})).collect();
            let update = json!({"toolCallId": format!("call {call}"), "kind": "edit", "locations": paths});
            tools.hear(&update);
            tools.hear(&update);
        }
        let known = |tools: &Tools| tools.known.values().map(Call::paths).sum::<usize>();
        assert_eq!((known(&tools), tools.paths), (FILES, FILES));
        tools.hear(&json!({"toolCallId": "call 0", "status": "completed"}));
        assert_eq!(
            (known(&tools), tools.paths, tools.files.len()),
            (3 * FILES / 4, 3 * FILES / 4, FILES / 4)
        );
        tools.hear(
            &json!({"toolCallId": "3", "locations": [{"path": long}], "kind": "edit", "status": "completed"}),
        );
        assert_eq!(tools.files.len(), FILES / 4, "no system has such a file");
    }

    #[test]
    fn a_flood_of_calls_is_known_up_to_a_bound() {
        let mut tools = tools();
        for number in 0..3 * CALLS {
            tools.hear(&json!({"toolCallId": number.to_string(), "status": "in_progress"}));
        }
        assert_eq!((tools.known.len(), tools.order.len()), (CALLS, CALLS));
    }
}
