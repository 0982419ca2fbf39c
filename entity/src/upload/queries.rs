//! Uploads.

use std::collections::HashSet;

use domain::id::UploadId;
use platform::database::{Database, DatabaseError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::endpoint;
use crate::scope::Scope;
use crate::upload::{Column, Entity, Model};

/// The upload, if there is one that `scope` may see.
///
/// # Errors
/// Those of the database.
pub async fn find(database: &Database, scope: Scope, id: UploadId) -> Result<Option<Model>, DatabaseError> {
    let found = Entity::find().filter(Column::Id.eq(id.0)).filter(scope.of(Column::UserId));
    Ok(found.one(database.reader()).await?)
}

/// Returns an upload, of any user, and its endpoint's address while that endpoint exists.
///
/// # Errors
/// Those of the database.
pub async fn find_with_url(
    database: &Database,
    id: UploadId,
) -> Result<Option<(Model, Option<String>)>, DatabaseError> {
    let Some(upload) = Entity::find_by_id(id.0).one(database.reader()).await? else {
        return Ok(None);
    };
    let endpoint = endpoint::Entity::find_by_id(upload.endpoint_id).one(database.reader()).await?;
    Ok(Some((upload, endpoint.map(|endpoint| endpoint.url))))
}

/// Returns those of `ids` that are uploads.
///
/// # Errors
/// Those of the database.
pub async fn known(database: &Database, ids: &[UploadId]) -> Result<HashSet<Uuid>, DatabaseError> {
    let rows = Entity::find().select_only().column(Column::Id);
    let rows = rows.filter(Column::Id.is_in(ids.iter().map(|id| id.0))).into_tuple();
    Ok(rows.all(database.reader()).await?.into_iter().collect())
}
