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
