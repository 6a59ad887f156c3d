//! Who is alive, and who owns the bell: locks that the operating system gives up when their holder dies.

pub mod instance;
pub mod lock_file;
