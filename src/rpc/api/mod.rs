//! The methods: one file per namespace, in the method table of `jsonrpsee`.
//!
//! The table's own dispatcher is not used: it takes a request with an id like -1 for a notification, and it
//! reads what to unsubscribe by position. What it does well is to know the methods and to keep subscriptions.

mod automation;
pub mod bounds;
mod events;
mod output;
mod run;
mod scheduler;

/// What answers look like on the wire, where that is not a type of the domain.
pub(super) mod shapes {
    pub(in crate::rpc) use super::PageOnTheWire;
    pub(in crate::rpc) use super::automation::DeletedOnTheWire;
    pub(in crate::rpc) use super::output::ChunkOnTheWire;
    pub(in crate::rpc) use super::run::OutputOnTheWire;
}

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::helpers::MethodSink;
use jsonrpsee::core::server::{
    BoundedSubscriptions, ConnectionId, MethodCallback, MethodResponse, SubscriptionState,
};
use jsonrpsee::core::traits::IdProvider;
use jsonrpsee::types::{ErrorObjectOwned, Params, SubscriptionId};
use jsonrpsee::{Extensions, RpcModule};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::mpsc;

use super::answer;
use super::backend::{Backend, Page, Place};
use super::cursor::{self, List};
use super::envelope::{Request, RequestId};
use super::errors::{Failure, Kind, RESPONSE_TOO_LARGE};
use super::transport::Output;
use crate::domain::fault::{Fault, Word};
use crate::domain::refusal::Refusal;

/// The subscriptions that one client may have at once. Each costs a task and a place in the ledger.
const SUBSCRIPTIONS: u32 = 64;

/// Messages of one subscription on their way to the client: its answer and its next events. A client that does
/// not read makes the subscription wait at its own place.
const ON_THE_WAY: usize = 16;

/// All methods, ready to be called.
pub struct Methods {
    table: jsonrpsee::Methods,
    subscriptions: BoundedSubscriptions,
    place: Box<dyn Fn() -> PlaceFuture + Send + Sync>,
}

type PlaceFuture = Pin<Box<dyn Future<Output = Result<Place, Refusal>> + Send>>;

/// Registers all methods.
///
/// # Errors
/// When two of them have the same name.
pub fn method_table<B: Backend>(backend: Arc<B>) -> Result<Methods, RegisterMethodError> {
    let mut module = RpcModule::from_arc(backend.clone());
    automation::register(&mut module)?;
    run::register(&mut module)?;
    events::register(&mut module)?;
    output::register(&mut module)?;
    scheduler::register(&mut module)?;
    let place = move || -> PlaceFuture {
        let backend = backend.clone();
        Box::pin(async move { backend.place().await })
    };
    let subscriptions = BoundedSubscriptions::new(SUBSCRIPTIONS);
    Ok(Methods { table: module.into(), subscriptions, place: Box::new(place) })
}

impl Methods {
    /// The names of all methods, with those that the conversation itself answers, in order.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> =
            self.table.method_names().chain(["initialize", "shutdown", "rpc.discover"]).collect();
        names.sort_unstable();
        names
    }

    /// Carries out a request and sends its answer.
    pub fn call(
        &self,
        request: Request,
        output: Output,
        limit: usize,
    ) -> impl Future<Output = ()> + Send + 'static {
        let callback = self.table.method_with_name(&request.method);
        let callback = callback.map(|(name, callback)| (name, callback.clone()));
        let opening = match callback {
            Some((_, MethodCallback::Subscription(_))) => {
                self.subscriptions.acquire().map(|permit| (permit, (self.place)()))
            }
            Some(_) | None => None,
        };
        async move {
            let Request { id, method, params } = request;
            let text = params.as_deref().map(|params| params.get().to_owned());
            let table_id = id.for_table();
            let here = ConnectionId(0);
            let response = match callback {
                None => return refuse(&output, &id, &Failure::method_not_found(&method)).await,
                Some((_, MethodCallback::Sync(call))) => {
                    call(table_id, Params::new(text.as_deref()), limit, Extensions::new())
                }
                Some((_, MethodCallback::Async(call))) => {
                    let params = Params::new(text.as_deref()).into_owned();
                    call(table_id, params, here, limit, Extensions::new()).await
                }
                Some((name, MethodCallback::Unsubscription(call))) => {
                    let subscription = match subscription_param(name, text.as_deref()) {
                        Ok(subscription) => subscription,
                        Err(refusal) => return refuse(&output, &id, &refusal.into()).await,
                    };
                    call(table_id, Params::new(Some(&subscription)), here, limit, Extensions::new())
                }
                Some((_, MethodCallback::Subscription(call))) => {
                    let Some((subscription_permit, place)) = opening else {
                        let why = format!("{SUBSCRIPTIONS} subscriptions are open; close one first");
                        return refuse(&output, &id, &Failure::new(Kind::Overloaded, why)).await;
                    };
                    // "From now on" means from this request on: the table starts the handler in a task of its
                    // own, which may come after what the client asked for next.
                    let mut extensions = Extensions::new();
                    match place.await {
                        Ok(place) => extensions.insert(place),
                        Err(refusal) => return refuse(&output, &id, &refusal.into()).await,
                    };
                    // The table sends the answer and then the events through one channel, in order. The
                    // subscription outlives the request: it ends when it is closed or the client has gone.
                    let (sink, mut messages) = mpsc::channel(ON_THE_WAY);
                    let state =
                        SubscriptionState { conn_id: here, id_provider: &StringIds, subscription_permit };
                    let params = Params::new(text.as_deref());
                    call(table_id, params, MethodSink::new(sink), state, extensions).await;
                    if let Some(answer) = messages.recv().await {
                        output.send(with_id(answer, &id)).await;
                    }
                    let output = output.for_subscription();
                    tokio::spawn(async move {
                        while let Some(message) = messages.recv().await
                            && output.send(message).await
                        {}
                    });
                    return;
                }
            };
            send(&output, &id, response, limit).await;
        }
    }
}

async fn send(output: &Output, id: &RequestId, response: MethodResponse, limit: usize) {
    if response.as_error_code() == Some(RESPONSE_TOO_LARGE) {
        let why = format!(
            "the answer is over {limit} bytes long; ask for a smaller page, or raise `limits.maxMessageBytes`"
        );
        return refuse(output, id, &Failure::new(Kind::ResponseTooLarge, why)).await;
    }
    output.send(with_id(response.into_json(), id)).await;
}

async fn refuse(output: &Output, id: &RequestId, failure: &Failure) {
    output.send(answer::failure(Some(id), failure)).await;
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
    let params = Params::new(params);
    let subscription = super::params::read(&params, "`subscription`", |fields| {
        fields.required_short_text("subscription", super::params::ID_MAX).map(str::to_owned)
    })?;
    serde_json::to_string(&[subscription]).map_err(|error| {
        let hint = format!("{method}: {error}");
        Refusal::InvalidParams(vec![Fault::with_hint("subscription", Word::WrongType, hint)])
    })
}

/// Subscriptions have string ids: integers would have to be guessed at by clients that read them as doubles.
#[derive(Debug)]
struct StringIds;

impl IdProvider for StringIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        format!("sub_{}", uuid::Uuid::now_v7().simple()).into()
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
