//! What the environment says. Read once, here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::domain::id::RunId;
use crate::failpoint::Failpoints;

/// Where what is written for people may be styled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Styles {
    /// Not even on a terminal.
    Nowhere,
    /// Only where a terminal shows it.
    OnTerminals,
    /// Also where somebody else reads it.
    Everywhere,
}

/// What the process was given by its environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Environment { variables: std::env::vars_os().collect() }
    }

    /// An environment with these variables.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Environment { variables: variables.into_iter().collect() }
    }

    /// What is to be logged, if somebody has chosen that: `SEXTON_LOG`.
    pub fn log_filter(&self) -> Option<String> {
        self.text("SEXTON_LOG")
    }

    /// Where what is written may be styled: nowhere if `NO_COLOR` is set to anything, everywhere if `CLICOLOR_FORCE` is
    /// set to anything but `0`, and otherwise on a terminal, unless `TERM` is `dumb`.
    pub fn styles(&self) -> Styles {
        let value = |name: &str| self.variables.get(&OsString::from(name)).filter(|value| !value.is_empty());
        if value("NO_COLOR").is_some() {
            Styles::Nowhere
        } else if value("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            Styles::Everywhere
        } else if self.has_dumb_terminal() {
            Styles::Nowhere
        } else {
            Styles::OnTerminals
        }
    }

    /// Whether the terminal knows no codes: `TERM` is `dumb`.
    pub fn has_dumb_terminal(&self) -> bool {
        self.text("TERM").is_some_and(|terminal| terminal == "dumb")
    }

    /// Whether letters beyond ASCII come out as such: the locale does not name another encoding than UTF-8. Where nothing is
    /// said, as in many containers, they do.
    pub fn writes_unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| self.text(name));
        locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
    }

    /// The run that this process was started by: `SEXTON_RUN_ID`. It may be one of another ledger.
    pub fn run_id(&self) -> Option<RunId> {
        self.text("SEXTON_RUN_ID").map(RunId::from_text)
    }

    /// What is to fail, in a build that can: `SEXTON_FAILPOINT` and `SEXTON_FAILPOINT_LOG`.
    ///
    /// # Errors
    /// A sentence if they hold what is no choice.
    pub fn failpoints(&self) -> Result<Failpoints, String> {
        Failpoints::chosen(|name| self.path(name).map(PathBuf::into_os_string))
    }

    /// All variables that are text.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let text = |(name, value): (&OsString, &OsString)| {
            Some((name.to_str()?.to_owned(), value.to_str()?.to_owned()))
        };
        self.variables.iter().filter_map(text).collect()
    }

    /// Where ledgers are kept if the client does not say: `SEXTON_STATE_DIR`, else the platform's place for
    /// what a program remembers about one user. None when the environment does not tell.
    pub fn state_root(&self) -> Option<PathBuf> {
        if let Some(chosen) = self.path("SEXTON_STATE_DIR") {
            return Some(chosen);
        }
        #[cfg(windows)]
        return self.path("LOCALAPPDATA").map(|local| local.join("sexton"));
        #[cfg(target_os = "macos")]
        return self.path("HOME").map(|home| home.join("Library/Application Support/sexton"));
        #[cfg(all(unix, not(target_os = "macos")))]
        return self
            .path("XDG_STATE_HOME")
            .filter(|state| state.is_absolute())
            .or_else(|| self.path("HOME").map(|home| home.join(".local/state")))
            .map(|state| state.join("sexton"));
    }

    /// The file in which the user configures sidecars, in the platform's place for what a user configures. It need not
    /// be there. None when the environment does not tell.
    pub fn configuration_file(&self) -> Option<PathBuf> {
        #[cfg(windows)]
        let directory = self.path("APPDATA");
        #[cfg(target_os = "macos")]
        let directory = self.path("HOME").map(|home| home.join("Library/Application Support"));
        #[cfg(all(unix, not(target_os = "macos")))]
        let directory = self
            .path("XDG_CONFIG_HOME")
            .filter(|configuration| configuration.is_absolute())
            .or_else(|| self.path("HOME").map(|home| home.join(".config")));
        // A relative path would be looked for in each project, and a repository must not configure anything.
        let directory = directory.filter(|directory| directory.is_absolute())?;
        Some(directory.join("sexton").join("config.json"))
    }

    fn text(&self, name: &str) -> Option<String> {
        let value = self.variables.get(std::ffi::OsStr::new(name))?.to_str()?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.variables.get(std::ffi::OsStr::new(name))?;
        (!value.is_empty()).then(|| PathBuf::from(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn letters_beyond_ascii_are_written_unless_the_locale_has_none() {
        for (variables, writes) in [
            (&[][..], true),
            (&[("LANG", "C")], false),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "de_DE.utf8")], true),
            (&[("LANG", "de_DE.ISO-8859-1")], false),
            (&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "POSIX")], false),
            (&[("LANG", "C"), ("LC_ALL", ""), ("LC_CTYPE", "en_US.UTF-8")], true),
        ] {
            assert_eq!(environment(variables).writes_unicode(), writes, "{variables:?}");
        }
    }

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn where_ledgers_are_kept() {
        let root = |variables: &[(&str, &str)]| environment(variables).state_root();
        assert_eq!(root(&[]), None);
        assert_eq!(root(&[("HOME", "/h")]), Some("/h/.local/state/sexton".into()));
        assert_eq!(root(&[("HOME", "/h"), ("XDG_STATE_HOME", "/x")]), Some("/x/sexton".into()));
        assert_eq!(root(&[("HOME", "/h"), ("XDG_STATE_HOME", "x")]), Some("/h/.local/state/sexton".into()));
        let chosen = [("HOME", "/h"), ("XDG_STATE_HOME", "/x"), ("SEXTON_STATE_DIR", "/s")];
        assert_eq!(root(&chosen), Some("/s".into()));
    }

    #[test]
    #[cfg(all(unix, not(target_os = "macos")))]
    fn where_sidecars_are_configured() {
        let file = |variables: &[(&str, &str)]| environment(variables).configuration_file();
        assert_eq!(file(&[]), None);
        assert_eq!(file(&[("HOME", "/h")]), Some("/h/.config/sexton/config.json".into()));
        let both = |configuration: &str| file(&[("HOME", "/h"), ("XDG_CONFIG_HOME", configuration)]);
        assert_eq!(both("/x"), Some("/x/sexton/config.json".into()));
        assert_eq!(both("x"), Some("/h/.config/sexton/config.json".into()));
        assert_eq!(file(&[("HOME", "h")]), None, "that would be a file of the project");
    }

    #[test]
    fn where_it_is_written_in_styles() {
        for (variables, styles) in [
            (&[][..], Styles::OnTerminals),
            (&[("NO_COLOR", "")], Styles::OnTerminals),
            (&[("TERM", "xterm"), ("CLICOLOR_FORCE", "0")], Styles::OnTerminals),
            (&[("TERM", "dumb")], Styles::Nowhere),
            (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], Styles::Everywhere),
            (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], Styles::Nowhere),
        ] {
            assert_eq!(environment(variables).styles(), styles, "{variables:?}");
        }
    }
}
