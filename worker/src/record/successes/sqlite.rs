//! Successes on SQLite: one transaction whose statements go to the writer together.

use entity::bulk::sqlite::{ROWS, push_list, push_list_of, push_rows};
use platform::database::AtOnce;
use sqlx::{QueryBuilder, Result, Row, Sqlite, pool::PoolConnection};
use uuid::Uuid;

use super::{
    super::{lanes::KNOWN_WITHIN_MS, sqlite::push_attempts},
    Successes,
};

/// The statement whose changes are the deliveries that were moved.
const MOVES: usize = 1;
/// Places for lanes, so that statements have few lengths here, too.
const LANES: [usize; 5] = [1, 4, 16, 64, ROWS];

/// Returns how many were moved; none when nothing was written, because a lane is not well or there are too many.
pub(super) async fn record(
    successes: &Successes<'_>,
    writer: PoolConnection<Sqlite>,
    now: i64,
) -> Result<Option<u64>> {
    if successes.rows.len() > ROWS {
        return Ok(None);
    }
    let lanes: Vec<(Uuid, i64)> = successes.lanes().into_iter().collect();
    let attempts: Vec<Uuid> = successes.rows.iter().map(|(_, attempt)| attempt.id.0).collect();
    let deliveries: Vec<Uuid> = successes.rows.iter().map(|(ended, _)| ended.delivery.id().0).collect();

    let mut record = AtOnce::durable();
    insert_attempts(record.statement(), successes, &lanes);
    copy(record.statement(), &attempts, now);
    delete(record.statement(), &deliveries);
    tell_lanes(record.statement(), &lanes);
    record
        .statement()
        .push("SELECT EXISTS (SELECT 1 FROM attempt WHERE id = ")
        .push_bind(attempts[0])
        .push(")");
    let done = record.run(writer).await?;
    let is_written: bool = done.rows.first().map_or(Ok(false), |row| row.try_get(0))?;
    Ok(is_written.then(|| done.changes[MOVES]))
}

/// None of them unless all lanes are well: then the rest moves nothing either.
fn insert_attempts(insert: &mut QueryBuilder<Sqlite>, successes: &Successes<'_>, lanes: &[(Uuid, i64)]) {
    push_attempts(insert, &successes.rows);
    insert.push(" AND NOT EXISTS (SELECT 1 FROM lane WHERE (failures > 0 OR breaker_until > 0) AND id IN ");
    let ids: Vec<Uuid> = lanes.iter().map(|(id, _)| *id).collect();
    push_list_of(insert, &ids, LANES.into_iter().find(|places| *places >= ids.len()).unwrap_or(ids.len()));
    insert.push(")");
}

/// The fence: an attempt of another claim than the one that stands, or of one that was recorded, moves nothing.
fn copy(copy: &mut QueryBuilder<Sqlite>, attempts: &[Uuid], now: i64) {
    copy.push(
        "INSERT INTO finished_delivery (id, event_id, user_id, lane_id, channel, recipient_id, body, state, reason,
            position, attempts, claim, created_at, finished_at)
        SELECT d.id, event_id, user_id, lane_id, channel, recipient_id, body, 'succeeded', NULL,
            position, attempt.number, d.claim, created_at, ",
    );
    copy.push_bind(now).push(
        " FROM attempt CROSS JOIN delivery d
            ON d.id = attempt.delivery_id AND d.claim = attempt.claim AND d.recorded_claim < attempt.claim
        WHERE attempt.id IN ",
    );
    push_list(copy, attempts);
}

fn delete(delete: &mut QueryBuilder<Sqlite>, deliveries: &[Uuid]) {
    delete.push(
        "DELETE FROM delivery
        WHERE EXISTS (SELECT 1 FROM finished_delivery f WHERE f.id = delivery.id AND f.claim = delivery.claim) AND id IN ",
    );
    push_list(delete, deliveries);
}

/// A lane that is well is written once a second at most.
fn tell_lanes(update: &mut QueryBuilder<Sqlite>, lanes: &[(Uuid, i64)]) {
    update.push("UPDATE lane SET succeeded_at = asked.column2 FROM (");
    push_rows(update, lanes, |mut values, lane| {
        values.push_bind(lane.map(|(id, _)| *id)).push_bind(lane.map(|(_, succeeded_at)| *succeeded_at));
    });
    update.push(
        ") AS asked WHERE lane.id = asked.column1 AND state <> 'deleted' AND failures = 0 AND breaker_until = 0
            AND asked.column2 >= resumed_at AND succeeded_at < asked.column2 - ",
    );
    update.push_bind(KNOWN_WITHIN_MS);
}
