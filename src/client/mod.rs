//! A client for programs in Rust: a sidecar of one's own, asked over its stdin and stdout.
//!
//! ```no_run
//! # use sexton::client::{Client, Follow, Opening};
//! # async fn example() -> Result<(), sexton::client::Error> {
//! let client = Client::open(Opening::new("sexton", "my-editor")).await?;
//! let made: serde_json::Value = client.ask("automation/create", serde_json::json!({
//!     "title": "Stand up", "kind": "recurring", "rhythm": {"kind": "interval", "everyMs": 3_600_000},
//!     "task": {"kind": "notify", "text": "Stand up"},
//! })).await?;
//! let mut events = client.events(Follow::default()).await?;
//! while let Some(event) = events.next().await? {
//!     println!("{} {}", event.kind, event.text.unwrap_or_default());
//! }
//! # Ok(()) }
//! ```
//!
//! The conversation is jsonrpsee's; what is here is the pipe, and what the contract says beyond JSON-RPC: refusals, pages,
//! and subscriptions that are taken up again where they were.

mod error;
mod following;
pub mod model;
mod opening;
mod pipe;

use std::time::Duration;

use jsonrpsee::core::client::{Client as Asker, ClientBuilder, ClientT};
use jsonrpsee::core::traits::ToRpcParams;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::process::Child;

pub use error::{Detail, Error, Refused};
pub use following::{Chunk, Event, Events, Follow, Output};
pub use opening::{Opened, Opening};

/// How long an answer may take. The longest that the contract has is that of an agent that is asked what it offers, up to
/// a minute for each of those that are configured.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a sidecar may take to end after it was told to: it kills what does not, after a second.
const FAREWELL: Duration = Duration::from_secs(10);

/// Messages of one subscription that were not looked at yet. When there are more the subscription is ended, and taken up
/// again where it was.
const UNREAD: usize = 256;

/// The most items of a page.
const PAGE: u32 = 100;

/// A sidecar, and the conversation with it. When it is dropped, the sidecar ends as with a window that is closed.
#[derive(Debug)]
pub struct Client {
    asker: Asker,
    process: Child,
    opened: Opened,
}

impl Client {
    /// Starts a sidecar and has it open a project.
    ///
    /// # Errors
    /// When the program cannot be started, or it refuses.
    pub async fn open(opening: Opening) -> Result<Client, Error> {
        let (process, sender, receiver) = pipe::spawn(&opening)?;
        let asker = ClientBuilder::new()
            .request_timeout(PATIENCE)
            .max_buffer_capacity_per_subscription(UNREAD)
            .build_with_tokio(sender, receiver);
        let opened = ask(&asker, "initialize", &opening.params()).await?;
        Ok(Client { asker, process, opened })
    }

    /// What it said when it had opened the project.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Asks, and waits for the answer. Several may be asked at once, on one task or many.
    ///
    /// # Errors
    /// When it refuses, has ended, or answers with something that is no `T`.
    pub async fn ask<T: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Result<T, Error> {
        ask(&self.asker, method, &params).await
    }

    /// All items of a list, page for page, in the order in which they are told.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn all<T: DeserializeOwned>(&self, method: &str, params: Value) -> Result<Vec<T>, Error> {
        self.first(method, params, usize::MAX).await.map(|(items, _)| items)
    }

    /// The first items of a list, at most so many, and whether there are more.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn first<T: DeserializeOwned>(
        &self,
        method: &str,
        mut params: Value,
        most: usize,
    ) -> Result<(Vec<T>, bool), Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<T> {
            items: Vec<T>,
            next_cursor: Option<String>,
        }
        params["limit"] = json!(PAGE);
        let mut all = Vec::new();
        loop {
            let page: Page<T> = self.ask(method, &params).await?;
            let room = most - all.len();
            let there_are_more = page.items.len() > room || page.next_cursor.is_some();
            all.extend(page.items.into_iter().take(room));
            match page.next_cursor {
                Some(cursor) if all.len() < most => params["cursor"] = json!(cursor),
                Some(_) | None => return Ok((all, there_are_more)),
            }
        }
    }

    /// What happens, as the ledger records it: from now on, or from after an event that was seen.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn events(&self, wanted: Follow) -> Result<Events<'_>, Error> {
        Events::open(&self.asker, wanted).await
    }

    /// What a run has written from this byte on, and what it writes, until its end.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn output(&self, run: &str, offset: u64) -> Result<Output<'_>, Error> {
        Output::open(&self.asker, run, offset).await
    }

    /// What a run has written so far, from this byte on: a part of it, and nothing where there is no more yet.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub async fn written(&self, run: &str, offset: u64) -> Result<Chunk, Error> {
        Chunk::written(&self.asker, run, offset).await
    }

    /// Ends the sidecar as a window is closed, with what it carries out, and waits until it has gone.
    ///
    /// # Errors
    /// When it does not say so, or does not end.
    pub async fn close(self) -> Result<(), Error> {
        let Client { asker, mut process, .. } = self;
        leave(asker, &mut process).await
    }

    /// The same, but a sidecar that has not gone by then is killed.
    ///
    /// # Errors
    /// When it does not say that it ends, or is killed.
    pub async fn close_within(self, patience: Duration) -> Result<(), Error> {
        let Client { asker, mut process, .. } = self;
        match tokio::time::timeout(patience, leave(asker, &mut process)).await {
            Ok(left) => left,
            Err(_) => {
                let how = match process.kill().await {
                    Ok(()) => "it was killed".to_owned(),
                    Err(error) => format!("it cannot be killed: {error}"),
                };
                Err(Error::Gone(format!("the sidecar has not ended after {patience:?}; {how}")))
            }
        }
    }
}

async fn leave(asker: Asker, process: &mut Child) -> Result<(), Error> {
    let _: Value = ask(&asker, "shutdown", &json!({})).await?;
    // It ends without being told to as well: nobody asks it any more.
    let _ = asker.notification("exit", ByName(None)).await;
    drop(asker);
    match tokio::time::timeout(FAREWELL, process.wait()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Error::Gone(format!("the sidecar's end could not be seen: {error}"))),
        Err(_) => Err(Error::Gone(format!("the sidecar has not ended after {FAREWELL:?}"))),
    }
}

async fn ask<T: DeserializeOwned>(asker: &Asker, method: &str, params: &impl Serialize) -> Result<T, Error> {
    let answer: Box<RawValue> = asker.request(method, ByName::of(params)?).await?;
    serde_json::from_str(answer.get()).map_err(|error| Error::unreadable(method, &error))
}

/// Parameters as the contract has them: by name.
struct ByName(Option<Box<RawValue>>);

impl ByName {
    fn of(params: &impl Serialize) -> Result<ByName, Error> {
        match serde_json::value::to_raw_value(params) {
            Ok(params) => Ok(ByName(Some(params))),
            Err(error) => Err(Error::Gone(format!("the parameters cannot be written as JSON: {error}"))),
        }
    }
}

impl ToRpcParams for ByName {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(self.0)
    }
}
