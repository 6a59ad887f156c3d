//! The command line.

mod add;
mod ago;
mod answer;
mod asked;
mod automation_card;
mod bytes_out;
mod cancel;
mod card;
mod changes;
mod child;
mod completions;
mod demo;
mod doctor;
mod draft;
mod edit;
mod editor;
mod export;
mod headless;
mod import;
mod list;
mod log;
mod mcp;
mod named;
mod next;
mod opened;
mod policy_words;
mod process;
mod project;
mod remove;
mod rest;
mod run;
mod run_card;
mod run_named;
mod run_words;
mod runs;
mod schema;
mod serve;
mod show;
mod show_one;
mod show_words;
mod simulate;
mod standing;
mod status;
mod stderr_log;
mod table;
mod timeline;
mod why;
mod words;
mod worktree;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::sidecar::config::Environment;
use crate::sidecar::doctor::{self as trials, Part};
use project::Chosen;

/// Rings the timers of one project and keeps its ledger, for editors and desktop apps.
///
/// An editor spawns `sexton --stdio` for each of its windows and speaks JSON-RPC with it, like with a language
/// server. However many windows are open, one of them fires.
#[derive(Parser)]
#[command(name = "sexton", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Subcommand)]
enum Command {
    // In the order in which `sexton --help` tells them: what people do first.
    /// Shows how a project stands: who rings its bell, what is at work, what is due, what asks for you, what went wrong.
    Status(status::StatusArgs),
    /// Lists the automations of a project: when each is due, and how its last run ended.
    List(list::ListArgs),
    /// Shows an automation or a run in full.
    Show(show_one::ShowArgs),
    /// Adds an automation: what is to be done, and when.
    ///
    /// For example: sexton add "Morning tests" --cron "0 9 * * 1-5" -- cargo test
    Add(Box<add::AddArgs>),
    /// Changes an automation: only what is said changes. Without any flag, an editor is opened on a terminal.
    Edit(Box<edit::EditArgs>),
    /// Lets automations rest: nothing of them is due, and nothing is missed.
    Pause(rest::PauseArgs),
    /// Has automations go on that rest.
    Resume(rest::WhichArgs),
    /// Deletes automations.
    Rm(remove::RemoveArgs),
    /// Has an automation carried out now: by a window that is open, or right here.
    Run(run::RunArgs),
    /// Lists runs, newest first: what became of them, when, how long it took, and why.
    Runs(runs::RunsArgs),
    /// Writes what a run has written, and follows what it writes.
    Log(log::LogArgs),
    /// Answers what a run asks, or shows what that is.
    Answer(answer::AnswerArgs),
    /// Ends a run, wherever it is carried out, and waits until its work has gone.
    Cancel(cancel::CancelArgs),
    /// Tells why an automation ran when it did, or why it did not.
    Why(why::WhyArgs),
    /// Shows when a schedule fires next: a crontab expression, or an interval.
    ///
    /// Nothing is stored, and no project is needed.
    Next(next::NextArgs),
    /// Shows what will become of scheduled times, and what that will cost.
    ///
    /// It is worked out by what the scheduler itself does, with each run as long as those before it; a window is assumed
    /// to be open all the time.
    Simulate(simulate::SimulateArgs),
    /// Shows what ran and what will run as bars, on the terminal or as a page for a browser.
    Timeline(timeline::TimelineArgs),
    /// Writes automations into a document that another project can take over.
    ///
    /// They are due there at the same times. Values of environments are left out, and their names are told; what a
    /// program reads, and what stands in its arguments, is not.
    Export(export::ExportArgs),
    /// Takes automations over from a document that `sexton export` has written.
    Import(import::ImportArgs),
    /// Looks after the worktrees in which automations work.
    #[command(subcommand)]
    Worktree(worktree::WorktreeCommand),
    /// Tells whether a project's ledger is sound and whether this machine can be relied on, what is wrong, and what to
    /// do. Changes nothing, also while windows are open.
    Doctor(doctor::DoctorArgs),
    /// Serves one window, or, with --headless, a project that has no window open.
    Serve(ServeArgs),
    /// Serves the Model Context Protocol on stdin and stdout: tools with which agents create and manage automations.
    Mcp(mcp::McpArgs),
    /// Shows two windows at work on a scratch project, one of which is killed: what an editor sends, what it is told,
    /// what is recorded.
    Demo,
    /// Prints what the protocol is, for programs: an OpenRPC document or JSON Schemas.
    Schema(schema::SchemaArgs),
    /// Prints a script that has a shell complete commands and flags.
    ///
    /// For bash: sexton completions bash > ~/.local/share/bash-completion/completions/sexton
    Completions(completions::CompletionsArgs),
    /// Plays the other process when `doctor` tries something.
    #[command(hide = true)]
    Trial {
        #[arg(value_parser = Part::named)]
        part: Part,
        file: PathBuf,
    },
}

