//! Prompts, carried out by the window itself: an application with an agent of its own.

mod blockers;
mod fence;
mod flood;
mod leaving;
mod life;
mod limits;
mod models;
mod output;
mod stopping;
mod windows;
