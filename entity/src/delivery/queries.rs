//! Deliveries wherever they stand – under way, finished, among the old dead letters – as one list. Each is seen exactly
//! once, also when it moves meanwhile: it is one statement.

mod tables;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use domain::{
    clock::Millis,
    delivery::{Channel, DisplayStatus, ErrorClass, Facts, LaneFacts, LastAttempt, RetrySchedule},
    id::{DeliveryId, EndpointId, EventId, UserId, first_id_at},
};
use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use self::tables::{narrow, narrow_by_status, narrow_by_type, select};
use crate::{attempt, either::on_reader, finished_delivery, scope::Scope, sql_builder::SqlBuilder};

/// Most attempts that are shown of one delivery, the newest.
pub const MAX_ATTEMPTS: u64 = 100;
/// How far the clocks of processes may be apart, in ms: a delivery may have an id that is older than its event's by so much.
pub(crate) const SKEW_MS: i64 = 60_000;

/// What a list is narrowed by. Every member that is there has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this user.
    pub user_id: Option<UserId>,
    /// To this endpoint.
    pub endpoint_id: Option<EndpointId>,
    /// Of this event.
    pub event_id: Option<EventId>,
    /// That are called so.
    pub status: Option<DisplayStatus>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// Of events of this type.
    pub event_type: Option<String>,
    /// Accepted from then on.
    pub since: Option<Millis>,
    /// Accepted before then.
    pub until: Option<Millis>,
    /// With an attempt that failed in this way.
    pub error_class: Option<ErrorClass>,
    /// With a smaller id than this: those that come after it in the list.
    pub before: Option<DeliveryId>,
}

/// A delivery with what a reader needs to know of its event, its endpoint and its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: Uuid,
    /// The event that it carries.
    pub event_id: Uuid,
    /// Whose it is; none where no user owns it.
    pub user_id: Option<i64>,
    /// The channel's word.
    pub channel: String,
    /// The endpoint, push subscription or subscriber.
    pub recipient_id: Uuid,
    /// Place in the retry schedule, from 0.
    pub position: i16,
    /// Attempts recorded so far.
    pub attempts: i32,
    /// When it was accepted, in ms.
    pub created_at: i64,
    /// When it is due, in ms; 0 when finished.
    pub due_at: i64,
    /// Until when a worker has it, in ms; 0 when finished.
    pub lease_until: i64,
    /// The final state's word, when finished.
    pub state: Option<String>,
    /// Why it ended so.
    pub reason: Option<String>,
    /// When it ended, in ms.
    pub finished_at: Option<i64>,
    /// The name of the event's type; none when the event is gone.
    pub event_type: Option<String>,
    /// Where the endpoint is.
    pub url: Option<String>,
    /// The endpoint's own schedule, a JSON array of seconds.
    pub retry_schedule: Option<String>,
    /// The state of the lane; none when it is gone.
    pub lane_state: Option<String>,
    /// Why the lane was disabled.
    pub off_reason: Option<String>,
    /// Nothing is sent in the lane before this time, in ms.
    pub blocked_until: Option<i64>,
    /// Failed sends of the lane in a row.
    pub failures: Option<i32>,
    /// 0: the lane's breaker is closed; else it is open until then, in ms.
    pub breaker_until: Option<i64>,
    /// What was due by then (ms) drains at a bounded rate.
    pub drain_before: Option<i64>,
    /// Most sends of the lane a second.
    pub rate_limit: Option<i32>,
    /// Most sends of the lane under way.
    pub max_in_flight: Option<i32>,
    /// The database's time of the reading, in ms.
    pub asked_at: i64,
}

from_row!(Row {
    id,
    event_id,
    user_id,
    channel,
    recipient_id,
    position,
    attempts,
    created_at,
    due_at,
    lease_until,
    state,
    reason,
    finished_at,
    event_type,
    url,
    retry_schedule,
    lane_state,
    off_reason,
    blocked_until,
    failures,
    breaker_until,
    drain_before,
    rate_limit,
    max_in_flight,
    asked_at
});

impl Row {
    /// Whether both show the same; only the times of the readings may differ.
    #[must_use]
    pub fn shows_the_same(&self, other: &Self) -> bool {
        Self { asked_at: other.asked_at, ..self.clone() } == *other
    }

    /// How many attempts the endpoint's own schedule makes; none where it has no schedule of its own.
    #[must_use]
    pub fn own_schedule(&self) -> Option<usize> {
        Some(RetrySchedule::from_seconds(self.retry_schedule.as_deref()?).ok()?.attempts())
    }

    /// What its sentence is made of; `scheduled` is how many attempts its schedule makes.
    #[must_use]
    pub fn facts<'a>(&'a self, last: Option<&'a attempt::Model>, scheduled: usize) -> Facts<'a> {
        let lane = self.lane();
        let now = Millis(self.asked_at);
        Facts {
            status: self.state.as_deref().map_or_else(
                || DisplayStatus::under_way(Millis(self.lease_until), lane.state, now),
                DisplayStatus::finished,
            ),
            reason: self.reason.as_deref(),
            attempts: self.attempts,
            position: i32::from(self.position),
            scheduled,
            created_at: Millis(self.created_at),
            due_at: Millis(self.due_at),
            lease_until: Millis(self.lease_until),
            lane,
            last: last.map(|last| LastAttempt {
                status_code: last.status_code,
                error: last.error.as_deref(),
                error_class: last.error_class.as_deref(),
                duration_us: last.duration_us,
            }),
            now,
        }
    }

