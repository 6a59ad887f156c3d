//! Commands from start to their own end: codes, output, input, environment, and why one cannot start.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use sexton::domain::run::ErrorClass;
use sexton::exec::{Ended, Exit, GuardProgram, OutputSize, Report, StartFailure, spool};

use crate::program;
use crate::support::{Place, Run, carriers, carry_out, carry_out_with, is_our_zombie};

#[tokio::test]
async fn codes_and_signals_are_told_as_they_are() {
    let place = Place::new();
    for (line, expected) in [
        ("exit 0", Exit::Code(0)),
        ("exit 7", Exit::Code(7)),
        ("exit 255", Exit::Code(255)),
        ("kill -KILL $$", Exit::Signal(9)),
        ("kill -TERM $$", Exit::Signal(15)),
    ] {
        let (mut run, _) = Run::start(place.shell(line)).await;
        assert_eq!(run.exited().await, (expected, 0, String::new()), "{line}");
    }
}

#[tokio::test]
async fn both_outputs_are_one_in_the_order_they_were_written() {
    let place = Place::new();
    let (mut run, _) = Run::start(place.shell("echo one; echo two >&2; printf three")).await;
    assert_eq!(run.exited().await.2, "one\ntwo\nthree");
    assert_eq!(spool::read(&run.output, 4, 5).unwrap().data, b"two\nt");
    assert_eq!(spool::tail(&run.output).unwrap(), "one\ntwo\nthree");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&run.output), 0o600);
    assert_eq!(mode(run.output.parent().unwrap()), 0o700);
}

#[tokio::test]
async fn a_long_output_is_cut_and_its_end_is_kept() {
    let place = Place::new();
    let mut work = place.shell("yes 0123456789 | head -c 3000000; printf 'the end\\377'");
    work.output_limit = 100_000;
    let path = work.output.clone();
    let Ended::Exited { exit, tail, output, .. } = carry_out(work).await else { panic!("not exited") };
    assert_eq!(exit, Exit::Code(0));
    assert_eq!(output, OutputSize { bytes: 100_000, truncated: true, write_error: None });
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 100_000);
    assert!(tail.ends_with("the end\u{fffd}") && tail.len() <= 4096 && tail.len() > 4080, "{}", tail.len());
}

#[tokio::test]
async fn an_output_that_cannot_be_written_does_not_stop_the_command() {
    let place = Place::new();
    let mut work = place.shell("echo lost; head -c 300000 /dev/zero; echo done > effect; echo end");
    work.output = "/dev/full".into();
    let Ended::Exited { exit, tail, output, .. } = carry_out(work).await else { panic!("not exited") };
    assert_eq!((exit, place.lines("effect").len()), (Exit::Code(0), 1));
    assert!(tail.ends_with("end\n"));
    assert!(output.truncated && output.bytes == 0);
    let said = output.write_error.expect("a sentence");
    assert!(said.contains("/dev/full") && said.contains("No space left"), "{said}");
}

#[tokio::test]
async fn the_limit_on_the_size_of_files_ends_the_spool_and_not_the_guard() {
    let place = Place::new();
    let guard = place.guard_after("ulimit -f 8");
    let work = place.shell("head -c 300000 /dev/zero; echo end");
    let Ended::Exited { exit, tail, output, .. } = carry_out_with(&guard, work).await else {
        panic!("not exited")
    };
    assert!(exit == Exit::Code(0) && tail.ends_with("end\n"));
    assert!(output.truncated && (4096..=8192).contains(&output.bytes), "{output:?}");
    assert!(output.write_error.is_some_and(|said| said.contains("too large")));
}

