//! One conversation: reads messages, calls methods, sends answers.
//!
//! `initialize` and `shutdown` are carried out here, one at a time; everything else runs concurrently. Requests
//! are started in the order in which they were read, and each hands its change to the ledger before it first
//! waits, so changes commit in that order.
//!
//! The conversation itself never waits for the client to read: it has cancels to hear, and the end of the input.

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jsonrpsee::types::Params;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::api::lifecycle::MODES;
use super::api::looks::{Look, Seats};
use super::api::{Methods, method_table};
use super::backend::{Backend, Host};
use super::envelope::{self, Incoming, Message, Notification, Request, RequestId};
use super::errors::{Failure, Kind};
use super::framing::{Border, Ending, Frame};
use super::reply::{Batch, Reply, ReplyTo};
use super::requests::{Asked, Means, Requests};
use super::room::{Room, Taken};
use super::session::{Farewell, Meaning, Stage, admit};
use super::transport::{Conversation, Output, Received};
use super::{initialize, params, schema};
use crate::domain::lifecycle::{CloseMode, CloseResult, CloseStatus};
use crate::domain::refusal::Refusal;
use crate::domain::sent::SentObject;

/// Answers of the conversation's own, such as refusals of what is no request, that the client has not made room
/// for by reading. When there are more, nothing is read until it does; there is no use in collecting them.
const UNSAID: usize = 1024;

/// How long requests that were read may take when the input has ended: what is waited for is the next answer, so that
/// nothing is lost on a machine that has much to do.
const LAST_ANSWERS: Patience =
    Patience { for_the_next: Duration::from_secs(2), for_all: Duration::from_secs(10) };

/// How long they may take when a shutdown was asked for, which is to be answered within a second. What waits for
/// the end of a run is answered by the shutdown itself.
const ANSWERS_BEFORE_SHUTDOWN: Patience =
    Patience { for_the_next: Duration::from_millis(50), for_all: Duration::from_millis(50) };

/// How long a shutdown that waits for the ledger is waited for when the client does not wait any longer.
const LAST_CHANCE: Duration = Duration::from_millis(500);

/// How long requests are waited for that are running.
#[derive(Clone, Copy, Debug)]
struct Patience {
    for_the_next: Duration,
    for_all: Duration,
}

/// Serves one client until it has gone or `stop` resolves.
pub async fn serve<H: Host>(
    host: H,
    conversation: Arc<Conversation>,
    mut inbox: mpsc::Receiver<Received>,
    output: Output,
    stop: impl Future<Output = ()>,
) -> Farewell {
    let mut service = Service {
        host,
        conversation,
        output,
        stage: Stage::Fresh,
        open: None,
        orphaned: Box::pin(pending()),
        closing: None,
        ended: Box::pin(pending()),
        requests: Requests::default(),
        unsaid: JoinSet::new(),
        batches: Room::new(),
        seats: Seats::new(),
    };
    let farewell = tokio::select! {
        biased;
        () = stop => Farewell::Abrupt,
        farewell = service.converse(&mut inbox) => farewell,
    };
    service.leave().await;
    farewell
}

struct Service<H: Host> {
    host: H,
    conversation: Arc<Conversation>,
    output: Output,
    stage: Stage,
    open: Option<Open<H::Backend>>,
    /// Resolves when the process that the client named has gone.
    orphaned: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// A shutdown that is being written down.
    closing: Option<Closing>,
    /// Resolves when a shutdown that waited for runs has happened.
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    requests: Requests,
    /// Answers of the conversation's own that wait for the client to read.
    unsaid: JoinSet<()>,
    /// Room for the answers of batches that are not whole yet.
    batches: Room,
    seats: Seats,
}

/// A shutdown that is not answered yet. The ledger may be busy for long, and the conversation goes on meanwhile.
struct Closing {
    id: RequestId,
    reply: Reply,
    outcome: Pin<Box<dyn Future<Output = Result<CloseResult, Refusal>> + Send>>,
}

struct Open<B> {
    backend: Arc<B>,
    methods: Methods,
}

enum Next {
    GoOn,
    Leave(Farewell),
}

