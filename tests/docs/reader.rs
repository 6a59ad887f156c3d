//! Somebody who tries an example: with a home and a project of their own, and `sexton` among the programs.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::documents::root;

/// The program of this build.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_sexton");

/// How documents write the home of a reader, and so the project in it.
const HOME: &str = "/home/you";

/// A reader. What is theirs goes with them.
pub(crate) struct Reader {
    root: tempfile::TempDir,
}

impl Reader {
    /// Someone with a project, `~/project`, that has one commit.
    pub(crate) fn new() -> Reader {
        let root = tempfile::Builder::new().prefix("sexton-docs-").tempdir().unwrap();
        let reader = Reader { root };
        std::fs::create_dir_all(reader.project()).unwrap();
        std::fs::create_dir(reader.beside("bin")).unwrap();
        symlink(BINARY, reader.beside("bin/sexton")).unwrap();
        let configuration = "[user]\nname = You\nemail = you@example.com\n[init]\ndefaultBranch = main\n";
        std::fs::write(reader.home().join(".gitconfig"), configuration).unwrap();
        std::fs::write(reader.project().join("README.md"), "# A project\n").unwrap();
        for words in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "Begin"]] {
            let done = reader.command("git").args(words).current_dir(reader.project()).status();
            assert!(done.unwrap().success(), "git {words:?}");
        }
        reader
    }

    /// A path beside the reader's home.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.beside("home/you")
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.home().join("project")
    }

    /// The text with this reader's home where a document says `/home/you`.
    pub(crate) fn at_home(&self, text: &str) -> String {
        text.replace(HOME, self.home().to_str().unwrap())
    }

    /// A program as this reader starts it. What needs a network, a service manager or an hour is played by
    /// `tests/docs/stubs`, which look at what they are told.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        #[expect(
            clippy::disallowed_methods,
            reason = "the programs of whoever tests are those of the reader"
        )]
        let installed = std::env::var_os("PATH").unwrap_or_default();
        let stubs = root().join("tests/docs/stubs");
        let places = [self.beside("bin"), stubs].into_iter().chain(std::env::split_paths(&installed));
        command.env("PATH", std::env::join_paths(places).unwrap());
        for name in [
            "SEXTON_LOG",
            "SEXTON_RUN_ID",
            "SEXTON_STATE_DIR",
            "SEXTON_FAILPOINT",
            "SEXTON_FAILPOINT_LOG",
            "XDG_STATE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_RUNTIME_DIR",
            "CLICOLOR_FORCE",
            "COLUMNS",
            "EDITOR",
        ] {
            command.env_remove(name);
        }
        command.env("HOME", self.home()).env("TZ", "Europe/Berlin").env("NO_COLOR", "1");
        command.env("SEXTON_BIN", BINARY).env("SEXTON_DOCS_REPOSITORY", root());
        command.current_dir(self.project());
        command
    }
}
