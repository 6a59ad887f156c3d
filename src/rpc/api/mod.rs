//! The methods: one file per namespace, in one [`table`].
//!
//! The dispatcher of `jsonrpsee` is not used: it takes a request with an id like -1 for a notification, and it reads what
//! to unsubscribe by position. What it does well is to keep subscriptions.

mod automation;
pub mod bounds;
mod directory;
mod events;
mod in_order;
pub(super) mod lifecycle;
pub(super) mod looks;
mod output;
mod provider;
mod report;
mod run;
mod scheduler;
mod simulate;
mod table;

/// What answers look like on the wire, where that is not a type of the domain.
pub(super) mod shapes {
    pub(in crate::rpc) use super::PageOnTheWire;
    pub(in crate::rpc) use super::automation::DeletedOnTheWire;
    pub(in crate::rpc) use super::output::ChunkOnTheWire;
    pub(in crate::rpc) use super::provider::{ProvidersOnTheWire, RefreshedOnTheWire};
    pub(in crate::rpc) use super::report::{CLASSES, OUTCOMES, PERMISSIONS, words};
    pub(in crate::rpc) use super::run::{OutputOnTheWire, Taken};
}

use std::future::Future;
use std::sync::Arc;

use jsonrpsee::Extensions;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::helpers::MethodSink;
use jsonrpsee::core::server::{
    BoundedSubscriptions, ConnectionId, MethodCallback, MethodResponse, SubscriptionMethod,
    SubscriptionPermit, SubscriptionSink, SubscriptionState,
};
use jsonrpsee::core::traits::IdProvider;
use jsonrpsee::types::{ErrorObjectOwned, Id, Params};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::mpsc;

use in_order::{InOrder, Steps};
use looks::{Look, Seat, Seats};
use table::{Call, Entry, Registered, Table};

use super::answer;
use super::backend::{Backend, Feed, Page};
use super::caller::Permit;
use super::cursor::{self, List};
use super::envelope::{Request, RequestId};
use super::errors::{Failure, Kind};
use super::reply::Reply;
use super::transport::SubscriptionOutput;
use crate::domain::fault::{Fault, Word};
use crate::domain::id::SubscriptionId;
use crate::domain::refusal::Refusal;

/// The subscriptions that one client may have at once. Each costs a task and a place in the ledger.
pub(in crate::rpc) const SUBSCRIPTIONS: u32 = 64;

/// Messages of one subscription on their way to the client: its answer and its next events. A client that does
/// not read makes the subscription wait at its own place.
const ON_THE_WAY: usize = 16;

/// The methods that look and change nothing.
fn look_of(method: &str) -> Option<Look> {
    let mut looks = automation::LOOKS.iter().chain(simulate::LOOKS).chain(run::LOOKS).chain(provider::LOOKS);
    looks.find(|(name, _)| *name == method).map(|(_, look)| *look)
}

/// All methods, ready to be called.
pub struct Methods {
    table: Registered,
    subscriptions: BoundedSubscriptions,
    in_order: Box<dyn Steps>,
    /// Where the events of subscriptions go.
    output: SubscriptionOutput,
    seats: Seats,
}

/// Registers all methods. The events of subscriptions go to `output`.
///
/// # Errors
/// When two of them have the same name.
pub(in crate::rpc) fn method_table<B: Backend>(
    backend: Arc<B>,
    output: SubscriptionOutput,
    seats: Seats,
) -> Result<Methods, RegisterMethodError> {
    let mut module = Table::new(backend.clone());
    let mut in_order = InOrder::new(backend);
    automation::register(&mut module)?;
    simulate::register(&mut module)?;
    run::register(&mut module)?;
    events::register(&mut module, &mut in_order)?;
    output::register(&mut module)?;
    lifecycle::register(&mut module)?;
    directory::register(&mut module, &mut in_order)?;
    provider::register(&mut module, &mut in_order)?;
    scheduler::register(&mut module)?;
    let subscriptions = BoundedSubscriptions::new(SUBSCRIPTIONS);
    Ok(Methods { table: module.registered(), subscriptions, in_order: Box::new(in_order), output, seats })
}

