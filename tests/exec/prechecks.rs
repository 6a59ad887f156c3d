//! A precheck: the command starts only if it allows that, and nothing of it is left by then.

use std::time::Duration;

use sexton::domain::run::ErrorClass;
use sexton::exec::{CommandWork, Ended, Exit, PrecheckEnd, PrecheckWork, STOP_GRACE, StartFailure, spool};

use crate::support::{Place, Run, carriers, carry_out, clock, is_alive, lines, pids, signal};

/// Longer than any precheck here takes that is not meant to take too long.
const LONG: Duration = Duration::from_secs(60);

/// A command, and the shell's line that decides about it.
fn checked(place: &Place, precheck: &str, command: &str) -> CommandWork {
    let args = vec!["-c".to_owned(), precheck.to_owned()];
    let precheck = PrecheckWork { program: "sh".to_owned(), args, timeout: LONG };
    CommandWork { precheck: Some(precheck), ..place.shell(command) }
}

/// How it ended that only the precheck was started: why, swept, tail.
async fn precheck_only(run: &mut Run) -> (PrecheckEnd, u32, String) {
    only(run.ended().await)
}

fn only(ended: Ended) -> (PrecheckEnd, u32, String) {
    match ended {
        Ended::PrecheckOnly { end, swept, tail, .. } => (end, swept, tail),
        other @ (Ended::Withdrawn
        | Ended::StartFailed(_)
        | Ended::Exited { .. }
        | Ended::GuardLost { .. }) => {
            panic!("instead of PrecheckOnly: {other:?}")
        }
    }
}

#[tokio::test]
async fn the_command_starts_after_a_precheck_that_allows_it() {
    let place = Place::new();
    let mut work =
        checked(&place, "echo checked $WHO; wc -c; pwd -P > there", "echo $WHO; cat; pwd -P | cmp - there");
    work.environment.push(("WHO".to_owned(), "by whom".to_owned()));
    work.stdin = Some("input".to_owned());
    let output = work.output.clone();
    let (mut run, _) = Run::start(work).await;
    let said = "checked by whom\n0\nby whom\ninput";
    assert_eq!(run.exited().await, (Exit::Code(0), 0, said.to_owned()), "one output, and only one input");
    assert_eq!(spool::read(&output, 0, 1000).unwrap().data, said.as_bytes());
}

#[tokio::test]
async fn the_command_does_not_start_after_any_other_end() {
    let place = Place::new();
    for (line, exit) in [
        ("echo said; exit 75", Exit::Code(75)),
        ("echo said; exit 1", Exit::Code(1)),
        ("echo said; kill -KILL $$", Exit::Signal(9)),
    ] {
        let mut work = checked(&place, line, "echo started >> effect");
        work.output_limit = 3;
        let output = work.output.clone();
        let expected = (PrecheckEnd::Exited(exit), 0, "said\n".to_owned());
        assert_eq!(only(carry_out(work).await), expected, "{line}");
        assert_eq!(spool::tail(&output).unwrap(), "sai", "{line}");
    }
    assert!(!place.file("effect").exists());
}

#[tokio::test]
async fn what_cannot_start_says_whether_it_was_the_precheck() {
    let place = Place::new();
    let mut work = place.shell("echo started >> effect");
    let program = "no-such-precheck".to_owned();
    work.precheck = Some(PrecheckWork { program, args: Vec::new(), timeout: LONG });
    let Ended::StartFailed(StartFailure { class, message }) = carry_out(work).await else {
        panic!("it started")
    };
    assert_eq!(class, ErrorClass::Config);
    assert!(message.contains("precheck could not") && message.contains("`no-such-precheck`"), "{message}");
    assert!(!place.file("effect").exists());

    let mut work = checked(&place, "echo checked", "");
    work.program = "no-such-command".to_owned();
    let (PrecheckEnd::CommandNotStarted(failure), _, tail) = only(carry_out(work).await) else {
        panic!("it started")
    };
    let StartFailure { class, message } = failure;
    assert_eq!(class, ErrorClass::Config);
    assert!(message.contains("`no-such-command`") && !message.contains("precheck"), "{message}");
    assert_eq!(tail, "checked\n");
}

