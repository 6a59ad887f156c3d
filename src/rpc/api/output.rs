//! `output/…`: what a run writes, while it writes it.

use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::table::Table;
use crate::domain::id::RunId;
use crate::domain::refusal::Refusal;
use crate::domain::sent::INTEGER_MAX;
use crate::rpc::backend::{Backend, FollowOutput, OutputFeed};
use crate::rpc::output::{Piece, Rest};
use crate::rpc::params;

pub(super) fn register<B: Backend>(module: &mut Table<B>) -> Result<(), RegisterMethodError> {
    module.register_subscription(
        "output/subscribe",
        "output/chunk",
        "output/unsubscribe",
        |params, pending, backend, _| async move {
            let wanted = match read(&params) {
                Ok(wanted) => wanted,
                Err(refusal) => return pending.reject(super::refused(refusal)).await,
            };
            let mut chunks = Chunks { run: wanted.run.clone(), offset: wanted.offset, state: State::GoesOn };
            let mut feed = match backend.follow_output(wanted).await {
                Ok(feed) => feed,
                Err(refusal) => return pending.reject(super::refused(refusal)).await,
            };
            // A client that has gone meanwhile needs no output.
            let Ok(sink) = pending.accept().await else { return };
            loop {
                let chunk = tokio::select! {
                    biased;
                    () = sink.closed() => return,
                    chunk = chunks.next(&mut feed) => chunk,
                };
                let Some(chunk) = chunk else { return };
                if sink.send(chunk).await.is_err() {
                    return;
                }
            }
        },
    )?;
    Ok(())
}

fn read(params: &Params<'_>) -> Result<FollowOutput, Refusal> {
    params::read(params, "`runID` and `offset`", |fields| {
        let run = params::run_id(fields, "runID");
        let offset = fields.integer("offset", 0..=INTEGER_MAX).unwrap_or(0).unsigned_abs();
        Some(FollowOutput { run: run?, offset })
    })
}

/// A part of an output as a subscriber is told it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Chunk")]
pub(in crate::rpc) struct ChunkOnTheWire {
    /// The run that has written it.
    #[serde(rename = "runID")]
    run: RunId,
    /// The byte at which it begins: where the chunk before it ended.
    offset: u64,
    /// What was written there.
    data: String,
    /// How it is written here.
    #[schemars(extend("enum" = ["utf8", "base64"]))]
    encoding: &'static str,
    /// Whether the run has ended and nothing follows.
    end: bool,
}

/// Cuts an output into chunks that follow each other without gap or repeat.
struct Chunks {
    run: RunId,
    offset: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    GoesOn,
    Ended,
}

impl Chunks {
    /// The next chunk; none after the last one.
    async fn next(&mut self, feed: &mut impl OutputFeed) -> Option<Box<RawValue>> {
        let mut known = self.offset;
        while self.state == State::GoesOn {
            let part = feed.next(self.offset, known).await?;
            let rest = if part.end { Rest::Nothing } else { Rest::Follows };
            let Some(piece) = Piece::of(&part.data, rest) else {
                known = self.offset + part.data.len() as u64;
                continue;
            };
            let chunk = ChunkOnTheWire {
                run: self.run.clone(),
                offset: self.offset,
                data: piece.data,
                encoding: piece.encoding,
                end: part.end,
            };
            let written = to_raw_value(&chunk).ok()?;
            self.offset += piece.length as u64;
            if part.end {
                self.state = State::Ended;
            }
            return Some(written);
        }
        None
    }
}
