//! The part of a draft that says when.

use super::{Surroundings, kept, limits};
use crate::domain::automation::When;
use crate::domain::fault::{Fault, Word};
use crate::domain::fields::{Faults, Fields};
use crate::domain::schedule::cron::Cron;
use crate::domain::schedule::rhythm::{Rhythm, Stop};
use crate::domain::schedule::zone::{UnknownZone, Zone};
use crate::domain::sent::SentObject;
use crate::domain::time::Timestamp;

pub(super) fn read_when(
    fields: &mut Fields<'_>,
    around: Surroundings<'_>,
    current: Option<&When>,
) -> Option<When> {
    #[derive(Clone, Copy)]
    enum Kind {
        Oneshot,
        Recurring,
    }
    let kind = fields.choice("kind", &[("oneshot", Kind::Oneshot), ("recurring", Kind::Recurring)]);
    let kind = fields.require("kind", kind);
    let another = kind.is_some() && current.is_some() && !fields.unchanged("kind");
    if another {
        let hint = "delete this automation and create one of the other kind";
        fields.fault_hint("kind", Word::UnsupportedKindChange, hint);
    }
    let Some(kind) = kind.filter(|_| !another) else {
        // Without a kind nobody can say whether these belong there, but what is wrong inside them is wrong anyway.
        fields.instant("fireAt");
        if fields.has("rhythm") && !fields.unchanged("rhythm") {
            read_rhythm(fields, around.limits.min_interval_ms);
        }
        if fields.has("stop") && !fields.unchanged("stop") {
            read_stop(fields);
        }
        return None;
    };
    match kind {
        Kind::Oneshot => {
            let known = current.and_then(|current| match current {
                When::Oneshot { fire_at } => Some(fire_at),
                When::Recurring { .. } => None,
            });
            let fire_at = kept(fields, "fireAt", known).or_else(|| read_fire_at(fields, around.now));
            for name in ["rhythm", "stop"] {
                if fields.any(name).is_some() {
                    fields.fault(name, Word::UnsupportedForOneshotAutomation);
                }
            }
            Some(When::Oneshot { fire_at: fire_at? })
        }
        Kind::Recurring => {
            if fields.any("fireAt").is_some() {
                fields.fault("fireAt", Word::UnsupportedForRecurringAutomation);
            }
            let known = current.and_then(|current| match current {
                When::Recurring { rhythm, stop } => Some((rhythm, stop)),
                When::Oneshot { .. } => None,
            });
            let rhythm = kept(fields, "rhythm", known.map(|(rhythm, _)| rhythm))
                .or_else(|| read_rhythm(fields, around.limits.min_interval_ms));
            let stop = kept(fields, "stop", known.map(|(_, stop)| stop)).or_else(|| read_stop(fields));
            Some(When::Recurring { rhythm: rhythm?, stop: stop? })
        }
    }
}

fn read_fire_at(fields: &mut Fields<'_>, now: Timestamp) -> Option<Timestamp> {
    let fire_at = fields.instant("fireAt");
    let fire_at = fields.require("fireAt", fire_at)?;
    if let Err(fault) = check_fire_at(&fields.path("fireAt"), fire_at, now) {
        fields.fault_hint("fireAt", fault.message, fault.hint.unwrap_or_default());
    }
    Some(fire_at)
}

pub(super) fn check_fire_at(field: &str, fire_at: Timestamp, now: Timestamp) -> Result<(), Fault> {
    if fire_at > now {
        return Ok(());
    }
    let hint = format!("it is {now} now; write a later time, in milliseconds since 1970-01-01T00:00:00Z");
    Err(Fault::with_hint(field, Word::FireAtMustBeFuture, hint))
}

pub(super) fn read_timezone(fields: &mut Fields<'_>, machine_zone: &str) -> Option<String> {
    if !fields.has("timezone") {
        return Some(machine_zone.to_owned());
    }
    let name = fields.required_text("timezone")?;
    match Zone::named(name) {
        Ok(zone) => Some(zone.name().to_owned()),
        Err(UnknownZone { .. }) => {
            fields.fault_hint(
                "timezone",
                Word::InvalidTimezone,
                "write the IANA name of a zone, such as Europe/Berlin or UTC",
            );
            None
        }
    }
}

