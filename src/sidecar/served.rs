//! Prompts that this window carries out itself: what it is told of each run.
//!
//! Nothing of such work is a process of ours, so nothing is ever killed. The window is told what to do as long as it
//! reads; a run that it is too slow for ends by its limits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::Sidecar;
use super::carried::{self, Carried, Release};
use super::health::LastTold;
use super::serving::{Line, OnTheWay};
use crate::domain::automation::Task;
use crate::domain::id::{RunId, SubscriptionId};
use crate::domain::provider::ProviderWork;
use crate::domain::refusal::Refusal;
use crate::domain::run::Wish;
use crate::domain::run::machine::StopReason;
use crate::engine::report::{self, WorkEnd};
use crate::engine::served::Begin;
use crate::engine::{blocker, served};
use crate::failpoint::Failpoint;
use crate::ledger::{Order, Ordered, PendingAnswer, ServedOrder};

/// How long a note of what the window was told waits before it is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// Around the beginning of a run.
const BEGIN: [Failpoint; 2] = [Failpoint::BeforeServedBegin, Failpoint::AfterServedBegin];

/// Has the window begin a run that was given to this instance, or go on with one that it has begun.
pub(super) fn start(
    sidecar: &Sidecar,
    order: &Order,
    served: &ServedOrder,
    done: mpsc::Sender<(RunId, Release)>,
) -> Carried {
    let (ear, heard) = watch::channel(Heard::default());
    let ear = Arc::new(Ear(ear));
    carried::Carrier::follow(&*ear, order);
    let (run, given_number) = (order.run.clone(), order.given_number);
    let carrier = Carrier { sidecar: sidecar.clone(), run, given_number, heard };
    Carried::by(ear, order, carrier.carry(served.serving.clone()), done)
}

/// What the loop has said last.
#[derive(Clone, Debug, Default, PartialEq)]
struct Heard {
    /// How the run is to end, if it is, and whether at once.
    end: Option<(Wish, bool)>,
    /// What was answered to it, oldest first.
    answers: Vec<PendingAnswer>,
    wanted: Wanted,
}

/// Whether anything is wanted of the run. Each goes beyond those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    #[default]
    Work,
    /// The sidecar leaves: the window is told so, and nothing more.
    Farewell,
    Nothing,
}

struct Ear(watch::Sender<Heard>);

impl Ear {
    fn hear(&self, change: impl FnOnce(&mut Heard)) {
        self.0.send_if_modified(|heard| {
            let before = heard.clone();
            change(heard);
            *heard != before
        });
    }
}

impl carried::Carrier for Ear {
    fn follow(&self, order: &Order) {
        match &order.work {
            Ordered::Served(served) => self.hear(|heard| {
                heard.end = served.wish.zip(order.stopping);
                heard.answers.clone_from(&served.answers);
            }),
            // What carries a run out never changes.
            Ordered::Guarded | Ordered::Agent(_) => {}
        }
    }

    fn leave(&self) {
        self.hear(|heard| heard.wanted = heard.wanted.max(Wanted::Farewell));
    }

    fn let_go(&self) {
        self.hear(|heard| heard.wanted = Wanted::Nothing);
    }
}

struct Carrier {
    sidecar: Sidecar,
    run: RunId,
    given_number: i64,
    heard: watch::Receiver<Heard>,
}

/// Why a carrier has nothing more to say.
enum Over {
    /// Nothing is wanted of the run any more.
    LetGo,
    /// The subscription has ended. That is written down next, and with it what becomes of the run.
    Unserved,
}

/// What is written down of what the window was told or not.
#[derive(Clone, Copy)]
enum Note {
    /// It was handed this answer.
    HandedOver { answer: i64 },
    /// It was not told to begin the run.
    NeverTold,
}

impl Note {
    /// What a log calls it.
    fn name(self) -> &'static str {
        match self {
            Note::HandedOver { .. } => "that an answer was handed over",
            Note::NeverTold => "that a window was not told to begin a run",
        }
    }
}

/// What has become of a start.
enum Start {
    /// The window has it.
    Taken,
    /// The window will not see it.
    Withdrawn,
    /// It went with the subscription.
    Lost,
}

