//! Asks an agent what it offers, in a session that nobody prompts.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::cost::Spending;
use super::failure::Halt;
use super::offer::{Choices, Offer};
use super::session::{Abilities, Ability, Place, Session, begin, initialize, put};
use super::talk::Talk;
use super::{AskFailure, DEFAULT_MODEL, Wishes, wire};
use crate::domain::provider::OfferedModel;
use crate::domain::secrets::Secrets;

/// How long a session that was only made for this may take to go.
const LEAVE: Duration = Duration::from_secs(2);

/// See [`super::ask`].
pub(super) async fn ask<R, W>(
    stdout: R,
    stdin: W,
    directory: &str,
    first: Option<&str>,
    call_limit: Duration,
    secrets: Secrets,
) -> Result<Vec<OfferedModel>, AskFailure>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    // Whoever does not want to know any more drops this.
    let (_wishing, wishes) = watch::channel(Wishes::default());
    let mut talk = Talk::new(stdout, stdin, call_limit, wishes, None, Spending::new(None), secrets);
    match look(&mut talk, directory, first, call_limit).await {
        Ok(models) => Ok(models),
        Err(halt) => Err(halt.of_a_probe(&talk.circumstances())),
    }
}

async fn look<R, W>(
    talk: &mut Talk<R, W>,
    directory: &str,
    first: Option<&str>,
    call_limit: Duration,
) -> Result<Vec<OfferedModel>, Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let abilities = initialize(talk).await?;
    // Nobody prompts it, so that it needs no tools.
    let mut session = begin(talk, Place { directory, tools: None }).await?;
    let models = match session.offered.models.clone() {
        Some(models) => models_of(talk, &mut session, &models, first, call_limit).await,
        None => {
            let id = DEFAULT_MODEL.to_owned();
            let name = "what the agent uses".to_owned();
            vec![OfferedModel { id, name, variants: ids(session.offered.variants.as_ref()) }]
        }
    };
    leave(talk, abilities, &session).await;
    Ok(models)
}

/// Each model is chosen for a moment, because its variants are told only then; for as long as one call may take. Of those
/// that this does not reach no variants are known.
async fn models_of<R, W>(
    talk: &mut Talk<R, W>,
    session: &mut Session,
    models: &Choices,
    first: Option<&str>,
    call_limit: Duration,
) -> Vec<OfferedModel>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let listed =
        |offer: &Offer| OfferedModel { id: offer.id.clone(), name: offer.name.clone(), variants: Vec::new() };
    let mut found: Vec<OfferedModel> = models.values.iter().map(listed).collect();
    if let super::offer::By::SetModel = models.by {
        return found;
    }
    // The wanted one first, and the one that is chosen already, which costs nothing.
    let rank = |id: &str| (Some(id) != first, !models.is_at(id));
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|place| rank(&found[*place].id));
    let deadline = Instant::now() + call_limit;
    let mut current = models.current.clone();
    for place in order {
        let model = &mut found[place];
        if current.as_deref() != Some(model.id.as_str()) {
            match timeout_at(deadline, put(talk, session, &models.by, &model.id)).await {
                Ok(Ok(())) => current = Some(model.id.clone()),
                // A model that cannot be chosen just now is offered all the same.
                Ok(Err(Halt::Refused { .. })) => continue,
                Ok(Err(Halt::Cancelled | Halt::Lost | Halt::TimedOut { .. } | Halt::Unusable(_)))
                | Err(_) => break,
            }
        }
        model.variants = ids(session.offered.variants.as_ref());
    }
    found
}

fn ids(choices: Option<&Choices>) -> Vec<String> {
    choices.map_or(Vec::new(), |choices| choices.values.iter().map(|offer| offer.id.clone()).collect())
}

/// Leaves nothing behind in the agent's list of sessions, where it can be told so.
async fn leave<R, W>(talk: &mut Talk<R, W>, abilities: Abilities, session: &Session)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    for (method, ability) in [("session/close", abilities.close), ("session/delete", abilities.delete)] {
        if ability == Ability::Has {
            talk.call_in_passing(method, wire::session(&session.id), LEAVE).await;
        }
    }
}
