//! Which endpoints are registered for which event types.

use sea_orm::entity::prelude::*;

/// A row of `endpoint_event_type`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "endpoint_event_type")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The event type.
    pub event_type_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    /// The endpoint.
    pub endpoint_id: Uuid,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
