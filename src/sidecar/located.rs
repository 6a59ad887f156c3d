//! Which project somebody means, and where its ledger is kept, before anything of it is touched.

use std::path::{Path, PathBuf};

use super::config::Environment;
use super::project::{self, Project};
use super::state_directory;
use crate::domain::refusal::Refusal;
use crate::rpc::initialize::InitializeParams;

/// A project, and the place of its ledger.
pub(super) struct Located {
    pub(super) project: Project,
    /// Where ledgers are kept: absolute.
    pub(super) root: PathBuf,
}

impl Located {
    /// The project that these parameters name. Relative paths of theirs count from the working directory.
    ///
    /// # Errors
    /// When the project cannot be used, or nothing tells where ledgers are kept.
    pub(super) fn of(
        params: &InitializeParams,
        environment: &Environment,
        working_directory: &Path,
    ) -> Result<Located, Refusal> {
        let project = project::find(params.directory.as_ref(), working_directory)?;
        let root = match &params.state_directory {
            Some(chosen) => PathBuf::from(chosen),
            None => match environment.state_root() {
                Some(root) if root.is_absolute() => root,
                Some(root) => return Err(state_directory::relative_root(&root)),
                None => return Err(state_directory::unknown_root()),
            },
        };
        Ok(Located { project, root: working_directory.join(root) })
    }

    /// The directory of the project's ledger, which need not be there.
    pub(super) fn state(&self) -> PathBuf {
        self.root.join(&self.project.id)
    }
}
