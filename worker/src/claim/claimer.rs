//! The claimer: groups the ids of many jobs into one claim, as wide as there are free send slots. No lane gets more of
//! these than its share.

use std::{sync::Arc, time::Duration};

use platform::{
    context::Context,
    database::{DatabaseError, Turn},
    telemetry::names,
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::{
    Claim, Claimed, Slot, Slots, claim_in_turn,
    missed::{self, Missed},
    parked::Parked,
    put_off,
    share::{Candidate, Share},
};

/// Most ids that one statement claims.
const BATCH: usize = 512;
/// How long a lane that has a little room waits for more: sends end one by one, and a claim of few costs as much as one of many.
const LINGER: Duration = Duration::from_millis(5);
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
    left_over: Option<Request>,
    parked: Parked,
    context: Context,
    slots: Slots,
}

/// What is claimed next.
struct Batch {
    turn: Result<Turn, DatabaseError>,
    ids: Vec<Uuid>,
    done: Vec<oneshot::Sender<()>>,
    slots: OwnedSemaphorePermit,
}

impl Claimer {
    /// A claimer for these send slots, and its work.
    #[must_use]
    pub fn new(context: &Context, slots: Slots) -> (Self, Claims) {
        let (sender, requests) = mpsc::channel(WAITING);
        let parked = Parked::new(slots.permits().available_permits());
        let claims = Claims { requests, left_over: None, parked, context: context.clone(), slots };
        (Self { requests: sender }, claims)
    }

    /// Returns when these ids were claimed, or wait for a slot of their lane, or were found not to be due, or the claimer
    /// stopped. What was not claimed is found by the dispatcher.
    pub async fn claim(&self, ids: Vec<Uuid>) {
        let (done, is_done) = oneshot::channel();
        if self.requests.send(Request { ids, done: Some(done) }).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

impl Claims {
    /// Claims until `stop`, handing each claimed delivery with its slot to `send`.
    pub async fn run(self, stop: CancellationToken, send: impl Fn(Claimed, Slot)) {
        let (missed, returns) = missed::new(&self.context);
        tokio::join!(self.claim_until(stop, missed, send), returns.run());
    }

    async fn claim_until(mut self, stop: CancellationToken, missed: Missed, send: impl Fn(Claimed, Slot)) {
        while let Some(batch) = self.next(&stop).await {
            let Batch { turn, ids, done, slots } = batch;
            self.claim(turn, ids, slots, &missed, &send).await;
            for done in done {
                let _ = done.send(());
            }
            let late = self.parked.expired(Instant::now());
            self.put_off(&late).await;
        }
        missed.give_back(self.parked.all().into_iter().map(|(id, _)| id).collect());
    }

    /// Waits for ids, for a free slot and for the turn to write, and takes as many ids as there are slots by then, up to the
    /// batch: first those that have waited for a slot of their lane.
    async fn next(&mut self, stop: &CancellationToken) -> Option<Batch> {
        let mut next = stop.run_until_cancelled(self.wake()).await??;
        let first = Arc::clone(self.slots.permits()).acquire_owned();
        let mut slots = stop.run_until_cancelled(first).await?.ok()?;
        let turn = stop.run_until_cancelled(self.context.database.turn()).await?;
        // Only this task takes slots: what is available now stays so.
        let room = BATCH.min(self.slots.permits().available_permits() + 1);
        let (mut ids, mut done) = (self.parked.take(&self.slots.share(1), room), vec![]);
        while let Some(mut request) = next.take() {
            self.left_over = request.split_off(room - ids.len());
            ids.append(&mut request.ids);
            done.extend(request.done);
            if ids.len() < room {
                next = self.requests.try_recv().ok();
            }
        }
        let more = u32::try_from(ids.len().saturating_sub(1)).ok()?;
        slots.merge(Arc::clone(self.slots.permits()).try_acquire_many_owned(more).ok()?);
        Some(Batch { turn, ids, done, slots })
    }

    /// Waits for a request, or until something is to be done about what is parked: then there is none. None at all when
    /// nobody is left who could ask.
    async fn wake(&mut self) -> Option<Option<Request>> {
        if let Some(request) = self.left_over.take() {
            return Some(Some(request));
        }
        tokio::select! {
            request = self.requests.recv() => request.map(Some),
            () = parked_may_go(&self.parked, &self.slots) => Some(None),
        }
    }

    async fn claim(
        &mut self,
        turn: Result<Turn, DatabaseError>,
        ids: Vec<Uuid>,
        mut slots: OwnedSemaphorePermit,
        missed: &Missed,
        send: &impl Fn(Claimed, Slot),
    ) {
        if ids.is_empty() {
            return;
        }
        let share = self.slots.share(slots.num_permits());
        let claimed = match turn {
            Ok(turn) => claim_in_turn(&self.context, turn, &ids, &share).await,
            Err(error) => Err(error),
        };
        match claimed {
            Ok(claim) => {
                missed.look_after(ids, &claim);
                let Claim { claimed, refused } = claim;
                for delivery in claimed {
                    let slot = slots.split(1).expect("never more are claimed than slots were taken for");
                    let slot = self.slots.hold(delivery.lane_id(), slot);
                    send(delivery, slot);
                }
                drop(slots);
                let left = self.parked.park(refused, Instant::now());
                self.put_off(&left).await;
            }
            Err(error) => {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, ids = ids.len(), "nothing was claimed; the dispatcher will find these again");
                missed.give_back(ids);
            }
        }
    }

    async fn put_off(&self, refused: &[Candidate]) {
        if let Err(error) = put_off(&self.context, refused).await {
            metrics::counter!(names::DATABASE_ERRORS).increment(1);
            warn!(%error, ids = refused.len(), "not put off; the dispatcher will find these again");
        }
    }
}

/// Waits until a lane of which something is parked has much room, or has had some for a moment, or something has been parked
/// too long.
async fn parked_may_go(parked: &Parked, slots: &Slots) {
    let Some(deadline) = parked.deadline() else { return std::future::pending().await };
    let room = async {
        freed_until(slots, |share| parked.has_room(share)).await;
        let much = freed_until(slots, |share| parked.has_much_room(share));
        let _ = timeout(LINGER, much).await;
    };
    // Too long a wait is as good as room.
    let _ = timeout_at(deadline, room).await;
}

async fn freed_until(slots: &Slots, is_enough: impl Fn(&Share) -> bool) {
    while !is_enough(&slots.share(0)) {
        slots.freed().await;
    }
}
