//! What Linux counts for a process: time on a processor, wake-ups, memory.

use std::io;
use std::path::{Path, PathBuf};

use crate::broken;

/// What all threads of a process have done since they began.
#[derive(Clone, Copy)]
pub(crate) struct Activity {
    /// Time on a processor, in milliseconds, counted by the scheduler in nanoseconds.
    pub(crate) cpu_ms: f64,
    /// How often a thread has gone to sleep by itself, and so was woken.
    pub(crate) wakes: f64,
}

impl Activity {
    pub(crate) fn of(pid: u32) -> io::Result<Activity> {
        let mut activity = Activity { cpu_ms: 0.0, wakes: 0.0 };
        for thread in std::fs::read_dir(directory(pid).join("task"))? {
            let thread = thread?.path();
            let times = std::fs::read_to_string(thread.join("schedstat"))?;
            let on_cpu = times.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
            activity.cpu_ms += on_cpu.ok_or_else(|| broken("schedstat without a time"))? / 1e6;
            activity.wakes += field(&thread.join("status"), "voluntary_ctxt_switches:")?;
        }
        Ok(activity)
    }
}

/// The memory of a process, in MiB.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// What is resident, with what is mapped of files: the program itself above all.
    pub(crate) resident: f64,
    /// What of it is in no file.
    pub(crate) own: f64,
    /// The same with pages that several processes share divided among them.
    pub(crate) share: f64,
}

impl Memory {
    pub(crate) fn of(pid: u32) -> io::Result<Memory> {
        let process = directory(pid);
        let resident = field(&process.join("status"), "VmRSS:")? / 1024.0;
        let own = field(&process.join("status"), "RssAnon:")? / 1024.0;
        let share = field(&process.join("smaps_rollup"), "Pss:")? / 1024.0;
        Ok(Memory { resident, own, share })
    }
}

fn directory(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// The number behind a name at the beginning of a line.
fn field(file: &Path, name: &str) -> io::Result<f64> {
    let text = std::fs::read_to_string(file)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value
        .and_then(|value| value.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| broken(format!("{} has no {name}", file.display())))
}
