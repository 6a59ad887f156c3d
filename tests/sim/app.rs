//! What is behind a window that serves a provider: an application with an agent of its own.
//!
//! It knows only what it was told on its subscriptions, and it goes with its window.

use std::collections::BTreeMap;

use sexton::domain::id::{IdSource, ProviderId, RunId, SubscriptionId};
use sexton::domain::provider::{Answer, Choice, Offer, OfferedModel, ProviderWork, Report, Watch};
use sexton::domain::refusal::Refusal;
use sexton::domain::run::machine::ErrorCode;
use sexton::domain::run::{
    Asked, Need, OutputSize, PermissionKind, PermissionOption, QuestionOption, Run, Wish,
};
use sexton::engine::served::{Begin, Reported};
use sexton::engine::{blocker, serve, served};
use sexton::ledger::{Order, ServedOrder};

use crate::window::{Moved, Told};
use crate::world::{Who, World};

/// The provider that tests serve unless they say otherwise, and its model.
pub(crate) const AGENT: &str = "agent";
pub(crate) const MODEL: &str = "large";

#[derive(Default)]
pub(crate) struct App {
    pub(crate) manners: Manners,
    /// What it was told to do and has not said to have gone.
    pub(crate) work: BTreeMap<RunId, AppWork>,
}

/// What an application does by itself with the work that it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manners {
    /// It starts it at once, and ends it when it is asked to.
    #[default]
    Prompt,
    /// It starts it, and does not hear that it is to end.
    Stubborn,
    /// It says nothing.
    Silent,
}

#[derive(Clone, Debug)]
pub(crate) struct AppWork {
    pub(crate) on: SubscriptionId,
    pub(crate) start: ProviderWork,
    pub(crate) stage: AppStage,
    pub(crate) told: Told,
    pub(crate) reason: Option<Wish>,
    pub(crate) answers: Vec<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppStage {
    /// It was told to begin.
    Told,
    /// It has said that the work has started.
    Started,
}

impl World {
    /// Serves the usual provider, so many runs at once.
    pub(crate) fn serve(&mut self, who: Who, max_concurrent: i64) -> SubscriptionId {
        self.try_serve(who, offer(AGENT, &[(MODEL, &["careful"])], max_concurrent)).unwrap()
    }

    pub(crate) fn try_serve(&mut self, who: Who, offer: Offer) -> Result<SubscriptionId, Refusal> {
        let id = self.fresh_subscription();
        self.decide(who, |tx, context| serve::serve(tx, context, id.clone(), offer)).map(|()| id)
    }

    /// The subscription ends; whatever the application did on it ends with it.
    pub(crate) fn unserve(&mut self, who: Who, id: &SubscriptionId) -> Result<(), Refusal> {
        self.decide(who, |tx, context| serve::unserve(tx, context, id))?;
        let app = &mut self.window_mut(who).app;
        let gone: Vec<RunId> =
            app.work.iter().filter(|(_, work)| work.on == *id).map(|(run, _)| run.clone()).collect();
        app.work.retain(|_, work| work.on != *id);
        gone.iter().for_each(|run| self.forget_work(run));
        Ok(())
    }

    /// What the loop does about a run that a window carries out itself.
    pub(crate) fn act_served(&mut self, who: Who, order: &Order, served: &ServedOrder) {
        let run = &order.run;
        if self.window(who).leaving {
            return;
        }
        match (order.begun, order.stopping) {
            (false, None) => self.hand_over(who, order),
            (false, Some(_)) => panic!("{run} has not begun and is to end"),
            (true, stopping) => {
                let work = self.window_mut(who).app.work.get_mut(run);
                let work = work.unwrap_or_else(|| panic!("{run} has begun and was told to nobody"));
                assert_eq!(served.serving.as_ref(), Some(&work.on), "on which {run} was told");
                assert_eq!(served.wish.is_some(), stopping.is_some(), "why {run} is to end");
                work.reason = served.wish;
                let word = match stopping {
                    None => Told::Nothing,
                    Some(false) => Told::Stop,
                    Some(true) => Told::StopNow,
                };
                work.told = work.told.max(word);
                for pending in &served.answers {
                    assert_eq!(pending.answer.run, *run, "whose answer it is");
                    let work = self.window_mut(who).app.work.get_mut(run).unwrap();
                    work.answers.push(pending.answer.clone());
                    self.audit.asking.hand_over(run, pending);
                    // If this fails it is handed over again, which does no harm.
                    let _ = self.decide(who, |tx, _| blocker::handed_over(tx, pending.row));
                }
            }
        }
    }

