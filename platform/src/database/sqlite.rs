//! SQLite: one writer connection and a read-only pool. WAL and `synchronous=FULL`, so a commit is on disk.

use std::{
    fs::{DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};

use sea_orm::SqlxSqliteConnector;
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{DatabaseError, Pool, pool::Pools, wal};

/// Read-only connections.
const READERS: u32 = 4;
/// Longest wait for a lock of another process (`hookyard migrate` beside a running server).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a connection.
const ACQUIRE_DEADLINE: Duration = Duration::from_secs(10);
/// Prepared statements that a connection caches: each kind in the few lengths that `entity::rows::sqlite` makes.
const STATEMENTS: usize = 256;
/// Rows that the statement's thread may buffer ahead of its reader: a whole claim, so that neither waits for the other.
const ROWS_AHEAD: usize = 512;
/// Page cache of the writer, in KiB (negative is KiB in SQLite's terms).
const CACHE_KIB: &str = "-16384";

pub(super) async fn connect(path: &Path) -> Result<Pools, DatabaseError> {
    make_private(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("cache_size", CACHE_KIB)
        .pragma("temp_store", "memory")
        .pragma("journal_size_limit", wal::SIZE_LIMIT.to_string())
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS_AHEAD);
    // The writer connects first: it creates the file and sets WAL.
    let writer = pool(1).before_acquire(|connection, _| Box::pin(has_no_open_transaction(connection)));
    let writer = writer.connect_with(options.clone()).await?;
    let reader = pool(READERS).connect_with(options.read_only(true).create_if_missing(false)).await?;
    Ok(Pools {
        reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer.clone()),
        grouped: Pool::Sqlite(writer.clone()),
        bulk: Pool::Sqlite(writer),
    })
}

/// A pool that keeps its connections: closing one would lose its page cache. It never pings them: there is no network that
/// could fail.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_DEADLINE)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Whether a connection can begin a transaction. After a full disk or an I/O error SQLite has rolled back on its own while
/// sqlx still counts the transaction as open, and every later `BEGIN` would fail: such a connection is replaced.
async fn has_no_open_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    Ok(!connection.is_in_transaction())
}

/// Creates the folder and the file with access for their owner only; SQLite gives its other files the same mode.
fn make_private(path: &Path) -> Result<(), DatabaseError> {
    let failed = |error| DatabaseError::Folder(path.to_owned(), error);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop).map_err(failed)
}
