//! What `automate_manage` does with one automation, or all.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::answer::{Answer, Manage};
use super::arguments::Given;
use super::fault::{Fault, told};
use super::project::{Open, Trouble};
use super::shown::{SAID, SAID_BESIDE_OTHERS, Shown, ShownRun, secrets_of};
use super::spoken::{by_the_clock, nobody_is_there, somebody_is_there};
use crate::cli::named::{quoted, title_of};
use crate::client::model::{Automation, Explanation, Run};
use crate::client::{Detail, Error, Follow, Refused};
use crate::domain::automation::folded;
use crate::domain::explanation::Evidence;
use crate::domain::id::AutomationId;
use crate::domain::one_line::one_line;
use crate::domain::schedule::typed::read_time;
use crate::domain::schedule::zone::Zone;
use crate::domain::secrets::Secrets;
use crate::domain::time::Timestamp;

/// The most automations that are listed: more than a person reads.
const LISTED: usize = 50;

/// The most runs that are listed: what somebody wants to know who asks how it went.
const RUNS: usize = 10;

/// The most characters of a piece of evidence.
const SENTENCE: usize = 1000;

/// One automation.
pub(super) struct One {
    pub(super) id: AutomationId,
    /// None if it was deleted, or never was.
    pub(super) automation: Option<Automation>,
}

/// A call that can be answered.
pub(super) struct Asked<'a> {
    pub(super) open: &'a Open,
    pub(super) now: Timestamp,
    pub(super) zone: Zone,
}

