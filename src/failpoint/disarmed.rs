//! The build that people use: nothing fails on purpose, and nothing is looked at.

use std::ffi::OsString;

use super::Failpoint;

/// The variables that choose: none.
pub const VARIABLES: [&str; 0] = [];

/// Points that never fail.
#[derive(Clone, Debug, Default)]
pub struct Failpoints(());

const _: () = assert!(size_of::<Failpoints>() == 0, "a build for people carries failpoints");

/// A failure that was wished for: there is none.
#[derive(Debug)]
pub enum Injected {}

impl Failpoints {
    /// Nothing is chosen, and nobody is asked.
    ///
    /// # Errors
    /// None.
    pub fn chosen(_variable: impl Fn(&str) -> Option<OsString>) -> Result<Failpoints, String> {
        Ok(Failpoints(()))
    }

    /// Nothing is chosen, whatever the arguments are.
    ///
    /// # Errors
    /// None.
    pub fn of_guard(_arguments: impl Iterator<Item = OsString>) -> Result<Failpoints, String> {
        Ok(Failpoints(()))
    }

    /// A guard is told nothing.
    pub fn arguments_of_guard(&self) -> [OsString; 0] {
        []
    }

    /// Goes on.
    ///
    /// # Errors
    /// None.
    #[inline]
    pub fn reach(&self, _point: Failpoint) -> Result<(), Injected> {
        Ok(())
    }

    /// Goes on.
    #[inline]
    pub fn pass(&self, _point: Failpoint) {}
}

impl From<Injected> for std::io::Error {
    fn from(injected: Injected) -> Self {
        match injected {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_is_looked_at() {
        let chosen = Failpoints::chosen(|name| panic!("{name} is looked at"));
        assert!(chosen.is_ok_and(|failpoints| failpoints.reach(Failpoint::BeforeCommit).is_ok()));
    }
}
