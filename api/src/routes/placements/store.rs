//! Placements on their way into the database.

use entity::{
    bulk::notification::{postgres, sqlite},
    placement::Model,
};
use platform::database::{DatabaseError, Tx};

use super::unwritten;
use crate::{app::App, problem::Problem};

/// Writes all of them in one statement.
pub(super) async fn insert(app: &App, rows: &[Model]) -> Result<(), Problem> {
    write(app, rows).await.map_err(unwritten)
}

async fn write(app: &App, rows: &[Model]) -> Result<(), DatabaseError> {
    let mut tx = app.context.database.begin().await?;
    match &mut tx {
        Tx::Postgres(tx) => postgres::insert_placements(tx, rows).await?,
        Tx::Sqlite(tx) => sqlite::insert_placements(tx, rows).await?,
    }
    tx.commit().await
}
