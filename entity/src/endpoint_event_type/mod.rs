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
    /// The endpoint's tenant: an event finds its recipients by type and tenant, whatever others have registered.
    pub user_id: i64,
}

/// What it names.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The event type.
    #[sea_orm(
        belongs_to = "super::event_type::Entity",
        from = "Column::EventTypeId",
        to = "super::event_type::Column::Id"
    )]
    EventType,
}

impl ActiveModelBehavior for ActiveModel {}
