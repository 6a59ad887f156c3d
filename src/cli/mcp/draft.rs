//! From the arguments of `automate` to a draft of the contract, and back from what is wrong with that.

use serde_json::{Value, json};

use super::arguments::Given;
use super::fault::{Fault, list};
use super::project::Trouble;
use super::spoken::by_the_clock;
use crate::client::{Detail, Error};
use crate::domain::draft::limits;
use crate::domain::one_line::one_line;
use crate::domain::schedule::typed::{Coming, read_coming, read_span};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// The arguments that say when.
const WHEN: [&str; 4] = ["cron", "every", "at", "in"];

/// The arguments that say what.
const WHAT: [&str; 4] = ["reminder", "prompt", "command", "shell"];

/// The arguments that go with a prompt only.
const OF_PROMPTS: [&str; 3] = ["model", "variant", "continue_session"];

/// What a model has in mind, as far as it can be read.
pub(super) struct Planned {
    pub(super) draft: Value,
    /// Whether a model is to be found for it.
    pub(super) wants_model: bool,
    /// By whose clocks its times are.
    pub(super) zone: Zone,
}

/// Reads it, and notes everything that is wrong.
pub(super) fn plan(given: &mut Given, now: Timestamp) -> Planned {
    let mut draft = json!({});
    if let Some(title) = given.text("title") {
        draft["title"] = json!(title.trim());
    }
    let zone = match given.text("timezone").map(|name| (name.trim().to_owned(), Zone::named(name.trim()))) {
        None => Zone::machine(),
        Some((_, Ok(zone))) => {
            draft["timezone"] = json!(zone.name());
            zone
        }
        Some((name, Err(_))) => {
            let problem = format!("is no IANA time zone: {:?}", one_line(&name, 40));
            let example = of_its_offset(&name).unwrap_or_else(|| "America/Los_Angeles".to_owned());
            let instead = format!(
                "write a place such as `{example}` or `Europe/Berlin`, or leave it out for this machine's"
            );
            given.fault("timezone", problem, instead);
            Zone::machine()
        }
    };
    plan_when(given, &mut draft, &zone, now);
    let task = plan_what(given);
    let wants_model = task["kind"] == "prompt";
    draft["task"] = task;
    if let Some(name) = given.text("worktree") {
        draft["where"] = json!({"worktree": name});
    }
    if given.is_up("read_only") {
        draft["access"] = json!("read");
    }
    if given.has("worktree") && given.is_up("continue_session") {
        given.fault(
            "worktree",
            "does not go with `continue_session`: a session stays in the directory in which it began",
            "leave one of the two out",
        );
    }
    Planned { draft, wants_model, zone }
}

/// The zone that has this offset from UTC all year, written as in `UTC+1`. Their names count to the west.
fn of_its_offset(name: &str) -> Option<String> {
    let name = name.to_ascii_uppercase();
    let offset = name.strip_prefix("UTC").or_else(|| name.strip_prefix("GMT"))?;
    let hours: i64 = offset.trim().trim_end_matches(":00").parse().ok()?;
    let zone = Zone::named(&format!("Etc/GMT{:+}", -hours)).ok()?;
    Some(zone.name().to_owned())
}