    fn hand_over(&mut self, who: Who, order: &Order) {
        let (run, given_number) = (&order.run, order.given_number);
        let begun = self.decide(who, |tx, context| served::begin(tx, context, run, given_number));
        if let Ok(Begin::Go { on, start }) = begun {
            self.spawn(who, run);
            let stage = AppStage::Told;
            let work =
                AppWork { on, start: *start, stage, told: Told::Nothing, reason: None, answers: Vec::new() };
            assert!(
                self.window_mut(who).app.work.insert(run.clone(), work).is_none(),
                "{run} was told twice"
            );
        }
    }

    /// A subscription that there was not before.
    fn fresh_subscription(&mut self) -> SubscriptionId {
        SubscriptionId::from_unique(&self.ids.unique())
    }

    /// The client of a window goes, and whatever it did itself.
    pub(crate) fn client_goes(&mut self, who: Who) {
        for run in std::mem::take(&mut self.window_mut(who).app.work).keys() {
            self.forget_work(run);
        }
    }

    fn forget_work(&mut self, run: &RunId) {
        self.work.remove(run);
    }

    /// Work that nobody's guard carries has been done for as long as it takes.
    pub(crate) fn finish_served(&mut self, run: &RunId) {
        let serves = |who: &Who| self.window(*who).app.work.contains_key(run);
        match self.alive().into_iter().find(serves) {
            // Whether that is taken is another matter: the work has been done.
            Some(who) => drop(self.report(who, run, finished())),
            None => self.forget_work(run),
        }
    }

    /// Everything that an application does by itself, until nothing is left to do.
    pub(crate) fn use_all_manners(&mut self, who: Who) -> Moved {
        let mut moved = Moved::No;
        for run in self.window(who).app.work.keys().cloned().collect::<Vec<_>>() {
            while self.use_manners(who, &run) == Moved::Yes {
                moved = Moved::Yes;
            }
        }
        moved
    }

    /// The next thing that an application does by itself.
    pub(crate) fn use_manners(&mut self, who: Who, run: &RunId) -> Moved {
        let app = &self.window(who).app;
        let Some(work) = app.work.get(run) else { return Moved::No };
        let report = match (app.manners, work.stage, work.told) {
            (Manners::Silent, _, _) | (Manners::Stubborn, AppStage::Started, _) => return Moved::No,
            (Manners::Prompt | Manners::Stubborn, AppStage::Told, Told::Nothing)
            | (Manners::Stubborn, AppStage::Told, Told::Stop | Told::StopNow) => {
                started(&self.session_of(work, run))
            }
            (Manners::Prompt, AppStage::Told, Told::Stop | Told::StopNow) => failed(ErrorCode::StartFailed),
            (Manners::Prompt, AppStage::Started, Told::Stop | Told::StopNow) => {
                failed(ErrorCode::ExecutionFailed)
            }
            (Manners::Prompt, AppStage::Started, Told::Nothing) => return Moved::No,
        };
        match self.report(who, run, report) {
            Ok(()) => Moved::Yes,
            Err(Refusal::Storage { .. }) => Moved::No,
            // It has ended without the application, which ends its own part of it and says so.
            Err(_) => match self.report(who, run, finished()) {
                Err(Refusal::Storage { .. }) => Moved::No,
                Ok(()) | Err(_) => {
                    self.drop_work(who, run);
                    Moved::Yes
                }
            },
        }
    }

