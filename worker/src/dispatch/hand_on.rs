//! Where what was found goes: into the queue as far as there is room, or to this process while the queue is away.

use std::{future::Future, sync::Arc};

use domain::job::{Hint, QueueName};
use entity::bulk::{Work, unhint};
use platform::{context::Context, telemetry::names};
use tokio::sync::Semaphore;
use tracing::debug;
use uuid::Uuid;

use super::look::Found;

/// Ids that are fed to this process in a round while the queue is away.
const FED_DIRECTLY: usize = 512;

/// Works ids in this process, past the queue.
pub trait Feed: Send + Sync + 'static {
    /// Returns when they are claimed.
    fn feed(&self, queue: QueueName, hint: Hint) -> impl Future<Output = ()> + Send;
}

/// Hands on what was found.
pub(super) struct Hands<F> {
    context: Context,
    feed: Arc<F>,
    /// Held while uploads are read past the queue.
    reading: Arc<Semaphore>,
}

impl<F: Feed> Hands<F> {
    pub(super) fn new(context: Context, feed: F) -> Self {
        Self { context, feed: Arc::new(feed), reading: Arc::new(Semaphore::new(1)) }
    }

    /// Whether uploads are being read past the queue: then no more of them are taken.
    pub(super) fn are_full_of_uploads(&self) -> bool {
        !self.context.queue.is_healthy() && self.reading.available_permits() == 0
    }

    /// How many ids can be handed on now, when `most` may wait.
    pub(super) async fn room(&self, queue: QueueName, most: usize) -> usize {
        match self.context.queue.depth(queue).await {
            Ok(depth) => most.saturating_sub(depth),
            Err(_) => most.min(FED_DIRECTLY),
        }
    }

    /// Hints what was found; what finds no room is unmarked. Returns whether all of it went through the queue or was
    /// worked here.
    pub(super) async fn hand_on(&self, queue: QueueName, found: Vec<Found>) -> bool {
        if found.is_empty() {
            return true;
        }
        let rescued = found.iter().filter(|found| found.rescued).count();
        metrics::counter!(names::RESCUED).increment(rescued as u64);
        let hint = Hint::of_lanes(found.into_iter().map(|found| (found.id, found.lane_id)));
        match self.context.queue.push(queue, &hint).await {
            Ok(taken) if taken >= hint.ids.len() => true,
            Ok(taken) => {
                self.unmark(queue, &hint.ids[taken..]).await;
                false
            }
            Err(error) => {
                debug!(%error, ids = hint.ids.len(), "the queue is away: working these here");
                self.feed_here(queue, hint).await
            }
        }
    }

    /// Works what was found in this process. Uploads are read aside, one batch at a time: no delivery waits for a file.
    async fn feed_here(&self, queue: QueueName, hint: Hint) -> bool {
        if queue != QueueName::Uploads {
            self.feed.feed(queue, hint).await;
            return true;
        }
        let Ok(reading) = Arc::clone(&self.reading).try_acquire_owned() else {
            self.unmark(queue, &hint.ids).await;
            return false;
        };
        let feed = Arc::clone(&self.feed);
        tokio::spawn(async move {
            feed.feed(queue, hint).await;
            drop(reading);
        });
        true
    }

    async fn unmark(&self, queue: QueueName, ids: &[Uuid]) {
        let work = if queue == QueueName::Uploads { Work::Uploads } else { Work::Deliveries };
        if let Err(error) = unhint(self.context.database.writer(), work, ids).await {
            debug!(%error, "marks were left on rows without a hint; they run out by themselves");
        }
    }
}
