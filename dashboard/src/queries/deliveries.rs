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
}

/// Both tables narrowed by the same clause, in one statement: a delivery that moves meanwhile is seen exactly once.
fn select(narrowed: &str) -> String {
    format!(
        "SELECT d.id, d.event_id, d.user_id, d.channel, d.recipient_id, d.attempts, d.created_at, d.due_at, d.lease_until,
                d.state, d.reason, d.finished_at, event.event_type, endpoint.url, lane.state AS lane_state,
                lane.blocked_until
           FROM (SELECT * FROM (SELECT id, event_id, user_id, lane_id, channel, recipient_id, attempts, created_at, due_at,
                                       lease_until, CAST(NULL AS text) AS state, CAST(NULL AS text) AS reason,
                                       CAST(NULL AS bigint) AS finished_at
                                  FROM delivery {narrowed}) AS under_way
                 UNION ALL
                 SELECT * FROM (SELECT id, event_id, user_id, lane_id, channel, recipient_id, attempts, created_at,
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
    }
}