impl Methods {
    /// The names of all methods, with those that the conversation itself answers, in order.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> =
            self.table.names().chain(["initialize", "shutdown", "rpc.discover"]).collect();
        names.sort_unstable();
        names
    }

    /// Whether the method opens a subscription.
    pub fn subscribes(&self, method: &str) -> bool {
        matches!(self.table.find(method), Some(Entry::Subscription(_, MethodCallback::Subscription(_))))
    }

    /// Carries out a request. Dropped before it has come to its end, it leaves no subscription open, and changes
    /// nothing if its permit was withdrawn.
    pub fn call(
        &self,
        request: Request,
        permit: Permit,
        limit: usize,
    ) -> impl Future<Output = Outcome> + Send + 'static {
        let mut extensions = Extensions::new();
        extensions.insert(permit);
        let called = match self.table.find(&request.method) {
            None => Called::Nothing,
            Some(Entry::Call(call)) => Called::Once(call.clone()),
            Some(Entry::Subscription(_, MethodCallback::Subscription(open))) => {
                let subscription = SubscriptionId::from_unique(&uuid::Uuid::now_v7().simple().to_string());
                extensions.insert(subscription.clone());
                Called::Opens(open.clone(), subscription, self.subscriptions.acquire())
            }
            Some(Entry::Subscription(name, MethodCallback::Unsubscription(end))) => {
                Called::Ends(name, end.clone())
            }
            // None is registered there.
            Some(Entry::Subscription(_, MethodCallback::Sync(_) | MethodCallback::Async(_))) => {
                Called::Nothing
            }
        };
        let params = request.params.as_deref().map(RawValue::get);
        let step = self.in_order.step(&request.method, params, &extensions);
        let look = look_of(&request.method);
        let seats = self.seats.clone();
        let output = self.output.clone();
        async move {
            let Request { id, method, params } = request;
            let seat = match look {
                Some(look) => seats.take(look, params.as_deref()).await,
                None => None,
            };
            if matches!(called, Called::Opens(.., None)) {
                let why = format!("{SUBSCRIPTIONS} subscriptions are open; close one first");
                return Outcome::refused(&id, &Failure::new(Kind::Overloaded, why));
            }
            let extensions = match step {
                None => extensions,
                Some(step) => match step.await {
                    Ok(extensions) => extensions,
                    Err(refusal) => return Outcome::refused(&id, &refusal.into()),
                },
            };
            let text = params.as_deref().map(RawValue::get);
            let here = ConnectionId(0);
            let answer = match called {
                Called::Nothing => return Outcome::refused(&id, &Failure::method_not_found(&method)),
                Called::Once(call) => match call(Params::new(text).into_owned(), extensions).await {
                    Ok(result) => answer::success(&id, &result),
                    Err(error) => answer::error(Some(&id), &error),
                },
                Called::Ends(name, end) => {
                    let subscription = match subscription_param(name, text) {
                        Ok(subscription) => subscription,
                        Err(refusal) => return Outcome::refused(&id, &refusal.into()),
                    };
                    let params = Params::new(Some(&subscription));
                    with_id(end(id.for_table(), params, here, limit, extensions).into_json(), &id)
                }
                Called::Opens(open, subscription, permit) => {
                    let Some(subscription_permit) = permit else {
                        return Outcome::refused(&id, &Failure::panicked());
                    };
                    // The table sends the answer and then the events through one channel, in order. The
                    // subscription outlives the request: it ends when it is closed or the client has gone.
                    let (sink, mut messages) = mpsc::channel(ON_THE_WAY);
                    let id_provider = &Given(subscription);
                    let state = SubscriptionState { conn_id: here, id_provider, subscription_permit };
                    open(id.for_table(), Params::new(text), MethodSink::new(sink), state, extensions).await;
                    return match messages.recv().await {
                        Some(answer) => {
                            let answer = with_id(answer, &id);
                            Outcome { answer, seat: None, events: Some((messages, output)) }
                        }
                        // The handler has panicked before it could answer.
                        None => Outcome::refused(&id, &Failure::panicked()),
                    };
                }
            };
            let length = answer.get().len();
            if let Some(seat) = &seat {
                seat.was_enough_for(length.min(limit));
            }
            let answer = if length > limit { answer::too_large(Some(&id), limit) } else { answer };
            Outcome { answer, seat, events: None }
        }
    }
}

/// What ends a subscription.
type End = Arc<dyn Fn(Id<'_>, Params<'_>, ConnectionId, usize, Extensions) -> MethodResponse + Send + Sync>;

