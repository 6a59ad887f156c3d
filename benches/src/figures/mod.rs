//! What is measured, one file each.

mod binary;
mod creates;
mod foretold;
mod idle;
mod lateness;
mod memory;
mod next_fire;
mod propagation;
mod requests;
mod size;
mod start;
mod takeover;
mod timers;
mod windows;

use std::io;

use clap::ValueEnum;

use crate::table::Table;
use crate::tools::Tools;

/// How many samples are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// So few that everything is seen to work.
    Quick,
    /// As many as the published figures rest on.
    Full,
}

impl Effort {
    pub(crate) fn of<T>(self, quick: T, full: T) -> T {
        match self {
            Effort::Quick => quick,
            Effort::Full => full,
        }
    }

    /// What the table says about it.
    pub(crate) fn remark(self) -> &'static str {
        self.of(" with `--quick`: these figures only show that the measuring works", "")
    }
}

/// What every figure is given.
pub(crate) struct World<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) effort: Effort,
}

/// Something that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Figure {
    Start,
    Requests,
    Creates,
    NextFire,
    Propagation,
    Lateness,
    Timers,
    Takeover,
    Size,
    Foretold,
    Idle,
    Memory,
    Binary,
}

impl Figure {
    /// In the order of the table.
    pub(crate) const ALL: [Figure; 13] = [
        Figure::Start,
        Figure::Requests,
        Figure::Creates,
        Figure::NextFire,
        Figure::Propagation,
        Figure::Lateness,
        Figure::Timers,
        Figure::Takeover,
        Figure::Size,
        Figure::Foretold,
        Figure::Idle,
        Figure::Memory,
        Figure::Binary,
    ];

    /// What `--only` calls it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    pub(crate) fn what(self) -> &'static str {
        match self {
            Figure::Start => "from spawn to `initialize` answered",
            Figure::Requests => "requests, 64 in flight and one by one",
            Figure::Creates => "durable creates, 64 in flight and one by one",
            Figure::NextFire => "the next fire of cron expressions",
            Figure::Propagation => "a change in one window, told in 15 others",
            Figure::Lateness => "fires with 16 windows open",
            Figure::Timers => "a thousand timers within one second",
            Figure::Takeover => "the window that rings the bell is killed",
            Figure::Size => "looks and claims among many runs",
            Figure::Foretold => "what will happen in a quarter of a year",
            Figure::Idle => "nothing happens",
            Figure::Memory => "memory with few and many automations",
            Figure::Binary => "the size of the program",
        }
    }

    pub(crate) fn measure(self, world: &World<'_>, table: &mut Table) -> io::Result<()> {
        match self {
            Figure::Start => start::measure(world, table),
            Figure::Requests => requests::measure(world, table),
            Figure::Creates => creates::measure(world, table),
            Figure::NextFire => next_fire::measure(world, table),
            Figure::Propagation => propagation::measure(world, table),
            Figure::Lateness => lateness::measure(world, table),
            Figure::Timers => timers::measure(world, table),
            Figure::Takeover => takeover::measure(world, table),
            Figure::Size => size::measure(world, table),
            Figure::Foretold => foretold::measure(world, table),
            Figure::Idle => idle::measure(world, table),
            Figure::Memory => memory::measure(world, table),
            Figure::Binary => binary::measure(world, table),
        }
    }
}