impl<H: Host> Service<H> {
    async fn converse(&mut self, inbox: &mut mpsc::Receiver<Received>) -> Farewell {
        let conversation = self.conversation.clone();
        let mut hung_up = false;
        loop {
            // After the client has hung up there is a last part to read, which is bounded by the pipe.
            let may_read = hung_up || self.unsaid.len() < UNSAID;
            tokio::select! {
                biased;
                Some(()) = self.requests.next_that_makes_room() => self.start_more(),
                Some(_) = self.unsaid.join_next() => {}
                () = &mut self.orphaned => {
                    tracing::info!("the process that this sidecar works for has gone; ending");
                    return Farewell::Abrupt;
                }
                closed = outcome_of(&mut self.closing) => self.closed(closed).await,
                () = &mut self.ended => self.close(),
                () = conversation.hung_up(), if !hung_up => hung_up = true,
                received = inbox.recv(), if may_read => if let Next::Leave(farewell) = self.take(received).await {
                    if self.closing.is_some()
                        && let Ok(closed) = timeout(LAST_CHANCE, outcome_of(&mut self.closing)).await
                    {
                        self.closed(closed).await;
                    }
                    self.drain(LAST_ANSWERS).await;
                    return farewell;
                },
            }
        }
    }

    async fn take(&mut self, received: Option<Received>) -> Next {
        let Some(Received { frame, room }) = received else { return Next::Leave(Farewell::Abrupt) };
        let nobody = || self.to_client().reply(None);
        match frame {
            Ok(Frame::Message { bytes, ending }) => self.message(&bytes, ending, room.map(Arc::new)).await,
            Ok(Frame::TooLarge { ending }) => {
                let limit = self.conversation.message_limit();
                let why = format!(
                    "the message is over {limit} bytes long and was skipped; send less, or raise `limits.maxMessageBytes`"
                );
                self.refuse(nobody(), Failure::new(Kind::RequestTooLarge, why));
                match ending {
                    Ending::Marked => Next::GoOn,
                    Ending::EndOfInput => Next::Leave(Farewell::Abrupt),
                }
            }
            Ok(Frame::Unreadable { why }) => {
                let why = format!("{why}; nothing after it can be understood, so the conversation ends");
                self.refuse(nobody(), Failure::new(Kind::ParseError, why));
                Next::Leave(Farewell::Abrupt)
            }
            Ok(Frame::End(Border::BetweenMessages)) => Next::Leave(Farewell::Orderly),
            Ok(Frame::End(Border::InsideMessage)) => Next::Leave(Farewell::Abrupt),
            // A socket that was closed with answers in it that the client has not read.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                Next::Leave(Farewell::Orderly)
            }
            Err(error) => {
                tracing::warn!(%error, "stdin cannot be read");
                Next::Leave(Farewell::Abrupt)
            }
        }
    }

    async fn message(&mut self, bytes: &[u8], ending: Ending, room: Option<Arc<Taken>>) -> Next {
        let to_client = self.to_client();
        match envelope::read(bytes) {
            Message::One(incoming) => {
                let cut_off = ending == Ending::EndOfInput
                    && matches!(&incoming, Incoming::Invalid { failure, .. } if failure.code() == -32700);
                let next = self.incoming(incoming, &to_client, room).await;
                if cut_off { Next::Leave(Farewell::Abrupt) } else { next }
            }
            Message::Batch(entries) => {
                let ids = entries.iter().filter_map(Incoming::answered_as);
                let limit = self.conversation.message_limit();
                match Batch::open(ids, self.output.clone(), limit, self.batches.clone()) {
                    Ok(batch) => self.batch(entries, &ReplyTo::Batch(batch), room).await,
                    Err(failure) => {
                        self.refuse(to_client.reply(None), failure);
                        Next::GoOn
                    }
                }
            }
        }
    }

    /// Where answers go, which are no longer than messages may be now.
    fn to_client(&self) -> ReplyTo {
        ReplyTo::Client { output: self.output.clone(), limit: self.conversation.message_limit() }
    }

    /// Takes the entries one by one, like messages of their own.
    async fn batch(&mut self, entries: Vec<Incoming>, to: &ReplyTo, room: Option<Arc<Taken>>) -> Next {
        let mut entries = entries.into_iter();
        while let Some(entry) = entries.next() {
            if let Next::Leave(farewell) = self.incoming(entry, to, room.clone()).await {
                // The others are answered with the rest of the batch, or not at all.
                for id in entries.filter_map(|entry| entry.answered_as().map(Option::<&_>::cloned)) {
                    let why = "`exit` came before this in its batch; nothing was changed";
                    self.refuse(to.reply(id), Failure::new(Kind::InvalidRequest, why));
                }
                return Next::Leave(farewell);
            }
        }
        Next::GoOn
    }

    async fn incoming(&mut self, incoming: Incoming, to: &ReplyTo, room: Option<Arc<Taken>>) -> Next {
        match incoming {
            Incoming::Request(request) => self.request(request, to, room).await,
            Incoming::Notification(notification) => return self.notification(&notification),
            Incoming::Response => tracing::debug!("an answer to nothing"),
            Incoming::Invalid { id, failure } => self.refuse(to.reply(id), failure),
        }
        Next::GoOn
    }

    fn notification(&mut self, notification: &Notification) -> Next {
        match notification.method.as_str() {
            "exit" => {
                return Next::Leave(match self.stage {
                    Stage::Closed | Stage::Closing => Farewell::Orderly,
                    Stage::Open if self.closing.is_some() => Farewell::Orderly,
                    Stage::Fresh | Stage::Open => Farewell::Abrupt,
                });
            }
            "$/cancelRequest" => match notification.cancelled_request() {
                Some(id) => {
                    if let Some((reply, failure)) = self.requests.cancel(&id) {
                        self.refuse(reply, failure);
                    }
                }
                None => tracing::debug!("a cancel that names no request"),
            },
            method => tracing::debug!(%method, "a notification means nothing here"),
        }
        Next::GoOn
    }

    async fn request(&mut self, request: Request, to: &ReplyTo, room: Option<Arc<Taken>>) {
        let reply = to.reply(Some(request.id.clone()));
        let is_closing_by_it = self.closing.as_ref().is_some_and(|closing| closing.id == request.id);
        if is_closing_by_it || self.requests.has(&request.id) {
            let why = "a request with this id is still running; give each request an id of its own";
            return self.refuse(reply, Failure::new(Kind::InvalidRequest, why));
        }
        match admit(self.stage, &request.method) {
            Err(failure) => self.refuse(reply, failure),
            Ok(Meaning::Initialize) => self.initialize(&request, reply).await,
            Ok(Meaning::Shutdown) => self.shutdown(&request, reply).await,
            Ok(Meaning::Discover) => self.discover(&request, reply),
            Ok(Meaning::Call) => self.call(request, reply, to, room),
        }
    }

    /// Opens a project. Nothing else is looked at until this is answered.
    async fn initialize(&mut self, request: &Request, reply: Reply) {
        let params = match &request.params {
            None => Ok(SentObject::default()),
            Some(params) => params::parse_object(params.get()),
        };
        let params = params.and_then(|params| initialize::read(&params).map_err(Refusal::InvalidParams));
        let opened = match params {
            Ok(params) => {
                let limit = params.limits.max_message_bytes;
                self.host.initialize(params).await.map(|opened| (opened, limit))
            }
            Err(refusal) => Err(refusal),
        };
        match opened {
            Err(refusal) => self.refuse(reply, refusal.into()),
            Ok(((mut result, backend), limit)) => {
                let backend = Arc::new(backend);
                let methods =
                    match method_table(backend.clone(), self.output.for_subscription(), self.seats.clone()) {
                        Ok(methods) => methods,
                        Err(error) => {
                            return self.refuse(reply, Failure::new(Kind::Internal, error.to_string()));
                        }
                    };
                result.capabilities.methods = methods.names();
                self.conversation.limit_messages(usize::try_from(limit).unwrap_or(usize::MAX));
                let watched = backend.clone();
                self.orphaned = Box::pin(async move { watched.orphaned().await });
                self.open = Some(Open { backend, methods });
                self.stage = Stage::Open;
                self.say(async move { reply.succeed(&result).await });
            }
        }
    }

    /// Closes what is open, at once or when its runs have ended. Requests that were read before are still answered.
    async fn shutdown(&mut self, request: &Request, reply: Reply) {
        let mode = match read_shutdown(request) {
            Ok(mode) => mode,
            Err(refusal) => return self.refuse(reply, refusal.into()),
        };
        if let Some(open) = &self.open {
            open.backend.give_up_simulations();
        }
        self.drain(ANSWERS_BEFORE_SHUTDOWN).await;
        let backend = self.open.as_ref().map(|open| open.backend.clone());
        match (mode, backend) {
            (CloseMode::Maintenance, Some(backend)) => {
                if self.closing.is_some() {
                    let why = "a shutdown is being written down; wait for its answer, or force it";
                    return self.refuse(reply, Failure::new(Kind::InvalidRequest, why));
                }
                let mut outcome: Pin<Box<dyn Future<Output = _> + Send>> =
                    Box::pin(async move { backend.close_for_good().await });
                // Its change is handed to the ledger before those of requests that come after it.
                let begun = poll_fn(|context| Poll::Ready(outcome.as_mut().poll(context))).await;
                if begun.is_pending() {
                    self.closing = Some(Closing { id: request.id.clone(), reply, outcome });
                } else if let Poll::Ready(closed) = begun {
                    self.closed((reply, closed)).await;
                }
            }
            (CloseMode::Force, Some(backend)) => {
                backend.shutdown().await;
                self.close();
                self.say(async move { reply.succeed(&json!(null)).await });
            }
            (CloseMode::Maintenance | CloseMode::Force, None) => {
                self.stage = Stage::Closed;
                self.say(async move { reply.succeed(&json!(null)).await });
            }
        }
    }

    /// A shutdown is written down, or could not be. Another one that was forced may have overtaken it.
    async fn closed(&mut self, (reply, closed): (Reply, Result<CloseResult, Refusal>)) {
        let closed = match closed {
            Ok(closed) => closed,
            Err(refusal) => return self.refuse(reply, refusal.into()),
        };
        if let (Stage::Open, Some(open)) = (self.stage, &self.open) {
            let backend = open.backend.clone();
            match closed.status {
                CloseStatus::Completed => {
                    backend.shutdown().await;
                    self.close();
                }
                CloseStatus::Deferred => {
                    self.stage = Stage::Closing;
                    self.ended = Box::pin(async move { backend.closed().await });
                }
            }
        }
        self.say(async move { reply.succeed(&closed).await });
    }

    /// Everything of this sidecar has ended: only `exit` is left, and what has not been started is not started any more.
    fn close(&mut self) {
        self.stage = Stage::Closed;
        self.ended = Box::pin(pending());
        for reply in self.requests.give_up_waiting() {
            let why = "the sidecar was shut down before this was begun; nothing was changed";
            self.refuse(reply, Failure::new(Kind::InvalidRequest, why));
        }
    }

    fn discover(&mut self, request: &Request, reply: Reply) {
        let text = request.params.as_deref().map(RawValue::get);
        match params::read(&Params::new(text), "", |_| Some(())) {
            Ok(()) => {
                let seats = self.seats.clone();
                self.say(async move {
                    let _seat = seats.take(Look::One, None).await;
                    reply.succeed(&schema::openrpc()).await;
                });
            }
            Err(refusal) => self.refuse(reply, refusal.into()),
        }
    }

    fn call(&mut self, request: Request, reply: Reply, to: &ReplyTo, room: Option<Arc<Taken>>) {
        let Some(open) = &self.open else { return };
        if to.is_batch() && open.methods.subscribes(&request.method) {
            let why = "a subscription outlives the answer of a batch; subscribe in a message of its own";
            return self.refuse(reply, Failure::new(Kind::InvalidRequest, why));
        }
        let means = Means { methods: &open.methods, limit: self.conversation.message_limit() };
        if let Err((reply, failure)) = self.requests.add(Asked { request, reply, room }, means) {
            self.refuse(reply, failure);
        }
    }

    /// Starts what waits for room.
    fn start_more(&mut self) {
        if let Some(open) = &self.open {
            let means = Means { methods: &open.methods, limit: self.conversation.message_limit() };
            self.requests.start_those_that_may(means);
        }
    }

    /// Waits for the answers to everything that was read, but not for ever.
    async fn drain(&mut self, patience: Patience) {
        let all = async {
            while let Some(()) = timeout(patience.for_the_next, self.requests.next_that_makes_room()).await? {
                self.start_more();
            }
            while timeout(patience.for_the_next, self.unsaid.join_next()).await?.is_some() {}
            Ok::<_, Elapsed>(())
        };
        if !matches!(timeout(patience.for_all, all).await, Ok(Ok(()))) {
            tracing::info!(?patience, "requests were still running after the last message");
        }
    }

    async fn leave(&mut self) {
        match (self.stage, &self.open) {
            (Stage::Open | Stage::Closing, Some(open)) => {
                open.backend.client_has_gone();
                open.backend.shutdown().await;
            }
            (Stage::Fresh | Stage::Closed, _) | (Stage::Open | Stage::Closing, None) => {}
        }
        self.requests.abort();
    }

    fn refuse(&mut self, reply: Reply, failure: Failure) {
        self.say(async move { reply.refuse(&failure).await });
    }

    /// Has something said while the conversation goes on.
    fn say(&mut self, saying: impl Future<Output = ()> + Send + 'static) {
        self.unsaid.spawn(saying);
    }
}

/// Waits until a shutdown is written down, or could not be; for ever if there is none.
async fn outcome_of(closing: &mut Option<Closing>) -> (Reply, Result<CloseResult, Refusal>) {
    if let Some(shutdown) = closing {
        let outcome = (&mut shutdown.outcome).await;
        if let Some(Closing { reply, .. }) = closing.take() {
            return (reply, outcome);
        }
    }
    pending().await
}

fn read_shutdown(request: &Request) -> Result<CloseMode, Refusal> {
    let text = request.params.as_deref().map(RawValue::get);
    params::read(&Params::new(text), "`mode`", |fields| {
        Some(fields.choice("mode", &MODES).unwrap_or(CloseMode::Force))
    })
}

#[cfg(test)]
mod tests;
