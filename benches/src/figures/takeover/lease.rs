//! Windows that agree by a lease who rings, and the one that has it is killed.
//!
//! The owner gives a sign of life at each look, and whoever finds the last one older than the lease lasts takes over.
//! So that this does not take an hour, several groups of windows wait at the same time, each with a lease of its own:
//! all of them sleep nearly always.

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::broken;
use crate::clock::{ms_since, now};
use crate::figures::World;
use crate::script::Script;
use crate::spread::Rounds;

/// How long a lease lasts after the last sign, and how often windows look: with few samples, and as schedulers have it.
const TERMS: (Terms, Terms) =
    (Terms { expiry_ms: 3_000, look_ms: 250 }, Terms { expiry_ms: 60_000, look_ms: 5_000 });

/// Groups of windows.
const GROUPS: (usize, usize) = (4, 16);

/// How a lease goes.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    expiry_ms: u64,
    look_ms: u64,
}

impl Terms {
    pub(super) fn of(world: &World<'_>) -> Terms {
        let (short, usual) = TERMS;
        world.effort.of(short, usual)
    }

    /// In words.
    pub(super) fn said(self) -> String {
        let seconds = |ms: u64| ms as f64 / 1e3;
        format!("a lease of {} s, looked at every {} s", seconds(self.expiry_ms), seconds(self.look_ms))
    }
}

/// Windows that share a lease: the one that has it, and those that wait.
struct Group {
    owner: Script,
    waiting: Script,
    killed: Option<Instant>,
}

/// Milliseconds from the death of an owner to the next one, with so many windows that wait for it.
pub(super) fn measure(world: &World<'_>, terms: Terms, waiting: usize) -> io::Result<Rounds> {
    let (few, many) = GROUPS;
    let place = world.tools.place("lease")?;
    let spawn = |role: &str, number: usize, windows: Option<String>| {
        let mut command = Command::new(world.tools.lease());
        command.arg(role).arg(place.project().join(format!("{number}.db")));
        command.args([terms.expiry_ms.to_string(), terms.look_ms.to_string()]).args(windows);
        Script::spawn("windows that share a lease", &mut command)
    };
    let mut groups = Vec::new();
    for number in 0..world.effort.of(few, many) {
        let mut owner = spawn("own", number, None)?;
        expect(&mut owner, "mine")?;
        let mut waiting = spawn("wait", number, Some(waiting.to_string()))?;
        expect(&mut waiting, "waiting")?;
        groups.push(Group { owner, waiting, killed: None });
    }
    // Deaths are spread over the time between two signs, so that the last sign is as old as chance has it.
    let apart = Duration::from_millis(terms.look_ms) / groups.len() as u32;
    for group in &mut groups {
        std::thread::sleep(apart);
        group.killed = Some(now());
        group.owner.kill()?;
    }
    let mut took = Rounds::default();
    let give_up_at = now() + Duration::from_millis(2 * (terms.expiry_ms + terms.look_ms));
    while !groups.is_empty() {
        for taken in ready(&groups, give_up_at)?.into_iter().rev() {
            let Group { killed, mut waiting, .. } = groups.swap_remove(taken);
            let ms = killed.map_or(f64::NAN, ms_since);
            expect(&mut waiting, "mine")?;
            took.push(ms);
        }
    }
    Ok(took)
}

fn expect(script: &mut Script, wanted: &str) -> io::Result<()> {
    let said: String = script.hear()?;
    match said == wanted {
        true => Ok(()),
        false => Err(broken(format!("a window said {said:?} instead of {wanted:?}"))),
    }
}

/// The groups of which one that waited has said something, in rising order.
fn ready(groups: &[Group], give_up_at: Instant) -> io::Result<Vec<usize>> {
    let outputs: Vec<_> = groups.iter().map(|group| group.waiting.output()).collect();
    let mut pipes: Vec<PollFd<'_>> =
        outputs.iter().map(|output| PollFd::new(output, PollFlags::IN)).collect();
    let patience = give_up_at.saturating_duration_since(now());
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    match poll(&mut pipes, Some(&patience))? {
        0 => Err(broken("a lease of which nobody took notice")),
        _ => {
            let ready = pipes.iter().enumerate().filter(|(_, pipe)| !pipe.revents().is_empty());
            Ok(ready.map(|(group, _)| group).collect())
        }
    }
}
