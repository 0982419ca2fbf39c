//! The recipients of claimed deliveries: endpoints from the cache, others by one more statement a channel, and only when
//! there are such deliveries.

use std::{collections::HashMap, fmt, sync::Arc};

use domain::{delivery::Channel, notification::CHAT_OF_SETTINGS};
use entity::{
    delivery::claim::{
        ClaimedRow,
        recipients::{ChatRow, SubscriptionRow, load_chats, load_subscriptions},
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

use super::Claimed;
use crate::endpoints::{Endpoint, EndpointCache};

/// Who gets a delivery.
#[derive(Clone, Debug, Default)]
pub enum Recipient {
    /// An endpoint.
    Endpoint(Arc<Endpoint>),
    /// A browser.
    Subscription(Subscription),
    /// A chat.
    Chat(Chat),
    /// A recipient that has left.
    #[default]
    Gone,
}

/// Where a browser takes push messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: Uuid,
    /// The URL at its push service: who knows it may try.
    pub endpoint: String,
    /// Its public key.
    pub p256dh: Vec<u8>,
    /// Its authentication secret.
    pub auth: Vec<u8>,
    /// Whether a message has reached it before.
    pub is_reached: bool,
}

/// Which chat, and how much of the message it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// The subscriber; none: the chat that the settings name.
    pub subscriber: Option<Subscriber>,
    /// Parts that were accepted before.
    pub parts_sent: u16,
}

/// Whose chat it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Its id.
    pub id: Uuid,
    /// The chat.
    pub chat_id: String,
}

impl Recipient {
    /// The endpoint, if it is one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Endpoint(endpoint) => Some(endpoint),
            Self::Subscription(_) | Self::Chat(_) | Self::Gone => None,
        }
    }

    /// The row that stands for it, if there is one of its own.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Subscription(subscription) => Some(subscription.id),
            Self::Chat(chat) => chat.subscriber.as_ref().map(|subscriber| subscriber.id),
            Self::Endpoint(_) | Self::Gone => None,
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl From<SubscriptionRow> for Recipient {
    fn from(row: SubscriptionRow) -> Self {
        match (row.subscription_id, row.endpoint, row.p256dh, row.auth) {
            (Some(id), Some(endpoint), Some(p256dh), Some(auth)) => {
                let is_reached = row.is_reached;
                Self::Subscription(Subscription { id, endpoint, p256dh, auth, is_reached })
            }
            _ => Self::Gone,
        }
    }
}

impl From<ChatRow> for Recipient {
    fn from(row: ChatRow) -> Self {
        let parts_sent = u16::try_from(row.parts).unwrap_or(0);
        let subscriber = row.subscriber_id.zip(row.chat_id).map(|(id, chat_id)| Subscriber { id, chat_id });
        if subscriber.is_some() || row.recipient_id == CHAT_OF_SETTINGS {
            Self::Chat(Chat { subscriber, parts_sent })
        } else {
            Self::Gone
        }
    }
}

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
