//! Providers: who carries out prompts, and what windows that do say of it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draft::limits::AGENT_NAME;
use super::id::{ProviderId, RunId};
use super::policy::{Money, Permissions};
use super::run::machine::ErrorCode;
use super::run::{Asked, Continuity, ErrorClass, ResultOutcome, Run};
use super::time::Timestamp;

/// How long what a provider last said of its models counts after it can no longer be asked, in milliseconds.
pub const ANSWER_COUNTS_MS: i64 = 600_000;

/// A provider as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// Its identity: what `task.model.providerID` names.
    pub id: ProviderId,
    /// What it is.
    pub kind: ProviderKind,
    /// Whether it can be given work.
    pub status: ProviderStatus,
    /// Why not, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it last said what it offers; null if it never has.
    pub checked_at: Option<Timestamp>,
    /// What it offers, or last offered.
    pub models: Vec<OfferedModel>,
}

/// What a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// A window carries its work out itself.
    Served,
    /// An agent does, which is started for each run and speaks the Agent Client Protocol.
    Acp,
}

/// Whether a provider can be given work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProviderStatus {
    /// It can.
    Ready,
    /// It cannot.
    Unavailable,
    /// Nobody has asked it yet.
    Unknown,
}

/// A model that a provider offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferedModel {
    /// What `task.model.modelID` names.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What `task.variant` may name.
    pub variants: Vec<String>,
}

/// What all models of one provider may take together, in bytes of their names. Each change of a provider is told by an
/// event with all of them, and many events are kept.
pub const OFFER_BYTES: usize = 64 * 1024;

impl OfferedModel {
    /// What it takes of [`OFFER_BYTES`].
    pub fn bytes(&self) -> usize {
        self.id.len() + self.name.len() + self.variants.iter().map(String::len).sum::<usize>()
    }
}

/// Of what an agent says that it offers, what an automation can name, each model once, as far as that fits. The model
/// `first` always does.
pub fn nameable(offered: Vec<OfferedModel>, first: Option<&str>) -> Vec<OfferedModel> {
    let can_be_named = |name: &String| {
        !name.trim().is_empty() && !name.contains('\0') && name.chars().nth(AGENT_NAME).is_none()
    };
    let (mut seen, mut room) = (BTreeSet::new(), OFFER_BYTES);
    let mut kept = Vec::new();
    for mut model in offered {
        if !can_be_named(&model.id) || !seen.insert(model.id.clone()) {
            continue;
        }
        model.variants.retain(can_be_named);
        model.name = model.name.chars().filter(|char| *char != '\0').take(AGENT_NAME).collect();
        let bytes = model.bytes();
        if bytes <= room || first == Some(model.id.as_str()) {
            room = room.saturating_sub(bytes);
            kept.push(model);
        }
    }
    kept
}

/// What has become of a wish that providers say what they offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// All have said it, or why they could not: this is how they are now.
    Done(Vec<Provider>),
    /// Some are asked when these runs have ended, which use them.
    Deferred(Vec<RunId>),
}

/// What a window offers to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// As which provider.
    pub provider: ProviderId,
    /// With which models.
    pub models: Vec<OfferedModel>,
    /// How many runs at once.
    pub max_concurrent: i64,
}

/// What a window that serves a provider is told.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ProviderWork {
    /// It is to begin a run.
    #[serde(rename_all = "camelCase")]
    Start {
        /// The run.
        run: Box<Run>,
        /// What the agent is told.
        prompt: String,
        /// Which model, of the provider that the window serves.
        model: String,
        /// Which variant of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        variant: Option<String>,
        /// The session to continue, if one is.
        #[serde(rename = "sessionID", skip_serializing_if = "Option::is_none")]
        session_id: Option<String>,
        /// How many steps it may take.
        step_cap: i64,
        /// Whether permissions may be asked for.
        permissions: Permissions,
        /// How long it may take.
        limits: WorkLimits,
    },
    /// It is to end a run.
    #[serde(rename_all = "camelCase")]
    Cancel {
        /// The run.
        #[serde(rename = "runID")]
        run: RunId,
        /// Why: a stop reason or an error code.
        reason: super::run::Wish,
        /// Whether it is not to wait for anything.
        now: bool,
    },
    /// Somebody has answered, or nobody has in time: then it is the first option of the kind `reject_once`, and nothing is
    /// sent if none was offered.
    Answer(Answer),
}

