//! The file of a ledger after the disk, or a program of the user's, has changed it: bytes that are others, pages that are
//! empty, an end that is missing. It is opened and worked with, looked at by the doctor, and salvaged. The input says
//! where the damage is.

use std::path::Path;

use sexton::domain::id::LedgerId;
use sexton::domain::refusal::Refusal;
use sexton::domain::request::{ListAutomations, ListRuns};
use sexton::domain::shown::Voice;
use sexton::engine::audit::{self, Presence};
use sexton::engine::tick::{self, Duty};
use sexton::engine::{clock, derive};
use sexton::ledger::{EventFilter, Examination, Ledger, Outside, salvage};

use super::made_up::Choices;
use super::world::{Circumstances, World};

/// SQLite's pages, of which it reads a whole one at a time.
const PAGE: usize = 4096;

/// The most places of one input that are damaged.
const PLACES: usize = 24;

pub(crate) fn check(input: &[u8]) {
    thread_local! {
        static SOUND: Vec<u8> = sound();
    }
    let bytes = SOUND.with(|sound| damaged(sound.clone(), &mut Choices::of(input)));
    let place = tempfile::tempdir().expect("a directory");
    let database = place.path().join("ledger.db");
    std::fs::write(&database, &bytes).expect("room");
    examine(place.path());
    // What would be saved of it is only read.
    let _ = salvage(place.path());
    assert!(std::fs::read(&database).expect("it is there") == bytes, "to look changes the file");
    work(place.path(), &bytes);
}

/// The file of a ledger in which a lot is going on.
fn sound() -> Vec<u8> {
    let world = World::full_of_life();
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("ledger.db");
    world.connection.execute("VACUUM INTO ?1", [path.to_str().expect("a path")]).expect("room");
    // As a window leaves it: a copy says of itself that it has no log, and to open it changes that.
    let copy = rusqlite::Connection::open(&path).expect("the copy");
    copy.pragma_update(None, "journal_mode", "wal").expect("a log");
    copy.close().expect("nobody else has it");
    std::fs::read(path).expect("it is there")
}

fn damaged(mut bytes: Vec<u8>, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut places = 0;
    while !choices.is_over() && places < PLACES && !bytes.is_empty() {
        places += 1;
        let how = choices.below(8);
        let page = choices.below(bytes.len().div_ceil(PAGE));
        let within = choices.below(PAGE);
        let at = (page * PAGE + within).min(bytes.len() - 1);
        let end = ((page + 1) * PAGE).min(bytes.len());
        match how {
            0 => bytes[at] ^= 1 << choices.below(8),
            1 => bytes[page * PAGE..end].fill(0),
            2 => bytes.truncate(at),
            3 => bytes[at..end].fill(choices.byte()),
            4 if bytes.len() >= 2 * PAGE => {
                // Another page in the place of this one.
                let last = bytes.len() - PAGE;
                let from = (choices.below(bytes.len() / PAGE) * PAGE).min(last);
                bytes.copy_within(from..from + PAGE, (page * PAGE).min(last));
            }
            _ => bytes[at] = choices.byte(),
        }
    }
    bytes
}

fn examine(directory: &Path) {
    // Whether it can be read or not, that is told and no more.
    if let Ok(Some(examination)) = Examination::begin(directory)
        && let Ok(checks) = audit::audit(&examination.view(), |_| Presence::Unknown)
    {
        assert!(!checks.is_empty());
    }
}

/// Opens it as a window does, and does what one does first.
fn work(directory: &Path, bytes: &[u8]) {
    let id = LedgerId::from_unique("fresh");
    let now = super::world::START.plus_ms(600_000);
    let ledger = match Ledger::open(directory, "/project", id, now, Outside::nobody()) {
        Ok(ledger) => ledger,
        Err(error) => {
            let there = std::fs::read(directory.join("ledger.db")).expect("it is there");
            assert!(!error.is_damage() || there == bytes, "it was changed though it is not opened: {error}");
            return;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let ticked = ledger.write(move |tx| {
            let mut around = Circumstances::at(now);
            let mut context = around.context();
            clock::observe(tx, &mut context)?;
            tick::tick(tx, &mut context, Duty::Owner, &[])
        });
        let _ = ticked.await;
        let looked = ledger.read(|view| {
            for stored in
                view.list_automations(&ListAutomations { limit: 100, ..ListAutomations::default() })?
            {
                let _ = derive::any_automation(view, stored, Voice::Person);
            }
            view.list_runs(&ListRuns { limit: 100, ..ListRuns::default() })?;
            view.events_after(0, &EventFilter::default(), 1000)?;
            Ok::<_, Refusal>(())
        });
        let _ = looked.await;
    });
    ledger.look_through();
}
