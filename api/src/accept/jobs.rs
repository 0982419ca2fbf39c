//! The jobs that carry what was written with a lease.

use std::collections::HashMap;

use domain::{
    clock::Millis,
    id::EventId,
    job::{HandedDelivery, Handover, Job, LEASE, Leased, Work, body_for_job},
};
use entity::{delivery::insert::DeliveryRow, stamp::FIRST_CLAIM};
use platform::queue::request_id_for_job;

use super::rows::Rows;

impl Rows {
    /// The jobs that carry what was leased when it was written at `accepted_at`, queue by queue.
    pub(super) fn jobs(&self, accepted_at: Millis) -> Vec<Job> {
        let job = |work| Job {
            accepted_at,
            lease_until: accepted_at + LEASE,
            work,
            request_id: request_id_for_job(self.request_id.as_deref()),
        };
        let leased = |id| Leased { id, claim: FIRST_CLAIM };
        let deliveries = self.handovers().into_iter().map(|handover| job(Work::Deliveries(handover)));
        let uploads = self.uploads.iter().filter(|row| row.leased);
        let uploads = uploads.map(|row| job(Work::Upload(leased(row.id.0))));
        let broadcasts = self.notifications.going_out().filter(|row| row.leased);
        let broadcasts = broadcasts.map(|row| job(Work::Broadcast(leased(row.id.0))));
        deliveries.chain(uploads).chain(broadcasts).collect()
    }

    /// The leased deliveries with their events, as many in each as a job carries.
    fn handovers(&self) -> Vec<Handover> {
        let bodies: HashMap<EventId, &[u8]> =
            self.events.iter().map(|event| (event.id, event.body.as_slice())).collect();
        let mut handovers: Vec<Handover> = vec![];
        for row in self.deliveries.iter().filter(|row| row.leased) {
            if handovers.last().is_none_or(Handover::is_full) {
                handovers.push(Handover::default());
            }
            let body = bodies.get(&row.event_id).and_then(|body| body_for_job(body));
            let handover = handovers.last_mut().expect("one was just pushed when there was none");
            handover.push(row.event_id.0, body, handed(row));
        }
        handovers
    }

    /// Whether there is work that no job carries.
    pub(super) fn has_unleased(&self) -> bool {
        let broadcasts = self.notifications.going_out().any(|row| !row.leased);
        self.deliveries.iter().any(|row| !row.leased)
            || self.uploads.iter().any(|row| !row.leased)
            || broadcasts
    }
}

fn handed(row: &DeliveryRow) -> HandedDelivery {
    HandedDelivery {
        id: row.id.0,
        event: 0,
        user_id: row.user_id.map(|user| user.0),
        endpoint_id: row.recipient_id,
        claim: FIRST_CLAIM,
        has_own_body: row.body.is_some(),
        body: row.body.as_deref().and_then(body_for_job).map(str::to_owned),
    }
}