    fn lane(&self) -> LaneFacts<'_> {
        LaneFacts {
            state: self.lane_state.as_deref().and_then(|state| state.parse().ok()),
            off_reason: self.off_reason.as_deref(),
            blocked_until: self.blocked_until.unwrap_or(0),
            failures: self.failures.unwrap_or(0),
            breaker_until: self.breaker_until.unwrap_or(0),
            drain_before: self.drain_before.unwrap_or(0),
            rate_limit: self.rate_limit,
            max_in_flight: self.max_in_flight,
        }
    }
}

/// At most `limit` rows that `scope` may see and that `filter` lets through, newest first. Walks along the index of the
/// event, the endpoint or the user, else along the ids; the caller sets a limit of time.
#[must_use]
pub fn search(scope: Scope, filter: &Filter, limit: i64) -> SqlBuilder {
    select(limit, |query, table| {
        query.sql(" WHERE d.id < ").id(filter.upper());
        query.sql(" AND d.id >= ").id(filter.lower());
        query.scope(" AND d.user_id = ", scope);
        narrow(query, filter);
        narrow_by_type(query, filter, table);
        narrow_by_status(query, filter.status, table);
    })
}

/// The one that has this id, if `scope` may see it.
#[must_use]
pub fn find(scope: Scope, id: DeliveryId) -> SqlBuilder {
    select(1, |query, _| {
        query.sql(" WHERE d.id = ").id(id.0).scope(" AND d.user_id = ", scope);
    })
}

/// Returns the newest deliveries of all users, newest first, at most `limit`. `time` is what
/// `platform::database::Database::statement_time` gives.
///
/// # Errors
/// Those of the database.
pub async fn latest(database: &Database, time: i64, limit: i64) -> Result<Vec<Row>, DatabaseError> {
    search(Scope::Everyone, &Filter::default(), limit).rows(database, time).await
}

/// Returns the delivery that has this id, of any user; `time` as for [`latest`].
///
/// # Errors
/// Those of the database.
pub async fn load(database: &Database, time: i64, id: DeliveryId) -> Result<Option<Row>, DatabaseError> {
    Ok(find(Scope::Everyone, id).rows(database, time).await?.into_iter().next())
}

// A delivery of its own bytes wins over the event's; a dead letter keeps what was sent when the event is gone.
const BODY: &str = "SELECT coalesce((SELECT body FROM delivery WHERE id = $1),
    (SELECT body FROM finished_delivery WHERE id = $1),
    (SELECT body FROM dead_letter WHERE id = $1),
    (SELECT body FROM event WHERE id = $2))";

/// Returns the bytes that a delivery of this event carries, as they are signed and sent; none when they are kept no longer.
///
/// # Errors
/// Those of the database.
pub async fn body(
    database: &Database,
    id: DeliveryId,
    event_id: EventId,
) -> Result<Option<Vec<u8>>, DatabaseError> {
    Ok(on_reader!(database, pool => {
        sqlx::query_scalar(BODY).bind(id.0).bind(event_id.0).fetch_one(pool).await?
    }))
}

/// The newest attempts at a delivery, newest first, at most [`MAX_ATTEMPTS`]: those with a row of their own, and the one that
/// is kept with the finished delivery.
///
/// # Errors
/// Those of the database.
pub async fn attempts(database: &Database, id: DeliveryId) -> Result<Vec<attempt::Model>, DatabaseError> {
    let db = database.reader();
    let of_it = attempt::Entity::find().filter(attempt::Column::DeliveryId.eq(id.0));
    let newest = of_it.order_by_desc(attempt::Column::Number).order_by_desc(attempt::Column::Id);
    let mut attempts = newest.limit(MAX_ATTEMPTS).all(db).await?;
    let finished = finished_delivery::Entity::find_by_id(id.0).one(db).await?;
    attempts.extend(finished.and_then(|finished| finished.attempt()));
    attempts.sort_by_key(|attempt| Reverse((attempt.number, attempt.started_at)));
    attempts.truncate(usize::try_from(MAX_ATTEMPTS).unwrap_or(usize::MAX));
    Ok(attempts)
}

impl Filter {
    /// Ids of the list are below this one.
    fn upper(&self) -> Uuid {
        let until = self.until.map_or(Uuid::max(), first_id_at);
        self.before.map_or(until, |before| before.0.min(until))
    }

    /// Ids of the list are not below this one.
    fn lower(&self) -> Uuid {
        let since = self.since.map_or(Uuid::nil(), first_id_at);
        let event =
            self.event_id.and_then(made_at).map_or(Uuid::nil(), |at| first_id_at(Millis(at - SKEW_MS)));
        since.max(event)
    }
}

/// When an id was made, by the clock of the process that made it.
fn made_at(id: EventId) -> Option<i64> {
    let (seconds, nanos) = id.0.get_timestamp()?.to_unix();
    i64::try_from(seconds).ok()?.checked_mul(1_000)?.checked_add(i64::from(nanos / 1_000_000))
}
