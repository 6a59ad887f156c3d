//! Bytes of a client, in any pieces: how they are cut into messages, how those are read, and what is answered while no
//! project is open. The first byte of the input chooses how long messages may be, and the pieces; the rest is what the
//! client writes.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use sexton::domain::refusal::Refusal;
use sexton::rpc::backend::{Answer, Host};
use sexton::rpc::envelope::{self, Incoming, Message, Request, RequestId};
use sexton::rpc::framing::{Ending, Frame, FrameReader, Framing, write_frame};
use sexton::rpc::initialize::{InitializeParams, InitializeResult};
use sexton::rpc::service::serve;
use sexton::rpc::transport::{Conversation, read_from, write_to};
use sexton::sidecar::Sidecar;
use tokio::time::Instant;

use super::{contract, wire};

/// The longest messages that are tried.
const LIMITS: [usize; 4] = [1024, 1 << 24, 64, 4096];

/// Longer than a conversation takes in which nothing has to be waited for, in virtual time.
const MOMENT: Duration = Duration::from_millis(100);

/// How long the pieces are in which the input comes, again and again.
const PIECES: [&[usize]; 4] = [&[1], &[2, 1, 3], &[5, 1], &[64, 7]];

pub(crate) fn check(input: &[u8]) {
    let Some((first, stream)) = input.split_first() else { return };
    let choice = usize::from(*first);
    let (limit, pieces) = (LIMITS[choice % 4], PIECES[choice / 4 % 4]);
    let (frames, framing) = frames(stream, limit, stream.len() + 1, &[usize::MAX]);
    for capacity in [1, 3, 4096] {
        let (others, other) = self::frames(stream, limit, capacity, pieces);
        assert_eq!((others, other), (frames.clone(), framing), "{capacity} {pieces:?} {limit}");
    }
    for frame in &frames {
        if let Seen::Message(bytes, _) = frame {
            check_message(bytes);
            if let Some(framing) = framing {
                check_that_it_is_framed(bytes, framing);
            }
        }
    }
    // Each makes a description of everything, which takes long and is the same each time.
    let described = stream.windows(8).filter(|part| *part == b"discover").count();
    if described <= 1 {
        check_answers(stream, limit, pieces, &frames, framing);
    }
}

/// A reader that gives what it has in pieces, and is interrupted before each.
struct InPieces<'a> {
    rest: &'a [u8],
    lengths: std::iter::Cycle<std::slice::Iter<'static, usize>>,
    interrupted: bool,
}

impl<'a> InPieces<'a> {
    fn of(rest: &'a [u8], pieces: &'static [usize]) -> Self {
        InPieces { rest, lengths: pieces.iter().cycle(), interrupted: false }
    }
}

impl Read for InPieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let length = self.lengths.next().copied().unwrap_or(1).min(into.len()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(length);
        into[..length].copy_from_slice(piece);
        self.rest = rest;
        Ok(length)
    }
}

/// What was cut out of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Message(Vec<u8>, Ending),
    TooLarge(Ending),
    /// The conversation cannot go on.
    Unreadable,
    End,
}

fn frames(
    stream: &[u8],
    limit: usize,
    capacity: usize,
    pieces: &'static [usize],
) -> (Vec<Seen>, Option<Framing>) {
    let mut reader = FrameReader::new(BufReader::with_capacity(capacity, InPieces::of(stream, pieces)));
    let mut seen = Vec::new();
    loop {
        let frame = match reader.next_frame(|| limit).expect("nothing fails but interruptions") {
            Frame::Message { bytes, ending } => {
                assert!(bytes.len() <= limit, "{} of {limit} bytes", bytes.len());
                Seen::Message(bytes, ending)
            }
            Frame::TooLarge { ending } => Seen::TooLarge(ending),
            Frame::Unreadable { why } => {
                assert!(why.len() < 32 * 1024, "{} bytes", why.len());
                seen.push(Seen::Unreadable);
                return (seen, reader.framing());
            }
            Frame::End(_) => {
                seen.push(Seen::End);
                return (seen, reader.framing());
            }
        };
        seen.push(frame);
        assert!(seen.len() <= stream.len() + 1, "more messages than bytes");
    }
}

/// The envelope of a message is what any reader of JSON finds in it.
fn check_message(bytes: &[u8]) {
    let json: Option<Value> = serde_json::from_slice(bytes).ok();
    match envelope::read(bytes) {
        Message::One(incoming) => check_incoming(&incoming, json.as_ref()),
        Message::Batch(entries) => {
            assert!(!entries.is_empty() && entries.len() <= envelope::ENTRIES);
            // What has half a character in it is JSON, and nothing that others hold.
            let list = json.as_ref().and_then(Value::as_array);
            for (place, entry) in entries.iter().enumerate() {
                check_incoming(entry, list.map(|list| &list[place]));
            }
        }
    }
}

