//! A draft, or a change of one, as somebody types it.
//!
//! What is typed becomes a merge patch in the contract's words, and beside it is kept which flag said what: whether it is
//! right is the sidecar's to say, and what it says of a field is told of the flag.

mod blame;
mod patch;
mod policy;
mod source;
mod typed;

use clap::{ArgAction, Args};
use serde_json::{Map, Value, json};

use crate::domain::automation::EnvValue;
use crate::domain::schedule::typed::{Coming, read_coming, read_span, read_time};
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;
pub(super) use blame::{listed, told_of_flags};
pub(super) use patch::{difference, merge, paths, stack};
pub(super) use source::{Stdin, read_document};
pub(super) use typed::Typed;

/// What the draft that is typed is read in.
#[derive(Debug)]
pub(super) struct Around<'a> {
    pub(super) now: Timestamp,
    /// By whose clocks times are meant if no zone is typed.
    pub(super) zone: Zone,
    pub(super) stdin: &'a mut Stdin,
}

/// What is to be done, when, and what happens when things are not as planned.
#[derive(Args, Debug)]
pub(super) struct DraftArgs {
    #[command(flatten)]
    when: WhenArgs,
    #[command(flatten)]
    what: WhatArgs,
    #[command(flatten)]
    policy: policy::PolicyArgs,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "When")]
