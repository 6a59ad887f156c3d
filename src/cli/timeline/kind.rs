//! What a stretch of a timeline stands for.

use crate::domain::verdict::Verdict;

/// What a stretch stands for, the mildest first: where several fall together, the greatest is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// It was due, and waited or still waits for its start.
    Waited,
    /// It was not wanted: paused, cancelled before it started, with nothing to do.
    LeftOut,
    /// It will be due and not be carried out. Of a rhythm that is faster than its runs every other time is such, so that
    /// what runs beside it says more.
    WillNotRun,
    /// It will be carried out.
    WillRun,
    /// It will be carried out, later than it is due.
    WillRunLate,
    /// Its work was done.
    Succeeded,
    /// A later version knows what it is.
    Unknown,
    /// Another run of the same automation was in its way.
    Overlapped,
    /// Other work was in its way.
    Busy,
    /// Its work goes on.
    Running,
    /// It was ended from outside.
    Stopped,
    /// Nobody was there to start it.
    Missed,
    /// It failed.
    Failed,
    /// It waits for a person.
    Asking,
}

/// How much a kind matters to whoever looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// As it should be.
    Fine,
    /// Not as planned, and nobody need do anything.
    Notable,
    /// Somebody should look.
    Trouble,
}

impl Kind {
    /// All of them, the mildest first.
    pub(super) const ALL: [Kind; 14] = [
        Kind::Waited,
        Kind::LeftOut,
        Kind::WillNotRun,
        Kind::WillRun,
        Kind::WillRunLate,
        Kind::Succeeded,
        Kind::Unknown,
        Kind::Overlapped,
        Kind::Busy,
        Kind::Running,
        Kind::Stopped,
        Kind::Missed,
        Kind::Failed,
        Kind::Asking,
    ];

    /// The order in which a legend names them: what is common first, then what is wrong, then what is to come.
    pub(super) const LEGEND: [Kind; 14] = [
        Kind::Succeeded,
        Kind::Running,
        Kind::Asking,
        Kind::Failed,
        Kind::Missed,
        Kind::Stopped,
        Kind::Overlapped,
        Kind::Busy,
        Kind::LeftOut,
        Kind::Waited,
        Kind::Unknown,
        Kind::WillRun,
        Kind::WillRunLate,
        Kind::WillNotRun,
    ];

    /// What becomes of a scheduled time that is to come.
    pub(super) fn of_foreseen(outcome: Verdict) -> Kind {
        match outcome {
            Verdict::Ran => Kind::WillRun,
            Verdict::RanLate | Verdict::Waiting => Kind::WillRunLate,
            Verdict::NotStarted
            | Verdict::Missed
            | Verdict::Overlapped
            | Verdict::Busy
            | Verdict::Paused
            | Verdict::Ended
            | Verdict::Deleted
            | Verdict::Pruned
            | Verdict::Future
            | Verdict::NotScheduled => Kind::WillNotRun,
        }
    }

    /// It in a word or two.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::Waited => "waited",
            Kind::LeftOut => "left out",
            Kind::WillRun => "will run",
            Kind::WillRunLate => "will run late",
            Kind::WillNotRun => "will not run",
            Kind::Succeeded => "ran",
            Kind::Unknown => "of a newer version",
            Kind::Overlapped => "overlapped",
            Kind::Busy => "busy",
            Kind::Running => "running",
            Kind::Stopped => "stopped",
            Kind::Missed => "missed",
            Kind::Failed => "failed",
            Kind::Asking => "waits for you",
        }
    }

    pub(super) const fn weight(self) -> Weight {
        match self {
            Kind::Waited | Kind::LeftOut | Kind::WillRun | Kind::Succeeded | Kind::Running => Weight::Fine,
            Kind::WillRunLate
            | Kind::WillNotRun
            | Kind::Unknown
            | Kind::Overlapped
            | Kind::Busy
            | Kind::Stopped => Weight::Notable,
            Kind::Missed | Kind::Failed | Kind::Asking => Weight::Trouble,
        }
    }

    /// Whether it is one of what is still to come.
    pub(super) const fn is_to_come(self) -> bool {
        match self {
            Kind::WillRun | Kind::WillRunLate | Kind::WillNotRun => true,
            Kind::Waited
            | Kind::LeftOut
            | Kind::Succeeded
            | Kind::Unknown
            | Kind::Overlapped
            | Kind::Busy
            | Kind::Running
            | Kind::Stopped
            | Kind::Missed
            | Kind::Failed
            | Kind::Asking => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_kinds_and_the_legend_names_each_once() {
        assert!(Kind::ALL.is_sorted_by(|one, next| one < next));
        let mut named = Kind::LEGEND;
        named.sort();
        assert_eq!(named, Kind::ALL);
    }

    #[test]
    fn everything_that_is_foreseen_is_to_come() {
        for verdict in Verdict::ALL {
            assert!(Kind::of_foreseen(verdict).is_to_come(), "{verdict:?}");
        }
    }
}
