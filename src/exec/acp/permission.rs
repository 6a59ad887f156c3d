//! An agent asks whether it may do something. What it is told is chosen by the kind of its options, never by their order,
//! and never what holds for later unless a person chose that.

use serde_json::{Map, Value};

use super::bounds::{LABEL, OPTIONS, OPTIONS_READ, SENTENCE, TOOL_BYTES, cut};
use super::wire;
use crate::domain::draft::limits::AGENT_NAME;
use crate::domain::provider::Choice;
use crate::domain::run::{Need, PermissionKind, PermissionOption};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Permission {
    pub(super) title: String,
    options: Vec<PermissionOption>,
    tool: Option<Map<String, Value>>,
}

/// What an agent is told.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    Yes(Value),
    No(Value),
}

impl Permission {
    pub(super) fn read(params: &Value) -> Permission {
        let call = params.get("toolCall").and_then(Value::as_object);
        let text = |name: &str| call?.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty());
        let title = text("title").or_else(|| text("name")).or_else(|| text("kind")).unwrap_or("use a tool");
        let listed = params.get("options").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut options: Vec<PermissionOption> = Vec::new();
        for option in listed.iter().filter_map(option).take(OPTIONS_READ) {
            if options.iter().all(|known| known.id != option.id) {
                options.push(option);
            }
        }
        Permission { title: cut(title, SENTENCE), options, tool: call.map(shown) }
    }

    /// What a person is asked.
    pub(super) fn need(&self, request_id: String) -> Need {
        let mut options = self.options.clone();
        options.truncate(OPTIONS);
        Need::Permission { request_id, title: self.title.clone(), options, tool: self.tool.clone() }
    }

    /// Whether anybody could answer.
    pub(super) fn offers_anything(&self) -> bool {
        !self.options.is_empty()
    }

    /// No, this once. Without such an option that cannot be said, and the agent is told that nobody answers.
    pub(super) fn refuse(&self) -> Value {
        match self.options.iter().find(|option| option.kind == PermissionKind::RejectOnce) {
            Some(no) => wire::selected(&no.id),
            None => wire::cancelled(),
        }
    }

    /// What a person chose.
    pub(super) fn answer(&self, choice: &Choice) -> Told {
        let chosen = match choice {
            Choice::Option { option_id } => self.options.iter().find(|option| option.id == *option_id),
            Choice::Text { .. } => None,
        };
        match chosen {
            Some(option) => match option.kind {
                PermissionKind::AllowOnce | PermissionKind::AllowAlways => {
                    Told::Yes(wire::selected(&option.id))
                }
                PermissionKind::RejectOnce | PermissionKind::RejectAlways => {
                    Told::No(wire::selected(&option.id))
                }
            },
            // Nothing that was offered: that is no yes.
            None => Told::No(self.refuse()),
        }
    }
}

/// What a person can answer with: whoever answers names it, and names are neither empty nor endless.
pub(super) fn name_of_answer(id: &Value) -> Option<&str> {
    id.as_str().filter(|id| (1..=AGENT_NAME).contains(&id.chars().count()))
}

fn option(option: &Value) -> Option<PermissionOption> {
    let id = name_of_answer(option.get("optionId")?)?.to_owned();
    let label = option.get("name").and_then(Value::as_str).filter(|label| !label.trim().is_empty());
    let label = cut(label.unwrap_or(&id), LABEL);
    // What a kind means that is not known here cannot be told.
    let kind = serde_json::from_value(option.get("kind")?.clone()).ok()?;
    Some(PermissionOption { id, label, kind })
}

