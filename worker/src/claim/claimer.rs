//! The claimer: groups the ids of many jobs into one claim, as wide as there are free send slots.

use std::sync::Arc;

use domain::job::MAX_IDS_PER_JOB;
use platform::{context::Context, telemetry::names};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::{Claimed, claim};

/// Most ids that one statement claims.
const BATCH: usize = 512;
/// Jobs that may wait; beyond it they wait in the queue.
const WAITING: usize = 256;

struct Request {
    ids: Vec<Uuid>,
    done: oneshot::Sender<()>,
}

/// Where jobs hand in their ids. Clones share one claimer.
#[derive(Clone)]
pub struct Claimer {
    requests: mpsc::Sender<Request>,
    /// All send slots there are: more could never be had at once.
    slots: usize,
}

/// The claimer's work.
pub struct Claims {
    requests: mpsc::Receiver<Request>,
    context: Context,
    slots: Arc<Semaphore>,
}

impl Claimer {
    /// A claimer for that many send slots, and its work.
    #[must_use]
    pub fn new(context: &Context, slots: Arc<Semaphore>) -> (Self, Claims) {
        let (sender, requests) = mpsc::channel(WAITING);
        let all = slots.available_permits().max(1);
        (Self { requests: sender, slots: all }, Claims { requests, context: context.clone(), slots })
    }

    /// Returns when these ids were claimed, or found not to be due, or the claimer stopped.
    /// What was not claimed is found by the dispatcher.
    pub async fn claim(&self, ids: Vec<Uuid>) {
        for ids in ids.chunks(self.slots.min(MAX_IDS_PER_JOB)) {
            let (done, is_done) = oneshot::channel();
            if self.requests.send(Request { ids: ids.to_vec(), done }).await.is_ok() {
                let _ = is_done.await;
            }
        }
    }
}

impl Claims {
    /// Claims until `stop`, handing each claimed delivery with its slot to `send`.
    pub async fn run(mut self, stop: CancellationToken, send: impl Fn(Claimed, OwnedSemaphorePermit)) {
        let mut left_over = None;
        while let Some((requests, slots)) = self.next(&mut left_over, &stop).await {
            let ids: Vec<Uuid> = requests.iter().flat_map(|request| request.ids.iter().copied()).collect();
            self.claim(ids, slots, &send).await;
            for request in requests {
                let _ = request.done.send(());
            }
        }
    }

    /// Takes what waits, up to the batch, and waits for as many free slots.
    async fn next(
        &mut self,
        left_over: &mut Option<Request>,
        stop: &CancellationToken,
    ) -> Option<(Vec<Request>, OwnedSemaphorePermit)> {
        let first = match left_over.take() {
            Some(request) => request,
            None => stop.run_until_cancelled(self.requests.recv()).await??,
        };
        let mut slots = stop.run_until_cancelled(self.slots_for(first.ids.len())).await??;
        let (mut wanted, mut requests) = (first.ids.len(), vec![first]);
        while let Ok(request) = self.requests.try_recv() {
            let more = u32::try_from(request.ids.len()).ok()?;
            let fits = wanted + request.ids.len() <= BATCH;
            match Arc::clone(&self.slots).try_acquire_many_owned(more) {
                Ok(permit) if fits => slots.merge(permit),
                _ => {
                    *left_over = Some(request);
                    break;
                }
            }
            wanted += more as usize;
            requests.push(request);
        }
        Some((requests, slots))
    }

    async fn slots_for(&self, ids: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(ids).ok()?;
        Arc::clone(&self.slots).acquire_many_owned(wanted).await.ok()
    }

    async fn claim(
        &self,
        ids: Vec<Uuid>,
        mut slots: OwnedSemaphorePermit,
        send: &impl Fn(Claimed, OwnedSemaphorePermit),
    ) {
        match claim(&self.context, &ids).await {
            Ok(claimed) => {
                for delivery in claimed {
                    let slot = slots.split(1).expect("never more are claimed than slots were taken for");
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
