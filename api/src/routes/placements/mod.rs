//! `/v1/placements`: offers that students got, for the statistics.

mod request;
mod view;

use domain::{clock::Millis, id::PlacementId};
use entity::placement::{Model, insert::insert_placements, queries};
use platform::database::{Database, DatabaseError};
use uuid::Uuid;

use self::view::PlacementOut;
use super::resource::Resource;
use crate::{app::App, extract::Fields, problem::Problem};

/// Placements as a resource.
pub(crate) enum Placements {}

impl Resource for Placements {
    type Id = PlacementId;
    type Row = Model;
    type Out = PlacementOut;

    const PLURAL: &'static str = "placements";
    const MISSING: &'static str = "there is no such placement";
    const UNREADABLE: &'static str = "placements cannot be read";
    const UNWRITTEN: &'static str = "placements were not written";
    const MAX_BODY: usize = 64 * 1_024;

    fn read(fields: Fields, now: Millis) -> Result<Model, Problem> {
        request::read(fields, now)
    }

    fn id(row: &Model) -> Uuid {
        row.id
    }

    async fn store(app: &App, rows: Vec<Model>) -> Result<Vec<Model>, Problem> {
        insert_placements(&app.context.database, &rows).await.map_err(Self::unwritten)?;
        Ok(rows)
    }

    async fn page(
        database: &Database,
        before: Option<PlacementId>,
        limit: u64,
    ) -> Result<Vec<Model>, DatabaseError> {
        queries::page(database, before, limit).await
    }

    async fn find(database: &Database, id: PlacementId) -> Result<Option<Model>, DatabaseError> {
        queries::find(database, id).await
    }

    async fn delete(database: &Database, id: PlacementId) -> Result<bool, DatabaseError> {
        queries::delete(database, id).await
    }

    fn stored(row: Model) -> PlacementOut {
        row.into()
    }
}
