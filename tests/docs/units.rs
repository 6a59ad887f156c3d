//! Units of systemd's: it understands them, and what they start serves and ends well.

use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::blocks::Block;
use crate::reader::{BINARY, Reader};
use crate::support::missing::missing;

/// Verifies the unit, and starts what it starts.
pub(crate) fn check(block: &Block, name: &str) -> Result<(), String> {
    let reader = Reader::new();
    let unit = with_this_build(&block.content)?;
    is_understood(&reader, name, &unit)?;
    serves(&reader, &unit)
}

/// The unit with the program of this build in it.
fn with_this_build(unit: &str) -> Result<String, String> {
    let program = exec_start(unit)?.split(' ').next().unwrap_or_default();
    match Path::new(program).file_name().is_some_and(|name| name == "sexton") {
        true => Ok(unit.replace(program, BINARY)),
        false => Err(format!("it starts {program}, not sexton")),
    }
}

fn exec_start(unit: &str) -> Result<&str, String> {
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
    line.ok_or_else(|| "it has no ExecStart".to_owned())
}

fn is_understood(reader: &Reader, name: &str, unit: &str) -> Result<(), String> {
    let verify = |unit: &str| {
        let file = reader.beside(name);
        std::fs::write(&file, unit).unwrap();
        let mut command = reader.command("systemd-analyze");
        command.args(["verify", "--user", "--man=no"]).arg(&file);
        // It wants to know where a user's sockets are, also where nobody has logged in.
        command.env("XDG_RUNTIME_DIR", reader.beside("")).output()
    };
    let Ok(verified) = verify(unit) else {
        missing("systemd-analyze", "Debian package systemd");
        return Ok(());
    };
    // It looks at other units as well, and only tells what it does not understand.
    let about_it = |output: &Output| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        said.lines().filter(|line| line.contains("sexton")).map(str::to_owned).collect::<Vec<_>>()
    };
    let said = about_it(&verified);
    if !verified.status.success() || !said.is_empty() {
        return Err(format!("systemd does not understand it: {verified:?}"));
    }
    let misspelt = verify(&unit.replace("ExecStart=", "KilMode=mixed\nExecStart=")).unwrap();
    if about_it(&misspelt).is_empty() {
        return Err(
            "systemd-analyze says nothing of a misspelt unit either, so its silence means nothing".to_owned()
        );
    }
    Ok(())
}

fn serves(reader: &Reader, unit: &str) -> Result<(), String> {
    let (home, project) = (reader.home(), reader.project());
    // As systemd does it: words first, then what each stands for.
    let words = exec_start(unit)?
        .split(' ')
        .map(|word| word.replace("%h", &home.to_string_lossy()).replace("%f", &project.to_string_lossy()));
    let mut service = reader.command("env");
    service.args(words).current_dir("/").stdin(Stdio::null()).stderr(Stdio::piped());
    let mut service = service.spawn().unwrap();
    let mut log = BufReader::new(service.stderr.take().unwrap()).lines();
    let first = log.next().and_then(Result::ok).unwrap_or_default();
    let pid = rustix::process::Pid::from_child(&service);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let code = service.wait().unwrap().code();
    let rest: Vec<String> = log.map_while(Result::ok).collect();
    let serving = format!("serving {}", String::from_utf8_lossy(home.as_os_str().as_bytes()));
    if code != Some(0) || !first.contains(&serving) {
        return Err(format!("it ended with {code:?} and said {first} {rest:?}"));
    }
    Ok(())
}
