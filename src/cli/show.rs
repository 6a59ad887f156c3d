//! How an answer comes to whoever typed a command.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::tell;
use crate::domain::one_line::plain_json;
use crate::sidecar::config::{Environment, Styles};

/// How lines are set apart on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Not at all: somebody else reads them, or nobody wants it.
    Plain,
    /// With the codes that terminals know.
    Terminal,
}

/// What a word is to somebody who looks over a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    #[default]
    Usual,
    /// What is read first.
    Strong,
    /// What stands beside the rest.
    Faint,
    /// What went well.
    Good,
    /// What went wrong.
    Bad,
    /// What somebody should look at.
    Warn,
    /// What can be typed, or is at work.
    Accent,
}

impl Style {
    /// That of what is written to stdout.
    pub(super) fn of_stdout(environment: &Environment) -> Style {
        Style::of(environment, io::stdout().is_terminal())
    }

    /// That of what is written to stderr.
    pub(super) fn of_stderr(environment: &Environment) -> Style {
        Style::of(environment, io::stderr().is_terminal())
    }

    fn of(environment: &Environment, is_terminal: bool) -> Style {
        // Not every console of Windows knows the codes.
        let is_terminal = cfg!(unix) && is_terminal;
        match (environment.styles(), is_terminal) {
            (Styles::Everywhere, _) | (Styles::OnTerminals, true) => Style::Terminal,
            (Styles::Nowhere, _) | (Styles::OnTerminals, false) => Style::Plain,
        }
    }

    /// What is read first.
    pub(super) fn strong(self, text: &str) -> String {
        self.toned(Tone::Strong, text)
    }

    /// What stands beside the rest.
    pub(super) fn faint(self, text: &str) -> String {
        self.toned(Tone::Faint, text)
    }

    /// The text in this tone. It must not hold codes of its own.
    pub(super) fn toned(self, tone: Tone, text: &str) -> String {
        let code = match (self, tone) {
            (Style::Plain, _) | (Style::Terminal, Tone::Usual) => return text.to_owned(),
            (Style::Terminal, Tone::Strong) => "1",
            (Style::Terminal, Tone::Faint) => "2",
            (Style::Terminal, Tone::Good) => "32",
            (Style::Terminal, Tone::Bad) => "31",
            (Style::Terminal, Tone::Warn) => "33",
            (Style::Terminal, Tone::Accent) => "36",
        };
        match text.is_empty() {
            true => String::new(),
            false => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// What an answer is written on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) style: Style,
    /// How wide it is; `None` where nothing is to be cut.
    pub(super) width: Option<usize>,
}

impl Page {
    /// That of what is written to stdout.
    pub(super) fn of_stdout(environment: &Environment) -> Page {
        Page { style: Style::of_stdout(environment), width: width_of_stdout() }
    }
}

/// How wide the terminal is that shows stdout; `None` where somebody else reads it, so that nothing is to be cut.
pub(super) fn width_of_stdout() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(columns))
}

/// What a command answers.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    /// For a person.
    Text(String),
    /// For a program: as the contract writes it.
    Json(Value),
}

impl Shown {
    /// Writes it to stdout.
    pub(super) fn print(&self) -> ExitCode {
        match self {
            Shown::Text(text) => print(text),
            Shown::Json(answer) => print_json(answer),
        }
    }
}

/// Writes an answer to stdout.
pub(super) fn print(answer: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(answer.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads only the beginning has what was wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("the answer cannot be written: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes an answer to stdout for a program: as the contract writes it. A person may look at it, so that nothing in it steers a
/// terminal.
pub(super) fn print_json(answer: &impl Serialize) -> ExitCode {
    match serde_json::to_string_pretty(answer) {
        Ok(text) => print(&format!("{}\n", plain_json(&text))),
        Err(error) => {
            tell(&format!("the answer cannot be written as JSON: {error}"));
            ExitCode::FAILURE
        }
    }
}
