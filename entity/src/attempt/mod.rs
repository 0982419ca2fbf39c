//! One try at a delivery and what came back. Append-only.

pub mod rates;

use sea_orm::entity::prelude::*;

/// A row of `attempt`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// The delivery.
    pub delivery_id: Uuid,
    /// Number of the attempt, from 1.
    pub number: i32,
    /// How often it was claimed: the fence.
    pub claim: i32,
    /// When it started, in ms.
    pub started_at: i64,
    /// How long it took in all, in µs.
    pub duration_us: i64,
    /// Name resolution, in µs.
    pub resolve_us: Option<i64>,
    /// Connect and TLS of a new connection, in µs.
    pub connect_us: Option<i64>,
    /// Until the first byte of the answer, in µs.
    pub first_byte_us: Option<i64>,
    /// HTTP status, if there was an answer.
    pub status_code: Option<i16>,
    /// A word of `domain::delivery::ErrorClass`.
    pub error_class: Option<String>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// Headers sent, as JSON, secrets masked.
    pub request_headers: String,
    /// Headers received, as JSON.
    pub response_headers: Option<String>,
    /// Head of the body received.
    pub response_body: Option<Vec<u8>>,
}

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
