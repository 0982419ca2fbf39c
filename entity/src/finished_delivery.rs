//! How a delivery ended. Append-only, but for a retry by hand, which moves the row back.

use sea_orm::entity::prelude::*;

/// A row of `finished_delivery`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "finished_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The event.
    pub event_id: Uuid,
    /// The tenant; none where no user owns it.
    pub user_id: Option<i64>,
    /// The lane.
    pub lane_id: Uuid,
    /// The channel, a word of `domain::delivery::Channel`.
    pub channel: String,
    /// The endpoint, push subscription or subscriber.
    pub recipient_id: Uuid,
    /// Its own bytes, where an owner's payload makes them differ from the event's.
    pub body: Option<Vec<u8>>,
    /// Its state, a word of the domain.
    pub state: String,
    /// Why it ended so.
    pub reason: Option<String>,
    /// Place in the retry schedule, from 0.
    pub position: i16,
    /// Attempts recorded so far.
    pub attempts: i32,
    /// How often it was claimed: the fence.
    pub claim: i32,
    /// When it came in, in ms.
    pub created_at: i64,
    /// When it ended, in ms.
    pub finished_at: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
