//! What is found by whoever examines a ledger and the machine that it is on: what is sound, what is wrong, and what to
//! do about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Findings of one check and one severity that are told one by one. A damage that shows in one place often shows in thousands, and
/// nobody reads more than the first of them.
pub const FINDINGS_TOLD: usize = 10;

/// What `sexton doctor --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// The version of sexton that has looked.
    pub version: String,
    /// The project's directory.
    pub project: String,
    /// Where its ledger is kept.
    pub state_directory: String,
    /// When this was looked at.
    pub at: Timestamp,
    /// Whether there is no problem. There may be warnings.
    pub sound: bool,
    /// Everything that was looked at, in the order in which it was.
    pub checks: Vec<Check>,
    /// What was repaired, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repair>,
}

impl DoctorReport {
    /// How many findings of this severity there are.
    pub fn count(&self, severity: Severity) -> u64 {
        self.checks.iter().map(|check| check.count(severity)).sum()
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was looked at.
    pub subject: Subject,
    /// What came of it.
    pub outcome: Outcome,
    /// What was seen, in a few words.
    pub summary: String,
    /// What is not as it should be; of many, the first ones.
    pub findings: Vec<Finding>,
    /// Problems beside those in `findings`.
    pub more_problems: u64,
    /// Warnings beside those in `findings`.
    pub more_warnings: u64,
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All is as it should be.
    Ok,
    /// Something is unusual, and the ledger can be relied on all the same.
    Warning,
    /// Something is wrong.
    Problem,
    /// It could not be looked at, because of something else that was found.
    NotMade,
}

/// What may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Where ledgers are kept: that it is there, private, local, and has room.
    StateDirectory,
    /// That a lock keeps others out and goes with its holder.
    Locks,
    /// That a window hears when another one has changed something.
    Watcher,
    /// The machine's clock, beside the times in the ledger.
    Clock,
    /// The data of time zones that schedules are computed with.
    ZoneData,
    /// The library that keeps the ledger.
    Sqlite,
    /// That nothing outlives the end of a run.
    Guards,
    /// The program `git`, where automations need it.
    Git,
    /// The user's configuration file.
    Configuration,
    /// The files of the ledger, and whether they are what its marker tells of.
    Files,
    /// Every page of the database, and every index.
    Pages,
    /// That every row which another one refers to is there.
    References,
    /// That no event is missing, and that each can be read.
    Events,
    /// That each automation can be read and understood, and is due when its schedule says.
    Automations,
    /// That each scheduled time is answered for exactly once.
    Slots,
    /// That runs say what can be, and that somebody has those which have not ended.
    Runs,
    /// Who has the project open, and who has died without being settled.
    Windows,
    /// What runs have written.
    Outputs,
}

impl Subject {
    /// What it is called in a list.
    pub const fn title(self) -> &'static str {
        match self {
            Subject::StateDirectory => "state directory",
            Subject::Locks => "locks",
            Subject::Watcher => "watcher",
            Subject::Clock => "clock",
            Subject::ZoneData => "zone data",
            Subject::Sqlite => "SQLite",
            Subject::Guards => "guards",
            Subject::Git => "git",
            Subject::Configuration => "configuration",
            Subject::Files => "files",
            Subject::Pages => "pages",
            Subject::References => "references",
            Subject::Events => "events",
            Subject::Automations => "automations",
            Subject::Slots => "slots",
            Subject::Runs => "runs",
            Subject::Windows => "windows",
            Subject::Outputs => "outputs",
        }
    }

    /// Whether it is about the machine, and not about the ledger.
    pub const fn is_environment(self) -> bool {
        match self {
            Subject::StateDirectory
            | Subject::Locks
            | Subject::Watcher
            | Subject::Clock
            | Subject::ZoneData
            | Subject::Sqlite
            | Subject::Guards
            | Subject::Git
            | Subject::Configuration => true,
            Subject::Files
            | Subject::Pages
            | Subject::References
            | Subject::Events
            | Subject::Automations
            | Subject::Slots
            | Subject::Runs
            | Subject::Windows
            | Subject::Outputs => false,
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is unusual; nothing is lost, and nothing goes wrong because of it.
    Warning,
    /// It is wrong.
    Problem,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was found, as a sentence without its full stop.
    pub what: String,
    /// What it was found at: an automation, a run, a window or a file. Absent if it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What follows from it, in the same form.
    pub matters: String,
    /// What to do about it, in the same form.
    pub remedy: String,
}

impl Finding {
    /// Something that is wrong.
    pub fn problem(
        what: impl Into<String>,
        matters: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        let (what, matters, remedy) = (what.into(), matters.into(), remedy.into());
        Finding { severity: Severity::Problem, what, at: None, matters, remedy }
    }

    /// Something that is unusual.
    pub fn warning(
        what: impl Into<String>,
        matters: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::problem(what, matters, remedy) }
    }

    /// The same, at this automation, run, window or file.
    #[must_use]
    pub fn at(self, place: impl std::fmt::Display) -> Finding {
        Finding { at: Some(place.to_string()), ..self }
    }
}