fn check_incoming(incoming: &Incoming, json: Option<&Value>) {
    match incoming {
        Incoming::Request(request) => {
            check_request(request);
            if let Some(json) = json {
                assert_eq!(json["method"], *request.method, "{json}");
                let params = request.params.as_deref().map(|params| serde_json::from_str(params.get()));
                if let Some(params) = params {
                    assert_eq!(json["params"], params.unwrap_or(Value::Null), "{json}");
                }
            }
        }
        Incoming::Notification(notification) => {
            if let Some(id) = notification.cancelled_request() {
                check_id(&id);
            }
        }
        Incoming::Response => {}
        Incoming::Invalid { id, failure } => {
            assert!((-32768..=-32000).contains(&failure.code()), "{failure:?}");
            id.iter().for_each(check_id);
        }
    }
}

/// The same request, written anew, is read as the same.
fn check_request(request: &Request) {
    check_id(&request.id);
    let method = serde_json::to_string(&request.method).expect("a text");
    let params = request.params.as_deref().map_or("null", RawValue::get);
    let id = request.id.to_json();
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method},"params":{params}}}"#);
    match envelope::read(text.as_bytes()) {
        Message::One(Incoming::Request(again)) => {
            assert_eq!((&again.id, &again.method), (&request.id, &request.method));
            assert_eq!(
                again.params.as_deref().map(RawValue::get),
                request.params.as_deref().map(RawValue::get)
            );
        }
        other @ (Message::One(_) | Message::Batch(_)) => panic!("{text} is {other:?}"),
    }
}

fn check_id(id: &RequestId) {
    let json = id.to_json();
    let value: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert!(value.is_string() || value.is_number(), "{json}");
    let _ = id.needs_stand_in();
}

/// What is written in a framing is read in it as the same message, and as nothing else.
fn check_that_it_is_framed(bytes: &[u8], framing: Framing) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(json) = serde_json::from_str::<Value>(text) else { return };
    let message = json.to_string();
    let mut written = Vec::new();
    // What is written first tells the framing, so that it has to be told apart from the other one.
    for _ in 0..2 {
        write_frame(&mut written, framing, &message).expect("memory");
    }
    let (seen, told) = frames(&written, message.len(), 7, PIECES[1]);
    let whole = Seen::Message(message.clone().into_bytes(), Ending::Marked);
    let begins_with_a_letter = message.starts_with(|first: char| first.is_ascii_alphabetic());
    if framing == Framing::Headers || !begins_with_a_letter {
        assert_eq!((seen, told), (vec![whole.clone(), whole, Seen::End], Some(framing)), "{message}");
    }
}

// What is answered.

/// A host that opens nothing.
struct Closed;

impl Host for Closed {
    type Backend = Sidecar;

    async fn initialize(&self, _params: InitializeParams) -> Answer<(InitializeResult, Sidecar)> {
        Err(Refusal::InvalidRequest("nothing is opened here".to_owned()))
    }
}

/// An answer that is owed.
#[derive(Debug)]
enum Owed {
    /// To the request with this id, as it is written.
    To(String),
    /// To the requests of a batch, together; or that they are too many for the longest answer.
    Together(Vec<String>),
}

/// What is owed to whoever sends these, until the conversation ends.
fn owed(frames: &[Seen]) -> Vec<Owed> {
    let mut owed = Vec::new();
    let nobody = || Owed::To("null".to_owned());
    let shown = |id: Option<&RequestId>| id.map_or("null".to_owned(), RequestId::to_json);
    let is_exit = |entry: &Incoming| matches!(entry, Incoming::Notification(it) if it.method == "exit");
    for frame in frames {
        match frame {
            Seen::Message(bytes, ending) => match envelope::read(bytes) {
                Message::One(incoming) => {
                    owed.extend(incoming.answered_as().map(|id| Owed::To(shown(id))));
                    let is_cut = *ending == Ending::EndOfInput
                        && matches!(&incoming, Incoming::Invalid { failure, .. } if failure.code() == -32700);
                    if is_exit(&incoming) || is_cut {
                        return owed;
                    }
                }
                Message::Batch(entries) => {
                    let ids: Vec<String> =
                        entries.iter().filter_map(Incoming::answered_as).map(shown).collect();
                    if !ids.is_empty() {
                        owed.push(Owed::Together(ids));
                    }
                    if entries.iter().any(is_exit) {
                        return owed;
                    }
                }
            },
            Seen::TooLarge(ending) => {
                owed.push(nobody());
                if *ending == Ending::EndOfInput {
                    return owed;
                }
            }
            Seen::Unreadable => {
                owed.push(nobody());
                return owed;
            }
            Seen::End => return owed,
        }
    }
    owed
}

