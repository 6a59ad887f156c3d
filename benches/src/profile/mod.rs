//! `cargo figures --profile`: counts what a start, a request and a fire take, instead of timing them.
//!
//! System calls are counted by `strace`, instructions and allocations by `callgrind`, and the kernel counts how often a
//! thread was woken. Such counts are nearly the same on a busy machine, so that a change can be told by them. Each
//! situation is played once for each instrument, and what was counted is divided by how often it was done.

mod callgrind;
mod instrument;
mod situations;
mod strace;

use std::fmt::Write;
use std::io;

use crate::figures::Effort;
use crate::table::number;
use crate::tools::Tools;
use instrument::Instrument;
use situations::Situation;

/// What one doing of something has taken, on average. What no instrument has counted is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// System calls, those of the processes of a command with them.
    pub(crate) calls: Option<f64>,
    /// How often a thread of the sidecar was woken.
    pub(crate) wakes: Option<f64>,
    /// Instructions of the sidecar outside of the kernel.
    pub(crate) instructions: Option<f64>,
    /// Calls of the allocator.
    pub(crate) allocations: Option<f64>,
}

/// Plays every situation and prints the table. What this machine has no instrument for is said and left out.
pub(crate) fn run(tools: &Tools, effort: Effort) -> io::Result<()> {
    let instruments: Vec<Instrument> = Instrument::ALL.into_iter().filter(|one| one.is_here()).collect();
    let mut table =
        "| what | system calls | wake-ups | instructions | allocations |\n|---|---|---|---|---|\n".to_owned();
    for situation in Situation::ALL {
        eprintln!("counting: {}", situation.what());
        let mut counts = Counts::default();
        for instrument in &instruments {
            situation.play(tools, effort, *instrument, &mut counts)?;
        }
        let Counts { calls, wakes, instructions, allocations } = counts;
        let cells = [calls, wakes, instructions, allocations].map(told).join(" | ");
        let row = format!("| {} | {cells} |", situation.what());
        eprintln!("  {row}");
        // Writing into a text does not fail.
        let _ = writeln!(table, "{row}");
    }
    for condition in tools.conditions(effort) {
        println!("- {condition}");
    }
    println!("\n{table}");
    Ok(())
}

fn told(count: Option<f64>) -> String {
    count.map_or_else(|| "not counted".to_owned(), number)
}
