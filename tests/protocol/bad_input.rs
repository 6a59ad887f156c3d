//! Everything that can be wrong with every field of every method, generated from the schema: a method or a field
//! that is added is covered on the day it appears.

mod cases;
mod samples;

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::wire::Framing;
use cases::Case;

/// How much larger the process may be after thousands of refusals, in kilobytes: what an allocator keeps.
const GROWTH_KB: u64 = 24 * 1024;

#[test]
fn each_fault_of_each_field_is_told_by_its_word_and_nothing_is_stored_line_by_line() {
    refuse_everything(Framing::Lines);
}

#[test]
fn each_fault_of_each_field_is_told_by_its_word_and_nothing_is_stored_with_headers() {
    refuse_everything(Framing::Headers);
}

fn refuse_everything(framing: Framing) {
    let place = Place::new();
    let mut client = place.sidecar().framing(framing).spawn();
    let described = client.get("rpc.discover", json!({}));
    let cases = cases::all(&described);
    let all = cases.len();
    assert!(all > 1000, "only {all} cases");
    let (at_first, later): (Vec<Case>, Vec<Case>) =
        cases.into_iter().partition(|case| case.method == "initialize");
    let mut wrong = Vec::new();
    wrong.extend(at_first.iter().filter_map(|case| refuse(&mut client, case)));
    client.initialize();
    // Edits are of something that there is.
    let edited = client.get("automation/create", dormant("edited", shell("true")));
    let later: Vec<Case> = later.into_iter().map(|case| case.of_automation(&edited["id"])).collect();
    let seq = client.get("automation/list", json!({}))["seq"].clone();
    // The allocator's first growth is not what is measured.
    wrong.extend(later.iter().take(200).filter_map(|case| refuse(&mut client, case)));
    let before = resident_kb(client.pid());
    wrong.extend(later.iter().filter_map(|case| refuse(&mut client, case)));
    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
    let after = resident_kb(client.pid());
    assert!(after < before + GROWTH_KB, "{before} kB before and {after} kB after {} refusals", later.len());
    let page = client.get("automation/list", json!({}));
    assert_eq!((&page["items"], &page["seq"]), (&json!([edited]), &seq), "something was stored or told");
    assert_eq!(client.get("run/list", json!({}))["items"], json!([]));
    client.finish();
}

/// Sends a case and holds its refusal against what the contract says; what is wrong with that, if anything.
fn refuse(client: &mut Client, case: &Case) -> Option<String> {
    let id = client.send_text(&case.method, &case.params);
    let Case { method, what, field, words, params } = case;
    let shown: String = params.chars().take(200).collect();
    let error = match client.answer(&id) {
        Err(error) => error,
        Ok(_) => return Some(format!("{method} {what} was granted: {shown}")),
    };
    let refused = matches!(error["code"].as_i64(), Some(-32602 | -32010));
    let details = error["data"]["details"].as_array().map_or(&[][..], Vec::as_slice);
    let told = details.iter().any(|fault| {
        let word = fault["message"].as_str().unwrap_or_default();
        let named = fault["field"].as_str().unwrap_or_default();
        // Of these methods some parts are not read at all yet, and what is in there is told where it begins.
        let unread = ["initialize", "automation/run"].contains(&method.as_str())
            && word == "not_available_yet"
            && field.starts_with(named);
        // What belongs to another kind of task than the edited automation has is told where that begins.
        let foreign = method == "automation/update"
            && word == "unsupported_automation_field"
            && field.strip_prefix(named).is_some_and(|rest| rest.starts_with(['.', '[']));
        unread || foreign || (named == field && words.contains(&word))
    });
    let short = error["message"].as_str().is_some_and(|sentence| sentence.len() < 4096);
    (!refused || !told || !short).then(|| format!("{method} {what}: {field} {words:?}\n  {shown}\n  {error}"))
}

fn resident_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("our own child");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).expect("a number")
}

/// What the schema calls valid is so: each variant of a draft is accepted, at the ends of every range.
#[test]
fn what_the_schema_allows_is_allowed() {
    let place = Place::new();
    // What a work tree is known by.
    std::fs::create_dir(place.file(".git")).expect("a directory");
    let mut client = place.open_with(json!({"minIntervalMs": 10}));
    let described = client.get("rpc.discover", json!({}));
    // Whatever a prompt names is there.
    let names = ["a".to_owned(), "a".repeat(200)];
    let models: Vec<Value> = names.iter().map(|id| json!({"id": id, "variants": names})).collect();
    for id in &names {
        client.get("provider/serve", json!({"id": id, "models": models}));
    }
    let drafts = samples::drafts(&described);
    assert!(drafts.len() > 20, "only {} drafts", drafts.len());
    for draft in drafts {
        let mut params = draft.clone();
        params["dryRun"] = json!(true);
        // That a note goes with a pause is said in words only.
        if params.get("note").is_some() {
            params["paused"] = json!(true);
        }
        // What would be is not checked for a key, but a long one is still a key.
        let shown = client.ask("automation/create", params);
        let shown: Value = shown.unwrap_or_else(|error| {
            let draft: String = draft.to_string().chars().take(500).collect();
            panic!("{error}\n{draft}")
        });
        assert_eq!(shown["id"], "", "a dry run");
    }
    client.finish();
}