impl Carrier {
    async fn carry(mut self, begun_on: Option<SubscriptionId>) -> Release {
        let over = match begun_on {
            Some(serving) => match self.sidecar.parts.servings.line(&serving) {
                Some(line) => self.tell(&line).await,
                None => Over::Unserved,
            },
            None => match self.set_out().await {
                Ok(Ok((line, is_taken))) => match self.until_taken(is_taken).await {
                    Start::Taken => self.tell(&line).await,
                    Start::Withdrawn => {
                        self.write_down(Note::NeverTold).await;
                        Over::LetGo
                    }
                    Start::Lost => Over::Unserved,
                },
                Ok(Err(over)) => over,
                Err(refusal) => {
                    tracing::error!(%refusal, run = %self.run, "a window could not be told to begin a run; trying again");
                    return Release::TryAgain;
                }
            },
        };
        match over {
            Over::LetGo => Release::Done,
            Over::Unserved => Release::TryAgain,
        }
    }

    /// Sees that the run has its worktree, and then has it begin. It ends if the worktree is not to be had.
    async fn set_out(&mut self) -> Result<Result<(Line, oneshot::Receiver<()>), Over>, Refusal> {
        let id = self.run.clone();
        let Some(row) = self.sidecar.parts.ledger.read(move |view| Ok(view.run(&id)?)).await? else {
            return Ok(Err(Over::LetGo));
        };
        let there = tokio::select! {
            there = self.sidecar.ensure_worktree(&row.run) => there,
            () = until_unwanted(self.heard.clone()) => return Ok(Err(Over::LetGo)),
        };
        match there {
            Ok(()) => self.begin().await,
            Err(failure) => {
                let id = self.run.clone();
                let end = WorkEnd::NotStarted(failure);
                self.sidecar.decide(move |tx, context| report::ended(tx, context, &id, end)).await?;
                Ok(Err(Over::LetGo))
            }
        }
    }

    /// Has the run begin, and tells the window. Nothing begins before there is room to say so: a run whose window does
    /// not read has not begun when its time to start is over, and keeps nobody waiting.
    async fn begin(&mut self) -> Result<Result<(Line, oneshot::Receiver<()>), Over>, Refusal> {
        let Some((serving, line)) = self.find_line().await? else { return Ok(Err(Over::Unserved)) };
        let room = tokio::select! {
            room = line.clone().reserve_owned() => room,
            () = until_unwanted(self.heard.clone()) => return Ok(Err(Over::LetGo)),
        };
        let Ok(room) = room else { return Ok(Err(Over::Unserved)) };
        let (id, given_number) = (self.run.clone(), self.given_number);
        let begun = self
            .sidecar
            .decide_between(BEGIN, move |tx, context| served::begin(tx, context, &id, given_number));
        match begun.await? {
            Begin::Go { on, start } if on == serving => {
                let (start, is_taken) = OnTheWay::until_withdrawn(*start);
                drop(room.send(start));
                Ok(Ok((line, is_taken)))
            }
            // It serves the provider anew since then, and has said so on another subscription.
            Begin::Go { on, start } => {
                drop(room);
                let Some(line) = self.sidecar.parts.servings.line(&on) else {
                    return Ok(Err(Over::Unserved));
                };
                let (start, is_taken) = OnTheWay::until_withdrawn(*start);
                Ok(self.say(&line, start).await.map(|()| (line, is_taken)))
            }
            Begin::Withdrawn => Ok(Err(Over::LetGo)),
        }
    }

    /// Waits until the window has taken the start off its line. One that has not when the run is to end is withdrawn:
    /// nothing may begin that is not wanted any more.
    async fn until_taken(&self, mut is_taken: oneshot::Receiver<()>) -> Start {
        let mut heard = self.heard.clone();
        tokio::select! {
            taken = &mut is_taken => return taken.map_or(Start::Lost, |()| Start::Taken),
            // An error means that the loop has ended, and wants nothing either.
            _ = heard.wait_for(|heard| heard.end.is_some() || heard.wanted > Wanted::Work) => {}
        }
        is_taken.close();
        match is_taken.try_recv() {
            Ok(()) => Start::Taken,
            Err(_) => Start::Withdrawn,
        }
    }

