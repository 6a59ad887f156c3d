//! What an agent needs a person for. It may ask for many things at once; a person is asked for one after the other.

use std::collections::VecDeque;

use serde_json::Value;
use serde_json::value::RawValue;

use super::bounds::{NEEDS, one_line};
use super::message::Params;
use super::permission::{Permission, Told};
use super::question::{Asked as AskedForm, Filled, Form};
use super::verdict::{No, NoBy};
use super::wire::{self, INVALID_PARAMS, REQUEST_CANCELLED};
use super::{Answer, Report};
use crate::domain::policy::Permissions;
use crate::domain::run::{Asked, Need};

/// The longest words for something in a message about a failure, in characters.
const WORDS: usize = 200;

pub(super) struct Needs {
    policy: Permissions,
    /// The first of them is the one that a person is asked.
    waiting: VecDeque<Waiting>,
    /// What it is asked as, if it is.
    shown: Option<Asked>,
    asked: u64,
    last_answer: i64,
    turn: TurnGoes,
}

/// Whether a person is still to be asked for anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TurnGoes {
    On,
    ToItsEnd,
}

struct Waiting {
    /// The request of the agent.
    id: Box<RawValue>,
    what: What,
}

enum What {
    Permission(Permission),
    Form(Form),
}

/// What follows, in this order.
#[derive(Debug)]
pub(super) enum Effect {
    Answer { id: Box<RawValue>, result: Value },
    Refuse { id: Box<RawValue>, code: i64, message: &'static str },
    Report(Report),
    No(No),
}

/// What an agent asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Permission,
    Form,
}

impl Ask {
    pub(super) fn of_method(method: &str) -> Option<Ask> {
        match method {
            "session/request_permission" => Some(Ask::Permission),
            "elicitation/create" => Some(Ask::Form),
            _ => None,
        }
    }

    /// What an agent is told that asks while nobody can be asked: the turn is over, or has not begun.
    pub(super) fn nobody_answers(self) -> Value {
        match self {
            Ask::Permission => wire::cancelled(),
            Ask::Form => wire::dismissed(),
        }
    }
}

impl Needs {
    pub(super) fn new(policy: Permissions) -> Needs {
        Needs { policy, waiting: VecDeque::new(), shown: None, asked: 0, last_answer: 0, turn: TurnGoes::On }
    }

    /// The agent asks.
    pub(super) fn ask(&mut self, ask: Ask, id: Box<RawValue>, params: &Params) -> Vec<Effect> {
        let what = match ask {
            Ask::Permission => What::Permission(Permission::read(&params.to_value())),
            Ask::Form => match Form::read(params) {
                AskedForm::Form(form) => What::Form(form),
                AskedForm::Unknown(message) => {
                    return vec![Effect::Refuse { id, code: INVALID_PARAMS, message }];
                }
            },
        };
        let can_be_answered = match &what {
            What::Permission(permission) => permission.offers_anything(),
            What::Form(_) => true,
        };
        let no_by = match (self.policy, ask) {
            (Permissions::Deny, Ask::Permission) => Some(NoBy::PermissionPolicy),
            (Permissions::Deny, Ask::Form) => Some(NoBy::QuestionPolicy),
            (Permissions::Ask, Ask::Permission | Ask::Form) => {
                (!can_be_answered || self.waiting.len() == NEEDS).then_some(NoBy::Bounds)
            }
        };
        if let Some(by) = no_by {
            let (result, words) = what.refuse();
            return vec![Effect::Answer { id, result }, Effect::No(No { by, what: words })];
        }
        self.waiting.push_back(Waiting { id, what });
        self.show().into_iter().collect()
    }

