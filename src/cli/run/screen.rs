//! What somebody sees who waits for a run: what it writes on stdout, and what becomes of it on stderr.

use std::io::{self, IsTerminal, Write};

use crate::cli::ago::span;
use crate::cli::bytes_out::{BytesOut, Closed};
use crate::cli::run_words::{named, outcome, took_ms, waits};
use crate::cli::show::{Style, Tone};
use crate::cli::table::cut;
use crate::client::model::Run;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
use crate::sidecar::config::Environment;

/// Erases the line in which the cursor stands.
const ERASE: &str = "\r\u{1b}[2K";

/// How wide a terminal is that does not say.
const USUAL_WIDTH: usize = 80;

/// How much is told on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// A line in which the state stands, written anew each second.
    StatusLine,
    /// A line for each change.
    Lines,
    /// Nothing of how it goes on.
    Nothing,
}

/// Whether a line can be written anew. That is nothing of colours, which somebody may want in a file, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    /// It can: what is written is on one terminal, and on nothing else.
    Moves,
    /// What has been written stays.
    Stays,
}

impl Cursor {
    pub(super) fn of(environment: &Environment) -> Cursor {
        // Where stdout goes into a pipe, what is at its other end may write to the same terminal. Not every console of
        // Windows knows the codes.
        let are_terminals = cfg!(unix) && io::stdout().is_terminal() && io::stderr().is_terminal();
        match are_terminals && !environment.has_dumb_terminal() {
            true => Cursor::Moves,
            false => Cursor::Stays,
        }
    }
}

/// What is told of a run that somebody wants to end.
pub(super) const IS_ASKED_TO_END: &str = "is asked to end";

/// See the module.
pub(super) struct Screen {
    /// What is written; nothing of it passes here where a terminal shows it, because its place among what is told there
    /// would be any.
    out: Option<BytesOut>,
    style: Style,
    telling: Telling,
    cursor: Cursor,
    zone: Zone,
    /// Whether the last line that was written goes on.
    mid_line: bool,
    status_is_shown: bool,
    /// Whether an answer is waited for, which is typed behind this sign.
    prompts: Option<&'static str>,
    /// What was told last, which need not be told again.
    told: String,
}

impl Screen {
    pub(super) fn new(style: Style, telling: Telling, cursor: Cursor) -> io::Result<Screen> {
        Ok(Screen {
            out: if io::stdout().is_terminal() { None } else { Some(BytesOut::new()?) },
            style,
            telling,
            cursor,
            zone: Zone::machine(),
            mid_line: false,
            status_is_shown: false,
            prompts: None,
            told: String::new(),
        })
    }

    /// Waits until something more can be shown.
    pub(super) async fn room(&self) -> Result<(), Closed> {
        match &self.out {
            Some(out) => out.room().await.map(drop),
            None => Ok(()),
        }
    }

    /// Shows what the run has written, as it is.
    pub(super) async fn write(&mut self, bytes: Vec<u8>) -> Result<(), Closed> {
        let Some(last) = bytes.last().copied() else { return Ok(()) };
        let Some(out) = &self.out else {
            self.erase_status();
            let mut terminal = io::stdout().lock();
            terminal.write_all(&bytes).and_then(|()| terminal.flush()).map_err(|_| Closed)?;
            self.mid_line = last != b'\n';
            self.prompt_again();
            return Ok(());
        };
        out.write(bytes).await
    }

    /// Tells this on stderr, whatever else is told there.
    pub(super) fn say(&mut self, text: &str) {
        self.erase_status();
        self.end_the_line();
        on_stderr(text);
        self.prompt_again();
    }

    /// Lets somebody type an answer, until they need not any more.
    pub(super) fn prompt(&mut self, sign: Option<&'static str>) {
        self.erase_status();
        self.prompts = sign;
        self.prompt_again();
    }

    /// Somebody has typed a line, and with it ended that of the sign.
    pub(super) fn entered(&mut self) {
        self.status_is_shown = false;
        self.mid_line = false;
    }

    /// This has been told of how the run stands, and need not be told again.
    pub(super) fn has_told(&mut self, state: &str) {
        state.clone_into(&mut self.told);
    }

    fn prompt_again(&mut self) {
        if let Some(sign) = self.prompts {
            self.end_the_line();
            on_stderr(sign);
            match self.cursor {
                Cursor::Moves => self.status_is_shown = true,
                Cursor::Stays => self.mid_line = true,
            }
        }
    }

    /// Shows how the run stands.
    pub(super) fn show(&mut self, run: &Run, now: Timestamp) {
        match self.telling {
            Telling::Nothing => {}
            Telling::Lines => {
                let line = self.state(run, now);
                if line != self.told {
                    self.say(&format!("sexton: {} {line}\n", named(run)));
                    self.told = line;
                }
            }
            Telling::StatusLine if self.mid_line => {}
            Telling::StatusLine => {
                let mut parts = vec![run.automation_title.clone(), self.state(run, now)];
                parts.extend(took_ms(run, now).map(|took| span(took / 1000 * 1000)));
                parts.extend(match run.steps {
                    0 => None,
                    1 => Some("1 step".to_owned()),
                    several => Some(format!("{several} steps")),
                });
                parts.extend(run.cost.as_ref().map(|cost| format!("{:.2} {}", cost.amount, cost.currency)));
                let line = crate::domain::one_line::one_line(&parts.join(" · "), 400);
                let width = terminal_size::terminal_size_of(io::stderr())
                    .map_or(USUAL_WIDTH, |(terminal_size::Width(columns), _)| usize::from(columns));
                let line = self.style.toned(Tone::Faint, &cut(&line, width.saturating_sub(1)));
                on_stderr(&format!("{ERASE}{line}"));
                self.status_is_shown = true;
            }
        }
    }

    /// All has been shown; waits until it is written.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.erase_status();
        match self.out {
            Some(out) => out.finish().await.map(drop),
            None => Ok(()),
        }
    }

    fn state(&self, run: &Run, now: Timestamp) -> String {
        match (&run.waiting, &run.stopping) {
            (Some(waiting), None) => format!("waits for {}", waits(waiting, now, &self.zone)),
            (_, Some(stopping)) if stopping.now => "is being killed".to_owned(),
            (_, Some(_)) => IS_ASKED_TO_END.to_owned(),
            (None, None) => outcome(run).0,
        }
    }

    fn erase_status(&mut self) {
        if std::mem::take(&mut self.status_is_shown) {
            on_stderr(ERASE);
        }
    }

    /// What comes next begins a line of its own.
    fn end_the_line(&mut self) {
        if std::mem::take(&mut self.mid_line) {
            on_stderr("\n");
        }
    }
}

/// Nobody may read stderr, and the run goes on all the same.
fn on_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
