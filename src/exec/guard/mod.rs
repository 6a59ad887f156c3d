//! What `sexton guard` does: holds one command or agent and everything below it, and ends it when the sidecar says so,
//! or is gone. The precheck of a command is held in the same way before it.
//!
//! A guard has one thread and sleeps in `poll` without a timeout while nothing is due. It must not be used
//! from a process that has others: a parent-death signal belongs to the thread that started the command.

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod command;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod lookup;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod output;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod pipes;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod sequence;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod sweep;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod unable;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod watch;

use std::process::ExitCode;

/// Carries out the work that a sidecar tells it through the socket in the place of its standard error, and reports
/// there, too.
///
/// To be called by `main` for `sexton guard`, before anything else: it closes every other descriptor and
/// resets every signal. Returns when the work and all it left behind have ended.
pub fn run() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("sexton guard: {message}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn serve() -> Result<(), String> {
    Err(super::process::REFUSAL.unwrap_or("there are no guards on this system").to_owned())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn serve() -> Result<(), String> {
    use super::guard_protocol::{FromGuard, ToGuard};
    use super::process;
    use crate::failpoint::{Failpoint, Failpoints};
    use pipes::{Said, Signals};
    use sequence::Guard;

    process::close_inherited();
    process::reset_signals();
    process::name_this_process();
    let (mut control, reports) = pipes::take_socket().map_err(|error| {
        format!("there is no sidecar to hear: {error}; guards are started by a sidecar, not by hand")
    })?;
    // From here on nobody sees a guard's stderr. What goes wrong with it is told to the sidecar, as its last word.
    let of_hook = reports.clone();
    std::panic::set_hook(Box::new(move |panic| {
        of_hook.tell(&FromGuard::Broken { message: panic.to_string() });
    }));
    let broken = |what: &str, error: std::io::Error| {
        let message = format!("{what}: {error}");
        reports.tell(&FromGuard::Broken { message: message.clone() });
        message
    };
    // The first two arguments are the binary and `guard`.
    let failpoints = Failpoints::of_guard(std::env::args_os().skip(2))
        .map_err(|fault| broken("its arguments", std::io::Error::other(fault)))?;
    let signals = Signals::catch().map_err(|error| broken("signals cannot be caught", error))?;
    process::adopt_orphans().map_err(|error| broken("orphans cannot be adopted", error))?;

    let work = match control.wait_for_word(&signals) {
        Said::Word(ToGuard::Work(work)) => work,
        Said::Word(ToGuard::Go | ToGuard::Stop | ToGuard::Kill) | Said::Closed => {
            return Err("no work came in".to_owned());
        }
    };
    let identity = process::own_identity().map_err(|error| broken("this process cannot be told", error))?;
    failpoints.pass(Failpoint::GuardBeforeReady);
    reports.tell(&FromGuard::Ready { identity });

    // A guard that the system lets run late finds the go and what came after it together: the end of its sidecar,
    // with which nobody wants the work any more, or a stop.
    let (first, second) = (control.wait_for_word(&signals), control.next_word());
    let wanted = matches!((first, second), (Said::Word(ToGuard::Go), None));
    if !wanted {
        reports.tell(&FromGuard::Withdrawn);
        return Ok(());
    }
    let mut guard =
        Guard { control: &mut control, reports: &reports, signals: &signals, failpoints: &failpoints };
    let last_word = sequence::carry_out(&work, &mut guard);
    failpoints.pass(Failpoint::GuardBeforeLastWord);
    reports.tell(&last_word);
    Ok(())
}
