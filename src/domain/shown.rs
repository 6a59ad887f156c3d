//! What a reader is shown of an automation. Values of the environment are for the user's own windows, so nothing
//! that comes out of a run is shown them: what an agent reads goes on to whoever its model belongs to.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::automation::{Automation, Command, Definition, EnvValue, Hidden, Task};
use super::later::hide_environments;

/// On whose behalf a request is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// A person's.
    Person,
    /// A run's.
    Run,
}

/// A value in a task's environment as a reader is shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ShownValue {
    /// As it was written, for the user's own windows.
    Kept(EnvValue),
    /// For what comes out of a run.
    Hidden(Hidden),
}

/// An automation as one reader is shown it. Only this goes into answers and refusals.
pub type ShownAutomation = Automation<ShownValue>;

impl Automation {
    /// As this reader is shown it.
    pub fn shown_to(self, voice: Voice) -> ShownAutomation {
        let Automation {
            id,
            definition: Definition { title, when, timezone, task, placement, access, policy },
            revision,
            created_at,
            updated_at,
            created_by,
            paused,
            pause,
            state,
        } = self;
        let task = match task {
            Task::Command(Command { program, args, env, stdin }) => {
                let env = env.into_iter().map(|(name, value)| (name, value.shown_to(voice))).collect();
                Task::Command(Command { program, args, env, stdin })
            }
            Task::Prompt(prompt) => Task::Prompt(prompt),
            Task::Notify { text } => Task::Notify { text },
        };
        let definition = Definition { title, when, timezone, task, placement, access, policy };
        Automation { id, definition, revision, created_at, updated_at, created_by, paused, pause, state }
    }
}

impl EnvValue {
    fn shown_to(self, voice: Voice) -> ShownValue {
        match voice {
            Voice::Person => ShownValue::Kept(self),
            Voice::Run => ShownValue::Hidden(Hidden {}),
        }
    }
}

/// The payload of an event as this reader is shown it, whichever version wrote it. The ledger keeps payloads as
/// text, of which only those with an environment are written anew.
///
/// # Errors
/// When the payload is not JSON: nobody can say then what is in it.
pub fn payload_shown_to(payload: &str, voice: Voice) -> serde_json::Result<Cow<'_, str>> {
    match voice {
        Voice::Person => return Ok(Cow::Borrowed(payload)),
        Voice::Run => {}
    }
    let mut shown: Value = serde_json::from_str(payload)?;
    // A name could be written with escapes, but no version of sexton writes one so.
    if !payload.contains(r#""env""#) {
        return Ok(Cow::Borrowed(payload));
    }
    hide_environments(&mut shown);
    Ok(Cow::Owned(shown.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: &str =
        r#"{"automation":{"task":{"kind":"command","env":{"A":"S3CRET","B":{"from":"C"}}}}}"#;

    #[test]
    fn a_person_is_shown_a_payload_as_it_is_and_a_run_the_names_only() {
        assert_eq!(payload_shown_to(PAYLOAD, Voice::Person).unwrap(), PAYLOAD);
        let shown: Value = serde_json::from_str(&payload_shown_to(PAYLOAD, Voice::Run).unwrap()).unwrap();
        assert_eq!(shown["automation"]["task"]["env"], serde_json::json!({"A": {}, "B": {}}));
        assert_eq!(shown["automation"]["task"]["kind"], "command");
    }

    #[test]
    fn environments_in_what_a_later_version_tells_are_hidden_as_well() {
        let payload = r#"{"draft":{"steps":[{"env":{"A":"S3CRET"}}],"note":"n"}}"#;
        let shown: Value = serde_json::from_str(&payload_shown_to(payload, Voice::Run).unwrap()).unwrap();
        let expected = serde_json::json!({"draft": {"steps": [{"env": {"A": {}}}], "note": "n"}});
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_has_no_environment_stays_and_what_is_no_json_is_not_shown() {
        for payload in [r#"{"tombstone":{"id":"x"}}"#, r#"{"automation":{"task":{"kind":"notify"}}}"#] {
            assert_eq!(payload_shown_to(payload, Voice::Run).unwrap(), payload);
        }
        assert!(payload_shown_to(&PAYLOAD[..60], Voice::Run).is_err());
    }
}
