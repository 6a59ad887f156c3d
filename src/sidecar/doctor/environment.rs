//! What a ledger needs of its machine, as far as it can be seen without trying anything.

use std::path::Path;

use crate::domain::diagnosis::{Check, Finding, Subject};
use crate::domain::schedule::local_time;
use crate::domain::schedule::zone::{Zone, zone_data as data_in_use};
use crate::domain::time::Timestamp;
use crate::exec;
use crate::ledger;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;
use crate::sidecar::configuration::{self, Found};
use crate::sidecar::state_directory::{Shared, shared_file_system};

/// Less free space than this is told of, in bytes: a ledger rarely has more, and outputs grow.
#[cfg(unix)]
const LITTLE_SPACE: u64 = 256 * 1024 * 1024;

/// With less than this nothing can be relied on to be written, in bytes: a log is cut down to a quarter of it.
#[cfg(unix)]
const NO_SPACE: u64 = 16 * 1024 * 1024;

/// A clock that is behind the newest time in the ledger by less than this is no news, in milliseconds.
const BEHIND_MS: i64 = 60_000;

/// What the ledger knows of the clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// When its newest event was written.
    pub(super) newest: Option<Timestamp>,
    /// Why the clock is doubted, if it is.
    pub(super) doubt: Option<String>,
    /// How often the machine is known to have slept.
    pub(super) slept: usize,
}

/// The directory itself, or what is there of its path.
pub(super) fn nearest(directory: &Path) -> &Path {
    directory.ancestors().find(|directory| directory.is_dir()).unwrap_or(directory)
}

/// That the state directory is there, private, local, and has room.
pub(super) fn state_directory(directory: &Path) -> Check {
    let mut check = Check::of(Subject::StateDirectory);
    let (there, mut seen) = (nearest(directory), Vec::new());
    if there == directory {
        seen.push(directory.display().to_string());
        keep(directory, &mut check, &mut seen);
    } else if directory.exists() {
        let remedy = "move away what stands there, or choose another state directory with SEXTON_STATE_DIR";
        check.find(
            Finding::problem("it is no directory", "no window can open the project", remedy)
                .at(directory.display()),
        );
    } else {
        seen.push(format!("{} is not there yet", directory.display()));
    }
    match shared_file_system(there) {
        Ok(None) => seen.push("local".to_owned()),
        Ok(Some(Shared::Network(system))) => check.find(Finding::problem(
            format!("it is on a network file system ({system})"),
            "locks cannot be relied on there, so no window opens the project",
            "choose a directory on a local disk with SEXTON_STATE_DIR",
        )),
        Ok(Some(Shared::Perhaps(system))) => check.find(Finding::warning(
            format!("it is on {system}, which other machines may share"),
            "if they do, timers may fire on several of them",
            "choose a directory on a local disk with SEXTON_STATE_DIR if other machines share this one",
        )),
        Err(error) => check.find(not_told("on what kind of file system it is", &error)),
    }
    look_at_space(there, &mut check, &mut seen);
    check.seen(seen.join(", "))
}

fn not_told(what: &str, error: &std::io::Error) -> Finding {
    let remedy = "see whether this user may read it, and whether the disk works";
    Finding::warning(
        format!("the system does not tell {what}: {error}"),
        "it may be unfit for a ledger",
        remedy,
    )
}

/// That it is the user's own, and nobody else's.
#[cfg(unix)]
fn keep(directory: &Path, check: &mut Check, seen: &mut Vec<String>) {
    use std::os::unix::fs::MetadataExt;
    let metadata = match std::fs::metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) => return check.find(not_told("whose it is", &error)),
    };
    let (mode, me) = (metadata.mode() & 0o7777, rustix::process::geteuid().as_raw());
    seen.push(format!("mode {mode:04o}"));
    if metadata.uid() != me {
        check.find(Finding::problem(
            format!("it belongs to the user with the number {}, and this is {me}", metadata.uid()),
            "windows of the two cannot share a ledger safely",
            "give the directory to this user (`chown -R`), or choose another with SEXTON_STATE_DIR",
        ));
    }
    if mode & 0o077 != 0 {
        check.find(Finding::warning(
            format!("its mode is {mode:04o}"),
            "other users may read what commands wrote",
            "`chmod 700` it; the next window that opens does so as well",
        ));
    }
}

#[cfg(not(unix))]
fn keep(_directory: &Path, _check: &mut Check, _seen: &mut Vec<String>) {}

