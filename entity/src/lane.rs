//! What shares one fate and one pace when sending; an endpoint's lane has the endpoint's id.

use sea_orm::entity::prelude::*;

/// A row of `lane`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lane")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The channel, a word of `domain::delivery::Channel`.
    pub channel: String,
    /// Its state, a word of the domain.
    pub state: String,
    /// Nothing is sent before this time (ms): the receiver asked to slow down.
    pub blocked_until: i64,
    /// Until then (ms) the lane is known to have a backlog, and accepts do not hint.
    pub backlog_until: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
