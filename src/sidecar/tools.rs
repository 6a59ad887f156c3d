//! The tools that an agent is given for a run: `sexton mcp`, of this very binary, which knows that it is inside of that run.

use std::path::Path;

use super::Sidecar;
use crate::domain::briefing::TOOL_SERVER;
use crate::domain::run::Run;
use crate::exec::acp::ToolServer;
use crate::exec::own_binary;

impl Sidecar {
    /// How an agent starts the tools of a run; none where that cannot be told, without which it works as well.
    ///
    /// Agents may clear the environment of the servers that they start, so that everything is said.
    pub(super) fn tools_of(&self, run: &Run) -> Option<ToolServer> {
        let found = own_binary().map_err(|error| error.to_string()).and_then(|binary| {
            let root = self.parts.state.parent().unwrap_or(&self.parts.state);
            Ok((text(&binary)?, text(root)?))
        });
        match found {
            Ok((command, root)) => Some(ToolServer {
                name: TOOL_SERVER,
                command,
                args: ["mcp", "--project", &self.parts.project, "--state-directory", &root]
                    .map(str::to_owned)
                    .to_vec(),
                env: vec![("SEXTON_RUN_ID".to_owned(), run.id.to_string())],
            }),
            Err(why) => {
                tracing::warn!(%why, run = %run.id, "an agent is given no tools");
                None
            }
        }
    }
}

/// A path as agents are told it, which is JSON.
fn text(path: &Path) -> Result<String, String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| format!("{} is no Unicode text; use another directory", path.display()))
}
