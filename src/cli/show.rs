//! How an answer comes to whoever typed a command.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::tell;
use crate::sidecar::config::Environment;

/// How lines are set apart on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Not at all: somebody else reads them, or nobody wants it.
    Plain,
    /// With the codes that terminals know.
    Terminal,
}

impl Style {
    /// That of what is written to stdout.
    pub(super) fn of_stdout(environment: &Environment) -> Style {
        // Not every console of Windows knows the codes.
        let is_terminal = cfg!(unix) && io::stdout().is_terminal();
        if is_terminal && environment.likes_styles() { Style::Terminal } else { Style::Plain }
    }

    /// What is read first.
    pub(super) fn strong(self, text: &str) -> String {
        self.between("\u{1b}[1m", text)
    }

    /// What stands beside the rest.
    pub(super) fn faint(self, text: &str) -> String {
        self.between("\u{1b}[2m", text)
    }

    fn between(self, code: &str, text: &str) -> String {
        match self {
            Style::Plain => text.to_owned(),
            Style::Terminal => format!("{code}{text}\u{1b}[0m"),
        }
    }
}

/// The lines of a table: the first column begins at the left, each other one ends at the right.
pub(super) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cell = |(column, (cell, width)): (usize, (&String, &usize))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        };
        row.iter().zip(&widths).enumerate().map(cell).collect()
    };
    rows.iter().map(line).collect()
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

/// Writes an answer to stdout for a program: as the contract writes it.
pub(super) fn print_json(answer: &impl Serialize) -> ExitCode {
    match serde_json::to_string_pretty(answer) {
        Ok(text) => print(&format!("{text}\n")),
        Err(error) => {
            tell(&format!("the answer cannot be written as JSON: {error}"));
            ExitCode::FAILURE
        }
    }
}
