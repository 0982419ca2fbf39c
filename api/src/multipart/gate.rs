//! Limits what the parser reads from the body; without a limit it reads all of it.
//! Lets one chunk through at a look, and stops when the parser takes and takes without getting anywhere.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes, HttpBody};
use futures_util::Stream;

/// Most bytes of a preamble, or of one part's headers.
pub(super) const MAX_HEAD: usize = 64 * 1_024;

/// Bytes that the parser holds without having made anything of them.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<AtomicUsize>);

impl Held {
    /// The parser got somewhere.
    pub(super) fn nothing(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Why no more is let through.
#[derive(Debug, thiserror::Error)]
pub(super) enum GateError {
    #[error("more than {MAX_HEAD} bytes before a part or in its headers")]
    HeadTooLarge,
    #[error("the body ends too early")]
    Body(#[source] axum::Error),
}

/// The body, chunk by chunk.
pub(super) struct Gate<'a> {
    body: &'a mut Body,
    held: Held,
    just_gave: bool,
}

impl<'a> Gate<'a> {
    pub(super) fn new(body: &'a mut Body, held: Held) -> Self {
        Self { body, held, just_gave: false }
    }
}

impl Stream for Gate<'_> {
    type Item = Result<Bytes, GateError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.just_gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.held.0.load(Ordering::Relaxed) > MAX_HEAD {
            return Poll::Ready(Some(Err(GateError::HeadTooLarge)));
        }
        loop {
            let Some(frame) = ready!(Pin::new(&mut *self.body).poll_frame(context)) else {
                return Poll::Ready(None);
            };
            let Ok(chunk) = frame.map_err(GateError::Body)?.into_data() else {
                continue;
            };
            self.held.0.fetch_add(chunk.len(), Ordering::Relaxed);
            self.just_gave = true;
            return Poll::Ready(Some(Ok(chunk)));
        }
    }
}
