//! The git program, as a child process that asks nobody anything and starts nothing of the user's that it need not.

mod places;
pub(super) mod programs;
pub(super) mod tree;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout_at};

use super::StartFailure;

/// The most bytes of an answer: the names of some hundred thousand files.
const ANSWER: u64 = 16 * 1024 * 1024;

/// The most bytes that are kept of what it says when it refuses something: the last words say why.
const WORDS: usize = 2000;

/// What it is told each time: hooks and monitors of files are for the user's own work, and nothing is tidied up
/// behind anybody's back.
const SETTINGS: [&str; 5] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
];

/// Git in one directory, until a deadline.
#[derive(Clone, Debug)]
pub(super) struct Git {
    directory: PathBuf,
    until: Instant,
    search: Option<String>,
    environment: Vec<(&'static str, PathBuf)>,
    settings: Vec<&'static str>,
    configured: Vec<(String, &'static str)>,
    holding: Option<Arc<File>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// There is no such program.
    Missing,
    /// It could not be started, or not be listened to.
    Failed(io::Error),
    /// It took too long, and was killed.
    TooLate,
    /// It said more than can be taken in.
    TooMuch,
    /// It refused, with these words.
    Refused { code: Option<i32>, words: String },
}

impl Git {
    /// What has not been answered `within` this time from now on is given up.
    pub(super) fn at(directory: &Path, within: Duration) -> Self {
        let until = Instant::now() + within;
        Git {
            directory: directory.to_owned(),
            until,
            search: None,
            environment: Vec::new(),
            settings: Vec::new(),
            configured: Vec::new(),
            holding: None,
        }
    }

    /// The same, which is looked for at these places before the usual ones: a list as in `PATH`.
    pub(super) fn found_in(self, search: Option<&str>) -> Self {
        Git { search: search.map(str::to_owned), ..self }
    }

    /// The same, elsewhere.
    pub(super) fn in_directory(&self, directory: &Path) -> Self {
        Git { directory: directory.to_owned(), ..self.clone() }
    }

    /// The same, with one more variable in its environment.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<PathBuf>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// The same, configured otherwise than the user has.
    pub(super) fn set(mut self, setting: &'static str) -> Self {
        self.settings.push(setting);
        self
    }

    /// The same, configured otherwise than the repository is, by any names.
    fn configured(self, configured: Vec<(String, &'static str)>) -> Self {
        Git { configured, ..self }
    }

    /// The same, which holds a locked file as long as it is at work, also when this process has died meanwhile. It is
    /// its input, which it does not read.
    pub(super) fn holding(self, file: &Arc<File>) -> Self {
        Git { holding: Some(file.clone()), ..self }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// What it answers, as text, without the end of the last line.
    pub(super) async fn text<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<String, NoAnswer> {
        let answer = self.bytes(args).await?;
        Ok(String::from_utf8_lossy(&answer).trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Paths that it answers with, one a line, as seen from anywhere.
    pub(super) async fn paths(&self, args: &[&str]) -> Result<Vec<PathBuf>, NoAnswer> {
        let text = self.text(args).await?;
        Ok(text.lines().map(|line| self.directory.join(line)).collect())
    }

    /// Whether it says yes to a question whose answer is its exit code.
    pub(super) async fn agrees<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<bool, NoAnswer> {
        match self.bytes(args).await {
            Ok(_) => Ok(true),
            Err(NoAnswer::Refused { code: Some(1), .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// What it answers.
    pub(super) async fn bytes<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Vec<u8>, NoAnswer> {
        let mut command = self.command(args);
        command.stdin(self.input().map_err(NoAnswer::Failed)?);
        let mut child = Group::start(&mut command)?;
        timeout_at(self.until, child.listen()).await.map_err(|_| NoAnswer::TooLate)?
    }

    fn input(&self) -> io::Result<Stdio> {
        match &self.holding {
            Some(file) => Ok(Stdio::from(file.try_clone()?)),
            None => Ok(Stdio::null()),
        }
    }

    fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new("git");
        // What somebody has set for the git that started this process is about another repository.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"GIT_") {
                command.env_remove(name);
            }
        }
        command.args(["--no-pager", "--no-optional-locks"]);
        for setting in SETTINGS.iter().chain(&self.settings) {
            command.args(["-c", setting]);
        }
        command.args(args).current_dir(&self.directory);
        command.env("PATH", places::absolute(self.search.as_deref()));
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env("LANGUAGE", "C");
        // Objects that are missing stay so: nothing is asked of other machines.
        command.env("GIT_NO_LAZY_FETCH", "1");
        command.env("GIT_CONFIG_COUNT", self.configured.len().to_string());
        for (number, (name, value)) in self.configured.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{number}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

/// A child with a process group of its own, all of which is killed when nobody waits for it any more: git has helpers
/// that would go on.
struct Group {
    child: Child,
    /// None once the child was waited for, after which its number may be another's.
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    fn start(command: &mut Command) -> Result<Self, NoAnswer> {
        // A directory that is not there has the same word as a program.
        let child = command.spawn().map_err(|error| match error.kind() == io::ErrorKind::NotFound {
            true if is_there(command) => NoAnswer::Missing,
            true | false => NoAnswer::Failed(error),
        })?;
        #[cfg(unix)]
        let leader = child.id().and_then(|pid| rustix::process::Pid::from_raw(pid.try_into().ok()?));
        Ok(Group {
            child,
            #[cfg(unix)]
            leader,
        })
    }

    async fn listen(&mut self) -> Result<Vec<u8>, NoAnswer> {
        let (Some(answer), Some(words)) = (self.child.stdout.take(), self.child.stderr.take()) else {
            return Err(NoAnswer::Failed(io::Error::other("it was started without its pipes")));
        };
        let (answer, words) = tokio::try_join!(all_of(answer), last_of(words)).map_err(NoAnswer::Failed)?;
        let answer = answer.ok_or(NoAnswer::TooMuch)?;
        let status = self.child.wait().await.map_err(NoAnswer::Failed)?;
        #[cfg(unix)]
        {
            self.leader = None;
        }
        match status.success() {
            true => Ok(answer),
            false => Err(NoAnswer::Refused { code: status.code(), words }),
        }
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // All of it may have gone.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

fn is_there(command: &Command) -> bool {
    command.as_std().get_current_dir().is_none_or(Path::is_dir)
}

/// All that is said, unless that is too much.
async fn all_of(pipe: impl AsyncRead + Unpin) -> io::Result<Option<Vec<u8>>> {
    let mut all = Vec::new();
    let count = pipe.take(ANSWER + 1).read_to_end(&mut all).await?;
    Ok((count as u64 <= ANSWER).then_some(all))
}

/// The last of what is said, in one line.
async fn last_of(mut pipe: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut kept = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = pipe.read(&mut part).await?;
        if count == 0 {
            break;
        }
        kept.extend_from_slice(&part[..count]);
        kept.drain(..kept.len().saturating_sub(WORDS));
    }
    let text = String::from_utf8_lossy(&kept);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:"));
    Ok(lines.collect::<Vec<_>>().join("; "))
}

impl NoAnswer {
    /// Why a run cannot start, given what was to be done. What git refuses it refuses the next time as well.
    pub(super) fn into_failure(self, what: &str) -> StartFailure {
        match self {
            NoAnswer::Missing => StartFailure::config(format!(
                "{what}: there is no program `git`; install it, or have the search path of the window name where it is"
            )),
            NoAnswer::Refused { code: _, words } => {
                StartFailure::config(format!("{what}: git says: {words}"))
            }
            NoAnswer::Failed(error) => {
                StartFailure::transient(format!("{what}: git could not be run: {error}; run it again"))
            }
            NoAnswer::TooLate => StartFailure::transient(format!(
                "{what}: git took too long and was ended; run it again, or see what keeps it when it is called by hand"
            )),
            NoAnswer::TooMuch => StartFailure::config(format!(
                "{what}: git answered with more than {ANSWER} bytes; the repository is too large for this"
            )),
        }
    }
}
