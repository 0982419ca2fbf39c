//! Inserts notices, many in one statement.

mod postgres;
mod sqlite;

use platform::database::{Database, DatabaseError, Tx};

use super::Model;

/// Inserts notices in a transaction of their own: all of them, or none.
///
/// # Errors
/// Those of the database.
pub async fn insert_notices(database: &Database, rows: &[Model]) -> Result<(), DatabaseError> {
    let mut tx = database.begin().await?;
    match &mut tx {
        Tx::Postgres(tx) => postgres::insert(tx, rows).await?,
        Tx::Sqlite(tx) => sqlite::insert(tx, rows).await?,
    }
    tx.commit().await
}