    /// The subscription on which this window serves the provider of the run.
    async fn find_line(&self) -> Result<Option<(SubscriptionId, Line)>, Refusal> {
        let (id, me) = (self.run.clone(), self.sidecar.parts.me.instance.clone());
        let look = self.sidecar.parts.ledger.read(move |view| {
            let Some(row) = view.run(&id)? else { return Ok(None) };
            let Task::Prompt(prompt) = &row.definition.task else { return Ok(None) };
            let mut servings = view.servings_of(&me)?.into_iter();
            Ok(servings.find(|serving| serving.offer.provider == prompt.model.provider).map(|it| it.id))
        });
        let Some(serving) = look.await? else { return Ok(None) };
        let line = self.sidecar.parts.servings.line(&serving);
        Ok(line.map(|line| (serving, line)))
    }

    /// Tells the window what comes up until nothing is wanted of the run any more.
    async fn tell(&mut self, line: &Line) -> Over {
        let mut told_to_end: Option<bool> = None;
        let mut handed_over = 0;
        loop {
            let Heard { end, answers, wanted } = self.heard.borrow_and_update().clone();
            match wanted {
                Wanted::Work => {}
                Wanted::Farewell => {
                    let (wish, _) = end.unwrap_or((Wish::Stop(StopReason::Shutdown), true));
                    if told_to_end != Some(true) {
                        // A window that does not read finds out by itself.
                        let _ = line.try_send(OnTheWay::for_good(self.cancel(wish, true)));
                    }
                    return Over::LetGo;
                }
                Wanted::Nothing => return Over::LetGo,
            }
            for PendingAnswer { row, answer } in answers {
                if row > handed_over {
                    let answer = ProviderWork::Answer(answer);
                    if let Err(over) = self.pass_on(Failpoint::BeforeAnswerTold, line, answer).await {
                        return over;
                    }
                    handed_over = row;
                    self.write_down(Note::HandedOver { answer: row }).await;
                }
            }
            if let Some((wish, now)) = end
                && told_to_end.is_none_or(|told| now && !told)
            {
                let cancel = self.cancel(wish, now);
                if let Err(over) = self.pass_on(Failpoint::BeforeCancelTold, line, cancel).await {
                    return over;
                }
                told_to_end = Some(now);
            }
            if self.heard.changed().await.is_err() {
                return Over::LetGo;
            }
        }
    }

    fn cancel(&self, reason: Wish, now: bool) -> ProviderWork {
        ProviderWork::Cancel { run: self.run.clone(), reason, now }
    }

    /// Passes on what the rows say of a run that has begun. What could not be told is still there, and told again.
    async fn pass_on(&self, before: Failpoint, line: &Line, work: ProviderWork) -> Result<(), Over> {
        self.sidecar.parts.failpoints.reach(before).map_err(|_| Over::Unserved)?;
        self.say(line, OnTheWay::for_good(work)).await
    }

    /// Says something as soon as there is room for it, unless nothing is wanted of the run by then.
    async fn say(&self, line: &Line, work: OnTheWay) -> Result<(), Over> {
        tokio::select! {
            said = line.send(work) => said.map_err(|_| Over::Unserved),
            () = until_unwanted(self.heard.clone()) => Err(Over::LetGo),
        }
    }

    /// Writes down what the window was told or not, however often that takes.
    async fn write_down(&self, note: Note) {
        let mut told = LastTold::default();
        while let Err(refusal) = self.write(note).await {
            if told.is_news(&refusal) {
                tracing::error!(%refusal, run = %self.run, "{} could not be written; trying again", note.name());
            }
            tokio::select! {
                () = sleep(WRITE_AGAIN) => {}
                () = until_unwanted(self.heard.clone()) => return,
            }
        }
    }

    async fn write(&self, note: Note) -> Result<(), Refusal> {
        match note {
            Note::HandedOver { answer } => {
                self.sidecar.parts.failpoints.reach(Failpoint::BeforeAnswerForgotten)?;
                self.sidecar.decide(move |tx, _| blocker::handed_over(tx, answer)).await
            }
            Note::NeverTold => {
                let id = self.run.clone();
                self.sidecar.decide(move |tx, context| served::never_told(tx, context, &id)).await
            }
        }
    }
}

async fn until_unwanted(mut heard: watch::Receiver<Heard>) {
    // An error means that the loop has ended, and wants nothing either.
    let _ = heard.wait_for(|heard| heard.wanted > Wanted::Work).await;
}
