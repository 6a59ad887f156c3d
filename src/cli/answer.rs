//! `sexton answer`: what a run asks of a person is answered.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::asked;
use super::opened::{Asker, Trouble, Unopened, ask};
use super::project::Chosen;
use super::run_named::{Meant, run_named};
use super::run_words::{named, outcome};
use super::show::{Shown, Style};
use crate::client::model::Run;
use crate::client::{Client, Error};
use crate::domain::run::Blocker;
use crate::domain::schedule::zone::Zone;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "answer";

#[derive(Args)]
pub(super) struct AnswerArgs {
    /// The run, by its id, or an automation by its id or title: its run that waits for an answer.
    #[arg(value_name = "RUN|ID")]
    run: String,
    /// The answer: an option by its number, its name or its id, `yes` or `no` to a permission, or the words themselves
    /// where any will do [default: shows what is asked, and on a terminal asks for an answer].
    #[arg(value_name = "OPTION|TEXT")]
    answer: Vec<String>,
    /// Answers with the run, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Answers it. The exit code is 2 where something that was named cannot be used or was not offered, and 1 where something
/// else went wrong, also if it is too late.
pub(super) fn run(environment: Environment, args: AnswerArgs) -> ExitCode {
    let styles = (Style::of_stdout(&environment), Style::of_stderr(&environment));
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let answered = ask(asker, chosen, async |client| answered(client, &args, styles).await);
    match answered {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

async fn answered(client: &Client, args: &AnswerArgs, (out, err): (Style, Style)) -> Result<Shown, Trouble> {
    let run = run_named(client, &args.run, Meant::Asking).await?;
    let Some(blocker) = &run.blocker else {
        return Err(Trouble::Failed(format!("{} waits for no answer: {}", named(&run), outcome(&run).0)));
    };
    let question = |style| asked::question(&run, blocker, Clock.now(), &Zone::machine(), style);
    let typed = args.answer.join(" ");
    let is_asked = io::stdin().is_terminal() && io::stderr().is_terminal() && !args.json;
    let answer = match (typed.is_empty(), is_asked) {
        (false, _) => asked::answer(&run, blocker, &typed).map_err(Trouble::Unusable)?,
        (true, true) => {
            // Nobody may read stderr; the answer is what counts.
            let _ = io::stderr().write_all(question(err).as_bytes());
            match typed_answer(&run, blocker)? {
                Some(answer) => answer,
                None => return Err(Trouble::Failed(format!("{} goes on waiting", named(&run)))),
            }
        }
        (true, false) if args.json => {
            return Ok(Shown::Json(client.ask("run/get", serde_json::json!({"id": run.id})).await?));
        }
        (true, false) => return Ok(Shown::Text(question(out))),
    };
    let value: Value = match client.ask("run/respond", answer).await {
        Ok(value) => value,
        Err(Error::Refused(refused)) if refused.kind == "blocker_gone" => {
            return Err(Trouble::Failed(format!(
                "{} does not wait for this answer any more: somebody was faster, or it has expired",
                named(&run)
            )));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(match args.json {
        true => Shown::Json(value),
        false => Shown::Text(format!("{} goes on.\n", named(&run))),
    })
}

/// Asks until something is typed that is an answer; none if nothing more is typed.
fn typed_answer(run: &Run, blocker: &Blocker) -> io::Result<Option<Value>> {
    loop {
        io::stderr().write_all(b"> ")?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match asked::answer(run, blocker, &line) {
            Ok(answer) => return Ok(Some(answer)),
            Err(why) => io::stderr().write_all(format!("sexton: {why}\n").as_bytes())?,
        }
    }
}
