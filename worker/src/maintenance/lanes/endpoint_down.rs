//! The schedule's clock runs while a breaker is open: a delivery whose whole schedule has passed is dead, `endpoint_down`.
//! It stands still while the lane is paused or disabled, and starts again when it is resumed.

use domain::{
    clock::millis,
    delivery::{DeadReason, DeliveryState, RetrySchedule},
};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, Tx, within_deadline},
};
use sqlx::{PgConnection, QueryBuilder, Result, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{
    BATCH, BATCHES,
    dead_letters::{self, End},
};

/// Lanes that one statement asks for.
const LANES: i64 = 500;

const BROKEN: &str = "SELECT l.id, l.resumed_at, e.retry_schedule FROM lane l LEFT JOIN endpoint e ON e.id = l.id
    WHERE (l.state <> 'active' OR l.breaker_until > 0) AND l.state = 'active' AND l.id > $1 ORDER BY l.id LIMIT $2";

const END: End = End {
    state: DeliveryState::Dead,
    reason: DeadReason::EndpointDown,
    message: Some("its whole schedule passed while its endpoint failed (dead: endpoint_down)"),
};

/// Broken lanes, and before when a delivery must have been accepted for its schedule to have passed.
type Cutoffs = Vec<(Uuid, i64)>;

/// Buries them; returns how many.
///
/// # Errors
/// Those of the database; what was buried stays so.
pub async fn bury_endpoint_down(context: &Context) -> Result<u64, DatabaseError> {
    let now = context.database.now(&context.clock).await?.0;
    let (mut after, mut buried) = (Uuid::nil(), 0);
    loop {
        let lanes = broken(context, after).await?;
        let Some((last, _, _)) = lanes.last() else { return Ok(buried) };
        after = *last;
        buried += bury_of(context, &cutoffs(context, lanes, now), now).await?;
    }
}

async fn broken(context: &Context, after: Uuid) -> Result<Vec<(Uuid, i64, Option<String>)>, DatabaseError> {
    Ok(match context.database.pool() {
        Pool::Postgres(pool) => sqlx::query_as(BROKEN).bind(after).bind(LANES).fetch_all(pool).await?,
        Pool::Sqlite(_) => {
            let reader = context.database.reader().get_sqlite_connection_pool();
            sqlx::query_as(BROKEN).bind(after).bind(LANES).fetch_all(reader).await?
        }
    })
}

fn cutoffs(context: &Context, lanes: Vec<(Uuid, i64, Option<String>)>, now: i64) -> Cutoffs {
    let setting = &context.config.retry_schedule;
    let cutoff = |own: Option<String>| {
        let own = own.and_then(|text| RetrySchedule::from_seconds(&text).ok());
        now.saturating_sub(millis(own.as_ref().unwrap_or(setting).total()))
    };
    let lanes = lanes.into_iter().map(|(id, resumed_at, own)| (id, resumed_at, cutoff(own)));
    lanes.filter(|(_, resumed_at, cutoff)| resumed_at <= cutoff).map(|(id, _, cutoff)| (id, cutoff)).collect()
}

async fn bury_of(context: &Context, cutoffs: &Cutoffs, now: i64) -> Result<u64, DatabaseError> {
    let mut buried = 0;
    for _ in 0..BATCHES {
        if cutoffs.is_empty() {
            break;
        }
        let (moved, more) = within_deadline(batch(context, cutoffs, now)).await?;
        buried += moved;
        if !more {
            break;
        }
    }
    Ok(buried)
}

async fn batch(context: &Context, cutoffs: &Cutoffs, now: i64) -> Result<(u64, bool), DatabaseError> {
    let mut tx = context.database.begin().await?;
    let ids = match &mut tx {
        Tx::Postgres(tx) => pick_postgres(tx, cutoffs, now).await?,
        Tx::Sqlite(tx) => pick_sqlite(tx, cutoffs, now).await?,
    };
    let moved = dead_letters::picked(tx, &ids, END, now).await?;
    Ok((moved, i64::try_from(ids.len()).is_ok_and(|picked| picked >= BATCH)))
}

// One that was never tried since it was made, put off or retried by hand counts from when it was due.
const WHOLE_SCHEDULE_PASSED: &str =
    " WHERE l.state = 'active' AND l.breaker_until > 0 AND d.created_at <= down.cutoff
    AND (d.position > 0 OR d.due_at <= down.cutoff) AND ";

async fn pick_postgres(tx: &mut PgConnection, cutoffs: &Cutoffs, now: i64) -> Result<Vec<Uuid>> {
    let (lanes, cutoffs): (Vec<Uuid>, Vec<i64>) = cutoffs.iter().copied().unzip();
    let mut pick = QueryBuilder::new("SELECT d.id FROM unnest(");
    pick.push_bind(lanes).push("::uuid[], ").push_bind(cutoffs);
    pick.push("::bigint[]) AS down (lane_id, cutoff) JOIN lane l ON l.id = down.lane_id JOIN delivery d ON d.lane_id = l.id");
    pick.push(WHOLE_SCHEDULE_PASSED).push("d.due_at <= ").push_bind(now);
    pick.push(" AND d.lease_until <= ").push_bind(now);
    pick.push(" LIMIT ").push_bind(BATCH).push(" FOR UPDATE OF d SKIP LOCKED");
    pick.build_query_scalar().fetch_all(tx).await
}

async fn pick_sqlite(tx: &mut SqliteConnection, cutoffs: &Cutoffs, now: i64) -> Result<Vec<Uuid>> {
    let mut pick = QueryBuilder::<Sqlite>::new("WITH down (lane_id, cutoff) AS (");
    pick.push_values(cutoffs, |mut values, (lane, cutoff)| {
        values.push_bind(*lane).push_bind(*cutoff);
    });
    pick.push(
        ") SELECT d.id FROM down JOIN lane l ON l.id = down.lane_id JOIN delivery d ON d.lane_id = l.id",
    );
    pick.push(WHOLE_SCHEDULE_PASSED).push("d.due_at <= ").push_bind(now);
    pick.push(" AND d.lease_until <= ").push_bind(now).push(" LIMIT ").push_bind(BATCH);
    pick.build_query_scalar().fetch_all(tx).await
}
