//! Two threads: one reads stdin, one writes stdout. Neither can hold up the rest.
//!
//! A read of stdin cannot be cancelled, so its thread is left behind when the process ends. What is to be written is
//! collected by a task before it is handed to the other thread: waking a thread costs more than an answer does, so
//! answers that are ready together go together.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::framing::{Frame, FrameReader, Framing, write_frame};
use super::room::{Room, Taken};

/// Messages that were read and that nobody has looked at yet. The reader waits when there are more, and with it
/// the client; what is waiting to be carried out is counted by the service.
const UNREAD: usize = 256;

/// Messages that wait to be handed over for writing, and the most that are handed over together. Whoever has more
/// waits; each request waits with its one answer, each subscription with its next event. Three times as many may be
/// on their way: these, a collection that was handed over, and one that is being written.
const UNWRITTEN: usize = 1024;

/// Collections of messages that were handed over: while one is written, the next is ready. What comes meanwhile stays
/// where it waits, because a collection is begun only when there is a place for it.
const COLLECTIONS: usize = 1;

/// How many bytes are read at once; a pipe holds as many on most systems.
const READ_BYTES: usize = 64 * 1024;

/// What the two threads and the service share.
#[derive(Debug)]
pub struct Conversation {
    framing: OnceLock<Framing>,
    message_limit: AtomicUsize,
    /// Room for messages that were read and not answered.
    unanswered: Room,
    hung_up: watch::Sender<bool>,
}

impl Conversation {
    /// A conversation that has not begun.
    pub fn new(message_limit: usize) -> Arc<Self> {
        Arc::new(Conversation {
            framing: OnceLock::new(),
            message_limit: AtomicUsize::new(message_limit),
            unanswered: Room::new(),
            hung_up: watch::Sender::new(false),
        })
    }

    /// The longest message that is read from now on, in bytes.
    pub fn limit_messages(&self, bytes: usize) {
        self.message_limit.store(bytes, Ordering::Relaxed);
    }

    /// The longest message, in bytes.
    pub fn message_limit(&self) -> usize {
        self.message_limit.load(Ordering::Relaxed)
    }

    /// The client has closed its end of the input. What it has sent before is still read, whether or not it reads
    /// what it was answered: that is no more than the pipe holds, and the end behind it must be seen.
    pub fn hang_up(&self) {
        self.unanswered.lift();
        self.hung_up.send_replace(true);
    }

    /// Waits until the client has hung up.
    pub(super) async fn hung_up(&self) {
        // An error cannot be: the sender is here.
        let _ = self.hung_up.subscribe().wait_for(|hung_up| *hung_up).await;
    }
}

/// What was read, and the room that it takes until whoever has it is done with it.
pub struct Received {
    /// What was read.
    pub frame: io::Result<Frame>,
    /// The room of a message.
    pub room: Option<Taken>,
}

