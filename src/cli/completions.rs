//! `sexton completions`: what a shell needs to complete commands and flags.

use std::io;
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::show::print;

#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> ExitCode {
    let mut script = io::Cursor::new(Vec::new());
    clap_complete::generate(args.shell, &mut command, "sexton", &mut script);
    print(&String::from_utf8_lossy(script.get_ref()))
}
