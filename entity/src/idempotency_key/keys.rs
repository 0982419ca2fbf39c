//! Idempotency keys as they are taken, and as they are stored.

use domain::id::{EventId, UserId};
use uuid::Uuid;

/// A key to take, with the event that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Whose key it is.
    pub user_id: UserId,
    /// The key.
    pub key: String,
    /// SHA-256 of what is published under it.
    pub body_hash: [u8; 32],
    /// The event that it makes.
    pub event_id: EventId,
    /// How many deliveries that event has.
    pub deliveries: i32,
}

/// A stored key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKey {
    /// Whose key it is.
    pub user_id: i64,
    /// The key.
    pub key: String,
    /// SHA-256 of what was published under it.
    pub body_hash: Vec<u8>,
    /// The event that it made.
    pub event_id: Uuid,
    /// How many deliveries that event had.
    pub deliveries: i32,
    /// Whether it is still kept.
    pub is_live: bool,
}

from_row!(KeptKey { user_id, key, body_hash, event_id, deliveries, is_live });
