//! Agents: their standard input and output lead straight to the sidecar, and everything else is as with commands.

mod prechecks;

use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::time::Duration;

use sexton::domain::run::ErrorClass;
use sexton::exec::{
    AgentPipes, AgentWork, Ended, Exit, OutputSize, PrecheckWork, ProcessIdentity, Report, STOP_GRACE,
    StartFailure, spool,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::support::{
    Place, Run, carriers, clock, eventually, in_time, is_alive, is_our_zombie, lines, pids, signal,
};

/// A precheck that is a line for the shell.
fn shell(line: &str) -> PrecheckWork {
    let args = vec!["-c".to_owned(), line.to_owned()];
    PrecheckWork { program: "sh".to_owned(), args, timeout: Duration::from_secs(60) }
}

/// Everything that the agent still writes, up to the end.
async fn rest(stdout: &mut Receiver) -> Vec<u8> {
    let mut all = Vec::new();
    in_time("the end of what the agent writes", stdout.read_to_end(&mut all)).await.expect("a pipe");
    all
}

/// Waits until nothing reads what is written any more.
async fn unread(stdin: &mut Sender) {
    let written = in_time("the end of whoever reads", async {
        loop {
            if let Err(error) = stdin.write_all(&[b'x'; 4096]).await {
                return error;
            }
        }
    });
    assert_eq!(written.await.kind(), std::io::ErrorKind::BrokenPipe);
}

/// Both pipes are at their ends, and nothing is left.
async fn assert_over(run: &Run, pipes: &mut AgentPipes, guard: &ProcessIdentity, pids: &[u32]) {
    rest(&mut pipes.stdout).await;
    unread(&mut pipes.stdin).await;
    assert_eq!(carriers(&run.token), [0_u32; 0]);
    assert!(!pids.iter().any(|pid| is_alive(*pid)), "one of {pids:?} lives");
    assert!(!is_our_zombie(guard.pid));
}

#[tokio::test]
async fn what_both_say_goes_through_unchanged() {
    let place = Place::new();
    let (mut run, pipes, _) = Run::start_agent(place.agent("cat")).await;
    let AgentPipes { mut stdin, mut stdout } = pipes;
    // Every byte there is, and no rhythm that a buffer could have.
    let sent: Vec<u8> = (0..6_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 17) as u8).collect();
    let writing = async {
        stdin.write_all(&sent).await.expect("it reads");
        drop(stdin);
    };
    let ((), heard) = tokio::join!(writing, rest(&mut stdout));
    assert!(heard == sent, "{} bytes of {} came back", heard.len(), sent.len());
    assert_eq!(run.exited().await, (Exit::Code(0), 0, String::new()));
    assert_eq!(spool::read(&run.output, 0, 0).unwrap().size, 0, "the guard has copied nothing of it");
}

#[tokio::test]
async fn what_is_said_before_the_agent_is_started_waits_for_it() {
    let place = Place::new();
    let mut work = place.agent("read line; echo \"heard $line\"");
    // A precheck that reads finds nothing, and takes nothing away.
    work.precheck = Some(shell("cat"));
    let (mut run, mut pipes) = Run::prepare_agent(work);
    pipes.stdin.write_all(b"early\n").await.unwrap();
    run.ready().await;
    run.handle().go();
    assert_eq!(run.report().await, Report::Started);
    assert_eq!(rest(&mut pipes.stdout).await, b"heard early\n");
    assert_eq!(run.exited().await.0, Exit::Code(0));
}

#[tokio::test]
async fn each_side_hears_that_the_other_one_has_closed_its_end() {
    let place = Place::new();

    let (mut run, AgentPipes { stdin, mut stdout }, _) =
        Run::start_agent(place.agent("cat > /dev/null; echo bye")).await;
    drop(stdin);
    assert_eq!(rest(&mut stdout).await, b"bye\n", "the agent hears the end");
    assert_eq!(run.exited().await.0, Exit::Code(0));

    let (mut run, AgentPipes { stdin, mut stdout }, _) =
        Run::start_agent(place.agent("echo last; exec >&-; cat > /dev/null; echo over >&2")).await;
    assert_eq!(rest(&mut stdout).await, b"last\n", "the sidecar does, while agent and guard live on");
    drop(stdin);
    assert_eq!(run.exited().await, (Exit::Code(0), 0, "over\n".to_owned()));

    // Not at the first word: what another test starts in this moment has the other end too, until it is what it is to be.
    let goes_on = "trap '' PIPE; read line; while echo there; do :; done; echo nobody >&2";
    let (mut run, AgentPipes { mut stdin, stdout }, _) = Run::start_agent(place.agent(goes_on)).await;
    drop(stdout);
    stdin.write_all(b"line\n").await.unwrap();
    let (exit, _, said) = run.exited().await;
    assert!(exit == Exit::Code(0) && said.ends_with("nobody\n"), "{exit:?} {said}");

    let (mut run, AgentPipes { mut stdin, mut stdout }, _) =
        Run::start_agent(place.agent("exec <&-; mkfifo gate; echo closed; read line < gate")).await;
    unread(&mut stdin).await;
    std::fs::write(place.file("gate"), "go\n").unwrap();
    assert_eq!(rest(&mut stdout).await, b"closed\n");
    assert_eq!(run.exited().await.0, Exit::Code(0));
}

