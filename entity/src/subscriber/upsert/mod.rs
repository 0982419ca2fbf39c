//! Inserts subscribers or changes those whose chat is known, many in one statement.

mod postgres;
mod sqlite;

use platform::database::{Database, DatabaseError, Tx};

use super::Model;

/// Inserts subscribers; one whose chat is known changes the row that is there, and takes from it what it leaves out.
/// Returns the rows as they stand then, in no order. `rows` name no chat twice and are sorted by chat, so that two
/// batches never wait for each other; the statement sets their times. `time` is what `Database::statement_time` gives.
///
/// # Errors
/// Those of the database; then nothing was written, unless it broke during the commit.
pub async fn upsert_subscribers(
    database: &Database,
    rows: &[Model],
    time: i64,
) -> Result<Vec<Model>, DatabaseError> {
    let mut tx = database.begin().await?;
    let stored = match &mut tx {
        Tx::Postgres(tx) => postgres::upsert(tx, rows, time).await?,
        Tx::Sqlite(tx) => sqlite::upsert(tx, rows, time).await?,
    };
    tx.commit().await?;
    Ok(stored)
}