impl Asked<'_> {
    pub(super) fn refused(&self, what_became: &str, faults: Vec<Fault>) -> Answer {
        let text = told(what_became, &faults);
        let message = "Nothing was done.".to_owned();
        Answer::wrong(&Manage { message, now: self.now(), problems: faults, ..Manage::default() }, text)
    }

    fn now(&self) -> String {
        by_the_clock(&self.zone, self.now)
    }

    /// What was deleted is not there for what is asked.
    fn gone(&self, one: &One) -> Answer {
        let problem = format!("is not there: {} was deleted, or never was", one.id);
        let fault = Fault::new("automation", problem, "write an id or a title of `list`");
        self.refused("Nothing was done.", vec![fault])
    }

    /// A sentence, and what it is about.
    fn answered(&self, message: String, about: Manage) -> Answer {
        let mut text = message.clone();
        for one in &about.automations {
            let title =
                if about.automations.len() > 1 { format!("- {}. ", one.named()) } else { String::new() };
            text.push_str(&format!("\n{title}{}", one.described()));
        }
        for run in &about.runs {
            text.push_str(&format!("\n- {}", run.sentence()));
        }
        for piece in &about.evidence {
            text.push_str(&format!("\n- {piece}"));
        }
        for note in &about.notes {
            text.push_str(&format!("\nNote: {note}"));
        }
        let (now, project) = (self.now(), self.open.directory());
        text.push_str(&format!("\nIt is now {now}. The project is {project}."));
        Answer::right(&Manage { message, now, project: Some(project), ..about }, text)
    }

    pub(super) async fn list_all(&self) -> Result<Answer, Trouble> {
        let all = self.open.client.first::<Automation>("automation/list", json!({}), LISTED);
        let (all, more) = all.await?;
        let automations: Vec<Shown> = all.iter().map(|one| Shown::of(one, self.now)).collect();
        let message = match (automations.as_slice(), more) {
            ([], _) => "There are no automations in this project.".to_owned(),
            ([one], false) => format!("There is one automation: {}.", one.named()),
            (_, false) => format!("There are {} automations:", automations.len()),
            (_, true) => format!("These are the newest {LISTED} automations; name another by its title:"),
        };
        let notes = nobody_is_there(&self.open.status).filter(|_| !automations.is_empty());
        let notes = notes.into_iter().collect();
        Ok(self.answered(message, Manage { automations, notes, ..Manage::default() }))
    }

    pub(super) fn list(&self, one: &One) -> Result<Answer, Trouble> {
        let Some(automation) = &one.automation else { return Ok(self.gone(one)) };
        let shown = Shown::of(automation, self.now);
        let message = format!("This is {}.", shown.named());
        Ok(self.answered(message, Manage { automations: vec![shown], ..Manage::default() }))
    }

    pub(super) async fn runs(&self, one: Option<&One>) -> Result<Answer, Trouble> {
        let wanted = match one {
            Some(one) => json!({"automationID": one.id}),
            None => json!({}),
        };
        let (runs, more) = self.open.client.first::<Run>("run/list", wanted, RUNS).await?;
        if let (true, Some(one @ One { automation: None, .. })) = (runs.is_empty(), one) {
            return Ok(self.gone(one));
        }
        let mut secrets: BTreeMap<&AutomationId, Secrets> = BTreeMap::new();
        for run in &runs {
            if !secrets.contains_key(&run.automation_id) {
                let known = self.secrets_of(&run.automation_id, one).await?;
                secrets.insert(&run.automation_id, known);
            }
        }
        let of = |(place, run): (usize, &Run)| {
            let most = if place == 0 { SAID } else { SAID_BESIDE_OTHERS };
            ShownRun::of(run, &self.zone, most, &secrets[&run.automation_id])
        };
        let runs: Vec<ShownRun> = runs.iter().enumerate().map(of).collect();
        let message = match (runs.len(), more) {
            (0, _) => "There are no runs yet.".to_owned(),
            (count, true) => format!("These are the newest {count} runs:"),
            (1, false) => "There is one run:".to_owned(),
            (count, false) => format!("There are {count} runs:"),
        };
        Ok(self.answered(message, Manage { runs, ..Manage::default() }))
    }

    /// What its runs may repeat and nobody is told. Of what was deleted that is not known any more.
    async fn secrets_of(&self, id: &AutomationId, one: Option<&One>) -> Result<Secrets, Trouble> {
        if let Some(one) = one.filter(|one| one.id == *id) {
            return Ok(secrets_of(one.automation.as_ref()));
        }
        match self.open.client.ask::<Automation>("automation/get", json!({"id": id})).await {
            Ok(automation) => Ok(secrets_of(Some(&automation))),
            Err(error) if error.kind() == Some("not_found") => Ok(Secrets::default()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn why(&self, one: &One, given: &Given) -> Result<Answer, Trouble> {
        let mut question = json!({"id": one.id});
        if let Some(at) = given.text("at") {
            match read_time(at, &self.zone, self.now) {
                Ok(at) => question["at"] = json!(at),
                Err(_) => {
                    let problem = format!("is no time that can be read: {:?}", one_line(at, 40));
                    let instead = "write one such as `09:00`, `yesterday 09:00` or `2025-01-06 09:00`";
                    return Ok(self.refused("Nothing was done.", vec![Fault::new("at", problem, instead)]));
                }
            }
        }
        let explanation: Explanation = match self.open.client.ask("automation/explain", question).await {
            Ok(explanation) => explanation,
            Err(error) if error.kind() == Some("not_found") => return Ok(self.gone(one)),
            Err(error) => return Err(error.into()),
        };
        let piece = |piece: &Evidence| {
            format!("{}: {}", by_the_clock(&self.zone, piece.at), one_line(&piece.text, SENTENCE))
        };
        let evidence = explanation.evidence.iter().map(piece).collect();
        let secrets = secrets_of(one.automation.as_ref());
        let runs = explanation.run.iter().map(|run| ShownRun::of(run, &self.zone, SAID, &secrets)).collect();
        let message = one_line(&explanation.summary, SENTENCE);
        Ok(self.answered(message, Manage { runs, evidence, ..Manage::default() }))
    }

    /// Pauses or resumes.
    pub(super) async fn rest(&self, one: &One, rest: Rest, given: &Given) -> Result<Answer, Trouble> {
        let Some(before) = &one.automation else { return Ok(self.gone(one)) };
        let mut request = json!({"id": one.id});
        if let Some(note) = given.text("note") {
            request["note"] = json!(note);
        }
        let (method, done) = match rest {
            Rest::Pause => ("automation/pause", "paused"),
            Rest::Resume => ("automation/resume", "resumed"),
        };
        let after: Automation = match self.open.client.ask(method, request).await {
            Ok(after) => after,
            Err(Error::Refused(refused)) if !refused.details().is_empty() => {
                return Ok(self.refused("Nothing was done.", faults_of(&refused)));
            }
            Err(error) => return Err(error.into()),
        };
        let shown = Shown::of(&after, self.now);
        let message = match (before.is_paused() == after.is_paused(), rest) {
            (true, Rest::Pause) => format!("{} was paused before; nothing has changed.", shown.named()),
            (true, Rest::Resume) => format!("{} is not paused; nothing has changed.", shown.named()),
            (false, Rest::Pause | Rest::Resume) => format!("{} was {done}.", shown.named()),
        };
        let notes = nobody_is_there(&self.open.status).filter(|_| !after.is_paused()).into_iter().collect();
        Ok(self.answered(message, Manage { automations: vec![shown], notes, ..Manage::default() }))
    }

    /// Has it run now. A wait ends early when `over` does.
    pub(super) async fn run(
        &self,
        one: &One,
        given: &Given,
        over: impl Future<Output = ()>,
    ) -> Result<Answer, Trouble> {
        let client = &self.open.client;
        let elsewhere = somebody_is_there(&self.open.status);
        let wanted = Follow {
            kinds: vec!["run.updated".to_owned()],
            automation: Some(one.id.to_string()),
            ..Follow::default()
        };
        let mut events = client.events(wanted).await?;
        // Somebody who sits at a window can be asked; whoever talks to a model cannot answer through it.
        let request = match elsewhere {
            true => json!({"id": one.id, "executor": "participant"}),
            false => json!({"id": one.id, "attendance": "unattended"}),
        };
        let mut run: Run = match client.ask("automation/run", request).await {
            Ok(run) => run,
            Err(error) if error.kind() == Some("not_found") => return Ok(self.gone(one)),
            Err(error) => return Err(error.into()),
        };
        if let Some(seconds) = given.count("wait_seconds").and_then(|seconds| u64::try_from(seconds).ok()) {
            let until_it_rests = async {
                while !(run.has_ended() || run.blocker.is_some()) {
                    let Some(event) = events.next().await? else { break };
                    if let Some(after) = event.run().filter(|after| after.id == run.id) {
                        run = after;
                    }
                }
                Ok::<(), Error>(())
            };
            tokio::select! {
                rested = timeout(Duration::from_secs(seconds), until_it_rests) => {
                    // It runs whether or not it was waited for long enough.
                    rested.unwrap_or(Ok(()))?;
                }
                () = over => {}
            }
        }
        let title = quoted(&run.automation_title);
        let (message, notes) = match (run.has_ended(), elsewhere) {
            (true, _) => (format!("The run of {title} has ended."), Vec::new()),
            (false, true) => {
                let note = "An open window carries it out; `runs` tells how it went.";
                (format!("A run of {title} was asked for."), vec![note.to_owned()])
            }
            (false, false) => {
                let note = "No window has the project open, so this server carries it out itself, at the longest until this conversation ends; `runs` tells how it went.";
                (format!("A run of {title} was asked for."), vec![note.to_owned()])
            }
        };
        let runs = vec![ShownRun::of(&run, &self.zone, SAID, &secrets_of(one.automation.as_ref()))];
        Ok(self.answered(message, Manage { runs, notes, ..Manage::default() }))
    }

    pub(super) async fn delete(&self, one: &One, given: &Given) -> Result<Answer, Trouble> {
        let Some(automation) = &one.automation else { return Ok(self.gone(one)) };
        let title = title_of(automation);
        let shown = Shown::of(automation, self.now);
        let is_meant = |confirmed: &str| folded(confirmed.trim()) == folded(&title);
        if !given.text("confirm").is_some_and(is_meant) {
            let problem = match given.has("confirm") {
                true => "is not its title",
                false => "is missing: a delete is for good, so be sure that the user wants it",
            };
            let fault = Fault::new("confirm", problem, format!("if so, write `{}`", json!(title)));
            let this = format!("Nothing was deleted. This is {}. {}", shown.named(), shown.described());
            return Ok(self.refused(&this, vec![fault]));
        }
        // What has been edited since it was looked at is not what somebody has agreed to.
        let request = json!({"id": one.id, "ifRevision": automation.revision()});
        let deleted: Value = match self.open.client.ask("automation/delete", request).await {
            Ok(deleted) => deleted,
            Err(error) if error.kind() == Some("not_found") => return Ok(self.gone(one)),
            Err(error) => return Err(error.into()),
        };
        let stopped = match deleted["stoppedRuns"].as_array().map_or(0, Vec::len) {
            0 => String::new(),
            1 => " One run of it was stopped.".to_owned(),
            count => format!(" {count} runs of it were stopped."),
        };
        let message = format!("{} was deleted.{stopped} Its runs stay readable under its id.", shown.named());
        Ok(self.answered(message, Manage::default()))
    }
}

/// Whether something is to be due no more, or again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Pause,
    Resume,
}

/// What is wrong with the few arguments that are passed on as they are.
fn faults_of(refused: &Refused) -> Vec<Fault> {
    let fault = |detail: Detail| {
        let argument = if detail.field == "id" { "automation".to_owned() } else { detail.field };
        let problem = format!("is refused: {}", detail.message.replace('_', " "));
        Fault::new(argument, problem, detail.hint.unwrap_or_default())
    };
    refused.details().into_iter().map(fault).collect()
}
