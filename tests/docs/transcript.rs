//! Transcripts: what is typed, and what is printed.

use crate::blocks::Block;
use crate::matching;
use crate::reader::Reader;
use crate::shell;

/// What comes between what one command prints and the next. It is nobody's output.
const BORDER: char = '\u{1e}';

/// A command, and what is printed then.
#[derive(Debug)]
struct Typed {
    line: usize,
    command: String,
    printed: Vec<String>,
}

/// Runs all commands in one shell, in a fresh project.
pub(crate) fn check(block: &Block) -> Result<(), String> {
    let typed = typed(block)?;
    let border = "\nprintf '\\036'\n";
    let commands: String = typed.iter().map(|one| one.command.clone() + border).collect();
    // A machine that is slow is warned of in the log, which is no part of what a command prints.
    let shows_log = typed.iter().flat_map(|one| &one.printed).any(|line| is_of_log(line));
    let script = if shows_log { commands } else { format!("export SEXTON_LOG=error\n{commands}") };
    let reader = Reader::new();
    let said = shell::run(&reader, &reader.project(), "-u", &script)?.said;
    let pieces: Vec<&str> = said.split(BORDER).collect();
    for (index, one) in typed.iter().enumerate() {
        let came = match pieces.get(index) {
            Some(came) if index + 1 < pieces.len() => came,
            last => return Err(format!("the shell ended in `{}`:\n{}", one.command, last.unwrap_or(&""))),
        };
        let printed = trimmed(one.printed.iter().map(String::as_str).collect());
        if !matching::lines(&printed, &trimmed(came.lines().collect())) {
            let (line, command) = (one.line, &one.command);
            let expected = printed.join("\n");
            return Err(format!("line {line}: `{command}` was to print\n{expected}\nbut it printed\n{came}"));
        }
    }
    Ok(())
}

fn is_of_log(line: &str) -> bool {
    ["WARN ", "INFO "].iter().any(|level| line.contains(level))
}

/// Without the blank lines at its end, which set a command apart from the one before.
fn trimmed(mut lines: Vec<&str>) -> Vec<&str> {
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines
}

fn typed(block: &Block) -> Result<Vec<Typed>, String> {
    let mut all: Vec<Typed> = Vec::new();
    for (number, line) in block.content.lines().enumerate() {
        let line_number = block.line + 1 + number;
        // A command goes on behind a backslash at the end of its line.
        if let Some(last) =
            all.last_mut().filter(|last| last.printed.is_empty() && last.command.ends_with('\\'))
        {
            last.command.push('\n');
            last.command.push_str(line);
        } else if let Some(command) = line.strip_prefix("$ ") {
            all.push(Typed { line: line_number, command: command.to_owned(), printed: Vec::new() });
        } else {
            let last = all.last_mut().ok_or("a transcript begins with `$ ` and a command")?;
            last.printed.push(line.to_owned());
        }
    }
    match all.is_empty() {
        true => Err("nothing is typed".to_owned()),
        false => Ok(all),
    }
}