/// Starts the thread that reads. It ends with the input, or when nobody listens any more. To be called inside the
/// runtime.
///
/// # Errors
/// When no thread can be started.
pub fn read_from(
    input: impl Read + Send + 'static,
    conversation: Arc<Conversation>,
) -> io::Result<mpsc::Receiver<Received>> {
    let (frames, inbox) = mpsc::channel(UNREAD);
    let runtime = Handle::current();
    let work = move || {
        let mut reader = FrameReader::new(BufReader::with_capacity(READ_BYTES, input));
        loop {
            let frame = reader.next_frame(|| conversation.message_limit());
            if let Some(framing) = reader.framing() {
                conversation.framing.get_or_init(|| framing);
            }
            let last = matches!(frame, Ok(Frame::End(_) | Frame::Unreadable { .. }) | Err(_));
            let room = match &frame {
                Ok(Frame::Message { bytes, .. }) => {
                    Some(runtime.block_on(conversation.unanswered.take(bytes.len())))
                }
                Ok(Frame::TooLarge { .. } | Frame::Unreadable { .. } | Frame::End(_)) | Err(_) => None,
            };
            if frames.blocking_send(Received { frame, room }).is_err() || last {
                return;
            }
        }
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(work)?;
    Ok(inbox)
}

/// Where messages to the client go.
#[derive(Clone, Debug)]
pub struct Output {
    messages: mpsc::Sender<Outgoing>,
    room: Room,
}

/// A message to the client, and the room that it takes until it is written.
type Outgoing = (Box<RawValue>, Taken);

/// Where the messages of a subscription go. It does not keep the conversation open.
#[derive(Clone, Debug)]
pub struct SubscriptionOutput {
    messages: mpsc::WeakSender<Outgoing>,
    room: Room,
}

impl SubscriptionOutput {
    /// Hands a message over, waiting while there are too many; false when the conversation has ended.
    pub async fn send(&self, message: Box<RawValue>) -> bool {
        match self.messages.upgrade() {
            Some(messages) => {
                let room = self.room.take(message.get().len()).await;
                messages.send((message, room)).await.is_ok()
            }
            None => false,
        }
    }
}

impl Output {
    /// An output for messages that nobody waits for at the end.
    pub fn for_subscription(&self) -> SubscriptionOutput {
        SubscriptionOutput { messages: self.messages.downgrade(), room: self.room.clone() }
    }

    /// Hands a message over, waiting while there are too many. A client that has gone does not want it.
    pub async fn send(&self, message: Box<RawValue>) {
        let room = self.room.take(message.get().len()).await;
        // The end of the conversation is told by `Written`, not by each message that it swallows.
        let _ = self.messages.send((message, room)).await;
    }
}

/// Resolves when the last message has been written or the output is closed.
#[derive(Clone)]
pub struct Written(watch::Receiver<bool>);

impl Written {
    /// Waits for it.
    pub async fn done(&mut self) {
        // An error means that the thread has ended, which is what is waited for.
        let _ = self.0.wait_for(|done| *done).await;
    }
}

/// Starts the thread that writes. It ends when every [`Output`] has gone and all is written, or when the output
/// is closed. To be called inside the runtime.
///
/// # Errors
/// When no thread can be started.
pub fn write_to(
    output: impl Write + Send + 'static,
    conversation: Arc<Conversation>,
) -> io::Result<(Output, Written)> {
    let (messages, outbox) = mpsc::channel(UNWRITTEN);
    let (collections, mut handed_over) = mpsc::channel(COLLECTIONS);
    tokio::spawn(collect(outbox, collections));
    let (done, written) = watch::channel(false);
    let work = move || {
        if let Err(error) = write_all(&mut handed_over, output, &conversation) {
            tracing::info!(%error, "the client no longer reads");
        }
        // Nobody may still wait for the end.
        let _ = done.send(true);
    };
    std::thread::Builder::new().name("stdout".to_owned()).spawn(work)?;
    Ok((Output { messages, room: Room::new() }, Written(written)))
}

/// Hands messages over, as many together as there are. It ends with either side.
async fn collect(mut outbox: mpsc::Receiver<Outgoing>, collections: mpsc::Sender<Vec<Outgoing>>) {
    while let Ok(place) = collections.reserve().await {
        let mut collected = Vec::new();
        if outbox.recv_many(&mut collected, UNWRITTEN).await == 0 {
            return;
        }
        place.send(collected);
    }
}

fn write_all(
    handed_over: &mut mpsc::Receiver<Vec<Outgoing>>,
    output: impl Write,
    conversation: &Conversation,
) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(READ_BYTES, output);
    while let Some(messages) = handed_over.blocking_recv() {
        // Nothing is said before something was heard, so the framing is known.
        let framing = *conversation.framing.get_or_init(|| Framing::Lines);
        for (message, _room) in messages {
            write_frame(&mut output, framing, message.get())?;
        }
        output.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_writes_is_collected_once_and_then_waits() {
        let (messages, outbox) = mpsc::channel(UNWRITTEN);
        let (collections, mut handed_over) = mpsc::channel(COLLECTIONS);
        tokio::spawn(collect(outbox, collections));
        let room = Room::new();
        let message = || {
            let text = RawValue::from_string("1".to_owned()).expect("a number");
            (text, room.take_now(1).expect("there is room for many more"))
        };
        let mut taken = 0;
        loop {
            while messages.try_send(message()).is_ok() {
                taken += 1;
            }
            // Whoever collects does what can be done.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            if messages.capacity() == 0 {
                break;
            }
        }
        assert_eq!(taken, UNWRITTEN * (1 + COLLECTIONS));
        let collected: Vec<Outgoing> = handed_over.recv().await.expect("the first collection");
        assert_eq!(collected.len(), UNWRITTEN);
    }
}
