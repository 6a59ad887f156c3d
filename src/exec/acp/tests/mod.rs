//! What holds of a turn, whatever the agent does.

mod asking;
mod ending;
mod probing;
mod starting;
mod working;