#[cfg(unix)]
fn look_at_space(directory: &Path, check: &mut Check, seen: &mut Vec<String>) {
    let free = match rustix::fs::statvfs(directory) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(error) => return check.find(not_told("how much space is left", &error.into())),
    };
    seen.push(format!("{} free", in_units(free)));
    let what = format!("only {} are free on its disk", in_units(free));
    let remedy = "free some space";
    if free < NO_SPACE {
        check.find(Finding::problem(what, "nothing can be written soon, so that nothing fires", remedy));
    } else if free < LITTLE_SPACE {
        check.find(Finding::warning(what, "outputs of runs may soon fill it", remedy));
    }
}

#[cfg(not(unix))]
fn look_at_space(_directory: &Path, _check: &mut Check, _seen: &mut Vec<String>) {}

/// A number of bytes for people.
pub(super) fn in_units(bytes: u64) -> String {
    let mut rest = bytes;
    for unit in ["bytes", "KiB", "MiB"] {
        if rest < 1024 {
            return format!("{rest} {unit}");
        }
        rest /= 1024;
    }
    format!("{rest} GiB")
}

/// That the clock agrees with the ledger.
pub(super) fn clock(times: Option<&Times>) -> Check {
    let check = Check::of(Subject::Clock);
    let now = Clock.now();
    let zone = Zone::machine();
    let shows = format!("{} ({zone})", local_time(&zone, now));
    let Some(times) = times else { return check.seen(shows) };
    let slept = match times.slept {
        0 => String::new(),
        1 => "; the machine has slept once, as far as is remembered".to_owned(),
        slept => format!("; the machine has slept {slept} times, as far as is remembered"),
    };
    let mut check = check.seen(format!("{shows}{slept}"));
    if let Some(newest) = times.newest.filter(|newest| newest.since_ms(now) > BEHIND_MS) {
        check.find(Finding::warning(
            format!("it shows {shows}, and the newest event was written at {}", local_time(&zone, newest)),
            "the clock is slow, or was fast: schedules begin anew when a window notices",
            "set the clock right",
        ));
    }
    if let Some(doubt) = &times.doubt {
        check.find(Finding::warning(
            doubt.as_str(),
            "nothing fires meanwhile",
            "set the clock right if it is wrong, or wait",
        ));
    }
    check
}

/// Which zone data schedules are computed with.
pub(super) fn zone_data() -> Check {
    let data = data_in_use();
    let source = match data.source.as_str() {
        "bundled" => "bundled with this program".to_owned(),
        directory => format!("of the machine, in {directory}"),
    };
    let mut check = Check::of(Subject::ZoneData).seen(format!(
        "{}, {source}; this machine is in {}",
        data.version,
        Zone::machine()
    ));
    if !Zone::machine_has_a_name() {
        check.find(Finding::warning(
            "the time zone that this machine is set to has no name of the IANA database, so UTC is taken",
            "automations that name no `timezone` are meant in UTC",
            "set the machine's time zone (on Linux: `timedatectl set-timezone`), or name a `timezone`",
        ));
    }
    check
}

/// That the library may be trusted with a ledger.
pub(super) fn sqlite() -> Check {
    let (version, trusted) = ledger::sqlite();
    let check = Check::of(Subject::Sqlite).seen(version);
    match trusted {
        true => check,
        false => check.with(Finding::problem(
            format!("version {version} may corrupt a ledger when two windows write at once"),
            "no window opens the project",
            "build sexton with SQLite 3.51.3 or later",
        )),
    }
}

/// That git is there, if automations need it.
pub(super) async fn git(project: &str, needed: Option<bool>) -> Check {
    let check = Check::of(Subject::Git);
    match (exec::git_version(Path::new(project)).await, needed) {
        (Ok(version), _) => check.seen(version),
        (Err(why), Some(true)) => check.seen("not found").with(Finding::problem(
            why,
            "runs of automations that work in a worktree fail",
            "install git, or see that it is in the PATH of your editor",
        )),
        (Err(_), Some(false) | None) => {
            check.seen("not found, and not needed: no automation works in a worktree")
        }
    }
}

/// That the user's configuration file can be used.
pub(super) fn configuration(environment: &Environment) -> Check {
    let check = Check::of(Subject::Configuration);
    let Some(file) = environment.configuration_file() else {
        return check.seen("the environment does not tell where it would be, so there is none");
    };
    let found = configuration::read(&file);
    let check = check.seen(match found {
        Found::Nothing => format!("{} is not there, so no agents are configured in it", file.display()),
        Found::InOrder(_) | Found::NotWhole(_) | Found::Faulty(_) => file.display().to_string(),
    });
    match found.meaning() {
        Ok(_) => check,
        Err(why) => check.with(Finding::problem(
            why,
            "windows have the agents only that they configure themselves",
            "mend the file, or remove it",
        )),
    }
}
