//! The table of figures, and its place in README.md.

use std::fmt;
use std::io;
use std::path::Path;

use crate::broken;
use crate::headline::{QUOTED, TABLE, between, headline};
use crate::spread::Rounds;

/// One comparison.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: String,
    /// Who it is compared with, and what that one took; empty if it stands alone.
    pub(crate) peer: String,
    /// Ours divided by theirs.
    pub(crate) ratio: String,
    pub(crate) goal: String,
}

/// Everything that was measured.
pub(crate) struct Table {
    conditions: Vec<String>,
    /// What is measured now.
    figure: String,
    /// With the figure that each belongs to.
    rows: Vec<(String, Row)>,
    /// Tables of their own that some figures have.
    details: Vec<String>,
}

impl Table {
    /// A table of what is measured under these conditions.
    pub(crate) fn new(conditions: Vec<String>) -> Table {
        Table { conditions, figure: String::new(), rows: Vec::new(), details: Vec::new() }
    }

    /// The rows that follow belong to this figure.
    pub(crate) fn begin(&mut self, figure: String) {
        self.figure = figure;
    }

    pub(crate) fn row(&mut self, row: Row) {
        eprintln!("  {}: {} | {} | {} | {}", row.what, row.ours, row.peer, row.ratio, row.goal);
        self.rows.push((self.figure.clone(), row));
    }

    pub(crate) fn detail(&mut self, detail: String) {
        self.details.push(detail);
    }

    /// Replaces the table in this file.
    pub(crate) fn write_into(&self, file: &Path) -> io::Result<()> {
        replace(file, TABLE, &format!("\n{self}\n"))
    }

    /// Replaces what this file quotes of the table.
    pub(crate) fn quote_in(&self, file: &Path) -> io::Result<()> {
        replace(file, QUOTED, &headline(&self.to_string()))
    }
}

/// Replaces what stands between two marks of a file.
fn replace(file: &Path, marks: [&str; 2], text: &str) -> io::Result<()> {
    let page = std::fs::read_to_string(file)?;
    let Some([before, _, after]) = between(&page, marks) else {
        return Err(broken(format!("{} has no place for what is to be written", file.display())));
    };
    std::fs::write(file, format!("{before}{text}{after}"))
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for condition in &self.conditions {
            writeln!(f, "- {condition}")?;
        }
        writeln!(f, "\n| what | sexton | peer | ratio | goal | `--only` |\n|---|---|---|---|---|---|")?;
        for (figure, Row { what, ours, peer, ratio, goal }) in &self.rows {
            writeln!(f, "| {what} | {ours} | {peer} | {ratio} | {goal} | {figure} |")?;
        }
        self.details.iter().try_for_each(|detail| write!(f, "\n{detail}"))
    }
}

/// A goal, and whether it is reached.
pub(crate) fn goal(text: &str, reached: bool) -> String {
    match reached {
        true => format!("{text}: reached"),
        false => format!("{text}: **missed**"),
    }
}

/// A median with its unit, and the range of all rounds.
pub(crate) fn median(rounds: &Rounds, unit: &str) -> String {
    let (least, most) = (number(rounds.least()), number(rounds.most()));
    format!("{} {unit} ({least} to {most})", number(rounds.median()))
}

/// Two quantiles with their unit.
pub(crate) fn p50_and_p99(p50: f64, p99: f64, unit: &str) -> String {
    format!("p50 {} {unit}, p99 {} {unit}", number(p50), number(p99))
}

/// How often theirs goes into ours.
pub(crate) fn times(ratio: f64) -> String {
    format!("{} ×", number(ratio))
}

/// Three digits that matter, and separators in long numbers.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        size => (2 - size.log10().floor() as i32).clamp(0, 6).unsigned_abs() as usize,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left % 3 == 0 && digit.is_ascii_digit() && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_matter() {
        let written =
            [0.0, 0.00042, 0.01234, 1.234, 12.34, 123.4, 1234.5, -0.5, -123456.0, f64::NAN].map(number);
        let expected =
            ["0", "0.000420", "0.0123", "1.23", "12.3", "123", "1,234", "-0.500", "-123,456", "NaN"];
        assert_eq!(written, expected);
    }

    #[test]
    fn what_is_quoted_is_what_stands_in_the_table() {
        let mut table = Table::new(vec!["Measured some day.".to_owned()]);
        table.begin("start".to_owned());
        for peer in ["`lsp-server` (Rust): 1 ms", "`vscode-jsonrpc` (Node): 9 ms"] {
            table.row(Row {
                what: "spawn to `initialize` answered".to_owned(),
                ours: "3 ms".to_owned(),
                peer: peer.to_owned(),
                ratio: String::new(),
                goal: String::new(),
            });
        }
        let quoted = headline(&table.to_string());
        assert!(quoted.starts_with("\nMeasured some day.\n"), "{quoted}");
        let row = "| spawn to `initialize` answered | 3 ms | `vscode-jsonrpc` (Node): 9 ms |  |";
        assert_eq!(quoted.trim_end().lines().last(), Some(row), "{quoted}");
    }

    #[test]
    fn both_pages_have_a_place_for_what_is_written() {
        assert!(between(include_str!("../README.md"), TABLE).is_some());
        assert!(between(include_str!("../../README.md"), QUOTED).is_some());
    }
}
