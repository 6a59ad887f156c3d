//! How an automation stands, as lists and cards tell it.

use super::show::Tone;
use crate::client::model::Automation;
use crate::domain::automation::{Pause, PauseReason};
use crate::domain::one_line::one_line;
use crate::domain::schedule::zone::Zone;
use crate::domain::shown::ShownAutomation;

/// The most characters of a note.
const NOTE: usize = 400;

/// When it is due, in words. The zone is left out where it is that of the machine, in whose time people think.
pub(super) fn when(automation: &Automation) -> String {
    let Some(known) = automation.known() else { return "written by a newer sexton".to_owned() };
    let words = when_with_zone(known);
    let of_machine = format!(", {}", Zone::machine());
    words.replacen(&of_machine, "", 1)
}

/// The same with its zone.
pub(super) fn when_with_zone(automation: &ShownAutomation) -> String {
    let timezone = &automation.definition.timezone;
    match Zone::named(timezone) {
        Ok(zone) => automation.definition.when.in_words(&zone),
        Err(_) => format!("by the clocks of {timezone}, which this machine does not know"),
    }
}

/// Why it is paused, in a word or two.
pub(super) fn pause_reason(reason: PauseReason) -> (&'static str, Tone) {
    match reason {
        PauseReason::User => ("by hand", Tone::Usual),
        PauseReason::Failures => ("it failed too often", Tone::Bad),
        PauseReason::Config => ("it cannot run as it is", Tone::Bad),
        PauseReason::Auth => ("a login is missing", Tone::Bad),
        PauseReason::Quota => ("a quota is used up", Tone::Bad),
        PauseReason::Run => ("its run said so", Tone::Usual),
    }
}

/// What was noted when it was paused.
pub(super) fn note(pause: &Pause) -> Option<String> {
    pause.note.as_deref().map(|note| one_line(note, NOTE)).filter(|note| !note.is_empty())
}
