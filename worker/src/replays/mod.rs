//! Replays: pages of new deliveries of events that were delivered, or given up, before. Safe in many workers: a page's
//! deliveries and the cursor move in one transaction with the replay's row locked, so a page is made once or not at all.

use domain::{
    id::DeliveryId,
    replay::{PAGE, pace},
};
use entity::replay::{
    Model,
    page::{Page, next},
    queries::Candidate,
};
use platform::{context::Context, database::DatabaseError, telemetry::names};
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
    let (database, time) = (&context.database, context.database.statement_time(&context.clock));
    let Some(next) = next(database, time).await? else { return Ok(false) };
    let page = page_of(&next.replay, &next.candidates, next.now);
    let replay_id = next.replay.id;
    // None: it was paused, or another page was made meanwhile.
    let Some(count) = next.write(database, &page).await? else { return Ok(true) };
    if count > 0 {
        context.queue.wake();
    }
    if page.is_last {
        info!(%replay_id, "replay done");
    }
    Ok(true)
}

/// As much of `candidates` as a second of the replay's pace allows. `now` is the database's time.
fn page_of(replay: &Model, candidates: &[Candidate], now: i64) -> Page {
    let most = usize::try_from(replay.rate).unwrap_or(1).max(1);
    let fits = candidates.iter().scan(0, |alive, candidate| {
        *alive += usize::from(candidate.alive);
        (*alive <= most).then_some(candidate)
    });
    let seen: Vec<&Candidate> = fits.collect();
    let alive: Vec<Uuid> = seen.iter().filter(|one| one.alive).map(|one| one.id).collect();
    let (due, next_at) = pace(replay.next_at.max(now), replay.rate, alive.len());
    let rows = alive.into_iter().zip(due).map(|(old, due)| (old, DeliveryId::new().0, due));
    Page {
        rows: rows.collect(),
        seen: i64::try_from(seen.len()).unwrap_or(i64::MAX),
        cursor: seen.last().map_or(replay.cursor, |last| last.id),
        next_at,
        is_last: seen.len() == candidates.len() && i64::try_from(seen.len()).is_ok_and(|n| n < PAGE),
    }
}

#[cfg(test)]
mod tests;
