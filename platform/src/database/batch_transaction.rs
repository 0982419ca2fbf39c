//! A SQLite transaction whose statements go to the connection's thread in one message. Sent one by one, each statement costs
//! a message there and back, the writer idles between them, and `BEGIN` and `COMMIT` wait for a handshake as well.

use futures_util::{TryStreamExt, stream::BoxStream};
use sqlx::{
    Either, Executor, QueryBuilder, Result, Sqlite,
    pool::PoolConnection,
    sqlite::{SqliteQueryResult, SqliteRow},
};

/// A write transaction that is filled with statements and then executed in one step.
pub struct BatchTransaction {
    query: QueryBuilder<Sqlite>,
    /// Statements before the caller's first one.
    before: usize,
    /// All statements before the commit.
    statements: usize,
    after: &'static str,
}

/// The results of a transaction.
#[derive(Debug, Default)]
pub struct BatchOutcome {
    /// Every row that a statement returned, in order.
    pub rows: Vec<SqliteRow>,
    /// The number of rows that each statement changed, in order. Undefined for a statement that changes none.
    pub changes: Vec<u64>,
}

/// A transaction failed.
#[derive(Debug, thiserror::Error)]
pub enum BatchTransactionError {
    /// Nothing was written.
    #[error(transparent)]
    NotWritten(sqlx::Error),
    /// The commit failed: the transaction may have been written.
    #[error(transparent)]
    Unknown(sqlx::Error),
}

impl From<BatchTransactionError> for sqlx::Error {
    fn from(error: BatchTransactionError) -> Self {
        match error {
            BatchTransactionError::NotWritten(error) | BatchTransactionError::Unknown(error) => error,
        }
    }
}

impl BatchTransaction {
    /// Begins a transaction that is on disk when it returns.
    #[must_use]
    pub fn durable() -> Self {
        Self { query: QueryBuilder::new("BEGIN IMMEDIATE"), before: 1, statements: 1, after: "; COMMIT" }
    }

    /// Begins a transaction whose commit does not wait for the disk; the next durable commit writes it as well. For data that a
    /// power failure may lose because a restart discards it anyway: claims. Never for data that a caller was promised.
    #[must_use]
    pub fn async_commit() -> Self {
        let query = QueryBuilder::new("PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE");
        Self { query, before: 2, statements: 2, after: "; COMMIT; PRAGMA synchronous = FULL" }
    }

    /// Begins the next statement; the caller pushes its SQL.
    pub fn statement(&mut self) -> &mut QueryBuilder<Sqlite> {
        self.statements += 1;
        self.query.push("; ")
    }

    /// Executes the transaction on the writer connection. After a failure, or when the caller is dropped, the connection is
    /// closed, which rolls back and resets its commit mode; the pool opens another one.
    ///
    /// # Errors
    /// Returns the errors of the database.
    pub async fn run(
        mut self,
        writer: PoolConnection<Sqlite>,
    ) -> Result<BatchOutcome, BatchTransactionError> {
        let mut writer = CloseOnError { connection: writer, succeeded: false };
        self.query.push(self.after);
        let mut done = BatchOutcome::default();
        match done.fill(writer.connection.fetch_many(self.query.build())).await {
            Ok(()) => {
                writer.succeeded = true;
                done.changes.drain(..self.before);
                done.changes.truncate(self.statements - self.before);
                Ok(done)
            }
            Err(error) if done.changes.len() < self.statements => {
                Err(BatchTransactionError::NotWritten(error))
            }
            Err(error) => Err(BatchTransactionError::Unknown(error)),
        }
    }
}

impl BatchOutcome {
    async fn fill(
        &mut self,
        mut results: BoxStream<'_, Result<Either<SqliteQueryResult, SqliteRow>>>,
    ) -> Result<()> {
        while let Some(result) = results.try_next().await? {
            match result {
                Either::Left(ended) => self.changes.push(ended.rows_affected()),
                Either::Right(row) => self.rows.push(row),
            }
        }
        Ok(())
    }
}

/// Returns a connection to its pool only after success: an error or a dropped caller closes it.
struct CloseOnError {
    connection: PoolConnection<Sqlite>,
    succeeded: bool,
}

