//! What a guard carries out one after the other: the precheck, and the command or agent if that allows it.

use super::super::guard_protocol::FromGuard;
use super::super::spool::Spool;
use super::super::work::{Kind, Work};
use super::super::{Exit, OutputSize, PRECHECK_OUTPUT_BYTES, PrecheckEnd, StartFailure};
use super::command::{self, Program, Started};
use super::pipes::{Control, Reports, Signals};
use super::watch::{self, EndedBy, Leaves, Over, Tree};
use crate::failpoint::{Failpoint, Failpoints};

/// A guard that was told to go.
pub(super) struct Guard<'a> {
    pub(super) control: &'a mut Control,
    pub(super) reports: &'a Reports,
    pub(super) signals: &'a Signals,
    pub(super) failpoints: &'a Failpoints,
}

/// What was before the command or agent was started.
#[derive(Default)]
struct Before {
    /// How many processes of the precheck were swept.
    swept: u32,
    /// Why what it said is not all kept.
    write_error: Option<String>,
}

/// Returns the guard's last word.
pub(super) fn carry_out(work: &Work, guard: &mut Guard<'_>) -> FromGuard {
    begin(work, guard).unwrap_or_else(FromGuard::StartFailed)
}

fn begin(work: &Work, guard: &mut Guard<'_>) -> Result<FromGuard, StartFailure> {
    // First: what is started before an agent must not inherit the pipes that are the agent's.
    let main = Program::main(work)?;
    let spool = command::create_spool(&work.spool, work.spool_limit)?;
    let Some(precheck) = &work.precheck else {
        let started = command::start(work, main, guard.failpoints)?;
        return Ok(watch_main(main_tree(started, spool, work), Before::default(), guard));
    };
    let aside = match &work.kind {
        Kind::Command { .. } => None,
        Kind::Agent { precheck_output } => {
            Some(command::create_spool(precheck_output, PRECHECK_OUTPUT_BYTES)?)
        }
    };
    let program = Program::precheck(work, precheck);
    let started = command::start(work, program, guard.failpoints).map_err(|failure| {
        let StartFailure { class, message } = failure;
        StartFailure { class, message: format!("the precheck could not be started: {message}") }
    })?;
    let mut tree = Tree::new(started, spool, aside, &work.token, Leaves::Nothing);
    tree.ends_at = Some(watch::now() + precheck.timeout);
    Ok(match watch::watch(tree, guard.control, guard.signals) {
        Ok(over) => after_precheck(work, main, over, guard),
        Err(message) => FromGuard::Broken { message },
    })
}

fn after_precheck(work: &Work, main: Program<'_>, over: Over, guard: &mut Guard<'_>) -> FromGuard {
    let Over { exit, by, swept, left, spool, aside } = over;
    let only = |end: PrecheckEnd, spool: Spool, aside: Option<Spool>| {
        let (tail, output) = said_by_precheck(spool, aside);
        FromGuard::PrecheckOnly { end, swept, left, tail, output }
    };
    match by {
        EndedBy::Time => only(PrecheckEnd::TimedOut(exit), spool, aside),
        EndedBy::Word => only(PrecheckEnd::Exited(exit), spool, aside),
        EndedBy::Itself if exit != Exit::Code(0) || guard.control.has_spoken(guard.signals) => {
            only(PrecheckEnd::Exited(exit), spool, aside)
        }
        EndedBy::Itself => match command::start(work, main, guard.failpoints) {
            Ok(started) => {
                let write_error = aside.and_then(|aside| aside.finish().1.write_error);
                watch_main(main_tree(started, spool, work), Before { swept, write_error }, guard)
            }
            Err(failure) => only(PrecheckEnd::CommandNotStarted(failure), spool, aside),
        },
    }
}

/// What tells best why a precheck came out as it did, and what is kept of it. Of one whose outputs are apart, that is
/// its complaints.
fn said_by_precheck(spool: Spool, aside: Option<Spool>) -> (String, OutputSize) {
    let (tail, mut output) = spool.finish();
    let Some(aside) = aside else { return (tail, output) };
    let (said, OutputSize { write_error, .. }) = aside.finish();
    output.write_error = output.write_error.or(write_error);
    (if tail.is_empty() { said } else { tail }, output)
}

/// The command or the agent, when it was started.
fn main_tree(started: Started, spool: Spool, work: &Work) -> Tree {
    let leaves = match work.kind {
        Kind::Command { .. } => Leaves::Nothing,
        Kind::Agent { .. } => Leaves::Servers,
    };
    Tree::new(started, spool, None, &work.token, leaves)
}

fn watch_main(tree: Tree, before: Before, guard: &mut Guard<'_>) -> FromGuard {
    guard.failpoints.pass(Failpoint::GuardAfterStart);
    guard.reports.tell(&FromGuard::Started);
    match watch::watch(tree, guard.control, guard.signals) {
        Ok(Over { exit, by: _, swept, left, spool, aside: _ }) => {
            let (tail, mut output) = spool.finish();
            output.write_error = output.write_error.or(before.write_error);
            let swept = swept.saturating_add(before.swept);
            FromGuard::Exited { exit, swept, left, tail, output }
        }
        Err(message) => FromGuard::Broken { message },
    }
}
