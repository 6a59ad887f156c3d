//! What is left when the sidecar itself has died: nothing; and if its guard died with it, what can be found.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sexton::exec::{Ended, Leftovers, ProcessIdentity, TOKEN_VARIABLE, end_leftovers};

use crate::support::{Place, Run, as_agent, carriers, eventually, guard, is_alive, pids, signal, work_in};

/// Names the place for a test that is executed again, as the process that holds a run.
const HOLDER_VARIABLE: &str = "SEXTON_TEST_HOLDER";

/// Two children that have left the session, one of them forked twice, and one that stays.
const LINE: &str = "setsid sh -c 'echo $$ >> pids; exec sleep 1000' & \
                    (setsid sh -c 'echo $$ >> pids; exec sleep 1000' </dev/null >/dev/null 2>&1 &); \
                    echo $$ >> pids; sleep 1000";

/// A test that calls this is executed again in a process of its own, where it holds a run until it is killed.
struct Holder {
    process: Child,
    token: String,
    guard: ProcessIdentity,
    pids: Vec<u32>,
}

impl Holder {
    #[expect(clippy::disallowed_methods, reason = "nobody upgrades a test while it runs")]
    async fn start(test: &str, place: &Place) -> Self {
        let process = Command::new(std::env::current_exe().expect("the path of this test"))
            .args([test, "--exact", "--nocapture"])
            .env(HOLDER_VARIABLE, place.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("this test again");
        let pids = pids(place, 3).await;
        let guard = serde_json::from_str(&place.lines("guard")[0]).expect("an identity");
        Self { process, token: work_in(place.path(), 0, "sh", &[]).token, guard, pids }
    }

    /// What the other self does. Never comes back if this is it.
    async fn hold_if_asked_to() {
        let Some(directory) = holder_directory() else { return };
        let run = Run::prepare(work_in(&directory, 0, "sh", &["-c", LINE]));
        hold(&directory, run).await
    }

    /// The same with an agent.
    async fn hold_an_agent_if_asked_to() {
        let Some(directory) = holder_directory() else { return };
        let (run, _pipes) = Run::prepare_agent(as_agent(work_in(&directory, 0, "sh", &["-c", LINE])));
        hold(&directory, run).await
    }

    fn alive(&self) -> Vec<u32> {
        self.pids.iter().copied().filter(|pid| is_alive(*pid)).collect()
    }

    async fn none_survives(&self) {
        let gone = || self.alive().is_empty() && carriers(&self.token).is_empty();
        eventually("the end of all that was held", || gone().then_some(())).await;
    }
}

async fn hold(directory: &Path, mut run: Run) {
    let identity = run.ready().await;
    let line = serde_json::to_string(&identity).expect("a line");
    std::fs::write(directory.join("guard"), line).expect("a file");
    run.handle().go();
    std::future::pending().await
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Also when the test has failed: killing what is dead already is refused, and does no harm.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "this is how a test process tells its other self what to do")]
fn holder_directory() -> Option<PathBuf> {
    std::env::var_os(HOLDER_VARIABLE).map(PathBuf::from)
}

#[tokio::test]
async fn a_killed_sidecar_leaves_nothing() {
    Holder::hold_if_asked_to().await;
    let place = Place::new();
    let holder = Holder::start("leftovers::a_killed_sidecar_leaves_nothing", &place).await;
    assert_eq!(holder.alive().len(), 3);
    signal("KILL", holder.process.id());
    holder.none_survives().await;
}

#[tokio::test]
async fn a_killed_sidecar_leaves_no_agent() {
    Holder::hold_an_agent_if_asked_to().await;
    let place = Place::new();
    let holder = Holder::start("leftovers::a_killed_sidecar_leaves_no_agent", &place).await;
    assert_eq!(holder.alive().len(), 3);
    signal("KILL", holder.process.id());
    holder.none_survives().await;
}

#[tokio::test]
async fn a_killed_group_of_the_sidecar_leaves_nothing() {
    Holder::hold_if_asked_to().await;
    let place = Place::new();
    let holder = Holder::start("leftovers::a_killed_group_of_the_sidecar_leaves_nothing", &place).await;
    signal("KILL", format!("-{}", holder.process.id()));
    holder.none_survives().await;
}

