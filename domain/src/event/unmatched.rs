//! Why an endpoint got no delivery of an event.

use std::{fmt, str::FromStr};

use crate::{clock::Millis, string_enum::string_enum};

string_enum! {
    /// Why an endpoint of the event's user has no delivery of the event; stable, sent and shown.
    Unmatched {
        /// The endpoint is younger than the event.
        CreatedLater = "created_later",
        /// The endpoint was deleted.
        Deleted = "deleted",
        /// The event named its endpoints, and this one was not among them.
        NotAddressed = "not_addressed",
        /// The endpoint is not registered for the event's type.
        NotRegistered = "not_registered",
        /// The endpoint is registered for the type now, but was not when the event was accepted.
        RegisteredLater = "registered_later",
    }
}

/// The facts about an endpoint and an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnmatchedFacts {
    /// When the event was accepted.
    pub event_at: Millis,
    /// Whether the event named its endpoints.
    pub addressed: bool,
    /// When the endpoint was created.
    pub endpoint_at: Millis,
    /// Whether the endpoint was deleted.
    pub deleted: bool,
    /// Whether the endpoint is registered for the event's type now.
    pub registered: bool,
}

impl Unmatched {
    /// Returns the first reason, in the order of the enum, that applies.
    #[must_use]
    pub fn from_facts(facts: UnmatchedFacts) -> Self {
        if facts.endpoint_at > facts.event_at {
            Self::CreatedLater
        } else if facts.deleted {
            Self::Deleted
        } else if facts.addressed {
            Self::NotAddressed
        } else if facts.registered {
            Self::RegisteredLater
        } else {
            Self::NotRegistered
        }
    }

    /// Returns a sentence for users.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::CreatedLater => "The endpoint was created after the event came in.",
            Self::Deleted => "The endpoint was deleted.",
            Self::NotAddressed => "The event was meant for other endpoints alone.",
            Self::NotRegistered => "The endpoint is not registered for events of this type.",
            Self::RegisteredLater => {
                "The endpoint is registered for events of this type now, but was not when the event came in."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_facts() {
        let facts = |endpoint_at, deleted, addressed, registered| UnmatchedFacts {
            event_at: Millis(10),
            endpoint_at: Millis(endpoint_at),
            deleted,
            addressed,
            registered,
        };
        for (facts, reason) in [
            (facts(11, true, true, true), Unmatched::CreatedLater),
            (facts(10, true, true, true), Unmatched::Deleted),
            (facts(10, false, true, true), Unmatched::NotAddressed),
            (facts(10, false, false, true), Unmatched::RegisteredLater),
            (facts(10, false, false, false), Unmatched::NotRegistered),
        ] {
            assert_eq!(Unmatched::from_facts(facts), reason, "{facts:?}");
        }
    }
}
