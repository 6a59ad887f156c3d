//! Beside its marker the database is gone, empty, cut, foreign, too new, or has lost commits: nobody begins anew.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::{contents, expect_storage_errors, known, marked, titles, unavailable, until_health};
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, eventually, ledger};

/// Opening is refused with these words and changes nothing; when the files are back, the same window opens.
fn refused(place: &Place, directory: &Path, reason: &str, words: &[&str], restore: impl FnOnce()) {
    let before = contents(directory);
    let mut client = place.sidecar().spawn();
    for _ in 0..2 {
        let params = client.initialize_params();
        let sentence = unavailable(&client.refusal("initialize", params), reason);
        for word in words {
            assert!(sentence.contains(word), "{word:?} is not in {sentence}");
        }
        let after = contents(directory);
        for (name, content) in &before {
            assert!(after.get(name) == Some(content), "{name} was changed");
        }
        assert_eq!(after.contains_key("ledger.db"), before.contains_key("ledger.db"), "nothing is created");
    }
    let left = fs::read_dir(directory.join("instances")).expect("a directory").count();
    assert_eq!(left, 0, "nothing of the window is left");
    restore();
    client.initialize();
    assert_eq!(titles(&mut client), ["kept"]);
    until_health(&mut client, "ok");
    client.finish();
}

#[test]
fn a_database_that_is_less_than_it_was_is_refused_until_it_is_back() {
    let place = Place::new();
    let directory = known(&place);
    let database = directory.join("ledger.db");
    let lost = ["ledger.json", "nothing was changed", "backup", "sexton doctor --repair"];
    let elsewhere = Place::new();
    let other = known(&elsewhere).join("ledger.db");
    type Damage<'d> = &'d dyn Fn(&[u8]) -> Option<Vec<u8>>;
    let garbled = |whole: &[u8]| Some([&[0x5a; 4096], &whole[4096..]].concat());
    let cases: [(Damage<'_>, &[&str], &[&str]); 6] = [
        (&|_| None, &["the database is missing"], &lost),
        (&|_| Some(Vec::new()), &["the database is empty"], &lost),
        (
            &|whole| Some(whole[..whole.len() / 2].to_vec()),
            &["malformed"],
            &["backup", "sexton doctor --repair"],
        ),
        (&|whole| Some(whole[..100].to_vec()), &[], &["backup", "sexton doctor --repair"]),
        (&garbled, &["not a database"], &["backup", "sexton doctor --repair"]),
        (&|_| fs::read(&other).ok(), &["that of the ledger ldg_"], &lost),
    ];
    for (damage, what, way_out) in cases {
        ledger::into_one_file(database.clone());
        let whole = fs::read(&database).unwrap();
        match damage(&whole) {
            Some(damaged) => fs::write(&database, damaged).unwrap(),
            None => fs::remove_file(&database).unwrap(),
        }
        refused(&place, &directory, "damaged", &[what, way_out].concat(), || {
            for beside in ["ledger.db-wal", "ledger.db-shm"] {
                // Opening a database makes them; they belong to what is replaced now.
                let _ = fs::remove_file(directory.join(beside));
            }
            fs::write(&database, &whole).unwrap();
        });
    }
}

#[test]
fn a_ledger_of_a_later_version_is_refused_and_left_alone() {
    let place = Place::new();
    let directory = known(&place);
    let set = |format: i64| {
        let connection = ledger::open(directory.join("ledger.db"));
        connection.pragma_update(None, "user_version", format).unwrap();
    };
    set(2_001);
    refused(&place, &directory, "newer_version", &["2001", "update sexton"], || set(1_001));
}

#[test]
fn commits_that_are_lost_from_the_log_of_a_killed_window_are_noticed() {
    let place = Place::new();
    let mut client = place.open();
    client.create(dormant("kept", shell("true")));
    let directory = ledger::directory(&client);
    let seq = client.get("automation/list", json!({}))["seq"].as_i64().unwrap();
    eventually("the marker follows", || (marked(&directory) == Some(seq)).then_some(()));
    client.kill();
    let log = directory.join("ledger.db-wal");
    let whole = fs::read(&log).unwrap();
    let mut garbage = whole.clone();
    // Behind the header: no frame of the log is sound any more.
    garbage[32..].fill(0x5a);
    fs::write(&log, garbage).unwrap();
    let before = contents(&directory);
    let mut client = place.sidecar().spawn();
    let params = client.initialize_params();
    let sentence = unavailable(&client.refusal("initialize", params), "damaged");
    assert!(sentence.contains("commits are lost") || sentence.contains("is empty"), "{sentence}");
    assert!(contents(&directory) == before, "all is left as it was");
    fs::write(&log, whole).unwrap();
    client.initialize();
    assert_eq!(titles(&mut client), ["kept"]);
    client.finish();
}

#[test]
fn the_owner_keeps_the_marker_and_writes_it_when_it_goes() {
    let place = Place::new();
    let mut client = place.open();
    let directory = ledger::directory(&client);
    let mut newest = 0;
    for title in ["one", "two", "three"] {
        client.create(dormant(title, shell("true")));
        newest = client.get("automation/list", json!({}))["seq"].as_i64().unwrap();
    }
    client.finish();
    // That it has gone is told as well.
    assert_eq!(marked(&directory), Some(newest + 1));
    let names = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name());
    let markers = names.filter(|name| name.to_string_lossy().starts_with("ledger.json")).count();
    assert_eq!(markers, 1, "nothing else is left of writing it");
}

