//! Errors of the database.

use std::{path::PathBuf, time::Duration};

/// A database call failed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A statement or the connection failed.
    #[error("database: {0}")]
    Sqlx(#[from] sqlx::Error),
    /// The same, through sea-orm.
    #[error("database: {0}")]
    Orm(#[from] sea_orm::DbErr),
    /// It did not answer in time.
    #[error("the database did not answer within {0:?}")]
    Deadline(Duration),
    /// The folder for the file can't be created.
    #[error("{0}: {1}")]
    Folder(PathBuf, std::io::Error),
}

impl DatabaseError {
    /// Whether the database rejected the data itself, so that a retry is pointless.
    ///
    /// True for Postgres classes 21, 22, 23, 44 and 54 (data, constraints, limits) and for SQLite's too big, constraint and
    /// mismatch. Other errors (shutdown, read-only, disk full, lock timeout) are transient or need an operator.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        const POSTGRES: [&str; 5] = ["21", "22", "23", "44", "54"];
        const SQLITE: [i32; 3] = [18, 19, 20];
        let Self::Sqlx(sqlx::Error::Database(answer)) = self else { return false };
        let Some(code) = answer.code() else { return false };
        match answer.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
            // Extended codes carry the primary one in their low byte.
            Some(_) => code.parse::<i32>().is_ok_and(|code| SQLITE.contains(&(code & 0xff))),
            None => POSTGRES.iter().any(|class| code.starts_with(class)),
        }
    }
}
