//! Somebody who types commands.

use std::process::{Command, Stdio};

use crate::support::Place;

/// What came of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The command with these arguments, far from the user's own settings.
pub(crate) fn sexton(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
    for name in [
        "SEXTON_LOG",
        "SEXTON_RUN_ID",
        "SEXTON_STATE_DIR",
        "XDG_STATE_HOME",
        "NO_COLOR",
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
    ] {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// The same in the project of this place.
pub(crate) fn sexton_at(place: &Place, args: &[&str]) -> Command {
    let mut command = sexton(args);
    command.env("SEXTON_STATE_DIR", place.state()).env("XDG_CONFIG_HOME", place.configuration());
    command.current_dir(place.project());
    command
}

/// Types it and waits for its end.
pub(crate) fn seen(command: &mut Command) -> Seen {
    let output = command.output().expect("sexton can be spawned");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Seen { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The answer to a command that has one.
pub(crate) fn answer(command: &mut Command) -> String {
    let Seen { code, out, err } = seen(command);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    out
}

/// What is said to a command that cannot be used as it was typed.
pub(crate) fn complaint(command: &mut Command) -> String {
    let Seen { code, out, err } = seen(command);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    err
}

/// What was told, with names in the place of what is another each time: identities, in the order in which they are met,
/// how long ago something was and what it took, times of day in brackets, and the project's directory. Blanks fall
/// together, for what they line up is as long as it is.
pub(crate) fn masked(place: &Place, told: &str) -> String {
    let project = std::fs::canonicalize(place.project()).expect("a project");
    let told = told.replace(project.to_str().expect("a path in Unicode"), "PROJECT");
    let mut met: Vec<String> = Vec::new();
    let mut lines = String::new();
    for line in told.lines() {
        let indented = if line.starts_with(' ') { "  " } else { "" };
        let words: Vec<String> = line.split_whitespace().map(|word| mask(word, &mut met)).collect();
        let line = words.join(" ");
        let varies = [" ago", " now"].iter().any(|word| line.contains(word)) || line.starts_with("State ");
        let line = if varies { without_spans(&words) } else { line };
        lines.push_str(&format!("{indented}{line}\n"));
    }
    lines
}

/// The line with a name in the place of each span, and of how long ago something was.
fn without_spans(words: &[String]) -> String {
    let mut line: Vec<String> = Vec::new();
    for word in words {
        let bare = word.trim_end_matches([',', ';']);
        let is_unit = ["ms", "s", "min", "h"].contains(&bare);
        let counts = line.last().is_some_and(|last| last.parse::<f64>().is_ok());
        if is_unit && counts {
            line.pop();
            line.push(word.replacen(bare, "SPAN", 1));
        } else {
            line.push(if bare == "now" { word.replacen("now", "AGO", 1) } else { word.clone() });
        }
    }
    line.join(" ").replace("SPAN SPAN", "SPAN").replace("SPAN ago", "AGO")
}

fn mask(word: &str, met: &mut Vec<String>) -> String {
    let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    let is_id = ["atm_", "run_"].iter().any(|prefix| bare.starts_with(prefix) && bare.len() > 20);
    if is_id {
        if !met.iter().any(|known| known == bare) {
            met.push(bare.to_owned());
        }
        let number = met.iter().position(|known| known == bare).map_or(0, |place| place + 1);
        return word.replace(bare, &format!("{}{number}", &bare[..4]));
    }
    let is_number = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let clock: Vec<&str> = bare.split(':').collect();
    let is_time = word.starts_with('(') && clock.len() >= 2 && clock.iter().all(|part| is_number(part));
    if is_time { word.replace(bare, "TIME") } else { word.to_owned() }
}
