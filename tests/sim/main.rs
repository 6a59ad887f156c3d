//! The engine on a virtual clock: a project with several windows, whose sidecars decide in real transactions
//! and whose work is scripted. The invariants are asked of the rows after every transaction.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic where it stands")]

mod accounts;
mod app;
mod audit;
mod closer;
mod drafts;
mod looking;
mod machine;
mod pauses;
mod queues;
mod requests;
mod rng;
mod serving;
mod turns;
mod window;
mod world;

mod agent_limits;
mod agent_runs;
mod agents;
mod asking;
mod auditing;
mod busy;
mod clock;
mod closing;
mod closing_others;
mod configurations;
mod counting;
mod editing;
mod ending;
mod explaining;
mod fairness;
mod firing;
mod forcing;
mod foreseeing;
mod holding;
mod inside;
mod later;
mod limits;
mod lines;
mod moving_up;
mod needs;
mod observers;
mod overlap;
mod plans;
mod prechecks;
mod previous;
mod probes;
mod providers;
mod random;
mod reminders;
mod resting;
mod retention;
mod retrying;
mod sentences;
mod served;
mod sessions;
mod silence;
mod spending;
mod standby;
mod suspends;
mod unreadable;
mod windows;
