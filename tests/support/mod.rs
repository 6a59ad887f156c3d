//! What the tests that drive the real binary share: a place with a project and a state directory of its own, a
//! client that speaks over pipes, a log that the work itself writes, and the one way to wait for what no pipe
//! tells about.
//!
//! Nothing here looks into the ledger to see what is so: what counts is what a client is told and what commands
//! have done. Odd situations are made in it, though (`ledger`).

pub(crate) mod agents;
pub(crate) mod app;
pub(crate) mod audit;
pub(crate) mod client;
pub(crate) mod contract;
pub(crate) mod drafts;
pub(crate) mod git;
pub(crate) mod ledger;
#[cfg(target_os = "linux")]
pub(crate) mod machine;
pub(crate) mod missing;
pub(crate) mod program;
mod spawn;
pub(crate) mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use client::Client;
pub(crate) use spawn::Spawn;

/// Longer than anything here takes on a busy machine, shorter than anybody's patience.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// How often something is looked at that nobody tells about.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A project with a state directory of its own. What is in it goes with it.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let root = tempfile::Builder::new().prefix("sexton test ").tempdir().expect("a directory");
        let place = Place { root };
        std::fs::create_dir(place.project()).expect("a project");
        place
    }

    /// A path beside the project.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        // Links are resolved, so that paths are as the sidecar shows them.
        self.root.path().canonicalize().expect("the place").join(name)
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.beside("project")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.beside("state")
    }

    /// Where the user's configuration is, instead of the place of whoever tests.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.beside("configuration")
    }

    /// The user's configuration file.
    pub(crate) fn configuration_file(&self) -> PathBuf {
        self.configuration().join("sexton/config.json")
    }

    /// Writes the user's configuration file.
    pub(crate) fn configure(&self, content: &str) {
        let file = self.configuration_file();
        std::fs::create_dir_all(file.parent().expect("a directory")).expect("the place");
        std::fs::write(file, content).expect("the file");
    }

    /// A path in the project, which is where commands work.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.project().join(name)
    }

    /// A sidecar that is to be spawned.
    pub(crate) fn sidecar(&self) -> Spawn<'_> {
        Spawn::at(self)
    }

    /// A sidecar that has been spawned and has opened the project.
    pub(crate) fn open(&self) -> Client {
        self.sidecar().open()
    }

    /// The same with lowered limits, so that nobody has to wait long.
    pub(crate) fn open_with(&self, limits: Value) -> Client {
        self.sidecar().option("limits", limits).open()
    }

    /// The lines of a log in the project that commands have written.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.file(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until the log has this many lines, and gives all of them.
    pub(crate) fn wait_for_lines(&self, name: &str, count: usize) -> Vec<String> {
        eventually(&format!("{count} lines in {name}"), || {
            let lines = self.lines(name);
            (lines.len() >= count).then_some(lines)
        })
    }

    /// A gate in the project: a command that reads a line from it waits until the gate is opened.
    pub(crate) fn gate(&self, name: &str) -> Gate {
        let path = self.file(name);
        let made = Command::new("mkfifo").arg(&path).status().expect("mkfifo");
        assert!(made.success(), "mkfifo {}", path.display());
        // Open for both directions: neither side waits for the other to open it.
        let pipe = std::fs::OpenOptions::new().read(true).write(true).open(&path).expect("a gate");
        Gate { pipe }
    }

    /// A run that is at work, and holds the directory, until its gate is opened: the gate, its automation, and it.
    pub(crate) fn held_up(&self, client: &mut Client, title: &str) -> (Gate, Value, Value) {
        let gate = self.gate("gate");
        let automation = client.create(drafts::dormant(title, drafts::shell("read line < gate")));
        let run = client.run(&automation);
        client.wait_for_run(&run, "running");
        (gate, automation, run)
    }
}

/// Holds commands up until a test lets them go.
pub(crate) struct Gate {
    pipe: std::fs::File,
}

impl Gate {
    /// Lets one command through.
    pub(crate) fn open(&mut self) {
        use std::io::Write;
        self.pipe.write_all(b"go\n").expect("a gate takes a line");
    }
}

/// Waits until something that no pipe tells about is so: looks every few milliseconds.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let give_up_at = clock() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(clock() < give_up_at, "{what}: not within {DEADLINE:?}");
        park_timeout(LOOK_AGAIN);
    }
}

/// Lets a span pass that is part of what is tested: that nothing happens in it.
pub(crate) fn nothing_happens(span: Duration, mut look: impl FnMut()) {
    let until = clock() + span;
    while clock() < until {
        look();
        park_timeout(LOOK_AGAIN);
    }
}

/// How long something took.
pub(crate) fn clock() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test measures spans and has deadlines")]
    Instant::now()
}

/// The time as the contract writes it.
pub(crate) fn wall_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Sends a signal by its name, like a user would.
pub(crate) fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args(["-s", name, "--", &pid.to_string()]).status();
    assert!(status.expect("kill").success(), "kill -s {name} -- {pid}");
}

/// The pids of living processes that have this text among their arguments or in their environment.
pub(crate) fn processes_with(text: &str) -> Vec<u32> {
    let holds = |path: &Path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    let listed = std::fs::read_dir("/proc").expect("/proc");
    let pids = listed.filter_map(|one| one.ok()?.file_name().to_str()?.parse::<u32>().ok());
    // What has ended and was not waited for has neither arguments nor an environment.
    pids.filter(|pid| {
        let of = Path::new("/proc").join(pid.to_string());
        *pid != std::process::id() && (holds(&of.join("cmdline")) || holds(&of.join("environ")))
    })
    .collect()
}

/// The living children of a process.
pub(crate) fn children_of(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads");
    let of =
        |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let children = tasks.filter_map(Result::ok).map(of).collect::<String>();
    children.split_ascii_whitespace().map(|child| child.parse().expect("a pid")).collect()
}

/// How much memory of the machine a process has, in kilobytes.
pub(crate) fn resident_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its state");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).expect("a number")
}

/// The word that clients match on.
pub(crate) fn kind(error: &Value) -> &str {
    error["data"]["kind"].as_str().unwrap_or_default()
}

/// The faults of a refusal, as `field word`.
pub(crate) fn faults(error: &Value) -> Vec<String> {
    let details = error["data"]["details"].as_array().unwrap_or_else(|| panic!("no details in {error}"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    details.iter().map(|fault| format!("{} {}", text(&fault["field"]), text(&fault["message"]))).collect()
}

/// A refusal of a parameter, as the contract shapes it.
pub(crate) fn assert_invalid_params(error: &Value, expected: &[&str]) {
    assert_eq!((&error["code"], kind(error)), (&json!(-32602), "invalid_params"), "{error}");
    assert_eq!(faults(error), expected, "{error}");
}