    /// A person has answered.
    pub(super) fn answered(&mut self, answer: &Answer) -> Vec<Effect> {
        if answer.number <= self.last_answer {
            return Vec::new();
        }
        self.last_answer = answer.number;
        let mut effects = Vec::new();
        if self.shown.as_ref() == Some(&answer.asked)
            && let Some(Waiting { id, what }) = self.waiting.pop_front()
        {
            self.shown = None;
            match what {
                What::Permission(permission) => match permission.answer(&answer.choice) {
                    Told::Yes(result) => effects.push(Effect::Answer { id, result }),
                    Told::No(result) => {
                        effects.push(Effect::Answer { id, result });
                        let what = one_line(&permission.title, WORDS);
                        effects.push(Effect::No(No { by: NoBy::Person, what }));
                    }
                },
                What::Form(mut form) => match form.fill(&answer.choice) {
                    Some(Filled::Done(content)) => {
                        effects.push(Effect::Answer { id, result: wire::accepted(&content) });
                    }
                    Some(Filled::GoesOn) => self.waiting.push_front(Waiting { id, what: What::Form(form) }),
                    None => {
                        effects.push(Effect::Answer { id, result: wire::declined() });
                        let what = one_line(form.title(), WORDS);
                        effects.push(Effect::No(No { by: NoBy::Person, what }));
                    }
                },
            }
        }
        // One that nobody waits for any more is done with as well.
        effects.push(Effect::Report(Report::HandedOver { answer: answer.number }));
        effects.extend(self.show());
        effects
    }

    /// The agent does not ask for it any more.
    pub(super) fn withdrawn(&mut self, id: &Value) -> Vec<Effect> {
        let is_it =
            |waiting: &Waiting| serde_json::from_str::<Value>(waiting.id.get()).is_ok_and(|it| it == *id);
        let Some(place) = self.waiting.iter().position(is_it) else { return Vec::new() };
        let mut effects = Vec::new();
        if let Some(Waiting { id, .. }) = self.waiting.remove(place) {
            let message = "it was withdrawn";
            effects.push(Effect::Refuse { id, code: REQUEST_CANCELLED, message });
        }
        if place == 0 && self.shown.take().is_some() {
            effects.push(Effect::Report(Report::Unblocked));
            effects.extend(self.show());
        }
        effects
    }

    /// The turn is to end: answers that are there are still said, and a person is asked for nothing else.
    pub(super) fn turn_is_to_end(&mut self) {
        self.turn = TurnGoes::ToItsEnd;
    }

    /// The turn is to end: nobody answers any more.
    pub(super) fn give_up(&mut self) -> Vec<Effect> {
        self.shown = None;
        let given_up = self.waiting.drain(..);
        given_up
            .map(|Waiting { id, what }| Effect::Answer { id, result: what.ask().nobody_answers() })
            .collect()
    }

    /// The turn has ended while the agent still asked.
    pub(super) fn turn_is_over(&mut self) -> Option<Report> {
        self.waiting.clear();
        self.shown.take().map(|_| Report::Unblocked)
    }

    /// Asks a person for the first one, unless that has been done.
    fn show(&mut self) -> Option<Effect> {
        let may_ask = self.shown.is_none() && self.turn == TurnGoes::On;
        let first = self.waiting.front().filter(|_| may_ask)?;
        self.asked += 1;
        // An agent may use its own numbers twice.
        let need: Need = match &first.what {
            What::Permission(permission) => permission.need(format!("permission-{}", self.asked)),
            What::Form(form) => form.need(format!("question-{}", self.asked)),
        };
        self.shown = Some(need.asked());
        Some(Effect::Report(Report::Blocked(need)))
    }
}

impl What {
    fn ask(&self) -> Ask {
        match self {
            What::Permission(_) => Ask::Permission,
            What::Form(_) => Ask::Form,
        }
    }

    /// What the agent is told whom nobody answers, and what it has asked for.
    fn refuse(&self) -> (Value, String) {
        match self {
            What::Permission(permission) => (permission.refuse(), one_line(&permission.title, WORDS)),
            What::Form(form) => (wire::declined(), one_line(form.title(), WORDS)),
        }
    }
}
