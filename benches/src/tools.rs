//! What is measured has to be there first: builds sexton and the peers, and says which of them are missing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::broken;
use crate::clock::wall_ms;
use crate::figures::Effort;
use crate::place::Place;

/// The profile of the README's demo command.
const RELEASE: &str = "release";

/// What this machine can run.
pub(crate) struct Tools {
    /// The repository.
    root: PathBuf,
    /// The profile by which everything is built that runs in a process of its own.
    profile: &'static str,
    /// Where everything is built.
    target: PathBuf,
    /// Where everything is that only figures need.
    scratch: PathBuf,
    node: Option<PathBuf>,
    python: Option<PathBuf>,
    skipped: Vec<String>,
}

impl Tools {
    /// Builds and installs. What cannot be had is left out, except sexton and the peers that are built like it.
    ///
    /// What is measured is what is shipped, and the peers in Rust are built in the same way. That takes minutes, which few
    /// samples are not worth.
    pub(crate) fn prepare(effort: Effort) -> io::Result<Tools> {
        let mut tools = Tools::of(effort.of(RELEASE, "dist"))?;
        let benches = tools.root.join("benches");
        for peer in ["lsp-server-peer", "tokio-cron-scheduler-peer", "lease-peer"] {
            tools.build(&benches, peer, tools.profile)?;
        }
        let node = tools.install_node(&benches.join("peers"));
        tools.node = tools.or_skip("the peers on Node", node);
        let python = tools.install_python(&benches.join("peers/python"));
        tools.python = tools.or_skip("the peers on Python", python);
        Ok(tools)
    }

    /// Builds sexton alone, with its symbols.
    pub(crate) fn without_peers() -> io::Result<Tools> {
        Tools::of(RELEASE)
    }

    #[expect(clippy::disallowed_methods, reason = "nobody upgrades this program while it runs")]
    fn of(profile: &'static str) -> io::Result<Tools> {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program = std::env::current_exe()?;
        let target = program.parent().and_then(Path::parent);
        let target = target.ok_or_else(|| broken("this program is in no build directory"))?.to_owned();
        let root = benches.parent().ok_or_else(|| broken("benches is nowhere"))?.to_owned();
        let scratch = target.join("figures");
        fs::create_dir_all(&scratch)?;
        let tools = Tools { root, profile, target, scratch, node: None, python: None, skipped: Vec::new() };
        tools.build(&tools.root, "sexton", profile)?;
        Ok(tools)
    }

    pub(crate) fn sexton(&self) -> PathBuf {
        self.built("sexton", self.profile)
    }

    pub(crate) fn lsp_server(&self) -> PathBuf {
        self.built("lsp-server-peer", self.profile)
    }

    pub(crate) fn tokio_cron_scheduler(&self) -> PathBuf {
        self.built("tokio-cron-scheduler-peer", self.profile)
    }

    /// Windows that agree by a lease.
    pub(crate) fn lease(&self) -> PathBuf {
        self.built("lease-peer", self.profile)
    }

    /// The directory of the peers on Node, installed.
    pub(crate) fn node(&self) -> Option<&Path> {
        self.node.as_deref()
    }

    /// A Python that has the peers.
    pub(crate) fn python(&self) -> Option<&Path> {
        self.python.as_deref()
    }

    /// A script of a peer on Python.
    pub(crate) fn python_script(&self, name: &str) -> PathBuf {
        self.root.join("benches/peers/python").join(name)
    }

    pub(crate) fn readme(&self) -> PathBuf {
        self.root.join("benches/README.md")
    }

    /// The README of the repository.
    pub(crate) fn first_readme(&self) -> PathBuf {
        self.root.join("README.md")
    }

    /// A project of its own.
    pub(crate) fn place(&self, name: &str) -> io::Result<Place> {
        Place::below(&self.scratch, name)
    }

