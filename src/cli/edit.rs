//! `sexton edit`: an automation as it is to be from now on.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::add::made;
use super::draft::{
    Around, DraftArgs, Stdin, Typed, difference, draft_of, listed, paths, read_document, told_of_flags,
};
use super::editor::{self, Edited};
use super::named::{Intent, automation_named, quoted, title_of};
use super::opened::{Asker, Trouble, Unopened, ask, read};
use super::project::Chosen;
use super::show::{Shown, Style};
use crate::client::model::Automation;
use crate::client::{Client, Error, Refused};
use crate::domain::one_line::one_line;
use crate::domain::schedule::zone::Zone;
use crate::sidecar::clock::Clock;
use crate::sidecar::config::Environment;

/// What it calls itself where windows are shown who is there.
const CLIENT: &str = "edit";

/// The largest patch that is read from a file, in bytes: more than the contract lets be sent in one.
const PATCH: u64 = 1024 * 1024;

#[derive(Args, Debug)]
pub(super) struct EditArgs {
    /// The automation, by its id or title.
    #[arg(value_name = "ID")]
    automation: String,
    /// What it is called from now on.
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,
    #[command(flatten)]
    draft: DraftArgs,
    /// A JSON merge patch as `automation/update` takes it, in this file, or `-` for stdin. What else is typed is put on
    /// top of it.
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
    /// Answers as `automation/update` does, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chosen: Chosen,
}

/// Changes it. The exit code is 2 where what was typed is to be changed, and 1 where something else went wrong.
pub(super) fn run(environment: Environment, args: EditArgs) -> ExitCode {
    let style = Style::of_stdout(&environment);
    let command = editor::command(&environment);
    let asker = Asker { environment, client: CLIENT, unopened: Unopened::Refused };
    let chosen = args.chosen.clone();
    let edited = ask(asker, chosen, async |client| {
        let id = automation_named(client, &args.automation, Intent::Act).await?.id;
        let before: Value = client.ask("automation/get", json!({"id": id})).await?;
        let Automation::Known(known) = read::<Automation>(before.clone())? else {
            let why = "a newer version of sexton wrote it, and this one does not understand all of it; update sexton";
            return Err(Trouble::Failed(format!("{id} cannot be changed: {why}")));
        };
        let zone = Zone::named(&known.definition.timezone).unwrap_or_else(|_| Zone::machine());
        let answer = match args.read(zone)? {
            Some(typed) => args.send(client, &before, &typed).await?,
            None if io::stdin().is_terminal() && io::stdout().is_terminal() => {
                match editor::edit(client, &before, &command).await? {
                    Edited::To(answer) => answer,
                    Edited::NotAtAll => before.clone(),
                }
            }
            None => {
                return Err(Trouble::Unusable(
                    "say what is to be changed, such as --cron '0 9 * * *' or --title NAME, or --from FILE; on a terminal an editor is opened if nothing is said"
                        .to_owned(),
                ));
            }
        };
        if args.json {
            return Ok(Shown::Json(answer));
        }
        let unchanged = answer["revision"] == before["revision"];
        let automation: Automation = read(answer)?;
        Ok(Shown::Text(match unchanged {
            true => format!("Nothing changed: {} is like that already\n", quoted(&title_of(&automation))),
            false => made("Changed", &automation, Clock.now(), style),
        }))
    });
    match edited {
        Ok(shown) => shown.print(),
        Err(trouble) => trouble.told(),
    }
}

impl EditArgs {
    /// The patch that was typed, if anything was.
    fn read(&self, zone: Zone) -> Result<Option<Typed>, Trouble> {
        let mut stdin = Stdin::default();
        let mut patch = Map::new();
        if let Some(file) = &self.from {
            let text = stdin.file("--from", file, PATCH);
            let document = text.and_then(|text| read_document(&text));
            patch = document.map_err(|why| Trouble::Unusable(format!("--from {file}: {why}")))?;
        }
        let mut typed = self.draft.read(Around { now: Clock.now(), zone, stdin: &mut stdin });
        if let Some(title) = &self.title {
            typed.say("title", "--title", title, json!(title));
        }
        if !typed.faults.is_empty() {
            return Err(Trouble::Unusable(listed(&typed.faults)));
        }
        if self.from.is_none() && typed.patch.is_empty() {
            return Ok(None);
        }
        typed.put_on_top_of(patch);
        Ok(Some(typed))
    }

    async fn send(&self, client: &Client, before: &Value, typed: &Typed) -> Result<Value, Trouble> {
        let params = json!({"id": before["id"], "ifRevision": before["revision"], "patch": typed.patch});
        match client.ask("automation/update", params).await {
            Ok(answer) => Ok(answer),
            Err(Error::Refused(refused)) if refused.kind == "automation_conflict" => {
                let meanwhile = changed_meanwhile(before, &refused);
                Err(Trouble::Failed(format!("{meanwhile}; say it again if it is still what you want")))
            }
            Err(error) => Err(told_of_flags(error, typed)),
        }
    }
}

/// What somebody else has changed since this was read.
pub(super) fn changed_meanwhile(before: &Value, refused: &Refused) -> String {
    let Some(current) = refused.data.get("current") else { return refused.message.clone() };
    let changed = paths(&difference(&draft_of(before), &draft_of(current)));
    let title = quoted(current["title"].as_str().unwrap_or_default());
    let what = if before["paused"] != current["paused"] {
        if current["paused"] == true { "it was paused" } else { "it was resumed" }.to_owned()
    } else if changed.is_empty() && before["revision"] != current["revision"] {
        return format!("{title} was changed meanwhile and changed back");
    } else if changed.is_empty() {
        return format!("{title} is being deleted");
    } else {
        one_line(&changed.join(", "), 400)
    };
    format!("{title} was changed meanwhile: {what}")
}
