//! The invariant check: looks for rows in a state that must not be, mends what a statement can mend, and counts them.
//! Runs in every worker and by hand (`hookyard doctor`); it changes nothing that is as it should be.

mod checks;

use std::time::Duration;

use domain::clock::Millis;
use platform::{context::Context, database::DatabaseError, telemetry::names};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use checks::Cure;
pub use checks::{CHECKS, Check};

/// How often it looks by itself.
const EVERY: Duration = Duration::from_secs(600);
/// Rows that are counted, and mended by one statement.
const AT_ONCE: i64 = 1_000;
/// Statements of one cure; what is left waits for the next look.
const ROUNDS: usize = 1_000;

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
            Ok(findings) => findings.iter().for_each(tell),
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
        let rows = count(context.database.reader(), check, now).await?;
        if rows > 0 {
            let mended = if mend { cure(context, check, now).await? } else { 0 };
            findings.push(Finding { check, rows: rows.max(mended), mended });
        }
    }
    Ok(findings)
}

fn tell(finding: &Finding) {
    let Finding { check, rows, mended } = finding;
    metrics::counter!(names::INVARIANT_VIOLATIONS, "check" => check.name).increment(*rows);
    warn!(check = check.name, rows, mended, "{}", check.meaning);
}

async fn count(db: &DatabaseConnection, check: &Check, now: Millis) -> Result<u64, DatabaseError> {
    let Check { table, condition, .. } = check;
    let sql = format!(
        "SELECT count(*) AS found FROM (SELECT 1 FROM {table} WHERE {condition} LIMIT {AT_ONCE}) AS few"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [now.0.into()]);
    let row = db.query_one_raw(statement).await?;
    let found: Option<i64> = row.map(|row| row.try_get("", "found")).transpose()?;
    Ok(u64::try_from(found.unwrap_or(0)).unwrap_or(0))
}

/// Mends such rows, some at a time, and returns how many.
async fn cure(context: &Context, check: &Check, now: Millis) -> Result<u64, DatabaseError> {
    let Check { table, condition, .. } = check;
    let some = format!("WHERE id IN (SELECT id FROM {table} WHERE {condition} LIMIT {AT_ONCE})");
    let sql = match check.cure {
        Cure::Set(columns) => format!("UPDATE {table} SET {columns} {some}"),
        Cure::Delete => format!("DELETE FROM {table} {some}"),
        Cure::Wake => {
            context.queue.wake();
            return Ok(0);
        }
    };
    let (db, mut mended) = (context.database.writer(), 0);
    for _ in 0..ROUNDS {
        let statement = Statement::from_sql_and_values(db.get_database_backend(), &sql, [now.0.into()]);
        match db.execute_raw(statement).await?.rows_affected() {
            0 => break,
            some => mended += some,
        }
    }
    Ok(mended)
}
