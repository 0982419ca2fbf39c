//! What shares one fate and one pace when sending; an endpoint's lane has the endpoint's id.

pub mod backlog;
pub mod disabled_notice;
pub mod health;
pub mod queries;
pub(crate) mod rules;
pub mod scan;

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
    /// Until then (ms) the lane is known to have a backlog, and accepts hand nothing of it over.
    pub backlog_until: i64,
    /// Most sends a second, if it has a limit.
    pub rate_limit: Option<i32>,
    /// Most sends under way, if it has a limit.
    pub max_in_flight: Option<i32>,
    /// Failed sends in a row, by start of send, since the last success.
    pub failures: i32,
    /// When the first of these failed sends started (ms); 0 when there is none.
    pub failing_since: i64,
    /// When the last send that succeeded started (ms).
    pub succeeded_at: i64,
    /// 0: the breaker is closed. Else it is open until then (ms), and half open from then on.
    pub breaker_until: i64,
    /// How long the breaker opened last (ms).
    pub breaker_wait: i64,
    /// When it was paused or disabled (ms); 0 while active.
    pub off_since: i64,
    /// Why it was disabled.
    pub off_reason: Option<String>,
    /// When it was last resumed (ms).
    pub resumed_at: i64,
    /// What was due before then (ms) drains at a bounded rate; 0 when nothing drains.
    pub drain_before: i64,
    /// When the next send of a lane with a rate may be granted, in microseconds.
    pub rate_slot_us: i64,
    /// Whether its owner has yet to be notified that it was disabled.
    pub tell_owner: bool,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
