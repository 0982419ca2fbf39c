//! One upload with the endpoint that it came in for.

use entity::{endpoint, upload};
use sea_orm::{DatabaseConnection, DbErr, EntityTrait};
use uuid::Uuid;

/// An upload, and its endpoint's address while the endpoint exists.
pub(crate) async fn find(
    db: &DatabaseConnection,
    id: Uuid,
) -> Result<Option<(upload::Model, Option<String>)>, DbErr> {
    let Some(upload) = upload::Entity::find_by_id(id).one(db).await? else {
        return Ok(None);
    };
    let endpoint = endpoint::Entity::find_by_id(upload.endpoint_id).one(db).await?;
    Ok(Some((upload, endpoint.map(|endpoint| endpoint.url))))
}