#[tokio::test]
async fn a_precheck_that_takes_too_long_is_asked_to_end() {
    let place = Place::new();
    let line = "trap 'echo asked; exit 0' TERM; setsid sleep 1000 & while :; do wait; done";
    let mut work = checked(&place, line, "echo started >> effect");
    work.precheck.as_mut().unwrap().timeout = Duration::from_millis(300);
    let token = work.token.clone();
    let began = clock();
    let (end, swept, tail) = only(carry_out(work).await);
    assert_eq!((end, swept, tail.as_str()), (PrecheckEnd::TimedOut(Exit::Code(0)), 1, "asked\n"));
    assert!(began.elapsed() >= Duration::from_millis(300) && began.elapsed() < STOP_GRACE);
    assert!(carriers(&token).is_empty() && !place.file("effect").exists());
}

#[tokio::test]
async fn the_time_of_a_precheck_is_no_time_of_its_command() {
    let place = Place::new();
    let mut work = checked(&place, "true", "mkfifo gate; echo up >> up; read line < gate; echo done");
    work.precheck.as_mut().unwrap().timeout = Duration::from_secs(1);
    let began = clock();
    let (mut run, _) = Run::start(work).await;
    lines(&place, "up", 1).await;
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    while began.elapsed() < Duration::from_millis(1500) {
        tick.tick().await;
    }
    std::fs::write(place.file("gate"), "go\n").unwrap();
    assert_eq!(run.exited().await, (Exit::Code(0), 0, "done\n".to_owned()));
}

#[tokio::test]
async fn what_a_precheck_leaves_running_is_gone_before_the_command_starts() {
    let place = Place::new();
    let leave = "(setsid sh -c 'echo $$ >> pids; exec sleep 1000' &); sleep 1000 & echo $! >> pids; \
                 while [ $(wc -l < pids) -lt 2 ]; do sleep 0.01; done";
    let look = "for pid in $(cat pids); do kill -0 $pid && echo alive >> effect; done; (setsid sleep 1000 &)";
    let mut work = checked(&place, leave, look);
    work.output = "/dev/null".into();
    let (mut run, _) = Run::start(work).await;
    let (exit, swept, _) = run.exited().await;
    assert_eq!(exit, Exit::Code(0));
    assert_eq!(swept, 3, "two of the precheck, one of the command");
    assert!(!place.file("effect").exists());
}

#[tokio::test]
async fn a_stop_during_the_precheck_ends_it_and_no_command_starts() {
    for how in ["stop", "stop now", "let go", "guard asked"] {
        let place = Place::new();
        // It ends as if all were well.
        let line =
            "trap 'echo asked >> asked; exit 0' TERM; sleep 1000 & echo $! >> pids; echo $$ >> pids; wait";
        let mut run = Run::prepare(checked(&place, line, "echo started >> effect"));
        let guard = run.ready().await;
        run.handle().go();
        let pids = pids(&place, 2).await;
        let asked = match how {
            "stop" => {
                run.handle().stop();
                1
            }
            "stop now" => {
                run.handle().stop_now();
                0
            }
            "let go" => {
                run.handle = None;
                0
            }
            _ => {
                signal("TERM", guard.pid);
                1
            }
        };
        let exit = if asked == 1 { Exit::Code(0) } else { Exit::Signal(9) };
        assert_eq!(precheck_only(&mut run).await.0, PrecheckEnd::Exited(exit), "{how}");
        assert_eq!(place.lines("asked").len(), asked, "{how}");
        assert!(!pids.iter().any(|pid| is_alive(*pid)) && carriers(&run.token).is_empty(), "{how}");
        assert!(!place.file("effect").exists(), "{how}");
    }
}

#[tokio::test]
async fn a_guard_that_is_killed_takes_its_precheck_along() {
    let place = Place::new();
    let line = "(setsid sh -c 'echo $$ >> pids; exec sleep 1000' &); echo $$ >> pids; sleep 1000";
    let mut run = Run::prepare(checked(&place, line, "echo started >> effect"));
    let guard = run.ready().await;
    run.handle().go();
    let pids = pids(&place, 2).await;
    signal("KILL", guard.pid);
    let Ended::GuardLost { message, .. } = run.ended().await else { panic!("not lost") };
    assert!(message.contains("signal: 9"), "{message}");
    assert!(!pids.iter().any(|pid| is_alive(*pid)) && !place.file("effect").exists());
}
