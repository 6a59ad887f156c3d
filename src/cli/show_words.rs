//! What an automation does, in lines for people.

use crate::domain::automation::{Access, Command, EnvValue, Task};
use crate::domain::one_line::one_line;
use crate::domain::prompt::SessionContext;
use crate::domain::shown::{ShownAutomation, ShownValue};

/// The most characters of one line that others wrote.
const LINE: usize = 400;

/// The most lines of a prompt.
const PROMPT_LINES: usize = 8;

/// What is done, where the name of the kind is told first.
pub(super) fn task(task: &Task<ShownValue>) -> (&'static str, String) {
    match task {
        Task::Command(Command { program, args, .. }) => ("Runs", command_line(program, args)),
        Task::Prompt(prompt) => {
            let mut lines: Vec<String> =
                prompt.prompt.trim().lines().take(PROMPT_LINES).map(|line| one_line(line, LINE)).collect();
            if prompt.prompt.trim().lines().count() > PROMPT_LINES {
                lines.push("…".to_owned());
            }
            ("Asks", lines.join("\n"))
        }
        Task::Notify { text } => ("Tells you", one_line(text, LINE)),
    }
}

/// What else is to be known of how it is done: names and lines.
pub(super) fn beside(automation: &ShownAutomation) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    match &automation.definition.task {
        Task::Command(Command { env, stdin, .. }) => {
            let variable = |(name, value): (&String, &ShownValue)| {
                let name = one_line(name, LINE);
                match value {
                    // The value may be a secret, and somebody may look over a shoulder.
                    ShownValue::Kept(EnvValue::Text(_)) | ShownValue::Hidden(_) => name,
                    ShownValue::Kept(EnvValue::From { from }) if *from == name => {
                        format!("{name} (the window's)")
                    }
                    ShownValue::Kept(EnvValue::From { from }) => format!("{name} (the window's {from})"),
                }
            };
            let variables: Vec<String> = env.iter().map(variable).collect();
            if !variables.is_empty() {
                lines.push(("With", variables.join(", ")));
            }
            if let Some(stdin) = stdin {
                lines.push(("Reads", format!("{} bytes of its own", stdin.len())));
            }
        }
        Task::Prompt(prompt) => {
            let variant = prompt.variant.as_ref().map(|variant| format!(", {}", one_line(variant, LINE)));
            let context = match (prompt.context, &prompt.session_id) {
                (SessionContext::Fresh, _) => String::new(),
                (SessionContext::Continue, None) => ", where the last run ended".to_owned(),
                (SessionContext::Continue, Some(session)) => {
                    format!(", in session {}", one_line(session, LINE))
                }
            };
            let model = one_line(&prompt.model.to_string(), LINE);
            lines.push(("Of", format!("{model}{}{context}", variant.unwrap_or_default())));
        }
        Task::Notify { .. } => {}
    }
    if let Some(worktree) = &automation.definition.placement.worktree {
        lines.push(("Where", format!("the worktree .worktrees/sexton/{worktree}")));
    }
    match automation.definition.access {
        Access::Write => {}
        Access::Read => lines.push(("Access", "reads only, beside other runs".to_owned())),
    }
    lines
}

/// A program and its arguments as somebody would type them in a shell.
pub(super) fn command_line(program: &str, args: &[String]) -> String {
    let words: Vec<String> =
        std::iter::once(program).chain(args.iter().map(String::as_str)).map(word).collect();
    words.join(" ")
}

fn word(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./=:,+@%".contains(letter);
    let line = one_line(word, LINE);
    match !line.is_empty() && line.chars().all(plain) {
        true => line,
        false => format!("'{}'", line.replace('\'', r"'\''")),
    }
}
