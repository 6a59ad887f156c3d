//! Prompts that a real process carries out: the scripted agent under a guard, from its start until nothing is left of it.

#[path = "../../agent/found.rs"]
mod found;

mod asking;
mod ending;
mod offering;
mod stage;
mod starting;
mod working;
