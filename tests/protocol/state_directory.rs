//! Where the ledger is kept: by whatever path, private, whole when the last window has gone.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;

use crate::support::drafts::{dormant, shell};
use crate::support::{Place, ledger};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn a_path_to_the_state_directory_may_lead_over_links() {
    let place = Place::new();
    let target = place.beside("on another disk");
    fs::create_dir(&target).unwrap();
    symlink(&target, place.beside("link")).unwrap();
    let through = place.beside("link").join("below");
    for _ in 0..2 {
        let mut client = place.sidecar().env("SEXTON_STATE_DIR", through.to_str().unwrap()).open();
        client.subscribe(json!({}));
        assert_eq!(client.opened["scheduler"]["owner"], true);
        let automation = client.create(dormant("through a link", shell("echo there")));
        let run = client.run(&automation);
        client.wait_for_run(&run, "succeeded");
        assert_eq!(client.get("run/output", json!({"id": run}))["data"], "there\n");
        client.finish();
    }
    assert!(!place.state().exists());
    // Named without the link it is the same.
    let mut client = place.sidecar().option("stateDirectory", json!(target.join("below"))).open();
    assert_eq!(client.get("automation/list", json!({}))["items"].as_array().map(Vec::len), Some(2));
    client.finish();
}

#[test]
fn a_state_directory_that_others_could_read_is_made_private() {
    let place = Place::new();
    let client = place.open();
    let directory = ledger::directory(&client);
    client.finish();
    for path in [place.state(), directory.clone()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let client = place.open();
    assert_eq!(mode(&directory), 0o700, "the project's own");
    assert_eq!(mode(&place.state()), 0o755, "what it is in may hold what is not ours");
    client.finish();
}

#[test]
fn after_an_orderly_end_the_ledger_is_whole_in_one_file() {
    let place = Place::new();
    let mut client = place.open();
    for title in ["one", "two", "three"] {
        client.create(dormant(title, shell("true")));
    }
    let directory = ledger::directory(&client);
    // Who has it open, like a tool that looks into it, keeps the files beside it from being cleared away.
    let onlooker = ledger::open(directory.join("ledger.db"));
    let seen: i64 = onlooker.query_row("SELECT count(*) FROM automations", [], |row| row.get(0)).unwrap();
    assert_eq!(seen, 3);
    client.finish();
    let copy = place.beside("copy.db");
    fs::copy(directory.join("ledger.db"), &copy).unwrap();
    let copy = ledger::open(copy);
    let mut statement = copy.prepare("SELECT title_folded FROM automations ORDER BY row").unwrap();
    let titles = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(titles.collect::<Result<Vec<_>, _>>().unwrap(), ["one", "two", "three"]);
    let instances: i64 = copy.query_row("SELECT count(*) FROM instances", [], |row| row.get(0)).unwrap();
    assert_eq!(instances, 0, "nobody has it open any more");
}

#[test]
fn a_bell_that_cannot_be_owned_is_told_and_everything_else_works() {
    let place = Place::new();
    let client = place.open();
    let lock = ledger::directory(&client).join("owner.lock");
    client.finish();
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let mut client = place.sidecar().spawn();
    client.expect_error("owner.lock cannot be locked");
    client.initialize();
    assert_eq!(client.opened["scheduler"], json!({"owner": false}));
    let warnings = client.opened["warnings"].as_array().unwrap();
    let sentence = warnings[0].as_str().unwrap();
    assert!(sentence.contains(lock.to_str().unwrap()) && sentence.contains("remove"), "{sentence}");
    assert_eq!(warnings.len(), 1);
    client.subscribe(json!({}));
    let automation = client.create(dormant("by hand", shell("true")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    client.finish();
    // As the warning says, it can be put right.
    fs::remove_dir(&lock).unwrap();
    let client = place.open();
    assert_eq!(
        (&client.opened["scheduler"]["owner"], &client.opened["warnings"]),
        (&json!(true), &json!([]))
    );
    client.finish();
}
