//! Times, and what surrounds a project, as a model reads them and tells them on.

use crate::client::model::Status;
use crate::domain::automation::When;
use crate::domain::schedule::rhythm::Stop;
use crate::domain::schedule::zone::Zone;
use crate::domain::schedule::{local_time, weekday_of};
use crate::domain::scheduler::Role;
use crate::domain::time::Timestamp;

/// The most coming times that are told.
pub(super) const TIMES_TOLD: usize = 3;

/// A time with its weekday and zone: `Monday 2025-01-06 09:00 (Europe/Berlin)`. Models are bad at weekdays.
pub(super) fn by_the_clock(zone: &Zone, at: Timestamp) -> String {
    format!("{} ({zone})", day_and_time(zone, at))
}

/// The same where the zone is told beside it.
pub(super) fn day_and_time(zone: &Zone, at: Timestamp) -> String {
    format!("{} {}", weekday_of(zone, at), local_time(zone, at))
}

/// How many coming times are looked at for what a person should know of them.
pub(super) fn next_times(when: &When) -> usize {
    match when {
        When::Oneshot { .. } | When::Recurring { stop: Stop::Count(1), .. } => 1,
        When::Recurring { stop: Stop::Count(_) | Stop::Until(_) | Stop::Never, .. } => TIMES_TOLD,
    }
}

/// That nothing is rung while nobody has the project open, if so it is.
pub(super) fn nobody_is_there(status: &Status) -> Option<String> {
    (!somebody_is_there(status)).then(|| {
        "No window has this project open now, and nothing happens by itself until one has, or until `sexton serve --headless` runs.".to_owned()
    })
}

/// Whether somebody has the project open who carries out what is due.
pub(super) fn somebody_is_there(status: &Status) -> bool {
    status.instances.iter().any(|instance| instance.role == Some(Role::Participant))
}