/// What is shown of a call. Whole files may hang at it.
fn shown(call: &Map<String, Value>) -> Map<String, Value> {
    let keep = |names: &[&str]| -> Map<String, Value> {
        let kept = call.iter().filter(|(name, _)| names.contains(&name.as_str()));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let levels: [&[&str]; 2] = [
        &["toolCallId", "title", "name", "kind", "rawInput", "content", "locations"],
        &["toolCallId", "title", "name", "kind", "rawInput", "locations"],
    ];
    let fits =
        |map: &Map<String, Value>| serde_json::to_string(map).is_ok_and(|text| text.len() <= TOOL_BYTES);
    let short = || {
        let mut short = keep(&["kind"]);
        if let Some(input) = call.get("rawInput") {
            short.insert("rawInput".to_owned(), Value::String(cut(&input.to_string(), SENTENCE)));
        }
        short
    };
    levels.into_iter().map(keep).find(fits).unwrap_or_else(|| Some(short()).filter(fits).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asking(kinds: &[&str]) -> Permission {
        let options: Vec<Value> = kinds
            .iter()
            .map(|kind| json!({"optionId": format!("the-{kind}"), "name": kind, "kind": kind}))
            .collect();
        Permission::read(&json!({"toolCall": {"title": "rm -rf", "rawInput": {"a": 1}}, "options": options}))
    }

    #[test]
    fn no_is_said_by_kind_wherever_it_stands_and_only_for_this_once() {
        for kinds in [
            &["allow_always", "reject_always", "allow_once", "reject_once"][..],
            &["reject_once", "allow_once"],
        ] {
            assert_eq!(asking(kinds).refuse(), wire::selected("the-reject_once"));
        }
        for kinds in [&["allow_once", "reject_always"][..], &["reject_maybe"], &[]] {
            assert_eq!(asking(kinds).refuse(), wire::cancelled());
        }
    }

    #[test]
    fn a_person_may_choose_what_was_offered_and_nothing_else_is_a_yes() {
        let asked = asking(&["allow_always", "allow_once", "reject_always"]);
        let choose = |id: &str| asked.answer(&Choice::Option { option_id: id.to_owned() });
        assert_eq!(choose("the-allow_always"), Told::Yes(wire::selected("the-allow_always")));
        assert_eq!(choose("the-reject_always"), Told::No(wire::selected("the-reject_always")));
        assert_eq!(choose("the-best"), Told::No(wire::cancelled()));
        assert_eq!(asked.answer(&Choice::Text { text: "yes".to_owned() }), Told::No(wire::cancelled()));
    }

    #[test]
    fn what_cannot_be_named_is_not_offered_and_a_flood_of_options_is_read_up_to_a_bound() {
        let option = |id: &str| json!({"optionId": id, "name": " ", "kind": "allow_once"});
        let long = "ä".repeat(AGENT_NAME);
        let listed = json!([option(""), option(&long), option(&format!("{long}a"))]);
        let read = Permission::read(&json!({"options": listed}));
        let kind = PermissionKind::AllowOnce;
        assert_eq!(read.options, [PermissionOption { id: long.clone(), label: long, kind }]);
        let flood: Vec<Value> = (0..100_000).map(|number| option(&number.to_string())).collect();
        assert_eq!(Permission::read(&json!({"options": flood})).options.len(), OPTIONS_READ);
    }

    #[test]
    fn what_is_shown_of_a_call_is_bounded() {
        let long = "x".repeat(TOOL_BYTES);
        let read = |call: Value| match Permission::read(&json!({"toolCall": call})).need("1".to_owned()) {
            Need::Permission { tool: Some(tool), title, .. } => (tool, title),
            other @ (Need::Permission { .. } | Need::Question { .. }) => panic!("{other:?}"),
        };
        let (tool, title) =
            read(json!({"title": "edit", "rawInput": {"a": 1}, "content": [long], "_meta": 1}));
        assert_eq!(
            (Value::Object(tool), title.as_str()),
            (json!({"title": "edit", "rawInput": {"a": 1}}), "edit")
        );
        let (tool, _) = read(json!({"kind": "edit", "rawInput": {"text": long}}));
        assert!(
            tool["rawInput"].as_str().is_some_and(|text| text.starts_with("{\"text\":\"xxx")),
            "{tool:?}"
        );
        assert!(serde_json::to_string(&tool).unwrap().len() <= TOOL_BYTES);
    }
}
