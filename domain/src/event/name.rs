//! Names of event types that only Hookyard itself publishes.

use crate::event_type::{SEEDED, is_reserved};

/// What `POST /v1/endpoints/{id}/test` sends. It needs no registration.
pub const TEST_EVENT_TYPE: &str = "hookyard.test";

/// Whether only Hookyard itself publishes events of this type: receivers may rely on what they say.
#[must_use]
pub fn is_of_the_house(name: &str) -> bool {
    SEEDED.contains(&name) || is_reserved(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_house_are_known_and_no_others() {
        for name in [TEST_EVENT_TYPE, "Hookyard.x", "endpoint.disabled", "message.received", "upload file"] {
            assert!(is_of_the_house(name), "{name}");
        }
        for name in ["hookyard", "hookyards.x", "endpoint.disabled.x", "upload", ""] {
            assert!(!is_of_the_house(name), "{name}");
        }
    }
}
