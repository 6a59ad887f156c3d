//! The part of a draft that says what is done.

use std::collections::BTreeMap;

use super::limits::{AGENT_NAME, ARGS, ARGS_BYTES, PROGRAM_BYTES, PROMPT, REMINDER, STDIN_BYTES, VARIABLE};
use crate::domain::automation::{Command, EnvValue, Task};
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::id::ProviderId;
use crate::domain::prompt::{Model, Prompt, SessionContext};
use crate::domain::sent::Sent;

pub(super) fn read_task(fields: &mut Fields<'_>) -> Option<Task> {
    #[derive(Clone, Copy)]
    enum Kind {
        Command,
        Prompt,
        Notify,
    }
    let task = fields.object("task");
    let mut task = fields.require("task", task)?;
    let kinds = [("command", Kind::Command), ("prompt", Kind::Prompt), ("notify", Kind::Notify)];
    let kind = task.choice("kind", &kinds);
    let read = match task.require("kind", kind)? {
        Kind::Command => read_command(&mut task).map(Task::Command),
        Kind::Prompt => read_prompt(&mut task).map(Task::Prompt),
        Kind::Notify => {
            let text = task.required_short_text("text", REMINDER).map(str::to_owned);
            text.map(|text| Task::Notify { text })
        }
    };
    task.finish(Word::UnsupportedAutomationField, |_| None);
    read
}

fn read_prompt(task: &mut Fields<'_>) -> Option<Prompt> {
    let prompt = task.required_text("prompt").filter(|prompt| {
        let fits = prompt.chars().nth(PROMPT).is_none();
        if !fits {
            task.fault_hint("prompt", Word::PromptTooLong, "put what is longer into a file that it names");
        }
        fits
    });
    let model = read_model(task);
    let variant = task.short_text("variant", AGENT_NAME);
    let contexts = [("fresh", SessionContext::Fresh), ("continue", SessionContext::Continue)];
    let context = task.choice("context", &contexts).unwrap_or_default();
    let session_id = task.short_text("sessionID", AGENT_NAME);
    match context {
        SessionContext::Fresh if session_id.is_some() => {
            let hint = "leave it out, or write `context: \"continue\"`";
            task.fault_hint("sessionID", Word::UnsupportedSessionWithFresh, hint);
        }
        SessionContext::Fresh | SessionContext::Continue => {}
    }
    Some(Prompt {
        prompt: prompt?.to_owned(),
        model: model?,
        variant: variant.map(str::to_owned),
        context,
        session_id: session_id.map(str::to_owned),
    })
}

fn read_model(task: &mut Fields<'_>) -> Option<Model> {
    let model = task.object("model");
    let mut model = task.require("model", model)?;
    let provider = model.required_short_text("providerID", AGENT_NAME).map(ProviderId::from_text);
    let id = model.required_short_text("modelID", AGENT_NAME).map(str::to_owned);
    model.finish(Word::UnsupportedAutomationField, |_| None);
    Some(Model { provider: provider?, model: id? })
}

fn read_command(task: &mut Fields<'_>) -> Option<Command> {
    let program = read_program(task);
    let args = read_args(task);
    let env = read_env(task, Word::UnsupportedAutomationField);
    let stdin = match task.text("stdin") {
        Some(text) if text.len() > STDIN_BYTES => {
            task.fault_hint("stdin", Word::TooLong, format!("use at most {STDIN_BYTES} bytes, or a file"));
            None
        }
        text => text.map(str::to_owned),
    };
    Some(Command { program: program?, args: args?, env: env?, stdin })
}

pub(super) fn read_program(fields: &mut Fields<'_>) -> Option<String> {
    let program = fields.required_text("program")?;
    if program.len() > PROGRAM_BYTES {
        fields.fault_hint("program", Word::TooLong, format!("use at most {PROGRAM_BYTES} bytes"));
        return None;
    }
    Some(program.to_owned())
}

pub(super) fn read_args(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    if !fields.has("args") {
        return Some(Vec::new());
    }
    let args = fields.texts("args")?;
    let fits = args.len() <= ARGS && args.iter().map(String::len).sum::<usize>() <= ARGS_BYTES;
    if !fits {
        let hint = format!("use at most {ARGS} arguments of together {ARGS_BYTES} bytes, or a file");
        fields.fault_hint("args", Word::TooLong, hint);
    }
    fits.then_some(args)
}

/// What is added to the environment of a program. What is not known of a value is told by this word.
pub(in crate::domain) fn read_env(
    fields: &mut Fields<'_>,
    unknown: Word,
) -> Option<BTreeMap<String, EnvValue>> {
    if !fields.has("env") {
        return Some(BTreeMap::new());
    }
    let env = fields.object("env")?;
    let mut read = BTreeMap::new();
    let mut sound = true;
    for (name, value) in env.entries() {
        let nul = name.contains('\0').then_some(Word::ContainsNul);
        let fault = nul.or((name.is_empty() || name.contains('=')).then_some(Word::OutOfRange));
        if let Some(word) = fault {
            env.fault_hint(name, word, "a variable's name is not empty and has no `=` or NUL");
            sound = false;
            continue;
        }
        match read_env_value(&env, name, value, unknown) {
            Some(value) => drop(read.insert(name.to_owned(), value)),
            None => sound = false,
        }
    }
    let bytes: usize = read.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > ARGS_BYTES {
        fields.fault_hint("env", Word::TooLong, format!("use at most {ARGS_BYTES} bytes in all"));
        return None;
    }
    sound.then_some(read)
}

/// A text, or `{"from": NAME}`.
fn read_env_value(env: &Fields<'_>, name: &str, value: &Sent, unknown: Word) -> Option<EnvValue> {
    match value {
        Sent::Object(_) => {}
        Sent::Text(_) | Sent::Flawed(_) => {
            return env.as_text(name, value).map(|text| EnvValue::Text(text.to_owned()));
        }
        Sent::Null | Sent::Boolean(_) | Sent::Number(_) | Sent::List(_) => {
            let hint = "write a text, or {\"from\": NAME} for a variable of the executing window";
            env.fault_hint(name, Word::WrongType, hint);
            return None;
        }
    }
    let mut variable = env.as_object(name, value)?;
    let from = variable.required_short_text("from", VARIABLE).map(str::to_owned);
    let sound = from.as_ref().is_none_or(|from| !from.contains('='));
    if !sound {
        variable.fault_hint("from", Word::OutOfRange, "a variable's name has no `=`");
    }
    variable.finish(unknown, |_| None);
    from.filter(|_| sound).map(|from| EnvValue::From { from })
}

impl EnvValue {
    fn len(&self) -> usize {
        match self {
            EnvValue::Text(text) => text.len(),
            EnvValue::From { from } => from.len(),
        }
    }
}
