//! Bytes for stdout, written as they are by a thread of their own: a reader that stops keeps nobody from hearing a signal.

use std::io::{self, Write};

use tokio::sync::{mpsc, oneshot};

/// Pieces that wait to be written. Each is at most a mebibyte, and what wrote them waits when there are more.
const UNWRITTEN: usize = 4;

/// See the module.
pub(super) struct BytesOut {
    pieces: mpsc::Sender<Vec<u8>>,
    done: oneshot::Receiver<io::Result<()>>,
}

/// Nobody takes any more.
#[derive(Debug)]
pub(super) struct Closed;

/// How much of it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    All,
    /// Who reads only the beginning has what was wanted.
    Beginning,
}

impl BytesOut {
    pub(super) fn new() -> io::Result<BytesOut> {
        let (pieces, mut unwritten) = mpsc::channel::<Vec<u8>>(UNWRITTEN);
        let (tell, done) = oneshot::channel();
        let write = move || {
            let mut out = io::stdout().lock();
            let mut written = Ok(());
            while let (Ok(()), Some(piece)) = (&written, unwritten.blocking_recv()) {
                written = out.write_all(&piece).and_then(|()| out.flush());
            }
            // Whoever gave it up does not wait for how it ended.
            let _ = tell.send(written);
        };
        std::thread::Builder::new().name("stdout".to_owned()).spawn(write)?;
        Ok(BytesOut { pieces, done })
    }

    /// Waits until one more piece has room. What is taken away meanwhile loses nothing.
    pub(super) async fn room(&self) -> Result<mpsc::Permit<'_, Vec<u8>>, Closed> {
        self.pieces.reserve().await.map_err(|_| Closed)
    }

    /// Hands over a piece when there is room.
    pub(super) async fn write(&self, piece: Vec<u8>) -> Result<(), Closed> {
        self.pieces.send(piece).await.map_err(|_| Closed)
    }

    /// Waits until all is written that is taken.
    pub(super) async fn finish(self) -> io::Result<Taken> {
        drop(self.pieces);
        match self.done.await {
            Ok(Ok(())) => Ok(Taken::All),
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Taken::Beginning),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::other("the thread that writes to stdout has ended")),
        }
    }
}
