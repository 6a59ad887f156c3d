//! A precheck before an agent: what it says is for the prompt, and nothing of it gets into the conversation.

use std::os::fd::AsRawFd;
use std::time::Duration;

use sexton::exec::{Ended, Exit, OutputSize, PRECHECK_OUTPUT_BYTES, PrecheckEnd, Report, spool};

use super::{assert_over, rest, shell, target, targets};
use crate::support::{Place, Run, pids, signal};

#[tokio::test]
async fn what_a_precheck_says_is_kept_apart_from_what_the_agent_says() {
    let place = Place::new();
    let mut work = place.agent("echo answer; echo complaint >&2");
    work.precheck = Some(shell("readlink /proc/self/fd/0; echo facts; echo doubts >&2"));
    let facts = work.precheck_output.clone();
    let (mut run, mut pipes, _) = Run::start_agent(work).await;
    assert_eq!(rest(&mut pipes.stdout).await, b"answer\n");
    assert_eq!(run.exited().await, (Exit::Code(0), 0, "doubts\ncomplaint\n".to_owned()));
    assert_eq!(spool::read(&facts, 0, 1000).unwrap().data, b"/dev/null\nfacts\n");
    assert_eq!(spool::read(&run.output, 0, 1000).unwrap().data, b"doubts\ncomplaint\n");
}

#[tokio::test]
async fn of_a_precheck_that_says_much_the_beginning_is_kept() {
    let place = Place::new();
    let mut work = place.agent("echo answer");
    work.precheck = Some(shell("yes 0123456 | head -c 3000000; yes doubt | head -c 3000000 >&2"));
    work.log_limit = 1000;
    let facts = work.precheck_output.clone();
    let (mut run, mut pipes, _) = Run::start_agent(work).await;
    assert_eq!(rest(&mut pipes.stdout).await, b"answer\n");
    let Ended::Exited { exit, output, .. } = run.ended().await else { panic!("not exited") };
    assert_eq!(
        (exit, output),
        (Exit::Code(0), OutputSize { bytes: 1000, truncated: true, write_error: None })
    );
    let kept = std::fs::read(&facts).unwrap();
    assert_eq!(kept.len() as u64, PRECHECK_OUTPUT_BYTES);
    assert!(kept.chunks(8).all(|line| line == b"0123456\n"));
}

#[tokio::test]
async fn what_a_precheck_says_that_cannot_be_kept_is_told() {
    let place = Place::new();
    for (line, allows) in [("echo facts", true), ("echo facts; exit 75", false)] {
        let mut work = place.agent("true");
        work.precheck = Some(shell(line));
        work.precheck_output = "/dev/full".into();
        let (mut run, _pipes) = Run::prepare_agent(work);
        run.ready().await;
        run.handle().go();
        if allows {
            assert_eq!(run.report().await, Report::Started);
        }
        let (Ended::Exited { output, .. } | Ended::PrecheckOnly { output, .. }) = run.ended().await else {
            panic!("it ended otherwise: {line}")
        };
        assert!(output.write_error.is_some_and(|said| said.contains("/dev/full")), "{line}");
    }
}

#[tokio::test]
async fn an_agent_is_not_started_after_any_other_end_of_its_precheck() {
    let place = Place::new();
    for (line, end, said) in [
        ("echo facts; exit 75", PrecheckEnd::Exited(Exit::Code(75)), "facts\n"),
        ("echo facts; echo why >&2; exit 1", PrecheckEnd::Exited(Exit::Code(1)), "why\n"),
        ("exit 1", PrecheckEnd::Exited(Exit::Code(1)), ""),
        ("echo slow; exec sleep 1000", PrecheckEnd::TimedOut(Exit::Signal(15)), "slow\n"),
    ] {
        let mut work = place.agent("echo started >> effect");
        let mut precheck = shell(line);
        if matches!(end, PrecheckEnd::TimedOut(_)) {
            precheck.timeout = Duration::from_millis(300);
        }
        work.precheck = Some(precheck);
        let (mut run, mut pipes) = Run::prepare_agent(work);
        let guard = run.ready().await;
        run.handle().go();
        let Ended::PrecheckOnly { end: found, tail, .. } = run.ended().await else {
            panic!("not only the precheck: {line}")
        };
        assert_eq!((found, tail.as_str()), (end, said), "{line}");
        assert_over(&run, &mut pipes, &guard, &[]).await;
    }
    assert!(!place.file("effect").exists());
}

#[tokio::test]
async fn what_ends_a_precheck_closes_the_pipes_of_its_agent() {
    for how in ["stop", "let go", "guard killed"] {
        let place = Place::new();
        let mut work = place.agent("echo started >> effect");
        work.precheck = Some(shell("echo $$ >> pids; sleep 1000 & echo $! >> pids; wait"));
        let (mut run, mut pipes) = Run::prepare_agent(work);
        let guard = run.ready().await;
        run.handle().go();
        let pids = pids(&place, 2).await;
        let own = std::process::id();
        let ends = [target(own, pipes.stdin.as_raw_fd()), target(own, pipes.stdout.as_raw_fd())];
        let holds = |pid: u32| targets(pid).iter().filter(|(_, held)| ends.contains(held)).count();
        assert_eq!((holds(guard.pid), holds(pids[0])), (2, 0), "the guard keeps them until the agent starts");
        match how {
            "stop" => run.handle().stop(),
            "let go" => run.handle = None,
            _ => signal("KILL", guard.pid),
        }
        match run.ended().await {
            Ended::PrecheckOnly { end: PrecheckEnd::Exited(Exit::Signal(_)), .. } => {
                assert_ne!(how, "guard killed");
            }
            Ended::GuardLost { .. } => assert_eq!(how, "guard killed"),
            other @ (Ended::Withdrawn
            | Ended::StartFailed(_)
            | Ended::PrecheckOnly { .. }
            | Ended::Exited { .. }) => panic!("{how}: {other:?}"),
        }
        assert_over(&run, &mut pipes, &guard, &pids).await;
        assert!(!place.file("effect").exists(), "{how}");
    }
}

#[tokio::test]
async fn an_agent_that_was_allowed_and_cannot_start_says_why_beside_what_was_checked() {
    let place = Place::new();
    let mut work = place.agent("");
    work.program = "no-such-agent".to_owned();
    work.precheck = Some(shell("echo facts"));
    let facts = work.precheck_output.clone();
    let (mut run, mut pipes) = Run::prepare_agent(work);
    let guard = run.ready().await;
    run.handle().go();
    let Ended::PrecheckOnly { end: PrecheckEnd::CommandNotStarted(failure), tail, .. } = run.ended().await
    else {
        panic!("it started")
    };
    assert!(failure.message.contains("`no-such-agent` was not found"), "{}", failure.message);
    assert_eq!(
        (tail.as_str(), std::fs::read(&facts).unwrap().as_slice()),
        ("facts\n", b"facts\n".as_slice())
    );
    assert_over(&run, &mut pipes, &guard, &[]).await;
}
