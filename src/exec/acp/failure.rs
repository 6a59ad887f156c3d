//! Why an agent did not do what it was called for, in words, and whose fault that is.

use std::time::Duration;

use super::bounds::cut;
use super::message::AgentError;
use super::{AskFailure, End, wire};
use crate::domain::run::ErrorClass;
use crate::domain::run::machine::ErrorCode;

/// The most of an agent's own words in a sentence, in characters.
const WORDS: usize = 1000;

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum Halt {
    /// The turn is to end.
    Cancelled,
    /// The agent has gone.
    Lost,
    /// It did not answer in time.
    TimedOut { method: &'static str, limit: Duration },
    /// It answered with an error.
    Refused { method: &'static str, error: AgentError },
    /// It answered, and cannot be used.
    Unusable(Failure),
}

/// A sentence, and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) class: ErrorClass,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Failure { class, message: message.into() }
    }

    pub(super) fn ends(self, code: ErrorCode) -> End {
        End::Failed { code, message: self.message, class: self.class }
    }
}

/// What is known about an agent beside its answer.
pub(super) struct Circumstances<'a> {
    /// How one logs in, in the agent's words.
    pub(super) logins: &'a [String],
    /// What it wrote to its stdout that is not of the protocol.
    pub(super) noise: Option<String>,
}

impl Halt {
    /// How a turn ends that did not come to its prompt.
    pub(super) fn before_the_prompt(self, circumstances: &Circumstances<'_>) -> End {
        match self {
            Halt::Cancelled => End::Cancelled,
            Halt::Lost => End::Lost,
            Halt::TimedOut { .. } | Halt::Refused { .. } | Halt::Unusable(_) => {
                self.failure(circumstances).ends(ErrorCode::StartFailed)
            }
        }
    }

    /// Why an agent did not say what it offers.
    pub(super) fn of_a_probe(self, circumstances: &Circumstances<'_>) -> AskFailure {
        let Failure { class, message } = self.failure(circumstances);
        AskFailure { class, message }
    }

    fn failure(self, circumstances: &Circumstances<'_>) -> Failure {
        let failure = match self {
            Halt::Cancelled => Failure::new(ErrorClass::Transient, "it was cancelled"),
            Halt::Lost => Failure::new(
                ErrorClass::Agent,
                "the agent ended before it had answered; start its command in a terminal to see why",
            ),
            Halt::TimedOut { method, limit } => Failure::new(
                ErrorClass::Transient,
                format!(
                    "the agent did not answer `{method}` within {} s; try its command in a terminal, or give it more \
                     time (`startMs` of the provider)",
                    limit.as_secs_f64()
                ),
            ),
            Halt::Refused { method, error } => refused(&format!("`{method}`"), &error, circumstances.logins),
            Halt::Unusable(failure) => failure,
        };
        match &circumstances.noise {
            Some(noise) => {
                Failure { message: format!("{}; it printed: {noise}", failure.message), ..failure }
            }
            None => failure,
        }
    }
}

/// The agent refused a call with an error.
pub(super) fn refused(what: &str, error: &AgentError, logins: &[String]) -> Failure {
    let words = words(error);
    let class = class_of(error);
    let message = match class {
        ErrorClass::Auth => format!("the agent wants a login ({words}); {}", how_to_log_in(logins)),
        ErrorClass::Quota => {
            format!("the agent has no quota left, or asks too often ({words}); wait for it, or raise it")
        }
        ErrorClass::Transient
        | ErrorClass::Task
        | ErrorClass::Config
        | ErrorClass::Permission
        | ErrorClass::Agent
        | ErrorClass::Crash => format!("the agent refused {what}: {words}"),
    };
    Failure { class, message }
}

/// The agent's words about an error.
pub(super) fn words(error: &AgentError) -> String {
    let code = error.code.map_or(String::new(), |code| format!(" ({code})"));
    let details = error.details.as_ref().map_or(String::new(), |details| format!(": {details}"));
    cut(&format!("{}{code}{details}", error.message), WORDS)
}

fn how_to_log_in(methods: &[String]) -> String {
    let log_in = "log in with the agent itself, in a terminal, as the user that sexton runs as";
    match methods {
        [] => log_in.to_owned(),
        known => format!("{log_in}; it knows: {}", known.join("; ")),
    }
}

/// Whose fault an error is. Agents pass on what their model's endpoint says, so words tell more than codes do.
pub(super) fn class_of(error: &AgentError) -> ErrorClass {
    let text = format!("{} {}", error.message, error.details.as_deref().unwrap_or_default()).to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let numbers = |of: &[i64]| error.code.is_some_and(|code| of.contains(&code)) || has_status(&text, of);
    let has_no_quota = says(QUOTA) && !text.contains("disk quota");
    if error.code == Some(wire::AUTH_REQUIRED) && !has_no_quota || says(AUTH) || numbers(&[401, 403]) {
        ErrorClass::Auth
    } else if has_no_quota || numbers(&[402, 429]) {
        ErrorClass::Quota
    } else if says(PASSES) || numbers(&[408, 500, 502, 503, 504, 529]) {
        ErrorClass::Transient
    } else {
        ErrorClass::Agent
    }
}

