//! Direct access to the database beside the running processes: counts rows and makes time pass.

use std::{path::PathBuf, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use uuid::Uuid;

/// A database that is queried on a new connection each time, so that nothing is held in between.
#[derive(Clone, Debug)]
pub enum Rows {
    /// A file.
    Sqlite(PathBuf),
    /// An address.
    Postgres(String),
}

/// Numbers of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accepted uploads.
    pub uploads: i64,
    /// Uploads that are not processed yet.
    pub uploads_open: i64,
    /// Unfinished deliveries.
    pub open: i64,
    /// Successful deliveries.
    pub succeeded: i64,
    /// Dead letters.
    pub dead: i64,
    /// Recorded attempts.
    pub attempts: i64,
}

impl Counts {
    /// Whether no work is left.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.uploads_open == 0 && self.open == 0
    }
}

impl Rows {
    /// Returns all counts, read one after the other: not a consistent snapshot.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn counts(&self) -> Counts {
        Counts {
            uploads: self.number("SELECT count(*) FROM upload").await,
            uploads_open: self.number("SELECT count(*) FROM upload WHERE state = 'received'").await,
            open: self.number("SELECT count(*) FROM delivery").await,
            succeeded: self.number("SELECT count(*) FROM finished_delivery WHERE state = 'succeeded'").await,
            dead: self.number("SELECT count(*) FROM finished_delivery WHERE state = 'dead'").await,
            attempts: self
                .number(
                    "SELECT (SELECT count(*) FROM attempt)
                        + (SELECT count(*) FROM finished_delivery WHERE started_at IS NOT NULL)",
                )
                .await,
        }
    }

    /// The number that a question is answered with.
    ///
    /// # Panics
    /// When it is not answered with one number.
    pub async fn number(&self, sql: &str) -> i64 {
        self.try_number(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The number that a question is answered with.
    ///
    /// # Errors
    /// When it is not answered with one number, or the database is away.
    pub async fn try_number(&self, sql: &str) -> sqlx::Result<i64> {
        let query = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(path) => {
                sqlite(path, async |file| sqlx::query_scalar(query).fetch_one(file).await).await
            }
            Self::Postgres(url) => {
                sqlx::query_scalar(query).fetch_one(&mut PgConnection::connect(url).await?).await
            }
        }
    }

    /// The text that a question is answered with; empty for none.
    ///
    /// # Panics
    /// When it is not answered with one text.
    pub async fn text(&self, sql: &str) -> String {
        let query = AssertSqlSafe(sql.to_owned());
        let text = async {
            match self {
                Self::Sqlite(path) => {
                    sqlite(path, async |file| sqlx::query_scalar(query).fetch_one(file).await).await
                }
                Self::Postgres(url) => {
                    sqlx::query_scalar(query).fetch_one(&mut PgConnection::connect(url).await?).await
                }
            }
        };
        let text: sqlx::Result<Option<String>> = text.await;
        text.unwrap_or_else(|error| panic!("{sql}: {error}")).unwrap_or_default()
    }

    /// Returns rows of an id and a number.
    ///
    /// # Panics
    /// When the rows have other columns.
    pub async fn ids_with_numbers(&self, sql: &str) -> Vec<(Uuid, i64)> {
        let query = AssertSqlSafe(sql.to_owned());
        let rows = async {
            match self {
                Self::Sqlite(path) => {
                    sqlite(path, async |file| sqlx::query_as(query).fetch_all(file).await).await
                }
                Self::Postgres(url) => {
                    sqlx::query_as(query).fetch_all(&mut PgConnection::connect(url).await?).await
                }
            }
        };
        rows.await.unwrap_or_else(|error: sqlx::Error| panic!("{sql}: {error}"))
    }

    /// Changes rows; returns how many.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn change(&self, sql: &str) -> u64 {
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let changed = async {
            Ok::<_, sqlx::Error>(match self {
                Self::Sqlite(path) => {
                    sqlite(path, async |file| query.execute(file).await).await?.rows_affected()
                }
                Self::Postgres(url) => {
                    query.execute(&mut PgConnection::connect(url).await?).await?.rows_affected()
                }
            })
        };
        changed.await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Makes due times and leases end `by` earlier.
    pub async fn let_time_pass(&self, by: Duration) {
        for table in ["delivery", "upload"] {
            let by = by.as_millis();
            self.change(&format!(
                "UPDATE {table} SET due_at = due_at - {by}, lease_until = lease_until - {by} \
                 WHERE lease_until > 0 OR due_at > 0"
            ))
            .await;
        }
    }
}

/// Asks a file, and lets go of it before returning: a connection that lingers would keep the next process that opens the
/// file from recovering it as after a crash.
async fn sqlite<T>(
    path: &PathBuf,
    ask: impl AsyncFnOnce(&mut SqliteConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10));
    let mut file = SqliteConnection::connect_with(&options).await?;
    let answer = ask(&mut file).await;
    file.close().await?;
    answer
}
