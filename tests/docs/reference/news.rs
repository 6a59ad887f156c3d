//! What is told unasked, how requests are refused, and what is bounded.

use serde_json::Value;

use super::cells::{self, code, line, sentence};
use super::{Contract, methods, pretty, text};

/// What the sidecar tells, and when.
pub(super) fn notifications(contract: &Contract) -> String {
    let mut page = "## Notifications\n\n`params` of each are `{\"subscription\": …, \"result\": …}`.\n\n\
        | notification | `result` | what it tells |\n|---|---|---|\n"
        .to_owned();
    for one in contract.document["x-notifications"].as_array().unwrap() {
        let result = cells::link(text(&one["result"], "$ref"));
        page += &format!("| `{}` | {result} | {} |\n", text(one, "name"), line(text(one, "summary")));
    }
    page += "\n### Event\n\n";
    let event = contract.named("Event");
    page += &format!("{}\n\n", sentence(event));
    let kinds = event["oneOf"].as_array().unwrap();
    page += "Every event has:\n\n| member | what it is | what it tells |\n|---|---|---|\n";
    for (name, field) in pretty::in_order(kinds[0]["properties"].as_object().unwrap()) {
        if COMMON.contains(&name.as_str()) {
            let is = if name == "kind" { "one of the kinds below".to_owned() } else { cells::of(field) };
            page += &format!("| `{name}` | {is} | {} |\n", sentence(field));
        }
    }
    page += "\nand by its kind:\n\n| `kind` | carries | when it is told |\n|---|---|---|\n";
    for kind in kinds {
        let fields = kind["properties"].as_object().unwrap();
        let own = fields.iter().filter(|(name, _)| !COMMON.contains(&name.as_str()));
        let carries: Vec<String> =
            own.map(|(name, field)| format!("`{name}`: {}", cells::of(field))).collect();
        let word = text(&fields["kind"], "const");
        page += &format!("| `{word}` | {} | {} |\n", carries.join(", "), sentence(kind));
    }
    page += "\n<details><summary>An example of each</summary>\n\n";
    for kind in kinds {
        for example in kind["examples"].as_array().unwrap().iter().take(1) {
            page += &format!("<!-- as: type Event -->\n```json\n{}\n```\n\n", pretty::long(example));
        }
    }
    page + "</details>\n\n"
}

/// What any event has.
const COMMON: [&str; 5] = ["seq", "at", "kind", "important", "text"];

/// Each kind of refusal, and what to do about it.
pub(super) fn errors(contract: &Contract) -> String {
    let everywhere = methods::everywhere(contract);
    let mut page = "## Refusals\n\nAn error has a `code`, a `message` for people, and `data` with a `kind` to match on.\n\n\
        | `data.kind` | `code` | `data` has also | what it means, and what to do |\n|---|---|---|---|\n"
        .to_owned();
    let mut all: Vec<(&String, &Value)> =
        contract.document["components"]["errors"].as_object().unwrap().iter().collect();
    // Those of sexton's own first, as they are numbered.
    all.sort_by_key(|(_, error)| {
        let code = error["code"].as_i64().unwrap();
        (!(-32020..=-32010).contains(&code), -code)
    });
    for (word, error) in all {
        let data =
            error["data"]["properties"].as_object().unwrap().iter().filter(|(name, _)| *name != "kind");
        let data: Vec<String> = data.map(|(name, field)| format!("`{name}`: {}", cells::of(field))).collect();
        let anywhere = if everywhere.contains(word) { " Any request may be refused so." } else { "" };
        page += &format!(
            "| <a id=\"{word}\"></a>`{word}` | {} | {} | {}{anywhere} |\n",
            error["code"],
            data.join("; "),
            line(text(error, "x-description")),
        );
    }
    page + "\n"
}

/// What holds for the conversation as a whole.
pub(super) fn limits(contract: &Contract) -> String {
    let limits = contract.document["x-limits"].as_object().unwrap();
    let mut page = "## Limits\n\nThose that a client may set are `initializationOptions.limits` of \
        [`initialize`](#initialize). These are fixed:\n\n| what | how much |\n|---|---|\n"
        .to_owned();
    for (name, limit) in limits {
        let what = match name.as_str() {
            "requestsRunning" => "requests that are carried out at once",
            "requestsWaiting" => "requests that wait for that; more are [`overloaded`](#overloaded)",
            "requestsResting" => {
                "requests that wait for runs or agents; more are [`overloaded`](#overloaded)"
            }
            "messageValues" => "values in the lists and objects of one message",
            "batchEntries" => "entries of a batch",
            "subscriptions" => "subscriptions of one client",
            "idBytes" => "bytes of a request's id",
            "integers" | "batches" | "messages" => name,
            other => panic!("nobody knows what the limit {other} is"),
        };
        let how_much = limit.as_str().map_or_else(|| code(limit), line);
        page += &format!("| {what} | {how_much} |\n");
    }
    page + "\n"
}