#[tokio::test]
async fn one_that_ends_at_once_has_said_what_it_said() {
    let place = Place::new();
    let (mut run, mut pipes, guard) = Run::start_agent(place.agent("echo out; echo why >&2; exit 3")).await;
    assert_eq!(run.exited().await, (Exit::Code(3), 0, "why\n".to_owned()));
    assert_eq!(rest(&mut pipes.stdout).await, b"out\n");
    assert_over(&run, &mut pipes, &guard, &[]).await;
}

#[tokio::test]
async fn one_that_cannot_start_says_why_and_its_pipes_are_at_their_ends() {
    let place = Place::new();
    std::fs::write(place.file("plain.txt"), "no program").unwrap();
    let of = |program: &str| AgentWork { program: program.to_owned(), ..place.agent("") };
    let mut nul = place.agent("");
    nul.args.push("a\0b".to_owned());
    let no_log = AgentWork { log: place.file("plain.txt/agent.log"), ..place.agent("true") };
    let no_room = AgentWork {
        precheck: Some(shell("echo started > effect")),
        precheck_output: place.file("plain.txt/precheck.out"),
        ..place.agent("true")
    };
    let nowhere = AgentWork { directory: place.file("missing"), ..place.agent("true") };
    for (work, class, words) in [
        (of("no-such-agent"), ErrorClass::Config, ["not found in PATH", "provider's environment"]),
        (of("./plain.txt"), ErrorClass::Config, ["plain.txt is not executable", "chmod +x"]),
        (nul, ErrorClass::Config, ["NUL", "correct the provider's configuration"]),
        (nowhere, ErrorClass::Config, ["missing does not exist", "change the task's directory"]),
        (no_log, ErrorClass::Transient, ["plain.txt/agent.log cannot be created", "check who owns"]),
        (no_room, ErrorClass::Transient, ["plain.txt/precheck.out cannot be created", "check who owns"]),
    ] {
        let (mut run, mut pipes) = Run::prepare_agent(work);
        let guard = run.ready().await;
        run.handle().go();
        let Ended::StartFailed(StartFailure { class: found, message }) = run.ended().await else {
            panic!("not a failed start: {words:?}")
        };
        assert_eq!(found, class, "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{words:?} not in: {message}");
        assert_over(&run, &mut pipes, &guard, &[]).await;
    }
    assert!(!place.file("effect").exists());
}

#[tokio::test]
async fn one_that_is_not_wanted_any_more_is_never_started() {
    let place = Place::new();
    for how in ["at once", "when ready", "let go"] {
        let (mut run, mut pipes) = Run::prepare_agent(place.agent("echo started > effect"));
        match how {
            "at once" => run.handle().stop(),
            "when ready" => {
                run.ready().await;
                run.handle().stop();
            }
            _ => {
                run.ready().await;
                run.handle = None;
            }
        }
        assert_eq!(run.ended().await, Ended::Withdrawn, "{how}");
        assert_eq!(rest(&mut pipes.stdout).await, b"", "{how}");
        unread(&mut pipes.stdin).await;
    }
    assert!(!place.file("effect").exists());
}

#[tokio::test]
async fn a_flood_of_complaints_holds_nothing_up() {
    let place = Place::new();
    let mut work = place.agent("yes complaint | head -c 3000000 >&2; echo answer; echo 'the end' >&2");
    work.log_limit = 100_000;
    let (mut run, mut pipes, _) = Run::start_agent(work).await;
    assert_eq!(rest(&mut pipes.stdout).await, b"answer\n");
    let Ended::Exited { exit, tail, output, .. } = run.ended().await else { panic!("not exited") };
    assert_eq!(exit, Exit::Code(0));
    assert_eq!(output, OutputSize { bytes: 100_000, truncated: true, write_error: None });
    assert!(tail.ends_with("complaint\nthe end\n") && !tail.contains("answer"), "{tail}");
    assert_eq!(std::fs::metadata(&run.output).unwrap().len(), 100_000);
}

#[tokio::test]
async fn one_that_goes_on_without_input_is_asked_and_then_killed() {
    let place = Place::new();
    let line = "trap 'echo asked >> asked' TERM; echo $$ >> pids; cat > /dev/null; echo unread >> unread; \
                while :; do sleep 1000 & wait; done";
    let (mut run, AgentPipes { stdin, mut stdout }, guard) = Run::start_agent(place.agent(line)).await;
    let pids = pids(&place, 1).await;
    drop(stdin);
    lines(&place, "unread", 1).await;
    let asked = clock();
    run.handle().stop();
    assert_eq!(run.exited().await.0, Exit::Signal(9));
    assert!(asked.elapsed() >= STOP_GRACE && !place.lines("asked").is_empty());
    assert_eq!(rest(&mut stdout).await, b"");
    assert!(!is_alive(pids[0]) && carriers(&run.token).is_empty() && !is_our_zombie(guard.pid));
}

