//! What others could try: users of the same machine, a repository, whoever reads logs. docs/security.md names these tests.

mod limits;
mod modes;
mod repository;
mod strangers;
mod unseen;
