//! Claims of open lanes on SQLite, by the one connection that writes.

use domain::{clock::millis, job::LEASE};
use platform::database::BatchTransaction;
use sqlx::{FromRow, QueryBuilder, Result, Sqlite, SqliteConnection, pool::PoolConnection};
use uuid::Uuid;

use super::{ClaimedRow, LaneClaim, as_i64};
use crate::{
    lane::rules::{sendable_at, unlimited},
    rows::sqlite::push_list,
};

/// Reads all that a send needs, the number of the claim that follows among it; the time is pushed after it.
const READ: &str = "SELECT d.id, d.event_id, d.user_id, d.lane_id, d.channel, d.recipient_id,
        coalesce(d.body, event.body, x'') AS body, coalesce(d.body, event.body) IS NOT NULL AS has_body,
        d.lease_until > 0 AS rescued, d.position, d.attempts, d.claim + 1 AS claim, d.recorded_claim,
        d.created_at, d.due_at, ";
/// From there.
const FROM: &str = " AS claimed_at FROM delivery d LEFT JOIN event ON event.id = d.event_id WHERE d.id IN ";
/// Leases what it then names; the end of the lease is pushed after it.
const LEASE_UNTIL: &str = "UPDATE delivery SET claim = claim + 1, lease_until = ";

/// Reads and leases in one transaction, whose statements see the same rows: the first one changes none. The commit does not
/// wait for the disk: a claim that is lost with the machine's power leaves its delivery due.
pub(super) async fn claim(
    writer: PoolConnection<Sqlite>,
    lanes: &[LaneClaim],
    now: i64,
) -> Result<Vec<ClaimedRow>> {
    let mut claim = BatchTransaction::async_commit();
    let read = claim.statement();
    read.push(READ).push_bind(now).push(FROM).push("(");
    push_due(read, lanes, now);
    read.push(")");
    let lease = claim.statement();
    lease.push(LEASE_UNTIL).push_bind(now + millis(LEASE)).push(" WHERE id IN (");
    push_due(lease, lanes, now);
    lease.push(")");
    let done = claim.run(writer).await?;
    done.rows.iter().map(ClaimedRow::from_row).collect()
}

/// The ids of the oldest due deliveries of each lane that may be claimed.
fn push_due(query: &mut QueryBuilder<Sqlite>, lanes: &[LaneClaim], now: i64) {
    for (place, claim) in lanes.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        query.push("SELECT id FROM (");
        push_oldest(query, *claim, now);
        query.push(")");
    }
}

/// The oldest of a lane without a live lease; none when it may not be sent to.
fn push_oldest(query: &mut QueryBuilder<Sqlite>, LaneClaim { lane, rows }: LaneClaim, now: i64) {
    query.push("SELECT id FROM delivery WHERE lane_id = ").push_bind(lane);
    query.push(" AND due_at <= ").push_bind(now).push(" AND lease_until <= ").push_bind(now);
    query.push(concat!(" AND coalesce((SELECT ", sendable_at!(sqlite "lane"))).push_bind(now);
    query.push(concat!(" AND ", unlimited!("lane"), " FROM lane WHERE id = ")).push_bind(lane);
    query.push("), true) ORDER BY due_at, id LIMIT ").push_bind(as_i64(rows));
}

/// Leases these deliveries within the caller's transaction and reads what their sends need; the caller commits.
pub(super) async fn lease_rows(tx: &mut SqliteConnection, ids: &[Uuid], now: i64) -> Result<Vec<ClaimedRow>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let mut select = QueryBuilder::<Sqlite>::new(READ);
    select.push_bind(now).push(FROM);
    push_list(&mut select, ids);
    let claimed = select.build_query_as().fetch_all(&mut *tx).await?;
    let mut update = QueryBuilder::<Sqlite>::new(LEASE_UNTIL);
    update.push_bind(now + millis(LEASE)).push(" WHERE id IN ");
    push_list(&mut update, ids);
    update.build().execute(tx).await?;
    Ok(claimed)
}