/// Holds standard output, in a session of its own, and is heard of in `pids`.
const HOLDER: &str = "(setsid sh -c 'echo $$ >> pids; exec sleep 1000' 2>/dev/null &); \
                      while [ ! -s pids ]; do sleep 0.01; done";

#[tokio::test]
async fn what_an_agent_leaves_behind_does_not_hold_its_output_open() {
    let place = Place::new();
    let (mut run, mut pipes, guard) = Run::start_agent(place.agent(&format!("{HOLDER}; echo bye"))).await;
    assert_eq!(rest(&mut pipes.stdout).await, b"bye\n");
    assert_eq!(run.exited().await.1, 1);
    let pids = pids(&place, 1).await;
    assert_over(&run, &mut pipes, &guard, &pids).await;
}

#[tokio::test]
async fn nothing_of_an_agent_outlives_its_guard_or_its_handle() {
    for how in ["guard killed", "guard asked", "let go", "stop", "stop now"] {
        let place = Place::new();
        let line = format!("{HOLDER}; echo $$ >> pids; sleep 1000");
        let (mut run, mut pipes, guard) = Run::start_agent(place.agent(&line)).await;
        let pids = pids(&place, 2).await;
        let expected = match how {
            "guard killed" => {
                signal("KILL", guard.pid);
                let Ended::GuardLost { message, .. } = run.ended().await else { panic!("not lost") };
                assert!(message.contains("guard of the agent") && message.contains("signal: 9"), "{message}");
                None
            }
            "guard asked" => {
                signal("TERM", guard.pid);
                Some(15)
            }
            "stop" => {
                run.handle().stop();
                Some(15)
            }
            "stop now" => {
                run.handle().stop_now();
                Some(9)
            }
            _ => {
                run.handle = None;
                Some(9)
            }
        };
        if let Some(by) = expected {
            assert_eq!(run.exited().await.0, Exit::Signal(by), "{how}");
        }
        assert_over(&run, &mut pipes, &guard, &pids).await;
    }
}

/// What this descriptor of a process leads to.
fn target(pid: u32, descriptor: RawFd) -> PathBuf {
    std::fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).expect("an open descriptor")
}

/// What all descriptors of a process lead to, by number.
fn targets(pid: u32) -> Vec<(RawFd, PathBuf)> {
    let listed = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a process");
    let mut all: Vec<_> = listed
        .map(|one| one.expect("a descriptor"))
        .filter_map(|one| {
            Some((one.file_name().to_str()?.parse().ok()?, std::fs::read_link(one.path()).ok()?))
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn an_agent_has_its_own_three_and_nobody_else_has_them() {
    let place = Place::new();
    let line = "echo $$ >> pids; exec cat";
    let (mut first, first_pipes, first_guard) = Run::start_agent(place.agent(line)).await;
    let (mut second, second_pipes, second_guard) = Run::start_agent(place.agent(line)).await;
    let agents = pids(&place, 2).await;
    for agent in &agents {
        let executed =
            || std::fs::read_to_string(format!("/proc/{agent}/comm")).is_ok_and(|name| name == "cat\n");
        eventually("the agent itself", || executed().then_some(())).await;
    }
    let own = std::process::id();
    for (agent, pipes) in [(agents[0], &first_pipes), (agents[1], &second_pipes)] {
        let (stdin, stdout) = (target(own, pipes.stdin.as_raw_fd()), target(own, pipes.stdout.as_raw_fd()));
        let held = targets(agent);
        assert_eq!(held.iter().map(|one| one.0).collect::<Vec<_>>(), [0, 1, 2], "{held:?}");
        assert_eq!((&held[0].1, &held[1].1), (&stdin, &stdout));
        assert!(held[2].1.to_string_lossy().starts_with("pipe:"), "{held:?}");
        for descriptor in [0, 1] {
            let info = std::fs::read_to_string(format!("/proc/{agent}/fdinfo/{descriptor}")).unwrap();
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
            let flags = i32::from_str_radix(flags, 8).unwrap();
            assert_eq!(flags & 0o4000, 0, "descriptor {descriptor} blocks: {info}");
        }
        for other in [first_guard.pid, second_guard.pid, agents[0], agents[1]] {
            let shares = targets(other).iter().any(|(_, held)| [&stdin, &stdout].contains(&held));
            assert_eq!(shares, other == agent, "process {other} and the pipes of {agent}");
        }
    }
    drop((first_pipes, second_pipes));
    assert_eq!(first.exited().await.0, Exit::Code(0));
    assert_eq!(second.exited().await.0, Exit::Code(0));
}
