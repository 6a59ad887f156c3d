//! How the owner of the bell waits for the ends of its peers: when others hold their locks, when these cannot be
//! waited for, and when there is room for a few only.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::{dormant, shell};
use crate::support::{Place, Spawn, clock, eventually, ledger, nothing_happens};

fn status(client: &mut Client) -> Value {
    client.get("scheduler/status", json!({}))
}

fn windows(client: &mut Client) -> usize {
    status(client)["instances"].as_array().expect("a list").len()
}

/// The lock file of a window.
fn lock_of(client: &Client) -> PathBuf {
    let id = client.opened["instanceID"].as_str().expect("an id");
    ledger::directory(client).join("instances").join(format!("{id}.lock"))
}

/// Whether anybody holds the lock of this file.
fn is_held(file: &File) -> bool {
    let inode = format!(":{} ", file.metadata().expect("an open file").ino());
    fs::read_to_string("/proc/locks").expect("the locks of this machine").contains(&inode)
}

#[test]
fn a_dead_window_whose_lock_was_busy_is_settled_when_it_is_free() {
    /// Enough that not all of them are just before the look that every window takes now and then.
    const ROUNDS: usize = 6;
    const AT_ONCE: Duration = Duration::from_secs(2);
    let place = Place::new();
    let mut owner = place.open();
    for _ in 0..ROUNDS {
        let (first, second) = (place.open(), place.open());
        let [first_lock, second_lock] =
            [&first, &second].map(|peer| File::open(lock_of(peer)).expect("a lock"));
        // The owner is busy with one peer when it is told of the end of the other.
        let held = ledger::hold(ledger::directory(&owner).join("ledger.db"));
        first.kill();
        eventually("the owner settles it", || is_held(&first_lock).then_some(()));
        second.kill();
        eventually("the owner has waited for it", || (!is_held(&second_lock)).then_some(()));
        // As another window does that has waited for the same end, or that settles the peer.
        second_lock.lock().expect("a lock");
        drop(held);
        eventually("the first is settled", || (windows(&mut owner) == 2).then_some(()));
        // The owner comes upon the busy lock.
        nothing_happens(Duration::from_millis(300), || {});
        assert_eq!(windows(&mut owner), 2, "nobody else can settle it");
        let free_at = clock();
        drop(second_lock);
        eventually("it is settled", || (windows(&mut owner) == 1).then_some(()));
        let took = free_at.elapsed();
        println!("settled after {took:?}");
        assert!(took < AT_ONCE, "{took:?}");
    }
    owner.finish();
}

#[test]
fn peers_that_nobody_can_tell_about_are_told_of_once() {
    const CANNOT_TELL: &str = "whether other windows live cannot be told";
    const CANNOT_WAIT: &str = "the end of a peer cannot be waited for";
    let place = Place::new();
    let owner = place.open();
    let mut windows: Vec<Client> = (0..6).map(|_| place.open()).collect();
    for window in &mut windows {
        window.expect_error(CANNOT_TELL);
        fs::remove_file(lock_of(window)).expect("it is there");
        fs::create_dir(lock_of(window)).expect("a directory can be made");
    }
    // The next owner would wait for all of them.
    owner.kill();
    let health = |window: &mut Client, wanted: &str| {
        eventually(wanted, || Some(status(window)).filter(|status| status["health"] == wanted))
    };
    for window in &mut windows {
        let told = health(window, "degraded")["reasons"].to_string();
        assert!(told.contains(CANNOT_TELL), "{told}");
    }
    let count = |window: &Client, words: &str| window.stderr().matches(words).count();
    let wait_failed = || windows.iter().any(|window| count(window, CANNOT_WAIT) > 0);
    eventually("the owner has tried", || wait_failed().then_some(()));
    // Longer than the time between two looks at all peers.
    nothing_happens(Duration::from_secs(6), || {});
    for window in &windows {
        assert_eq!(count(window, CANNOT_TELL), 1, "{}", window.stderr());
    }
    let waits: usize = windows.iter().map(|window| count(window, CANNOT_WAIT)).sum();
    assert_eq!(waits, 1, "one owner says so once");
    for window in &windows {
        fs::remove_dir(lock_of(window)).expect("it is there");
    }
    for window in &mut windows {
        health(window, "ok");
    }
    windows.into_iter().for_each(Client::finish);
}

#[test]
fn an_owner_that_may_open_few_files_leaves_enough_of_them_for_runs() {
    let place = Place::new();
    let mut owner = Spawn::through(&place, &["sh"], "ulimit -n 40 && exec \"$@\"").open();
    assert_eq!(owner.opened["scheduler"]["owner"], true);
    owner.subscribe(json!({}));
    let peers: Vec<Client> = (0..24).map(|_| place.open()).collect();
    let automation = owner.create(dormant("work", shell("echo done >> log")));
    for _ in 0..3 {
        let run = owner.run(&automation);
        owner.wait_for_run(&run, "succeeded");
    }
    assert_eq!(place.lines("log").len(), 3);
    drop(peers);
    eventually("all are settled", || (windows(&mut owner) == 1).then_some(()));
    owner.finish();
}
