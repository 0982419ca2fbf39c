//! Old rows, one page of ids after the other: all tables on SQLite; on Postgres what lies outside the days.
//! Each page is a transaction of its own, so that the one writer of SQLite is never held for long.

use domain::{clock::Millis, id::first_id_at};
use platform::database::{Database, DatabaseError, Pool};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::either::{on_reader, on_writer};

/// Rows of a page.
const PAGE: i64 = 500;

/// A table, and which of its rows may go.
#[derive(Debug)]
pub struct Aged {
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

/// Returns the tables whose old rows go page by page, in the order in which they go.
#[must_use]
pub fn tables(database: &Database) -> &'static [Aged] {
    match database.pool() {
        Pool::Postgres(_) => POSTGRES,
        Pool::Sqlite(_) => SQLITE,
    }
}

/// A page that was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows that went.
    pub rows: u64,
    /// The last id that was looked at; none when nothing is left before the cutoff.
    pub last: Option<Uuid>,
}

impl Aged {
    /// Forgets what was made before `cutoff` and nothing needs, on the page of ids behind `after`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_page(
        &self,
        database: &Database,
        after: Uuid,
        cutoff: Millis,
    ) -> Result<Page, DatabaseError> {
        let Self { table, free } = self;
        let cutoff = first_id_at(cutoff);
        let last = self.end_of_page(database, after, cutoff).await?;
        let until = last.unwrap_or(cutoff);
        let sql = format!(
            "DELETE FROM {table} AS row WHERE row.id > $1 AND row.id <= $2 AND row.id < $3 AND {free}"
        );
        let rows = on_writer!(database, pool => {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(after).bind(until).bind(cutoff);
            query.execute(pool).await?.rows_affected()
        });
        Ok(Page { rows, last })
    }

    /// The last id of the page behind `after`; none when fewer rows than a page are left before `cutoff`.
    async fn end_of_page(
        &self,
        database: &Database,
        after: Uuid,
        cutoff: Uuid,
    ) -> Result<Option<Uuid>, DatabaseError> {
        let table = self.table;
        let sql = format!("SELECT id FROM {table} WHERE id > $1 AND id < $2 ORDER BY id LIMIT 1 OFFSET $3");
        Ok(on_reader!(database, pool => {
            let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(after).bind(cutoff).bind(PAGE - 1);
            query.fetch_optional(pool).await?
        }))
    }
}
