//! A connection that gives up on a caller who takes nothing of the answer any more: who stalls a download would
//! otherwise hold a connection, a file and the stop of the process for ever.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// A stream whose writes fail when nothing can be written for too long. Reads are others' to watch.
pub(super) struct Patience<S> {
    stream: S,
    longest: Duration,
    since: Option<Pin<Box<Sleep>>>,
}

impl<S: Unpin> Patience<S> {
    pub(super) fn with(stream: S, longest: Duration) -> Self {
        Self { stream, longest, since: None }
    }

    /// Passes on what a write came to; a write that waits starts the clock, one that moves stops it.
    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.since = None;
            return written;
        }
        let longest = self.longest;
        let clock = self.since.get_or_insert_with(|| Box::pin(sleep(longest)));
        if clock.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        clock.as_mut().reset(Instant::now() + longest);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the caller takes nothing of the answer")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
