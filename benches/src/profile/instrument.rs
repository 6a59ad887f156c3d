//! What counts: how a sidecar is started under it, and what it has counted between two moments.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Counts, callgrind, strace};
use crate::broken;
use crate::client::Client;
use crate::clock::wall_ms;
use crate::place::Place;
use crate::proc::Activity;
use crate::servers::open_by;
use crate::tools::Tools;

/// Something that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instrument {
    /// The kernel, which counts anyway.
    Kernel,
    Strace,
    Callgrind,
}

impl Instrument {
    pub(super) const ALL: [Instrument; 3] = [Instrument::Kernel, Instrument::Strace, Instrument::Callgrind];

    /// Whether this machine has it. That it has not is said.
    pub(super) fn is_here(self) -> bool {
        let program = match self {
            Instrument::Kernel => return true,
            Instrument::Strace => "strace",
            Instrument::Callgrind => "valgrind",
        };
        let tried =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        let here = tried.is_ok_and(|status| status.success());
        if !here {
            eprintln!("SKIPPED: what `{program}` counts, because it is not installed");
        }
        here
    }
}

/// A sidecar that is counted.
pub(super) struct Counted {
    instrument: Instrument,
    client: Client,
    /// Where the instrument writes.
    log: PathBuf,
    /// What had been counted when counting began: nothing, if that is when the process did.
    begun: Begun,
}

/// From when on is counted.
#[derive(Clone, Copy)]
struct Begun {
    at_ms: f64,
    wakes: f64,
}

impl Counted {
    /// Starts a sidecar under an instrument, counted from its first instruction on, and has it open the project.
    pub(super) fn open(tools: &Tools, place: &Place, instrument: Instrument) -> io::Result<Counted> {
        let log = place.state().with_file_name("counted");
        remove(&log)?;
        let mut command = match instrument {
            Instrument::Kernel => Command::new(tools.sexton()),
            Instrument::Strace => {
                let mut command = Command::new("strace");
                command.args(["-f", "-qqq", "-ttt", "-s", "16", "-o"]);
                command.arg(&log).arg(tools.sexton());
                command
            }
            Instrument::Callgrind => {
                let mut command = Command::new("valgrind");
                let mut out = std::ffi::OsString::from("--callgrind-out-file=");
                out.push(&log);
                command.args(["--quiet", "--tool=callgrind"]).arg(out).arg(tools.sexton());
                command
            }
        };
        // What an instrument cannot do is told there, and each time.
        command.arg("--stdio").stderr(Stdio::null());
        let begun = Begun { at_ms: wall_ms(), wakes: 0.0 };
        let client = open_by(&mut command, place)?;
        Ok(Counted { instrument, client, log, begun })
    }

    pub(super) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Counts from now on.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        let wakes = match self.instrument {
            Instrument::Kernel => Activity::of(self.client.pid())?.wakes,
            Instrument::Strace => 0.0,
            Instrument::Callgrind => {
                tell_callgrind(self.client.pid(), "zero")?;
                0.0
            }
        };
        self.begun = Begun { at_ms: wall_ms(), wakes };
        Ok(())
    }

    /// Counts no longer, has the sidecar end, and adds what was counted for each of so many.
    pub(super) fn end(self, times: usize, counts: &mut Counts) -> io::Result<()> {
        let each = |count: f64| Some(count / times as f64);
        let ended_ms = wall_ms();
        match self.instrument {
            Instrument::Kernel => {
                let wakes = Activity::of(self.client.pid())?.wakes - self.begun.wakes;
                counts.wakes = each(wakes);
                self.client.finish()
            }
            Instrument::Strace => {
                self.client.finish()?;
                let calls = strace::calls(&std::fs::read_to_string(&self.log)?, self.begun.at_ms..ended_ms);
                counts.calls = each(calls as f64);
                Ok(())
            }
            Instrument::Callgrind => {
                tell_callgrind(self.client.pid(), "dump")?;
                // The first dump; the end of the process is another one.
                let dump = self.log.with_extension("1");
                let counted = callgrind::read(&std::fs::read_to_string(&dump)?)
                    .ok_or_else(|| broken("callgrind has written nothing that can be read"))?;
                counts.instructions = each(counted.instructions as f64);
                counts.allocations = each(counted.allocations as f64);
                self.client.finish()
            }
        }
    }
}

/// A situation that was played with this place before has left its logs there.
fn remove(log: &Path) -> io::Result<()> {
    for path in [log.to_owned(), log.with_extension("1")] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn tell_callgrind(pid: u32, word: &str) -> io::Result<()> {
    let mut command = Command::new("vgdb");
    command
        .arg(format!("--pid={pid}"))
        .arg(word)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.status()? {
        status if status.success() => Ok(()),
        status => Err(broken(format!("callgrind could not be told to {word}: `vgdb` ended with {status}"))),
    }
}
