//! The claimer: groups the ids of many jobs into one claim, as wide as there are free send slots. No lane gets more of
//! these than its share.

use std::sync::Arc;

use platform::{context::Context, telemetry::names};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::{Claimed, Slot, Slots, claim_within};

/// Most ids that one statement claims.
const BATCH: usize = 512;
/// Jobs that may wait; beyond it they wait in the queue.
const WAITING: usize = 256;

struct Request {
    ids: Vec<Uuid>,
    /// Told when all of it was claimed; a request that was split is told with its last part.
    done: Option<oneshot::Sender<()>>,
}

impl Request {
    /// Keeps the first `at` ids and returns the rest, if there is one.
    fn split_off(&mut self, at: usize) -> Option<Self> {
        (at < self.ids.len()).then(|| Self { ids: self.ids.split_off(at), done: self.done.take() })
    }
}

/// Where jobs hand in their ids. Clones share one claimer.
#[derive(Clone)]
pub struct Claimer {
    requests: mpsc::Sender<Request>,
}

/// The claimer's work.
pub struct Claims {
    requests: mpsc::Receiver<Request>,
    context: Context,
    slots: Slots,
}

impl Claimer {
    /// A claimer for these send slots, and its work.
    #[must_use]
    pub fn new(context: &Context, slots: Slots) -> (Self, Claims) {
        let (sender, requests) = mpsc::channel(WAITING);
        (Self { requests: sender }, Claims { requests, context: context.clone(), slots })
    }

    /// Returns when these ids were claimed, or found not to be due, or the claimer stopped.
    /// What was not claimed is found by the dispatcher.
    pub async fn claim(&self, ids: Vec<Uuid>) {
        let (done, is_done) = oneshot::channel();
        if self.requests.send(Request { ids, done: Some(done) }).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

impl Claims {
    /// Claims until `stop`, handing each claimed delivery with its slot to `send`.
    pub async fn run(mut self, stop: CancellationToken, send: impl Fn(Claimed, Slot)) {
        let mut left_over = None;
        while let Some((requests, slots)) = self.next(&mut left_over, &stop).await {
            let ids: Vec<Uuid> = requests.iter().flat_map(|request| request.ids.iter().copied()).collect();
            self.claim(ids, slots, &send).await;
            for done in requests.into_iter().filter_map(|request| request.done) {
                let _ = done.send(());
            }
        }
    }

    /// Waits for ids and for a free slot, and takes as many ids as there are slots, up to the batch.
    async fn next(
        &mut self,
        left_over: &mut Option<Request>,
        stop: &CancellationToken,
    ) -> Option<(Vec<Request>, OwnedSemaphorePermit)> {
        let mut next = match left_over.take() {
            Some(request) => Some(request),
            None => Some(stop.run_until_cancelled(self.requests.recv()).await??),
        };
        let first = Arc::clone(self.slots.permits()).acquire_owned();
        let mut slots = stop.run_until_cancelled(first).await?.ok()?;
        // Only this task takes slots: what is available now stays so.
        let room = BATCH.min(self.slots.permits().available_permits() + 1);
        let (mut requests, mut wanted) = (vec![], 0);
        while let Some(mut request) = next.take() {
            *left_over = request.split_off(room - wanted);
            wanted += request.ids.len();
            requests.push(request);
            if wanted < room {
                next = self.requests.try_recv().ok();
            }
        }
        let more = u32::try_from(wanted.saturating_sub(1)).ok()?;
        slots.merge(Arc::clone(self.slots.permits()).try_acquire_many_owned(more).ok()?);
        Some((requests, slots))
    }

    async fn claim(&self, ids: Vec<Uuid>, mut slots: OwnedSemaphorePermit, send: &impl Fn(Claimed, Slot)) {
        let share = self.slots.share(slots.num_permits());
        match claim_within(&self.context, &ids, &share).await {
            Ok(claimed) => {
                for delivery in claimed {
                    let slot = slots.split(1).expect("never more are claimed than slots were taken for");
                    let slot = self.slots.hold(delivery.lane_id(), slot);
                    send(delivery, slot);
                }
            }
            Err(error) => {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, ids = ids.len(), "nothing was claimed; the dispatcher will find these again");
            }
        }
    }
}