#[tokio::test]
async fn input_reaches_the_command_and_one_that_does_not_read_it_is_not_held_up() {
    let place = Place::new();
    let text = "ä".repeat(1_500_000);
    let with_input = |line: &str| {
        let mut work = place.shell(line);
        work.stdin = Some(text.clone());
        work.output_limit = u64::MAX;
        work
    };
    for line in ["true", "exec 0<&-; echo", "head -c 10 > part"] {
        let (mut run, _) = Run::start(with_input(line)).await;
        assert_eq!(run.exited().await.0, Exit::Code(0), "{line}");
    }
    let (mut run, _) = Run::start(with_input("cat; echo >&2")).await;
    assert_eq!(run.exited().await.0, Exit::Code(0), "as much goes in as comes out, at the same time");
    assert_eq!(std::fs::read(&run.output).unwrap(), format!("{text}\n").as_bytes());

    let (mut run, _) = Run::start(place.shell("wc -c; readlink /proc/self/fd/0")).await;
    assert_eq!(run.exited().await.2, "0\n/dev/null\n", "no input is an empty one");
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let place = Place::new();
    std::fs::write(place.file("plain.txt"), "no program").unwrap();
    std::fs::create_dir(place.file("folder")).unwrap();
    program::write(&place.file("no-interpreter"), "#!/no/such/shell\n");
    let in_directory = |name: &str| {
        let mut work = place.shell("echo started > effect");
        work.directory = place.file(name);
        work
    };
    let mut bad_name = place.work("true", &[]);
    bad_name.environment = vec![("a\0b".to_owned(), "x".to_owned())];
    let mut bad_path = place.work("true", &[]);
    bad_path.directory = std::ffi::OsStr::from_bytes(b"/tmp/\xff").into();
    let mut no_spool = place.work("true", &[]);
    no_spool.output = place.file("plain.txt/output.log");
    for (work, class, words) in [
        (
            place.work("no-such-program", &[]),
            ErrorClass::Config,
            ["`no-such-program` was not found in PATH", "install it"],
        ),
        (
            place.work("./no-such-program", &[]),
            ErrorClass::Config,
            ["no-such-program does not exist", "correct the path"],
        ),
        (place.work("./plain.txt", &[]), ErrorClass::Config, ["plain.txt is not executable", "chmod +x"]),
        (place.work("./folder", &[]), ErrorClass::Config, ["folder is a directory", "path of a program"]),
        (place.work("./no-interpreter", &[]), ErrorClass::Config, ["no-interpreter exists", "interpreter"]),
        (place.work("echo", &["a\0b"]), ErrorClass::Config, ["NUL", "correct the task"]),
        (bad_name, ErrorClass::Config, ["NUL", "correct the task"]),
        (in_directory("missing"), ErrorClass::Config, ["missing does not exist", "create it"]),
        (
            in_directory("plain.txt"),
            ErrorClass::Config,
            ["plain.txt is not a directory", "change the task's directory"],
        ),
        (bad_path, ErrorClass::Config, ["/tmp/", "valid UTF-8"]),
        (no_spool, ErrorClass::Transient, ["plain.txt/output.log cannot be created", "check who owns"]),
    ] {
        let mut run = Run::prepare(work);
        run.handle().go();
        let report = match run.report().await {
            Report::Ready(_) => run.report().await,
            other @ (Report::Started | Report::Ended(_)) => other,
        };
        let Report::Ended(Ended::StartFailed(failure)) = report else { panic!("{report:?}") };
        let message = &failure.message;
        assert_eq!(failure.class, class, "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{words:?} not in: {message}");
    }
    assert!(!place.file("effect").exists());
}

#[tokio::test]
async fn without_a_guard_nothing_starts() {
    let place = Place::new();
    for (guard, word) in [
        (GuardProgram::at(place.file("no-guard")), "no-guard could not be started"),
        (GuardProgram::at(place.script("dies", "exit 3")), "it ended without a last word; exit status: 3"),
        (
            GuardProgram::at(place.script("hears-half", "head -c 10 <&2 > /dev/null; exit 3")),
            "it ended without a last word; exit status: 3",
        ),
        (GuardProgram::at(place.script("babbles", "echo hello >&2")), "cannot be understood"),
    ] {
        let mut run = Run::prepare_with(&guard, place.shell("echo started > effect"));
        let Ended::StartFailed(StartFailure { class, message }) = run.ended().await else {
            panic!("not a failed start")
        };
        assert!(message.contains(word), "{word} not in: {message}");
        assert_eq!(class, ErrorClass::Transient, "it is not the task: {message}");
    }
    assert!(!place.file("effect").exists());
}

