//! An endpoint's keys as they lie in its row. A change is written only over what it was made from (compare and swap), so
//! that of many changes at once none is lost and none waits for a lock.

use domain::{delivery::LaneState, id::EndpointId, problem::ProblemCode, signature::SigningKeys};
use entity::{endpoint, lane, scope::Scope};
use platform::{context::Context, keys::Keys};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::SelectStatement,
};

use super::secret_context;
use crate::problem::Problem;

/// An endpoint's keys, opened.
pub(super) struct Opened {
    id: EndpointId,
    /// Whose it is.
    pub(super) user_id: i64,
    /// The keys.
    pub(super) keys: SigningKeys,
    sealed: Vec<u8>,
}

/// The keys of an endpoint that `scope` may see and that is not deleted.
pub(super) async fn load(context: &Context, scope: Scope, id: EndpointId) -> Result<Opened, Problem> {
    let found = endpoint::Entity::find_by_id(id.0)
        .filter(scope.of(endpoint::Column::UserId))
        .filter(endpoint::Column::Id.not_in_subquery(deleted(id)))
        .one(context.database.reader())
        .await
        .map_err(|error| Problem::unavailable("an endpoint cannot be read", error))?;
    let row = found.ok_or_else(|| Problem::new(ProblemCode::NotFound, "there is no such endpoint"))?;
    let keys = open(&context.keys, id, &row.sealed_secret)?;
    Ok(Opened { id, user_id: row.user_id, keys, sealed: row.sealed_secret })
}

/// Writes `keys` if the row still holds what was loaded; whether it did.
pub(super) async fn replace(context: &Context, loaded: &Opened, keys: &SigningKeys) -> Result<bool, Problem> {
    let sealed = seal(&context.keys, loaded.id, keys);
    let written = endpoint::Entity::update_many()
        .set(endpoint::ActiveModel {
            sealed_secret: Set(sealed),
            updated_at: Set(context.clock.now().0),
            ..Default::default()
        })
        .filter(endpoint::Column::Id.eq(loaded.id.0))
        .filter(endpoint::Column::UserId.eq(loaded.user_id))
        .filter(endpoint::Column::SealedSecret.eq(loaded.sealed.clone()))
        .filter(endpoint::Column::Id.not_in_subquery(deleted(loaded.id)))
        .exec(context.database.writer())
        .await
        .map_err(|error| Problem::unavailable("an endpoint's secret was not stored", error))?;
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

/// Keys as they are stored.
pub(crate) fn seal(sealer: &Keys, id: EndpointId, keys: &SigningKeys) -> Vec<u8> {
    sealer.seal(&secret_context(id), keys.expose().as_bytes())
}

/// Keys as they were stored.
pub(crate) fn open(sealer: &Keys, id: EndpointId, sealed: &[u8]) -> Result<SigningKeys, Problem> {
    let broken =
        |error: &dyn std::fmt::Display| Problem::internal("an endpoint's secret cannot be opened", error);
    let plain = sealer.open(&secret_context(id), sealed).map_err(|error| broken(&error))?;
    let text = std::str::from_utf8(&plain).map_err(|error| broken(&error))?;
    text.parse().map_err(|error: domain::signature::KeysError| broken(&error))
}
