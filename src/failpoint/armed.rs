//! The build that is tested: one point fails if that is chosen.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Effect, Failpoint, Process};

const CHOICE: &str = "SEXTON_FAILPOINT";
const LOG: &str = "SEXTON_FAILPOINT_LOG";

/// The variables that choose. What a sidecar starts is not to find them in its environment.
pub const VARIABLES: [&str; 2] = [CHOICE, LOG];

/// Points of which one may fail. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Failpoints {
    armed: Option<Arc<Armed>>,
}

#[derive(Debug)]
struct Armed {
    choice: Option<Choice>,
    /// How often the chosen point was reached.
    reached: AtomicU32,
    log: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice {
    point: Failpoint,
    effect: Effect,
    /// The first time is 1.
    at: u32,
}

/// A failure that was wished for.
#[derive(Debug)]
pub struct Injected(Failpoint);

impl Failpoints {
    /// What these variables choose.
    ///
    /// # Errors
    /// A sentence if one of them holds what is no choice, so that no test passes because of a slip of the pen.
    pub fn chosen(variable: impl Fn(&str) -> Option<OsString>) -> Result<Failpoints, String> {
        let choice = variable(CHOICE).map(|text| Choice::parse(&text)).transpose()?;
        let log = variable(LOG).map(PathBuf::from);
        if choice.is_none() && log.is_none() {
            return Ok(Failpoints::default());
        }
        let armed = Armed { choice, reached: AtomicU32::new(0), log };
        Ok(Failpoints { armed: Some(Arc::new(armed)) })
    }

    /// What a sidecar has chosen for a guard, as [`Failpoints::arguments_of_guard`] says it.
    ///
    /// # Errors
    /// As [`Failpoints::chosen`], and for an argument that chooses nothing.
    pub fn of_guard(arguments: impl Iterator<Item = OsString>) -> Result<Failpoints, String> {
        let mut values = HashMap::new();
        for argument in arguments {
            let known = VARIABLES.into_iter().find_map(|name| {
                let value = argument.to_str()?.strip_prefix(name)?.strip_prefix('=')?;
                Some((name, value.to_owned()))
            });
            let (name, value) = known.ok_or_else(|| format!("a guard knows no argument {argument:?}"))?;
            values.insert(name, value);
        }
        Failpoints::chosen(|name| values.get(name).map(OsString::from))
    }

    /// The arguments with which the next guard is started. Arguments, because what is in the environment of a guard is
    /// in that of its command.
    pub fn arguments_of_guard(&self) -> Vec<OsString> {
        let Some(armed) = &self.armed else { return Vec::new() };
        let argument = |name: &str, value: &OsStr| {
            let mut argument = OsString::from(format!("{name}="));
            argument.push(value);
            argument
        };
        let chosen = armed.choice.filter(|choice| choice.point.process() == Process::Guard);
        let due = chosen.filter(|choice| armed.is_at(*choice)).map(|choice| {
            let Choice { point, effect, .. } = choice;
            argument(CHOICE, format!("{}:{}:1", point.name(), effect.name()).as_ref())
        });
        due.into_iter().chain(armed.log.as_ref().map(|log| argument(LOG, log.as_os_str()))).collect()
    }

    /// Is to be called where the point is. Does not return if the process is to end here.
    ///
    /// # Errors
    /// When what follows is to fail here.
    pub fn reach(&self, point: Failpoint) -> Result<(), Injected> {
        let Some(armed) = &self.armed else { return Ok(()) };
        let chosen = armed.choice.filter(|choice| choice.point == point);
        let due = chosen.filter(|choice| armed.is_at(*choice)).map(|choice| choice.effect);
        armed.note(point, due);
        match due {
            None => Ok(()),
            Some(Effect::Error) => Err(Injected(point)),
            Some(Effect::Abort) => end_at_once(),
        }
    }

    /// The same where nothing can fail.
    pub fn pass(&self, point: Failpoint) {
        let reached = self.reach(point);
        debug_assert!(reached.is_ok(), "nothing can fail at {}", point.name());
    }
}

impl Armed {
    /// Counts, and tells whether this is the time.
    fn is_at(&self, choice: Choice) -> bool {
        self.reached.fetch_add(1, Ordering::Relaxed) + 1 == choice.at
    }

