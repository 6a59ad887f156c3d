//! How a turn ended. That the agent says so is not enough: it also ends its turn when it was refused something, or when its
//! model could not be reached.

use serde_json::Value;

use super::End;
use super::bounds::{MESSAGE_BYTES, one_line};
use super::failure::{Failure, refused, words};
use super::message::AgentError;
use super::wire::REQUEST_CANCELLED;
use crate::domain::run::ErrorClass;
use crate::domain::run::machine::ErrorCode;

/// What has happened in a turn that matters at its end.
#[derive(Default)]
pub(super) struct Facts {
    message: LastMessage,
    has_completed_a_tool: bool,
    /// The last call that failed.
    failed_tool: Option<String>,
    /// The last thing that the agent was not allowed, unless it has got on since, and how many calls it had begun by then:
    /// one that was at work already shows nothing.
    no: Option<(No, u64)>,
}

/// Something that an agent asked for and did not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct No {
    pub(super) by: NoBy,
    pub(super) what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoBy {
    /// Nobody is asked for permissions.
    PermissionPolicy,
    /// Nobody is asked questions.
    QuestionPolicy,
    Person,
    /// It asked for too much at once, or offered no answer.
    Bounds,
}

/// The last message of an agent: what it said after its last call of a tool.
#[derive(Default)]
struct LastMessage {
    text: String,
    /// A call came since.
    is_over: bool,
}

impl Facts {
    /// The agent said something.
    pub(super) fn said(&mut self, text: &str) {
        self.message.add(text);
        let went_on = |no: &No| match no.by {
            // That it says something after it was denied is no success: it says that it was.
            NoBy::PermissionPolicy => false,
            NoBy::QuestionPolicy | NoBy::Person | NoBy::Bounds => !text.trim().is_empty(),
        };
        if self.no.as_ref().is_some_and(|(no, _)| went_on(no)) {
            self.no = None;
        }
    }

    /// It begins something else: what it says next is another message.
    pub(super) fn message_is_over(&mut self) {
        self.message.is_over = true;
    }

    /// The call at this place among all calls has completed.
    pub(super) fn tool_completed(&mut self, number: u64) {
        self.has_completed_a_tool = true;
        if self.no.as_ref().is_some_and(|(_, begun)| number > *begun) {
            self.no = None;
        }
    }

    pub(super) fn tool_failed(&mut self, title: String) {
        self.failed_tool = Some(title);
    }

    /// It was refused something when it had begun so many calls.
    pub(super) fn refused(&mut self, no: No, begun: u64) {
        self.no = Some((no, begun));
    }

    /// How the turn ended, of which nobody has wished that it ends.
    pub(super) fn judge(self, answer: Result<&Value, &AgentError>, logins: &[String]) -> End {
        let failed = |code, class, message: String| Failure::new(class, message).ends(code);
        let of_agent =
            |message: &str| failed(ErrorCode::ExecutionFailed, ErrorClass::Agent, message.to_owned());
        let reason = match answer {
            Ok(answer) => answer.get("stopReason").and_then(Value::as_str).unwrap_or("").to_owned(),
            Err(error) if error.code == Some(REQUEST_CANCELLED) => "cancelled".to_owned(),
            Err(error) => {
                let failure = refused("the prompt", error, logins);
                return match &self.no {
                    Some((no, _)) if failure.class == ErrorClass::Agent => {
                        no.end(&format!("; the agent then failed: {}", words(error)))
                    }
                    Some(_) | None => failure.ends(ErrorCode::ExecutionFailed),
                };
            }
        };
        if let Some((no, _)) = &self.no {
            return no.end("");
        }
        match reason.as_str() {
            "end_turn" => {
                // What was said before a call that has come to nothing is no result.
                let has_said_last = !self.message.is_over;
                let text = self.message.into_text();
                let has_said = text.is_some() && has_said_last;
                match (has_said, self.has_completed_a_tool, &self.failed_tool) {
                    (true, _, _) | (_, true, _) => End::Finished { text },
                    (false, false, Some(tool)) => of_agent(&format!(
                        "the agent ended its turn without a word after its call {tool:?} had failed; look at its log"
                    )),
                    (false, false, None) if text.is_some() => of_agent(
                        "the agent ended its turn without a word about the call that it had begun; look at its log",
                    ),
                    (false, false, None) => of_agent(
                        "the agent ended its turn without saying or doing anything, as some do when their model cannot \
                         be reached; look at its log",
                    ),
                }
            }
            "cancelled" => of_agent("the agent cancelled its turn, which nobody had asked for; run it again"),
            "refusal" => of_agent("the model refused the prompt; say it in other words"),
            "max_tokens" => of_agent(
                "the model came to the end of its context or of an answer before it was done; ask for less at once, or \
                 use a fresh session",
            ),
            "max_turn_requests" => of_agent(
                "the agent asked its model as often as it may in one turn before it was done; ask for less at once, or \
                 raise that limit in the agent's configuration",
            ),
            "" => of_agent("the agent ended its turn without saying why; look at its log"),
            other => of_agent(&format!(
                "the agent ended its turn for a reason that is not known here, {:?}; look at its log",
                one_line(other, 100)
            )),
        }
    }
}

