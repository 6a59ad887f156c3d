//! Who is owed an answer. A [`Reply`] is given once and then gone, so nothing is answered twice; a batch is
//! answered when the last of its entries is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;

use super::answer;
use super::envelope::RequestId;
use super::errors::{Failure, Kind};
use super::room::{Room, Taken};
use super::transport::Output;

/// Where the answer to a message goes.
#[derive(Clone)]
pub enum ReplyTo {
    /// To the client.
    Client {
        /// What carries it.
        output: Output,
        /// The longest answer, in bytes.
        limit: usize,
    },
    /// Into the answer of the batch that the message is an entry of.
    Batch(Arc<Batch>),
}

impl ReplyTo {
    /// What is owed to the request with this identity, or to something that was no request and has none.
    pub fn reply(&self, id: Option<RequestId>) -> Reply {
        Reply { id, to: self.clone() }
    }

    /// Whether the message is an entry of a batch.
    pub fn is_batch(&self) -> bool {
        match self {
            ReplyTo::Client { .. } => false,
            ReplyTo::Batch(_) => true,
        }
    }
}

/// An answer that is owed.
#[must_use = "somebody waits for this answer"]
pub struct Reply {
    id: Option<RequestId>,
    to: ReplyTo,
}

impl Reply {
    /// Answers with a result. Waits while a client that does not read has too much to read already.
    pub async fn succeed(self, result: &impl serde::Serialize) {
        let answer = match &self.id {
            Some(id) => answer::success(id, result),
            None => answer::failure(None, &Failure::new(Kind::Internal, "a result for nobody")),
        };
        self.give(answer).await;
    }

    /// Answers with a refusal. Waits as above.
    pub async fn refuse(self, failure: &Failure) {
        let answer = answer::failure(self.id.as_ref(), failure);
        self.give(answer).await;
    }

    /// Gives an answer that is written already. Waits as above.
    pub async fn give(self, answer: Box<RawValue>) {
        match self.to {
            ReplyTo::Client { output, limit } if answer.get().len() > limit => {
                drop(answer);
                output.send(answer::too_large(self.id.as_ref(), limit)).await;
            }
            ReplyTo::Client { output, .. } => output.send(answer).await,
            ReplyTo::Batch(batch) => {
                if let Some(whole) = batch.collect(self.id.as_ref(), &answer) {
                    drop(answer);
                    batch.output.send(whole).await;
                }
            }
        }
    }
}

/// The answer of a batch while it is collected.
///
/// It never becomes longer than a message may be: for each entry that is still to come there is room for the
/// sentence that its answer does not fit.
pub struct Batch {
    output: Output,
    /// The longest answer, in bytes.
    limit: usize,
    /// Shared by all batches that are being collected: a batch with an entry that waits for the end of a run
    /// keeps what the others have come to for as long.
    room: Room,
    collected: Mutex<Collected>,
}

struct Collected {
    text: String,
    /// Entries that have not been answered.
    to_come: usize,
    /// The bytes that they need at least.
    reserved: usize,
    taken: Vec<Taken>,
}

impl Batch {
    /// A batch whose answer will have one entry for each of these identities.
    ///
    /// # Errors
    /// When not even the shortest answers would fit.
    pub fn open<'a>(
        ids: impl Iterator<Item = Option<&'a RequestId>>,
        output: Output,
        limit: usize,
        room: Room,
    ) -> Result<Arc<Batch>, Failure> {
        let (to_come, reserved) =
            ids.fold((0, 0), |(count, bytes), id| (count + 1, bytes + does_not_fit(id).get().len() + COMMA));
        if BRACKETS + reserved > limit {
            let why = format!(
                "the answers to {to_come} requests do not fit into {limit} bytes, however short; send fewer at once, or raise `limits.maxMessageBytes`"
            );
            return Err(Failure::new(Kind::ResponseTooLarge, why));
        }
        let collected = Collected { text: String::new(), to_come, reserved, taken: Vec::new() };
        Ok(Arc::new(Batch { output, limit, room, collected: Mutex::new(collected) }))
    }

    /// Takes in the answer of one entry. The last one gets the whole to send.
    fn collect(&self, id: Option<&RequestId>, answer: &RawValue) -> Option<Box<RawValue>> {
        let refusal = does_not_fit(id);
        let mut collected = self.collected();
        collected.to_come -= 1;
        collected.reserved -= refusal.get().len() + COMMA;
        let length = BRACKETS + collected.text.len() + answer.get().len() + COMMA + collected.reserved;
        let taken = if length <= self.limit { self.room.take_now(answer.get().len()) } else { None };
        let entry = match taken {
            Some(taken) => {
                collected.taken.push(taken);
                answer
            }
            None => &*refusal,
        };
        let before = if collected.text.is_empty() { '[' } else { ',' };
        collected.text.push(before);
        collected.text.push_str(entry.get());
        if collected.to_come > 0 {
            return None;
        }
        let mut text = std::mem::take(&mut collected.text);
        text.push(']');
        // From here on it takes room among what is on its way to the client.
        collected.taken = Vec::new();
        Some(answer::raw(text))
    }

    fn collected(&self) -> MutexGuard<'_, Collected> {
        // Nobody can leave it half changed: nothing in between panics.
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The length of `[` and `]`.
const BRACKETS: usize = 2;

/// The length of `,`, counted for each entry, though the first one has none.
const COMMA: usize = 1;

/// What an entry is answered whose answer does not fit. It is as short as it can be and still says the way out.
fn does_not_fit(id: Option<&RequestId>) -> Box<RawValue> {
    let why = "no room for the answer in that of the batch; a change was made: look, do not repeat it";
    answer::failure(id, &Failure::new(Kind::ResponseTooLarge, why))
}
