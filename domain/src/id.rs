//! Identifiers, one type each, so that an event's id never fits where an endpoint's is meant.
//! All of ours are UUIDv7 (RFC 9562 §5.7): they sort by the time they were made.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, sortable by the time of this call.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "every call makes another id")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

uuid_id! {
    /// A kind of event that endpoints register for, such as `upload file`.
    EventTypeId,
    /// Something that happened and that recipients are told of; its `webhook-id`.
    EventId,
    /// A registered webhook.
    EndpointId,
    /// What shares one fate and one pace when sending: an endpoint, a push service's origin, a Telegram bot.
    LaneId,
    /// One event on its way to one recipient.
    DeliveryId,
    /// One try at a delivery.
    AttemptId,
    /// A file that came in for an endpoint.
    UploadId,
    /// A row of the error log.
    ErrorId,
    /// A running process that shows a heartbeat.
    ProcessId,
}

impl From<EndpointId> for LaneId {
    /// An endpoint is a lane of its own.
    fn from(id: EndpointId) -> Self {
        Self(id.0)
    }
}

/// The tenant: an integer that the integrator chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
