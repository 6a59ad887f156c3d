//! The same as a table: for those who search, and for those who listen.

use super::super::kind::Kind;
use super::super::model::Row;
use super::super::spans::Span;
use super::super::words;
use super::chart::class;
use super::clocks::Clocks;
use super::escape::escaped;
use crate::cli::ago;

/// The most lines of the table.
const LINES: usize = 2000;

/// What became, or will become, of one automation several times in a row.
struct Line<'a> {
    row: &'a Row,
    first: &'a Span,
    last: &'a Span,
    count: u64,
    also: u64,
}

/// The table, newest first, what happens several times in a row in one line.
pub(super) fn written(rows: &[Row], clocks: &Clocks) -> String {
    let mut lines: Vec<Line<'_>> = rows.iter().flat_map(lines).collect();
    lines.sort_by_key(|line| (std::cmp::Reverse(line.last.from), line.row.id.clone()));
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    let mut text = format!(
        "<details class=\"table\">\n<summary>The same as a table <span>{}</span></summary>\n<table>\n\
         <thead><tr><th scope=\"col\">When</th><th scope=\"col\">Automation</th><th scope=\"col\">What</th>\
         <th scope=\"col\">How long</th><th scope=\"col\">Why</th></tr></thead>\n<tbody>\n",
        lines.len()
    );
    for line in &lines {
        text.push_str(&row(line, clocks));
    }
    text.push_str("</tbody>\n</table>\n");
    if more > 0 {
        text.push_str(&format!("<p class=\"remarks\">There are {more} older lines.</p>\n"));
    }
    text.push_str("</details>\n");
    text
}

fn lines(row: &Row) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for span in row.spans.iter().filter(|span| span.kind != Kind::Waited || span.count > 0) {
        match lines.last_mut() {
            Some(line) if (line.first.kind, &line.first.why) == (span.kind, &span.why) => {
                line.last = span;
                line.count += span.count;
                line.also += span.also;
            }
            Some(_) | None => {
                let (count, also) = (span.count, span.also);
                lines.push(Line { row, first: span, last: span, count, also });
            }
        }
    }
    lines
}

fn row(line: &Line<'_>, clocks: &Clocks) -> String {
    let Line { row, first, last, count, also } = line;
    let one = std::ptr::eq(*first, *last);
    let when = if one { clocks.at(first.from) } else { clocks.span(first.from, last.from) };
    let what = match count {
        0 | 1 => first.kind.word().to_owned(),
        count => format!("{} {}", first.kind.word(), words::times(*count)),
    };
    let what = words::also(*also).map_or_else(|| what.clone(), |also| format!("{what}, {also}"));
    let length = match first.to.since_ms(first.from) {
        ms if one && ms > 0 => ago::span(ms),
        _ => String::new(),
    };
    let why = first.why.as_deref().unwrap_or_default();
    let run = match (one, &first.run) {
        (true, Some(run)) => format!(" <code>{}</code>", escaped(run)),
        (true, None) | (false, _) => String::new(),
    };
    format!(
        "<tr><td>{when}</td><td><bdi>{}</bdi></td><td><i class=\"{}\"></i>{what}</td><td>{length}</td><td><bdi>{}</bdi>{run}</td></tr>\n",
        escaped(&row.title),
        class(first.kind),
        escaped(why),
    )
}
