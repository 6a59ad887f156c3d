//! `sexton doctor`: is the ledger sound, can this machine be relied on, what is wrong, and what to do.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;

use super::process::{block_on, log_to_stderr};
use super::project::Chosen;
use super::{complain, tell};
use crate::domain::diagnosis::{Check, DoctorReport, Finding, Outcome, Repair, Severity};
use crate::domain::scheduler::Role;
use crate::exec::GuardProgram;
use crate::sidecar::config::Environment;
use crate::sidecar::doctor::{Doctor, Scope};

/// What it calls itself.
const CLIENT: &str = "doctor";

/// What is logged if nobody chooses.
const LOGGED: &str = "warn";

#[derive(Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// Looks at the ledger only, not at the machine.
    #[arg(long)]
    audit: bool,
    /// Mends a ledger whose files are damaged, lost or not the right ones, while no window has the project open. Indexes
    /// are made anew. Otherwise the damaged files are moved to `damaged` in the state directory, and a new ledger
    /// begins with the automations that can be read, all of them paused.
    #[arg(long)]
    repair: bool,
    /// Prints what was found as JSON, as `sexton schema doctor` describes it.
    #[arg(long)]
    json: bool,
}

/// Looks, after the repair if that is wanted. The exit code is 0 if no problem is left, 1 if one is, and 2 where what was named cannot be used.
pub(super) fn run(environment: Environment, args: DoctorArgs) -> ExitCode {
    log_to_stderr(&environment, LOGGED);
    let doctor = match doctor(environment, args.chosen) {
        Ok(doctor) => doctor,
        Err(why) => return complain(&why),
    };
    let scope = if args.audit { Scope::Ledger } else { Scope::Everything };
    let repair = args.repair.then(|| doctor.repair());
    let report = match block_on(async { Ok(doctor.examine(scope).await) }) {
        Ok(report) => DoctorReport { repair, ..report },
        Err(error) => {
            tell(&format!("nothing can be looked at: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut out = io::stdout().lock();
    let shown = match args.json {
        true => serde_json::to_writer_pretty(&mut out, &report)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
        false => show(&mut out, &report),
    };
    match shown {
        // Who reads only the beginning has what was wanted.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            tell(&format!("what was found cannot be told: {error}"));
            ExitCode::FAILURE
        }
        Ok(()) | Err(_) if report.sound && !matches!(report.repair, Some(Repair::Refused { .. })) => {
            ExitCode::SUCCESS
        }
        Ok(()) | Err(_) => ExitCode::FAILURE,
    }
}

/// The error is about what was named.
fn doctor(environment: Environment, chosen: Chosen) -> Result<Doctor, String> {
    let params = chosen.introduce(&environment, CLIENT, Role::Observer)?;
    let here = std::env::current_dir().map_err(|error| format!("there is no working directory: {error}"))?;
    let guard = GuardProgram::this_binary()
        .map_err(|error| format!("the system does not tell where this program is: {error}"))?;
    Doctor::of(environment, here, &params, guard)
}

fn show(out: &mut impl Write, report: &DoctorReport) -> io::Result<()> {
    writeln!(out, "{}", report.project)?;
    let (environment, ledger): (Vec<&Check>, Vec<&Check>) =
        report.checks.iter().partition(|check| check.subject.is_environment());
    for (title, checks) in [("Environment", environment), ("Ledger", ledger)] {
        if !checks.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        for check in checks.iter().filter(|check| check.outcome != Outcome::NotMade) {
            show_check(out, check)?;
        }
        show_what_was_not_looked_at(out, &checks)?;
    }
    if let Some(repair) = &report.repair {
        writeln!(out, "\nRepair")?;
        show_repair(out, repair)?;
    }
    writeln!(out, "\n{}", conclusion(report))
}

fn show_repair(out: &mut impl Write, repair: &Repair) -> io::Result<()> {
    match repair {
        Repair::Nothing { why } => writeln!(out, "  nothing was done: {why}"),
        Repair::Refused { why } => writeln!(out, "  NOT DONE: {why}"),
        Repair::IndexesRebuilt { copied_to } => {
            writeln!(out, "  indexes and triggers were made anew; nothing that was recorded is lost")?;
            writeln!(out, "  the database as it was is in {copied_to}")
        }
        Repair::NewLedger { moved_to, salvaged, lost } => {
            writeln!(
                out,
                "  a new ledger stands in the place of the damaged one, whose files are in {moved_to}"
            )?;
            match salvaged.len() {
                0 => writeln!(out, "  no automation could be taken over")?,
                _ => writeln!(out, "  taken over, and paused until you resume them:")?,
            }
            for taken in salvaged {
                writeln!(out, "    {} “{}”", taken.id, taken.title)?;
            }
            if !lost.is_empty() {
                writeln!(out, "  not taken over:")?;
            }
            for lost in lost {
                writeln!(out, "    {lost}")?;
            }
            writeln!(
                out,
                "  not in the new ledger, and kept only in {moved_to}: runs, their outputs, events, and the history of automations"
            )
        }
    }
}

/// What one thing kept from being looked at stands on one line.
fn show_what_was_not_looked_at(out: &mut impl Write, checks: &[&Check]) -> io::Result<()> {
    let mut left: Vec<&Check> =
        checks.iter().copied().filter(|check| check.outcome == Outcome::NotMade).collect();
    while let Some(why) = left.first().map(|check| check.summary.as_str()) {
        let (same, others): (Vec<&Check>, Vec<&Check>) = left.iter().partition(|check| check.summary == why);
        let titles: Vec<&str> = same.iter().map(|check| check.subject.title()).collect();
        writeln!(out, "  not looked at: {}, because {why}", titles.join(", "))?;
        left = others;
    }
    Ok(())
}

fn show_check(out: &mut impl Write, check: &Check) -> io::Result<()> {
    let outcome = match check.outcome {
        Outcome::Ok => "ok",
        Outcome::Warning => "warning",
        Outcome::Problem => "PROBLEM",
        Outcome::NotMade => "no look",
    };
    writeln!(out, "  {outcome:<8} {:<16} {}", check.subject.title(), check.summary)?;
    for finding in &check.findings {
        show_finding(out, finding)?;
    }
    for (more, what) in [(check.more_problems, "problem"), (check.more_warnings, "warning")] {
        match more {
            0 => {}
            1 => writeln!(out, "    and 1 more {what}")?,
            more => writeln!(out, "    and {more} more {what}s")?,
        }
    }
    Ok(())
}

fn show_finding(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    match &finding.at {
        Some(at) => writeln!(out, "    {at}: {}", finding.what)?,
        None => writeln!(out, "    {}", finding.what)?,
    }
    writeln!(out, "      so: {}", finding.matters)?;
    writeln!(out, "      do: {}", finding.remedy)
}

fn conclusion(report: &DoctorReport) -> String {
    let counted = |number: u64, noun: &str| match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        more => format!("{more} {noun}s"),
    };
    let problems = counted(report.count(Severity::Problem), "problem");
    let warnings = counted(report.count(Severity::Warning), "warning");
    format!("{problems}, {warnings}")
}
