//! Stdin, whose end is noticed.
//!
//! The SDK lets the calls that are worked on end when stdin does, for a few seconds. Whoever waits for something that takes
//! longer hears it here and ends at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::watch;

/// Reads, and tells when there is no more.
pub(super) struct Stdin<R> {
    input: R,
    ended: watch::Sender<bool>,
}

impl<R> Stdin<R> {
    pub(super) fn new(input: R, ended: watch::Sender<bool>) -> Stdin<R> {
        Stdin { input, ended }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Stdin<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let room = buffer.remaining();
        let read = Pin::new(&mut self.input).poll_read(context, buffer);
        let is_over = match &read {
            Poll::Ready(Ok(())) => room > 0 && buffer.filled().len() == before,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if is_over {
            self.ended.send_replace(true);
        }
        read
    }
}
