//! `sexton log`: what a run has written, and what it writes.

use std::collections::VecDeque;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::bytes_out::{BytesOut, Closed, Taken};
use super::changes::gone;
use super::opened::{Asker, Trouble, Unopened, ask};
use super::project::Chosen;
use super::run_named::{Meant, run_named};
use super::run_words::named;
use super::tell;
use crate::client::Client;
use crate::client::model::Run;
use crate::exec::spool;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "log";

/// How much of a file is read at once.
const PIECE: usize = 1 << 16;

#[derive(Args)]
pub(super) struct LogArgs {
    /// The run, by its id, or an automation by its id or title: its newest run that has done anything, with
    /// -f its newest run that has not ended.
    #[arg(value_name = "RUN|ID")]
    run: String,
    /// Follows what it writes until its end, in whichever window it is at work.
    #[arg(long, short)]
    follow: bool,
    /// Only its last lines, and with -f what follows them.
    #[arg(long = "lines", short = 'n', value_name = "LINES")]
    lines: Option<usize>,
    /// What the agent that carried it out wrote on its standard error, as it was written.
    #[arg(long, conflicts_with = "follow")]
    agent: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Writes it to stdout, byte by byte as it was written. The exit code is 2 where something that was named cannot be used,
/// and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: LogArgs) -> ExitCode {
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let written = ask(asker, chosen, async |client| {
        let meant = if args.follow { Meant::Newest } else { Meant::Worked };
        let run = run_named(client, &args.run, meant).await?;
        let out = BytesOut::new()?;
        let taken = match args.agent {
            true => agent_log(client, &run, &args, &out).await?,
            false => output(client, &run, &args, &out).await?,
        };
        // What is missing matters only to who has read the rest.
        if out.finish().await? == Taken::All && taken.is_ok() && !args.agent {
            let now: Run = client.ask("run/get", json!({"id": run.id})).await?;
            if now.output.truncated {
                tell(&format!("not all that {} wrote was kept", named(&now)));
            }
        }
        Ok(())
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => trouble.told(),
    }
}

/// What is written until now, and then as it comes.
async fn output(
    client: &Client,
    run: &Run,
    args: &LogArgs,
    out: &BytesOut,
) -> Result<Result<(), Closed>, Trouble> {
    let (id, mut offset, mut last) = (run.id.as_str(), 0, args.lines.map(LastLines::of));
    let mut is_over = false;
    while !is_over {
        let part = client.written(id, offset).await?;
        (offset, is_over) = (part.next_offset(), part.end);
        if part.data.is_empty() {
            break;
        }
        match &mut last {
            Some(last) => last.take(&part.data),
            None => {
                if out.write(part.data).await.is_err() {
                    return Ok(Err(Closed));
                }
            }
        }
    }
    if let Some(last) = last
        && out.write(last.bytes()).await.is_err()
    {
        return Ok(Err(Closed));
    }
    if !args.follow || is_over {
        return Ok(Ok(()));
    }
    let mut output = client.output(id, offset).await?;
    loop {
        let Some(part) = output.next().await? else { return Err(gone()) };
        if out.write(part.data).await.is_err() {
            return Ok(Err(Closed));
        }
        if part.end {
            return Ok(Ok(()));
        }
    }
}

/// The file beside the run's output.
async fn agent_log(
    client: &Client,
    run: &Run,
    args: &LogArgs,
    out: &BytesOut,
) -> Result<Result<(), Closed>, Trouble> {
    let directory: PathBuf = client.opened().state_directory.join("runs").join(run.id.as_str());
    let path = directory.join("agent.log");
    let mut file = spool::open_to_read(&path).map_err(|error| {
        Trouble::Failed(match error.kind() == std::io::ErrorKind::NotFound {
            true => {
                let run = named(run);
                format!("no agent has carried out {run}, or what it wrote is not kept any more")
            }
            false => format!("{} cannot be read: {error}", path.display()),
        })
    })?;
    let mut last = args.lines.map(LastLines::of);
    loop {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece)?;
        if count == 0 {
            break;
        }
        piece.truncate(count);
        match &mut last {
            Some(last) => last.take(&piece),
            None => {
                if out.write(piece).await.is_err() {
                    return Ok(Err(Closed));
                }
            }
        }
    }
    match last {
        Some(last) => Ok(out.write(last.bytes()).await),
        None => Ok(Ok(())),
    }
}

/// The last lines of what goes by. What comes after the last line end is a line as well.
struct LastLines {
    most: usize,
    lines: VecDeque<Vec<u8>>,
}

impl LastLines {
    fn of(most: usize) -> LastLines {
        LastLines { most, lines: VecDeque::new() }
    }

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match self.lines.back_mut().filter(|line| line.last() != Some(&b'\n')) {
                Some(line) => line.extend_from_slice(piece),
                None => self.lines.push_back(piece.to_vec()),
            }
            if self.lines.len() > self.most {
                self.lines.pop_front();
            }
        }
    }

    fn bytes(self) -> Vec<u8> {
        self.lines.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(most: usize, pieces: &[&str]) -> String {
        let mut lines = LastLines::of(most);
        for piece in pieces {
            lines.take(piece.as_bytes());
        }
        String::from_utf8(lines.bytes()).unwrap()
    }

    #[test]
    fn the_last_lines_are_the_same_however_they_come() {
        for (most, text) in
            [(0, ""), (1, "three"), (2, "two\nthree"), (3, "one\ntwo\nthree"), (9, "one\ntwo\nthree")]
        {
            assert_eq!(last(most, &["one\ntwo\nthree"]), text);
            let letters: Vec<String> = "one\ntwo\nthree".chars().map(String::from).collect();
            assert_eq!(last(most, &letters.iter().map(String::as_str).collect::<Vec<_>>()), text);
        }
        assert_eq!(last(1, &["one\n", "two\n"]), "two\n");
        assert_eq!(last(2, &["one\n\n"]), "one\n\n");
    }
}
