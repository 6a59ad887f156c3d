//! A machine that a test has sleep and whose clock it sets, as far as the sidecars that run on it can tell.
//!
//! `clock.c` is compiled and put before them. It shifts two clocks only: the wall clock, and the time since the boot. So
//! what sidecars wait for still passes as it does, and a *suspend* is that the machine has suddenly been there for
//! longer than it was awake.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Spawn, wall_ms};

/// One for all sidecars of a test, which it outlives.
pub(crate) struct Machine {
    /// Goes when the machine does.
    directory: tempfile::TempDir,
    wall_ms: i64,
    slept_ms: i64,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/clock.c");
        // Not in a place: a path with blanks in it cannot be preloaded.
        let directory = tempfile::Builder::new().prefix("sexton-machine-").tempdir().expect("a directory");
        let machine = Machine { directory, wall_ms: 0, slept_ms: 0 };
        let mut compiler = Command::new("cc");
        let compiled = compiler.args(["-shared", "-fPIC", "-o"]).args([&machine.library(), &source]).status();
        assert!(compiled.expect("a C compiler").success(), "{} cannot be compiled", source.display());
        std::fs::write(machine.shifts(), [0; 16]).expect("a file");
        machine
    }

    fn library(&self) -> PathBuf {
        self.directory.path().join("clock.so")
    }

    fn shifts(&self) -> PathBuf {
        self.directory.path().join("shifts")
    }

    /// A sidecar that runs on this machine.
    pub(crate) fn carries<'p>(&self, sidecar: Spawn<'p>) -> Spawn<'p> {
        let text = |path: &Path| path.to_str().expect("a path of text").to_owned();
        let sidecar = sidecar.env("LD_PRELOAD", &text(&self.library()));
        sidecar.env("SEXTON_TEST_CLOCK", &text(&self.shifts()))
    }

    /// What its clock on the wall shows.
    pub(crate) fn now(&self) -> i64 {
        wall_ms() + self.wall_ms
    }

    /// It sleeps for so long, and has just woken up.
    pub(crate) fn suspend(&mut self, ms: i64) {
        self.wall_ms += ms;
        self.slept_ms += ms;
        self.shift();
    }

    /// Somebody sets its clock, forward or back.
    pub(crate) fn set_clock(&mut self, by_ms: i64) {
        self.wall_ms += by_ms;
        self.shift();
    }

    /// In one write, in the place: the file is mapped.
    fn shift(&self) {
        let bytes = [self.wall_ms.to_ne_bytes(), self.slept_ms.to_ne_bytes()].concat();
        let file = std::fs::OpenOptions::new().write(true).open(self.shifts()).expect("the shifts");
        file.write_all_at(&bytes, 0).expect("the shifts can be written");
    }
}
