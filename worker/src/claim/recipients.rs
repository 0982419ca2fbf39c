//! The recipients of claimed deliveries: endpoints from the cache, others by one more statement a channel, and only when
//! there are such deliveries.

use std::{collections::HashMap, sync::Arc};

use domain::delivery::Channel;
use entity::{
    delivery::claim::{
        ClaimedRow,
        recipients::{load_chats, load_subscriptions},
    },
    lease::{self, Lease},
};
use platform::{
    context::Context,
    database::{DatabaseError, within_deadline},
    telemetry::names,
};
use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use super::{Claimed, Recipient};
use crate::endpoints::EndpointCache;

/// Recipients by the ids of their deliveries.
type Found = HashMap<Uuid, Recipient>;

/// These deliveries, leased until `lease_ends`, with their recipients. Those whose recipients can't be read now are released
/// and left out.
pub(super) async fn attach_recipients(
    context: &Context,
    endpoints: &EndpointCache,
    rows: Vec<ClaimedRow>,
    lease_ends: Instant,
) -> Vec<Claimed> {
    let claimed = rows.into_iter().map(|row| Claimed { row, recipient: Recipient::Gone, lease_ends });
    let mut claimed: Vec<Claimed> = claimed.collect();
    for channel in Channel::ALL.iter().copied() {
        let theirs: Vec<&Claimed> = claimed.iter().filter(|one| one.channel == channel.as_str()).collect();
        if theirs.is_empty() {
            continue;
        }
        match find_recipients(context, endpoints, channel, &theirs).await {
            Ok(mut found) => {
                for one in claimed.iter_mut().filter(|one| one.channel == channel.as_str()) {
                    one.recipient = found.remove(&one.id).unwrap_or(Recipient::Gone);
                }
            }
            Err(error) => {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, %channel, "recipients could not be read; these deliveries are released");
                release(context, theirs.into_iter()).await;
                claimed.retain(|one| one.channel != channel.as_str());
            }
        }
    }
    leave_out_inactive(context, claimed).await
}

/// Endpoints may have been paused while they were read.
async fn leave_out_inactive(context: &Context, claimed: Vec<Claimed>) -> Vec<Claimed> {
    let is_active = |one: &Claimed| one.recipient.endpoint().is_none_or(|endpoint| endpoint.is_active());
    let (active, inactive): (Vec<Claimed>, Vec<Claimed>) = claimed.into_iter().partition(is_active);
    if !inactive.is_empty() {
        release(context, inactive.iter()).await;
    }
    active
}

async fn find_recipients(
    context: &Context,
    endpoints: &EndpointCache,
    channel: Channel,
    claimed: &[&Claimed],
) -> Result<Found, DatabaseError> {
    let ids: Vec<Uuid> = claimed.iter().map(|one| one.id).collect();
    Ok(match channel {
        Channel::Webhook => find_endpoints(endpoints, claimed).await?,
        Channel::WebPush => {
            let rows = within_deadline(load_subscriptions(&context.database, &ids)).await?;
            rows.into_iter().map(|row| (row.id, row.into())).collect()
        }
        Channel::Telegram => {
            let rows = within_deadline(load_chats(&context.database, &ids)).await?;
            rows.into_iter().map(|row| (row.id, row.into())).collect()
        }
    })
}

async fn find_endpoints(endpoints: &EndpointCache, claimed: &[&Claimed]) -> Result<Found, DatabaseError> {
    let found = endpoints.get(claimed.iter().map(|one| one.recipient_id)).await?;
    let recipient =
        |one: &&Claimed| Some((one.id, Recipient::Endpoint(Arc::clone(found.get(&one.recipient_id)?))));
    Ok(claimed.iter().filter_map(recipient).collect())
}

async fn release(context: &Context, theirs: impl Iterator<Item = &Claimed>) {
    let leases: Vec<Lease> = theirs.map(|one| (one.id, one.claim)).collect();
    let released = lease::release(&context.database, lease::Table::Deliveries, &leases);
    if let Err(error) = within_deadline(released).await {
        warn!(%error, "leases could not be released; they end at their time");
    }
}
