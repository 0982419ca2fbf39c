//! Notices on their way into the database.

use entity::notice::{Model, insert::insert_notices};

use super::unwritten;
use crate::{app::App, problem::Problem};

/// Writes all of them in one statement.
pub(super) async fn insert(app: &App, rows: &[Model]) -> Result<(), Problem> {
    insert_notices(&app.context.database, rows).await.map_err(unwritten)
}
