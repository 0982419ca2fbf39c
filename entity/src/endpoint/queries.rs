//! Registered webhooks that were not deleted, with the lanes they are sent through.

use domain::{
    delivery::LaneState,
    id::{EndpointId, UserId},
};
use platform::database::{Database, DatabaseError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait, Select, SelectTwo,
};
use uuid::Uuid;

use crate::scope::Scope;
use crate::{
    endpoint::{Column, Entity, Model, Relation},
    endpoint_event_type as registration, event_type, lane,
};

/// An endpoint and its lane.
pub(super) type WithLane = (Model, lane::Model);

/// What a page of endpoints is narrowed by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those of this user.
    pub user: Option<UserId>,
    /// Only those in this state.
    pub state: Option<LaneState>,
    /// Only those before this id.
    pub before: Option<EndpointId>,
}

fn live(scope: Scope) -> Select<Entity> {
    Entity::find()
        .join(JoinType::InnerJoin, Relation::Lane.def())
        .filter(scope.of(Column::UserId))
        .filter(lane::Column::State.ne(LaneState::Deleted.as_str()))
}

fn with_lane(scope: Scope) -> SelectTwo<Entity, lane::Entity> {
    live(scope).select_also(lane::Entity)
}

fn whole((endpoint, lane): (Model, Option<lane::Model>)) -> Option<WithLane> {
    Some((endpoint, lane?))
}

/// The endpoint, if there is one that `scope` may see and that was not deleted.
///
/// # Errors
/// Those of the database.
pub async fn find(database: &Database, scope: Scope, id: EndpointId) -> Result<Option<Model>, DatabaseError> {
    Ok(live(scope).filter(Column::Id.eq(id.0)).one(database.reader()).await?)
}

/// Returns the same, with its lane.
pub(super) async fn find_with_lane(
    db: &impl ConnectionTrait,
    scope: Scope,
    id: EndpointId,
) -> Result<Option<WithLane>, DbErr> {
    Ok(with_lane(scope).filter(Column::Id.eq(id.0)).one(db).await?.and_then(whole))
}

/// Returns the same, both rows locked until the transaction `tx` ends. On SQLite the one writer is the lock.
pub(super) async fn lock(
    tx: &impl ConnectionTrait,
    scope: Scope,
    id: EndpointId,
) -> Result<Option<WithLane>, DbErr> {
    Ok(with_lane(scope).filter(Column::Id.eq(id.0)).lock_exclusive().one(tx).await?.and_then(whole))
}

/// Returns at most `limit` endpoints that `scope` may see and `filter` lets through, newest first.
pub(super) async fn page(
    db: &impl ConnectionTrait,
    scope: Scope,
    filter: Filter,
    limit: u64,
) -> Result<Vec<WithLane>, DbErr> {
    let mut rows = with_lane(scope);
    if let Some(user) = filter.user {
        rows = rows.filter(Column::UserId.eq(user.0));
    }
    if let Some(state) = filter.state {
        rows = rows.filter(lane::Column::State.eq(state.as_str()));
    }
    if let Some(before) = filter.before {
        rows = rows.filter(Column::Id.lt(before.0));
    }
    let found = rows.order_by_desc(Column::Id).limit(limit).all(db).await?;
    Ok(found.into_iter().filter_map(whole).collect())
}

/// Returns the endpoints' ids with the names of the event types that they are registered for, in no order.
pub(super) async fn event_types(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
) -> Result<Vec<(Uuid, String)>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    registration::Entity::find()
        .join(JoinType::InnerJoin, registration::Relation::EventType.def())
        .filter(registration::Column::EndpointId.is_in(ids))
        .select_only()
        .column(registration::Column::EndpointId)
        .column(event_type::Column::Name)
        .into_tuple()
        .all(db)
        .await
}
