//! Replays: pages of new deliveries of events that were delivered, or given up, before. Safe in many workers: a page's
//! deliveries and the cursor move in one transaction with the replay's row locked, so a page is made once or not at all.

mod postgres;
mod sqlite;

use domain::{
    id::DeliveryId,
    replay::{AHEAD_MS, PAGE, pace},
};
use entity::{replay::Model, replay::queries::Candidate};
use platform::{
    context::Context,
    database::{DatabaseError, Pool, within_deadline},
    telemetry::names,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::due::DueSignal;

/// Works replays until `stop`, whenever a scan finds one that may go on.
pub async fn replays(context: Context, due: DueSignal, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let worked = step(&context).await.unwrap_or_else(|error| {
            metrics::counter!(names::DATABASE_ERRORS).increment(1);
            warn!(%error, "a page of a replay was not made");
            false
        });
        if !worked {
            due.wait(&stop).await;
        }
    }
}

/// Makes the next page of a replay that may go on; whether there was one.
///
/// # Errors
/// Those of the database; then the page was not made, unless the commit's outcome is unknown: the row tells.
pub async fn step(context: &Context) -> Result<bool, DatabaseError> {
    let time = context.database.statement_time(&context.clock);
    let made = match context.database.pool() {
        Pool::Postgres(pool) => within_deadline(postgres::step(pool, time)).await?,
        Pool::Sqlite(pool) => {
            let reader = context.database.reader().get_sqlite_connection_pool();
            sqlite::step(pool, reader, time).await?
        }
    };
    if let Some(made) = &made {
        if made.count > 0 {
            context.queue.wake();
        }
        if made.is_last {
            info!(replay_id = %made.replay, "replay done");
        }
    }
    Ok(made.is_some())
}

/// What was made.
struct Made {
    replay: Uuid,
    count: u64,
    is_last: bool,
}

/// A page of a replay, decided before it is written.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    /// Finished delivery, its successor's id, when that one is due.
    rows: Vec<(Uuid, Uuid, i64)>,
    /// How many were looked at.
    seen: i64,
    /// The last of them.
    cursor: Uuid,
    /// When the next new delivery may be due.
    next_at: i64,
    /// Whether nothing is left behind it.
    is_last: bool,
}

impl Page {
    /// As much of `candidates` as a second of the replay's pace allows. `now` is the database's time.
    fn of(replay: &Model, candidates: &[Candidate], now: i64) -> Self {
        let most = usize::try_from(replay.rate).unwrap_or(1).max(1);
        let fits = candidates.iter().scan(0, |alive, candidate| {
            *alive += usize::from(candidate.alive);
            (*alive <= most).then_some(candidate)
        });
        let seen: Vec<&Candidate> = fits.collect();
        let alive: Vec<Uuid> = seen.iter().filter(|one| one.alive).map(|one| one.id).collect();
        let (due, next_at) = pace(replay.next_at.max(now), replay.rate, alive.len());
        let rows = alive.into_iter().zip(due).map(|(old, due)| (old, DeliveryId::new().0, due));
        Self {
            rows: rows.collect(),
            seen: i64::try_from(seen.len()).unwrap_or(i64::MAX),
            cursor: seen.last().map_or(replay.cursor, |last| last.id),
            next_at,
            is_last: seen.len() == candidates.len() && i64::try_from(seen.len()).is_ok_and(|n| n < PAGE),
        }
    }
}

/// Replays whose next delivery is due within this time may go on, in ms.
const fn ahead_of(now: i64) -> i64 {
    now.saturating_add(AHEAD_MS)
}

#[cfg(test)]
mod tests;
