//! Reads the database beside the programs: counts and sizes.

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use testkit::rows::Rows;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Interval of checks whether everything is recorded.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A database that is asked from outside.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) rows: Rows,
}

impl Store {
    pub(super) fn new(url: String) -> Self {
        let rows = match url.strip_prefix("sqlite:///") {
            Some(path) => Rows::Sqlite(PathBuf::from(path)),
            None => Rows::Postgres(url),
        };
        Self { rows }
    }

    /// An id as a literal of this database's SQL.
    pub(crate) fn uuid(&self, id: Uuid) -> String {
        match self.rows {
            Rows::Postgres(_) => format!("'{id}'"),
            Rows::Sqlite(_) => format!("x'{}'", id.simple()),
        }
    }

    /// Bytes as a literal of this database's SQL.
    pub(crate) fn blob(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.rows {
            Rows::Postgres(_) => format!("'\\x{hex}'"),
            Rows::Sqlite(_) => format!("x'{hex}'"),
        }
    }

    /// Deliveries recorded as succeeded.
    pub(crate) async fn succeeded(&self) -> u64 {
        self.count("finished_delivery WHERE state = 'succeeded'").await
    }

    /// Returns the number of unfinished deliveries of active lanes.
    pub(crate) async fn open(&self) -> u64 {
        self.count("delivery d JOIN lane l ON l.id = d.lane_id WHERE l.state = 'active'").await
    }

    /// Rows of a table, or of what a clause leaves of it.
    pub(crate) async fn count(&self, from: &str) -> u64 {
        self.rows.number(&format!("SELECT count(*) FROM {from}")).await.unsigned_abs()
    }

    /// Waits until every delivery of an active lane is finished.
    pub(crate) async fn wait_until_recorded(&self, within: Duration) -> Result<()> {
        let end = Instant::now() + within;
        while self.rows.number(ANY_OPEN).await > 0 {
            ensure!(
                Instant::now() < end,
                "{} deliveries are not recorded after {within:?}",
                self.open().await
            );
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Bytes of tables and indexes by name; of one file where there is one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn sizes(&self) -> Result<Vec<(&'static str, u64)>> {
        let Rows::Postgres(_) = &self.rows else {
            return Ok(vec![("database", self.file_bytes())]);
        };
        let mut sizes = vec![];
        for (name, sql) in PARTS {
            sizes.push((name, self.rows.try_number(sql).await?.unsigned_abs()));
        }
        Ok(sizes)
    }

    fn file_bytes(&self) -> u64 {
        let Rows::Sqlite(path) = &self.rows else { return 0 };
        let bytes = |path: PathBuf| std::fs::metadata(path).map_or(0, |data| data.len());
        bytes(path.clone()) + bytes(path.with_extension("db-wal"))
    }
}

const ANY_OPEN: &str = "SELECT CASE WHEN EXISTS (
        SELECT 1 FROM lane l WHERE l.state = 'active' AND EXISTS (SELECT 1 FROM delivery d WHERE d.lane_id = l.id)
    ) THEN CAST(1 AS bigint) ELSE CAST(0 AS bigint) END";

/// The relations of unfinished work: their size must not grow with finished work.
const PARTS: [(&str, &str); 2] = [
    ("delivery table", "SELECT pg_table_size('delivery')"),
    ("delivery indexes", "SELECT pg_indexes_size('delivery')"),
];
