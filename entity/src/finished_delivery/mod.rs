//! How a delivery ended. Append-only, but for a retry by hand, which moves the row back.

pub(crate) mod columns;

use sea_orm::entity::prelude::*;

use crate::attempt;

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
    /// When the attempt that succeeded started, in ms; none where that attempt has a row of `attempt`, or there is none.
    pub started_at: Option<i64>,
    /// How long it took in all, in µs.
    pub duration_us: Option<i64>,
    /// Its name resolution, in µs.
    pub resolve_us: Option<i64>,
    /// Its connect and TLS of a new connection, in µs.
    pub connect_us: Option<i64>,
    /// Until the first byte of its answer, in µs.
    pub first_byte_us: Option<i64>,
    /// Its HTTP status.
    pub status_code: Option<i16>,
    /// Headers sent, as JSON, secrets masked.
    pub request_headers: Option<String>,
    /// Headers received, as JSON.
    pub response_headers: Option<String>,
    /// Head of the body received.
    pub response_body: Option<Vec<u8>>,
}

impl Model {
    /// The attempt that is kept with it: the first one, which succeeded. It has the id of its delivery.
    #[must_use]
    pub fn attempt(&self) -> Option<attempt::Model> {
        Some(attempt::Model {
            id: self.id,
            delivery_id: self.id,
            number: self.attempts,
            claim: self.claim,
            started_at: self.started_at?,
            duration_us: self.duration_us.unwrap_or(0),
            resolve_us: self.resolve_us,
            connect_us: self.connect_us,
            first_byte_us: self.first_byte_us,
            status_code: self.status_code,
            error_class: None,
            error: None,
            request_headers: self.request_headers.clone().unwrap_or_else(|| "{}".to_owned()),
            response_headers: self.response_headers.clone(),
            response_body: self.response_body.clone(),
        })
    }
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
