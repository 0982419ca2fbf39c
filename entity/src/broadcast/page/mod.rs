//! Pages of a broadcast: its claim, the recipients that come next, and where it stands. What belongs to a page goes through
//! one transaction of the caller's, which holds the broadcast's row.

mod postgres;
mod sqlite;

use domain::{id::LaneId, job::Leased, notification::UNPROVEN_PUSH_LANE};
use platform::database::{Database, DatabaseError, Pool, Tx, within_deadline};
use uuid::Uuid;

use crate::{broadcast::Model, either::in_tx, stamp::Stamp};

/// Push services that have taken no message have no lane of their own: then `$4` is theirs.
const SUBSCRIPTIONS: &str =
    "SELECT s.id, coalesce((SELECT l.id FROM lane l WHERE l.id = s.lane_id), $4) AS lane_id
    FROM push_subscription s WHERE s.id > $1 AND s.id < $2 ORDER BY s.id LIMIT $3";
const CHATS: &str = "SELECT id FROM subscriber
    WHERE active AND chat_id IS NOT NULL AND id > $1 AND id < $2 AND (CAST($4 AS text) IS NULL OR chat_id <> $4)
    ORDER BY id LIMIT $3";
const BOT_LANE: &str =
    "INSERT INTO lane (id, channel, rate_limit) VALUES ($1, 'telegram', $2) ON CONFLICT (id) DO NOTHING";
const ADVANCE: &str = "UPDATE broadcast SET cursor = $2, queued = queued + $3,
        state = CASE WHEN $4 THEN 'done' ELSE state END, finished_at = CASE WHEN $4 THEN CAST($5 AS bigint) END,
        lease_until = $5 + $6
    WHERE id = $1";

/// Where a broadcast stands after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The broadcast.
    pub id: Uuid,
    /// The last recipient that has its delivery.
    pub cursor: Uuid,
    /// Deliveries that the page made.
    pub count: i64,
    /// Whether every recipient has its delivery.
    pub is_last: bool,
}

/// Claims a running broadcast of one of `channels` without a live lease, the one that waited longest. On Postgres those that
/// are locked are skipped.
///
/// # Errors
/// Those of the database.
pub async fn claim(
    database: &Database,
    channels: &[&str],
    stamp: Stamp,
) -> Result<Option<Leased>, DatabaseError> {
    Ok(match database.pool() {
        Pool::Postgres(pool) => within_deadline(postgres::claim(pool, channels, stamp)).await?,
        Pool::Sqlite(pool) => sqlite::claim(pool, channels, stamp).await?,
    })
}

/// Locks a leased broadcast of one of `channels`; none when the lease is another worker's by now, or it is done.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn lock(tx: &mut Tx, leased: Leased, channels: &[&str]) -> Result<Option<Model>, DatabaseError> {
    Ok(match tx {
        Tx::Postgres(tx) => postgres::lock(tx, leased, channels).await?,
        Tx::Sqlite(tx) => sqlite::lock(tx, leased, channels).await?,
    })
}

/// Returns the next push subscriptions behind the cursor, each with its lane, at most `limit`.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn subscriptions(
    tx: &mut Tx,
    broadcast: &Model,
    limit: i64,
) -> Result<Vec<(Uuid, LaneId)>, DatabaseError> {
    let found: Vec<(Uuid, Uuid)> = in_tx!(tx, connection => {
        let query = sqlx::query_as(SUBSCRIPTIONS).bind(broadcast.cursor).bind(broadcast.id).bind(limit);
        query.bind(UNPROVEN_PUSH_LANE.0).fetch_all(connection).await?
    });
    Ok(found.into_iter().map(|(id, lane)| (id, lane.into())).collect())
}

/// Returns the next subscribers with a chat behind the cursor, at most `limit`; without those whose chat is `but`.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn chats(
    tx: &mut Tx,
    broadcast: &Model,
    but: Option<&str>,
    limit: i64,
) -> Result<Vec<Uuid>, DatabaseError> {
    Ok(in_tx!(tx, connection => {
        let query = sqlx::query_scalar(CHATS).bind(broadcast.cursor).bind(broadcast.id).bind(limit);
        query.bind(but).fetch_all(connection).await?
    }))
}

/// Inserts a bot's lane with its rate unless it is there.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn ensure_bot_lane(tx: &mut Tx, lane: LaneId, rate: i32) -> Result<(), DatabaseError> {
    in_tx!(tx, connection => {
        sqlx::query(BOT_LANE).bind(lane.0).bind(rate).execute(connection).await.map(drop)?;
    });
    Ok(())
}

/// Moves the cursor and renews the lease.
///
/// # Errors
/// Those of the database; the transaction is then lost.
pub async fn advance(tx: &mut Tx, to: Advance, stamp: Stamp) -> Result<(), DatabaseError> {
    let now = match tx {
        Tx::Postgres(tx) => {
            let now = sqlx::query_scalar("SELECT now_ms() + $1").bind(stamp.now_or_offset);
            now.fetch_one(&mut **tx).await?
        }
        Tx::Sqlite(_) => stamp.now_or_offset,
    };
    in_tx!(tx, connection => {
        let query = sqlx::query(ADVANCE).bind(to.id).bind(to.cursor).bind(to.count).bind(to.is_last);
        query.bind(now).bind(stamp.lease).execute(connection).await.map(drop)?;
    });
    Ok(())
}
