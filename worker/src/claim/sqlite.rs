//! Claims on SQLite, by the one connection that writes.

use domain::{clock::millis, id::DeliveryId, job::BACKLOG_LASTS};
use entity::bulk::sqlite::push_list;
use platform::database::AtOnce;
use sqlx::{FromRow, QueryBuilder, Result, Sqlite, SqlitePool, pool::PoolConnection};
use uuid::Uuid;

use super::{Claimed, PUT_OFF_MS, Pick, Times, Wanted, as_i64, share::Candidate};

/// Whether only what a look has granted may be claimed.
const GRANTED_ONLY: &str =
    "coalesce(l.rate_limit IS NOT NULL OR l.max_in_flight IS NOT NULL OR l.breaker_until > 0
    OR d.due_at <= l.drain_before, false)";
/// Reads all that a send needs, the number of the claim that follows among it.
const READ: &str = "SELECT d.id, d.event_id, d.user_id, d.lane_id, d.channel,
        coalesce(d.body, event.body, x'') AS body, coalesce(d.body, event.body) IS NOT NULL AS has_body,
        d.hinted_until > 0 OR d.lease_until > 0 AS rescued,
        d.position, d.attempts, d.claim + 1 AS claim, d.recorded_claim, d.created_at, d.due_at,
        e.url, e.sealed_secret, e.sealed_headers, e.timeout_ms, e.retry_schedule, ";
/// From there, the time of the claim being pushed before it.
const FROM: &str = " AS claimed_at
    FROM delivery d LEFT JOIN lane l ON l.id = d.lane_id LEFT JOIN event ON event.id = d.event_id
        LEFT JOIN endpoint e ON e.id = d.recipient_id WHERE ";
const MARK: &str = "UPDATE delivery SET claim = claim + 1, hinted_until = 0, lease_until = ";

/// Reads and marks in one transaction, whose statements see the same rows: the first one changes none. The commit does not
/// wait for the disk.
pub(super) async fn claim(
    writer: PoolConnection<Sqlite>,
    pick: Pick<'_>,
    times: Times,
) -> Result<Vec<Claimed>> {
    if matches!(pick, Pick::Ids([]) | Pick::Lanes { wanted: [], .. }) {
        return Ok(vec![]);
    }
    let mut claim = AtOnce::hasty();
    read(claim.statement(), pick, times.now_or_offset);
    if let Pick::Lanes { wanted, window } = pick {
        note_what_goes_on(claim.statement(), wanted, window, times.now_or_offset);
    }
    mark(claim.statement(), pick, times);
    let done = claim.run(writer).await?;
    done.rows.iter().map(Claimed::from_row).collect()
}

pub(super) async fn put_off(pool: &SqlitePool, refused: &[Candidate], now: i64) -> Result<()> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    mark_put_off(refused, now).build().execute(&mut *tx).await?;
    let lanes: Vec<Uuid> = refused.iter().map(|(_, lane)| *lane).collect();
    note_backlogs(&lanes, now).build().execute(&mut *tx).await?;
    tx.commit().await
}

fn read(select: &mut QueryBuilder<Sqlite>, pick: Pick<'_>, now: i64) {
    select.push(READ).push_bind(now).push(FROM);
    may_be_claimed(select, pick, now);
}

fn mark(update: &mut QueryBuilder<Sqlite>, pick: Pick<'_>, times: Times) {
    update.push(MARK).push_bind(times.now_or_offset + times.margin);
    update.push(" + coalesce((SELECT timeout_ms FROM endpoint e WHERE e.id = delivery.recipient_id), ");
    update
        .push_bind(times.deadline)
        .push(") WHERE id IN (SELECT d.id FROM delivery d LEFT JOIN lane l ON l.id = d.lane_id WHERE ");
    may_be_claimed(update, pick, times.now_or_offset);
    update.push(")");
}

