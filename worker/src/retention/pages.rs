//! Old rows, one page of ids after the other: all tables on SQLite; on Postgres what lies outside the days.
//! Each page is a transaction of its own, so that the one writer of SQLite is never held for long.

use domain::clock::Millis;
use platform::{
    context::Context,
    database::{DatabaseError, Pool},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{execute, first_id};

/// Rows of a page.
const PAGE: i64 = 500;

/// A table, and which of its rows may go.
struct Aged {
    table: &'static str,
    free: &'static str,
}

const ATTEMPT: &str = "NOT EXISTS (SELECT 1 FROM delivery d WHERE d.id = row.delivery_id)";
const FINISHED: &str = "row.state <> 'dead'";
// Whether under way or dead and not moved yet: a delivery needs its event. So does a broadcast that has yet to make some.
const EVENT: &str = "NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event_id = row.id)
    AND NOT EXISTS (SELECT 1 FROM broadcast b WHERE b.event_id = row.id AND b.state = 'running')
    AND NOT EXISTS (SELECT 1 FROM finished_delivery f WHERE f.event_id = row.id AND f.state = 'dead')";
// A notice's broadcast says that it went out, as long as there is the notice.
const BROADCAST: &str = "row.state = 'done'
    AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.id = row.notice_id)";
// A dead letter that is retried goes on where it stopped.
const PROGRESS: &str = "NOT EXISTS (SELECT 1 FROM delivery d WHERE d.id = row.id)
    AND NOT EXISTS (SELECT 1 FROM finished_delivery f WHERE f.id = row.id AND f.state = 'dead')
    AND NOT EXISTS (SELECT 1 FROM dead_letter l WHERE l.id = row.id)";

const SQLITE: &[Aged] = &[
    Aged { table: "attempt", free: ATTEMPT },
    Aged { table: "finished_delivery", free: FINISHED },
    Aged { table: "event", free: EVENT },
    Aged { table: "error_log", free: "true" },
    Aged { table: "broadcast", free: BROADCAST },
    Aged { table: "delivery_progress", free: PROGRESS },
];
const POSTGRES: &[Aged] = &[
    Aged { table: "attempt_default", free: ATTEMPT },
    Aged { table: "finished_delivery_default", free: FINISHED },
    Aged { table: "event_default", free: EVENT },
    Aged { table: "error_log", free: "true" },
    Aged { table: "broadcast", free: BROADCAST },
    Aged { table: "delivery_progress", free: PROGRESS },
];

/// Forgets what was made before `cutoff` and nothing needs, and returns how many rows.
pub(super) async fn forget_before(
    context: &Context,
    cutoff: Millis,
    stop: &CancellationToken,
) -> Result<u64, DatabaseError> {
    let tables = match context.database.pool() {
        Pool::Postgres(_) => POSTGRES,
        Pool::Sqlite(_) => SQLITE,
    };
    let mut forgotten = 0;
    for aged in tables {
        forgotten += forget(context, aged, first_id(cutoff), stop).await?;
    }
    Ok(forgotten)
}

async fn forget(
    context: &Context,
    aged: &Aged,
    cutoff: Uuid,
    stop: &CancellationToken,
) -> Result<u64, DatabaseError> {
    let Aged { table, free } = aged;
    let sql =
        format!("DELETE FROM {table} AS row WHERE row.id > $1 AND row.id <= $2 AND row.id < $3 AND {free}");
    let (mut after, mut forgotten) = (Uuid::nil(), 0);
    while !stop.is_cancelled() {
        let last = end_of_page(context.database.reader(), table, after, cutoff).await?;
        let until = last.unwrap_or(cutoff);
        let values = [after.into(), until.into(), cutoff.into()];
        forgotten += execute(context.database.writer(), &sql, values).await?;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(forgotten)
}

/// The last id of the page behind `after`; none when fewer rows than a page are left before `cutoff`.
async fn end_of_page(
    db: &DatabaseConnection,
    table: &str,
    after: Uuid,
    cutoff: Uuid,
) -> Result<Option<Uuid>, DatabaseError> {
    let sql = format!("SELECT id FROM {table} WHERE id > $1 AND id < $2 ORDER BY id LIMIT 1 OFFSET $3");
    let values = [after.into(), cutoff.into(), (PAGE - 1).into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = db.query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get("", "id")).transpose()?)
}
