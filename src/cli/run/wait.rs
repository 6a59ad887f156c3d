//! A run is followed to its end, wherever it is carried out.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::screen::{Cursor, IS_ASKED_TO_END, Screen, Telling};
use super::typing::Typing;
use crate::cli::ago::span;
use crate::cli::asked;
use crate::cli::changes::{Changes, gone};
use crate::cli::opened::{Trouble, read};
use crate::cli::process::Signals;
use crate::cli::run_words::{named, outcome, took_ms, why};
use crate::cli::show::Style;
use crate::client::model::{Run, RunState};
use crate::client::{Client, Event, Output};
use crate::domain::automation::PublicTask;
use crate::domain::one_line::one_line;
use crate::domain::run::Asked;
use crate::domain::run::machine::{ErrorCode, State, StopReason};
use crate::domain::schedule::zone::Zone;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// How often a line is written anew that tells how long something takes.
const EACH_SECOND: Duration = Duration::from_secs(1);

/// What a shell adds to the number of a signal.
const BY_SIGNAL: u8 = 128;

/// How often somebody may ask a run to end: first politely, then at once, and then nothing is waited for any more.
const ASKED_AT_MOST: u32 = 2;

/// What an answer is typed behind.
const PROMPT: &str = "> ";

/// The most characters of a warning.
const WARNING: usize = 400;

/// How a run is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    style: Style,
    telling: Telling,
    cursor: Cursor,
    json: bool,
    answers: Answers,
}

/// Whether what the run asks can be answered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Typed,
    Elsewhere,
}

impl Manner {
    pub(super) fn of(environment: &Environment, quiet: bool, json: bool) -> Manner {
        let style = Style::of_stderr(environment);
        let cursor = Cursor::of(environment);
        let telling = match (quiet || json, cursor) {
            (true, _) => Telling::Nothing,
            (false, Cursor::Moves) => Telling::StatusLine,
            (false, Cursor::Stays) => Telling::Lines,
        };
        let is_typed = io::stdin().is_terminal() && io::stderr().is_terminal() && !json;
        Manner {
            style,
            telling,
            cursor,
            json,
            answers: if is_typed { Answers::Typed } else { Answers::Elsewhere },
        }
    }
}

/// Follows the run to its end, and gives its exit code.
pub(super) async fn until_its_end(
    client: &Client,
    mut changes: Changes<'_>,
    value: Value,
    manner: Manner,
) -> Result<ExitCode, Trouble> {
    let run: Run = read(value.clone())?;
    let mut signals = Signals::heard()?;
    // Programs are told what becomes of the run; what it writes would be in the way.
    let mut output = match manner.json {
        true => None,
        false => Some(client.output(run.id.as_str(), 0).await?),
    };
    let mut ticks = tokio::time::interval(EACH_SECOND);
    let mut waited = Waited {
        client,
        screen: Screen::new(manner.style, manner.telling, manner.cursor)?,
        manner,
        value,
        asks: None,
        typing: None,
        asked_to_end: 0,
        signal: None,
        run,
    };
    waited.show();
    while !waited.run.has_ended() || output.is_some() {
        tokio::select! {
            biased;
            number = signals.next() => {
                if waited.interrupted(number).await? == Patience::Over {
                    break;
                }
            }
            told = changes.next_of(&waited.run.id), if !waited.run.has_ended() => {
                let (run, event) = told?;
                waited.told(run, &event).await?;
            }
            typed = next_line(&mut waited.typing), if waited.asks.is_some() => waited.typed(typed).await?,
            part = next_part(&mut output, &waited.screen) => match part? {
                Part::Of(bytes, end) => {
                    if waited.screen.write(bytes).await.is_err() || end {
                        output = None;
                    }
                }
                // Nobody reads any more; what the run does goes on.
                Part::Unread => output = None,
            },
            _ = ticks.tick(), if !waited.run.has_ended() => waited.show(),
        }
    }
    waited.over().await
}

/// Somebody waits for a run.
struct Waited<'a> {
    client: &'a Client,
    screen: Screen,
    manner: Manner,
    run: Run,
    /// The run as the contract writes it.
    value: Value,
    /// What it asks for.
    asks: Option<Asked>,
    typing: Option<Typing>,
    asked_to_end: u32,
    /// The signal that asked for its end first.
    signal: Option<u8>,
}

/// Whether the end of a run is still waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    Lasts,
    Over,
}

enum Part {
    /// This, and whether nothing follows.
    Of(Vec<u8>, bool),
    /// Nobody takes any more of it.
    Unread,
}

/// The next part of what the run writes, when there is room for it.
async fn next_part(output: &mut Option<Output<'_>>, screen: &Screen) -> Result<Part, Trouble> {
    let Some(output) = output else { return std::future::pending().await };
    if screen.room().await.is_err() {
        return Ok(Part::Unread);
    }
    match output.next().await? {
        Some(chunk) => Ok(Part::Of(chunk.data, chunk.end)),
        None => Err(gone()),
    }
}

async fn next_line(typing: &mut Option<Typing>) -> Option<String> {
    match typing {
        Some(typing) => typing.next().await,
        None => std::future::pending().await,
    }
}

