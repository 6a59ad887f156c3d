//! Agents are asked what they offer: one window asks, once for the whole ledger, and all who want to know share what it
//! is told. Whoever finds such a question among what its window has to do asks, and tells [`ended`].

use super::{Context, providers};
use crate::domain::automation::Task;
use crate::domain::configuration::QUESTION_CALLS;
use crate::domain::id::{InstanceId, ProbeId, ProviderId, RunId};
use crate::domain::provider::{OfferedModel, ProviderKind};
use crate::domain::refusal::Refusal;
use crate::domain::scheduler::Role;
use crate::domain::shown::Voice;
use crate::ledger::{AgentRow, Given, ProbeRow, ProviderRow, SaidRow, Turn, Tx, View};

/// How long a window has to say that an agent has not answered in its time, in milliseconds. After that another window is
/// to ask it. It is enough to have the agent forget its session, and end.
pub const PATIENCE_MS: i64 = 10_000;

/// What has become of a wish that agents say what they offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshing {
    /// The questions that are asked now: there is an answer to one, or none will come, when it has gone.
    pub asked: Vec<ProbeId>,
    /// The runs that agents carry out which are asked when these have ended.
    pub waiting_for: Vec<RunId>,
}

/// Has the agent asked that is to say what it offers before it can be decided about a task, if there is one. There is an
/// answer, or none will come, when the question has gone.
///
/// # Errors
/// When the ledger fails.
pub fn ask_about(tx: &Tx<'_>, context: &mut Context<'_>, task: &Task) -> Result<Option<ProbeId>, Refusal> {
    let to_be_asked = match context.voice {
        Voice::Person => providers::to_be_asked(tx, task, context.now)?,
        // A run may look, but not have anything started: to it counts what is known.
        Voice::Run => None,
    };
    match to_be_asked {
        Some(model) => ask(tx, context, &model.provider, Some(&model.model)),
        None => Ok(None),
    }
}

/// Has this agent asked what it offers, or all of them. One that a run uses is asked when nothing of that is left.
///
/// # Errors
/// When there is no such provider.
pub fn refresh(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    only: Option<&ProviderId>,
) -> Result<Refreshing, Refusal> {
    let wanted = match only {
        Some(id) => vec![tx.provider(id)?.ok_or_else(|| no_provider(id))?],
        None => tx.providers()?,
    };
    let mut refreshing = Refreshing::default();
    // Whoever serves a provider says by itself what it offers.
    for ProviderRow { id, .. } in wanted.into_iter().filter(|row| row.kind == ProviderKind::Acp) {
        if tx.agents_for(&id)?.is_empty() {
            continue;
        }
        let runs = tx.runs_of_agent(&id)?;
        let is_asked = tx.probe(&id)?.is_some_and(|probe| is_due(&probe));
        if runs.is_empty() || is_asked {
            refreshing.asked.extend(ask(tx, context, &id, None)?);
            continue;
        }
        if tx.probe(&id)?.is_none() {
            tx.keep_probe(&new(context, &id, None, Turn::AfterRuns))?;
        }
        refreshing.waiting_for.extend(runs);
    }
    Ok(refreshing)
}

fn no_provider(id: &ProviderId) -> Refusal {
    Refusal::NotFound { what: "provider", id: id.to_string() }
}

/// Has an agent asked now, whoever waits for it. None if nobody has it.
fn ask(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    provider: &ProviderId,
    first: Option<&String>,
) -> Result<Option<ProbeId>, Refusal> {
    let probe = match tx.probe(provider)? {
        Some(probe) if is_due(&probe) => return Ok(Some(probe.id)),
        Some(probe) => ProbeRow { first: first.cloned(), turn: Turn::Next, ..probe },
        None => new(context, provider, first, Turn::Next),
    };
    let id = probe.id.clone();
    Ok(match give(tx, context, probe)? {
        Asker::Somebody => Some(id),
        Asker::Nobody => None,
    })
}

fn new(context: &mut Context<'_>, provider: &ProviderId, first: Option<&String>, turn: Turn) -> ProbeRow {
    ProbeRow {
        provider: provider.clone(),
        id: context.ids.probe(),
        first: first.cloned(),
        turn,
        silent: Vec::new(),
        given: None,
        given_number: 0,
    }
}

/// Whether an agent is being asked, or as soon as no other is.
fn is_due(probe: &ProbeRow) -> bool {
    probe.given.is_some() || probe.turn == Turn::Next
}

/// Whether there is anybody who can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Somebody,
    Nobody,
}

/// Has somebody ask: this window if it can, before all others. An agent takes hundreds of megabytes, and `maxAgents` does
/// not count those that are only asked: there is one of them at a time in the whole ledger, and the others wait.
fn give(tx: &Tx<'_>, context: &Context<'_>, probe: ProbeRow) -> Result<Asker, Refusal> {
    let Some(agent) = who_asks(tx, context, &probe)? else { return Ok(Asker::Nobody) };
    let is_other = |other: &ProbeRow| other.id != probe.id && other.given.is_some();
    if tx.probes()?.iter().any(is_other) {
        tx.keep_probe(&ProbeRow { given: None, turn: Turn::Next, ..probe })?;
        return Ok(Asker::Somebody);
    }
    let deadline_at = context.now.plus_ms(agent.start_ms * i64::from(QUESTION_CALLS) + PATIENCE_MS);
    let given = Some(Given { to: agent.instance, deadline_at });
    tx.keep_probe(&ProbeRow { given, given_number: probe.given_number + 1, ..probe })?;
    Ok(Asker::Somebody)
}