/// Whether a text tells one of these as the status of an answer. A number alone may count anything: lines, rows, issues.
fn has_status(text: &str, of: &[i64]) -> bool {
    let mut before = ["", "", ""];
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let is_status = word.parse().is_ok_and(|number: i64| of.contains(&number));
        let follows = before[2] == "http"
            || ["status", "statuscode", "code", "error"].iter().any(|name| before[2].ends_with(name))
            || before[1] == "http"
            || before[0] == "http";
        if is_status && follows {
            return true;
        }
        before = [before[1], before[2], word];
    }
    false
}

/// Whole phrases: a word alone may be the name of a file that the agent has read.
const AUTH: &[&str] = &[
    "authentication required",
    "authentication failed",
    "authentication_error",
    "not authenticated",
    "unauthenticated",
    "unauthorized",
    "not logged in",
    "please log in",
    "please login",
    "login required",
    "log in again",
    "invalid api key",
    "incorrect api key",
    "missing api key",
    "no api key",
    "invalid_api_key",
    "invalid x-api-key",
    "api key not valid",
    "token has expired",
    "token is expired",
    "invalid credentials",
    "missing credentials",
    "no credentials",
];

const QUOTA: &[&str] = &[
    "current quota",
    "quota exceeded",
    "quota_exceeded",
    "exceeded your quota",
    "insufficient_quota",
    "insufficient quota",
    "insufficient credits",
    "insufficient balance",
    "out of quota",
    "rate limit",
    "rate_limit",
    "ratelimit",
    "too many requests",
    "usage limit",
    "credit balance",
    "out of credits",
    "billing_error",
    "billing hard limit",
    "resource_exhausted",
];

const PASSES: &[&str] = &[
    "timeout",
    "timed out",
    "overloaded",
    "unavailable",
    "connection",
    "network",
    "econn",
    "enotfound",
    "etimedout",
    "socket",
    "fetch failed",
    "bad gateway",
    "internal server error",
    "try again",
    "dns",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: i64, message: &str, details: Option<&str>) -> AgentError {
        AgentError { code: Some(code), message: message.to_owned(), details: details.map(str::to_owned) }
    }

    #[test]
    fn the_class_of_an_error_follows_from_its_words() {
        for (code, message, details, expected) in [
            (-32000, "Authentication required", None, ErrorClass::Auth),
            (-32603, "Internal error", Some("401 Unauthorized"), ErrorClass::Auth),
            (-32603, "Invalid API key", None, ErrorClass::Auth),
            (-32603, "Internal error", Some("status 429"), ErrorClass::Quota),
            (429, "slow down", None, ErrorClass::Quota),
            (-32000, "You exceeded your current quota", None, ErrorClass::Quota),
            (-32603, "Your credit balance is too low", None, ErrorClass::Quota),
            (-32603, "Internal error", Some("AI_APICallError: 503"), ErrorClass::Transient),
            (-32603, "fetch failed", None, ErrorClass::Transient),
            (-32603, "Internal error", None, ErrorClass::Agent),
            (-32602, "Invalid params", None, ErrorClass::Agent),
            (-32603, "could not parse src/login.rs", None, ErrorClass::Agent),
            (-32603, "the patch does not apply at line 401", None, ErrorClass::Agent),
            (-32603, "expected 500 rows, got 429", None, ErrorClass::Agent),
            (-32603, "write failed: Disk quota exceeded", None, ErrorClass::Agent),
            (-32603, "Internal error", Some(r#"{"statusCode":429}"#), ErrorClass::Quota),
            (-32603, "HTTP/1.1 403", None, ErrorClass::Auth),
            // A number inside another one says nothing.
            (-32603, "request 14290401 failed", None, ErrorClass::Agent),
        ] {
            assert_eq!(class_of(&error(code, message, details)), expected, "{code} {message} {details:?}");
        }
    }

    #[test]
    fn who_has_to_log_in_is_told_how() {
        let logins = ["Log in with a browser: opens one".to_owned()];
        let failure = refused("`session/new`", &error(-32000, "Authentication required", None), &logins);
        assert_eq!(failure.class, ErrorClass::Auth);
        insta::assert_snapshot!(failure.message, @"the agent wants a login (Authentication required (-32000)); log in with the agent itself, in a terminal, as the user that sexton runs as; it knows: Log in with a browser: opens one");
    }

    #[test]
    fn a_call_without_an_answer_is_named() {
        let halt = Halt::TimedOut { method: "session/new", limit: Duration::from_secs(60) };
        let noise = Some("Cannot find module 'x'".to_owned());
        let failure = halt.failure(&Circumstances { logins: &[], noise });
        assert_eq!(failure.class, ErrorClass::Transient);
        assert!(failure.message.contains("`session/new` within 60 s"), "{}", failure.message);
        assert!(failure.message.ends_with("it printed: Cannot find module 'x'"), "{}", failure.message);
    }
}
