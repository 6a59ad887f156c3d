//! One prompt, from an agent that was just started to its verdict.

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::connection::{Heard, Reading};
use super::cost::Spending;
use super::failure::{Failure, Halt};
use super::message::{Message, Params};
use super::needs::{Ask, Effect, Needs};
use super::outbox::Outbox;
use super::output::Output;
use super::session::{Place, Session, choose, initialize, open};
use super::talk::Talk;
use super::tools::{CallEnd, Tools};
use super::verdict::{Facts, No};
use super::{CANCEL_GRACE, End, Report, Turn, Verdict, Wishes, wire};
use crate::domain::run::machine::ErrorCode;
use crate::domain::run::{Continuity, ErrorClass};

/// See [`super::drive`].
pub(super) async fn carry_out<R, W>(
    stdout: R,
    stdin: W,
    turn: Turn,
    wishes: watch::Receiver<Wishes>,
    reports: mpsc::Sender<Report>,
) -> Verdict
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let output = match Output::create(turn.output.clone(), turn.output_limit).await {
        Ok(output) => output,
        Err(error) => {
            let message =
                format!("the output {} cannot be made: {error}; make room there", turn.output.display());
            let end = Failure::new(ErrorClass::Transient, message).ends(ErrorCode::StartFailed);
            return Verdict { end, ..Verdict::of_nothing() };
        }
    };
    let spending = Spending::new(turn.spent_before.clone());
    let talk =
        Talk::new(stdout, stdin, turn.call_limit, wishes, Some(output), spending, turn.secrets.clone());
    let mut at_work = AtWork {
        talk,
        outbox: Outbox::new(reports),
        needs: Needs::new(turn.permissions),
        tools: Tools::of(&turn.directory, turn.secrets.clone()),
        facts: Facts::default(),
        line: Line::Begin,
    };
    let end = match at_work.prepare(&turn).await {
        Ok(session) => {
            let prompt = match session.continuity {
                Continuity::New => turn.prompt_if_new.as_ref().unwrap_or(&turn.prompt),
                Continuity::Resumed | Continuity::Loaded => &turn.prompt,
            };
            at_work.prompt(&session.id, prompt).await
        }
        Err(halt) => halt.before_the_prompt(&at_work.talk.circumstances()),
    };
    at_work.finish(end).await
}

struct AtWork<R, W> {
    talk: Talk<R, W>,
    outbox: Outbox,
    needs: Needs,
    tools: Tools,
    facts: Facts,
    line: Line,
}

/// Where the output is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Begin,
    /// Within a line of the agent's message.
    Within,
    /// The same, and the message is over.
    Over,
}

/// What comes up while the agent works.
enum Event {
    Heard(Heard),
    Wished,
    /// Nobody wishes anything any more.
    LetGo,
    /// A report was taken, or output written.
    Worked,
    /// The agent has had its time to answer a prompt that was cancelled.
    GraceOver,
}

