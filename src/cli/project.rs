//! The project that a command is about.

use std::path::PathBuf;

use clap::Args;

use crate::domain::scheduler::Role;
use crate::rpc::initialize::{Directory, InitializeParams, Named};
use crate::sidecar::config::Environment;

/// What the arguments say about the project.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Chosen {
    /// The project's directory [default: the working directory].
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) project: Option<PathBuf>,
    /// Where ledgers are kept [default: SEXTON_STATE_DIR, else this user's usual place]. It has to be the place where
    /// windows keep theirs.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) state_directory: Option<PathBuf>,
}

impl Chosen {
    /// The same arguments for another command, as a shell takes them, each after a blank.
    pub(super) fn as_typed(&self) -> String {
        let options = [("--project", &self.project), ("--state-directory", &self.state_directory)];
        let typed = options.into_iter().filter_map(|(option, path)| {
            Some(format!(" {option} {}", typed(&path.as_deref()?.to_string_lossy())))
        });
        typed.collect()
    }

    /// What a window would say of itself.
    ///
    /// # Errors
    /// A sentence if the arguments, or the environment in their stead, do not do.
    pub(super) fn introduce(
        self,
        environment: &Environment,
        client: &str,
        role: Role,
    ) -> Result<InitializeParams, String> {
        let text = |path: PathBuf, option: &str| {
            let refuse =
                |path: std::ffi::OsString| format!("{option} {path:?}: the path is not Unicode text");
            path.into_os_string().into_string().map_err(refuse)
        };
        let project = self.project.unwrap_or_else(|| PathBuf::from("."));
        let directory = Directory { field: "--project", named: Named::Path(text(project, "--project")?) };
        let state_directory = self.state_directory.map(|path| text(path, "--state-directory")).transpose()?;
        if state_directory.is_none() && environment.state_root().is_none() {
            return Err("the environment has no home directory; say where ledgers are kept with --state-directory or SEXTON_STATE_DIR".to_owned());
        }
        Ok(InitializeParams {
            client: Some(client.to_owned()),
            directory: Some(directory),
            state_directory,
            role,
            ..InitializeParams::default()
        })
    }
}

/// A word as a shell takes it.
fn typed(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_.,:/+@%=-".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_chosen_for_the_next_command_too() {
        assert_eq!(Chosen::default().as_typed(), "");
        let chosen = Chosen {
            project: Some(PathBuf::from("/src/it's here")),
            state_directory: Some(PathBuf::from("../state")),
        };
        assert_eq!(chosen.as_typed(), r" --project '/src/it'\''s here' --state-directory ../state");
    }
}