#[derive(Args)]
struct ServeArgs {
    /// Speaks JSON-RPC on stdin and stdout.
    #[arg(long)]
    stdio: bool,
    /// Carries out a project's automations with no window open, until a signal asks it to end. Logs to stderr.
    #[arg(long, conflicts_with = "stdio")]
    headless: bool,
    /// With --headless: the project's directory [default: the working directory].
    #[arg(long, value_name = "DIRECTORY")]
    project: Option<PathBuf>,
    /// With --headless: where ledgers are kept [default: SEXTON_STATE_DIR, else this user's usual place]. It has to be
    /// the place where windows keep theirs.
    #[arg(long, value_name = "DIRECTORY")]
    state_directory: Option<PathBuf>,
    /// Flags that editor libraries append, such as --clientProcessId=N. They are ignored.
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    appended: Vec<String>,
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    if is_for_a_window() {
        return serve::run(Environment::of_process());
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(shown) => {
            // Help goes to stdout and mistakes to stderr; a closed pipe changes nothing any more.
            let _ = shown.print();
            return if shown.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let environment = Environment::of_process();
    match cli.command {
        Some(Command::Answer(args)) => answer::run(environment, args),
        Some(Command::Cancel(args)) => cancel::run(environment, args),
        Some(Command::Demo) => demo::run(),
        Some(Command::Doctor(args)) => doctor::run(environment, args),
        Some(Command::Add(args)) => add::run(environment, *args),
        Some(Command::Completions(args)) => completions::run(&args, Cli::command()),
        Some(Command::Edit(args)) => edit::run(environment, *args),
        Some(Command::Pause(args)) => rest::pause(environment, args),
        Some(Command::Resume(args)) => rest::resume(environment, args),
        Some(Command::Rm(args)) => remove::run(environment, args),
        Some(Command::Export(args)) => export::run(environment, args),
        Some(Command::Import(args)) => import::run(environment, args),
        Some(Command::List(args)) => list::run(environment, args),
        Some(Command::Show(args)) => show_one::run(environment, args),
        Some(Command::Trial { part, file }) => trials::play(part, &file),
        Some(Command::Log(args)) => log::run(environment, args),
        Some(Command::Mcp(args)) => mcp::run(&environment, args),
        Some(Command::Next(args)) => next::run(&environment, &args),
        Some(Command::Run(args)) => run::run(environment, args),
        Some(Command::Runs(args)) => runs::run(environment, args),
        Some(Command::Schema(args)) => schema::run(&args),
        Some(Command::Simulate(args)) => simulate::run(environment, args),
        Some(Command::Status(args)) => status::run(environment, args),
        Some(Command::Timeline(args)) => timeline::run(environment, args),
        Some(Command::Why(args)) => why::run(environment, args),
        Some(Command::Worktree(command)) => worktree::run(environment, command),
        Some(Command::Serve(args)) => serve(environment, args),
        None => serve(environment, cli.serve),
    }
}

/// Whether an editor starts this for one of its windows, without anything else. It waits for the answer, and what all
/// commands take need not be known for that.
fn is_for_a_window() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().is_some_and(|only| only == "--stdio") && arguments.next().is_none()
}

fn serve(environment: Environment, args: ServeArgs) -> ExitCode {
    let appended = |name: &str| args.appended.iter().any(|argument| argument == name);
    let on_stdio = args.stdio || appended("--stdio");
    // What follows a flag that is not ours may be its value.
    let unknown = args.appended.first().filter(|argument| !argument.starts_with("--"));
    match (args.headless || appended("--headless"), on_stdio, unknown) {
        (_, _, Some(unknown)) => {
            complain(&format!("there is no command {unknown:?}; `sexton --help` lists them"))
        }
        (true, true, None) => complain("say --stdio to serve a window or --headless to serve without one"),
        (true, false, None) => match args.appended.first() {
            // Nobody appends anything here: it is a mistake of whoever wrote the line.
            Some(unknown) => {
                complain(&format!("--headless knows no {unknown:?}; `sexton serve --help` lists its options"))
            }
            None => {
                let served = Chosen { project: args.project, state_directory: args.state_directory };
                headless::run(environment, served)
            }
        },
        (false, _, None) if args.project.is_some() || args.state_directory.is_some() => complain(
            "--project and --state-directory go with --headless; a window says these things in `initialize`",
        ),
        (false, false, None) => complain(
            "say --stdio to serve a window, --headless to serve without one, or see `sexton --help` for what people type",
        ),
        (false, true, None) => serve::run(environment),
    }
}

/// Says on stderr what is wrong and what to do: the arguments are to be changed.
fn complain(sentence: &str) -> ExitCode {
    tell(sentence);
    ExitCode::from(2)
}

/// Says on stderr why this process ends. Names and words of others may be in it, which steer nothing.
fn tell(sentence: &str) {
    use std::io::Write;
    // Nobody may read stderr; the exit code tells as well.
    let _ = writeln!(std::io::stderr(), "sexton: {}", crate::domain::one_line::plain_lines(sentence));
}
