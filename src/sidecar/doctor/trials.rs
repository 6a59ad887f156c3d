//! What can only be known by trying it: that locks go with their holder, that a watcher hears, that a guard ends what
//! it is to end.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::domain::diagnosis::{Check, Finding, Subject};
use crate::domain::id::RunId;
use crate::exec::{self, CommandWork, Ended, GuardProgram, Report};
use crate::presence::doorbell::Doorbell;
use crate::presence::lock_file::{Attempt, IfMissing, try_take};
use crate::sidecar::state_directory;

/// How long anything that is tried may take: far longer than it takes on a machine that can be relied on.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a lock is looked at that somebody is to take or to give up.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The command of this binary that plays the other process.
const TRIAL: &str = "trial";

/// What the other process of a trial does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Holds the lock of a file until its input ends, or until it is killed.
    Holder,
    /// Starts a runaway, and never ends by itself.
    Parent,
    /// Leaves its session and holds the lock of a file. It never ends by itself.
    Runaway,
}

impl Part {
    /// The part with this name.
    ///
    /// # Errors
    /// A sentence if there is none.
    pub fn named(word: &str) -> Result<Part, String> {
        let parts = [Part::Holder, Part::Parent, Part::Runaway];
        let named = parts.into_iter().find(|part| part.word() == word);
        named.ok_or_else(|| format!("there is no part {word:?} in any trial"))
    }

    const fn word(self) -> &'static str {
        match self {
            Part::Holder => "holder",
            Part::Parent => "parent",
            Part::Runaway => "runaway",
        }
    }
}

/// Plays a part in a trial.
pub fn play(part: Part, file: &Path) -> ExitCode {
    match try_to_play(part, file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn try_to_play(part: Part, file: &Path) -> io::Result<()> {
    match part {
        Part::Holder => {
            let held = try_take(file, IfMissing::Create)?;
            io::copy(&mut io::stdin(), &mut io::sink())?;
            drop(held);
            Ok(())
        }
        Part::Parent => {
            let mut child = Command::new(exec::this_binary()?);
            let mut child =
                child.args([TRIAL, Part::Runaway.word()]).arg(file).stdin(Stdio::null()).spawn()?;
            child.wait().map(drop)
        }
        Part::Runaway => {
            #[cfg(unix)]
            rustix::process::setsid()?;
            let _held = try_take(file, IfMissing::Create)?;
            loop {
                std::thread::park();
            }
        }
    }
}

/// A directory in which something may be tried. It goes with this.
pub(super) struct Place {
    path: PathBuf,
}

impl Place {
    /// A new one in this directory.
    pub(super) fn below(directory: &Path) -> io::Result<Place> {
        let path = directory.join(format!(".sexton-doctor-{}", Uuid::now_v7().simple()));
        state_directory::make(&path)?;
        let place = Place { path };
        // A directory takes less than a file does, on a disk that is full.
        std::fs::write(place.path.join("trial"), [0_u8; 64 * 1024])?;
        Ok(place)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "{} could not be removed", self.path.display());
        }
    }
}

/// That a lock keeps others out, and goes with its holder however that ends.
pub(super) async fn locks(place: &Place) -> Check {
    let check = Check::of(Subject::Locks);
    match try_locks(&place.file("trial.lock")).await {
        Ok(()) => check.seen("a lock keeps others out, and goes with a holder that is killed"),
        Err(why) => check.seen("not to be relied on").with(Finding::problem(
            why,
            "timers might fire twice, and what dead windows left might never be settled",
            "choose a directory on a local disk with SEXTON_STATE_DIR",
        )),
    }
}

async fn try_locks(file: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("a lock could not be tried: {error}");
    let Attempt::Taken(held) = try_take(file, IfMissing::Create).map_err(failed)? else {
        return Err("a new lock could not be taken".to_owned());
    };
    if !matches!(try_take(file, IfMissing::Leave).map_err(failed)?, Attempt::HeldByAnother) {
        return Err("a lock that is held was given away a second time".to_owned());
    }
    held.release();
    let mut holder = tokio::process::Command::new(exec::this_binary().map_err(failed)?);
    holder.args([TRIAL, Part::Holder.word()]).arg(file);
    holder.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut holder = holder.spawn().map_err(failed)?;
    if !until(file, Held::ByAnother).await.map_err(failed)? {
        return Err("a lock that another process holds was given away".to_owned());
    }
    holder.kill().await.map_err(failed)?;
    match until(file, Held::ByNobody).await.map_err(failed)? {
        true => Ok(()),
        false => Err("a lock stayed when its holder was killed".to_owned()),
    }
}

