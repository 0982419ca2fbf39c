//! An endpoint's sealed keys. A change is written only over what it was made from (compare and swap), so that of many
//! changes at once none is lost and none waits for a lock.

use domain::{clock::Millis, delivery::LaneState, id::EndpointId};
use platform::database::{Database, DatabaseError};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::SelectStatement,
};

use super::{ActiveModel, Column, Entity, Model};
use crate::{lane, scope::Scope};

/// Returns the endpoint, if there is one that `scope` may see and that was not deleted.
///
/// # Errors
/// Those of the database.
pub async fn find(database: &Database, scope: Scope, id: EndpointId) -> Result<Option<Model>, DatabaseError> {
    let found = Entity::find_by_id(id.0)
        .filter(scope.of(Column::UserId))
        .filter(Column::Id.not_in_subquery(deleted(id)));
    Ok(found.one(database.reader()).await?)
}

/// Writes `sealed` at `now` if the endpoint still has the keys of `old`; whether it did.
///
/// # Errors
/// Those of the database.
pub async fn replace(
    database: &Database,
    old: &Model,
    sealed: Vec<u8>,
    now: Millis,
) -> Result<bool, DatabaseError> {
    let change = ActiveModel { sealed_secret: Set(sealed), updated_at: Set(now.0), ..Default::default() };
    let written = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(old.id))
        .filter(Column::UserId.eq(old.user_id))
        .filter(Column::SealedSecret.eq(old.sealed_secret.clone()))
        .filter(Column::Id.not_in_subquery(deleted(old.id.into())))
        .exec(database.writer())
        .await?;
    Ok(written.rows_affected == 1)
}

/// The endpoint's lane, if it is deleted.
fn deleted(id: EndpointId) -> SelectStatement {
    lane::Entity::find()
        .select_only()
        .column(lane::Column::Id)
        .filter(lane::Column::Id.eq(id.0))
        .filter(lane::Column::State.eq(LaneState::Deleted.as_str()))
        .into_query()
}
