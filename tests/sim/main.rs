//! The engine on a virtual clock: a project with several windows, whose sidecars decide in real transactions
//! and whose work is scripted. The invariants are asked of the rows after every transaction.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod accounts;
mod audit;
mod closer;
mod drafts;
mod looking;
mod machine;
mod pauses;
mod rng;
mod window;
mod world;

mod busy;
mod clock;
mod closing;
mod closing_others;
mod counting;
mod editing;
mod ending;
mod fairness;
mod firing;
mod forcing;
mod holding;
mod inside;
mod later;
mod limits;
mod lines;
mod moving_up;
mod observers;
mod overlap;
mod plans;
mod prechecks;
mod previous;
mod random;
mod reminders;
mod resting;
mod retention;
mod retrying;
mod silence;
mod standby;
mod suspends;
mod windows;
