//! Where the scripted agent is, for tests that start it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The built agent. A test that would speak with one that is not what its source says has nothing to show.
pub(crate) fn scripted_agent() -> PathBuf {
    let how = "build it: cargo build --example scripted-agent";
    let examples = Path::new(env!("CARGO_BIN_EXE_sexton")).with_file_name("examples");
    let agent = examples.join(format!("scripted-agent{}", std::env::consts::EXE_SUFFIX));
    let built = std::fs::metadata(&agent).and_then(|metadata| metadata.modified());
    let built = built.unwrap_or_else(|_| panic!("{} is not there; {how}", agent.display()));
    for source in sources() {
        let changed = std::fs::metadata(&source).and_then(|metadata| metadata.modified());
        let changed = changed.unwrap_or(SystemTime::UNIX_EPOCH);
        assert!(changed <= built, "{} is older than {}; {how}", agent.display(), source.display());
    }
    agent
}

fn sources() -> impl Iterator<Item = PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agent");
    let here = "found.rs";
    let entries = std::fs::read_dir(directory).expect("the sources of the agent");
    entries
        .map(|entry| entry.expect("a source").path())
        .filter(move |path| path.file_name().is_some_and(|name| name != here))
}
