//! What an integrator publishes, and what becomes of it.

use domain::{
    clock::Millis,
    event::IdempotencyKey,
    id::{EndpointId, EventId, UserId},
};
use serde_json::value::RawValue;

use super::NewEvent;

/// An event of a user, with all that publishing may ask for. The route has checked every bound.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Whose endpoints get it.
    pub user_id: UserId,
    /// The name of its type; it must exist, unless it is a system type.
    pub event_type: String,
    /// Its data; the bytes are kept as they are.
    pub data: Box<RawValue>,
    /// The key under which it is published once.
    pub key: Option<Key>,
    /// When it is due; none or past: at once.
    pub deliver_at: Option<Millis>,
    /// Exactly these endpoints, registered for its type or not; none: all that are registered.
    pub endpoint_ids: Option<Vec<EndpointId>>,
    /// The request that brought it.
    pub request_id: Option<String>,
}

/// An idempotency key, and what is published under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 of what is published.
    pub body_hash: [u8; 32],
}

/// What became of a publication. Nothing was written but for [`Published::Stored`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is durable, with a delivery for each of its recipients.
    Stored {
        /// The event.
        id: EventId,
        /// How many recipients it has.
        deliveries: usize,
    },
    /// The same was published under this key before.
    Repeated {
        /// The first event.
        id: EventId,
        /// How many recipients that had.
        deliveries: usize,
    },
    /// Something else was published under this key before.
    KeyTaken,
    /// There is no such event type.
    UnknownType,
    /// Some of the named endpoints are not there, or not the user's: their places in `endpoint_ids`.
    NotRecipients(Vec<usize>),
}

/// An event as the committer writes it, of whichever origin.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) id: EventId,
    pub(super) user_id: Option<UserId>,
    pub(super) event_type: String,
    pub(super) data: Box<RawValue>,
    pub(super) key: Option<Key>,
    pub(super) deliver_at: Option<Millis>,
    pub(super) endpoint_ids: Option<Vec<EndpointId>>,
    /// Whether its type must exist. What Hookyard itself publishes needs no row.
    pub(super) must_be_known: bool,
    pub(super) request_id: Option<String>,
}

impl From<NewEvent> for Event {
    fn from(event: NewEvent) -> Self {
        Self {
            id: event.id,
            user_id: event.user_id,
            event_type: event.event_type,
            data: event.data,
            key: None,
            deliver_at: None,
            endpoint_ids: None,
            must_be_known: false,
            request_id: event.request_id,
        }
    }
}

impl From<Publication> for Event {
    fn from(publication: Publication) -> Self {
        Self {
            id: EventId::new(),
            user_id: Some(publication.user_id),
            must_be_known: !domain::event::is_system_event_type(&publication.event_type),
            event_type: publication.event_type,
            data: publication.data,
            key: publication.key,
            deliver_at: publication.deliver_at,
            endpoint_ids: publication.endpoint_ids,
            request_id: publication.request_id,
        }
    }
}