fn plan_when(given: &mut Given, draft: &mut Value, zone: &Zone, now: Timestamp) {
    let ends = given.sent_of(&["times", "until"]);
    match given.sent_of(&WHEN).as_slice() {
        [] => given.fault(
            "cron",
            "or one of `every`, `at` and `in` is missing: nothing says when",
            "write `cron: \"0 9 * * 1-5\"` for every weekday at 9, `every: \"2h\"`, `at: \"tomorrow 09:00\"` or `in: \"20m\"`",
        ),
        ["cron"] => {
            draft["kind"] = json!("recurring");
            if let Some(expression) = given.text("cron") {
                draft["rhythm"] = json!({"kind": "cron", "expression": expression.trim()});
            }
        }
        ["every"] => {
            draft["kind"] = json!("recurring");
            if let Some(every_ms) = span(given, "every", limits::INTERVAL_MS) {
                draft["rhythm"] = json!({"kind": "interval", "everyMs": every_ms});
            }
        }
        ["at"] => {
            draft["kind"] = json!("oneshot");
            if let Some(at) = time(given, zone, now) {
                draft["fireAt"] = json!(at);
            }
        }
        ["in"] => {
            draft["kind"] = json!("oneshot");
            if let Some(in_ms) = span(given, "in", Timestamp::MAX.since_ms(now)) {
                // Nobody who says "in 20 minutes" means the fraction of a second.
                let at = now.plus_ms(in_ms).as_millis();
                draft["fireAt"] = json!(at.saturating_add(999) / 1000 * 1000);
            }
        }
        several => {
            let (first, others) = (several[0], list(&several[1..]));
            given.fault(first, format!("and {others} both say when"), "keep only one of them");
        }
    }
    match (draft["kind"].as_str(), ends.as_slice()) {
        (_, []) => {}
        (Some("oneshot"), [end, ..]) => {
            given.fault(
                end,
                "goes with `cron` or `every` only: what happens once needs no end",
                "leave it out",
            );
        }
        (_, ["times", "until", ..]) => {
            given.fault("times", "and `until` both say when it ends", "keep only one of them");
        }
        (_, ["times", ..]) => {
            if let Some(times) = given.count("times") {
                draft["stop"] = json!({"kind": "count", "count": times});
            }
        }
        (_, [..]) => {
            if let Some(until) = until(given, zone, now) {
                draft["stop"] = json!({"kind": "until", "at": until});
            }
        }
    }
}

fn plan_what(given: &mut Given) -> Value {
    let chosen = given.sent_of(&WHAT);
    for name in given.sent_of(&OF_PROMPTS) {
        if !chosen.contains(&"prompt") && !chosen.is_empty() {
            given.fault(name, "goes with `prompt` only", "leave it out");
        }
    }
    if chosen == ["reminder"] {
        for name in given.sent_of(&["worktree", "read_only"]) {
            given.fault(name, "does not go with `reminder`, which runs nothing", "leave it out");
        }
    }
    match chosen.as_slice() {
        [] => {
            given.fault(
                "reminder",
                "or one of `prompt`, `command` and `shell` is missing: nothing says what is to happen",
                "write `reminder` to tell people something, `prompt` to have an agent do something, `command` or `shell` to run something",
            );
            Value::Null
        }
        ["reminder"] => match given.text("reminder") {
            Some(text) => json!({"kind": "notify", "text": text}),
            None => Value::Null,
        },
        ["prompt"] => {
            let mut task = json!({"kind": "prompt"});
            if let Some(prompt) = given.text("prompt") {
                task["prompt"] = json!(prompt);
            }
            if let Some(variant) = given.text("variant") {
                task["variant"] = json!(variant.trim());
            }
            if given.is_up("continue_session") {
                task["context"] = json!("continue");
            }
            task
        }
        ["command"] => match given.texts("command").as_deref() {
            Some([program, ..]) if program.trim().is_empty() => {
                let problem = "begins with an empty text: the program is empty";
                given.fault("command", problem, "write one such as `[\"npm\", \"test\"]`");
                Value::Null
            }
            Some([program, args @ ..]) => json!({"kind": "command", "program": program, "args": args}),
            Some([]) | None => Value::Null,
        },
        ["shell"] => match given.text("shell") {
            Some(line) => {
                let [program, flag] = SHELL;
                json!({"kind": "command", "program": program, "args": [flag, line]})
            }
            None => Value::Null,
        },
        several => {
            let (first, others) = (several[0], list(&several[1..]));
            given.fault(first, format!("and {others} both say what is to happen"), "keep only one of them");
            Value::Null
        }
    }
}

/// The shell, and what makes it read a line.
pub(super) const SHELL: [&str; 2] = if cfg!(windows) { ["cmd", "/C"] } else { ["sh", "-c"] };

