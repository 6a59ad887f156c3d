//! Two windows edit the same automation.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, clock, kind};

/// Edits that both windows ask for at once, before they look at what became of them: one by one, and many, which
/// the ledger's writer commits together.
const AT_ONCE: [(usize, i64); 2] = [(100, 1), (30, 30)];

#[test]
fn of_two_edits_of_the_same_revision_exactly_one_wins() {
    let place = Place::new();
    let mut windows = [place.open(), place.open()];
    let id = windows[0].create(dormant("t", shell("true")));
    let (mut revision, mut won) = (1, [0; 2]);
    let began = clock();
    for (round, at_once) in AT_ONCE.iter().flat_map(|(rounds, size)| vec![*size; *rounds]).enumerate() {
        let revisions = revision..revision + at_once;
        let title = |revision: i64, window: usize| format!("{revision} by {window}");
        // Who asks first changes, so that nobody wins by the order of the test alone.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        let mut asked: Vec<(i64, usize, String)> = Vec::new();
        for window in order {
            for revision in revisions.clone() {
                let patch = json!({"title": title(revision, window)});
                let params = json!({"id": id, "ifRevision": revision, "patch": patch});
                asked.push((revision, window, windows[window].send("automation/update", params)));
            }
        }
        let mut winners = BTreeMap::new();
        let mut losers = Vec::new();
        for (revision, window, request) in asked {
            match windows[window].answer(&request) {
                Ok(edited) => {
                    assert_eq!(
                        (&edited["revision"], &edited["title"]),
                        (&json!(revision + 1), &json!(title(revision, window)))
                    );
                    assert_eq!(winners.insert(revision, window), None, "both won {revision}");
                    won[window] += 1;
                }
                Err(error) => losers.push((revision, error)),
            }
        }
        assert_eq!(winners.keys().copied().collect::<Vec<_>>(), revisions.clone().collect::<Vec<_>>());
        for (revision, error) in losers {
            assert_eq!(kind(&error), "automation_conflict", "{revision}: {error}");
            // Others may have edited it since.
            let newest = error["data"]["current"]["revision"].as_i64().expect("a revision");
            assert!(newest > revision, "{error}");
            assert_eq!(error["data"]["current"]["title"], title(newest - 1, winners[&(newest - 1)]));
        }
        revision += at_once;
    }
    let took = began.elapsed();
    println!("{} edits in {took:?}; won {won:?}", revision - 1);
    assert!(won.iter().all(|won| *won > 0), "one window never won: {won:?}");
    let [mut first, second] = windows;
    let subscription = first.subscribe(json!({"after": 0, "kinds": ["automation.updated"]}));
    first.wait_for_event("the last edit", |event| event["automation"]["revision"] == revision);
    let told = first.events(&subscription);
    let revisions: Vec<i64> =
        told.iter().map(|event| event["automation"]["revision"].as_i64().expect("a revision")).collect();
    assert_eq!(revisions, (1..=revision).collect::<Vec<_>>(), "each told once");
    second.finish();
    Client::finish(first);
}

#[test]
fn edits_of_different_fields_by_many_windows_all_stand() {
    let place = Place::new();
    let mut windows: Vec<Client> = (0..3).map(|_| place.open()).collect();
    let id = windows[0].create(dormant("t", shell("true")));
    let mut asked = Vec::new();
    for number in 0..20 {
        for (index, window) in windows.iter_mut().enumerate() {
            let env = json!({format!("V{index}_{number}"): "x"});
            let params = json!({"id": id, "patch": {"task": {"env": env}}});
            asked.push((index, window.send("automation/update", params)));
        }
    }
    for (index, request) in &asked {
        windows[*index].answer(request).expect("no revision was named");
    }
    let shown = windows[0].get("automation/get", json!({"id": id}));
    assert_eq!(shown["task"]["env"].as_object().map(serde_json::Map::len), Some(60));
    assert_eq!(shown["revision"], 61);
    windows.into_iter().for_each(Client::finish);
}
