//! `sexton timeline`: what ran, and what will run.
//!
//! What a sidecar answers (`gather.rs`) is put into plain words (`known.rs`), which become rows of stretches of time
//! (`model.rs`, `spans.rs`). Nothing below that asks anything: the rows are drawn on a terminal (`text/`) or as a page for
//! a browser (`page/`).

mod cells;
mod file;
mod gather;
mod kind;
mod known;
mod model;
mod page;
mod spans;
mod text;
mod trouble;
mod window;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::named::{automations, common_zone, named_to_foretell};
use super::opened::{Asker, Trouble, Unopened, ask};
use super::project::Chosen;
use super::show::{Shown, Style, width_of_stdout};
use crate::client::Client;
use crate::domain::draft::limits;
use crate::domain::one_line::one_line;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;
use file::Written;
use gather::Answers;
use model::Timeline;
use text::{Glyphs, Look, WIDTHS};
use window::{Typed, Window};

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "timeline";

/// How wide lines are that no terminal shows.
const WIDTH: usize = 100;

/// What a page is called that is not a file.
const STDOUT: &str = "-";

#[derive(Args)]
pub(super) struct TimelineArgs {
    /// Only these automations, by their ids or titles [default: all].
    #[arg(value_name = "ID")]
    automations: Vec<String>,
    /// Where to begin: `yesterday 18:00`, `2025-01-06 09:00` [default: --past before now].
    #[arg(long, value_name = "TIME", conflicts_with = "past")]
    from: Option<String>,
    /// Where to end [default: --next after now, or after a beginning that lies ahead].
    #[arg(long, value_name = "TIME", conflicts_with = "next")]
    to: Option<String>,
    /// How far to look back, such as `12h` or `7d`.
    #[arg(long, value_name = "SPAN", default_value = "12h")]
    past: String,
    /// How far to look ahead.
    #[arg(long, value_name = "SPAN", default_value = "12h")]
    next: String,
    /// Writes a page for a browser instead, which needs nothing beside it; `-` writes it to stdout.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "width"])]
    html: Option<PathBuf>,
    /// Answers with what `automation/list`, `run/list`, `automation/simulate` and `scheduler/status` tell of that time, for
    /// programs.
    #[arg(long, conflicts_with = "width")]
    json: bool,
    /// How many columns to use, from 40 to 250 [default: those of the terminal, or 100].
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(*WIDTHS.start() as u64..=*WIDTHS.end() as u64))]
    width: Option<usize>,
    #[command(flatten)]
    chosen: Chosen,
}

/// Shows it. The exit code is 2 where something that was named cannot be used, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: TimelineArgs) -> ExitCode {
    let width = args.width.or_else(width_of_stdout).unwrap_or(WIDTH);
    if let Some(narrow) = too_narrow(width).filter(|_| !args.json && args.html.is_none()) {
        return narrow.told();
    }
    let look = Look {
        width: width.clamp(*WIDTHS.start(), *WIDTHS.end()),
        glyphs: if environment.writes_unicode() { Glyphs::Unicode } else { Glyphs::Ascii },
        style: Style::of_stdout(&environment),
    };
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    match ask(asker, chosen, async |client| shown(client, &args, look).await) {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

/// What is said where nothing can be drawn.
fn too_narrow(width: usize) -> Option<Trouble> {
    let least = *WIDTHS.start();
    (width < least).then(|| {
        Trouble::Unusable(format!(
            "a timeline takes at least {least} columns, and there are {width}: widen the terminal, or write a page with --html"
        ))
    })
}

async fn shown(client: &Client, args: &TimelineArgs, look: Look) -> Result<Shown, Trouble> {
    let (ids, named) = named_to_foretell(client, &args.automations).await?;
    let zone = match ids.is_empty() {
        true => common_zone(&automations(client, None).await?),
        false => common_zone(&named),
    };
    let now = Clock.now();
    let typed =
        Typed { from: args.from.as_deref(), to: args.to.as_deref(), past: &args.past, next: &args.next };
    let window = Window::of(&typed, &zone, now)?;
    let answers = Answers::of(client, &ids, window, now).await?;
    if args.json {
        return Ok(Shown::Json(answers.into_json(window, now)));
    }
    let timeline = Timeline::of(answers.known(window, now, zone, args.chosen.as_typed())?);
    let Some(file) = &args.html else { return Ok(Shown::Text(text::written(&timeline, look))) };
    let directory = &client.opened().project.directory;
    let project = directory.file_name().unwrap_or(directory.as_os_str()).to_string_lossy();
    let page = page::page(&timeline, &one_line(&project, limits::TITLE));
    if file.as_os_str() == STDOUT {
        return Ok(Shown::Text(page));
    }
    if file::write(file, page.as_bytes())? == Written::Stream {
        return Ok(Shown::Text(String::new()));
    }
    let path = std::path::absolute(file).unwrap_or_else(|_| file.clone());
    Ok(Shown::Text(format!("{}\n", path.display())))
}

#[cfg(test)]
mod tests;