/// Where the conversation's messages go.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Vec<u8>>>);

impl Write for Ears {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Each request is answered once, by what the contract allows.
fn check_answers(
    stream: &[u8],
    limit: usize,
    pieces: &'static [usize],
    frames: &[Seen],
    framing: Option<Framing>,
) {
    let heard = converse(stream.to_vec(), limit, pieces);
    let framing = match framing {
        Some(Framing::Headers) => wire::Framing::Headers,
        Some(Framing::Lines) | None => wire::Framing::Lines,
    };
    let (sender, answers) = sync_channel(heard.len() + 1);
    wire::listen(&heard[..], framing, &sender);
    let asked: Vec<(String, contract::Asked)> = frames.iter().flat_map(requests).collect();
    let check = |id: &str, answer: &Value| {
        // Two requests may have the same id, so that nobody can tell which of them is answered. What no request is known
        // of is answered like one without an id.
        let mut with_it = asked.iter().filter(|(asked, _)| asked == id && id != "null");
        let only = with_it.next().filter(|_| with_it.next().is_none());
        contract::check_answer(only.map(|(_, asked)| asked), answer);
    };
    let mut owed = owed(frames);
    for answer in answers.try_iter() {
        match answer {
            wire::Heard::Message { id: Some(id), message, .. } => {
                check(&id, &message);
                let too_many = message["error"]["data"]["kind"] == "response_too_large";
                let place = owed.iter().position(|owed| match owed {
                    Owed::To(owed) => *owed == id,
                    Owed::Together(_) => false,
                });
                let instead = owed.iter().position(|owed| matches!(owed, Owed::Together(_)));
                let instead = instead.filter(|_| id == "null" && too_many);
                let place = instead.or(place).unwrap_or_else(|| panic!("nobody asked for {message}"));
                owed.remove(place);
            }
            wire::Heard::Batch { answers, bytes } => {
                assert!(bytes <= limit, "{bytes} of {limit} bytes");
                let mut ids: Vec<String> = answers.iter().map(|answer| answer["id"].to_string()).collect();
                ids.sort();
                let place = owed.iter().position(|owed| match owed {
                    Owed::To(_) => false,
                    // Numbers may be written in a way in which they are not kept here.
                    Owed::Together(owed) => owed.len() == ids.len() && sorted(owed) == ids,
                });
                owed.remove(place.unwrap_or_else(|| panic!("nobody asked for {answers:?}, but {owed:?}")));
            }
            wire::Heard::End { rest } => assert_eq!(rest, b"", "half a message was written"),
            wire::Heard::Noise(noise) => panic!("{noise}"),
            wire::Heard::Message { id: None, message, .. } => panic!("nobody is told anything: {message}"),
        }
    }
    assert!(owed.is_empty(), "these were not answered: {owed:?}");
}

/// The ids of a batch as others hold them.
fn sorted(ids: &[String]) -> Vec<String> {
    let held = |id: &String| serde_json::from_str::<Value>(id).expect("an id").to_string();
    let mut ids: Vec<String> = ids.iter().map(held).collect();
    ids.sort();
    ids
}

fn requests(frame: &Seen) -> Vec<(String, contract::Asked)> {
    match frame {
        Seen::Message(bytes, _) => contract::requests(&String::from_utf8_lossy(bytes)),
        Seen::TooLarge(_) | Seen::Unreadable | Seen::End => Vec::new(),
    }
}

/// What a client hears that says all this and hangs up.
fn converse(stream: Vec<u8>, limit: usize, pieces: &'static [usize]) -> Vec<u8> {
    struct Owned(io::Cursor<Vec<u8>>, std::iter::Cycle<std::slice::Iter<'static, usize>>);
    impl Read for Owned {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            // Pieces of a few bytes take long, and have been tried.
            let length = 16 * self.1.next().copied().unwrap_or(1);
            let length = length.min(into.len());
            self.0.read(&mut into[..length])
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let ears = Ears::default();
    runtime.expect("a runtime").block_on(async {
        let conversation = Conversation::new(limit);
        let input = Owned(io::Cursor::new(stream), pieces.iter().cycle());
        let inbox = read_from(input, conversation.clone()).expect("a thread");
        let (output, mut written) = write_to(ears.clone(), conversation.clone()).expect("a thread");
        let began = Instant::now();
        serve(Closed, conversation, inbox, output, std::future::pending()).await;
        // In virtual time, which goes by only where everybody waits for it.
        assert!(began.elapsed() < MOMENT, "nothing is waited for, and it takes {:?}", began.elapsed());
        written.done().await;
    });
    std::mem::take(&mut *ears.0.lock().expect("nobody panics with it"))
}
