//! Who is alive and who owns the bell: locks that the operating system gives up when their holder dies. And who has
//! rung: a file that everybody watches.

pub mod doorbell;
pub mod instance;
pub mod lock_file;