/// Who has a lock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    ByAnother,
    ByNobody,
}

/// Waits until the lock is held like this. False if it is not in time.
async fn until(file: &Path, wanted: Held) -> io::Result<bool> {
    let give_up_at = Instant::now() + PATIENCE;
    loop {
        // The attempt is over with this line, so that whoever is to take the lock can.
        let held = match try_take(file, IfMissing::Leave)? {
            Attempt::HeldByAnother => Held::ByAnother,
            Attempt::Taken(_) | Attempt::Missing => Held::ByNobody,
        };
        if held == wanted {
            return Ok(true);
        }
        if Instant::now() >= give_up_at {
            return Ok(false);
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// That a window hears when another one has changed something.
pub(super) async fn watcher(place: &Place) -> Check {
    let check = Check::of(Subject::Watcher);
    let bell = Doorbell::of(&place.path);
    let heard = async {
        let ear = bell.listen()?;
        bell.ring()?;
        timeout(PATIENCE, ear.rung()).await.map_err(io::Error::from)
    };
    match heard.await {
        Ok(()) => check.seen("a change of a file is heard of"),
        Err(error) => check.seen("changes of files are not heard of").with(Finding::warning(
            format!("changes of files cannot be listened for: {error}"),
            "windows look for each other's changes four times a second, and hear of them later",
            "let this user watch more files (on Linux: fs.inotify.max_user_instances and max_user_watches)",
        )),
    }
}

/// That a guard can be started, and ends all that it is to end, also what has left its session.
pub(super) async fn guards(place: &Place, guard: &GuardProgram) -> Check {
    let check = Check::of(Subject::Guards);
    match try_guard(place, guard).await {
        Ok(()) => check.seen("a guard ends what it has started, and what that has left behind"),
        Err(why) => check.seen("not to be relied on").with(Finding::problem(
            why,
            "commands and agents might go on when their run has ended, or could not be started",
            "see that this user may start more processes (`ulimit -u`), and that the program has not been removed",
        )),
    }
}

async fn try_guard(place: &Place, guard: &GuardProgram) -> Result<(), String> {
    let failed = |error: io::Error| format!("a guard could not be tried: {error}");
    let file = place.file("guarded.lock");
    let program = exec::own_binary().map_err(failed)?;
    let (program, locked) = match (program.to_str(), file.to_str()) {
        (Some(program), Some(locked)) => (program.to_owned(), locked.to_owned()),
        (_, _) => return Err("a guard could not be tried: a path is no Unicode text".to_owned()),
    };
    let work = CommandWork {
        run: RunId::from_unique("doctor"),
        token: Uuid::new_v4().simple().to_string(),
        program,
        args: vec![TRIAL.to_owned(), Part::Parent.word().to_owned(), locked],
        environment: Vec::new(),
        precheck: None,
        stdin: None,
        directory: place.path.clone(),
        output: place.file("output.log"),
        output_limit: 64 * 1024,
    };
    // A guard says three things at most.
    let (tell, mut told) = mpsc::channel(3);
    let handle = exec::prepare(guard, work, tell);
    handle.go();
    let started = loop {
        match timeout(PATIENCE, told.recv()).await {
            Ok(Some((_, Report::Ready(_)))) => {}
            Ok(Some((_, Report::Started))) => break true,
            Ok(Some((_, Report::Ended(Ended::StartFailed(why))))) => return Err(why.message),
            Ok(Some((_, Report::Ended(_))) | None) | Err(_) => break false,
        }
    };
    if !started {
        return Err("a guard did not say that it had started anything".to_owned());
    }
    if !until(&file, Held::ByAnother).await.map_err(failed)? {
        return Err("what a guard had started did nothing".to_owned());
    }
    handle.stop_now();
    if !matches!(timeout(PATIENCE, told.recv()).await, Ok(Some((_, Report::Ended(_))))) {
        return Err("a guard that was told to end everything did not say that it had".to_owned());
    }
    match until(&file, Held::ByNobody).await.map_err(failed)? {
        true => Ok(()),
        false => {
            Err("a process that had left its session was still there when its guard had gone".to_owned())
        }
    }
}
