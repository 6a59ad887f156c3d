//! Stderr, where the log goes: nobody has to read it.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::drafts::{dormant, shell};
use crate::support::{Place, Spawn, eventually};

/// A pipe that takes in no more.
fn full_pipe(path: &Path) -> File {
    let made = Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success(), "mkfifo {}", path.display());
    // Open for both directions: neither side waits for the other to open it, and it does not end.
    let mut pipe = File::options().read(true).write(true).open(path).expect("a pipe");
    rustix::io::ioctl_fionbio(&pipe, true).expect("a pipe can be asked not to wait");
    while pipe.write(&[b'.'; 4096]).is_ok() {}
    pipe
}

/// What can be read from it now.
fn drain(pipe: &mut File, said: &mut Vec<u8>) {
    let mut part = [0; 4096];
    loop {
        match pipe.read(&mut part) {
            Ok(count) => said.extend_from_slice(&part[..count]),
            Err(error) => return assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
    }
}

#[test]
fn a_log_that_nobody_reads_keeps_nothing_from_being_done() {
    let place = Place::new();
    let path = place.beside("log pipe");
    let mut pipe = full_pipe(&path);
    let script = format!(r#"exec "$@" 2> '{}'"#, path.display());
    let mut client = Spawn::through(&place, &["sh"], &script).spawn();
    // Nobody has this number, which is a warning.
    client.initialize_for(json!(4_000_000_000_u32));
    client.subscribe(json!({}));
    let automation = client.create(dormant("at work", shell("true")));
    let run = client.run(&automation);
    client.wait_for_run(&run, "succeeded");
    let mut said = Vec::new();
    eventually("it is written when somebody reads", || {
        drain(&mut pipe, &mut said);
        String::from_utf8_lossy(&said).contains("process 4000000000 (`processId`)").then_some(())
    });
    client.finish();
    // Nor does what is still unread keep it from ending.
    while pipe.write(&[b'.'; 4096]).is_ok() {}
    let mut client = Spawn::through(&place, &["sh"], &script).spawn();
    client.initialize_for(json!(4_000_000_000_u32));
    client.finish();
}