#[test]
fn a_marker_that_is_removed_or_spoilt_while_nothing_happens_is_written_again() {
    let place = Place::new();
    let directory = known(&place);
    let client = place.open();
    let marker = directory.join("ledger.json");
    let seq = eventually("the marker follows", || {
        // Opening is an event as well, and the first slow look writes it down.
        marked(&directory).filter(|marked| Some(*marked) == client.opened["seq"].as_i64())
    });
    fs::remove_file(&marker).unwrap();
    assert_eq!(eventually("it is there again", || marked(&directory)), seq);
    fs::write(&marker, "{").unwrap();
    client.finish();
    assert!(marked(&directory) >= Some(seq), "the last word of the window");
}

#[test]
fn a_marker_that_cannot_be_read_loses_nothing_and_is_told() {
    let place = Place::new();
    let directory = known(&place);
    let seq = marked(&directory);
    fs::write(directory.join("ledger.json"), "{\"format\":1").unwrap();
    let mut client = place.open();
    let warnings = client.opened["warnings"].as_array().unwrap().clone();
    assert!(warnings.len() == 1 && warnings[0].as_str().unwrap().contains("ledger.json"), "{warnings:?}");
    assert_eq!(titles(&mut client), ["kept"]);
    assert!(marked(&directory) >= seq, "it was written anew");
    client.finish();
}

#[test]
fn a_marker_that_cannot_be_written_is_told_until_it_can_be() {
    let place = Place::new();
    let mut client = place.open();
    client.expect_error("ledger.json cannot be written");
    let directory = ledger::directory(&client);
    let marker = directory.join("ledger.json");
    fs::remove_file(&marker).unwrap();
    fs::create_dir(&marker).unwrap();
    client.create(dormant("kept", shell("true")));
    let status = until_health(&mut client, "degraded");
    let told = status["reasons"][0].as_str().unwrap();
    assert!(told.starts_with("ledger.json cannot be written"), "{status}");
    assert_eq!(status["isOwner"], true, "everything else works: {status}");
    fs::remove_dir(&marker).unwrap();
    until_health(&mut client, "ok");
    assert!(marked(&directory).is_some());
    client.finish();
}

#[test]
fn damaged_pages_are_refused_where_they_are_met_and_told_until_they_are_whole() {
    let place = Place::new();
    let directory = known(&place);
    let path = directory.join("ledger.db");
    let page = {
        let connection = ledger::open(path.clone());
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'definitions'";
        connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize
    };
    let whole = fs::read(&path).unwrap();
    let part = (page - 1) * 4096..page * 4096;
    let mut damaged = whole.clone();
    damaged[part.clone()].fill(0x5a);
    fs::write(&path, &damaged).unwrap();
    let mut client = place.sidecar().spawn();
    expect_storage_errors(&mut client);
    client.initialize();
    let sentence = unavailable(&client.refusal("automation/list", json!({})), "damaged");
    assert!(sentence.contains("backup"), "{sentence}");
    let draft = dormant("lost", shell("true"));
    unavailable(&client.refusal("automation/create", draft), "damaged");
    let status = until_health(&mut client, "degraded");
    assert!(status["owner"].is_object(), "what can be read is told: {status}");
    // As a copy of the file over itself does it: the same file, whole again.
    use std::os::unix::fs::FileExt;
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&whole[part.clone()], part.start as u64).unwrap();
    until_health(&mut client, "ok");
    assert_eq!(titles(&mut client), ["kept"]);
    client.finish();
}
