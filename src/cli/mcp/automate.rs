//! The tool `automate`: creates an automation.

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use super::answer::{Answer, Automate, schema_of};
use super::arguments::{Argument, Given, Kind, Table};
use super::draft::{self, Planned};
use super::fault::{Fault, told};
use super::models::{self, LISTED};
use super::project::{Open, Trouble};
use super::shown::Shown;
use super::spoken::{by_the_clock, next_times, nobody_is_there};
use crate::client::model::Automation;
use crate::domain::automation::When;
use crate::domain::time::Timestamp;

/// What the tool is called.
pub(super) const NAME: &str = "automate";

/// The most runs after which an automation may end by itself: what the contract allows.
const TIMES: i64 = 1_000_000_000;

const ABOUT: &str = r#"Creates an automation of this project: something that happens by itself at a time, once or again and again, also after this conversation has ended. Use it when the user asks for that; do not use it for what is to be done now.

When: exactly one of `cron`, `every`, `at`, `in`.
What: exactly one of `reminder`, `prompt`, `command`, `shell`.

Examples:
- "every weekday at 9, triage the new issues": {"title": "Triage", "cron": "0 9 * * 1-5", "prompt": "Read the issues that were opened since yesterday, label each and answer duplicates."}
- "in 20 minutes remind me of the stand-up": {"title": "Stand-up", "in": "20m", "reminder": "The stand-up begins"}
- "remind me tomorrow at 8:30 to …": {"title": "…", "at": "tomorrow 08:30", "reminder": "…"}
- "run the tests every 2 hours until Friday": {"title": "Tests", "every": "2h", "until": "friday", "command": ["npm", "test"]}
- "watch until the build is green": {"title": "Watch the build", "every": "5m", "times": 100, "continue_session": true, "prompt": "Look whether the newest build of main is green. If it is, say so and end this watch: call automate_manage with {\"action\": \"pause\"}. If it is not, say in one line what is still red. Change nothing."}

A watch is a prompt that is repeated in one session and ends itself by that pause, from inside its run; `times` ends it if that never happens. Inside a run of an automation this tool is refused: an automation is created by people.

The answer says what was made, when it is due next and what to know about it: tell the user. With `dry_run` nothing is made and the answer is the same."#;

/// What it takes.
pub(super) const TABLE: Table = Table {
    arguments: &[
        Argument { name: "title", kind: Kind::Text, about: "What it is called, in a few words." },
        Argument {
            name: "cron",
            kind: Kind::Text,
            about: "Again and again by the clock: the five fields of a crontab line (minute, hour, day of the month, month, weekday; 0 and 7 are Sunday). Every weekday at 9: `0 9 * * 1-5`. On the first of each month at 18:30: `30 18 1 * *`.",
        },
        Argument {
            name: "every",
            kind: Kind::Span,
            about: "Again and again, this long apart, from now: `30m`, `2h`, `1 day`.",
        },
        Argument {
            name: "at",
            kind: Kind::Text,
            about: "Once, at this time: `17:30`, `tomorrow 09:00`, `friday 17:00`, `2025-01-31 09:00`, `2025-01-31T09:00:00+01:00`. Without an offset it is meant in `timezone`.",
        },
        Argument {
            name: "in",
            kind: Kind::Span,
            about: "Once, this long from now: `20m`, `1h30m`, `3 days`.",
        },
        Argument {
            name: "timezone",
            kind: Kind::Text,
            about: "The IANA zone by whose clocks all times here are meant, such as `Europe/Berlin`. Leave it out for that of this machine.",
        },
        Argument {
            name: "times",
            kind: Kind::Count(TIMES),
            about: "With `cron` or `every`: it ends after this many runs.",
        },
        Argument {
            name: "until",
            kind: Kind::Text,
            about: "With `cron` or `every`: the last time at which it may run, written as in `at`; a day alone, such as `friday` or `2025-01-31`, counts to its end.",
        },
        Argument {
            name: "reminder",
            kind: Kind::Text,
            about: "What people are shown when it is time. Nothing is run.",
        },
        Argument {
            name: "prompt",
            kind: Kind::Text,
            about: "What a coding agent is asked to do. It knows nothing of this conversation: say everything it needs. It is asked once in each run, so do not write the schedule into it.",
        },
        Argument {
            name: "model",
            kind: Kind::Text,
            about: "With `prompt`: who carries it out, as `provider/model`. Leave it out if the user names none: the answer says which there are if there is a choice.",
        },
        Argument {
            name: "variant",
            kind: Kind::Text,
            about: "With `prompt`: a variant of the model, such as how much it reasons, if it has any.",
        },
        Argument {
            name: "continue_session",
            kind: Kind::Flag,
            about: "With `prompt`: each run goes on in the session of the run before and remembers it. For watches.",
        },
        Argument {
            name: "command",
            kind: Kind::Words { line: "shell" },
            about: "A program and its arguments, each a text of its own: `[\"npm\", \"test\"]`. No shell reads it.",
        },
        Argument {
            name: "shell",
            kind: Kind::Text,
            about: "A line for the shell, for pipes and the like: `npm test | tail -n 20`.",
        },
        Argument {
            name: "worktree",
            kind: Kind::Text,
            about: "With `prompt`, `command` or `shell`: works in a git worktree of this name, away from the user's own files. Not with `continue_session`.",
        },
        Argument {
            name: "read_only",
            kind: Kind::Flag,
            about: "Its runs change no files of the project, so they need not wait for others that do.",
        },
        Argument {
            name: "key",
            kind: Kind::Text,
            about: "A name of your choice for this call. Calling again with the same one within a day makes no second automation.",
        },
        Argument {
            name: "dry_run",
            kind: Kind::Flag,
            about: "Only says what would be made, and what is wrong.",
        },
    ],
    required: &["title"],
    elsewhere: &[
        ("name", "title"),
        ("schedule", "cron"),
        ("expression", "cron"),
        ("interval", "every"),
        ("when", "at"),
        ("date", "at"),
        ("time", "at"),
        ("datetime", "at"),
        ("fireAt", "at"),
        ("delay", "in"),
        ("after", "in"),
        ("zone", "timezone"),
        ("tz", "timezone"),
        ("count", "times"),
        ("repeat", "times"),
        ("stop", "until"),
        ("end", "until"),
        ("message", "reminder"),
        ("text", "reminder"),
        ("notify", "reminder"),
        ("instructions", "prompt"),
        ("task", "prompt"),
        ("agent", "model"),
        ("provider", "model"),
        ("context", "continue_session"),
        ("continue", "continue_session"),
        ("program", "command"),
        ("args", "command"),
        ("script", "shell"),
        ("branch", "worktree"),
        ("access", "read_only"),
    ],
    words: &[],
};

