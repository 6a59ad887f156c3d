//! What a page tells first, and what it says about itself.

use super::super::kind::Kind;
use super::super::model::Timeline;
use super::super::words;
use super::ROWS;
use super::clocks::Clocks;
use super::escape::escaped;

/// The heading and the figures.
pub(super) fn written(timeline: &Timeline, project: &str, clocks: &Clocks) -> String {
    let span = clocks.span(timeline.from, timeline.to);
    let mut text = format!(
        "<header>\n<h1><bdi>{}</bdi></h1>\n<p>{span} <span class=\"zone\">{}</span></p>\n</header>\n<dl class=\"figures\">\n",
        escaped(project),
        escaped(clocks.zone()),
    );
    let mut figure = |class: &str, name: &str, value: &str, beside: &str| {
        text.push_str(&format!(
            "<div class=\"{class}\"><dt>{name}</dt><dd>{value}</dd><dd class=\"beside\"><bdi>{beside}</bdi></dd></div>\n"
        ));
    };
    match timeline.next() {
        Some((row, at)) => {
            let is_late = row.standing.overdue_since(timeline.now).is_some();
            let name = if is_late { "Overdue since" } else { "Next due" };
            figure("next", name, &clocks.soon(at), &escaped(&row.title));
        }
        None => figure("next", "Next due", "–", "nothing"),
    }
    let count = |kind| timeline.count(kind);
    let (ran, failed) = (count(Kind::Succeeded), count(Kind::Failed));
    let share = match ran + failed {
        0 => String::new(),
        all => format!("of {all} that ended"),
    };
    let share = words::also(timeline.also(Kind::Succeeded)).unwrap_or(share);
    figure("ran", "Ran", &ran.to_string(), &share);
    let shown = |count: u64, class: &'static str| if count > 0 { class } else { "zero" };
    figure(shown(failed, "failed"), "Failed", &failed.to_string(), "");
    let missed = count(Kind::Missed);
    figure(shown(missed, "missed"), "Missed", &missed.to_string(), "");
    let (running, asking) = (count(Kind::Running), count(Kind::Asking));
    if running + asking > 0 {
        let beside = if asking > 0 { format!("{asking} waiting for you") } else { String::new() };
        let class = if asking > 0 { "asking" } else { "running" };
        figure(class, "At work", &(running + asking).to_string(), &beside);
    }
    let (to_come, late) = (count(Kind::WillRun) + count(Kind::WillRunLate), count(Kind::WillNotRun));
    let beside = if late > 0 { format!("{late} will not run") } else { String::new() };
    figure("will-run", "To come", &to_come.to_string(), &beside);
    text.push_str("</dl>\n");
    text
}

/// What is not on the page, and when it was made.
pub(super) fn remarks(timeline: &Timeline, clocks: &Clocks) -> String {
    let mut text = String::from("<p class=\"remarks\">");
    for remark in timeline.remarks(ROWS, |at| clocks.at(at)) {
        text.push_str(&format!("{} ", escaped(&remark)));
    }
    text.push_str(&format!(
        "Written {} by sexton {}; what is to come was worked out then.</p>\n",
        clocks.at(timeline.now),
        env!("CARGO_PKG_VERSION")
    ));
    text
}