#[test]
fn a_guard_that_nobody_speaks_with_says_who_starts_guards() {
    let started = Command::new(env!("CARGO_BIN_EXE_sexton")).arg("guard").stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = started.unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(!status.success() && stdout.is_empty());
    assert!(said.contains("started by a sidecar, not by hand"), "{said}");
}

#[tokio::test]
async fn what_there_is_no_room_for_now_may_start_later() {
    let place = Place::new();
    // The guard has what it needs for itself and for the output, and not what it takes to start a program.
    let crowded = place.guard_after("ulimit -n 12");
    let mut run = Run::prepare_with(&crowded, place.shell("echo started > effect"));
    run.ready().await;
    run.handle().go();
    let Ended::StartFailed(StartFailure { class, message }) = run.ended().await else {
        panic!("not a failed start")
    };
    assert_eq!(class, ErrorClass::Transient, "{message}");
    assert!(message.contains("program `sh`") && message.contains("ulimit -n"), "{message}");
    assert!(!place.file("effect").exists());
}

#[tokio::test]
async fn what_is_stopped_before_it_goes_never_starts() {
    let place = Place::new();
    let work = || place.shell("echo started >> effect");

    let mut at_once = Run::prepare(work());
    at_once.handle().stop();
    assert_eq!(at_once.ended().await, Ended::Withdrawn);

    let mut when_ready = Run::prepare(work());
    when_ready.ready().await;
    when_ready.handle().stop_now();
    when_ready.handle().go();
    assert_eq!(when_ready.ended().await, Ended::Withdrawn, "a go after the stop changes nothing");

    let mut together = Run::prepare(work());
    let identity = together.ready().await;
    together.handle().go();
    together.handle().stop();
    assert_eq!(together.ended().await, Ended::Withdrawn, "the guard has not heard the go yet");

    let mut let_go = Run::prepare(work());
    let_go.ready().await;
    let_go.handle = None;
    assert_eq!(let_go.ended().await, Ended::Withdrawn);

    assert!(!place.file("effect").exists() && !together.output.exists());
    assert!(!is_our_zombie(identity.pid));
}