    /// The session in which an application does something.
    fn session_of(&self, work: &AppWork, run: &RunId) -> String {
        match &work.start {
            ProviderWork::Start { session_id: Some(session), .. } => session.clone(),
            ProviderWork::Start { .. } | ProviderWork::Cancel { .. } | ProviderWork::Answer(_) => {
                if self.own_sessions { format!("session of {run}") } else { "s1".to_owned() }
            }
        }
    }

    /// The application of a window reports; what it knows of its own work follows from that.
    pub(crate) fn report(&mut self, who: Who, run: &RunId, report: Report) -> Result<(), Refusal> {
        let ends = matches!(report, Report::Finished { .. } | Report::Failed { .. });
        let starts = matches!(report, Report::Started { .. });
        let reported = self.decide(who, |tx, context| served::report(tx, context, run, report))?;
        assert!(
            self.window(who).app.work.contains_key(run),
            "{run} is not this window's, which was believed"
        );
        if ends {
            self.drop_work(who, run);
        } else if starts && let Some(work) = self.window_mut(who).app.work.get_mut(run) {
            work.stage = AppStage::Started;
        }
        match reported {
            Reported::Taken => Ok(()),
            Reported::TooLate(refusal) => Err(refusal),
        }
    }

    fn drop_work(&mut self, who: Who, run: &RunId) {
        if self.window_mut(who).app.work.remove(run).is_some() {
            self.forget_work(run);
        }
    }

    pub(crate) fn output(&mut self, who: Who, run: &RunId, bytes: u64) -> Result<(), Refusal> {
        let size = OutputSize { bytes, truncated: false };
        self.decide(who, |tx, context| served::output(tx, context, run, |_| Ok(size)))?
    }

    pub(crate) fn respond(
        &mut self,
        who: Who,
        run: &RunId,
        asked: Asked,
        choice: Choice,
    ) -> Result<Run, Refusal> {
        self.decide(who, |tx, context| blocker::respond(tx, context, run, asked, choice))
    }
}

pub(crate) fn offer(provider: &str, models: &[(&str, &[&str])], max_concurrent: i64) -> Offer {
    let model = |(id, variants): &(&str, &[&str])| OfferedModel {
        id: (*id).to_owned(),
        name: id.to_uppercase(),
        variants: variants.iter().map(|variant| (*variant).to_owned()).collect(),
    };
    let models = models.iter().map(model).collect();
    Offer { provider: ProviderId::from_text(provider), models, max_concurrent }
}

pub(crate) fn started(session: &str) -> Report {
    Report::Started { session_id: session.to_owned(), continuity: None }
}

pub(crate) fn step(title: &str) -> Report {
    Report::Step { title: Some(title.to_owned()) }
}

pub(crate) fn finished() -> Report {
    Report::Finished { text: Some("done".to_owned()), outcome: None, last: Watch::GoesOn }
}

pub(crate) fn failed(code: ErrorCode) -> Report {
    Report::Failed { code, message: "it said so".to_owned(), class: None }
}

/// A request for a permission that may be given once, or not.
pub(crate) fn permission(id: &str) -> Need {
    let option = |id: &str, kind| PermissionOption { id: id.to_owned(), label: id.to_owned(), kind };
    let options = vec![
        option("always", PermissionKind::AllowAlways),
        option("yes", PermissionKind::AllowOnce),
        option("never", PermissionKind::RejectAlways),
        option("no", PermissionKind::RejectOnce),
    ];
    Need::Permission { request_id: id.to_owned(), title: "run the tests".to_owned(), options, tool: None }
}

pub(crate) fn question(id: &str) -> Need {
    let options = vec![QuestionOption { id: "blue".to_owned(), label: "Blue".to_owned() }];
    Need::Question { call_id: id.to_owned(), prompt: "which colour?".to_owned(), options }
}

pub(crate) fn chosen(option: &str) -> Choice {
    Choice::Option { option_id: option.to_owned() }
}
