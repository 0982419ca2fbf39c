//! The recipients of claimed deliveries that are not endpoints: browsers and chats.

use platform::database::{Database, DatabaseError, Pool};
use sqlx::{FromRow, QueryBuilder, Sqlite, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use crate::rows::sqlite::push_list;

const SUBSCRIPTIONS: &str = "SELECT d.id, s.id AS subscription_id, s.endpoint, s.p256dh, s.auth,
        s.reached_at IS NOT NULL AS is_reached
    FROM delivery d
    LEFT JOIN push_subscription s ON s.id = d.recipient_id WHERE d.id ";
const CHATS: &str =
    "SELECT d.id, d.recipient_id, s.id AS subscriber_id, s.chat_id, coalesce(p.parts, 0) AS parts
    FROM delivery d
    LEFT JOIN subscriber s ON s.id = d.recipient_id AND s.active
    LEFT JOIN delivery_progress p ON p.id = d.id WHERE d.id ";

/// A delivery, and the push subscription that it goes to; all none when that is gone.
pub struct SubscriptionRow {
    /// The delivery.
    pub id: Uuid,
    /// The subscription.
    pub subscription_id: Option<Uuid>,
    /// Its URL at the push service.
    pub endpoint: Option<String>,
    /// Its public key.
    pub p256dh: Option<Vec<u8>>,
    /// Its authentication secret.
    pub auth: Option<Vec<u8>>,
    /// Whether a message has reached it before.
    pub is_reached: bool,
}

from_row!(SubscriptionRow { id, subscription_id, endpoint, p256dh, auth, is_reached });

/// A delivery, and the chat that it goes to.
pub struct ChatRow {
    /// The delivery.
    pub id: Uuid,
    /// The subscriber, or the chat that the settings name.
    pub recipient_id: Uuid,
    /// The subscriber, if there is one that is active.
    pub subscriber_id: Option<Uuid>,
    /// The subscriber's chat.
    pub chat_id: Option<String>,
    /// Parts of the message that were accepted before.
    pub parts: i32,
}

from_row!(ChatRow { id, recipient_id, subscriber_id, chat_id, parts });

/// The subscriptions that these deliveries go to.
///
/// # Errors
/// Those of the database.
pub async fn load_subscriptions(
    database: &Database,
    deliveries: &[Uuid],
) -> Result<Vec<SubscriptionRow>, DatabaseError> {
    Ok(load(database, SUBSCRIPTIONS, deliveries).await?)
}

/// The chats that these deliveries go to.
///
/// # Errors
/// Those of the database.
pub async fn load_chats(database: &Database, deliveries: &[Uuid]) -> Result<Vec<ChatRow>, DatabaseError> {
    Ok(load(database, CHATS, deliveries).await?)
}

async fn load<Row>(database: &Database, sql: &'static str, deliveries: &[Uuid]) -> sqlx::Result<Vec<Row>>
where
    Row: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    match database.pool() {
        Pool::Postgres(pool) => {
            let mut query = QueryBuilder::new(sql);
            query.push("= ANY(").push_bind(deliveries).push(")");
            query.build_query_as().fetch_all(pool).await
        }
        Pool::Sqlite(pool) => {
            let mut query = QueryBuilder::<Sqlite>::new(sql);
            query.push("IN ");
            push_list(&mut query, deliveries);
            query.build_query_as().fetch_all(pool).await
        }
    }
}