#[tokio::test]
async fn what_outlives_sidecar_and_guard_is_ended_by_whoever_settles_them() {
    Holder::hold_if_asked_to().await;
    let place = Place::new();
    let test = "leftovers::what_outlives_sidecar_and_guard_is_ended_by_whoever_settles_them";
    let holder = Holder::start(test, &place).await;
    // Stopped first, so that it cannot sweep when its guard dies.
    signal("STOP", holder.process.id());
    signal("KILL", holder.guard.pid);
    signal("KILL", holder.process.id());
    eventually("the command to die with its guard", || (holder.alive().len() <= 2).then_some(())).await;
    let survivors = holder.alive();
    assert_eq!(survivors.len(), 2, "those in sessions of their own");
    let left = settle(&holder.guard, &holder.token).await;
    assert!(left.all_gone && left.swept >= 2, "{left:?}");
    assert!(holder.alive().is_empty());
    assert_eq!(settle(&holder.guard, &holder.token).await, Leftovers { swept: 0, all_gone: true }, "again");
}

#[tokio::test]
async fn the_run_of_a_stopped_sidecar_can_be_ended() {
    Holder::hold_if_asked_to().await;
    let place = Place::new();
    let holder = Holder::start("leftovers::the_run_of_a_stopped_sidecar_can_be_ended", &place).await;
    signal("STOP", holder.process.id());
    let left = settle(&holder.guard, &holder.token).await;
    assert!(left.all_gone && left.swept >= 3, "{left:?}");
    assert!(holder.alive().is_empty() && carriers(&holder.token).is_empty());
}

#[tokio::test]
async fn ended_from_outside_it_is_a_lost_guard() {
    let place = Place::new();
    let line =
        "setsid env -i sh -c 'echo $$ >> pids; exec sleep 1000' & echo out; echo $$ >> pids; sleep 1000";
    let (mut run, identity) = Run::start(place.shell(line)).await;
    let pids = pids(&place, 2).await;
    eventually("the output", || (sexton::exec::spool::tail(&run.output).unwrap() == "out\n").then_some(()))
        .await;
    let left = settle(&identity, &run.token).await;
    assert!(left.all_gone && left.swept >= 2, "{left:?}");
    assert!(!pids.iter().any(|pid| is_alive(*pid)), "also the one that had cleared its environment");
    let Ended::GuardLost { tail, output, .. } = run.ended().await else { panic!("not lost") };
    assert_eq!((tail.as_str(), output.bytes, output.truncated), ("out\n", 4, false));
}

#[tokio::test]
async fn a_stranger_is_never_touched() {
    let place = Place::new();
    let (run, identity) = Run::start(place.shell("sleep 1000")).await;
    let token = "a token that nobody has";
    let other_start = ProcessIdentity { start_time: identity.start_time + 1, ..identity.clone() };
    let other_boot = ProcessIdentity { boot_id: "another boot".to_owned(), ..identity.clone() };
    let other_namespace = ProcessIdentity { pid_namespace: "pid:[1]".to_owned(), ..identity.clone() };
    let nothing = Leftovers { swept: 0, all_gone: true };
    assert_eq!(settle(&other_start, token).await, nothing, "a later process with the same pid");
    assert_eq!(settle(&identity, token).await, nothing, "the same process, but of another run");
    assert_eq!(settle(&other_namespace, token).await, nothing);
    assert_eq!(settle(&other_boot, &run.token).await, nothing, "even with the right token");
    assert!(is_alive(identity.pid) && carriers(&run.token).len() >= 2);
}

#[tokio::test]
async fn whatever_carries_the_token_is_ended() {
    let place = Place::new();
    let never = Run::prepare_with(&guard(), place.shell("true")).ready().await;
    let token = "the token of a run that is over";
    let mut carrier = sleeper(place.path(), token);
    let mut other = sleeper(place.path(), "the token of a run that is over, or nearly");
    eventually("both to be up", || (carriers(token).len() == 1).then_some(())).await;
    assert_eq!(settle(&never, token).await, Leftovers { swept: 1, all_gone: true });
    assert!(carrier.wait().unwrap().code().is_none(), "killed");
    assert!(other.try_wait().unwrap().is_none(), "a longer token is another one");
    other.kill().unwrap();
    other.wait().unwrap();
}

fn sleeper(directory: &Path, token: &str) -> Child {
    Command::new("sleep")
        .arg("1000")
        .current_dir(directory)
        .env(TOKEN_VARIABLE, token)
        .spawn()
        .expect("sleep")
}

/// Like the callers do: on a thread that may wait.
async fn settle(identity: &ProcessIdentity, token: &str) -> Leftovers {
    let (identity, token) = (identity.clone(), token.to_owned());
    tokio::task::spawn_blocking(move || end_leftovers(&identity, &token)).await.expect("no panic")
}
