//! Claims on SQLite, by the one connection that writes.

use domain::id::DeliveryId;
use entity::bulk::sqlite::push_list;
use sqlx::{QueryBuilder, Result, Sqlite, SqlitePool};
use uuid::Uuid;

use super::Claimed;

/// Marks the due ones and returns their ids.
const MARK: &str = "UPDATE delivery AS d
    SET claim = d.claim + 1, hinted_until = 0, lease_until = ";
/// Reads all that a send needs.
const READ: &str = "SELECT d.id, d.event_id, d.user_id, d.lane_id, d.channel,
        coalesce(d.body, event.body, x'') AS body, coalesce(d.body, event.body) IS NOT NULL AS has_body,
        d.position, d.attempts, d.claim, d.recorded_claim, d.created_at, d.due_at,
        e.url, e.sealed_secret, e.sealed_headers, e.timeout_ms
    FROM delivery d LEFT JOIN event ON event.id = d.event_id LEFT JOIN endpoint e ON e.id = d.recipient_id WHERE d.id IN ";

pub(super) async fn claim(
    pool: &SqlitePool,
    ids: &[Uuid],
    now: i64,
    deadline_ms: i64,
    margin_ms: i64,
) -> Result<Vec<Claimed>> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let mut mark = QueryBuilder::<Sqlite>::new(MARK);
    mark.push_bind(now + margin_ms);
    mark.push(" + coalesce((SELECT timeout_ms FROM endpoint e WHERE e.id = d.recipient_id), ");
    mark.push_bind(deadline_ms).push(") WHERE d.due_at <= ").push_bind(now);
    mark.push(" AND d.lease_until <= ").push_bind(now);
    // A delivery whose event or lane is gone is claimed all the same: it is buried, not passed over for ever.
    mark.push(" AND NOT EXISTS (SELECT 1 FROM lane l WHERE l.id = d.lane_id AND (l.state <> 'active' OR l.blocked_until > ");
    mark.push_bind(now).push(")) AND d.id IN ");
    push_list(&mut mark, ids);
    mark.push(" RETURNING id");
    let marked: Vec<Uuid> = mark.build_query_scalar().fetch_all(&mut *tx).await?;
    if marked.is_empty() {
        return Ok(vec![]);
    }
    let mut read = QueryBuilder::<Sqlite>::new(READ);
    push_list(&mut read, &marked);
    let claimed = read.build_query_as().fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(claimed)
}

pub(super) async fn release(pool: &SqlitePool, claimed: &[(DeliveryId, i32)]) -> Result<()> {
    for claimed in claimed.chunks(500) {
        let mut update = QueryBuilder::<Sqlite>::new("WITH mine (id, claim) AS (");
        update.push_values(claimed, |mut values, (id, claim)| {
            values.push_bind(id.0).push_bind(*claim);
        });
        update.push(
            ") UPDATE delivery SET lease_until = 0, recorded_claim = delivery.claim FROM mine
            WHERE delivery.id = mine.id AND delivery.claim = mine.claim",
        );
        update.build().execute(pool).await?;
    }
    Ok(())
}

pub(super) async fn free_all(pool: &SqlitePool) -> Result<u64> {
    const DELIVERIES: &str =
        "UPDATE delivery SET lease_until = 0, hinted_until = 0 WHERE lease_until > 0 OR hinted_until > 0";
    const UPLOADS: &str =
        "UPDATE upload SET lease_until = 0, hinted_until = 0 WHERE lease_until > 0 OR hinted_until > 0";
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let deliveries = sqlx::query(DELIVERIES).execute(&mut *tx).await?.rows_affected();
    let uploads = sqlx::query(UPLOADS).execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(deliveries + uploads)
}
