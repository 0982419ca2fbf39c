//! A dead letter that outlived the day it died in: with the bytes that were to be sent, without its attempts.

pub(crate) mod count;

use sea_orm::entity::prelude::*;

/// A row of `dead_letter`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// The delivery's id.
    pub id: Uuid,
    /// The event, which may be gone.
    pub event_id: Uuid,
    /// The tenant; none where no user owns it.
    pub user_id: Option<i64>,
    /// The lane.
    pub lane_id: Uuid,
    /// The channel, a word of `domain::delivery::Channel`.
    pub channel: String,
    /// The endpoint, push subscription or subscriber.
    pub recipient_id: Uuid,
    /// The name of the event's type; empty when the event was gone already.
    pub event_type: String,
    /// The bytes that were to be sent; none when the event was gone already.
    pub body: Option<Vec<u8>>,
    /// Why it died, a word of `domain::delivery::DeadReason`.
    pub reason: Option<String>,
    /// Place in the retry schedule, from 0.
    pub position: i16,
    /// Attempts that were recorded.
    pub attempts: i32,
    /// How often it was claimed.
    pub claim: i32,
    /// What the last attempt was answered with.
    pub status_code: Option<i16>,
    /// What went wrong with the last attempt, in words.
    pub error: Option<String>,
    /// When it came in, in ms.
    pub created_at: i64,
    /// When it died, in ms.
    pub finished_at: i64,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
