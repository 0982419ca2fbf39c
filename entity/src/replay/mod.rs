//! A job that makes new deliveries of the events of finished ones, page by page.

pub mod page;
pub mod queries;

use sea_orm::entity::prelude::*;

/// A row of `replay`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replay")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// Its state, a word of `domain::replay::ReplayState`.
    pub state: String,
    /// Whose deliveries are replayed; none: everybody's.
    pub user_id: Option<i64>,
    /// Only those to this endpoint.
    pub endpoint_id: Option<Uuid>,
    /// The state that a delivery must have ended in.
    pub of_state: String,
    /// Only those of events of this type.
    pub event_type: Option<String>,
    /// Only those accepted from then on, in ms.
    pub since: Option<i64>,
    /// Only those accepted before then, in ms.
    pub until: Option<i64>,
    /// New deliveries a second.
    pub rate: i32,
    /// When the next one may be due, in ms.
    pub next_at: i64,
    /// The last delivery that was looked at.
    pub cursor: Uuid,
    /// Every delivery of the set has a smaller id.
    pub bound: Uuid,
    /// How many there are in the set.
    pub total: i64,
    /// New deliveries made.
    pub done: i64,
    /// Those of which none was made: the endpoint or the event is gone, or it is no longer in that state.
    pub skipped: i64,
    /// When it was asked for, in ms. What ended later is not part of the set.
    pub created_at: i64,
    /// When it was done or cancelled, in ms.
    pub finished_at: Option<i64>,
}

from_row!(Model {
    id,
    state,
    user_id,
    endpoint_id,
    of_state,
    event_type,
    since,
    until,
    rate,
    next_at,
    cursor,
    bound,
    total,
    done,
    skipped,
    created_at,
    finished_at
});

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