/// A span of at most so many milliseconds.
fn span(given: &mut Given, name: &'static str, most: i64) -> Option<i64> {
    let typed = given.text(name)?;
    match read_span(typed) {
        Ok(ms) if ms <= most => Some(ms),
        Ok(_) => {
            let weeks = most / (7 * 24 * 60 * 60 * 1000);
            given.fault(name, "is too long", format!("write at most `{weeks}w`"));
            None
        }
        Err(_) => {
            let problem = format!("is no span of time: {:?}", one_line(typed, 40));
            let digits = typed.trim();
            let guess = match digits.parse::<u32>() {
                Ok(_) => {
                    format!("write its unit too, as in `{digits}m` for minutes or `{digits}h` for hours")
                }
                Err(_) => match of_one(digits) {
                    Some(one) => format!("write `{one}`"),
                    None => "write one such as `20m`, `2h`, `1h30m` or `3 days`".to_owned(),
                },
            };
            given.fault(name, problem, guess);
            None
        }
    }
}

/// The span that somebody means who names its unit only: `hour`, `every day`, `weekly`.
fn of_one(typed: &str) -> Option<String> {
    let words: Vec<&str> = typed.split_whitespace().collect();
    let unit = match words.as_slice() {
        [unit] => *unit,
        [article, unit] if ["a", "an", "one", "each", "every"].contains(article) => *unit,
        [] | [_, ..] => return None,
    };
    let unit = match unit {
        "hourly" => "hour",
        "daily" => "day",
        "weekly" => "week",
        unit => unit,
    };
    let whole_words = ["second", "minute", "hour", "day", "week"];
    let known = whole_words.iter().find(|word| word.eq_ignore_ascii_case(unit))?;
    Some(format!("1{}", &known[..1]))
}

fn time(given: &mut Given, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    let typed = given.text("at")?.to_owned();
    match read_coming(&typed, zone, now) {
        // Whether it lies ahead is for the transaction to say that would store it.
        Ok(Coming::At(at)) => Some(at),
        Ok(Coming::Day { .. }) => {
            let day = one_line(&typed, 40);
            given.fault("at", "names a day and no time of it", format!("write both, as in `{day} 09:00`"));
            None
        }
        Err(_) => {
            let span = typed.trim();
            let span = span.strip_prefix("in ").unwrap_or(span).trim();
            match read_span(span) {
                Ok(_) => {
                    let right = format!("write `in: {}` instead", json!(one_line(span, 40)));
                    given.fault("at", "is a span of time, not a time", right);
                }
                Err(_) => given.fault("at", no_time(&typed), TIMES),
            }
            None
        }
    }
}

fn until(given: &mut Given, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
    let typed = given.text("until")?.to_owned();
    let until = match read_coming(&typed, zone, now) {
        Ok(Coming::At(at)) => at,
        Ok(Coming::Day { last_minute, .. }) => last_minute,
        Err(_) => {
            given.fault("until", no_time(&typed), format!("{TIMES}, or a day such as `friday`"));
            return None;
        }
    };
    if until <= now {
        let now = by_the_clock(zone, now);
        given.fault("until", format!("has passed: it is now {now}"), "write a time that is still to come");
        return None;
    }
    Some(until)
}

/// Times as they may be written.
const TIMES: &str = "write one such as `17:30`, `tomorrow 09:00`, `friday 17:00`, `2025-01-31 09:00` or `2025-01-31T09:00:00+01:00`";

fn no_time(typed: &str) -> String {
    format!("is no time that can be read: {:?}", one_line(typed, 40))
}

/// What a refusal says is wrong with which arguments.
///
/// # Errors
/// A refusal that is about something else.
pub(super) fn faults_of(
    error: Error,
    given: &Given,
    now: Timestamp,
    zone: &Zone,
) -> Result<Vec<Fault>, Trouble> {
    let details = match &error {
        Error::Refused(refused) => refused.details(),
        Error::Gone(_) => Vec::new(),
    };
    match details.is_empty() {
        true => Err(error.into()),
        false => Ok(details.into_iter().map(|detail| fault_of(detail, given, now, zone)).collect()),
    }
}

