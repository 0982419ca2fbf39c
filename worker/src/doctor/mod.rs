//! The invariant check: looks for rows in a state that must not be, mends what a statement can mend, and counts them.
//! Runs in every worker and by hand (`hookyard doctor`); it changes nothing that is as it should be.

use std::time::Duration;

use domain::clock::Millis;
use platform::{context::Context, database::DatabaseError, telemetry::names};
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use entity::invariants::{CHECKS, Check};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(600);

/// Rows that must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check found them.
    pub check: &'static Check,
    /// How many; 1,000 may be more when nothing was mended.
    pub rows: u64,
    /// How many of them were mended.
    pub mended: u64,
}

/// Looks and mends every ten minutes, until `stop`.
pub async fn doctor(context: Context, stop: CancellationToken) {
    // From zero on, so that the first finding shows as an increase.
    for check in CHECKS {
        metrics::counter!(names::INVARIANT_VIOLATIONS, "check" => check.name).increment(0);
    }
    while !stop.is_cancelled() {
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
        match examine(&context, true).await {
            Ok(findings) => findings.iter().for_each(report),
            Err(error) => {
                metrics::counter!(names::DATABASE_ERRORS).increment(1);
                warn!(%error, "the database was not examined");
            }
        }
    }
}

/// Makes every check, and mends what it finds if `mend` says so. Safe beside running processes.
///
/// # Errors
/// Those of the database.
pub async fn examine(context: &Context, mend: bool) -> Result<Vec<Finding>, DatabaseError> {
    let now = context.database.now(&context.clock).await?;
    let mut findings = vec![];
    for check in CHECKS {
        let rows = check.count(&context.database, now).await?;
        if rows > 0 {
            let mended = if mend { cure(context, check, now).await? } else { 0 };
            findings.push(Finding { check, rows: rows.max(mended), mended });
        }
    }
    Ok(findings)
}

fn report(finding: &Finding) {
    let Finding { check, rows, mended } = finding;
    metrics::counter!(names::INVARIANT_VIOLATIONS, "check" => check.name).increment(*rows);
    warn!(check = check.name, rows, mended, "{}", check.meaning);
}

/// Mends such rows, or wakes the workers where no statement can; returns how many were mended.
async fn cure(context: &Context, check: &Check, now: Millis) -> Result<u64, DatabaseError> {
    if check.wakes() {
        context.queue.wake();
    }
    check.mend(&context.database, now).await
}
