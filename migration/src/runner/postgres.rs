//! Migrations on Postgres. A step that can't get its locks is rolled back and tried again, so that a long reader or writer
//! delays the migration and not everybody who comes after it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use sea_orm_migration::sea_orm::{
    DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector,
    sqlx::{self, PgConnection, PgPool},
};
use tokio::time::{interval, sleep};

use super::{Direction, Report, next_step, take_step};

/// The number of the advisory lock: any, as long as it stays the same.
const LOCK: i64 = 7_305_804_402_466_843_748;
/// Wait between two tries, so that what queued up behind a try gets through.
const BETWEEN_TRIES: Duration = Duration::from_secs(2);
/// Longest time of trying to get the locks of one step.
const LOCKS_WITHIN: Duration = Duration::from_secs(15 * 60);
/// How often a step that runs says so.
const STILL_RUNNING: Duration = Duration::from_secs(10);
/// SQLSTATE of a lock that could not be had in time.
const NO_LOCK: &str = "55P03";

/// Applies what is missing, or takes one step back, while no other process does; then closes `pool`, whose two connections
/// have no statement timeout and wait for a lock shortly.
///
/// # Errors
/// When the lock can't be had or a migration fails.
pub async fn run_on_postgres(pool: PgPool, direction: Direction, report: Report<'_>) -> anyhow::Result<()> {
    // Of its own and not the pool's: closed on drop, which gives the lock back whatever happens.
    let mut holder = pool.acquire().await?.detach();
    wait_for_turn(&mut holder, report).await?;
    let done = steps(&pool, direction, report).await;
    drop(holder);
    pool.close().await;
    done
}

async fn wait_for_turn(holder: &mut PgConnection, report: Report<'_>) -> anyhow::Result<()> {
    let mut is_first = true;
    loop {
        let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK);
        if lock.fetch_one(&mut *holder).await? {
            return Ok(());
        }
        if std::mem::take(&mut is_first) {
            report("another process migrates; waiting for it");
        }
        sleep(BETWEEN_TRIES).await;
    }
}

async fn steps(pool: &PgPool, direction: Direction, report: Report<'_>) -> anyhow::Result<()> {
    let database = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    while let Some(step) = next_step(&database, direction).await? {
        report(&format!("{step}: begins"));
        let began = Instant::now();
        patiently(&database, direction, &step, report).await.with_context(|| step.clone())?;
        report(&format!("{step}: done after {:.1} s", began.elapsed().as_secs_f64()));
        if direction == Direction::Down {
            break;
        }
    }
    Ok(())
}

async fn patiently(
    database: &DatabaseConnection,
    direction: Direction,
    step: &str,
    report: Report<'_>,
) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        match with_signs_of_life(take_step(database, direction), step, report).await {
            Err(error) if is_without_lock(&error) && began.elapsed() < LOCKS_WITHIN => {
                report(&format!("{step}: a table is in use; trying again in {} s", BETWEEN_TRIES.as_secs()));
                sleep(BETWEEN_TRIES).await;
            }
            Err(error) if is_without_lock(&error) => {
                bail!("a table was in use for {} min: {error}", LOCKS_WITHIN.as_secs() / 60)
            }
            done => return Ok(done?),
        }
    }
}

async fn with_signs_of_life<T>(work: impl Future<Output = T>, step: &str, report: Report<'_>) -> T {
    let began = Instant::now();
    let mut signs = interval(STILL_RUNNING);
    signs.tick().await;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = work.as_mut() => return done,
            _ = signs.tick() => report(&format!("{step}: runs for {} s", began.elapsed().as_secs())),
        }
    }
}

fn is_without_lock(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    error.as_database_error().and_then(|answer| answer.code()).as_deref() == Some(NO_LOCK)
}
