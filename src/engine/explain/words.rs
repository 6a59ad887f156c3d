//! The words that explanations are made of.

use crate::domain::automation::{Actor, Pause, PauseReason};
use crate::domain::one_line::one_line;
use crate::domain::refusal::StorageReason;
use crate::domain::schedule::local_time;
use crate::domain::schedule::zone::Zone;
use crate::domain::time::Timestamp;

/// How much of a text of somebody else's goes into a sentence, in characters.
const QUOTED: usize = 200;

/// Says times as the clocks of a zone show them.
pub(super) struct Clocks {
    zone: Zone,
}

impl Clocks {
    pub(super) fn of(zone: Zone) -> Clocks {
        Clocks { zone }
    }

    /// The date and the time.
    pub(super) fn at(&self, at: Timestamp) -> String {
        local_time(&self.zone, at)
    }

    /// The same, without the date where that is the date of what was named before.
    pub(super) fn after(&self, named: Timestamp, at: Timestamp) -> String {
        let (named, text) = (self.at(named), self.at(at));
        match (named.split_once(' '), text.split_once(' ')) {
            (Some((day, _)), Some((same, time))) if day == same => time.to_owned(),
            (_, _) => text,
        }
    }

    /// The date alone.
    pub(super) fn date(&self, at: Timestamp) -> String {
        let text = self.at(at);
        text.split_once(' ').map_or_else(|| text.clone(), |(day, _)| day.to_owned())
    }

    /// From when to when.
    pub(super) fn span(&self, named: Timestamp, from: Timestamp, to: Timestamp) -> String {
        format!("from {} to {}", self.after(named, from), self.after(from, to))
    }
}

/// A length of time, in its two largest units: `2 hours 5 minutes`.
pub(super) fn length(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let units = [
        ("day", seconds / 86_400),
        ("hour", seconds / 3600 % 24),
        ("minute", seconds / 60 % 60),
        ("second", seconds % 60),
    ];
    let first = units.iter().position(|(_, count)| *count > 0).unwrap_or(units.len() - 1);
    let told =
        units[first..].iter().take(2).enumerate().filter(|(place, (_, count))| *place == 0 || *count > 0);
    told.map(|(_, (unit, count))| counted(count.unsigned_abs(), unit)).collect::<Vec<_>>().join(" ")
}

/// `1 run`, `2 runs`.
pub(super) fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// A text of somebody else's, on one line and of bounded length.
pub(super) fn quoted(text: &str) -> String {
    format!("“{}”", one_line(text, QUOTED))
}

/// What somebody else wrote, as a part of a sentence: on one line, of bounded length, without a full stop.
pub(super) fn inserted(text: &str) -> String {
    one_line(text, QUOTED).trim_end_matches('.').to_owned()
}

/// Who did something: the application, or the window where that has not said its name.
pub(super) fn who(actor: &Actor) -> String {
    match &actor.client {
        Some(client) => quoted(&inserted(client)),
        None => format!("window {}", actor.instance),
    }
}

/// The same in a list, where windows of one application are told apart.
pub(super) fn which(actor: &Actor) -> String {
    match &actor.client {
        Some(_) => format!("{} (window {})", who(actor), actor.instance),
        None => who(actor),
    }
}

/// ` by …`, if it is known by whom.
pub(super) fn by(actor: Option<&Actor>) -> String {
    actor.map_or_else(String::new, |actor| format!(" by {}", who(actor)))
}

/// What somebody has written with what they did.
pub(super) fn note(note: Option<&str>) -> String {
    match note.map(inserted).filter(|note| !note.is_empty()) {
        Some(note) => format!(" ({})", quoted(&note)),
        None => String::new(),
    }
}

/// How an automation came to be paused: `was paused by …`. When that was comes before the reason and the note.
pub(super) fn paused(pause: &Pause, at: &str) -> String {
    let how = match pause.reason {
        PauseReason::User => format!("was paused{}{at}", by(pause.by.as_ref())),
        PauseReason::Run => format!("was paused by one of its own runs{at}"),
        PauseReason::Failures => format!("paused itself{at} after too many failures in a row"),
        PauseReason::Config => format!("paused itself{at} because of how it is configured"),
        PauseReason::Auth => {
            format!("paused itself{at} because of a login that is missing or not good any more")
        }
        PauseReason::Quota => format!("paused itself{at} because a quota was used up"),
    };
    format!("{how}{}", note(pause.note.as_deref()))
}

/// Why the ledger could not be written.
pub(super) fn storage(reason: Option<StorageReason>) -> &'static str {
    match reason {
        Some(StorageReason::Full) => "the disk was full",
        Some(StorageReason::ReadOnly) => "its directory could not be written",
        Some(StorageReason::Damaged | StorageReason::Unreadable) => "it was damaged",
        Some(StorageReason::Replaced) => "its files had been removed or replaced",
        Some(StorageReason::NewerVersion | StorageReason::NotUnderstood) => {
            "a newer version of sexton had written it"
        }
        Some(StorageReason::Busy) => "another process held it",
        Some(StorageReason::Io) => "its disk reported an error",
        None => "of something that only a newer version of sexton understands",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_in_its_two_largest_units() {
        let told = [0, 999, 1000, 61_000, 3_600_000, 7_500_000, 90_061_000, 172_800_000].map(length);
        assert_eq!(
            told,
            [
                "0 seconds",
                "0 seconds",
                "1 second",
                "1 minute 1 second",
                "1 hour",
                "2 hours 5 minutes",
                "1 day 1 hour",
                "2 days"
            ]
        );
    }

    #[test]
    fn what_others_wrote_goes_into_one_line() {
        assert_eq!(inserted(" no such\n file. "), "no such file");
        assert_eq!(inserted(&"é".repeat(300)), format!("{}…", "é".repeat(199)));
    }
}
