//! What agents were given and may repeat, and what is told of their ends without it.

use super::Sidecar;
use crate::domain::secrets::Secrets;
use crate::exec::Ended;

impl Sidecar {
    /// What an agent is started with that nobody is to be told: what its provider gives it, and beside that its arguments and
    /// what this window gives to all its processes.
    pub(super) fn secrets_of(&self, own: &[(String, String)], args: &[String]) -> Secrets {
        let own = own.iter().map(|(_, value)| value.as_str());
        let beside = args.iter().chain(self.parts.environment.values());
        Secrets::of(own, beside.map(String::as_str))
    }
}

/// The end of a process whose last words may tell secrets.
pub(super) fn without(secrets: &Secrets, ended: Ended) -> Ended {
    match ended {
        Ended::PrecheckOnly { end, swept, tail, output } => {
            Ended::PrecheckOnly { end, swept, tail: secrets.hide_in_part(&tail), output }
        }
        Ended::Exited { exit, swept, tail, output } => {
            Ended::Exited { exit, swept, tail: secrets.hide_in_part(&tail), output }
        }
        Ended::GuardLost { message, swept, tail, output } => {
            Ended::GuardLost { message, swept, tail: secrets.hide_in_part(&tail), output }
        }
        ended @ (Ended::Withdrawn | Ended::StartFailed(_)) => ended,
    }
}
