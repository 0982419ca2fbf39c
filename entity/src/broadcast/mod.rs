//! Messages on their way to every recipient of one channel, page by page.

pub mod insert;
pub mod page;
pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `broadcast`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "broadcast")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id; its recipients have smaller ones.
    pub id: Uuid,
    /// The event that they get.
    pub event_id: Uuid,
    /// Its channel, a word of `domain::delivery::Channel`.
    pub channel: String,
    /// The notice that it announces; at most one broadcast a notice and channel.
    pub notice_id: Option<Uuid>,
    /// `running` or `done`.
    pub state: String,
    /// The last recipient that has its delivery.
    pub cursor: Uuid,
    /// How many recipients there were when it was accepted.
    pub total: i64,
    /// Deliveries made.
    pub queued: i64,
    /// When it was made, in ms.
    pub created_at: i64,
    /// When the last page was made, in ms.
    pub finished_at: Option<i64>,
    /// How often it was claimed: the fence.
    pub claim: i32,
    /// Until then (ms) a worker has it.
    pub lease_until: i64,
}

from_row!(Model {
    id,
    event_id,
    channel,
    notice_id,
    state,
    cursor,
    total,
    queued,
    created_at,
    finished_at,
    claim,
    lease_until
});

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
