//! Inserts of many rows in one statement, for those who accept work and those who finish it.
//! Called inside the caller's transaction; never commits.

pub mod broadcasts;
pub mod lease;
pub mod messages;
pub mod notification;
pub mod postgres;
pub mod sqlite;

use domain::{
    clock::Millis,
    delivery::Channel,
    id::{BroadcastId, DeliveryId, EndpointId, EventId, LaneId, NoticeId, UploadId, UserId},
};
use uuid::Uuid;

/// An event to insert. `created_at` is set by the statement.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its id, the `webhook-id` of every attempt.
    pub id: EventId,
    /// Its tenant; none where no user owns it.
    pub user_id: Option<UserId>,
    /// The name of its type.
    pub event_type: String,
    /// The bytes that are signed and sent.
    pub body: Vec<u8>,
    /// Whether it named its endpoints, instead of going to all that are registered for its type.
    pub addressed: bool,
}

/// A delivery to insert.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// Its event.
    pub event_id: EventId,
    /// Its tenant; none where no user owns it.
    pub user_id: Option<UserId>,
    /// Its lane.
    pub lane_id: LaneId,
    /// Its channel.
    pub channel: Channel,
    /// The endpoint, push subscription or subscriber.
    pub recipient_id: Uuid,
    /// Its own bytes, where an owner's payload makes them differ from the event's.
    pub body: Option<Vec<u8>>,
    /// When it is due; none or past: at once.
    pub due_at: Option<Millis>,
    /// Whether it is inserted with a lease, because a job that carries it follows the commit.
    pub leased: bool,
}

/// A key under which something is published, with what was published.
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

/// A key as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
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

/// An upload to insert, due at once.
#[derive(Clone, Debug)]
pub struct UploadRow {
    /// Its id.
    pub id: UploadId,
    /// The endpoint it belongs to.
    pub endpoint_id: EndpointId,
    /// The endpoint's tenant.
    pub user_id: UserId,
    /// The safe name.
    pub file_name: String,
    /// Where the file lies in the storage.
    pub storage_key: String,
    /// Its size in bytes.
    pub size_bytes: i64,
    /// Whether it is inserted with a lease, because a job follows the commit.
    pub leased: bool,
}

/// A broadcast to insert: a message to every recipient of a channel that has a smaller id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastRow {
    /// Its id.
    pub id: BroadcastId,
    /// The event that its recipients get.
    pub event_id: EventId,
    /// Its channel.
    pub channel: Channel,
    /// The notice that it announces: once on each channel.
    pub notice_id: Option<NoticeId>,
    /// How many recipients there are.
    pub total: i64,
    /// Whether it is inserted with a lease, because a job follows the commit.
    pub leased: bool,
}

/// When rows are written, in ms: what time it is and how long what is leased is leased.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// SQLite: now. Postgres: an offset that is added to the server's clock (zero outside tests).
    pub now_or_offset: i64,
    /// How long a lease lasts.
    pub lease: i64,
}

/// The claim of a row that is inserted with a lease.
pub const FIRST_CLAIM: i32 = 1;