/// The tool as it is listed.
pub(super) fn tool() -> Tool {
    let annotations =
        ToolAnnotations::new().read_only(false).destructive(false).idempotent(false).open_world(false);
    Tool::new(NAME, ABOUT, TABLE.schema())
        .with_title("Create an automation")
        .with_raw_output_schema(schema_of::<Automate>())
        .with_annotations(annotations)
}

/// Creates what the arguments say, or tells everything that is wrong with them.
pub(super) async fn call(open: &Open, sent: Option<JsonObject>, now: Timestamp) -> Result<Answer, Trouble> {
    if open.own_automation().await?.is_some() {
        // Also if it is only tried: nobody can make it from here, however right it is.
        return Err(Trouble::inside());
    }
    let mut given = TABLE.read(sent);
    let Planned { mut draft, wants_model, zone } = draft::plan(&mut given, now);
    let mut refused = Refused { faults: Vec::new(), offered: Vec::new(), now: by_the_clock(&zone, now) };
    let mut notes = Vec::new();
    let model = match wants_model {
        true => Some(models::resolve(open, &given).await?),
        false => None,
    };
    match model {
        Some(Ok(chosen)) => {
            draft["task"]["model"] = json!({"providerID": chosen.provider, "modelID": chosen.model});
            notes.extend(chosen.note);
        }
        Some(Err(not_chosen)) => {
            refused.faults.push(not_chosen.fault);
            refused.offered = not_chosen.offered;
        }
        None => {}
    }
    let model_is_known = refused.faults.is_empty();
    refused.faults.splice(0..0, std::mem::take(&mut given.faults));
    let dry_run = given.is_up("dry_run");
    if dry_run || !refused.faults.is_empty() {
        // Whatever else is wrong is told as well.
        draft["dryRun"] = json!(true);
    } else if let Some(key) = given.text("key") {
        draft["key"] = json!(key);
    }
    let made = match open.client.ask::<Automation>("automation/create", &draft).await {
        Ok(made) if refused.faults.is_empty() => made,
        Ok(_) => return Ok(refused.answer()),
        Err(error) => {
            for fault in draft::faults_of(error, &given, now, &zone)? {
                // What was told already, and what follows from it.
                let is_known = |told: &Fault| draft::is_about_the_same(&told.argument, &fault.argument);
                let follows = is_about_the_model(&fault) && !model_is_known;
                if !follows && !refused.faults.iter().any(is_known) {
                    refused.faults.push(fault);
                }
            }
            if refused.offered.is_empty() && refused.faults.iter().any(is_about_the_model) {
                refused.offered = models::offered(open).await?;
            }
            return Ok(refused.answer());
        }
    };
    let key = match (given.has("key"), dry_run) {
        (true, true) => {
            let note = "A dry run does not look whether the `key` was used: if so within a day, the call without `dry_run` makes nothing new.";
            notes.push(note.to_owned());
            None
        }
        (true, false) => made.known().filter(|known| known.created_at < now),
        (false, _) => None,
    };
    let before = match key {
        Some(first) => {
            Some(Before { at: first.created_at, differs: differences(open, &made, draft, &given).await })
        }
        None => None,
    };
    Ok(told_of(open, &made, notes, dry_run, before, now).await)
}

