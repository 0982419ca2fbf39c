//! Takes in the deliveries of jobs: each is sent when its lane may use a slot, waits a moment for one, or is released.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    clock::Millis,
    job::{Handover, Job},
};
use entity::{
    lane::backlog::report_backlogs,
    lease::{self, Lease, Table},
};
use platform::{context::Context, database::within_deadline, telemetry::names};
use tokio::time::{Instant, sleep_until};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};
use uuid::Uuid;

use super::unpack;
use crate::{
    claim::{Claimed, Recipient},
    endpoints::EndpointCache,
    lanes::{Holder, PendingBuffer, SendSlots},
    send::Sender,
};

/// Where the jobs of deliveries are handled. Clones share it.
#[derive(Clone)]
pub struct Intake {
    shared: Arc<Shared>,
}

/// Starts what waited for a slot, and releases what waited too long.
pub struct IntakeLoop {
    intake: Intake,
}

struct Shared {
    context: Context,
    endpoints: EndpointCache,
    pending: PendingBuffer<Claimed>,
    slots: SendSlots,
    sender: Sender,
    halt: CancellationToken,
}

impl Intake {
    /// An intake in front of `slots`, and its loop. After `halt` everything is released.
    #[must_use]
    pub fn new(
        context: &Context,
        endpoints: EndpointCache,
        slots: SendSlots,
        sender: Sender,
        halt: CancellationToken,
    ) -> (Self, IntakeLoop) {
        let pending = PendingBuffer::new(slots.clone());
        let context = context.clone();
        let intake = Self { shared: Arc::new(Shared { context, endpoints, pending, slots, sender, halt }) };
        (intake.clone(), IntakeLoop { intake })
    }

    /// Takes in the deliveries of a job. Returns when each of them is sent, was released, or waits for a slot without
    /// holding up others; a job with too little left of its lease is dropped.
    pub async fn handle_job(&self, job: &Job, handover: Handover) {
        let shared = &self.shared;
        // Both before anything is awaited: what that takes is taken off the lease.
        let (now, at) = (shared.context.database.estimated_now(&shared.context.clock), Instant::now());
        if !job.may_start(now) {
            debug!(deliveries = handover.deliveries.len(), "dropped a late job; its deliveries are claimed");
            return;
        }
        let leases: Vec<Lease> = handover.deliveries.iter().map(|one| (one.id, one.claim)).collect();
        if shared.halt.is_cancelled() {
            return shared.release(&leases, []).await;
        }
        match unpack(&shared.context, &shared.endpoints, job, handover, (now, at)).await {
            // The database may have taken longer than the loop that empties the buffer was there.
            Ok(_) if shared.halt.is_cancelled() => shared.release(&leases, []).await,
            Ok(prepared) => shared.admit_all(prepared, now).await,
            Err(error) => {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, "a job's deliveries could not be prepared; they are released");
                shared.release(&leases, []).await;
            }
        }
    }
}

impl IntakeLoop {
    /// Runs until `stop`, then releases what still waits.
    pub async fn run(self, stop: CancellationToken) {
        let shared = &self.intake.shared;
        let (mut freed, mut changed) = (shared.slots.freed(), shared.pending.changes());
        let refusals = TaskTracker::new();
        while !stop.is_cancelled() {
            freed.mark_unchanged();
            changed.mark_unchanged();
            for (delivery, slot) in shared.pending.take_startable() {
                shared.sender.start(delivery, slot);
            }
            let overdue = shared.pending.take_overdue();
            if !overdue.is_empty() {
                // On its own: a slow database does not hold up what may start.
                let shared = Arc::clone(shared);
                refusals.spawn(async move { shared.refuse(overdue).await });
            }
            let deadline = shared.pending.deadline();
            tokio::select! {
                () = stop.cancelled() => {}
                _ = freed.changed(), if deadline.is_some() => {}
                _ = changed.changed() => {}
                () = at(deadline) => {}
            }
        }
        let left: Vec<Lease> =
            shared.pending.take_all().iter().map(|(_, left)| (left.id, left.claim)).collect();
        shared.release(&left, []).await;
        refusals.close();
        refusals.wait().await;
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Shared {
    /// Sends each or lets it wait for a slot; what can't be sent now is released. Returns when none of its
    /// lanes is crowded.
    async fn admit_all(&self, prepared: Vec<Claimed>, now: Millis) {
        let (mut closed, mut crowded) = (vec![], BTreeSet::new());
        for delivery in prepared {
            let is_open = match &delivery.recipient {
                Recipient::Endpoint(endpoint) => endpoint.may_send(now),
                _ => false,
            };
            let holder = delivery.holder();
            if !is_open {
                closed.push((delivery.id, delivery.claim));
            } else if let Some((delivery, slot)) = self.pending.admit(holder, delivery) {
                self.sender.start(delivery, slot);
            } else {
                crowded.insert(holder.lane);
            }
        }
        self.release(&closed, []).await;
        let crowded: Vec<Uuid> = crowded.into_iter().collect();
        let _ = self.halt.run_until_cancelled(self.pending.uncrowded(&crowded)).await;
    }

    /// Releases deliveries of lanes that move too slowly. Unless it is this machine that is slow, it reports that these have
    /// a backlog.
    async fn refuse(&self, refused: Vec<(Uuid, Claimed)>) {
        let leases: Vec<Lease> = refused.iter().map(|(_, delivery)| (delivery.id, delivery.claim)).collect();
        let lanes: BTreeMap<Uuid, Holder> =
            refused.iter().map(|(lane, delivery)| (*lane, delivery.holder())).collect();
        self.release(&leases, self.slots.slow(lanes.into_values())).await;
    }

    async fn release(&self, leases: &[Lease], backlogs: impl IntoIterator<Item = Uuid>) {
        if leases.is_empty() {
            return;
        }
        let (context, lanes) = (&self.context, backlogs.into_iter().collect::<Vec<_>>());
        let database = &context.database;
        let reported = within_deadline(report_backlogs(database, &context.clock, &lanes)).await;
        let released = within_deadline(lease::release(database, Table::Deliveries, leases)).await;
        if let Err(error) = reported.and(released) {
            metrics::counter!(names::DATABASE_ERRORS).increment(1);
            warn!(%error, "leases could not be released; they end at their time");
        }
        context.queue.wake();
    }
}