fn fault_of(detail: Detail, given: &Given, now: Timestamp, zone: &Zone) -> Fault {
    let argument = argument_of(&detail.field, given);
    let hint = detail.hint.unwrap_or_default();
    let (problem, instead) = match detail.message.as_str() {
        "required" => ("is missing".to_owned(), hint),
        "fireAt_must_be_future" => (
            format!("has passed: it is now {}", by_the_clock(zone, now)),
            "write a time that is still to come".to_owned(),
        ),
        "invalid_cron_expression" => {
            let written = one_line(given.text("cron").unwrap_or_default(), 60);
            let right = "five fields such as `0 9 * * 1-5` (minute, hour, day of the month, month, weekday)";
            match hint.is_empty() {
                true => (format!("is no crontab expression: {written:?}"), right.to_owned()),
                false => (format!("is no crontab expression: {written:?}. {hint}"), String::new()),
            }
        }
        "interval_below_minimum_30000ms" => {
            ("is shorter than an interval may be".to_owned(), "write `30s` or more".to_owned())
        }
        "title_too_long_160" => ("is longer than 160 characters".to_owned(), or(hint, "write a shorter one")),
        "prompt_too_long_20000" => {
            let instead = "put what is longer into a file of the project, and name that file in the prompt";
            ("is longer than 20000 characters".to_owned(), instead.to_owned())
        }
        "model_not_found" => ("is not offered".to_owned(), or(hint, "write one of those that are")),
        "invalid_variant_for_model" => {
            ("is no variant of this model".to_owned(), or(hint, "write one that it has"))
        }
        "model_lookup_failed" => {
            ("cannot be looked up: its provider cannot be asked".to_owned(), or(hint, "take another model"))
        }
        "unsupported_where_worktree_not_git" => {
            ("needs a project that is a git repository".to_owned(), "leave it out".to_owned())
        }
        word => (format!("is refused: {}", word.replace('_', " ")), hint),
    };
    Fault::new(argument, problem, instead)
}

fn or(hint: String, otherwise: &str) -> String {
    if hint.is_empty() { otherwise.to_owned() } else { hint }
}

/// The argument from which a field of the draft was made.
fn argument_of(field: &str, given: &Given) -> String {
    let first_of = |names: &[&'static str], otherwise: &'static str| {
        given.sent_of(names).first().copied().unwrap_or(otherwise)
    };
    let argument = match field {
        "title" => "title",
        "fireAt" => first_of(&["at", "in"], "at"),
        "timezone" => "timezone",
        "key" => "key",
        "access" => "read_only",
        "task.prompt" => "prompt",
        "task.variant" => "variant",
        "task.context" | "task.sessionID" => "continue_session",
        "task.text" => "reminder",
        _ if field.starts_with("rhythm") => first_of(&["cron", "every"], "cron"),
        _ if field.starts_with("kind") => first_of(&WHEN, "cron"),
        _ if field.starts_with("stop") => first_of(&["times", "until"], "until"),
        _ if field.starts_with("task.model") => "model",
        _ if field.starts_with("task") => first_of(&WHAT, "reminder"),
        _ if field.starts_with("where") => "worktree",
        other => return one_line(other, 60),
    };
    argument.to_owned()
}

/// Whether two faults have one reason: they are about one argument, or about what is one question.
pub(super) fn is_about_the_same(one: &str, other: &str) -> bool {
    let asks = |name: &str, of: &[&str]| of.contains(&name);
    one == other
        || (asks(one, &WHEN) && asks(other, &WHEN))
        || (asks(one, &WHAT) && asks(other, &WHAT))
        || (asks(one, &["times", "until"]) && asks(other, &["times", "until"]))
}