impl Verdict {
    fn of_nothing() -> Verdict {
        Verdict {
            end: End::Lost,
            output: super::OutputSize::default(),
            tail: String::new(),
            files: std::collections::BTreeSet::new(),
        }
    }
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> AtWork<R, W> {
    /// Everything up to the prompt.
    async fn prepare(&mut self, turn: &Turn) -> Result<Session, Halt> {
        let abilities = initialize(&mut self.talk).await?;
        let place = Place { directory: &turn.directory, tools: turn.tools.as_ref() };
        let mut session = open(&mut self.talk, abilities, &turn.session, place).await?;
        choose(&mut self.talk, &mut session, &turn.model, turn.variant.as_deref()).await?;
        let (written, is_written) = oneshot::channel();
        let (session_id, continuity) = (session.id.clone(), session.continuity);
        self.outbox.put(Report::Started { session_id, continuity, written });
        self.until_written(is_written).await?;
        Ok(session)
    }

    /// Waits until it was written down that the work starts. Whoever dropped that does not want it any more.
    async fn until_written(&mut self, mut is_written: oneshot::Receiver<()>) -> Result<(), Halt> {
        loop {
            let message = tokio::select! {
                () = self.outbox.hand_over(), if !self.outbox.is_empty() => continue,
                written = &mut is_written => return written.map_err(|_| Halt::Cancelled),
                message = self.talk.hear() => message?,
            };
            self.talk.aside(message);
        }
    }

    /// Sends the prompt, and sees it through to its end.
    async fn prompt(&mut self, session: &str, text: &str) -> End {
        self.talk.spending.prompted();
        let call = self.talk.connection.call("session/prompt", &wire::prompt(session, text));
        let mut gives_up_at = None;
        let mut wishes = self.talk.wishes.clone();
        // What was wished before is seen first.
        wishes.mark_changed();
        let mut listens = true;
        loop {
            match self.next(&mut wishes, listens, gives_up_at).await {
                Event::Worked => {}
                Event::GraceOver => return End::Cancelled,
                event @ (Event::Wished | Event::LetGo) => {
                    let wished = wishes.borrow_and_update().clone();
                    let lets_go = matches!(event, Event::LetGo);
                    if wished.end || lets_go {
                        self.needs.turn_is_to_end();
                    }
                    for answer in &wished.answers {
                        let effects = self.needs.answered(answer);
                        self.apply(effects);
                    }
                    listens = !lets_go;
                    // This is where it is decided that the turn was cancelled, whatever the agent answers.
                    if (wished.end || lets_go) && gives_up_at.is_none() {
                        gives_up_at = Some(Instant::now() + CANCEL_GRACE);
                        self.talk.connection.notify("session/cancel", &wire::session(session));
                        let effects = self.needs.give_up();
                        self.apply(effects);
                    }
                }
                Event::Heard(Heard::Noise) => self.mark(),
                Event::Heard(Heard::Gone) => {
                    return if gives_up_at.is_some() { End::Cancelled } else { End::Lost };
                }
                Event::Heard(Heard::Message(message)) => {
                    self.mark();
                    match message {
                        Message::Answer { call: it, answer } if it == call => {
                            if gives_up_at.is_some() {
                                return End::Cancelled;
                            }
                            let facts = std::mem::take(&mut self.facts);
                            return match facts.judge(answer.as_ref(), self.talk.logins()) {
                                // It comes in parts, and a value may have come in two of them.
                                End::Finished { text: Some(text) } => {
                                    let text = self.talk.connection.secrets().hide(&text);
                                    End::Finished { text: Some(text) }
                                }
                                end @ (End::Finished { text: None }
                                | End::Failed { .. }
                                | End::Cancelled
                                | End::Lost) => end,
                            };
                        }
                        Message::Answer { .. } => {}
                        Message::Request { id, method, params } => match Ask::of_method(&method) {
                            Some(ask) if gives_up_at.is_some() => {
                                self.talk.connection.answer(&id, &ask.nobody_answers());
                            }
                            Some(ask) => self.asks(ask, id, &params),
                            None => self.talk.refuse_unknown(&id, &method),
                        },
                        Message::Notification { method, params } => self.told(session, &method, &params),
                    }
                }
            }
        }
    }

    async fn next(
        &mut self,
        wishes: &mut watch::Receiver<Wishes>,
        listens: bool,
        gives_up_at: Option<Instant>,
    ) -> Event {
        let Talk { connection, output, .. } = &mut self.talk;
        let reading = match self.outbox.has_room() && output.as_ref().is_none_or(Output::has_room) {
            true => Reading::On,
            false => Reading::Paused,
        };
        tokio::select! {
            heard = connection.next(reading) => Event::Heard(heard),
            changed = wishes.changed(), if listens => changed.map_or(Event::LetGo, |()| Event::Wished),
            () = self.outbox.hand_over(), if !self.outbox.is_empty() => Event::Worked,
            () = super::talk::work(output) => Event::Worked,
            () = until(gives_up_at), if gives_up_at.is_some() => Event::GraceOver,
        }
    }

    fn mark(&mut self) {
        if let Some(output) = &mut self.talk.output {
            output.mark();
        }
    }

    fn asks(&mut self, ask: Ask, id: Box<serde_json::value::RawValue>, params: &Params) {
        if ask == Ask::Permission {
            // With it, some tell for the first time what the call is given.
            let params = params.to_value();
            self.tool(params.get("toolCall").unwrap_or(&Value::Null));
        }
        let effects = self.needs.ask(ask, id, params);
        self.apply(effects);
    }

    fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Answer { id, result } => self.talk.connection.answer(&id, &result),
                Effect::Refuse { id, code, message } => self.talk.connection.refuse(&id, code, message),
                Effect::Report(Report::Blocked(need)) => {
                    self.outbox.put(Report::Blocked(need.without(self.talk.connection.secrets())));
                }
                Effect::Report(report) => self.outbox.put(report),
                Effect::No(No { by, what }) => {
                    let what = self.talk.connection.secrets().hide_in_part(&what);
                    self.facts.refused(No { by, what }, self.tools.begun());
                }
            }
        }
    }

    fn told(&mut self, session: &str, method: &str, params: &Params) {
        let params = params.to_value();
        match method {
            "session/update" => {
                // What other sessions of the agent do is their own.
                let of = params.get("sessionId").and_then(Value::as_str);
                if of.is_none_or(|of| of == session) {
                    self.update(params.get("update").unwrap_or(&Value::Null));
                }
            }
            "$/cancel_request" => {
                let effects = self.needs.withdrawn(params.get("requestId").unwrap_or(&Value::Null));
                self.apply(effects);
            }
            _ => {}
        }
    }

    fn update(&mut self, update: &Value) {
        match update.get("sessionUpdate").and_then(Value::as_str) {
            Some("agent_message_chunk") => {
                let content = update.get("content").unwrap_or(&Value::Null);
                let is_text = content.get("type").is_some_and(|kind| kind == "text");
                match content.get("text").and_then(Value::as_str) {
                    Some(text) if is_text && !text.is_empty() => self.says(text),
                    Some(_) | None => {}
                }
            }
            Some("tool_call" | "tool_call_update") => self.tool(update),
            Some("usage_update") => {
                if let Some(cost) = self.talk.spending.hear(update) {
                    self.outbox.put(Report::Cost(cost));
                }
            }
            // Plans, thoughts, modes, commands: signs of life.
            Some(_) | None => {}
        }
    }

    fn says(&mut self, text: &str) {
        let text = &self.talk.connection.secrets().hide(text)[..];
        self.facts.said(text);
        if let Some(output) = &mut self.talk.output {
            if self.line == Line::Over {
                output.write("\n");
            }
            output.write(text);
        }
        self.line = if text.ends_with('\n') { Line::Begin } else { Line::Within };
    }

    fn tool(&mut self, update: &Value) {
        let meaning = self.tools.hear(update);
        if meaning.is_new {
            self.facts.message_is_over();
            // The next message begins on a line of its own.
            if self.line == Line::Within {
                self.line = Line::Over;
            }
        }
        if let Some(title) = meaning.step {
            self.outbox.put(Report::Step { title });
        }
        match meaning.end {
            Some(CallEnd::Completed { number }) => self.facts.tool_completed(number),
            Some(CallEnd::Failed { title }) => self.facts.tool_failed(title),
            None => {}
        }
    }

    /// Closes the agent's stdin, has everything reported, and writes what is left.
    async fn finish(mut self, end: End) -> Verdict {
        if let Some(report) = self.needs.turn_is_over() {
            self.outbox.put(report);
        }
        let secrets = self.talk.connection.secrets().clone();
        let output = self.talk.close();
        self.outbox.hand_over_all().await;
        let (tail, output) = match output {
            Some(output) => output.finish().await,
            None => Default::default(),
        };
        Verdict { end, output, tail: secrets.hide_in_part(&tail), files: self.tools.into_files() }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
