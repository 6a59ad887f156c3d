//! What a guard carries out one after the other: the precheck, and the command if that allows it.

use super::super::guard_protocol::FromGuard;
use super::super::spool::Spool;
use super::super::{CommandWork, Exit, PrecheckEnd, StartFailure};
use super::command::{self, Program};
use super::pipes::{Control, Signals, tell};
use super::watch::{self, EndedBy, Over, Tree};
use crate::failpoint::{Failpoint, Failpoints};

/// Returns the guard's last word.
pub(super) fn carry_out(
    work: &CommandWork,
    control: &mut Control,
    signals: &Signals,
    failpoints: &Failpoints,
) -> FromGuard {
    let spool = match command::create_spool(work) {
        Ok(spool) => spool,
        Err(failure) => return FromGuard::StartFailed(failure),
    };
    let Some(precheck) = &work.precheck else {
        return match command::start(work, &Program::command(work), failpoints) {
            Ok(started) => {
                watch_command(Tree::new(started, spool, &work.token), 0, control, signals, failpoints)
            }
            Err(failure) => FromGuard::StartFailed(failure),
        };
    };
    let mut tree = match command::start(work, &Program::precheck(precheck), failpoints) {
        Ok(started) => Tree::new(started, spool, &work.token),
        Err(StartFailure { class, message }) => {
            let message = format!("the precheck could not be started: {message}");
            return FromGuard::StartFailed(StartFailure { class, message });
        }
    };
    tree.ends_at = Some(watch::now() + precheck.timeout);
    match watch::watch(tree, control, signals) {
        Ok(over) => after_precheck(work, over, control, signals, failpoints),
        Err(message) => FromGuard::Broken { message },
    }
}

fn after_precheck(
    work: &CommandWork,
    over: Over,
    control: &mut Control,
    signals: &Signals,
    failpoints: &Failpoints,
) -> FromGuard {
    let Over { exit, by, swept, left, spool } = over;
    let only = |end: PrecheckEnd, spool: Spool| {
        let (tail, output) = spool.finish();
        FromGuard::PrecheckOnly { end, swept, left, tail, output }
    };
    match by {
        EndedBy::Time => only(PrecheckEnd::TimedOut(exit), spool),
        EndedBy::Word => only(PrecheckEnd::Exited(exit), spool),
        EndedBy::Itself if exit != Exit::Code(0) || control.has_spoken(signals) => {
            only(PrecheckEnd::Exited(exit), spool)
        }
        EndedBy::Itself => match command::start(work, &Program::command(work), failpoints) {
            Ok(started) => {
                watch_command(Tree::new(started, spool, &work.token), swept, control, signals, failpoints)
            }
            Err(failure) => only(PrecheckEnd::CommandNotStarted(failure), spool),
        },
    }
}

/// `swept` is what was swept before the command was started.
fn watch_command(
    tree: Tree,
    swept: u32,
    control: &mut Control,
    signals: &Signals,
    failpoints: &Failpoints,
) -> FromGuard {
    failpoints.pass(Failpoint::GuardAfterStart);
    tell(&FromGuard::Started);
    match watch::watch(tree, control, signals) {
        Ok(over) => {
            let (tail, output) = over.spool.finish();
            let swept = swept.saturating_add(over.swept);
            FromGuard::Exited { exit: over.exit, swept, left: over.left, tail, output }
        }
        Err(message) => FromGuard::Broken { message },
    }
}
