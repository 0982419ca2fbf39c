//! Dead letters: moved away from the days that end, with their payload, and forgotten when their own time is over.

use domain::{clock::Millis, id::first_id_at};
use platform::database::{Database, DatabaseError, Tx, within_deadline};
use sqlx::{PgConnection, SqliteConnection};
use uuid::Uuid;

use crate::either::on_writer;

/// Dead letters that one transaction moves: each may carry 256 KiB.
const MOVED_AT_ONCE: i64 = 200;
/// Dead letters that one statement forgets.
const FORGOTTEN_AT_ONCE: i64 = 500;

/// Its columns, as both dialects write them; `f` is the finished delivery, `e` its event.
macro_rules! dead_letter_of {
    ($from:literal) => {
        concat!(
            "INSERT INTO dead_letter (id, event_id, user_id, lane_id, channel, recipient_id, event_type, body, reason,
                 position, attempts, claim, status_code, error, created_at, finished_at)
             SELECT f.id, f.event_id, f.user_id, f.lane_id, f.channel, f.recipient_id, coalesce(e.event_type, ''),
                 coalesce(f.body, e.body), f.reason, f.position, f.attempts, f.claim,
                 (SELECT a.status_code FROM attempt a WHERE a.delivery_id = f.id ORDER BY a.number DESC LIMIT 1),
                 (SELECT a.error FROM attempt a WHERE a.delivery_id = f.id ORDER BY a.number DESC LIMIT 1),
                 f.created_at, f.finished_at
             FROM ",
            $from
        )
    };
}

/// Moves some of the dead letters that came in, or whose event came in, before `cutoff`, in one transaction; returns how many.
///
/// # Errors
/// Those of the database.
pub async fn move_some_before(database: &Database, cutoff: Millis) -> Result<u64, DatabaseError> {
    within_deadline(move_some(database, first_id_at(cutoff))).await
}

async fn move_some(database: &Database, cutoff: Uuid) -> Result<u64, DatabaseError> {
    let mut tx = database.begin().await?;
    let moved = match &mut tx {
        Tx::Postgres(tx) => postgres(tx, cutoff).await?,
        Tx::Sqlite(tx) => sqlite(tx, cutoff).await?,
    };
    tx.commit().await?;
    Ok(moved)
}

// One statement: a row that is retried by hand meanwhile is either moved or left alone.
async fn postgres(tx: &mut PgConnection, cutoff: Uuid) -> sqlx::Result<u64> {
    const SQL: &str = concat!(
        "WITH f AS (
            DELETE FROM finished_delivery WHERE id = ANY(ARRAY(
                SELECT id FROM finished_delivery WHERE state = 'dead' AND (id < $1 OR event_id < $1) LIMIT $2
            )) AND state = 'dead' RETURNING *
        ) ",
        dead_letter_of!("f LEFT JOIN event e ON e.id = f.event_id ON CONFLICT (id) DO NOTHING")
    );
    Ok(sqlx::query(SQL).bind(cutoff).bind(MOVED_AT_ONCE).execute(tx).await?.rows_affected())
}

async fn sqlite(tx: &mut SqliteConnection, cutoff: Uuid) -> sqlx::Result<u64> {
    const INSERT: &str = dead_letter_of!(
        "(SELECT * FROM finished_delivery WHERE state = 'dead' AND (id < $1 OR event_id < $1) LIMIT $2) f
         LEFT JOIN event e ON e.id = f.event_id WHERE true ON CONFLICT (id) DO NOTHING"
    );
    const DELETE: &str = "DELETE FROM finished_delivery WHERE state = 'dead' AND (id < $1 OR event_id < $1)
        AND EXISTS (SELECT 1 FROM dead_letter d WHERE d.id = finished_delivery.id)";
    sqlx::query(INSERT).bind(cutoff).bind(MOVED_AT_ONCE).execute(&mut *tx).await?;
    Ok(sqlx::query(DELETE).bind(cutoff).execute(tx).await?.rows_affected())
}

/// Forgets some of the dead letters that died before `cutoff`; returns how many.
///
/// # Errors
/// Those of the database.
pub async fn forget_some_before(database: &Database, cutoff: Millis) -> Result<u64, DatabaseError> {
    const SQL: &str = "DELETE FROM dead_letter
        WHERE id IN (SELECT id FROM dead_letter WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)";
    Ok(on_writer!(database, pool => {
        sqlx::query(SQL).bind(cutoff.0).bind(FORGOTTEN_AT_ONCE).execute(pool).await?.rows_affected()
    }))
}
