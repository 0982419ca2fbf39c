//! Browsers that take push messages.

pub mod queries;
pub mod store;

use sea_orm::entity::prelude::*;

/// A row of `push_subscription`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_subscription")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    /// Its id.
    pub id: Uuid,
    /// Where its push service takes messages for it: a URL, and who knows it may try.
    pub endpoint: String,
    /// The lane of its push service. There is such a lane once the service has taken a message, or is a known one; until
    /// then deliveries go by the lane of unproven services.
    pub lane_id: Uuid,
    /// Its public key: an uncompressed point of P-256, 65 bytes.
    pub p256dh: Vec<u8>,
    /// Its authentication secret, 16 bytes (RFC 8291 §3.2).
    pub auth: Vec<u8>,
    /// Whose browser it is, if anybody said so.
    pub user_id: Option<i64>,
    /// When it was made, in ms.
    pub created_at: i64,
    /// When it was last changed, in ms.
    pub updated_at: i64,
    /// When a message reached it for the first time, in ms; none: never.
    pub reached_at: Option<i64>,
}

from_row!(Model { id, endpoint, lane_id, p256dh, auth, user_id, created_at, updated_at, reached_at });

/// No relations: joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