fn is_about_the_model(fault: &Fault) -> bool {
    ["model", "variant"].contains(&fault.argument.as_str())
}

/// Why nothing was made.
struct Refused {
    faults: Vec<Fault>,
    /// The models there are, if it is about them.
    offered: Vec<String>,
    now: String,
}

impl Refused {
    fn answer(self) -> Answer {
        let Refused { faults, offered, now } = self;
        let mut text = told("Nothing was made.", &faults);
        if !offered.is_empty() {
            let which =
                if offered.len() < LISTED { "The models there are" } else { "Some of the models there are" };
            text.push_str(&format!("\n{which}: {}", offered.join(", ")));
        }
        text.push_str(&format!("\nIt is now {now}."));
        let message = "Nothing was made.".to_owned();
        Answer::wrong(
            &Automate { message, now, problems: faults, models: offered, ..Automate::default() },
            text,
        )
    }
}

/// That an automation was there already, because its key was used before.
struct Before {
    at: Timestamp,
    /// What of it is not as it was asked for now.
    differs: Vec<&'static str>,
}

/// What of an automation is not as this draft has it. Nothing where that cannot be made any more.
async fn differences(open: &Open, first: &Automation, mut draft: Value, given: &Given) -> Vec<&'static str> {
    draft["dryRun"] = json!(true);
    draft.as_object_mut().map(|draft| draft.remove("key"));
    let asked = open.client.ask::<Automation>("automation/create", &draft).await.ok();
    let (Some(first), Some(asked)) = (first.known(), asked.as_ref().and_then(Automation::known)) else {
        return Vec::new();
    };
    let (first, asked) = (&first.definition, &asked.definition);
    // What is to be 20 minutes from now is at another time when it is said again.
    let is_from_now = given.has("in") && matches!(first.when, When::Oneshot { .. });
    let schedule = !is_from_now && (&first.when, &first.timezone) != (&asked.when, &asked.timezone);
    let parts = [
        ("title", first.title != asked.title),
        ("schedule", schedule),
        ("task", first.task != asked.task),
        ("directory", first.placement != asked.placement),
        ("access", first.access != asked.access),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(part, _)| part).collect()
}

/// What is told of something that was made, or would be.
async fn told_of(
    open: &Open,
    made: &Automation,
    mut notes: Vec<String>,
    dry_run: bool,
    before: Option<Before>,
    now: Timestamp,
) -> Answer {
    let shown = Shown::of(made, now);
    let zone = shown.zone();
    notes.extend(surprises(open, made).await);
    notes.extend(nobody_is_there(&open.status));
    let message = match before {
        Some(Before { at, differs }) => {
            let at = by_the_clock(&zone, at);
            let told = format!("Nothing new was made: this `key` was used on {at} for {}.", shown.named());
            match differs.is_empty() {
                true => told,
                false => format!(
                    "{told} It is not what was asked for now: it has another {}. If both are wanted, call again with another `key`.",
                    differs.join(", another ")
                ),
            }
        }
        None if dry_run => format!("{} would be made; nothing was.", shown.named()),
        None => format!("{} was made.", shown.named()),
    };
    let mut text = format!("{message} {}", shown.described());
    for note in &notes {
        text.push_str(&format!("\nNote: {note}"));
    }
    let project = open.directory();
    text.push_str(&format!("\nThe project is {project}."));
    let (now, project) = (by_the_clock(&zone, now), Some(project));
    let automation = Some(shown);
    Answer::right(
        &Automate { message, now, project, automation, dry_run, notes, ..Automate::default() },
        text,
    )
}

/// What a person should know of the schedule, and of its next times. It is there or not: what was made is made.
async fn surprises(open: &Open, made: &Automation) -> Vec<String> {
    let Some(known) = made.known() else { return Vec::new() };
    let mut asked = serde_json::to_value(&known.definition.when).unwrap_or_default();
    // Which kind it is follows from what is there.
    asked.as_object_mut().map(|asked| asked.remove("kind"));
    asked["timezone"] = json!(known.definition.timezone);
    asked["count"] = json!(next_times(&known.definition.when));
    let preview: Value = open.client.ask("automation/preview", asked).await.unwrap_or_default();
    let in_list = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let notes = in_list(&preview["notes"]).into_iter().map(|note| note["text"].clone());
    let texts =
        notes.chain(in_list(&preview["warnings"])).filter_map(|text| text.as_str().map(str::to_owned));
    let mut surprises = Vec::new();
    for text in texts.chain(known.state.warnings.clone()) {
        if !surprises.contains(&text) {
            surprises.push(text);
        }
    }
    surprises
}
