//! One event on its way to one recipient. Only what is under way: finished ones move to `finished_delivery`.

pub mod backlog;
pub mod bodies;
pub mod claim;
pub mod ending;
pub mod gauges;
pub mod insert;
pub mod manual;
pub mod queries;
pub mod record;
pub mod totals;
pub mod vacuum;

use sea_orm::entity::prelude::*;

/// A row of `delivery`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
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
    /// Place in the retry schedule, from 0.
    pub position: i16,
    /// Attempts recorded so far.
    pub attempts: i32,
    /// How often it was claimed: the fence.
    pub claim: i32,
    /// The claim that was recorded last.
    pub recorded_claim: i32,
    /// When it is due, in ms.
    pub due_at: i64,
    /// Until then (ms) a worker has it.
    pub lease_until: i64,
    /// When it came in, in ms.
    pub created_at: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
