//! Identifiers, one type each, so that an event id can't be passed as an endpoint id.
//! All are UUIDv7 (RFC 9562 §5.7): they sort by creation time.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Millis;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Creates a new id, sortable by the time of this call.
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
    /// An event that is delivered to recipients; its `webhook-id`.
    EventId,
    /// A registered webhook.
    EndpointId,
    /// A lane: deliveries that share health and limits, such as those of an endpoint, a push service or a Telegram bot.
    LaneId,
    /// A delivery: one event to one recipient.
    DeliveryId,
    /// One attempt at a delivery.
    AttemptId,
    /// An uploaded file.
    UploadId,
    /// A replay: new deliveries of past events.
    ReplayId,
    /// A notice, announced to every subscriber once on each channel.
    NoticeId,
    /// A placement: a job offer that a student received.
    PlacementId,
    /// A subscriber, who receives notices in a chat.
    SubscriberId,
    /// A browser's push subscription.
    PushSubscriptionId,
    /// A broadcast: one message to every recipient of one channel.
    BroadcastId,
    /// A row of the error log.
    ErrorId,
    /// A running process with a heartbeat.
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

/// Returns the smallest UUIDv7 of a moment: its first 48 bits are milliseconds (RFC 9562 §5.7).
#[must_use]
pub fn first_id_at(at: Millis) -> Uuid {
    match u128::try_from(at.0) {
        Err(_) => Uuid::nil(),
        Ok(milliseconds) if milliseconds >> 48 == 0 => Uuid::from_u128(milliseconds << 80),
        Ok(_) => Uuid::max(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_id_of_a_moment_is_below_every_id_made_then() {
        let made = Uuid::now_v7();
        let (seconds, nanos) = made.get_timestamp().expect("a v7 id has a time").to_unix();
        let at = i64::try_from(seconds).expect("a date of this era") * 1_000 + i64::from(nanos / 1_000_000);
        assert!(first_id_at(Millis(at)) < made);
        assert!(first_id_at(Millis(at + 1)) > made);
        assert_eq!(first_id_at(Millis(-1)), Uuid::nil());
        assert_eq!(first_id_at(Millis(i64::MAX)), Uuid::max(), "beyond all ids");
    }
}
