//! What may be asked when: nothing before `initialize`, nothing but `exit` after `shutdown`.

use super::errors::{Failure, Kind, shown};

/// How far the conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is open.
    Fresh,
    /// A project is open.
    Open,
    /// The same, and it is closed as soon as its runs have ended.
    Closing,
    /// It was closed: only `exit` is left.
    Closed,
}

/// What a request means in the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It opens a project.
    Initialize,
    /// It closes what is open.
    Shutdown,
    /// It asks what can be asked.
    Discover,
    /// It is one of the methods.
    Call,
}

/// Whether a request may be carried out at this stage.
///
/// # Errors
/// What to answer if it may not.
pub fn admit(stage: Stage, method: &str) -> Result<Meaning, Failure> {
    match (stage, method) {
        (Stage::Closed, _) => {
            let why = "this sidecar was shut down; send `exit`, and start another one for more";
            Err(Failure::new(Kind::InvalidRequest, why))
        }
        (Stage::Fresh | Stage::Open | Stage::Closing, "exit") => {
            Err(Failure::new(Kind::InvalidRequest, "send `exit` as a notification, without an id"))
        }
        (Stage::Fresh | Stage::Open | Stage::Closing, "shutdown") => Ok(Meaning::Shutdown),
        (Stage::Fresh | Stage::Open | Stage::Closing, "rpc.discover") => Ok(Meaning::Discover),
        (Stage::Fresh, "initialize") => Ok(Meaning::Initialize),
        (Stage::Open | Stage::Closing, "initialize") => {
            let why = "a project is open already; start another sidecar for another one";
            Err(Failure::new(Kind::InvalidRequest, why))
        }
        (Stage::Fresh, _) => {
            let why = format!("send `initialize` first, then {}", shown(method));
            Err(Failure::new(Kind::NotInitialized, why))
        }
        (Stage::Open | Stage::Closing, _) => Ok(Meaning::Call),
    }
}

/// How the conversation ended, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// As it should.
    Orderly,
    /// Otherwise: `exit` without `shutdown`, an input that ended inside a message or could not be read, a
    /// signal, a client that stopped listening.
    Abrupt,
}
