//! Programs that a test makes and has started.
//!
//! Linux starts no file that anybody has open to write ("Text file busy"). A test that wrote one itself would have given it,
//! open, to whatever another thread of the tests starts in the same moment. So another process writes it, which starts
//! nothing while it does.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program of these lines, the first of which names who reads them, at this path, in the place of what is there.
pub(crate) fn write(path: &Path, lines: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "cat > \"$1.made\" && chmod 755 \"$1.made\" && mv \"$1.made\" \"$1\"", "sh"]).arg(path);
    let mut writer = shell.stdin(Stdio::piped()).spawn().expect("a shell");
    writer.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("a program");
    assert!(writer.wait().expect("its end").success(), "a program at {}", path.display());
}

/// The same program once more, at this path.
#[allow(dead_code, reason = "not every test that writes programs has copies of one")]
pub(crate) fn copy(program: impl AsRef<Path>, path: &Path) {
    let copied = Command::new("cp").arg(program.as_ref()).arg(path).status().expect("cp");
    assert!(copied.success(), "a copy of {} at {}", program.as_ref().display(), path.display());
}