/// The condition on `delivery d` and its `lane l`. A delivery whose event or lane is gone is claimed all the same: it is
/// buried, not passed over for ever.
fn may_be_claimed(query: &mut QueryBuilder<Sqlite>, pick: Pick<'_>, now: i64) {
    query.push("d.due_at <= ").push_bind(now).push(" AND d.lease_until <= ").push_bind(now);
    query
        .push(" AND coalesce(l.state = 'active' AND max(l.blocked_until, l.breaker_until) <= ")
        .push_bind(now);
    query.push(" AND (d.hinted_until > ").push_bind(now).push(" OR NOT ").push(GRANTED_ONLY).push("), true)");
    query.push(" AND d.id IN ");
    match pick {
        Pick::Ids(ids) => push_list(query, ids),
        Pick::Lanes { wanted, window } => push_due(query, wanted, window, now),
    }
}

fn push_due(query: &mut QueryBuilder<Sqlite>, wanted: &[Wanted], window: usize, now: i64) {
    query.push("(SELECT id FROM (");
    for (place, wanted) in wanted.iter().enumerate() {
        query.push(if place == 0 { "" } else { " UNION ALL " });
        push_oldest(query, "id", *wanted, as_i64(window), now);
    }
    query.push("))");
}

/// These columns of the oldest of a lane that nobody works on: only its first rows, the window, are looked at.
pub(crate) fn push_oldest(
    query: &mut QueryBuilder<Sqlite>,
    columns: &str,
    of: Wanted,
    window: i64,
    now: i64,
) {
    query.push("SELECT * FROM (SELECT ").push(columns);
    query.push(" FROM (SELECT id, lane_id, due_at, hinted_until, lease_until FROM delivery");
    query.push(" WHERE lane_id = ").push_bind(of.lane).push(" AND due_at <= ").push_bind(now);
    query.push(" ORDER BY due_at, id LIMIT ").push_bind(window).push(")");
    query.push(" WHERE hinted_until <= ").push_bind(now).push(" AND lease_until <= ").push_bind(now);
    query.push(" ORDER BY due_at, id LIMIT ").push_bind(as_i64(of.rows)).push(")");
}

/// Notes that lanes which give all that they are asked for have a backlog still.
fn note_what_goes_on(update: &mut QueryBuilder<Sqlite>, wanted: &[Wanted], window: usize, now: i64) {
    push_backlog_until(update, now);
    update.push(" AND (false");
    for wanted in wanted {
        update.push(" OR (id = ").push_bind(wanted.lane).push(" AND (SELECT count(*) FROM (");
        push_oldest(update, "id", *wanted, as_i64(window), now);
        update.push(")) = ").push_bind(as_i64(wanted.rows)).push(")");
    }
    update.push(")");
}

fn mark_put_off(refused: &[Candidate], now: i64) -> QueryBuilder<Sqlite> {
    let ids: Vec<Uuid> = refused.iter().map(|(id, _)| *id).collect();
    let mut update = QueryBuilder::new("UPDATE delivery AS d SET hinted_until = CASE WHEN (SELECT ");
    update.push(GRANTED_ONLY).push(" FROM lane l WHERE l.id = d.lane_id) THEN 0 ELSE ");
    update
        .push_bind(now + PUT_OFF_MS)
        .push(" END WHERE d.lease_until <= ")
        .push_bind(now)
        .push(" AND d.id IN ");
    push_list(&mut update, &ids);
    update
}

/// Notes that these lanes have a backlog, unless that was noted in the last half of the time that it lasts.
pub(crate) fn note_backlogs(lanes: &[Uuid], now: i64) -> QueryBuilder<Sqlite> {
    let mut update = QueryBuilder::new("");
    push_backlog_until(&mut update, now);
    update.push(" AND id IN ");
    push_list(&mut update, lanes);
    update
}

/// Of which lanes, the caller adds.
fn push_backlog_until(update: &mut QueryBuilder<Sqlite>, now: i64) {
    let lasts = millis(BACKLOG_LASTS);
    update.push("UPDATE lane SET backlog_until = ").push_bind(now + lasts);
    update.push(" WHERE backlog_until <= ").push_bind(now + lasts / 2);
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