#[tokio::test]
async fn the_environment_is_added_in_order_and_the_token_stays() {
    let place = Place::new();
    let tools = place.file("tools");
    std::fs::create_dir(&tools).unwrap();
    std::fs::rename(
        place.script("own-tool", "echo \"$WHO|$HOME|$SEXTON_RUN_TOKEN\""),
        tools.join("own-tool"),
    )
    .unwrap();
    let mut work = place.work("own-tool", &[]);
    let path = format!("{}:/usr/bin:/bin", tools.display());
    work.environment = [("WHO", "first"), ("SEXTON_RUN_TOKEN", "forged"), ("PATH", &path), ("WHO", "last")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    let (mut run, _) = Run::start(work).await;
    let (_, _, said) = run.exited().await;
    let fields: Vec<&str> = said.trim_end().split('|').collect();
    assert_eq!((fields[0], fields[2]), ("last", run.token.as_str()), "of two the later; the token always");
    assert!(!fields[1].is_empty(), "the sidecar's own is below it");
}

#[tokio::test]
async fn guard_and_command_start_clean() {
    let place = Place::new();
    // What an editor may do to a sidecar, and the sidecar would pass on: leak a descriptor, ignore signals.
    let leak = place.file("leaked");
    let guard = place.guard_after(&format!("exec 7>'{}'; trap '' HUP INT TERM USR1 CHLD", leak.display()));
    let line = "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]*\\) -> \\(.*\\)/\\1 \\2/p' > fds; \
                grep -E '^Sig(Blk|Ign)' /proc/self/status > signals; \
                cut -d' ' -f1,5,6 /proc/$$/stat > session; echo $$ >> session";
    let mut run = Run::prepare_with(&guard, place.shell(line));
    let identity = run.ready().await;
    let held: Vec<_> = std::fs::read_dir(format!("/proc/{}/fd", identity.pid))
        .unwrap()
        .filter_map(|one| std::fs::read_link(one.ok()?.path()).ok())
        .collect();
    assert!(held.len() >= 3 && !held.contains(&leak), "the guard: {held:?}");
    let allowed =
        |target: &str| ["pipe:", "socket:", "/dev/null"].iter().any(|kind| target.starts_with(kind));
    assert!(held.iter().all(|target| allowed(&target.to_string_lossy())), "the guard: {held:?}");

    // Whatever else writes there cannot be taken for a word, and nothing inherits the life line.
    let stderr = std::fs::read_link(format!("/proc/{}/fd/2", identity.pid)).unwrap();
    assert_eq!(stderr, std::path::Path::new("/dev/null"));

    run.handle().go();
    assert_eq!(run.report().await, Report::Started);
    assert_eq!(run.exited().await.0, Exit::Code(0));
    let descriptors = place.lines("fds");
    let numbers: Vec<&str> =
        descriptors.iter().filter_map(|line| line.split_once(' ')).map(|one| one.0).collect();
    assert_eq!(numbers, ["0", "1", "2", "3"], "the fourth is of `ls` itself: {descriptors:?}");
    assert!(descriptors[3].contains("/proc/") && descriptors[0].ends_with("/dev/null"), "{descriptors:?}");
    for line in place.lines("signals") {
        let set = u64::from_str_radix(line.split_once('\t').unwrap().1, 16).unwrap();
        // The C library keeps 32 and 33 to itself, and lets nobody set them.
        assert_eq!(set & !(0b11 << 31), 0, "{line}");
    }
    let session = place.lines("session");
    assert_eq!(session[0], [session[1].as_str(); 3].join(" "), "it leads its session");
}

#[tokio::test]
async fn a_working_directory_and_a_relative_program_are_the_works_own() {
    let place = Place::new();
    std::fs::create_dir(place.file("inner")).unwrap();
    std::fs::rename(place.script("tool", "pwd; echo \"$1\""), place.file("inner/tool")).unwrap();
    let mut work = place.work("./tool", &["two words"]);
    work.directory = place.file("inner");
    let (mut run, _) = Run::start(work).await;
    assert_eq!(run.exited().await.2, format!("{}\ntwo words\n", place.file("inner").display()));
}

#[tokio::test]
async fn fifty_at_once_end_each_as_its_own() {
    let place = Place::new();
    let mut runs = Vec::new();
    for number in 0..50 {
        runs.push(Run::prepare(
            place.shell(&format!("echo {number} >> effects; echo {number}; exit {number}")),
        ));
    }
    let mut guards = Vec::new();
    for run in &mut runs {
        guards.push(run.ready().await.pid);
        run.handle().go();
    }
    for (number, run) in (0..).zip(&mut runs) {
        assert_eq!(run.report().await, Report::Started);
        assert_eq!(run.exited().await, (Exit::Code(number), 0, format!("{number}\n")));
        assert!(carriers(&run.token).is_empty());
    }
    let mut effects: Vec<i32> = place.lines("effects").iter().map(|line| line.parse().unwrap()).collect();
    effects.sort_unstable();
    assert_eq!(effects, (0..50).collect::<Vec<i32>>());
    assert!(!guards.iter().any(|pid| is_our_zombie(*pid)));
}
