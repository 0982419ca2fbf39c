//! A transaction on SQLite whose statements go to the connection's thread together. Statement by statement, each takes a
//! message there and one back, the writer stands still between them, and `BEGIN` and `COMMIT` wait for a handshake besides.

use futures_util::{TryStreamExt, stream::BoxStream};
use sqlx::{
    Either, Executor, QueryBuilder, Result, Sqlite,
    pool::PoolConnection,
    sqlite::{SqliteQueryResult, SqliteRow},
};

/// A transaction that writes, to be filled with statements and carried out at once.
pub struct BatchTransaction {
    query: QueryBuilder<Sqlite>,
    /// Statements before the first one of the caller's.
    before: usize,
    /// All statements up to and without the commit.
    statements: usize,
    after: &'static str,
}

/// What a transaction came to.
#[derive(Debug, Default)]
pub struct Done {
    /// Every row that a statement gave, in order.
    pub rows: Vec<SqliteRow>,
    /// Rows that each statement changed, in order. For a statement that changes none, without meaning.
    pub changes: Vec<u64>,
}

/// A transaction was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum BatchTransactionError {
    /// Nothing was written.
    #[error(transparent)]
    NotWritten(sqlx::Error),
    /// It broke during the commit: it may have been written.
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
    /// A transaction that is on the disk when it is done.
    #[must_use]
    pub fn durable() -> Self {
        Self { query: QueryBuilder::new("BEGIN IMMEDIATE"), before: 1, statements: 1, after: "; COMMIT" }
    }

    /// A transaction whose commit does not wait for the disk: it is on it with the next one that does. For what may be lost
    /// with the machine's power because the next start forgets it anyway: claims. Never for what somebody was told.
    #[must_use]
    pub fn hasty() -> Self {
        let query = QueryBuilder::new("PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE");
        Self { query, before: 2, statements: 2, after: "; COMMIT; PRAGMA synchronous = FULL" }
    }

    /// Begins the next statement: the caller pushes it.
    pub fn statement(&mut self) -> &mut QueryBuilder<Sqlite> {
        self.statements += 1;
        self.query.push("; ")
    }

    /// Carries it out on the connection that writes. If this does not go well to the end, the connection is closed, which
    /// rolls back what was not committed and forgets whether commits wait; the pool opens another one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn run(mut self, writer: PoolConnection<Sqlite>) -> Result<Done, BatchTransactionError> {
        let mut writer = Doubtful { connection: writer, went_well: false };
        self.query.push(self.after);
        let mut done = Done::default();
        match done.fill(writer.connection.fetch_many(self.query.build())).await {
            Ok(()) => {
                writer.went_well = true;
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

impl Done {
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

/// A connection that goes back to its pool only when all went well; also when its caller has gone away.
struct Doubtful {
    connection: PoolConnection<Sqlite>,
    went_well: bool,
}

impl Drop for Doubtful {
    fn drop(&mut self) {
        if !self.went_well {
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

        async fn run(&self, transaction: BatchTransaction) -> Result<Done, BatchTransactionError> {
            transaction.run(self.pool().acquire().await.expect("the writer")).await
        }

        /// How many rows there are, and how commits wait (2 is `FULL`).
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
    async fn rows_and_changes_are_told_by_statement() {
        let file = File::new().await;
        for (kind, first) in
            [(BatchTransaction::durable as fn() -> BatchTransaction, 1), (BatchTransaction::hasty, 11)]
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
        for kind in [BatchTransaction::durable, BatchTransaction::hasty] {
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
    async fn when_the_commit_fails_nobody_knows() {
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
    async fn one_that_is_broken_off_leaves_no_hasty_writer_behind() {
        let file = File::new().await;
        for number in 0..20 {
            let mut under_way = Box::pin(file.run(inserting(BatchTransaction::hasty(), &[&[number]])));
            // Let go after so many steps, wherever it stands then.
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
