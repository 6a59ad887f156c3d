//! A timeline as one file that a browser shows without any network.
//!
//! Everything is in the file: text, bars and styles are written here, and the script ([`SCRIPT`]) only zooms, filters and
//! shows what a bar stands for. Without scripts the page tells the same. No text of others is ever markup (`escape.rs`),
//! and the page's own rules keep everything else from being loaded or run, should one ever be.

mod chart;
mod clocks;
mod escape;
mod summary;
mod table;

use super::cells::bars;
use super::model::{Row, Timeline};
use chart::Sheet;
use clocks::Clocks;
use escape::escaped;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The digest of the script, by which a browser knows the only one that may run. A test says what it has to be.
const SCRIPT_DIGEST: &str = "sha256-LLXitWeLw99XK1Wh4H8Tu4twyLAo/q84Qnnq34z3EG0=";

/// The most bars of a page: as many as a browser lays out without being felt, in a file of about a megabyte.
const BARS: usize = 4000;

/// The most rows of a page: more nobody scrolls through.
pub(super) const ROWS: usize = 300;

/// How many steps a page tells apart at its first zoom: pixels of a wide screen, three of which are a gap.
const STEPS: i64 = 500;

/// The page. `project` is its name for people.
pub(super) fn page(timeline: &Timeline, project: &str) -> String {
    let clocks = Clocks::of(timeline);
    let rows = &timeline.rows[..timeline.rows.len().min(ROWS)];
    let sheet = Sheet::of(timeline, apart_ms(timeline, rows));
    let title = format!("Timeline of {project}");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src '{SCRIPT_DIGEST}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"sexton {}\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(&title),
    );
    page.push_str(&summary::written(timeline, project, &clocks));
    if let Some(notice) = timeline.notice() {
        page.push_str(&format!("<p class=\"notice\">{notice}</p>\n"));
    }
    page.push_str(&sheet.tools());
    page.push_str(&sheet.chart(rows, &clocks));
    page.push_str(&summary::remarks(timeline, &clocks));
    page.push_str(&table::written(rows, &clocks));
    page.push_str("<div id=\"tip\" role=\"status\" aria-live=\"polite\" hidden></div>\n<script>");
    page.push_str(SCRIPT);
    page.push_str("</script>\n</body>\n</html>\n");
    page
}

/// How far apart bars have to be so that there are not too many.
fn apart_ms(timeline: &Timeline, rows: &[Row]) -> i64 {
    let length = timeline.to.since_ms(timeline.from);
    let mut apart = (length / (STEPS * chart::deepest_zoom(length))).max(1);
    while rows.iter().map(|row| bars(&row.spans, apart).len()).sum::<usize>() > BARS && apart < length {
        apart *= 2;
    }
    apart
}