/// How long served work may take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkLimits {
    /// Without a report; none for no limit.
    pub idle_ms: Option<i64>,
    /// In all, not counting the time in which it waits for a person.
    pub wall_ms: i64,
    /// For a person to answer; as the attendance of the run says.
    pub blocker_ms: i64,
}

/// What was answered to whom. When nobody has answered a request for a permission in time, this is its first option of the
/// kind `reject_once`, and nothing is sent if there is none; a cancel follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Answer {
    /// The run that has asked.
    #[serde(rename = "runID")]
    pub run: RunId,
    /// What was asked.
    #[serde(flatten)]
    pub asked: Asked,
    /// What was answered.
    #[serde(flatten)]
    pub choice: Choice,
}

/// What a person chose or wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice {
    /// One of the options.
    Option {
        /// Its id.
        #[serde(rename = "optionID")]
        option_id: String,
    },
    /// Words of their own.
    Text {
        /// Which.
        text: String,
    },
}

/// What a window that carries out a run reports of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The work has really started, in this session.
    Started {
        /// The session.
        session_id: String,
        /// How it was taken up. None from who does not say: then it is the one that was to be continued, or a new one.
        continuity: Option<Continuity>,
    },
    /// The agent took a step.
    Step {
        /// What it was: equal titles in a row are taken for the same step made again.
        title: Option<String>,
    },
    /// It needs a person.
    Blocked(super::run::Need),
    /// It needs nobody any more.
    Unblocked,
    /// What the run has cost so far, in all.
    Cost(Money),
    /// The work is done.
    Finished {
        /// What the agent said at the end.
        text: Option<String>,
        /// What it means for the person.
        outcome: Option<ResultOutcome>,
        /// Whether the watch is over.
        last: Watch,
    },
    /// The work has failed, or could not be started.
    Failed {
        /// The kind of failure.
        code: ErrorCode,
        /// A sentence for the person.
        message: String,
        /// Whose fault it is; by default, whose it usually is with this code.
        class: Option<ErrorClass>,
    },
}

/// Whether an automation goes on after a run of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// It does.
    #[default]
    GoesOn,
    /// What it watched for has happened: it pauses.
    IsOver,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_an_agent_offers_what_can_be_named_is_kept_as_far_as_it_fits() {
        let model = |id: &str, name: &str, variants: &[&str]| {
            let variants = variants.iter().map(|&variant| variant.to_owned()).collect();
            OfferedModel { id: id.to_owned(), name: name.to_owned(), variants }
        };
        let long = "x".repeat(AGENT_NAME + 1);
        let offered = vec![
            model(" ", "blank", &[]),
            model("a", &long, &["high", "", &long]),
            model("a", "again", &[]),
            model(&long, "long", &[]),
            model("b\0", "nul", &[]),
        ];
        assert_eq!(nameable(offered, None), [model("a", &long[..AGENT_NAME], &["high"])]);
        let name = "y".repeat(AGENT_NAME);
        let many: Vec<OfferedModel> =
            (0..1000).map(|number| model(&format!("m{number}"), &name, &[])).collect();
        let kept = nameable(many, Some("m999"));
        assert_eq!(kept.last().map(|model| model.id.as_str()), Some("m999"));
        let bytes: usize = kept.iter().map(OfferedModel::bytes).sum();
        assert!(kept.len() > 300 && bytes < OFFER_BYTES + 2 * AGENT_NAME, "{bytes}");
    }
}