fn read_rhythm(fields: &mut Fields<'_>, min_interval_ms: i64) -> Option<Rhythm> {
    #[derive(Clone, Copy)]
    enum Kind {
        Interval,
        Cron,
    }
    let rhythm = fields.object("rhythm");
    let mut rhythm = fields.require("rhythm", rhythm)?;
    let kind = rhythm.choice("kind", &[("interval", Kind::Interval), ("cron", Kind::Cron)]);
    let read = match rhythm.require("kind", kind)? {
        Kind::Interval => {
            let every_ms = rhythm.integer("everyMs", i64::MIN..=i64::MAX);
            let every_ms = rhythm.require("everyMs", every_ms);
            let anchor_at = rhythm.instant("anchorAt");
            let hint = format!("write a whole number from {min_interval_ms} to {}", limits::INTERVAL_MS);
            match every_ms {
                Some(every_ms) if every_ms < min_interval_ms => {
                    rhythm.fault_hint("everyMs", Word::IntervalBelowMinimum, hint);
                    None
                }
                Some(every_ms) if every_ms > limits::INTERVAL_MS => {
                    rhythm.fault_hint("everyMs", Word::OutOfRange, hint);
                    None
                }
                every_ms => every_ms.map(|every_ms| Rhythm::Interval { every_ms, anchor_at }),
            }
        }
        Kind::Cron => read_expression(&mut rhythm).map(Rhythm::Cron),
    };
    rhythm.finish(Word::UnsupportedAutomationField, |_| None);
    read
}

fn read_expression(rhythm: &mut Fields<'_>) -> Option<Cron> {
    let expression = rhythm.required_text("expression")?;
    if expression.len() > limits::EXPRESSION_BYTES {
        let hint = format!("use at most {} bytes", limits::EXPRESSION_BYTES);
        rhythm.fault_hint("expression", Word::TooLong, hint);
        return None;
    }
    match Cron::parse(expression) {
        Ok(cron) => Some(cron),
        Err(fault) => {
            let hint = match &fault.hint {
                Some(way_out) => format!("{}; {way_out}", fault.message.trim_end_matches('.')),
                None => fault.message,
            };
            rhythm.fault_hint("expression", Word::InvalidCronExpression, hint);
            None
        }
    }
}

fn read_stop(fields: &mut Fields<'_>) -> Option<Stop> {
    #[derive(Clone, Copy)]
    enum Kind {
        Never,
        Count,
        Until,
    }
    if !fields.has("stop") {
        return Some(Stop::Never);
    }
    let mut stop = fields.object("stop")?;
    if stop.says("kind", "condition") {
        fields.fault_hint(
            "stop",
            Word::UnsupportedStopCondition,
            "let the run itself pause its automation when the condition is met",
        );
        return None;
    }
    let kind = stop.choice("kind", &[("never", Kind::Never), ("count", Kind::Count), ("until", Kind::Until)]);
    let read = match stop.require("kind", kind)? {
        Kind::Never => Some(Stop::Never),
        Kind::Count => {
            let count = stop.integer("count", 1..=limits::STOP_COUNT);
            stop.require("count", count).map(|count| Stop::Count(count.unsigned_abs()))
        }
        Kind::Until => {
            let at = stop.instant("at");
            stop.require("at", at).map(Stop::Until)
        }
    };
    stop.finish(Word::UnsupportedAutomationField, |_| None);
    read
}

/// A schedule without an automation, as `automation/preview` takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleDraft {
    /// When it would be due.
    pub when: When,
    /// In which zone.
    pub timezone: String,
    /// After which time fires are wanted; none for now.
    pub after: Option<Timestamp>,
    /// How many are wanted.
    pub count: usize,
}

/// Reads the parameters of `automation/preview`: either a `fireAt` or a `rhythm`.
///
/// # Errors
/// All faults, in the order in which the contract lists the fields.
pub fn read_preview(params: &SentObject, around: Surroundings<'_>) -> Result<ScheduleDraft, Vec<Fault>> {
    let faults = Faults::new();
    let mut fields = Fields::root(params, &faults);
    let when = if fields.has("fireAt") {
        for name in ["rhythm", "stop"] {
            if fields.any(name).is_some() {
                fields.fault(name, Word::UnsupportedForOneshotAutomation);
            }
        }
        fields.instant("fireAt").map(|fire_at| When::Oneshot { fire_at })
    } else {
        let rhythm = read_rhythm(&mut fields, around.limits.min_interval_ms);
        let stop = read_stop(&mut fields);
        rhythm.zip(stop).map(|(rhythm, stop)| When::Recurring { rhythm, stop })
    };
    let timezone = read_timezone(&mut fields, around.machine_zone);
    let after = fields.instant("after");
    let count = fields.integer("count", 1..=limits::PREVIEW_FIRES).unwrap_or(5);
    fields.finish(Word::UnsupportedAutomationField, |_| None);
    match (when, timezone, faults.take()) {
        (Some(when), Some(timezone), faults) if faults.is_empty() => {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            Ok(ScheduleDraft { when, timezone, after, count })
        }
        (_, _, faults) => Err(faults),
    }
}
