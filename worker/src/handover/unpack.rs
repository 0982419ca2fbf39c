//! From a job to deliveries that can be sent: with their endpoints from the cache, and bodies that were too long for the job.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use domain::{
    clock::Millis,
    delivery::Channel,
    job::{HandedDelivery, Handover, Job},
};
use entity::delivery::{
    bodies::{load_event_bodies, load_own_bodies},
    claim::ClaimedRow,
};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    claim::{Claimed, Recipient},
    endpoints::{Endpoint, EndpointCache},
};

/// The deliveries of a job, leased until `job.lease_until`; `now` is the database's time at the moment `at`.
///
/// # Errors
/// Those of the database.
pub async fn unpack(
    context: &Context,
    cache: &EndpointCache,
    job: &Job,
    handover: Handover,
    (now, at): (Millis, Instant),
) -> Result<Vec<Claimed>, DatabaseError> {
    let ids: HashSet<Uuid> = handover.deliveries.iter().map(|one| one.endpoint_id).collect();
    let endpoints = cache.get(ids).await?;
    let mut bodies = long_bodies(context, &handover).await?;
    let mut events = Vec::with_capacity(handover.events.len());
    for event in handover.events {
        events.push((event.id, event.body.map(Bytes::from).or_else(|| bodies.remove(&event.id))));
    }
    let leased = Leased { accepted_at: job.accepted_at, now, ends: at + job.lease_until.since(now) };
    let claimed = handover.deliveries.into_iter().filter_map(|mut one| {
        let (event_id, of_event) = events.get(usize::from(one.event))?;
        let own = one.body.take().map(Bytes::from).or_else(|| bodies.remove(&one.id));
        let body = if one.has_own_body { own } else { of_event.clone() };
        Some(leased.claimed(&one, *event_id, body, endpoints.get(&one.endpoint_id)))
    });
    Ok(claimed.collect())
}

/// What was too long for the job, by the id of the event or of the delivery that has a body of its own.
async fn long_bodies(context: &Context, handover: &Handover) -> Result<HashMap<Uuid, Bytes>, DatabaseError> {
    let events = handover.events.iter().filter(|event| event.body.is_none()).map(|event| event.id);
    let own = handover.deliveries.iter().filter(|one| one.has_own_body && one.body.is_none());
    let (events, own): (Vec<Uuid>, Vec<Uuid>) = (events.collect(), own.map(|one| one.id).collect());
    let mut found = within_deadline(load_event_bodies(&context.database, &events)).await?;
    found.extend(within_deadline(load_own_bodies(&context.database, &own)).await?);
    Ok(found.into_iter().map(|(id, body)| (id, body.into())).collect())
}

/// The times of a job's leases.
struct Leased {
    accepted_at: Millis,
    now: Millis,
    ends: Instant,
}

impl Leased {
    fn claimed(
        &self,
        one: &HandedDelivery,
        event_id: Uuid,
        body: Option<Bytes>,
        endpoint: Option<&Arc<Endpoint>>,
    ) -> Claimed {
        let row = ClaimedRow {
            id: one.id,
            event_id,
            user_id: one.user_id,
            lane_id: one.endpoint_id,
            channel: Channel::Webhook.as_str().to_owned(),
            recipient_id: one.endpoint_id,
            has_body: body.is_some(),
            body: body.unwrap_or_default(),
            position: 0,
            attempts: 0,
            claim: one.claim,
            recorded_claim: 0,
            created_at: self.accepted_at.0,
            due_at: self.accepted_at.0,
            claimed_at: self.now.0,
            rescued: false,
        };
        let recipient =
            endpoint.map_or(Recipient::Gone, |endpoint| Recipient::Endpoint(Arc::clone(endpoint)));
        Claimed { row, recipient, lease_ends: self.ends }
    }
}
