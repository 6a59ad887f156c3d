//! `sexton next`: when a schedule fires, without a ledger.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::complain;
use super::show::{Style, print, print_json};
use crate::domain::automation::When;
use crate::domain::draft::{Surroundings, limits, read_preview};
use crate::domain::fault::{Fault, Word};
use crate::domain::one_line::one_line;
use crate::domain::preview::{Preview, preview};
use crate::domain::schedule::describe;
use crate::domain::schedule::rhythm::{Rhythm, Stop};
use crate::domain::schedule::typed::{read_span, read_time};
use crate::domain::schedule::zone::Zone;
use crate::domain::schedule::{local_time, weekday_of};
use crate::domain::scheduler::Limits;
use crate::domain::sent::Sent;
use crate::domain::time::Timestamp;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// As much of what was typed as an error repeats.
const REPEATED: usize = 80;

#[derive(Args)]
pub(super) struct NextArgs {
    /// A crontab expression, such as `0 9 * * 1-5` (in quotes, so that the shell leaves the stars alone) or `@daily`; or
    /// `every` and a span, such as `every 90m`.
    #[arg(required = true, value_name = "EXPR")]
    expression: Vec<String>,
    /// The zone whose clocks count, such as Europe/Berlin [default: that of this machine].
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// How many times are shown, 1 to 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = 5, allow_negative_numbers = true)]
    count: i64,
    /// Only times after this one: `2025-01-06 09:00`, `09:00`, `tomorrow 09:00`, with an offset or by the zone's clocks
    /// [default: now]. An interval is counted from it.
    #[arg(long, value_name = "TIME")]
    after: Option<String>,
    /// Answers as `automation/preview` does, for programs.
    #[arg(long)]
    json: bool,
}

/// Shows it. The exit code is 2 where the expression or an option is not to be used.
pub(super) fn run(environment: &Environment, args: &NextArgs) -> ExitCode {
    let now = Clock.now();
    match foretell(args, now) {
        Ok(foretold) if args.json => print_json(&foretold.preview),
        Ok(foretold) => print(&foretold.written(Style::of_stdout(environment))),
        Err(why) => complain(&why),
    }
}

/// What is foretold, and by which clocks.
struct Foretold {
    preview: Preview,
    zone: Zone,
    /// What an interval is counted from.
    counted_from: Option<Timestamp>,
}

fn foretell(args: &NextArgs, now: Timestamp) -> Result<Foretold, String> {
    let zone = match &args.tz {
        Some(name) => Zone::named(name).map_err(|unknown| format!("--tz: {unknown}"))?,
        None => Zone::machine(),
    };
    let typed = args.expression.join(" ");
    let mut params = Map::new();
    params.insert("rhythm".to_owned(), rhythm(&typed)?);
    params.insert("count".to_owned(), json!(args.count));
    if let Some(after) = &args.after {
        let after = read_time(after, &zone, now).map_err(|error| format!("--after: {error}"))?;
        params.insert("after".to_owned(), json!(after));
    }
    // What is typed is read as what a client sends, so that both mean the same and the same is refused.
    let sent = Sent::from(&Value::Object(params));
    let limits = Limits::default();
    let around = Surroundings { machine_zone: zone.name(), limits: &limits, now, vcs: None };
    let draft =
        sent.as_object().map(|params| read_preview(params, around)).unwrap_or_else(|| Err(Vec::new()));
    let draft = draft.map_err(|faults| in_words(&faults, args, &typed))?;
    let preview = preview(&draft, now).map_err(|fault| in_words(&[fault], args, &typed))?;
    let counted_from = match draft.when {
        When::Recurring { rhythm: Rhythm::Interval { .. }, .. } => Some(draft.after.unwrap_or(now)),
        When::Recurring { rhythm: Rhythm::Cron(_), .. } | When::Oneshot { .. } => None,
    };
    Ok(Foretold { preview, zone, counted_from })
}

/// What was typed, as the contract writes it.
fn rhythm(typed: &str) -> Result<Value, String> {
    let typed = typed.trim();
    let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    if word.eq_ignore_ascii_case("every") {
        let every_ms = read_span(rest).map_err(|error| format!("every: {error}"))?;
        return Ok(json!({"kind": "interval", "everyMs": every_ms}));
    }
    Ok(json!({"kind": "cron", "expression": typed}))
}

/// The faults as sentences about what was typed.
fn in_words(faults: &[Fault], args: &NextArgs, typed: &str) -> String {
    let typed = one_line(typed, REPEATED);
    let of = |fault: &Fault| {
        let hint = fault.hint.as_deref().unwrap_or_default();
        let every = |every_ms| {
            describe::recurring(&Rhythm::Interval { every_ms, anchor_at: None }, Stop::Never, &Zone::utc())
        };
        match (fault.field.as_str(), fault.message) {
            ("count", _) => format!("--count {}: {hint}", args.count),
            ("rhythm.everyMs", Word::IntervalBelowMinimum) => {
                let least = every(Limits::default().min_interval_ms).to_lowercase();
                format!("{typed:?} is too often: the shortest interval is {least}")
            }
            ("rhythm.everyMs", _) => {
                format!(
                    "{typed:?} is too seldom: the longest interval is {}",
                    every(limits::INTERVAL_MS).to_lowercase()
                )
            }
            ("rhythm.expression", Word::Required) => {
                "the expression is empty; write one such as `0 9 * * 1-5`, or `every 90m`".to_owned()
            }
            // The shell has put the names of files in the place of a star.
            (_, _) if args.expression.len() > 5 => format!(
                "{typed:?}: {hint}; put the expression in quotes, so that the shell leaves the stars alone"
            ),
            (_, _) => format!("{typed:?}: {hint}"),
        }
    };
    faults.iter().map(of).collect::<Vec<_>>().join("; ")
}

impl Foretold {
    /// The description, then the fires with what is to be known of them, then what is to be known of the whole.
    fn written(&self, style: Style) -> String {
        let Foretold { preview, zone, counted_from } = self;
        let local = |at: Timestamp| local_time(zone, at);
        let counted = counted_from.map(|from| format!(", counted from {}, {zone}", local(from)));
        let description = format!("{}{}", preview.description, counted.unwrap_or_default());
        let mut text = format!("{}\n\n", style.strong(&description));
        let width = preview.fires.iter().map(|at| local(*at).len()).max().unwrap_or_default();
        let mut notes = preview.notes.iter().peekable();
        for fire in &preview.fires {
            // What does not fire stands before what fires next, and what is to be known of a fire below it.
            while let Some(note) = notes.next_if(|note| note.at < *fire) {
                text.push_str(&format!("    {}\n", style.faint(&note.text)));
            }
            text.push_str(&format!("{:<width$}  {}\n", local(*fire), weekday_of(zone, *fire)));
            while let Some(note) = notes.next_if(|note| note.at == *fire) {
                text.push_str(&format!("    {}\n", style.faint(&note.text)));
            }
        }
        if preview.fires.is_empty() {
            text.push_str("It does not fire after that.\n");
        }
        for warning in &preview.warnings {
            text.push_str(&format!("\nNote: {warning}\n"));
        }
        text
    }
}
