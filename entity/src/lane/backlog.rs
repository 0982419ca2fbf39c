//! Backlogs that workers report: accepts do not hand over deliveries of these lanes.

use domain::{clock::millis, job::BACKLOG_LASTS};
use platform::{
    clock::Clock,
    database::{Database, DatabaseError, Pool},
};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use crate::rows::sqlite::push_list;

const REPORT: &str = "UPDATE lane SET backlog_until = now_ms() + $2 + $3 WHERE id = ANY(ARRAY(
    SELECT id FROM lane WHERE id = ANY($1) AND backlog_until <= now_ms() + $2 + $3 / 2
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED))";

/// Writes that these lanes have a backlog for [`BACKLOG_LASTS`] from now, unless that was written in the last half of that time.
/// Skips lanes that are locked at that moment.
///
/// # Errors
/// Those of the database.
pub async fn report_backlogs(
    database: &Database,
    clock: &Clock,
    lanes: &[Uuid],
) -> Result<(), DatabaseError> {
    if lanes.is_empty() {
        return Ok(());
    }
    let (time, lasts) = (database.statement_time(clock), millis(BACKLOG_LASTS));
    match database.pool() {
        Pool::Postgres(pool) => {
            sqlx::query(REPORT).bind(lanes).bind(time).bind(lasts).execute(pool).await?;
        }
        Pool::Sqlite(pool) => {
            let mut update = QueryBuilder::<Sqlite>::new("UPDATE lane SET backlog_until = ");
            update.push_bind(time + lasts).push(" WHERE backlog_until <= ").push_bind(time + lasts / 2);
            update.push(" AND id IN ");
            push_list(&mut update, lanes);
            update.build().execute(pool).await?;
        }
    }
    Ok(())
}
