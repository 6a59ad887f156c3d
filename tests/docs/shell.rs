//! Scripts, and how any shell of a reader is run.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::park_timeout;
use std::time::Duration;

use crate::blocks::Block;
use crate::reader::Reader;
use crate::support::clock;

/// Longer than any example takes on a busy machine, shorter than anybody's patience.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long what was left running is given to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// How often a process is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What came of a script.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// Both streams, as they came.
    pub(crate) said: String,
}

/// Runs the block in a fresh project.
pub(crate) fn check(block: &Block) -> Result<(), String> {
    let reader = Reader::new();
    ends_well(&run(&reader, &reader.project(), "-eu", &script(block))?)
}

/// What it runs, where the programs that are played know which document says so.
pub(crate) fn script(block: &Block) -> String {
    format!("export SEXTON_DOCS_DOCUMENT='{}'\n{}", block.document, block.content)
}

pub(crate) fn ends_well(ended: &Ended) -> Result<(), String> {
    match ended.code {
        Some(0) => Ok(()),
        code => Err(format!("it ended with {code:?} instead of 0, and said\n{}", ended.said)),
    }
}

/// Runs a script to its end, and ends what it has left running.
pub(crate) fn run(reader: &Reader, directory: &Path, flags: &str, script: &str) -> Result<Ended, String> {
    let file = tempfile::NamedTempFile::new_in(reader.beside("")).unwrap();
    let mut command = reader.command("sh");
    command.args([flags, "-c", &reader.at_home(script)]).current_dir(directory).process_group(0);
    command.stdin(Stdio::null()).stdout(file.reopen().unwrap()).stderr(file.reopen().unwrap());
    // Both streams into one file: neither may overwrite what the other has written.
    let appended = std::fs::OpenOptions::new().append(true).open(file.path()).unwrap();
    command.stdout(appended.try_clone().unwrap()).stderr(appended);
    let mut shell = command.spawn().unwrap();
    let code = wait(&mut shell);
    end_group(shell.id());
    let _ = shell.wait();
    let said = String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()).into_owned();
    match code {
        Some(code) => Ok(Ended { code, said }),
        None => Err(format!("it has not ended within {DEADLINE:?}, and has said\n{said}")),
    }
}

/// Waits for its end, but not forever.
fn wait(shell: &mut Child) -> Option<Option<i32>> {
    let mut code = None;
    until(DEADLINE, || {
        code = shell.try_wait().unwrap().map(|status| status.code());
        code.is_some()
    });
    code
}

fn until(span: Duration, mut is: impl FnMut() -> bool) -> bool {
    let give_up_at = clock() + span;
    while !is() {
        if clock() >= give_up_at {
            return false;
        }
        park_timeout(LOOK_AGAIN);
    }
    true
}

/// Ends what a shell has started and left, as a closed terminal does, and without mercy what does not heed it.
fn end_group(leader: u32) {
    let pid = rustix::process::Pid::from_raw(leader.cast_signed()).unwrap();
    let signal = |signal| rustix::process::kill_process_group(pid, signal);
    if signal(rustix::process::Signal::TERM).is_err() {
        return;
    }
    if !until(GRACE, || rustix::process::test_kill_process_group(pid).is_err()) {
        let _ = signal(rustix::process::Signal::KILL);
    }
}