    /// One write, so that lines of a sidecar and its guards do not mix.
    fn note(&self, point: Failpoint, due: Option<Effect>) {
        let Some(log) = &self.log else { return };
        let line = match due {
            None => format!("{}\n", point.name()),
            Some(effect) => format!("{} {}\n", point.name(), effect.name()),
        };
        let opened = std::fs::OpenOptions::new().append(true).create(true).open(log);
        // Whoever reads the log misses the line.
        let _ = opened.and_then(|mut log| log.write_all(line.as_bytes()));
    }
}

impl Choice {
    fn parse(text: &OsStr) -> Result<Choice, String> {
        let wrong = |why: String| format!("{CHOICE}={text:?}: {why}");
        let parts: Vec<&str> = text.to_str().unwrap_or_default().split(':').collect();
        let [point, effect, at] = parts[..] else {
            return Err(wrong("write `<point>:<abort|error>:<n>`".to_owned()));
        };
        let known = Failpoint::ALL.iter().find(|known| known.name() == point);
        let point = *known.ok_or_else(|| {
            let names: Vec<&str> = Failpoint::ALL.iter().map(|known| known.name()).collect();
            wrong(format!("there is no point {point:?}; there are {}", names.join(", ")))
        })?;
        let known = [Effect::Abort, Effect::Error].into_iter().find(|known| known.name() == effect);
        let effect = known.ok_or_else(|| wrong(format!("{effect:?} is neither `abort` nor `error`")))?;
        if !point.effects().contains(&effect) {
            return Err(wrong("nothing can fail at this point; write `abort`".to_owned()));
        }
        let at = at.parse().ok().filter(|at| *at > 0);
        let at = at.ok_or_else(|| wrong("the last part is the number of a time, from 1 on".to_owned()))?;
        Ok(Choice { point, effect, at })
    }
}

impl From<Injected> for std::io::Error {
    fn from(Injected(point): Injected) -> Self {
        std::io::Error::other(format!("the failpoint {}", point.name()))
    }
}

/// Nothing runs after this: no destructor, no handler.
fn end_at_once() -> ! {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        // A process may always kill itself; if the system thinks otherwise, the abort below ends it.
        let _ = kill_process(getpid(), Signal::KILL);
    }
    std::process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(choice: &str) -> Result<Failpoints, String> {
        Failpoints::chosen(|name| (name == CHOICE).then(|| OsString::from(choice)))
    }

    #[test]
    fn a_point_fails_exactly_when_it_is_to() {
        let failpoints = chosen("before_commit:error:3").unwrap();
        let fails = |failpoints: &Failpoints, point| failpoints.reach(point).is_err();
        assert!(!fails(&failpoints, Failpoint::BeforeFence));
        let other = failpoints.clone();
        let both = [&failpoints, &other, &failpoints, &other, &failpoints];
        let failed = both.map(|failpoints| fails(failpoints, Failpoint::BeforeCommit));
        assert_eq!(failed, [false, false, true, false, false], "clones count together");
        assert!(!fails(&Failpoints::default(), Failpoint::BeforeCommit));
    }

    #[test]
    fn every_point_can_be_chosen_with_all_its_effects() {
        for point in Failpoint::ALL {
            for effect in [Effect::Abort, Effect::Error] {
                let choice = format!("{}:{}:1", point.name(), effect.name());
                let parsed = Choice::parse(choice.as_ref());
                match point.effects().contains(&effect) {
                    true => assert_eq!(parsed, Ok(Choice { point: *point, effect, at: 1 })),
                    false => assert!(parsed.unwrap_err().contains("nothing can fail")),
                }
            }
            let same = |other: &&Failpoint| other.name() == point.name();
            assert_eq!(Failpoint::ALL.iter().filter(same).count(), 1, "{}", point.name());
        }
    }

    #[test]
    fn what_is_no_choice_is_told() {
        for (choice, told) in [
            ("", "write `<point>:<abort|error>:<n>`"),
            ("before_commit", "write `<point>:<abort|error>:<n>`"),
            ("before_commit:abort:1:1", "write `<point>:<abort|error>:<n>`"),
            ("before_comit:abort:1", "there is no point \"before_comit\"; there are before_commit, "),
            ("before_commit:Abort:1", "neither `abort` nor `error`"),
            ("after_commit:error:1", "nothing can fail at this point"),
            ("before_commit:abort:0", "from 1 on"),
            ("before_commit:abort:-1", "from 1 on"),
            ("before_commit:abort: 1", "from 1 on"),
            ("before_commit:abort:4294967296", "from 1 on"),
        ] {
            let sentence = chosen(choice).unwrap_err();
            assert!(sentence.contains(told), "{choice:?}: {sentence}");
        }
        let unknown = Failpoints::of_guard([OsString::from("before_commit")].into_iter()).unwrap_err();
        assert!(unknown.contains("no argument"), "{unknown}");
    }

    #[test]
    fn the_guard_whose_turn_it_is_is_told() {
        let of_sidecar = chosen("before_guard:error:1").unwrap();
        assert!(of_sidecar.arguments_of_guard().is_empty(), "it is no point of a guard");
        let failpoints = chosen("guard_before_start:error:2").unwrap();
        let fails = |arguments: Vec<OsString>| {
            let guard = Failpoints::of_guard(arguments.into_iter()).unwrap();
            guard.reach(Failpoint::GuardBeforeStart).is_err()
        };
        let failed = [(); 3].map(|()| fails(failpoints.arguments_of_guard()));
        assert_eq!(failed, [false, true, false]);
    }
}