/// What a request calls.
enum Called {
    Nothing,
    Once(Call),
    /// A subscription with this identity, if there is room for one more.
    Opens(SubscriptionMethod<'static>, SubscriptionId, Option<SubscriptionPermit>),
    /// The end of a subscription, by the name of the method.
    Ends(&'static str, End),
}

/// What a request has come to.
pub struct Outcome {
    answer: Box<RawValue>,
    seat: Option<Seat>,
    /// The events of the subscription that it has opened, and where they go.
    events: Option<(mpsc::Receiver<Box<RawValue>>, SubscriptionOutput)>,
}

impl Outcome {
    fn refused(id: &RequestId, failure: &Failure) -> Self {
        Outcome { answer: answer::failure(Some(id), failure), seat: None, events: None }
    }

    /// Gives the answer to whom it is owed, and then the events of the subscription, if one was opened.
    pub async fn hand_over(self, reply: Reply) {
        let Outcome { answer, seat, events } = self;
        reply.give(answer).await;
        drop(seat);
        if let Some((mut messages, output)) = events {
            tokio::spawn(async move {
                while let Some(message) = messages.recv().await
                    && output.send(message).await
                {}
            });
        }
    }
}

/// Puts the client's own id in where the table knew a stand-in.
fn with_id(answer: Box<RawValue>, id: &RequestId) -> Box<RawValue> {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        result: Option<&'a RawValue>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    if !id.needs_stand_in() {
        return answer;
    }
    let Ok(parts) = serde_json::from_str::<Answer<'_>>(answer.get()) else { return answer };
    let (name, value) = match parts.error {
        Some(error) => ("error", error.get()),
        None => ("result", parts.result.map_or("null", RawValue::get)),
    };
    let text = format!(r#"{{"jsonrpc":"2.0","id":{},"{name}":{value}}}"#, id.to_json());
    RawValue::from_string(text).unwrap_or(answer)
}

/// What to unsubscribe, as the table reads it.
fn subscription_param(method: &str, params: Option<&str>) -> Result<String, Refusal> {
    let subscription = unsubscribed(&Params::new(params))?;
    serde_json::to_string(&[subscription.as_str()]).map_err(|error| {
        let hint = format!("{method}: {error}");
        Refusal::InvalidParams(vec![Fault::with_hint("subscription", Word::WrongType, hint)])
    })
}

/// The subscription that is to end.
fn unsubscribed(params: &Params<'_>) -> Result<SubscriptionId, Refusal> {
    super::params::read(params, "`subscription`", |fields| {
        fields.required_short_text("subscription", super::params::ID_MAX).map(SubscriptionId::from_text)
    })
}

/// Sends what comes from a feed, until there is no more of it, or the client has closed the subscription or has gone.
async fn forward(mut feed: impl Feed, sink: SubscriptionSink) {
    loop {
        let next = tokio::select! {
            biased;
            () = sink.closed() => return,
            next = feed.next() => next,
        };
        let Some(next) = next else { return };
        if sink.send(next).await.is_err() {
            return;
        }
    }
}

/// The identity that a subscription was given before the table knew of it. It is a text: integers would have to be
/// guessed at by clients that read them as doubles.
#[derive(Debug)]
struct Given(SubscriptionId);

impl IdProvider for Given {
    fn next_id(&self) -> jsonrpsee::types::SubscriptionId<'static> {
        self.0.as_str().to_owned().into()
    }
}

/// What a handler gives: an answer, or why not.
type Handled = Result<Box<RawValue>, ErrorObjectOwned>;

/// Writes an answer once, in the order in which the contract lists its members.
fn handled<T: serde::Serialize>(answer: Result<T, Refusal>) -> Handled {
    answer
        .and_then(|answer| to_raw_value(&answer).map_err(|error| Refusal::Internal(error.to_string())))
        .map_err(refused)
}

fn refused(refusal: Refusal) -> ErrorObjectOwned {
    Failure::from(refusal).to_error()
}

/// A part of a list.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}Page")]
pub(in crate::rpc) struct PageOnTheWire<T> {
    /// What is in it, newest first.
    items: Vec<T>,
    /// Where the next page begins, if there is one.
    next_cursor: Option<String>,
    /// The newest event that this page already knows of.
    seq: i64,
}

fn page_on_the_wire<T>(list: List, page: Page<T>, backend: &impl Backend) -> PageOnTheWire<T> {
    let next_cursor = page.next.map(|row| cursor::write(list, backend.ledger_id(), row));
    PageOnTheWire { items: page.items, next_cursor, seq: page.seq }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::schema;

    #[test]
    fn what_is_called_a_look_is_a_method() {
        let methods = schema::methods();
        for (name, _) in
            automation::LOOKS.iter().chain(simulate::LOOKS).chain(run::LOOKS).chain(provider::LOOKS)
        {
            assert!(methods.iter().any(|method| method.name == *name), "{name}");
        }
    }
}
