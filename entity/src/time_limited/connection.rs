//! A SQLite connection whose statements end at a deadline. The deadline never outlives the read that set it: a
//! connection goes back to its pool without one, or not at all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Error, Sqlite, SqliteConnection, pool::PoolConnection};

/// Steps of SQLite's machine between two checks of the deadline: some tenths of a millisecond.
const STEPS: i32 = 10_000;

/// A pooled connection with a progress handler. Dropped before [`Self::finish`] has returned, it interrupts the statement
/// that runs and closes the connection; the pool opens another one.
pub(super) struct TimeLimited {
    connection: PoolConnection<Sqlite>,
    abandoned: Arc<AtomicBool>,
    limited: bool,
}

impl TimeLimited {
    /// Ends every statement on `connection` that still runs when `longest` has passed.
    ///
    /// # Errors
    /// When the connection's thread is gone.
    pub(super) async fn start(connection: PoolConnection<Sqlite>, longest: Duration) -> Result<Self, Error> {
        let abandoned = Arc::new(AtomicBool::new(false));
        let mut limited = Self { connection, abandoned: abandoned.clone(), limited: true };
        let started = Instant::now();
        let goes_on = move || !abandoned.load(Ordering::Relaxed) && started.elapsed() < longest;
        limited.connection.lock_handle().await?.set_progress_handler(STEPS, goes_on);
        Ok(limited)
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Removes the deadline and returns the connection to its pool.
    ///
    /// # Errors
    /// When the connection's thread is gone; then the connection is closed.
    pub(super) async fn finish(mut self) -> Result<(), Error> {
        self.connection.lock_handle().await?.remove_progress_handler();
        self.limited = false;
        Ok(())
    }
}

impl Drop for TimeLimited {
    fn drop(&mut self) {
        if self.limited {
            self.abandoned.store(true, Ordering::Relaxed);
            self.connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests {

    use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

    use super::super::on_sqlite;
    use crate::sql_builder::SqlBuilder;

    /// More steps than there are between two checks of the deadline.
    const LONG: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) \
         SELECT count(*) FROM n";
    /// Beyond the polls that a search takes.
    const MOST_POLLS: usize = 40;

    async fn one_reader() -> SqlitePool {
        SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.expect("a connection")
    }

    async fn search(pool: &SqlitePool, longest: super::Duration) -> Result<Vec<(i64,)>, super::Error> {
        let mut pieces = SqlBuilder::default();
        pieces.sql("SELECT 1");
        on_sqlite(pool, &pieces, 0, longest).await
    }

    /// Drops a search after each number of polls, wherever it stands then; its deadline has passed by that time.
    #[tokio::test]
    async fn a_caller_who_leaves_leaves_no_deadline_behind() {
        let pool = one_reader().await;
        for polls in 0..MOST_POLLS {
            let mut search = Box::pin(search(&pool, super::Duration::ZERO));
            for _ in 0..polls {
                if futures_util::poll!(search.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(search);
            let counted = sqlx::query_scalar::<_, i64>(LONG).fetch_one(&pool).await;
            assert_eq!(counted.expect("no deadline is left"), 100_000, "dropped after {polls} polls");
        }
    }

    #[tokio::test]
    async fn a_long_search_is_interrupted_and_its_connection_is_used_again() {
        let pool = one_reader().await;
        let mut pieces = SqlBuilder::default();
        pieces.sql(LONG);
        let slow = on_sqlite::<(i64,)>(&pool, &pieces, 0, super::Duration::ZERO).await.expect_err("too slow");
        assert!(super::super::is_timeout(&slow), "{slow}");
        let counted = sqlx::query_scalar::<_, i64>(LONG).fetch_one(&pool).await;
        assert_eq!(counted.expect("no deadline is left"), 100_000);
    }
}
