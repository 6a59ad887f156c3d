//! Clients that give sockets instead of pipes, as Node does.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{Place, clock, eventually};

fn sidecar(place: &Place, input: UnixStream, output: Stdio) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
    command.arg("--stdio").current_dir(place.beside("")).env("SEXTON_STATE_DIR", place.state());
    command.env_remove("SEXTON_RUN_ID").env_remove("SEXTON_LOG");
    command.env("XDG_CONFIG_HOME", place.configuration());
    command.stdin(OwnedFd::from(input)).stdout(output).stderr(Stdio::piped());
    command.spawn().expect("the sidecar can be spawned")
}

/// How it has ended, and what it has logged.
fn end_of(mut process: Child) -> (Option<i32>, String) {
    let status = eventually("the end of the process", || process.try_wait().expect("our own child"));
    let mut log = String::new();
    process.stderr.take().expect("a pipe").read_to_string(&mut log).expect("a text");
    (status.code(), log)
}

#[test]
fn the_end_of_one_half_is_seen_behind_more_than_a_sidecar_takes_in() {
    let place = Place::new();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut process = sidecar(&place, theirs, Stdio::piped());
    // Nobody reads it.
    let _output = process.stdout.take();
    ours.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let flood = "{}\n".repeat(1000);
    while ours.write(flood.as_bytes()).is_ok() {}
    assert_eq!(process.try_wait().unwrap(), None, "it waits for its client to read");
    let began = clock();
    ours.shutdown(Shutdown::Write).unwrap();
    let (code, log) = end_of(process);
    let took = began.elapsed();
    // The end is in the middle of a message, or not.
    assert!(matches!(code, Some(0 | 1)) && took < Duration::from_secs(10), "{code:?} after {took:?}: {log}");
}

#[test]
fn a_socket_that_is_closed_with_answers_in_it_is_a_good_end() {
    let place = Place::new();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let output = Stdio::from(OwnedFd::from(theirs.try_clone().unwrap()));
    let process = sidecar(&place, theirs, output);
    ours.write_all(b"{}\n").unwrap();
    // The rest of the answer stays where it is.
    ours.read_exact(&mut [0]).unwrap();
    drop(ours);
    let (code, log) = end_of(process);
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}
