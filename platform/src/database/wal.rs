//! Truncates SQLite's write-ahead log (WAL). SQLite restarts the log only when no reader needs it; while reads overlap, it
//! grows. This task truncates it while writes are briefly blocked.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, Result, sqlite::SqliteConnectOptions};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// Bytes above which the log is truncated; SQLite cuts it to this size when it restarts the log on its own.
pub(super) const SIZE_LIMIT: u64 = 64 * 1_024 * 1_024;
/// How often the size is checked.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// Longest time that writes are blocked.
const WAIT: Duration = Duration::from_millis(100);
/// The same when the log is several times too large.
const LONG_WAIT: Duration = Duration::from_secs(1);
/// The multiple of [`SIZE_LIMIT`] above which [`LONG_WAIT`] applies.
const LONG_WAIT_FACTOR: u64 = 4;

/// Keeps the log of `database` near [`SIZE_LIMIT`] until `stop`.
pub(super) async fn keep_small(database: &Path, stop: &CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(CHECK_EVERY)).await.is_some() {
        let size = size(database);
        if size <= SIZE_LIMIT {
            continue;
        }
        let wait = if size > SIZE_LIMIT * LONG_WAIT_FACTOR { LONG_WAIT } else { WAIT };
        match truncate(database, wait).await {
            Ok(true) => debug!(bytes = size, "truncated the write-ahead log"),
            Ok(false) => debug!(bytes = size, "the write-ahead log is in use; will truncate it later"),
            Err(error) => warn!(%error, "could not truncate the write-ahead log"),
        }
    }
}

/// Checkpoints the log and truncates it to zero bytes, on a connection of its own so that its settings don't leak. Returns
/// false when readers prevented it. Blocks writes for at most `wait` plus the time of the checkpoint.
async fn truncate(database: &Path, wait: Duration) -> Result<bool> {
    let options = SqliteConnectOptions::new().filename(database).busy_timeout(wait);
    let mut connection = options.connect().await?;
    let (busy, _, _): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(busy == 0)
}

fn size(database: &Path) -> u64 {
    let mut log = OsString::from(database);
    log.push("-wal");
    PathBuf::from(log).metadata().map_or(0, |log| log.len())
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::database::{Database, DatabaseUrl, Pool};

    const MIB: u64 = 1_024 * 1_024;

    async fn write(writer: &sqlx::SqlitePool, mib: u32) {
        for _ in 0..mib {
            sqlx::query("INSERT INTO t (b) VALUES (zeroblob(1048576))")
                .execute(writer)
                .await
                .expect("written");
        }
    }

    #[tokio::test]
    async fn a_log_that_grew_under_a_reader_is_cut_when_it_has_gone_and_writes_never_wait_long() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.db");
        let database = Database::connect(&DatabaseUrl::Sqlite(path.clone())).await.expect("a database");
        let Pool::Sqlite(writer) = database.pool() else { unreachable!("it is a file") };
        writer.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB) STRICT").await.expect("a table");
        write(writer, 1).await;
        let mut reader = database.reader().get_sqlite_connection_pool().begin().await.expect("begun");
        sqlx::query("SELECT count(*) FROM t").fetch_one(&mut *reader).await.expect("it reads");
        write(writer, 20).await;
        assert!(size(&path) > 16 * MIB, "what the reader does not know yet is in the log");

        let began = Instant::now();
        assert!(!truncate(&path, WAIT).await.expect("no error"), "the reader needs it");
        timeout(Duration::from_secs(5), write(writer, 1)).await.expect("writes go on");
        assert!(began.elapsed() < Duration::from_secs(5));

        reader.rollback().await.expect("it ends");
        assert!(truncate(&path, WAIT).await.expect("no error"));
        assert_eq!(size(&path), 0);
        write(writer, 1).await;
    }

    #[tokio::test]
    async fn sqlite_has_the_size_limit_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = DatabaseUrl::Sqlite(folder.path().join("app.db"));
        let database = Database::connect(&url).await.expect("a database");
        let Pool::Sqlite(writer) = database.pool() else { unreachable!("it is a file") };
        let limit: i64 =
            sqlx::query_scalar("PRAGMA journal_size_limit").fetch_one(writer).await.expect("a limit");
        assert_eq!(u64::try_from(limit), Ok(SIZE_LIMIT));
    }
}
