//! Names of event types that only Hookyard itself publishes.

use crate::upload::UPLOAD_EVENT_TYPE;

/// Most characters of an event type's name.
pub const MAX_NAME_CHARS: usize = 255;
/// What every name begins with that Hookyard keeps for itself.
pub const HOUSE_PREFIX: &str = "hookyard.";
/// What `POST /v1/endpoints/{id}/test` sends. It needs no registration.
pub const TEST_EVENT_TYPE: &str = "hookyard.test";
/// Tells an owner that an endpoint was disabled.
pub const ENDPOINT_DISABLED: &str = "endpoint.disabled";
/// A signed message was ingested.
pub const MESSAGE_RECEIVED: &str = "message.received";

/// Whether only Hookyard itself publishes events of this type: receivers may rely on what they say.
#[must_use]
pub fn is_of_the_house(name: &str) -> bool {
    name.starts_with(HOUSE_PREFIX) || [ENDPOINT_DISABLED, MESSAGE_RECEIVED, UPLOAD_EVENT_TYPE].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_house_are_known_and_no_others() {
        for name in ["hookyard.test", "hookyard.", "endpoint.disabled", "message.received", "upload file"] {
            assert!(is_of_the_house(name), "{name}");
        }
        for name in ["hookyard", "hookyards.x", "Hookyard.test", "endpoint.disabled.x", "upload", ""] {
            assert!(!is_of_the_house(name), "{name}");
        }
    }
}
