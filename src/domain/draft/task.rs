//! The part of a draft that says what is done.

use std::collections::BTreeMap;

use crate::domain::automation::{EnvValue, Task};
use crate::domain::fault::Word;
use crate::domain::fields::Fields;
use crate::domain::sent::Sent;

/// The longest path or name of a program, in bytes; what Linux allows for a path.
const PROGRAM_MAX: usize = 4096;

/// The most arguments, and the most bytes of all arguments and of the environment together. Linux allows more
/// in total but no single text of over 128 KiB.
const ARGS_MAX: usize = 1000;
const ARGS_BYTES_MAX: usize = 100 * 1024;

/// The longest text on standard input, in bytes.
const STDIN_MAX: usize = 1024 * 1024;

pub(super) fn read_task(fields: &mut Fields<'_>) -> Option<Task> {
    #[derive(Clone, Copy)]
    enum Kind {
        Command,
        NotYet,
    }
    let task = fields.object("task");
    let mut task = fields.require("task", task)?;
    let kinds = [("command", Kind::Command), ("prompt", Kind::NotYet), ("notify", Kind::NotYet)];
    let kind = task.choice("kind", &kinds);
    match task.require("kind", kind)? {
        Kind::Command => {
            let read = read_command(&mut task);
            task.finish(Word::UnsupportedAutomationField, |_| None);
            read
        }
        Kind::NotYet => {
            task.fault_hint("kind", Word::NotAvailableYet, "use a task of kind `command`");
            None
        }
    }
}

fn read_command(task: &mut Fields<'_>) -> Option<Task> {
    let program = task.required_text("program").and_then(|program| {
        let fits = program.len() <= PROGRAM_MAX;
        if !fits {
            task.fault("program", Word::TooLong);
        }
        fits.then(|| program.to_owned())
    });
    let args = if task.has("args") { task.texts("args") } else { Some(Vec::new()) };
    let args = args.filter(|args| {
        let fits = args.len() <= ARGS_MAX && args.iter().map(String::len).sum::<usize>() <= ARGS_BYTES_MAX;
        if !fits {
            let hint = format!(
                "use at most {ARGS_MAX} arguments of together {ARGS_BYTES_MAX} bytes; pass more on `stdin`"
            );
            task.fault_hint("args", Word::TooLong, hint);
        }
        fits
    });
    let env = read_env(task);
    let stdin = match task.text("stdin") {
        Some(text) if text.len() > STDIN_MAX => {
            task.fault_hint("stdin", Word::TooLong, format!("use at most {STDIN_MAX} bytes, or a file"));
            None
        }
        text => text.map(str::to_owned),
    };
    Some(Task::Command { program: program?, args: args?, env: env?, stdin })
}

fn read_env(task: &mut Fields<'_>) -> Option<BTreeMap<String, EnvValue>> {
    if !task.has("env") {
        return Some(BTreeMap::new());
    }
    let env = task.object("env")?;
    let mut read = BTreeMap::new();
    let mut sound = true;
    for (name, value) in env.entries() {
        if name.is_empty() || name.contains('=') || name.contains('\0') {
            env.fault_hint(name, Word::OutOfRange, "a variable's name is not empty and has no `=` or NUL");
            sound = false;
            continue;
        }
        match read_env_value(value) {
            Ok(value) => {
                read.insert(name.to_owned(), value);
            }
            Err(word) => {
                let hint = "write a text, or {\"from\": NAME} for a variable of the executing window";
                env.fault_hint(name, word, hint);
                sound = false;
            }
        }
    }
    let bytes: usize = read.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > ARGS_BYTES_MAX {
        task.fault_hint("env", Word::TooLong, format!("use at most {ARGS_BYTES_MAX} bytes in all"));
        return None;
    }
    sound.then_some(read)
}

fn read_env_value(value: &Sent) -> Result<EnvValue, Word> {
    let text = |value: &Sent| match value {
        Sent::Text(text) if text.contains('\0') => Err(Word::ContainsNul),
        Sent::Text(text) => Ok(text.clone()),
        Sent::Flawed(flaw) => Err(flaw.word()),
        Sent::Null | Sent::Boolean(_) | Sent::Number(_) | Sent::List(_) | Sent::Object(_) => {
            Err(Word::WrongType)
        }
    };
    let Sent::Object(object) = value else { return text(value).map(EnvValue::Text) };
    match (object.get("from"), object.len()) {
        (Some(from), 1) => match text(from)? {
            from if from.is_empty() || from.contains('=') => Err(Word::OutOfRange),
            from => Ok(EnvValue::From { from }),
        },
        (Some(_) | None, _) => Err(Word::UnsupportedAutomationField),
    }
}

impl EnvValue {
    fn len(&self) -> usize {
        match self {
            EnvValue::Text(text) => text.len(),
            EnvValue::From { from } => from.len(),
        }
    }
}