impl Drop for CloseOnError {
    fn drop(&mut self) {
        if !self.succeeded {
            self.connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Row, SqlitePool};

    use super::*;
    use crate::database::{Database, DatabaseUrl, Pool};

    struct File {
        database: Database,
        _folder: tempfile::TempDir,
    }

    impl File {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let url = DatabaseUrl::Sqlite(folder.path().join("app.db"));
            let database = Database::connect(&url).await.expect("a database");
            let file = Self { database, _folder: folder };
            sqlx::query("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT")
                .execute(file.pool())
                .await
                .expect("a table");
            file
        }

        fn pool(&self) -> &SqlitePool {
            let Pool::Sqlite(pool) = self.database.pool() else { unreachable!("it is a file") };
            pool
        }

        async fn run(&self, transaction: BatchTransaction) -> Result<BatchOutcome, BatchTransactionError> {
            transaction.run(self.pool().acquire().await.expect("the writer")).await
        }

        /// The number of rows, and the synchronous mode (2 is `FULL`).
        async fn state(&self) -> (i64, i64) {
            let rows =
                sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(self.pool()).await.expect("a count");
            let level =
                sqlx::query_scalar("PRAGMA synchronous").fetch_one(self.pool()).await.expect("a level");
            (rows, level)
        }
    }

    /// One statement after the other, each inserting these numbers.
    fn inserting(mut transaction: BatchTransaction, statements: &[&[i64]]) -> BatchTransaction {
        for numbers in statements {
            let values = |mut row: sqlx::query_builder::Separated<'_, Sqlite, &'static str>, n: &i64| {
                row.push_bind(*n);
            };
            transaction.statement().push("INSERT INTO t (n) ").push_values(*numbers, values);
        }
        transaction
    }

    #[tokio::test]
    async fn rows_and_changes_are_returned_by_statement() {
        let file = File::new().await;
        for (kind, first) in
            [(BatchTransaction::durable as fn() -> BatchTransaction, 1), (BatchTransaction::async_commit, 11)]
        {
            let mut transaction = inserting(kind(), &[&[first, first + 1], &[first + 2]]);
            transaction.statement().push("SELECT n FROM t WHERE n >= ").push_bind(first).push(" ORDER BY n");
            let done = file.run(transaction).await.expect("done");
            assert_eq!(&done.changes[..2], [2, 1]);
            let numbers: Vec<i64> = done.rows.iter().map(|row| row.get(0)).collect();
            assert_eq!(numbers, [first, first + 1, first + 2]);
        }
        assert_eq!(file.state().await, (6, 2));
    }

    #[tokio::test]
    async fn when_a_statement_fails_nothing_is_written_and_the_writer_goes_on() {
        let file = File::new().await;
        for kind in [BatchTransaction::durable, BatchTransaction::async_commit] {
            let failed = file.run(inserting(kind(), &[&[1], &[1]])).await.expect_err("it is there already");
            assert!(
                matches!(failed, BatchTransactionError::NotWritten(sqlx::Error::Database(_))),
                "{failed:?}"
            );
            assert_eq!(file.state().await, (0, 2));
        }
        file.run(inserting(BatchTransaction::durable(), &[&[1]])).await.expect("done");
        assert_eq!(file.state().await, (1, 2));
    }

    #[tokio::test]
    async fn when_the_commit_fails_the_outcome_is_unknown() {
        let file = File::new().await;
        sqlx::query("CREATE TABLE child (n INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED) STRICT")
            .execute(file.pool())
            .await
            .expect("a table");
        let mut orphan = BatchTransaction::durable();
        orphan.statement().push("INSERT INTO child (n) VALUES (").push_bind(7).push(")");
        assert!(matches!(file.run(orphan).await, Err(BatchTransactionError::Unknown(_))));
        file.run(inserting(BatchTransaction::durable(), &[&[1]])).await.expect("done");
    }

    #[tokio::test]
    async fn a_dropped_transaction_leaves_no_writer_with_asynchronous_commits() {
        let file = File::new().await;
        for number in 0..20 {
            let mut under_way = Box::pin(file.run(inserting(BatchTransaction::async_commit(), &[&[number]])));
            // Dropped after this many polls, wherever it is then.
            for _ in 0..number {
                if futures_util::poll!(under_way.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(under_way);
            let (_, level) = file.state().await;
            assert_eq!(level, 2, "after {number} steps");
        }
        file.run(inserting(BatchTransaction::durable(), &[&[100]])).await.expect("done");
    }
}
