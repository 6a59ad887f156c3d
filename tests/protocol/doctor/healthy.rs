//! Nothing is found where nothing is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::json;

use super::{audit, doctor, findings, fired, outcome, report_with};
use crate::support::client::Client;
use crate::support::drafts::{LOG, dormant, every, shell};
use crate::support::{Place, eventually, ledger};

/// Every file below a directory, with its content.
fn tree(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files.extend(tree(&path)),
            false => drop(files.insert(path.display().to_string(), fs::read(&path).expect("a file"))),
        }
    }
    files
}

#[test]
fn a_ledger_that_was_closed_is_sound_and_stays_as_it_is() {
    let place = Place::new();
    let (client, _) = fired(&place, 5);
    let database = ledger::directory(&client).join("ledger.db");
    client.finish();
    let (mut before, told) = (tree(&place.state()), report_with(&place, &[]));
    let (report, code) = told;
    assert_eq!((findings(&report), code), (vec![], Some(0)), "{report:#}");
    for subject in ["locks", "watcher", "guards", "files", "pages", "slots", "runs", "windows", "outputs"] {
        assert_eq!(outcome(&report, subject), "ok", "{subject}");
    }
    assert_eq!(report["checks"].as_array().map(Vec::len), Some(18));
    let mut after = tree(&place.state());
    // SQLite notes in the index of the log who reads, and makes the index anew when it is needed.
    let index = database.with_file_name("ledger.db-shm").display().to_string();
    assert_eq!(before.remove(&index).is_some(), after.remove(&index).is_some(), "nothing is made");
    assert_eq!(changed(&before, &after), Vec::<String>::new());

    ledger::into_one_file(database);
    let before = tree(&place.state());
    assert!(!before.contains_key(&index), "nobody has it open");
    assert_eq!(findings(&audit(&place)), Vec::<String>::new());
    assert_eq!(changed(&before, &tree(&place.state())), Vec::<String>::new());
}

/// The files that are not in both, or not the same in both.
fn changed(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

#[test]
fn a_person_is_told_in_short_lines() {
    let place = Place::new();
    let (client, _) = fired(&place, 2);
    client.finish();
    let told = String::from_utf8(doctor(&place, &[]).stdout).expect("text");
    for line in [
        "\nEnvironment\n",
        "\nLedger\n",
        "  ok       locks ",
        "  ok       slots ",
        "\nno problems, no warnings\n",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    let audited = String::from_utf8(doctor(&place, &["--audit"]).stdout).expect("text");
    assert!(!audited.contains("Environment") && audited.contains("  ok       slots "), "{audited}");
}

#[test]
fn a_ledger_is_sound_while_three_windows_are_at_work_and_after_they_were_killed() {
    let place = Place::new();
    let (mut client, _) = fired(&place, 1);
    let others = [(); 2].map(|()| place.open_with(json!({"minIntervalMs": 50})));
    for number in 0..10 {
        client.create(every(&format!("more {number}"), 100, shell(LOG)));
        let report = audit(&place);
        assert_eq!(findings(&report), Vec::<String>::new(), "{report:#}");
    }
    client.kill();
    others.into_iter().for_each(Client::kill);
    let (report, code) = report_with(&place, &["--audit"]);
    assert_eq!((code, outcome(&report, "slots")), (Some(0), &json!("ok")), "{report:#}");
    let told = findings(&report);
    // Whoever was killed later may have settled those before it.
    assert!((1..=3).contains(&told.len()), "{told:#?}");
    assert!(told.iter().all(|told| told.starts_with("windows warning: ins_")), "{told:#?}");
    assert!(told.iter().all(|told| told.contains("has died") && told.contains("open a window")), "{told:#?}");
    place.open().finish();
    assert_eq!(findings(&audit(&place)), Vec::<String>::new(), "the next window has settled them");
}

#[test]
fn what_was_pruned_is_answered_for_by_the_account_of_its_day() {
    let place = Place::new();
    let mut client = place.open_with(json!({"minIntervalMs": 50, "eventHistory": 100}));
    let mut draft = every("ticking", 50, shell(LOG));
    draft["policy"] = json!({"keep": {"runs": 3, "days": 1}});
    let automation = client.create(draft);
    place.wait_for_lines("log", 20);
    client.get("automation/pause", json!({"id": automation}));
    eventually("old runs are pruned", || {
        let kept = client.get("run/list", json!({}))["items"].as_array().map(Vec::len);
        (kept <= Some(4)).then_some(())
    });
    client.finish();
    let report = audit(&place);
    assert_eq!(findings(&report), Vec::<String>::new(), "{report:#}");
}

#[test]
fn where_no_window_has_been_there_is_nothing_to_look_at_and_nothing_is_made() {
    let place = Place::new();
    let (report, code) = report_with(&place, &[]);
    assert_eq!((code, outcome(&report, "files")), (Some(0), &json!("warning")), "{report:#}");
    assert!(!place.state().exists(), "nothing was made");
}

#[test]
fn what_is_named_and_cannot_be_used_is_told_apart_from_damage() {
    let place = Place::new();
    let output = doctor(&place, &["--project", "no/such"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--project") && said.contains("no/such"), "{said}");
}

#[test]
fn a_state_directory_that_others_may_read_and_a_faulty_configuration_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let mut client = place.open();
    client.create(dormant("kept", shell("true")));
    let directory = ledger::directory(&client);
    client.finish();
    place.configure("{");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).expect("a mode");
    let (report, code) = report_with(&place, &[]);
    let told = findings(&report);
    assert_eq!((told.len(), code), (2, Some(1)), "{told:#?}");
    assert!(told[0].starts_with("state_directory warning: all: its mode is 0755"), "{told:#?}");
    assert!(told[1].starts_with("configuration problem: ") && told[1].contains("config.json"), "{told:#?}");
}
