//! Invariant violations: rows in a state that must not be are counted, and mended where a statement can mend them.
//! Changes nothing that is as it should be.

mod checks;

use domain::clock::Millis;
use platform::database::{Database, DatabaseError};
use sqlx::AssertSqlSafe;

pub use checks::{CHECKS, Check};

use checks::Cure;

use crate::either::{on_reader, on_writer};

/// Rows that are counted, and mended by one statement.
const AT_ONCE: i64 = 1_000;
/// Statements of one cure; what is left waits for the next look.
const ROUNDS: usize = 1_000;

impl Check {
    /// Whether no statement mends such rows: the workers are to be woken.
    #[must_use]
    pub const fn wakes(&self) -> bool {
        matches!(self.cure, Cure::Wake)
    }

    /// Counts such rows, up to 1,000. `now` is the database's time.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count(&self, database: &Database, now: Millis) -> Result<u64, DatabaseError> {
        let Self { table, condition, .. } = self;
        let sql =
            format!("SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {condition} LIMIT {AT_ONCE}) AS few");
        let found: i64 = on_reader!(database, pool => {
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(now.0).fetch_one(pool).await?
        });
        Ok(u64::try_from(found).unwrap_or(0))
    }

    /// Mends such rows, some at a time, and returns how many; none where no statement can.
    ///
    /// # Errors
    /// Those of the database; what was mended stays so.
    pub async fn mend(&self, database: &Database, now: Millis) -> Result<u64, DatabaseError> {
        let Some(sql) = self.cure_sql() else { return Ok(0) };
        let mut mended = 0;
        for _ in 0..ROUNDS {
            let some = on_writer!(database, pool => {
                sqlx::query(AssertSqlSafe(sql.as_str())).bind(now.0).execute(pool).await?.rows_affected()
            });
            if some == 0 {
                break;
            }
            mended += some;
        }
        Ok(mended)
    }

    fn cure_sql(&self) -> Option<String> {
        let Self { table, condition, .. } = self;
        let some = format!("WHERE id IN (SELECT id FROM {table} WHERE {condition} LIMIT {AT_ONCE})");
        match self.cure {
            Cure::Set(columns) => Some(format!("UPDATE {table} SET {columns} {some}")),
            Cure::Delete => Some(format!("DELETE FROM {table} {some}")),
            Cure::Wake => None,
        }
    }
}
