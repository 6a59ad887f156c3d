//! The `sexton` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A guard is started for every run: it does its one thing before anything else is set up.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "guard") {
        return sexton::exec::guard::run();
    }
    sexton::cli::run()
}