impl Check {
    /// A look that has found nothing so far.
    pub fn of(subject: Subject) -> Check {
        Check {
            subject,
            outcome: Outcome::Ok,
            summary: String::new(),
            findings: Vec::new(),
            more_problems: 0,
            more_warnings: 0,
        }
    }

    /// A look that could not be taken.
    pub fn not_made(subject: Subject, why: impl Into<String>) -> Check {
        Check { outcome: Outcome::NotMade, summary: why.into(), ..Check::of(subject) }
    }

    /// The same with what was seen, in a few words.
    #[must_use]
    pub fn seen(self, summary: impl Into<String>) -> Check {
        Check { summary: summary.into(), ..self }
    }

    /// The same with one more finding.
    #[must_use]
    pub fn with(mut self, finding: Finding) -> Check {
        self.find(finding);
        self
    }

    /// Something was found. Of many the first are kept, and the others counted.
    pub fn find(&mut self, finding: Finding) {
        self.outcome = match (self.outcome, finding.severity) {
            (Outcome::Problem, _) | (_, Severity::Problem) => Outcome::Problem,
            (Outcome::Ok | Outcome::Warning | Outcome::NotMade, Severity::Warning) => Outcome::Warning,
        };
        let alike = self.findings.iter().filter(|told| told.severity == finding.severity).count();
        match finding.severity {
            _ if alike < FINDINGS_TOLD => self.findings.push(finding),
            Severity::Problem => self.more_problems += 1,
            Severity::Warning => self.more_warnings += 1,
        }
    }

    /// How many findings of this severity there are.
    pub fn count(&self, severity: Severity) -> u64 {
        let told = self.findings.iter().filter(|finding| finding.severity == severity).count();
        let more = match severity {
            Severity::Problem => self.more_problems,
            Severity::Warning => self.more_warnings,
        };
        u64::try_from(told).unwrap_or(u64::MAX).saturating_add(more)
    }
}

/// What a repair has come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "done", rename_all = "snake_case")]
pub enum Repair {
    /// Nothing, because there is nothing that needs it.
    Nothing {
        /// Why, as a sentence.
        why: String,
    },
    /// Nothing, because it could not be done now.
    Refused {
        /// Why, and what to do, as a sentence.
        why: String,
    },
    /// Indexes and triggers were made anew. Nothing that was recorded is lost.
    #[serde(rename_all = "camelCase")]
    IndexesRebuilt {
        /// Where a copy of the database is as it was.
        copied_to: String,
    },
    /// The damaged ledger was moved aside and a new one stands in its place. Runs, their outputs, events and the history
    /// of automations are not in it: what is left of them was moved aside.
    #[serde(rename_all = "camelCase")]
    NewLedger {
        /// Where everything is that was moved aside.
        moved_to: String,
        /// The automations that the new ledger has, all of them paused.
        salvaged: Vec<Salvaged>,
        /// What could not be read, a sentence each.
        lost: Vec<String>,
    },
}

/// An automation that was taken over into a new ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Salvaged {
    /// Its identity, which is the same as before.
    pub id: super::id::AutomationId,
    /// Its title.
    pub title: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_findings_the_first_are_told_and_all_are_counted() {
        let mut check = Check::of(Subject::Slots);
        check.find(Finding::warning("w", "", ""));
        assert_eq!(check.outcome, Outcome::Warning);
        for _ in 0..=FINDINGS_TOLD {
            check.find(Finding::problem("p", "", ""));
        }
        check.find(Finding::warning("w", "", ""));
        assert_eq!((check.outcome, check.findings.len()), (Outcome::Problem, FINDINGS_TOLD + 2));
        assert_eq!((check.count(Severity::Problem), check.count(Severity::Warning)), (11, 2));
    }
}
