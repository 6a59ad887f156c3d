//! What comes without being asked for: events, and what runs write.
//!
//! Whoever reads too slowly is not waited for: the subscription is ended, and a new one goes on after what was read last.

use base64::Engine;
use jsonrpsee::core::client::{Client as Asker, Subscription, SubscriptionClientT, SubscriptionCloseReason};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::model::{Automation, Run};
use super::{ByName, Error, ask};

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct Follow {
    /// Those after this one; without it, from now on.
    pub after: Option<i64>,
    /// Only those of these kinds; all if there are none here.
    pub kinds: Vec<String>,
    /// Only those about this automation.
    pub automation: Option<String>,
}

/// Something that has happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// Its place among all events of this ledger.
    pub seq: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// The contract's word for it, such as `run.updated`.
    pub kind: String,
    /// Whether a person should be shown it at once.
    pub important: bool,
    /// What that person is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The whole object that it is about, under the name of what it is.
    #[serde(flatten)]
    pub about: Map<String, Value>,
}

impl Event {
    /// The run that it is about, as it was then.
    pub fn run(&self) -> Option<Run> {
        self.object("run")
    }

    /// The automation that it is about, as it was then.
    pub fn automation(&self) -> Option<Automation> {
        self.object("automation")
    }

    fn object<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.about.get(name).and_then(|object| serde_json::from_value(object.clone()).ok())
    }
}

/// Events as they come.
#[derive(Debug)]
pub struct Events<'a> {
    asker: &'a Asker,
    wanted: Follow,
    subscription: Subscription<Box<RawValue>>,
}

impl<'a> Events<'a> {
    pub(super) async fn open(asker: &'a Asker, mut wanted: Follow) -> Result<Events<'a>, Error> {
        if wanted.after.is_none() {
            // One that begins at a known place can be taken up again also if it is overrun before its first event.
            wanted.after = Some(newest(asker).await?);
        }
        let subscription = Events::subscribe(asker, &wanted).await?;
        Ok(Events { asker, wanted, subscription })
    }

    async fn subscribe(asker: &Asker, wanted: &Follow) -> Result<Subscription<Box<RawValue>>, Error> {
        let mut params = Map::new();
        if let Some(after) = wanted.after {
            params.insert("after".to_owned(), json!(after));
        }
        if !wanted.kinds.is_empty() {
            params.insert("kinds".to_owned(), json!(wanted.kinds));
        }
        if let Some(automation) = &wanted.automation {
            params.insert("automationID".to_owned(), json!(automation));
        }
        let params = ByName::of(&params)?;
        Ok(asker.subscribe("events/subscribe", params, "events/unsubscribe").await?)
    }

    /// The next one. There is none when the conversation is over.
    ///
    /// # Errors
    /// When something comes that is no event, or the subscription cannot be taken up again.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            match self.subscription.next().await {
                Some(event) => {
                    let event = event.map_err(|error| Error::unreadable("events/subscribe", &error))?;
                    let event: Event = serde_json::from_str(event.get())
                        .map_err(|error| Error::unreadable("events/subscribe", &error))?;
                    self.wanted.after = Some(event.seq);
                    return Ok(Some(event));
                }
                None if is_over(&self.subscription) => return Ok(None),
                None => self.subscription = Events::subscribe(self.asker, &self.wanted).await?,
            }
        }
    }
}

/// The newest event.
async fn newest(asker: &Asker) -> Result<i64, Error> {
    #[derive(Deserialize)]
    struct Page {
        seq: i64,
    }
    ask::<Page>(asker, "run/list", &json!({"limit": 1})).await.map(|page| page.seq)
}

/// A part of what a run has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The place of its first byte.
    pub offset: u64,
    /// The bytes.
    pub data: Vec<u8>,
    /// Whether nothing follows.
    pub end: bool,
}

impl Chunk {
    /// The place of the byte after its last one.
    pub fn next_offset(&self) -> u64 {
        self.offset + u64::try_from(self.data.len()).unwrap_or_default()
    }

    /// What a run has written from this byte on, as far as one answer holds it; nothing if there is no more yet.
    pub(super) async fn written(asker: &Asker, run: &str, offset: u64) -> Result<Chunk, Error> {
        let params = json!({"id": run, "offset": offset, "limit": PART});
        ask::<Told>(asker, "run/output", &params).await?.chunk()
    }
}

/// The most bytes of an answer, which is the most that the contract allows.
const PART: usize = 1 << 20;

/// A part of an output as the contract writes it.
#[derive(Deserialize)]
struct Told {
    offset: u64,
    data: String,
    encoding: String,
    end: bool,
}

impl Told {
    fn chunk(self) -> Result<Chunk, Error> {
        let data = match self.encoding.as_str() {
            "base64" => base64::engine::general_purpose::STANDARD
                .decode(&self.data)
                .map_err(|error| Error::Gone(format!("what the sidecar calls base64 is none: {error}")))?,
            _ => self.data.into_bytes(),
        };
        Ok(Chunk { offset: self.offset, data, end: self.end })
    }
}

/// What a run writes, as it comes.
#[derive(Debug)]
pub struct Output<'a> {
    asker: &'a Asker,
    run: String,
    offset: u64,
    subscription: Option<Subscription<Box<RawValue>>>,
}

impl<'a> Output<'a> {
    pub(super) async fn open(asker: &'a Asker, run: &str, offset: u64) -> Result<Output<'a>, Error> {
        let subscription = Output::subscribe(asker, run, offset).await?;
        Ok(Output { asker, run: run.to_owned(), offset, subscription: Some(subscription) })
    }

    async fn subscribe(asker: &Asker, run: &str, offset: u64) -> Result<Subscription<Box<RawValue>>, Error> {
        let params = ByName::of(&json!({"runID": run, "offset": offset}))?;
        Ok(asker.subscribe("output/subscribe", params, "output/unsubscribe").await?)
    }

    /// The next part. There is none after the last one, and when the conversation is over.
    ///
    /// # Errors
    /// When something comes that is no output, or the subscription cannot be taken up again.
    pub async fn next(&mut self) -> Result<Option<Chunk>, Error> {
        loop {
            let Some(subscription) = &mut self.subscription else { return Ok(None) };
            let Some(told) = subscription.next().await else {
                if is_over(subscription) {
                    return Ok(None);
                }
                self.subscription = Some(Output::subscribe(self.asker, &self.run, self.offset).await?);
                continue;
            };
            let unreadable = |error: &serde_json::Error| Error::unreadable("output/subscribe", error);
            let told = told.map_err(|error| unreadable(&error))?;
            let told: Told = serde_json::from_str(told.get()).map_err(|error| unreadable(&error))?;
            let chunk = told.chunk()?;
            self.offset = chunk.next_offset();
            if chunk.end {
                self.subscription = None;
            }
            return Ok(Some(chunk));
        }
    }
}

/// Whether nothing can follow: the conversation is over, and it is not that somebody has read too slowly.
fn is_over(subscription: &Subscription<Box<RawValue>>) -> bool {
    !matches!(subscription.close_reason(), Some(SubscriptionCloseReason::Lagged))
}
