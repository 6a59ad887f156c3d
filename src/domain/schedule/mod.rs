//! What a schedule means: when something fires, and when it does not.
//!
//! [`cron`] reads five-field expressions and finds their fires, [`zone`] knows the clocks of the world, and
//! [`rhythm`] puts them together with intervals, one-shots and ends. [`describe`] says it in words, and [`notes`] what
//! surprises people in single fires; [`why_not`] says of a time that is no slot why it is none. [`typed`] reads times as
//! people type them, and [`clock`] finds the round ones of a span. Nothing here asks for the time.
//!
//! Cron expressions mean what they mean in the crontab of Debian's cron 3.0pl1, clock changes included: an
//! expression whose minute or hour begins with `*` follows real time, any other one fires once for every
//! local time it names. The offset of a zone changes through the zone database and in no other way.

mod calendar;
pub mod clock;
pub mod cron;
pub mod describe;
mod local;
pub mod notes;
pub mod rhythm;
mod stored;
pub mod typed;
pub mod why_not;
pub mod zone;

pub use local::{local_time, local_time_with_offset, weekday_of};
