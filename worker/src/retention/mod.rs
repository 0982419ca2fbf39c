//! Retention: forgets what is finished and old, and never what is not finished. Dead letters move to a table of their own
//! first, with what was to be sent.

mod days;
mod dead;
mod pages;

use std::time::Duration;

use domain::clock::{Millis, millis};
use platform::{
    context::Context,
    database::{DatabaseError, Pool},
    telemetry::names,
};
use sea_orm::{ConnectionTrait, Statement, Value};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
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
            Ok(forgotten) => tell(forgotten),
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
    let mut forgotten =
        Forgotten { moved: dead::move_before(context, cutoff, stop).await?, ..Forgotten::default() };
    if let Pool::Postgres(pool) = context.database.pool() {
        forgotten.days = days::drop_before(pool, cutoff, stop).await?;
    }
    forgotten.rows = pages::forget_before(context, cutoff, stop).await?;
    let dead_cutoff = Millis(now.0.saturating_sub(millis(kept.saturating_mul(DEAD_LETTERS_KEPT))));
    forgotten.dead_letters = dead::forget_before(context, dead_cutoff, stop).await?;
    Ok(forgotten)
}

fn tell(forgotten: Forgotten) {
    if forgotten == Forgotten::default() {
        return;
    }
    let Forgotten { days, moved, rows, dead_letters } = forgotten;
    metrics::counter!(names::FORGOTTEN_ROWS).increment(rows + dead_letters);
    info!(days, moved, rows, dead_letters, "forgot what is old");
}

/// The smallest UUIDv7 of a moment: what was made before has a smaller id (RFC 9562, section 5.7).
fn first_id(at: Millis) -> Uuid {
    let milliseconds = u128::try_from(at.0.clamp(0, (1 << 48) - 1)).unwrap_or(0);
    Uuid::from_u128(milliseconds << 80)
}

/// Runs a statement that both databases read alike.
async fn execute(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DatabaseError> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(db.execute_raw(statement).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_of_a_moment_is_above_all_before_and_below_all_after() {
        let at = |ms: u64| Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, ms / 1_000, 0));
        let first = first_id(Millis(1_800_000_000_000));
        assert!(at(1_799_999_999_000) < first);
        assert!(first < at(1_800_000_000_000));
        assert_eq!(first_id(Millis(-5)), Uuid::nil());
    }
}
