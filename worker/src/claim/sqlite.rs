//! Claims of open lanes on SQLite, by the one connection that writes.

use entity::bulk::sqlite::push_list;
use platform::database::BatchTransaction;
use sqlx::{FromRow, QueryBuilder, Result, Sqlite, SqlitePool, pool::PoolConnection};
use uuid::Uuid;

use super::{Claimed, Times, Wanted, as_i64};

/// Reads all that a send needs, the number of the claim that follows among it; the time is pushed after it.
pub(super) const READ: &str = "SELECT d.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id,
        coalesce(d.body, event.body, x'') AS body, coalesce(d.body, event.body) IS NOT NULL AS has_body,
        d.lease_until > 0 AS rescued, d.position, d.attempts, d.claim + 1 AS claim, d.recorded_claim,
        d.created_at, d.due_at, ";
/// From there.
pub(super) const FROM: &str = " AS claimed_at
    FROM delivery d LEFT JOIN event ON event.id = d.event_id WHERE d.id IN (";

/// Reads and leases in one transaction, whose statements see the same rows: the first one changes none. The commit does not
/// wait for the disk: a claim that is lost with the machine's power leaves its delivery due.
pub(super) async fn claim(
    writer: PoolConnection<Sqlite>,
    wanted: &[Wanted],
    times: Times,
) -> Result<Vec<Claimed>> {
    let mut claim = BatchTransaction::hasty();
    read(claim.statement(), wanted, times);
    lease(claim.statement(), wanted, times);
    let done = claim.run(writer).await?;
    done.rows.iter().map(Claimed::from_row).collect()
}

fn read(select: &mut QueryBuilder<Sqlite>, wanted: &[Wanted], times: Times) {
    select.push(READ).push_bind(times.now_or_offset).push(FROM);
    push_due(select, wanted, times.now_or_offset);
    select.push(")");
}

fn lease(update: &mut QueryBuilder<Sqlite>, wanted: &[Wanted], times: Times) {
    update.push("UPDATE delivery SET claim = claim + 1, lease_until = ");
    update.push_bind(times.now_or_offset + times.lease).push(" WHERE id IN (");
    push_due(update, wanted, times.now_or_offset);
    update.push(")");
}

/// The ids of the oldest due deliveries of each lane that may be claimed.
fn push_due(query: &mut QueryBuilder<Sqlite>, wanted: &[Wanted], now: i64) {
    for (place, wanted) in wanted.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        query.push("SELECT id FROM (");
        push_oldest(query, *wanted, now);
        query.push(")");
    }
}

/// The oldest of a lane without a live lease; none when it may not be sent to.
fn push_oldest(query: &mut QueryBuilder<Sqlite>, of: Wanted, now: i64) {
    query.push("SELECT id FROM delivery WHERE lane_id = ").push_bind(of.holder.lane);
    query.push(" AND due_at <= ").push_bind(now).push(" AND lease_until <= ").push_bind(now);
    query
        .push(" AND coalesce((SELECT state = 'active' AND max(blocked_until, breaker_until) <= ")
        .push_bind(now);
    query
        .push(" AND rate_limit IS NULL AND max_in_flight IS NULL AND breaker_until = 0 AND drain_before = 0");
    query.push(" FROM lane WHERE id = ").push_bind(of.holder.lane).push("), true)");
    query.push(" ORDER BY due_at, id LIMIT ").push_bind(as_i64(of.rows));
}

pub(super) async fn free_all(pool: &SqlitePool) -> Result<u64> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let mut freed = 0;
    for free in [
        "UPDATE delivery SET lease_until = 0 WHERE lease_until > 0",
        "UPDATE upload SET lease_until = 0 WHERE lease_until > 0",
        "UPDATE broadcast SET lease_until = 0 WHERE lease_until > 0",
    ] {
        freed += sqlx::query(free).execute(&mut *tx).await?.rows_affected();
    }
    tx.commit().await?;
    Ok(freed)
}

/// Leases these deliveries within the caller's transaction and reads what their sends need; the caller commits.
pub(super) async fn lease_rows(
    tx: &mut sqlx::SqliteConnection,
    ids: &[Uuid],
    times: Times,
) -> Result<Vec<Claimed>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let mut select = QueryBuilder::<Sqlite>::new(READ);
    select
        .push_bind(times.now_or_offset)
        .push(" AS claimed_at FROM delivery d LEFT JOIN event ON event.id = d.event_id WHERE d.id IN ");
    push_list(&mut select, ids);
    let claimed = select.build_query_as().fetch_all(&mut *tx).await?;
    let mut update = QueryBuilder::<Sqlite>::new("UPDATE delivery SET claim = claim + 1, lease_until = ");
    update.push_bind(times.now_or_offset + times.lease).push(" WHERE id IN ");
    push_list(&mut update, ids);
    update.build().execute(tx).await?;
    Ok(claimed)
}