    /// What a reader has to know about the run, a sentence each.
    pub(crate) fn conditions(&self, effort: Effort) -> Vec<String> {
        let said =
            |program: &str, args: &[&str]| said(program, args).unwrap_or_else(|| format!("no {program}"));
        let day = chrono::DateTime::from_timestamp_millis(wall_ms() as i64)
            .map_or_else(String::new, |now| now.format("%Y-%m-%d").to_string());
        let commit = said("git", &["-C", &self.root.to_string_lossy(), "describe", "--always", "--dirty"]);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let mut conditions = vec![
            format!("Measured on {day}, at commit `{commit}`{}.", effort.remark()),
            format!(
                "{processors} × {}, {} {}.",
                processor(),
                said("uname", &["-s"]),
                kernel(&said("uname", &["-r"]))
            ),
            format!(
                "{}; node {}; {}.",
                said("rustc", &["--version"]),
                said("node", &["--version"]),
                said("python3", &["--version"])
            ),
        ];
        conditions.extend(self.skipped.iter().map(|skipped| format!("Skipped: {skipped}.")));
        conditions
    }

    /// Builds sexton with the symbols by which is told what it is made of.
    pub(crate) fn build_with_symbols(&self) -> io::Result<PathBuf> {
        self.build(&self.root, "sexton", RELEASE)?;
        Ok(self.built("sexton", RELEASE))
    }

    fn built(&self, binary: &str, profile: &str) -> PathBuf {
        self.target.join(profile).join(binary)
    }

    fn build(&self, package: &Path, binary: &str, profile: &str) -> io::Result<()> {
        let mut command = Command::new("cargo");
        command.args(["build", "--profile", profile, "--locked", "--bin", binary]);
        command.arg("--manifest-path").arg(package.join("Cargo.toml")).arg("--target-dir").arg(&self.target);
        run(&mut command)
    }

    /// The sources are copied, so that nothing is installed into the repository.
    fn install_node(&self, peers: &Path) -> io::Result<PathBuf> {
        let directory = self.scratch.join("node");
        fs::create_dir_all(&directory)?;
        for file in ["package.json", "package-lock.json", "server.js", "next_fire.js", "timers.js"] {
            fs::copy(peers.join("node").join(file), directory.join(file))?;
        }
        fs::copy(peers.join("initialize.json"), directory.join("initialize.json"))?;
        run(Command::new("node").arg("--version"))?;
        let flags = ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--silent"];
        run(Command::new("npm").args(flags).current_dir(&directory))?;
        Ok(directory)
    }

    fn install_python(&self, peer: &Path) -> io::Result<PathBuf> {
        let directory = self.scratch.join("python");
        let python = directory.join("bin/python");
        if !python.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&directory))?;
        }
        let flags = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
        run(Command::new(&python).args(flags).arg("-r").arg(peer.join("requirements.txt")))?;
        Ok(python)
    }

    fn or_skip(&mut self, what: &str, installed: io::Result<PathBuf>) -> Option<PathBuf> {
        match installed {
            Ok(path) => Some(path),
            Err(error) => {
                let sentence = format!("{what}, because {error}");
                eprintln!("SKIPPED: {sentence}");
                self.skipped.push(sentence);
                None
            }
        }
    }
}

/// Runs a command that has to succeed. What it prints is none of the figures.
fn run(command: &mut Command) -> io::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let name = Path::new(&name).file_name().unwrap_or_default().to_string_lossy().into_owned();
    match command.stdin(Stdio::null()).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(broken(format!("`{name}` ended with {status}"))),
        Err(error) => Err(broken(format!("`{name}` cannot be started: {error}"))),
    }
}

/// The first line that a command prints.
fn said(program: &str, args: &[&str]) -> Option<String> {
    let told = Command::new(program).args(args).stderr(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&told.stdout).lines().next().map(str::to_owned)
}

/// What the processors call themselves.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    name.map_or_else(|| "a processor".to_owned(), |(_, name)| name.trim().to_owned())
}

/// The first two numbers of a kernel's version; the rest is about one machine.
fn kernel(version: &str) -> String {
    version.split(['.', '-']).take(2).collect::<Vec<_>>().join(".")
}