impl No {
    fn end(&self, rest: &str) -> End {
        let what = &self.what;
        let (code, class, message) = match self.by {
            NoBy::PermissionPolicy => (
                ErrorCode::NeedsUserInput,
                ErrorClass::Permission,
                format!(
                    "the agent needed a permission that nobody was asked for ({what}); allow it in the agent's own \
                     configuration, or set `policy.permissions` to `ask`{rest}"
                ),
            ),
            NoBy::QuestionPolicy => (
                ErrorCode::NeedsUserInput,
                ErrorClass::Permission,
                format!(
                    "the agent had a question that nobody was asked ({what}); answer it in the prompt, or set \
                     `policy.permissions` to `ask`{rest}"
                ),
            ),
            NoBy::Person => (
                ErrorCode::ExecutionFailed,
                ErrorClass::Permission,
                format!(
                    "the agent gave up after it was told no ({what}){rest}; tell it in the prompt what to do instead"
                ),
            ),
            NoBy::Bounds => (
                ErrorCode::ExecutionFailed,
                ErrorClass::Agent,
                format!(
                    "the agent asked for something in a way that nobody could answer ({what}){rest}; look at its log"
                ),
            ),
        };
        End::Failed { code, message, class }
    }
}

impl LastMessage {
    fn add(&mut self, text: &str) {
        if std::mem::replace(&mut self.is_over, false) {
            self.text.clear();
        }
        self.text.push_str(text);
        // Not each time: what is cut has to be moved.
        if self.text.len() > 2 * MESSAGE_BYTES {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let mut begin = self.text.len().saturating_sub(MESSAGE_BYTES);
        while !self.text.is_char_boundary(begin) {
            begin += 1;
        }
        self.text.drain(..begin);
    }

    fn into_text(mut self) -> Option<String> {
        self.cut();
        let text = self.text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge(facts: Facts, stop_reason: &str) -> End {
        facts.judge(Ok(&json!({"stopReason": stop_reason})), &[])
    }

    fn line(end: &End) -> String {
        match end {
            End::Finished { text } => format!("finished {text:?}"),
            End::Failed { code, message, class } => format!("{code:?}/{class:?}: {message}"),
            other @ (End::Cancelled | End::Lost) => format!("{other:?}"),
        }
    }

    fn facts(of: &[&str]) -> Facts {
        let mut facts = Facts::default();
        for fact in of {
            let no = |by| No { by, what: "rm -rf".to_owned() };
            match *fact {
                "tool" => facts.tool_completed(2),
                "earlier tool" => facts.tool_completed(1),
                "failed tool" => facts.tool_failed("make".to_owned()),
                "denied" => facts.refused(no(NoBy::PermissionPolicy), 1),
                "declined" => facts.refused(no(NoBy::QuestionPolicy), 1),
                "rejected" => facts.refused(no(NoBy::Person), 1),
                "call" => facts.message_is_over(),
                text => facts.said(text),
            }
        }
        facts
    }

    #[test]
    fn the_end_of_a_turn_is_no_success_by_itself() {
        let cases: [&[&str]; 18] = [
            &["done"],
            &["looking", "call", "tool", "done"],
            &["looking", "call", "tool"],
            &["tool"],
            &[],
            &["  \n"],
            &["failed tool"],
            &["failed tool", "it failed"],
            &["denied", "I may not"],
            &["denied", "tool", "done"],
            &["denied", "earlier tool"],
            &["looking", "call", "failed tool"],
            &["looking", "call"],
            &["tool", "looking", "call", "failed tool"],
            &["declined"],
            &["declined", "done"],
            &["before", "rejected"],
            &["rejected", "then not"],
        ];
        let told: Vec<String> =
            cases.iter().map(|of| format!("{of:?}: {}", line(&judge(facts(of), "end_turn")))).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn every_other_reason_is_a_failure() {
        let reasons = ["cancelled", "refusal", "max_tokens", "max_turn_requests", "", "tired"];
        let told: Vec<String> =
            reasons.iter().map(|reason| line(&judge(facts(&["tool", "done"]), reason))).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn an_error_tells_whose_fault_it_is() {
        let error =
            |message: &str, code| AgentError { code: Some(code), message: message.to_owned(), details: None };
        let class = |of: &[&str], error: &AgentError| match facts(of).judge(Err(error), &[]) {
            End::Failed { code, class, .. } => (code, class),
            other @ (End::Finished { .. } | End::Cancelled | End::Lost) => panic!("{other:?}"),
        };
        let execution = ErrorCode::ExecutionFailed;
        assert_eq!(class(&["done"], &error("boom", -32603)), (execution, ErrorClass::Agent));
        assert_eq!(class(&["done"], &error("429 Too Many Requests", -32603)), (execution, ErrorClass::Quota));
        assert_eq!(
            class(&["denied"], &error("boom", -32603)),
            (ErrorCode::NeedsUserInput, ErrorClass::Permission)
        );
        assert_eq!(class(&["denied"], &error("Unauthorized", -32000)), (execution, ErrorClass::Auth));
        assert_eq!(class(&["done"], &error("cancelled", -32800)), (execution, ErrorClass::Agent));
    }

    #[test]
    fn of_a_long_message_the_end_is_kept() {
        let mut facts = Facts::default();
        for _ in 0..MESSAGE_BYTES {
            facts.said("äöü");
        }
        facts.said("end");
        let end = judge(facts, "end_turn");
        let End::Finished { text: Some(text) } = &end else { panic!("{}", line(&end)) };
        assert!(text.len() <= MESSAGE_BYTES && text.len() > MESSAGE_BYTES - 4, "{}", text.len());
        assert!(text.ends_with("üend"));
    }
}
