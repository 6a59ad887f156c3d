//! Has a real agent carry out prompts, beside a stand-in for its model endpoint, and tells what came of each scenario.
//!
//! `SEXTON_REAL_AGENT=<path of opencode> cargo test --test real_agents -- --nocapture` prints the table of
//! `docs/agents.md`. Without the variable nothing is tried, and that is said. Python 3 runs the endpoint.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the support is made for all tests")]
mod support;

mod bench;
mod scenarios;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use bench::Bench;

#[test]
fn a_real_agent_does_what_the_scripted_one_does() {
    let Some(agent) = agent() else {
        eprintln!("skipped: SEXTON_REAL_AGENT does not name the binary of an installed opencode");
        return;
    };
    let mut failed = Vec::new();
    println!("{}\n", bench::versions(&agent));
    println!("| scenario | what came of it | seconds |\n|---|---|---|");
    for (name, scenario) in scenarios::ALL {
        let began = support::clock();
        let came_of_it = catch_unwind(AssertUnwindSafe(|| {
            let mut bench = Bench::new(&agent);
            let came_of_it = scenario(&mut bench);
            bench.leave_nothing();
            came_of_it
        }));
        let words = came_of_it.unwrap_or_else(|_| {
            failed.push(name);
            "**failed**".to_owned()
        });
        println!("| {name} | {words} | {:.1} |", began.elapsed().as_secs_f32());
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[expect(clippy::disallowed_methods, reason = "which agent is tried is said from outside")]
fn agent() -> Option<PathBuf> {
    std::env::var_os("SEXTON_REAL_AGENT").map(PathBuf::from)
}
