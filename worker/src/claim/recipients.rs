//! The recipients of claimed deliveries: endpoints from the cache, others by one more statement a channel, and only when
//! there are such deliveries.

use std::{collections::HashMap, fmt, sync::Arc};

use domain::{delivery::Channel, notification::CHAT_OF_SETTINGS};
use entity::bulk::{lease, sqlite::push_list};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
    telemetry::names,
};
use sqlx::{FromRow, QueryBuilder, Sqlite, postgres::PgRow, sqlite::SqliteRow};
use tracing::warn;
use uuid::Uuid;

use super::Claimed;
use crate::endpoints::{Endpoint, EndpointCache};

const SUBSCRIPTIONS: &str = "SELECT d.id, s.id AS subscription_id, s.endpoint, s.p256dh, s.auth,
        s.reached_at IS NOT NULL AS is_reached
    FROM delivery d
    LEFT JOIN push_subscription s ON s.id = d.recipient_id WHERE d.id ";
const CHATS: &str = "SELECT d.id, d.recipient_id, s.id AS subscriber_id, s.chat_id, coalesce(p.parts, 0) AS parts FROM delivery d
    LEFT JOIN subscriber s ON s.id = d.recipient_id AND s.active
    LEFT JOIN delivery_progress p ON p.id = d.id WHERE d.id ";

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

#[derive(FromRow)]
struct SubscriptionRow {
    id: Uuid,
    subscription_id: Option<Uuid>,
    endpoint: Option<String>,
    p256dh: Option<Vec<u8>>,
    auth: Option<Vec<u8>>,
    is_reached: bool,
}

#[derive(FromRow)]
struct ChatRow {
    id: Uuid,
    recipient_id: Uuid,
    subscriber_id: Option<Uuid>,
    chat_id: Option<String>,
    parts: i32,
}

impl From<SubscriptionRow> for (Uuid, Recipient) {
    fn from(row: SubscriptionRow) -> Self {
        let recipient = match (row.subscription_id, row.endpoint, row.p256dh, row.auth) {
            (Some(id), Some(endpoint), Some(p256dh), Some(auth)) => {
                let is_reached = row.is_reached;
                Recipient::Subscription(Subscription { id, endpoint, p256dh, auth, is_reached })
            }
            _ => Recipient::Gone,
        };
        (row.id, recipient)
    }
}

impl From<ChatRow> for (Uuid, Recipient) {
    fn from(row: ChatRow) -> Self {
        let parts_sent = u16::try_from(row.parts).unwrap_or(0);
        let subscriber = row.subscriber_id.zip(row.chat_id).map(|(id, chat_id)| Subscriber { id, chat_id });
        let recipient = if subscriber.is_some() || row.recipient_id == CHAT_OF_SETTINGS {
            Recipient::Chat(Chat { subscriber, parts_sent })
        } else {
            Recipient::Gone
        };
        (row.id, recipient)
    }
}

/// The same deliveries with their recipients. Those whose recipients can't be read now are released and left out.
pub(super) async fn attach(
    context: &Context,
    endpoints: &EndpointCache,
    mut claimed: Vec<Claimed>,
) -> Vec<Claimed> {
    for channel in Channel::ALL {
        let channel = *channel;
        let theirs: Vec<&Claimed> = of_channel(&claimed, channel).collect();
        if theirs.is_empty() {
            continue;
        }
        let found = match channel {
            Channel::Webhook => of_endpoints(endpoints, &theirs).await,
            Channel::WebPush | Channel::Telegram => find(context, channel, &theirs).await,
        };
        match found {
            Ok(mut found) => {
                for one in claimed.iter_mut().filter(|one| one.channel == channel.as_str()) {
                    one.recipient = found.remove(&one.id).unwrap_or(Recipient::Gone);
                }
            }
            Err(error) => {
                give_back(context, &theirs, channel, &error).await;
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

fn of_channel(claimed: &[Claimed], channel: Channel) -> impl Iterator<Item = &Claimed> {
    claimed.iter().filter(move |one| one.channel == channel.as_str())
}

async fn of_endpoints(
    endpoints: &EndpointCache,
    claimed: &[&Claimed],
) -> Result<HashMap<Uuid, Recipient>, DatabaseError> {
    let found = endpoints.get(claimed.iter().map(|one| one.recipient_id)).await?;
    let of = |one: &&Claimed| Some((one.id, Recipient::Endpoint(Arc::clone(found.get(&one.recipient_id)?))));
    Ok(claimed.iter().filter_map(of).collect())
}

async fn find(
    context: &Context,
    channel: Channel,
    claimed: &[&Claimed],
) -> Result<HashMap<Uuid, Recipient>, DatabaseError> {
    let ids: Vec<Uuid> = claimed.iter().map(|one| one.id).collect();
    within_deadline(async {
        match channel {
            Channel::Telegram => read::<ChatRow>(context, CHATS, &ids).await,
            _ => read::<SubscriptionRow>(context, SUBSCRIPTIONS, &ids).await,
        }
    })
    .await
}

async fn read<Row>(
    context: &Context,
    sql: &'static str,
    ids: &[Uuid],
) -> sqlx::Result<HashMap<Uuid, Recipient>>
where
    Row: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Into<(Uuid, Recipient)> + Send + Unpin,
{
    let rows: Vec<Row> = match context.database.pool() {
        Pool::Postgres(pool) => {
            let mut query = QueryBuilder::new(sql);
            query.push("= ANY(").push_bind(ids).push(")");
            query.build_query_as().fetch_all(pool).await?
        }
        Pool::Sqlite(pool) => {
            let mut query = QueryBuilder::<Sqlite>::new(sql);
            query.push("IN ");
            push_list(&mut query, ids);
            query.build_query_as().fetch_all(pool).await?
        }
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

async fn give_back(context: &Context, theirs: &[&Claimed], channel: Channel, error: &DatabaseError) {
    metrics::counter!(names::DATABASE_ERRORS).increment(1);
    warn!(%error, %channel, "recipients could not be read; these deliveries are released");
    release(context, theirs.iter().copied()).await;
}

async fn release(context: &Context, theirs: impl Iterator<Item = &Claimed>) {
    let leases: Vec<lease::Lease> = theirs.map(|one| (one.id, one.claim)).collect();
    let released = lease::release(context.database.writer(), lease::Table::Deliveries, &leases);
    if let Err(error) = within_deadline(released).await {
        warn!(%error, "leases could not be released; they end at their time");
    }
}
