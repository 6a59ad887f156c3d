//! Every example of every document is run or accounted for, and every link inside the repository leads somewhere.
//!
//! What a fenced block is, is said by its language and at most one comment directly above it; `example.rs` has the
//! list. An example that fails is named by its document and line, with what was expected and what came.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod blocks;
mod configuration;
mod conversation;
mod documents;
mod example;
mod excerpt;
mod figures;
mod hosts;
mod links;
mod matching;
mod mistakes;
mod params;
mod reader;
mod readme;
mod reference;
mod repository;
mod shell;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each of the tests that share this uses a part of it")]
mod support;
mod transcript;
mod units;
mod window;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use blocks::{Block, blocks};
use documents::documents;
use example::{Example, example};

/// Examples that are run at the same time. Most of them wait for a sidecar most of the time.
const AT_ONCE: usize = 4;

/// All blocks of all documents, with what they are.
fn examples() -> Vec<(Block, Example)> {
    let all = documents().iter().flat_map(blocks).collect::<Vec<_>>();
    // What cannot be accounted for is told by a test of its own.
    all.into_iter().filter_map(|block| example(&block).ok().map(|example| (block, example))).collect()
}

/// Checks all of these, several at once, and tells of all that failed.
fn check<T: Sync>(
    all: &[T],
    place: impl Fn(&T) -> String + Sync,
    one: impl Fn(&T) -> Result<(), String> + Sync,
) {
    let queue = Mutex::new(all.iter());
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(all.len()) {
            scope.spawn(|| {
                loop {
                    let Some(next) = queue.lock().unwrap().next() else { return };
                    let came = catch_unwind(AssertUnwindSafe(|| one(next)));
                    let fault = match came {
                        Ok(Ok(())) => continue,
                        Ok(Err(fault)) => fault,
                        // What it has panicked with has been printed.
                        Err(_) => "panicked".to_owned(),
                    };
                    faults.lock().unwrap().push(format!("{}: {fault}", place(next)));
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "\n\n{}\n", faults.join("\n\n"));
}

/// Checks all blocks of which this gives something.
fn check_blocks<T: Sync>(
    pick: impl Fn(Example) -> Option<T>,
    one: impl Fn(&Block, &T) -> Result<(), String> + Sync,
) {
    let picked = examples().into_iter().filter_map(|(block, example)| Some((block, pick(example)?)));
    let all: Vec<(Block, T)> = picked.collect();
    check(&all, |(block, _)| block.place(), |(block, picked)| one(block, picked));
}

/// The blocks that are this.
fn check_each(wanted: &Example, one: impl Fn(&Block) -> Result<(), String> + Sync) {
    check_blocks(|example| (example == *wanted).then_some(()), |block, ()| one(block));
}

#[test]
fn every_block_is_accounted_for() {
    let all = documents().iter().flat_map(blocks).collect::<Vec<_>>();
    check(&all, Block::place, |block| example(block).map(|_| ()));
    check(&documents(), |one| one.name.clone(), blocks::hidden);
}

#[test]
fn every_script_ends_well() {
    check_each(&Example::Script, shell::check);
}

#[test]
fn every_command_for_the_repository_is_one_that_it_has() {
    let mut tours: Vec<Vec<(Block, String)>> = Vec::new();
    for (block, example) in examples() {
        let Example::ScriptIn(directory) = example else { continue };
        // Those of one document build on each other, as they do for who follows it.
        match tours.last_mut().filter(|tour| tour[0].0.document == block.document) {
            Some(tour) => tour.push((block, directory)),
            None => tours.push(vec![(block, directory)]),
        }
    }
    check(&tours, |tour| tour[0].0.document.clone(), |tour| repository::check(tour));
}

#[test]
fn every_transcript_is_what_is_printed() {
    check_each(&Example::Transcript, transcript::check);
}

#[test]
fn every_conversation_takes_place() {
    check_each(&Example::Conversation, conversation::check);
}

#[test]
fn all_params_are_granted() {
    check_blocks(Example::params, |block, (method, wish)| params::check(block, method, *wish));
}

#[test]
fn every_value_is_of_its_type() {
    check_blocks(Example::type_name, |block, name| params::check_value(block, name));
}

#[test]
fn every_configuration_is_taken_up_without_a_warning() {
    check_each(&Example::Configuration, configuration::check);
}

#[test]
fn every_host_of_tools_finds_them() {
    check_each(&Example::McpHost, hosts::check);
}

#[test]
fn every_unit_is_understood_and_serves() {
    check_blocks(Example::unit, |block, name| units::check(block, name));
}

#[test]
fn every_excerpt_stands_where_it_is_from() {
    check_blocks(Example::origin, |block, path| excerpt::check(block, path));
}

#[test]
fn every_block_that_another_test_runs_is_named_there() {
    check_blocks(Example::runner, |block, path| excerpt::check_test(block, path));
}

#[test]
fn every_link_inside_the_repository_leads_somewhere() {
    let all = documents();
    let headings = links::headings(&all);
    check(&all, |one| one.name.clone(), |one| links::check(one, &headings));
}
