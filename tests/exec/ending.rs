//! Nothing of a run outlives the run, however it ends.

use std::process::Stdio;
use std::time::Duration;

use sexton::exec::{Ended, Exit, ProcessIdentity, Report, STOP_GRACE, TOKEN_VARIABLE};

use crate::support::{
    Place, Run, carriers, clock, eventually, is_alive, is_our_zombie, lines, pids, signal, state_and_parent,
};

/// A child in a session of its own and one that stays, each of which writes its pid to `pids`.
const TREE: &str = "setsid sh -c 'echo $$ >> pids; exec sleep 1000' & echo $$ >> pids; sleep 1000";

/// Starts the tree and waits until both are up. Answers the guard and the pids.
async fn tree(place: &Place) -> (Run, ProcessIdentity, Vec<u32>) {
    let (run, guard) = Run::start(place.shell(TREE)).await;
    let pids = pids(place, 2).await;
    (run, guard, pids)
}

fn assert_gone(run: &Run, guard: &ProcessIdentity, pids: &[u32]) {
    assert_eq!(carriers(&run.token), [0_u32; 0]);
    assert!(!pids.iter().any(|pid| is_alive(*pid)), "one of {pids:?} lives");
    assert!(!is_our_zombie(guard.pid));
}

#[tokio::test]
async fn a_stop_asks_the_group_and_kills_what_has_left_it() {
    let place = Place::new();
    let (mut run, guard, pids) = tree(&place).await;
    let asked = clock();
    run.handle().stop();
    run.handle().stop();
    let (exit, swept, _) = run.exited().await;
    assert_eq!((exit, swept), (Exit::Signal(15), 1));
    assert!(asked.elapsed() < STOP_GRACE, "nothing ignored the signal");
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn stop_now_kills_the_whole_tree() {
    let place = Place::new();
    let (mut run, guard, pids) = tree(&place).await;
    run.handle().stop_now();
    let (exit, swept, _) = run.exited().await;
    assert_eq!(exit, Exit::Signal(9));
    assert!(swept == 1 || swept == 2, "the one in a session of its own, and the other if it was up: {swept}");
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn dropping_the_handle_kills_the_whole_tree() {
    let place = Place::new();
    let (mut run, guard, pids) = tree(&place).await;
    run.handle = None;
    assert_eq!(run.exited().await.0, Exit::Signal(9));
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn a_killed_guard_is_told_and_its_tree_swept() {
    let place = Place::new();
    let (mut run, guard, pids) = tree(&place).await;
    signal("KILL", guard.pid);
    let Ended::GuardLost { message, swept, .. } = run.ended().await else { panic!("not lost") };
    assert!(message.contains("signal: 9"), "{message}");
    assert!(swept >= 1, "at least the one in a session of its own");
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn a_guard_that_is_asked_to_end_ends_its_tree_in_order() {
    let place = Place::new();
    for name in ["TERM", "INT", "HUP"] {
        let place_of_one = Place::new();
        let (mut run, guard, pids) = tree(&place_of_one).await;
        signal(name, guard.pid);
        assert_eq!(run.exited().await.0, Exit::Signal(15), "{name}");
        assert_gone(&run, &guard, &pids);
    }
    let mut waiting = Run::prepare(place.shell("echo started > effect"));
    let guard = waiting.ready().await;
    signal("TERM", guard.pid);
    assert_eq!(waiting.ended().await, Ended::Withdrawn);
    assert!(!place.file("effect").exists());
}

#[tokio::test]
async fn a_guard_that_does_not_answer_is_replaced() {
    let place = Place::new();
    let (mut run, guard, pids) = tree(&place).await;
    signal("STOP", guard.pid);
    eventually("the guard to be stopped", || (state_and_parent(guard.pid)?.0 == 'T').then_some(())).await;
    run.handle().stop_now();
    let Ended::GuardLost { message, .. } = run.ended().await else { panic!("not lost") };
    assert!(message.contains("in time"), "{message}");
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn a_second_stop_does_not_wait_for_one_that_ignores_the_first() {
    let place = Place::new();
    let line = "trap 'echo asked >> asked' TERM; echo $$ >> pids; while :; do sleep 1000 & wait; done";
    let (mut run, guard) = Run::start(place.shell(line)).await;
    let pids = pids(&place, 1).await;
    let asked = clock();
    run.handle().stop();
    lines(&place, "asked", 1).await;
    assert!(is_alive(pids[0]));
    run.handle().stop_now();
    assert_eq!(run.exited().await.0, Exit::Signal(9));
    assert!(asked.elapsed() < STOP_GRACE);
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn one_that_ignores_a_stop_is_killed_after_the_grace() {
    let place = Place::new();
    let (mut run, guard) =
        Run::start(place.shell("trap '' TERM; echo $$ >> pids; sleep 1000; sleep 1000")).await;
    lines(&place, "pids", 1).await;
    let asked = clock();
    run.handle().stop();
    assert_eq!(run.exited().await.0, Exit::Signal(9));
    assert!(asked.elapsed() >= STOP_GRACE && asked.elapsed() < STOP_GRACE + Duration::from_secs(2));
    assert_gone(&run, &guard, &[]);
}

#[tokio::test]
async fn the_grace_is_the_whole_groups() {
    let place = Place::new();
    // The shell ends at once when it is asked to; what it has started has something to finish after that.
    let finish = "while kill -0 $1 2>/dev/null; do sleep 0.01; done; echo done >> done; exit";
    place.script("child", &format!("trap '{finish}' TERM; exec 3<>fifo; echo up >> up; read line <&3"));
    let (mut run, guard) = Run::start(place.shell("mkfifo fifo; ./child $$ & wait")).await;
    lines(&place, "up", 1).await;
    run.handle().stop();
    assert_eq!(run.exited().await, (Exit::Signal(15), 0, String::new()));
    assert_eq!(place.lines("done"), ["done"]);
    assert_gone(&run, &guard, &[]);
}

#[tokio::test]
async fn a_stopped_command_hears_a_stop() {
    let place = Place::new();
    let (mut run, guard) = Run::start(place.shell("echo $$ >> pids; kill -STOP $$; sleep 1000")).await;
    let pid = pids(&place, 1).await[0];
    eventually("the command to be stopped", || (state_and_parent(pid)?.0 == 'T').then_some(())).await;
    run.handle().stop();
    assert_eq!(run.exited().await.0, Exit::Signal(15));
    assert_gone(&run, &guard, &[pid]);
}

#[tokio::test]
async fn a_daemon_does_not_outlive_the_command_that_started_it() {
    let place = Place::new();
    let line = "(setsid sh -c 'echo $$ >> pids; exec sleep 1000' </dev/null >/dev/null 2>&1 &); \
                while [ ! -s pids ]; do sleep 0.01; done; echo started";
    let (mut run, guard) = Run::start(place.shell(line)).await;
    assert_eq!(run.exited().await, (Exit::Code(0), 1, "started\n".to_owned()));
    let pids = pids(&place, 1).await;
    assert_eq!(pids.len(), 1);
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn a_daemon_with_a_cleared_environment_is_found_below_the_guard() {
    let place = Place::new();
    let line = "(setsid env -i sh -c 'echo $$ >> pids; exec sleep 1000' &); while [ ! -s pids ]; do sleep 0.01; done";
    let (mut run, guard) = Run::start(place.shell(line)).await;
    assert_eq!(run.exited().await.1, 1);
    let pids = pids(&place, 1).await;
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn a_grandchild_that_holds_the_output_open_does_not_hold_up_the_end() {
    let place = Place::new();
    let started = clock();
    let (mut run, guard) = Run::start(place.shell("echo before; sleep 1000 & exit 3")).await;
    assert_eq!(run.exited().await, (Exit::Code(3), 1, "before\n".to_owned()));
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_gone(&run, &guard, &[]);

    let (mut run, guard) = Run::start(place.shell("yes & yes & yes & exit 4")).await;
    let (exit, swept, _) = run.exited().await;
    assert_eq!((exit, swept), (Exit::Code(4), 3), "nor do those that never stop writing");
    assert_gone(&run, &guard, &[]);
}

#[tokio::test]
async fn one_that_keeps_starting_others_is_ended_too() {
    let place = Place::new();
    let line = "while :; do (setsid sh -c 'echo $$ >> pids; exec sleep 1000' &); done";
    let (mut run, guard) = Run::start(place.shell(line)).await;
    lines(&place, "pids", 40).await;
    run.handle().stop_now();
    let (exit, swept, _) = run.exited().await;
    assert!(exit == Exit::Signal(9) && swept >= 40, "{exit:?} {swept}");
    let pids: Vec<u32> = place.lines("pids").iter().filter_map(|line| line.parse().ok()).collect();
    assert_gone(&run, &guard, &pids);
}

#[tokio::test]
async fn a_stop_is_heard_while_nobody_takes_the_reports() {
    let place = Place::new();
    let mut run = Run::prepare(place.shell("echo $$ >> pids; sleep 1000"));
    run.ready().await;
    // The channel has room for one report, `Started`; the end has to wait for it, and the stop has not.
    run.handle().go();
    let pid = pids(&place, 1).await[0];
    run.handle().stop_now();
    eventually("the command to end", || (!is_alive(pid)).then_some(())).await;
    assert_eq!(run.report().await, Report::Started);
    assert_eq!(run.exited().await.0, Exit::Signal(9));
}

#[tokio::test]
async fn a_guard_that_finds_the_go_and_the_end_of_its_sidecar_together_starts_nothing() {
    use std::io::{BufRead, BufReader, Read, Write};
    let place = Place::new();
    let (socket, of_guard) = std::os::unix::net::UnixStream::pair().expect("a socket");
    let mut guard = std::process::Command::new(env!("CARGO_BIN_EXE_sexton"))
        .arg("guard")
        .env(TOKEN_VARIABLE, "late")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::os::fd::OwnedFd::from(of_guard))
        .spawn()
        .expect("a guard");
    let mut words = &socket;
    let mut told = BufReader::new(&socket);
    let work = serde_json::json!({"say": "work", "token": "late", "program": "sh",
        "args": ["-c", "echo started >> log"], "environment": [], "directory": place.path(),
        "spool": place.file("output.log"), "spool_limit": 1000, "kind": {"command": {"stdin": null}}});
    writeln!(words, "{work}").expect("it listens");
    let mut ready = String::new();
    told.read_line(&mut ready).expect("it tells");
    assert!(ready.contains("ready"), "{ready}");
    // The system does not let it run; meanwhile its sidecar says go and dies.
    signal("STOP", guard.id());
    writeln!(words, "{}", serde_json::json!({"say": "go"})).expect("it is there");
    socket.shutdown(std::net::Shutdown::Write).expect("it is there");
    signal("CONT", guard.id());
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("it tells");
    guard.wait().expect("our own child");
    assert!(rest.contains("withdrawn") && !rest.contains("started"), "{rest}");
    assert!(!place.file("log").exists());
}
