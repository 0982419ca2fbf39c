//! Successes on SQLite: one transaction whose statements go to the writer together.

use domain::delivery::DeliveryState;
use platform::database::BatchTransaction;
use sqlx::{QueryBuilder, Result, Sqlite, pool::PoolConnection};
use uuid::Uuid;

use super::Successes;
use crate::{
    delivery::record::sqlite::push_finish,
    lane::health::KNOWN_WITHIN_MS,
    rows::sqlite::{ROWS, push_list, push_list_of, push_rows},
};

/// The statement whose changes are the deliveries that were moved.
const MOVES: usize = 0;
/// Places for lanes, so that statements have few lengths here, too.
const LANES: [usize; 5] = [1, 4, 16, 64, ROWS];

/// Returns how many were moved: none when a lane is not well, or when there are too many for one statement.
pub(super) async fn record(
    successes: &Successes<'_>,
    writer: PoolConnection<Sqlite>,
    now: i64,
) -> Result<u64> {
    if successes.rows.len() > ROWS {
        return Ok(0);
    }
    let lanes: Vec<(Uuid, i64)> = successes.lanes().into_iter().collect();
    let ids: Vec<Uuid> = lanes.iter().map(|(id, _)| *id).collect();
    let succeeded = (DeliveryState::Succeeded, None);
    let finished: Vec<_> = successes.rows.iter().map(|(result, _)| (*result, succeeded)).collect();
    let deliveries: Vec<Uuid> = successes.rows.iter().map(|(result, _)| result.delivery.id).collect();

    let mut record = BatchTransaction::durable();
    let copy = record.statement();
    push_finish(copy, &finished, now);
    copy.push(" WHERE NOT EXISTS (SELECT 1 FROM lane WHERE (failures > 0 OR breaker_until > 0) AND id IN ");
    push_list_of(copy, &ids, LANES.into_iter().find(|places| *places >= ids.len()).unwrap_or(ids.len()));
    copy.push(")");
    delete(record.statement(), &deliveries);
    update_lanes(record.statement(), &lanes);
    Ok(record.run(writer).await?.changes[MOVES])
}

/// Those that were copied.
fn delete(delete: &mut QueryBuilder<Sqlite>, deliveries: &[Uuid]) {
    delete.push(
        "DELETE FROM delivery
        WHERE EXISTS (SELECT 1 FROM finished_delivery f WHERE f.id = delivery.id AND f.claim = delivery.claim) AND id IN ",
    );
    push_list(delete, deliveries);
}

/// A lane that is well is written once a second at most.
fn update_lanes(update: &mut QueryBuilder<Sqlite>, lanes: &[(Uuid, i64)]) {
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
