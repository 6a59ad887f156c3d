//! `cargo figures`: measures sexton beside its peers, in one run on one machine.
//!
//! Each file below `figures` measures one thing and gives the rows of the table that are about it. README.md says
//! what is compared with what.

mod client;
mod clock;
mod figures;
mod framing;
mod headline;
mod place;
mod proc;
mod profile;
mod requests;
mod script;
mod servers;
mod spread;
mod table;
mod tools;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use clock::{ms_since, now};
use figures::{Effort, Figure, World};
use table::Table;
use tools::Tools;

/// Measures sexton beside its peers and prints the figures as a table.
#[derive(Parser)]
#[command(name = "cargo figures")]
struct Args {
    /// Takes few samples: shows that everything works, and nothing else.
    #[arg(long)]
    quick: bool,
    /// Measures only this; may be said several times.
    #[arg(long, value_name = "FIGURE", value_enum)]
    only: Vec<Figure>,
    /// Counts what a start, a request and a fire take, instead of measuring figures.
    #[arg(long, conflicts_with_all = ["only", "write"])]
    profile: bool,
    /// Writes the table into benches/README.md, and what README.md quotes of it. All figures have to be measured for that.
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("figures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> io::Result<()> {
    let effort = if args.quick { Effort::Quick } else { Effort::Full };
    if args.profile {
        return profile::run(&Tools::without_peers()?, effort);
    }
    let tools = Tools::prepare(effort)?;
    let world = World { tools: &tools, effort };
    let mut table = Table::new(tools.conditions(effort));
    let wanted = |figure: &Figure| args.only.is_empty() || args.only.contains(figure);
    let figures: Vec<Figure> = Figure::ALL.into_iter().filter(wanted).collect();
    let (begin, mut failed) = (now(), 0);
    for (number, figure) in figures.iter().enumerate() {
        let minutes = ms_since(begin) / 60_000.0;
        eprintln!("measuring {} of {}, after {minutes:.1} min: {}", number + 1, figures.len(), figure.what());
        table.begin(figure.name());
        // The others are worth their time all the same.
        if let Err(error) = figure.measure(&world, &mut table) {
            eprintln!("{} could not be measured: {error}", figure.what());
            failed += 1;
        }
    }
    eprintln!("measured in {:.1} min", ms_since(begin) / 60_000.0);
    println!("{table}");
    if failed > 0 {
        return Err(broken(format!(
            "{failed} of {} could not be measured, so nothing is written",
            figures.len()
        )));
    }
    if args.write {
        table.write_into(&tools.readme())?;
        table.quote_in(&tools.first_readme())?;
    }
    Ok(())
}

/// A failure in words of our own.
fn broken(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}
