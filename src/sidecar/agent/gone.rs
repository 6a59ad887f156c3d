//! What the engine is told of an agent that has gone.

use crate::domain::automation::Access;
use crate::domain::briefing;
use crate::domain::run::{Changes, OutputSize, RunError, RunResult};
use crate::engine::report::{Said, WorkEnd};
use crate::exec::Ended;
use crate::exec::acp::{End, Verdict};
use crate::sidecar::guarded::process_end;

/// How much is told of what an agent has said on its standard error, in bytes.
const LOG_TOLD: usize = 1000;

/// Whether an agent has gone when its input was closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    ByItself,
    /// It had to be ended.
    WhenTold,
}

/// An agent that has gone.
pub(super) struct Gone<'a> {
    pub(super) ended: Ended,
    pub(super) went: Went,
    pub(super) changes: Option<Changes>,
    pub(super) access: Access,
    pub(super) program: &'a str,
}

/// What the engine is told of an agent that has gone, from what it has said and how its process has ended.
pub(super) fn end_of(verdict: Verdict, gone: Gone<'_>) -> WorkEnd {
    let Gone { ended, went, changes, access, program } = gone;
    let Verdict { end, output, tail, files } = verdict;
    let output = OutputSize { bytes: output.bytes, truncated: output.truncated };
    let (exit, swept, log) = match ended {
        Ended::Exited { exit, swept, tail, .. } => (Some(exit), swept, tail),
        Ended::GuardLost { message, swept, tail: log, .. } => match end {
            End::Finished { .. } => (None, swept, log),
            End::Failed { .. } | End::Cancelled | End::Lost => {
                let process = process_end(None, swept, tail);
                return WorkEnd::GuardLost { message, process, output };
            }
        },
        // The agent was there, so that none of these is reached.
        Ended::Withdrawn | Ended::StartFailed(_) | Ended::PrecheckOnly { .. } => (None, 0, String::new()),
    };
    let process = process_end(exit, swept, tail);
    let said = match end {
        End::Finished { text } => {
            let text = text.unwrap_or_default();
            let (said, outcome) = briefing::take_outcome(&text);
            // Where git cannot tell, the agent's tools have said what they change.
            let changed = match access {
                Access::Write => {
                    changes.as_ref().map_or(!files.is_empty(), |changes| !changes.files.is_empty())
                }
                // It shares its directory with others, and what has changed there may be theirs.
                Access::Read => false,
            };
            let outcome = briefing::outcome(outcome, said, changed);
            let text = Some(said.to_owned()).filter(|text| !text.is_empty());
            let files = Some(files.into_iter().take(Changes::FILES).collect::<Vec<_>>());
            let files = files.filter(|files| !files.is_empty() && changes.is_none());
            let result = RunResult { text, outcome, files: None, diffstat: None }.with_changes(changes);
            Said::Done(RunResult { files: result.files.or(files), ..result })
        }
        End::Failed { code, message, class } => {
            Said::Failed(RunError { code, message: with_log(message, &log), class })
        }
        End::Cancelled => {
            Said::Nothing(with_log("the agent has cancelled its work by itself".to_owned(), &log))
        }
        End::Lost => {
            let how = match (process.exit_code, process.signal) {
                _ if went == Went::WhenTold => {
                    "closed its output, went on all the same, and had to be ended".to_owned()
                }
                (Some(code), _) => format!("exited with code {code}"),
                (None, Some(signal)) => format!("was killed by signal {signal}"),
                (None, None) => "ended".to_owned(),
            };
            Said::Nothing(with_log(format!("the agent `{program}` {how} before it was done"), &log))
        }
    };
    WorkEnd::Agent { said, process, output }
}

/// A message, with the end of what the agent has said on its standard error.
fn with_log(message: String, log: &str) -> String {
    let log = log.trim();
    let mut start = log.len().saturating_sub(LOG_TOLD);
    while !log.is_char_boundary(start) {
        start += 1;
    }
    match &log[start..] {
        "" => message,
        log => format!("{message}; its last words: {log}"),
    }
}
