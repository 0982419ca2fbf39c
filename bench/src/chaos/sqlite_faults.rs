//! Faults of the SQLite file that another process causes.

use std::{path::Path, time::Duration};

use anyhow::Result;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Longest wait for the lock: the program under test writes in short turns.
const LOCKED_WITHIN: Duration = Duration::from_secs(20);

/// The right to write a file, kept from all others until it is released.
pub(super) struct WriteLock {
    file: SqliteConnection,
}

impl WriteLock {
    /// Takes it as soon as no other transaction writes.
    pub(super) async fn acquire(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(LOCKED_WITHIN);
        let mut file = SqliteConnection::connect_with(&options).await?;
        file.execute("BEGIN IMMEDIATE").await?;
        Ok(Self { file })
    }

    /// Gives it back, and closes the file: a connection that lingers would keep the next process from recovering it.
    pub(super) async fn release(mut self) -> Result<()> {
        self.file.execute("ROLLBACK").await?;
        Ok(self.file.close().await?)
    }
}
