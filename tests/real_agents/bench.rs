//! A project, the agent with its configuration, and the endpoint that it takes for its model's.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::drafts::dormant;
use crate::support::{Place, eventually, processes_with};

/// What the endpoint offers; the second has variants.
pub(crate) const PLAIN: &str = "mock/mock-a";
pub(crate) const THINKING: &str = "mock/mock-b";

pub(crate) struct Bench {
    pub(crate) place: Place,
    agent: PathBuf,
    endpoint: Child,
    home: PathBuf,
}

impl Bench {
    pub(crate) fn new(agent: &Path) -> Bench {
        let place = Place::new();
        git(&place, &["init", "--quiet", "--initial-branch", "main"]);
        std::fs::write(place.project().join("README.md"), "# A project\n").unwrap();
        git(&place, &["add", "."]);
        git(
            &place,
            &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "first"],
        );
        let home = place.beside("home");
        std::fs::create_dir_all(&home).unwrap();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_agents");
        // Free a moment ago, and this test is the only one that asks for one.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let configuration = std::fs::read_to_string(sources.join("opencode.json")).unwrap();
        std::fs::write(home.join("opencode.json"), configuration.replace(":18080/", &format!(":{port}/")))
            .unwrap();
        let mut endpoint = Command::new("python3")
            .args(["-u", sources.join("mock_openai.py").to_str().unwrap(), &port.to_string()])
            .env("MOCK_LOG", home.join("endpoint.log"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        BufReader::new(endpoint.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        Bench { place, agent: agent.to_owned(), endpoint, home }
    }

    /// A window that has the agent configured.
    pub(crate) fn open(&self) -> Client {
        let home = self.home.to_str().unwrap();
        let provider = json!({"command": [self.agent, "acp"], "env": {
            "HOME": home, "XDG_DATA_HOME": self.home.join("data"), "XDG_CONFIG_HOME": self.home.join("config"),
            "XDG_STATE_HOME": self.home.join("state"), "XDG_CACHE_HOME": self.home.join("cache"),
            "OPENCODE_CONFIG": self.home.join("opencode.json"),
            "OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1", "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1"}});
        let mut client = self.place.sidecar().option("providers", json!({"opencode": provider})).open();
        client.subscribe(json!({}));
        client
    }

    /// The configuration that the agent reads.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.home.join("opencode.json")
    }

    /// What the endpoint was asked so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.home.join("endpoint.log")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The agent's own processes.
    pub(crate) fn agents(&self) -> Vec<u32> {
        let mut agents = processes_with(self.home.to_str().unwrap());
        agents.retain(|pid| *pid != self.endpoint.id());
        agents
    }

    /// Nothing of the agent lives, and nothing has come into the repository but what it wrote on purpose.
    pub(crate) fn leave_nothing(&mut self) {
        eventually("the agent has gone", || self.agents().is_empty().then_some(()));
        let state = self.place.state();
        eventually("everything has gone", || {
            processes_with(state.to_str().unwrap()).is_empty().then_some(())
        });
        let status = git(&self.place, &["status", "--porcelain", "--ignored", "--untracked-files=all"]);
        let others: Vec<&str> = status.lines().filter(|line| !line.ends_with(" made.txt")).collect();
        assert_eq!(others, Vec::<&str>::new(), "what has come into the repository");
        assert!(
            git(&self.place, &["stash", "list"]).is_empty()
                && git(&self.place, &["for-each-ref"]).lines().count() == 1
        );
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.endpoint.kill();
        let _ = self.endpoint.wait();
    }
}

/// An automation that asks the agent for something.
pub(crate) fn asking(prompt: &str, policy: Value) -> Value {
    let mut draft = dormant(
        "asked",
        json!({"kind": "prompt", "prompt": prompt, "model": {"providerID": "opencode", "modelID": PLAIN}}),
    );
    draft["policy"] = policy;
    draft
}

pub(crate) fn git(place: &Place, arguments: &[&str]) -> String {
    let done = Command::new("git").args(arguments).current_dir(place.project()).output().expect("git");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// What was tried with what.
pub(crate) fn versions(agent: &Path) -> String {
    let version = |program: &Path, argument: &str| {
        let said = Command::new(program)
            .arg(argument)
            .output()
            .map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
        said.map_or_else(|error| error.to_string(), |said| said.trim().to_owned())
    };
    let sexton = version(Path::new(env!("CARGO_BIN_EXE_sexton")), "--version");
    format!("opencode {}, {sexton}", version(agent, "--version"))
}
