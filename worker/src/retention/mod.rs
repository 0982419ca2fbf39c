//! Retention: forgets what is finished and old, and never what is not finished. Dead letters move to a table of their own
//! first, with what was to be sent.

use std::time::Duration;

use domain::clock::{Millis, millis};
use entity::{
    partition::days::{Dropped, days_before, drop_day},
    retention::{dead_letters, pages},
};
use platform::{context::Context, database::DatabaseError, telemetry::names};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use uuid::Uuid;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(3600);
/// Dead letters are kept so many times longer than what arrived: 90 days by default.
pub const DEAD_LETTERS_KEPT: u32 = 3;

/// What a sweep forgot, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Whole days, on Postgres.
    pub days: u64,
    /// Dead letters that moved to their own table.
    pub moved: u64,
    /// Events, finished deliveries, attempts and lines of the error log that were deleted one page after the other.
    pub rows: u64,
    /// Dead letters whose time was over.
    pub dead_letters: u64,
}

/// Sweeps at start and every hour, until `stop`.
pub async fn retention(context: Context, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match sweep(&context, &stop).await {
            Ok(forgotten) => report(forgotten),
            Err(error) => {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, "what is old was not forgotten; the next sweep goes on");
            }
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

/// Forgets all that is older than `RETENTION` says; ends early at `stop`. Safe in many processes at once.
///
/// # Errors
/// Those of the database; what was forgotten until then stays forgotten.
pub async fn sweep(context: &Context, stop: &CancellationToken) -> Result<Forgotten, DatabaseError> {
    let (now, kept) = (context.database.now(&context.clock).await?, context.config.retention);
    let cutoff = Millis(now.0.saturating_sub(millis(kept)));
    let moved = move_dead_letters(context, cutoff, stop).await?;
    let days = drop_days(context, cutoff, stop).await?;
    let rows = forget_rows(context, cutoff, stop).await?;
    let dead_cutoff = Millis(now.0.saturating_sub(millis(kept.saturating_mul(DEAD_LETTERS_KEPT))));
    let dead_letters = forget_dead_letters(context, dead_cutoff, stop).await?;
    Ok(Forgotten { days, moved, rows, dead_letters })
}

async fn move_dead_letters(
    context: &Context,
    cutoff: Millis,
    stop: &CancellationToken,
) -> Result<u64, DatabaseError> {
    let mut moved = 0;
    while !stop.is_cancelled() {
        match dead_letters::move_some_before(&context.database, cutoff).await? {
            0 => break,
            some => moved += some,
        }
    }
    Ok(moved)
}

async fn forget_dead_letters(
    context: &Context,
    cutoff: Millis,
    stop: &CancellationToken,
) -> Result<u64, DatabaseError> {
    let mut forgotten = 0;
    while !stop.is_cancelled() {
        match dead_letters::forget_some_before(&context.database, cutoff).await? {
            0 => break,
            some => forgotten += some,
        }
    }
    Ok(forgotten)
}

/// Drops the days that ended before `cutoff`, oldest first, and returns how many.
async fn drop_days(
    context: &Context,
    cutoff: Millis,
    stop: &CancellationToken,
) -> Result<u64, DatabaseError> {
    let mut dropped = 0;
    for day in days_before(&context.database, cutoff).await? {
        if stop.is_cancelled() {
            break;
        }
        match drop_day(&context.database, &day).await? {
            Dropped::Yes => dropped += 1,
            Dropped::Busy => debug!(day = day.name(), "the day is in use; it is dropped another time"),
            Dropped::Unfinished => {}
        }
    }
    Ok(dropped)
}

/// Forgets what was made before `cutoff` and nothing needs, page by page, and returns how many rows.
async fn forget_rows(
    context: &Context,
    cutoff: Millis,
    stop: &CancellationToken,
) -> Result<u64, DatabaseError> {
    let mut forgotten = 0;
    for table in pages::tables(&context.database) {
        let mut after = Some(Uuid::nil());
        while let Some(behind) = after.filter(|_| !stop.is_cancelled()) {
            let page = table.forget_page(&context.database, behind, cutoff).await?;
            forgotten += page.rows;
            after = page.last;
        }
    }
    Ok(forgotten)
}

fn report(forgotten: Forgotten) {
    if forgotten == Forgotten::default() {
        return;
    }
    let Forgotten { days, moved, rows, dead_letters } = forgotten;
    metrics::counter!(names::FORGOTTEN_ROWS).increment(rows + dead_letters);
    info!(days, moved, rows, dead_letters, "forgot what is old");
}