impl Waited<'_> {
    fn show(&mut self) {
        // A question stands where the status would, and whoever answers it types there; an end is told by itself.
        if self.asks.is_none() && !self.run.has_ended() {
            self.screen.show(&self.run, Clock.now());
        }
    }

    /// Something has become of the run.
    async fn told(&mut self, run: Run, event: &Event) -> Result<(), Trouble> {
        self.run = run;
        self.value = event.about.get("run").cloned().unwrap_or_default();
        if self.manner.json {
            let line = serde_json::to_vec(event).map_err(|error| Trouble::Failed(error.to_string()))?;
            return self.line(line).await;
        }
        if event.kind == "run.warning"
            && let Some(text) = &event.text
        {
            self.screen.say(&format!("sexton: {}\n", one_line(text, WARNING)));
        }
        let asks = self.run.blocker.as_ref().map(|blocker| blocker.need.asked());
        if asks != self.asks {
            self.asks = asks;
            self.screen.prompt(None);
            self.ask()?;
        }
        self.show();
        Ok(())
    }

    /// Shows what the run asks, if it does.
    fn ask(&mut self) -> Result<(), Trouble> {
        let Some(blocker) = &self.run.blocker else { return Ok(()) };
        let text = asked::question(&self.run, blocker, Clock.now(), &Zone::machine(), self.manner.style);
        self.screen.say(&text);
        if self.manner.answers == Answers::Typed {
            let typing = match self.typing.take() {
                Some(typing) => typing,
                None => Typing::begin()?,
            };
            // Nobody answers what they have not seen.
            self.typing.insert(typing).forget();
            self.screen.prompt(Some(PROMPT));
        }
        Ok(())
    }

    /// Somebody has typed an answer.
    async fn typed(&mut self, line: Option<String>) -> Result<(), Trouble> {
        let Some(line) = line else {
            self.typing = None;
            self.screen.prompt(None);
            self.screen.say(&format!("sexton: to answer from elsewhere: sexton answer {}\n", self.run.id));
            return Ok(());
        };
        self.screen.entered();
        let Some(blocker) = &self.run.blocker else { return Ok(()) };
        match asked::answer(&self.run, blocker, &line) {
            Ok(answer) => match self.client.ask::<Value>("run/respond", answer).await {
                Ok(_) => {}
                Err(error) if error.kind().is_some() => self.screen.say(&format!("sexton: {error}\n")),
                Err(error) => return Err(error.into()),
            },
            Err(why) => self.screen.say(&format!("sexton: {why}\n")),
        }
        Ok(())
    }

    /// Somebody wants this to end.
    async fn interrupted(&mut self, number: u8) -> Result<Patience, Trouble> {
        self.signal.get_or_insert(number);
        if self.asked_to_end == ASKED_AT_MOST {
            return Ok(Patience::Over);
        }
        self.asked_to_end += 1;
        if self.run.has_ended() {
            return Ok(Patience::Over);
        }
        let _: Value = self.client.ask("run/cancel", json!({"id": self.run.id})).await?;
        if self.asked_to_end == 1 && self.manner.telling != Telling::Nothing {
            self.screen.say(&format!("sexton: {} is asked to end; once more ends it at once\n", self.run.id));
            self.screen.has_told(IS_ASKED_TO_END);
        }
        Ok(Patience::Lasts)
    }

    /// Tells how it ended, and gives the exit code of that.
    async fn over(mut self) -> Result<ExitCode, Trouble> {
        let code = self.exit_code();
        if self.manner.json {
            let line = self.value.to_string().into_bytes();
            self.line(line).await?;
        } else {
            self.tell_its_end();
        }
        self.screen.finish().await?;
        Ok(ExitCode::from(code))
    }

    /// Writes one object for a program.
    async fn line(&mut self, mut line: Vec<u8>) -> Result<(), Trouble> {
        line.push(b'\n');
        // Who reads only the beginning has what was wanted, and the run goes on.
        let _ = self.screen.write(line).await;
        Ok(())
    }

    fn tell_its_end(&mut self) {
        let (now, zone) = (Clock.now(), Zone::machine());
        let (word, tone) = outcome(&self.run);
        if self.exit_code() == 0 && self.manner.telling == Telling::Nothing {
            return;
        }
        let after = took_ms(&self.run, now).map(|took| format!(" after {}", span(took))).unwrap_or_default();
        let why = why(&self.run, now, &zone);
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let word = self.manner.style.toned(tone, &word);
        self.screen.say(&format!("sexton: {} {word}{after}{why}\n", named(&self.run)));
        if self.run.output.truncated {
            self.screen.say("sexton: not all of what it wrote was kept\n");
        }
    }

    /// The command's own exit code; that of its signal as a shell tells it; 0 if there was nothing to do; 1 for a run that
    /// failed or was stopped otherwise, and that of our own signal if that has stopped it.
    fn exit_code(&self) -> u8 {
        let RunState::Known(state) = &self.run.state else { return 1 };
        match state {
            State::Succeeded => 0,
            State::Failed => self.code_of_the_command().unwrap_or(1),
            State::Stopped if self.run.stop_reason == Some(StopReason::PrecheckSkipped) => 0,
            State::Stopped if self.run.stop_reason != Some(StopReason::Cancelled) => 1,
            State::Stopped | State::Scheduled | State::Running | State::AwaitingInput => {
                self.signal.map_or(1, |number| BY_SIGNAL.saturating_add(number))
            }
        }
    }

    /// What the command itself ended with. One that was ended because of a limit did not choose that.
    fn code_of_the_command(&self) -> Option<u8> {
        let is_command = matches!(self.run.task, Some(PublicTask::Command { .. }));
        let failed_itself = self.run.error.as_ref()?.code == ErrorCode::ExecutionFailed;
        let end = self.run.end.as_ref().filter(|_| is_command && failed_itself)?;
        let signal = || u8::try_from(end.signal?).ok().map(|number| BY_SIGNAL.saturating_add(number));
        let code = end.exit_code.map_or_else(signal, |code| u8::try_from(code).ok());
        code.filter(|code| *code != 0)
    }
}