/// Who is to ask. If it is about a model, somebody whose agent has not said lately what it offers: of that it is known
/// already whether it offers it. Then this window, then those that take part, then those whose agent was asked the
/// longest ago.
fn who_asks(view: &View<'_>, context: &Context<'_>, probe: &ProbeRow) -> Result<Option<AgentRow>, Refusal> {
    let ProbeRow { provider, first, silent, .. } = probe;
    let said = view.said(provider)?;
    let lately = providers::said_lately(view, provider, context.now)?;
    let mut best = None;
    for agent in view.agents_for(provider)? {
        if silent.contains(&agent.instance) || !view.is_there(&agent.instance)? {
            continue;
        }
        let is_its = |said: &&SaidRow| said.configuration == agent.configuration;
        let rank = (
            first.is_some() && lately.iter().any(|said| is_its(&said)),
            agent.instance != context.me.instance,
            view.role_of(&agent.instance)? != Some(Role::Participant),
            said.iter().find(is_its).and_then(|said| said.checked_at),
        );
        if best.as_ref().is_none_or(|(least, _)| rank < *least) {
            best = Some((rank, agent));
        }
    }
    Ok(best.map(|(_, agent)| agent))
}

/// This window has asked an agent: this is what it offers, or why it could not be asked, as a sentence. What was asked
/// for another giving, or has been given to somebody else meanwhile, changes nothing.
///
/// # Errors
/// When the ledger fails; the answer is to be told again.
pub fn ended(
    tx: &Tx<'_>,
    context: &mut Context<'_>,
    asked: &ProbeRow,
    answer: Result<Vec<OfferedModel>, String>,
) -> Result<(), Refusal> {
    let probe = tx.probe(&asked.provider)?.filter(|probe| is_the_same_giving(probe, asked));
    let is_mine =
        |probe: &ProbeRow| probe.given.as_ref().is_some_and(|given| given.to == context.me.instance);
    match probe.filter(is_mine) {
        Some(probe) => end(tx, context, &probe, answer),
        None => Ok(()),
    }
}

/// Whether both are one giving of one question.
pub fn is_the_same_giving(one: &ProbeRow, other: &ProbeRow) -> bool {
    (&one.id, one.given_number) == (&other.id, other.given_number)
}

/// What this window is to ask now.
///
/// # Errors
/// When the ledger fails.
pub fn to_ask(view: &View<'_>, me: &InstanceId) -> Result<Vec<ProbeRow>, Refusal> {
    let is_mine = |probe: &ProbeRow| probe.given.as_ref().is_some_and(|given| given.to == *me);
    Ok(view.probes()?.into_iter().filter(is_mine).collect())
}

/// The one way in which a question ends. It is told in any case: somebody may wait for that.
fn end(
    tx: &Tx<'_>,
    context: &Context<'_>,
    probe: &ProbeRow,
    answer: Result<Vec<OfferedModel>, String>,
) -> Result<(), Refusal> {
    tx.delete_probe(&probe.provider)?;
    let asked = probe.given.as_ref().map(|given| &given.to);
    let agents = tx.agents_for(&probe.provider)?;
    // Whoever has an agent no more has handed on what it was to ask.
    if let Some(agent) = agents.into_iter().find(|agent| Some(&agent.instance) == asked) {
        providers::answered(tx, context, &agent, answer)?;
    }
    go_on(tx, context)
}

/// Of those that waited for runs which have gone, or for another question that is over, the next one is asked.
pub(super) fn go_on(tx: &Tx<'_>, context: &Context<'_>) -> Result<(), Refusal> {
    for probe in tx.probes()?.into_iter().filter(|probe| probe.given.is_none()) {
        if probe.turn == Turn::Next || tx.runs_of_agent(&probe.provider)?.is_empty() {
            give_or_drop(tx, context, probe)?;
        }
    }
    Ok(())
}

/// What a window was to ask somebody else asks, because it has this agent no more, or starts it otherwise.
pub(super) fn hand_on(
    tx: &Tx<'_>,
    context: &Context<'_>,
    instance: &InstanceId,
    provider: &ProviderId,
) -> Result<(), Refusal> {
    let is_its = |probe: &ProbeRow| match &probe.given {
        Some(given) => given.to == *instance,
        // If nobody has the agent any more, nobody will ever ask it.
        None => true,
    };
    let Some(probe) = tx.probe(provider)?.filter(is_its) else { return Ok(()) };
    if probe.given.is_some() || who_asks(tx, context, &probe)?.is_none() {
        give_or_drop(tx, context, probe)?;
    }
    go_on(tx, context)
}

fn give_or_drop(tx: &Tx<'_>, context: &Context<'_>, probe: ProbeRow) -> Result<(), Refusal> {
    let provider = probe.provider.clone();
    match give(tx, context, probe)? {
        Asker::Somebody => Ok(()),
        // That says nothing about the agent, and it is told already that nobody has it.
        Asker::Nobody => Ok(tx.delete_probe(&provider)?),
    }
}

/// What a window was to ask that has said nothing for too long another one asks. Where nobody else has the agent, nobody
/// knows more of it than before: it is the window that has failed. That is told: somebody may wait for it.
pub(super) fn give_up(tx: &Tx<'_>, context: &Context<'_>) -> Result<(), Refusal> {
    for mut probe in tx.probes()? {
        let Some(given) = probe.given.take_if(|given| given.deadline_at <= context.now) else { continue };
        probe.silent.push(given.to);
        let provider = probe.provider.clone();
        if give(tx, context, probe)? == Asker::Nobody {
            tx.delete_probe(&provider)?;
            providers::tell_again(tx, context, &provider)?;
        }
    }
    go_on(tx, context)
}
