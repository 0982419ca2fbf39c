//! Taking back the mark of a hint that was not pushed. Touches no row that carries no mark.

use sea_orm::{DatabaseBackend, DatabaseConnection};
use sqlx::Result;
use uuid::Uuid;

use super::{Work, postgres, sqlite};

/// Takes the hints' mark off rows whose hint was not pushed, so that the dispatcher need not wait for it. `writer` is
/// the connection that may write. Returns how many carried one.
///
/// # Errors
/// Those of the database.
pub async fn unhint(writer: &DatabaseConnection, work: Work, ids: &[Uuid]) -> Result<u64> {
    match writer.get_database_backend() {
        DatabaseBackend::Postgres => {
            postgres::unhint(&mut *writer.get_postgres_connection_pool().acquire().await?, work, ids).await
        }
        _ => sqlite::unhint(&mut *writer.get_sqlite_connection_pool().acquire().await?, work, ids).await,
    }
}
