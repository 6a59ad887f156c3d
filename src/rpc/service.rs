//! One conversation: reads messages, calls methods, sends answers.
//!
//! `initialize` and `shutdown` are carried out here, one at a time; everything else runs concurrently. Requests
//! are started in the order in which they were read, and each hands its change to the ledger before it first
//! waits, so changes commit in that order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::types::Params;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::api::{Methods, method_table};
use super::backend::{Backend, Host};
use super::envelope::{self, Incoming, Request, RequestId};
use super::errors::{Failure, Kind};
use super::framing::{Border, Ending, Frame};
use super::room::Taken;
use super::session::{Farewell, Meaning, Stage, admit};
use super::transport::{Conversation, Output, Received};
use super::{answer, initialize, params, schema};
use crate::domain::fault::Word;
use crate::domain::refusal::Refusal;
use crate::domain::sent::SentObject;

/// Requests that run at once.
const RUNNING: usize = 256;

/// Requests that wait for one that runs. A client that has sent more is told so.
const WAITING: usize = 4096;

/// How long requests that were read may take when the input has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// How long they may take when a shutdown was asked for, which is to be answered within a second. What waits for
/// the end of a run is answered by the shutdown itself.
const ANSWERS_BEFORE_SHUTDOWN: Duration = Duration::from_millis(50);

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
        requests: JoinSet::new(),
        running: HashMap::new(),
        ids: HashSet::new(),
        waiting: VecDeque::new(),
    };
    // A client that does not read may hold up the conversation, but not a signal to end it.
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
    requests: JoinSet<()>,
    running: HashMap<tokio::task::Id, RequestId>,
    /// The requests that run or wait: no two may have the same identity.
    ids: HashSet<RequestId>,
    waiting: VecDeque<(Request, Option<Taken>)>,
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
        loop {
            tokio::select! {
                biased;
                Some(ended) = self.requests.join_next_with_id() => self.finished(ended).await,
                received = inbox.recv() => if let Next::Leave(farewell) = self.take(received).await {
                    return farewell;
                },
            }
        }
    }

    async fn take(&mut self, received: Option<Received>) -> Next {
        let Some(Received { frame, room }) = received else { return Next::Leave(Farewell::Abrupt) };
        match frame {
            Ok(Frame::Message { bytes, ending }) => self.message(&bytes, ending, room).await,
            Ok(Frame::TooLarge) => {
                let limit = self.conversation.message_limit();
                let why = format!(
                    "the message is over {limit} bytes long and was skipped; send less, or raise `limits.maxMessageBytes`"
                );
                self.refuse(None, Failure::new(Kind::RequestTooLarge, why)).await;
                Next::GoOn
            }
            Ok(Frame::Unreadable { why }) => {
                let why = format!("{why}; nothing after it can be understood, so the conversation ends");
                self.refuse(None, Failure::new(Kind::ParseError, why)).await;
                Next::Leave(Farewell::Abrupt)
            }
            Ok(Frame::End(border)) => {
                self.drain(LAST_ANSWERS).await;
                Next::Leave(match border {
                    Border::BetweenMessages => Farewell::Orderly,
                    Border::InsideMessage => Farewell::Abrupt,
                })
            }
            Err(error) => {
                tracing::warn!(%error, "stdin cannot be read");
                self.drain(LAST_ANSWERS).await;
                Next::Leave(Farewell::Abrupt)
            }
        }
    }

    async fn message(&mut self, bytes: &[u8], ending: Ending, room: Option<Taken>) -> Next {
        match envelope::read(bytes) {
            Incoming::Request(request) => self.request(request, room).await,
            Incoming::Notification { method } if method == "exit" => {
                self.drain(LAST_ANSWERS).await;
                return Next::Leave(match self.stage {
                    Stage::Closed => Farewell::Orderly,
                    Stage::Fresh | Stage::Open => Farewell::Abrupt,
                });
            }
            Incoming::Notification { method } => {
                tracing::debug!(%method, "a notification means nothing here")
            }
            Incoming::Response => tracing::debug!("an answer to nothing"),
            Incoming::Invalid { id, failure } => {
                let cut_off = ending == Ending::EndOfInput && failure.code() == -32700;
                self.refuse(id, failure).await;
                if cut_off {
                    self.drain(LAST_ANSWERS).await;
                    return Next::Leave(Farewell::Abrupt);
                }
            }
        }
        Next::GoOn
    }

    async fn request(&mut self, request: Request, room: Option<Taken>) {
        if self.ids.contains(&request.id) {
            let why = "a request with this id is still running; give each request an id of its own";
            return self.refuse(Some(request.id), Failure::new(Kind::InvalidRequest, why)).await;
        }
        match admit(self.stage, &request.method) {
            Err(failure) => self.refuse(Some(request.id), failure).await,
            Ok(Meaning::Initialize) => self.initialize(request).await,
            Ok(Meaning::Shutdown) => self.shutdown(request).await,
            Ok(Meaning::Discover) => self.discover(request).await,
            Ok(Meaning::Call) => self.call(request, room).await,
        }
    }

    /// Opens a project. Nothing else is looked at until this is answered.
    async fn initialize(&mut self, request: Request) {
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
            Err(refusal) => self.refuse(Some(request.id), refusal.into()).await,
            Ok(((mut result, backend), limit)) => {
                let backend = Arc::new(backend);
                let methods = match method_table(backend.clone()) {
                    Ok(methods) => methods,
                    Err(error) => {
                        let failure = Failure::new(Kind::Internal, error.to_string());
                        return self.refuse(Some(request.id), failure).await;
                    }
                };
                result.capabilities.methods = methods.names();
                self.conversation.limit_messages(usize::try_from(limit).unwrap_or(usize::MAX));
                self.open = Some(Open { backend, methods });
                self.stage = Stage::Open;
                self.answer(&request.id, &result).await;
            }
        }
    }

    /// Closes what is open. Requests that were read before are still answered.
    async fn shutdown(&mut self, request: Request) {
        if let Err(refusal) = read_shutdown(&request) {
            return self.refuse(Some(request.id), refusal.into()).await;
        }
        self.drain(ANSWERS_BEFORE_SHUTDOWN).await;
        // What has not been started by now is not started any more.
        let unstarted = std::mem::take(&mut self.waiting);
        if let Some(open) = &self.open {
            open.backend.shutdown().await;
        }
        self.stage = Stage::Closed;
        // A client that does not read has its answers waiting for it, but nothing waits for the client.
        let answers = async {
            for (unstarted, _) in unstarted {
                self.ids.remove(&unstarted.id);
                let why = "the sidecar was shut down before this was begun; nothing was changed";
                self.refuse(Some(unstarted.id), Failure::new(Kind::InvalidRequest, why)).await;
            }
            self.answer(&request.id, &json!(null)).await;
        };
        if tokio::time::timeout(LAST_ANSWERS, answers).await.is_err() {
            tracing::info!("the client did not read the answers to what was not begun");
        }
    }

    async fn discover(&mut self, request: Request) {
        let text = request.params.as_deref().map(RawValue::get);
        match params::read(&Params::new(text), "", |_| Some(())) {
            Ok(()) => self.answer(&request.id, &schema::openrpc()).await,
            Err(refusal) => self.refuse(Some(request.id), refusal.into()).await,
        }
    }

    async fn call(&mut self, request: Request, room: Option<Taken>) {
        if self.requests.len() < RUNNING && self.waiting.is_empty() {
            self.ids.insert(request.id.clone());
            self.start(request, room);
        } else if self.waiting.len() < WAITING {
            self.ids.insert(request.id.clone());
            self.waiting.push_back((request, room));
        } else {
            let why = format!("{WAITING} requests are waiting already; wait for answers before sending more");
            self.refuse(Some(request.id), Failure::new(Kind::Overloaded, why)).await;
        }
    }

    /// Has a request carried out. It takes its room until it has been answered.
    fn start(&mut self, request: Request, room: Option<Taken>) {
        let Some(open) = &self.open else { return };
        let id = request.id.clone();
        let limit = self.conversation.message_limit();
        let work = open.methods.call(request, self.output.clone(), limit);
        let task = self.requests.spawn(async move {
            work.await;
            drop(room);
        });
        self.running.insert(task.id(), id);
    }

    /// A request has been answered, or its handler panicked, which is answered now.
    async fn finished(&mut self, ended: Result<(tokio::task::Id, ()), tokio::task::JoinError>) {
        let task = match &ended {
            Ok((task, ())) => *task,
            Err(error) => error.id(),
        };
        if let Some(id) = self.running.remove(&task) {
            self.ids.remove(&id);
            if ended.is_err() {
                let why = "the sidecar failed while it carried this out; its log on stderr has more, please report it";
                self.refuse(Some(id), Failure::new(Kind::Internal, why)).await;
            }
        }
        while self.requests.len() < RUNNING
            && let Some((next, room)) = self.waiting.pop_front()
        {
            self.start(next, room);
        }
    }

    /// Waits for the answers to everything that was read, but not for ever.
    async fn drain(&mut self, patience: Duration) {
        let all = async {
            while let Some(ended) = self.requests.join_next_with_id().await {
                self.finished(ended).await;
            }
        };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::info!(?patience, "requests were still running after the last message");
        }
    }

    async fn leave(&mut self) {
        if self.stage == Stage::Open
            && let Some(open) = &self.open
        {
            open.backend.shutdown().await;
        }
        self.requests.abort_all();
    }

    async fn answer(&self, id: &RequestId, result: &impl serde::Serialize) {
        self.output.send(answer::success(id, result)).await;
    }

    async fn refuse(&self, id: Option<RequestId>, failure: Failure) {
        self.output.send(answer::failure(id.as_ref(), &failure)).await;
    }
}

fn read_shutdown(request: &Request) -> Result<(), Refusal> {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Mode {
        Force,
        Maintenance,
    }
    let text = request.params.as_deref().map(RawValue::get);
    params::read(&Params::new(text), "`mode`", |fields| {
        let mode = fields.choice("mode", &[("force", Mode::Force), ("maintenance", Mode::Maintenance)]);
        if mode == Some(Mode::Maintenance) {
            let hint = "use \"force\", or wait until no run is active";
            fields.fault_hint("mode", Word::NotAvailableYet, hint);
        }
        Some(())
    })
}