struct WhenArgs {
    /// A crontab expression, such as `0 9 * * 1-5`, in quotes, or `@daily`.
    #[arg(long, value_name = "EXPR", group = "when")]
    cron: Option<String>,
    /// Again and again, so far apart: `90m`, `2h30m`, `7d`.
    #[arg(long, value_name = "SPAN", group = "when")]
    every: Option<String>,
    /// Once, at this time: `17:00`, `friday 09:00`, `2025-01-06 09:00`.
    #[arg(long, value_name = "TIME", group = "when")]
    at: Option<String>,
    /// Once, so long from now: `20m`.
    #[arg(long = "in", value_name = "SPAN", group = "when")]
    after: Option<String>,
    /// With --every: an instant that it is counted from, so that no pause moves it; `none` for from when it begins.
    #[arg(long, value_name = "TIME")]
    anchor: Option<String>,
    /// The zone whose clocks count, such as Europe/Berlin [default: that of this machine].
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Ends after so many runs that succeeded or failed.
    #[arg(long, value_name = "NUMBER", conflicts_with = "until", allow_negative_numbers = true)]
    count: Option<String>,
    /// Ends after this time; a day means the whole of it. `never` for no end.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "What")]
struct WhatArgs {
    /// A program and its arguments, run as they are: no shell takes part, so `~`, `*`, `|` and `$NAME` mean nothing.
    #[arg(last = true, value_name = "PROGRAM", group = "task")]
    command: Vec<String>,
    /// A line for the shell: `sh -c` here, `cmd /C` on Windows.
    #[arg(long, value_name = "LINE", group = "task")]
    shell: Option<String>,
    /// What an agent is asked: a text, `@FILE`, or `-` for stdin.
    #[arg(long, value_name = "TEXT", group = "task")]
    prompt: Option<String>,
    /// What you are told: a reminder. Nothing is run.
    #[arg(long, value_name = "TEXT", group = "task")]
    notify: Option<String>,
    /// Who is asked with --prompt.
    #[arg(long, value_name = "PROVIDER/MODEL")]
    model: Option<String>,
    /// Which variant of the model; --no-variant for none.
    #[arg(long, value_name = "NAME", overrides_with = "no_variant")]
    variant: Option<String>,
    #[arg(long, hide = true)]
    no_variant: bool,
    /// Each run goes on in the session in which the last one ended; --fresh for a new one each time.
    #[arg(long = "continue", overrides_with = "fresh")]
    goes_on: bool,
    #[arg(long, hide = true)]
    fresh: bool,
    /// Each run goes on in this session of the agent's.
    #[arg(long, value_name = "ID", conflicts_with = "fresh")]
    session: Option<String>,
    /// A variable for the program; without a value it is taken from the window that carries the run out, and stored
    /// nowhere. May be repeated; --no-env NAME removes one.
    #[arg(long, value_name = "NAME[=VALUE]", action = ArgAction::Append)]
    env: Vec<String>,
    #[arg(long, value_name = "NAME", action = ArgAction::Append, hide = true)]
    no_env: Vec<String>,
    /// What the program reads: a text, `@FILE`, or `-` for this command's own stdin; --no-stdin for nothing.
    #[arg(long, value_name = "TEXT", overrides_with = "no_stdin")]
    stdin: Option<String>,
    #[arg(long, hide = true)]
    no_stdin: bool,
    /// A git worktree of its own in which the work is done; --no-worktree for the project's directory.
    #[arg(long, value_name = "NAME", overrides_with = "no_worktree")]
    worktree: Option<String>,
    #[arg(long, hide = true)]
    no_worktree: bool,
    /// The work only reads, so that it neither waits for its directory nor holds it; --write if it does not only read.
    #[arg(long, overrides_with = "write")]
    read: bool,
    #[arg(long, hide = true)]
    write: bool,
}

impl DraftArgs {
    /// What was typed, as a merge patch. What cannot be read is kept with it as faults.
    pub(super) fn read(&self, around: Around<'_>) -> Typed {
        let Around { now, zone, stdin } = around;
        let mut typed = Typed::default();
        self.when.read(&mut typed, now, zone);
        self.what.read(&mut typed, stdin);
        self.policy.read(&mut typed);
        typed
    }
}

impl WhenArgs {
    fn read(&self, typed: &mut Typed, now: Timestamp, mut zone: Zone) {
        if let Some(name) = &self.tz {
            match Zone::named(name) {
                Ok(named) => {
                    zone = named;
                    typed.set("timezone", "--tz", name, json!(name));
                }
                Err(unknown) => typed.fault("--tz", unknown),
            }
        }
        if let Some(expression) = &self.cron {
            let rhythm = json!({"kind": "cron", "expression": expression});
            typed.set("kind", "--cron", expression, json!("recurring"));
            typed.set("rhythm", "--cron", expression, rhythm);
        }
        if let Some(every) = &self.every {
            match read_span(every) {
                Ok(every_ms) => {
                    let rhythm = json!({"kind": "interval", "everyMs": every_ms});
                    typed.set("kind", "--every", every, json!("recurring"));
                    typed.set("rhythm", "--every", every, rhythm);
                }
                Err(error) => typed.fault("--every", error),
            }
        }
        if let Some(anchor) = &self.anchor {
            let at = match anchor.as_str() {
                "none" => Ok(Value::Null),
                anchor => read_time(anchor, &zone, now).map(|at| json!(at)),
            };
            match at {
                Ok(at) => typed.set("rhythm.anchorAt", "--anchor", anchor, at),
                Err(error) => typed.fault("--anchor", error),
            }
        }
        if let Some(at) = &self.at {
            match read_coming(at, &zone, now) {
                Ok(Coming::At(fire_at)) => once(typed, "--at", at, fire_at),
                Ok(Coming::Day { .. }) => {
                    typed.fault(
                        "--at",
                        format!("{at:?} is a whole day; write the time as well, such as `{at} 09:00`"),
                    );
                }
                Err(error) => typed.fault("--at", error),
            }
        }
        if let Some(after) = &self.after {
            match read_span(after) {
                Ok(span) => once(typed, "--in", after, now.plus_ms(span)),
                Err(error) => typed.fault("--in", error),
            }
        }
        if let Some(count) = &self.count {
            let number = typed::number(count);
            typed.set("stop", "--count", count, json!({"kind": "count", "count": number}));
        }
        if let Some(until) = &self.until {
            let stop = match until.as_str() {
                "never" => Ok(json!({"kind": "never"})),
                until => read_coming(until, &zone, now).map(|coming| {
                    let at = match coming {
                        Coming::At(at) => at,
                        Coming::Day { last_minute, .. } => last_minute,
                    };
                    json!({"kind": "until", "at": at})
                }),
            };
            match stop {
                Ok(stop) => typed.set("stop", "--until", until, stop),
                Err(error) => typed.fault("--until", error),
            }
        }
    }
}

fn once(typed: &mut Typed, flag: &str, words: &str, fire_at: Timestamp) {
    typed.set("kind", flag, words, json!("oneshot"));
    typed.set("fireAt", flag, words, json!(fire_at));
}

impl WhatArgs {
    fn read(&self, typed: &mut Typed, stdin: &mut Stdin) {
        if let Some((program, args)) = self.command.split_first() {
            let task = json!({"kind": "command", "program": program, "args": args});
            typed.set("task", "--", program, task);
        }
        if let Some(line) = &self.shell {
            let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
            let task = json!({"kind": "command", "program": shell, "args": [option, line]});
            typed.set("task", "--shell", line, task);
        }
        if let Some(prompt) = &self.prompt {
            match stdin.text("--prompt", prompt) {
                Ok(text) => typed.set("task", "--prompt", prompt, json!({"kind": "prompt", "prompt": text})),
                Err(why) => typed.fault("--prompt", why),
            }
        }
        if let Some(text) = &self.notify {
            typed.set("task", "--notify", text, json!({"kind": "notify", "text": text}));
        }
        if let Some(model) = &self.model {
            match model.split_once('/') {
                Some((provider, id)) => {
                    let value = json!({"providerID": provider, "modelID": id});
                    typed.set("task.model", "--model", model, value);
                }
                None => typed.fault(
                    "--model",
                    format!("{model:?} names no provider; write PROVIDER/MODEL, such as `claude/sonnet`"),
                ),
            }
        }
        if let Some(variant) = &self.variant {
            typed.set("task.variant", "--variant", variant, json!(variant));
        }
        if self.goes_on || self.session.is_some() {
            let flag = if self.goes_on { "--continue" } else { "--session" };
            typed.set("task.context", flag, "", json!("continue"));
        }
        if let Some(session) = &self.session {
            typed.set("task.sessionID", "--session", session, json!(session));
        }
        if self.fresh {
            typed.set("task.context", "--fresh", "", json!("fresh"));
            typed.set("task.sessionID", "--fresh", "", Value::Null);
        }
        for variable in &self.env {
            let (name, value) = variable_of(variable);
            typed.set_member(&["task", "env", name], "--env", name, json!(value));
        }
        for name in &self.no_env {
            typed.set_member(&["task", "env", name], "--no-env", name, Value::Null);
        }
        if let Some(words) = &self.stdin {
            match stdin.text("--stdin", words) {
                Ok(text) => typed.set("task.stdin", "--stdin", words, json!(text)),
                Err(why) => typed.fault("--stdin", why),
            }
        }
        if let Some(worktree) = &self.worktree {
            typed.set("where.worktree", "--worktree", worktree, json!(worktree));
        }
        let removed = [
            (self.no_variant, "task.variant", "--no-variant"),
            (self.no_stdin, "task.stdin", "--no-stdin"),
            (self.no_worktree, "where.worktree", "--no-worktree"),
        ];
        for (_, path, flag) in removed.into_iter().filter(|(is_typed, _, _)| *is_typed) {
            typed.set(path, flag, "", Value::Null);
        }
        if self.read || self.write {
            let (flag, access) = if self.read { ("--read", "read") } else { ("--write", "write") };
            typed.set("access", flag, "", json!(access));
        }
    }
}

/// A variable as it is typed: `NAME=VALUE`, or `NAME` for what the window has.
pub(super) fn variable_of(typed: &str) -> (&str, EnvValue) {
    match typed.split_once('=') {
        Some((name, value)) => (name, EnvValue::Text(value.to_owned())),
        None => (typed, EnvValue::From { from: typed.to_owned() }),
    }
}

/// The fields of a draft, in the order in which people read them: that of the contract.
const FIELDS: [&str; 10] =
    ["title", "kind", "fireAt", "rhythm", "stop", "timezone", "task", "where", "access", "policy"];

/// What a user can change of an automation: the draft as it stands, of its answer to `automation/get`.
pub(super) fn draft_of(automation: &Value) -> Map<String, Value> {
    let member = |name: &str| automation.get(name).map(|value| (name.to_owned(), value.clone()));
    FIELDS.into_iter().filter_map(member).collect()
}

/// A draft as text, with the fields in the order of the contract and others before them.
pub(super) fn written(draft: &Map<String, Value>) -> String {
    let place = |name: &str| FIELDS.iter().position(|known| *known == name).map_or(0, |place| place + 1);
    let mut members: Vec<(&String, &Value)> = draft.iter().collect();
    members.sort_by_key(|(name, _)| place(name));
    let one = |(name, value): (&String, &Value)| {
        format!("  {}: {}", json!(name), format!("{value:#}").replace('\n', "\n  "))
    };
    let members: Vec<String> = members.into_iter().map(one).collect();
    format!("{{\n{}\n}}\n", members.join(",\n"))
}
