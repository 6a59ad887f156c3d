//! Looks at a project's ledger and at the machine that it is on, without opening it as a window does.
//!
//! To look changes nothing and keeps nobody from anything: what is tried is tried in a directory of its own, which goes
//! again. Only a repair ([`Doctor::repair`]) changes something.

mod environment;
mod ledger;
mod outputs;
mod repair;
mod trials;

use std::path::PathBuf;

use super::clock::Clock;
use super::compose::VERSION;
use super::config::Environment;
use super::located::Located;
use crate::domain::diagnosis::{Check, DoctorReport, Finding, Outcome, Severity, Subject};
use crate::exec::GuardProgram;
use crate::rpc::initialize::InitializeParams;

pub use trials::{Part, play};

/// What is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The machine and the ledger.
    Everything,
    /// The ledger alone.
    Ledger,
}

/// Looks at one project.
pub struct Doctor {
    environment: Environment,
    project: String,
    state: PathBuf,
    guard: GuardProgram,
}

impl Doctor {
    /// For the project that a window with these parameters would open.
    ///
    /// # Errors
    /// A sentence if what is named cannot be used.
    pub fn of(
        environment: Environment,
        working_directory: PathBuf,
        params: &InitializeParams,
        guard: GuardProgram,
    ) -> Result<Doctor, String> {
        let located = Located::of(params, &environment, &working_directory);
        let located = located.map_err(|refusal| refusal.of_arguments())?;
        let state = located.state();
        Ok(Doctor { environment, project: located.project.directory, state, guard })
    }

    /// Looks, and tells what was found.
    pub async fn examine(&self, scope: Scope) -> DoctorReport {
        let examined = ledger::examine(&self.state);
        let mut checks = match scope {
            Scope::Everything => self.examine_environment(&examined).await,
            Scope::Ledger => Vec::new(),
        };
        checks.extend(examined.checks);
        let sound = checks.iter().all(|check| check.count(Severity::Problem) == 0);
        DoctorReport {
            version: VERSION.to_owned(),
            project: self.project.clone(),
            state_directory: self.state.to_string_lossy().into_owned(),
            at: Clock.now(),
            sound,
            checks,
            repair: None,
        }
    }

    async fn examine_environment(&self, examined: &ledger::Examined) -> Vec<Check> {
        let mut checks = vec![environment::state_directory(&self.state)];
        let subjects = [Subject::Locks, Subject::Watcher, Subject::Guards];
        match trials::Place::below(environment::nearest(&self.state)) {
            Ok(place) => {
                checks.push(trials::locks(&place).await);
                checks.push(trials::watcher(&place).await);
                checks.push(trials::guards(&place, &self.guard).await);
            }
            Err(error) => {
                if let Some(first) = checks.first_mut()
                    && first.outcome != Outcome::Problem
                {
                    first.find(cannot_be_written(&error));
                }
                let why = "nothing can be written where it would be tried";
                checks.extend(subjects.map(|subject| Check::not_made(subject, why)));
            }
        }
        checks.push(environment::clock(examined.times.as_ref()));
        checks.push(environment::zone_data());
        checks.push(environment::sqlite());
        checks.push(environment::git(&self.project, examined.needs_git).await);
        checks.push(environment::configuration(&self.environment));
        checks
    }
}

fn cannot_be_written(error: &std::io::Error) -> Finding {
    Finding::problem(
        format!("nothing can be written in it: {error}"),
        "no window can open the project",
        "make the directory writable for this user and free some space, or choose another with SEXTON_STATE_DIR",
    )
}
