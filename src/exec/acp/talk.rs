//! A conversation with an agent before its prompt: one call after the other, each with a deadline.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Wishes;
use super::bounds::one_line;
use super::connection::{Connection, Heard, Reading};
use super::cost::Spending;
use super::failure::{Circumstances, Halt};
use super::message::Message;
use super::needs::Ask;
use super::offer::Offered;
use super::output::Output;
use super::wire::METHOD_NOT_FOUND;
use crate::domain::secrets::Secrets;

/// How one logs in, in the agent's words: the most of it, in characters.
const LOGIN: usize = 200;

/// How many ways to log in are named.
const LOGINS: usize = 5;

pub(super) struct Talk<R, W> {
    pub(super) connection: Connection<R, W>,
    pub(super) wishes: watch::Receiver<Wishes>,
    /// What is marked when the agent gives a sign of life; none where nobody looks for any.
    pub(super) output: Option<Output>,
    pub(super) spending: Spending,
    call_limit: Duration,
    logins: Vec<String>,
    /// What it lets one choose, if it said so by itself.
    told: Option<Offered>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Talk<R, W> {
    pub(super) fn new(
        stdout: R,
        stdin: W,
        call_limit: Duration,
        wishes: watch::Receiver<Wishes>,
        output: Option<Output>,
        spending: Spending,
        secrets: Secrets,
    ) -> Self {
        let connection = Connection::new(stdout, stdin, secrets);
        Talk { connection, wishes, output, spending, call_limit, logins: Vec::new(), told: None }
    }

    /// Calls a method and waits for the answer.
    pub(super) async fn call(&mut self, method: &'static str, params: Value) -> Result<Value, Halt> {
        let limit = self.call_limit;
        let call = self.connection.call(method, &params);
        let deadline = Instant::now() + limit;
        loop {
            match timeout_at(deadline, self.hear()).await {
                Err(_) => return Err(Halt::TimedOut { method, limit }),
                Ok(Err(halt)) => return Err(halt),
                Ok(Ok(Message::Answer { call: it, answer })) if it == call => {
                    return answer.map_err(|error| Halt::Refused { method, error });
                }
                Ok(Ok(other)) => self.aside(other),
            }
        }
    }

    /// The next message. Can be given up without losing anything.
    pub(super) async fn hear(&mut self) -> Result<Message, Halt> {
        loop {
            let heard = tokio::select! {
                heard = self.connection.next(Reading::On) => heard,
                () = asked_to_end(&mut self.wishes) => return Err(Halt::Cancelled),
                () = work(&mut self.output) => continue,
            };
            if let Some(output) = &mut self.output {
                output.mark();
            }
            match heard {
                Heard::Message(message) => return Ok(message),
                Heard::Noise => {}
                Heard::Gone => return Err(Halt::Lost),
            }
        }
    }

    /// What comes while something else is waited for.
    pub(super) fn aside(&mut self, message: Message) {
        match message {
            // To a call that was given up.
            Message::Answer { .. } => {}
            Message::Request { id, method, .. } => match Ask::of_method(&method) {
                Some(ask) => self.connection.answer(&id, &ask.nobody_answers()),
                None => self.refuse_unknown(&id, &method),
            },
            Message::Notification { method, params } if method == "session/update" => {
                let params = params.to_value();
                let update = params.get("update").unwrap_or(&Value::Null);
                match update.get("sessionUpdate").and_then(Value::as_str) {
                    Some("usage_update") => {
                        self.spending.hear(update);
                    }
                    Some("config_option_update") => {
                        let list = update.get("configOptions").unwrap_or(&Value::Null);
                        self.told = Some(Offered::of_options(list));
                    }
                    // A history that is told again is not of this turn.
                    Some(_) | None => {}
                }
            }
            Message::Notification { .. } => {}
        }
    }

    /// What it has told by itself of what may be chosen, since that was asked last.
    pub(super) fn take_told(&mut self) -> Option<Offered> {
        self.told.take()
    }

    pub(super) fn refuse_unknown(&mut self, id: &serde_json::value::RawValue, method: &str) {
        let message = format!("sexton does not have the method {:?}", one_line(method, LOGIN));
        self.connection.refuse(id, METHOD_NOT_FOUND, &message);
    }

    /// How one logs in, as `initialize` was answered.
    pub(super) fn learn_logins(&mut self, answer: &Value) {
        let methods = answer.get("authMethods").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let words = |method: &Value| {
            let text = |name: &str| method.get(name).and_then(Value::as_str).map(str::to_owned);
            let name = text("name").or_else(|| text("id"))?;
            let description = text("description").map_or(String::new(), |words| format!(" ({words})"));
            let words = self.connection.secrets().hide(&format!("{name}{description}"));
            Some(one_line(&words, LOGIN))
        };
        self.logins = methods.iter().filter_map(words).take(LOGINS).collect();
    }

    pub(super) fn logins(&self) -> &[String] {
        &self.logins
    }

    pub(super) fn circumstances(&self) -> Circumstances<'_> {
        Circumstances { logins: &self.logins, noise: self.connection.noise() }
    }

    /// Calls a method whose answer changes nothing any more, and waits for a moment only.
    pub(super) async fn call_in_passing(&mut self, method: &'static str, params: Value, limit: Duration) {
        let before = std::mem::replace(&mut self.call_limit, limit);
        // Whether it could is of no interest: the agent ends now.
        let _ = self.call(method, params).await;
        self.call_limit = before;
    }
}

/// Resolves when the turn is to end.
async fn asked_to_end(wishes: &mut watch::Receiver<Wishes>) {
    // An error means that whoever drives has gone, and wants nothing either.
    let _ = wishes.wait_for(|wishes| wishes.end).await;
}

/// Does the next part of an output's work.
pub(super) async fn work(output: &mut Option<Output>) {
    match output {
        Some(output) => output.work().await,
        None => std::future::pending().await,
    }
}

impl<R, W> Talk<R, W> {
    /// Closes the agent's stdin. What it has said is there to be written.
    pub(super) fn close(self) -> Option<Output> {
        self.output
    }
}
