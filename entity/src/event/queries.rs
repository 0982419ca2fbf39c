//! Events, their deliveries wherever they lie, and the endpoints that got none.

use domain::id::{EventId, UserId};
use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, DatabaseBackend, EntityTrait, FromQueryResult, QueryFilter, Statement};
use uuid::Uuid;

use crate::event::{Column, Entity, Model};
use crate::scope::Scope;

/// How much older than its event a delivery's id may look: clocks of machines differ.
const CLOCKS_DIFFER_MS: u128 = 24 * 3_600 * 1_000;

/// A delivery of an event, under way or finished.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct DeliveryOfEvent {
    /// Its id.
    pub id: Uuid,
    /// The endpoint, push subscription or subscriber.
    pub recipient_id: Uuid,
    /// The channel, a word of the domain.
    pub channel: String,
    /// Its final state; none while it is under way.
    pub state: Option<String>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// Attempts recorded so far.
    pub attempts: i32,
    /// When it is due (ms), while it is under way.
    pub due_at: Option<i64>,
    /// Until then (ms) a worker has it, while it is under way.
    pub lease_until: Option<i64>,
    /// The state of its lane, while it is under way.
    pub lane_state: Option<String>,
    /// Until then (ms) its lane rests, while it is under way.
    pub blocked_until: Option<i64>,
    /// Until then (ms) its lane's breaker is open, while it is under way; 0: closed.
    pub breaker_until: Option<i64>,
    /// When it came in (ms).
    pub created_at: i64,
    /// When it ended (ms).
    pub finished_at: Option<i64>,
    /// The database's time (ms).
    pub now: i64,
}

/// An endpoint of the event's user that has no delivery of it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct EndpointWithout {
    /// The endpoint.
    pub id: Uuid,
    /// When it was made (ms).
    pub created_at: i64,
    /// The state of its lane.
    pub lane_state: String,
    /// Whether it is registered for the event's type now; 0: no.
    pub registrations: i64,
}

/// The event, if there is one that `scope` may see.
///
/// # Errors
/// Those of the database.
pub async fn find(database: &Database, scope: Scope, id: EventId) -> Result<Option<Model>, DatabaseError> {
    Ok(Entity::find()
        .filter(Column::Id.eq(id.0))
        .filter(scope.of(Column::UserId))
        .one(database.reader())
        .await?)
}

// One statement: a delivery that moves from one table to the other meanwhile is seen in exactly one of them.
macro_rules! deliveries {
    ($now:literal) => {
        concat!(
            "SELECT d.id, d.recipient_id, d.channel, NULL AS state, NULL AS reason, d.attempts, d.due_at, d.lease_until,
                 l.state AS lane_state, l.blocked_until, l.breaker_until, d.created_at, NULL AS finished_at, ",
            $now,
            " AS now
             FROM delivery d LEFT JOIN lane l ON l.id = d.lane_id WHERE d.event_id = $1
             UNION ALL
             SELECT id, recipient_id, channel, state, reason, attempts, NULL, NULL, NULL, NULL, NULL, created_at, finished_at, ",
            $now,
            " FROM finished_delivery WHERE event_id = $1 AND id >= $2
             UNION ALL
             SELECT id, recipient_id, channel, 'dead', reason, attempts, NULL, NULL, NULL, NULL, NULL, created_at, finished_at, ",
            $now,
            " FROM dead_letter WHERE event_id = $1
             ORDER BY id LIMIT $4"
        )
    };
}

const WITHOUT: &str = "SELECT e.id, e.created_at, l.state AS lane_state,
        (SELECT count(*) FROM endpoint_event_type x JOIN event_type t ON t.id = x.event_type_id
         WHERE x.endpoint_id = e.id AND t.name = $3) AS registrations
    FROM endpoint e JOIN lane l ON l.id = e.id
    WHERE e.user_id = $1 AND e.id NOT IN (
        SELECT recipient_id FROM delivery WHERE event_id = $2
        UNION ALL SELECT recipient_id FROM finished_delivery WHERE event_id = $2 AND id >= $4
        UNION ALL SELECT recipient_id FROM dead_letter WHERE event_id = $2)
    ORDER BY e.id LIMIT $5";

/// At most `limit` deliveries of the event, oldest first, wherever they lie. `time` is the database's statement time.
///
/// # Errors
/// Those of the database.
pub async fn deliveries(
    database: &Database,
    id: EventId,
    time: i64,
    limit: u64,
) -> Result<Vec<DeliveryOfEvent>, DatabaseError> {
    let backend = database.reader().get_database_backend();
    let sql =
        if backend == DatabaseBackend::Postgres { deliveries!("now_ms() + $3") } else { deliveries!("$3") };
    let values = [id.0.into(), first_near(id).into(), time.into(), limit.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    Ok(DeliveryOfEvent::find_by_statement(statement).all(database.reader()).await?)
}

/// At most `limit` endpoints of `user` that have no delivery of the event, oldest first.
///
/// # Errors
/// Those of the database.
pub async fn endpoints_without(
    database: &Database,
    user: UserId,
    event: &Model,
    limit: u64,
) -> Result<Vec<EndpointWithout>, DatabaseError> {
    let id = EventId(event.id);
    let values =
        [user.0.into(), id.0.into(), event.event_type.as_str().into(), first_near(id).into(), limit.into()];
    let statement = Statement::from_sql_and_values(database.reader().get_database_backend(), WITHOUT, values);
    Ok(EndpointWithout::find_by_statement(statement).all(database.reader()).await?)
}

/// No delivery of the event has a smaller id: partitions of the days before need not be looked at.
fn first_near(event: EventId) -> Uuid {
    const RANDOM_BITS: u32 = 80;
    let made_at = event.0.as_u128() >> RANDOM_BITS;
    Uuid::from_u128(made_at.saturating_sub(CLOCKS_DIFFER_MS) << RANDOM_BITS)
}
