//! Deliveries under way and finished, as one list: who looks at them does not care which table they stand in.

use sea_orm::{DatabaseConnection, DbErr, FromQueryResult};
use uuid::Uuid;

use super::rows;

/// How many the overview shows.
pub(crate) const LATEST: i64 = 15;

/// A delivery with what a reader needs to know of its event, its endpoint and its lane.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct DeliveryRow {
    /// Its id.
    pub(crate) id: Uuid,
    /// The event that it carries.
    pub(crate) event_id: Uuid,
    /// Whose it is.
    pub(crate) user_id: Option<i64>,
    /// The channel's word.
    pub(crate) channel: String,
    /// The endpoint, push subscription or subscriber.
    pub(crate) recipient_id: Uuid,
    /// Place in the retry schedule, from 0.
    pub(crate) position: i16,
    /// Attempts recorded so far.
    pub(crate) attempts: i32,
    /// When it was accepted, in ms.
    pub(crate) created_at: i64,
    /// When it is due, in ms; 0 when finished.
    pub(crate) due_at: i64,
    /// Until when a worker has it, in ms.
    pub(crate) lease_until: i64,
    /// The final state's word, when finished.
    pub(crate) state: Option<String>,
    /// Why it ended so.
    pub(crate) reason: Option<String>,
    /// When it ended, in ms.
    pub(crate) finished_at: Option<i64>,
    /// The event type's name.
    pub(crate) event_type: Option<String>,
    /// Where the endpoint is.
    pub(crate) url: Option<String>,
    /// The lane's state.
    pub(crate) lane_state: Option<String>,
    /// Nothing is sent in its lane before this time, in ms.
    pub(crate) blocked_until: Option<i64>,
    /// Why the lane was disabled.
    pub(crate) off_reason: Option<String>,
    /// Failed sends of the lane in a row.
    pub(crate) failures: Option<i32>,
    /// 0: the lane's breaker is closed; else it is open until then, in ms.
    pub(crate) breaker_until: Option<i64>,
    /// What was due before then (ms) drains at a bounded rate.
    pub(crate) drain_before: Option<i64>,
    /// Most sends of the lane a second.
    pub(crate) rate_limit: Option<i32>,
    /// Most sends of the lane under way.
    pub(crate) max_in_flight: Option<i32>,
    /// The endpoint's own schedule, a JSON array.
    pub(crate) retry_schedule: Option<String>,
}

/// Both tables narrowed by the same clause, in one statement: a delivery that moves meanwhile is seen exactly once.
fn select(narrowed: &str) -> String {
    format!(
        "SELECT d.id, d.event_id, d.user_id, d.channel, d.recipient_id, d.position, d.attempts, d.created_at, d.due_at, d.lease_until,
                d.state, d.reason, d.finished_at, event.event_type, endpoint.url, endpoint.retry_schedule,
                lane.state AS lane_state, lane.blocked_until, lane.off_reason, lane.failures, lane.breaker_until,
                lane.drain_before, lane.rate_limit, lane.max_in_flight
           FROM (SELECT * FROM (SELECT id, event_id, user_id, lane_id, channel, recipient_id, position, attempts, created_at, due_at,
                                       lease_until, CAST(NULL AS text) AS state, CAST(NULL AS text) AS reason,
                                       CAST(NULL AS bigint) AS finished_at
                                  FROM delivery {narrowed}) AS under_way
                 UNION ALL
                 SELECT * FROM (SELECT id, event_id, user_id, lane_id, channel, recipient_id, position, attempts, created_at,
                                       CAST(0 AS bigint) AS due_at, CAST(0 AS bigint) AS lease_until, state, reason,
                                       finished_at
                                  FROM finished_delivery {narrowed}) AS finished) AS d
           LEFT JOIN event ON event.id = d.event_id
           LEFT JOIN endpoint ON endpoint.id = d.recipient_id
           LEFT JOIN lane ON lane.id = d.lane_id
          ORDER BY d.id DESC LIMIT $1"
    )
}

/// The newest deliveries, newest first.
pub(crate) async fn latest(db: &DatabaseConnection) -> Result<Vec<DeliveryRow>, DbErr> {
    rows(db, select("ORDER BY id DESC LIMIT $1"), [LATEST.into()]).await
}

/// One delivery, wherever it stands.
pub(crate) async fn find(db: &DatabaseConnection, id: Uuid) -> Result<Option<DeliveryRow>, DbErr> {
    let found = rows(db, select("WHERE id = $2"), [1_i64.into(), id.into()]).await?;
    Ok(found.into_iter().next())
}

/// A delivery that was just accepted, for tests of what is derived from rows.
#[cfg(test)]
pub(crate) fn sample() -> DeliveryRow {
    DeliveryRow {
        id: Uuid::from_u128(1),
        event_id: Uuid::from_u128(2),
        user_id: Some(1),
        channel: "webhook".to_owned(),
        recipient_id: Uuid::from_u128(3),
        position: 0,
        attempts: 0,
        created_at: 0,
        due_at: 0,
        lease_until: 0,
        state: None,
        reason: None,
        finished_at: None,
        event_type: Some("upload file".to_owned()),
        url: Some("https://example.com/hook".to_owned()),
        lane_state: Some("active".to_owned()),
        blocked_until: Some(0),
        off_reason: None,
        failures: Some(0),
        breaker_until: Some(0),
        drain_before: Some(0),
        rate_limit: None,
        max_in_flight: None,
        retry_schedule: None,
    }
}
